//! The provider over AWS-LC: every algorithm of the table.

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};
use aws_lc_rs::{digest, hmac};

use super::{CryptoProvider, VerificationKey, VerifySignature};
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::jwk::{Jwk, KeyError, KeyMaterial};

/// AWS-LC through `aws-lc-rs`.
#[must_use]
pub fn provider() -> CryptoProvider {
    let all: AlgorithmSet = Algorithm::all().collect();
    CryptoProvider::new("aws-lc-rs", all, load, sha256).with_sha2(sha2)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

fn sha2(bits: usize, bytes: &[u8]) -> Option<Box<[u8]>> {
    let algorithm = match bits {
        384 => &digest::SHA384,
        512 => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, bytes).as_ref().into())
}

fn load(jwk: &Jwk, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
    jwk.check_fits(algorithm)?;
    let key: Box<dyn VerifySignature> = match jwk.material() {
        KeyMaterial::Rsa { n, e } => {
            let parameters = rsa(algorithm).ok_or_else(KeyError::mismatch)?;
            let components = RsaPublicKeyComponents { n, e };
            let parsed = components.to_parsed_public_key(parameters);
            Box::new(Public(parsed.map_err(|_| KeyError::invalid())?))
        }
        KeyMaterial::Ec { x, y, .. } => {
            // SEC 1 §2.3.3, uncompressed; parsing checks that the point is on the curve (ALG-07).
            public(algorithm, &[&[4], x.as_slice(), y.as_slice()].concat())?
        }
        KeyMaterial::Okp { x, .. } => public(algorithm, x)?,
        KeyMaterial::Akp { public: key, .. } => public(algorithm, key)?,
        KeyMaterial::Oct(secret) => {
            let family = mac(algorithm).ok_or_else(KeyError::mismatch)?;
            Box::new(Mac(hmac::Key::new(family, secret.as_bytes())))
        }
    };
    Ok(VerificationKey::new(algorithm, key))
}

fn public(algorithm: Algorithm, bytes: &[u8]) -> Result<Box<dyn VerifySignature>, KeyError> {
    let verification: &'static dyn VerificationAlgorithm = match algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::Es256k => &signature::ECDSA_P256K1_SHA256_FIXED,
        Algorithm::Ed25519 => &signature::ED25519,
        Algorithm::MlDsa44 => &signature::ML_DSA_44,
        Algorithm::MlDsa65 => &signature::ML_DSA_65,
        Algorithm::MlDsa87 => &signature::ML_DSA_87,
        Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512
        | Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => return Err(KeyError::mismatch()),
    };
    let parsed = ParsedPublicKey::new(verification, bytes).map_err(|_| KeyError::invalid())?;
    Ok(Box::new(Public(parsed)))
}

super::families::families!();

struct Public(ParsedPublicKey);

impl VerifySignature for Public {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// The padded key, hashed once; comparison is constant-time in the library.
struct Mac(hmac::Key);

impl VerifySignature for Mac {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.0, message, signature).is_ok()
    }
}
