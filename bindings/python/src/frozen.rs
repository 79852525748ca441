//! JSON text as Python values nobody can change: objects are `mappingproxy`, arrays tuples.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMappingProxy, PyString, PyTuple};
use sealgate::JsonValue;

/// The value of this text, which the core has read strictly before: no member is there twice,
/// nothing is nested deeper than its limit, and every number is within the range of a `float`.
pub(crate) fn parse<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    freeze(&load(py, text)?)
}

/// A value the core has in hand, without reading its text again.
pub(crate) fn of<'py>(py: Python<'py>, value: JsonValue<'_>) -> PyResult<Bound<'py, PyAny>> {
    if let Some(members) = value.as_object() {
        let dict = PyDict::new(py);
        for (name, member) in members {
            dict.set_item(name, of(py, member)?)?;
        }
        return Ok(PyMappingProxy::new(py, dict.as_mapping()).into_any());
    }
    if let Some(elements) = value.as_array() {
        let items = elements.map(|element| of(py, element));
        return Ok(PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any());
    }
    if let Some(text) = value.as_str() {
        return Ok(PyString::new(py, text).into_any());
    }
    if let Some(flag) = value.as_bool() {
        return Ok(PyBool::new(py, flag).to_owned().into_any());
    }
    value
        .as_number()
        .map_or_else(|| Ok(py.None().into_bound(py)), |text| number(py, text))
}

/// A number as Python's own `json` has it: whole ones exact, others the nearest `float`.
fn number<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into_pyobject(py)?.into_any());
    }
    if text.contains(['.', 'e', 'E']) {
        return py.get_type::<PyFloat>().call1((text,));
    }
    py.get_type::<PyInt>().call1((text,))
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
