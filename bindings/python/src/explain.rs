//! [`Trail`]: what each rule saw of one token.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyModule, PyTuple};
use sealgate::Requirements;

use crate::gate::Door;
use crate::verdict::Verdict;

/// Every rule in order, the one that refused and why, and what to do. `str(trail)` is for people.
///
/// It shows claim values: keep it from logs and from callers.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct Trail {
    steps: Py<PyTuple>,
    verdict: Py<Verdict>,
    expected: Vec<String>,
    hint: Option<String>,
}

impl Trail {
    pub(crate) fn new(
        py: Python<'_>,
        explanation: sealgate::Explanation,
        door: Arc<Door>,
        requirements: Requirements,
    ) -> PyResult<Self> {
        let class = PyModule::import(py, "sealgate._types")?.getattr("Step")?;
        let steps = explanation.steps.iter().map(|step| {
            let outcome = step.outcome.as_str();
            class.call1((step.stage.as_str(), step.stage.rules(), outcome, &step.note))
        });
        let steps = PyTuple::new(py, steps.collect::<PyResult<Vec<_>>>()?)?;
        let verdict = Verdict::new(py, explanation.outcome, door, requirements, None)?;
        let advice = explanation.advice;
        let advice = advice.map(|advice| (advice.expected, Some(advice.hint)));
        let (expected, hint) = advice.unwrap_or_default();
        Ok(Self {
            steps: steps.unbind(),
            verdict: Py::new(py, verdict)?,
            expected,
            hint,
        })
    }
}

#[pymethods]
impl Trail {
    /// `Step(stage, rules, outcome, note)` in the order in which they are judged.
    #[getter]
    fn steps(&self) -> &Py<PyTuple> {
        &self.steps
    }

    /// The verdict.
    #[getter]
    fn verdict(&self) -> &Py<Verdict> {
        &self.verdict
    }

    /// Whether the token was accepted.
    #[getter]
    fn ok(&self) -> bool {
        self.verdict.get().is_ok()
    }

    /// `"accepted"`, or the code of the refusal.
    #[getter]
    fn code(&self) -> &'static str {
        self.verdict.get().code_str()
    }

    /// Our side of a mismatch, as an error has it.
    #[getter]
    fn expected<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.expected)
    }

    /// What to do, unless the token was accepted.
    #[getter]
    fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn __str__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let module = PyModule::import(slf.py(), "sealgate._types")?;
        module.getattr("show_trail")?.call1((slf,))
    }

    fn __repr__(&self) -> String {
        format!("<Trail {}>", self.code())
    }
}
