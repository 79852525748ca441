//! Revocation: has the token, or anyone in its chain, been revoked?

use crate::claims::{Claim, Claims};
use crate::error::{Code, Error};
use crate::policy::{GateRules, Preset, Waiver};

/// Evidence that nothing about the token is revoked. It has no values until a revocation store
/// can be named; until then the policy waives the check.
#[derive(Debug)]
pub(crate) enum NotRevoked {}

/// A token that refers to a status list (draft-ietf-oauth-status-list) is undecided under
/// `agent_strict` while no list can be resolved; under `rfc` its `status` is not asked for.
pub(crate) fn check(
    preset: Preset,
    gate: &GateRules,
    claims: &Claims,
) -> Result<Waiver<NotRevoked>, Error> {
    if preset == Preset::AgentStrict && claims.present().contains(Claim::Status) {
        return Err(Error::about(Code::StatusUnavailable, Claim::Status.name()));
    }
    Ok(gate.waive_revocation())
}
