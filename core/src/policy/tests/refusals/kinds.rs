//! Of kinds of tokens: which a gate takes, and that no two can be taken for one another.

use super::super::{load, with};
use super::{gate, issuer, loads, refuses};

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
fn somebody_remembers_the_tokens_that_work_once() {
    let of = |preset: &str, kind: &str| {
        let profiles = format!("profiles = [\"access_token\", \"{kind}\"]");
        let gate =
            format!("[gates.once]\nprofile = \"{kind}\"\naudience = \"x\"\nissuers = [\"corp\"]\n");
        format!("preset = \"{preset}\"\n{}{gate}", issuer(&profiles))
    };
    for (kind, once) in [
        ("logout_token", false), // whoever applies it does
        ("client_assertion", true),
        ("id_jag", true),
        ("set", false),
        ("jwt_bearer_grant", true),
        ("id_token", false),
        ("txn_token", false),
    ] {
        let told = format!(
            "gates.once.profile: nobody remembers jti: a stolen {kind} opens again until it expires"
        );
        let refused = load(&of("agent_strict", kind)).map(drop).err();
        let refused = refused.map(|problems| problems[0].to_string());
        let expected = format!("{told}. Who remembers them? Write a store under [replay]");
        assert_eq!(refused, once.then_some(expected), "{kind}");
        let policy = load(&of("rfc", kind)).unwrap();
        let shown: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
        let expected: &[String] = if once { &[told] } else { &[] };
        assert_eq!(shown, expected, "{kind}");
    }
}

const URL: &str = "https://a.example";
const REMEMBERED: &str = "[replay]\nstore = \"process\"\n";
const HOST: &str = "[replay]\nstore = \"local\"\n[stores.local]\nkind = \"file\"\npath = \"/x\"\n";

#[test]
fn who_remembers_what_is_good_once() {
    let of = |kind: &str, more: &str| of_kind(kind, URL, "audience = \"x\"") + more;
    let reach = "replay.store: reaches one process; N workers accept a proof N times";
    loads(&of("id_jag", REMEMBERED), &[reach]);
    loads(&of("client_assertion", REMEMBERED), &[reach]);
    let external = "[replay]\nstore = \"external\"\n";
    let other = "replay.store: the program must remember used proofs: prepare, then commit";
    let unused = "replay: no proof is taken, so none is remembered";
    let forgotten = "gates.tools.profile: nobody remembers jti: a stolen id_jag opens again until it \
                     expires";
    // Whoever shares them between processes counts on their being asked about.
    let problems = load(&of("id_jag", external)).map(drop).unwrap_err();
    let refused = format!(
        "{forgotten}. \"external\" remembers proofs, not tokens: write \"process\" or a store of \
         [stores] as replay.store"
    );
    assert!(problems.iter().any(|told| told.to_string() == refused));
    let rfc = format!("preset = \"rfc\"\n{}", of("id_jag", external));
    loads(&rfc, &[forgotten, unused, other]);
}

/// What the table of a host would forget is never taken, under no preset.
#[test]
fn what_a_host_remembers_is_short_enough() {
    let of = |kind: &str, preset: &str, lifetime: &str| {
        let document = of_kind(kind, URL, "audience = \"x\"") + HOST;
        let lifetime = format!("{lifetime}\nprofiles = ");
        format!("preset = \"{preset}\"\n") + &document.replace("profiles = ", &lifetime)
    };
    let refused = |document: &str| {
        let problems = load(document).map(drop).err()?;
        assert_eq!(problems.len(), 1);
        Some(problems[0].to_string())
    };
    let told = |at: &str, most: &str| {
        Some(format!(
            "gates.tools.{at}: a store of kind \"file\" remembers 15 minutes, and tokens of \
             issuers.corp can come for longer: write max_lifetime = \"{most}\" there at most, or \
             another store as replay.store"
        ))
    };
    let long = told("profile", "14m");
    for (preset, lifetime, refusal) in [
        ("agent_strict", "", None),
        ("agent_strict", "max_lifetime = \"15m\"", None), // five, for its kind
        ("rfc", "max_lifetime = \"14m\"", None),
        ("rfc", "max_lifetime = \"15m\"", long.clone()),
        ("rfc", "", long),
    ] {
        let told = refused(&of("id_jag", preset, lifetime));
        assert_eq!(told, refusal, "{preset} {lifetime}");
    }
    let lenient = format!(
        "leeway = \"300s\"\n{}",
        of("actor_proof", "agent_strict", "")
    );
    let lenient = lenient.replace("audience = \"x\"\n", "");
    assert_eq!(refused(&lenient), told("profile", "5m"));
    // One that need not say when it was issued.
    let undated = |lifetime: &str| refused(&of("client_assertion", "rfc", lifetime));
    assert_eq!(undated("max_lifetime = \"301s\""), told("profile", "5m"));
    assert_eq!(undated("max_lifetime = \"5m\""), None);
    // A transaction lasts as long as its tokens can be replaced.
    let once = |preset: &str, lifetime: &str| {
        of("txn_token", preset, lifetime).replace(
            "audience = \"x\"",
            "audience = \"x\"\ntransactions = { use = \"once\" }",
        )
    };
    let long = told("transactions.use", "93s");
    assert_eq!(refused(&once("agent_strict", "")), long);
    assert_eq!(refused(&once("rfc", "max_lifetime = \"94s\"")), long);
    assert_eq!(refused(&once("rfc", "max_lifetime = \"93s\"")), None);
    let unbounded = "gates.tools.transactions.use: for how long? Its tokens can be replaced as long as \
                     they live: write issuers.corp.max_lifetime";
    assert_eq!(refused(&once("rfc", "")).as_deref(), Some(unbounded));
}

#[test]
fn transactions_are_asked_how_they_came() {
    let of = |table: &str, more: &str| {
        of_kind(
            "txn_token",
            URL,
            &format!("audience = \"td\"\ntransactions = {{ {table} }}"),
        ) + more
    };
    let table = |members: &str| of(members, "");
    loads(
        &table("workload = \"w\", min_assurance = \"low\", max_hops = 3"),
        &[],
    );
    for (members, text) in [
        (
            "min_assurance = \"highs\"",
            "gates.tools.transactions.min_assurance: no level of assurance_levels. Did you mean \"high\"?",
        ),
        (
            "assurance_levels = [\"a\", \"a\"]",
            "gates.tools.transactions.assurance_levels[1]: \"a\" is written twice",
        ),
        (
            "use = \"once\"",
            "gates.tools.transactions.use: Who remembers them? Write a store under [replay]",
        ),
        (
            "max_hops = 0",
            "gates.tools.transactions.max_hops: at least 1",
        ),
    ] {
        let problems = load(&table(members)).map(drop).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(text)), "{told:?}");
    }
    let external = load(&of("use = \"once\"", "[replay]\nstore = \"external\"\n")).map(drop);
    assert!(
        external.unwrap_err()[0]
            .text
            .starts_with("\"external\" remembers proofs, not tokens")
    );
    let elsewhere = of_kind("id_token", URL, "audience = \"x\"\ntransactions = {}");
    let problems = load(&elsewhere).map(drop).unwrap_err();
    assert_eq!(problems[0].text, "only for profile = \"txn_token\"");
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
        let document = of_kind(kind, issuer, members) + REMEMBERED;
        let problems = load(&document).map(drop).unwrap_err();
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
        let document = of_kind(kind, issuer, "") + REMEMBERED;
        assert!(load(&document).is_ok(), "{kind}");
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
        let document = of_kind(kind, url, "audience = \"x\"") + REMEMBERED;
        assert!(load(&document).is_ok(), "{kind}");
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
            "[gates.other]\nprofile = \"{other}\"\naudience = \"x\"\nissuers = [\"corp\"]\n{REMEMBERED}"
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

#[test]
fn refusal_25_inputs_are_gates_whose_tokens_tell_of_events() {
    let inputs = |inputs: &str| {
        let sessions = "[gates.sessions]\nprofile = \"logout_token\"\naudience = \"web\"\nissuers = [\"corp\"]\n";
        let document = issuer("profiles = [\"access_token\", \"logout_token\"]");
        format!("{document}{sessions}[revocation]\n{inputs}\n")
    };
    let warnings = ["revocation.store: reaches one process; N workers must be told N times"];
    loads(
        &inputs("store = \"process\"\ninputs = [\"sessions\"]"),
        &warnings,
    );
    loads(&inputs("store = \"process\"\ninputs = []"), &warnings);
    refuses(
        &inputs(
            "store = \"process\"\ninputs = [\"tools\", \"session\", \"sessions\", \"sessions\"]",
        ),
        &[
            "18:11 revocation.inputs[0]: gate tools takes tokens of profile access_token, and only a \
             logout_token or a set tells of what ends",
            "18:20 revocation.inputs[1]: no [gates.session]. Did you mean \"sessions\"?",
            "18:43 revocation.inputs[3]: \"sessions\" is written twice",
        ],
    );
    refuses(
        &inputs("store = \"off\"\ninputs = [\"sessions\"]"),
        &["18:10 revocation.inputs: store is \"off\": what they tell would be forgotten unread"],
    );
}

#[test]
fn status_lists_are_of_issuers_that_sign_them_and_come_from_hosts() {
    let lists = |profiles: &str, lists: &str| {
        let document = issuer(&format!("profiles = [{profiles}]"));
        format!("{document}[revocation]\nstore = \"process\"\n[revocation.status_lists]\n{lists}\n")
    };
    let both = "\"access_token\", \"status_list_token\"";
    let warnings = ["revocation.store: reaches one process; N workers must be told N times"];
    loads(&lists(both, ""), &warnings);
    loads(
        &lists(
            both,
            "allow_hosts = [\"status.example.com\"]\nmax_age = \"1h\"",
        ),
        &warnings,
    );
    refuses(
        &lists("\"access_token\"", ""),
        &[
            "14:1 revocation.status_lists: no issuer has status_list_token in its profiles, so no list \
           could be trusted",
        ],
    );
    refuses(
        &lists(both, "allow_hosts = []\nmax_age = \"0s\""),
        &[
            "15:15 revocation.status_lists.allow_hosts: empty: nothing could be fetched",
            "16:11 revocation.status_lists.max_age: \"0s\" refuses every list",
        ],
    );
    let Err(problems) = load(&lists(
        both,
        "allow_hosts = [\"https://status.example.com\"]",
    )) else {
        panic!("it loads")
    };
    assert_eq!(problems[0].path, "revocation.status_lists.allow_hosts[0]");
}
