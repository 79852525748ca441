//! A payload: our reader and serde_json agree on what is JSON, and on what it says.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealgate::{Code, Gate, Verdict, VerifiedToken, inspect};
use sealgate_fuzz::{HEADER, door, is_bound, strict, token};
use serde_json::Value;

static DOOR: LazyLock<Gate> = LazyLock::new(|| door(0));

fuzz_target!(|data: &[u8]| {
    let token = token(HEADER.as_bytes(), data);
    let second = strict::read(data);
    let objects = second.as_ref().filter(|second| second.value.is_object());
    match inspect(&token) {
        Ok(unverified) => {
            assert_eq!(unverified.claims().as_bytes(), data);
            let second = second.as_ref().expect("serde_json reads it too");
            assert!(!second.has_duplicates, "a duplicate member passed");
        }
        Err(error) if is_bound(error.code()) => {}
        Err(error) if error.code() == Code::DuplicateMember => {
            assert!(second.is_none_or(|second| second.has_duplicates));
            return;
        }
        Err(error) => assert!(objects.is_none(), "{error:?}: serde_json reads it"),
    }
    if let (Verdict::Accepted(accepted), Some(second)) = (DOOR.judge(&token), &second) {
        assert_same(&accepted, &second.value);
    }
});

/// Every view of the claims says what serde_json found.
fn assert_same(accepted: &VerifiedToken, second: &Value) {
    let text = |name: &str| second[name].as_str();
    assert_eq!(Some(accepted.issuer()), text("iss"));
    assert_eq!(accepted.subject(), text("sub"));
    assert_eq!(accepted.client_id(), text("client_id"));
    assert_eq!(accepted.jwt_id(), text("jti"));
    let audience: Vec<&str> = match &second["aud"] {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    };
    assert!(accepted.audience().eq(audience));
    let exp = second["exp"].as_f64().unwrap();
    assert_eq!(accepted.expires_at().unwrap().seconds() as f64, exp.floor());
    for (name, value) in second.as_object().unwrap() {
        let raw = accepted.claim(name).expect("every member is a claim");
        assert_eq!(
            serde_json::from_str::<Value>(raw).unwrap(),
            *value,
            "{name}"
        );
    }
    let mut act = &second["act"];
    for actor in accepted.chain() {
        assert_eq!(Some(actor.sub()), act["sub"].as_str());
        act = &act["act"];
    }
    assert!(act.is_null(), "a link of the chain was cut off");
}
