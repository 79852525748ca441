//! A chain of tokens under any signature: what is accepted, a second reading by serde_json finds to
//! have only shrunk, and without a token from its middle it is not accepted.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use sealgate::jwk::JwkSet;
use sealgate::{
    Clock, ContextToken, FixedClock, Format, Gate, Kind, Lineage, Policy, Requirements, Verifier,
};
use sealgate_fuzz::{HEADER, KEYS, NOW, always_yes, token};
use serde_json::Value;

static DOOR: LazyLock<Gate> = LazyLock::new(|| {
    let policy = r#"{"version":1,"cache":{"tokens":0},
        "delegation":{"agents":{"max_lifetime":"1d","allow":[{"actor":{"iss":"https://issuer.example"}}]}},
        "issuers":{"issuer":{"issuer":"https://issuer.example","algorithms":["ES256"],
                             "max_lifetime":"1d","jwks_push":"process"}},
        "gates":{"door":{"profile":"access_token","audience":"https://api.example","issuers":["issuer"],
                         "context":{"access_token":"allowed"},"delegation":"agents"}}}"#;
    let policy = Policy::parse(policy, Format::Json).unwrap();
    let clock = Clock::Fixed(Arc::new(FixedClock::new(NOW)));
    let verifier = Verifier::with_clock(policy, always_yes::provider(), clock).unwrap();
    let keys = JwkSet::parse(KEYS.as_bytes()).unwrap();
    verifier.keys().publish("issuer", &keys).unwrap();
    verifier.gate("door").unwrap()
});

// The payloads, one a line, the presented token's last.
fuzz_target!(|data: &[u8]| {
    let payloads: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let Some((leaf, further)) = payloads.split_last() else {
        return;
    };
    let accepted = lineage(leaf, further);
    if further.is_empty() || !accepted {
        return;
    }
    let read = |payload: &&[u8]| -> Value { serde_json::from_slice(payload).unwrap() };
    let mut chain: Vec<Value> = further.iter().map(read).collect();
    chain.push(read(leaf));
    chain.sort_by_key(|claims| {
        let end = std::cmp::Reverse(millis(&claims["exp"]));
        (millis(&claims["iat"]), actors(claims).len(), end)
    });
    for pair in chain.windows(2) {
        assert_shrinks(&pair[0], &pair[1]);
    }
    // Where two actors came in at once, the token between them is missing.
    for place in 1..chain.len() - 1 {
        let gap = actors(&chain[place + 1]).len() - actors(&chain[place - 1]).len();
        if gap == 2 && chain[place + 1]["chain_complete"] != false {
            let middle = &chain[place];
            let rest: Vec<&[u8]> = further
                .iter()
                .copied()
                .filter(|payload| read(payload) != *middle)
                .collect();
            assert!(!lineage(leaf, &rest), "a chain with a hole in it");
        }
    }
});

fn lineage(leaf: &[u8], further: &[&[u8]]) -> bool {
    let leaf = token(HEADER.as_bytes(), leaf);
    let further: Vec<String> = further
        .iter()
        .map(|payload| token(HEADER.as_bytes(), payload))
        .collect();
    let context: Vec<_> = further
        .iter()
        .map(|token| ContextToken::new(Kind::AccessToken, token))
        .collect();
    let verified = DOOR.verify_chain(leaf, &context, &Requirements::NONE);
    verified.is_ok_and(|token| context.is_empty() || token.lineage() == Lineage::IssuerAttested)
}

fn millis(date: &Value) -> i64 {
    (date.as_f64().unwrap() * 1000.0) as i64
}

fn actors(claims: &Value) -> Vec<(&str, &str)> {
    let first = Some(&claims["act"]).filter(|act| act.is_object());
    let links = std::iter::successors(first, |act| Some(&act["act"]).filter(|act| act.is_object()));
    links
        .map(|act| {
            let iss = act["iss"].as_str().unwrap_or("https://issuer.example");
            (iss, act["sub"].as_str().unwrap())
        })
        .collect()
}

fn assert_shrinks(parent: &Value, child: &Value) {
    assert_eq!(parent["sub"], child["sub"]);
    let (before, after) = (actors(parent), actors(child));
    let partial = child["chain_complete"] == false;
    assert!(partial || after == before || after[1..] == before[..]);
    let scopes = |claims: &Value| -> Option<Vec<String>> {
        let text = claims["scope"].as_str()?;
        Some(
            text.split(' ')
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    };
    match (scopes(parent), scopes(child)) {
        (None, None) => {}
        (Some(before), Some(after)) => assert!(after.iter().all(|scope| before.contains(scope))),
        _ => panic!("a scope that is unknown on one side"),
    }
    assert!(child["exp"].as_f64().unwrap() <= parent["exp"].as_f64().unwrap());
    let details = |claims: &Value| {
        claims["authorization_details"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert!(details(child) == 0 || details(parent) > 0);
}
