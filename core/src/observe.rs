//! [`Observer`]: what happens beside the verification path, told to whoever wants to know.
//!
//! Never per verification: only what an operator would log, or what somebody waits for.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::sync::Snapshot;

/// Something that happened to an issuer's keys, or to a store of revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Keys were fetched or published, or the issuer has confirmed those that are there. They are
    /// in force when this is told.
    #[non_exhaustive]
    KeysRefreshed {
        /// The policy's name for the issuer.
        issuer_name: &'a str,
        /// How many keys there are now.
        keys: usize,
        /// Generation of the issuer's keys.
        generation: u64,
        /// Whether the set differs from the one before.
        changed: bool,
    },
    /// A fetch failed; the keys stay as they were. It is tried again by itself.
    #[non_exhaustive]
    KeysRefreshFailed {
        /// The policy's name for the issuer.
        issuer_name: &'a str,
        /// What went wrong, in a sentence.
        reason: &'a str,
    },
    /// The issuer no longer has a key; its tokens are refused from now on.
    #[non_exhaustive]
    KeyWithdrawn {
        /// The policy's name for the issuer.
        issuer_name: &'a str,
        /// `kid`.
        kid: Option<&'a str>,
        /// JWK SHA-256 thumbprint (RFC 7638); none of a shared secret (§7).
        thumbprint: Option<&'a str>,
    },
    /// An issuer has answered about a token (RFC 7662), whatever it said: the token may be shown
    /// again.
    #[non_exhaustive]
    Introspected {
        /// The policy's name for the issuer.
        issuer_name: &'a str,
    },
    /// An issuer could not be asked about a token, which stays undecided.
    #[non_exhaustive]
    IntrospectionFailed {
        /// The policy's name for the issuer.
        issuer_name: &'a str,
        /// What went wrong, in a sentence.
        reason: &'a str,
    },
    /// A status list was fetched, and is in force when this is told.
    #[non_exhaustive]
    StatusListFetched {
        /// The policy's name for the issuer.
        issuer_name: &'a str,
    },
    /// A status list could not be fetched, or is none; the one before stays until it is stale. It
    /// is tried again by itself.
    #[non_exhaustive]
    StatusListFailed {
        /// The policy's name for the issuer.
        issuer_name: &'a str,
        /// What went wrong, in a sentence.
        reason: &'a str,
    },
    /// Everything that a store has is known here: when the verifier begins to read it, and again
    /// after it could not be read, or something was missed.
    #[non_exhaustive]
    RevocationsLoaded {
        /// The policy's name for the store.
        store: &'a str,
        /// Handles it has, revoked or lifted of late.
        entries: usize,
    },
    /// A store could not be read or written. It is tried again by itself; what is not written yet
    /// is kept until it is. Told when it begins, and when it is for another reason.
    #[non_exhaustive]
    RevocationsInterrupted {
        /// The policy's name for the store.
        store: &'a str,
        /// What went wrong, in a sentence.
        reason: &'a str,
    },
    /// A store has everything that this process has revoked or lifted. Told where a receipt or a
    /// flush has said before that it had not, once for all of them.
    #[non_exhaustive]
    RevocationsDelivered {
        /// The policy's name for the store.
        store: &'a str,
    },
    /// The verifier was closed, or is gone, and nobody takes to the store what it is not known to
    /// have: that is in force in this process alone, and is to be revoked again.
    #[non_exhaustive]
    RevocationsUndelivered {
        /// The policy's name for the store.
        store: &'a str,
        /// How much was revoked or lifted.
        changes: usize,
    },
}

impl Event<'_> {
    /// The stable spelling, the same in every language: `"keys_refreshed"`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::KeysRefreshed { .. } => "keys_refreshed",
            Self::KeysRefreshFailed { .. } => "keys_refresh_failed",
            Self::KeyWithdrawn { .. } => "key_withdrawn",
            Self::Introspected { .. } => "introspected",
            Self::IntrospectionFailed { .. } => "introspection_failed",
            Self::StatusListFetched { .. } => "status_list_fetched",
            Self::StatusListFailed { .. } => "status_list_failed",
            Self::RevocationsLoaded { .. } => "revocations_loaded",
            Self::RevocationsInterrupted { .. } => "revocations_interrupted",
            Self::RevocationsDelivered { .. } => "revocations_delivered",
            Self::RevocationsUndelivered { .. } => "revocations_undelivered",
        }
    }

    /// The policy's name for the issuer it is about, where it is about one; safe as a label of
    /// metrics.
    #[must_use]
    pub const fn issuer_name(&self) -> Option<&str> {
        match self {
            Self::KeysRefreshed { issuer_name, .. }
            | Self::KeysRefreshFailed { issuer_name, .. }
            | Self::KeyWithdrawn { issuer_name, .. }
            | Self::Introspected { issuer_name }
            | Self::IntrospectionFailed { issuer_name, .. }
            | Self::StatusListFetched { issuer_name }
            | Self::StatusListFailed { issuer_name, .. } => Some(issuer_name),
            Self::RevocationsLoaded { .. }
            | Self::RevocationsInterrupted { .. }
            | Self::RevocationsDelivered { .. }
            | Self::RevocationsUndelivered { .. } => None,
        }
    }

    /// The policy's name for the store it is about, where it is about one; safe as a label of
    /// metrics.
    #[must_use]
    pub const fn store(&self) -> Option<&str> {
        match self {
            Self::RevocationsLoaded { store, .. }
            | Self::RevocationsInterrupted { store, .. }
            | Self::RevocationsDelivered { store, .. }
            | Self::RevocationsUndelivered { store, .. } => Some(store),
            Self::KeysRefreshed { .. }
            | Self::KeysRefreshFailed { .. }
            | Self::KeyWithdrawn { .. }
            | Self::Introspected { .. }
            | Self::IntrospectionFailed { .. }
            | Self::StatusListFetched { .. }
            | Self::StatusListFailed { .. } => None,
        }
    }
}

/// Told of every [`Event`] of a verifier, in order for each issuer.
pub trait Observer: Send + Sync {
    /// Called on the thread where it happened: in the background for fetched keys, within
    /// [`Keys::publish`](crate::Keys::publish) for published ones; no lock is held. What it takes
    /// delays the next fetch, so hand long work to another thread. A panic in it is dropped.
    fn observe(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Everyone who listens to one verifier.
#[derive(Clone)]
pub(crate) struct Observers(Arc<Snapshot<Vec<Arc<dyn Observer>>>>);

impl Observers {
    pub(crate) fn none() -> Self {
        Self(Arc::new(Snapshot::new(Vec::new())))
    }

    pub(crate) fn add(&self, observer: Arc<dyn Observer>) {
        loop {
            let current = self.0.load_full();
            let mut next = Vec::clone(&current);
            next.push(Arc::clone(&observer));
            if self.0.replace(&current, Arc::new(next)) {
                return;
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.load().len()
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        for observer in self.0.load_full().iter() {
            // Whoever writes logs must not be able to stop the fetching of keys.
            let _ = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.len())
    }
}
