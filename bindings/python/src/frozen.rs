//! JSON text as Python values that refuse to be changed: objects are `FrozenDict`, arrays tuples.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use sealgate::JsonValue;

/// The value of this text, which the core has read strictly before: no member is there twice,
/// nothing is nested deeper than its limit, and every number is within the range of a `float`.
pub(crate) fn parse<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    freeze(&load(py, text)?)
}

/// A value the core has in hand, without reading its text again.
pub(crate) fn of<'py>(py: Python<'py>, value: JsonValue<'_>) -> PyResult<Bound<'py, PyAny>> {
    if let Some(members) = value.as_object() {
        let members = members.map(|(name, member)| Ok((PyString::new(py, name), of(py, member)?)));
        return object(py, members);
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
        let members = members.iter();
        return object(
            py,
            members.map(|(name, member)| Ok((name, freeze(&member)?))),
        );
    }
    if let Ok(items) = value.cast::<PyList>() {
        let items = items.iter().map(|item| freeze(&item));
        return Ok(PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any());
    }
    Ok(value.clone())
}

/// A `FrozenDict` of these members. Whoever asks it to change is refused by its methods, not by the
/// `dict` within, which is what is filled here.
fn object<'py, K: IntoPyObject<'py>>(
    py: Python<'py>,
    members: impl Iterator<Item = PyResult<(K, Bound<'py, PyAny>)>>,
) -> PyResult<Bound<'py, PyAny>> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS.import(py, "sealgate._frozen", "FrozenDict")?;
    let new = NEW.get_or_try_init(py, || -> PyResult<_> {
        Ok(py.get_type::<PyDict>().getattr("__new__")?.unbind())
    })?;
    let object = new.bind(py).call1((class,))?;
    let dict = object.cast::<PyDict>()?;
    for member in members {
        let (name, member) = member?;
        dict.set_item(name, member)?;
    }
    Ok(object)
}
