//! [`Gate`]: one door. It fixes the kind of token, the issuers, the audience and the rules.

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;

use super::ancestry::ContextToken;
use super::explain::Explanation;
use super::flow::Arrived;
use super::grounds::Grounds;
use super::pipeline::{self, Case};
use super::requirements::NO_REQUIREMENTS;
use super::traced::Traced;
use super::{
    Advice, BatchSnapshot, Engine, Pending, Request, Requirements, Verdict, VerifiedToken,
};
use crate::error::{Code, Error};

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
        self.sit().verify(token, requirements)
    }

    /// As [`Gate::verify`], of a token that tells of an event. What follows from it is left to the
    /// caller, also at a gate that is an input of revocations: done twice, it would be a duplicate.
    pub(crate) fn verify_event(&self, token: &[u8]) -> Result<VerifiedToken, Error> {
        let sitting = self.sit();
        let call = sitting.call(&NO_REQUIREMENTS)?;
        let judged = call.token(token, &[], &NO_REQUIREMENTS, &mut ())?;
        call.conclude(judged)
    }

    /// Verifies a bearer token together with the tokens it comes from: those it was exchanged for,
    /// or the grant it was given for. Each is verified as its own kind asks, was valid when the
    /// next was issued, and was meant for whoever used it; from each to the next, nobody is left
    /// out and authority only shrinks. What that proves is the token's [`VerifiedToken::lineage`].
    ///
    /// A capability that its holder derived comes with those it was derived from, the root among
    /// them; each is signed by the key that the one before names, and all must be valid now.
    ///
    /// The gate's `context` says which other kinds it takes. The order of `context` does not
    /// matter.
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
        self.sit().verify_chain(token, context, requirements)
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
        self.sit().verify_request(request, requirements)
    }

    /// Whether [`Gate::verify_request`] may wait for a server, some milliseconds as a rule and some
    /// seconds at most: `replay.store` names a store of kind `redis` or `nats`, which is asked
    /// about the proof of a request in which all else holds. Event loops call
    /// [`Gate::begin_request`].
    #[must_use]
    pub fn waits_for_server(&self) -> bool {
        self.sit().waits_for_server()
    }

    /// Whether [`Gate::verify`] and the other calls about tokens alone may wait for such a server:
    /// the gate's tokens are good once. Event loops call [`Gate::begin_chain`].
    #[must_use]
    pub fn waits_with_tokens(&self) -> bool {
        self.sit().waits_with_tokens()
    }

    /// For event loops, before they call [`Gate::verify_request`] or [`Gate::trace_request`] on
    /// their own thread.
    ///
    /// # Errors
    ///
    /// `usage` where [`Gate::waits_for_server`].
    pub fn answers_at_once(&self) -> Result<(), Error> {
        self.sit().answers_at_once()
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
        let sitting = self.sit();
        let call = sitting.call(requirements)?;
        if call.door.memory()?.is_some() {
            return Err(Error::about(Code::Usage, "replay"));
        }
        match call.request(request, requirements, &mut ())? {
            Arrived {
                caller: None,
                token,
            } => Ok(Pending::new(token, Arc::clone(sitting.state()))),
            // Two proofs, which no policy has with such a store.
            Arrived {
                caller: Some(_), ..
            } => Err(Error::new(Code::Internal)),
        }
    }

    /// Verifies distinct tokens under one state and one moment, in chunks on rayon's current pool;
    /// fewer of them once `wanted` has said no, which is asked before each chunk, and before each
    /// token that a server is asked about. Tells under which state.
    pub(crate) fn verify_many(
        &self,
        tokens: &[&[u8]],
        requirements: &Requirements,
        chunk: usize,
        wanted: impl Fn() -> bool + Sync,
    ) -> (Vec<Result<VerifiedToken, Error>>, BatchSnapshot, Grounds) {
        let sitting = self.sit();
        let snapshot = sitting.state().snapshot(self.door);
        let grounds = sitting.grounds();
        let door = match requirements.check().and_then(|()| sitting.door()) {
            Ok(door) => door,
            Err(error) => return (vec![Err(error); tokens.len()], snapshot, grounds),
        };
        let case = Case::bare(&door, sitting.provider(), sitting.now(), requirements);
        let chunks = tokens.par_chunks(chunk).flat_map_iter(|tokens| {
            let tokens = if wanted() { tokens } else { &[] };
            pipeline::verify_many(door, tokens, &case, &wanted)
        });
        (chunks.collect(), snapshot, grounds)
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
        self.sit().trace(token, context, requirements)
    }

    /// As [`Gate::verify_request`] with the answer as a value, and the stages that led to it. It is
    /// the verdict: a proof is used up by it.
    #[must_use]
    pub fn trace_request(&self, request: &Request<'_>, requirements: &Requirements) -> Traced {
        self.sit().trace_request(request, requirements)
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
        self.sit().explain(token, &[], requirements)
    }

    /// As [`Gate::explain_with`], of a token with those it comes from ([`Gate::verify_chain`]).
    #[must_use]
    pub fn explain_chain(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Explanation {
        self.sit().explain(token, context, requirements)
    }

    /// As [`Gate::explain_with`], of a request. It uses no proof up, so it is no substitute for
    /// [`Gate::verify_request`]: the same request is accepted after it.
    #[must_use]
    pub fn explain_request(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Explanation {
        self.sit().explain_request(request, requirements)
    }

    /// What the policy in force makes of this gate's errors.
    #[must_use]
    pub fn grounds(&self) -> Grounds {
        self.sit().grounds()
    }

    /// What a token of this gate was judged under, for errors about it: those of
    /// [`VerifiedToken::require`], or of a type that its claims do not fit.
    #[must_use]
    pub fn grounds_of(&self, token: &VerifiedToken) -> Grounds {
        let (world, gate) = token.identity().place();
        Grounds::at(&self.engine, world, gate)
    }

    /// What to do about an error of this gate, from the point of view of the policy in force. For
    /// an error that may be older than that, see [`Gate::sit`].
    #[must_use]
    pub fn advice(&self, error: &Error) -> Advice {
        self.advice_with(error, &Requirements::NONE)
    }

    /// As [`Gate::advice`], about an error of a call with these requirements.
    #[must_use]
    pub fn advice_with(&self, error: &Error, requirements: &Requirements) -> Advice {
        self.grounds().advice(error, requirements)
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
