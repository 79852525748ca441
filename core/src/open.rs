//! Where a policy, a verifier and what works for it in the background meet.

use std::path::Path;

use crate::crypto::CryptoProvider;
use crate::feed::{self, Post, ProofStore, Store};
use crate::policy::{Format, LoadOptions, Policy, PolicyError};
use crate::time::Clock;
use crate::verifier::{self, Verifier};

impl Policy {
    /// As [`Policy::load_with`], for a verifier with this provider: what only the provider can
    /// judge, which [`Verifier::new`] would refuse, is told together with every other problem.
    ///
    /// # Errors
    ///
    /// As [`Policy::load_with`] and [`Verifier::new`].
    pub fn load_for(
        path: impl AsRef<Path>,
        options: &LoadOptions,
        provider: &CryptoProvider,
    ) -> Result<Self, PolicyError> {
        Self::load_by(path.as_ref(), options, |policy| {
            verifier::refusals(policy, provider)
        })
    }

    /// As [`Policy::parse_with`], for a verifier with this provider: see [`Policy::load_for`].
    ///
    /// # Errors
    ///
    /// As [`Policy::parse_with`] and [`Verifier::new`].
    pub fn parse_for(
        text: impl AsRef<[u8]>,
        format: Format,
        options: &LoadOptions,
        provider: &CryptoProvider,
    ) -> Result<Self, PolicyError> {
        Self::parse_by(text.as_ref(), format, options, |policy| {
            verifier::refusals(policy, provider)
        })
    }
}

impl Store {
    /// The store in which the policy's `[revocation]` keeps what is revoked; `None` where that is
    /// the process alone, or nobody. Reaches nothing yet.
    #[must_use]
    pub fn open(policy: &Policy, provider: &CryptoProvider) -> Option<Self> {
        Self::named(policy.rules(), provider.sha256)
    }
}

impl ProofStore {
    /// The store in which the policy's `[replay]` keeps used proofs; `None` where that is the
    /// process alone, or the program. Reaches nothing yet.
    #[must_use]
    pub fn open(policy: &Policy, provider: &CryptoProvider) -> Option<Self> {
        Self::named(policy.rules(), provider.sha256)
    }
}

impl Verifier {
    /// A verifier for this policy over the system clock.
    ///
    /// It starts no thread and fetches nothing yet. With feature `remote`, the first verification
    /// that needs fetched keys does, or `Verifier::wait_ready`. Only a store of revocations that
    /// the policy names is begun to be read, and read to its end where it is on this host.
    ///
    /// # Errors
    ///
    /// What only the provider can judge of a policy: an algorithm or a key it does not support, or
    /// a key whose private half is published.
    pub fn new(policy: Policy, provider: CryptoProvider) -> Result<Self, PolicyError> {
        Self::with_clock(policy, provider, Clock::System)
    }

    /// A verifier that takes its time from `clock`.
    ///
    /// # Errors
    ///
    /// As [`Verifier::new`].
    pub fn with_clock(
        policy: Policy,
        provider: CryptoProvider,
        clock: Clock,
    ) -> Result<Self, PolicyError> {
        let verifier = Self::assemble(policy, provider, clock, feed::open_proofs)?;
        #[cfg(feature = "remote")]
        crate::runtime::Runtime::attach(verifier.engine());
        Post::attach(verifier.engine());
        Ok(verifier)
    }
}
