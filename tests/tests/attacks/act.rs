//! Attacks on who acts for whom: `act` of one token (RFC 8693 §4.1).

use serde_json::{Value, json};

use crate::stand::{Fixtures, Stand};

const A: &str = "https://issuer.example";

/// `CFG_A` whose gate has these members, in a document with these tables.
fn stand(f: &Fixtures, gate: &Value, tables: &Value) -> Stand {
    let mut policy = f.cfg_a();
    for (name, value) in gate.as_object().unwrap() {
        policy["gates"]["api"][name] = value.clone();
    }
    for (name, value) in tables.as_object().unwrap() {
        policy[name] = value.clone();
    }
    f.stand(&policy)
}

/// A gate that shows whoever acts.
fn shown(f: &Fixtures) -> Stand {
    stand(f, &json!({ "delegation": "surface" }), &json!({}))
}

/// A gate of this delegation table.
fn ruled(f: &Fixtures, table: &Value) -> Stand {
    let tables = json!({ "delegation": { "agents": table } });
    stand(f, &json!({ "delegation": "agents" }), &tables)
}

fn token(f: &Fixtures, act: Value) -> String {
    f.signed(&f.key("K_ED"), f.with("act", act))
}

/// `act` of this many links, each actor another's.
fn nested(links: usize) -> String {
    let open: String = (0..links)
        .map(|link| format!(r#"{{"sub":"s{link}","act":"#))
        .collect();
    let open = open.strip_suffix(r#","act":"#).unwrap();
    format!("{open}{}", "}".repeat(links))
}

pub(crate) fn act_01_the_outermost_act_is_the_current_actor(f: &Fixtures) {
    let two = json!({ "sub": "s16", "act": { "sub": "s77" } });
    for door in shown(f).doors {
        let token = door.gate.verify(token(f, two.clone())).unwrap();
        let chain: Vec<_> = token
            .chain()
            .map(|actor| (actor.iss(), actor.sub()))
            .collect();
        assert_eq!(chain, [(A, "s16"), (A, "s77")]);
        assert_eq!(token.actor().unwrap().sub(), "s16");
        assert_eq!(token.subject(), Some("alice"));
    }
    let rule = |sub: &str| json!([{ "actor": { "iss": A, "sub": sub } }]);
    let only = |sub: &str| ruled(f, &json!({ "actor": "required", "allow": rule(sub) }));
    only("s16").accepts(token(f, two.clone()));
    // Who acted before has no authority over what is done now.
    only("s77").gives("actor_not_allowed", token(f, two.clone()));
    only("s77").accepts(token(f, json!({ "sub": "s77" })));
    only("s16").gives("actor_missing", f.token(&f.key("K_ED")));
    // An inner actor can end what an outer one may, and only where strictness asks for that.
    let without = |preset: &str| {
        let allow = ["s16", "s77"].map(|sub| json!({ "actor": { "iss": A, "sub": sub } }));
        let table = json!({ "allow": allow, "deny": rule("s77") });
        let tables = json!({ "preset": preset, "delegation": { "agents": table } });
        stand(f, &json!({ "delegation": "agents" }), &tables)
    };
    without("agent_strict").gives("actor_not_allowed", token(f, two.clone()));
    without("rfc").accepts(token(f, two));
    for preset in ["agent_strict", "rfc"] {
        without(preset).accepts(token(f, json!({ "sub": "s16" })));
        without(preset).gives("actor_not_allowed", token(f, json!({ "sub": "s77" })));
    }
}

pub(crate) fn act_02_malformed_act_is_never_no_actor(f: &Fixtures) {
    let stand = shown(f);
    stand.accepts(f.token(&f.key("K_ED")));
    stand.accepts(token(f, json!({ "sub": "s16" })));
    stand.accepts(token(f, json!({ "sub": "s16", "act": { "sub": "s77" } })));
    let malformed = [
        json!(null),
        json!("s16"),
        json!(1),
        json!([]),
        json!([{ "sub": "s16" }]),
        json!({}),
        json!({ "sub": 1 }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "act": { "sub": "x" } }),
        json!({ "sub": "s16", "act": "s77" }),
    ];
    for act in malformed {
        stand.gives("actor_malformed", token(f, act.clone()));
        // At any depth.
        if act["sub"] != "s16" {
            stand.gives(
                "actor_malformed",
                token(f, json!({ "sub": "s16", "act": act })),
            );
        }
    }
}

pub(crate) fn act_03_chains_end(f: &Fixtures) {
    let stand = shown(f);
    let of = |links: usize| {
        let act = nested(links);
        let claims = f.payload();
        let rest = claims.strip_prefix('{').unwrap();
        f.signed(&f.key("K_ED"), format!(r#"{{"act":{act},{rest}"#))
    };
    stand.accepts(of(1));
    stand.accepts(of(5)); // the documented maximum
    for links in [6, 8, 9, 32] {
        stand.gives("chain_too_deep", of(links));
    }
    stand.gives("oversized", of(1000));
    stand.gives("oversized", of(100_000));
    // What is small enough to be read is not read without end either.
    let narrow = format!(
        "{}{}",
        r#"{"act":"#.repeat(300),
        "{}".to_owned() + &"}".repeat(300)
    );
    let rest = f.payload();
    let rest = rest.strip_prefix('{').unwrap();
    let token = f.signed(&f.key("K_ED"), format!(r#"{{"act":{narrow},{rest}"#));
    stand.gives("nesting_too_deep", token);
}

pub(crate) fn act_05_an_actor_is_issuer_and_subject(f: &Fixtures) {
    let allowed = json!([{ "actor": { "iss": A, "sub": "agent-1" } }]);
    let stand = ruled(f, &json!({ "allow": allowed }));
    stand.accepts(token(f, json!({ "sub": "agent-1", "iss": A })));
    // Without one it is the token's.
    stand.accepts(token(f, json!({ "sub": "agent-1" })));
    for iss in [
        "https://evil",
        "https://issuer.example/",
        "https://ISSUER.example",
    ] {
        let another = json!({ "sub": "agent-1", "iss": iss });
        stand.gives("actor_not_allowed", token(f, another));
    }
    // An inner one is not the token's either, where the enclosing actor names its own issuer.
    let inner =
        json!({ "sub": "agent-1", "iss": A, "act": { "sub": "agent-1", "iss": "https://evil" } });
    for door in shown(f).doors {
        let token = door.gate.verify(token(f, inner.clone())).unwrap();
        let chain: Vec<_> = token.chain().map(|actor| actor.iss().to_owned()).collect();
        assert_eq!(chain, [A, "https://evil"]);
    }
    for iss in [
        json!([A]),
        json!(["https://evil", A]),
        json!(null),
        json!({}),
        json!(""),
    ] {
        let ambiguous = json!({ "sub": "agent-1", "iss": iss });
        stand.gives("actor_malformed", token(f, ambiguous));
    }
}
