//! [`Verdict`]: accepted, refused or undecided, as a value.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use sealgate::{Error, Grounds, Requirements};

use crate::errors::{Refused, misfit, of_gate};
use crate::gate::Door;
use crate::token::{Filled, VerifiedToken};

/// The answer of `judge`: `if verdict:` is `if verdict.ok:`. A refusal and an outage are both not
/// ok; `verdict.error` tells them apart.
#[pyclass(frozen, module = "sealgate", generic)]
pub(crate) struct Verdict {
    outcome: Outcome,
}

enum Outcome {
    Accepted(Py<VerifiedToken>),
    Other(Box<Other>),
}

/// What was not accepted; its exception is made when somebody asks for it.
struct Other {
    error: Error,
    grounds: Grounds,
    requirements: Requirements,
    exception: PyOnceLock<Py<PyAny>>,
}

impl Verdict {
    pub(crate) fn new<'py>(
        py: Python<'py>,
        verdict: Result<sealgate::VerifiedToken, Refused>,
        door: Arc<Door>,
        requirements: Requirements,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let outcome = match verdict {
            Ok(token) => match VerifiedToken::fill(py, token, door, into)? {
                Filled::Token(token) => Outcome::Accepted(Py::new(py, token)?),
                Filled::Misfit(claim, grounds) => {
                    let exception = misfit(py, claim, grounds.clone()).into_value(py).into_any();
                    let refused = Refused {
                        error: sealgate::Code::ClaimType.into(),
                        grounds,
                    };
                    let other = Other::new(refused, requirements);
                    // Nobody else has it yet, so it is not set.
                    let _ = other.exception.set(py, exception);
                    Outcome::Other(Box::new(other))
                }
            },
            Err(refused) if refused.error.is_misuse() => {
                return Err(of_gate(py, refused, &requirements));
            }
            Err(refused) => Outcome::Other(Box::new(Other::new(refused, requirements))),
        };
        Ok(Self { outcome })
    }

    pub(crate) fn is_ok(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted(_))
    }

    pub(crate) fn code_str(&self) -> &'static str {
        match &self.outcome {
            Outcome::Accepted(_) => "accepted",
            Outcome::Other(other) => other.error.code().as_str(),
        }
    }

    fn exception<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match &self.outcome {
            Outcome::Accepted(_) => None,
            Outcome::Other(other) => Some(other.exception(py)),
        }
    }
}

impl Other {
    fn new(refused: Refused, requirements: Requirements) -> Self {
        Self {
            error: refused.error,
            grounds: refused.grounds,
            requirements,
            exception: PyOnceLock::new(),
        }
    }

    fn exception<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        let made = self.exception.get_or_init(py, || {
            let refused = Refused {
                error: self.error,
                grounds: self.grounds.clone(),
            };
            let error = of_gate(py, refused, &self.requirements);
            error.into_value(py).into_any()
        });
        made.bind(py).clone()
    }
}

#[pymethods]
impl Verdict {
    /// Whether the token was accepted.
    #[getter]
    fn ok(&self) -> bool {
        self.is_ok()
    }

    /// `"accepted"`, or the code of the refusal.
    #[getter]
    fn code(&self) -> &'static str {
        self.code_str()
    }

    /// The verified token; `None` unless it was accepted.
    #[getter]
    fn token(&self) -> Option<&Py<VerifiedToken>> {
        match &self.outcome {
            Outcome::Accepted(token) => Some(token),
            Outcome::Other(_) => None,
        }
    }

    /// The exception `verify` would have raised; `None` when the token was accepted.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.exception(py)
    }

    /// The verified token, or raises `error`.
    fn unwrap(&self, py: Python<'_>) -> PyResult<Py<VerifiedToken>> {
        match &self.outcome {
            Outcome::Accepted(token) => Ok(token.clone_ref(py)),
            Outcome::Other(other) => Err(PyErr::from_value(other.exception(py))),
        }
    }

    /// Whether what it says may be that another answer is on its way.
    fn _is_pending(&self) -> bool {
        match &self.outcome {
            Outcome::Accepted(_) => false,
            Outcome::Other(other) => other.error.code().is_pending(),
        }
    }

    /// Whether asking again within so many seconds may bring another answer.
    fn _may_settle(&self, wait: f64) -> bool {
        match &self.outcome {
            Outcome::Accepted(_) => false,
            Outcome::Other(other) => {
                let wait = Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX);
                other.grounds.may_settle(&other.error, wait)
            }
        }
    }

    fn __bool__(&self) -> bool {
        self.ok()
    }

    fn __repr__(&self) -> String {
        format!("<Verdict {}>", self.code())
    }
}
