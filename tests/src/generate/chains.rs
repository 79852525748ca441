//! Proven chains (standards 30.5, 30.6, Appendix A): a token together with those it comes from.
//!
//! The person `u1` uses the client `app`, which exchanges its token for one with which `agent-a`
//! acts, which exchanges that for one with which `agent-b` acts.

use serde_json::{Value, json};

use super::act::{AS, chain};
use super::{File, Kind, T, with};

pub(super) const OTHER: &str = "https://other.example";

pub(super) fn lines() -> String {
    let mut file = File::default();
    history(&mut file);
    authority(&mut file);
    details(&mut file);
    time(&mut file);
    audience(&mut file);
    splicing(&mut file);
    for profile in ["jwt_bearer_grant", "id_jag"] {
        domains(&mut file, profile);
    }
    lineage(&mut file);
    bundle(&mut file);
    file.lines
}

pub(super) fn access() -> &'static Kind {
    Kind::named("access_token")
}

/// The person's token, with more claims.
pub(super) fn root(more: Value) -> Value {
    let own = json!({ "client_id": "app", "jti": "root", "aud": "agent-a", "iat": T - 20,
                      "scope": "a b" });
    with(&with(&access().claims(), own), more)
}

/// What `agent-a` got for it.
pub(super) fn first(more: Value) -> Value {
    let own = json!({ "client_id": "agent-a", "jti": "first", "aud": "agent-b", "iat": T - 10,
                      "scope": "a b", "act": chain(&["agent-a"]) });
    with(&with(&access().claims(), own), more)
}

/// What `agent-b` got for that, and presents here.
pub(super) fn second(more: Value) -> Value {
    let own = json!({ "client_id": "agent-b", "jti": "second", "scope": "a",
                      "act": chain(&["agent-b", "agent-a"]) });
    with(&with(&access().claims(), own), more)
}

/// What `agent-a` got, for this server.
pub(super) fn here(more: Value) -> Value {
    let aud = access().claims()["aud"].clone();
    with(&first(json!({ "aud": aud, "iat": T })), more)
}

/// A request with this token, and with these access tokens that it comes from.
pub(super) fn request(leaf: &Value, further: &[Value]) -> Value {
    let further = further.iter().map(|claims| access().token(claims));
    let further: Vec<Value> = further
        .map(|token| json!({ "kind": "access_token", "token": token }))
        .collect();
    carrying(&access().token(leaf), &further)
}

pub(super) fn carrying(leaf: &str, context: &[Value]) -> Value {
    let table = json!({ "allow": [{ "actor": { "iss": AS } }], "max_lifetime": "1h" });
    let gate = json!({ "delegation": "agents", "context": { "access_token": "allowed" } });
    let policy = json!({ "delegation": { "agents": table }, "gates": { "g": gate } });
    json!({
        "op": "verify_request", "now": T, "method": "POST", "uri": "/mcp",
        "headers": [["Authorization", format!("Bearer {leaf}")]],
        "context": context, "policy": with(&access().policy(), policy),
    })
}

pub(super) fn table(request: &Value, more: Value) -> Value {
    with(
        request,
        json!({ "policy": { "delegation": { "agents": more } } }),
    )
}

fn edge(request: &Value, more: Value) -> Value {
    table(request, json!({ "edges": { "exchange": more } }))
}

pub(super) fn proven() -> Value {
    json!({ "lineage": "issuer_attested" })
}

fn history(file: &mut File) {
    let broken = "chain_link_broken";
    let two = request(&second(json!({})), &[first(json!({}))]);
    let shown: Vec<Value> = ["agent-b", "agent-a"]
        .iter()
        .map(|sub| json!({ "iss": AS, "sub": sub }))
        .collect();
    let answer = with(&proven(), json!({ "subject": "u1", "chain": shown }));
    file.accept("p06-one-actor-more", &two, answer);
    let to_root = request(&here(json!({})), &[root(json!({}))]);
    file.accept("p06-the-first-actor", &to_root, proven());
    let three = |further: &[Value]| request(&second(json!({})), further);
    let all = [root(json!({})), first(json!({}))];
    file.accept("three/in-order", &three(&all), proven());
    let turned = [first(json!({})), root(json!({}))];
    file.accept("three/in-any-order", &three(&turned), proven());
    let missing = three(&[root(json!({}))]);
    file.refuse(
        "three/the-middle-is-missing",
        "three/in-order",
        broken,
        &missing,
    );
    let doubled = three(&[first(json!({})), first(json!({}))]);
    file.refuse(
        "three/one-of-them-twice",
        "three/in-order",
        broken,
        &doubled,
    );
    let besides = three(&[
        root(json!({ "jti": "x", "iat": T - 30, "aud": "app" })),
        all[0].clone(),
        all[1].clone(),
    ]);
    file.accept("three/one-more-before", &besides, proven());
    let foreign = three(&[
        all[0].clone(),
        all[1].clone(),
        first(json!({ "act": chain(&["agent-c"]) , "iat": T - 5 })),
    ]);
    file.refuse("three/one-too-many", "three/in-order", broken, &foreign);

    let near = "p06-one-actor-more";
    for (id, act) in [
        ("p07-history-dropped", chain(&["agent-b"])),
        ("p08-another-history", chain(&["agent-b", "agent-c"])),
        ("p08-one-put-in", chain(&["agent-b", "agent-c", "agent-a"])),
        ("p08-turned-round", chain(&["agent-a", "agent-b"])),
        (
            "p08-namesake",
            json!({ "iss": AS, "sub": "agent-b", "act": { "iss": OTHER, "sub": "agent-a" } }),
        ),
    ] {
        let mut leaf = second(json!({}));
        leaf["act"] = act; // put in its place, and not merged
        file.refuse(id, near, broken, &request(&leaf, &[first(json!({}))]));
    }
    let same = request(&here(json!({})), &[first(json!({ "aud": "agent-a" }))]);
    file.accept("exchange/no-new-actor", &same, proven());
    let nobody = with(&second(json!({})), json!({ "act": null }));
    let request_of = |leaf: &Value| request(leaf, &[first(json!({}))]);
    file.refuse("p07-all-dropped", near, broken, &request_of(&nobody));
    // A token that says it leaves some out names all that the one before it names.
    let partial = |subs: &[&str], complete: bool| {
        request_of(&second(
            json!({ "act": chain(subs), "chain_complete": complete }),
        ))
    };
    let hidden = ["agent-b", "agent-c", "agent-a"];
    file.accept("partial/more-between", &partial(&hidden, false), proven());
    file.refuse(
        "partial/claimed-complete",
        "partial/more-between",
        broken,
        &partial(&hidden, true),
    );
    let gone = partial(&["agent-b", "agent-c"], false);
    file.refuse("partial/one-is-gone", "partial/more-between", broken, &gone);

    let may = |may_act: Value| request(&here(json!({})), &[root(json!({ "may_act": may_act }))]);
    file.accept(
        "may-act/names-the-actor",
        &may(json!({ "sub": "agent-a" })),
        proven(),
    );
    let full = json!({ "iss": AS, "sub": "agent-a", "client_id": "agent-a" });
    file.accept("may-act/names-it-fully", &may(full), proven());
    for (number, may_act) in [
        json!({ "sub": "agent-b" }),
        json!({ "iss": OTHER, "sub": "agent-a" }),
        json!({ "sub": "agent-a", "client_id": "app" }),
        json!({ "sub": "agent-a", "unknown": 1 }),
        json!({}),
        json!("agent-a"),
        json!(null),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("may-act/names-another-{number}");
        let mut claims = root(json!({}));
        claims["may_act"] = may_act; // a null stays
        let request = request(&here(json!({})), &[claims]);
        file.refuse(&id, "may-act/names-the-actor", "may_act_mismatch", &request);
    }
}

fn authority(file: &mut File) {
    let scopes = |child: Value, parent: Value| {
        request(
            &here(json!({ "scope": child })),
            &[root(json!({ "scope": parent }))],
        )
    };
    let code = "attenuation_scope";
    file.accept(
        "p01-fewer-scopes",
        &scopes("a".into(), "a b".into()),
        proven(),
    );
    file.accept(
        "p01-the-same-in-another-order",
        &scopes("b a".into(), "a b".into()),
        proven(),
    );
    file.accept("p01-none", &scopes("".into(), "a b".into()), proven());
    let near = "p01-fewer-scopes";
    for (id, child, parent) in [
        ("p02-one-more", json!("a c"), json!("a b")),
        ("p02-other-case", json!("A"), json!("a b")),
        ("p02-a-longer-name", json!("a.read"), json!("a b")),
        ("p03-unknown-here", json!(null), json!("a b")),
        ("p03-unknown-there", json!("a"), json!(null)),
        ("p02-of-nothing", json!("a"), json!("")),
    ] {
        file.refuse(id, near, code, &scopes(child, parent));
    }
    file.accept(
        "p03-unknown-in-both",
        &scopes(json!(null), json!(null)),
        proven(),
    );
    // The gate's hierarchy: who may write may read.
    let implies = |child: &str, parent: &str| {
        let hierarchy = json!({ "gates": { "g": { "scope_implies": { "write": ["read"] } } } });
        with(
            &scopes(child.into(), parent.into()),
            json!({ "policy": hierarchy }),
        )
    };
    file.accept("scope/implied", &implies("read", "write"), proven());
    file.refuse(
        "scope/implies",
        "scope/implied",
        code,
        &implies("write", "read"),
    );
    let map = json!({ "map": { "files.read": ["read", "list"], "files.write": ["write"] } });
    let mapped = |child: &str, parent: &str| {
        edge(
            &scopes(child.into(), parent.into()),
            json!({ "scope": map }),
        )
    };
    file.accept("scope/mapped", &mapped("list", "files.read"), proven());
    file.refuse(
        "scope/mapped-from-another",
        "scope/mapped",
        code,
        &mapped("write", "files.read"),
    );
    file.refuse(
        "scope/not-mapped",
        "scope/mapped",
        code,
        &mapped("files.read", "files.read"),
    );
    let unknown = mapped("list", "files.read else");
    file.refuse("scope/unknown-to-the-map", "scope/mapped", code, &unknown);
    let attested = edge(
        &scopes("c".into(), "a".into()),
        json!({ "scope": "issuer_attested" }),
    );
    file.accept("scope/the-issuers-word", &attested, proven());
    let ours = request(&here(json!({})), &[root(json!({}))]);
    let subject = request(&here(json!({ "sub": "u2" })), &[root(json!({}))]);
    file.accept("p09-one-subject", &ours, proven());
    file.refuse(
        "p09-another-subject",
        "p09-one-subject",
        "subject_changed",
        &subject,
    );
}

fn details(file: &mut File) {
    let of = |child: Value, parent: Value| {
        request(
            &here(json!({ "authorization_details": child })),
            &[root(json!({ "authorization_details": parent }))],
        )
    };
    let code = "attenuation_details";
    let account = |more: Value| json!([with(&json!({ "type": "account" }), more)]);
    let wide = account(json!({ "actions": ["read", "write"], "locations": ["https://x.example"] }));
    let narrow = account(json!({ "actions": ["read"], "locations": ["https://x.example"] }));
    file.accept(
        "details/fewer-actions",
        &of(narrow.clone(), wide.clone()),
        proven(),
    );
    file.accept("details/none", &of(json!([]), wide.clone()), proven());
    let near = "details/fewer-actions";
    file.refuse(
        "details/more-actions",
        near,
        code,
        &of(wide.clone(), narrow),
    );
    file.refuse(
        "details/of-nothing",
        near,
        code,
        &of(wide.clone(), json!(null)),
    );
    let dropped = account(json!({ "actions": ["read"] }));
    file.refuse("p24-locations-dropped", near, code, &of(dropped, wide));
    let two = json!([
        { "type": "account", "actions": ["read"], "locations": ["https://x.example"] },
        { "type": "account", "actions": ["write"], "locations": ["https://y.example"] },
    ]);
    let one = account(json!({ "actions": ["read"], "locations": ["https://x.example"] }));
    file.accept("p25-within-one-entry", &of(one, two.clone()), proven());
    let both = account(json!({ "actions": ["write"], "locations": ["https://x.example"] }));
    file.refuse(
        "p25-of-two-entries",
        "p25-within-one-entry",
        code,
        &of(both, two),
    );

    let tool = |arguments: Value| json!([{ "type": "attenuating_agent_token", "tools": { "t": arguments } }]);
    let exact = |value: Value| json!({ "constraint_type": "exact", "value": value });
    let path = || json!({ "path": exact("/a".into()) });
    let free = || json!({});
    file.accept(
        "p21-free-arguments-bound",
        &of(tool(path()), tool(free())),
        proven(),
    );
    let mode = with(&path(), json!({ "mode": exact("r".into()) }));
    let near = "p21-free-arguments-bound";
    file.refuse(
        "p20-another-argument",
        near,
        code,
        &of(tool(mode), tool(path())),
    );
    let range = |min: i64, max: i64, inclusive: bool| {
        json!({ "constraint_type": "range", "min": min, "max": max,
                "min_inclusive": inclusive, "max_inclusive": inclusive })
    };
    let n = |constraint: Value| tool(json!({ "n": constraint }));
    let (closed, open) = (range(1, 10, true), range(1, 10, false));
    file.accept(
        "p22-ends-closed",
        &of(n(open.clone()), n(closed.clone())),
        proven(),
    );
    file.refuse(
        "p22-ends-opened",
        "p22-ends-closed",
        code,
        &of(n(closed), n(open)),
    );
    let all = |clauses: Value| json!({ "constraint_type": "all", "constraints": clauses });
    let (w, m, s) = (
        range(0, 100, true),
        range(10, 20, true),
        range(12, 15, true),
    );
    let matched = of(n(all(json!([s, w]))), n(all(json!([w, m]))));
    file.accept("p23-no-greedy-dead-end", &matched, proven());
    let unmatched = of(n(all(json!([w, w]))), n(all(json!([w, m]))));
    file.refuse(
        "p23-nothing-fits",
        "p23-no-greedy-dead-end",
        code,
        &unmatched,
    );

    let mission = |more: Value| {
        let entry = json!({ "type": "mission_resource_access", "resource": "/pay" });
        json!([with(&entry, more)])
    };
    let limit = |amount: &str| mission(json!({ "constraints": { "max_amount": amount } }));
    file.accept(
        "p26-the-same-amount",
        &of(limit("500"), limit("500.00")),
        proven(),
    );
    for (number, amount) in ["500.01", "5e2"].into_iter().enumerate() {
        let id = format!("p26-more-{number}");
        file.refuse(
            &id,
            "p26-the-same-amount",
            code,
            &of(limit(amount), limit("500.00")),
        );
    }
    let to = |domain: &str| mission(json!({ "constraints": { "recipient_domain": domain } }));
    file.accept(
        "p27-below",
        &of(to("mail.example.com"), to("example.com")),
        proven(),
    );
    let evil = of(to("badexample.com"), to("example.com"));
    file.refuse("p27-beside", "p27-below", code, &evil);
    let prefix = mission(json!({ "resource_match": "prefix" }));
    let at = |resource: &str| of(mission(json!({ "resource": resource })), prefix.clone());
    file.accept("p28-below", &at("/pay/x"), proven());
    file.accept("p28-encoded", &at("/%70ay/x"), proven());
    for (number, resource) in ["/payments", "/pay/../admin", "/pay%2fx"]
        .into_iter()
        .enumerate()
    {
        let id = format!("p28-beside-{number}");
        file.refuse(&id, "p28-below", code, &at(resource));
    }
}

fn time(file: &mut File) {
    let ends = |child: i64, parent: i64| {
        request(
            &here(json!({ "exp": T + child })),
            &[root(json!({ "exp": T + parent }))],
        )
    };
    file.accept("p04-the-same-end", &ends(300, 300), proven());
    let code = "attenuation_time";
    file.refuse(
        "p04-a-second-longer",
        "p04-the-same-end",
        code,
        &ends(301, 300),
    );
    let any = edge(&ends(301, 300), json!({ "exp": "any" }));
    file.accept("p04-any", &any, proven());
    // Judged at the moment of the exchange, not now.
    let at = |issued: i64, more: Value| {
        let leaf = here(json!({ "iat": T + issued }));
        edge(&request(&leaf, &[root(more)]), json!({ "exp": "any" }))
    };
    let expired = |end: i64| json!({ "iat": T - 400, "exp": T + end });
    file.accept("p10-expired-since", &at(-100, expired(-50)), proven());
    let near = "p10-expired-since";
    file.accept(
        "p10-expired-within-leeway",
        &at(-100, expired(-129)),
        proven(),
    );
    file.refuse(
        "p10-expired-before",
        near,
        "expired",
        &at(-100, expired(-130)),
    );
    let early = |nbf: i64| json!({ "iat": T - 400, "nbf": T + nbf });
    file.accept("p10-valid-by-then", &at(-100, early(-70)), proven());
    file.refuse(
        "p10-not-valid-yet",
        "p10-valid-by-then",
        "not_yet_valid",
        &at(-100, early(-69)),
    );
    let born = |iat: i64| {
        request(
            &here(json!({})),
            &[root(json!({ "iat": T + iat, "exp": T + 300 }))],
        )
    };
    file.accept("order/at-once", &born(0), proven());
    file.refuse(
        "order/the-child-came-first",
        "order/at-once",
        code,
        &born(1),
    );
    let long = request(
        &here(json!({})),
        &[root(json!({ "iat": T - 10, "exp": T + 3591 }))],
    );
    let near = "order/at-once";
    file.refuse("further/lives-too-long", near, "lifetime_too_long", &long);
}

fn audience(file: &mut File) {
    let used = |aud: Value| request(&here(json!({})), &[root(json!({ "aud": aud }))]);
    file.accept("p05-for-the-actor", &used("agent-a".into()), proven());
    file.accept("p05-for-the-issuer", &used(AS.into()), proven());
    file.accept("p05-among-others", &used(json!(["x", "agent-a"])), proven());
    let code = "attenuation_audience";
    let near = "p05-for-the-actor";
    for (number, aud) in ["agent-b", "app", "https://rs.example/mcp", "agent-a/"]
        .into_iter()
        .enumerate()
    {
        let id = format!("p05-for-another-{number}");
        file.refuse(&id, near, code, &used(aud.into()));
    }
    let url = "https://agent-a.example/";
    let map = |party: &str| {
        edge(
            &used(url.into()),
            json!({ "aud": { "map": { url: [party] } } }),
        )
    };
    file.accept("p05-mapped", &map("agent-a"), proven());
    file.refuse("p05-mapped-to-another", "p05-mapped", code, &map("agent-b"));
    let any = edge(&used("anybody".into()), json!({ "aud": "any" }));
    file.accept("p05-any", &any, proven());
    // ATN-15: what is presented is for one audience.
    let ours = access().claims()["aud"].clone();
    let several = request(
        &here(json!({ "aud": [ours, "https://x.example"] })),
        &[root(json!({}))],
    );
    file.refuse("leaf/for-several", near, code, &several);
    let rfc = with(&several, json!({ "policy": { "preset": "rfc" } }));
    file.accept("leaf/for-several-under-rfc", &rfc, proven());
}

/// Each token is valid alone; together they were never one chain.
fn splicing(file: &mut File) {
    let whole = request(
        &second(json!({ "txn": "x1" })),
        &[root(json!({ "txn": "x1" })), first(json!({ "txn": "x1" }))],
    );
    file.accept("s0-whole", &whole, proven());
    let near = "s0-whole";
    let s1 = request(
        &second(json!({ "sub": "u2" })),
        &[root(json!({})), first(json!({}))],
    );
    file.refuse("s1-another-session", near, "subject_changed", &s1);
    let theirs = json!({ "act": chain(&["agent-c"]), "client_id": "agent-c" });
    let s2 = request(
        &second(json!({})),
        &[root(json!({ "aud": "agent-c" })), first(theirs)],
    );
    file.refuse(
        "s2-history-of-another-parent",
        near,
        "chain_link_broken",
        &s2,
    );
    let s4 = request(
        &second(json!({})),
        &[root(json!({})), first(json!({ "aud": "agent-c" }))],
    );
    file.refuse("s4-exchanged-by-another", near, "attenuation_audience", &s4);
    let s5 = request(
        &second(json!({ "txn": "x2" })),
        &[root(json!({ "txn": "x1" })), first(json!({ "txn": "x1" }))],
    );
    file.refuse("s5-another-transaction", near, "txn_mismatch", &s5);
    let wider = first(json!({ "scope": "a b c", "iat": T - 15 }));
    let s7 = request(&second(json!({})), &[root(json!({})), wider]);
    file.refuse(
        "s7-a-wider-one-of-the-same-actor",
        near,
        "attenuation_scope",
        &s7,
    );
    let older = first(json!({ "iat": T - 60 }));
    let s7 = request(&second(json!({})), &[root(json!({})), older]);
    file.refuse(
        "s7-an-older-one-of-the-same-actor",
        near,
        "chain_link_broken",
        &s7,
    );
}

/// From a grant of one issuer to the access token of another.
fn domains(file: &mut File, profile: &str) {
    let grants = Kind::named(profile);
    let id = |name: &str| format!("{profile}/{name}");
    let grant = |more: Value| {
        let own = json!({ "client_id": "agent-a", "iat": T - 10, "exp": T + 290, "scope": "a b" });
        with(&with(&grants.claims(), own), more)
    };
    let with_grant = |leaf: Value, grant: Value| {
        let token = grants.token(&grant);
        let further = json!({ "kind": profile, "token": token });
        let request = carrying(&access().token(&leaf), &[further]);
        let issuer = grants.policy()["issuers"]["as"].clone();
        let policy = json!({ "issuers": { "idp": issuer },
                             "gates": { "g": { "context": { profile: "allowed" } } } });
        with(&request, json!({ "policy": policy }))
    };
    let leaf = |more: Value| {
        let own = json!({ "act": null, "client_id": "agent-a", "sub": "local-7", "scope": "z" });
        with(&here(own), more)
    };
    let good = with_grant(leaf(json!({})), grant(json!({})));
    file.accept(&id("p14-a-grant-of-another-domain"), &good, proven());
    let hour = with_grant(leaf(json!({ "exp": T + 3600 })), grant(json!({})));
    file.accept(&id("p14-an-hour-for-five-minutes"), &hour, proven());
    let near = &id("p14-a-grant-of-another-domain");
    let broken = "chain_link_broken";
    let other = with_grant(leaf(json!({})), grant(json!({ "client_id": "agent-b" })));
    file.refuse(&id("p15-another-client"), near, broken, &other);
    let key = |name: &str| json!({ "cnf": { "jkt": name } });
    let bound = |leaf_key: Value, grant_key: Value| {
        let request = with_grant(leaf(leaf_key), grant(grant_key));
        let external = json!({ "gates": { "g": { "sender_constrained": "external" } } });
        with(&request, json!({ "policy": external }))
    };
    let k1 = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    file.accept(&id("the-same-key"), &bound(key(k1), key(k1)), proven());
    let lost = bound(json!({}), key(k1));
    file.refuse(&id("the-key-is-gone"), &id("the-same-key"), broken, &lost);
    let elsewhere = with_grant(
        leaf(json!({})),
        grant(json!({ "aud": "https://elsewhere.example" })),
    );
    file.refuse(
        &id("for-another-issuer"),
        near,
        "attenuation_audience",
        &elsewhere,
    );
    let aud = access().claims()["aud"].clone();
    let at = |resource: Value| with_grant(leaf(json!({})), grant(json!({ "resource": resource })));
    file.accept(&id("for-this-resource"), &at(json!(["x", aud])), proven());
    let another = at(json!("https://rs.example/other"));
    file.refuse(
        &id("for-another-resource"),
        &id("for-this-resource"),
        "attenuation_audience",
        &another,
    );
    let strict = json!({ "edges": { "cross_domain": { "scope": "strict_subset" } } });
    let within = table(
        &with_grant(leaf(json!({ "scope": "a" })), grant(json!({}))),
        strict.clone(),
    );
    file.accept(&id("scopes-compared"), &within, proven());
    let beyond = table(&good, strict);
    file.refuse(
        &id("scopes-beyond"),
        &id("scopes-compared"),
        "attenuation_scope",
        &beyond,
    );
    // An actor of the grant keeps its issuer: the same name here is somebody else.
    let acting = |iss: &str| {
        let links = json!({ "iss": AS, "sub": "agent-b", "act": { "iss": iss, "sub": "x" } });
        let own = json!({ "act": { "iss": "https://idp.example", "sub": "x" } });
        with_grant(leaf(json!({ "act": links })), grant(own))
    };
    file.accept(
        &id("actors-keep-their-issuer"),
        &acting("https://idp.example"),
        proven(),
    );
    file.refuse(
        &id("actors-change-their-issuer"),
        &id("actors-keep-their-issuer"),
        broken,
        &acting(AS),
    );
}

fn lineage(file: &mut File) {
    let least = |request: &Value| table(request, json!({ "min_lineage": "issuer_attested" }));
    let chain_of_two = least(&request(&here(json!({})), &[root(json!({}))]));
    file.accept("lineage/proven", &chain_of_two, proven());
    let alone = request(&here(json!({})), &[]);
    file.accept("lineage/asserted", &alone, json!({ "lineage": "asserted" }));
    file.refuse(
        "lineage/too-little",
        "lineage/proven",
        "chain_link_broken",
        &least(&alone),
    );
    let plain = with(&here(json!({})), json!({ "act": null }));
    let plain = least(&request(&plain, &[]));
    file.accept(
        "lineage/nothing-to-prove",
        &plain,
        json!({ "lineage": "none" }),
    );
}

fn bundle(file: &mut File) {
    let good = request(&here(json!({})), &[root(json!({}))]);
    let near = "bundle/good";
    file.accept(near, &good, proven());
    let required = json!({ "gates": { "g": { "context": { "access_token": "required" } } } });
    let bare = with(
        &request(&here(json!({})), &[]),
        json!({ "policy": required }),
    );
    file.refuse("bundle/required", near, "chain_link_broken", &bare);
    let none = with(
        &good,
        json!({ "policy": { "gates": { "g": { "context": null } } } }),
    );
    file.refuse("bundle/not-taken", near, "usage", &none);
    let many: Vec<Value> = (0..8)
        .map(|n| root(json!({ "iat": T - 30 - n, "aud": ["app", "agent-a"] })))
        .collect();
    file.refuse(
        "bundle/nine-tokens",
        near,
        "oversized",
        &request(&here(json!({})), &many),
    );
    let eight = request(&here(json!({})), &many[..7]);
    file.accept("bundle/eight-tokens", &eight, proven());
    // What is wrong with a further token.
    let carry = |token: &str| {
        let further = json!({ "kind": "access_token", "token": token });
        carrying(&access().token(&here(json!({}))), &[further])
    };
    let token = access().token(&root(json!({})));
    let (input, _) = token.rsplit_once('.').expect("three segments");
    let other = access().token(&root(json!({ "sub": "u2" })));
    let (_, signature) = other.rsplit_once('.').expect("three segments");
    for (id, code, token) in [
        ("bundle/no-token", "malformed_token", "x".to_owned()),
        (
            "bundle/bad-signature",
            "bad_signature",
            format!("{input}.{signature}"),
        ),
        (
            "bundle/unknown-issuer",
            "iss_untrusted",
            access().token(&root(json!({ "iss": OTHER }))),
        ),
        (
            "bundle/without-sub",
            "missing_claim",
            access().token(&root(json!({ "sub": null }))),
        ),
        (
            "bundle/bad-actor",
            "actor_malformed",
            access().token(&root(json!({ "act": {} }))),
        ),
        (
            "bundle/of-another-kind",
            "typ_mismatch",
            Kind::named("access_token_untyped").token(&root(json!({}))),
        ),
    ] {
        file.refuse(id, near, code, &carry(&token));
    }
}
