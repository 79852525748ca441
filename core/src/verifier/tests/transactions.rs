//! Transaction tokens and what they come from: P12, P13, C01 and C09.

use serde_json::{Value, json};

use super::{A, NOW, key, set, signed};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::policy::{Format, Kind, Lineage, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::{ContextToken, Requirements, Verifier};

pub(super) const TTS: &str = "https://tts.example";
pub(super) const DOMAIN: &str = "td.example";
const WORKLOAD: &str = "gw.td.example";

/// These members in place of an object's own.
fn with(mut object: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

fn access(more: Value) -> String {
    let claims = json!({ "iss": A, "sub": "u1", "aud": WORKLOAD, "client_id": "app", "jti": "j1",
                         "scope": "trade", "iat": NOW - 10, "exp": NOW + 60 });
    let header = r#"{"alg":"Ed25519","typ":"at+jwt","kid":"k"}"#;
    signed(&key(1, "k"), header, &with(claims, more).to_string())
}

pub(super) fn txn(more: Value) -> String {
    let claims = json!({ "iss": TTS, "sub": "user-7", "aud": DOMAIN, "txn": "x1",
                         "scope": "trade.stocks", "req_wl": WORKLOAD, "iat": NOW, "exp": NOW + 300 });
    let header = r#"{"alg":"Ed25519","typ":"txntoken+jwt","kid":"t"}"#;
    signed(&key(2, "t"), header, &with(claims, more).to_string())
}

/// An earlier one, for what replaces it.
fn earlier(more: Value) -> String {
    let own = json!({ "iat": NOW - 20, "exp": NOW + 100, "scope": "trade.stocks trade.bonds",
                      "tctx": { "order": 5, "side": "buy" } });
    txn(with(own, more))
}

/// What replaces it.
fn later(more: Value) -> String {
    let own = json!({ "tctx": { "side": "buy", "order": 5.0, "step": 2 } });
    txn(with(own, more))
}

/// A gate for transaction tokens, with these members in its table and in the issuer of access
/// tokens.
fn judged(
    token: &str,
    before: &[(Kind, &str)],
    edges: Value,
    issuer: Value,
) -> Result<Lineage, Code> {
    let corp = json!({ "issuer": A, "jwks_push": "process", "algorithms": ["Ed25519"],
                       "profiles": ["access_token"] });
    let tts = json!({ "issuer": TTS, "jwks_push": "process", "algorithms": ["Ed25519"],
                      "profiles": ["txn_token"] });
    let gate = json!({ "profile": "txn_token", "audience": DOMAIN, "issuers": ["tts"],
                       "delegation": "agents",
                       "context": { "access_token": "allowed", "txn_token": "allowed" } });
    let table = json!({ "edges": edges, "allow": [{ "actor": { "iss": A } }] });
    let document = json!({ "version": 1, "issuers": { "corp": with(corp, issuer), "tts": tts },
                           "gates": { "calls": gate }, "delegation": { "agents": table } });
    let options = LoadOptions::new();
    let policy = Policy::parse_with(document.to_string(), Format::Json, &options).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    verifier
        .keys()
        .publish("corp", &set(&[&key(1, "k")]))
        .unwrap();
    verifier
        .keys()
        .publish("tts", &set(&[&key(2, "t")]))
        .unwrap();
    let context = before
        .iter()
        .map(|(kind, token)| ContextToken::new(*kind, *token));
    let context: Vec<ContextToken<'_>> = context.collect();
    let gate = verifier.gate("calls").unwrap();
    let verified = gate.verify_chain(token, &context, &Requirements::NONE);
    verified
        .map(|token| token.lineage())
        .map_err(|error| error.code())
}

const PROVEN: Result<Lineage, Code> = Ok(Lineage::IssuerAttested);

#[test]
fn an_access_token_becomes_a_transaction_token() {
    let of = |token: &str, before: &str| {
        judged(token, &[(Kind::AccessToken, before)], json!({}), json!({}))
    };
    // P12: it may outlive the access token, in scopes of its own.
    assert_eq!(of(&txn(json!({})), &access(json!({}))), PROVEN);
    let act = json!({ "act": { "iss": A, "sub": "agent-a" } });
    assert_eq!(of(&txn(act.clone()), &access(act.clone())), PROVEN);
    assert_eq!(of(&txn(act.clone()), &access(json!({}))), PROVEN);
    assert_eq!(
        of(&txn(json!({})), &access(act)),
        Err(Code::ChainLinkBroken)
    );
    let over = access(json!({ "iat": NOW - 100, "exp": NOW - 40 }));
    assert_eq!(of(&txn(json!({})), &over), Err(Code::Expired));
    let elsewhere = access(json!({ "aud": "https://rs.example" }));
    assert_eq!(
        of(&txn(json!({})), &elsewhere),
        Err(Code::AttenuationAudience)
    );

    let ruled = |aud: Value, scope: Value, before: &str| {
        let edges = json!({ "at_to_txn": { "aud": aud, "scope": scope } });
        judged(
            &txn(json!({})),
            &[(Kind::AccessToken, before)],
            edges,
            json!({}),
        )
    };
    let map = |from: &str, to: &str| json!({ "map": { from: [to] } });
    let (aud, scope) = (
        map("https://rs.example", WORKLOAD),
        map("trade", "trade.stocks"),
    );
    assert_eq!(ruled(aud.clone(), scope.clone(), &elsewhere), PROVEN);
    assert_eq!(
        ruled(json!("any"), scope, &access(json!({ "aud": "x" }))),
        PROVEN
    );
    let other = map("trade", "trade.bonds");
    assert_eq!(ruled(aud, other, &elsewhere), Err(Code::AttenuationScope));
}

#[test]
fn transactions_are_compared_within_one_namespace() {
    let before = access(json!({ "txn": "x2" }));
    let of = |issuer: Value| {
        judged(
            &txn(json!({})),
            &[(Kind::AccessToken, &before)],
            json!({}),
            issuer,
        )
    };
    assert_eq!(of(json!({})), PROVEN); // C09
    assert_eq!(
        of(json!({ "txn_namespace": DOMAIN })),
        Err(Code::TxnMismatch)
    ); // C01
    assert_eq!(of(json!({ "txn_namespace": "other.example" })), PROVEN);
}

#[test]
fn a_transaction_token_is_replaced() {
    let replaced = |more: Value, before: Value| {
        let before = earlier(before);
        judged(
            &later(more),
            &[(Kind::TxnToken, &before)],
            json!({}),
            json!({}),
        )
    };
    let none = || json!({});
    // P13: it ends later, and knows more of the call.
    assert_eq!(replaced(none(), none()), PROVEN);
    for (code, more) in [
        (Code::TxnMismatch, json!({ "txn": "x2" })),
        (
            Code::AttenuationScope,
            json!({ "scope": "trade.stocks pay" }),
        ),
        (Code::SubjectChanged, json!({ "sub": "user-8" })),
        (
            Code::AttenuationDetails,
            json!({ "tctx": { "order": 6, "side": "buy" } }),
        ),
        (Code::AttenuationDetails, json!({ "tctx": { "order": 5 } })),
        (
            Code::ChainLinkBroken,
            json!({ "act": { "iss": A, "sub": "agent-a" } }),
        ),
    ] {
        assert_eq!(replaced(more.clone(), none()), Err(code), "{more}");
    }
    let foreign = replaced(none(), json!({ "aud": "other.example" }));
    assert_eq!(foreign, Err(Code::AttenuationAudience));
    let over = replaced(none(), json!({ "iat": NOW - 100, "exp": NOW - 40 }));
    assert_eq!(over, Err(Code::Expired));

    let path = |path: &[&str]| json!({ "agentic_ctx": { "chain_metadata": { "txn_path": path } } });
    assert_eq!(replaced(path(&["a", "b"]), path(&["a"])), PROVEN);
    for wrong in [&["a"][..], &["a", "b", "c"], &["b", "c"], &["b", "a"], &[]] {
        let wrong = replaced(path(wrong), path(&["a"]));
        assert_eq!(wrong, Err(Code::ChainLinkBroken));
    }

    // All three in one chain, in whatever order.
    let (first, second) = (access(json!({ "iat": NOW - 30 })), earlier(none()));
    let before = [
        (Kind::TxnToken, second.as_str()),
        (Kind::AccessToken, first.as_str()),
    ];
    assert_eq!(judged(&later(none()), &before, none(), none()), PROVEN);
}
