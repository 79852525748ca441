//! `sealgate chain`: what is drawn, what is proven, and what a stranger's name does to a drawing.

use serde_json::Value;

use super::{Folder, code, complaint, demo_token, sealgate, text};

#[test]
fn a_chain_is_drawn_from_the_person_to_whoever_calls() {
    let token = demo_token("chain");
    let drawn = |options: &[&str]| {
        let output = sealgate(&[&["chain", "--demo"], options].concat(), &token);
        assert_eq!(code(&output), 0, "{}", complaint(&output));
        text(&output)
    };
    let tree = drawn(&[]);
    let mut lines = tree.lines();
    assert_eq!(lines.next(), Some("user-7"));
    assert!(lines.next().unwrap().starts_with("└─ spiffe://"), "{tree}");
    assert!(
        tree.contains("lineage   asserted by lab, not proven"),
        "{tree}"
    );
    let mermaid = drawn(&["--mermaid"]);
    assert!(
        mermaid.starts_with("flowchart LR\n  p0[\"user-7\"]\n"),
        "{mermaid}"
    );
    let dot = drawn(&["--dot"]);
    assert!(
        dot.starts_with("digraph chain {") && dot.trim_end().ends_with('}'),
        "{dot}"
    );
    let json: Value = serde_json::from_str(&drawn(&["--json"])).unwrap();
    assert_eq!(json["subject"], "user-7");
    assert_eq!(json["chain"].as_array().unwrap().len(), 5);
    assert_eq!(json["lineage"], "asserted");

    let refused = sealgate(&["chain", "--demo"], demo_token("circle"));
    assert_eq!(code(&refused), 1);
    assert!(
        text(&refused).starts_with("refused   chain_loop"),
        "{}",
        text(&refused)
    );
}

#[test]
fn the_tokens_it_comes_from_prove_a_chain() {
    let folder = Folder::new("chain");
    let private = folder.keys();
    let policy = folder.write(
        "policy.toml",
        "version = 1\n[issuers.corp]\nissuer = \"https://corp.example\"\nalgorithms = [\"ES256\"]\n\
         jwks_file = \"public.json\"\n[gates.tools]\nprofile = \"access_token\"\naudience = \"api\"\n\
         issuers = [\"corp\"]\ndelegation = \"agents\"\ncontext = { access_token = \"allowed\" }\n\
         [delegation.agents]\nallow = [{ actor = { iss = \"https://corp.example\" } }]\n",
    );
    let mint = |name: &str, more: &[&str]| {
        let issuer = "https://corp.example";
        let arguments = ["mint", "--key", &private, "--iss", issuer, "--sub", "u1"];
        let output = sealgate(&[&arguments[..], more].concat(), "");
        assert_eq!(code(&output), 0, "{}", complaint(&output));
        folder.write(name, text(&output))
    };
    let at = "1800000000";
    let parent = mint(
        "parent",
        &["--aud", "agent-a", "--scope", "a b", "--now", at],
    );
    let acting = |scope: &str| {
        mint(
            "leaf",
            &[
                "--aud", "api", "--act", "agent-a", "--scope", scope, "--now", at,
            ],
        )
    };
    let chain = |leaf: &str, more: &[&str]| {
        let arguments = ["chain", "-p", &policy, "--now", at, leaf];
        sealgate(&[&arguments[..], more].concat(), "")
    };
    let with = format!("access_token={parent}");
    let leaf = acting("a");
    let proven = chain(&leaf, &["--with", &with]);
    assert_eq!(code(&proven), 0, "{}", complaint(&proven));
    assert!(
        text(&proven).contains("lineage   proven: issuer_attested"),
        "{}",
        text(&proven)
    );
    let wider = chain(&acting("a c"), &["--with", &with]);
    assert_eq!(code(&wider), 1);
    assert!(
        text(&wider).starts_with("refused   attenuation_scope"),
        "{}",
        text(&wider)
    );
    // A kind that the gate does not take, and one that nobody knows.
    let grant = format!("jwt_bearer_grant={parent}");
    for with in [grant.as_str(), "passport=x", "access_token"] {
        assert_eq!(code(&chain(&leaf, &["--with", with])), 2, "{with}");
    }
}

#[test]
fn a_strangers_name_ends_where_it_should() {
    let folder = Folder::new("names");
    let private = folder.path("private.json");
    let public = sealgate(&["jwks", "generate", "--private", &private], "").stdout;
    let public = folder.write("public.json", public);
    let name = "a\"]; b<br/>\u{1b}[31m\\";
    let minted = sealgate(
        &[
            "mint",
            "--key",
            &private,
            "--iss",
            "https://corp.example",
            "--sub",
            "u1",
            "--aud",
            "api",
            "--now",
            "1800000000",
            "--act",
            name,
        ],
        "",
    );
    assert_eq!(code(&minted), 0, "{}", complaint(&minted));
    let policy = folder.write(
        "policy.toml",
        format!(
            "version = 1\n[issuers.corp]\nissuer = \"https://corp.example\"\nalgorithms = [\"ES256\"]\n\
             jwks_file = {public:?}\n[gates.tools]\nprofile = \"access_token\"\naudience = \"api\"\n\
             issuers = [\"corp\"]\ndelegation = \"surface\"\n"
        ),
    );
    for (option, shown) in [
        ("--mermaid", "p1[\"a#quot;]; b#lt;br/#gt;"),
        ("--dot", "label=\"a\\\"]; b<br/>"),
    ] {
        let arguments = ["chain", "-p", &policy, "--now", "1800000000", option];
        let output = sealgate(&arguments, text(&minted));
        assert_eq!(code(&output), 0, "{}", complaint(&output));
        let drawn = text(&output);
        assert!(
            drawn.contains(shown) && !drawn.contains('\u{1b}'),
            "{drawn}"
        );
    }
}
