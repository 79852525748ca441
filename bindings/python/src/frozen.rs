//! JSON text as Python values nobody can change: objects are `mappingproxy`, arrays tuples.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyMappingProxy, PyTuple};

/// The value of this text, which the core has read strictly before: no member is there twice,
/// nothing is nested deeper than its limit, and every number is within the range of a `float`.
pub(crate) fn parse<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    freeze(&load(py, text)?)
}

/// The same, of text that must be UTF-8.
pub(crate) fn parse_bytes<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    parse(py, &String::from_utf8_lossy(text))
}

/// The same, as fresh `dict`s and `list`s.
pub(crate) fn load<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((text,))
}

fn freeze<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    if let Ok(members) = value.cast::<PyDict>() {
        for (name, member) in members.iter() {
            if let Some(frozen) = freeze_inner(&member)? {
                members.set_item(name, frozen)?;
            }
        }
        return Ok(PyMappingProxy::new(py, members.as_mapping()).into_any());
    }
    if let Ok(items) = value.cast::<PyList>() {
        let items = items.iter().map(|item| freeze(&item));
        return Ok(PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any());
    }
    Ok(value.clone())
}

/// A frozen member in the place of one that could be changed.
fn freeze_inner<'py>(member: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let changeable = member.is_instance_of::<PyDict>() || member.is_instance_of::<PyList>();
    changeable.then(|| freeze(member)).transpose()
}
