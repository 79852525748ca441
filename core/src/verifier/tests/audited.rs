//! Records for an audit log.

use serde_json::{Value, json};

use super::{A, NOW, claims, key, set, token_with, verifier};
use crate::crypto::aws_lc;
use crate::encoding::base64url;

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
    let subject = verified.subject().unwrap();
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
        "sub_ref": hash(&format!("[{A:?},{subject:?}]")),
        "token_ref": hash(signed),
        "jti": verified.jwt_id(),
        "txn": "t-1",
        "client_id": verified.client_id(),
        "aud": ["mcp"],
        "scope": "read write",
        "act": [],
        "chain_complete": true,
        "lineage": "none",
        "intent": [],
        "alg": "Ed25519",
        "kid": "k",
    });
    assert_eq!(record, expected);
}
