//! What a provider finds of a policy document stands beside what the loader finds.

use super::key;
use crate::crypto::{CryptoProvider, aws_lc, ring};
use crate::policy::{Format, LoadOptions, Policy};
use crate::verifier::Verifier;

/// A document with a key whose private half is published (RFC 8037 A.1), and these lines on top.
fn document(lines: &str, algorithms: &str) -> String {
    format!(
        r#"version = 1
{lines}
[issuers.corp]
issuer = "https://login.example.com"
algorithms = {algorithms}
jwks = {{ keys = [{{ kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }}] }}
[gates.api]
profile = "access_token"
audience = "mcp"
issuers = ["corp"]
"#
    )
}

fn problems(text: &str, provider: &CryptoProvider) -> Vec<String> {
    let loaded = Policy::parse_for(text, Format::Toml, &LoadOptions::new(), provider);
    let problems = loaded.map(drop).unwrap_err().problems;
    problems
        .iter()
        .map(|problem| format!("{} {problem}", problem.line))
        .collect()
}

const PUBLISHED: &str = "6 issuers.corp.jwks.keys[0]: everyone has this private key (RFC 8037 A.1)";
const LACKING: &str = "5 issuers.corp.algorithms: ES512 is not offered by the provider ring";

#[test]
fn all_problems_are_told_at_once() {
    let text = document("leeway = 30", r#"["Ed25519", "ES512"]"#);
    let unit = "2 leeway: 30 has no unit. Write \"30s\"";
    assert_eq!(
        problems(&text, &ring::provider()),
        [unit, LACKING, PUBLISHED]
    );
    assert_eq!(problems(&text, &aws_lc::provider()), [unit, PUBLISHED]);
}

#[test]
fn what_the_loader_was_not_told_of_the_verifier_refuses() {
    let text = document("", r#"["Ed25519", "ES512"]"#);
    let policy = Policy::parse(&text, Format::Toml).unwrap();
    let refused = Verifier::new(policy, ring::provider()).unwrap_err();
    let shown: Vec<String> = refused
        .problems
        .iter()
        .map(|problem| format!("{} {problem}", problem.line))
        .collect();
    assert_eq!(shown, [LACKING, PUBLISHED]);
    // Algorithms that nobody named are those the provider has.
    let default = text.replace("algorithms = [\"Ed25519\", \"ES512\"]\n", "");
    let found = problems(&default, &ring::provider());
    assert_eq!(found, [PUBLISHED.replacen('6', "5", 1)]);
}

#[test]
fn a_good_policy_is_good_for_its_provider() {
    let public = key(1, "k").verifying_jwk().to_json();
    let text = format!(
        r#"{{"version":1,"issuers":{{"corp":{{"issuer":"https://login.example.com",
            "jwks":{{"keys":[{public}]}}}}}},
            "gates":{{"api":{{"profile":"access_token","audience":"mcp","issuers":["corp"]}}}}}}"#
    );
    for provider in [ring::provider(), aws_lc::provider()] {
        let options = LoadOptions::new();
        assert!(Policy::parse_for(&text, Format::Json, &options, &provider).is_ok());
    }
}
