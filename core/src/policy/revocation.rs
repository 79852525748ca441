//! What the document says of revocations: `[revocation]`.

use std::sync::Arc;

use super::{GateRules, Reach, StoreRules};
use crate::time::Span;

/// `[revocation]`: who remembers what was revoked, and what it reaches.
#[derive(Debug)]
pub(crate) struct RevocationRules {
    pub(crate) store: RevocationStorage,
    /// Whether a revoked agent ends the tokens of a chain in which it stands behind the outermost
    /// actor (REV-04).
    pub(crate) inner_actors: bool,
    /// `None`: nobody can tell what a status list says.
    pub(crate) status: Option<StatusRules>,
}

/// `[revocation.status_lists]`: whose status lists are asked, and what if they cannot be.
#[derive(Debug)]
pub(crate) struct StatusRules {
    pub(crate) doors: Vec<StatusDoor>,
    /// Whether tokens pass while their list is missing or stale, and their verdicts say so.
    pub(crate) accept_marked: bool,
}

/// The status lists of one issuer.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "such a build refuses a policy that has one")
)]
pub(crate) struct StatusDoor {
    /// The policy's name for it.
    pub(crate) issuer: Box<str>,
    /// For the tokens that carry its lists: they are its own (TSL-03).
    pub(crate) gate: GateRules,
    pub(crate) reach: Reach,
}

impl StatusRules {
    pub(crate) fn door(&self, issuer: &str) -> Option<&StatusDoor> {
        self.doors.iter().find(|door| *door.issuer == *issuer)
    }
}

/// Where revocations are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RevocationStorage {
    /// Nowhere: no token is asked about.
    Off,
    /// In this process.
    Process,
    /// In a store that processes share, and here as far as its news has come.
    Shared(Shared),
}

/// A store that processes share, and how old its news may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) store: Arc<StoreRules>,
    pub(crate) max_staleness: Span,
    /// Whether tokens pass while the news is older, and their verdicts say so.
    pub(crate) accept_stale: bool,
}

impl RevocationRules {
    /// The store that processes share, where the policy names one.
    pub(crate) fn shared(&self) -> Option<&Shared> {
        match &self.store {
            RevocationStorage::Shared(shared) => Some(shared),
            RevocationStorage::Off | RevocationStorage::Process => None,
        }
    }

    /// Of a document that says nothing.
    pub(crate) const OFF: Self = Self {
        store: RevocationStorage::Off,
        inner_actors: true,
        status: None,
    };
}
