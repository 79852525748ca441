//! What the token cache says it holds is what it holds.

use super::{A, claims, key, set, token_with, verifier};

/// Bytes the cache counts for one token with these members in its header and its claims.
fn bytes(header: &str, more: &str) -> (usize, usize) {
    let verifier = verifier();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let token = token_with(&key, header, &claims(A, "", more));
    verifier.gate("api").unwrap().verify(&token).unwrap();
    let stats = verifier.cache_stats();
    assert_eq!(stats.entries, 1);
    (stats.bytes, token.len())
}

#[test]
fn an_entry_counts_its_token_its_claims_and_its_header() {
    let (small, token) = bytes("", "");
    // The token, and three quarters of it decoded; then the indices of both texts.
    assert!(small > token * 7 / 4, "{small} for {token}");
    assert!(small < token * 7 / 4 + 6144, "{small} for {token}");

    // One long text costs itself, and a third more as base64url; what is reserved for its index
    // follows the length of the whole.
    let text = "x".repeat(2000);
    let long = format!("\"x\":\"{text}\",");
    for (header, more) in [(long.as_str(), ""), ("", long.as_str())] {
        let grown = bytes(header, more).0 - small;
        assert!((4600..10_000).contains(&grown), "{grown}");
    }

    // Many small members cost their places in the index: two nodes each, of 16 bytes.
    let members: String = (0..200).map(|n| format!("\"x{n:03}\":1,")).collect();
    let texts = members.len() * 7 / 3;
    for (header, more) in [(members.as_str(), ""), ("", members.as_str())] {
        let grown = bytes(header, more).0 - small;
        assert!(
            (texts + 6400..2 * (texts + 6400)).contains(&grown),
            "{grown} for {texts}"
        );
    }
}
