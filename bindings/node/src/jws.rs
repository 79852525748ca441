//! Signed payloads that are not claims, and looking without trust.

use napi::bindgen_prelude::{Buffer, Either, External, Uint8ArraySlice};
use napi::{JsString, Result};
use napi_derive::napi;
use sealgate::crypto::aws_lc;
use sealgate::jwa::{Algorithm, AlgorithmSet};
use sealgate::jwk::{Jwk, JwkSet};
use sealgate::{Code, Error, Jws, Limits, StatusList};
use serde_json::json;

use crate::error;
use crate::text::{with_bytes, with_text};

/// Verifies a compact JWS. `keys` is a JWK Set or one JWK as JSON. Returns the JWS, or
/// `{code, claim}`, or `{code, text}` where the call is wrong.
#[napi(catch_unwind)]
pub(crate) fn verify_jws(
    jws: Either<JsString<'_>, Uint8ArraySlice<'_>>,
    keys: String,
    is_set: bool,
    algorithms: Vec<String>,
) -> Result<Either<External<Jws>, String>> {
    let set = if is_set {
        JwkSet::parse(keys.as_bytes())
    } else {
        Jwk::parse(keys.as_bytes()).map(|key| std::iter::once(key).collect())
    };
    let set: JwkSet = match set {
        Ok(set) => set,
        Err(refused) => return Ok(Either::B(error::usage(&format!("the keys: {refused}")))),
    };
    let mut allowed = AlgorithmSet::EMPTY;
    for name in &algorithms {
        match Algorithm::from_name(name) {
            Some(algorithm) => allowed = allowed.with(algorithm),
            None => return Ok(Either::B(error::usage(&format!("no algorithm {name:?}")))),
        }
    }
    let verify = |token: &[u8]| sealgate::verify_jws(token, &set, allowed, &aws_lc::provider());
    let verified: std::result::Result<Jws, Error> = match jws {
        Either::A(text) => with_text(text, verify)?,
        Either::B(bytes) => with_bytes(&bytes, verify),
    };
    Ok(match verified {
        Ok(jws) => Either::A(External::new(jws)),
        Err(refused) => Either::B(error::bare(&refused)),
    })
}

/// The payload as signed.
#[napi(catch_unwind)]
pub(crate) fn jws_payload(jws: &External<Jws>) -> Buffer {
    jws.payload().into()
}

/// The protected header as JSON.
#[napi(catch_unwind)]
pub(crate) fn jws_header(jws: &External<Jws>) -> &str {
    jws.header()
}

/// Decodes a token without trust: `{header, claims}`, or `{code, claim}`.
#[napi(catch_unwind)]
pub(crate) fn inspect(token: Either<JsString<'_>, Uint8ArraySlice<'_>>) -> Result<String> {
    let inspect = |token: &[u8]| sealgate::inspect(token);
    let token = match token {
        Either::A(text) => with_text(text, inspect)?,
        Either::B(bytes) => with_bytes(&bytes, inspect),
    };
    Ok(match token {
        Ok(token) => format!(
            r#"{{"header":{},"claims":{}}}"#,
            token.header(),
            token.claims()
        ),
        Err(refused) => error::bare(&refused),
    })
}

/// Bytes of a token that every policy allows unless it says otherwise.
#[napi(catch_unwind)]
pub(crate) fn usual_token_size() -> u32 {
    u32::try_from(Limits::DEFAULT.token_size).unwrap_or(u32::MAX)
}

/// The status of one entry of a status list, for conformance: `{status}`, or `{code, claim}`.
#[napi(catch_unwind)]
pub(crate) fn read_status(bits: f64, lst: String, index: String) -> String {
    // Whatever is no number of bits is 0, which is none either.
    let bits = [1_u8, 2, 4, 8]
        .into_iter()
        .find(|own| f64::from(*own) == bits);
    let list = match StatusList::decode(bits.unwrap_or(0).into(), &lst) {
        Ok(list) => list,
        Err(refused) => return error::bare(&refused.into()),
    };
    let status = index.parse().ok().and_then(|index| list.get(index));
    match status {
        Some(status) => json!({ "status": status }).to_string(),
        None => error::bare(&Code::ClaimType.into()),
    }
}
