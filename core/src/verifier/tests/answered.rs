//! That busy issuers keep no other one from being asked.

use std::sync::Arc;

use super::NOW;
use super::introspected::GOOD;
use crate::crypto::aws_lc;
use crate::limits::{INTROSPECTIONS, INTROSPECTIONS_EACH};
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, FixedClock, Span};
use crate::verifier::{AskFetch, Asked, Verifier};

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
