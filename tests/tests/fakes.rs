//! The fakes of `sealgate::testing` are the same in every language: `vectors/fakes.json` is read here,
//! by the tests of Python and by those of Node.

use sealgate::jwa::Algorithm;
use sealgate::testing::{FakeAgent, FakeIssuer, FakeOptions, FakeToken};
use sealgate::{Clock, Span};
use serde_json::{Value, json};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/fakes.json")).expect("JSON")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn a_seed_gives_the_same_keys_and_the_same_tokens() {
    let vectors = vectors();
    for told in vectors["issuers"].as_array().expect("issuers") {
        let alg = text(told, "alg");
        let options = FakeOptions::new()
            .clock(Clock::fixed(vectors["now"].as_i64().expect("now")))
            .seed(told["seed"].as_u64().expect("seed"))
            .algorithm(Algorithm::from_name(alg).expect("an algorithm"))
            .name(text(told, "name"));
        let fake = FakeIssuer::new(text(told, "issuer"), options).expect("a fake");
        let token = FakeToken {
            aud: vec![text(&vectors["token"], "aud").to_owned()],
            scope: Some(text(&vectors["token"], "scope").to_owned()),
            claims: vectors["claims"]
                .as_object()
                .expect("claims")
                .clone()
                .into(),
            ..FakeToken::default()
        };
        assert_eq!(token.lifetime, Span::from_seconds(300));
        let token = fake.token(&token).expect("a token");
        let (input, signature) = token.rsplit_once('.').expect("a signature");
        let kid = fake.rotate(None).expect("a key");
        let jwks: Value = serde_json::from_str(&fake.jwks()).expect("JSON");
        let signature = Some(signature).filter(|_| alg == "Ed25519" || alg == "HS256");
        let own = json!({
            "issuer": told["issuer"], "seed": told["seed"], "alg": alg, "name": told["name"],
            "input": input, "signature": signature, "kid": kid, "jwks": jwks,
        });
        assert_eq!(*told, own, "{own}");
    }
}

#[test]
fn a_seed_gives_the_same_agents() {
    for told in vectors()["agents"].as_array().expect("agents") {
        let options = FakeOptions::new().seed(told["seed"].as_u64().expect("seed"));
        let agent = FakeAgent::new(text(told, "sub"), &options).expect("an agent");
        assert_eq!(agent.jkt(), text(told, "jkt"));
    }
}
