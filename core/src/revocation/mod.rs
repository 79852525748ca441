//! Revocation: has the token, or anyone in its chain, been revoked?

mod base;
mod entry;
mod filter;
mod handle;
mod hash;
mod overlay;
mod store;
mod token;

pub(crate) use entry::Entry;
pub use handle::{Handle, HandleKind};
pub(crate) use store::RevocationStore;
pub(crate) use token::{Circumstances, Handles};

use crate::claims::{Claim, Claims};
use crate::error::{Code, Error};
use crate::policy::{GateRules, Preset, Revocation, Waiver};

/// Evidence that nothing about the token is revoked, or that the policy does not ask: until a
/// revocation store can be named, it never does.
#[derive(Debug)]
pub(crate) struct NotRevoked {
    _by: Waiver<Revocation>,
}

/// A token that refers to a status list (draft-ietf-oauth-status-list) is undecided under
/// `agent_strict` while no list can be resolved; under `rfc` its `status` is not asked for.
pub(crate) fn check(
    preset: Preset,
    gate: &GateRules,
    claims: &Claims,
) -> Result<NotRevoked, Error> {
    if preset == Preset::AgentStrict && claims.present().contains(Claim::Status) {
        return Err(Error::about(Code::StatusUnavailable, Claim::Status.name()));
    }
    Ok(NotRevoked {
        _by: gate.waive_revocation(),
    })
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
