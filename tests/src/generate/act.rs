//! `act` alone (standards 30.3, Appendix A): its form, its depth, its circles, and a gate that
//! shows it or forbids it.

use serde_json::{Value, json};

use super::delegation::request;
use super::{File, with};

pub(super) const AS: &str = "https://as.example";

pub(super) fn chain(subs: &[&str]) -> Value {
    subs.iter().rev().fold(Value::Null, |inner, sub| {
        let mut link = json!({ "iss": AS, "sub": sub });
        if !inner.is_null() {
            link["act"] = inner;
        }
        link
    })
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    let surface = || json!({ "delegation": "surface" });
    let show = |act: Value| request(json!({ "act": act }), surface());
    let link = |sub: &str| json!({ "iss": AS, "sub": sub });
    let answer = |subs: &[&str]| {
        let chain: Vec<Value> = subs.iter().map(|sub| link(sub)).collect();
        json!({ "subject": "u1", "actor": chain.first(), "chain": chain })
    };
    file.accept("none", &request(json!({}), surface()), answer(&[]));
    file.accept("d01-one", &show(chain(&["agent-a"])), answer(&["agent-a"]));
    let two = ["agent-b", "agent-a"];
    file.accept("d02-outermost-first", &show(chain(&two)), answer(&two));
    file.refuse(
        "forbidden",
        "d01-one",
        "actor_not_allowed",
        &request(json!({ "act": chain(&["agent-a"]) }), json!({})),
    );
    // D06: without iss, and where the issuer must name it.
    let anonymous = show(json!({ "sub": "agent-a" }));
    file.accept("d06-inherited", &anonymous, answer(&["agent-a"]));
    let strict = json!({ "policy": { "issuers": { "as": { "act_iss": "require" } } } });
    let explicit = with(&show(chain(&["agent-a"])), strict.clone());
    file.accept("d06-explicit", &explicit, answer(&["agent-a"]));
    let inferred = with(&anonymous, strict);
    file.refuse("d06-required", "d06-explicit", "actor_malformed", &inferred);
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
            &format!("d07-malformed-{number}"),
            "d01-one",
            "actor_malformed",
            &show(act),
        );
    }
    let loaded = json!({
        "iss": AS, "sub": "agent-a", "exp": 1, "nbf": "x", "aud": "other", "may_act": {},
        "cnf": { "jkt": "x" }, "x": null,
    });
    file.accept("d08-other-members", &show(loaded), answer(&["agent-a"]));
    let five = ["e", "d", "c", "b", "a"];
    file.accept("d10-five", &show(chain(&five)), answer(&five));
    let six = show(chain(&["f", "e", "d", "c", "b", "a"]));
    file.refuse("d10-six", "d10-five", "chain_too_deep", &six);
    let many = vec!["a"; 60];
    file.refuse(
        "d10-sixty",
        "d10-five",
        "chain_too_deep",
        &show(chain(&many)),
    );
    let deep = chain(&vec!["a"; 100]);
    file.refuse("d10-a-hundred", "d10-five", "nesting_too_deep", &show(deep));
    // D11, D12, D14: agents in a circle. The same name under another issuer is another agent.
    let namesake = json!({ "iss": "https://b.example", "sub": "a" });
    let mut distinct = chain(&["a", "b"]);
    distinct["act"]["act"] = namesake.clone();
    let shown =
        json!({ "subject": "u1", "actor": link("a"), "chain": [link("a"), link("b"), namesake] });
    file.accept("d11-namesake", &show(distinct), shown);
    for (name, circle) in [
        ("d11-circle", chain(&["a", "b", "a"])),
        ("d12-twice", chain(&["a", "a"])),
        ("d14-subject", chain(&["a", "u1"])),
        ("d11-inferred", json!({ "sub": "a", "act": link("a") })),
    ] {
        file.refuse(name, "d11-namesake", "chain_loop", &show(circle));
    }
    file.accept("d13-itself", &show(chain(&["u1"])), answer(&["u1"]));
    let granted = request(json!({ "may_act": { "sub": "agent-a" } }), surface());
    file.accept("d16-may-act-is-no-actor", &granted, answer(&[]));
    file.lines
}
