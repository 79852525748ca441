//! The project's own vectors: they are what the generator makes, every answer is what they say,
//! and every code has a line that gives it beside a line that is accepted.

use std::collections::BTreeMap;
use std::fs;

use sealgate::Code;
use sealgate::crypto;
use sealgate::jwk::Jwk;
use sealgate_tests::conformance::Harness;
use sealgate_tests::generate;
use serde_json::Value;

/// Codes that no line can give, and why.
const NOT_YET: &[(Code, &str)] = &[
    (Code::Internal, "a line that gives it is a bug"),
    (
        Code::ReplayUnavailable,
        "the program's answer, which no op gives",
    ),
    (
        Code::RevocationUnavailable,
        "of a store that processes share, which no op is about",
    ),
    (
        Code::RevocationStale,
        "of a store that processes share, which no op is about",
    ),
    (
        Code::Suspended,
        "what a list says, which is fetched: the suite of remote",
    ),
    (
        Code::StatusStale,
        "of a list that was fetched: the suite of remote",
    ),
    (Code::ReplayFull, "it takes four million lines"),
];

fn committed(name: &str) -> String {
    fs::read_to_string(generate::folder().join(name)).unwrap_or_default()
}

fn files() -> impl Iterator<Item = (&'static str, Vec<Value>)> {
    generate::FILES.into_iter().map(|name| {
        let text = committed(name);
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Value> = lines.collect();
        assert!(!lines.is_empty(), "{name} is empty");
        (name, lines)
    })
}

#[test]
fn the_committed_files_are_what_the_generator_makes() {
    for name in generate::FILES {
        let committed = committed(name);
        let text = generate::file(name, &committed);
        let lines = text.lines().zip(committed.lines());
        let differ = lines.into_iter().position(|(new, old)| new != old);
        assert_eq!(
            differ, None,
            "{name}: the first line that differs; run generate-vectors"
        );
        assert!(
            text == committed,
            "{name} has more or fewer lines; run generate-vectors"
        );
    }
}

/// Every JWK that has all members of its thumbprint (RFC 7638), however deep.
fn keys_in(value: &Value, keys: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys_in(item, keys)),
        Value::Object(members) => {
            if members.contains_key("kty") {
                keys.push(value.clone());
            }
            members.values().for_each(|member| keys_in(member, keys));
        }
        _ => {}
    }
}

/// Loader refusal 10: whoever reads the generator can sign for these keys.
#[test]
fn no_policy_takes_a_key_of_these_files_for_its_own() {
    let (provider, mut count) = (crypto::aws_lc::provider(), 0);
    for (name, lines) in files() {
        let mut keys = Vec::new();
        lines.iter().for_each(|line| keys_in(line, &mut keys));
        for key in keys {
            // Faulty keys are refused for what they are.
            let Ok(jwk) = Jwk::parse(key.to_string().as_bytes()) else {
                continue;
            };
            let thumbprint = crypto::thumbprint(&provider, &jwk);
            let label = crypto::published::label_of(&thumbprint);
            assert!(
                label.is_some(),
                "{name}: list {thumbprint} in core/src/crypto/published.rs"
            );
            count += 1;
        }
    }
    assert!(count > 900, "{count}");
}

/// Whether `given` has every member of `expected`.
fn covers(given: &Value, expected: &Value) -> bool {
    match (given, expected) {
        (Value::Object(given), Value::Object(expected)) => expected
            .iter()
            .all(|(name, expected)| given.get(name).is_some_and(|given| covers(given, expected))),
        (Value::Array(given), Value::Array(expected)) => {
            let pairs = given.iter().zip(expected);
            given.len() == expected.len() && pairs.into_iter().all(|(a, b)| covers(a, b))
        }
        _ => given == expected,
    }
}

/// Runs every line that a harness can answer; returns how many.
fn run(mut harness: Harness, lacks: &[&str]) -> usize {
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, lines) in files() {
        for line in lines {
            let text = line.to_string();
            if lacks.iter().any(|alg| text.contains(&format!("\"{alg}\""))) {
                continue;
            }
            let given = harness.answer(&line);
            assert_eq!(given["id"], line["id"]);
            if !covers(&given, &line["expect"]) {
                wrong.push(format!("{name} {}: {} {given}", line["id"], line["expect"]));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    count
}

#[test]
fn aws_lc_answers_as_they_say() {
    assert!(run(Harness::new(crypto::aws_lc::provider()), &[]) > 900);
}

#[test]
fn explanations_end_as_verdicts_do() {
    assert!(run(Harness::explaining(crypto::aws_lc::provider()), &[]) > 900);
}

#[test]
fn ring_answers_as_they_say() {
    let lacks = ["ES512", "ES256K", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];
    assert!(run(Harness::new(crypto::ring::provider()), &lacks) > 900);
}

#[test]
fn every_refusal_is_near_a_line_that_is_accepted() {
    for (name, lines) in files() {
        let by_id: BTreeMap<&str, &Value> = lines
            .iter()
            .map(|line| (line["id"].as_str().unwrap(), line))
            .collect();
        assert_eq!(by_id.len(), lines.len(), "{name} has an id twice");
        for line in &lines {
            let refused = line["expect"]["ok"] == false;
            assert_eq!(refused, line["near"].is_string(), "{name} {}", line["id"]);
            if refused {
                let near = line["near"].as_str().unwrap();
                let near = by_id
                    .get(near)
                    .unwrap_or_else(|| panic!("{name}: no line {near}"));
                assert_eq!(near["expect"]["ok"], true, "{name} {}", line["id"]);
                assert_eq!(near["op"], line["op"], "{name} {}", line["id"]);
            }
        }
    }
}

#[test]
fn every_code_has_a_line() {
    let lines: Vec<Value> = files().flat_map(|(_, lines)| lines).collect();
    for code in Code::ALL {
        let given = lines
            .iter()
            .any(|line| line["expect"]["code"] == code.as_str());
        let excused = NOT_YET.iter().any(|(known, _)| known == code);
        assert_ne!(
            given,
            excused,
            "{}: needs a line, or needs no excuse any more",
            code.as_str()
        );
    }
}
