//! Of issuers that are asked about their tokens (RFC 7662).

use super::super::{load, with};
use super::{issuer, loads, refuses};
use crate::policy::{Asks, Endpoint};
use crate::time::Span;

/// The minimal document whose issuer is asked, with these lines more. PATH is set everywhere.
fn asked(lines: &str) -> String {
    issuer(&format!(
        "[issuers.corp.introspection]\nclient_id = \"rs\"\nclient_secret = {{ env = \"PATH\" }}\n{lines}"
    ))
}

#[test]
fn what_is_left_out_is_opaque_tokens_at_the_endpoint_of_the_metadata_for_a_minute() {
    let policy = load(&asked("")).unwrap();
    let rules = policy.rules().issuers[0].introspection.as_ref().unwrap();
    assert_eq!(
        (rules.asks, rules.max_age),
        (Asks::Opaque, Span::from_seconds(60))
    );
    assert!(
        matches!(&rules.endpoint, Endpoint::Discovered(_, iss) if **iss == *"https://login.example.com")
    );
    assert_eq!(*rules.reach.hosts, [Box::from("login.example.com")]);
    let gate = &policy.rules().gates[0];
    assert!(gate.opaque.is_some() && !gate.asks);
    let all = load(&asked(
        "tokens = \"all\"\nendpoint = \"https://ask.example/i\"",
    ))
    .unwrap();
    let gate = &all.rules().gates[0];
    assert!(gate.opaque.is_some() && gate.asks);
    let rules = all.rules().issuers[0].introspection.as_ref().unwrap();
    assert_eq!(*rules.reach.hosts, [Box::from("ask.example")]);
    assert!(
        !format!("{rules:?}").contains("/bin"),
        "the secret is not shown"
    );
}

#[test]
fn whoever_asks_says_who_and_proves_it() {
    refuses(
        &issuer("[issuers.corp.introspection]"),
        &[
            "7:1 issuers.corp.introspection: no client_id. Who asks: the name of this resource server at the issuer.",
            "7:1 issuers.corp.introspection: no client_secret. What proves that, as client_secret_basic; one line break at its end is not part of it.",
        ],
    );
    refuses(
        &with(
            "[gates.tools]",
            "[issuers.corp.introspection]\nclient_id = \"\"\nclient_secret = \"inline\"\n[gates.tools]",
        ),
        &[
            "8:13 issuers.corp.introspection.client_id: \"\" is not a client",
            "9:17 issuers.corp.introspection.client_secret: a secret in the document. Write { env = \"NAME\" } or { file = \"path\" }",
        ],
    );
}

#[test]
fn where_and_how_long_have_bounds() {
    for (line, text) in [
        (
            "endpoint = \"http://as.example/i\"",
            "endpoint: must be https. Write \"https://as.example/i\"",
        ),
        (
            "max_age = \"0s\"",
            "max_age: \"0s\" keeps no answer, so that no token would ever have one",
        ),
        ("max_age = \"2h\"", "max_age: at most \"3600s\""),
        (
            "tokens = \"jwt\"",
            "tokens: \"jwt\" is unknown. Write \"opaque\" or \"all\"",
        ),
        (
            "allow_hosts = [\"x.example\"]",
            "allow_hosts: lacks \"login.example.com\", where the fetch begins",
        ),
    ] {
        let Err(problems) = load(&asked(line)) else {
            panic!("{line} loads")
        };
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [format!("issuers.corp.introspection.{text}")]);
    }
    loads(
        &asked("max_age = \"1h\"\nallow_hosts = [\"login.example.com\"]"),
        &[],
    );
}

#[test]
fn it_is_about_access_tokens() {
    let other = asked("").replace(
        "[issuers.corp]",
        "[issuers.corp]\nprofiles = [\"id_token\"]",
    );
    let other = other.replace("\"access_token\"", "\"id_token\"");
    let Err(problems) = load(&other) else {
        panic!("it loads")
    };
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "issuers.corp.introspection: it is about access tokens, and the issuer's profiles have none"
        ]
    );
}

#[test]
fn a_gate_asks_one_issuer_alone() {
    let second = |more: &str| {
        let own = format!(
            "[issuers.b]\nissuer = \"https://b.example\"\njwks_uri = \"https://b.example/jwks\"\n{more}"
        );
        asked("")
            .replace("issuers = [\"corp\"]", "issuers = [\"corp\", \"b\"]")
            .replace("issuers  = [\"corp\"]", "issuers = [\"corp\", \"b\"]")
            .replace("issuers    = [\"corp\"]", "issuers = [\"corp\", \"b\"]")
            + &own
    };
    loads(&second(""), &[]);
    let both =
        second("[issuers.b.introspection]\nclient_id = \"rs\"\nclient_secret = { env = \"PATH\" }");
    let Err(problems) = load(&both) else {
        panic!("it loads")
    };
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "gates.tools.issuers: issuers.corp and issuers.b have introspection, and a token that is no \
          JWT does not say whose it is. Write a gate for each"
        ]
    );
}

#[test]
fn a_gate_that_asks_about_jwts_and_takes_further_tokens_says_whom_it_asks_nothing_of() {
    let warned = |tokens: &str, context: &str| {
        let policy = load(
            &asked(&format!("tokens = \"{tokens}\""))
                .replace("[gates.tools]", &format!("[gates.tools]\n{context}")),
        );
        let policy = policy.unwrap();
        let warnings = policy.warnings().iter();
        warnings
            .filter(|one| {
                one.to_string()
                    .contains("no issuer is asked about further tokens")
            })
            .count()
    };
    let further = "context = { access_token = \"allowed\" }";
    assert_eq!(warned("all", further), 1);
    assert_eq!((warned("opaque", further), warned("all", "")), (0, 0));
}
