//! What users' tests need: a clock that stands still, and an issuer's key.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either, External};
use napi::{Error, Result};
use napi_derive::napi;
use sealgate::crypto::{SigningKey, aws_lc, thumbprint};
use sealgate::jwa::Algorithm;
use sealgate::{FixedClock, Span};

use crate::error;

/// A clock that stands at `seconds`.
#[napi(catch_unwind)]
pub(crate) fn fixed_clock(seconds: i64) -> External<Arc<FixedClock>> {
    External::new(Arc::new(FixedClock::new(seconds)))
}

/// The whole seconds a clock stands at.
#[napi(catch_unwind)]
pub(crate) fn clock_now(clock: &External<Arc<FixedClock>>) -> i64 {
    clock.now().seconds()
}

/// Sets a clock.
#[napi(catch_unwind)]
pub(crate) fn clock_set(clock: &External<Arc<FixedClock>>, seconds: i64) {
    clock.set(seconds);
}

/// Moves a clock by milliseconds, back where they are negative.
#[napi(catch_unwind)]
pub(crate) fn clock_advance(clock: &External<Arc<FixedClock>>, millis: i64) {
    clock.advance(Span::from_millis(millis));
}

/// The key that a seed of 32 bytes stands for; for RSA, which has no such keys, and
/// without a seed a fresh one. Or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn signing_key(
    algorithm: String,
    kid: Option<String>,
    seed: Option<Buffer>,
) -> Either<External<SigningKey>, String> {
    let Some(algorithm) = Algorithm::from_name(&algorithm) else {
        return Either::B(error::usage(&format!("no algorithm {algorithm:?}")));
    };
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(&*seed).ok());
    let seeded = seed.and_then(|seed| SigningKey::from_seed(algorithm, &seed).ok());
    let key = seeded.map_or_else(|| SigningKey::generate(algorithm), Ok);
    match key {
        Ok(key) => Either::A(External::new(match kid {
            Some(kid) => key.with_kid(&kid),
            None => key,
        })),
        Err(refused) => Either::B(error::usage(&refused.to_string())),
    }
}

/// The public half as a JWK; of a shared secret, the secret.
#[napi(catch_unwind)]
pub(crate) fn public_jwk(key: &External<SigningKey>) -> String {
    key.verifying_jwk().to_json()
}

/// The JWK thumbprint (RFC 7638).
#[napi(catch_unwind)]
pub(crate) fn key_thumbprint(key: &External<SigningKey>) -> String {
    thumbprint(&aws_lc::provider(), key.verifying_jwk())
}

/// The signature over these bytes.
#[napi(catch_unwind)]
pub(crate) fn sign(key: &External<SigningKey>, message: Buffer) -> Result<Buffer> {
    let signature = key.sign(&message);
    let signature = signature.map_err(|refused| Error::from_reason(refused.to_string()))?;
    Ok(signature.into())
}
