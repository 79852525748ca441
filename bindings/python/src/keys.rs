//! [`RawKeys`]: publishing and inspecting issuers' keys.

use pyo3::prelude::*;
use sealgate::jwk::{JwkSet, SkippedKey};
use sealgate::{KeyState, PublishError};

use crate::errors::usage;
use crate::input;

/// The keys of a verifier's issuers, for `sealgate/_keys.py`, which says what each call does.
///
/// What is told is told in tuples: to make objects of them is Python's work, and Python code that
/// runs within a call from Rust cannot be ended by an interpreter that shuts down.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct RawKeys {
    verifier: sealgate::Verifier,
}

/// `(index, reason)` of a key that cannot be used.
pub(crate) type Skipped = (usize, String);
/// `(kid, alg, kty, thumbprint)` of a key.
type Described = (Option<String>, &'static str, &'static str, Option<String>);
/// `(source, generation, keys, fetched_at, next_refresh, last_error)` of an issuer's keys.
type Shown = (
    &'static str,
    u64,
    Vec<Described>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

impl RawKeys {
    pub(crate) const fn new(verifier: sealgate::Verifier) -> Self {
        Self { verifier }
    }
}

#[pymethods]
impl RawKeys {
    /// `(generation, changed, reach, skipped)`. `jwks` is JSON text.
    fn publish<'py>(
        &self,
        py: Python<'py>,
        issuer_name: &Bound<'py, PyAny>,
        jwks: &Bound<'py, PyAny>,
    ) -> PyResult<(u64, bool, &'static str, Vec<Skipped>)> {
        let issuer_name = input::text(issuer_name, "issuer_name")?;
        let text = input::jwks_text(jwks, "jwks")?;
        let set = JwkSet::parse(&text).map_err(|error| usage(py, format!("jwks: {error}")))?;
        // The interpreter is kept: a fork in the middle would leave the child a lock nobody opens.
        let receipt = self.verifier.keys().publish(issuer_name, &set);
        let receipt = receipt.map_err(|error| usage(py, refusal(issuer_name, &error)))?;
        let others = receipt.skipped.iter().map(skipped).collect();
        Ok((receipt.generation, receipt.changed, receipt.reach, others))
    }

    fn state<'py>(&self, py: Python<'py>, issuer_name: &Bound<'py, PyAny>) -> PyResult<Shown> {
        let issuer_name = input::text(issuer_name, "issuer_name")?;
        shown(py, issuer_name, self.verifier.keys().state(issuer_name))
    }

    fn refresh<'py>(&self, py: Python<'py>, issuer_name: &Bound<'py, PyAny>) -> PyResult<Shown> {
        let issuer_name = input::text(issuer_name, "issuer_name")?;
        shown(py, issuer_name, self.verifier.keys().refresh(issuer_name))
    }
}

fn shown(py: Python<'_>, issuer_name: &str, state: Option<KeyState>) -> PyResult<Shown> {
    let missing = || usage(py, refusal(issuer_name, &PublishError::NoSuchIssuer));
    let state = state.ok_or_else(missing)?;
    let keys = state.keys.into_iter();
    Ok((
        state.source,
        state.generation,
        keys.map(|key| (key.kid, key.alg, key.kty, key.thumbprint))
            .collect(),
        state.fetched_at.map(|date| date.seconds()),
        state.next_refresh.map(|date| date.seconds()),
        state.last_error,
    ))
}

/// A key of a set that cannot be used, and why.
pub(crate) fn skipped(key: &SkippedKey) -> Skipped {
    (key.index, key.reason.to_string())
}

fn refusal(issuer_name: &str, error: &PublishError) -> String {
    let mut text = format!("issuer {issuer_name:?}: {error}");
    if let PublishError::NoUsableKey(keys) = error {
        for key in keys {
            text += &format!("; keys[{}]: {}", key.index, key.reason);
        }
    }
    text
}
