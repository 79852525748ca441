//! A provider to which every signature is good. What is left is everything but the signature:
//! benches time it, and fuzz targets reach through it what only a signer could.

use sealgate::crypto::{CryptoProvider, VerificationKey, VerifySignature};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, KeyError};

/// Every algorithm, and no cryptography.
#[must_use]
pub fn provider() -> CryptoProvider {
    provider_with(spread)
}

/// The same with this SHA-256, for what is told by digests.
#[must_use]
pub fn provider_with(sha256: fn(&[u8]) -> [u8; 32]) -> CryptoProvider {
    CryptoProvider::new("always-yes", Algorithm::all().collect(), load, sha256)
}

struct AlwaysYes;

impl VerifySignature for AlwaysYes {
    fn verify(&self, _message: &[u8], _signature: &[u8]) -> bool {
        true
    }
}

fn load(jwk: &Jwk, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
    jwk.check_fits(algorithm)?;
    Ok(VerificationKey::new(algorithm, Box::new(AlwaysYes)))
}

/// Tells keys and documents apart, which is all that is asked of a digest here: FNV-1a, with
/// another start for each byte of the answer.
fn spread(bytes: &[u8]) -> [u8; 32] {
    std::array::from_fn(|lane| {
        let start = 0xcbf2_9ce4_8422_2325 ^ u64::try_from(lane).unwrap_or(0);
        let hash = bytes.iter().fold(start, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash.to_be_bytes()[0]
    })
}
