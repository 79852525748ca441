//! The primitive alone: a parsed key of aws-lc-rs, the signing input, the decoded signature.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, KeyMaterial};

/// A parsed key.
pub enum RawKey {
    /// Of a signature.
    Public(ParsedPublicKey),
    /// Of a MAC.
    Mac(Box<hmac::Key>),
}

impl std::fmt::Debug for RawKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawKey")
    }
}

impl RawKey {
    /// Parses the key for its algorithm.
    #[must_use]
    pub fn new(jwk: &Jwk, algorithm: Algorithm) -> Self {
        let bytes = match jwk.material() {
            KeyMaterial::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                let key = key.to_parsed_public_key(rsa(algorithm));
                return Self::Public(key.expect("an RSA key"));
            }
            KeyMaterial::Oct(secret) => {
                let key = hmac::Key::new(mac(algorithm), secret.as_bytes());
                return Self::Mac(Box::new(key));
            }
            KeyMaterial::Ec { x, y, .. } => [&[4], x.as_slice(), y.as_slice()].concat(),
            KeyMaterial::Okp { x, .. } => x.clone(),
            KeyMaterial::Akp { public, .. } => public.clone(),
            _ => unreachable!("a kind of key without a primitive here"),
        };
        let key = ParsedPublicKey::new(public(algorithm), &bytes);
        Self::Public(key.expect("a public key"))
    }

    /// One verification.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
            Self::Mac(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

fn rsa(algorithm: Algorithm) -> &'static RsaParameters {
    match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        other => unreachable!("{other} is not timed"),
    }
}

fn mac(algorithm: Algorithm) -> hmac::Algorithm {
    match algorithm {
        Algorithm::Hs256 => hmac::HMAC_SHA256,
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        Algorithm::Hs512 => hmac::HMAC_SHA512,
        other => unreachable!("{other} is not timed"),
    }
}

fn public(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::Ed25519 => &signature::ED25519,
        Algorithm::MlDsa44 => &signature::ML_DSA_44,
        Algorithm::MlDsa65 => &signature::ML_DSA_65,
        other => unreachable!("{other} is not timed"),
    }
}
