//! [`Explanation`]: every stage of one verification, for operators.

use super::advice::{Advice, Call, advice};
use super::caller;
use super::halves::Halves;
use super::pipeline::Case;
use super::seen::Seen;
use super::state::State;
use super::trail::{Recorder, Stage, Trail};
use super::{Engine, Request, Requirements, Step, VerifiedToken, note, pipeline};
use crate::error::Error;
use crate::time::NumericDate;

/// What each stage saw of a token, and what to do about the one that refused.
///
/// It shows claim values: keep it from logs and from callers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// Every stage in order; those after a refusal were not reached.
    pub steps: Vec<Step>,
    /// The verdict.
    pub outcome: Result<VerifiedToken, Error>,
    /// What to do, unless it was accepted.
    pub advice: Option<Advice>,
}

pub(super) fn explain(
    engine: &Engine,
    state: &State,
    number: u32,
    token: &[u8],
    requirements: &Requirements,
) -> Explanation {
    let mut trail = Recorder::default();
    let now = engine.clock.now();
    let outcome = requirements
        .check()
        .and_then(|()| state.door(number))
        .and_then(|door| {
            let case = Case::bare(door, &engine.provider, now, requirements);
            let judged = pipeline::verify(door, token, &case, &mut trail)?;
            pipeline::rehearse(door, judged)
        });
    let door = state.door(number).ok();
    let seen = door.map(|door| Seen::of(door, token));
    told(state, number, requirements, now, trail, seen, outcome)
}

/// As [`explain`], of a request; no proof is used up.
pub(super) fn explain_request(
    engine: &Engine,
    state: &State,
    number: u32,
    request: &Request<'_>,
    requirements: &Requirements,
) -> Explanation {
    let mut trail = Recorder::of_request();
    let now = engine.clock.now();
    trail.enter(Stage::Request);
    let door = requirements.check().and_then(|()| state.door(number));
    let presented = door.and_then(|door| Ok((door, request.read(door)?)));
    let (door, presented) = match presented {
        Ok(presented) => presented,
        Err(error) => return told(state, number, requirements, now, trail, None, Err(error)),
    };
    let (token, shown) = (presented.token, presented.shown());
    let caller = match caller::judge(door, &presented, &engine.provider, now) {
        Ok(caller) => caller,
        Err(error) => return told(state, number, requirements, now, trail, None, Err(error)),
    };
    let requirements = &*caller::required(requirements, caller.as_ref());
    trail.passed(Stage::Request, || note::request(&shown));
    let case = Case::of(door, &engine.provider, now, &shown, requirements);
    let judged = match presented.context {
        [] => pipeline::verify(door, token, &case, &mut trail),
        context => pipeline::verify_chain(door, token, None, context, &case, &mut trail),
    };
    let outcome = judged.and_then(|judged| {
        trail.enter(Stage::Replay);
        if let Some(caller) = caller {
            pipeline::rehearse(door, caller)?;
        }
        let token = pipeline::rehearse(door, judged)?;
        trail.passed(Stage::Replay, || note::replay(&token));
        Ok(token)
    });
    let seen = Some(Seen::of(door, token).with(shown));
    told(state, number, requirements, now, trail, seen, outcome)
}

/// Steps, outcome and advice together.
fn told(
    state: &State,
    number: u32,
    requirements: &Requirements,
    now: NumericDate,
    trail: Recorder,
    seen: Option<Seen<'_>>,
    outcome: Result<VerifiedToken, Error>,
) -> Explanation {
    let Some(error) = outcome.as_ref().err() else {
        return Explanation {
            steps: trail.complete(None),
            outcome,
            advice: None,
        };
    };
    let door = state.door(number).ok();
    let call = Call {
        requirements,
        seen: seen.as_ref(),
        now,
    };
    let advice = advice(state, number, error, &call);
    let line = door.zip(seen.as_ref()).and_then(|(door, seen)| {
        let halves = Halves {
            door,
            seen,
            requirements,
            now,
            expected: &advice.expected,
        };
        halves.line(error)
    });
    let line = line.unwrap_or_else(|| error.code().reason().to_owned());
    Explanation {
        steps: trail.complete(Some(line)),
        advice: Some(advice),
        outcome,
    }
}
