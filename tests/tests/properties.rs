//! Properties that hold for any input: nothing panics, an accepted token is in canonical form, and
//! neither the cache nor a batch nor the provider changes a verdict.

use std::sync::LazyLock;

use proptest::prelude::*;
use sealgate::crypto::{self, CryptoProvider};
use sealgate::jwk::{Jwk, JwkSet};
use sealgate::{Clock, Code, Error, Format, Gate, LoadOptions, Policy, Verifier};
use sealgate_tests::conformance::Harness;
use sealgate_tests::generate::{KINDS, Kind, T, canonical};
use sealgate_tests::workshop::{Key, b64u, compact, unb64u};
use serde_json::{Value, json};

fn verifier(policy: &Value, provider: CryptoProvider) -> Verifier {
    let options = LoadOptions::new().allow_test_keys(true);
    let policy = Policy::parse_with(policy.to_string(), Format::Json, &options).unwrap();
    Verifier::with_clock(policy, provider, Clock::fixed(T)).unwrap()
}

/// The gate of a kind, with a cache over AWS-LC, and without one over ring.
struct Twins {
    cached: Gate,
    bare: Gate,
}

impl Twins {
    fn of(kind: &Kind) -> Self {
        let mut policy = kind.policy();
        policy["gates"]["g"]["delegation"] = "surface".into();
        let cached = verifier(&policy, crypto::aws_lc::provider());
        policy["cache"]["tokens"] = 0.into();
        let bare = verifier(&policy, crypto::ring::provider());
        let [cached, bare] = [cached, bare].map(|verifier| verifier.gate("g").unwrap());
        Self { cached, bare }
    }
}

static TWINS: LazyLock<Twins> = LazyLock::new(|| Twins::of(Kind::named("access_token")));
static GOOD: LazyLock<Vec<String>> = LazyLock::new(|| {
    KINDS
        .iter()
        .map(|kind| kind.token(&kind.claims()))
        .collect()
});

/// A verdict: the payload, or the refusal with all that it says.
fn verdict(gate: &Gate, token: &[u8]) -> Result<Vec<u8>, Error> {
    gate.verify(token)
        .map(|verified| verified.payload().to_vec())
}

/// A token near a good one: bytes changed, cut, doubled, or spliced with another.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let token = 0..GOOD.len();
    (
        token.clone(),
        token,
        0..4u8,
        any::<[prop::sample::Index; 2]>(),
        any::<u8>(),
    )
        .prop_map(|(one, other, how, [at, to], byte)| {
            let (one, other) = (GOOD[one].as_bytes(), GOOD[other].as_bytes());
            let (at, to) = (at.index(one.len()), to.index(other.len()));
            match how {
                0 => {
                    let mut bytes = one.to_vec();
                    bytes[at] = byte;
                    bytes
                }
                1 => one[..at].to_vec(),
                2 => [&one[..at], &[byte], &one[at..]].concat(),
                _ => [&one[..at], &other[to..]].concat(),
            }
        })
}

/// Any JSON, with the names and values that mean something here among others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        (T - 400..T + 4000).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "https://as.example",
            "https://rs.example/mcp",
            "u1",
            "at+jwt"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof![claim_name(), "\\PC{0,6}".prop_map(String::from)];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn claim_name() -> impl Strategy<Value = String> {
    let names: Vec<String> = sealgate::Claim::ALL
        .iter()
        .map(|claim| claim.name().to_owned())
        .collect();
    prop::sample::select(names)
}

/// A good access token with some claims replaced by anything, correctly signed.
fn signed() -> impl Strategy<Value = String> {
    prop::collection::vec((claim_name(), any_json()), 0..3).prop_map(|changes| {
        let kind = Kind::named("access_token");
        let mut claims = kind.claims();
        for (name, value) in changes {
            claims[name] = value;
        }
        kind.token(&claims)
    })
}

/// Whether a token is spelled in the one way there is.
fn is_canonical(token: &[u8]) -> bool {
    let text = std::str::from_utf8(token).unwrap();
    let parts: Option<Vec<Vec<u8>>> = text.split('.').map(unb64u).collect();
    let parts: Vec<String> = parts.unwrap().iter().map(b64u).collect();
    parts.len() == 3 && parts.join(".") == text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verdict(&TWINS.bare, &bytes).is_err());
        let _ = sealgate::inspect(&bytes).is_ok();
        prop_assert!(TWINS.bare.explain(&bytes).outcome.is_err());
    }

    #[test]
    fn a_mutated_token_is_refused_or_is_a_good_one(token in mutated()) {
        let given = verdict(&TWINS.bare, &token);
        prop_assert_eq!(given.is_ok(), token == GOOD[0].as_bytes());
        prop_assert_eq!(&given, &verdict(&TWINS.cached, &token));
    }

    #[test]
    fn cache_on_equals_cache_off_and_what_is_accepted_is_canonical(token in signed()) {
        let given = verdict(&TWINS.bare, token.as_bytes());
        for _ in 0..2 {
            prop_assert_eq!(&given, &verdict(&TWINS.cached, token.as_bytes()));
        }
        let explained = TWINS.cached.explain(&token).outcome;
        let explained = explained.as_ref().map_err(|error| *error);
        prop_assert_eq!(explained.err(), given.as_ref().err().copied());
        if let Ok(payload) = given {
            prop_assert!(is_canonical(token.as_bytes()));
            prop_assert_eq!(b64u(payload), token.split('.').nth(1).unwrap());
        }
    }

    #[test]
    fn a_batch_equals_its_tokens_one_by_one(
        mut tokens in prop::collection::vec(prop_oneof![
            mutated(),
            signed().prop_map(String::into_bytes),
            (0..GOOD.len()).prop_map(|index| GOOD[index].clone().into_bytes()),
        ], 0..90),
        twice in any::<prop::sample::Index>(),
    ) {
        if !tokens.is_empty() {
            tokens.push(tokens[twice.index(tokens.len())].clone());
        }
        for gate in [&TWINS.bare, &TWINS.cached] {
            let batch = gate.verify_batch(&tokens);
            prop_assert_eq!(batch.len(), tokens.len());
            for (given, token) in batch.results().zip(&tokens) {
                let given = given.map(|verified| verified.payload().to_vec());
                prop_assert_eq!(given, verdict(&TWINS.bare, token));
            }
        }
    }

    #[test]
    fn any_header_and_payload_are_judged(header in any_json(), payload in any_json()) {
        let key = Kind::named("access_token").key();
        let token = compact(canonical(&header), canonical(&payload), |input| key.sign(input));
        prop_assert!(verdict(&TWINS.bare, token.as_bytes()).is_err());
        let mut header = header;
        if let Some(members) = header.as_object_mut() {
            members.insert("alg".to_owned(), "Ed25519".into());
            members.insert("typ".to_owned(), "at+jwt".into());
            let claims = canonical(&Kind::named("access_token").claims());
            let token = compact(canonical(&header), claims, |input| key.sign(input));
            let given = verdict(&TWINS.bare, token.as_bytes());
            prop_assert_eq!(given, verdict(&TWINS.cached, token.as_bytes()));
        }
    }

    #[test]
    fn any_key_text_is_judged(jwk in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Jwk::parse(&bytes).is_ok();
        let _ = Jwk::from_pem(&bytes).is_ok();
        let _ = Jwk::from_der(&bytes).is_ok();
        let _ = Jwk::from_x509_der(&bytes).is_ok();
        let mut near = Key::seeded("Ed25519", "k").jwk;
        near["x"] = jwk.clone();
        for key in [&jwk, &near] {
            let _ = JwkSet::parse(json!({ "keys": [key] }).to_string().as_bytes()).is_ok();
        }
    }

    #[test]
    fn any_document_is_judged(value in any_json(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut policy = Kind::named("access_token").policy();
        let text = policy.to_string();
        let mut bytes = text.clone().into_bytes();
        bytes[at.index(text.len())] = byte;
        let _ = Policy::parse(&bytes, Format::Json).is_ok();
        let _ = Policy::parse(&bytes, Format::Toml).is_ok();
        policy["gates"]["g"]["audience"] = value;
        let _ = Policy::parse(policy.to_string(), Format::Json).is_ok();
    }

    #[test]
    fn any_line_is_answered(request in any_json(), op in "verify|verify_jws|verify_raw|load_key|\
        load_jwks|load_policy|open|close|publish_keys|status_list|x") {
        let mut harness = Harness::new(crypto::aws_lc::provider());
        let mut request = request;
        if !request.is_object() {
            request = json!({ "x": request });
        }
        request["op"] = op.into();
        let answer = harness.answer_line(request.to_string().as_bytes());
        prop_assert!(answer["ok"].is_boolean());
        prop_assert_ne!(&answer["detail"], &json!("sealgate panicked"));
    }
}

#[test]
fn every_kind_agrees_with_its_twin() {
    for kind in KINDS {
        let twins = Twins::of(kind);
        let token = kind.token(&kind.claims());
        for is_second in [false, true] {
            let given = verdict(&twins.cached, token.as_bytes());
            let code = given.as_ref().err().map(|error| error.code());
            let is_good_once = is_second && code == Some(Code::Replayed);
            assert!(given.is_ok() || is_good_once, "{}: {given:?}", kind.profile);
            assert_eq!(given, verdict(&twins.bare, token.as_bytes()));
        }
    }
}
