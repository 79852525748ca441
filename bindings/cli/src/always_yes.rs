//! A provider whose keys say yes to every signature, to time everything else.
//!
//! It decides nothing: its verdicts are thrown away.

use sealgate::crypto::{CryptoProvider, VerificationKey, VerifySignature, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, KeyError};

struct Yes;

impl VerifySignature for Yes {
    fn verify(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

fn load(_: &Jwk, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
    Ok(VerificationKey::new(algorithm, Box::new(Yes)))
}

/// It knows the algorithms of the real one.
pub(crate) fn provider() -> CryptoProvider {
    let real = aws_lc::provider();
    CryptoProvider::new("always yes", real.algorithms, load, real.sha256)
}
