//! Confirmation (RFC 7800 `cnf`): does the presenter hold the key the token is bound to?

use crate::claims::{Claim, Claims};
use crate::error::{Code, Error};
use crate::policy::{GateRules, Possession, Waiver};

/// Evidence that the presenter holds the key, or need not. Until proofs can be checked, a bound
/// token passes only where the policy waives the proof.
#[derive(Debug)]
pub(crate) struct PossessionConfirmed {
    _by: Waiver<Possession>,
}

/// A token with any `cnf`, known members or not, is no bearer token (AT-09, AT-10).
pub(crate) fn bearer(gate: &GateRules, claims: &Claims) -> Result<PossessionConfirmed, Error> {
    let bound = claims.present().contains(Claim::Cnf);
    gate.waive_possession(bound)
        .map(|waiver| PossessionConfirmed { _by: waiver })
        .ok_or_else(|| Error::about(Code::PopRequired, Claim::Cnf.name()))
}
