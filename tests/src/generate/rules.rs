//! Delegation tables (standards 30.4, Appendix A): which actor may act for whom, and how far.

use serde_json::{Value, json};

use super::act::{AS, chain};
use super::delegation::request;
use super::{File, T, with};

const OTHER: &str = "https://other.example";

pub(super) fn lines() -> String {
    let mut file = File::default();
    outermost(&mut file);
    patterns(&mut file);
    narrowed(&mut file);
    denied(&mut file);
    structure(&mut file);
    itself(&mut file);
    lifetime(&mut file);
    dialect(&mut file);
    file.lines
}

fn actor(sub: &str) -> Value {
    json!({ "iss": AS, "sub": sub })
}

fn allow(actor: Value) -> Value {
    json!({ "allow": [{ "actor": actor }] })
}

/// A request of an access token with more claims, at a gate with this table.
fn judged(claims: Value, table: Value) -> Value {
    let request = request(claims, json!({ "delegation": "agents" }));
    with(
        &request,
        json!({ "policy": { "delegation": { "agents": table } } }),
    )
}

/// The same of a token with these links, outermost first.
fn by(subs: &[&str], table: Value) -> Value {
    judged(json!({ "act": chain(subs) }), table)
}

fn shown(subs: &[&str]) -> Value {
    let links: Vec<Value> = subs.iter().map(|sub| actor(sub)).collect();
    json!({ "subject": "u1", "actor": links.first(), "chain": links })
}

fn outermost(file: &mut File) {
    let only = |sub: &str| allow(actor(sub));
    let (a, b) = ("agent-a", "agent-b");
    file.accept("d01-allowed", &by(&[a], only(a)), shown(&[a]));
    let two = by(&[b, a], only(b));
    file.accept("d02-only-the-outermost-counts", &two, shown(&[b, a]));
    file.refuse(
        "d03-an-inner-actor-grants-nothing",
        "d02-only-the-outermost-counts",
        "actor_not_allowed",
        &by(&[b, a], only(a)),
    );
    let other = by(&[b, "agent-c"], only(b));
    file.accept("d04-another-history", &other, shown(&[b, "agent-c"]));
    let foreign = json!({ "act": { "iss": OTHER, "sub": a } });
    file.refuse(
        "d05-namesake-of-another-issuer",
        "d01-allowed",
        "actor_not_allowed",
        &judged(foreign.clone(), only(a)),
    );
    let known = allow(json!({ "iss": OTHER, "sub": a }));
    file.accept(
        "d05-that-issuer",
        &judged(foreign, known.clone()),
        json!({}),
    );
    // ACT-03: an issuer that the link does not name is the token's, and no other.
    let inferred = json!({ "act": { "sub": a } });
    file.accept(
        "d06-inherited",
        &judged(inferred.clone(), only(a)),
        shown(&[a]),
    );
    file.refuse(
        "d06-never-another-issuer",
        "d06-inherited",
        "actor_not_allowed",
        &judged(inferred.clone(), known),
    );
    let explicit = json!({ "allow": [{ "actor": actor(a), "explicit_iss": true }] });
    file.accept("d06-explicit", &by(&[a], explicit.clone()), shown(&[a]));
    file.refuse(
        "d06-inherited-where-explicit",
        "d06-explicit",
        "actor_not_allowed",
        &judged(inferred, explicit),
    );
    // ACT-10: nothing but `act` names an actor.
    let required = || with(&only(a), json!({ "actor": "required" }));
    file.accept("d15-actor-required", &by(&[a], required()), shown(&[a]));
    for (id, claims) in [
        ("d15-client-id-is-no-actor", json!({ "client_id": a })),
        ("d15-azp-is-no-actor", json!({ "azp": a })),
        ("d16-may-act-is-no-actor", json!({ "may_act": actor(a) })),
    ] {
        let request = judged(claims, required());
        file.refuse(id, "d15-actor-required", "actor_missing", &request);
    }
    file.accept(
        "d15-actor-optional",
        &judged(json!({}), only(a)),
        shown(&[]),
    );
    file.refuse(
        "no-rule-at-all",
        "d01-allowed",
        "actor_not_allowed",
        &by(&[a], json!({})),
    );
}

fn patterns(file: &mut File) {
    let set = || allow(json!({ "iss": AS, "sub": ["crawler-1", "crawler-2"] }));
    file.accept("sub/one-of", &by(&["crawler-2"], set()), json!({}));
    for (number, sub) in ["crawler-3", "crawler-", "Crawler-1", "crawler-1 "]
        .into_iter()
        .enumerate()
    {
        let id = format!("sub/none-of-{number}");
        file.refuse(&id, "sub/one-of", "actor_not_allowed", &by(&[sub], set()));
    }
    let below = || allow(json!({ "iss": AS, "sub_prefix": "spiffe://td.example/agents/" }));
    let inside = "spiffe://td.example/agents/research/7";
    file.accept("sub/below", &by(&[inside], below()), shown(&[inside]));
    for (number, sub) in [
        "spiffe://td.example/agents/",
        "spiffe://td.example/agents",
        "spiffe://td.example/agents-evil/7",
        "spiffe://td.example/agents/../admin",
        "spiffe://td.example/agents/%2E%2e/admin",
        "spiffe://td.example/agents/a/./b",
        "SPIFFE://td.example/agents/7",
        "https://evil.example/?spiffe://td.example/agents/7",
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("sub/not-below-{number}");
        file.refuse(&id, "sub/below", "actor_not_allowed", &by(&[sub], below()));
    }
    let any = || allow(json!({ "iss": AS }));
    file.accept("sub/any-of-the-issuer", &by(&["x"], any()), json!({}));
    let foreign = json!({ "act": { "iss": OTHER, "sub": "x" } });
    file.refuse(
        "sub/of-another-issuer",
        "sub/any-of-the-issuer",
        "actor_not_allowed",
        &judged(foreign, any()),
    );
    let profile = || allow(json!({ "iss": AS, "sub_profile": "ai_agent" }));
    let agent =
        |profile: Value| json!({ "act": { "iss": AS, "sub": "x", "sub_profile": profile } });
    file.accept(
        "profile/fits",
        &judged(agent("ai_agent".into()), profile()),
        json!({}),
    );
    for (number, value) in [json!("service"), json!(null), json!(["ai_agent"])]
        .into_iter()
        .enumerate()
    {
        let id = format!("profile/another-{number}");
        let request = judged(agent(value), profile());
        file.refuse(&id, "profile/fits", "actor_not_allowed", &request);
    }
}

fn narrowed(file: &mut File) {
    let rule = |more: Value| {
        let rule = with(&json!({ "actor": actor("agent-a") }), more);
        json!({ "allow": [rule] })
    };
    let token = |more: Value| with(&json!({ "act": chain(&["agent-a"]) }), more);
    let code = "actor_not_allowed";

    let ours = || rule(json!({ "subject": { "iss": [OTHER, AS] } }));
    file.accept(
        "subject/of-this-issuer",
        &judged(token(json!({})), ours()),
        json!({}),
    );
    let theirs = rule(json!({ "subject": { "iss": OTHER } }));
    let request = judged(token(json!({})), theirs);
    file.refuse(
        "subject/of-another",
        "subject/of-this-issuer",
        code,
        &request,
    );
    let user = || rule(json!({ "subject": { "sub_profile": "user" } }));
    let request = judged(token(json!({ "sub_profile": "user" })), user());
    file.accept("subject/profile", &request, json!({}));
    let request = judged(token(json!({})), user());
    file.refuse("subject/no-profile", "subject/profile", code, &request);

    let (mcp, billing) = ("https://rs.example/mcp", "https://rs.example/billing");
    let gate = json!({ "policy": { "gates": { "g": { "audience": [mcp, billing] } } } });
    let for_mcp = || rule(json!({ "audience": mcp }));
    let to = |aud: &str| {
        with(
            &judged(token(json!({ "aud": aud })), for_mcp()),
            gate.clone(),
        )
    };
    file.accept("audience/of-the-rule", &to(mcp), json!({}));
    file.refuse(
        "audience/another",
        "audience/of-the-rule",
        code,
        &to(billing),
    );

    let second = json!({ "policy": { "gates": { "h": {
        "profile": "access_token", "issuers": ["as"], "audience": mcp, "delegation": "agents",
    } } } });
    let at = |gate: &str| {
        let request = judged(token(json!({})), rule(json!({ "gates": ["g"] })));
        with(&with(&request, second.clone()), json!({ "gate": gate }))
    };
    file.accept("gates/the-one-it-names", &at("g"), json!({}));
    file.refuse("gates/another", "gates/the-one-it-names", code, &at("h"));

    let within = || rule(json!({ "scopes_within": ["files.read", "files.list"] }));
    let has = |scope: &str| judged(token(json!({ "scope": scope })), within());
    file.accept("scopes/within", &has("files.list files.read"), json!({}));
    file.accept("scopes/none", &has(""), json!({}));
    for (number, scope) in [
        "files.write",
        "files.read files.write",
        "files",
        "files.read.all",
        "FILES.READ",
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("scopes/beyond-{number}");
        file.refuse(&id, "scopes/within", code, &has(scope));
    }
    // A ceiling holds what its scopes imply, and not what implies them.
    let implies = |ceiling: &str, scope: &str| {
        let request = judged(
            token(json!({ "scope": scope })),
            rule(json!({ "scopes_within": [ceiling] })),
        );
        let hierarchy = json!({ "files.write": ["files.read"] });
        with(
            &request,
            json!({ "policy": { "gates": { "g": { "scope_implies": hierarchy } } } }),
        )
    };
    let implied = implies("files.write", "files.read files.write");
    file.accept("scopes/implied", &implied, json!({}));
    let beyond = implies("files.read", "files.write");
    file.refuse(
        "scopes/implies-the-ceiling",
        "scopes/implied",
        code,
        &beyond,
    );

    // One rule as a whole, never two of them by halves.
    let halves = json!({ "allow": [
        { "actor": actor("agent-a"), "scopes_within": ["files.read"] },
        { "actor": actor("agent-b"), "scopes_within": ["admin"] },
    ] });
    let has = |scope: &str| judged(token(json!({ "scope": scope })), halves.clone());
    file.accept("rules/one-as-a-whole", &has("files.read"), json!({}));
    file.refuse(
        "rules/halves-of-two",
        "rules/one-as-a-whole",
        code,
        &has("admin"),
    );
}

fn denied(file: &mut File) {
    let table =
        |deny: Value| json!({ "allow": [{ "actor": { "iss": AS } }], "deny": [{ "actor": deny }] });
    let code = "actor_not_allowed";
    let retired = || table(json!({ "iss": AS, "sub_prefix": "spiffe://td.example/retired/" }));
    let old = "spiffe://td.example/retired/1";
    file.accept(
        "deny/nobody",
        &by(&["agent-b", "agent-a"], retired()),
        json!({}),
    );
    for (id, subs) in [
        ("deny/the-outermost", [old, "agent-a"].as_slice()),
        ("deny/an-inner-one", &["agent-b", old]),
        ("deny/the-earliest", &["agent-c", "agent-b", old]),
    ] {
        file.refuse(id, "deny/nobody", code, &by(subs, retired()));
    }
    // RFC 8693 §4.1 to the letter: inner actors are informational.
    let rfc = json!({ "policy": { "preset": "rfc" } });
    let inner = with(&by(&["agent-b", old], retired()), rfc.clone());
    file.accept("deny/rfc-leaves-inner-actors-alone", &inner, json!({}));
    let outer = with(&by(&[old, "agent-a"], retired()), rfc);
    let near = "deny/rfc-leaves-inner-actors-alone";
    file.refuse("deny/rfc-the-outermost", near, code, &outer);
    let anywhere = || table(json!({ "sub": "agent-x" }));
    let foreign = json!({ "act": { "iss": OTHER, "sub": "agent-x" } });
    let everybody = json!({ "allow": [{ "actor": { "iss": OTHER } }] });
    file.accept(
        "deny/of-no-issuer-near",
        &judged(foreign.clone(), everybody.clone()),
        json!({}),
    );
    let table = with(&everybody, json!({ "deny": anywhere()["deny"] }));
    let request = judged(foreign, table);
    file.refuse(
        "deny/of-any-issuer",
        "deny/of-no-issuer-near",
        code,
        &request,
    );
}

fn structure(file: &mut File) {
    let table = |more: Value| with(&allow(json!({ "iss": AS })), more);
    let names: Vec<String> = (0..33).map(|link| format!("agent-{link}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for depth in [1, 2, 5, 32] {
        let at = |links: usize| by(&names[..links], table(json!({ "max_depth": depth })));
        let near = format!("depth/{depth}-of-{depth}");
        file.accept(&near, &at(depth), json!({}));
        let id = format!("depth/{}-of-{depth}", depth + 1);
        file.refuse(&id, &near, "chain_too_deep", &at(depth + 1));
    }
    let apart: &[&str] = &["agent-a", "agent-b", "agent-a"];
    let twice: &[&str] = &["agent-a", "agent-a"];
    let subject: &[&str] = &["agent-a", "u1"];
    let far: &[&str] = &["agent-a", "u1", "agent-b"];
    for (setting, refused, accepted) in [
        ("deny_any", vec![apart, twice, subject, far], vec![]),
        ("deny_adjacent", vec![twice, subject], vec![apart, far]),
        ("allow", vec![], vec![apart, twice, subject, far]),
    ] {
        let looped = |subs: &[&str]| by(subs, table(json!({ "loops": setting })));
        let near = format!("d11-{setting}-straight");
        file.accept(&near, &looped(&["agent-a", "agent-b"]), json!({}));
        for subs in accepted {
            let id = format!("d11-{setting}-{}", subs.join("-"));
            file.accept(&id, &looped(subs), shown(subs));
        }
        for subs in refused {
            let id = format!("d11-{setting}-{}", subs.join("-"));
            file.refuse(&id, &near, "chain_loop", &looped(subs));
        }
    }
    let complete = |said: Value| {
        let claims = json!({ "act": chain(&["agent-a"]), "chain_complete": said });
        judged(claims, table(json!({ "require_complete": true })))
    };
    file.accept("d21-complete", &complete(true.into()), json!({}));
    let unsaid = by(&["agent-a"], table(json!({ "require_complete": true })));
    file.accept("d21-not-said", &unsaid, json!({}));
    for (number, said) in [json!(false), json!("true"), json!({})]
        .into_iter()
        .enumerate()
    {
        let id = format!("d21-incomplete-{number}");
        file.refuse(&id, "d21-complete", "chain_incomplete", &complete(said));
    }
    let open = judged(
        json!({ "act": chain(&["agent-a"]), "chain_complete": false }),
        table(json!({})),
    );
    file.accept("d21-not-required", &open, json!({}));
}

/// ACT-07: an agent that acts for itself.
fn itself(file: &mut File) {
    let table = |more: Value| with(&allow(actor("agent-a")), more);
    let own = |more: Value| by(&["u1"], table(more));
    file.accept("d13-itself", &own(json!({})), shown(&["u1"]));
    file.refuse(
        "d13-itself-rejected",
        "d13-itself",
        "chain_loop",
        &own(json!({ "self_actor": "reject" })),
    );
    // It is no delegation, so where an actor is required it needs a rule of its own.
    let required = json!({ "actor": "required" });
    let ruled = by(&["u1"], with(&allow(actor("u1")), required.clone()));
    file.accept("d13-itself-by-rule", &ruled, shown(&["u1"]));
    let near = "d13-itself-by-rule";
    file.refuse(
        "d13-itself-without-rule",
        near,
        "actor_not_allowed",
        &own(required),
    );
    let namesake = json!({ "act": { "iss": OTHER, "sub": "u1" } });
    let request = judged(namesake, table(json!({})));
    file.refuse("d13-namesake", "d13-itself", "actor_not_allowed", &request);
}

/// A delegated token lives for 15 minutes at most unless the table says otherwise.
fn lifetime(file: &mut File) {
    let lives = |seconds: i64, act: bool, table: Value| {
        let mut claims = json!({ "exp": T + seconds });
        if act {
            claims["act"] = chain(&["agent-a"]);
        }
        judged(claims, with(&allow(actor("agent-a")), table))
    };
    let code = "lifetime_too_long";
    file.accept("lifetime/900", &lives(900, true, json!({})), json!({}));
    file.refuse(
        "lifetime/901",
        "lifetime/900",
        code,
        &lives(901, true, json!({})),
    );
    file.accept(
        "lifetime/901-without-act",
        &lives(901, false, json!({})),
        json!({}),
    );
    let hour = || json!({ "max_lifetime": "2h" });
    file.accept("lifetime/longer", &lives(3600, true, hour()), json!({}));
    // The issuer's own cap stays.
    file.refuse(
        "lifetime/issuer",
        "lifetime/longer",
        code,
        &lives(3601, true, hour()),
    );
    let short = || json!({ "max_lifetime": "1m" });
    file.accept("lifetime/60", &lives(60, true, short()), json!({}));
    file.refuse(
        "lifetime/61",
        "lifetime/60",
        code,
        &lives(61, true, short()),
    );
}

/// DIA-01, DIA-02: an issuer whose `act` says for whom.
fn dialect(file: &mut File) {
    let claims = || {
        json!({ "sub": "agent-a", "sub_profile": "ai_agent",
                "act": { "sub": "u1", "sub_profile": "user" } })
    };
    let table = || {
        json!({ "allow": [{
            "actor": { "iss": AS, "sub": "agent-a" },
            "subject": { "sub_profile": "user" },
        }] })
    };
    let inverted = |claims: Value| {
        let issuer = json!({ "policy": { "issuers": { "as": { "act_meaning": "inverted" } } } });
        with(&judged(claims, table()), issuer)
    };
    let link = actor("agent-a");
    let mapped = json!({ "subject": "u1", "actor": link, "chain": [link] });
    file.accept("dia-02-inverted", &inverted(claims()), mapped);
    let near = "dia-02-inverted";
    let code = "actor_not_allowed";
    file.refuse(
        "dia-01-never-guessed",
        near,
        code,
        &judged(claims(), table()),
    );
    let nested = with(&claims(), json!({ "act": { "act": { "sub": "x" } } }));
    file.refuse("dia-02-nested", near, "actor_malformed", &inverted(nested));
    let swapped = json!({ "sub": "u1", "act": { "sub": "agent-a", "sub_profile": "user" } });
    file.refuse("dia-02-the-other-way", near, code, &inverted(swapped));
}
