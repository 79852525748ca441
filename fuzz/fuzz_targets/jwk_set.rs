//! A JWK Set: no key is lost unsaid, none keeps a private part, and each survives a round trip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealgate::jwk::{Jwk, JwkSet};
use sealgate_fuzz::strict;
use serde_json::Value;

/// The members that only a private key of this kind has (RFC 7518 §6, RFC 8037 §2, RFC 9964).
fn private(kty: &str) -> &'static [&'static str] {
    match kty {
        "RSA" => &["d", "p", "q", "dp", "dq", "qi", "oth"],
        "EC" | "OKP" => &["d"],
        "AKP" => &["priv"],
        _ => &[],
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(set) = JwkSet::parse(data) else { return };
    let second = strict::read(data).expect("serde_json reads it too");
    assert!(!second.has_duplicates);
    let members = second.value["keys"].as_array().expect("an array `keys`");
    assert_eq!(set.keys().len() + set.skipped().len(), members.len());
    for skipped in set.skipped() {
        assert!(!skipped.reason.to_string().is_empty());
    }
    let places = (0..members.len()).filter(|index| {
        let mut skipped = set.skipped().iter();
        !skipped.any(|skipped| skipped.index == *index)
    });
    for (place, key) in places.zip(set.keys()) {
        assert_eq!(key.kid(), members[place]["kid"].as_str());
        for name in private(key.kty()) {
            assert!(members[place].get(*name).is_none(), "{name} was overlooked");
        }
        round_trip(key);
    }
});

fn round_trip(key: &Jwk) {
    let text = key.to_json();
    let written: Value = serde_json::from_str(&text).expect("what we write is JSON");
    for name in private(key.kty()) {
        assert!(written.get(*name).is_none());
    }
    let again = Jwk::parse(text.as_bytes()).expect("what we write we read");
    assert_eq!(again.to_json(), text);
    assert_eq!(again.thumbprint_input(), key.thumbprint_input());
    assert_eq!(again.algorithm(), key.algorithm());
    // Debug output goes to logs: a shared key must not.
    if let Some(secret) = written["k"].as_str().filter(|secret| secret.len() > 8) {
        assert!(!format!("{key:?}").contains(secret));
    }
}
