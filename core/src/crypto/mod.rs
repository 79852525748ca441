//! Cryptography as a value: a [`CryptoProvider`] is given to a verifier, and keys are parsed once.
//!
//! `aws_lc` is the default and has every algorithm of the table; `ring` lacks ES512, ES256K and
//! ML-DSA. Both may be in one program. What a provider lacks is an error when a key is loaded, not
//! when a token comes.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
mod evidence;
#[cfg(feature = "mint")]
pub(crate) mod fakes;
#[cfg(any(feature = "aws-lc-rs", feature = "ring"))]
mod families;
pub(crate) mod mac;
pub mod published;
#[cfg(feature = "ring")]
pub mod ring;
#[cfg(feature = "mint")]
mod signing;

use std::fmt;

pub use evidence::{SignatureJob, SignatureVerified, Signed};
#[cfg(feature = "mint")]
pub use signing::SigningKey;
#[cfg(feature = "mint")]
pub(crate) use signing::random;

use crate::encoding::base64url;
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::jwk::{Jwk, KeyError};

/// A set of cryptographic operations.
///
/// Implementing one: `load` must refuse what the algorithm cannot use, and the
/// [`VerifySignature`] it makes must accept exactly the encodings of RFC 7518 §3, RFC 8037 §3.1
/// and RFC 9964: raw R||S of the curve's length, an RSA signature of the modulus' length, the
/// whole MAC. Weak keys (ALG-05) and points of small order (OKP-02) have been refused before, and
/// points off their curve (ALG-07) where an operator or an issuer wrote the key. A key that came in
/// a proof may be off its curve: `load` refuses it, or it fits no signature.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CryptoProvider {
    /// For people: logs and `Debug`.
    pub name: &'static str,
    /// What it can verify.
    pub algorithms: AlgorithmSet,
    /// Parses a key for one algorithm.
    pub load: fn(&Jwk, Algorithm) -> Result<VerificationKey, KeyError>,
    /// SHA-256 (FIPS 180-4), for thumbprints and digests.
    pub sha256: fn(&[u8]) -> [u8; 32],
    /// SHA-384 and SHA-512, by their bits, for the hashes that an ID token has of what came with
    /// it; `None` for any other. A provider that is made without them has neither.
    pub sha2: Sha2,
}

/// A hash of so many bits, where there is one.
pub type Sha2 = fn(usize, &[u8]) -> Option<Box<[u8]>>;

impl CryptoProvider {
    /// A provider of these parts.
    #[must_use]
    pub const fn new(
        name: &'static str,
        algorithms: AlgorithmSet,
        load: fn(&Jwk, Algorithm) -> Result<VerificationKey, KeyError>,
        sha256: fn(&[u8]) -> [u8; 32],
    ) -> Self {
        Self {
            name,
            algorithms,
            load,
            sha256,
            sha2: |_, _| None,
        }
    }

    /// The same with [`CryptoProvider::sha2`].
    #[must_use]
    pub const fn with_sha2(mut self, sha2: Sha2) -> Self {
        self.sha2 = sha2;
        self
    }
}

/// A key as its provider parsed it.
pub trait VerifySignature: Send + Sync {
    /// Whether `signature` fits `message`. Constant-time in the MAC where there is a secret.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// A parsed key bound to one algorithm (ALG-03).
pub struct VerificationKey {
    algorithm: Algorithm,
    key: Box<dyn VerifySignature>,
}

impl VerificationKey {
    /// Binds a parsed key to its algorithm.
    #[must_use]
    pub fn new(algorithm: Algorithm, key: Box<dyn VerifySignature>) -> Self {
        Self { algorithm, key }
    }

    /// The one algorithm it verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` fits `message`. A signature of another length than the algorithm's is
    /// refused before the provider sees it (ALG-06).
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let fits = self
            .algorithm
            .signature_size()
            .is_none_or(|size| size == signature.len());
        fits && self.key.verify(message, signature)
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKey({})", self.algorithm)
    }
}

/// The JWK SHA-256 thumbprint (RFC 7638): base64url, 43 characters.
#[must_use]
pub fn thumbprint(provider: &CryptoProvider, jwk: &Jwk) -> String {
    base64url::encode(&thumbprint_octets(provider, jwk))
}

/// The thumbprint before its encoding.
pub(crate) fn thumbprint_octets(provider: &CryptoProvider, jwk: &Jwk) -> [u8; 32] {
    (provider.sha256)(jwk.thumbprint_input().as_bytes())
}
