//! What one call demands beyond its gate: scopes, strength and age of the sign-in.

use super::{A, NOW, claims, key, policy, set, token_with};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::time::{Clock, Span};
use crate::verifier::{Gate, Requirements, VerifiedToken, Verifier};

/// A gate, and a token for it with these claims more: `"x":1,`.
fn gate_and_token(more: &str) -> (Gate, String) {
    let clock = Clock::fixed(NOW);
    let verifier = Verifier::with_clock(policy("mcp"), aws_lc::provider(), clock).unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let gate = verifier.gate("api").unwrap();
    (gate, token_with(&key, "", &claims(A, "files.read", more)))
}

/// The code and claim of a call with these requirements, asked first, of the cache, and later of
/// the token itself: the answers are one.
fn asked(more: &str, requirements: &Requirements) -> Option<(Code, Option<&'static str>)> {
    let (gate, token) = gate_and_token(more);
    let code = |verdict: Result<VerifiedToken, crate::Error>| {
        let error = verdict.err()?;
        Some((error.code(), error.claim()))
    };
    let first = code(gate.verify_with(&token, requirements));
    assert_eq!(code(gate.verify_with(&token, requirements)), first);
    let held = gate.verify(&token).unwrap();
    let now = crate::NumericDate::from_seconds(NOW).unwrap();
    let later = held.require(requirements, now).map(|()| held.clone());
    assert_eq!(code(later), first);
    first
}

#[test]
fn a_sign_in_is_recent_and_has_happened() {
    let age = Span::from_seconds(60);
    let needs = Requirements::NONE.with_max_age(age);
    let at = |seconds: i64| asked(&format!("\"auth_time\":{},", NOW + seconds), &needs);
    let refused = Some((Code::InsufficientUserAuthentication, Some("auth_time")));
    // 60 s, and 30 s of leeway on either side.
    for (seconds, expected) in [
        (-91, refused),
        (-90, None),
        (0, None),
        (30, None),
        (31, refused),
        (1_000_000, refused),
    ] {
        assert_eq!(at(seconds), expected, "{seconds}");
    }
    assert_eq!(asked("", &needs), refused);
}

#[test]
fn a_sign_in_is_strong_enough() {
    let needs = Requirements::NONE.with_acr_values(["mfa", "hw"]);
    let refused = Some((Code::InsufficientUserAuthentication, Some("acr")));
    assert_eq!(asked("\"acr\":\"hw\",", &needs), None);
    assert_eq!(asked("\"acr\":\"pwd\",", &needs), refused);
    assert_eq!(asked("", &needs), refused);
}

#[test]
fn what_no_token_can_meet_is_the_callers_mistake_in_every_call() {
    let (gate, token) = gate_and_token("");
    let needs = Requirements::scopes(["a b"]);
    assert!(gate.verify(&token).is_ok(), "and remembered");
    let said =
        |answer: Result<_, crate::Error>| answer.map(|_: VerifiedToken| ()).unwrap_err().code();
    assert_eq!(said(gate.verify_with(&token, &needs)), Code::Usage);
    assert_eq!(
        said(gate.sit().recall(&token, &needs).unwrap()),
        Code::Usage
    );
    assert_eq!(said(gate.sit().verify_unseen(&token, &needs)), Code::Usage);
}

#[test]
fn a_later_question_asks_for_scopes_and_time_again() {
    let missing = Some((Code::InsufficientScope, Some("scope")));
    assert_eq!(asked("", &Requirements::scopes(["files.read"])), None);
    assert_eq!(asked("", &Requirements::scopes(["files.write"])), missing);
    let (gate, token) = gate_and_token("");
    let held = gate.verify(&token).unwrap();
    let at = |seconds: i64| {
        let now = crate::NumericDate::from_seconds(NOW + seconds).unwrap();
        held.require(&Requirements::NONE, now)
            .map_err(|error| error.code())
    };
    assert_eq!(at(329), Ok(()));
    assert_eq!(at(330), Err(Code::Expired));
}
