//! [`Sitting`]: a gate as one unit of work sees it.

use std::fmt;
use std::sync::Arc;

use super::ancestry::{self, ContextToken};
use super::explain::{self, Explanation};
use super::flow::Call;
use super::grounds::Grounds;
use super::pipeline::{self, Case};
use super::state::{Door, State};
use super::traced::{self, Traced};
use super::{Gate, Request, Requirements, VerifiedToken};
use crate::crypto::CryptoProvider;
use crate::error::{Code, Error};
use crate::policy::ReplayStore;
use crate::sync::Loaded;
use crate::time::NumericDate;

/// A [`Gate`] as one unit of work sees it: one policy, one generation of every issuer's keys, one
/// moment ([`Gate::sit`]). Each call of a gate is a sitting of its own.
///
/// It is for callers that ask further questions about a verdict: what a refusal was judged under
/// ([`Sitting::grounds`]), or, where the token is not remembered, the rest of the work
/// ([`Sitting::recall`]). Hold it for as long as the work takes; a reload or a publication of keys
/// meanwhile is not seen by it. Revocations are.
pub struct Sitting<'g> {
    gate: &'g Gate,
    state: Loaded<State>,
    now: NumericDate,
}

impl Gate {
    /// The gate as of now, for one unit of work.
    #[inline]
    #[must_use]
    pub fn sit(&self) -> Sitting<'_> {
        Sitting {
            gate: self,
            state: self.engine.state.load(),
            now: self.engine.clock.now(),
        }
    }
}

impl Sitting<'_> {
    /// As [`Gate::verify_with`].
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_with`].
    #[inline]
    pub fn verify(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        self.verify_chain(token, &[], requirements)
    }

    /// As [`Gate::verify_chain`].
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_chain`].
    #[inline]
    pub fn verify_chain(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        let call = self.call(requirements)?;
        let judged = call.token(token.as_ref(), context, requirements, &mut ())?;
        call.commit(judged)
    }

    /// As [`Gate::verify_request`].
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_request`].
    pub fn verify_request(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        let call = self.call(requirements)?;
        let arrived = call.request(request, requirements, &mut ())?;
        arrived.settle(&mut (), |judged| call.commit(judged))
    }

    /// As [`Gate::waits_for_server`].
    #[must_use]
    pub fn waits_for_server(&self) -> bool {
        let replay = self.state.world.rules().possession.replay.as_ref();
        replay.is_some_and(|replay| matches!(replay.store, ReplayStore::Fleet { .. }))
    }

    /// As [`Gate::waits_with_tokens`].
    #[must_use]
    pub fn waits_with_tokens(&self) -> bool {
        self.door().is_ok_and(|door| door.waits_with_tokens())
    }

    /// As [`Gate::answers_at_once`].
    ///
    /// # Errors
    ///
    /// As [`Gate::answers_at_once`].
    pub fn answers_at_once(&self) -> Result<(), Error> {
        at_once(self.waits_for_server())
    }

    /// For event loops, before they call [`Sitting::verify`] on their own thread.
    ///
    /// # Errors
    ///
    /// `usage` where [`Gate::waits_with_tokens`].
    pub fn tokens_answer_at_once(&self) -> Result<(), Error> {
        at_once(self.waits_with_tokens())
    }

    /// What [`Sitting::verify`] would answer without verifying anything, because this gate has seen
    /// the token before; `None` when it has not. For callers that must let go of something before
    /// long work, as of an interpreter's lock, and then go on with [`Sitting::verify_unseen`].
    pub fn recall(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
    ) -> Option<Result<VerifiedToken, Error>> {
        if let Err(error) = requirements.check() {
            return Some(Err(error));
        }
        let door = self.door().ok()?;
        let token = token.as_ref();
        let settled = door.recall(token, self.now)?;
        let case = Case::bare(&door, self.provider(), self.now, requirements);
        let judged = pipeline::renew(&door, token, settled, &case, &ancestry::ALONE);
        Some(judged.and_then(|judged| pipeline::commit(&door, judged, self.now)))
    }

    /// As [`Sitting::verify`], without looking into the cache first: for a token that
    /// [`Sitting::recall`] does not know. The cache learns it.
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
        let door = self.door()?;
        let case = Case::bare(&door, self.provider(), self.now, requirements);
        let judged = pipeline::verify(door, token.as_ref(), &case, &mut ())?;
        pipeline::commit(&door, judged, self.now)
    }

    /// As [`Gate::explain_chain`]; `context` is mostly empty.
    #[must_use]
    pub fn explain(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Explanation {
        explain::explain(self, token.as_ref(), context, requirements)
    }

    /// As [`Gate::explain_request`].
    #[must_use]
    pub fn explain_request(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Explanation {
        explain::explain_request(self, request, requirements)
    }

    /// As [`Gate::trace`].
    #[must_use]
    pub fn trace(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Traced {
        traced::trace(self, token.as_ref(), context, requirements)
    }

    /// As [`Gate::trace_request`].
    #[must_use]
    pub fn trace_request(&self, request: &Request<'_>, requirements: &Requirements) -> Traced {
        traced::trace_request(self, request, requirements)
    }

    /// What its verdicts are judged under.
    #[cold]
    #[must_use]
    pub fn grounds(&self) -> Grounds {
        Grounds::of(&self.gate.engine, &self.state.world, self.gate.door)
    }

    #[inline]
    pub(super) fn call(&self, requirements: &Requirements) -> Result<Call<'_>, Error> {
        let (engine, door) = (&self.gate.engine, self.gate.door);
        Call::at(engine, &self.state, door, self.now, requirements)
    }

    #[inline]
    pub(super) fn door(&self) -> Result<Door<'_>, Error> {
        self.state.door(self.gate.door)
    }

    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    #[inline]
    pub(super) fn provider(&self) -> &CryptoProvider {
        &self.gate.engine.provider
    }

    /// The number of its door.
    pub(super) const fn number(&self) -> u32 {
        self.gate.door
    }

    pub(super) const fn now(&self) -> NumericDate {
        self.now
    }
}

/// The mistake of a caller that must not wait, where it would.
fn at_once(waits: bool) -> Result<(), Error> {
    if waits {
        return Err(Error::about(Code::Usage, "replay.store"));
    }
    Ok(())
}

impl fmt::Debug for Sitting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sitting").field(&self.gate.name()).finish()
    }
}
