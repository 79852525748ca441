//! The calls that may be awaited: their arguments, for `sealgate/_async.py`, which does the waiting.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyModule, PyTuple};
use sealgate::Span;

use crate::{clock, input};

/// How long `verify_async` and `judge_async` wait for a refresh unless they are told.
const WAIT: Span = Span::from_seconds(2);

/// The functions of `sealgate/_async.py`.
static VERIFY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static JUDGE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static READY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The arguments of one call.
pub(crate) struct Ask<'a, 'py> {
    /// The gate, or the verifier that has only one.
    pub(crate) door: &'a Bound<'py, PyAny>,
    /// Those who wait for its keys.
    pub(crate) waiters: &'a Py<PyAny>,
    pub(crate) token: &'a Bound<'py, PyAny>,
    pub(crate) scopes: Option<&'a Bound<'py, PyAny>>,
    pub(crate) into: Option<&'a Bound<'py, PyAny>>,
    pub(crate) wait: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Ask<'_, 'py> {
    /// The coroutine of `verify_async`.
    pub(crate) fn verify(&self) -> PyResult<Bound<'py, PyAny>> {
        self.begin(&VERIFY, "verify")
    }

    /// The coroutine of `judge_async`.
    pub(crate) fn judge(&self) -> PyResult<Bound<'py, PyAny>> {
        self.begin(&JUDGE, "judge")
    }

    fn begin(
        &self,
        function: &'static PyOnceLock<Py<PyAny>>,
        name: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = self.door.py();
        // Taken once: the token is judged again, and an iterator would have nothing left to require.
        let scopes = match self.scopes {
            Some(scopes) => PyTuple::new(py, input::texts(scopes, "required_scopes")?)?,
            None => PyTuple::empty(py),
        };
        let wait = seconds(self.wait, WAIT)?;
        let arguments = (self.door, self.waiters, self.token, scopes, self.into, wait);
        of_module(py, function, name)?.call1(arguments)
    }
}

/// The coroutine of `wait_ready_async`.
pub(crate) fn ready<'py>(
    verifier: &Bound<'py, PyAny>,
    waiters: &Py<PyAny>,
    timeout: Option<&Bound<'py, PyAny>>,
    default: Span,
) -> PyResult<Bound<'py, PyAny>> {
    let timeout = seconds(timeout, default)?;
    of_module(verifier.py(), &READY, "ready")?.call1((verifier, waiters, timeout))
}

fn of_module<'py>(
    py: Python<'py>,
    function: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let found = function.get_or_try_init(py, || -> PyResult<_> {
        let module = PyModule::import(py, "sealgate._async")?;
        Ok(module.getattr(name)?.unbind())
    })?;
    Ok(found.bind(py))
}

fn seconds(duration: Option<&Bound<'_, PyAny>>, default: Span) -> PyResult<f64> {
    let span = duration.map_or(Ok(default), clock::span)?;
    Ok(span.to_duration().as_secs_f64())
}
