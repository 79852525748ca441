//! What happens to issuers' keys, told to JavaScript as it happens.

use std::sync::Arc;

use napi::Result;
use napi::bindgen_prelude::{External, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use sealgate::Event;
use serde_json::json;

use crate::verifier::Engine;

/// Calls `listener` with each event as JSON, for as long as the engine lives. It keeps no process
/// running; what comes when JavaScript's thread has ended is dropped.
#[napi(catch_unwind)]
pub(crate) fn observe(engine: &External<Engine>, listener: Function<'_, String, ()>) -> Result<()> {
    let listener = listener.build_threadsafe_function::<String>();
    let listener = listener.weak::<true>().build()?;
    let observer = move |event: &Event<'_>| {
        listener.call(shown(event), ThreadsafeFunctionCallMode::NonBlocking);
    };
    engine.verifier.observe(Arc::new(observer));
    Ok(())
}

fn shown(event: &Event<'_>) -> String {
    let mut shown = match event {
        Event::KeysRefreshed {
            keys,
            generation,
            changed,
            ..
        } => json!({ "keys": keys, "generation": generation, "changed": changed }),
        Event::KeysRefreshFailed { reason, .. }
        | Event::IntrospectionFailed { reason, .. }
        | Event::StatusListFailed { reason, .. }
        | Event::RevocationsInterrupted { reason, .. } => json!({ "reason": reason }),
        Event::KeyWithdrawn {
            kid, thumbprint, ..
        } => json!({ "kid": kid, "thumbprint": thumbprint }),
        Event::RevocationsLoaded { entries, .. } => json!({ "entries": entries }),
        Event::RevocationsUndelivered { changes, .. } => json!({ "changes": changes }),
        _ => json!({}),
    };
    shown["event"] = event.name().into();
    if let Some(issuer_name) = event.issuer_name() {
        shown["issuerName"] = issuer_name.into();
    }
    if let Some(store) = event.store() {
        shown["store"] = store.into();
    }
    shown.to_string()
}
