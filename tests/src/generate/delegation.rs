//! `act` (standards 30.3, Appendix A), scopes, sign-in, bound tokens.

use serde_json::{Value, json};

use super::{File, Kind, with};

pub(super) fn lines() -> String {
    let mut file = File::default();
    actors(&mut file);
    authority(&mut file);
    bound(&mut file);
    file.lines
}

/// A request of an access token with more claims, under a gate with more members.
fn request(claims: Value, gate: Value) -> Value {
    let kind = Kind::named("access_token");
    let mut all = kind.claims();
    for (name, value) in claims.as_object().expect("claims") {
        all[name] = value.clone();
    }
    with(
        &kind.verify(&all),
        json!({ "policy": { "gates": { "g": gate } } }),
    )
}

const AS: &str = "https://as.example";

fn chain(subs: &[&str]) -> Value {
    subs.iter().rev().fold(Value::Null, |inner, sub| {
        let mut link = json!({ "iss": AS, "sub": sub });
        if !inner.is_null() {
            link["act"] = inner;
        }
        link
    })
}

fn actors(file: &mut File) {
    let surface = || json!({ "delegation": "surface" });
    let show = |act: Value| request(json!({ "act": act }), surface());
    let link = |sub: &str| json!({ "iss": AS, "sub": sub });
    let answer = |subs: &[&str]| {
        let chain: Vec<Value> = subs.iter().map(|sub| link(sub)).collect();
        json!({ "subject": "u1", "actor": chain.first(), "chain": chain })
    };
    file.accept("act/none", &request(json!({}), surface()), answer(&[]));
    file.accept(
        "act/d01-one",
        &show(chain(&["agent-a"])),
        answer(&["agent-a"]),
    );
    let two = ["agent-b", "agent-a"];
    file.accept("act/d02-outermost-first", &show(chain(&two)), answer(&two));
    file.refuse(
        "act/forbidden",
        "act/d01-one",
        "actor_not_allowed",
        &request(json!({ "act": chain(&["agent-a"]) }), json!({})),
    );
    // D06: without iss, and where the issuer must name it.
    let anonymous = show(json!({ "sub": "agent-a" }));
    file.accept("act/d06-inherited", &anonymous, answer(&["agent-a"]));
    let strict = json!({ "policy": { "issuers": { "as": { "act_iss": "require" } } } });
    let explicit = with(&show(chain(&["agent-a"])), strict.clone());
    file.accept("act/d06-explicit", &explicit, answer(&["agent-a"]));
    let inferred = with(&anonymous, strict);
    file.refuse(
        "act/d06-required",
        "act/d06-explicit",
        "actor_malformed",
        &inferred,
    );
    for (number, act) in [
        json!(null),
        json!([]),
        json!("a"),
        json!({}),
        json!({ "sub": "" }),
        json!({ "sub": 1 }),
        json!({ "sub": null }),
        json!(1),
        json!(true),
        json!([{ "sub": "a" }]),
        json!({ "act": { "sub": "a" } }),
        json!({ "sub": "a", "act": "b" }),
        json!({ "sub": "a", "act": null }),
        json!({ "sub": "a", "act": {} }),
        json!({ "sub": "a", "iss": 1 }),
        json!({ "sub": "a", "iss": "" }),
        json!({ "sub": "a", "client_profile": "x" }),
    ]
    .into_iter()
    .enumerate()
    {
        file.refuse(
            &format!("act/d07-malformed-{number}"),
            "act/d01-one",
            "actor_malformed",
            &show(act),
        );
    }
    let loaded = json!({
        "iss": AS, "sub": "agent-a", "exp": 1, "nbf": "x", "aud": "other", "may_act": {},
        "cnf": { "jkt": "x" }, "x": null,
    });
    file.accept("act/d08-other-members", &show(loaded), answer(&["agent-a"]));
    let five = ["e", "d", "c", "b", "a"];
    file.accept("act/d10-five", &show(chain(&five)), answer(&five));
    let six = show(chain(&["f", "e", "d", "c", "b", "a"]));
    file.refuse("act/d10-six", "act/d10-five", "chain_too_deep", &six);
    let many = vec!["a"; 60];
    file.refuse(
        "act/d10-sixty",
        "act/d10-five",
        "chain_too_deep",
        &show(chain(&many)),
    );
    let deep = chain(&vec!["a"; 100]);
    file.refuse(
        "act/d10-a-hundred",
        "act/d10-five",
        "nesting_too_deep",
        &show(deep),
    );
    // D11, D12, D14: agents in a circle. The same name under another issuer is another agent.
    let namesake = json!({ "iss": "https://b.example", "sub": "a" });
    let mut distinct = chain(&["a", "b"]);
    distinct["act"]["act"] = namesake.clone();
    let shown =
        json!({ "subject": "u1", "actor": link("a"), "chain": [link("a"), link("b"), namesake] });
    file.accept("act/d11-namesake", &show(distinct), shown);
    for (name, circle) in [
        ("act/d11-circle", chain(&["a", "b", "a"])),
        ("act/d12-twice", chain(&["a", "a"])),
        ("act/d14-subject", chain(&["a", "u1"])),
        ("act/d11-inferred", json!({ "sub": "a", "act": link("a") })),
    ] {
        file.refuse(name, "act/d11-namesake", "chain_loop", &show(circle));
    }
    file.accept("act/d13-itself", &show(chain(&["u1"])), answer(&["u1"]));
    let granted = request(json!({ "may_act": { "sub": "agent-a" } }), surface());
    file.accept("act/d16-may-act-is-no-actor", &granted, answer(&[]));
}

fn authority(file: &mut File) {
    let scoped = |scope: &str, gate: Value| request(json!({ "scope": scope }), gate);
    let needs = || json!({ "required_scopes": ["files.read"] });
    file.accept(
        "scope/has-it",
        &scoped("a files.read b", needs()),
        json!({}),
    );
    for (number, scope) in ["", "files", "files.read.all", "FILES.READ", "files.write"]
        .into_iter()
        .enumerate()
    {
        let request = scoped(scope, needs());
        file.refuse(
            &format!("scope/lacks-it-{number}"),
            "scope/has-it",
            "insufficient_scope",
            &request,
        );
    }
    for (number, scope) in [
        " files.read",
        "files.read ",
        "a  files.read",
        "a\tb",
        "\"",
        "\u{e9}",
    ]
    .into_iter()
    .enumerate()
    {
        let request = scoped(scope, needs());
        file.refuse(
            &format!("scope/malformed-{number}"),
            "scope/has-it",
            "claim_type",
            &request,
        );
    }
    let implies = || json!({ "required_scopes": ["files.read"], "scope_implies": { "files.write": ["files.read"] } });
    file.accept(
        "scope/implied",
        &scoped("files.write", implies()),
        json!({}),
    );
    let call = |scopes: Value| {
        with(
            &scoped("files.read", json!({})),
            json!({ "required_scopes": scopes }),
        )
    };
    file.accept("scope/call-has-it", &call(json!(["files.read"])), json!({}));
    let lacking = call(json!(["files.read", "admin"]));
    file.refuse(
        "scope/call-lacks-it",
        "scope/call-has-it",
        "insufficient_scope",
        &lacking,
    );
    // AT-07: an array only where the issuer is said to write one.
    let array = |claim: &str, names: Value| {
        let request = request(json!({ claim: ["files.read"] }), needs());
        with(
            &request,
            json!({ "policy": { "issuers": { "as": { "claim_names": names } } } }),
        )
    };
    file.accept(
        "scope/scp-array",
        &array("scp", json!({ "scope": "scp" })),
        json!({}),
    );
    file.refuse(
        "scope/array",
        "scope/scp-array",
        "claim_type",
        &array("scope", json!({})),
    );

    let signed_in = |acr: Value| {
        request(
            json!({ "acr": acr }),
            json!({ "acr_values": ["mfa", "hw"] }),
        )
    };
    file.accept("acr/one-of-them", &signed_in("hw".into()), json!({}));
    let weak = signed_in("pwd".into());
    let code = "insufficient_user_authentication";
    file.refuse("acr/another", "acr/one-of-them", code, &weak);
    let none = request(json!({}), json!({ "acr_values": ["mfa", "hw"] }));
    file.refuse("acr/none", "acr/one-of-them", code, &none);
    file.refuse(
        "acr/of-wrong-type",
        "acr/one-of-them",
        "claim_type",
        &signed_in(1.into()),
    );
}

fn bound(file: &mut File) {
    let external = || json!({ "sender_constrained": "external" });
    for (number, cnf) in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "unknown": 1 }),
        json!({}),
    ]
    .into_iter()
    .enumerate()
    {
        let claims = json!({ "cnf": cnf });
        let near = format!("cnf/proven-elsewhere-{number}");
        file.accept(&near, &request(claims.clone(), external()), json!({}));
        let id = format!("cnf/as-bearer-{number}");
        file.refuse(&id, &near, "pop_required", &request(claims, json!({})));
    }
    let wrong = request(json!({ "cnf": "x" }), external());
    file.refuse(
        "cnf/of-wrong-type",
        "cnf/proven-elsewhere-0",
        "claim_type",
        &wrong,
    );

    // X03: a status that nobody can look up.
    let status = json!({ "status_list": { "idx": 1, "uri": "https://as.example/status/1" } });
    let listed = request(json!({ "status": status }), json!({}));
    let rfc = with(&listed, json!({ "policy": { "preset": "rfc" } }));
    file.accept("status/not-asked-for", &rfc, json!({}));
    file.refuse(
        "status/nobody-to-ask",
        "status/not-asked-for",
        "status_unavailable",
        &listed,
    );
}
