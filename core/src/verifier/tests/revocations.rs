//! Revocations through the whole engine: every handle, cached and not, and what they leave alone.

use super::{A, B, NOW, key, set, token_with};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, NumericDate, Span};
use crate::verifier::{Revocation, RevokeError};
use crate::{Gate, Handle, Kind, Verifier};

const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

fn policy(revocation: &str) -> Policy {
    let text = format!(
        r#"{{"version":1,{revocation}
            "issuers":{{
              "a":{{"issuer":"{A}","jwks_push":"process","algorithms":["Ed25519"]}},
              "b":{{"issuer":"{B}","jwks_push":"process","algorithms":["Ed25519"]}}}},
            "gates":{{"api":{{"profile":"access_token","audience":"mcp","issuers":["a","b"],
              "sender_constrained":"external","delegation":"surface",
              "context":{{"access_token":"allowed"}}}}}}}}"#
    );
    Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap()
}

const ON: &str = r#""revocation":{"store":"process"},"#;

struct World {
    verifier: Verifier,
    gate: Gate,
    clock: std::sync::Arc<crate::FixedClock>,
}

fn world(revocation: &str) -> World {
    let clock = Clock::fixed(NOW);
    let Clock::Fixed(hands) = &clock else {
        panic!("fixed")
    };
    let hands = std::sync::Arc::clone(hands);
    let verifier = Verifier::with_clock(policy(revocation), aws_lc::provider(), clock).unwrap();
    verifier
        .keys()
        .publish("a", &set(&[&key(1, "k1")]))
        .unwrap();
    verifier
        .keys()
        .publish("b", &set(&[&key(2, "k2")]))
        .unwrap();
    let gate = verifier.gate("api").unwrap();
    World {
        verifier,
        gate,
        clock: hands,
    }
}

/// A token with everything that can be revoked; `iat` is now.
fn full(iss: &str, more: &str) -> String {
    let number = if iss == A { 1 } else { 2 };
    let key = key(number, &format!("k{number}"));
    let claims = format!(
        r#"{{"iss":"{iss}","sub":"u1","aud":"mcp","client_id":"c1","jti":"j1","sid":"s1","txn":"t1",
            "acti":"w1","mission":{{"id":"m1","issuer":"https://consent.example"}},
            "cnf":{{"jkt":"{JKT}"}},
            "act":{{"sub":"outer","act":{{"iss":"{B}","sub":"inner"}}}},{more}
            "iat":{NOW},"exp":{}}}"#,
        NOW + 300
    );
    token_with(&key, "", &claims)
}

#[test]
fn rev_01_each_handle_of_a_token_ends_it_cached_or_not() {
    let handles = [
        ("jti", Handle::token(A, "j1")),
        ("sid", Handle::session(A, "s1")),
        ("sub", Handle::subject(A, "u1")),
        ("sub", Handle::account(A, "u1")),
        ("act", Handle::account(A, "outer")),
        ("client_id", Handle::client(A, "c1")),
        ("act", Handle::actor(A, "outer")),
        ("act", Handle::actor(B, "inner")),
        ("cnf", Handle::holder_key(JKT)),
        ("kid", Handle::signing_key(A, "k1")),
        ("iss", Handle::issuer(A)),
        ("txn", Handle::txn(A, "t1")),
        ("workflow", Handle::workflow(A, "w1")),
        ("intent", Handle::intent("https://consent.example", "m1")),
    ];
    for (claim, handle) in handles {
        let World { verifier, gate, .. } = world(ON);
        let token = full(A, "");
        gate.verify(&token).unwrap();
        gate.verify(&token).unwrap();
        assert_eq!(verifier.cache_stats().hits, 1);
        let receipt = verifier
            .revocations()
            .revoke(&handle, Revocation::all())
            .unwrap();
        assert_eq!((receipt.epoch, receipt.reach), (1, "process"));
        let cached = gate.verify(&token).unwrap_err();
        assert_eq!(
            (cached.code(), cached.claim()),
            (Code::Revoked, Some(claim))
        );
        // Another text of the same claims: no token is known by its bytes.
        let again = full(A, r#""x":1,"#);
        let fresh = gate.verify(&again).unwrap_err();
        assert_eq!((fresh.code(), fresh.claim()), (Code::Revoked, Some(claim)));
        assert_eq!(
            gate.verify_batch(&[&token]).get(0).unwrap().code(),
            "revoked"
        );

        // REV-03: another issuer's token with the same names; only what is shared ends it.
        let shared = matches!(claim, "cnf" | "intent") || handle == Handle::actor(B, "inner");
        assert_eq!(gate.verify(full(B, "")).is_err(), shared, "{claim}");

        let lifted = verifier.revocations().lift(&handle).unwrap();
        assert_eq!(lifted.epoch, 2);
        let token = gate.verify(&token).unwrap();
        assert_eq!(token.snapshot().revocations, Some(2));
    }
}

#[test]
fn rev_03_near_misses_end_nothing() {
    let World { verifier, gate, .. } = world(ON);
    let revoke = |handle| {
        verifier
            .revocations()
            .revoke(&handle, Revocation::all())
            .unwrap()
    };
    for handle in [
        Handle::token(A, "J1"),
        Handle::token(B, "j1"),
        Handle::session(A, "s1 "),
        Handle::subject(A, "outer"),
        Handle::actor(A, "u1"),
        Handle::actor(A, "inner"),
        Handle::actor(B, "outer"),
        Handle::client(A, "u1"),
        Handle::signing_key(B, "k1"),
        Handle::txn("t1", A),
        Handle::intent(A, "m1"),
        Handle::holder_key(&JKT.replacen("0Z", "0z", 1)),
    ] {
        revoke(handle);
    }
    gate.verify(full(A, "")).unwrap();
}

#[test]
fn rev_04_an_agent_is_met_as_the_subject_where_it_acts_for_itself() {
    let World { verifier, gate, .. } = world(ON);
    let own = |more: &str| {
        let claims = super::claims(A, "", more);
        token_with(&key(1, "k1"), "", &claims)
    };
    gate.verify(own("")).unwrap();
    let agent = Handle::actor(A, "u1");
    verifier
        .revocations()
        .revoke(&agent, Revocation::all())
        .unwrap();
    let error = gate.verify(own("")).unwrap_err();
    assert_eq!(error.code(), Code::Revoked);
    // No command can look into a process.
    let hint = gate.advice(&error).hint;
    assert!(hint.starts_with("This process alone remembers"), "{hint}");
    let acted = r#""act":{"sub":"x"},"#;
    gate.verify(own(acted)).unwrap();
    let profiled = r#""act":{"sub":"x"},"sub_profile":"user ai_agent","#;
    assert_eq!(
        gate.verify(own(profiled)).unwrap_err().code(),
        Code::Revoked
    );
}

#[test]
fn rev_02_and_10_a_cutoff_spares_what_came_later_but_not_what_descends_from_before() {
    let cases = [
        // Of the token itself: its `iat` counts, to the second.
        (Handle::subject(A, "u1"), NOW - 1, "", true),
        (Handle::subject(A, "u1"), NOW, "", false),
        (Handle::actor(A, "outer"), NOW - 1, "", true),
        (Handle::actor(A, "outer"), NOW, "", false),
        // Further back: for a day whatever `iat` says.
        (Handle::actor(B, "inner"), NOW - 24 * 3600, "", true),
        (Handle::actor(B, "inner"), NOW - 24 * 3600 + 1, "", false),
        // A session ends with its sign-in, whatever was issued in it since.
        (Handle::session(A, "s1"), NOW - 60, "", true),
        (
            Handle::session(A, "s1"),
            NOW - 60,
            r#""auth_time":1799999940,"#,
            false,
        ),
        (
            Handle::session(A, "s1"),
            NOW - 61,
            r#""auth_time":1799999940,"#,
            true,
        ),
        (
            Handle::subject(A, "u1"),
            NOW - 60,
            r#""auth_time":1799999940,"#,
            true,
        ),
    ];
    for (handle, cutoff, more, passes) in cases {
        let World { verifier, gate, .. } = world(ON);
        let revocation = Revocation::before(at(cutoff));
        verifier.revocations().revoke(&handle, revocation).unwrap();
        let verdict = gate.verify(full(A, more));
        assert_eq!(
            verdict.is_ok(),
            passes,
            "{:?} {cutoff} {more}",
            handle.kind()
        );
    }
}

#[test]
fn so_far_is_until_the_verifiers_now() {
    let World {
        verifier,
        gate,
        clock,
    } = world(ON);
    clock.advance(Span::from_seconds(-1));
    let u1 = Handle::subject(A, "u1");
    verifier
        .revocations()
        .revoke(&u1, Revocation::so_far())
        .unwrap();
    gate.verify(full(A, "")).unwrap();
    clock.advance(Span::from_seconds(1));
    verifier
        .revocations()
        .revoke(&u1, Revocation::so_far())
        .unwrap();
    assert_eq!(gate.verify(full(A, "")).unwrap_err().code(), Code::Revoked);
}

/// Whoever signs out everywhere, and signs in again: by whole seconds, as `iat` has them.
#[test]
fn a_sign_in_of_the_next_second_lives() {
    let u1 = Handle::subject(A, "u1");
    for (second, millis, passes) in [(NOW - 1, 400, true), (NOW, 0, false), (NOW, 900, false)] {
        let World {
            verifier,
            gate,
            clock,
        } = world(ON);
        clock.set(second);
        clock.advance(std::time::Duration::from_millis(millis).into());
        let receipt = verifier
            .revocations()
            .revoke(&u1, Revocation::so_far())
            .unwrap();
        assert_eq!(receipt.cutoff, Some(at(second)));
        clock.set(NOW + 1);
        assert_eq!(
            gate.verify(full(A, "")).is_ok(),
            passes,
            "{second} {millis}"
        );
    }
}

#[test]
fn rev_04_inner_actors_can_be_left_out() {
    let off = r#""revocation":{"store":"process","inner_actors":"ignore"},"#;
    let World { verifier, gate, .. } = world(off);
    let revoke = |handle| {
        verifier
            .revocations()
            .revoke(&handle, Revocation::all())
            .unwrap()
    };
    revoke(Handle::actor(B, "inner"));
    gate.verify(full(A, "")).unwrap();
    revoke(Handle::actor(A, "outer"));
    assert_eq!(gate.verify(full(A, "")).unwrap_err().code(), Code::Revoked);
}

#[test]
fn rev_07_what_has_ended_is_not_asked_and_what_may_live_is_remembered() {
    let World {
        verifier,
        gate,
        clock,
    } = world(ON);
    let revocations = verifier.revocations();
    let until = Revocation::all().until(at(NOW + 10));
    revocations
        .revoke(&Handle::subject(A, "u1"), until)
        .unwrap();
    assert!(gate.verify(full(A, "")).is_err());
    clock.advance(Span::from_seconds(10));
    gate.verify(full(A, "")).unwrap();
    // Set back, it is asked again, seen before or not.
    clock.advance(Span::from_seconds(-1));
    assert!(gate.verify(full(A, "")).is_err());
    clock.advance(Span::from_seconds(1));
    // Without an end it is remembered, however long a token may turn out to live.
    revocations
        .revoke(&Handle::token(A, "j2"), Revocation::all())
        .unwrap();
    let years = 10 * 365 * 24 * 3600;
    clock.advance(Span::from_seconds(years));
    let later = |jti: &str| {
        let claims = format!(
            r#"{{"iss":"{A}","sub":"u9","aud":"mcp","client_id":"c1","jti":"{jti}","iat":{},"exp":{}}}"#,
            NOW + 10 + years,
            NOW + 310 + years
        );
        token_with(&key(1, "k1"), "", &claims)
    };
    gate.verify(later("j3")).unwrap();
    assert!(gate.verify(later("j2")).is_err());
}

#[test]
fn a_revoked_token_of_the_chain_ends_what_comes_from_it() {
    let World { verifier, gate, .. } = world(ON);
    let parent = format!(
        r#"{{"iss":"{A}","sub":"u1","aud":"mcp","client_id":"c0","jti":"parent","iat":{NOW},"exp":{}}}"#,
        NOW + 300
    );
    let parent = token_with(&key(1, "k1"), "", &parent);
    let child = format!(
        r#"{{"iss":"{A}","sub":"u1","aud":"mcp","client_id":"c1","jti":"child","iat":{NOW},"exp":{},
            "act":{{"sub":"mcp"}}}}"#,
        NOW + 300
    );
    let child = token_with(&key(1, "k1"), "", &child);
    let context = [crate::ContextToken::new(Kind::AccessToken, &parent)];
    let verify = || gate.verify_chain(&child, &context, &crate::Requirements::NONE);
    verify().unwrap();
    let revoked = Handle::token(A, "parent");
    verifier
        .revocations()
        .revoke(&revoked, Revocation::all())
        .unwrap();
    assert_eq!(verify().unwrap_err().code(), Code::Revoked);
    // Alone nobody can see where it comes from (31.3).
    gate.verify(&child).unwrap();
}

#[test]
fn what_cannot_be_meant_is_refused_and_what_was_revoked_outlives_a_reload() {
    let World { verifier, gate, .. } = world("");
    let u1 = Handle::subject(A, "u1");
    let revoke = |handle: &Handle| verifier.revocations().revoke(handle, Revocation::all());
    assert_eq!(revoke(&u1), Err(RevokeError::Off));
    assert_eq!(verifier.revocations().lift(&u1), Err(RevokeError::Off));
    assert_eq!(
        gate.verify(full(A, "")).unwrap().snapshot().revocations,
        None
    );

    verifier.reload(policy(ON)).unwrap();
    assert_eq!(
        revoke(&Handle::subject("a", "u1")),
        Err(RevokeError::PolicyName)
    );
    // A trust domain may have the name of an issuer here.
    revoke(&Handle::txn("a", "t9")).unwrap();
    verifier
        .revocations()
        .lift(&Handle::txn("a", "t9"))
        .unwrap();
    for empty in [
        Handle::subject(A, ""),
        Handle::subject("", "u1"),
        Handle::holder_key(""),
    ] {
        assert_eq!(revoke(&empty), Err(RevokeError::Empty));
    }
    for jkt in [
        "short",
        &JKT[1..],
        &format!("{JKT}="),
        &JKT.replace('-', "+"),
    ] {
        let refused = if jkt == JKT {
            Ok(())
        } else {
            Err(RevokeError::NoThumbprint)
        };
        assert_eq!(
            revoke(&Handle::holder_key(jkt)).map(|_| ()),
            refused,
            "{jkt}"
        );
    }
    for nobodys in [
        Handle::issuer("https://a.example/"),
        Handle::subject("https://c.example", "u1"),
        Handle::token("u1", A),
    ] {
        assert_eq!(revoke(&nobodys), Err(RevokeError::NoSuchIssuer));
    }
    let past = Revocation::all().until(at(NOW));
    assert_eq!(
        verifier.revocations().revoke(&u1, past),
        Err(RevokeError::Ended)
    );
    // What was not revoked cannot be lifted, and costs nothing.
    let epoch = verifier.revocations().epoch();
    for number in 0..5_000 {
        let unknown = Handle::subject(A, &number.to_string());
        assert_eq!(verifier.revocations().lift(&unknown).unwrap().epoch, epoch);
    }
    let entries = verifier.revocations().stats().entries;
    revoke(&u1).unwrap();
    verifier.reload(policy("")).unwrap();
    gate.verify(full(A, "")).unwrap();
    verifier.reload(policy(ON)).unwrap();
    assert_eq!(gate.verify(full(A, "")).unwrap_err().code(), Code::Revoked);
    assert_eq!(verifier.revocations().stats().entries, entries + 1);
}

#[test]
fn explain_shows_by_which_of_its_names_a_token_is_revoked() {
    let shown = [
        (
            Handle::subject(A, "u1"),
            r#"sub is "u1", which was revoked"#,
        ),
        (
            Handle::actor(B, "inner"),
            r#"act is "outer" ← "inner" ← "u1", which was revoked"#,
        ),
        (
            Handle::signing_key(A, "k1"),
            r#"kid is "k1", which was revoked"#,
        ),
        (Handle::workflow(A, "w1"), "w1"),
    ];
    for (handle, expected) in shown {
        let World { verifier, gate, .. } = world(ON);
        let token = full(A, "");
        let notes = || {
            let steps = gate.explain(&token).steps.into_iter();
            steps.map(|step| step.note).collect::<Vec<_>>().join("\n")
        };
        let passed = notes();
        assert!(
            passed.contains("nothing of it is revoked, at epoch 0"),
            "{passed}"
        );
        verifier
            .revocations()
            .revoke(&handle, Revocation::all())
            .unwrap();
        let refused = notes();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn a_verdict_that_was_held_is_asked_again() {
    let World {
        verifier,
        gate,
        clock,
    } = world(ON);
    let held = gate.verify(full(A, "")).unwrap();
    let outbound = |jti: &str| {
        let claims = format!(
            r#"{{"iss":"{A}","sub":"u1","aud":"https://next.example","client_id":"mcp","jti":"{jti}",
                "scope":"","iat":{NOW},"exp":{},"act":{{"sub":"mcp"}}}}"#,
            NOW + 300
        );
        token_with(&key(1, "k1"), "", &claims)
    };
    let plain = gate
        .verify(token_with(&key(1, "k1"), "", &super::claims(A, "", "")))
        .unwrap();
    let (first, second) = (outbound("o1"), outbound("o2"));
    let send = |token: &str| {
        let outbound = crate::ContextToken::new(Kind::AccessToken, token);
        gate.check_outbound(&plain, outbound, "https://next.example")
    };
    let require = || held.require(&crate::Requirements::NONE, clock.now());
    send(&first).unwrap();
    require().unwrap();
    let revoke = |handle: Handle| {
        let receipt = verifier.revocations().revoke(&handle, Revocation::all());
        receipt.unwrap();
    };
    revoke(Handle::token(A, "o1"));
    assert_eq!(send(&first).unwrap_err().code(), Code::Revoked);
    send(&second).unwrap();
    require().unwrap();
    revoke(Handle::subject(A, "u1"));
    assert_eq!(send(&second).unwrap_err().code(), Code::Revoked);
    assert_eq!(require().unwrap_err().code(), Code::Revoked);
}

#[test]
fn a_verdict_says_who_was_asked() {
    let asked = |world: &World| {
        let token = world.gate.verify(full(A, "")).unwrap();
        let check = token.revocation();
        let store = check.store.map(str::to_owned);
        (check.checked, store, check.sequence, check.staleness)
    };
    let off = world("");
    assert_eq!(asked(&off), (false, None, None, None));
    let on = world(ON);
    let process = Some("process".to_owned());
    assert_eq!(asked(&on), (true, process.clone(), Some(0), None));
    let handle = Handle::session(B, "another");
    let revocations = on.verifier.revocations();
    revocations.revoke(&handle, Revocation::all()).unwrap();
    // The same token, seen before: it was asked about anew.
    assert_eq!(asked(&on), (true, process, Some(1), None));
}
