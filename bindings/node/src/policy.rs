//! Policy documents: from a file, a text or flat members to a handle.

use napi::bindgen_prelude::{Either, External};
use napi_derive::napi;
use sealgate::crypto::aws_lc;
use sealgate::{Format, LoadOptions, Policy, Verifier, Warning};
use serde_json::{Value, json};

use crate::error;

/// Loads a policy. `kind` says what `source` is: `path`, `toml`, `json`, or `members` for the flat
/// members of one issuer and one gate. Returns the handle, or the problems: those that the
/// document shows, and those that only a provider of cryptography can find.
#[napi(catch_unwind)]
pub(crate) fn load_policy(
    kind: String,
    source: String,
    allow_danger: bool,
    allow_test_keys: bool,
    push_all_keys: bool,
) -> Either<External<Policy>, String> {
    let options = LoadOptions::new()
        .allow_danger(allow_danger)
        .allow_test_keys(allow_test_keys)
        .push_all_keys(push_all_keys);
    let policy = match kind.as_str() {
        "path" => Policy::load_for(source, &options, &aws_lc::provider()),
        "toml" => Policy::parse_for(source, Format::Toml, &options, &aws_lc::provider()),
        "members" => Policy::single(&source, &options),
        _ => Policy::parse_for(source, Format::Json, &options, &aws_lc::provider()),
    };
    let usable = policy.and_then(|policy| {
        Verifier::new(policy.clone(), aws_lc::provider())?;
        Ok(policy)
    });
    match usable {
        Ok(policy) => Either::A(External::new(policy)),
        Err(refused) => Either::B(error::policy(&refused)),
    }
}

/// A loaded policy for a program that permits as much: see the core's `Policy::under`.
#[napi(catch_unwind)]
pub(crate) fn policy_under(
    policy: &External<Policy>,
    allow_danger: bool,
    allow_test_keys: bool,
    push_all_keys: bool,
) -> Either<External<Policy>, String> {
    let options = LoadOptions::new()
        .allow_danger(allow_danger)
        .allow_test_keys(allow_test_keys)
        .push_all_keys(push_all_keys);
    match policy.under(&options) {
        Ok(policy) => Either::A(External::new(policy)),
        Err(refused) => Either::B(error::policy(&refused)),
    }
}

/// What a policy says: `{digest, warnings, document, effective}`.
#[napi(catch_unwind)]
pub(crate) fn describe_policy(policy: &External<Policy>) -> String {
    let warning = |warning: &Warning| {
        json!({
            "path": warning.path,
            "line": warning.line,
            "column": warning.column,
            "text": warning.text,
        })
    };
    let warnings: Vec<Value> = policy.warnings().iter().map(warning).collect();
    let document: Value = serde_json::from_str(&policy.to_json()).unwrap_or_default();
    json!({
        "digest": policy.digest(&aws_lc::provider()),
        "warnings": warnings,
        "document": document,
        "effective": policy.effective(),
    })
    .to_string()
}
