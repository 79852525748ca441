//! A protected header over good claims: what is accepted says so to a second reader as well.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealgate::Gate;
use sealgate_fuzz::{CLAIMS, code, door, strict, token};
use serde_json::Value;

static DOOR: LazyLock<Gate> = LazyLock::new(|| door(0));

fuzz_target!(|data: &[u8]| {
    let verdict = DOOR.judge(token(data, CLAIMS.as_bytes()));
    let second = strict::read(data).filter(|second| !second.has_duplicates);
    let members = second.as_ref().and_then(|second| second.value.as_object());
    let is_ours = members.is_some_and(|members| {
        let text = |name| members.get(name).and_then(Value::as_str);
        let typ = text("typ").map(str::to_ascii_lowercase);
        text("alg") == Some("ES256")
            && matches!(typ.as_deref(), Some("at+jwt" | "application/at+jwt"))
            && (text("kid") == Some("k") || !members.contains_key("kid"))
    });
    let extras = members.is_some_and(|members| {
        members
            .keys()
            .any(|name| !matches!(name.as_str(), "alg" | "kid" | "typ"))
    });
    if verdict.is_accepted() {
        assert!(is_ours, "accepted: {}", String::from_utf8_lossy(data));
        let members = members.unwrap();
        assert!(!members.contains_key("crit") && !members.contains_key("zip"));
    } else if is_ours && !extras && data.len() <= 4096 {
        panic!("{}: {}", code(&verdict), String::from_utf8_lossy(data));
    }
});
