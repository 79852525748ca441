//! [`Keys`]: publishing and inspecting issuers' keys.

use pyo3::prelude::*;
use pyo3::types::PyModule;
use sealgate::jwk::{JwkSet, SkippedKey};
use sealgate::{KeyState, PublishError};

use crate::errors::usage;
use crate::input;

/// The keys of a verifier's issuers: `verifier.keys`.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct Keys {
    verifier: sealgate::Verifier,
}

impl Keys {
    pub(crate) const fn new(verifier: sealgate::Verifier) -> Self {
        Self { verifier }
    }
}

#[pymethods]
impl Keys {
    /// Replaces the keys of the issuer that the policy calls `issuer_name`, whose keys come by
    /// `jwks_push`. `jwks` is a JWK Set: a mapping, or its JSON text.
    ///
    /// When it returns, no verification that starts afterwards passes with a withdrawn key, cached
    /// or not. Returns `Receipt(generation, changed, reach, skipped)`; raises `UsageError`, and the
    /// keys stay as they were.
    fn publish<'py>(
        &self,
        py: Python<'py>,
        issuer_name: &Bound<'py, PyAny>,
        jwks: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let issuer_name = input::text(issuer_name, "issuer_name")?;
        let text = input::jwks_text(jwks, "jwks")?;
        let set = JwkSet::parse(&text).map_err(|error| usage(py, format!("jwks: {error}")))?;
        // The interpreter is kept: a fork in the middle would leave the child a lock nobody opens.
        let receipt = self.verifier.keys().publish(issuer_name, &set);
        let receipt = receipt.map_err(|error| usage(py, refusal(&error)))?;
        let module = PyModule::import(py, "sealgate._types")?;
        let skipped = receipt.skipped.iter().map(|key| skipped(&module, key));
        let skipped = skipped.collect::<PyResult<Vec<_>>>()?;
        let receipt = (receipt.generation, receipt.changed, receipt.reach, skipped);
        module.getattr("receipt")?.call1(receipt)
    }

    /// The keys of the issuer that the policy calls `issuer_name`, as they are at this moment.
    fn state<'py>(
        &self,
        py: Python<'py>,
        issuer_name: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let issuer_name = input::text(issuer_name, "issuer_name")?;
        shown(py, self.verifier.keys().state(issuer_name))
    }

    /// Asks for an issuer's keys to be fetched now, cooldown or not, and returns at once how things
    /// stand. Of an issuer whose keys are not fetched it only returns that.
    fn refresh<'py>(
        &self,
        py: Python<'py>,
        issuer_name: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let issuer_name = input::text(issuer_name, "issuer_name")?;
        shown(py, self.verifier.keys().refresh(issuer_name))
    }

    fn __repr__(&self) -> &'static str {
        "<Keys>"
    }
}

fn shown(py: Python<'_>, state: Option<KeyState>) -> PyResult<Bound<'_, PyAny>> {
    let state = state.ok_or_else(|| usage(py, PublishError::NoSuchIssuer.to_string()))?;
    let keys = state.keys.iter();
    let keys: Vec<_> = keys
        .map(|key| (key.kid.as_deref(), key.alg, key.thumbprint.as_deref()))
        .collect();
    let module = PyModule::import(py, "sealgate._types")?;
    let fetched_at = state.fetched_at.map(|date| date.seconds());
    let next_refresh = state.next_refresh.map(|date| date.seconds());
    let fetching = (fetched_at, next_refresh, state.last_error);
    module
        .getattr("key_state")?
        .call1((state.source, state.generation, keys, fetching))
}

/// A key of a set that cannot be used, and why.
pub(crate) fn skipped<'py>(
    module: &Bound<'py, PyModule>,
    key: &SkippedKey,
) -> PyResult<Bound<'py, PyAny>> {
    module
        .getattr("Skipped")?
        .call1((key.index, key.reason.to_string()))
}

fn refusal(error: &PublishError) -> String {
    match error {
        PublishError::NoUsableKey(keys) => {
            let reasons = keys
                .iter()
                .map(|key| format!("keys[{}]: {}", key.index, key.reason));
            format!("{error}: {}", reasons.collect::<Vec<_>>().join("; "))
        }
        _ => error.to_string(),
    }
}
