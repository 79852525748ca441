//! All tokens of a request are for one task (CD-03, standards 30.8).

use serde_json::{Value, json};

use super::act::AS;
use super::chains::{OTHER, first, here, proven, request, root, second};
use super::{File, with};
use crate::workshop::b64u;

pub(super) fn lines() -> String {
    let mut file = File::default();
    bundles(&mut file);
    approved(&mut file);
    file.lines
}

/// A digest as missions and intents have it.
fn digest(byte: u8) -> String {
    format!("sha-256:{}", b64u([byte; 32]))
}

/// What must stand beside the id of what was approved, and what the caller holds of it (INTN-01 to
/// INTN-03, INTN-07).
fn approved(file: &mut File) {
    let needed = |own: Value| {
        let request = request(&here(own), &[]);
        with(
            &request,
            json!({ "policy": { "gates": { "g": { "require_intent": true } } } }),
        )
    };
    let asserted = || json!({ "lineage": "asserted" });
    let whole = || {
        json!({ "id": "m1", "issuer": AS, "authority_hash": digest(7),
                "expires_at": "2027-01-15T08:05:00Z" })
    };
    let near = "intn-a-mission";
    file.accept(near, &needed(json!({ "mission": whole() })), asserted());
    for (id, code, more) in [
        (
            "intn-01-no-issuer",
            "missing_claim",
            json!({ "issuer": null }),
        ),
        (
            "intn-02-outlives-it",
            "lifetime_too_long",
            json!({ "expires_at": "2027-01-15T08:04:59.999Z" }),
        ),
        (
            "intn-02-no-moment",
            "claim_type",
            json!({ "expires_at": "tomorrow" }),
        ),
        (
            "intn-07-another-digest",
            "claim_type",
            json!({ "authority_hash": format!("sha-512:{}", b64u([7; 32])) }),
        ),
        (
            "intn-07-no-digest-named",
            "claim_type",
            json!({ "authority_hash": b64u([7; 32]) }),
        ),
        (
            "intn-07-a-digest-that-is-cut",
            "claim_type",
            json!({ "authority_hash": format!("sha-256:{}", b64u([7; 31])) }),
        ),
    ] {
        let changed = with(&whole(), more);
        file.refuse(id, near, code, &needed(json!({ "mission": changed })));
    }
    let bare = needed(json!({ "mission_id": "m1" }));
    file.accept("intn-01-an-id-that-stands-alone", &bare, asserted());

    // The anchors of the Mission-Bound Authorization draft.
    let issuer = "https://as.example.com";
    let set = json!([
        { "type": "mission_resource_access", "resource": "https://erp.example.com",
          "actions": ["invoices.read"] },
        { "type": "mission_resource_access", "resource": "https://erp.example.com",
          "actions": ["journal-entries.write"],
          "constraints": { "max_amount": { "amount": "500.00", "currency": "USD" } } },
    ]);
    let hash = "sha-256:vUCCfjGulit9u0qJ0Z6pQSNerZtXMqRlfJNCr4PzLro";
    let held = |own: Value, approved: Value| {
        with(&request(&here(own), &[]), json!({ "approved": approved }))
    };
    let named = |more: Value| {
        let mission = json!({ "id": "m1", "issuer": issuer, "authority_hash": hash });
        json!({ "mission": with(&mission, more) })
    };
    let document = |set: &Value| json!({ "issuer": issuer, "authority_set": set });
    let near = "intn-03-what-was-approved";
    file.accept(near, &held(named(json!({})), document(&set)), asserted());
    let narrowed = json!([set[0]]);
    let turned = json!([set[1], set[0]]);
    for (id, own, approved) in [
        ("intn-03-narrowed", named(json!({})), document(&narrowed)),
        (
            "intn-03-in-another-order",
            named(json!({})),
            document(&turned),
        ),
        (
            "intn-03-of-another-issuer",
            named(json!({ "issuer": AS })),
            document(&set),
        ),
        (
            "intn-03-by-another-issuer",
            named(json!({})),
            with(&document(&set), json!({ "issuer": AS })),
        ),
        (
            "intn-03-without-its-digest",
            named(json!({ "authority_hash": null })),
            document(&set),
        ),
        ("intn-03-of-no-mission", json!({}), document(&set)),
    ] {
        file.refuse(id, near, "intent_mismatch", &held(own, approved));
    }
    let goal = json!({ "goal": "Reconcile Q3 invoices", "resources": ["https://erp.example.com"],
                       "expires_at": "2026-12-31T23:59:59Z" });
    let intent = |hash: &str| json!({ "intent": { "id": "i1", "issuer": issuer, "hash": hash } });
    let document = json!({ "issuer": issuer, "intent": goal });
    let anchor = "sha-256:6mIFoCz79uCHNzKLfBpBwqFjoFXdpmpuc65486IqimQ";
    let near = "intn-03-the-intent";
    file.accept(near, &held(intent(anchor), document.clone()), asserted());
    let other = held(intent(&digest(7)), document);
    file.refuse("intn-03-another-intent", near, "intent_mismatch", &other);
    // The set bounds what is done (INTN-04).
    let asked = |action: &str| {
        let operation = json!({ "resource": "https://erp.example.com", "action": action });
        let set = json!({ "issuer": issuer, "authority_set": set });
        with(
            &held(named(json!({})), set),
            json!({ "operation": operation }),
        )
    };
    let near = "intn-04-within-the-set";
    file.accept(near, &asked("invoices.read"), asserted());
    for (id, action) in [
        ("intn-04-beyond-the-set", "invoices.write"),
        // An amount is a constraint that an operation cannot tell of.
        (
            "intn-04-within-an-entry-with-an-amount",
            "journal-entries.write",
        ),
    ] {
        file.refuse(id, near, "operation_denied", &asked(action));
    }
}

fn bundles(file: &mut File) {
    let mismatch = "intent_mismatch";
    let two = |child: Value, parent: Value| request(&here(child), &[root(parent)]);
    let mission = |id: &str, issuer: &str, hash: u8| json!({ "mission": { "id": id, "issuer": issuer, "authority_hash": digest(hash) } });
    let m1 = || mission("m1", AS, 7);
    let near = "s6-one-mission";
    file.accept(near, &two(m1(), m1()), proven());
    let other = two(mission("m2", AS, 7), m1());
    file.refuse("s6-another-mission", near, mismatch, &other);
    let issuer = two(mission("m1", OTHER, 7), m1());
    file.refuse("c02-namesake-of-another-issuer", near, mismatch, &issuer);
    let hash = two(mission("m1", AS, 8), m1());
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
    let kinds = two(json!({ "acti": "w1" }), mission("m1", AS, 7));
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
        (
            "c03-an-intent",
            json!({ "intent": { "id": "i1", "issuer": AS } }),
        ),
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
    let elsewhere = json!({ "task": { "id": "i1", "issuer": AS } });
    file.refuse(
        "c03-none-where-it-is-looked-for",
        near,
        mismatch,
        &needed(elsewhere.clone()),
    );
    let parents = gate(&two(json!({}), m1()), json!({ "require_intent": true }));
    file.refuse("c03-only-that-before", near, mismatch, &parents);
    let said_twice = json!({ "intent": { "id": "i1", "issuer": AS }, "intent_id": "i2" });
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
