//! Calling on: C06 and C07, and a token that does not come out of the one that came in.

use super::{A, NOW, key, policy, set, token_with};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::policy::{Format, Kind, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::{ContextToken, Gate, VerifiedToken, Verifier};

fn gate() -> Gate {
    let table = r#"{"allow":[{"actor":{"iss":"https://a.example"}}]}"#;
    let document = policy("mcp").canonical_json();
    let document = document
        .replacen(
            "\"issuers\":[",
            "\"context\":{\"access_token\":\"allowed\"},\"delegation\":\"agents\",\"issuers\":[",
            1,
        )
        .replacen('{', &format!("{{\"delegation\":{{\"agents\":{table}}},"), 1);
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    verifier.keys().publish("a", &set(&[&key(1, "k")])).unwrap();
    verifier.gate("api").unwrap()
}

/// A token of `agents`, outermost first, for these audiences.
fn token(agents: &[&str], aud: &str, scope: &str, more: &str) -> String {
    let act = agents.iter().rev().fold(String::new(), |inner, sub| {
        let inner = if inner.is_empty() {
            inner
        } else {
            format!(",\"act\":{inner}")
        };
        format!("{{\"sub\":\"{sub}\"{inner}}}")
    });
    let claims = format!(
        r#"{{{more}"iss":"{A}","sub":"u1","aud":{aud},"client_id":"c1","jti":"j1","scope":"{scope}",
            "iat":{NOW},"exp":{},"act":{act}}}"#,
        NOW + 300
    );
    token_with(&key(1, "k"), "", &claims)
}

const TARGET: &str = "https://next.example";

fn checked(inbound: &VerifiedToken, gate: &Gate, outbound: &str) -> Result<(), Code> {
    let outbound = ContextToken::new(Kind::AccessToken, outbound);
    let checked = gate.check_outbound(inbound, outbound, TARGET);
    checked.map_err(|error| error.code())
}

#[test]
fn what_goes_out_is_another_token_and_comes_out_of_the_one_that_came_in() {
    let gate = gate();
    // The audience of this server is the name under which it exchanges.
    let came = token(&["agent-a"], "\"mcp\"", "a b", "");
    let inbound = gate.verify(&came).unwrap();
    let next =
        |scope: &str, more: &str| token(&["mcp", "agent-a"], &format!("\"{TARGET}\""), scope, more);
    assert_eq!(checked(&inbound, &gate, &next("a", "")), Ok(()));
    // C06, and the same token under another signature.
    assert_eq!(checked(&inbound, &gate, &came), Err(Code::TokenPassthrough));
    let (input, signature) = came.rsplit_once('.').unwrap();
    let other = format!("{input}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(
        checked(&inbound, &gate, &other),
        Err(Code::TokenPassthrough)
    );
    // C07, and a token that others may use as well.
    for aud in [
        "\"https://other.example\"",
        "[\"https://next.example\",\"x\"]",
    ] {
        let wrong = token(&["mcp", "agent-a"], aud, "a", "");
        assert_eq!(
            checked(&inbound, &gate, &wrong),
            Err(Code::AttenuationAudience)
        );
    }
    assert_eq!(
        checked(&inbound, &gate, &next("a c", "")),
        Err(Code::AttenuationScope)
    );
    let elsewhere = token(&["mcp", "agent-b"], &format!("\"{TARGET}\""), "a", "");
    assert_eq!(
        checked(&inbound, &gate, &elsewhere),
        Err(Code::ChainLinkBroken)
    );
    let early = next("a", &format!("\"nbf\":{},", NOW + 100));
    assert_eq!(checked(&inbound, &gate, &early), Err(Code::NotYetValid));
    let forged = next("a", "").replace('.', ".x");
    assert!(checked(&inbound, &gate, &forged).is_err());
    let another = next("a", "");
    let kind = ContextToken::new(Kind::JwtBearerGrant, &another);
    let misused = gate.check_outbound(&inbound, kind, TARGET).unwrap_err();
    assert_eq!(misused.code(), Code::Usage);
}
