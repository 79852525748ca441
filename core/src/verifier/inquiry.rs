//! [`Inquiry`]: a request that is good if its proofs were not used before, or a token that is good once,
//! and the question to the server that knows, for callers whose thread must not wait for the
//! answer.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::flow::{Arrived, Call};
use super::state::State;
use super::{ContextToken, Gate, Request, Requirements, Sitting, VerifiedToken, pipeline};
use crate::binding::ReplayAnswer;
use crate::error::{Code, Error};
use crate::replay::{Memory, Turn};
use crate::time::NumericDate;

/// What [`Sitting::begin_request`] or [`Sitting::begin_chain`] came to.
#[derive(Debug)]
#[must_use = "nothing is verified before a server has answered"]
#[expect(
    clippy::exhaustive_enums,
    reason = "either it is settled or somebody is asked"
)]
pub enum Begun {
    /// Nobody is to be asked.
    Verified(VerifiedToken),
    /// A server knows whether its proofs, or the token itself, were used before.
    Asks(Box<Inquiry>),
}

/// A request in which everything holds, and whose proofs a server is to be asked about
/// ([`Sitting::begin_request`]), or a token that is good once ([`Sitting::begin_chain`]). One that
/// is dropped has used none of them up.
#[must_use = "nothing is verified before a server has answered"]
pub struct Inquiry {
    arrived: Arrived,
    state: Arc<State>,
    door: u32,
    now: NumericDate,
}

impl Gate {
    /// As [`Gate::verify_request`], for event loops: where [`Gate::waits_for_server`], the question
    /// whether the proof was used before is left to [`Inquiry::ask`], which does not wait for the
    /// answer. All else is done here.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_request`].
    pub fn begin_request(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Result<Begun, Error> {
        self.sit().begin_request(request, requirements)
    }

    /// As [`Gate::verify_chain`], for event loops: where [`Gate::waits_with_tokens`], the question
    /// whether the token was used before is left to [`Inquiry::ask`]. `context` is mostly empty.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_chain`].
    pub fn begin_chain(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Result<Begun, Error> {
        self.sit().begin_chain(token, context, requirements)
    }
}

impl Sitting<'_> {
    /// As [`Gate::begin_request`].
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_request`].
    pub fn begin_request(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
    ) -> Result<Begun, Error> {
        let call = self.call(requirements)?;
        let arrived = call.request(request, requirements, &mut ())?;
        self.begun(&call, arrived)
    }

    /// As [`Gate::begin_chain`].
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_chain`].
    pub fn begin_chain(
        &self,
        token: impl AsRef<[u8]>,
        context: &[ContextToken<'_>],
        requirements: &Requirements,
    ) -> Result<Begun, Error> {
        let call = self.call(requirements)?;
        let token = call.token(token.as_ref(), context, requirements, &mut ())?;
        let caller = None;
        self.begun(&call, Arrived { caller, token })
    }

    fn begun(&self, call: &Call<'_>, arrived: Arrived) -> Result<Begun, Error> {
        let memory = call.door.memory()?;
        if arrived.asks() && matches!(memory, Some((Memory::Fleet(_), _))) {
            return Ok(Begun::Asks(Box::new(Inquiry {
                arrived,
                state: Arc::clone(self.state()),
                door: self.number(),
                now: self.now(),
            })));
        }
        let token = arrived.settle(&mut (), |judged| call.commit(judged))?;
        Ok(Begun::Verified(token))
    }
}

impl Inquiry {
    /// Asks the server on a thread of this verifier's, and hands the verdict to `then`, there;
    /// exactly once, some seconds from now at most. It returns at once.
    ///
    /// There are 16 such threads for all gates of a verifier, begun when they are needed, in a
    /// forked child too. Of the requests that come while all of them ask, 1,024 wait, for two
    /// seconds each; what is above that is `replay_unavailable`, and `then` may run on this thread.
    /// So it must neither wait nor take long: it wakes whoever waits for the verdict.
    ///
    /// The verdict is `replayed`; `replay_unavailable`, unless the policy accepts and marks; or the
    /// token. Whoever gives up waiting does not know whether the proof was used up.
    pub fn ask(self, then: impl FnOnce(Result<VerifiedToken, Error>) + Send + 'static) {
        match self.state.replay.fleet.clone() {
            Some(fleet) => fleet.put(Box::new(move |turn| then(self.settle(turn)))),
            None => then(Err(Error::new(Code::Internal))),
        }
    }

    /// A panic is an answer, too: somebody waits for one.
    fn settle(self, turn: Turn) -> Result<VerifiedToken, Error> {
        let settled = catch_unwind(AssertUnwindSafe(|| self.settled(turn)));
        settled.unwrap_or_else(|_| Err(Error::new(Code::Internal)))
    }

    fn settled(self, turn: Turn) -> Result<VerifiedToken, Error> {
        let Self {
            arrived,
            state,
            door,
            now,
        } = self;
        let door = state.door(door)?;
        match turn {
            Turn::Come => arrived.settle(&mut (), |judged| pipeline::commit(&door, judged, now)),
            Turn::Missed => {
                if let Some(fleet) = &state.replay.fleet {
                    fleet.missed();
                }
                let rules = state.world.rules().possession.replay.as_ref();
                let rules = rules.ok_or_else(|| Error::new(Code::Internal))?;
                arrived.settle(&mut (), |judged| {
                    judged.conclude(|used| used.answered(ReplayAnswer::Unavailable, rules))
                })
            }
        }
    }
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry").finish_non_exhaustive()
    }
}
