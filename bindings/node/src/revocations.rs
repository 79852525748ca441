//! Revoking while verifications run.

use std::time::Duration;

use napi::bindgen_prelude::External;
use napi_derive::napi;
use sealgate::{
    EventChange, Handle, HandleKind, NumericDate, Revocation, RevocationReceipt, RevokeError,
};
use serde_json::{Value, json};

use crate::error;
use crate::token::Verdicts;
use crate::verifier::Engine;

/// Each kind of handles with the names of its two parts: `[kind, whose, its name there]`.
#[napi(catch_unwind)]
pub(crate) fn handle_kinds() -> String {
    let kinds = HandleKind::ALL.map(|kind| (kind.name(), kind.parts().0, kind.parts().1));
    json!(kinds).to_string()
}

/// Revokes the handle of this kind and these two parts. `cutoff` is `now` or seconds since 1970,
/// `expires` the latter. Returns a receipt, or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn revoke(
    engine: &External<Engine>,
    handle: (String, String, String),
    cutoff: Option<String>,
    expires: Option<String>,
    reason: Option<String>,
) -> String {
    const SECONDS: &str = "whole seconds since 1970, up to the year 9999";
    let Some(handle) = named(&handle) else {
        return error::usage(NO_KIND);
    };
    let mut revocation = match cutoff.as_deref() {
        None => Revocation::all(),
        Some("now") => Revocation::so_far(),
        Some(cutoff) => match date(cutoff) {
            Some(cutoff) => Revocation::before(cutoff),
            None => return error::usage(&format!("revoke: cutoff is \"now\" or {SECONDS}")),
        },
    };
    if let Some(expires) = expires {
        revocation = match date(&expires) {
            Some(expires) => revocation.until(expires),
            None => return error::usage(&format!("revoke: expires is {SECONDS}")),
        };
    }
    if let Some(reason) = reason {
        revocation = revocation.because(reason);
    }
    told(engine.verifier.revocations().revoke(&handle, revocation))
}

/// Takes back whatever was revoked of the handle. Returns a receipt, or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn lift(engine: &External<Engine>, handle: (String, String, String)) -> String {
    match named(&handle) {
        Some(handle) => told(engine.verifier.revocations().lift(&handle)),
        None => error::usage(NO_KIND),
    }
}

/// Revokes or lifts what follows from a token that tells of an event. Returns a receipt with
/// `duplicate` and `changes`, or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn apply_event(
    engine: &External<Engine>,
    verdicts: &External<Verdicts>,
    index: u32,
) -> String {
    let Some(token) = verdicts.token(index) else {
        return error::usage("apply: the token was not accepted");
    };
    match engine.verifier.revocations().apply(token) {
        Ok(applied) => {
            let mut receipt = shown(&applied.receipt);
            receipt["duplicate"] = applied.duplicate.into();
            receipt["changes"] = changed(&applied.changes);
            receipt.to_string()
        }
        Err(refused) => error::usage(&format!("revocations: {refused}")),
    }
}

/// How often something was revoked or lifted.
#[napi(catch_unwind)]
pub(crate) fn revocation_epoch(engine: &External<Engine>) -> String {
    engine.verifier.revocations().epoch().to_string()
}

/// Whether the store has everything that this process has revoked or lifted. Never waits: where it
/// has not, an event tells when it has.
#[napi(catch_unwind)]
pub(crate) fn is_flushed(engine: &External<Engine>) -> bool {
    engine.verifier.revocations().flush(Duration::ZERO)
}

/// Stops carrying to the stores that processes share. Returns, once, what they are not known to
/// have: `[{store, changes}]`.
#[napi(catch_unwind)]
pub(crate) fn close_revocations(engine: &External<Engine>) -> String {
    let left = engine.verifier.revocations().close();
    let left = left.iter();
    let left = left.map(|left| json!({ "store": left.store, "changes": left.changes }));
    left.collect::<Value>().to_string()
}

/// How the store stands that processes share; or nothing, where they share none.
#[napi(catch_unwind)]
pub(crate) fn store_state(engine: &External<Engine>) -> Option<String> {
    let state = engine.verifier.revocations().store()?;
    let shown = json!({
        "name": state.name,
        "reach": state.reach,
        "staleness": state.staleness.map(|age| age.to_duration().as_secs_f64()),
        "undelivered": state.undelivered,
        "unreadable": state.unreadable,
        "lastError": state.last_error,
    });
    Some(shown.to_string())
}

const NO_KIND: &str = "there is no such kind of handles";

fn named((kind, scope, value): &(String, String, String)) -> Option<Handle> {
    Some(Handle::new(HandleKind::from_name(kind)?, scope, value))
}

fn date(seconds: &str) -> Option<NumericDate> {
    NumericDate::from_seconds(seconds.parse().ok()?)
}

fn told(receipt: Result<RevocationReceipt, RevokeError>) -> String {
    match receipt {
        Ok(receipt) => shown(&receipt).to_string(),
        Err(refused) => error::usage(&format!("revocations: {refused}")),
    }
}

/// Each handle that an event has revoked or lifted; itself `[kind, scope, value]`.
pub(crate) fn changed(changes: &[EventChange]) -> Value {
    let changes = changes.iter().map(|made| {
        let (change, handle) = (&made.change, made.change.handle());
        json!({
            "issuerName": made.issuer_name,
            "handle": [handle.kind().name(), handle.scope(), handle.value()],
            "lifted": change.is_lifted(),
            "cutoff": change.cutoff().map(NumericDate::seconds),
            "expires": change.expires().map(NumericDate::seconds_up),
            "reason": change.reason(),
            "at": change.at().seconds(),
        })
    });
    changes.collect()
}

fn shown(receipt: &RevocationReceipt) -> Value {
    json!({
        "epoch": receipt.epoch,
        "reach": receipt.reach,
        "delivered": receipt.delivered,
        "cutoff": receipt.cutoff.map(NumericDate::seconds),
    })
}
