//! The arguments of `verify_request`: a request's parts, read in place.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyMapping, PyModule, PyString, PyTuple};
use sealgate::{ContextToken, Kind, Request};

use crate::chain::Told;
use crate::errors::usage;
use crate::input::{self, Needs};

static PARTS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static PAIRS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The arguments of a call about a request: a request object or its parts, and what the call needs.
#[derive(Default)]
pub(crate) struct Given<'py> {
    request: Option<Bound<'py, PyAny>>,
    method: Option<Bound<'py, PyAny>>,
    uri: Option<Bound<'py, PyAny>>,
    headers: Option<Bound<'py, PyAny>>,
    client_certificate: Option<Bound<'py, PyAny>>,
    context: Option<Bound<'py, PyAny>>,
    content: Option<Bound<'py, PyAny>>,
    operation: Option<Bound<'py, PyAny>>,
    approved: Option<Bound<'py, PyAny>>,
    required_scopes: Option<Bound<'py, PyAny>>,
    acr_values: Option<Bound<'py, PyAny>>,
    presenter: Option<Bound<'py, PyAny>>,
    nonce: Option<Bound<'py, PyAny>>,
    client_id: Option<Bound<'py, PyAny>>,
    access_token: Option<Bound<'py, PyAny>>,
    code: Option<Bound<'py, PyAny>>,
    into: Option<Bound<'py, PyAny>>,
    wait: Option<Bound<'py, PyAny>>,
}

/// Arguments by who takes them: every call, those about requests and chains, those about requests.
const NEEDS: &[&str] = &[
    "required_scopes",
    "acr_values",
    "presenter",
    "nonce",
    "client_id",
    "access_token",
    "code",
];
const TOLD: &[&str] = &["operation", "approved"];
const PARTS_OF_IT: &[&str] = &[
    "method",
    "uri",
    "headers",
    "client_certificate",
    "context",
    "content",
];
const INTO: &[&str] = &["into"];
const WAIT: &[&str] = &["wait"];

/// The arguments of each call.
pub(crate) const JUDGED: &[&[&str]] = &[PARTS_OF_IT, NEEDS, TOLD, INTO];
pub(crate) const AWAITED: &[&[&str]] = &[PARTS_OF_IT, NEEDS, TOLD, INTO, WAIT];
pub(crate) const REQUEST_EXPLAINED: &[&[&str]] = &[PARTS_OF_IT, NEEDS, TOLD];
pub(crate) const TOKEN_AWAITED: &[&[&str]] = &[NEEDS, INTO, WAIT];
pub(crate) const CHAIN: &[&[&str]] = &[NEEDS, TOLD, INTO];
pub(crate) const EXPLAINED: &[&[&str]] = &[NEEDS, TOLD];

/// What parts may be.
const TEXT: &str = "str or bytes";
const DER: &str = "bytes of DER";
const CONTEXT: &str = "an iterable of mappings with kind and token";

/// A header field.
type Field<T> = (T, T);

/// A token of the content, and the proof that came with it there.
type Content<T> = (T, Option<T>);

/// Python's objects, which the bytes are borrowed from.
pub(crate) struct Parts<'py> {
    method: Bound<'py, PyAny>,
    uri: Bound<'py, PyAny>,
    headers: Vec<Field<Bound<'py, PyAny>>>,
    client_certificate: Option<Bound<'py, PyAny>>,
    context: Vec<(Kind, Bound<'py, PyAny>)>,
    content: Option<Content<Bound<'py, PyAny>>>,
}

/// The bytes of all parts.
pub(crate) struct Octets<'a> {
    method: Cow<'a, [u8]>,
    uri: Cow<'a, [u8]>,
    headers: Vec<Field<Cow<'a, [u8]>>>,
    client_certificate: Option<Cow<'a, [u8]>>,
    context: Vec<(Kind, Cow<'a, [u8]>)>,
    content: Option<Content<Cow<'a, [u8]>>>,
}

impl<'py> Given<'py> {
    /// The arguments by their names, of which the call `takes` these. One that is None was not
    /// given.
    pub(crate) fn of(
        request: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
        takes: &[&[&str]],
    ) -> PyResult<Self> {
        input::no_more(extra, None)?;
        let mut given = Self {
            request: request.cloned(),
            ..Self::default()
        };
        for (name, value) in named.into_iter().flatten() {
            let text = input::text(&name, "each argument's name")?;
            if !takes.iter().any(|names| names.contains(&text)) {
                return Err(input::no_such_argument(&name));
            }
            let place = match text {
                "method" => &mut given.method,
                "uri" => &mut given.uri,
                "headers" => &mut given.headers,
                "client_certificate" => &mut given.client_certificate,
                "context" => &mut given.context,
                "content" => &mut given.content,
                "operation" => &mut given.operation,
                "approved" => &mut given.approved,
                "required_scopes" => &mut given.required_scopes,
                "acr_values" => &mut given.acr_values,
                "presenter" => &mut given.presenter,
                "nonce" => &mut given.nonce,
                "client_id" => &mut given.client_id,
                "access_token" => &mut given.access_token,
                "code" => &mut given.code,
                "into" => &mut given.into,
                "wait" => &mut given.wait,
                _ => return Err(input::no_such_argument(&name)),
            };
            *place = Some(value).filter(|value| !value.is_none());
        }
        Ok(given)
    }

    /// The same about a token and those it comes from.
    pub(crate) fn of_token<'a>(
        &'a self,
        token: Option<&'a Bound<'py, PyAny>>,
        context: Option<&'a Bound<'py, PyAny>>,
    ) -> Told<'a, 'py> {
        Told {
            token,
            context,
            needs: self.needs(),
        }
    }

    /// The same about a token alone, of which there are no parts of a request.
    pub(crate) fn without_request<'a>(
        &'a self,
        token: &'a Bound<'py, PyAny>,
    ) -> PyResult<Told<'a, 'py>> {
        let parts = [
            ("method", &self.method),
            ("uri", &self.uri),
            ("headers", &self.headers),
            ("client_certificate", &self.client_certificate),
            ("content", &self.content),
        ];
        if let Some((name, _)) = parts.into_iter().find(|(_, part)| part.is_some()) {
            let detail = format!("a token comes without {name}: that is a request's");
            return Err(usage(token.py(), detail));
        }
        Ok(self.of_token(Some(token), self.context.as_ref()))
    }

    pub(crate) fn model(&self) -> Option<&Bound<'py, PyAny>> {
        self.into.as_ref()
    }

    pub(crate) fn wait(&self) -> Option<&Bound<'py, PyAny>> {
        self.wait.as_ref()
    }

    pub(crate) fn parts(&self, py: Python<'py>) -> PyResult<Parts<'py>> {
        let parts = [&self.method, &self.uri, &self.headers];
        let (method, uri, headers) = match (&self.request, parts.map(Option::as_ref)) {
            (Some(request), [None, None, None]) => {
                translate(py, &PARTS, "parts", request)?.extract()?
            }
            (None, [Some(method), Some(uri), Some(headers)]) => (
                method.clone(),
                uri.clone(),
                translate(py, &PAIRS, "pairs", headers)?,
            ),
            _ => {
                let detail = "give request, or method, uri and headers";
                return Err(usage(py, detail.to_owned()));
            }
        };
        let mut fields = Vec::with_capacity(Request::FIELDS.len());
        for pair in headers.try_iter()? {
            let (name, value) = pair_of(&pair?)?;
            if is_looked_at(&name)? {
                fields.push((name, value));
            } else if !input::has_bytes(&value) {
                return Err(input::wrong_type(&value, "headers", TEXT));
            }
        }
        Ok(Parts {
            method,
            uri,
            headers: fields,
            client_certificate: self.client_certificate.clone(),
            context: self
                .context
                .as_ref()
                .map_or_else(|| Ok(Vec::new()), further)?,
            content: self.content.as_ref().map(content).transpose()?,
        })
    }

    /// What the call needs beyond its gate's demands.
    pub(crate) fn needs(&self) -> Needs<'_, 'py> {
        Needs {
            required_scopes: self.required_scopes.as_ref(),
            acr_values: self.acr_values.as_ref(),
            presenter: self.presenter.as_ref(),
            nonce: self.nonce.as_ref(),
            client_id: self.client_id.as_ref(),
            access_token: self.access_token.as_ref(),
            code: self.code.as_ref(),
            operation: self.operation.as_ref(),
            approved: self.approved.as_ref(),
        }
    }

    /// As keyword arguments, for a call that may be made again: a server's iterator over headers
    /// would have nothing left, and what can change is judged as it is now.
    pub(crate) fn arguments(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let arguments = self.needs().kept(py)?;
        self.parts(py)?.put_into(&arguments)?;
        Ok(arguments)
    }
}

impl<'py> Parts<'py> {
    pub(crate) fn octets(&self) -> PyResult<Octets<'_>> {
        let headers = self.headers.iter();
        let headers =
            headers.map(|(name, value)| Ok((text(name, "headers")?, text(value, "headers")?)));
        let certificate = self.client_certificate.as_ref();
        let certificate = certificate.map(der);
        let context = self.context.iter();
        let context = context.map(|(kind, token)| Ok((*kind, input::token(token, "context")?)));
        Ok(Octets {
            method: text(&self.method, "method")?,
            uri: text(&self.uri, "uri")?,
            headers: headers.collect::<PyResult<_>>()?,
            client_certificate: certificate.transpose()?,
            context: context.collect::<PyResult<_>>()?,
            content: match &self.content {
                Some((token, proof)) => {
                    let proof = proof.as_ref();
                    let proof = proof.map(|proof| input::token(proof, "content: proof"));
                    Some((input::token(token, "content: token")?, proof.transpose()?))
                }
                None => None,
            },
        })
    }

    /// As keyword arguments.
    fn put_into(&self, arguments: &Bound<'py, PyDict>) -> PyResult<()> {
        let py = arguments.py();
        arguments.set_item("method", input::kept(&self.method, "method", TEXT)?)?;
        arguments.set_item("uri", input::kept(&self.uri, "uri", TEXT)?)?;
        let headers = self.headers.iter().map(|(name, value)| {
            let name = input::kept(name, "headers", TEXT)?;
            Ok((name, input::kept(value, "headers", TEXT)?))
        });
        let headers = headers.collect::<PyResult<Vec<_>>>()?;
        arguments.set_item("headers", PyList::new(py, headers)?)?;
        let certificate = self.client_certificate.as_ref();
        let certificate = certificate.map(|value| der(value).map(|der| PyBytes::new(py, &der)));
        let certificate = certificate.transpose()?;
        arguments.set_item("client_certificate", certificate)?;
        let context = self.context.iter().map(|(kind, token)| {
            let entry = PyDict::new(py);
            entry.set_item("kind", kind.as_str())?;
            entry.set_item("token", input::kept(token, "context", input::TOKEN)?)?;
            Ok(entry)
        });
        let context: Vec<Bound<'py, PyDict>> = context.collect::<PyResult<_>>()?;
        arguments.set_item("context", context)?;
        if let Some((token, proof)) = &self.content {
            let content = PyDict::new(py);
            content.set_item("token", input::kept(token, "content: token", input::TOKEN)?)?;
            if let Some(proof) = proof {
                let proof = input::kept(proof, "content: proof", input::TOKEN)?;
                content.set_item("proof", proof)?;
            }
            arguments.set_item("content", content)?;
        }
        Ok(())
    }
}

impl Octets<'_> {
    /// The further tokens, for [`Octets::request`].
    pub(crate) fn context(&self) -> Vec<ContextToken<'_>> {
        let context = self.context.iter();
        context
            .map(|(kind, token)| ContextToken::new(*kind, token))
            .collect()
    }

    pub(crate) fn request<'r>(&'r self, context: &'r [ContextToken<'r>]) -> Request<'r> {
        let headers = self.headers.iter();
        let request = Request::new(&self.method, &self.uri)
            .headers(headers.map(|(name, value)| (name, value)))
            .context(context);
        let request = match &self.client_certificate {
            Some(der) => request.client_certificate(der),
            None => request,
        };
        match &self.content {
            Some((token, Some(proof))) => request.content(token, proof),
            Some((token, None)) => request.form(token),
            None => request,
        }
    }
}

/// What `sealgate/_request.py` makes of a value.
fn translate<'py>(
    py: Python<'py>,
    function: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let function = function.get_or_try_init(py, || -> PyResult<_> {
        let module = PyModule::import(py, "sealgate._request")?;
        Ok(module.getattr(name)?.unbind())
    })?;
    function.bind(py).call1((value,)).map_err(|error| {
        let none = PyModule::import(py, "sealgate._request")
            .and_then(|module| module.getattr("NoRequest"))
            .is_ok_and(|none| error.is_instance(py, &none));
        if none {
            usage(py, error.value(py).to_string())
        } else {
            error
        }
    })
}

/// Further tokens: each a mapping with the members `kind` and `token`, and no other.
pub(crate) fn further<'py>(
    context: &Bound<'py, PyAny>,
) -> PyResult<Vec<(Kind, Bound<'py, PyAny>)>> {
    let entries = context.try_iter();
    let entries = entries.map_err(|_| input::wrong_type(context, "context", CONTEXT))?;
    entries
        .map(|entry| context_token(&entry?, "each of context"))
        .collect()
}

/// The mistake of a call that has no context and needs one.
pub(crate) fn no_context(py: Python<'_>) -> PyErr {
    input::wrong_type(py.None().bind(py), "context", CONTEXT)
}

/// A token whose kind the caller tells, as `kind` and `token` of a mapping.
pub(crate) fn context_token<'py>(
    entry: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<(Kind, Bound<'py, PyAny>)> {
    let member = |name| entry.get_item(name);
    let (Ok(2), Ok(kind), Ok(token)) = (entry.len(), member("kind"), member("token")) else {
        return Err(match entry.cast::<PyMapping>() {
            Ok(_) => usage(
                entry.py(),
                format!("{name} must have kind and token, and no more"),
            ),
            Err(_) => input::wrong_type(entry, name, "a mapping of kind and token"),
        });
    };
    let kind = input::text(&kind, &format!("{name}: kind"))?;
    let known = Kind::from_name(kind);
    let known = known.ok_or_else(|| {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        let kinds = kinds.join(", ");
        let detail = format!("{name}: no kind of tokens is {kind:?}; there are: {kinds}");
        usage(entry.py(), detail)
    })?;
    Ok((known, token))
}

/// Whether the core looks at the header field of this name. The others stay where they are.
fn is_looked_at(name: &Bound<'_, PyAny>) -> PyResult<bool> {
    let mut fields = Request::FIELDS.iter();
    // Most are told by their length, without a look at their letters.
    if input::has_bytes(name)
        && name
            .len()
            .is_ok_and(|size| fields.all(|one| one.len() != size))
    {
        return Ok(false);
    }
    let name = text(name, "headers")?;
    let mut fields = Request::FIELDS.iter();
    Ok(fields.any(|field| name.eq_ignore_ascii_case(field.as_bytes())))
}

/// A capability and the proof of one call, which came in the content of a request; or a grant
/// alone.
fn content<'py>(value: &Bound<'py, PyAny>) -> PyResult<Content<Bound<'py, PyAny>>> {
    let member = |name| value.get_item(name);
    match (value.len(), member("token"), member("proof")) {
        (Ok(2), Ok(token), Ok(proof)) => Ok((token, Some(proof))),
        (Ok(1), Ok(token), Err(_)) => Ok((token, None)),
        _ => {
            let right = "a mapping of token and proof, or of a grant's token alone";
            Err(input::wrong_type(value, "content", right))
        }
    }
}

/// A certificate's bytes; a text is PEM, or a header that somebody has passed on.
fn der<'v>(value: &'v Bound<'_, PyAny>) -> PyResult<Cow<'v, [u8]>> {
    let is_text = value.is_instance_of::<PyString>();
    let bytes = if is_text { None } else { input::bytes(value)? };
    bytes.ok_or_else(|| input::wrong_type(value, "client_certificate", DER))
}

fn pair_of<'py>(pair: &Bound<'py, PyAny>) -> PyResult<Field<Bound<'py, PyAny>>> {
    if let Ok(pair) = pair.cast::<PyTuple>()
        && pair.len() == 2
    {
        return Ok((pair.get_item(0)?, pair.get_item(1)?));
    }
    // ASGI allows any two items.
    if let Ok(pair) = pair.cast::<PyList>()
        && pair.len() == 2
    {
        return Ok((pair.get_item(0)?, pair.get_item(1)?));
    }
    let detail = "headers must be pairs of a name and a value";
    Err(usage(pair.py(), detail.to_owned()))
}

fn text<'v>(value: &'v Bound<'_, PyAny>, name: &str) -> PyResult<Cow<'v, [u8]>> {
    match input::field(value)? {
        Some(bytes) => Ok(bytes),
        None => Err(input::wrong_type(value, name, TEXT)),
    }
}
