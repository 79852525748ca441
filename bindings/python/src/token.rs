//! [`VerifiedToken`]: a handle to what was verified, with views made on first touch and then kept.

use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule, PyTuple};
use sealgate::{Grounds, Possession, ReplayReach, SubjectKind};

use crate::errors::{Refused, misfit, of_gate, usage};
use crate::frozen;
use crate::gate::Door;
use crate::input::{self, Needs};

/// A token that passed every check of its gate. It cannot be made, changed or pickled; its `repr`
/// shows no claim value.
#[pyclass(frozen, module = "sealgate", generic)]
pub(crate) struct VerifiedToken {
    token: sealgate::VerifiedToken,
    door: Arc<Door>,
    /// What `into` made of the claims.
    model: Option<Py<PyAny>>,
    claims: PyOnceLock<Py<PyAny>>,
    header: PyOnceLock<Py<PyAny>>,
    chain: PyOnceLock<Py<PyTuple>>,
    audience: PyOnceLock<Py<PyTuple>>,
    scopes: PyOnceLock<Py<PyTuple>>,
}

/// A verified token as its caller wants the claims, or the claim that does not fit.
pub(crate) enum Filled {
    Token(VerifiedToken),
    Misfit(Option<String>, Grounds),
}

impl VerifiedToken {
    pub(crate) fn new<'py>(
        py: Python<'py>,
        token: sealgate::VerifiedToken,
        door: Arc<Door>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        if into.is_none() {
            return Ok(Self::of(token, door, None));
        }
        match Self::fill(py, token, door, into)? {
            Filled::Token(token) => Ok(token),
            Filled::Misfit(claim, grounds) => Err(misfit(py, claim, grounds)),
        }
    }

    pub(crate) fn fill<'py>(
        py: Python<'py>,
        token: sealgate::VerifiedToken,
        door: Arc<Door>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Filled> {
        let Some(into) = into else {
            return Ok(Filled::Token(Self::of(token, door, None)));
        };
        let module = PyModule::import(py, "sealgate._into")?;
        let model = module.getattr("fill")?.call1((into, token.payload()));
        match model {
            Ok(model) => Ok(Filled::Token(Self::of(token, door, Some(model.unbind())))),
            Err(error) if error.is_instance(py, &module.getattr("Misfit")?) => {
                let claim = error.value(py).getattr("claim")?.extract()?;
                Ok(Filled::Misfit(claim, door.gate.grounds_of(&token)))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn of(
        token: sealgate::VerifiedToken,
        door: Arc<Door>,
        model: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            token,
            door,
            model,
            claims: PyOnceLock::new(),
            header: PyOnceLock::new(),
            chain: PyOnceLock::new(),
            audience: PyOnceLock::new(),
            scopes: PyOnceLock::new(),
        }
    }

    pub(crate) fn verified(&self) -> &sealgate::VerifiedToken {
        &self.token
    }

    fn raw_claims(&self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        self.claims
            .get_or_try_init(py, || Ok(frozen::of(py, self.token.claims())?.unbind()))
    }
}

#[pymethods]
impl VerifiedToken {
    /// `iss`; for a JWT-SVID, which has none, the trust domain as `spiffe://…`.
    #[getter]
    fn issuer(&self) -> &str {
        self.token.issuer()
    }

    /// The policy's name for the issuer, safe as a metric label.
    #[getter]
    fn issuer_name(&self) -> &str {
        self.token.issuer_name()
    }

    /// `sub`: the person or service the token is about.
    #[getter]
    fn subject(&self) -> Option<&str> {
        self.token.subject()
    }

    /// `client_id`, by the issuer's `claim_names`.
    #[getter]
    fn client_id(&self) -> Option<&str> {
        self.token.client_id()
    }

    /// `jti`.
    #[getter]
    fn jwt_id(&self) -> Option<&str> {
        self.token.jwt_id()
    }

    /// `aud`, always a tuple.
    #[getter]
    fn audience(&self, py: Python<'_>) -> PyResult<&Py<PyTuple>> {
        self.audience.get_or_try_init(py, || {
            let audience: Vec<&str> = self.token.audience().collect();
            Ok(PyTuple::new(py, audience)?.unbind())
        })
    }

    /// `iat` in whole seconds since 1970; the exact number stays in `claims`.
    #[getter]
    fn issued_at(&self) -> Option<i64> {
        self.token.issued_at().map(|date| date.seconds())
    }

    /// `nbf` in whole seconds since 1970.
    #[getter]
    fn not_before(&self) -> Option<i64> {
        self.token.not_before().map(|date| date.seconds())
    }

    /// `exp` in whole seconds since 1970. Security event tokens and agent cards have none.
    #[getter]
    fn expires_at(&self) -> Option<i64> {
        self.token.expires_at().map(|date| date.seconds())
    }

    /// `scope` as a tuple.
    #[getter]
    fn scopes(&self, py: Python<'_>) -> PyResult<&Py<PyTuple>> {
        self.scopes.get_or_try_init(py, || {
            let scopes: Vec<&str> = self.token.scopes().collect();
            Ok(PyTuple::new(py, scopes)?.unbind())
        })
    }

    /// Whether the token grants all of these scopes, by itself or through the gate's
    /// `scope_implies`.
    #[pyo3(signature = (*names))]
    fn has_scope(&self, names: &Bound<'_, PyTuple>) -> PyResult<bool> {
        if names.is_empty() {
            return Err(usage(names.py(), "has_scope() names no scope"));
        }
        let names = input::texts(names.as_any(), "names")?;
        Ok(names.iter().all(|name| self.token.has_scope(name)))
    }

    /// `authorization_details` (RFC 9396) as a tuple of mappings.
    #[getter]
    fn authorization_details<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.token.authorization_details() {
            Some(text) => frozen::parse(py, text),
            None => Ok(PyTuple::empty(py).into_any()),
        }
    }

    /// Who is calling: the outermost actor of `act`; `None` when the subject itself is.
    #[getter]
    fn actor<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let chain = self.chain(py)?.bind(py);
        Ok(if chain.is_empty() {
            None
        } else {
            Some(chain.get_item(0)?)
        })
    }

    /// All actors, outermost first. One token only asserts the inner ones (RFC 8693 §4.1).
    #[getter]
    fn chain(&self, py: Python<'_>) -> PyResult<&Py<PyTuple>> {
        self.chain.get_or_try_init(py, || {
            let actors: Vec<Actor> = self.token.chain().map(Actor::new).collect();
            Ok(PyTuple::new(py, actors)?.unbind())
        })
    }

    /// Whether somebody else acts for the subject.
    #[getter]
    fn delegated(&self) -> bool {
        self.token.delegated()
    }

    /// What is proven about the chain: `"none"`, `"asserted"` by the issuer, or more.
    #[getter]
    fn lineage(&self) -> &'static str {
        self.token.lineage().as_str()
    }

    /// What was not compared between this token and those it comes from: `"subject"`, `"scope"`,
    /// `"time"`, `"audience"`, `"details"`. An issuer's word alone says that it did not grow.
    #[getter]
    fn unproven<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let unproven = self.token.unproven().map(sealgate::Dimension::as_str);
        let unproven: Vec<&str> = unproven.collect();
        PyTuple::new(py, unproven)
    }

    /// How possession of the token's key was shown: `None` for a bearer token, `"dpop"`, `"mtls"`,
    /// or `"external"` where somebody else checked the proof.
    #[getter]
    fn sender_constrained(&self) -> Option<&'static str> {
        self.token.sender_constrained().map(Possession::as_str)
    }

    /// What kind of party the subject is, where the token shows it: `"client"` or `"agent"`.
    #[getter]
    fn subject_kind(&self) -> Option<&'static str> {
        self.token.subject_kind().map(SubjectKind::as_str)
    }

    /// The exact row of the profile table: `"access_token"`.
    #[getter]
    fn profile(&self) -> &'static str {
        self.token.profile().as_str()
    }

    /// The name of the gate it passed.
    #[getter]
    fn gate(&self) -> &str {
        self.token.gate()
    }

    /// The protected header, read-only.
    #[getter]
    fn header(&self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        self.header
            .get_or_try_init(py, || Ok(frozen::parse(py, self.token.header())?.unbind()))
    }

    /// The claims as a read-only mapping, decoded on first touch; or what `into` made of them.
    #[getter]
    fn claims(&self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        match &self.model {
            Some(model) => Ok(model),
            None => self.raw_claims(py),
        }
    }

    /// The payload exactly as signed.
    #[getter]
    fn payload(&self) -> &[u8] {
        self.token.payload()
    }

    /// Under which policy and keys it was judged.
    #[getter]
    fn snapshot(&self) -> Snapshot {
        let snapshot = self.token.snapshot();
        Snapshot {
            policy: snapshot.policy.into(),
            keys: snapshot.keys,
            revocations: snapshot.revocations,
        }
    }

    /// What was asked about its revocation, and that of the tokens it comes from.
    #[getter]
    fn revocation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let check = self.token.revocation();
        let staleness = check.staleness.map(|age| age.to_duration().as_secs_f64());
        let class = CLASS.import(py, "sealgate._revocations", "RevocationCheck")?;
        class.call1((check.checked, check.store, check.sequence, staleness))
    }

    /// Header fields to add to the answer that grants the call, one a name; usually none.
    #[getter]
    fn response_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in self.token.response_headers() {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    /// Whether the status list was asked that the token refers to; `False` where it could not be
    /// and the policy accepts that, `None` for a token that refers to none.
    #[getter]
    fn status_checked(&self) -> Option<bool> {
        self.token.status_checked()
    }

    /// By what the issuer stands for the claims: `"signature"`, or `"introspection"`, its answer
    /// about a token that is no JWT (RFC 7662). Of such a token no actor proves no absence of
    /// delegation.
    #[getter]
    fn verified_by(&self) -> &'static str {
        self.token.verified_by().as_str()
    }

    /// When the issuer was asked whether the token is active; None where the policy has nobody ask.
    #[getter]
    fn introspected_at(&self) -> Option<i64> {
        self.token.introspected_at().map(|date| date.seconds())
    }

    /// How far it is known that the proof was not used before: `"process"`, `"host"` or `"fleet"`,
    /// or `"external"` where the policy says that somebody else remembers; `None` where no proof
    /// came.
    #[getter]
    fn replay_reach(&self) -> Option<&'static str> {
        self.token.replay_reach().map(ReplayReach::as_str)
    }

    /// Asks a later, narrower question of the same verdict: per tool, per route. Returns the token,
    /// or raises `AuthorityError`, or `ValidityError` when it has expired meanwhile.
    #[pyo3(
        signature = (*extra, required_scopes=None, operation=None, **unknown),
        text_signature = "($self, *, required_scopes=(), operation=None)"
    )]
    fn require<'py>(
        slf: &Bound<'py, Self>,
        extra: &Bound<'py, PyTuple>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        operation: Option<&Bound<'py, PyAny>>,
        unknown: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Self>> {
        input::no_more(extra, unknown)?;
        let Self { token, door, .. } = slf.get();
        let needs = Needs {
            required_scopes,
            operation,
            ..Needs::default()
        };
        let requirements = needs.requirements()?;
        let met = token.require(&requirements, door.clock.now());
        met.map_err(|error| {
            let grounds = door.gate.grounds_of(token);
            of_gate(slf.py(), Refused { error, grounds }, &requirements)
        })?;
        Ok(slf.clone())
    }

    /// A record for an audit log, ready for JSON: references and hashes, never the token.
    fn audit_record<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        frozen::load(py, &self.door.gate.audit_record(&self.token))
    }

    /// Everything above as a fresh `dict` of plain values, ready for JSON. It has claim values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        frozen::load(py, &self.token.to_json())
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<()> {
        let text = "a VerifiedToken cannot be pickled: pass the token itself, and verify it again";
        Err(usage(py, text))
    }

    fn __repr__(&self) -> String {
        let depth = self.token.chain().count();
        format!(
            "<VerifiedToken gate={:?} issuer_name={:?} profile={:?} chain={depth}>",
            self.gate(),
            self.issuer_name(),
            self.profile()
        )
    }
}

/// What a verdict was reached under: the policy's digest, the generation of the issuer's keys, the
/// epoch of the revocations.
#[pyclass(frozen, eq, hash, module = "sealgate")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Snapshot {
    policy: Box<str>,
    keys: u64,
    revocations: Option<u64>,
}

#[pymethods]
impl Snapshot {
    #[new]
    #[pyo3(signature = (policy, keys, revocations=None))]
    fn new(policy: &str, keys: u64, revocations: Option<u64>) -> Self {
        Self {
            policy: policy.into(),
            keys,
            revocations,
        }
    }

    /// The digest of the policy document: `sha256:` and hexadecimal.
    #[getter]
    fn policy(&self) -> &str {
        &self.policy
    }

    /// The generation of the issuer's keys.
    #[getter]
    fn keys(&self) -> u64 {
        self.keys
    }

    /// The epoch of the revocations that were asked; `None` where the policy asks nobody.
    #[getter]
    fn revocations(&self) -> Option<u64> {
        self.revocations
    }

    fn __repr__(&self) -> String {
        let revocations = self.revocations;
        let revocations = revocations.map_or_else(|| "None".to_owned(), |epoch| epoch.to_string());
        let (policy, keys) = (&self.policy, self.keys);
        format!("Snapshot(policy='{policy}', keys={keys}, revocations={revocations})")
    }
}

/// A party that acts for the subject. Two are equal when `iss` and `sub` are.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct Actor {
    iss: Box<str>,
    sub: Box<str>,
    iss_inferred: bool,
    sub_profile: Option<Box<str>>,
    json: Box<str>,
    claims: PyOnceLock<Py<PyAny>>,
}

impl Actor {
    fn new(actor: sealgate::Actor<'_>) -> Self {
        Self {
            iss: actor.iss().into(),
            sub: actor.sub().into(),
            iss_inferred: actor.iss_inferred(),
            sub_profile: actor.sub_profile().map(Into::into),
            json: actor.json().into(),
            claims: PyOnceLock::new(),
        }
    }
}

#[pymethods]
impl Actor {
    /// The actor's issuer: its own `iss`, else the token's.
    #[getter]
    fn iss(&self) -> &str {
        &self.iss
    }

    /// The actor's `sub`.
    #[getter]
    fn sub(&self) -> &str {
        &self.sub
    }

    /// Whether `iss` was taken from the token because the link names none.
    #[getter]
    fn iss_inferred(&self) -> bool {
        self.iss_inferred
    }

    /// The `sub_profile` member (Actor Profile draft).
    #[getter]
    fn sub_profile(&self) -> Option<&str> {
        self.sub_profile.as_deref()
    }

    /// The `act` object, nested actors included, read-only.
    #[getter]
    fn claims(&self, py: Python<'_>) -> PyResult<&Py<PyAny>> {
        self.claims
            .get_or_try_init(py, || Ok(frozen::parse(py, &self.json)?.unbind()))
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else {
            return Ok(py.NotImplemented());
        };
        let other = other.get();
        let same = self.sub == other.sub && self.iss == other.iss;
        Ok(match op {
            CompareOp::Eq => same.into_pyobject(py)?.to_owned().into_any().unbind(),
            CompareOp::Ne => (!same).into_pyobject(py)?.to_owned().into_any().unbind(),
            _ => py.NotImplemented(),
        })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyTuple::new(py, [&*self.iss, &*self.sub])?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let quoted = |text: &str| Ok::<_, PyErr>(text.into_pyobject(py)?.repr()?.to_string());
        Ok(format!(
            "Actor(iss={}, sub={})",
            quoted(&self.iss)?,
            quoted(&self.sub)?
        ))
    }
}
