//! What outlives a reload, and what does not.

use super::{A, B, NOW, claims, key, other_policy, policy, set, token, token_with, verifier};
use crate::crypto::aws_lc;
use crate::error::Error;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, NumericDate};
use crate::verifier::{Advice, Grounds, Requirements, Verifier};
use crate::wire::Answer;

#[test]
fn an_error_of_before_a_reload_still_names_its_issuer() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let error = gate.verify(token(&key(1, "k"), B, "")).unwrap_err();
    assert_eq!(gate.advice(&error).issuer_name.as_deref(), Some("b"));

    // The one issuer of this policy stands where the other stood.
    let members = format!(r#""issuer":"{A}","jwks_push":"process""#);
    let without = other_policy(&members, &LoadOptions::new());
    verifier.reload(without).unwrap();
    assert_eq!(gate.advice(&error).issuer_name, None);
    let members = format!(
        r#""issuer":"https://c.example","jwks_push":"process"}},"b":{{"issuer":"{B}","jwks_push":"process""#
    );
    let moved = other_policy(&members, &LoadOptions::new());
    verifier.reload(moved).unwrap();
    assert_eq!(gate.advice(&error).issuer_name.as_deref(), Some("b"));
    verifier.reload(policy("mcp")).unwrap();
    assert_eq!(gate.advice(&error).issuer_name.as_deref(), Some("b"));
}

/// Of the error of `judge` everything that whoever reads of it sees.
fn read(grounds: &Grounds, error: &Error, needs: &Requirements) -> (Advice, Answer) {
    (grounds.advice(error, needs), grounds.answer(error, needs))
}

#[test]
fn an_error_is_answered_by_what_it_was_judged_under() {
    let document = |issuer: &str, name: &str, gate: &str, scope: &str, url: &str| {
        let document = format!(
            r#"{{"version":1,
                "issuers":{{"{name}":{{"issuer":"{issuer}","jwks_push":"process"}}}},
                "gates":{{"{gate}":{{"profile":"access_token","audience":"{url}/mcp",
                    "issuers":["{name}"],"required_scopes":["{scope}"],"public_url":"{url}"}}}}}}"#
        );
        Policy::parse(document, Format::Json).unwrap()
    };
    let before = || document(A, "a", "api", "mcp:use", "https://one.example.com");
    let clock = Clock::fixed(NOW);
    let verifier = Verifier::with_clock(before(), aws_lc::provider(), clock).unwrap();
    let gate = verifier.gate("api").unwrap();
    let signing = key(1, "k");
    verifier.keys().publish("a", &set(&[&signing])).unwrap();
    let of = |aud: &str| {
        let claims = claims(A, "mcp:use", "").replace("\"mcp\"", &format!("\"{aud}\""));
        token_with(&signing, "", &claims)
    };
    let good = of("https://one.example.com/mcp");
    let (needs, none) = (Requirements::scopes(["write"]), Requirements::NONE);
    let sitting = gate.sit();
    let errors = [
        (sitting.verify("no token", &none).unwrap_err(), &none),
        (sitting.verify(of("b"), &none).unwrap_err(), &none),
        (sitting.verify(&good, &needs).unwrap_err(), &needs),
    ];
    let grounds = sitting.grounds();
    drop(sitting);
    let batch = gate.verify_batch(&["no token"]);
    let token = gate.verify(&good).unwrap();
    let said: Vec<_> = errors
        .iter()
        .map(|(error, needs)| read(&grounds, error, needs))
        .collect();
    assert_eq!(said[0].0.gate, "api");
    assert_eq!(said[1].0.expected, ["https://one.example.com/mcp"]);
    assert_eq!(said[2].1.status, 403);
    let mut headers = said[2].1.headers.iter();
    let (_, challenge) = headers
        .find(|(name, _)| *name == "WWW-Authenticate")
        .unwrap();
    assert!(challenge.contains("mcp:use write"), "{challenge}");
    assert!(challenge.contains("one.example.com"), "{challenge}");

    let unlike = document(B, "b", "api", "other", "https://two.example.com");
    let without = document(A, "a", "door", "other", "https://two.example.com");
    for policy in [unlike, without] {
        verifier.reload(policy).unwrap();
        for ((error, needs), said) in errors.iter().zip(&said) {
            assert_eq!(read(&grounds, error, needs), *said);
            assert_ne!(read(&gate.grounds(), error, needs), *said);
        }
        assert_eq!(read(batch.grounds(), &errors[0].0, &none), said[0]);
        let missing = token.require(&needs, NumericDate::from_seconds(NOW).unwrap());
        let missing = missing.unwrap_err();
        assert_eq!(read(&gate.grounds_of(&token), &missing, &needs), said[2]);
    }
    verifier.reload(before()).unwrap();
    assert!(!grounds.is_same_as(&gate.grounds()), "it was loaded anew");
    assert!(gate.grounds().is_same_as(&gate.sit().grounds()));
}

#[test]
fn a_file_that_changed_beneath_the_same_document_counts() {
    let folder = std::env::temp_dir().join(format!("sealgate-reload-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (old, new) = (key(1, "k1"), key(2, "k2"));
    let load = |key: &crate::crypto::SigningKey| {
        let set = format!(r#"{{"keys":[{}]}}"#, key.verifying_jwk().to_json());
        std::fs::write(folder.join("keys.json"), set).unwrap();
        let document = format!(
            r#"{{"version":1,
                "issuers":{{"a":{{"issuer":"{A}","jwks_file":"keys.json"}}}},
                "gates":{{"api":{{"profile":"access_token","audience":"mcp","issuers":["a"]}}}}}}"#
        );
        let options = LoadOptions::new().folder(&folder);
        Policy::parse_with(document, Format::Json, &options).unwrap()
    };
    let clock = Clock::fixed(NOW);
    let verifier = Verifier::with_clock(load(&old), aws_lc::provider(), clock).unwrap();
    let gate = verifier.gate("api").unwrap();
    let (before, after) = (token(&old, A, ""), token(&new, A, ""));
    let codes = || [&before, &after].map(|token| gate.judge(token).code());
    assert_eq!(codes(), ["accepted", "key_not_found"]);
    let digest = verifier.policy_digest();
    verifier.reload(load(&old)).unwrap();
    assert_eq!(codes(), ["accepted", "key_not_found"]);
    assert_eq!(
        verifier.cache_stats().hits,
        1,
        "nothing changed, and nothing was forgotten"
    );
    verifier.reload(load(&new)).unwrap();
    assert_eq!(codes(), ["key_not_found", "accepted"]);
    assert_eq!(verifier.policy_digest(), digest);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_unknown_gate_is_answered_with_those_there_are() {
    let error = verifier().gate("tolls").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"no gate "tolls"; the policy has "api""#
    );
    assert_eq!(
        format!("{error:?}"),
        r#"UnknownGate(no gate "tolls"; the policy has "api")"#
    );
    assert_eq!(Error::from(error).code().as_str(), "usage");
}
