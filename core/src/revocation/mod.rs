//! Revocation: has the token, or anyone in its chain, been revoked?

mod base;
mod change;
mod entry;
mod fill;
mod filter;
mod handle;
mod hash;
mod overlay;
mod sharing;
mod status;
mod store;
mod token;

#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
pub(crate) use change::LIMITS as CHANGE_LIMITS;
pub use change::{Change, ChangeError};
pub(crate) use change::{Fact, Known, What};
#[cfg(test)]
#[cfg(not(sealgate_model))]
pub(crate) use entry::Told;
pub use handle::{Handle, HandleKind};
pub(crate) use sharing::{News, Postman, Report};
#[cfg(feature = "remote")]
pub(crate) use status::{Due, Resolved};
pub(crate) use status::{StatusChecked, StatusLists, check as check_status};
pub use status::{StatusList, StatusListError};
pub use store::RevocationStats;
pub(crate) use store::{RevocationStore, Standing};
pub(crate) use token::{Circumstances, Handles};

use crate::error::{Code, Error};
use crate::policy::{Revocation, Rules, Waiver};
use crate::time::NumericDate;

/// Evidence that nothing about a token is revoked, nor about any that it comes from, or that the
/// policy does not ask.
#[derive(Debug)]
pub(crate) struct NotRevoked {
    by: By,
    status: StatusChecked,
}

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
        match self.by {
            By::Waiver { .. } => None,
            By::Store(standing) => Some(standing),
        }
    }

    /// Whether the status list was asked that the token refers to; `None` where it refers to none.
    pub(crate) const fn status(&self) -> Option<bool> {
        self.status.asked()
    }
}

/// Judges a token by its handles, and by those of the tokens it comes from, which are made only
/// where somebody is asked.
#[inline]
pub(crate) fn check(
    rules: &Rules,
    status: StatusChecked,
    own: Option<&Handles>,
    further: impl FnOnce() -> Result<Vec<Handles>, Error>,
    now: NumericDate,
) -> Result<NotRevoked, Error> {
    if let Some(waiver) = rules.revocation.waive() {
        let by = By::Waiver { _waived: waiver };
        return Ok(NotRevoked { by, status });
    }
    let own = own.ok_or_else(|| Error::new(Code::Internal))?;
    let standing = own.check(now)?;
    for handles in further()? {
        handles.check(now)?;
    }
    let by = By::Store(standing);
    Ok(NotRevoked { by, status })
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
