//! Revoking while verifications run.

use napi::bindgen_prelude::External;
use napi_derive::napi;
use sealgate::{Handle, HandleKind, NumericDate, Revocation, RevocationReceipt, RevokeError};
use serde_json::json;

use crate::error;
use crate::verifier::Engine;

/// Each kind of handles with the names of its two parts, `[kind, whose, its name there]`.
#[napi(catch_unwind)]
pub(crate) fn handle_kinds() -> String {
    let kinds = HandleKind::ALL.map(|kind| (kind.name(), kind.parts().0, kind.parts().1));
    json!(kinds).to_string()
}

/// Revokes the handle of these parts. `cutoff` is `now` or seconds since 1970, `expires` the latter.
/// Returns a receipt, or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn revoke(
    engine: &External<Engine>,
    kind: String,
    parts: (String, String),
    cutoff: Option<String>,
    expires: Option<String>,
) -> String {
    let named = Handle::new_named(&kind, &parts);
    let revocation = match cutoff.as_deref() {
        None => Some(Revocation::all()),
        Some("now") => Some(Revocation::so_far()),
        Some(cutoff) => date(cutoff).map(Revocation::before),
    };
    let Some(revocation) = revocation else {
        return error::usage("revoke: cutoff is \"now\" or whole seconds since 1970, up to the year 9999");
    };
    let revocation = match expires.as_deref().map(date) {
        None => revocation,
        Some(Some(expires)) => revocation.until(expires),
        Some(None) => {
            return error::usage("revoke: expires is whole seconds since 1970, up to the year 9999");
        }
    };
    told(engine.verifier.revocations().revoke(&named, revocation))
}

/// Takes back whatever was revoked of the handle.
#[napi(catch_unwind)]
pub(crate) fn lift(engine: &External<Engine>, kind: String, parts: (String, String)) -> String {
    told(engine.verifier.revocations().lift(&Handle::new_named(&kind, &parts)))
}

/// How often something was revoked or lifted.
#[napi(catch_unwind)]
pub(crate) fn revocation_epoch(engine: &External<Engine>) -> f64 {
    number(engine.verifier.revocations().epoch())
}
