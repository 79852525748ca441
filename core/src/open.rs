//! Where a verifier and what works for it in the background meet.

use crate::crypto::CryptoProvider;
use crate::policy::{Policy, PolicyError};
use crate::time::Clock;
use crate::verifier::Verifier;

impl Verifier {
    /// A verifier for this policy over the system clock.
    ///
    /// It starts no thread and fetches nothing yet. With feature `remote`, the first verification
    /// that needs fetched keys does, or `Verifier::wait_ready`.
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
        let verifier = Self::assemble(policy, provider, clock)?;
        #[cfg(feature = "remote")]
        crate::runtime::Runtime::attach(verifier.engine());
        Ok(verifier)
    }
}
