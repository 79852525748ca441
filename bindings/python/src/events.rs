//! What happens in the background, told to Python: whoever waits is woken, and the log is written.
//!
//! It is told on threads of the core. No Python code of ours runs there: an interpreter that shuts
//! down ends such a thread where it stands, frames of Rust and all. What runs is the interpreter's
//! own C, which starts a thread of Python's; and finalizers of the application, where its
//! allocations set off a garbage collection (CPython before 3.12, which collects in the middle of
//! an allocation).

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};
use sealgate::{Event, Observer};

/// Hears of a verifier's events and passes them on. It does not keep the verifier alive.
struct Herald {
    /// Takes what is to be logged, in order.
    append: Py<PyAny>,
    /// `_thread.start_new_thread`.
    start: Py<PyAny>,
    /// Wakes those who wait, then writes the log.
    tell: Py<PyAny>,
    waiters: Py<PyAny>,
}

/// Passes on what happens to this verifier's keys; returns those who wait for it.
pub(crate) fn listen(py: Python<'_>, verifier: &sealgate::Verifier) -> PyResult<Py<PyAny>> {
    let waiters = PyModule::import(py, "sealgate._async")?;
    let waiters = waiters.getattr("Waiters")?.call0()?.unbind();
    let log = PyModule::import(py, "sealgate._log")?;
    let threads = PyModule::import(py, "_thread")?;
    verifier.observe(Arc::new(Herald {
        append: log.getattr("pending")?.getattr("append")?.unbind(),
        start: threads.getattr("start_new_thread")?.unbind(),
        tell: log.getattr("tell")?.unbind(),
        waiters: waiters.clone_ref(py),
    }));
    Ok(waiters)
}

impl Observer for Herald {
    fn observe(&self, event: &Event<'_>) {
        // Nobody is left to be told once the interpreter shuts down, and it then starts no thread.
        let _ = Python::try_attach(|py| self.pass_on(py, event));
    }
}

impl Herald {
    fn pass_on(&self, py: Python<'_>, event: &Event<'_>) -> PyResult<()> {
        let fields = PyDict::new(py);
        fields.set_item("event", event.name())?;
        if let Some(issuer_name) = event.issuer_name() {
            fields.set_item("issuer_name", issuer_name)?;
        }
        if let Some(store) = event.store() {
            fields.set_item("store", store)?;
        }
        match event {
            Event::KeysRefreshed {
                keys,
                generation,
                changed,
                ..
            } => {
                fields.set_item("keys", keys)?;
                fields.set_item("generation", generation)?;
                fields.set_item("changed", changed)?;
            }
            Event::KeysRefreshFailed { reason, .. }
            | Event::IntrospectionFailed { reason, .. }
            | Event::StatusListFailed { reason, .. }
            | Event::RevocationsInterrupted { reason, .. } => fields.set_item("reason", reason)?,
            Event::KeyWithdrawn {
                kid, thumbprint, ..
            } => {
                fields.set_item("kid", kid)?;
                fields.set_item("thumbprint", thumbprint)?;
            }
            Event::RevocationsLoaded { entries, .. } => fields.set_item("entries", entries)?,
            Event::RevocationsUndelivered { changes, .. } => fields.set_item("changes", changes)?,
            _ => {}
        }
        self.append.call1(py, (fields,))?;
        self.start.call1(py, (&self.tell, (&self.waiters,)))?;
        Ok(())
    }
}
