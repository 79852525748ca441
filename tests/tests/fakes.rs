//! The fakes of `sealgate::testing` are the same in every language: `vectors/fakes.json` is read
//! here, by the tests of Python and by those of Node.

use sealgate::jwa::Algorithm;
use sealgate::testing::{Argument, FakeAgent, FakeIssuer, FakeOptions, FakeToken};
use sealgate::{Clock, Span, inspect};
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

/// What a token is told, as the packages write it down for the core.
fn as_told(token: &Value, claims: &str) -> FakeToken {
    let mut token = token.clone();
    if let Some(lifetime) = token["lifetime"].as_str() {
        let lifetime = Span::parse(lifetime).expect("a duration");
        token["lifetime_millis"] = (lifetime.seconds() * 1000).into();
    }
    let members = token.as_object_mut().expect("options");
    members.remove("lifetime");
    for actor in members
        .get_mut("act")
        .into_iter()
        .flat_map(Value::as_array_mut)
        .flatten()
    {
        if actor.is_string() {
            *actor = json!({ "sub": actor });
        }
    }
    // As text, since no number type holds what these claims have.
    let text = Value::Object(members.clone()).to_string();
    let text = text.strip_suffix('}').expect("an object");
    let joint = if text == "{" { "" } else { "," };
    let text = format!(r#"{text}{joint}"claims":{claims}}}"#);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn tokens_say_what_they_are_told() {
    let vectors = vectors();
    for told in vectors["told"].as_array().expect("told") {
        let options = FakeOptions::new().clock(Clock::fixed(vectors["now"].as_i64().expect("now")));
        let fake = FakeIssuer::new("https://login.example.com", options).expect("a fake");
        let token = as_told(&told["token"], text(told, "claims"));
        let token = inspect(fake.token(&token).expect("a token")).expect("decoded");
        assert_eq!(token.claims(), text(told, "payload"));
        assert_eq!(token.header(), text(told, "header"));
    }
}

/// The packages refuse wrong arguments in these words.
#[test]
fn mistakes_are_said_in_the_cores_words() {
    let vectors = vectors();
    let expected: Vec<String> = Argument::ALL.iter().map(|kind| kind.expected()).collect();
    let mistakes = vectors["mistakes"].as_array().expect("mistakes");
    for mistake in mistakes {
        let text = text(mistake, "text");
        let said = |words: &String| text.contains(&format!(" must be {words}, not "));
        assert_eq!(
            expected.iter().filter(|words| said(words)).count(),
            1,
            "{text}"
        );
    }
    for words in &expected {
        let said = mistakes
            .iter()
            .any(|mistake| text(mistake, "text").contains(words.as_str()));
        assert!(said, "no mistake is about {words}");
    }
}
