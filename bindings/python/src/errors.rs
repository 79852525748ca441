//! From the core's errors to Python's exceptions. Which class a code has is the one table of
//! `sealgate/_errors.py`; what an exception says is made when it is first asked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyModule, PyTuple};
use sealgate::{
    Advice, Answer, Code, Error, Grounds, NotReady, PolicyError, Requirements, Sitting,
};

/// An error, and what it was judged under.
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) grounds: Grounds,
}

impl Refused {
    /// What a sitting of a gate gave, with what it was judged under.
    pub(crate) fn by<T>(sitting: &Sitting<'_>, given: Result<T, Error>) -> Result<T, Self> {
        given.map_err(|error| Self {
            error,
            grounds: sitting.grounds(),
        })
    }
}

/// What an exception shows: an error, with the advice and the answer of what it was judged under.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct Refusal {
    error: Error,
    grounds: Option<Grounds>,
    requirements: Requirements,
    /// A claim that the core has no name for: a member of the caller's own type.
    claim: Option<String>,
    /// What the caller did wrong, where the core cannot know.
    detail: Option<String>,
    /// The policy's name of an issuer, where no gate tells it.
    issuer_name: Option<String>,
    advice: PyOnceLock<Advice>,
    answer: PyOnceLock<Answer>,
}

impl Refusal {
    fn new(error: Error) -> Self {
        Self {
            error,
            grounds: None,
            requirements: Requirements::NONE,
            claim: None,
            detail: None,
            issuer_name: None,
            advice: PyOnceLock::new(),
            answer: PyOnceLock::new(),
        }
    }

    fn advice(&self, py: Python<'_>) -> Option<&Advice> {
        let grounds = self.grounds.as_ref()?;
        let advice = || grounds.advice(&self.error, &self.requirements);
        Some(self.advice.get_or_init(py, advice))
    }

    fn answer(&self, py: Python<'_>) -> &Answer {
        self.answer.get_or_init(py, || match &self.grounds {
            Some(grounds) => grounds.answer(&self.error, &self.requirements),
            None => Answer::without_gate(&self.error),
        })
    }
}

#[pymethods]
impl Refusal {
    /// What an exception shows that a program makes itself, of a code; `None` where there is none
    /// such.
    #[staticmethod]
    fn of(code: &str) -> Option<Self> {
        Some(Self::new(Code::from_name(code)?.into()))
    }

    #[getter]
    fn code(&self) -> &'static str {
        self.error.code().as_str()
    }

    #[getter]
    fn blame(&self) -> &'static str {
        self.error.blame().as_str()
    }

    #[getter]
    fn group(&self) -> &'static str {
        self.error.code().group().as_str()
    }

    #[getter]
    fn reason(&self) -> &'static str {
        self.error.reason()
    }

    #[getter]
    fn doc(&self) -> String {
        self.error.code().doc_url()
    }

    #[getter]
    fn claim(&self) -> Option<&str> {
        self.claim.as_deref().or_else(|| self.error.claim())
    }

    #[getter]
    fn hint<'a>(&'a self, py: Python<'_>) -> Option<&'a str> {
        let detail = self.detail.as_deref();
        let advice = || Some(self.advice(py)?.hint.as_str());
        detail.or_else(advice).or_else(|| self.error.misuse())
    }

    #[getter]
    fn expected<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let advice = self.advice(py);
        PyTuple::new(py, advice.map_or(&[][..], |advice| &advice.expected))
    }

    #[getter]
    fn expectation(&self, py: Python<'_>) -> Option<String> {
        self.advice(py)?.expectation()
    }

    #[getter]
    fn gate<'a>(&'a self, py: Python<'_>) -> Option<&'a str> {
        Some(self.advice(py)?.gate.as_str())
    }

    #[getter]
    fn issuer_name<'a>(&'a self, py: Python<'_>) -> Option<&'a str> {
        let own = self.issuer_name.as_deref();
        own.or_else(|| self.advice(py)?.issuer_name.as_deref())
    }

    #[getter]
    fn http_status(&self, py: Python<'_>) -> u16 {
        self.answer(py).status
    }

    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in &self.answer(py).headers {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    #[getter]
    fn body<'a>(&'a self, py: Python<'_>) -> &'a str {
        &self.answer(py).body
    }

    fn __repr__(&self) -> String {
        format!("<Refusal {}>", self.code())
    }
}

/// The exception of a core error, as what it was judged under has it.
pub(crate) fn of_gate(py: Python<'_>, refused: Refused, requirements: &Requirements) -> PyErr {
    raise(
        py,
        Refusal {
            grounds: Some(refused.grounds),
            requirements: requirements.clone(),
            ..Refusal::new(refused.error)
        },
    )
}

/// The exception of a verified token whose claims do not fit the caller's own type.
pub(crate) fn misfit(py: Python<'_>, claim: Option<String>, grounds: Grounds) -> PyErr {
    raise(
        py,
        Refusal {
            grounds: Some(grounds),
            claim,
            ..Refusal::new(Code::ClaimType.into())
        },
    )
}

/// The exception of a core error that no gate gave.
pub(crate) fn without_gate(py: Python<'_>, error: Error) -> PyErr {
    raise(py, Refusal::new(error))
}

/// The outage of an issuer that has no keys, or a store that has no news, after all the time there
/// was.
pub(crate) fn not_ready(py: Python<'_>, error: NotReady) -> PyErr {
    raise(
        py,
        Refusal {
            detail: Some(error.to_string()),
            issuer_name: error.issuer_name.clone(),
            ..Refusal::new(error.code().into())
        },
    )
}

/// The caller's mistake: what was wrong and what is right, without values of the call.
pub(crate) fn usage(py: Python<'_>, detail: impl Into<String>) -> PyErr {
    raise(
        py,
        Refusal {
            detail: Some(detail.into()),
            ..Refusal::new(Code::Usage.into())
        },
    )
}

fn raise(py: Python<'_>, refusal: Refusal) -> PyErr {
    let code = refusal.error.code();
    // Without its `__init__`, which would do no more: Python code that runs within a call from Rust
    // must not be where an interpreter that shuts down ends the thread.
    let raised = class(py, code).and_then(|class| {
        let error = class.call_method1(intern!(py, "__new__"), (&class,))?;
        error.setattr(intern!(py, "_facts"), refusal)?;
        Ok(error)
    });
    raised.map_or_else(|error| error, PyErr::from_value)
}

/// The exception of a policy document that does not load.
pub(crate) fn policy(py: Python<'_>, error: &PolicyError) -> PyErr {
    let problems = error.problems.iter().map(|problem| {
        let (path, text) = (problem.path.as_str(), problem.text.as_str());
        (path, problem.line, problem.column, text)
    });
    let problems: Vec<_> = problems.collect();
    let raised = module(py).and_then(|module| {
        let class = module.getattr("PolicyError")?;
        class.call1((error.to_string(), error.document.as_deref(), problems))
    });
    raised.map_or_else(|error| error, PyErr::from_value)
}

fn module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    PyModule::import(py, "sealgate._errors")
}

/// The class of a code, looked up once for all codes.
fn class(py: Python<'_>, code: Code) -> PyResult<Bound<'_, PyAny>> {
    static CLASSES: PyOnceLock<Vec<(Code, Py<PyAny>)>> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || -> PyResult<_> {
        let table = module(py)?.getattr("CLASSES")?;
        let class_of = |code: &Code| Ok((*code, table.get_item(code.as_str())?.unbind()));
        Code::ALL.iter().map(class_of).collect()
    })?;
    let found = classes.iter().find(|(other, _)| *other == code);
    let (_, class) = found.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(code.as_str()))?;
    Ok(class.bind(py).clone())
}

/// Runs the core. A panic of ours is an `internal` error of this call, and no other's.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(Code::Internal.into()))
}

/// Every code of the core: `(code, blame, group, reason)`, in the order of its table.
#[pyfunction]
pub(crate) fn codes(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = Code::ALL.iter().map(|code| {
        let group = code.group().as_str();
        (code.as_str(), code.blame().as_str(), group, code.reason())
    });
    PyList::new(py, rows)
}

/// Panics where a fault of ours would: for the test that it becomes an exception.
#[cfg(feature = "provoke-panic")]
#[pyfunction(name = "_provoke_panic")]
#[expect(clippy::panic, reason = "it is what the function is for")]
pub(crate) fn provoke_panic(py: Python<'_>) -> PyResult<()> {
    guard(|| py.detach(|| panic!("provoked"))).map_err(|error| without_gate(py, error))
}
