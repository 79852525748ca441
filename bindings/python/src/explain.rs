//! [`Trail`]: what each rule saw of one token; and the stages of a verdict for machines.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyModule, PyTuple};
use sealgate::{Error, Grounds, Requirements, Traced};

use crate::errors::{Refused, of_gate};
use crate::frozen;
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
        (explanation, grounds): (sealgate::Explanation, Grounds),
        door: Arc<Door>,
        requirements: Requirements,
    ) -> PyResult<Self> {
        let class = PyModule::import(py, "sealgate._types")?.getattr("Step")?;
        let steps = explanation.steps.iter().map(|step| {
            let outcome = step.outcome.as_str();
            class.call1((step.stage.as_str(), step.stage.rules(), outcome, &step.note))
        });
        let steps = PyTuple::new(py, steps.collect::<PyResult<Vec<_>>>()?)?;
        let outcome = explanation.outcome;
        let outcome = outcome.map_err(|error| Refused { error, grounds });
        let verdict = Verdict::new(py, outcome, door, requirements, None)?;
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

/// The stages of a verdict as JSON; the error of a call that was wrong.
pub(crate) fn traced(traced: Traced) -> Result<String, Error> {
    let json = traced.to_json();
    match traced.verdict.into_result() {
        Err(error) if error.is_misuse() => Err(error),
        _ => Ok(json),
    }
}

/// The same as plain values.
pub(crate) fn load<'py>(
    py: Python<'py>,
    traced: Result<String, Refused>,
    needs: &Requirements,
) -> PyResult<Bound<'py, PyAny>> {
    let json = traced.map_err(|refused| of_gate(py, refused, needs))?;
    frozen::load(py, &json)
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
