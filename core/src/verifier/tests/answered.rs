//! What issuers have said of tokens: for how long it counts, whatever the wall clock does and the
//! policy becomes, and that busy issuers keep no other one from being asked.

use std::sync::Arc;

use super::introspected::{AS, GOOD, OPAQUE, Stand};
use super::{NOW, key, set};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::introspection::{Failure, Whose};
use crate::limits::{INTROSPECTIONS, INTROSPECTIONS_EACH};
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, FixedClock, Span};
use crate::verifier::{AskFetch, Asked, Verifier};

const PENDING: Result<(), (Code, Option<&str>)> = Err((Code::IntrospectionPending, None));
const UNAVAILABLE: Result<(), (Code, Option<&str>)> = Err((Code::IntrospectionUnavailable, None));

/// Issuers of these names, each with a gate of its own.
fn issuers(names: &[&str]) -> (Verifier, Arc<FixedClock>) {
    let issuer = |name: &&str| {
        let rules = serde_json::json!({
            "issuer": format!("https://{name}.example"), "keys": [],
            "introspection": {
                "client_id": "rs", "client_secret": { "env": "PATH" },
                "endpoint": format!("https://{name}.example/ask"),
            },
        });
        ((*name).to_owned(), rules)
    };
    let gate = |name: &&str| {
        let rules = serde_json::json!({
            "profile": "access_token", "audience": "mcp", "issuers": [name],
        });
        ((*name).to_owned(), rules)
    };
    let issuers: serde_json::Map<_, _> = names.iter().map(issuer).collect();
    let gates: serde_json::Map<_, _> = names.iter().map(gate).collect();
    let text = serde_json::json!({ "version": 1, "issuers": issuers, "gates": gates });
    let policy = Policy::parse_with(text.to_string(), Format::Json, &LoadOptions::new()).unwrap();
    let clock = Arc::new(FixedClock::new(NOW));
    let open = |_: &_, _| unreachable!("no store is named");
    let clock_of = Clock::Fixed(Arc::clone(&clock));
    let verifier = Verifier::assemble(policy, aws_lc::provider(), clock_of, open).unwrap();
    (verifier, clock)
}

fn token(fetch: &AskFetch) -> String {
    String::from_utf8(fetch.question.due.token.to_vec()).unwrap()
}

fn settle(verifier: &Verifier, fetch: &AskFetch) {
    let asked = Asked {
        endpoint: String::new(),
        body: GOOD.into(),
        is_jwt: false,
    };
    verifier.engine().settle_ask(&fetch.question, Ok(asked));
}

#[test]
fn four_busy_issuers_keep_no_fifth_from_being_asked() {
    let busy = ["a", "b", "c", "d"];
    let (verifier, clock) = issuers(&["a", "b", "c", "d", "e"]);
    let judge = |gate: &str, token: &str| verifier.gate(gate).unwrap().judge(token).code();
    let engine = verifier.engine();
    for (gate, token) in [("d", "d-known"), ("e", "e-known")] {
        assert_eq!(judge(gate, token), "introspection_pending");
        for fetch in engine.begin_asks(INTROSPECTIONS) {
            settle(&verifier, &fetch);
        }
        assert_eq!(judge(gate, token), "accepted");
    }
    clock.advance(Span::from_seconds(50));
    for gate in busy {
        for number in 0..20 {
            let code = judge(gate, &format!("{gate}-{number}"));
            assert_eq!(code, "introspection_pending");
        }
    }
    assert_eq!(judge("d", "d-known"), "accepted");
    assert_eq!(judge("e", "e-known"), "accepted");
    assert_eq!(judge("e", "e-new"), "introspection_pending");
    let begun = engine.begin_asks(INTROSPECTIONS);
    let tokens: Vec<_> = begun.iter().map(token).collect();
    assert_eq!(tokens.len(), INTROSPECTIONS);
    assert_eq!(tokens[..2], ["d-known", "e-known"], "renewals come first");
    assert!(tokens.contains(&"e-new".to_owned()));
    for gate in busy {
        let own = tokens.iter().filter(|token| token.starts_with(gate));
        let fair = INTROSPECTIONS / 5..=INTROSPECTIONS_EACH;
        assert!(fair.contains(&own.count()), "{gate}: {tokens:?}");
    }
    // The four hang, and have taken all the places there are. The fifth has one of its own.
    for fetch in begun.iter().filter(|fetch| token(fetch).starts_with('e')) {
        settle(&verifier, fetch);
    }
    assert_eq!(judge("e", "e-late"), "introspection_pending");
    assert_eq!(judge("e", "e-later"), "introspection_pending");
    let begun = engine.begin_asks(0);
    assert_eq!(begun.iter().map(token).collect::<Vec<_>>(), ["e-late"]);
    assert!(engine.begin_asks(0).is_empty(), "one, and no more");
    settle(&verifier, &begun[0]);
    assert_eq!(judge("e", "e-late"), "accepted");
    // A place that is free is for whoever has the fewest.
    let begun = engine.begin_asks(1);
    assert_eq!(begun.iter().map(token).collect::<Vec<_>>(), ["e-later"]);
}

#[test]
fn an_answer_counts_no_longer_for_a_clock_that_is_set_back() {
    for back in [10, 1800] {
        let stand = Stand::opaque();
        assert_eq!(stand.then(OPAQUE, GOOD), Ok(()));
        stand.clock.set(NOW - back);
        assert_eq!(stand.code(OPAQUE), Ok(()), "it is as old as it was");
        stand.clock.advance(Span::from_seconds(50));
        assert_eq!(stand.code(OPAQUE), Ok(()));
        assert_eq!(stand.answer(r#"{"active":false}"#).len(), 1, "asked anew");
        assert_eq!(stand.code(OPAQUE), Err((Code::Inactive, Some("active"))));
        stand.clock.advance(Span::from_seconds(10));
        assert_eq!(stand.code(OPAQUE), PENDING, "a no counts briefly");
        // One that nobody asks about ends all the same.
        assert_eq!(stand.answer(GOOD).len(), 1);
        stand.clock.set(NOW - 2 * back);
        stand.clock.advance(Span::from_seconds(60));
        assert_eq!(stand.code(OPAQUE), PENDING);
    }
}

#[test]
fn a_machine_that_slept_has_old_answers() {
    let stand = Stand::opaque();
    assert_eq!(stand.then(OPAQUE, GOOD), Ok(()));
    stand.clock.set(NOW + 60); // no moment has passed
    assert_eq!(stand.code(OPAQUE), PENDING);
}

#[test]
fn a_rest_is_as_long_as_it_is_whatever_the_wall_clock_does() {
    for set_to in [NOW - 1800, NOW + 1800] {
        let stand = Stand::opaque();
        let engine = stand.verifier.engine();
        let fail = |token: &str, whose| {
            assert_eq!(stand.code(token), PENDING);
            for fetch in engine.begin_asks(9) {
                let text = "why".to_owned();
                engine.settle_ask(&fetch.question, Err(Failure { whose, text }));
            }
            assert_eq!(stand.code(token), UNAVAILABLE);
        };
        fail("one", Whose::Tokens);
        stand.clock.set(set_to);
        assert_eq!(stand.code("one"), UNAVAILABLE, "{set_to}");
        stand.clock.advance(Span::from_seconds(1));
        assert_eq!(stand.code("one"), PENDING, "{set_to}");
        stand.answer(GOOD);
        for token in ["a", "b", "c"] {
            fail(token, Whose::Issuers);
        }
        stand.clock.set(NOW);
        assert_eq!(stand.code("d"), UNAVAILABLE, "{set_to}");
        stand.clock.set(set_to);
        assert_eq!(stand.code("d"), UNAVAILABLE, "{set_to}");
        stand.clock.advance(Span::from_seconds(4));
        assert_eq!(stand.code("d"), PENDING, "{set_to}");
    }
}

#[test]
fn what_another_issuer_of_that_name_said_is_forgotten() {
    let how = r#","endpoint":"https://ask.example""#;
    let stand = Stand::with("", "", "", how);
    assert_eq!(stand.then(OPAQUE, GOOD), Ok(()));
    let reload = |issuer: serde_json::Value| {
        let text = stand.verifier.policy().to_json();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document["issuers"]["as"]["issuer"] = issuer;
        let text = document.to_string();
        let policy = Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap();
        stand.verifier.reload(policy).unwrap();
        let keys = set(&[&key(1, "k1")]);
        stand.verifier.keys().publish("as", &keys).unwrap();
    };
    reload(AS.into());
    assert_eq!(stand.code(OPAQUE), Ok(()), "the same one");
    reload("https://elsewhere.example".into());
    assert_eq!(stand.code(OPAQUE), PENDING);
}
