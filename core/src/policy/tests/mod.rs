//! Policy documents as users write them: twins, the complete example, refusals and near misses.

mod refusals;

use super::{Format, LoadOptions, Policy, Problem};

/// One issuer with one key, one gate: the smallest document that loads without a warning.
pub(super) const MINIMAL: &str = r#"
version = 1
[issuers.corp]
issuer = "https://login.example.com"
algorithms = ["ES256"]
jwks = { keys = [{ kty = "EC", crv = "P-256", kid = "k1", x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }] }
[gates.tools]
profile = "access_token"
audience = "https://api.example.com/mcp"
issuers = ["corp"]
"#;

/// The minimal document with one text replaced, which must be there.
pub(super) fn with(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from), "{from}");
    MINIMAL.replacen(from, to, 1)
}

pub(super) fn load(text: &str) -> Result<Policy, Vec<Problem>> {
    load_as(text, Format::Toml, &LoadOptions::new())
}

pub(super) fn load_as(
    text: &str,
    format: Format,
    options: &LoadOptions,
) -> Result<Policy, Vec<Problem>> {
    Policy::parse_with(text, format, options).map_err(|error| error.problems)
}

#[test]
fn a_minimal_document_becomes_rules() {
    let policy = load(MINIMAL).unwrap();
    assert_eq!(policy.warnings(), []);
    let rules = policy.rules();
    assert_eq!(rules.leeway.seconds(), 30);
    assert_eq!(rules.limits, crate::Limits::DEFAULT);
    assert_eq!(
        rules.gates[0].issuers[0].max_lifetime.unwrap().seconds(),
        3600
    );
    assert_eq!(rules.gates[0].delegation, super::Delegation::Forbid);
    assert_eq!(policy.key_path("corp", 0), "issuers.corp.jwks.keys[0]");
    let problem = policy.problem_at("issuers.corp.algorithms[0]", "not offered");
    assert_eq!((problem.line, problem.column), (5, 15));
}
