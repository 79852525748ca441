//! [`Gate`]: a door one verifies at.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sealgate::{Clock, Error, Request, Requirements};

use crate::batch::Batch;
use crate::chain::Needs;
use crate::errors::{guard, of_gate};
use crate::explain::Trail;
use crate::input;
use crate::pool;
use crate::request::{self, Given};
use crate::token::VerifiedToken;
use crate::verdict::Verdict;
use crate::verifier::Verifier;
use crate::waiting::{self, Ask};

/// A gate of the core and the clock it judges by: what tokens, verdicts and batches hold on to.
pub(crate) struct Door {
    pub(crate) gate: sealgate::Gate,
    pub(crate) clock: Clock,
}

impl Door {
    /// One verdict. Only a token that was not seen before is worth letting go of the interpreter.
    fn decide(
        &self,
        py: Python<'_>,
        token: &[u8],
        requirements: &Requirements,
    ) -> Result<sealgate::VerifiedToken, Error> {
        guard(|| match self.gate.recall(token, requirements) {
            Some(verdict) => verdict,
            None => py.detach(|| self.gate.verify_unseen(token, requirements)),
        })
    }

    pub(crate) fn verify<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<VerifiedToken> {
        let bytes = input::token(input::given(py, token)?, "token")?;
        let requirements = input::requirements(scopes)?;
        match self.decide(py, &bytes, &requirements) {
            Ok(token) => VerifiedToken::new(py, token, Arc::clone(self), into),
            Err(error) => Err(of_gate(py, error, &self.gate, &requirements)),
        }
    }

    pub(crate) fn judge<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Verdict> {
        let bytes = input::token(input::given(py, token)?, "token")?;
        let requirements = input::requirements(scopes)?;
        let verdict = self.decide(py, &bytes, &requirements);
        Verdict::new(py, verdict, Arc::clone(self), requirements, into)
    }

    /// A call of the core's about a request, and what it needs beyond the gate's demands.
    fn ask_about<T: Send>(
        &self,
        py: Python<'_>,
        given: &Given<'_>,
        call: impl FnOnce(&sealgate::Gate, &Request<'_>, &Requirements) -> Result<T, Error> + Send,
    ) -> PyResult<(Result<T, Error>, Requirements)> {
        let requirements = given.requirements()?;
        let parts = given.parts(py)?;
        let octets = parts.octets()?;
        let context = octets.context();
        let request = octets.request(&context);
        let answer = guard(|| py.detach(|| call(&self.gate, &request, &requirements)));
        Ok((answer, requirements))
    }

    pub(crate) fn verify_request(
        self: &Arc<Self>,
        py: Python<'_>,
        given: &Given<'_>,
    ) -> PyResult<VerifiedToken> {
        match self.ask_about(py, given, sealgate::Gate::verify_request)? {
            (Ok(token), _) => VerifiedToken::new(py, token, Arc::clone(self), given.into()),
            (Err(error), needs) => Err(of_gate(py, error, &self.gate, &needs)),
        }
    }

    pub(crate) fn judge_request(
        self: &Arc<Self>,
        py: Python<'_>,
        given: &Given<'_>,
    ) -> PyResult<Verdict> {
        let (verdict, needs) = self.ask_about(py, given, sealgate::Gate::verify_request)?;
        Verdict::new(py, verdict, Arc::clone(self), needs, given.into())
    }

    pub(crate) fn explain_request(
        self: &Arc<Self>,
        py: Python<'_>,
        given: &Given<'_>,
    ) -> PyResult<Trail> {
        let explain = |gate: &sealgate::Gate, request: &Request<'_>, needs: &Requirements| {
            Ok(gate.explain_request(request, needs))
        };
        let (explained, needs) = self.ask_about(py, given, explain)?;
        let explained = explained.map_err(|error| of_gate(py, error, &self.gate, &needs))?;
        Trail::new(py, explained, Arc::clone(self), needs)
    }

    pub(crate) fn verify_batch(
        self: &Arc<Self>,
        py: Python<'_>,
        tokens: Option<&Bound<'_, PyAny>>,
        scopes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Batch> {
        let requirements = input::requirements(scopes)?;
        let tokens = input::all_given(py, tokens)?;
        let batch = match input::bytes(tokens)? {
            Some(buffer) => self.batch(py, &sealgate::Batch::lines(&buffer), &requirements),
            None => {
                let items = input::items(tokens)?;
                let tokens = items.iter().enumerate();
                let tokens =
                    tokens.map(|(index, item)| input::token(item, &format!("tokens[{index}]")));
                self.batch(py, &tokens.collect::<PyResult<Vec<_>>>()?, &requirements)
            }
        };
        let batch = batch.map_err(|error| of_gate(py, error, &self.gate, &requirements))?;
        Ok(Batch::new(batch, Arc::clone(self), requirements))
    }

    fn batch<T: AsRef<[u8]> + Sync>(
        &self,
        py: Python<'_>,
        tokens: &[T],
        requirements: &Requirements,
    ) -> Result<sealgate::Batch, Error> {
        guard(|| {
            let judged =
                py.detach(|| pool::install(|| self.gate.verify_batch_with(tokens, requirements)));
            judged.map_err(|_| sealgate::Code::Internal.into()) // the system gave no threads
        })
    }

    pub(crate) fn explain(
        self: &Arc<Self>,
        py: Python<'_>,
        token: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Trail> {
        let bytes = input::token(input::given(py, token)?, "token")?;
        let explained = guard(|| Ok(py.detach(|| self.gate.explain(&bytes))));
        let explained =
            explained.map_err(|error| of_gate(py, error, &self.gate, &Requirements::NONE))?;
        Trail::new(py, explained, Arc::clone(self), Requirements::NONE)
    }
}

/// A door of a verifier: a kind of token, from these issuers, for this audience, under these rules.
///
/// It comes from `Verifier.gate` and stays valid over reloads. Calls do no I/O and take no lock;
/// they may come from any thread, and threads verify in parallel.
#[pyclass(frozen, module = "sealgate", weakref)]
pub(crate) struct Gate {
    pub(crate) door: Arc<Door>,
    verifier: Py<Verifier>,
}

impl Gate {
    pub(crate) fn new(door: Arc<Door>, verifier: Py<Verifier>) -> Self {
        Self { door, verifier }
    }

    fn ask<'a, 'py>(
        &'a self,
        slf: &'a Bound<'py, Self>,
        token: Option<&'a Bound<'py, PyAny>>,
        scopes: Option<&'a Bound<'py, PyAny>>,
        into: Option<&'a Bound<'py, PyAny>>,
        wait: Option<&'a Bound<'py, PyAny>>,
    ) -> PyResult<Ask<'a, 'py>> {
        Ok(Ask {
            door: slf.as_any(),
            waiters: &self.verifier.get().waiters,
            token: input::given(slf.py(), token)?,
            scopes,
            into,
            wait,
        })
    }
}

#[pymethods]
impl Gate {
    /// The gate's name in the policy; empty after a reload has removed it.
    #[getter]
    fn name(&self) -> String {
        self.door.gate.name()
    }

    /// The verifier it belongs to.
    #[getter]
    fn verifier(&self) -> &Py<Verifier> {
        &self.verifier
    }

    /// Verifies a bearer token: `str`, `bytes` or `memoryview`. A token that is bound to a key is
    /// refused with `pop_required`.
    ///
    /// `required_scopes` are what this call needs beyond its gate. `into` is a dataclass, a
    /// `msgspec.Struct` or a pydantic model that `claims` is to be, checked after the signature.
    ///
    /// Raises `TokenError` (the token is refused: 400, 401 or 403), `UnavailableError` (it cannot
    /// be decided: 503) or `UsageError` (an argument is wrong).
    #[pyo3(
        signature = (token=None, *, required_scopes=None, into=None),
        text_signature = "($self, token, *, required_scopes=(), into=None)"
    )]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<VerifiedToken> {
        self.door.verify(py, token, required_scopes, into)
    }

    /// As `verify`, with the answer as a value: accepted, refused or undecided. Raises only
    /// `UsageError`.
    #[pyo3(
        signature = (token=None, *, required_scopes=None, into=None),
        text_signature = "($self, token, *, required_scopes=(), into=None)"
    )]
    fn judge<'py>(
        &self,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Verdict> {
        self.door.judge(py, token, required_scopes, into)
    }

    /// As `verify`, to be awaited, under asyncio or trio. It answers at once; only where the answer
    /// would be `keys_refreshing` it waits for that refresh, at most `wait`, and asks again.
    #[pyo3(
        signature = (
            token=None, *extra, required_scopes=None, into=None, wait=None, **unknown
        ),
        text_signature = "($self, token, *, required_scopes=(), into=None, wait='2s')"
    )]
    fn verify_async<'py>(
        slf: &Bound<'py, Self>,
        token: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
        wait: Option<&Bound<'py, PyAny>>,
        unknown: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        input::no_more(extra, unknown)?;
        slf.get()
            .ask(slf, token, required_scopes, into, wait)?
            .verify()
    }

    /// As `judge`, to be awaited: see `verify_async`.
    #[pyo3(
        signature = (
            token=None, *extra, required_scopes=None, into=None, wait=None, **unknown
        ),
        text_signature = "($self, token, *, required_scopes=(), into=None, wait='2s')"
    )]
    fn judge_async<'py>(
        slf: &Bound<'py, Self>,
        token: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
        wait: Option<&Bound<'py, PyAny>>,
        unknown: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        input::no_more(extra, unknown)?;
        slf.get()
            .ask(slf, token, required_scopes, into, wait)?
            .judge()
    }

    /// Verifies a request: its token, that the presenter holds the key it is bound to, and that the
    /// proof of it was not used before. A proof is used up only when nothing else refuses.
    ///
    /// `request` is an ASGI scope, a WSGI environ, or an object that has one: a request of Starlette,
    /// FastAPI, Django, Flask. Or give `method`, `uri` (path and query as sent) and `headers` (pairs, as
    /// they came; see `single_valued`). Scheme and host are the policy's `public_url`, whatever the
    /// request says. `client_certificate` is the one of the server's own TLS, in DER.
    ///
    /// `context` are the tokens that the request's own comes from, as `verify_chain` takes them. A
    /// capability that came in the content of the request, with the proof of this call, is `content`:
    /// a mapping of `token` and `proof`. `operation` is what the call is about to do: `tool`, its
    /// `arguments`, `resource`, `action`, `scope`. `approved` is the whole of what was approved, of
    /// which the token has the digest: `issuer`, and `authority_set` or `intent`.
    ///
    /// Raises as `verify`, `CredentialError`, `PossessionError` and `ReplayError` among them.
    #[pyo3(
        signature = (request=None, *extra, **named),
        text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), into=None)"
    )]
    fn verify_request<'py>(
        &self,
        py: Python<'py>,
        request: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<VerifiedToken> {
        let given = Given::of(request, extra, named, request::JUDGED)?;
        self.door.verify_request(py, &given)
    }

    /// As `verify_request`, with the answer as a value. Raises only `UsageError`.
    #[pyo3(
        signature = (request=None, *extra, **named),
        text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), into=None)"
    )]
    fn judge_request<'py>(
        &self,
        py: Python<'py>,
        request: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Verdict> {
        let given = Given::of(request, extra, named, request::JUDGED)?;
        self.door.judge_request(py, &given)
    }

    /// As `explain`, of a request. It uses no proof up, so it is no substitute for `verify_request`:
    /// the same request is accepted after it.
    #[pyo3(
        signature = (request=None, *extra, **named),
        text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=())"
    )]
    fn explain_request<'py>(
        &self,
        py: Python<'py>,
        request: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Trail> {
        let given = Given::of(request, extra, named, request::EXPLAINED)?;
        self.door.explain_request(py, &given)
    }

    /// As `verify_request`, to be awaited: see `verify_async`.
    #[pyo3(
        signature = (request=None, *extra, **named),
        text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), into=None, wait='2s')"
    )]
    fn verify_request_async<'py>(
        slf: &Bound<'py, Self>,
        request: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let given = Given::of(request, extra, named, request::AWAITED)?;
        waiting::request(
            slf.as_any(),
            &slf.get().verifier.get().waiters,
            &waiting::VERIFY_REQUEST,
            &given,
        )
    }

    /// As `judge_request`, to be awaited: see `verify_async`.
    #[pyo3(
        signature = (request=None, *extra, **named),
        text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), into=None, wait='2s')"
    )]
    fn judge_request_async<'py>(
        slf: &Bound<'py, Self>,
        request: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let given = Given::of(request, extra, named, request::AWAITED)?;
        waiting::request(
            slf.as_any(),
            &slf.get().verifier.get().waiters,
            &waiting::JUDGE_REQUEST,
            &given,
        )
    }

    /// Verifies a bearer token together with the tokens it comes from: those it was exchanged for, or
    /// the grant it was given for. From each to the next nobody is left out and authority only shrinks;
    /// what that proves is the token's `lineage`, and what it leaves open its `unproven`.
    ///
    /// `context` has a mapping of `kind` and `token` each, in any order; which kinds are taken, the
    /// gate's `context` says. A capability comes with those it was derived from.
    ///
    /// Raises as `verify`, `DelegationError` among them.
    #[pyo3(
        signature = (
            token=None, context=None, *extra, required_scopes=None, operation=None, approved=None, into=None, **unknown
        ),
        text_signature = "($self, token, context, *, required_scopes=(), operation=None, approved=None, into=None)"
    )]
    fn verify_chain<'py>(
        &self,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        context: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        operation: Option<&Bound<'py, PyAny>>,
        approved: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
        unknown: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<VerifiedToken> {
        input::no_more(extra, unknown)?;
        let needs = Needs {
            scopes: required_scopes,
            operation,
            approved,
            into,
        };
        self.door.verify_chain(py, token, context, &needs)
    }

    /// Whether a token may be sent on to `target` in the name of the one that was verified here: it
    /// comes out of it as one token of a chain out of another, it is for `target` alone, and it is valid
    /// now. A service that passes on what it was sent lets everybody behind it act here.
    ///
    /// `outbound` is a mapping of `kind` and `token`; the gate's `context` must take that kind, since
    /// its issuer's keys verify it.
    ///
    /// Raises `AuthorityError` (`token_passthrough`: it is the token that came in), `DelegationError`
    /// and what `verify` raises of a token that is no good.
    #[pyo3(
        signature = (inbound=None, outbound=None, *extra, target=None, **unknown),
        text_signature = "($self, inbound, outbound, *, target)"
    )]
    fn check_outbound<'py>(
        &self,
        py: Python<'py>,
        inbound: Option<&Bound<'py, PyAny>>,
        outbound: Option<&Bound<'py, PyAny>>,
        extra: &Bound<'py, PyTuple>,
        target: Option<&Bound<'py, PyAny>>,
        unknown: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        input::no_more(extra, unknown)?;
        self.door.check_outbound(py, inbound, outbound, target)
    }

    /// Judges many tokens under one state and one moment, on all cores, with the interpreter
    /// released: an iterable of `str` or `bytes`, or one buffer with a token a line. A token that
    /// occurs more than once is verified once. Raises only `UsageError` (and `InternalError`).
    #[pyo3(
        signature = (tokens=None, *extra, required_scopes=None, **unknown),
        text_signature = "($self, tokens, *, required_scopes=())"
    )]
    fn verify_batch(
        &self,
        py: Python<'_>,
        tokens: Option<&Bound<'_, PyAny>>,
        extra: &Bound<'_, PyTuple>,
        required_scopes: Option<&Bound<'_, PyAny>>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Batch> {
        input::no_more(extra, unknown)?;
        self.door.verify_batch(py, tokens, required_scopes)
    }

    /// Verifies from scratch and tells what each rule saw. For operators: it shows claim values.
    #[pyo3(signature = (token=None, *extra, **unknown), text_signature = "($self, token)")]
    fn explain(
        &self,
        py: Python<'_>,
        token: Option<&Bound<'_, PyAny>>,
        extra: &Bound<'_, PyTuple>,
        unknown: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Trail> {
        input::no_more(extra, unknown)?;
        self.door.explain(py, token)
    }

    /// The OAuth 2.0 Protected Resource Metadata of this gate (RFC 9728) as a mapping; `None` after
    /// a reload has removed it.
    fn resource_metadata<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let metadata = self.door.gate.resource_metadata();
        metadata
            .map(|text| crate::frozen::parse(py, &text))
            .transpose()
    }

    fn __repr__(&self) -> String {
        format!("<Gate {:?}>", self.name())
    }
}
