//! What fakes make, and that no policy trusts the keys of those that anybody can make.

use serde_json::{Value, json};

use crate::crypto::aws_lc;
use crate::testing::{
    FakeActor, FakeAgent, FakeIssuer, FakeMembers, FakeOptions, FakeToken, Route,
};
use crate::{
    Clock, Format, LoadOptions, Policy, Request, Requirements, SubjectKind, Verifier, inspect,
};

const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "https://api.example.com";

fn document(keys: Value) -> String {
    let mut issuer =
        json!({ "issuer": ["https://old.example.com", ISSUER], "algorithms": ["ES256"] });
    for (name, value) in keys.as_object().unwrap() {
        issuer[name] = value.clone();
    }
    let gate = json!({ "profile": "access_token", "audience": AUDIENCE, "issuers": ["corp"],
        "delegation": "surface" });
    json!({ "version": 1, "issuers": { "corp": issuer }, "gates": { "g": gate } }).to_string()
}

fn fake(seed: u64) -> FakeIssuer {
    let options = FakeOptions::new()
        .clock(Clock::fixed(super::NOW))
        .seed(seed);
    FakeIssuer::new(ISSUER, options).unwrap()
}

fn jwks(fake: &FakeIssuer) -> Value {
    json!({ "jwks": serde_json::from_str::<Value>(&fake.jwks()).unwrap() })
}

fn open(document: &str, options: &LoadOptions) -> Result<Verifier, crate::PolicyError> {
    let policy = Policy::parse_with(document, Format::Json, options)?;
    Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(super::NOW))
}

fn good() -> FakeToken {
    FakeToken {
        aud: vec![AUDIENCE.to_owned()],
        ..FakeToken::default()
    }
}

/// Whoever copies what a fake publishes into a policy would open it to everyone (D22).
#[test]
fn refusal_10_the_keys_of_a_fake_open_no_policy() {
    let usual = LoadOptions::new();
    let tests = LoadOptions::new().allow_test_keys(true);
    for seed in [0, 1, 42, 63] {
        let fake = fake(seed);
        fake.rotate(None).unwrap();
        let document = document(jwks(&fake));
        let refused = open(&document, &usual).unwrap_err();
        let [problem] = refused.problems.as_slice() else {
            panic!("{refused}");
        };
        assert_eq!(problem.path, "issuers.corp.jwks.keys[0]");
        assert_eq!(
            problem.text,
            "everyone has this private key (a FakeIssuer or FakeAgent with a seed below 64)"
        );
        let verifier = open(&document, &tests).unwrap();
        let token = fake.token(&good()).unwrap();
        assert!(verifier.gate("g").unwrap().judge(&token).is_accepted());
    }
    // Who can guess these?
    let verifier = open(&document(jwks(&fake(64))), &usual).unwrap();
    let token = fake(64).token(&good()).unwrap();
    assert!(verifier.gate("g").unwrap().judge(&token).is_accepted());
    let agent = FakeAgent::new(ISSUER, &FakeOptions::new()).unwrap();
    let keys = json!({ "jwks": { "keys": [agent.jwk()] } });
    assert!(open(&document(keys), &usual).is_err());
}

#[test]
fn a_subject_is_its_own_client_only_where_it_says_so() {
    let fake = fake(0);
    let document = document(jwks(&fake));
    let verifier = open(&document, &LoadOptions::new().allow_test_keys(true)).unwrap();
    let gate = verifier.gate("g").unwrap();
    let kind = |token: FakeToken| {
        let token = gate.verify(fake.token(&token).unwrap()).unwrap();
        (token.client_id().map(str::to_owned), token.subject_kind())
    };
    assert_eq!(kind(good()), (Some("client-1".to_owned()), None));
    let delegated = FakeToken {
        act: vec![FakeActor {
            iss: None,
            sub: "agent".to_owned(),
        }],
        ..good()
    };
    assert_eq!(kind(delegated), (Some("agent".to_owned()), None));
    let own = FakeToken {
        sub: Some("agent".to_owned()),
        client_id: Some("agent".to_owned()),
        ..good()
    };
    assert_eq!(
        kind(own),
        (Some("agent".to_owned()), Some(SubjectKind::Client))
    );
}

#[test]
fn tokens_say_what_they_are_told() {
    let claims = r#"{"big":9007199254740993123,"scope":null}"#;
    let token = FakeToken {
        scope: Some("a".to_owned()),
        jti: Some("j".to_owned()),
        not_before: Some(5),
        certificate: Some(b"certificate".to_vec()),
        claims: serde_json::from_str(claims).unwrap(),
        header: FakeMembers::from([("typ", Value::Null), ("x", json!(1))]),
        ..good()
    };
    let token = inspect(fake(0).token(&token).unwrap()).unwrap();
    assert_eq!(token.header(), r#"{"alg":"ES256","kid":"key-1","x":1}"#);
    assert_eq!(
        token.claims(),
        r#"{"aud":"https://api.example.com","big":9007199254740993123,"client_id":"client-1","cnf":{"x5t#S256":"A9Zt0Ig1wco_EozOrNHzGslBYwlrIPRFroQoW8CDLXI"},"exp":1800000300,"iat":1800000000,"iss":"https://login.example.com","jti":"j","nbf":5,"sub":"u1"}"#
    );
    let signed = fake(0).sign_with(b"{}", &FakeMembers::from([("kid", Value::Null)]));
    let signed = inspect(signed.unwrap()).unwrap();
    assert_eq!(signed.header(), r#"{"alg":"ES256","typ":"at+jwt"}"#);
}

#[test]
fn an_agent_has_what_stands_for_a_certificate() {
    let mut document: Value = serde_json::from_str(&document(jwks(&fake(0)))).unwrap();
    document["gates"]["g"]["sender_constrained"] = json!("required");
    document["mtls"] = json!({});
    let tests = LoadOptions::new().allow_test_keys(true);
    let verifier = open(&document.to_string(), &tests).unwrap();
    let gate = verifier.gate("g").unwrap();
    let agent = |sub| FakeAgent::new(sub, &FakeOptions::new()).unwrap();
    let token = FakeToken {
        certificate: Some(agent("agent").certificate()),
        ..good()
    };
    let fields = [(
        "Authorization",
        format!("Bearer {}", fake(0).token(&token).unwrap()),
    )];
    let code = |certificate: &[u8]| {
        let request = Request::new("GET", "/")
            .headers(fields.iter().map(|(name, value)| (*name, value)))
            .client_certificate(certificate);
        gate.judge_request(&request, &Requirements::NONE).code()
    };
    assert_eq!(code(&agent("agent").certificate()), "accepted");
    assert_eq!(code(&agent("another").certificate()), "pop_mismatch");
}

#[test]
fn an_agent_proves_where_a_token_is_bound_to_a_key() {
    let agent = FakeAgent::new("agent", &FakeOptions::new()).unwrap();
    let mut document: Value = serde_json::from_str(&document(jwks(&fake(0)))).unwrap();
    document["gates"]["g"]["public_url"] = json!("https://api.example.com");
    let tests = LoadOptions::new().allow_test_keys(true);
    let verifier = open(&document.to_string(), &tests).unwrap();
    let gate = verifier.gate("g").unwrap();
    let fields = |jkt: Option<&str>, uri: &str| {
        let jkt = jkt.map(str::to_owned);
        let token = fake(0).token(&FakeToken { jkt, ..good() }).unwrap();
        let route = Route {
            method: "POST".to_owned(),
            uri: uri.to_owned(),
        };
        agent.headers(&gate, &route, &token, Some("n")).unwrap()
    };
    let free = fields(None, "/mcp");
    assert_eq!(free.len(), 1);
    assert!(free[0].1.starts_with("Bearer "));
    let url = "https://api.example.com/mcp";
    for jkt in [agent.jkt().as_str(), "another's"] {
        for uri in ["/mcp?x=1", url] {
            let bound = fields(Some(jkt), uri);
            assert!(bound[0].1.starts_with("DPoP "));
            let proof = inspect(&bound[1].1).unwrap();
            let claims: Value = serde_json::from_str(proof.claims()).unwrap();
            assert_eq!(claims["htu"], url);
            assert_eq!(claims["iat"], super::NOW, "the gate's time");
            assert_eq!(claims["nonce"], "n");
            assert!(claims["ath"].is_string());
        }
    }
    let route = Route::default();
    assert_eq!(
        agent
            .headers(&gate, &route, "no token", None)
            .unwrap()
            .len(),
        1
    );
}
