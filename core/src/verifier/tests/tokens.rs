//! What a verified token says of itself.

use serde::Deserialize;

use super::{A, NOW, claims, key, policy, set, token_with};
use crate::crypto::aws_lc;
use crate::error::{Code, Error};
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::jwk::JwkSet;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::{SubjectKind, VerifiedToken, Verifier, verify_jws};

/// A verified token with these claims more, from a gate that surfaces delegation.
fn verified(more: &str) -> VerifiedToken {
    let document = policy("mcp").canonical_json();
    let document = document.replacen(
        "\"issuers\":[",
        "\"delegation\":\"surface\",\"issuers\":[",
        1,
    );
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let gate = verifier.gate("api").unwrap();
    gate.verify(token_with(&key, "", &claims(A, "", more)))
        .unwrap()
}

#[derive(Debug, Deserialize, PartialEq)]
struct Own {
    sub: String,
    tenant: u64,
    #[serde(default)]
    place: Option<Place>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Place {
    city: String,
}

#[test]
fn claims_become_a_type_of_the_applications_own() {
    let own: Own = verified("\"tenant\":7,\"place\":{\"city\":\"x\"},")
        .deserialize()
        .unwrap();
    let place = Some(Place {
        city: "x".to_owned(),
    });
    assert_eq!(
        own,
        Own {
            sub: "u1".to_owned(),
            tenant: 7,
            place
        }
    );
}

#[test]
fn a_misfit_names_the_claim_and_no_value() {
    for (more, claim) in [
        ("", "tenant"),
        ("\"tenant\":\"SECRET\",", "tenant"),
        ("\"tenant\":7,\"place\":{\"SECRET\":1},", "place"),
        ("\"tenant\":7,\"place\":{\"city\":[\"SECRET\"]},", "place"),
    ] {
        let misfit = verified(more).deserialize::<Own>().unwrap_err();
        assert_eq!(misfit.claim(), Some(claim), "{more}");
        assert_eq!(misfit.code(), Code::ClaimType);
        for text in [misfit.to_string(), format!("{misfit:?}")] {
            assert!(text.contains(claim) && !text.contains("SECRET"), "{text}");
        }
        assert_eq!(Error::from(misfit), Error::new(Code::ClaimType));
    }
    // A registered claim keeps its name in an `Error`.
    #[derive(Debug, Deserialize)]
    struct Numbered {
        #[expect(dead_code, reason = "it never comes to be")]
        sub: u64,
    }
    let misfit = verified("").deserialize::<Numbered>().unwrap_err();
    assert_eq!(Error::from(misfit), Error::about(Code::ClaimType, "sub"));
    // What is no object has no claims.
    let misfit = verified("").deserialize::<u64>().unwrap_err();
    assert_eq!(misfit.claim(), None);
}

#[test]
fn authorization_details_are_their_text() {
    let details = r#"[{"type":"payment", "amount":1.50}]"#;
    let token = verified(&format!("\"authorization_details\":{details},"));
    assert_eq!(token.authorization_details(), Some(details));
    assert_eq!(verified("").authorization_details(), None);
}

#[test]
fn a_subject_is_a_client_an_agent_or_not_said() {
    for (more, kind, delegated) in [
        ("", None, false),
        (r#""act":{"sub":"agent"},"#, None, true),
        (r#""act":{"sub":"u1"},"#, Some(SubjectKind::Agent), false),
        // The same name elsewhere is somebody else.
        (
            r#""act":{"sub":"u1","iss":"https://b.example"},"#,
            None,
            true,
        ),
    ] {
        let token = verified(more);
        assert_eq!(
            (token.subject_kind(), token.delegated()),
            (kind, delegated),
            "{more}"
        );
    }
    // AT-08: client credentials.
    let verifier = super::verifier();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let own = claims(A, "", "").replace("\"u1\"", "\"c1\"");
    let token = verifier
        .gate("api")
        .unwrap()
        .verify(token_with(&key, "", &own))
        .unwrap();
    assert_eq!(token.subject_kind(), Some(SubjectKind::Client));
}

#[test]
fn the_whole_of_a_token_keeps_its_digits() {
    let verifier = super::verifier();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let more = r#""n":12345678901234567890123,"x":1.10,"#;
    let claims = claims(A, "read", more);
    let gate = verifier.gate("api").unwrap();
    let token = gate.verify(token_with(&key, "", &claims)).unwrap();
    let whole = token.to_json();
    assert!(
        whole.ends_with(&format!(r#","claims":{claims}}}"#)),
        "{whole}"
    );
    let read: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(read["scopes"], serde_json::json!(["read"]));
    assert_eq!(
        (&read["actor"], &read["chain"]),
        (&().into(), &serde_json::json!([]))
    );
    assert_eq!(read["snapshot"]["keys"], 1);
    assert_eq!(read["header"]["kid"], "k");
}

#[test]
fn a_signature_that_nobody_may_make_is_the_callers_mistake() {
    let key = key(1, "k");
    let (token, keys) = (super::token(&key, A, ""), set(&[&key]));
    let refused = |keys: &JwkSet, algorithms| {
        let verified = verify_jws(&token, keys, algorithms, &aws_lc::provider());
        verified
            .map(drop)
            .map_err(|error| (error.code().as_str(), error.misuse().unwrap_or("")))
    };
    let only = |algorithm| AlgorithmSet::EMPTY.with(algorithm);
    assert_eq!(refused(&keys, only(Algorithm::Ed25519)), Ok(()));
    assert_eq!(
        refused(&keys, only(Algorithm::Es256)),
        Err(("alg_not_allowed", ""))
    );
    let (code, text) = refused(&keys, AlgorithmSet::EMPTY).unwrap_err();
    assert!(
        code == "usage" && text.contains("there is no default"),
        "{text}"
    );
    let (code, text) = refused(&set(&[&key, &key]), only(Algorithm::Ed25519)).unwrap_err();
    assert!(code == "usage" && text.contains("same kid"), "{text}");
}
