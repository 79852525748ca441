use super::Chain;
use crate::claims::{Claim, Claims};
use crate::encoding::json::Json;
use crate::error::Code;
use crate::limits::Limits;
use crate::policy::{ActIss, Loops, Preset};

fn parse(text: &str, act_iss: ActIss, preset: Preset) -> Result<Vec<String>, Code> {
    let json = Json::parse(text.into(), Limits::DEFAULT.into()).unwrap();
    let chain = Chain::parse(json.root(), act_iss, preset, 5);
    let chain = chain.map_err(|error| error.code())?;
    let actors = chain.actors(&json, "https://as.example");
    Ok(actors
        .map(|actor| format!("{} {}", actor.iss(), actor.sub()))
        .collect())
}

fn strict(text: &str) -> Result<Vec<String>, Code> {
    parse(text, ActIss::Inherit, Preset::AgentStrict)
}

/// `count` links, outermost `"sub": "0"`.
fn links(count: usize) -> String {
    (0..count).rev().fold(String::new(), |inner, link| {
        let inner = if inner.is_empty() {
            inner
        } else {
            format!(",\"act\":{inner}")
        };
        format!("{{\"sub\":\"{link}\"{inner}}}")
    })
}

#[test]
fn outermost_comes_first_and_a_missing_issuer_is_the_tokens() {
    let text = r#"{"sub":"b","iss":"https://b.example","act":{"sub":"a"}}"#;
    let chain = strict(text).unwrap();
    assert_eq!(chain, ["https://b.example b", "https://as.example a"]);
    // ACT-03
    let required = parse(text, ActIss::Require, Preset::AgentStrict);
    assert_eq!(required, Err(Code::ActorMalformed));
}

#[test]
fn d07_what_identifies_nobody_is_malformed() {
    for text in [
        "null",
        "[]",
        "\"a\"",
        "true",
        "{}",
        r#"{"sub":""}"#,
        r#"{"sub":1}"#,
        r#"{"sub":"a","iss":""}"#,
        r#"{"sub":"a","iss":null}"#,
        r#"{"sub":"a","act":null}"#,
        r#"{"sub":"a","act":{}}"#,
        r#"{"sub":"a","client_profile":"x"}"#,
    ] {
        assert_eq!(strict(text), Err(Code::ActorMalformed), "{text}");
    }
    let lenient = parse(
        r#"{"sub":"a","client_profile":"x"}"#,
        ActIss::Inherit,
        Preset::Rfc,
    );
    assert!(lenient.is_ok());
}

#[test]
fn d08_other_members_of_an_actor_mean_nothing() {
    let text = r#"{"sub":"a","exp":1,"nbf":"x","aud":"other","cnf":[],"may_act":{},"x":null}"#;
    assert!(strict(text).is_ok());
}

#[test]
fn act_08_nobody_acts_twice() {
    let loops = |act: &str| {
        let json = format!(r#"{{"iss":"https://as.example","sub":"u","act":{act}}}"#);
        let json = Json::parse(json.into(), Limits::DEFAULT.into()).unwrap();
        let claims = Claims::locate(json).unwrap();
        let (act, iss) = (claims.value(Claim::Act).unwrap(), "https://as.example");
        let chain = Chain::parse(act, ActIss::Inherit, Preset::Rfc, 5).unwrap();
        [Loops::DenyAny, Loops::DenyAdjacent, Loops::Allow]
            .map(|loops| chain.has_loop(&claims, iss, loops))
    };
    let [never, apart, adjacent] = [
        [false, false, false],
        [true, false, false],
        [true, true, false],
    ];
    for (act, verdict) in [
        (r#"{"sub":"a","act":{"sub":"b"}}"#, never),
        // The same name under another issuer is another actor.
        (
            r#"{"sub":"a","act":{"sub":"a","iss":"https://b.example"}}"#,
            never,
        ),
        // ACT-07: the outermost may be the subject itself.
        (r#"{"sub":"u"}"#, never),
        (r#"{"sub":"u","act":{"sub":"b"}}"#, never),
        (r#"{"sub":"a","act":{"sub":"a"}}"#, adjacent),
        (r#"{"sub":"a","act":{"sub":"b","act":{"sub":"a"}}}"#, apart),
        // An issuer spelled out is the one inherited.
        (
            r#"{"sub":"a","act":{"sub":"a","iss":"https://as.example"}}"#,
            adjacent,
        ),
        // D14: beside the earliest actor stands the subject.
        (r#"{"sub":"a","act":{"sub":"u"}}"#, adjacent),
        (r#"{"sub":"a","act":{"sub":"u","act":{"sub":"b"}}}"#, apart),
    ] {
        assert_eq!(loops(act), verdict, "{act}");
    }
}

#[test]
fn d10_five_links_pass_and_six_are_never_cut_short() {
    assert_eq!(strict(&links(5)).unwrap().len(), 5);
    assert_eq!(strict(&links(6)), Err(Code::ChainTooDeep));
}
