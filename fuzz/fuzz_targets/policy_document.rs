//! A policy document: its JSON and its TOML twin are the same policy, and both load.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sealgate::{Format, Policy, Verifier};
use sealgate_fuzz::always_yes;

fuzz_target!(|data: &[u8]| {
    // A document may name files and variables; the fuzzer is to have neither.
    if [&b"file"[..], b"env"]
        .iter()
        .any(|word| contains(data, word))
        || data.contains(&b'\\')
    {
        return;
    }
    for format in [Format::Json, Format::Toml] {
        match Policy::parse(data, format) {
            Ok(policy) => check(&policy),
            Err(error) => {
                assert!(!error.problems.is_empty(), "refused without a reason");
                assert!(!error.to_string().is_empty());
            }
        }
    }
});

fn check(policy: &Policy) {
    let canonical = policy.canonical_json();
    for text in [&canonical, &policy.to_json()] {
        let again = Policy::parse(text, Format::Json).expect("what we write we read");
        assert_eq!(again.canonical_json(), canonical);
        assert_eq!(again.effective(), policy.effective());
    }
    let value: serde_json::Value = serde_json::from_str(&canonical).unwrap();
    // TOML has no null, and integers end at 63 bits: such documents have no twin.
    if let Ok(toml) = toml::to_string(&value) {
        let twin = Policy::parse(&toml, Format::Toml).expect("the TOML twin loads");
        assert_eq!(twin.canonical_json(), canonical);
    }
    if let Ok(verifier) = Verifier::new(policy.clone(), always_yes::provider()) {
        for gate in verifier.gates() {
            let gate = verifier.gate(&gate).expect("its own gates are there");
            assert!(!gate.judge("").is_accepted());
        }
        verifier
            .reload(policy.clone())
            .expect("what loaded loads again");
    }
}

fn contains(data: &[u8], word: &[u8]) -> bool {
    data.windows(word.len()).any(|window| window == word)
}
