//! The calls that wait, and those that may be awaited: the arguments of these, for
//! `sealgate/_async.py`, which does the waiting.

use std::time::Duration;

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;
use sealgate::{Error, Gate, Revocations, Verifier};

use crate::calls::AtDoor;
use crate::request::Given;
use crate::{clock, input};

/// How long a call waits before it looks whether somebody has pressed Ctrl-C.
const SLICE: Duration = Duration::from_millis(100);

/// Waits until `wait` does not fail any more, or `timeout` is over, and says how it ended. The
/// interpreter is released meanwhile.
pub(crate) fn in_slices<E: Send>(
    py: Python<'_>,
    timeout: Duration,
    wait: impl Fn(Duration) -> Result<(), E> + Sync,
) -> PyResult<Result<(), E>> {
    let mut left = timeout;
    loop {
        let slice = left.min(SLICE);
        let waited = py.detach(|| wait(slice));
        if waited.is_ok() {
            return Ok(waited);
        }
        py.check_signals()?;
        left = left.saturating_sub(slice);
        if left.is_zero() {
            return Ok(waited);
        }
    }
}

/// A function of `sealgate/_async.py`, looked up once.
pub(crate) struct Function {
    name: &'static str,
    found: PyOnceLock<Py<PyAny>>,
}

pub(crate) static VERIFY: Function = Function::named("verify");
pub(crate) static JUDGE: Function = Function::named("judge");
pub(crate) static VERIFY_REQUEST: Function = Function::named("verify_request");
pub(crate) static JUDGE_REQUEST: Function = Function::named("judge_request");
static RUNS: Function = Function::named("runs");
static READY: Function = Function::named("ready");
static FLUSHED: Function = Function::named("flushed");

impl Function {
    const fn named(name: &'static str) -> Self {
        Self {
            name,
            found: PyOnceLock::new(),
        }
    }

    fn of<'py>(&'static self, py: Python<'py>) -> PyResult<&'py Bound<'py, PyAny>> {
        let found = self.found.get_or_try_init(py, || -> PyResult<_> {
            let module = PyModule::import(py, "sealgate._async")?;
            Ok(module.getattr(self.name)?.unbind())
        })?;
        Ok(found.bind(py))
    }
}

/// The coroutine of `verify_async` and `judge_async`.
pub(crate) fn token<'py, C: AtDoor + PyClass<Frozen = True> + Sync>(
    door: &Bound<'py, C>,
    function: &'static Function,
    token: Option<&Bound<'py, PyAny>>,
    given: &Given<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = door.py();
    door.get().at_door(py)?;
    let token = input::given(py, token)?;
    let needs = given.needs().kept(py)?;
    needs.set_item("into", given.model())?;
    let wait = seconds(given.wait(), Gate::WAIT)?;
    let token = input::kept(token, "token", input::TOKEN)?;
    let waiters = door.get().waiters();
    function.of(py)?.call1((door, waiters, token, needs, wait))
}

/// The coroutine of `verify_request_async` and `judge_request_async`.
pub(crate) fn request<'py, C: AtDoor + PyClass<Frozen = True> + Sync>(
    door: &Bound<'py, C>,
    function: &'static Function,
    given: &Given<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = door.py();
    door.get().at_door(py)?;
    let waiters = door.get().waiters();
    let arguments = given.arguments(py)?;
    arguments.set_item("into", given.model())?;
    let wait = seconds(given.wait(), Gate::WAIT)?;
    function.of(py)?.call1((door, waiters, arguments, wait))
}

/// The coroutine of `wait_ready_async`.
pub(crate) fn ready<'py>(
    verifier: &Bound<'py, PyAny>,
    waiters: &Py<PyAny>,
    timeout: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let timeout = seconds(timeout, Verifier::READY)?;
    READY.of(verifier.py())?.call1((verifier, waiters, timeout))
}

/// The coroutine of `revocations.flush_async`.
pub(crate) fn flushed<'py>(
    revocations: &Bound<'py, PyAny>,
    waiters: &Py<PyAny>,
    timeout: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let timeout = seconds(timeout, Revocations::FLUSH)?;
    FLUSHED
        .of(revocations.py())?
        .call1((revocations, waiters, timeout))
}

/// Refuses a call that would not be answered `at_once` where its thread runs an event loop, which it
/// would stop.
pub(crate) fn stops_no_loop(py: Python<'_>, at_once: Result<(), Error>) -> Result<(), Error> {
    at_once.or_else(|waits| {
        // Where that cannot be told nothing is known against waiting.
        let runs = RUNS.of(py).and_then(|runs| runs.call0()?.extract());
        if runs.unwrap_or(false) {
            Err(waits)
        } else {
            Ok(())
        }
    })
}

fn seconds(duration: Option<&Bound<'_, PyAny>>, default: Duration) -> PyResult<f64> {
    let given = duration.map(|duration| Ok::<_, PyErr>(clock::span(duration)?.to_duration()));
    Ok(given.unwrap_or(Ok(default))?.as_secs_f64())
}
