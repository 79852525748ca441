//! Attested clients that a server challenges (ATT-09, ATT-11).

use std::sync::Arc;

use serde_json::json;

use super::{NOW, key, signed};
use crate::crypto::{SigningKey, aws_lc};
use crate::error::{Code, Error};
use crate::jwa::Algorithm;
use crate::mint::{DpopProof, DpopProver};
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, FixedClock, Span};
use crate::verifier::{Gate, Request, Requirements, VerifiedToken, Verifier};

const SERVER: &str = "https://as.example";
const FIELD: &str = "OAuth-Client-Attestation-Challenge";

fn gate() -> (Gate, Arc<FixedClock>) {
    let document = json!({
        "version": 1,
        "issuers": { "a": { "issuer": "https://attester.example", "algorithms": ["Ed25519"],
                            "profiles": ["client_attestation"],
                            "jwks": { "keys": [json(&key(1, "k"))] } } },
        "gates": { "g": { "profile": "client_attestation", "issuers": ["a"], "public_url": SERVER } },
        "dpop": {},
        // Set wherever cargo runs, and long enough; another instance has the same.
        "attestation": { "challenge": "required", "challenge_secret": { "env": "PATH" } },
        "replay": { "store": "process" },
    });
    let policy = Policy::parse_with(document.to_string(), Format::Json, &LoadOptions::new());
    let clock = Arc::new(FixedClock::new(NOW));
    let fixed = Clock::Fixed(Arc::clone(&clock));
    let verifier = Verifier::with_clock(policy.unwrap(), aws_lc::provider(), fixed).unwrap();
    (verifier.gate("g").unwrap(), clock)
}

fn json(key: &SigningKey) -> serde_json::Value {
    serde_json::from_str(&key.verifying_jwk().to_json()).unwrap()
}

fn holder() -> SigningKey {
    SigningKey::from_seed(Algorithm::Es256, &[9; 32]).unwrap()
}

fn attestation() -> String {
    let claims = json!({
        "iss": "https://attester.example", "sub": "c1", "iat": NOW, "exp": NOW + 3600,
        "cnf": { "jwk": json(&holder()) },
    });
    let header = r#"{"alg":"Ed25519","typ":"oauth-client-attestation+jwt","kid":"k"}"#;
    signed(&key(1, "k"), header, &claims.to_string())
}

fn proof(challenge: Option<&str>, jti: &str, now: i64) -> String {
    let header = r#"{"alg":"ES256","typ":"oauth-client-attestation-pop+jwt"}"#;
    let claims = json!({ "aud": SERVER, "iat": now, "jti": jti, "challenge": challenge });
    signed(&holder(), header, &claims.to_string())
}

fn call(gate: &Gate, name: &str, proof: &str) -> Result<VerifiedToken, Error> {
    let token = attestation();
    let fields = [("OAuth-Client-Attestation", token.as_str()), (name, proof)];
    gate.verify_request(
        &Request::new("POST", "/token").headers(fields),
        &Requirements::NONE,
    )
}

fn given(gate: &Gate, error: &Error) -> String {
    let answer = gate.answer(error, &Requirements::NONE);
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("\"use_attestation_challenge\""),
        "{}",
        answer.body
    );
    let field = answer.headers.iter().find(|(name, _)| *name == FIELD);
    field.unwrap().1.clone()
}

#[test]
fn a_challenge_is_answered_and_known_again_without_a_store() {
    const POP: &str = "OAuth-Client-Attestation-PoP";
    let ((gate, clock), (other, _)) = (gate(), gate());
    let send = |challenge: Option<&str>, jti: &str| {
        call(&gate, POP, &proof(challenge, jti, clock.now().seconds()))
    };
    let refused = send(None, "1").unwrap_err();
    assert_eq!(refused.code(), Code::NonceRequired);
    let challenge = given(&gate, &refused);
    assert_eq!(challenge, given(&other, &refused));
    let first = send(Some(&challenge), "2").unwrap();
    assert_eq!(first.response_headers().count(), 0);
    // In the next minute it is still good, and the answer brings its successor.
    clock.advance(Span::from_seconds(60));
    let second = send(Some(&challenge), "3").unwrap();
    let [(name, next)] = second.response_headers().collect::<Vec<_>>()[..] else {
        panic!("one field")
    };
    assert_eq!((name, next), (FIELD, given(&gate, &refused).as_str()));
    clock.advance(Span::from_seconds(60));
    let stale = send(Some(&challenge), "4").unwrap_err();
    assert_eq!(stale.code(), Code::NonceRequired);
    assert!(send(Some(next), "5").is_ok());
}

#[test]
fn a_dpop_proof_answers_it_too() {
    let (gate, clock) = gate();
    let prover = DpopProver::new(holder()).unwrap();
    let send = |challenge: Option<&str>, jti: &str| {
        let proof = DpopProof::new("POST", "https://as.example/token", clock.now());
        let proof = proof.with_jwt_id(jti);
        let proof = match challenge {
            Some(challenge) => proof.with_nonce(challenge),
            None => proof,
        };
        call(&gate, "DPoP", &prover.prove(&proof).unwrap())
    };
    let refused = send(None, "1").unwrap_err();
    assert_eq!(refused.code(), Code::NonceRequired);
    assert!(send(Some(&given(&gate, &refused)), "2").is_ok());
    assert!(send(Some("of somebody else"), "3").is_err());
}
