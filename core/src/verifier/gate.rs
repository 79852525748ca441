//! [`Gate`]: one door. It fixes the kind of token, the issuers, the audience and the rules.

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;

use super::advice::{self, Advice, Call};
use super::ancestry::{self, ContextToken};
use super::explain::{self, Explanation};
use super::{Engine, Requirements, Verdict, VerifiedToken, pipeline};
use crate::error::Error;
use crate::policy::{Challenge, Kind};

/// A door of a [`Verifier`](crate::Verifier). Cheap to clone, and stays valid over reloads.
#[derive(Clone)]
pub struct Gate {
    pub(super) engine: Arc<Engine>,
    door: u32,
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
        self.verify_with(token, &Requirements::NONE)
    }

    /// Verifies a bearer token that must also meet this call's requirements.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify`]; also `insufficient_scope` and `insufficient_user_authentication`, and
    /// `usage` for requirements that no token can meet.
    pub fn verify_with(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        requirements.check()?;
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let door = state.door(self.door)?;
        let token = token.as_ref();
        match door.recall(token, now) {
            Some(settled) => pipeline::renew(door, settled, &ancestry::ALONE, requirements, now),
            None => pipeline::verify(&self.engine, door, token, requirements, now, &mut ()),
        }
    }

    /// Verifies a bearer token together with the tokens it comes from: those it was exchanged for,
    /// or the grant it was given for. Each is verified as its own kind asks, was valid when the next
    /// was issued, and was meant for whoever used it; from each to the next, nobody is left out and
    /// authority only shrinks. What that proves is the token's [`VerifiedToken::lineage`].
    ///
    /// The gate's `context` says which kinds it takes. The order of `context` does not matter.
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
        requirements.check()?;
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let door = state.door(self.door)?;
        let token = token.as_ref();
        let engine = &self.engine;
        pipeline::verify_chain(engine, door, token, context, requirements, now, &mut ())
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
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let door = state.door(self.door).ok()?;
        let settled = door.recall(token.as_ref(), now)?;
        Some(pipeline::renew(
            door,
            settled,
            &ancestry::ALONE,
            requirements,
            now,
        ))
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
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let door = state.door(self.door)?;
        pipeline::verify(
            &self.engine,
            door,
            token.as_ref(),
            requirements,
            now,
            &mut (),
        )
    }

    /// Verifies distinct tokens under one state and one moment, in chunks on rayon's current pool;
    /// fewer of them once `wanted` has said no.
    pub(crate) fn verify_many(
        &self,
        tokens: &[&[u8]],
        requirements: &Requirements,
        chunk: usize,
        wanted: impl Fn() -> bool + Sync,
    ) -> Vec<Result<VerifiedToken, Error>> {
        let state = self.engine.state.load_full();
        let now = self.engine.clock.now();
        let door = requirements.check().and_then(|()| state.door(self.door));
        let door = match door {
            Ok(door) => door,
            Err(error) => return vec![Err(error); tokens.len()],
        };
        let chunks = tokens.par_chunks(chunk).flat_map_iter(|tokens| {
            let tokens = if wanted() { tokens } else { &[] };
            pipeline::verify_many(&self.engine, door, tokens, requirements, now)
        });
        chunks.collect()
    }

    /// As [`Gate::verify`], with the three-valued answer as a value.
    #[must_use]
    pub fn judge(&self, token: impl AsRef<[u8]>) -> Verdict {
        self.verify(token).into()
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
        explain::explain(&self.engine, &state, self.door, token, requirements)
    }

    /// What to do about an error of this gate, from the policy's point of view.
    #[must_use]
    pub fn advice(&self, error: &Error) -> Advice {
        self.advice_with(error, &Requirements::NONE)
    }

    /// As [`Gate::advice`], about an error of a call with these requirements.
    #[must_use]
    pub fn advice_with(&self, error: &Error, requirements: &Requirements) -> Advice {
        let call = Call {
            requirements,
            seen: None,
            now: self.engine.clock.now(),
        };
        advice::advice(&self.engine.state.load(), self.door, error, &call)
    }

    /// What the gate's configuration adds to its answers on the wire.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        let state = self.engine.state.load();
        let gate = state.door(self.door).ok()?.gate;
        let copy = |texts: &[Box<str>]| texts.iter().map(|text| text.to_string()).collect();
        let resource = gate.audience.first();
        let is_resource = gate.public_url.is_some() && gate.kind == Kind::AccessToken;
        Some(Challenge {
            kind: gate.kind,
            resource: resource
                .filter(|_| is_resource)
                .map(|resource| resource.to_string()),
            issuers: gate
                .issuers
                .iter()
                .filter_map(|entry| state.world.rules().issuers.get(entry.position))
                .flat_map(|issuer| issuer.issuers.iter().map(|iss| iss.to_string()))
                .collect(),
            required_scopes: copy(&gate.required_scopes),
            acr_values: copy(&gate.acr_values),
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
