//! [`Explanation`]: every stage of one verification, for operators.

use super::advice::{Advice, Call, advice};
use super::halves::Halves;
use super::seen::Seen;
use super::state::State;
use super::trail::Recorder;
use super::{Engine, Requirements, Step, VerifiedToken, pipeline};
use crate::error::Error;

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
        .and_then(|door| pipeline::verify(engine, door, token, requirements, now, &mut trail));
    let Some(error) = outcome.as_ref().err() else {
        return Explanation {
            steps: trail.complete(None),
            outcome,
            advice: None,
        };
    };
    let door = state.door(number).ok();
    let seen = door.map(|door| Seen::of(door, token));
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
