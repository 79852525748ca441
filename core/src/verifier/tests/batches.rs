//! What a batch costs.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{A, key, other_policy, set, token};
use crate::crypto::{CryptoProvider, VerificationKey, VerifySignature, aws_lc};
use crate::jwa::Algorithm;
use crate::jwk::{Jwk, KeyError};
use crate::policy::LoadOptions;
use crate::time::Clock;
use crate::verifier::Verifier;

static CHECKED: AtomicUsize = AtomicUsize::new(0);

/// Takes every signature, and counts them.
struct Counting;

impl VerifySignature for Counting {
    fn verify(&self, _: &[u8], _: &[u8]) -> bool {
        CHECKED.fetch_add(1, Ordering::Relaxed);
        true
    }
}

fn load(_: &Jwk, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
    Ok(VerificationKey::new(algorithm, Box::new(Counting)))
}

#[test]
fn a_token_that_occurs_more_than_once_costs_one_check() {
    let real = aws_lc::provider();
    let provider = CryptoProvider::new("counting", real.algorithms, load, real.sha256);
    let members = format!(r#""issuer":"{A}","jwks_push":"process","algorithms":["Ed25519"]"#);
    // Without a cache, which would hide a second check.
    let document = other_policy(&members, &LoadOptions::new()).canonical_json();
    let document = document.replacen('{', r#"{"cache":{"tokens":0},"#, 1);
    let policy = crate::Policy::parse(document, crate::Format::Json).unwrap();
    let verifier = Verifier::with_clock(policy, provider, Clock::fixed(super::NOW)).unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let gate = verifier.gate("api").unwrap();
    let [one, other] = ["x", "y"].map(|scope| token(&key, A, scope));
    let tokens: Vec<&str> = (0..500)
        .map(|place| if place % 3 == 0 { other.as_str() } else { &one })
        .collect();
    let batch = gate.verify_batch(&tokens);
    assert_eq!(batch.accepted(), tokens.len());
    assert_eq!(CHECKED.load(Ordering::Relaxed), 2);
    for (verdict, given) in batch.results().zip(&tokens) {
        let scope = verdict.unwrap().scopes().next().map(str::to_owned);
        assert_eq!(
            scope.as_deref(),
            Some(if *given == one { "x" } else { "y" })
        );
    }
}

#[test]
fn a_buffer_has_a_token_a_line() {
    let lines = |text: &str| -> Vec<String> {
        let lines = crate::Batch::lines(text.as_bytes()).into_iter();
        lines
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect()
    };
    assert_eq!(lines(""), [""; 0]);
    assert_eq!(lines("\n"), [""]);
    for text in ["a\nb", "a\nb\n", "a\r\nb\r\n", "a\r\nb\n"] {
        assert_eq!(lines(text), ["a", "b"], "{text:?}");
    }
    assert_eq!(lines("a\n\nb"), ["a", "", "b"]);
    assert_eq!(lines("a\rb\r\r\n"), ["a\rb\r"]);
}

#[test]
fn what_is_too_long_for_any_policy_is_told_apart_from_nothing() {
    let verifier = Verifier::new(
        other_policy(
            &format!(r#""issuer":"{A}","jwks_push":"process","algorithms":["Ed25519"]"#),
            &LoadOptions::new(),
        ),
        aws_lc::provider(),
    );
    let gate = verifier.unwrap().gate("api").unwrap();
    let size = crate::Limits::CEILING.token_size;
    let [fits, long, longer] = [size, size + 1, size + 2].map(|size| "x".repeat(size));
    let batch = gate.verify_batch(&[&fits, &long, &longer, &fits]);
    assert_eq!(batch.len(), 4);
    assert_eq!(batch.counts(), [(crate::Code::Oversized, 4)]);
}
