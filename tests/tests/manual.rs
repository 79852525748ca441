//! What the documentation shows works: the first five lines print what they say, the manual's
//! policies load, and each issuer's table takes a token as that issuer sends it.

use std::collections::BTreeSet;
use std::path::Path;

use sealgate::crypto::{SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::mint::{ClaimsBuilder, Minter};
use sealgate::{Clock, Format, LoadOptions, Policy, Profile, Span, Verifier};
use serde_json::{Value, json};

const T: i64 = 1_800_000_000;

fn page(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn the_first_five_lines_print_what_they_say() {
    let page = page("README.md");
    let policy = page.split("```toml\n").nth(1).unwrap();
    let policy = policy.split("```").next().unwrap();
    // Its keys would be fetched.
    let policy = policy.replacen("\nalgorithms", "\njwks_push = \"process\"\nalgorithms", 1);
    let policy = Policy::parse(policy, Format::Toml).unwrap();
    let clock = Clock::fixed(T);
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock.clone()).unwrap();
    let key = SigningKey::generate(Algorithm::Es256)
        .unwrap()
        .with_kid("k");
    let set = [key.public_jwk().unwrap().clone()].into_iter().collect();
    verifier.keys().publish("corp", &set).unwrap();
    let claims = ClaimsBuilder::new()
        .issuer("https://login.example.com")
        .subject("u1")
        .client_id("agent-a")
        .audience(["https://api.example.com/mcp"])
        .lifetime(clock.now(), Span::from_seconds(300))
        .jwt_id("j1")
        .actor("https://login.example.com", "agent-a");
    let jwt = Minter::new(key).with_typ("at+jwt").mint(&claims).unwrap();
    let tools = verifier.gate("tools").unwrap();
    let token = tools.verify(jwt).unwrap();
    // This line and the one after it are the page's.
    let shown = format!(
        "{:?} for {:?}",
        token.actor().map(|actor| actor.sub()),
        token.subject()
    );
    let line =
        r#"println!("{:?} for {:?}", token.actor().map(|actor| actor.sub()), token.subject());"#;
    assert!(page.contains(&format!("{line}\n// {shown}\n")), "{shown}");
}

/// The TOML blocks of a page of the manual.
fn blocks(name: &str) -> Vec<String> {
    let page = page(&format!("core/src/manual/{name}.md"));
    let parts = page.split("```toml\n").skip(1);
    let blocks = parts.map(|part| part.split("```").next().unwrap_or_default().to_owned());
    blocks.collect()
}

/// The names in code marks of a cell.
fn names(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_table_of_kinds_is_the_engines() {
    let page = page("core/src/manual/kinds.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(|line| line.split('|').collect()).collect();
    let profiles: Vec<_> = Profile::ALL.iter().map(|row| row.as_str()).collect();
    let told: Vec<&str> = rows.iter().flat_map(|row| names(row[1])).collect();
    assert_eq!(told, profiles);
    for (row, profile) in rows.iter().zip(Profile::ALL) {
        let name = profile.as_str();
        let typ = if name == "agent_card" {
            Some("JOSE")
        } else {
            profile.typ()
        };
        assert_eq!(names(row[2]), typ.into_iter().collect(), "{name}");
        assert_eq!(names(row[3]), profile.required_claims().collect(), "{name}");
        assert_eq!(
            names(row[4]),
            profile.forbidden_claims().collect(),
            "{name}"
        );
    }
    let document = page.split("```toml\n").nth(1).unwrap();
    let document = document.split("```").next().unwrap();
    let policy = Policy::parse(document, Format::Toml).unwrap();
    assert!(Verifier::new(policy, aws_lc::provider()).is_ok());
}

#[test]
fn the_policy_of_the_readme_for_whole_requests_loads() {
    let page = page("README.md");
    let mut policies = page.split("```toml\n").skip(1);
    let mut block = || policies.next().and_then(|part| part.split("```").next());
    let (first, second) = (block().unwrap(), block().unwrap());
    // Its gate in the place of the first one's.
    let (issuers, _) = first.split_once("[gates.").unwrap();
    let policy = Policy::parse(format!("{issuers}{second}"), Format::Toml).unwrap();
    assert_eq!(policy.summary().gates.len(), 1);
}

#[test]
fn the_policies_about_delegation_load() {
    let blocks = blocks("delegation");
    assert_eq!(blocks.len(), 4);
    for block in blocks {
        let policy = Policy::parse(block, Format::Toml).unwrap();
        assert!(Verifier::new(policy, aws_lc::provider()).is_ok());
    }
}

#[test]
fn the_first_policies_load() {
    for page in ["policies", "possession"] {
        loads(&blocks(page).remove(0));
    }
}

fn loads(block: &str) {
    let file = "corp.jwks.json";
    assert!(block.contains(&format!("\"{file}\"")));
    let block = block.replace(
        &format!("jwks_file  = \"{file}\""),
        "jwks_push  = \"process\"",
    );
    let policy = Policy::parse(block, Format::Toml).unwrap();
    assert!(Verifier::new(policy, aws_lc::provider()).is_ok());
}

/// What an issuer's access token holds beyond `iss`, `exp` and `iat`, its `typ`, how long it
/// lives, and the audience of the gate.
fn sample(name: &str) -> (Value, Option<&'static str>, i64, &'static str) {
    match name {
        "keycloak" => (
            json!({ "sub": "u1", "aud": ["api", "account"], "azp": "agent", "typ": "Bearer",
                "scope": "files.read email", "jti": "j1", "sid": "s1", "acr": "1" }),
            Some("JWT"),
            300,
            "api",
        ),
        "entra" => (
            json!({ "sub": "u1", "aud": "11111111-2222-3333-4444-555555555555", "azp": "agent",
                "scp": "files.read email", "nbf": T, "ver": "2.0", "oid": "o", "tid": "t" }),
            Some("JWT"),
            5_237,
            "11111111-2222-3333-4444-555555555555",
        ),
        "auth0" => (
            json!({ "sub": "auth0|1", "aud": ["api", "https://example.eu.auth0.com/userinfo"],
                "azp": "agent", "scope": "files.read email" }),
            Some("JWT"),
            86_400,
            "api",
        ),
        "okta" => (
            json!({ "sub": "u1@example.com", "aud": "api", "cid": "agent", "ver": 1, "jti": "AT.1",
                "scp": ["files.read", "email"], "uid": "00u1" }),
            None,
            3_600,
            "api",
        ),
        "cognito" => (
            json!({ "sub": "u1", "client_id": "agent", "token_use": "access", "version": 2,
                "scope": "files.read email", "jti": "j1", "auth_time": T, "username": "u1" }),
            None,
            3_600,
            "agent",
        ),
        other => panic!("no sample of {other}"),
    }
}

#[test]
fn each_issuers_table_takes_a_token_as_that_issuer_sends_it() {
    let (mut seen, key) = (0, SigningKey::generate(Algorithm::Rs256).unwrap());
    let key = key.with_kid("k1");
    let public = key.public_jwk().unwrap().clone();
    let mut minter = Minter::new(key);
    // Those without `typ` first: a minter that has one keeps it.
    let mut blocks = blocks("policies").split_off(1);
    let name_of = |block: &str| {
        let rest = block.strip_prefix("[issuers.").unwrap();
        rest.split(']').next().unwrap().to_owned()
    };
    blocks.sort_by_key(|block| sample(&name_of(block)).1.is_some());
    for block in blocks {
        let name = name_of(&block);
        let (mut claims, typ, lifetime, audience) = sample(&name);
        let gate = format!(
            "[gates.tools]\nprofile = \"access_token\"\nissuers = [\"{name}\"]\n\
             audience = \"{audience}\"\nrequired_scopes = [\"files.read\"]\n"
        );
        // As it stands it loads; its keys would be fetched.
        let document = format!("version = 1\n{block}{gate}");
        Policy::parse(&document, Format::Toml).unwrap();
        let fetched = document.lines().find(|line| line.starts_with("discovery"));
        let document = document.replace(fetched.unwrap(), "jwks_push = \"process\"");
        let policy = Policy::parse_with(document, Format::Toml, &LoadOptions::new()).unwrap();
        let issuers = policy.effective();
        let iss = issuers["issuers"][&name]["issuer"].clone();
        let clock = Clock::fixed(T);
        let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock).unwrap();
        let set = [public.clone()].into_iter().collect();
        verifier.keys().publish(&name, &set).unwrap();
        claims["iss"] = iss;
        claims["iat"] = T.into();
        claims["exp"] = (T + lifetime).into();
        if let Some(typ) = typ {
            minter = minter.with_typ(typ);
        }
        let token = minter.sign(claims.to_string().as_bytes()).unwrap();
        let verified = verifier.gate("tools").unwrap().verify(&token);
        let verified = verified.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            verified.scopes().collect::<Vec<_>>(),
            ["files.read", "email"]
        );
        assert_eq!(verified.client_id(), Some("agent"), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}
