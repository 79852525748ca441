//! Keys and policies that change while tokens are judged.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

mod answered;
mod attested;
mod audited;
mod batches;
mod cached;
mod calls;
mod delegated;
mod events;
mod explained;
mod hosts;
mod inquiries;
mod introspected;
mod issuers;
mod leaks;
mod listed;
mod observed;
mod once;
mod outbound;
mod policies;
mod reloads;
mod requests;
mod revocations;
mod ties;
mod tokens;
mod traced;
mod transactions;
mod workload;

use super::{PublishError, Requirements, Verifier};
use crate::crypto::{SigningKey, aws_lc};
use crate::encoding::base64url;
use crate::error::Code;
use crate::jwa::Algorithm;
use crate::jwk::JwkSet;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, Span};

const NOW: i64 = 1_800_000_000;

fn key(seed: u8, kid: &str) -> SigningKey {
    SigningKey::from_seed(Algorithm::Ed25519, &[seed; 32])
        .unwrap()
        .with_kid(kid)
}

fn set(keys: &[&SigningKey]) -> JwkSet {
    keys.iter().map(|key| key.verifying_jwk().clone()).collect()
}

fn token(key: &SigningKey, iss: &str, scope: &str) -> String {
    token_with(key, "", &claims(iss, scope, ""))
}

/// The claims of a good token, and these: `"x":1,`.
fn claims(iss: &str, scope: &str, more: &str) -> String {
    format!(
        r#"{{{more}"iss":"{iss}","sub":"u1","aud":"mcp","client_id":"c1","jti":"j1",
            "scope":"{scope}","iat":{NOW},"exp":{}}}"#,
        NOW + 300
    )
}

/// A token of these claims, with these members more in its header: `"x":1,`.
fn token_with(key: &SigningKey, header: &str, claims: &str) -> String {
    let header = format!(
        r#"{{{header}"alg":"Ed25519","typ":"at+jwt","kid":"{}"}}"#,
        key.kid().unwrap()
    );
    signed(key, &header, claims)
}

fn signed(key: &SigningKey, header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|text| base64url::encode(text.as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = base64url::encode(&key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

fn policy(audience: &str) -> Policy {
    let text = format!(
        r#"{{"version":1,
            "issuers":{{
              "a":{{"issuer":"https://a.example","jwks_push":"process","algorithms":["Ed25519"]}},
              "b":{{"issuer":"https://b.example","jwks_push":"process","algorithms":["Ed25519"]}}}},
            "gates":{{"api":{{"profile":"access_token","audience":"{audience}","issuers":["a","b"]}}}}}}"#
    );
    Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap()
}

fn verifier() -> Verifier {
    Verifier::with_clock(policy("mcp"), aws_lc::provider(), Clock::fixed(NOW)).unwrap()
}

const A: &str = "https://a.example";
const B: &str = "https://b.example";

#[test]
fn no_keys_yet_is_an_outage_and_not_a_refusal() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let token = token(&key(1, "k1"), A, "");
    assert_eq!(
        gate.verify(&token).unwrap_err().code(),
        Code::KeysUnavailable
    );
    assert_eq!(gate.judge(&token).code(), "keys_unavailable");
    assert!(matches!(gate.judge(&token), super::Verdict::Undecided(_)));
    verifier
        .keys()
        .publish("a", &set(&[&key(1, "k1")]))
        .unwrap();
    assert!(gate.verify(&token).is_ok());
}

#[test]
fn a_withdrawn_key_is_refused_at_once_even_from_the_cache() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let (old, new) = (key(1, "k1"), key(2, "k2"));
    verifier.keys().publish("a", &set(&[&old])).unwrap();
    let (before, after) = (token(&old, A, ""), token(&new, A, ""));
    assert!(gate.verify(&before).is_ok() && gate.verify(&before).is_ok());
    assert_eq!(verifier.cache_stats().hits, 1);
    let receipt = verifier.keys().publish("a", &set(&[&new])).unwrap();
    assert!(receipt.changed && receipt.generation == 2 && receipt.reach == "process");
    assert_eq!(gate.verify(&before).unwrap_err().code(), Code::KeyNotFound);
    assert!(gate.verify(&after).is_ok());
}

#[test]
fn an_identical_set_changes_nothing_and_one_issuers_rotation_leaves_the_others_entries() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let (a, b) = (key(1, "k"), key(2, "k"));
    verifier.keys().publish("a", &set(&[&a])).unwrap();
    verifier.keys().publish("b", &set(&[&b])).unwrap();
    let (from_a, from_b) = (token(&a, A, ""), token(&b, B, ""));
    assert!(gate.verify(&from_a).is_ok() && gate.verify(&from_b).is_ok());
    let receipt = verifier.keys().publish("a", &set(&[&a])).unwrap();
    assert_eq!((receipt.changed, receipt.generation), (false, 1));
    assert!(gate.verify(&from_a).is_ok());
    assert_eq!(verifier.cache_stats().hits, 1);
    verifier
        .keys()
        .publish("a", &set(&[&a, &key(3, "k3")]))
        .unwrap();
    assert!(gate.verify(&from_b).is_ok());
    assert_eq!(
        verifier.cache_stats().hits,
        2,
        "b's entry outlives a's rotation"
    );
    assert!(gate.verify(&from_a).is_ok());
    assert_eq!(verifier.cache_stats().hits, 2, "a's does not");
}

#[test]
fn an_issuers_key_opens_nothing_for_another_issuer() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let (a, b) = (key(1, "k"), key(2, "k"));
    verifier.keys().publish("a", &set(&[&a])).unwrap();
    verifier.keys().publish("b", &set(&[&b])).unwrap();
    assert_eq!(
        gate.verify(token(&a, B, "")).unwrap_err().code(),
        Code::BadSignature
    );
    assert!(gate.verify(token(&a, A, "")).is_ok());
}

#[test]
fn a_cached_token_still_expires_and_still_answers_to_each_call() {
    let clock = Clock::fixed(NOW);
    let Clock::Fixed(hands) = &clock else {
        panic!("fixed")
    };
    let verifier = Verifier::with_clock(policy("mcp"), aws_lc::provider(), clock.clone()).unwrap();
    let gate = verifier.gate("api").unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let token = token(&key, A, "files.read");
    assert!(gate.verify(&token).is_ok());
    let needs = |scope: &str| gate.verify_with(&token, &Requirements::scopes([scope]));
    assert!(needs("files.read").is_ok());
    assert_eq!(
        needs("files.write").unwrap_err().code(),
        Code::InsufficientScope
    );
    hands.advance(Span::from_seconds(329));
    assert!(gate.verify(&token).is_ok(), "exp + 30 s leeway, less one");
    hands.advance(Span::from_seconds(1));
    assert_eq!(gate.verify(&token).unwrap_err().code(), Code::Expired);
}

#[test]
fn rotation_under_load_refuses_no_good_token_and_lets_no_withdrawn_key_in() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let keys: Vec<SigningKey> = (0..6)
        .map(|seed| key(seed + 1, &format!("k{seed}")))
        .collect();
    let tokens: Vec<String> = keys.iter().map(|key| token(key, A, "")).collect();
    // At step n the keys n and n + 1 are published: key n + 1 is good before, during and after.
    verifier
        .keys()
        .publish("a", &set(&[&keys[0], &keys[1]]))
        .unwrap();
    let step = AtomicU64::new(0);
    let (stop, wrong) = (AtomicBool::new(false), AtomicU64::new(0));
    let judged = AtomicU64::new(0);
    let index = |step: u64| usize::try_from(step).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let before = step.load(Ordering::SeqCst);
                    let withdrawn = before
                        .checked_sub(1)
                        .map(|old| gate.verify(&tokens[index(old)]));
                    let good = gate.verify(&tokens[index(before) + 1]);
                    let lasting = step.load(Ordering::SeqCst) <= before + 1;
                    let refused = good.is_err() && lasting;
                    let let_in = withdrawn.is_some_and(|verdict| verdict.is_ok());
                    wrong.fetch_add(u64::from(refused) + u64::from(let_in), Ordering::Relaxed);
                    judged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for next in 1..5_usize {
            verifier
                .keys()
                .publish("a", &set(&[&keys[next], &keys[next + 1]]))
                .unwrap();
            step.store(u64::try_from(next).unwrap(), Ordering::SeqCst);
            // Until the others have judged under these keys too.
            let enough = judged.load(Ordering::Relaxed) + 50;
            while judged.load(Ordering::Relaxed) < enough {
                assert!(gate.verify(&tokens[next]).is_ok());
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(wrong.load(Ordering::Relaxed), 0);
    assert!(judged.load(Ordering::Relaxed) >= 200);
}

#[test]
fn recall_answers_for_tokens_seen_before_and_for_no_others() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let token = token(&key, A, "read");
    assert!(gate.sit().recall(&token, &Requirements::NONE).is_none());
    assert!(
        gate.sit()
            .verify_unseen(&token, &Requirements::NONE)
            .is_ok()
    );
    assert!(
        gate.sit()
            .recall(&token, &Requirements::NONE)
            .unwrap()
            .is_ok()
    );
    let lacking = gate.sit().recall(&token, &Requirements::scopes(["write"]));
    let code = lacking.map(|verdict| verdict.unwrap_err().code());
    assert_eq!(code, Some(Code::InsufficientScope));
    let other = self::key(2, "l");
    verifier.keys().publish("a", &set(&[&other])).unwrap();
    assert!(gate.sit().recall(&token, &Requirements::NONE).is_none());
}

#[test]
fn a_batch_that_nobody_wants_any_more_ends_early() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let token = token(&key, A, "read");
    let tokens: Vec<String> = (0..1000).map(|n| format!("{token}{n}")).collect();
    let asked = AtomicUsize::new(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let judge = |most: usize| {
        asked.store(0, Ordering::Relaxed);
        let wanted = || asked.fetch_add(1, Ordering::Relaxed) < most;
        pool.install(|| gate.verify_batch_while(&tokens, &Requirements::NONE, wanted))
    };
    assert!(judge(3).is_none());
    let batch = judge(usize::MAX).unwrap();
    assert_eq!((batch.len(), batch.accepted()), (1000, 0));
    assert_eq!(asked.load(Ordering::Relaxed), 1000_usize.div_ceil(64));
}

#[test]
fn a_reload_is_atomic_and_gates_and_published_keys_outlive_it() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let token = token(&key, A, "");
    assert!(gate.verify(&token).is_ok());
    let digest = verifier.policy_digest();
    verifier.reload(policy("other")).unwrap();
    assert_ne!(verifier.policy_digest(), digest);
    assert_eq!(gate.verify(&token).unwrap_err().code(), Code::AudMismatch);
    verifier.reload(policy("mcp")).unwrap();
    assert!(gate.verify(&token).is_ok());
    assert_eq!(verifier.policy_digest(), digest);
}

/// A policy of one pushed issuer with these members, under the same names as ever.
fn other_policy(issuer: &str, options: &LoadOptions) -> Policy {
    let text = format!(
        r#"{{"version":1,"issuers":{{"a":{{{issuer}}}}},
            "gates":{{"api":{{"profile":"access_token","audience":"mcp","issuers":["a"]}}}}}}"#
    );
    Policy::parse_with(text, Format::Json, options).unwrap()
}

#[test]
fn key_01_a_reload_leaves_published_keys_to_none_but_the_issuer_they_were_published_for() {
    const PUSHED: &str =
        r#""issuer":"https://a.example","jwks_push":"process","algorithms":["Ed25519"]"#;
    let key = key(1, "k");
    let jwks = format!(r#"{{"keys":[{}]}}"#, key.verifying_jwk().to_json());
    let inline = PUSHED.replace(r#""jwks_push":"process""#, &format!(r#""jwks":{jwks}"#));
    let elsewhere = PUSHED.replace(A, B);
    let more = PUSHED.replace(r#"["Ed25519"]"#, r#"["Ed25519","ES256"]"#);
    let stricter = format!(r#"{PUSHED},"legacy_eddsa":false"#);
    for (before, after, iss, stays) in [
        (PUSHED, PUSHED, A, true),
        (PUSHED, stricter.as_str(), A, true),
        (PUSHED, elsewhere.as_str(), B, false),
        (PUSHED, more.as_str(), A, false),
        (inline.as_str(), PUSHED, A, false),
    ] {
        let policy = |issuer| other_policy(issuer, &LoadOptions::new());
        let clock = Clock::fixed(NOW);
        let verifier = Verifier::with_clock(policy(before), aws_lc::provider(), clock).unwrap();
        let published = verifier.keys().publish("a", &set(&[&key]));
        assert_eq!(published.is_ok(), before == PUSHED);
        let gate = verifier.gate("api").unwrap();
        assert!(gate.verify(token(&key, A, "")).is_ok());
        verifier.reload(policy(after)).unwrap();
        let code = gate.judge(token(&key, iss, "")).code();
        assert_eq!(
            code,
            if stays {
                "accepted"
            } else {
                "keys_unavailable"
            },
            "{after}"
        );
    }
}

#[test]
fn a_reload_of_the_same_document_under_stricter_options_counts() {
    // RFC 8037 A.1: everyone has its private half.
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"k",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let published = JwkSet::parse(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes()).unwrap();
    let members = r#""issuer":"https://a.example","jwks_push":"process","algorithms":["Ed25519"]"#;
    let lenient = other_policy(members, &LoadOptions::new().allow_test_keys(true));
    let clock = Clock::fixed(NOW);
    let verifier = Verifier::with_clock(lenient, aws_lc::provider(), clock).unwrap();
    verifier.keys().publish("a", &published).unwrap();
    assert_eq!(verifier.keys().state("a").unwrap().keys.len(), 1);
    verifier
        .reload(other_policy(members, &LoadOptions::new()))
        .unwrap();
    assert_eq!(verifier.keys().state("a").unwrap().keys.len(), 0);
    assert!(matches!(
        verifier.keys().publish("a", &published),
        Err(PublishError::NoUsableKey(skipped)) if skipped.len() == 1
    ));
}

#[test]
fn limits_hold_for_headers_that_were_seen_before() {
    let key = key(1, "k");
    let header = base64url::encode(br#"{"alg":"Ed25519","typ":"at+jwt","kid":"k","x":{}}"#);
    let given = token(&key, A, "");
    let (_, rest) = given.split_once('.').unwrap();
    let (payload, _) = rest.split_once('.').unwrap();
    let input = format!("{header}.{payload}");
    let signature = base64url::encode(&key.sign(input.as_bytes()).unwrap());
    let verifier = verifier();
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let gate = verifier.gate("api").unwrap();
    let nested = format!("{input}.{signature}");
    assert_eq!(gate.judge(&nested).code(), "accepted");
    let text = policy("mcp").canonical_json().replacen(
        "\"version\":1",
        "\"version\":1,\"limits\":{\"max_json_depth\":1}",
        1,
    );
    let flat = Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap();
    verifier.reload(flat).unwrap();
    assert_eq!(gate.judge(&nested).code(), "nesting_too_deep");
    assert_eq!(gate.judge(&given).code(), "accepted");
}

#[test]
fn a_refusal_says_the_same_of_a_token_seen_before() {
    let verifier = verifier();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let gate = verifier.gate("api").unwrap();
    let needs = Requirements::scopes(["x"]);
    let token = token(&key, A, "");
    let first = gate.verify_with(&token, &needs).unwrap_err();
    let again = gate.verify_with(&token, &needs).unwrap_err();
    assert_eq!(verifier.cache_stats().hits, 1);
    assert_eq!(first, again);
    assert_eq!(gate.advice(&again).issuer_name.as_deref(), Some("a"));
}

#[test]
fn explain_blames_the_stage_that_refused() {
    use super::{Outcome, Stage};
    let verifier = verifier();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let gate = verifier.gate("api").unwrap();
    let blamed = |token: &str| {
        let steps = gate.explain(token).steps;
        // A bearer token has no request to read and no proof to remember.
        assert_eq!(steps.len(), Stage::ALL.len() - 2);
        let refused = steps.iter().find(|step| step.outcome == Outcome::Refused);
        refused.map(|step| step.stage)
    };
    let good = token(&key, A, "");
    let (header, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let with = |payload: &str| {
        format!(
            "{header}.{}.{signature}",
            base64url::encode(payload.as_bytes())
        )
    };
    let headed = |header: &str| format!("{}.{rest}", base64url::encode(header.as_bytes()));
    for (token, stage) in [
        (good.clone(), None),
        ("a".repeat(20_000), Some(Stage::Size)),
        ("abc".to_owned(), Some(Stage::Shape)),
        (headed("{}}"), Some(Stage::Header)),
        (headed(r#"{"alg":"Ed25519","typ":"JWT"}"#), Some(Stage::Typ)),
        (headed(r#"{"alg":"none","typ":"at+jwt"}"#), Some(Stage::Alg)),
        (
            headed(r#"{"alg":"ES256","typ":"at+jwt"}"#),
            Some(Stage::Alg),
        ),
        (
            headed(r#"{"alg":"Ed25519","typ":"at+jwt","kid":"x"}"#),
            Some(Stage::IssuerAndKey),
        ),
        (
            token(&key, "https://c.example", ""),
            Some(Stage::IssuerAndKey),
        ),
        (with(r#"{"iss":"a","iss":"a"}"#), Some(Stage::Claims)),
        (
            with(r#"{"iss":"https://a.example"}"#),
            Some(Stage::Signature),
        ),
    ] {
        assert_eq!(blamed(&token), stage, "{token}");
    }
}

#[test]
fn publishing_says_what_it_cannot_do() {
    let verifier = verifier();
    let keys = verifier.keys();
    let twins = set(&[&key(1, "k"), &key(2, "k")]);
    assert_eq!(
        keys.publish("a", &twins).unwrap_err(),
        PublishError::Ambiguous
    );
    assert_eq!(
        keys.publish("nobody", &twins).unwrap_err(),
        PublishError::NoSuchIssuer
    );
    assert_eq!(
        keys.publish("a", &set(&[])).unwrap_err(),
        PublishError::Empty
    );
    assert_eq!(keys.state("a").unwrap().generation, 0);
}

#[test]
fn pushed_keys_of_other_uses_and_published_ones_are_skipped_with_their_place() {
    let verifier = verifier();
    let good = key(1, "k").verifying_jwk().to_json();
    let svid = good
        .replacen('{', r#"{"use":"jwt-svid","#, 1)
        .replace(r#""k""#, r#""s""#);
    // RFC 8037 A.1
    let rfc = r#"{"kty":"OKP","crv":"Ed25519","kid":"r","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let other = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let text = format!(r#"{{"keys":[{{"kty":"x"}},{svid},{other},{rfc},{good}]}}"#);
    let receipt = verifier
        .keys()
        .publish("a", &JwkSet::parse(text.as_bytes()).unwrap())
        .unwrap();
    let skipped: Vec<(usize, Code)> = receipt
        .skipped
        .iter()
        .map(|skipped| (skipped.index, skipped.reason.code()))
        .collect();
    assert_eq!(
        skipped,
        [
            (0, Code::AlgNotAllowed),
            (1, Code::KeyUseMismatch),
            (2, Code::WeakKey),
            (3, Code::WeakKey)
        ]
    );
    let kept = verifier.keys().state("a").unwrap().keys;
    assert_eq!(
        kept.iter()
            .map(|key| key.kid.as_deref())
            .collect::<Vec<_>>(),
        [Some("k")]
    );
}

#[test]
fn a_batch_answers_in_input_order_like_single_calls() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let key = key(1, "k");
    verifier.keys().publish("a", &set(&[&key])).unwrap();
    let good = token(&key, A, "");
    let stranger = token(&key, "https://c.example", "");
    let forged = token(&self::key(9, "k"), A, "");
    let tokens = [good.as_str(), &stranger, "rubbish", &good, &forged];
    let batch = gate.verify_batch(&tokens);
    let codes: Vec<&str> = batch
        .results()
        .map(|r| r.map_or_else(|e| e.code().as_str(), |_| "accepted"))
        .collect();
    assert_eq!(
        codes,
        [
            "accepted",
            "iss_untrusted",
            "malformed_token",
            "accepted",
            "bad_signature"
        ]
    );
    assert_eq!((batch.len(), batch.accepted()), (5, 2));
    let snapshot = batch.snapshot();
    assert_eq!(snapshot.policy, verifier.policy_digest());
    let generation = |name: &str| {
        (
            name.to_owned(),
            verifier.keys().state(name).unwrap().generation,
        )
    };
    let issuers = snapshot.keys.iter().map(|(name, _)| generation(name));
    assert_eq!(snapshot.keys, issuers.collect::<Vec<_>>());
    assert!(snapshot.keys.contains(&generation("a")));
    let single: Vec<&str> = tokens
        .iter()
        .map(|token| gate.judge(token).code())
        .collect();
    assert_eq!(codes, single);
}
