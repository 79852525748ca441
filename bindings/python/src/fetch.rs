//! A JWK Set by its URL, for `compat.pyjwt`: one fetch, under the limits that verifiers have.

use pyo3::exceptions::{PyConnectionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sealgate::remote::{Client, FetchError};

/// The text of the JWK Set at `url`, which has been read strictly. It blocks, with the interpreter
/// released, for ten seconds at most. `hosts` may be at addresses that are not public; plain http
/// reaches only this machine.
///
/// Raises `ConnectionError` where it could not be had, and `ValueError` where it may not be fetched
/// or is no JWK Set.
#[pyfunction]
pub(crate) fn fetch_jwks<'py>(
    py: Python<'py>,
    url: &str,
    hosts: Vec<String>,
) -> PyResult<Bound<'py, PyBytes>> {
    let client = Client::new().allow_loopback_http(true);
    let client = hosts
        .iter()
        .fold(client, |client, host| client.allow_host(host));
    match py.detach(|| client.key_set(url)) {
        Ok(set) => Ok(PyBytes::new(py, &set.text)),
        Err(
            error @ (FetchError::BadUrl(_)
            | FetchError::NotHttps(_)
            | FetchError::HostNotAllowed(_)
            | FetchError::PrivateAddress { .. }
            | FetchError::TooLarge
            | FetchError::KeySet(_)),
        ) => Err(PyValueError::new_err(error.to_string())),
        Err(error) => Err(PyConnectionError::new_err(error.to_string())),
    }
}
