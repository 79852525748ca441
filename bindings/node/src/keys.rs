//! Publishing an issuer's keys, and looking at them.

use napi::bindgen_prelude::External;
use napi_derive::napi;
use sealgate::PublishError;
use sealgate::jwk::{JwkSet, SkippedKey};
use serde_json::{Value, json};

use crate::error;
use crate::verifier::Engine;

/// Publishes a JWK Set for the issuer that the policy calls `name`. Returns a receipt, or
/// `{code, text, skipped}`.
#[napi]
pub(crate) fn publish_keys(engine: &External<Engine>, name: String, jwks: String) -> String {
    let set = match JwkSet::parse(jwks.as_bytes()) {
        Ok(set) => set,
        Err(refused) => return error::usage(&format!("the key set: {refused}")),
    };
    match engine.verifier.keys().publish(&name, &set) {
        Ok(receipt) => json!({
            "generation": receipt.generation,
            "changed": receipt.changed,
            "reach": receipt.reach,
            "skipped": skipped(&receipt.skipped),
        })
        .to_string(),
        Err(refused) => {
            let mut text = format!("issuer {name:?}: {refused}");
            if let PublishError::NoUsableKey(keys) = &refused {
                for key in keys {
                    text += &format!("; keys[{}]: {}", key.index, key.reason);
                }
            }
            error::usage(&text)
        }
    }
}

/// The keys of the issuer that the policy calls `name`: `{source, generation, keys}`.
#[napi]
pub(crate) fn key_state(engine: &External<Engine>, name: String) -> Option<String> {
    let state = engine.verifier.keys().state(&name)?;
    let keys = state
        .keys
        .iter()
        .map(|key| json!({ "kid": key.kid, "alg": key.alg, "thumbprint": key.thumbprint }));
    let keys: Vec<Value> = keys.collect();
    Some(
        json!({ "source": state.source, "generation": state.generation, "keys": keys }).to_string(),
    )
}

fn skipped(keys: &[SkippedKey]) -> Vec<Value> {
    let skipped =
        |key: &SkippedKey| json!({ "index": key.index, "reason": key.reason.to_string() });
    keys.iter().map(skipped).collect()
}
