//! Of gates: audiences, addresses, scopes and metadata.

use super::super::{load, with};
use super::{gate, loads, refuses};

#[test]
fn refusal_12_gates_without_what_they_need() {
    refuses(
        &with(
            "audience = \"https://api.example.com/mcp\"\nissuers = [\"corp\"]",
            "",
        ),
        &[
            "7:1 gates.tools: no audience. The exact `aud` it answers to; the first is its RFC \
             9728 `resource`.",
            "7:1 gates.tools: no issuers. The names of the issuers it takes tokens from.",
        ],
    );
    refuses(
        &with("issuers = [\"corp\"]", "issuers = []")
            .replace("\"https://api.example.com/mcp\"", "[]"),
        &[
            "9:12 gates.tools.audience: empty: no token could open the gate",
            "10:11 gates.tools.issuers: empty: no token could open the gate",
        ],
    );
    refuses(
        &with(
            "issuers = [\"corp\"]",
            "issuers = [\"corp\", \"crop\", \"https://login.example.com\"]",
        ),
        &[
            "10:20 gates.tools.issuers[1]: no [issuers.crop]. Did you mean \"corp\"?",
            "10:28 gates.tools.issuers[2]: \"https://login.example.com\" is a claim value. Write \
             the name \"corp\"",
        ],
    );
    refuses(
        &with("profile = \"access_token\"", "profile = \"acess_token\""),
        &["8:11 gates.tools.profile: \"acess_token\" is unknown. Did you mean \"access_token\"?"],
    );
}

#[test]
fn refusal_15_patterns_where_exact_values_belong() {
    refuses(
        &with(
            "\"https://api.example.com/mcp\"",
            "[\"*\", \"\", \" a\", \"https://*.example.com\"]",
        ),
        &[
            "9:13 gates.tools.audience[0]: \"*\" is not an audience",
            "9:18 gates.tools.audience[1]: \"\" is not an audience",
            "9:22 gates.tools.audience[2]: \" a\" begins or ends with a space",
            "9:28 gates.tools.audience[3]: \"https://*.example.com\" is a pattern. Write each \
             value out: they are compared exactly",
        ],
    );
    refuses(
        &with("https://login.example.com", "https://*.example.com"),
        &[
            "4:10 issuers.corp.issuer: \"https://*.example.com\" is a pattern. Write each value out: \
           they are compared exactly",
        ],
    );
}

#[test]
fn refusal_16_a_name_where_a_claim_value_belongs() {
    refuses(
        &gate("[issuers.b]\nissuer = \"corp\"\njwks_push = \"process\""),
        &["12:10 issuers.b.issuer: \"corp\" is a name. Write \"https://login.example.com\""],
    );
}

#[test]
fn refusal_16_a_name_is_no_audience() {
    for (name, table) in [("corp", "issuers.corp"), ("tools", "gates.tools")] {
        refuses(
            &with("https://api.example.com/mcp", name),
            &[&format!(
                "9:12 gates.tools.audience: {name:?} is a name, of [{table}]. Write what its tokens \
                 have in aud"
            )],
        );
    }
    loads(&with("https://api.example.com/mcp", "tool"), &[]);
}

#[test]
fn refusal_21_public_urls() {
    refuses(
        &gate("public_url = \"https://api.example.com?x\""),
        &["11:14 gates.tools.public_url: must have no query"],
    );
    refuses(
        &gate("public_url = \"http://api.example.com\""),
        &["11:14 gates.tools.public_url: must be https. Write \"https://api.example.com\""],
    );
    loads(&gate("public_url = \"https://api.example.com/base\""), &[]);
    loads(&gate("public_url = \"http://localhost:8000\""), &[]);
    // The audience is then the resource that clients are told of, if it can be.
    let public = |audience: &str| {
        gate("public_url = \"https://api.example.com\"").replace(
            "\"https://api.example.com/mcp\"",
            &format!("[\"{audience}\", \"old\"]"),
        )
    };
    for (audience, problem) in [
        ("api", "must be https"),
        ("https://api.example.com/mcp?x", "must have no query"),
        ("https://api.example.com/mcp#x", "must have no fragment"),
        (
            "https://api.example.com/\u{fc}",
            "must be ASCII; write other characters as %C3%BC",
        ),
    ] {
        let text = format!(
            "gates.tools.audience[0]: clients find no RFC 9728 metadata of this gate: the \
             resource {problem}"
        );
        loads(&public(audience), &[&text]);
        let text = format!(
            "9:13 gates.tools.audience[0]: is the RFC 9728 resource, since there is metadata: it \
             {problem}"
        );
        let described = "\n[gates.tools.metadata]\nresource_name = \"Tools\"\n";
        refuses(&(public(audience) + described), &[&text]);
    }
    loads(&public("https://api.example.com/mcp"), &[]);
    loads(&public("http://localhost:8000/mcp"), &[]);
}

#[test]
fn an_acr_can_be_written_in_a_challenge() {
    refuses(
        &gate("acr_values = [\"urn:mfa\", \"a b\", \"\u{fc}\"]"),
        &[
            "11:26 gates.tools.acr_values[1]: \"a b\" cannot stand in a challenge (RFC 9470)",
            "11:33 gates.tools.acr_values[2]: \"\u{fc}\" cannot stand in a challenge (RFC 9470)",
        ],
    );
}

#[test]
fn refusal_23_scopes() {
    refuses(
        &gate("required_scopes = [\"a b\", \"ü\"]"),
        &[
            "11:20 gates.tools.required_scopes[0]: \"a b\" has a space. Write one scope an item",
            "11:27 gates.tools.required_scopes[1]: \"ü\" has a character that no scope may have \
             (RFC 6749)",
        ],
    );
    let implies = |c: &str| {
        gate(&format!(
            "scope_implies = {{ a = [\"b\"], b = [\"c\"], c = [\"{c}\"] }}"
        ))
    };
    refuses(
        &implies("b"),
        &[
            "11:17 gates.tools.scope_implies: b implies itself",
            "11:17 gates.tools.scope_implies: c implies itself",
        ],
    );
    let policy = load(&implies("d")).unwrap();
    let closed = &policy.rules().gates[0].scope_implies;
    assert_eq!(&*closed[0].0, "a");
    assert_eq!(closed[0].1, ["b", "c", "d"].map(Box::from));
}

#[test]
fn refusal_24_metadata_that_is_generated() {
    refuses(
        &gate("metadata = { resource_name = \"x\", resource = \"y\", authorization_servers = [] }"),
        &[
            "11:35 gates.tools.metadata.resource: generated from audience",
            "11:51 gates.tools.metadata.authorization_servers: generated from issuers",
        ],
    );
    let policy = load(&gate("metadata = { resource_name = \"x\" }")).unwrap();
    assert_eq!(
        policy.rules().gates[0].metadata,
        [("resource_name".into(), "x".into())]
    );
}
