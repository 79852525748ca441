//! Server nonces without a store (DP-10, RFC 9449 §8 and §9): a count of minutes, and a MAC over it
//! by which any instance with the same secret knows it for its own.
//!
//! A nonce is good in its minute and in the next; one of the minute to come is good too, since
//! another instance's clock may be ahead.

use std::sync::Arc;

use crate::crypto::{CryptoProvider, mac};
use crate::encoding::base64url;
use crate::error::{Code, Error};
use crate::policy::Secret;
use crate::time::NumericDate;

/// Seconds for which one nonce is given out.
const STEP: i64 = 60;
/// Octets of the count, and of the MAC: 43 characters together.
const COUNT: usize = 8;
const MAC: usize = 24;
/// What the MAC is over, so that the secret may serve for other things.
const OF_DPOP: &[u8] = b"sealgate DPoP nonce 1";
const OF_ATTESTATION: &[u8] = b"sealgate attestation challenge 1";

/// Makes nonces, and knows them again.
pub(crate) struct Nonces<'s> {
    pub(super) provider: &'s CryptoProvider,
    pub(super) secret: &'s Secret,
    purpose: &'static [u8],
}

impl<'s> Nonces<'s> {
    /// Nonces of this secret for DPoP proofs.
    pub(crate) const fn new(provider: &'s CryptoProvider, secret: &'s Secret) -> Self {
        let purpose = OF_DPOP;
        Self {
            provider,
            secret,
            purpose,
        }
    }

    /// Challenges of this secret for attested clients (ATT-09).
    pub(super) const fn challenges(provider: &'s CryptoProvider, secret: &'s Secret) -> Self {
        let purpose = OF_ATTESTATION;
        Self {
            provider,
            secret,
            purpose,
        }
    }

    /// The nonce to give out now.
    pub(crate) fn current(&self, now: NumericDate) -> String {
        base64url::encode(&self.nonce(count(now)))
    }

    /// Whether what a proof says is a nonce of ours that is still good. A nonce to give the client
    /// for its next proof, where the one it used ends soon.
    pub(super) fn check(
        &self,
        given: Option<&str>,
        about: &'static str,
        now: NumericDate,
    ) -> Result<Option<Arc<str>>, Error> {
        match given.and_then(|nonce| self.is_current(nonce, now)) {
            Some(true) => Ok(None),
            Some(false) => Ok(Some(self.current(now).into())),
            None => Err(Error::about(Code::NonceRequired, about)),
        }
    }

    /// Whether `text` is a nonce of ours that is still good; if so, whether it is the current one.
    fn is_current(&self, text: &str, now: NumericDate) -> Option<bool> {
        let mut room = [0; COUNT + MAC];
        let given = base64url::decode_slice(text.as_bytes(), &mut room)?;
        let (claimed, _) = given.split_first_chunk::<COUNT>()?;
        let (claimed, now) = (i64::from_be_bytes(*claimed), count(now));
        let good = (now.saturating_sub(1)..=now.saturating_add(1)).contains(&claimed);
        (good && mac::same(given, &self.nonce(claimed))).then_some(claimed >= now)
    }

    fn nonce(&self, count: i64) -> [u8; COUNT + MAC] {
        let count = count.to_be_bytes();
        let message = [self.purpose, &count].concat();
        let tag = mac::hmac_sha256(self.provider, self.secret.as_bytes(), &message);
        let mut nonce = [0; COUNT + MAC];
        for (place, byte) in nonce.iter_mut().zip(count.iter().chain(&tag)) {
            *place = *byte;
        }
        nonce
    }
}

fn count(now: NumericDate) -> i64 {
    now.seconds().div_euclid(STEP)
}
