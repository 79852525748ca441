//! [`Explanation`]: every stage of one verification, for operators.

use super::advice::{Advice, Call, advice, advice_at};
use super::ancestry::ContextToken;
use super::caller;
use super::halves::Halves;
use super::pipeline::Case;
use super::request::Presented;
use super::requirements::NO_REQUIREMENTS;
use super::seen::Seen;
use super::state::{Door, State};
use super::trail::{Recorder, Stage, Trail};
use super::verified::Judged;
use super::{Engine, Request, Requirements, Step, VerifiedToken, note, offline, pipeline};
use crate::error::Error;
use crate::policy::{HeaderField, Kind};
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
    context: &[ContextToken<'_>],
    requirements: &Requirements,
) -> Explanation {
    let mut trail = Recorder::default();
    let now = engine.clock.now();
    let outcome = requirements
        .check()
        .and_then(|()| state.door(number))
        .and_then(|door| {
            let case = Case::bare(door, &engine.provider, now, requirements);
            let judged = judged(door, token, context, &case, &mut trail)?;
            pipeline::rehearse(door, judged, now)
        });
    let door = state.door(number).ok();
    let seen = door.map(|door| Seen::of(door, token));
    told(state, number, requirements, now, trail, seen, outcome)
}

/// From scratch: what is remembered of the token explains nothing.
pub(super) fn judged<T: Trail>(
    door: Door<'_>,
    token: &[u8],
    context: &[ContextToken<'_>],
    case: &Case<'_>,
    trail: &mut T,
) -> Result<Judged, Error> {
    match context {
        [] => pipeline::verify(door, token, case, trail),
        _ if door.gate.kind == Kind::Capability => {
            offline::verify(door, token, context, case, trail)
        }
        _ => pipeline::verify_chain(door, token, None, context, case, trail),
    }
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
    let (token, shown) = (presented.token, presented.shown_for(requirements));
    let caller = match caller::judge(door, &presented, &engine.provider, now) {
        Ok(caller) => caller,
        Err(error) => return told_of_caller(state, door, &presented, now, trail, error),
    };
    let requirements = &*caller::required(requirements, caller.as_ref());
    trail.passed(Stage::Request, || note::request(&shown));
    let case = Case::of(door, &engine.provider, now, &shown, requirements);
    let judged = judged(door, token, &presented.context, &case, &mut trail);
    let outcome = judged.and_then(|judged| {
        trail.enter(Stage::Replay);
        if let Some(caller) = caller {
            pipeline::rehearse(door, caller, now)?;
        }
        let token = pipeline::rehearse(door, judged, now)?;
        trail.passed(Stage::Replay, || note::replay(&token));
        Ok(token)
    });
    let seen = Some(Seen::of(door, token).with(shown));
    told(state, number, requirements, now, trail, seen, outcome)
}

/// Why the workload identity token of the caller is refused: the request is, before its own token.
fn told_of_caller(
    state: &State,
    door: Door<'_>,
    presented: &Presented<'_>,
    now: NumericDate,
    trail: Recorder,
    error: Error,
) -> Explanation {
    let identity = presented.caller().zip(door.caller());
    let Some(((token, shown), own)) = identity else {
        return told(
            state,
            door.number,
            &NO_REQUIREMENTS,
            now,
            trail,
            None,
            Err(error),
        );
    };
    let seen = Seen::of(own, token).with(shown);
    let call = Call {
        requirements: &NO_REQUIREMENTS,
        seen: Some(&seen),
        now,
    };
    let advice = advice_at(state, own.gate, &error, &call);
    let line = line(own, &seen, &call, &advice, &error);
    let field = HeaderField::WorkloadIdentityToken.name();
    Explanation {
        steps: trail.complete(Some(format!("{field}: {line}"))),
        advice: Some(advice),
        outcome: Err(error),
    }
}

/// What the refused token says beside what was expected, or else the reason.
fn line(
    door: Door<'_>,
    seen: &Seen<'_>,
    call: &Call<'_>,
    advice: &Advice,
    error: &Error,
) -> String {
    let halves = Halves {
        door,
        seen,
        requirements: call.requirements,
        now: call.now,
        expected: &advice.expected,
    };
    let line = halves.line(error);
    line.unwrap_or_else(|| error.code().reason().to_owned())
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
    let line = match door.zip(seen.as_ref()) {
        Some((door, seen)) => line(door, seen, &call, &advice, error),
        None => error.code().reason().to_owned(),
    };
    Explanation {
        steps: trail.complete(Some(line)),
        advice: Some(advice),
        outcome,
    }
}
