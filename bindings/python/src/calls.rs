//! What a gate is asked, and a verifier that has only one: one list of calls for both classes.

use std::borrow::Borrow;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::gate::Door;

/// Who is asked about tokens: a gate, or a verifier that has only one.
pub(crate) trait AtDoor {
    /// The one gate; the mistake of a call to a verifier that has several.
    fn at_door(&self, py: Python<'_>) -> PyResult<impl Borrow<Arc<Door>>>;

    /// Those who wait for its keys.
    fn waiters(&self) -> &Py<PyAny>;
}

/// The methods of a class that is [`AtDoor`]: its own, and these calls.
macro_rules! calls {
    ($class:ident { $($own:tt)* }) => {
        #[pymethods]
        impl $class {
            $($own)*

            /// Verifies a bearer token: `str`, `bytes` or `memoryview`. A token that is bound to a
            /// key is refused with `pop_required`.
            ///
            /// `required_scopes` are what this call needs beyond its gate, and `acr_values` those
            /// of which the token's `acr` must be one. `into` is a dataclass, a `msgspec.Struct` or
            /// a pydantic model that `claims` is to be, checked after the signature.
            ///
            /// What the caller knows, and the token must be of: `nonce` of the sign-in that was
            /// begun; `client_id` of the client that the request has authenticated, or of which it
            /// is a credential; `access_token` and `code` that an ID token came with (`at_hash`,
            /// `c_hash`): `pop_mismatch` for another's, `missing_claim` where the token names none.
            /// `presenter` is a mapping of `iss` and `sub`: the workload that calls, as its own
            /// credential has proven it. None asks nothing.
            ///
            /// Raises `TokenError` (the token is refused: 400, 401 or 403), `UnavailableError` (it
            /// cannot be decided: 503) or `UsageError` (an argument is wrong).
            #[pyo3(
                signature = (
                    token=None, *, required_scopes=None, acr_values=None, presenter=None, nonce=None, client_id=None,
                    access_token=None, code=None, into=None
                ),
                text_signature = "($self, token, *, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None)"
            )]
            fn verify<'py>(
                &self,
                py: Python<'py>,
                token: Option<&Bound<'py, PyAny>>,
                required_scopes: Option<&Bound<'py, PyAny>>,
                acr_values: Option<&Bound<'py, PyAny>>,
                presenter: Option<&Bound<'py, PyAny>>,
                nonce: Option<&Bound<'py, PyAny>>,
                client_id: Option<&Bound<'py, PyAny>>,
                access_token: Option<&Bound<'py, PyAny>>,
                code: Option<&Bound<'py, PyAny>>,
                into: Option<&Bound<'py, PyAny>>,
            ) -> PyResult<crate::token::VerifiedToken> {
                let needs = crate::input::Needs {
                    required_scopes,
                    acr_values,
                    presenter,
                    nonce,
                    client_id,
                    access_token,
                    code,
                    ..crate::input::Needs::default()
                };
                self.at_door(py)?.borrow().verify(py, token, &needs, into)
            }

            /// As `verify`, with the answer as a value: accepted, refused or undecided. Raises only
            /// `UsageError`.
            #[pyo3(
                signature = (
                    token=None, *, required_scopes=None, acr_values=None, presenter=None, nonce=None, client_id=None,
                    access_token=None, code=None, into=None
                ),
                text_signature = "($self, token, *, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None)"
            )]
            fn judge<'py>(
                &self,
                py: Python<'py>,
                token: Option<&Bound<'py, PyAny>>,
                required_scopes: Option<&Bound<'py, PyAny>>,
                acr_values: Option<&Bound<'py, PyAny>>,
                presenter: Option<&Bound<'py, PyAny>>,
                nonce: Option<&Bound<'py, PyAny>>,
                client_id: Option<&Bound<'py, PyAny>>,
                access_token: Option<&Bound<'py, PyAny>>,
                code: Option<&Bound<'py, PyAny>>,
                into: Option<&Bound<'py, PyAny>>,
            ) -> PyResult<crate::verdict::Verdict> {
                let needs = crate::input::Needs {
                    required_scopes,
                    acr_values,
                    presenter,
                    nonce,
                    client_id,
                    access_token,
                    code,
                    ..crate::input::Needs::default()
                };
                self.at_door(py)?.borrow().judge(py, token, &needs, into)
            }

            /// As `verify`, to be awaited, under asyncio or trio. It answers at once; only where
            /// the answer would be `keys_refreshing` it waits for that refresh, at most `wait`, and
            /// asks again. Where tokens are good once and `replay.store` names a server, that is
            /// asked as `verify_request_async` does.
            #[pyo3(
                signature = (token=None, *extra, **named),
                text_signature = "($self, token, *, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None, wait='2s')"
            )]
            fn verify_async<'py>(
                slf: &Bound<'py, Self>,
                token: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let given = crate::request::Given::of(None, extra, named, crate::request::TOKEN_AWAITED)?;
                crate::waiting::token(slf, &crate::waiting::VERIFY, token, &given)
            }

            /// As `judge`, to be awaited: see `verify_async`.
            #[pyo3(
                signature = (token=None, *extra, **named),
                text_signature = "($self, token, *, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None, wait='2s')"
            )]
            fn judge_async<'py>(
                slf: &Bound<'py, Self>,
                token: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let given = crate::request::Given::of(None, extra, named, crate::request::TOKEN_AWAITED)?;
                crate::waiting::token(slf, &crate::waiting::JUDGE, token, &given)
            }

            /// Verifies a request: its token, that the presenter holds the key it is bound to, and
            /// that the proof of it was not used before. A proof is used up only when nothing else
            /// refuses.
            ///
            /// `request` is an ASGI scope, a WSGI environ, or an object that has one: a request of
            /// Starlette, FastAPI, Django, Flask. Or give `method`, `uri` (path and query as sent)
            /// and `headers` (pairs, as they came; see `single_valued`). Scheme and host are the
            /// policy's `public_url`, whatever the request says. `client_certificate` is the one of
            /// the server's own TLS, in DER.
            ///
            /// `context` are the tokens that the request's own comes from, as `verify_chain` takes
            /// them. A capability that came in the content of the request, with the proof of this
            /// call, is `content`: a mapping of `token` and `proof`. `operation` is what the call
            /// is about to do: `tool`, its `arguments`, `resource`, `action`, `scope`. `approved`
            /// is the whole of what was approved, of which the token has the digest: `issuer`, and
            /// `authority_set` or `intent`.
            ///
            /// Raises as `verify`, `CredentialError`, `PossessionError` and `ReplayError` among
            /// them.
            #[pyo3(
                signature = (request=None, *extra, **named),
                text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None)"
            )]
            fn verify_request<'py>(
                &self,
                py: Python<'py>,
                request: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<crate::token::VerifiedToken> {
                let given = crate::request::Given::of(request, extra, named, crate::request::JUDGED)?;
                self.at_door(py)?.borrow().verify_request(py, &given)
            }

            /// As `verify_request`, with the answer as a value. Raises only `UsageError`.
            #[pyo3(
                signature = (request=None, *extra, **named),
                text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None)"
            )]
            fn judge_request<'py>(
                &self,
                py: Python<'py>,
                request: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<crate::verdict::Verdict> {
                let given = crate::request::Given::of(request, extra, named, crate::request::JUDGED)?;
                self.at_door(py)?.borrow().judge_request(py, &given)
            }

            /// As `explain`, of a request. It uses no proof up, so it is no substitute for
            /// `verify_request`: the same request is accepted after it.
            #[pyo3(
                signature = (request=None, *extra, **named),
                text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None)"
            )]
            fn explain_request<'py>(
                &self,
                py: Python<'py>,
                request: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<crate::explain::Trail> {
                let given = crate::request::Given::of(request, extra, named, crate::request::REQUEST_EXPLAINED)?;
                self.at_door(py)?.borrow().explain_request(py, &given)
            }

            /// As `verify_request`, to be awaited: see `verify_async`. Where `replay.store` names a
            /// server it is asked on threads of the engine's, whatever `wait` says, and no event
            /// loop waits for it. A task that is cancelled meanwhile has used its proof up, or has
            /// not: nobody is told.
            #[pyo3(
                signature = (request=None, *extra, **named),
                text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None, wait='2s')"
            )]
            fn verify_request_async<'py>(
                slf: &Bound<'py, Self>,
                request: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let given = crate::request::Given::of(request, extra, named, crate::request::AWAITED)?;
                crate::waiting::request(slf, &crate::waiting::VERIFY_REQUEST, &given)
            }

            /// As `judge_request`, to be awaited: see `verify_request_async`.
            #[pyo3(
                signature = (request=None, *extra, **named),
                text_signature = "($self, request=None, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, into=None, wait='2s')"
            )]
            fn judge_request_async<'py>(
                slf: &Bound<'py, Self>,
                request: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let given = crate::request::Given::of(request, extra, named, crate::request::AWAITED)?;
                crate::waiting::request(slf, &crate::waiting::JUDGE_REQUEST, &given)
            }

            /// As `judge`, as far as it can be answered without waiting for a server: a verdict, or
            /// an inquiry that knows how to ask it.
            #[pyo3(signature = (token, **named))]
            fn _begin<'py>(
                &self,
                py: Python<'py>,
                token: &Bound<'py, PyAny>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let none = pyo3::types::PyTuple::empty(py);
                let given = crate::request::Given::of(None, &none, named, crate::request::JUDGED)?;
                self.at_door(py)?.borrow().begin(py, token, &given)
            }

            /// As `judge_request`, as far as it can be answered without waiting for a server: a
            /// verdict, or an inquiry that knows how to ask it.
            #[pyo3(signature = (*extra, **named))]
            fn _begin_request<'py>(
                &self,
                py: Python<'py>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let given = crate::request::Given::of(None, extra, named, crate::request::JUDGED)?;
                self.at_door(py)?.borrow().begin_request(py, &given)
            }

            /// Verifies a bearer token together with the tokens it comes from: those it was
            /// exchanged for, or the grant it was given for. From each to the next nobody is left
            /// out and authority only shrinks; what that proves is the token's `lineage`, and what
            /// it leaves open its `unproven`.
            ///
            /// `context` has a mapping of `kind` and `token` each, in any order; which kinds are
            /// taken, the gate's `context` says. A capability comes with those it was derived from.
            ///
            /// Raises as `verify`, `DelegationError` among them.
            #[pyo3(
                signature = (token=None, context=None, *extra, **named),
                text_signature = "($self, token, context, *, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, operation=None, approved=None, into=None)"
            )]
            fn verify_chain<'py>(
                &self,
                py: Python<'py>,
                token: Option<&Bound<'py, PyAny>>,
                context: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<crate::token::VerifiedToken> {
                let given = crate::request::Given::of(None, extra, named, crate::request::CHAIN)?;
                let told = given.of_token(token, context);
                self.at_door(py)?.borrow().verify_chain(py, &told, given.model())
            }

            /// Whether a token may be sent on to `target` in the name of the one that was verified
            /// here: it comes out of it as one token of a chain out of another, it is for `target`
            /// alone, and it is valid now. A service that passes on what it was sent lets everybody
            /// behind it act here.
            ///
            /// `outbound` is a mapping of `kind` and `token`; the gate's `context` must take that
            /// kind, since its issuer's keys verify it.
            ///
            /// Raises `AuthorityError` (`token_passthrough`: it is the token that came in),
            /// `DelegationError` and what `verify` raises of a token that is no good.
            #[pyo3(
                signature = (inbound=None, outbound=None, *extra, target=None, **unknown),
                text_signature = "($self, inbound, outbound, *, target)"
            )]
            fn check_outbound<'py>(
                &self,
                py: Python<'py>,
                inbound: Option<&Bound<'py, PyAny>>,
                outbound: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                target: Option<&Bound<'py, PyAny>>,
                unknown: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<()> {
                crate::input::no_more(extra, unknown)?;
                self.at_door(py)?.borrow().check_outbound(py, inbound, outbound, target)
            }

            /// Judges many tokens under one state and one moment, on all cores, with the
            /// interpreter released: an iterable of `str` or `bytes`, or one buffer with a token a
            /// line. A token that occurs more than once is verified once. Raises only `UsageError`
            /// (and `InternalError`).
            #[pyo3(
                signature = (tokens=None, *extra, required_scopes=None, **unknown),
                text_signature = "($self, tokens, *, required_scopes=())"
            )]
            fn verify_batch(
                &self,
                py: Python<'_>,
                tokens: Option<&Bound<'_, PyAny>>,
                extra: &Bound<'_, pyo3::types::PyTuple>,
                required_scopes: Option<&Bound<'_, PyAny>>,
                unknown: Option<&Bound<'_, pyo3::types::PyDict>>,
            ) -> PyResult<crate::batch::Batch> {
                crate::input::no_more(extra, unknown)?;
                self.at_door(py)?.borrow().verify_batch(py, tokens, required_scopes)
            }

            /// Verifies from scratch and tells what each rule saw. For operators: it shows claim
            /// values.
            ///
            /// `context` are the tokens that it comes from, and the rest what the call needs, as
            /// `verify_chain` takes them.
            #[pyo3(
                signature = (token=None, *extra, context=None, **named),
                text_signature = "($self, token, *, context=(), required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None, operation=None, approved=None)"
            )]
            fn explain<'py>(
                &self,
                py: Python<'py>,
                token: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                context: Option<&Bound<'py, PyAny>>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<crate::explain::Trail> {
                let given = crate::request::Given::of(None, extra, named, crate::request::EXPLAINED)?;
                self.at_door(py)?.borrow().explain(py, &given.of_token(token, context))
            }

            /// The verdict with the stages that led to it, for machines: a `dict` of plain values,
            /// ready for JSON and the same in every language, without a claim value in it.
            ///
            /// Its first argument is a token, with the arguments of `verify_chain` that have a
            /// name; or a request, or in place of it the parts of one, with the arguments of
            /// `verify_request`. It is verified from scratch, and it is the verdict: a proof is
            /// used up by it.
            ///
            /// `verdict` is `"accepted"`, `"refused"` or `"undecided"`; of a refusal there are
            /// `code`, `blame` and `claim`, of a token `gate`, `issuer_name`, `profile`, `actors`
            /// (how many), `lineage`, `unproven` and `sender_constrained`; `stages` has `stage`,
            /// `rules` and `outcome` each. Raises only `UsageError`.
            #[pyo3(
                signature = (presented=None, /, *extra, **named),
                text_signature = "($self, presented=None, /, *, method=None, uri=None, headers=None, client_certificate=None, context=(), content=None, operation=None, approved=None, required_scopes=(), acr_values=(), presenter=None, nonce=None, client_id=None, access_token=None, code=None)"
            )]
            fn trace<'py>(
                &self,
                py: Python<'py>,
                presented: Option<&Bound<'py, PyAny>>,
                extra: &Bound<'py, pyo3::types::PyTuple>,
                named: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                let token = presented.filter(|value| crate::input::has_bytes(value));
                let request = if token.is_some() { None } else { presented };
                let given = crate::request::Given::of(request, extra, named, crate::request::REQUEST_EXPLAINED)?;
                let door = self.at_door(py)?;
                match token {
                    Some(token) => door.borrow().trace(py, &given.without_request(token)?),
                    None => door.borrow().trace_request(py, &given),
                }
            }

            /// The OAuth 2.0 Protected Resource Metadata of this gate (RFC 9728) as a mapping;
            /// `None` after a reload has removed it.
            fn resource_metadata<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
                let metadata = self.at_door(py)?.borrow().gate.resource_metadata();
                metadata
                    .map(|text| crate::frozen::parse(py, &text))
                    .transpose()
            }
        }
    };
}

pub(crate) use calls;
