//! One test a loader refusal (user experience 2.3): its text at its place, and a near miss that
//! loads.

use super::super::{Format, LoadOptions};
use super::{MINIMAL, load, load_as, with};

/// Asserts that a document is refused for exactly these reasons, as `line:column path: text`.
#[track_caller]
pub(super) fn refuses(document: &str, expected: &[&str]) {
    refuses_as(document, Format::Toml, &LoadOptions::new(), expected);
}

#[track_caller]
pub(super) fn refuses_as(document: &str, format: Format, options: &LoadOptions, expected: &[&str]) {
    let Err(problems) = load_as(document, format, options) else {
        panic!("it loads")
    };
    let shown: Vec<String> = problems
        .iter()
        .map(|p| format!("{}:{} {p}", p.line, p.column))
        .collect();
    assert_eq!(shown, expected);
}

/// Asserts that it loads and warns of exactly this.
#[track_caller]
pub(super) fn loads(document: &str, warnings: &[&str]) {
    let policy = load(document).unwrap();
    let shown: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(shown, warnings);
}

/// The minimal document with further lines in its last table, `[gates.tools]`.
pub(super) fn gate(lines: &str) -> String {
    format!("{MINIMAL}{lines}\n")
}

/// The minimal document with further lines in `[issuers.corp]`.
pub(super) fn issuer(lines: &str) -> String {
    with("[gates.tools]", &format!("{lines}\n[gates.tools]"))
}

/// The line of [`MINIMAL`] with its keys.
pub(super) const JWKS: &str = "jwks = { keys = [{ kty = \"EC\", crv = \"P-256\", kid = \"k1\", x = \"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\", y = \"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\" }] }";

#[test]
fn refusal_1_unknown_members_with_the_nearest_name() {
    refuses(
        &gate("audiance = \"x\"\nzzz = 1"),
        &[
            "11:1 gates.tools.audiance: unknown member. Did you mean \"audience\"?",
            "12:1 gates.tools.zzz: unknown member",
        ],
    );
    refuses(
        &format!("gate = 1\n{MINIMAL}"),
        &["1:1 gate: unknown member. Did you mean \"gates\"?"],
    );
    refuses(
        &gate("[gates.tools.claim_names]\n"),
        &["11:14 gates.tools.claim_names: unknown member"],
    );
    loads(&gate("[annotations]\naudiance = { anything = [1] }"), &[]);
}

#[test]
fn refusal_2_members_written_twice() {
    refuses(
        &gate("issuers = [\"corp\"]"),
        &["11:1 gates.tools.issuers: written twice (lines 10 and 11)"],
    );
    refuses_as(
        "{\"version\": 1, \"version\": 1,\n\"gates\": {}, \"issuers\": {}}",
        Format::Json,
        &LoadOptions::new(),
        &[
            "1:16 version: written twice (line 1, columns 2 and 16)",
            "2:10 gates: empty",
            "2:25 issuers: empty",
        ],
    );
}

#[test]
fn refusal_3_another_version() {
    refuses(
        &with("version = 1\n", ""),
        &["1:1 version: this sealgate reads version 1"],
    );
    refuses(
        &with("version = 1", "version = 2"),
        &["2:11 version: this sealgate reads version 1"],
    );
    refuses(
        &with("version = 1", "version = \"1\""),
        &["2:11 version: this sealgate reads version 1. Write 1 without quotes"],
    );
}

#[test]
fn refusal_4_bare_numbers() {
    refuses(
        &with(
            "version = 1",
            "version = 1\nleeway = 30\ncache.tokens = '1KiB'\nlimits.max_token_size = 16384",
        ),
        &[
            "3:10 leeway: 30 has no unit. Write \"30s\"",
            "4:16 cache.tokens: a string where a whole number belongs",
            "5:25 limits.max_token_size: 16384 has no unit. Write \"16KiB\"",
        ],
    );
    refuses(
        &gate("max_age = '-5m'"),
        &["11:11 gates.tools.max_age: \"-5m\" is negative. Write \"30s\""],
    );
    loads(
        &with(
            "version = 1",
            "version = 1\nleeway = '30s'\ncache.tokens = 0\nlimits.max_token_size = '16KiB'",
        ),
        &[],
    );
}

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
    loads(
        &assertion,
        &[
            "gates.tools.profile: nobody remembers jti: a stolen client_assertion opens again until \
           it expires",
        ],
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
fn refusal_13_no_row_or_two_rows() {
    refuses(
        &with("profile = \"access_token\"", "profile = \"logout_token\""),
        &[
            "7:1 gates.tools: issuers.corp.profiles has no logout_token. Write profiles = \
             [\"access_token\", \"logout_token\"]",
        ],
    );
    refuses(
        &issuer("profiles = [\"access_token\", \"access_token_untyped\"]"),
        &[
            "8:1 gates.tools: issuers.corp.profiles has access_token and access_token_untyped: one \
           issuer signs access_token in one way. Keep one",
        ],
    );
    loads(
        &issuer("profiles = [\"access_token\", \"logout_token\"]"),
        &[],
    );
}

#[test]
fn refusal_14_kinds_that_cannot_be_told_apart() {
    let two = |profiles: &str, kind: &str, audience: &str| {
        format!(
            "{}[gates.login]\nprofile = \"{kind}\"\naudience = [\"x\", \"{audience}\"]\nissuers = [\"corp\"]\n",
            issuer(&format!("profiles = {profiles}"))
        )
    };
    let api = "https://api.example.com/mcp";
    refuses(
        &two("[\"access_token_untyped\", \"id_token\"]", "id_token", api),
        &[
            "12:1 gates.login: an id_token and an access_token_untyped (gates.tools) of corp for \
           \"https://api.example.com/mcp\" cannot be told apart",
        ],
    );
    refuses(
        &two("[\"access_token\", \"jwt_custom\"]", "jwt_custom", api),
        &[
            "12:1 gates.login: a jwt_custom and an access_token (gates.tools) of corp for \
           \"https://api.example.com/mcp\" cannot be told apart",
        ],
    );
    loads(
        &two(
            "[\"access_token_untyped\", \"id_token\"]",
            "id_token",
            "web",
        ),
        &[],
    );
    loads(
        &two("[\"access_token\", \"id_token\"]", "id_token", api),
        &[],
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
fn what_is_written_in_the_wrong_way_says_how() {
    refuses(
        &gate("delegation = \"surfce\""),
        &["11:14 gates.tools.delegation: no [delegation.surfce]. Did you mean \"surface\"?"],
    );
    refuses(
        &gate("max_age = 2027-01-15"),
        &[
            "11:11 gates.tools.max_age: TOML dates are not durations, nor anything else here. Write \
             a string, as \"30s\"",
        ],
    );
    refuses(
        &gate("max_age = \"1.5m\""),
        &["11:11 gates.tools.max_age: \"1.5m\" is not a whole number. Write \"90s\""],
    );
    refuses(
        &with(
            "profile = \"access_token\"",
            "profile = \"access_token_untyped\"",
        ),
        &[
            "8:11 gates.tools.profile: \"access_token_untyped\" is one way to write access tokens. \
             Write profile = \"access_token\", and \"access_token_untyped\" in the issuer's profiles",
        ],
    );
    // What an unknown member was meant to be is not missed as well.
    refuses(
        &with("audience =", "audiance ="),
        &["9:1 gates.tools.audiance: unknown member. Did you mean \"audience\"?"],
    );
    refuses(
        &gate("[stores.fleet]\n[tables]"),
        &[
            "11:2 stores: not available in this version yet. Write jwks_push = \"process\", and \
             publish to every process",
            "12:2 tables: not available in this version yet",
        ],
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
fn members_and_values_that_have_not_landed() {
    refuses(
        &with(JWKS, "jwks_push = \"fleet\""),
        &[
            "6:13 issuers.corp.jwks_push: \"fleet\" would name a store: not available in this \
           version yet. Write \"process\"",
        ],
    );
    loads(&gate("delegation = \"surface\""), &[]);
    loads(
        &gate("sender_constrained = \"external\""),
        &["gates.tools.sender_constrained: somebody else must check the proof"],
    );
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
    // The audience is then the resource that clients are told of.
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
            "9:13 gates.tools.audience[0]: is the RFC 9728 resource, since there is a public_url: \
             it {problem}"
        );
        refuses(&public(audience), &[&text]);
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
fn refusal_22_ceilings() {
    let top = |line: &str| with("version = 1", &format!("version = 1\n{line}"));
    refuses(&top("leeway = '301s'"), &["3:10 leeway: at most \"300s\""]);
    loads(&top("leeway = '5m'"), &[]);
    refuses(
        &top(
            "limits = { max_token_size = '65KiB', max_json_depth = 257, max_string_size = '0KiB' }",
        ),
        &[
            "3:29 limits.max_token_size: at most \"64KiB\"",
            "3:55 limits.max_json_depth: at most 256",
            "3:78 limits.max_string_size: at least \"1KiB\"",
        ],
    );
    loads(
        &top("limits = { max_token_size = '64KiB', max_json_depth = 256 }"),
        &[],
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

#[test]
fn refusal_26_danger() {
    let danger = format!("{MINIMAL}[danger]\n");
    refuses(
        &danger,
        &["11:1 danger: this document asks for less safety than the program allows"],
    );
    load_as(
        &danger,
        Format::Toml,
        &LoadOptions::new().allow_danger(true),
    )
    .unwrap();
}

#[test]
fn refusal_27_documents_that_cannot_be_read() {
    refuses(
        &format!("\u{feff}{MINIMAL}"),
        &["1:1 begins with a byte order mark. Save it as UTF-8 without"],
    );
    refuses_as(
        MINIMAL,
        Format::Json,
        &LoadOptions::new(),
        &["2:1 not JSON: a value belongs here"],
    );
}

#[test]
fn names_are_safe_as_labels() {
    for name in ["Corp", "1corp", "a.b", "", &"a".repeat(33)] {
        let problems = load(&gate(&format!(
            "[issuers.{name:?}]\nissuer = \"https://b.example\"\njwks_push = \"process\""
        )))
        .unwrap_err();
        assert!(
            problems[0].text.contains("is not a name"),
            "{name:?}: {problems:?}"
        );
    }
}

#[test]
fn jwt_custom_rules_are_its_own() {
    refuses(
        &gate("typ = \"x+jwt\"\nrequired_claims = [\"tenant\"]"),
        &[
            "11:7 gates.tools.typ: only for capability, intent_token, jwt_custom; every other kind has \
             its own",
            "12:19 gates.tools.required_claims: only for profile = \"jwt_custom\"; every other \
             kind has its own",
        ],
    );
    let custom = |typ: &str| {
        gate(&format!("typ = \"{typ}\"\nrequired_claims = [\"tenant\"]"))
            .replace("profile = \"access_token\"", "profile = \"jwt_custom\"")
            .replace("issuer = ", "profiles = [\"jwt_custom\"]\nissuer = ")
    };
    let policy = load(&custom("application/Mine+JWT")).unwrap();
    assert_eq!(policy.rules().gates[0].typ.as_deref(), Some("mine+jwt"));
    for (typ, text) in [
        (
            "at+jwt",
            "\"at+jwt\" is the typ of access_token. Write profile = \"access_token\"",
        ),
        ("JWT", "\"JWT\" is what an absent typ accepts. Leave it out"),
        (
            "dpop+jwt",
            "\"dpop+jwt\" is the typ of tokens with rules of their own",
        ),
        ("a b", "\"a b\" is not a media type"),
    ] {
        refuses(&custom(typ), &[&format!("12:7 gates.tools.typ: {text}")]);
    }
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

#[test]
fn warnings_are_about_tokens_that_should_work_once() {
    let of = |kind: &str| {
        issuer(&format!("profiles = [\"access_token\", \"{kind}\"]"))
            + &format!(
                "[gates.once]\nprofile = \"{kind}\"\naudience = \"x\"\nissuers = [\"corp\"]\n"
            )
    };
    for (kind, warns) in [
        ("logout_token", true),
        ("client_assertion", true),
        ("id_jag", true),
        ("set", true),
        ("jwt_bearer_grant", false),
        ("id_token", false),
        ("txn_token", false),
    ] {
        let policy = load(&of(kind)).unwrap();
        let shown: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
        let text = format!(
            "gates.once.profile: nobody remembers jti: a stolen {kind} opens again until it expires"
        );
        let expected: &[String] = if warns { &[text] } else { &[] };
        assert_eq!(shown, expected, "{kind}");
    }
}

/// An issuer of one kind and a gate for it, with these members.
fn of_kind(kind: &str, issuer: &str, members: &str) -> String {
    with("https://login.example.com", issuer)
        .replace("issuer = ", &format!("profiles = [\"{kind}\"]\nissuer = "))
        .replace(
            "profile = \"access_token\"",
            &format!("profile = \"{kind}\""),
        )
        .replace(
            "audience = \"https://api.example.com/mcp\"\n",
            &format!("{members}\n"),
        )
}

#[test]
fn refusal_12_a_gate_has_an_audience_where_its_tokens_have_one() {
    let refused = |kind: &str, issuer: &str, members: &str| {
        let problems = load(&of_kind(kind, issuer, members)).map(drop).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let url = "https://a.example";
    for (kind, issuer) in [
        ("wit", "wimse://td.example"),
        ("client_attestation", url),
        ("actor_proof", url),
        ("status_list_token", url),
        ("agent_card", "weather-agent"),
    ] {
        assert!(load(&of_kind(kind, issuer, "")).is_ok(), "{kind}");
        let problems = refused(kind, issuer, "audience = \"x\"");
        let text = "is for nobody in particular. Leave it out";
        assert!(
            problems[0].starts_with("gates.tools.audience: a"),
            "{problems:?}"
        );
        assert!(problems[0].ends_with(text), "{problems:?}");
    }
    for kind in [
        "capability",
        "id_jag",
        "set",
        "txn_token",
        "introspection_response",
    ] {
        assert!(
            load(&of_kind(kind, url, "audience = \"x\"")).is_ok(),
            "{kind}"
        );
    }
    assert!(load(&of_kind("capability", url, "")).is_ok());
    for kind in ["id_jag", "set", "txn_token", "introspection_response"] {
        let problems = refused(kind, url, "");
        assert!(
            problems[0].starts_with("gates.tools: no audience. "),
            "{problems:?}"
        );
    }
    // TXT-03.
    assert_eq!(
        refused(
            "txn_token",
            "https://tts.example",
            "audience = [\"a.example\", \"b.example\"]"
        ),
        ["gates.tools.audience[1]: one gate is for one trust domain. Write a gate for each"]
    );
    // IJ-07.
    assert_eq!(
        refused("id_jag", url, "audience = \"https://a.example\""),
        ["gates.tools.audience: is issuers.corp itself: an issuer does not redeem its own id_jag"]
    );
}

#[test]
fn a_card_does_not_say_whose_it_is() {
    let one = of_kind("agent_card", "weather-agent", "");
    let second = one.replace("[\"corp\"]", "[\"corp\", \"second\"]")
        + "[issuers.second]\nissuer = \"second\"\nprofiles = [\"agent_card\"]\njwks_push = \"process\"\n";
    let problems = load(&second).map(drop).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "gates.tools.issuers: an agent_card does not say who signed it. Write a gate for each issuer"
    );
}

#[test]
fn typ_is_the_gates_to_name_where_nothing_is_registered() {
    let typed =
        |kind: &str, typ: &str| of_kind(kind, "https://a.example", &format!("typ = \"{typ}\""));
    let problem = |document: &str| load(document).map(drop).unwrap_err()[0].to_string();
    let policy = load(&typed("intent_token", "Intent+JWT")).unwrap();
    assert_eq!(policy.rules().gates[0].typ.as_deref(), Some("intent+jwt"));
    assert!(load(&typed("capability", "aat+jwt")).is_ok());
    assert_eq!(
        problem(&of_kind("intent_token", "https://a.example", "")),
        "gates.tools: no typ. Nothing is registered for an intent_token: write the one its issuers \
         use"
    );
    assert_eq!(
        problem(&typed("intent_token", "JWT")),
        "gates.tools.typ: \"JWT\" tells no kind. Write one that nothing else has"
    );
    assert_eq!(
        problem(&typed("intent_token", "aat+jwt")),
        "gates.tools.typ: \"aat+jwt\" is the typ of capability. Write profile = \"capability\""
    );
    assert_eq!(
        problem(&typed("capability", "wpt+jwt")),
        "gates.tools.typ: \"wpt+jwt\" is the typ of tokens with rules of their own"
    );
}

#[test]
fn workloads_are_of_a_trust_domain() {
    assert!(load(&of_kind("wit", "spiffe://td.example", "")).is_ok());
    for issuer in [
        "https://td.example",
        "wimse://td.example/a",
        "wimse://TD",
        "td.example",
    ] {
        let problems = load(&of_kind("wit", issuer, "")).map(drop).unwrap_err();
        let text = problems[0].to_string();
        assert!(
            text.contains("an issuer of wit is a trust domain"),
            "{text}"
        );
    }
    let mixed = of_kind("wit", "https://a.example", "").replace(
        "profiles = [\"wit\"]",
        "profiles = [\"wit\", \"access_token\"]",
    );
    let problems = load(&mixed).map(drop).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "issuers.corp.issuer: wit needs a trust domain among them, as \"spiffe://td.example\""
    );
}

#[test]
fn proofs_of_another_tokens_key_are_not_there_yet() {
    for kind in ["client_attestation_pop", "wpt", "capability_pop"] {
        let problems = load(&of_kind(kind, "https://a.example", ""))
            .map(drop)
            .unwrap_err();
        let text = format!("\"{kind}\": not available in this version yet");
        assert!(
            problems
                .iter()
                .all(|problem| problem.text.starts_with(&text)),
            "{problems:?}"
        );
        assert_eq!(problems.len(), 2);
    }
}

/// Two untyped kinds of one issuer for one audience, where one must have what the other must not.
#[test]
fn refusal_14_spares_kinds_that_claims_tell_apart() {
    let both = |one: &str, other: &str| {
        of_kind(one, "https://a.example", "audience = \"x\"").replace(
            &format!("[\"{one}\"]"),
            &format!("[\"{one}\", \"{other}\"]"),
        ) + &format!(
            "[gates.other]\nprofile = \"{other}\"\naudience = \"x\"\nissuers = [\"corp\"]\n"
        )
    };
    // `events` is what a logout token must have, and an ID token must not.
    assert!(load(&both("id_token", "logout_token")).is_ok());
    assert!(load(&both("id_token", "capability")).is_ok()); // `sub`
    for (one, other) in [
        ("id_token", "jwt_bearer_grant"),
        ("capability", "jwt_custom"),
    ] {
        let problems = load(&both(one, other)).map(drop).unwrap_err();
        assert!(
            problems[0].text.ends_with("cannot be told apart"),
            "{problems:?}"
        );
    }
}
