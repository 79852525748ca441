//! Records for an audit log.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{A, NOW, claims, key, set, token_with, verifier};
use crate::crypto::{aws_lc, mac};
use crate::encoding::base64url;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, FixedClock};
use crate::verifier::Verifier;

fn hash(input: &str) -> String {
    base64url::encode(&(aws_lc::provider().sha256)(input.as_bytes()))
}

#[test]
fn a_record_has_references_and_hashes_and_nothing_that_could_be_used_again() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let token = token_with(&key, "", &claims(A, "read write", r#""txn":"t-1","#));
    let verified = gate.verify(&token).unwrap();
    let record = gate.audit_record(&verified);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    for part in [payload, signature] {
        assert!(!record.contains(part), "{record}");
    }
    let record: Value = serde_json::from_str(&record).unwrap();
    let expected = json!({
        "v": 1,
        "time": NOW,
        "decision": "accepted",
        "gate": "api",
        "profile": "access_token",
        "policy": verifier.policy_digest(),
        "keys": 1,
        "iss": A,
        "issuer_name": "a",
        "token_ref": hash(signed),
        "jti": verified.jwt_id(),
        "txn": "t-1",
        "client_id": verified.client_id(),
        "aud": ["mcp"],
        "scope": "read write",
        "act": [],
        "lineage": "none",
        "intent": [],
        "alg": "Ed25519",
        "kid": "k",
    });
    assert_eq!(record, expected);
}

/// A record of a token of this subject, under this secret.
fn reference(secret: &str, subject: &str) -> Value {
    let jwk = key(1, "k").verifying_jwk().to_json();
    let audit = match secret {
        "" => String::new(),
        variable => format!(r#""audit":{{"secret":{{"env":"{variable}"}}}},"#),
    };
    let policy = format!(
        r#"{{"version":1,{audit}"issuers":{{"a":{{"issuer":"{A}","algorithms":["Ed25519"],
            "jwks":{{"keys":[{jwk}]}}}}}},
            "gates":{{"api":{{"profile":"access_token","audience":"mcp","issuers":["a"]}}}}}}"#
    );
    let policy = Policy::parse_with(policy, Format::Json, &LoadOptions::new()).unwrap();
    let clock = Clock::Fixed(Arc::new(FixedClock::new(NOW)));
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock).unwrap();
    let gate = verifier.gate("api").unwrap();
    let claims = claims(A, "s", "").replace("\"u1\"", &format!("{subject:?}"));
    let verified = gate.verify(token_with(&key(1, "k"), "", &claims)).unwrap();
    let record: Value = serde_json::from_str(&gate.audit_record(&verified)).unwrap();
    assert!(!record.to_string().contains(subject), "{record}");
    record["sub_ref"].clone()
}

#[test]
fn a_subject_is_named_by_a_reference_that_takes_the_secret_to_make() {
    // Set wherever cargo runs tests, and long.
    let of = |subject: &str| reference("PATH", subject);
    let secret = std::env::var("PATH").unwrap();
    let text = format!(r#"sealgate audit subject 1["{A}","mona@example.com"]"#);
    let expected = mac::hmac_sha256(&aws_lc::provider(), secret.as_bytes(), text.as_bytes());
    assert_eq!(of("mona@example.com"), base64url::encode(&expected));
    assert_ne!(of("mona@example.com"), of("mina@example.com"));
    let other = reference("CARGO_PKG_DESCRIPTION", "mona@example.com");
    assert_ne!(of("mona@example.com"), other);
    assert_eq!(reference("", "mona@example.com"), Value::Null);
}
