//! Every order in which a verification and a publication can meet, chosen by a scheduler:
//! `RUSTFLAGS="--cfg sealgate_model" cargo test -p sealgate --lib model`.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

use super::Verifier;
use crate::crypto::{CryptoProvider, VerificationKey, VerifySignature, aws_lc};
use crate::encoding::base64url;
use crate::error::Code;
use crate::jwa::Algorithm;
use crate::jwk::{Jwk, JwkSet, KeyError};
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::Clock;

const RUNS: usize = 1_000;
/// RFC 8037 A.1: a point of the curve, which is all that is asked of it.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// Signatures do not matter here; which key is asked for one does.
struct Yes;

impl VerifySignature for Yes {
    fn verify(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

fn load(_: &Jwk, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
    Ok(VerificationKey::new(algorithm, Box::new(Yes)))
}

fn options() -> LoadOptions {
    LoadOptions::new().allow_test_keys(true)
}

fn verifier() -> Verifier {
    let document = r#"{"version":1,"cache":{"tokens":4},
        "issuers":{"a":{"issuer":"https://a.example","jwks_push":"process","algorithms":["Ed25519"]}},
        "gates":{"api":{"profile":"access_token","audience":"mcp","issuers":["a"]}}}"#;
    let policy = Policy::parse_with(document, Format::Json, &options()).unwrap();
    let real = aws_lc::provider();
    let provider = CryptoProvider::new("yes", real.algorithms, load, real.sha256);
    Verifier::assemble(policy, provider, Clock::fixed(1_800_000_000), |_, _| {
        unreachable!("the policy names no store")
    })
    .unwrap()
}

fn set(kid: &str) -> JwkSet {
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{X}"}}"#);
    JwkSet::parse(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).unwrap()
}

fn token(kid: &str) -> String {
    let header = format!(r#"{{"alg":"Ed25519","typ":"at+jwt","kid":"{kid}"}}"#);
    let claims = r#"{"iss":"https://a.example","sub":"u1","aud":"mcp","client_id":"c1","jti":"j1",
        "iat":1800000000,"exp":1800000300}"#;
    let [header, claims] = [header.as_str(), claims].map(|text| base64url::encode(text.as_bytes()));
    format!("{header}.{claims}.{}", base64url::encode(&[0; 64]))
}

/// What was judged under keys of before a publication, and put into the cache late, opens nothing
/// for a verification that starts after it; the newcomer's token opens from then on.
#[test]
fn a_withdrawn_key_opens_nothing_once_its_publication_has_returned() {
    shuttle::check_random(
        || {
            let verifier = verifier();
            verifier.keys().publish("a", &set("old")).unwrap();
            let gate = verifier.gate("api").unwrap();
            let published = Arc::new(AtomicU64::new(0));
            let judge = {
                let gate = gate.clone();
                thread::spawn(move || {
                    for _ in 0..2 {
                        if let Err(error) = gate.verify(token("old")) {
                            assert_eq!(error.code(), Code::KeyNotFound);
                        }
                    }
                })
            };
            let publisher = {
                let (verifier, published) = (verifier.clone(), Arc::clone(&published));
                thread::spawn(move || {
                    let receipt = verifier.keys().publish("a", &set("new")).unwrap();
                    assert_eq!((receipt.generation, receipt.changed), (2, true));
                    published.store(1, Ordering::SeqCst);
                })
            };
            for _ in 0..2 {
                let since = published.load(Ordering::SeqCst);
                let (old, new) = (gate.verify(token("old")), gate.verify(token("new")));
                if since == 1 {
                    assert_eq!(old.unwrap_err().code(), Code::KeyNotFound);
                    assert_eq!(new.unwrap().snapshot().keys, 2);
                } else if let Ok(old) = old {
                    assert_eq!(old.snapshot().keys, 1);
                }
            }
            judge.join().unwrap();
            publisher.join().unwrap();
            for _ in 0..2 {
                assert!(gate.verify(token("old")).is_err());
                assert!(gate.verify(token("new")).is_ok());
            }
        },
        RUNS,
    );
}

/// Two publications and a reload at once: none is lost, and the generation never goes back.
#[test]
fn a_publication_during_a_reload_is_not_lost() {
    shuttle::check_random(
        || {
            let verifier = verifier();
            let reloader = {
                let verifier = verifier.clone();
                let document = verifier
                    .policy()
                    .canonical_json()
                    .replace("\"api\":", "\"other\":");
                let policy = Policy::parse_with(document, Format::Json, &options()).unwrap();
                thread::spawn(move || verifier.reload(policy).unwrap())
            };
            let publisher = {
                let verifier = verifier.clone();
                thread::spawn(move || verifier.keys().publish("a", &set("new")).unwrap())
            };
            let seen = verifier.keys().state("a").unwrap().generation;
            let receipt = publisher.join().unwrap();
            reloader.join().unwrap();
            let state = verifier.keys().state("a").unwrap();
            assert!(state.generation >= receipt.generation && receipt.generation >= seen);
            assert_eq!(state.keys.len(), 1);
            assert_eq!(verifier.gates(), ["other"]);
        },
        RUNS,
    );
}
