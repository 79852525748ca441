//! Confirmation (RFC 7800 `cnf`): does the presenter hold the key the token is bound to?

use crate::claims::{Claim, Claims};
use crate::error::{Code, Error};
use crate::policy::{GateRules, Waiver};

/// Evidence that the presenter holds the key. It has no values until proofs can be checked: a
/// bound token passes only where the policy waives the proof.
#[derive(Debug)]
pub(crate) enum PossessionConfirmed {}

/// A token with any `cnf`, known members or not, is no bearer token (AT-09, AT-10).
pub(crate) fn bearer(
    gate: &GateRules,
    claims: &Claims,
) -> Result<Waiver<PossessionConfirmed>, Error> {
    let bound = claims.present().contains(Claim::Cnf);
    gate.waive_possession(bound)
        .ok_or_else(|| Error::about(Code::PopRequired, Claim::Cnf.name()))
}
