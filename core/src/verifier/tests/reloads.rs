//! What outlives a reload, and what does not.

use super::{A, B, NOW, key, other_policy, policy, token, verifier};
use crate::crypto::aws_lc;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::Verifier;

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
    assert_eq!(crate::Error::from(error).code().as_str(), "usage");
}
