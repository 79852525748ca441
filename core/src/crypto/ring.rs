//! The provider over `ring`: no ES512, ES256K and ML-DSA.

use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use ring::{digest, hmac};

use super::{CryptoProvider, VerificationKey, VerifySignature};
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::jwk::{Jwk, KeyError, KeyMaterial};

const MISSING: [Algorithm; 5] = [
    Algorithm::Es512,
    Algorithm::Es256k,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
    Algorithm::MlDsa87,
];

/// `ring`.
#[must_use]
pub fn provider() -> CryptoProvider {
    let algorithms: AlgorithmSet = Algorithm::all()
        .filter(|algorithm| !MISSING.contains(algorithm))
        .collect();
    CryptoProvider::new("ring", algorithms, load, sha256).with_sha2(sha2)
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
    if MISSING.contains(&algorithm) {
        return Err(KeyError::unsupported());
    }
    let key: Box<dyn VerifySignature> = match jwk.material() {
        KeyMaterial::Rsa { n, e } => {
            let parameters = rsa(algorithm).ok_or_else(KeyError::mismatch)?;
            let components = RsaPublicKeyComponents {
                n: n.clone(),
                e: e.clone(),
            };
            Box::new(Rsa {
                parameters,
                components,
            })
        }
        KeyMaterial::Ec { x, y, .. } => {
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            Box::new(Public(UnparsedPublicKey::new(curve(algorithm)?, point)))
        }
        KeyMaterial::Okp { x, .. } => Box::new(Public(UnparsedPublicKey::new(
            &signature::ED25519,
            x.clone(),
        ))),
        KeyMaterial::Akp { .. } => return Err(KeyError::unsupported()),
        KeyMaterial::Oct(secret) => {
            let family = mac(algorithm).ok_or_else(KeyError::mismatch)?;
            Box::new(Mac(hmac::Key::new(family, secret.as_bytes())))
        }
    };
    Ok(VerificationKey::new(algorithm, key))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "ring has these two curves")]
fn curve(algorithm: Algorithm) -> Result<&'static dyn VerificationAlgorithm, KeyError> {
    Ok(match algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        _ => return Err(KeyError::unsupported()),
    })
}

super::families::families!();

struct Rsa {
    parameters: &'static signature::RsaParameters,
    components: RsaPublicKeyComponents<Vec<u8>>,
}

impl VerifySignature for Rsa {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.components
            .verify(self.parameters, message, signature)
            .is_ok()
    }
}

struct Public(UnparsedPublicKey<Vec<u8>>);

impl VerifySignature for Public {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(message, signature).is_ok()
    }
}

struct Mac(hmac::Key);

impl VerifySignature for Mac {
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.0, message, signature).is_ok()
    }
}
