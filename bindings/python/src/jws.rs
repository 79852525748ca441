//! Signed payloads that are not claims, and looking without trust.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sealgate::crypto::aws_lc;
use sealgate::jwa::{Algorithm, AlgorithmSet};
use sealgate::jwk::{Jwk, JwkSet};
use sealgate::{Code, StatusList};

use crate::errors::{guard, usage, without_gate};
use crate::{frozen, input};

/// A JWS whose signature was verified. Its payload is any bytes: no claim of it was checked.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct Jws {
    jws: sealgate::Jws,
    header: PyOnceLock<Py<PyAny>>,
}

#[pymethods]
impl Jws {
    /// The payload as signed.
    #[getter]
    fn payload(&self) -> &[u8] {
        self.jws.payload()
    }

    /// The protected header, read-only.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        self.header
            .get_or_try_init(py, || Ok(frozen::parse(py, self.jws.header())?.unbind()))
    }

    fn __repr__(&self) -> String {
        format!("<Jws of {} bytes>", self.jws.payload().len())
    }
}

/// Verifies the signature of a compact JWS whose payload is not claims.
///
/// `keys` is a JWK Set or one JWK (a mapping, or its JSON text), `algorithms` the names that may
/// sign. Issuer, audience, time and kind are not checked: for tokens use a gate. Raises
/// `TokenError` or `UsageError`.
#[pyfunction]
#[pyo3(signature = (jws, keys, *, algorithms))]
pub(crate) fn verify_jws(
    py: Python<'_>,
    jws: &Bound<'_, PyAny>,
    keys: &Bound<'_, PyAny>,
    algorithms: &Bound<'_, PyAny>,
) -> PyResult<Jws> {
    let bytes = input::token(jws, "jws")?;
    let text = input::jwks_text(keys, "keys")?;
    let set = JwkSet::parse(&text).or_else(|error| match Jwk::parse(&text) {
        Ok(key) => Ok(std::iter::once(key).collect()),
        Err(_) => Err(error),
    });
    let set = set.map_err(|error| usage(py, format!("keys: {error}")))?;
    let names = input::texts(algorithms, "algorithms")?;
    let algorithms = names.iter().map(|name| {
        let known = Algorithm::from_name(name);
        known.ok_or_else(|| usage(py, format!("algorithms: {name:?} is no algorithm")))
    });
    let algorithms = algorithms.collect::<PyResult<AlgorithmSet>>()?;
    let verified =
        guard(|| py.detach(|| sealgate::verify_jws(&bytes, &set, algorithms, &aws_lc::provider())));
    match verified {
        Ok(jws) => Ok(Jws {
            jws,
            header: PyOnceLock::new(),
        }),
        Err(error) => Err(without_gate(py, error)),
    }
}

/// What stands in a token that nobody has verified. Anybody can write it: decide nothing by it.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct Unverified {
    token: sealgate::UnverifiedToken,
}

#[pymethods]
impl Unverified {
    /// The protected header, read-only.
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        frozen::parse(py, self.token.header())
    }

    /// The claims, read-only.
    #[getter]
    fn claims<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        frozen::parse(py, self.token.claims())
    }

    fn __repr__(&self) -> &'static str {
        "<Unverified>"
    }
}

/// Decodes a token without verifying anything of it. Raises `MalformedTokenError`.
#[pyfunction]
pub(crate) fn inspect(py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<Unverified> {
    let bytes = input::token(token, "token")?;
    match guard(|| sealgate::inspect(&bytes)) {
        Ok(token) => Ok(Unverified { token }),
        Err(error) => Err(without_gate(py, error)),
    }
}

/// The status of one entry of a status list, for conformance.
#[pyfunction]
pub(crate) fn read_status(py: Python<'_>, bits: u64, lst: &str, index: u64) -> PyResult<u8> {
    let list = StatusList::decode(bits, lst).map_err(|error| without_gate(py, error.into()))?;
    let status = list.get(index);
    status.ok_or_else(|| without_gate(py, Code::ClaimType.into()))
}
