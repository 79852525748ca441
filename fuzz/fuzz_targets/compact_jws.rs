//! A whole token: however it is asked, the answer is the same, and nothing is accepted that is not
//! written the one canonical way.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealgate::jwa::Algorithm;
use sealgate::jwk::JwkSet;
use sealgate::{Gate, Verdict, verify_jws};
use sealgate_fuzz::{KEYS, always_yes, code, door, naive, token};

static PLAIN: LazyLock<Gate> = LazyLock::new(|| door(0));
static CACHED: LazyLock<Gate> = LazyLock::new(|| door(64));
static SET: LazyLock<JwkSet> = LazyLock::new(|| JwkSet::parse(KEYS.as_bytes()).unwrap());

fuzz_target!(|data: &[u8]| {
    check(data);
    // Half the time is better spent past base64url: header and claims, one a line.
    if let Some(end) = data.iter().position(|byte| *byte == b'\n') {
        check(token(&data[..end], &data[end + 1..]).as_bytes());
    }
});

fn check(data: &[u8]) {
    let verdict = PLAIN.judge(data);
    for sight in ["first", "second"] {
        let cached = CACHED.judge(data);
        assert_eq!(code(&cached), code(&verdict), "with a cache, {sight} sight");
        if let (Verdict::Accepted(cached), Verdict::Accepted(plain)) = (&cached, &verdict) {
            assert_eq!(cached.payload(), plain.payload());
        }
    }
    let explained = PLAIN.explain(data).outcome.into();
    assert_eq!(code(&explained), code(&verdict), "explained");

    if let Verdict::Accepted(accepted) = &verdict {
        assert_canonical(data, accepted.header(), accepted.payload());
    }
    let algorithms = [Algorithm::Es256].into_iter().collect();
    match verify_jws(data, &SET, algorithms, &always_yes::provider()) {
        Ok(jws) => assert_canonical(data, jws.header(), jws.payload()),
        Err(error) => assert!(
            !verdict.is_accepted(),
            "a gate accepts what is no good JWS: {error:?}"
        ),
    }
}

fn assert_canonical(data: &[u8], header: &str, payload: &[u8]) {
    let signature = data.rsplit(|byte| *byte == b'.').next().unwrap();
    let signature = naive::decode(signature).expect("canonical signature");
    let segments = [header.as_bytes(), payload, &signature].map(naive::encode);
    assert_eq!(segments.join(".").as_bytes(), data);
}
