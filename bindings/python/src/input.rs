//! Arguments: tokens borrowed in place, documents as JSON text.

use std::borrow::Cow;

use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyMapping, PyMemoryView, PyModule, PySlice, PyString, PyTuple,
};
use sealgate::{ApprovedIntent, Operation, Request, Requirements};

use crate::errors::usage;
use crate::frozen;

/// What is wrong with an argument: its type, never its value.
pub(crate) fn wrong_type(value: &Bound<'_, PyAny>, name: &str, right: &str) -> PyErr {
    let kind = value.get_type().name();
    let kind = kind.map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    usage(value.py(), format!("{name} must be {right}, not {kind}"))
}

/// What a call was given beyond the arguments it has, of which PyO3 would make a plain `TypeError`.
/// `verify` and `judge` leave it at that: to take them costs 45 ns of 285 where the token is
/// cached.
pub(crate) fn no_more(
    extra: &Bound<'_, PyTuple>,
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    if extra.is_empty() && unknown.is_none() {
        return Ok(());
    }
    Err(too_many(extra, unknown))
}

#[cold]
fn too_many(extra: &Bound<'_, PyTuple>, unknown: Option<&Bound<'_, PyDict>>) -> PyErr {
    let mut names = unknown.into_iter().flat_map(|unknown| unknown.keys());
    match names.next() {
        Some(name) => no_such_argument(&name),
        None => {
            let detail = "more arguments than the call has; those with a name must be named";
            usage(extra.py(), detail.to_owned())
        }
    }
}

#[cold]
pub(crate) fn no_such_argument(name: &Bound<'_, PyAny>) -> PyErr {
    usage(name.py(), format!("there is no argument {name}"))
}

/// The token of a call that PyO3 may find without one.
pub(crate) fn given<'a, 'py>(
    py: Python<'py>,
    token: Option<&'a Bound<'py, PyAny>>,
) -> PyResult<&'a Bound<'py, PyAny>> {
    token.ok_or_else(|| wrong_type(py.None().bind(py), "token", TOKEN))
}

/// What a token may be.
pub(crate) const TOKEN: &str = "str, bytes or memoryview";

/// The bytes of a token. A `str` or `bytes` is read in place, since it cannot change; anything that
/// can is copied, so that no verdict is about other bytes than those that were judged.
pub(crate) fn token<'v>(value: &'v Bound<'_, PyAny>, name: &str) -> PyResult<Cow<'v, [u8]>> {
    if value.is_instance_of::<PyString>() && is_longer(value) && !is_ascii(value)? {
        return Ok(Cow::Borrowed(&TOO_LONG));
    }
    match field(value)? {
        Some(bytes) => Ok(bytes),
        None => Err(wrong_type(value, name, TOKEN)),
    }
}

/// The bytes of a value that a stranger has sent. Of one that must be copied or encoded no more is
/// than the core looks at: what is cut is too long still, and it says so.
pub(crate) fn field<'v>(value: &'v Bound<'_, PyAny>) -> PyResult<Option<Cow<'v, [u8]>>> {
    if value.is_instance_of::<PyBytes>() || !is_longer(value) {
        return bytes(value);
    }
    if value.is_instance_of::<PyString>() && is_ascii(value)? {
        return bytes(value);
    }
    let start = value.get_item(PySlice::new(value.py(), 0, FIELD_SIZE, 1))?;
    Ok(bytes(&start)?.map(|bytes| Cow::Owned(bytes.into_owned())))
}

/// What stands for a long text that has no token's letters, and need not be encoded to be refused
/// for its size.
static TOO_LONG: [u8; Request::FIELD_SIZE] = [0; Request::FIELD_SIZE];

/// [`Request::FIELD_SIZE`] as Python counts.
const FIELD_SIZE: isize = Request::FIELD_SIZE as isize;

/// Whether a value is longer than what the core looks at: letters of a text, items of a view.
fn is_longer(value: &Bound<'_, PyAny>) -> bool {
    value.len().is_ok_and(|length| length > Request::FIELD_SIZE)
}

/// Whether a text is kept as its very bytes, so that it is read in place, however long.
fn is_ascii(text: &Bound<'_, PyAny>) -> PyResult<bool> {
    text.call_method0(intern!(text.py(), "isascii"))?
        .is_truthy()
}

/// A value to be read again later: what can change is copied now, so that what is judged then is
/// what the caller meant.
pub(crate) fn kept<'py>(
    value: &Bound<'py, PyAny>,
    name: &str,
    right: &str,
) -> PyResult<Bound<'py, PyAny>> {
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyBytes>() {
        return Ok(value.clone());
    }
    match field(value)? {
        Some(bytes) => Ok(PyBytes::new(value.py(), &bytes).into_any()),
        None => Err(wrong_type(value, name, right)),
    }
}

/// Whether a value is of a type that has bytes.
pub(crate) fn has_bytes(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>()
}

/// The bytes of a value that has any.
pub(crate) fn bytes<'v>(value: &'v Bound<'_, PyAny>) -> PyResult<Option<Cow<'v, [u8]>>> {
    Ok(Some(if let Ok(text) = value.cast::<PyString>() {
        match text.to_str() {
            Ok(text) => Cow::Borrowed(text.as_bytes()),
            // Lone surrogates: no token has them, and the core says so.
            Err(_) => text.to_string_lossy().into_owned().into_bytes().into(),
        }
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        Cow::Borrowed(bytes.as_bytes())
    } else if let Ok(bytes) = value.cast::<PyByteArray>() {
        Cow::Owned(bytes.to_vec())
    } else if let Ok(view) = value.cast::<PyMemoryView>() {
        let copy = view.call_method0("tobytes");
        let copy = copy.map_err(|_| usage(value.py(), "the memoryview was released"))?;
        Cow::Owned(copy.cast::<PyBytes>()?.as_bytes().to_vec())
    } else {
        return Ok(None);
    }))
}

/// That claims can be made into the caller's type, whatever the token.
pub(crate) fn model(into: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(into) = into else { return Ok(()) };
    let module = PyModule::import(into.py(), "sealgate._into")?;
    let checked = module.getattr("check")?.call1((into,));
    match checked {
        Err(error) if error.is_instance(into.py(), &module.getattr("NoModel")?) => {
            Err(usage(into.py(), error.value(into.py()).to_string()))
        }
        checked => checked.map(drop),
    }
}

/// What a call needs beyond its gate's demands, as its arguments say it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Needs<'a, 'py> {
    pub(crate) required_scopes: Option<&'a Bound<'py, PyAny>>,
    pub(crate) acr_values: Option<&'a Bound<'py, PyAny>>,
    pub(crate) presenter: Option<&'a Bound<'py, PyAny>>,
    pub(crate) nonce: Option<&'a Bound<'py, PyAny>>,
    pub(crate) client_id: Option<&'a Bound<'py, PyAny>>,
    pub(crate) access_token: Option<&'a Bound<'py, PyAny>>,
    pub(crate) code: Option<&'a Bound<'py, PyAny>>,
    pub(crate) operation: Option<&'a Bound<'py, PyAny>>,
    pub(crate) approved: Option<&'a Bound<'py, PyAny>>,
}

impl Needs<'_, '_> {
    #[inline]
    pub(crate) fn requirements(&self) -> PyResult<Requirements> {
        let Self {
            required_scopes,
            acr_values: None,
            presenter: None,
            nonce: None,
            client_id: None,
            access_token: None,
            code: None,
            operation: None,
            approved: None,
        } = self
        else {
            return self.all();
        };
        scopes(*required_scopes)
    }

    fn all(&self) -> PyResult<Requirements> {
        let mut all = scopes(self.required_scopes)?;
        if let Some(values) = self.acr_values {
            all = all.with_acr_values(texts(values, "acr_values")?);
        }
        if let Some(value) = self.presenter {
            let [iss, sub] = presenter(value)?;
            all = all.with_presenter(iss, sub);
        }
        if let Some(nonce) = self.nonce {
            all = all.with_nonce(text(nonce, "nonce")?);
        }
        if let Some(client) = self.client_id {
            all = all.with_client(text(client, "client_id")?);
        }
        if let Some(token) = self.access_token {
            all = all.with_access_token(text(token, "access_token")?);
        }
        if let Some(code) = self.code {
            all = all.with_code(text(code, "code")?);
        }
        if let Some(what) = self.operation {
            all = all.with_operation(operation(what)?);
        }
        if let Some(approved) = self.approved {
            all = all.with_approved(approval(approved)?);
        }
        Ok(all)
    }

    /// As keyword arguments of a call that may be made again, of those that are given. Each is read
    /// once: an iterator has nothing left then, and what can change is judged as it is now.
    pub(crate) fn kept<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let kept = PyDict::new(py);
        for (name, values) in [
            ("required_scopes", self.required_scopes),
            ("acr_values", self.acr_values),
        ] {
            if let Some(values) = values {
                kept.set_item(name, PyTuple::new(py, texts(values, name)?)?)?;
            }
        }
        for (name, value) in [
            ("nonce", self.nonce),
            ("client_id", self.client_id),
            ("access_token", self.access_token),
            ("code", self.code),
        ] {
            if let Some(value) = value {
                kept.set_item(name, text(value, name)?)?;
            }
        }
        if let Some(value) = self.presenter {
            let [iss, sub] = presenter(value)?;
            let named = PyDict::new(py);
            named.set_item("iss", iss)?;
            named.set_item("sub", sub)?;
            kept.set_item("presenter", named)?;
        }
        if let Some(value) = self.operation {
            operation(value)?;
            kept.set_item("operation", own(value, "operation")?)?;
        }
        if let Some(value) = self.approved {
            approval(value)?;
            kept.set_item("approved", own(value, "approved")?)?;
        }
        Ok(kept)
    }
}

/// The scopes a call needs beyond its gate's.
#[inline]
pub(crate) fn scopes(scopes: Option<&Bound<'_, PyAny>>) -> PyResult<Requirements> {
    match scopes {
        None => Ok(Requirements::NONE),
        Some(scopes) => Ok(Requirements::scopes(texts(scopes, "required_scopes")?)),
    }
}

/// `iss` and `sub` of a mapping: two texts in a row would be taken for one another.
fn presenter(value: &Bound<'_, PyAny>) -> PyResult<[String; 2]> {
    let (mut iss, mut sub) = (None, None);
    for (name, told) in members(value, "presenter", PRESENTER)? {
        let told = text(&told, &format!("presenter: {name}"))?.to_owned();
        match name.as_str() {
            "iss" => iss = Some(told),
            "sub" => sub = Some(told),
            _ => return Err(no_member(value, "presenter", &name, PRESENTER)),
        }
    }
    match (iss, sub) {
        (Some(iss), Some(sub)) => Ok([iss, sub]),
        _ => Err(usage(value.py(), format!("presenter must be {PRESENTER}"))),
    }
}

/// What a presenter may be.
const PRESENTER: &str = "a mapping of iss and sub";

/// A mapping of strings, under the names that an operation has; `arguments` is one of JSON values.
pub(crate) fn operation(value: &Bound<'_, PyAny>) -> PyResult<Operation> {
    let mut operation = Operation::new();
    for (name, told) in members(value, "operation", OPERATION)? {
        if name == "arguments" {
            operation = operation.arguments(object(&told, "operation: arguments")?);
            continue;
        }
        let told = text(&told, &format!("operation: {name}"))?;
        operation = match name.as_str() {
            "tool" => operation.tool(told),
            "resource" => operation.resource(told),
            "action" => operation.action(told),
            "scope" => operation.scope(told),
            _ => return Err(no_member(value, "operation", &name, OPERATION)),
        };
    }
    Ok(operation)
}

/// What an operation may be.
const OPERATION: &str = "a mapping of tool, resource, action, scope and arguments";

/// The whole of what was approved, and by whom.
pub(crate) fn approval(value: &Bound<'_, PyAny>) -> PyResult<ApprovedIntent> {
    let (mut issuer, mut set, mut intent) = (None, None, None);
    for (name, told) in members(value, "approved", APPROVED)? {
        match name.as_str() {
            "issuer" => issuer = Some(text(&told, "approved: issuer")?.to_owned()),
            "authority_set" => set = Some(json(&told, "approved: authority_set")?),
            "intent" => intent = Some(json(&told, "approved: intent")?),
            _ => return Err(no_member(value, "approved", &name, APPROVED)),
        }
    }
    let approved = match (issuer, set, intent) {
        (Some(issuer), Some(set), None) => ApprovedIntent::authority_set(issuer, set),
        (Some(issuer), None, Some(intent)) => ApprovedIntent::intent(issuer, intent),
        _ => return Err(usage(value.py(), format!("approved must be {APPROVED}"))),
    };
    approved.map_err(|_| usage(value.py(), format!("approved must be {APPROVED}")))
}

/// What an approval may be.
const APPROVED: &str =
    "a mapping of issuer and one of authority_set, a list, and intent, a mapping";

/// The names and values of a mapping that stands for an argument of this name.
fn members<'py>(
    value: &Bound<'py, PyAny>,
    name: &str,
    right: &str,
) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let mapping = value.cast::<PyMapping>();
    let mapping = mapping.map_err(|_| wrong_type(value, name, right))?;
    let members = mapping.items()?;
    let members = members.iter().map(|member| {
        let (member, told): (Bound<'_, PyAny>, Bound<'_, PyAny>) = member.extract()?;
        let member = text(&member, &format!("each member of {name}"))?.to_owned();
        Ok((member, told))
    });
    members.collect()
}

#[cold]
fn no_member(value: &Bound<'_, PyAny>, name: &str, member: &str, right: &str) -> PyErr {
    let detail = format!("{name}: no member {member:?}; it is {right}");
    usage(value.py(), detail)
}

/// The JSON text of a mapping.
fn object(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let mapping = value.cast::<PyMapping>();
    mapping.map_err(|_| wrong_type(value, name, "a mapping"))?;
    json(value, name)
}

/// Plain values to be read again later: as they are now, whatever becomes of the caller's.
fn own<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    frozen::load(value.py(), &json(value, name)?)
}

/// A name of the policy's.
pub(crate) fn text<'v>(value: &'v Bound<'_, PyAny>, name: &str) -> PyResult<&'v str> {
    let text = value.cast::<PyString>();
    let text = text.map_err(|_| wrong_type(value, name, "str"))?;
    let text = text.to_str();
    text.map_err(|_| usage(value.py(), format!("{name}: not Unicode")))
}

/// Several strings. A single one is refused: its letters would be taken for them.
pub(crate) fn texts(values: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<String>> {
    let right = "a list or another iterable of str";
    if values.is_instance_of::<PyString>() || values.is_instance_of::<PyBytes>() {
        return Err(wrong_type(values, name, right));
    }
    let items = values.try_iter();
    let items = items.map_err(|_| wrong_type(values, name, right))?;
    items
        .map(|item| {
            let item = item?;
            text(&item, &format!("each of {name}")).map(str::to_owned)
        })
        .collect()
}

/// A mapping as JSON text. `timedelta` becomes a duration, a path its text; see
/// `sealgate/_plain.py`.
pub(crate) fn json(value: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    let py = value.py();
    let plain = PyModule::import(py, "sealgate._plain")?;
    let text = plain.getattr("to_json")?.call1((value,));
    let text = text.map_err(|error| {
        let ours = error.is_instance_of::<PyTypeError>(py)
            || error.is_instance_of::<PyValueError>(py)
            || error.is_instance_of::<PyRecursionError>(py);
        if ours {
            usage(py, format!("{name}: {}", error.value(py)))
        } else {
            error
        }
    })?;
    text.extract()
}

/// The JSON text of a JWK or JWK Set: a mapping, or the text itself.
pub(crate) fn jwks_text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<u8>> {
    match bytes(value)? {
        Some(text) => Ok(text.into_owned()),
        None => Ok(json(value, name)?.into_bytes()),
    }
}

/// The options that were given, as a JSON object; one that is None was not. Which there are, the
/// core knows.
pub(crate) fn options(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<String> {
    let members = PyDict::new(py);
    for (name, value) in options.into_iter().flatten() {
        if !value.is_none() {
            members.set_item(name, value)?;
        }
    }
    json(members.as_any(), "options")
}

/// What several tokens may be.
const TOKENS: &str = "an iterable of str or bytes, or one buffer with a token a line";

/// The tokens of a call that PyO3 may find without any.
pub(crate) fn all_given<'a, 'py>(
    py: Python<'py>,
    tokens: Option<&'a Bound<'py, PyAny>>,
) -> PyResult<&'a Bound<'py, PyAny>> {
    tokens.ok_or_else(|| wrong_type(py.None().bind(py), "tokens", TOKENS))
}

/// The items of a list of tokens, held so that nobody can take them away.
pub(crate) fn items<'py>(tokens: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let items = tokens.try_iter();
    let items = items.map_err(|_| wrong_type(tokens, "tokens", TOKENS))?;
    items.collect()
}
