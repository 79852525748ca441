//! All tokens of a request are for one task (CD-03, standards 30.8).

use serde_json::{Value, json};

use super::act::AS;
use super::chains::{OTHER, first, here, proven, request, root, second};
use super::{File, with};

pub(super) fn lines() -> String {
    let mut file = File::default();
    bundles(&mut file);
    file.lines
}

fn bundles(file: &mut File) {
    let mismatch = "intent_mismatch";
    let two = |child: Value, parent: Value| request(&here(child), &[root(parent)]);
    let mission = |id: &str, issuer: &str, hash: &str| json!({ "mission": { "id": id, "issuer": issuer, "authority_hash": hash } });
    let m1 = || mission("m1", AS, "sha-256:a");
    let near = "s6-one-mission";
    file.accept(near, &two(m1(), m1()), proven());
    let other = two(mission("m2", AS, "sha-256:a"), m1());
    file.refuse("s6-another-mission", near, mismatch, &other);
    let issuer = two(mission("m1", OTHER, "sha-256:a"), m1());
    file.refuse("c02-namesake-of-another-issuer", near, mismatch, &issuer);
    let hash = two(mission("m1", AS, "sha-256:b"), m1());
    file.refuse("tasks/approved-anew", near, mismatch, &hash);
    let unnamed = two(json!({}), m1());
    file.accept("tasks/named-by-one-alone", &unnamed, proven());
    let bare = two(json!({ "mission_id": "m1" }), m1());
    file.accept("tasks/named-at-two-places", &bare, proven());
    let contrary = two(json!({ "mission_id": "m2" }), m1());
    file.refuse(
        "tasks/contrary-at-two-places",
        "tasks/named-at-two-places",
        mismatch,
        &contrary,
    );
    let three = |own: Value, middle: Value| {
        let further = [root(json!({ "intent_id": "i1" })), first(middle)];
        request(&second(own), &further)
    };
    let i1 = || json!({ "intent_id": "i1" });
    file.accept(
        "tasks/three-of-one-intent",
        &three(i1(), json!({})),
        proven(),
    );
    file.refuse(
        "tasks/two-ends-of-different-intents",
        "tasks/three-of-one-intent",
        mismatch,
        &three(json!({ "intent": { "id": "i2", "issuer": AS } }), json!({})),
    );
    let kinds = two(json!({ "acti": "w1" }), mission("m1", AS, "sha-256:a"));
    file.accept("c08-of-different-kinds", &kinds, proven());
    let workflows = two(json!({ "acti": "w1" }), json!({ "acti": "w2" }));
    file.refuse(
        "tasks/another-workflow",
        "c08-of-different-kinds",
        mismatch,
        &workflows,
    );
    for (id, unreadable) in [
        (
            "tasks/an-id-that-is-a-number",
            json!({ "mission": { "id": 1 } }),
        ),
        (
            "tasks/an-id-that-is-empty",
            json!({ "mission": { "id": "" } }),
        ),
        (
            "tasks/an-issuer-that-is-null",
            json!({ "mission": { "id": "m1", "issuer": [] } }),
        ),
        ("tasks/a-mission-that-is-a-text", json!({ "mission": "m1" })),
    ] {
        file.refuse(id, near, "claim_type", &two(unreadable, m1()));
    }

    // A token that comes alone is asked only where its gate asks.
    let gate = |request: &Value, more: Value| {
        with(request, json!({ "policy": { "gates": { "g": more } } }))
    };
    let alone = |own: Value| request(&here(own), &[]);
    let needed = |own: Value| gate(&alone(own), json!({ "require_intent": true }));
    let asserted = || json!({ "lineage": "asserted" });
    for (id, own) in [
        ("c03-a-mission", m1()),
        ("c03-an-intent", json!({ "intent": { "id": "i1" } })),
        (
            "c03-an-intent-of-a-transaction",
            json!({ "tctx": { "intent_id": "i1" } }),
        ),
        ("c03-a-workflow", json!({ "acti": "w1" })),
    ] {
        file.accept(id, &needed(own), asserted());
    }
    let near = "c03-an-intent";
    file.refuse("c03-none", near, mismatch, &needed(json!({})));
    let elsewhere = json!({ "task": { "id": "i1" } });
    file.refuse(
        "c03-none-where-it-is-looked-for",
        near,
        mismatch,
        &needed(elsewhere.clone()),
    );
    let parents = gate(&two(json!({}), m1()), json!({ "require_intent": true }));
    file.refuse("c03-only-that-before", near, mismatch, &parents);
    let said_twice = json!({ "intent": { "id": "i1" }, "intent_id": "i2" });
    file.refuse(
        "tasks/alone-and-of-two-minds",
        near,
        mismatch,
        &needed(said_twice.clone()),
    );
    file.accept("tasks/alone-and-not-asked", &alone(said_twice), asserted());
    let pointers = json!({ "require_intent": true, "intent_pointers": { "intent": ["/task/id"] } });
    file.accept(
        "tasks/at-a-place-of-its-own",
        &gate(&alone(elsewhere), pointers),
        asserted(),
    );

    // Transactions of two issuers are of one namespace where the policy says so.
    let named = |own: Value, namespace: Value| {
        let issuer = json!({ "policy": { "issuers": { "as": { "txn_namespace": namespace } } } });
        with(&two(own, json!({ "txn": "x1" })), issuer)
    };
    file.accept(
        "tasks/one-transaction",
        &named(json!({ "txn": "x1" }), json!("td.example")),
        proven(),
    );
    file.refuse(
        "tasks/another-transaction",
        "tasks/one-transaction",
        "txn_mismatch",
        &named(json!({ "txn": "x2" }), json!("td.example")),
    );
}
