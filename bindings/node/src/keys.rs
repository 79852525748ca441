//! Publishing an issuer's keys, and looking at them.

use std::time::Duration;

use napi::bindgen_prelude::External;
use napi_derive::napi;
use sealgate::jwk::{JwkSet, SkippedKey};
use sealgate::{KeyState, PublishError};
use serde_json::{Value, json};

use crate::error;
use crate::verifier::Engine;

/// Publishes a JWK Set for the issuer that the policy calls `name`. Returns a receipt, or
/// `{code, text, skipped}`.
#[napi(catch_unwind)]
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

/// The outage of an issuer that has no keys at this moment, or of a store that has no news; or
/// nothing.
#[napi(catch_unwind)]
pub(crate) fn not_ready(engine: &External<Engine>) -> Option<String> {
    let error = engine.verifier.wait_ready(Duration::ZERO).err()?;
    Some(error::not_ready(&error))
}

/// Stops fetching keys. No thread of Node's waits for the end of it.
#[napi(catch_unwind)]
pub(crate) fn close_engine(engine: &External<Engine>) {
    engine.verifier.close();
}

/// The keys of the issuer that the policy calls `name`.
#[napi(catch_unwind)]
pub(crate) fn key_state(engine: &External<Engine>, name: String) -> Option<String> {
    engine.verifier.keys().state(&name).map(shown)
}

/// As [`key_state`], having asked for a fetch.
#[napi(catch_unwind)]
pub(crate) fn refresh_keys(engine: &External<Engine>, name: String) -> Option<String> {
    engine.verifier.keys().refresh(&name).map(shown)
}

fn shown(state: KeyState) -> String {
    let keys = state
        .keys
        .iter()
        .map(|key| json!({ "kid": key.kid, "alg": key.alg, "kty": key.kty, "thumbprint": key.thumbprint }));
    let keys: Vec<Value> = keys.collect();
    json!({
        "source": state.source,
        "generation": state.generation,
        "keys": keys,
        "fetchedAt": state.fetched_at.map(|date| date.seconds()),
        "nextRefresh": state.next_refresh.map(|date| date.seconds()),
        "lastError": state.last_error,
    })
    .to_string()
}

fn skipped(keys: &[SkippedKey]) -> Vec<Value> {
    let skipped =
        |key: &SkippedKey| json!({ "index": key.index, "reason": key.reason.to_string() });
    keys.iter().map(skipped).collect()
}
