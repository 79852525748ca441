//! Revocation: has the token, or anyone in its chain, been revoked?

mod base;
mod change;
mod entry;
mod filter;
mod handle;
mod hash;
mod overlay;
mod sharing;
mod store;
mod token;

pub(crate) use change::Known;
pub use change::{Change, ChangeError};
#[cfg(test)]
pub(crate) use entry::Told;
pub use handle::{Handle, HandleKind};
pub(crate) use sharing::{News, Postman};
pub use store::RevocationStats;
pub(crate) use store::{RevocationStore, Standing};
pub(crate) use token::{Circumstances, Handles};

use crate::claims::{Claim, Claims};
use crate::error::{Code, Error};
use crate::policy::{Preset, Revocation, Rules, Waiver};
use crate::time::NumericDate;

/// Evidence that nothing about a token is revoked, nor about any that it comes from, or that the
/// policy does not ask.
#[derive(Debug)]
pub(crate) struct NotRevoked(By);

#[derive(Debug)]
enum By {
    /// Read by nobody: that it is here says all.
    Waiver {
        _waived: Waiver<Revocation>,
    },
    Store(Standing),
}

impl NotRevoked {
    /// How the store stood that was asked; `None` where none was.
    pub(crate) const fn standing(&self) -> Option<Standing> {
        match self.0 {
            By::Waiver { .. } => None,
            By::Store(standing) => Some(standing),
        }
    }
}

/// Judges a token by its handles, and by those of the tokens it comes from, which are made only where
/// somebody is asked.
///
/// One that refers to a status list (draft-ietf-oauth-status-list) is undecided under
/// `agent_strict` while no list can be resolved; under `rfc` its `status` is not asked for.
#[inline]
pub(crate) fn check(
    rules: &Rules,
    claims: &Claims,
    own: Option<&Handles>,
    further: impl FnOnce() -> Result<Vec<Handles>, Error>,
    now: NumericDate,
) -> Result<NotRevoked, Error> {
    if rules.preset == Preset::AgentStrict && claims.present().contains(Claim::Status) {
        return Err(Error::about(Code::StatusUnavailable, Claim::Status.name()));
    }
    if let Some(waiver) = rules.revocation.waive() {
        return Ok(NotRevoked(By::Waiver { _waived: waiver }));
    }
    let own = own.ok_or_else(|| Error::new(Code::Internal))?;
    let standing = own.check(now)?;
    for handles in further()? {
        handles.check(now)?;
    }
    Ok(NotRevoked(By::Store(standing)))
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
