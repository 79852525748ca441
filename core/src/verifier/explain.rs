//! [`Explanation`]: every stage of one verification, for operators.

use super::advice::{Advice, advice};
use super::state::{Door, State};
use super::trail::Recorder;
use super::{Engine, Requirements, Step, VerifiedToken, pipeline};
use crate::claims::{Claim, Claims};
use crate::encoding::json::Json;
use crate::error::{Code, Error};
use crate::jws::Compact;
use crate::policy::Kind;
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
        .and_then(|door| pipeline::verify(engine, door, token, requirements, now, &mut trail));
    let refusal = outcome.as_ref().err().map(|error| {
        let door = state.door(number).ok();
        door.and_then(|door| both_halves(door, token, error, now))
            .unwrap_or_else(|| error.code().reason().to_owned())
    });
    Explanation {
        steps: trail.complete(refusal),
        advice: outcome
            .as_ref()
            .err()
            .map(|error| advice(state, number, error, now)),
        outcome,
    }
}

/// What the token says beside what was expected, where that is a comparison.
#[expect(clippy::wildcard_enum_match_arm, reason = "most codes compare nothing")]
fn both_halves(door: Door<'_>, token: &[u8], error: &Error, now: NumericDate) -> Option<String> {
    let svid = door.gate.kind == Kind::JwtSvid;
    let (claim, ours) = match error.code() {
        Code::AudMismatch => (Claim::Aud, door.gate.audience.join(" or ")),
        Code::IssUntrusted => (
            if svid { Claim::Sub } else { Claim::Iss },
            advice(door.state, door.number, error, now)
                .expected
                .join(" or "),
        ),
        Code::InsufficientScope => (Claim::Scope, door.gate.required_scopes.join(" ")),
        Code::Expired => (Claim::Exp, "a later moment".to_owned()),
        Code::NotYetValid => (Claim::Nbf, "an earlier moment".to_owned()),
        Code::IssuedInFuture | Code::TooOld => (Claim::Iat, "another moment".to_owned()),
        _ => return None,
    };
    let limits = door.rules().limits;
    let compact = Compact::split(token, limits.token_size).ok()?;
    let payload = compact.decode_payload().ok()?;
    let mut claims = Claims::locate(Json::parse(payload, limits.into()).ok()?).ok()?;
    if let Ok(source) = door.source_of(&claims) {
        let issuer = door.issuer(&source).ok()?;
        issuer.rename_claims(&mut claims, source.profile);
    }
    let theirs = claims.value(claim).map_or("absent", |value| value.raw());
    Some(format!("{} is {theirs}, expected {ours}", claim.name()))
}
