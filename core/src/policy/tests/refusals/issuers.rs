//! Of issuers: who they are, their algorithms and their claims.

use super::super::{load, load_as, with};
use super::{JWKS, gate, issuer, loads, refuses, refuses_as};
use crate::policy::{Format, LoadOptions};

#[test]
fn refusal_6_one_issuer_in_two_tables() {
    let second = "[issuers.b]\nissuer = [\"https://b.example\", \"https://login.example.com\"]\njwks_push = \"process\"";
    refuses(
        &gate(second),
        &["12:32 issuers.b.issuer[1]: already issuers.corp"],
    );
    // The slash is part of it.
    loads(
        &gate(&second.replace("login.example.com", "login.example.com/")),
        &[
            "issuers.b: no gate takes its tokens",
            "issuers.b.jwks_push: reaches one process; every other worker needs its own publish",
        ],
    );
}

#[test]
fn refusal_7_issuers_that_are_not_https() {
    let named = |issuer: &str| with("https://login.example.com", issuer);
    for (issuer, text) in [
        (
            "http://login.example.com",
            "must be https. Write \"https://login.example.com\"",
        ),
        (
            "login.example.com",
            "must be https. Write \"https://login.example.com\"",
        ),
        (
            "https://b\u{fc}cher.example",
            "must have its host in ASCII, as \"xn--bcher-kva.example\"",
        ),
        ("https://login.example.com?x=1", "must have no query"),
        ("https://login.example.com#x", "must have no fragment"),
        (
            "https://me@login.example.com",
            "must have no user information",
        ),
        ("spiffe://td.example", "must be https"),
        (
            "http://localhost:9000",
            "must be https; http on this machine needs http_loopback_issuers under [danger]",
        ),
    ] {
        refuses(
            &named(issuer),
            &[&format!("4:10 issuers.corp.issuer: {text}")],
        );
    }
    loads(&named("https://login.example.com:8443/realms/a"), &[]);
    let danger = format!(
        "{}[danger]\nhttp_loopback_issuers = true\n",
        named("http://localhost:9000")
    );
    let allowed = LoadOptions::new().allow_danger(true);
    load_as(&danger, Format::Toml, &allowed).unwrap();
    refuses_as(
        &danger.replace("localhost", "login"),
        Format::Toml,
        &allowed,
        &["4:10 issuers.corp.issuer: must be https. Write \"https://login:9000\""],
    );
}

#[test]
fn refusal_7_follows_the_profile() {
    let svid = |issuer: &str| {
        with("https://login.example.com", issuer)
            .replace("issuer = ", "profiles = [\"jwt_svid\"]\nissuer = ")
            .replace("access_token", "jwt_svid")
    };
    loads(&svid("spiffe://td.example"), &[]);
    refuses(
        &svid("https://td.example"),
        &[
            "5:10 issuers.corp.issuer: \"https://td.example\": an issuer of jwt_svid is a trust \
           domain. Write \"spiffe://td.example\"",
        ],
    );
    // RFC 7523: the `iss` of a client assertion is its client id.
    let assertion = svid("s6BhdRkqt3").replace("jwt_svid", "client_assertion");
    let assertion = assertion + "[replay]\nstore = \"process\"\n";
    loads(
        &assertion,
        &["replay.store: reaches one process; N workers accept a proof N times"],
    );
    refuses(
        &assertion.replace("s6BhdRkqt3", "http://client.example"),
        &["5:10 issuers.corp.issuer: must be https. Write \"https://client.example\""],
    );
}

#[test]
fn refusal_8_algorithms() {
    let listed = |list: &str| with("[\"ES256\"]", list);
    for (list, column, path, text) in [
        ("[]", 14, "", "empty: name at least one"),
        (
            "[\"ES256\", \"ESP256\"]",
            24,
            "[1]",
            "\"ESP256\" is a COSE name. Write \"ES256\"",
        ),
        (
            "[\"NONE\"]",
            15,
            "[0]",
            "\"NONE\" is no signature, and there is no switch for it",
        ),
        (
            "[\"es256\"]",
            15,
            "[0]",
            "\"es256\" is unknown. Did you mean \"ES256\"?",
        ),
        (
            "[\"ES256\", \"ES256\"]",
            24,
            "[1]",
            "\"ES256\" is written twice",
        ),
        (
            "[\"EdDSA\"]",
            15,
            "[0]",
            "\"EdDSA\" names no curve. Write \"Ed25519\"; legacy_eddsa says whether tokens may \
             say EdDSA",
        ),
    ] {
        refuses(
            &listed(list),
            &[&format!("5:{column} issuers.corp.algorithms{path}: {text}")],
        );
    }
    loads(&listed("[\"ES256\", \"RS256\"]"), &[]);
}

#[test]
fn refusal_8_algorithms_follow_the_profiles() {
    let listed = |list: &str| {
        with(
            "[\"ES256\"]",
            &format!("{list}\nprofiles = [\"access_token\", \"jwt_svid\"]"),
        )
        .replace(
            "\"https://login.example.com\"",
            "[\"https://a.example\", \"spiffe://a.example\"]",
        )
    };
    loads(&listed("[\"ES256\", \"Ed25519\"]"), &[]);
    let set = JWKS.replace(
        "kty = \"EC\", crv = \"P-256\"",
        "kty = \"OKP\", crv = \"Ed25519\"",
    );
    let problems = load(&listed("[\"Ed25519\"]").replace(JWKS, &set)).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "issuers.corp.algorithms: none of them is for jwt_svid"
    );
}

#[test]
fn refusal_8_hmac_beside_public_keys() {
    refuses(
        &with("[\"ES256\"]", "[\"ES256\", \"HS256\"]"),
        &[
            "5:14 issuers.corp.algorithms: HS256 beside ES256: whoever has the public key could \
             sign. Write two issuers, or drop one",
            "5:24 issuers.corp.algorithms[1]: HS256 is not for access_token",
            "6:18 issuers.corp.jwks.keys[0]: a public key, and algorithms has HS*",
        ],
    );
    let custom = with("[\"ES256\"]", "[\"HS256\"]\nprofiles = [\"jwt_custom\"]")
        .replace("profile = \"access_token\"", "profile = \"jwt_custom\"");
    refuses(
        &custom,
        &["7:18 issuers.corp.jwks.keys[0]: a public key, and algorithms has HS*"],
    );
    loads(
        &custom.replace(JWKS, "jwks_push = \"process\""),
        &["issuers.corp.jwks_push: reaches one process; every other worker needs its own publish"],
    );
    refuses(
        &custom
            .replace("[\"jwt_custom\"]", "[\"jwt_custom\", \"logout_token\"]")
            .replace(JWKS, "jwks_push = \"process\""),
        &["5:14 issuers.corp.algorithms: HS256 is not for logout_token"],
    );
}

#[test]
fn claim_names_are_not_those_of_other_claims() {
    let named = |names: &str| issuer(&format!("claim_names = {{ {names} }}"));
    for (names, problem) in [
        (
            "client_id = \"sub\"",
            "client_id: \"sub\" is a registered claim with a meaning of its own",
        ),
        (
            "scope = \"azp\"",
            "scope: \"azp\" is a registered claim with a meaning of its own",
        ),
        (
            "scope = \"scope\"",
            "scope: \"scope\" is its own name. Leave it out",
        ),
        ("scope = \"\"", "scope: \"\" is not a claim"),
    ] {
        let column = 19 + names.find('=').unwrap();
        let problem = format!("7:{column} issuers.corp.claim_names.{problem}");
        refuses(&named(names), &[&problem]);
    }
    loads(&named("scope = \"scp\", client_id = \"azp\""), &[]);
    loads(&named("client_id = \"appid\", aud = \"client_id\""), &[]);
    let id_token = named("aud = \"client_id\"")
        .replace("issuer = ", "profiles = [\"id_token\"]\nissuer = ")
        .replace("profile = \"access_token\"", "profile = \"id_token\"");
    refuses(
        &id_token,
        &[
            "8:23 issuers.corp.claim_names.aud: only for access tokens; every other kind must have \
             its aud",
        ],
    );
}

#[test]
fn warnings_are_about_lifetimes_and_slashes() {
    loads(
        &issuer("max_lifetime = '2h'"),
        &["issuers.corp.max_lifetime: \"2h\" is long for a token that cannot be called back"],
    );
    loads(&issuer("max_lifetime = '1h'"), &[]);
    refuses(
        &issuer("max_lifetime = '0s'"),
        &["7:16 issuers.corp.max_lifetime: \"0s\" refuses every token"],
    );
    loads(
        &gate(
            "[gates.slash]\nprofile = \"access_token\"\naudience = \"https://api.example.com/mcp/\"\nissuers = [\"corp\"]",
        ),
        &[
            "gates.slash.audience: \"https://api.example.com/mcp/\" and gates.tools differ by a \
           trailing slash only",
        ],
    );
}
