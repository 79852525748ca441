//! base64url against a decoder that goes bit by bit: both take the same texts for the same bytes.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealgate::jwa::Algorithm;
use sealgate::jwk::JwkSet;
use sealgate::verify_jws;
use sealgate_fuzz::{HEADER, KEYS, always_yes, naive};

static SET: LazyLock<JwkSet> = LazyLock::new(|| JwkSet::parse(KEYS.as_bytes()).unwrap());

fuzz_target!(|data: &[u8]| {
    // A dot would be a border between segments, and an empty payload is refused as such.
    if data.is_empty() || data.contains(&b'.') || data.len() > 60_000 {
        return;
    }
    let signature = [b'A'; 86];
    let header = naive::encode(HEADER.as_bytes());
    let token = [header.as_bytes(), data, &signature].join(&b'.');
    let algorithms = [Algorithm::Es256].into_iter().collect();
    let jws = verify_jws(&token, &SET, algorithms, &always_yes::provider());
    let payload = jws.ok().map(|jws| jws.payload().to_vec());
    assert_eq!(payload, naive::decode(data));

    // Everything has one encoding, and it decodes to what it was made of.
    let text = naive::encode(data);
    assert_eq!(naive::decode(text.as_bytes()).as_deref(), Some(data));
});
