//! Keys and signatures by themselves, as the conformance protocol asks about them.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use sealgate::crypto::{SignatureJob, Signed, aws_lc, thumbprint};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, JwkSet, KeyError, KeyMaterial};
use sealgate::{Code, Error};
use serde_json::{Value, json};

use crate::error;

/// A message and a signature that are no token.
struct Raw {
    message: Buffer,
    signature: Buffer,
}

impl Signed for Raw {
    fn message(&self) -> &[u8] {
        &self.message
    }

    fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// Reads a key, `jwk`, `pem`, `der` or `x509`, and has the provider load it:
/// `{kty, alg, thumbprint}`, or `{code}`.
#[napi(catch_unwind)]
pub(crate) fn read_key(format: String, data: Buffer, alg: Option<String>) -> String {
    let read = || -> Result<Value, Error> {
        let read = match format.as_str() {
            "pem" => Jwk::from_pem(&data),
            "der" => Jwk::from_der(&data),
            "x509" => Jwk::from_x509_der(&data),
            _ => Jwk::parse(&data),
        };
        let mut jwk = read.map_err(refused)?;
        if let Some(name) = &alg {
            jwk = jwk.with_algorithm(algorithm(name)?).map_err(refused)?;
        }
        // A provider may refuse what the reader took. An RSA key that is bound to no algorithm
        // serves several, and loads alike for each.
        let unbound = match jwk.material() {
            KeyMaterial::Rsa { .. } => Some(Algorithm::Rs256),
            _ => None,
        };
        if let Some(algorithm) = jwk.algorithm().or(unbound) {
            (aws_lc::provider().load)(&jwk, algorithm).map_err(refused)?;
        }
        Ok(json!({
            "kty": jwk.kty(),
            "alg": jwk.algorithm().map(Algorithm::name),
            "thumbprint": thumbprint(&aws_lc::provider(), &jwk),
        }))
    };
    answer(read())
}

/// Reads a JWK Set: `{keys, skipped}`, how many can be used and why the others cannot; or `{code}`.
#[napi(catch_unwind)]
pub(crate) fn read_jwks(text: Buffer) -> String {
    let set = JwkSet::parse(&text).map_err(refused);
    answer(set.map(|set| {
        let skipped = set.skipped().iter();
        let skipped =
            skipped.map(|key| json!({ "index": key.index, "reason": key.reason.to_string() }));
        let skipped: Vec<Value> = skipped.collect();
        json!({ "keys": set.keys().len(), "skipped": skipped })
    }))
}

/// Checks one signature by a JWK: `{}`, or `{code}`.
#[napi(catch_unwind)]
pub(crate) fn check_signature(
    alg: String,
    jwk: String,
    message: Buffer,
    signature: Buffer,
) -> String {
    let check = || -> Result<Value, Error> {
        let algorithm = algorithm(&alg)?;
        let jwk = Jwk::parse(jwk.as_bytes()).map_err(refused)?;
        let provider = aws_lc::provider();
        let key = (provider.load)(&jwk, algorithm).map_err(refused)?;
        let verified = provider.verify(SignatureJob::new(&key, Raw { message, signature }));
        let verified = verified.map(|_| json!({}));
        verified.ok_or_else(|| Code::BadSignature.into())
    };
    answer(check())
}

/// The names of the algorithms that keys may be published for.
#[napi(catch_unwind)]
pub(crate) fn algorithms() -> Vec<&'static str> {
    let all = Algorithm::all().filter(|one| !one.is_symmetric());
    all.map(Algorithm::name).chain(["EdDSA"]).collect()
}

fn algorithm(name: &str) -> Result<Algorithm, Error> {
    Algorithm::from_name(name).ok_or_else(|| Code::AlgNotAllowed.into())
}

fn refused(error: KeyError) -> Error {
    error.code().into()
}

fn answer(answer: Result<Value, Error>) -> String {
    match answer {
        Ok(said) => said.to_string(),
        Err(refused) => error::bare(&refused),
    }
}
