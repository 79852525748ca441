//! [`Policy`]: a policy document, checked whole.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyModule};
use sealgate::crypto::aws_lc;
use sealgate::{Format, LoadOptions};

use crate::errors::{self, usage};
use crate::frozen;
use crate::input::{self, wrong_type};

/// A policy document that has been checked whole. `Policy(mapping)`, `Policy.load(path)` or
/// `Policy.parse(text)`; each raises `PolicyError` with every problem.
///
/// `allow_danger` lets the document have a `[danger]` table.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct Policy {
    pub(crate) policy: sealgate::Policy,
    /// How it was loaded.
    pub(crate) permits: Permits,
}

/// What the loading program permits: a verifier loads its next policy as it did its first.
#[derive(Clone, Copy, Default)]
pub(crate) struct Permits {
    danger: bool,
    test_keys: bool,
    /// No source of keys that a document names is read.
    push_all_keys: bool,
}

impl Permits {
    pub(crate) fn danger(allow: bool) -> Self {
        Self {
            danger: allow,
            ..Self::default()
        }
    }

    fn options(self) -> LoadOptions {
        LoadOptions::new()
            .allow_danger(self.danger)
            .allow_test_keys(self.test_keys)
            .push_all_keys(self.push_all_keys)
    }

    fn or(self, other: Self) -> Self {
        Self {
            danger: self.danger || other.danger,
            test_keys: self.test_keys || other.test_keys,
            push_all_keys: self.push_all_keys || other.push_all_keys,
        }
    }
}

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (mapping, /, *, allow_danger=false))]
    fn new(mapping: &Bound<'_, PyAny>, allow_danger: bool) -> PyResult<Self> {
        of_mapping(mapping, Permits::danger(allow_danger))
    }

    /// Reads a policy from a file whose name ends in `.toml` or `.json`.
    #[staticmethod]
    #[pyo3(signature = (path, *, allow_danger=false))]
    fn load(path: &Bound<'_, PyAny>, allow_danger: bool) -> PyResult<Self> {
        of_path(path, Permits::danger(allow_danger))
    }

    /// Reads a policy from text; `format` is `"toml"` or `"json"`. Relative paths in it begin in
    /// the working directory.
    #[staticmethod]
    #[pyo3(
        signature = (text, format=None, *, allow_danger=false),
        text_signature = "(text, format=\"toml\", *, allow_danger=False)"
    )]
    fn parse(
        text: &Bound<'_, PyAny>,
        format: Option<&Bound<'_, PyAny>>,
        allow_danger: bool,
    ) -> PyResult<Self> {
        let format = format.map_or(Ok("toml"), |format| input::text(format, "format"))?;
        of_text(text, format, Permits::danger(allow_danger))
    }

    /// What names this policy in verdicts: `sha256:` and hexadecimal, equal for documents that say
    /// the same.
    #[getter]
    fn digest(&self) -> String {
        self.policy.digest(&aws_lc::provider())
    }

    /// What loads and still deserves a second look: tuples `(path, line, column, text)`.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let class = PyModule::import(py, "sealgate._types")?.getattr("PolicyWarning")?;
        let warnings = self.policy.warnings().iter().map(|warning| {
            class.call1((&warning.path, warning.line, warning.column, &warning.text))
        });
        warnings.collect()
    }

    /// The document as a fresh `dict`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        frozen::load(py, &self.policy.to_json())
    }

    /// The document with every default filled in, as a fresh `dict`.
    fn effective<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        frozen::load(py, &self.policy.effective().to_string())
    }

    fn __repr__(&self) -> String {
        format!("<Policy {}>", self.digest())
    }
}

/// The policy a caller means: one, a path, or a mapping. A string is always a path.
pub(crate) fn of(source: &Bound<'_, PyAny>, permits: Permits) -> PyResult<Policy> {
    if let Ok(policy) = source.cast::<Policy>() {
        return policy.get().under(source.py(), permits);
    }
    if source.is_instance_of::<PyMapping>() {
        return of_mapping(source, permits);
    }
    of_path(source, permits)
}

impl Policy {
    /// The policy of the short form's members.
    pub(crate) fn single(py: Python<'_>, members: &str, permits: Permits) -> PyResult<Self> {
        let policy = sealgate::Policy::single(members, &permits.options());
        loaded(py, policy, permits)
    }

    /// This policy for who loads with these permits. It is loaded already, unless its sources of
    /// keys are not to be read.
    fn under(&self, py: Python<'_>, permits: Permits) -> PyResult<Self> {
        let both = self.permits.or(permits);
        if permits.push_all_keys && !self.permits.push_all_keys {
            let text = self.policy.to_json();
            return parsed(py, text.as_bytes(), Format::Json, both);
        }
        Ok(Self {
            policy: self.policy.clone(),
            permits: both,
        })
    }
}

fn of_mapping(mapping: &Bound<'_, PyAny>, permits: Permits) -> PyResult<Policy> {
    if !mapping.is_instance_of::<PyMapping>() {
        return Err(wrong_type(
            mapping,
            "a policy",
            "a mapping (text goes through Policy.parse)",
        ));
    }
    let text = input::json(mapping, "policy")?;
    parsed(mapping.py(), text.as_ref(), Format::Json, permits)
}

fn of_path(path: &Bound<'_, PyAny>, permits: Permits) -> PyResult<Policy> {
    let right = "a path, a mapping or a Policy";
    let path: PathBuf = path
        .extract()
        .map_err(|_| wrong_type(path, "a policy", right))?;
    Python::attach(|py| {
        loaded(
            py,
            sealgate::Policy::load_for(path, &permits.options(), &aws_lc::provider()),
            permits,
        )
    })
}

fn of_text(text: &Bound<'_, PyAny>, format: &str, permits: Permits) -> PyResult<Policy> {
    let py = text.py();
    let format = match format {
        "toml" => Format::Toml,
        "json" => Format::Json,
        _ => return Err(usage(py, "format must be \"toml\" or \"json\"")),
    };
    let bytes = input::bytes(text)?;
    let bytes = bytes.ok_or_else(|| wrong_type(text, "text", "str or bytes"))?;
    parsed(py, bytes.as_ref(), format, permits)
}

fn parsed(py: Python<'_>, text: &[u8], format: Format, permits: Permits) -> PyResult<Policy> {
    let policy = sealgate::Policy::parse_for(text, format, &permits.options(), &aws_lc::provider());
    loaded(py, policy, permits)
}

fn loaded(
    py: Python<'_>,
    policy: Result<sealgate::Policy, sealgate::PolicyError>,
    permits: Permits,
) -> PyResult<Policy> {
    match policy {
        Ok(policy) => Ok(Policy { policy, permits }),
        Err(error) => Err(errors::policy(py, &error)),
    }
}

/// A policy for tests: with `allow_test_keys` it may have published keys and inline secrets, with
/// `push_all_keys` its issuers' keys come from the program, whatever it says. `source` is a path, a mapping, or text
/// when `format` is given.
#[pyfunction]
#[pyo3(signature = (
    source, *, format=None, allow_test_keys=false, push_all_keys=false, allow_danger=false
))]
pub(crate) fn policy_for_tests(
    source: &Bound<'_, PyAny>,
    format: Option<&str>,
    allow_test_keys: bool,
    push_all_keys: bool,
    allow_danger: bool,
) -> PyResult<Policy> {
    let permits = Permits {
        danger: allow_danger,
        test_keys: allow_test_keys,
        push_all_keys,
    };
    match format {
        Some(format) => of_text(source, format, permits),
        None => of(source, permits),
    }
}
