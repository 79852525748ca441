//! Evidence that a signature was checked: it carries what was signed, so it cannot be shown for
//! another token, and only a [`CryptoProvider`] makes it.

use super::{CryptoProvider, VerificationKey};

/// Something with a signature over it.
pub trait Signed {
    /// The bytes that were signed.
    fn message(&self) -> &[u8];
    /// The signature, decoded.
    fn signature(&self) -> &[u8];
}

/// A signature to check: a key, and what it is said to have signed.
#[derive(Debug)]
pub struct SignatureJob<'k, S> {
    key: &'k VerificationKey,
    signed: S,
}

/// A thing whose signature fits its key.
#[derive(Debug)]
#[must_use]
pub struct SignatureVerified<S> {
    signed: S,
}

impl<'k, S: Signed> SignatureJob<'k, S> {
    /// A job for `key`.
    pub const fn new(key: &'k VerificationKey, signed: S) -> Self {
        Self { key, signed }
    }

    /// What is still unverified.
    pub const fn signed(&self) -> &S {
        &self.signed
    }
}

impl<S> SignatureVerified<S> {
    /// What was verified.
    pub const fn get(&self) -> &S {
        &self.signed
    }

    /// Hands over what was verified.
    #[inline]
    pub fn into_inner(self) -> S {
        self.signed
    }
}

impl CryptoProvider {
    /// Checks one signature; `None` when it does not fit. Does not allocate.
    #[inline]
    pub fn verify<S: Signed>(&self, job: SignatureJob<'_, S>) -> Option<SignatureVerified<S>> {
        let SignatureJob { key, signed } = job;
        if key.verify(signed.message(), signed.signature()) {
            Some(SignatureVerified { signed })
        } else {
            None
        }
    }

    /// Checks many signatures, each by itself: one bad signature says nothing of the others.
    pub fn verify_many<S: Signed>(
        &self,
        jobs: Vec<SignatureJob<'_, S>>,
    ) -> Vec<Option<SignatureVerified<S>>> {
        jobs.into_iter().map(|job| self.verify(job)).collect()
    }
}
