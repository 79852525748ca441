//! Tokens that tell of events become revocations: by `apply`, and by themselves at the gates that
//! the policy names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{A, NOW, key, set, signed};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::policy::{Format, Policy};
use crate::revocation::Handle;
use crate::time::{Clock, FixedClock};
use crate::verifier::{AppliedEvent, Revocation, RevokeError};
use crate::{Gate, Verifier};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

fn verifier(revocation: Value) -> Verifier {
    verifier_with(revocation, "agent_strict", Clock::fixed(NOW))
}

fn policy(revocation: Value, preset: &str) -> Policy {
    let gate = |profile: &str, audience: &str| json!({ "profile": profile, "audience": audience, "issuers": ["a"] });
    let mut tools = gate("access_token", "mcp");
    tools["delegation"] = "surface".into();
    let mut document = json!({
        "version": 1,
        "preset": preset,
        "issuers": { "a": { "issuer": A, "jwks_push": "process", "algorithms": ["Ed25519"],
                            "profiles": ["access_token", "logout_token", "set"] } },
        "gates": { "tools": tools, "sessions": gate("logout_token", "c1"), "signals": gate("set", "c2") },
    });
    if !revocation.is_null() {
        document["revocation"] = revocation;
    }
    Policy::parse(document.to_string(), Format::Json).unwrap()
}

fn verifier_with(revocation: Value, preset: &str, clock: Clock) -> Verifier {
    let policy = policy(revocation, preset);
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock).unwrap();
    verifier
        .keys()
        .publish("a", &set(&[&key(1, "k1")]))
        .unwrap();
    verifier
}

fn token(typ: &str, claims: &Value) -> String {
    let header = format!(r#"{{"alg":"Ed25519","typ":"{typ}","kid":"k1"}}"#);
    signed(&key(1, "k1"), &header, &claims.to_string())
}

/// Of `u1`, through `agent`, issued now in a session that began a while ago.
fn access() -> String {
    token(
        "at+jwt",
        &json!({
            "iss": A, "sub": "u1", "aud": "mcp", "client_id": "c1", "jti": "j1", "sid": "s1",
            "act": { "sub": "agent" }, "auth_time": NOW - 100, "iat": NOW, "exp": NOW + 300,
        }),
    )
}

/// Each token that tells of an event has its own.
fn jti() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed).to_string()
}

fn logout(more: &Value) -> String {
    let mut claims = json!({
        "iss": A, "aud": "c1", "iat": NOW, "exp": NOW + 120, "jti": jti(),
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    claims
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    token("logout+jwt", &claims)
}

fn event(uri: &str, at: i64, sub_id: &Value) -> String {
    token(
        "secevent+jwt",
        &json!({
            "iss": A, "aud": "c2", "iat": NOW, "jti": jti(), "sub_id": sub_id,
            "events": { uri: { "event_timestamp": at } },
        }),
    )
}

fn iss_sub(sub: &str) -> Value {
    json!({ "format": "iss_sub", "iss": A, "sub": sub })
}

fn applied(verifier: &Verifier, gate: &str, token: &str) -> AppliedEvent {
    let token = verifier.gate(gate).unwrap().verify(token).unwrap();
    verifier.revocations().apply(&token).unwrap()
}

fn code(gate: &Gate, token: &str) -> Option<(Code, Option<&'static str>)> {
    let refused = gate.verify(token).err();
    refused.map(|error| (error.code(), error.claim()))
}

#[test]
fn an_accepted_event_ends_what_it_names_and_nothing_else() {
    let session =
        |sid: &str| json!({ "format": "complex", "session": { "format": "opaque", "id": sid } });
    let caep = |name: &str| format!("{CAEP}{name}");
    let risc = |name: &str| format!("{RISC}{name}");
    let revoked = caep("session-revoked");
    let cases = [
        ("sessions", logout(&json!({ "sid": "s1" })), 1, Some("sid")),
        ("sessions", logout(&json!({ "sid": "s2" })), 1, None),
        (
            "sessions",
            logout(&json!({ "sid": "s2", "sub": "u1" })),
            1,
            None,
        ),
        ("sessions", logout(&json!({ "sub": "u1" })), 2, Some("sub")),
        (
            "signals",
            event(&revoked, NOW - 900, &session("s1")),
            1,
            Some("sid"),
        ),
        (
            "signals",
            event(&revoked, NOW, &iss_sub("u1")),
            2,
            Some("sub"),
        ),
        ("signals", event(&revoked, NOW - 1, &iss_sub("u1")), 2, None),
        (
            "signals",
            event(&revoked, NOW, &iss_sub("agent")),
            2,
            Some("act"),
        ),
        (
            "signals",
            event(&caep("session-established"), NOW, &iss_sub("u1")),
            0,
            None,
        ),
        (
            "signals",
            event("https://example.com/new", NOW, &iss_sub("u1")),
            0,
            None,
        ),
        // REV-10: renewed since, of a sign-in with what was stolen.
        (
            "signals",
            event(&risc("credential-compromise"), NOW - 1, &iss_sub("u1")),
            3,
            Some("auth_time"),
        ),
        (
            "signals",
            event(&risc("credential-compromise"), NOW - 101, &iss_sub("u1")),
            3,
            None,
        ),
        (
            "signals",
            event(&risc("account-disabled"), NOW - 900, &iss_sub("u1")),
            1,
            Some("sub"),
        ),
        (
            "signals",
            event(&risc("account-disabled"), NOW - 900, &iss_sub("agent")),
            1,
            Some("act"),
        ),
        (
            "signals",
            event(&risc("account-purged"), NOW - 900, &iss_sub("u1")),
            2,
            Some("sub"),
        ),
    ];
    for (number, (gate, told, entries, ends)) in cases.into_iter().enumerate() {
        let verifier = verifier(json!({ "store": "process" }));
        let tools = verifier.gate("tools").unwrap();
        let access = access();
        assert_eq!(code(&tools, &access), None);
        let event = applied(&verifier, gate, &told);
        assert_eq!(event.changes.len(), entries, "{number}");
        let ends = ends.map(|claim| (Code::Revoked, Some(claim)));
        assert_eq!(code(&tools, &access), ends, "{number}");
        let again = applied(&verifier, gate, &told);
        assert!(again.duplicate && again.changes.is_empty(), "told again");
        assert_eq!(again.receipt, event.receipt);
    }
}

#[test]
fn what_was_done_is_told_as_lists_show_it() {
    let verifier = verifier(json!({ "store": "process" }));
    let revoked = |at| event(&format!("{CAEP}session-revoked"), at, &iss_sub("u1"));
    let told = applied(&verifier, "signals", &revoked(NOW - 9));
    let lines = told.changes.iter().map(|made| {
        assert_eq!(made.issuer_name, "a");
        serde_json::from_str::<Value>(&made.change.to_json()).unwrap()
    });
    let line = |kind: &str| {
        json!({
            "kind": kind, "iss": A, "sub": "u1", "cutoff": NOW - 9, "at": NOW - 9, "event": true,
            "expires": NOW - 9 + 24 * 3600 + 30, "reason": "session-revoked",
        })
    };
    assert_eq!(lines.collect::<Vec<_>>(), [line("subject"), line("actor")]);
    // Nobody's name gets into a log by itself.
    assert!(!format!("{told:?}").contains("u1"), "{told:?}");
}

#[test]
fn rev_08_an_account_opens_again_only_by_what_happened_later() {
    let verifier = verifier(json!({ "store": "process" }));
    let tools = verifier.gate("tools").unwrap();
    let risc = |name: &str, at: i64| {
        applied(
            &verifier,
            "signals",
            &event(&format!("{RISC}{name}"), at, &iss_sub("u1")),
        )
    };
    risc("credential-compromise", NOW - 200);
    risc("account-disabled", NOW - 50);
    let refused = Some((Code::Revoked, Some("sub")));
    assert_eq!(code(&tools, &access()), refused);
    let epoch = verifier.revocations().epoch();
    assert_eq!(risc("account-enabled", NOW - 51).receipt.epoch, epoch);
    assert_eq!(code(&tools, &access()), refused);
    assert_eq!(risc("account-enabled", NOW - 49).receipt.epoch, epoch + 1);
    assert_eq!(code(&tools, &access()), None);
    assert_eq!(risc("account-disabled", NOW - 50).receipt.epoch, epoch + 1);
    assert_eq!(code(&tools, &access()), None);
    // What was stolen before the account was disabled does not come back with it.
    let stolen = json!({ "iss": A, "sub": "u1", "aud": "mcp", "client_id": "c1", "jti": "j0",
                         "iat": NOW - 250, "exp": NOW + 300 });
    assert_eq!(code(&tools, &token("at+jwt", &stolen)), refused);
}

/// What an operator has revoked of an account, its issuer does not take back; whoever lifts the
/// account lifts both.
#[test]
fn rev_08_an_issuer_enables_what_it_has_disabled_and_nothing_else() {
    let issued = |seconds: i64| {
        let claims = json!({ "iss": A, "sub": "u1", "aud": "mcp", "client_id": "c1", "jti": "j0",
                             "iat": NOW + seconds, "exp": NOW + 300 });
        token("at+jwt", &claims)
    };
    let refused = Some((Code::Revoked, Some("sub")));
    for (revocation, of_the_next_second) in
        [(Revocation::so_far(), None), (Revocation::all(), refused)]
    {
        let clock = Arc::new(FixedClock::new(NOW));
        let of = json!({ "store": "process" });
        let verifier = verifier_with(of, "agent_strict", Clock::Fixed(Arc::clone(&clock)));
        let tools = verifier.gate("tools").unwrap();
        let account = Handle::account(A, "u1");
        verifier.revocations().revoke(&account, revocation).unwrap();
        clock.set(NOW + 9);
        let told = |name: &str, at: i64| {
            let event = event(&format!("{RISC}{name}"), NOW + at, &iss_sub("u1"));
            applied(&verifier, "signals", &event)
        };
        let stand = || [0, 1].map(|seconds| code(&tools, &issued(seconds)));
        assert_eq!(stand(), [refused, of_the_next_second]);
        told("account-enabled", 0);
        assert_eq!(stand(), [refused, of_the_next_second], "never disabled");
        told("account-disabled", 0);
        assert_eq!(stand(), [refused, refused]);
        told("account-enabled", 0);
        assert_eq!(stand(), [refused, of_the_next_second]);
        told("account-disabled", 0);
        verifier.revocations().lift(&account).unwrap();
        assert_eq!(stand(), [None, None]);
    }
}

#[test]
fn nobody_but_its_issuer_disables_an_account() {
    let verifier = verifier(json!({ "store": "process" }));
    let disabled = Handle::disabled(A, "u1");
    let revocations = verifier.revocations();
    let refused = revocations.revoke(&disabled, Revocation::all());
    assert_eq!(refused, Err(RevokeError::Told));
    let told = event(&format!("{RISC}account-disabled"), NOW, &iss_sub("u1"));
    applied(&verifier, "signals", &told);
    let tools = verifier.gate("tools").unwrap();
    let refused = Some((Code::Revoked, Some("sub")));
    assert_eq!(code(&tools, &access()), refused);
    revocations.lift(&disabled).unwrap();
    assert_eq!(code(&tools, &access()), None);
}

/// LOG-06, SET-07: by issuer and `jti`. What was lifted in the second of the event is what the
/// order of moments cannot tell.
#[test]
fn set_07_what_was_told_before_does_nothing_more() {
    let of = json!({ "store": "process", "inputs": ["sessions"] });
    let verifier = verifier(of.clone());
    let tools = verifier.gate("tools").unwrap();
    let revoked = Some((Code::Revoked, Some("sid")));
    let lift = || {
        let session = Handle::session(A, "s1");
        verifier.revocations().lift(&session).unwrap();
        assert_eq!(code(&tools, &access()), None);
    };
    let about = json!({ "format": "complex", "session": { "format": "opaque", "id": "s1" } });
    let signal = || event(&format!("{CAEP}session-revoked"), NOW, &about);
    let told = signal();
    assert!(!applied(&verifier, "signals", &told).duplicate);
    assert_eq!(code(&tools, &access()), revoked);
    lift();
    assert!(applied(&verifier, "signals", &told).duplicate);
    assert_eq!(code(&tools, &access()), None, "replayed");
    assert!(!applied(&verifier, "signals", &signal()).duplicate);
    assert_eq!(code(&tools, &access()), revoked, "told anew");
    lift();
    // At a gate that is an input, and after a reload.
    let told = logout(&json!({ "sid": "s1" }));
    let sessions = verifier.gate("sessions").unwrap();
    sessions.verify(&told).unwrap();
    assert_eq!(code(&tools, &access()), revoked);
    lift();
    verifier.reload(policy(of, "agent_strict")).unwrap();
    sessions.verify(&told).unwrap();
    assert_eq!(code(&tools, &access()), None, "replayed");
    assert!(applied(&verifier, "sessions", &told).duplicate);
    sessions.verify(logout(&json!({ "sid": "s1" }))).unwrap();
    assert_eq!(code(&tools, &access()), revoked, "told anew");
}

/// REV-07: where every token has a longest life, nobody needs to know for ever who signed out.
#[test]
fn rev_07_what_signs_out_ends_where_the_policy_bounds_what_it_refuses() {
    let day = 24 * 3600;
    for (preset, ends) in [("agent_strict", true), ("rfc", false)] {
        let clock = Arc::new(FixedClock::new(NOW));
        let of = json!({ "store": "process" });
        let verifier = verifier_with(of, preset, Clock::Fixed(Arc::clone(&clock)));
        let tools = verifier.gate("tools").unwrap();
        applied(&verifier, "sessions", &logout(&json!({ "sid": "s1" })));
        let disabled = format!("{RISC}account-disabled");
        applied(&verifier, "signals", &event(&disabled, NOW, &iss_sub("u2")));
        let refused = |at: i64, sub: &str| {
            clock.set(at);
            let mut claims = json!({ "iss": A, "sub": sub, "aud": "mcp", "client_id": "c1",
                                     "jti": "j2", "iat": at, "exp": at + 60 });
            if sub == "u1" {
                claims["sid"] = "s1".into();
            }
            code(&tools, &token("at+jwt", &claims)).is_some()
        };
        assert!(refused(NOW + day + 29, "u1") && refused(NOW + day + 29, "u2"));
        assert_eq!(refused(NOW + day + 30, "u1"), !ends, "{preset}");
        assert!(refused(NOW + day + 30, "u2"), "until it is enabled");
    }
}

#[test]
fn inputs_revoke_by_themselves_whichever_call_accepts() {
    let calls: [fn(&Gate, &str); 4] = [
        |gate, token| drop(gate.verify(token).unwrap()),
        |gate, token| assert!(gate.judge(token).is_accepted()),
        |gate, token| drop(gate.verify_batch(&[token])),
        |gate, token| drop(gate.trace(token, &[], &crate::Requirements::NONE)),
    ];
    for call in calls {
        let verifier = verifier(json!({ "store": "process", "inputs": ["sessions"] }));
        let (tools, sessions) = (
            verifier.gate("tools").unwrap(),
            verifier.gate("sessions").unwrap(),
        );
        let ends = logout(&json!({ "sid": "s1" }));
        let _ = sessions.explain(&ends);
        let forged = format!("{}AAAA", &ends[..ends.len() - 4]);
        assert!(sessions.verify(&forged).is_err());
        assert_eq!(code(&tools, &access()), None, "to explain is not to accept");
        call(&sessions, &ends);
        assert_eq!(code(&tools, &access()), Some((Code::Revoked, Some("sid"))));
        // Those that are not named do nothing by themselves.
        let signal = event(&format!("{CAEP}session-revoked"), NOW, &iss_sub("u2"));
        let epoch = verifier.revocations().epoch();
        verifier.gate("signals").unwrap().verify(signal).unwrap();
        assert_eq!(verifier.revocations().epoch(), epoch);
    }
}

#[test]
fn what_tells_of_nothing_cannot_be_applied() {
    let verifier = verifier(json!({ "store": "process" }));
    let access = verifier.gate("tools").unwrap().verify(access()).unwrap();
    let refused = verifier.revocations().apply(&access);
    assert_eq!(refused, Err(RevokeError::NotAnEvent));
    let off = self::verifier(Value::Null);
    let told = off
        .gate("sessions")
        .unwrap()
        .verify(logout(&json!({ "sid": "s1" })))
        .unwrap();
    assert_eq!(off.revocations().apply(&told), Err(RevokeError::Off));
}

#[test]
fn set_11_a_verification_says_the_state_that_was_sent() {
    const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    let verifier = verifier(json!({ "store": "process" }));
    let receiver = verifier.receiver("signals").unwrap();
    let asked = receiver.clone().expecting_state("s1");
    let verification = |event: Value| {
        let stream = json!({ "format": "opaque", "id": "stream" });
        token(
            "secevent+jwt",
            &json!({ "iss": A, "aud": "c2", "iat": NOW, "jti": "e1", "sub_id": stream,
                     "events": { VERIFICATION: event } }),
        )
    };
    let push = |receiver: &crate::Receiver, event: Value| {
        let body = verification(event);
        let delivery = receiver.push(Some("application/secevent+jwt"), body.as_bytes());
        (delivery.answer.status, delivery.answer.body)
    };
    for event in [
        json!({ "state": "s1" }),
        json!({}),
        json!({ "state": "s2" }),
    ] {
        assert_eq!(push(&receiver, event).0, 202);
    }
    assert_eq!(push(&asked, json!({ "state": "s1" })).0, 202);
    for event in [json!({}), json!({ "state": "s2" }), json!({ "state": 1 })] {
        let (status, body) = push(&asked, event);
        assert!(
            status == 400 && body.contains("\"invalid_state\""),
            "{body}"
        );
    }
    // Every other event is taken as ever.
    let revoked = event(
        &format!("{CAEP}session-revoked"),
        NOW,
        &json!({ "format": "iss_sub", "iss": A, "sub": "u1" }),
    );
    let delivery = asked.push(Some("application/secevent+jwt"), revoked.as_bytes());
    assert_eq!(delivery.answer.status, 202);
    // Of a poll the issuer is told in the next request.
    let mut poller = asked.poller(10);
    let body = json!({ "sets": { "e1": verification(json!({ "state": "s2" })) } });
    assert_eq!(poller.take(body.to_string().as_bytes()).unwrap().refused, 1);
    assert!(poller.request().contains("invalid_state"));
}
