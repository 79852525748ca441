//! Tokens that agents present: five of them acting for a person, under a table of rules; and the
//! four tokens of a proven chain.

use std::hint::black_box;

use sealgate::crypto::{CryptoProvider, SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::{ContextToken, Format, Gate, Kind, Lineage, Policy, Requirements, Verifier};

use crate::raw::RawKey;
use crate::tokens::{self, AUDIENCE, ISSUER, Token};
use crate::{Case, always_yes};

/// What the gate makes of `act`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// `delegation = "surface"`.
    Surfaced,
    /// A table of two allow rules and one deny rule.
    Ruled,
}

/// A gate for tokens of this key, without a cache.
#[must_use]
pub fn gate(key: &SigningKey, provider: CryptoProvider, judged: Judged) -> Gate {
    let delegation = match judged {
        Judged::Surfaced => "surface",
        Judged::Ruled => "agents",
    };
    // The rule that fits is the last, and its members are all there are.
    let table = r#""delegation":{"agents":{"max_lifetime":"24h","loops":"deny_any","allow":[
        {"actor":{"iss":"https://idp.partner.example/","sub":["crawler-1","crawler-2"]}},
        {"actor":{"iss":"https://login.example.com","sub_prefix":"spiffe://example.com/agents/"},
         "subject":{"iss":"https://login.example.com"},
         "scopes_within":["mcp:use","files.read","files.write"]}],
        "deny":[{"actor":{"iss":"https://login.example.com",
                          "sub_prefix":"spiffe://example.com/agents/retired/"}}]}},"#;
    let table = if judged == Judged::Ruled { table } else { "" };
    let policy = format!(
        r#"{{"version":1,"preset":"rfc","cache":{{"tokens":0}},{table}
            "issuers":{{"corp":{{"issuer":"{ISSUER}","algorithms":["{}"],"jwks_push":"process"}}}},
            "gates":{{"tools":{{"profile":"access_token","audience":"{AUDIENCE}","issuers":["corp"],
                "context":{{"access_token":"allowed"}},"delegation":"{delegation}"}}}}}}"#,
        key.algorithm()
    );
    let policy = Policy::parse(policy, Format::Json).expect("a policy");
    let verifier = Verifier::new(policy, provider).expect("a verifier");
    tokens::publish(&verifier, key);
    verifier.gate("tools").expect("the gate")
}

/// Claims of a token with so many actors.
#[must_use]
pub fn claims(actors: usize) -> String {
    token_claims(actors, AUDIENCE, 0)
}

/// The claims of a token for `aud`, issued `age` seconds ago to the last of `actors`.
fn token_claims(actors: usize, aud: &str, age: i64) -> String {
    let act = (1..=actors).fold(String::new(), |inner, number| {
        let inner = if inner.is_empty() {
            inner
        } else {
            format!(r#","act":{inner}"#)
        };
        let sub = name(number);
        format!(r#"{{"iss":"{ISSUER}","sub":"{sub}"{inner}}}"#)
    });
    let act = if act.is_empty() {
        act
    } else {
        format!(r#","act":{act}"#)
    };
    let now = tokens::now();
    format!(
        r#"{{"iss":"{ISSUER}","sub":"user-00000001","aud":"{aud}","exp":{},"iat":{},
            "jti":"8d41c2f6-9c05-4b6a-8e17-000000000001","scope":"mcp:use files.read",
            "client_id":"{}"{act}}}"#,
        now + 36_000,
        now - age,
        name(actors),
    )
}

fn name(number: usize) -> String {
    format!("spiffe://example.com/agents/research/{number}")
}

/// Everything but the signature, of the same token without `act`, with five links, and with five
/// links under rules.
#[must_use]
pub fn links() -> Vec<Case> {
    let key = tokens::key(Algorithm::Es256);
    let header = tokens::header(Algorithm::Es256);
    let rows = [
        ("no act, shown", 0, Judged::Surfaced),
        ("no act, a table of rules", 0, Judged::Ruled),
        ("five links, shown", 5, Judged::Surfaced),
        ("five links, a table of rules", 5, Judged::Ruled),
    ];
    let case = |(name, actors, judged): (&str, usize, Judged)| {
        let text = tokens::sign(&key, &header, &claims(actors)).text;
        let gate = gate(&key, always_yes::provider(), judged);
        Case::new(name, move || {
            let verified = gate.verify(black_box(&text));
            black_box(verified.expect("a good token"));
        })
    };
    rows.into_iter().map(case).collect()
}

/// Four tokens of one chain: their raw verifies, and the chain proven.
#[must_use]
pub fn chain(algorithm: Algorithm) -> Vec<Case> {
    let key = tokens::key(algorithm);
    let header = tokens::header(algorithm);
    let mut chain: Vec<Token> = (0..3)
        .map(|actors| {
            let age = 30 - i64::try_from(actors).unwrap_or(0);
            token_claims(actors, &name(actors + 1), age)
        })
        .chain([claims(3)])
        .map(|claims| tokens::sign(&key, &header, &claims))
        .collect();
    let raw_key = RawKey::new(key.verifying_jwk(), algorithm);
    let raw_chain = chain.clone();
    let raw = Case::new("four raw verifies", move || {
        for token in &raw_chain {
            let verified = raw_key.verify(black_box(&token.signing_input), &token.signature);
            assert!(black_box(verified));
        }
    });
    let leaf = chain.pop().expect("four tokens").text;
    let gate = gate(&key, aws_lc::provider(), Judged::Ruled);
    let proven = Case::new("a chain of four", move || {
        let tokens = chain.iter().map(|token| token.text.as_str());
        let context: Vec<_> = tokens
            .map(|token| ContextToken::new(Kind::AccessToken, token))
            .collect();
        let token = gate.verify_chain(black_box(&leaf), &context, &Requirements::NONE);
        let token = token.expect("a good chain");
        assert_eq!(token.lineage(), Lineage::IssuerAttested);
        black_box(token);
    });
    vec![raw, proven]
}
