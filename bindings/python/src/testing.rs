//! What `sealgate.testing` is made of: fakes, and the refusals of a gate.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use sealgate::testing::{
    self, Argument, Call, FakeAgent, FakeIssuer, FakeMembers, FakeOptions, FakeProof, FakeToken,
    NoRefusals, Refusal, Route,
};

use crate::clock;
use crate::errors::{usage, without_gate};
use crate::gate::Gate;
use crate::key::{self, SigningKey, refused};

/// The options of a fake; what is not given is as the core has it.
fn options(
    py: Python<'_>,
    clock: Option<&Bound<'_, PyAny>>,
    seed: Option<u64>,
    alg: Option<&str>,
    name: Option<&str>,
) -> PyResult<FakeOptions> {
    let mut options = FakeOptions::new();
    if clock.is_some() {
        options = options.clock(clock::of(clock)?);
    }
    if let Some(seed) = seed {
        options = options.seed(seed);
    }
    if let Some(alg) = alg {
        options = options.algorithm(key::algorithm(py, alg)?);
    }
    if let Some(name) = name {
        options = options.name(name);
    }
    Ok(options)
}

/// What `FakeIssuer` holds.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct RawIssuer {
    fake: FakeIssuer,
}

#[pymethods]
impl RawIssuer {
    #[new]
    #[pyo3(signature = (issuer, *, clock=None, seed=None, alg=None, name=None))]
    fn new(
        py: Python<'_>,
        issuer: &str,
        clock: Option<&Bound<'_, PyAny>>,
        seed: Option<u64>,
        alg: Option<&str>,
        name: Option<&str>,
    ) -> PyResult<Self> {
        let options = options(py, clock, seed, alg, name)?;
        let fake = py.detach(|| FakeIssuer::new(issuer, options));
        let fake = fake.map_err(|error| refused(py, &error))?;
        Ok(Self { fake })
    }

    #[getter]
    fn issuer(&self) -> &str {
        self.fake.issuer()
    }

    #[getter]
    fn alg(&self) -> &'static str {
        self.fake.algorithm().name()
    }

    #[getter]
    fn kid(&self) -> String {
        self.fake.kid()
    }

    #[getter]
    fn key(&self) -> SigningKey {
        SigningKey {
            key: self.fake.key(),
        }
    }

    fn now(&self) -> i64 {
        self.fake.now().seconds()
    }

    fn jwks(&self) -> String {
        self.fake.jwks()
    }

    #[pyo3(signature = (keep=None))]
    fn rotate(&self, py: Python<'_>, keep: Option<usize>) -> PyResult<String> {
        let kid = py.detach(|| self.fake.rotate(keep));
        kid.map_err(|error| refused(py, &error))
    }

    fn withdraw(&self, kid: &str) -> bool {
        self.fake.withdraw(kid)
    }

    /// A token that says this, as JSON: see `FakeToken` of the core.
    #[pyo3(signature = (told, lifetime=None))]
    fn token(
        &self,
        py: Python<'_>,
        told: &str,
        lifetime: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let mut told: FakeToken = told_by(py, serde_json::from_str(told))?;
        if let Some(lifetime) = lifetime {
            told.lifetime = clock::span(lifetime)?;
        }
        let token = self.fake.token(&told);
        token.map_err(|error| refused(py, &error))
    }

    /// A compact JWS over these very octets, under the usual header with these changes, as JSON.
    fn sign(&self, py: Python<'_>, payload: &[u8], header: &str) -> PyResult<String> {
        let header: FakeMembers = told_by(py, serde_json::from_str(header))?;
        let token = self.fake.sign_with(payload, &header);
        token.map_err(|error| refused(py, &error))
    }

    /// A compact JWS over these very octets under this very header.
    fn sign_as(&self, py: Python<'_>, payload: &[u8], header: &[u8]) -> PyResult<String> {
        let token = self.fake.sign(payload, header);
        token.map_err(|error| refused(py, &error))
    }
}

/// What `FakeAgent` holds.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct RawAgent {
    fake: FakeAgent,
}

#[pymethods]
impl RawAgent {
    #[new]
    #[pyo3(signature = (sub, *, clock=None, seed=None, alg=None))]
    fn new(
        py: Python<'_>,
        sub: &str,
        clock: Option<&Bound<'_, PyAny>>,
        seed: Option<u64>,
        alg: Option<&str>,
    ) -> PyResult<Self> {
        let options = options(py, clock, seed, alg, None)?;
        let fake = FakeAgent::new(sub, &options).map_err(|error| refused(py, &error))?;
        Ok(Self { fake })
    }

    #[getter]
    fn jkt(&self) -> String {
        self.fake.jkt()
    }

    #[getter]
    fn key(&self) -> SigningKey {
        SigningKey {
            key: self.fake.key(),
        }
    }

    #[getter]
    fn certificate<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.fake.certificate())
    }

    /// A proof that says this, as JSON: see `FakeProof` of the core.
    fn prove(&self, py: Python<'_>, told: &str) -> PyResult<String> {
        let told: FakeProof = told_by(py, serde_json::from_str(told))?;
        let proof = self.fake.prove(&told);
        proof.map_err(|error| refused(py, &error))
    }

    /// The fields of a request to a gate with this token.
    #[pyo3(signature = (gate, method, uri, token, nonce=None))]
    fn headers(
        &self,
        py: Python<'_>,
        gate: &Bound<'_, Gate>,
        method: String,
        uri: String,
        token: &str,
        nonce: Option<&str>,
    ) -> PyResult<Vec<(&'static str, String)>> {
        let gate = &gate.get().door.gate;
        let fields = self
            .fake
            .headers(gate, &Route { method, uri }, token, nonce);
        fields.map_err(|error| raised(py, &error))
    }
}

/// What arguments of each kind must be, in words; and the largest number.
#[pyfunction]
pub(crate) fn fake_arguments() -> (BTreeMap<&'static str, String>, u64) {
    let arguments = Argument::ALL.iter();
    let words = arguments.map(|argument| (argument.as_str(), argument.expected()));
    (words.collect(), testing::MOST)
}

fn told_by<T>(py: Python<'_>, told: serde_json::Result<T>) -> PyResult<T> {
    told.map_err(|error| usage(py, error.to_string()))
}

/// A code that a gate gives.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct RawRefusal {
    refusal: Refusal,
}

#[pymethods]
impl RawRefusal {
    #[getter]
    fn code(&self) -> &'static str {
        self.refusal.code().as_str()
    }

    #[getter]
    fn http_status(&self) -> u16 {
        self.refusal.http_status()
    }

    /// A request that is refused with it now.
    fn call(&self, py: Python<'_>) -> PyResult<RawCall> {
        let call = py.detach(|| self.refusal.call());
        let call = call.map_err(|error| raised(py, &error))?;
        Ok(RawCall { call })
    }
}

/// A request that is refused.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct RawCall {
    call: Call,
}

#[pymethods]
impl RawCall {
    #[getter]
    fn method(&self) -> &str {
        self.call.method()
    }

    #[getter]
    fn uri(&self) -> &str {
        self.call.uri()
    }

    #[getter]
    fn headers(&self) -> Vec<(&'static str, &str)> {
        let headers = self.call.headers().iter();
        headers.map(|(name, value)| (*name, &**value)).collect()
    }

    #[getter]
    fn token(&self) -> Option<&str> {
        self.call.token()
    }

    #[getter]
    fn proof(&self) -> Option<&str> {
        self.call.proof()
    }

    #[getter]
    fn tool(&self) -> Option<&'static str> {
        self.call.tool()
    }

    #[getter]
    fn context(&self) -> Vec<(&'static str, &str)> {
        let context = self.call.context();
        context
            .map(|(kind, token)| (kind.as_str(), token))
            .collect()
    }

    #[getter]
    fn client_certificate<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let der = self.call.client_certificate()?;
        Some(PyBytes::new(py, der))
    }

    #[getter]
    fn http_status(&self) -> u16 {
        self.call.answer().status
    }

    #[getter]
    fn answer_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in &self.call.answer().headers {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    #[getter]
    fn answer_body(&self) -> &str {
        &self.call.answer().body
    }
}

/// Why a code is out of reach.
type Reason = (&'static str, &'static str);

/// The refusals of a gate with these fakes by their issuers' names, and the codes that it does not
/// give.
#[pyfunction]
#[pyo3(signature = (gate, issuers, *, method=None, uri=None))]
pub(crate) fn refusals(
    py: Python<'_>,
    gate: &Bound<'_, Gate>,
    issuers: Vec<(String, Bound<'_, RawIssuer>)>,
    method: Option<String>,
    uri: Option<String>,
) -> PyResult<(Vec<RawRefusal>, Vec<Reason>)> {
    let gate = &gate.get().door.gate;
    let fakes = issuers.iter();
    let fakes: Vec<_> = fakes
        .map(|(name, fake)| (&**name, fake.get().fake.clone()))
        .collect();
    let own = Route::default();
    let route = Route {
        method: method.unwrap_or(own.method),
        uri: uri.unwrap_or(own.uri),
    };
    let found = py.detach(|| testing::refusals(gate, &fakes, &route));
    let found = found.map_err(|error| raised(py, &error))?;
    let reachable = found.iter().cloned();
    let reachable = reachable.map(|refusal| RawRefusal { refusal }).collect();
    let unreachable = found.unreachable();
    let unreachable = unreachable
        .map(|(code, why)| (code.as_str(), why))
        .collect();
    Ok((reachable, unreachable))
}

/// What the caller can mend is a usage error.
fn raised(py: Python<'_>, error: &NoRefusals) -> PyErr {
    match error {
        NoRefusals::Key(error) => refused(py, error),
        NoRefusals::Surprise { .. } => {
            let internal = without_gate(py, sealgate::Code::Internal.into());
            internal.set_cause(py, Some(PyValueError::new_err(error.to_string())));
            internal
        }
        _ => usage(py, error.to_string()),
    }
}
