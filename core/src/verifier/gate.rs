//! [`Gate`]: one door. It fixes the kind of token, the issuers, the audience and the rules.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rayon::prelude::*;

use super::advice::{self, Advice};
use super::ancestry::{self, ContextToken};
use super::explain::{self, Explanation};
use super::flow::{Arrived, Call};
use super::pipeline::Case;
use super::requirements::NO_REQUIREMENTS;
use super::traced::{self, Traced};
use super::{
    BatchSnapshot, Engine, Pending, Request, Requirements, Verdict, VerifiedToken, pipeline,
};
use crate::error::{Code, Error};
use crate::jwa::Algorithm;
use crate::policy::{Challenge, ReplayStore, SenderConstrained};
use crate::time::Span;

/// A door of a [`Verifier`](crate::Verifier). Cheap to clone, and stays valid over reloads.
#[derive(Clone)]
pub struct Gate {
    pub(super) engine: Arc<Engine>,
    pub(super) door: u32,
}

impl Gate {
    pub(super) fn new(engine: Arc<Engine>, door: u32) -> Self {
        Self { engine, door }
    }

    /// Verifies a bearer token. A token that is bound to a key is refused with `pop_required`.
    ///
    /// # Errors
    ///
    /// Why it was not accepted; [`Error::blame`] tells a refusal from an outage.
    pub fn verify(&self, token: impl AsRef<[u8]>) -> Result<VerifiedToken, Error> {
        self.verify_with(token, &NO_REQUIREMENTS)
    }

    /// Verifies a bearer token that must also meet this call's requirements.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify`]; also `insufficient_scope`, `operation_denied` and
    /// `insufficient_user_authentication`, and
    /// `usage` for requirements that no token can meet.
    pub fn verify_with(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        self.verify_chain(token, &[], requirements)
    }

    /// Verifies a bearer token together with the tokens it comes from: those it was exchanged for,
    /// or the grant it was given for. Each is verified as its own kind asks, was valid when the next
    /// was issued, and was meant for whoever used it; from each to the next, nobody is left out and
    /// authority only shrinks. What that proves is the token's [`VerifiedToken::lineage`].
    ///
    /// A capability that its holder derived comes with those it was derived from, the root among
    /// them; each is signed by the key that the one before names, and all must be valid now.
    ///
    /// The gate's `context` says which other kinds it takes. The order of `context` does not matter.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_with`]; also `chain_link_broken`, `subject_changed`, `txn_mismatch`,
    /// `may_act_mismatch` and the four of attenuation, as `attenuation_scope`; what is wrong with
    /// one of the further tokens; `oversized` for more than 8 tokens or 256 KiB; and `usage` for a
    /// kind that the gate does not take.
    pub fn verify_chain(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let call = Call::at(&self.engine, &state, self.door, now, requirements)?;
        let judged = call.token(token.as_ref(), context, requirements, &mut ())?;
        call.commit(judged)
    }

    /// Verifies a request: its token, that the presenter holds the token's key, and that the proof
    /// of it was not used before. The proof is used up by this, and only once nothing else can
    /// refuse; a request that is refused may come again with the same proof.
    ///
    /// The token is remembered by the cache; its proof is judged every time. Under
    /// `replay.store = "external"` used proofs are not looked up here: see [`Gate::prepare`].
    ///
    /// ```
    /// use sealgate::{Format, Policy, Request, Requirements, Verifier, crypto};
    ///
    /// let document = r#"
    ///     version = 1
    ///     [issuers.corp]
    ///     issuer     = "https://login.example.com"
    ///     algorithms = ["ES256"]
    ///     jwks_push  = "process"
    ///     [gates.tools]
    ///     profile    = "access_token"
    ///     audience   = "https://api.example.com/mcp"
    ///     issuers    = ["corp"]
    ///     public_url = "https://api.example.com"
    ///     [dpop]
    ///     [replay]
    ///     store = "process"
    /// "#;
    /// let policy = Policy::parse(document, Format::Toml)?;
    /// let verifier = Verifier::new(policy, crypto::aws_lc::provider())?;
    /// let tools = verifier.gate("tools")?;
    ///
    /// let request = Request::new("POST", "/mcp").headers([("Accept", "*/*")]);
    /// let refused = tools.verify_request(&request, &Requirements::NONE).unwrap_err();
    /// assert_eq!(refused.code().as_str(), "no_token");
    /// let answer = tools.answer(&refused, &Requirements::NONE);
    /// assert_eq!(answer.status, 401);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_with`], and the codes of the groups no credential, request and possession;
    /// `replayed`; `usage` at a gate whose tokens do not come in header fields.
    pub fn verify_request(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let call = Call::at(&self.engine, &state, self.door, now, requirements)?;
        let arrived = call.request(request, requirements, &mut ())?;
        arrived.settle(&mut (), |judged| call.commit(judged))
    }

    /// Whether [`Gate::verify_request`] may wait for a server, some milliseconds as a rule and some
    /// seconds at most: `replay.store` names a store of kind `redis` or `nats`, which is asked about
    /// the proof of a request in which all else holds. Event loops call from a thread that may wait.
    #[must_use]
    pub fn waits_for_server(&self) -> bool {
        let state = self.engine.state.load();
        let replay = state.world.rules().possession.replay.as_ref();
        replay.is_some_and(|replay| matches!(replay.store, ReplayStore::Fleet { .. }))
    }

    /// As [`Gate::verify_request`], with the three-valued answer as a value.
    #[must_use]
    pub fn judge_request(&self, request: &Request<'_>, requirements: &Requirements) -> Verdict {
        self.verify_request(request, requirements).into()
    }

    /// As [`Gate::verify_request`] up to the question whether the proof was used before, which the
    /// program's own store answers. For policies with `replay.store = "external"`.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_request`]; `usage` where this process remembers used proofs itself.
    pub fn prepare(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Result<Pending, Error> {
        let state = self.engine.state.load_full();
        let now = self.engine.clock.now();
        let call = Call::at(&self.engine, &state, self.door, now, requirements)?;
        if call.door.memory()?.is_some() {
            return Err(Error::about(Code::Usage, "replay"));
        }
        match call.request(request, requirements, &mut ())? {
            Arrived {
                caller: None,
                token,
            } => Ok(Pending::new(token, Arc::clone(&state))),
            // Two proofs, which no policy has with such a store.
            Arrived {
                caller: Some(_), ..
            } => Err(Error::new(Code::Internal)),
        }
    }

    /// What [`Gate::verify_with`] would answer without verifying anything, because this gate has
    /// seen the token before; `None` when it has not. For callers that must let go of something
    /// before long work, as of an interpreter's lock, and then go on with
    /// [`Gate::verify_unseen`].
    pub fn recall(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
    ) -> Option<Result<VerifiedToken, Error>> {
        if let Err(error) = requirements.check() {
            return Some(Err(error));
        }
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let door = state.door(self.door).ok()?;
        let token = token.as_ref();
        let settled = door.recall(token, now)?;
        let case = Case::bare(door, &self.engine.provider, now, requirements);
        let judged = pipeline::renew(door, token, settled, &case, &ancestry::ALONE);
        Some(judged.and_then(|judged| pipeline::commit(door, judged, now)))
    }

    /// As [`Gate::verify_with`], without looking into the cache first: for a token that
    /// [`Gate::recall`] does not know. The cache learns it.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_with`].
    pub fn verify_unseen(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        requirements.check()?;
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let door = state.door(self.door)?;
        let case = Case::bare(door, &self.engine.provider, now, requirements);
        let judged = pipeline::verify(door, token.as_ref(), &case, &mut ())?;
        pipeline::commit(door, judged, now)
    }

    /// Verifies distinct tokens under one state and one moment, in chunks on rayon's current pool;
    /// fewer of them once `wanted` has said no. Tells under which state.
    pub(crate) fn verify_many(
        &self,
        tokens: &[&[u8]],
        requirements: &Requirements,
        chunk: usize,
        wanted: impl Fn() -> bool + Sync,
    ) -> (Vec<Result<VerifiedToken, Error>>, BatchSnapshot) {
        let state = self.engine.state.load_full();
        let now = self.engine.clock.now();
        let snapshot = state.snapshot(self.door);
        let door = requirements.check().and_then(|()| state.door(self.door));
        let door = match door {
            Ok(door) => door,
            Err(error) => return (vec![Err(error); tokens.len()], snapshot),
        };
        let case = Case::bare(door, &self.engine.provider, now, requirements);
        let chunks = tokens.par_chunks(chunk).flat_map_iter(|tokens| {
            let tokens = if wanted() { tokens } else { &[] };
            pipeline::verify_many(door, tokens, &case)
        });
        (chunks.collect(), snapshot)
    }

    /// As [`Gate::verify`], with the three-valued answer as a value.
    #[must_use]
    pub fn judge(&self, token: impl AsRef<[u8]>) -> Verdict {
        self.verify(token).into()
    }

    /// As [`Gate::verify_chain`] with the answer as a value, and the stages that led to it, for
    /// machines: there is no claim value in them. The token is verified from scratch, since what is
    /// remembered went through its stages before; `context` is mostly empty.
    #[must_use]
    pub fn trace(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Traced {
        let state = self.engine.state.load();
        let (token, engine) = (token.as_ref(), &self.engine);
        traced::trace(engine, &state, self.door, token, context, requirements)
    }

    /// As [`Gate::verify_request`] with the answer as a value, and the stages that led to it. It is
    /// the verdict: a proof is used up by it.
    #[must_use]
    pub fn trace_request(&self, request: &Request<'_>, requirements: &Requirements) -> Traced {
        let state = self.engine.state.load();
        traced::trace_request(&self.engine, &state, self.door, request, requirements)
    }

    /// Verifies from scratch and tells of every stage what it saw. For operators: it shows claim
    /// values.
    #[must_use]
    pub fn explain(&self, token: impl AsRef<[u8]>) -> Explanation {
        self.explain_with(token, &Requirements::NONE)
    }

    /// As [`Gate::explain`], of a call with these requirements.
    #[must_use]
    pub fn explain_with(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
    ) -> Explanation {
        let state = self.engine.state.load();
        let token = token.as_ref();
        explain::explain(&self.engine, &state, self.door, token, &[], requirements)
    }

    /// As [`Gate::explain_with`], of a token with those it comes from ([`Gate::verify_chain`]).
    #[must_use]
    pub fn explain_chain(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Explanation {
        let state = self.engine.state.load();
        let (token, engine) = (token.as_ref(), &self.engine);
        explain::explain(engine, &state, self.door, token, context, requirements)
    }

    /// As [`Gate::explain_with`], of a request. It uses no proof up, so it is no substitute for
    /// [`Gate::verify_request`]: the same request is accepted after it.
    #[must_use]
    pub fn explain_request(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Explanation {
        let state = self.engine.state.load();
        explain::explain_request(&self.engine, &state, self.door, request, requirements)
    }

    /// What to do about an error of this gate, from the policy's point of view.
    #[must_use]
    pub fn advice(&self, error: &Error) -> Advice {
        self.advice_with(error, &Requirements::NONE)
    }

    /// As [`Gate::advice`], about an error of a call with these requirements.
    #[must_use]
    pub fn advice_with(&self, error: &Error, requirements: &Requirements) -> Advice {
        let call = advice::Call {
            requirements,
            seen: None,
            now: self.engine.clock.now(),
        };
        advice::advice(&self.engine.state.load(), self.door, error, &call)
    }

    /// How long it takes at least until the answer may be another than this `keys_refreshing`: no
    /// fetch of the issuer's keys begins before.
    pub(crate) fn pause(&self, error: &Error) -> Duration {
        let state = self.engine.state.load();
        let position = state.world.blamed(error);
        let watch = position.and_then(|position| state.keys.watch(position));
        let pause = watch.map_or(Span::ZERO, |watch| watch.pause(self.engine.clock.now()));
        pause.to_duration()
    }

    /// What the gate's configuration adds to its answers on the wire.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        let state = self.engine.state.load();
        let door = state.door(self.door).ok()?;
        let gate = door.gate;
        let copy = |texts: &[Box<str>]| texts.iter().map(|text| text.to_string()).collect();
        let now = self.engine.clock.now();
        let nonces = door.possession(&self.engine.provider, now).nonces();
        let dpop = state.world.rules().possession.dpop.as_ref();
        let dpop = dpop.filter(|_| gate.takes_dpop);
        let required = gate.sender_constrained == SenderConstrained::Required;
        Some(Challenge {
            kind: gate.kind,
            resource: gate.resource.as_deref().map(str::to_owned),
            issuers: gate
                .issuers
                .iter()
                .filter_map(|entry| state.world.rules().issuers.get(entry.position))
                .flat_map(|issuer| issuer.issuers.iter().map(|iss| iss.to_string()))
                .collect(),
            required_scopes: copy(&gate.required_scopes),
            acr_values: copy(&gate.acr_values),
            // A token that is bound to a certificate comes as `Bearer` (RFC 8705 §3).
            takes_bearer: !required || gate.takes_mtls,
            takes_mtls: gate.takes_mtls,
            proof_algorithms: dpop.map_or_else(Vec::new, |dpop| {
                let usable = self.engine.provider.algorithms;
                let algorithms = dpop.algorithms.iter().filter(|one| usable.contains(*one));
                algorithms.map(Algorithm::name).collect()
            }),
            nonce: nonces
                .filter(|_| dpop.is_some())
                .map(|nonces| nonces.current(now)),
            metadata: gate.metadata.clone(),
        })
    }

    /// The gate's name; empty after a reload has removed it.
    #[must_use]
    pub fn name(&self) -> String {
        let state = self.engine.state.load();
        state
            .door(self.door)
            .map_or_else(|_| String::new(), |door| door.gate.name.to_string())
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.name()).finish()
    }
}
