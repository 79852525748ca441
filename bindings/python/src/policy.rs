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
}

/// What a program permits that says as much.
pub(crate) fn danger(allow: bool) -> LoadOptions {
    LoadOptions::new().allow_danger(allow)
}

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (mapping, /, *, allow_danger=false))]
    fn new(mapping: &Bound<'_, PyAny>, allow_danger: bool) -> PyResult<Self> {
        of_mapping(mapping, &danger(allow_danger))
    }

    /// Reads a policy from a file whose name ends in `.toml` or `.json`.
    #[staticmethod]
    #[pyo3(signature = (path, *, allow_danger=false))]
    fn load(path: &Bound<'_, PyAny>, allow_danger: bool) -> PyResult<Self> {
        of_path(path, &danger(allow_danger))
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
        of_text(text, format, &danger(allow_danger))
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
pub(crate) fn of(source: &Bound<'_, PyAny>, options: &LoadOptions) -> PyResult<Policy> {
    if let Ok(policy) = source.cast::<Policy>() {
        return loaded(source.py(), policy.get().policy.under(options));
    }
    if source.is_instance_of::<PyMapping>() {
        return of_mapping(source, options);
    }
    of_path(source, options)
}

impl Policy {
    /// The policy of the short form's members.
    pub(crate) fn single(py: Python<'_>, members: &str, options: &LoadOptions) -> PyResult<Self> {
        loaded(py, sealgate::Policy::single(members, options))
    }
}

fn of_mapping(mapping: &Bound<'_, PyAny>, options: &LoadOptions) -> PyResult<Policy> {
    if !mapping.is_instance_of::<PyMapping>() {
        return Err(wrong_type(
            mapping,
            "a policy",
            "a mapping (text goes through Policy.parse)",
        ));
    }
    let text = input::json(mapping, "policy")?;
    parsed(mapping.py(), text.as_ref(), Format::Json, options)
}

fn of_path(path: &Bound<'_, PyAny>, options: &LoadOptions) -> PyResult<Policy> {
    let right = "a path, a mapping or a Policy";
    let py = path.py();
    let path: PathBuf = path
        .extract()
        .map_err(|_| wrong_type(path, "a policy", right))?;
    loaded(
        py,
        sealgate::Policy::load_for(path, options, &aws_lc::provider()),
    )
}

fn of_text(text: &Bound<'_, PyAny>, format: &str, options: &LoadOptions) -> PyResult<Policy> {
    let py = text.py();
    let format = match format {
        "toml" => Format::Toml,
        "json" => Format::Json,
        _ => return Err(usage(py, "format must be \"toml\" or \"json\"")),
    };
    let bytes = input::bytes(text)?;
    let bytes = bytes.ok_or_else(|| wrong_type(text, "text", "str or bytes"))?;
    parsed(py, bytes.as_ref(), format, options)
}

fn parsed(py: Python<'_>, text: &[u8], format: Format, options: &LoadOptions) -> PyResult<Policy> {
    loaded(
        py,
        sealgate::Policy::parse_for(text, format, options, &aws_lc::provider()),
    )
}

fn loaded(
    py: Python<'_>,
    policy: Result<sealgate::Policy, sealgate::PolicyError>,
) -> PyResult<Policy> {
    match policy {
        Ok(policy) => Ok(Policy { policy }),
        Err(error) => Err(errors::policy(py, &error)),
    }
}

/// A policy for tests: with `allow_test_keys` it may have published keys and inline secrets, with
/// `push_all_keys` its issuers' keys come from the program, whatever it says. `source` is a path, a
/// mapping, or text when `format` is given.
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
    let options = danger(allow_danger)
        .allow_test_keys(allow_test_keys)
        .push_all_keys(push_all_keys);
    match format {
        Some(format) => of_text(source, format, &options),
        None => of(source, &options),
    }
}
