//! The way of one call, the same for a verdict, a trace and an explanation of it: what the program
//! asks for, the gate, what a request brings, who calls, the token; and last, once nothing else can
//! refuse, whether the proofs were used before.

use super::ancestry::{self, ContextToken};
use super::pipeline::{self, Case};
use super::state::{Door, State};
use super::trail::{Stage, Trail};
use super::verified::Judged;
use super::{Engine, Request, Requirements, VerifiedToken, caller, note, offline};
use crate::error::Error;
use crate::policy::Kind;
use crate::time::NumericDate;

/// What one call is judged under: a gate as one state has it, and the moment.
#[derive(Clone, Copy)]
pub(super) struct Call<'s> {
    pub(super) door: Door<'s>,
    pub(super) now: NumericDate,
    engine: &'s Engine,
}

/// A request in which everything holds, or a token alone, of which is still to be looked up what is
/// used up by it.
pub(super) struct Arrived {
    /// The workload that calls, where the request brings its identity.
    pub(super) caller: Option<Judged>,
    pub(super) token: Judged,
}

impl<'s> Call<'s> {
    /// A call at the gate with this number.
    #[inline]
    pub(super) fn at(
        engine: &'s Engine,
        state: &'s State,
        number: u32,
        now: NumericDate,
        requirements: &Requirements,
    ) -> Result<Self, Error> {
        requirements.check()?;
        let door = state.door(number)?;
        Ok(Self { door, now, engine })
    }

    /// A bearer token, and those it comes from, as far as nothing is used up.
    #[inline]
    pub(super) fn token<T: Trail>(
        &self,
        token: &[u8],
        context: &[ContextToken<'_>],
        requirements: &Requirements,
        trail: &mut T,
    ) -> Result<Judged, Error> {
        let case = Case::bare(&self.door, &self.engine.provider, self.now, requirements);
        self.judge(token, context, &case, trail)
    }

    /// A request, as far as none of its proofs is used up.
    #[inline]
    pub(super) fn request<T: Trail>(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
        trail: &mut T,
    ) -> Result<Arrived, Error> {
        let (door, provider) = (self.door, &self.engine.provider);
        let presented = request.read(door)?;
        let shown = presented.shown_for(requirements);
        let caller = caller::judge(door, &presented, provider, self.now)?;
        let requirements = &*caller::required(requirements, caller.as_ref());
        trail.passed(Stage::Request, || note::request(&shown));
        let case = Case::of(&door, provider, self.now, &shown, requirements);
        let token = self.judge(presented.token, &presented.context, &case, trail)?;
        trail.enter(Stage::Replay);
        Ok(Arrived { caller, token })
    }

    #[inline]
    fn judge<T: Trail>(
        &self,
        token: &[u8],
        context: &[ContextToken<'_>],
        case: &Case<'_>,
        trail: &mut T,
    ) -> Result<Judged, Error> {
        let door = &self.door;
        if !context.is_empty() && door.gate.kind == Kind::Capability {
            return offline::verify(*door, token, context, case, trail);
        }
        // What is remembered went through its stages before, and shows nothing of them.
        let settled = if T::FOLLOWS {
            None
        } else {
            door.recall(token, self.now)
        };
        if !context.is_empty() {
            return pipeline::verify_chain(*door, token, settled, context, case, trail);
        }
        match settled {
            Some(settled) => pipeline::renew(door, token, settled, case, &ancestry::ALONE),
            None => pipeline::verify(*door, token, case, trail),
        }
    }

    /// The verdict over a token that came alone: it may be good once.
    #[inline]
    pub(super) fn settle<T: Trail>(
        self,
        judged: Judged,
        trail: &mut T,
        settle: impl FnOnce(Judged) -> Result<VerifiedToken, Error>,
    ) -> Result<VerifiedToken, Error> {
        let once = judged.is_used_up();
        if once {
            trail.enter(Stage::Replay);
        }
        let token = settle(judged)?;
        if once {
            trail.passed(Stage::Replay, || note::replay(&token, once));
        }
        Ok(token)
    }

    /// The verdict: proofs are used up.
    #[inline]
    pub(super) fn commit(&self, judged: Judged) -> Result<VerifiedToken, Error> {
        pipeline::commit(&self.door, judged, self.now)
    }

    /// As [`Call::commit`]; what follows from the token is left to the caller.
    pub(super) fn conclude(&self, judged: Judged) -> Result<VerifiedToken, Error> {
        pipeline::conclude(&self.door, judged, self.now)
    }

    /// What [`Call::commit`] would say, without using a proof up.
    pub(super) fn rehearse(&self, judged: Judged) -> Result<VerifiedToken, Error> {
        pipeline::rehearse(&self.door, judged, self.now)
    }
}

impl Arrived {
    /// Whether a proof came with it that is to be looked up, or a token that is good once.
    pub(super) fn asks(&self) -> bool {
        let mut judged = self.caller.iter().chain([&self.token]);
        judged.any(|judged| judged.possession().used().is_some() || judged.is_used_up())
    }

    /// Settles whether the proofs were used before, the caller's first.
    #[inline]
    pub(super) fn settle<T: Trail>(
        self,
        trail: &mut T,
        settle: impl Fn(Judged) -> Result<VerifiedToken, Error>,
    ) -> Result<VerifiedToken, Error> {
        if let Some(caller) = self.caller {
            settle(caller)?;
        }
        let once = self.token.is_used_up();
        let token = settle(self.token)?;
        trail.passed(Stage::Replay, || note::replay(&token, once));
        Ok(token)
    }
}
