//! [`Explanation`]: every stage of one verification, for operators.

use super::advice::{Advice, Call, advice, advice_at};
use super::ancestry::ContextToken;
use super::halves::Halves;
use super::requirements::NO_REQUIREMENTS;
use super::seen::Seen;
use super::sitting::Sitting;
use super::state::Door;
use super::trail::Recorder;
use super::{Request, Requirements, Step, VerifiedToken, caller};
use crate::error::Error;
use crate::policy::HeaderField;

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
    sitting: &Sitting<'_>,
    token: &[u8],
    context: &[ContextToken<'_>],
    requirements: &Requirements,
) -> Explanation {
    let mut trail = Recorder::default();
    let outcome = sitting.call(requirements).and_then(|call| {
        let judged = call.token(token, context, requirements, &mut trail)?;
        call.settle(judged, &mut trail, |judged| call.rehearse(judged))
    });
    let refused = match outcome {
        Ok(token) => return Explanation::accepted(token, trail),
        Err(error) => Refused { sitting, error },
    };
    match sitting.door() {
        Ok(door) => refused.token(door, Seen::of(door, token), requirements, trail),
        Err(_) => refused.unread(requirements, trail, None),
    }
}

/// As [`explain`], of a request; no proof is used up.
pub(super) fn explain_request(
    sitting: &Sitting<'_>,
    request: &Request<'_>,
    requirements: &Requirements,
) -> Explanation {
    let mut trail = Recorder::of_request();
    let outcome = sitting.call(requirements).and_then(|call| {
        let arrived = call.request(request, requirements, &mut trail)?;
        arrived.settle(&mut trail, |judged| call.rehearse(judged))
    });
    let refused = match outcome {
        Ok(token) => return Explanation::accepted(token, trail),
        Err(error) => Refused { sitting, error },
    };
    // Gone through again as far as it came, for what is to be shown of it.
    let door = requirements.check().and_then(|()| sitting.door());
    let Ok(door) = door else {
        return refused.unread(requirements, trail, None);
    };
    let Ok(presented) = request.read(door) else {
        let elsewhere = request.misdirected(door, &refused.error);
        return refused.unread(requirements, trail, elsewhere);
    };
    match caller::judge(door, &presented, sitting.provider(), sitting.now()) {
        Ok(caller) => {
            let requirements = &*caller::required(requirements, caller.as_ref());
            let shown = presented.shown_for(requirements);
            let seen = Seen::of(door, presented.token).with(shown);
            refused.token(door, seen, requirements, trail)
        }
        Err(_) => match presented.caller().zip(door.caller()) {
            Some(((identity, shown), own)) => {
                let seen = Seen::of(own, identity).with(shown);
                refused.caller(own, &seen, trail)
            }
            None => refused.unread(requirements, trail, None),
        },
    }
}

impl Explanation {
    fn accepted(token: VerifiedToken, trail: Recorder) -> Self {
        Self {
            steps: trail.complete(None),
            outcome: Ok(token),
            advice: None,
        }
    }
}

/// A refusal that is to be explained.
struct Refused<'s> {
    sitting: &'s Sitting<'s>,
    error: Error,
}

impl Refused<'_> {
    /// Of a token.
    fn token(
        self,
        door: Door<'_>,
        seen: Seen<'_>,
        requirements: &Requirements,
        trail: Recorder,
    ) -> Explanation {
        let call = Call {
            requirements,
            seen: Some(&seen),
            now: self.sitting.now(),
        };
        let advice = advice(
            self.sitting.state(),
            self.sitting.number(),
            &self.error,
            &call,
        );
        let line = line(door, &seen, &call, &advice, &self.error);
        self.told(trail, line, advice)
    }

    /// Of the workload identity token of the caller, which is judged before the request's own.
    fn caller(self, own: Door<'_>, seen: &Seen<'_>, trail: Recorder) -> Explanation {
        let call = Call {
            requirements: &NO_REQUIREMENTS,
            seen: Some(seen),
            now: self.sitting.now(),
        };
        let advice = advice_at(self.sitting.state(), own.gate, &self.error, &call);
        let line = line(own, seen, &call, &advice, &self.error);
        let field = HeaderField::WorkloadIdentityToken.name();
        self.told(trail, format!("{field}: {line}"), advice)
    }

    /// Before there was a token to look at; `line` where that compares something.
    fn unread(
        self,
        requirements: &Requirements,
        trail: Recorder,
        line: Option<String>,
    ) -> Explanation {
        let call = Call {
            requirements,
            seen: None,
            now: self.sitting.now(),
        };
        let advice = advice(
            self.sitting.state(),
            self.sitting.number(),
            &self.error,
            &call,
        );
        let line = line.unwrap_or_else(|| self.error.reason().to_owned());
        self.told(trail, line, advice)
    }

    fn told(self, trail: Recorder, line: String, advice: Advice) -> Explanation {
        Explanation {
            steps: trail.complete(Some(line)),
            advice: Some(advice),
            outcome: Err(self.error),
        }
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
    line.unwrap_or_else(|| error.reason().to_owned())
}
