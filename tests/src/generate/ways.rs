//! The way of an agent's transaction token through its trust domain (TXA-01 to TXA-05, TXA-07).

use serde_json::{Value, json};

use super::{File, Kind, T, with};

fn kind() -> &'static Kind {
    Kind::named("txn_token")
}

/// A token of an agent, with a way like that of the draft's example, and what differs from it.
fn agent(more: Value) -> Value {
    let good = json!({
        "iss": kind().issuer,
        "act": { "iss": kind().issuer, "sub": "agent-a" },
        "agentic_ctx": {
            "current_actor": { "identity": { "workload_id": "planner.td.example" } },
            "originator": { "identity": { "workload_id": "gw.td.example" } },
            "chain_metadata": {
                "hop_count": 2, "min_assurance_level": "medium",
                "txn_path": ["gw.td.example", "planner.td.example"],
            },
        },
    });
    with(&with(&kind().claims(), good), more)
}

/// A gate for agents, with these members of `transactions`.
fn request(claims: &Value, transactions: Value) -> Value {
    let gate = json!({ "delegation": "agents", "transactions": transactions });
    let policy = with(
        &kind().policy(),
        json!({
            "gates": { "g": gate },
            "delegation": { "agents": {
                "actor": "required", "allow": [{ "actor": { "iss": kind().issuer } }],
            } },
        }),
    );
    json!({ "op": "verify", "policy": policy, "now": T, "token": kind().token(claims) })
}

pub(super) fn lines(file: &mut File) {
    let plain = |claims: Value| request(&claims, json!({}));
    let way = |metadata: Value| agent(json!({ "agentic_ctx": { "chain_metadata": metadata } }));
    let told = || json!({ "subject": "u1" });
    let near = "txa/good";
    file.accept(near, &plain(agent(json!({}))), told());
    file.accept(
        "txa/without-a-way",
        &plain(agent(json!({ "agentic_ctx": null }))),
        told(),
    );
    let alone = agent(json!({ "act": null }));
    file.refuse("txa-01-no-agent", near, "actor_missing", &plain(alone));
    here(file, near);
    let long = |hops: usize| {
        let path: Vec<String> = (0..hops).map(|hop| format!("w{hop}.td.example")).collect();
        let last = path.last().cloned();
        let acting = json!({ "identity": { "workload_id": last } });
        let metadata = json!({ "hop_count": hops, "txn_path": path });
        agent(json!({ "agentic_ctx": { "current_actor": acting, "chain_metadata": metadata } }))
    };
    file.accept("txa-03-eight-hops", &plain(long(8)), told());
    file.refuse(
        "txa-03-nine-hops",
        "txa-03-eight-hops",
        "chain_too_deep",
        &plain(long(9)),
    );
    let more = request(&long(9), json!({ "max_hops": 9 }));
    file.accept("txa-03-nine-hops-allowed", &more, told());
    for (id, claims) in [
        ("txa-03-one-hop-less", way(json!({ "hop_count": 1 }))),
        ("txa-03-one-hop-more", way(json!({ "hop_count": 3 }))),
        ("txa-03-hops-and-no-path", way(json!({ "txn_path": null }))),
        (
            "txa-03-another-acts",
            way(json!({ "txn_path": ["planner.td.example", "gw.td.example"] })),
        ),
    ] {
        file.refuse(id, near, "chain_link_broken", &plain(claims));
    }
    for (id, metadata) in [
        (
            "txa-03-path-that-is-a-text",
            json!({ "txn_path": "gw.td.example" }),
        ),
        (
            "txa-03-path-with-a-number",
            json!({ "txn_path": ["gw.td.example", 1] }),
        ),
        (
            "txa-03-path-with-nobody",
            json!({ "txn_path": ["", "planner.td.example"] }),
        ),
        ("txa-03-count-that-is-a-text", json!({ "hop_count": "2" })),
        (
            "txa-04-level-that-is-a-number",
            json!({ "min_assurance_level": 2 }),
        ),
    ] {
        file.refuse(id, near, "claim_type", &plain(way(metadata)));
    }
    let list = agent(json!({ "agentic_ctx": { "chain_metadata": [] } }));
    file.refuse(
        "txa-03-metadata-that-is-a-list",
        near,
        "claim_type",
        &plain(list),
    );
    file.accept(
        "txa-03-count-alone-left-out",
        &plain(way(json!({ "hop_count": null }))),
        told(),
    );
    assurance(file);
    replaced(file);
    // TXA-07: what the service says of the agent lets nobody act.
    let trusted = json!({ "posture": { "assurance": "high" } });
    let stranger = agent(json!({
        "act": { "iss": "https://other.example" }, "agentic_ctx": trusted,
    }));
    file.refuse(
        "txa-07-grants-nothing",
        near,
        "actor_not_allowed",
        &plain(stranger),
    );
}

/// TXA-02: a token that came through here before goes in a circle.
fn here(file: &mut File, good: &str) {
    let at = |workload: &str| request(&agent(json!({})), json!({ "workload": workload }));
    let near = "txa-02-elsewhere";
    file.accept(near, &at("files.td.example"), json!({ "subject": "u1" }));
    file.refuse("txa-02-here", near, "chain_loop", &at("gw.td.example"));
    file.refuse(
        "txa-02-just-here",
        near,
        "chain_loop",
        &at("planner.td.example"),
    );
    file.accept(
        "txa-02-a-namesake",
        &at("td.example"),
        json!({ "subject": "u1" }),
    );
    let nameless = request(&agent(json!({})), json!({ "workload": null }));
    file.accept(
        &format!("{good}-at-nobody"),
        &nameless,
        json!({ "subject": "u1" }),
    );
}

/// TXA-04: the weakest workload on the way is strong enough.
fn assurance(file: &mut File) {
    let least = |level: Value, least: &str| {
        let metadata = json!({ "chain_metadata": { "min_assurance_level": level } });
        let claims = agent(json!({ "agentic_ctx": metadata }));
        request(&claims, json!({ "min_assurance": least }))
    };
    let told = || json!({ "subject": "u1" });
    let near = "txa-04-as-trusted";
    file.accept(near, &least(json!("medium"), "medium"), told());
    file.accept(
        "txa-04-more-trusted",
        &least(json!("high"), "medium"),
        told(),
    );
    for (id, level) in [
        ("txa-04-less-trusted", json!("low")),
        ("txa-04-not-verified", json!("unverified")),
        ("txa-04-unknown-level", json!("Medium")),
        ("txa-04-no-level", json!(null)),
    ] {
        file.refuse(id, near, "posture_mismatch", &least(level, "medium"));
    }
    let none = request(
        &agent(json!({ "agentic_ctx": null })),
        json!({ "min_assurance": "unverified" }),
    );
    file.refuse("txa-04-no-way", near, "posture_mismatch", &none);
    let named = |least: &str| {
        let levels = json!({ "min_assurance": least, "assurance_levels": ["medium", "gold"] });
        request(&agent(json!({})), levels)
    };
    file.accept("txa-04-levels-of-our-own", &named("medium"), told());
    file.refuse(
        "txa-04-below-one-of-our-own",
        "txa-04-levels-of-our-own",
        "posture_mismatch",
        &named("gold"),
    );
}

/// TXA-05: what takes the place of a token is trusted no more than it.
fn replaced(file: &mut File) {
    let metadata = |level: &Value, hops: &[&str]| {
        let acting = json!({ "identity": { "workload_id": hops.last() } });
        let metadata = json!({
            "hop_count": hops.len(), "min_assurance_level": level, "txn_path": hops,
        });
        json!({ "agentic_ctx": { "current_actor": acting, "chain_metadata": metadata } })
    };
    let of = |old: Value, new: Value| {
        let before = ["gw.td.example"];
        let old = with(
            &agent(metadata(&old, &before)),
            json!({ "iat": T - 10, "exp": T + 290 }),
        );
        let new = agent(metadata(&new, &["gw.td.example", "planner.td.example"]));
        let gate = json!({ "context": { "txn_token": "allowed" } });
        let context = json!([{ "kind": "txn_token", "token": kind().token(&old) }]);
        with(
            &request(&new, json!({})),
            json!({ "policy": { "gates": { "g": gate } }, "context": context }),
        )
    };
    let proven = || json!({ "subject": "u1" });
    let near = "txa-05-as-trusted";
    file.accept(near, &of(json!("medium"), json!("medium")), proven());
    for (id, old, new) in [
        ("txa-05-less-trusted", json!("medium"), json!("low")),
        ("txa-05-first-level", json!(null), json!("high")),
        ("txa-05-no-levels", json!(null), json!(null)),
    ] {
        file.accept(id, &of(old, new), proven());
    }
    for (id, old, new) in [
        ("txa-05-more-trusted", json!("medium"), json!("high")),
        ("txa-05-unknown-level", json!("medium"), json!("Medium")),
        ("txa-05-unknown-before", json!("Medium"), json!("low")),
        ("txa-05-same-unknown", json!("Medium"), json!("Medium")),
        ("txa-05-vanished", json!("medium"), json!(null)),
    ] {
        file.refuse(id, near, "attenuation_details", &of(old, new));
    }
}
