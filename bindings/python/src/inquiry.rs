//! [`Inquiry`]: a request whose proof a server is asked about; `sealgate/_async.py` waits for the answer.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::prelude::*;
use sealgate::{Error, Grounds, Requirements, VerifiedToken};

use crate::errors::Refused;
use crate::gate::Door;
use crate::verdict::Verdict;

#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct Inquiry {
    /// Until it is asked.
    begun: Mutex<Option<Box<sealgate::Inquiry>>>,
    told: Arc<OnceLock<Result<VerifiedToken, Error>>>,
    door: Arc<Door>,
    grounds: Grounds,
    requirements: Requirements,
    into: Option<Py<PyAny>>,
}

impl Inquiry {
    pub(crate) fn new(
        begun: Box<sealgate::Inquiry>,
        door: Arc<Door>,
        grounds: Grounds,
        requirements: Requirements,
        into: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            begun: Mutex::new(Some(begun)),
            told: Arc::new(OnceLock::new()),
            door,
            grounds,
            requirements,
            into,
        }
    }
}

#[pymethods]
impl Inquiry {
    /// Asks the server, once. When it has answered, `put` is called with `wake` on a thread of the
    /// core's, where no Python code of ours may run (see `events.rs`): it is the `put` of a queue.
    fn ask(&self, put: Py<PyAny>, wake: Py<PyAny>) {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(begun) = { begun }.take() else {
            return;
        };
        let told = Arc::clone(&self.told);
        begun.ask(move |verdict| {
            let _ = told.set(verdict);
            // Nobody is left to be woken once the interpreter shuts down.
            let _ = Python::try_attach(|py| put.call1(py, (wake,)));
        });
    }

    /// What has come of it; `None` while the server is asked.
    fn verdict(&self, py: Python<'_>) -> PyResult<Option<Verdict>> {
        let Some(told) = self.told.get() else {
            return Ok(None);
        };
        let told = told.clone().map_err(|error| Refused {
            error,
            grounds: self.grounds.clone(),
        });
        let into = self.into.as_ref().map(|into| into.bind(py));
        let (door, needs) = (Arc::clone(&self.door), self.requirements.clone());
        Verdict::new(py, told, door, needs, into).map(Some)
    }
}
