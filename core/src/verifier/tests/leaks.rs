//! `Debug` and `Display` of what a token becomes show nothing of it: such texts end up in logs.

use super::{A, base64url, claims, key, policy, set, token_with};
use crate::claims::Claims;
use crate::crypto::aws_lc;
use crate::encoding::json::Json;
use crate::jwa::AlgorithmSet;
use crate::jws::Compact;
use crate::limits::Limits;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::{Requirements, Verifier, inspect, verify_jws};

/// Every text of the token has it.
const MARK: &str = "MARKED";

fn assert_clean(what: impl std::fmt::Debug) {
    let (short, long) = (format!("{what:?}"), format!("{what:#?}"));
    let encoded = base64url::encode(MARK.as_bytes());
    for text in [&short, &long] {
        assert!(!text.contains(MARK) && !text.contains(&encoded), "{text}");
        // Bytes shown as numbers: "MARKED".
        assert!(
            !text.contains("77, 65, 82") && !text.contains("77,\n"),
            "{text}"
        );
    }
}

#[test]
fn nothing_of_a_token_is_shown_by_debug() {
    let document = policy(MARK).canonical_json().replacen(
        "\"audience\"",
        "\"delegation\":\"surface\",\"audience\"",
        1,
    );
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(super::NOW));
    let verifier = verifier.unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let gate = verifier.gate("api").unwrap();

    let claims = claims(
        A,
        "MARKED MARKED.b",
        r#""act":{"sub":"MARKED"},"x":["MARKED"],"#,
    )
    .replace("\"u1\"", "\"MARKED\"")
    .replace("\"c1\"", "\"MARKED\"")
    .replace("\"j1\"", "\"MARKED\"")
    .replace("\"mcp\"", "[\"MARKED\",\"MARKED.b\"]");
    let text = token_with(&key, r#""x":"MARKED","#, &claims);
    let token = gate.verify(&text).unwrap();
    assert_clean(&token);
    assert_clean(token.audience());
    assert_clean(token.scopes());
    assert_clean(token.actor());
    assert_clean(token.chain().collect::<Vec<_>>());
    assert_clean(token.snapshot());
    assert_clean(gate.judge(&text));
    assert_clean(gate.verify_batch(&[&text]));
    assert_clean(inspect(&text).unwrap());
    let keys = set(&[&key]);
    let any: AlgorithmSet = aws_lc::provider().algorithms;
    assert_clean(verify_jws(&text, &keys, any, &aws_lc::provider()).unwrap());

    // The same of what is not public, since a public type may come to hold it.
    assert_clean(Compact::split(text.as_bytes(), text.len()).unwrap());
    let json = Json::parse(claims.into_bytes(), Limits::DEFAULT.into()).unwrap();
    assert_clean(Claims::locate(json).unwrap());

    let error = gate
        .verify_with(&text, &Requirements::scopes(["other"]))
        .unwrap_err();
    assert_clean(error);
    assert_clean(error.to_string());
    assert_clean(gate.answer(&error, &Requirements::NONE));
}
