//! What users' tests need: a clock that stands still, and an issuer's key.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either, External};
use napi::{Error, Result};
use napi_derive::napi;
use sealgate::crypto::SigningKey;
use sealgate::jwa::Algorithm;
use sealgate::jwk::KeyError;
use sealgate::mint::{DpopProof, DpopProver};
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

/// The key that a seed of 32 bytes stands for; for RSA, which has no such keys, a fresh one. Or
/// `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn signing_key(
    algorithm: String,
    kid: String,
    seed: Buffer,
) -> Either<External<SigningKey>, String> {
    let Some(algorithm) = Algorithm::from_name(&algorithm) else {
        return Either::B(error::usage(&format!("no algorithm {algorithm:?}")));
    };
    match key(algorithm, &seed) {
        Ok(key) => Either::A(External::new(key.with_kid(&kid))),
        Err(refused) => Either::B(error::usage(&refused.to_string())),
    }
}

fn key(algorithm: Algorithm, seed: &[u8]) -> std::result::Result<SigningKey, KeyError> {
    let seed = <[u8; 32]>::try_from(seed).ok();
    let seeded = seed.and_then(|seed| SigningKey::from_seed(algorithm, &seed).ok());
    seeded.map_or_else(|| SigningKey::generate(algorithm), Ok)
}

/// The public half as a JWK; of a shared secret, the secret.
#[napi(catch_unwind)]
pub(crate) fn public_jwk(key: &External<SigningKey>) -> String {
    key.verifying_jwk().to_json()
}

/// The signature over these bytes.
#[napi(catch_unwind)]
pub(crate) fn sign(key: &External<SigningKey>, message: Buffer) -> Result<Buffer> {
    let signature = key.sign(&message);
    let signature = signature.map_err(failed)?;
    Ok(signature.into())
}

/// An agent's ES256 key, the one that a seed of 32 bytes stands for.
#[napi(catch_unwind)]
pub(crate) fn prover(seed: Buffer) -> Result<External<DpopProver>> {
    let prover = key(Algorithm::Es256, &seed).and_then(DpopProver::new);
    prover.map(External::new).map_err(failed)
}

/// The JWK thumbprint of an agent's key (RFC 7638).
#[napi(catch_unwind)]
pub(crate) fn prover_thumbprint(prover: &External<DpopProver>) -> String {
    prover.thumbprint()
}

/// A DPoP proof for a request with this token, at these seconds; with the nonce that a server gave.
#[napi(catch_unwind)]
pub(crate) fn prove(
    prover: &External<DpopProver>,
    method: String,
    url: String,
    token: String,
    seconds: i64,
    nonce: Option<String>,
) -> Result<String> {
    let date = FixedClock::new(seconds).now();
    let mut proof = DpopProof::new(&method, &url, date).for_token(&token);
    if let Some(nonce) = &nonce {
        proof = proof.with_nonce(nonce);
    }
    prover.prove(&proof).map_err(failed)
}

fn failed(error: KeyError) -> Error {
    Error::from_reason(error.to_string())
}
