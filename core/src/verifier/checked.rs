//! [`RevocationCheck`]: what was asked about the revocation of a token, so that nobody takes "not
//! asked" for "not revoked".

use super::VerifiedToken;
use crate::policy::RevocationStorage;
use crate::time::Span;

/// What was asked about the revocation of a token, and how much the answer knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationCheck<'a> {
    /// Whether anybody was asked. Else the policy asks nobody, and the rest is `None`.
    pub checked: bool,
    /// Who: `"process"`, or the policy's name for a store that processes share.
    pub store: Option<&'a str>,
    /// The epoch at which nothing of it was revoked: see
    /// [`RevocationReceipt::epoch`](crate::RevocationReceipt::epoch).
    pub sequence: Option<u64>,
    /// How old the news of a shared store was; `None` of this process's own, which has no age.
    pub staleness: Option<Span>,
}

impl VerifiedToken {
    /// What was asked about its revocation when it was verified, and that of the tokens it comes
    /// from.
    #[must_use]
    pub fn revocation(&self) -> RevocationCheck<'_> {
        let standing = self.standing();
        let store = match &self.identity().revocation().store {
            RevocationStorage::Off => None,
            RevocationStorage::Process => Some("process"),
            RevocationStorage::Shared(shared) => Some(&*shared.store.name),
        };
        RevocationCheck {
            checked: standing.is_some(),
            store: store.filter(|_| standing.is_some()),
            sequence: standing.map(|standing| standing.epoch),
            staleness: standing.and_then(|standing| standing.staleness),
        }
    }
}
