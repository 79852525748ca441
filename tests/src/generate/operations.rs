//! What a call is about to do lies within all that bounds it (CD-05, INTN-04, AAT-07).

use serde_json::{Value, json};

use super::act::AS;
use super::chains::{here, proven, request, root, table};
use super::{File, with};

pub(super) fn lines() -> String {
    let mut file = File::default();
    bounded(&mut file);
    details(&mut file);
    file.lines
}

/// RAR-01 to RAR-06: what `authorization_details` must be, and which of them applies here.
fn details(file: &mut File) {
    let alone = |own: Value| request(&here(json!({ "authorization_details": own })), &[]);
    let asked = |own: Value| {
        let operation = json!({ "resource": "a1", "action": "read" });
        with(&alone(json!([own])), json!({ "operation": operation }))
    };
    let asserted = || json!({ "lineage": "asserted" });
    let entry = |more: Value| with(&json!({ "type": "account", "actions": ["read"] }), more);
    let near = "rar/good";
    file.accept(near, &alone(json!([entry(json!({}))])), asserted());
    for (id, own) in [
        ("rar-01-an-object", entry(json!({}))),
        ("rar-01-a-text", json!("account")),
        ("rar-01-of-texts", json!(["account"])),
        (
            "rar-01-without-a-type",
            json!([entry(json!({ "type": null }))]),
        ),
        (
            "rar-01-of-an-empty-type",
            json!([entry(json!({ "type": "" }))]),
        ),
        (
            "rar-01-of-a-type-that-is-a-number",
            json!([entry(json!({ "type": 1 }))]),
        ),
    ] {
        file.refuse(id, near, "malformed_token", &alone(own));
    }
    for (id, more) in [
        (
            "rar-03-actions-that-are-a-text",
            json!({ "actions": "read" }),
        ),
        (
            "rar-03-locations-with-a-number",
            json!({ "locations": ["x", 1] }),
        ),
        (
            "rar-03-datatypes-that-are-an-object",
            json!({ "datatypes": {} }),
        ),
        (
            "rar-03-privileges-that-are-a-flag",
            json!({ "privileges": true }),
        ),
        (
            "rar-03-identifier-that-is-a-list",
            json!({ "identifier": ["a1"] }),
        ),
    ] {
        file.refuse(id, near, "claim_type", &alone(json!([entry(more)])));
    }
    let near = "rar-05-by-one-entry";
    file.accept(
        near,
        &asked(entry(json!({ "identifier": "a1" }))),
        asserted(),
    );
    let denied = "operation_denied";
    let spread = alone(json!([
        entry(json!({ "identifier": "a2" })),
        { "type": "account", "actions": ["close"], "identifier": "a1" },
    ]));
    let spread = with(
        &spread,
        json!({ "operation": { "resource": "a1", "action": "read" } }),
    );
    file.refuse("rar-05-by-two-entries", near, denied, &spread);
    let at = |locations: Value| asked(entry(json!({ "locations": locations })));
    let (ours, other) = ("https://rs.example/mcp", "https://other.example");
    let near = "rar-04-at-the-resource";
    file.accept(near, &at(json!(["a1"])), asserted());
    file.accept(
        "rar-04-at-the-resource-among-others",
        &at(json!([other, "a1"])),
        asserted(),
    );
    file.refuse("rar-04-elsewhere", near, denied, &at(json!([other])));
    file.refuse("rar-04-nowhere", near, denied, &at(json!([])));
    file.refuse(
        "rar-04-here-without-the-resource",
        near,
        denied,
        &at(json!([ours])),
    );
    let kept = |place: &str| asked(entry(json!({ "identifier": "a1", "locations": [place] })));
    file.accept("rar-04-named-and-here", &kept(ours), asserted());
    file.refuse(
        "rar-04-named-and-elsewhere",
        "rar-04-named-and-here",
        denied,
        &kept(other),
    );
    // RAR-02 and RAR-06: what nobody here can read permits nothing.
    let near = "rar-04-named-and-here";
    let unknown = asked(json!({ "type": "unheard-of" }));
    file.refuse("rar-02-of-an-unknown-type", near, denied, &unknown);
    let limited = asked(entry(
        json!({ "identifier": "a1", "locations": [ours], "limit": "5.00" }),
    ));
    file.refuse("rar-06-with-an-unknown-member", near, denied, &limited);
    every_dimension(file);
}

/// RAR-02, RAR-05: whatever an operation names, the entry names too. An entry that is for this
/// server and says no more names nothing that is done there.
fn every_dimension(file: &mut File) {
    let ours = "https://rs.example/mcp";
    let asked = |claim: Value, operation: Value| {
        with(
            &request(&here(claim), &[]),
            json!({ "operation": operation }),
        )
    };
    let granted = |own: Value| json!({ "authorization_details": [own] });
    let bounds = |own: Value| json!({ "intent": { "id": "i1", "issuer": AS, "bounds": [own] } });
    let asserted = || json!({ "lineage": "asserted" });
    let denied = "operation_denied";
    let calendar = || json!({ "type": "calendar", "locations": [ours] });
    for (within, claim) in [
        ("details", &granted as &dyn Fn(Value) -> Value),
        ("bounds", &bounds),
    ] {
        let near = format!("rar-05-{within}-name-this-server-and-it-is-the-resource");
        file.accept(
            &near,
            &asked(claim(calendar()), json!({ "resource": ours })),
            asserted(),
        );
        for (name, operation) in [
            ("a-tool", json!({ "tool": "rm_rf" })),
            ("an-action", json!({ "action": "transfer_money" })),
            ("a-resource", json!({ "resource": "vault-7" })),
            (
                "a-resource-and-an-action",
                json!({ "resource": "vault-7", "action": "delete" }),
            ),
            (
                "another-server",
                json!({ "resource": "https://elsewhere.example", "action": "x" }),
            ),
        ] {
            file.refuse(
                &format!("rar-02-{within}-for-this-server-alone-and-{name}"),
                &near,
                denied,
                &asked(claim(calendar()), operation),
            );
        }
    }
    let account = |more: Value| with(&json!({ "type": "account" }), more);
    let tools = |tools: Value| json!({ "type": "attenuating_agent_token", "tools": tools });
    let mission = |more: Value| {
        with(
            &json!({ "type": "mission_resource_access", "resource": "/pay" }),
            more,
        )
    };
    for (name, own, near, beyond) in [
        (
            "an-action-and-no-tool",
            account(json!({ "actions": ["read"] })),
            json!({ "action": "read" }),
            json!({ "tool": "rm_rf", "action": "read" }),
        ),
        (
            "an-action-and-no-resource",
            account(json!({ "actions": ["read"], "locations": [ours] })),
            json!({ "action": "read" }),
            json!({ "resource": "vault-7", "action": "read" }),
        ),
        (
            "a-resource-and-no-action",
            account(json!({ "identifier": "a1" })),
            json!({ "resource": "a1" }),
            json!({ "resource": "a1", "action": "delete" }),
        ),
        (
            "a-tool-and-no-resource",
            tools(json!({ "list": {} })),
            json!({ "tool": "list" }),
            json!({ "tool": "list", "resource": "vault-7" }),
        ),
        (
            "a-tool-and-no-action",
            tools(json!({ "list": {} })),
            json!({ "tool": "list" }),
            json!({ "tool": "list", "action": "delete" }),
        ),
        (
            "a-mission-without-actions",
            mission(json!({})),
            json!({ "resource": "/pay" }),
            json!({ "resource": "/pay", "action": "delete" }),
        ),
        (
            "a-mission-without-tools",
            mission(json!({ "actions": ["read"] })),
            json!({ "resource": "/pay", "action": "read" }),
            json!({ "resource": "/pay", "action": "read", "tool": "rm_rf" }),
        ),
        (
            "a-mission-without-its-tool",
            mission(json!({ "constraints": { "allowed_tools": ["pay"] } })),
            json!({ "resource": "/pay", "tool": "pay" }),
            json!({ "resource": "/pay", "tool": "rm_rf" }),
        ),
    ] {
        let good = format!("rar-05-{name}-as-far-as-named");
        let claim = granted(own);
        file.accept(&good, &asked(claim.clone(), near), asserted());
        let id = format!("rar-05-{name}");
        file.refuse(&id, &good, denied, &asked(claim, beyond));
    }
}

fn bounded(file: &mut File) {
    let denied = "operation_denied";
    let asked =
        |request: &Value, operation: Value| with(request, json!({ "operation": operation }));
    let asserted = || json!({ "lineage": "asserted" });
    let alone = |own: Value| request(&here(own), &[]);
    let read = || json!({ "tool": "read_file" });
    let plain = asked(&alone(json!({})), read());
    file.accept("operation/bounded-by-nothing", &plain, asserted());
    let scoped = |scope: &str| {
        asked(
            &alone(json!({})),
            json!({ "tool": "read_file", "scope": scope }),
        )
    };
    file.accept("operation/has-its-scope", &scoped("a"), asserted());
    let near = "operation/has-its-scope";
    file.refuse(
        "operation/lacks-its-scope",
        near,
        "insufficient_scope",
        &scoped("c"),
    );
    for (id, operation) in [
        ("operation/tells-nothing", json!({})),
        ("operation/tells-an-empty-text", json!({ "tool": "" })),
        (
            "operation/needs-two-scopes-in-one",
            json!({ "scope": "a b" }),
        ),
    ] {
        file.refuse(id, near, "usage", &asked(&alone(json!({})), operation));
    }

    let tools = |tools: Value| json!([{ "type": "attenuating_agent_token", "tools": tools }]);
    let granted = |details: Value| json!({ "authorization_details": details });
    let own = granted(tools(json!({ "read_file": {}, "list": {} })));
    let near = "operation/a-tool-of-the-token";
    file.accept(near, &asked(&alone(own.clone()), read()), asserted());
    for (id, details, operation) in [
        (
            "operation/another-tool",
            tools(json!({ "list": {} })),
            read(),
        ),
        (
            "operation/no-tool",
            tools(json!({ "read_file": {} })),
            json!({ "action": "read_file" }),
        ),
        ("operation/nothing-granted", json!([]), read()),
        (
            "operation/a-tool-with-bound-arguments",
            tools(json!({ "read_file": { "path": { "constraint_type": "wildcard" } } })),
            read(),
        ),
    ] {
        file.refuse(
            id,
            near,
            denied,
            &asked(&alone(granted(details)), operation),
        );
    }
    // A tool whose arguments are bound is permitted with exactly those (AAT-07).
    let bound = tools(json!({ "pay": {
        "to": { "constraint_type": "one_of", "values": ["a", "b"] },
        "amount": { "constraint_type": "range", "min": 0, "max": 100, "min_inclusive": false },
        "tags": { "constraint_type": "subset", "allowed": ["x", "y"] },
    } }));
    let called = |arguments: Value| {
        let operation = json!({ "tool": "pay", "arguments": arguments });
        asked(&alone(granted(bound.clone())), operation)
    };
    let good = json!({ "to": "a", "amount": 100, "tags": [] });
    let near = "aat-07-arguments-within-their-constraints";
    file.accept(near, &called(good.clone()), asserted());
    for (id, more) in [
        ("aat-07-an-argument-beyond", json!({ "to": "c" })),
        ("aat-07-an-amount-at-an-open-end", json!({ "amount": 0 })),
        ("aat-07-an-amount-that-is-a-text", json!({ "amount": "1" })),
        ("aat-07-a-list-with-one-more", json!({ "tags": ["x", "z"] })),
        ("aat-07-an-argument-missing", json!({ "to": null })),
        ("aat-07-an-argument-more", json!({ "memo": "x" })),
    ] {
        file.refuse(id, near, denied, &called(with(&good, more)));
    }
    let untold = asked(&alone(granted(bound.clone())), json!({ "tool": "pay" }));
    file.refuse("aat-07-no-arguments-told", near, denied, &untold);
    file.refuse(
        "aat-07-arguments-that-are-a-list",
        near,
        "usage",
        &called(json!(["a"])),
    );
    let toolless = asked(
        &alone(json!({})),
        json!({ "action": "pay", "arguments": good }),
    );
    file.refuse("aat-07-arguments-of-no-tool", near, "usage", &toolless);
    for (id, constraint, near_value, value) in [
        (
            "not_one_of",
            json!({ "constraint_type": "not_one_of", "excluded": ["a"] }),
            json!("b"),
            json!("a"),
        ),
        (
            "contains",
            json!({ "constraint_type": "contains", "required": ["a"] }),
            json!(["a", "b"]),
            json!(["b"]),
        ),
        (
            "all",
            json!({ "constraint_type": "all", "constraints": [
                { "constraint_type": "range", "min": 1 }, { "constraint_type": "range", "max": 3 },
            ] }),
            json!(2.0),
            json!(4),
        ),
        (
            "any",
            json!({ "constraint_type": "any", "constraints": [
                { "constraint_type": "exact", "value": "a" }, { "constraint_type": "exact", "value": 1 },
            ] }),
            json!(1),
            json!("b"),
        ),
        (
            "exact",
            json!({ "constraint_type": "exact", "value": { "a": [1, null] } }),
            json!({ "a": [1.0, null] }),
            json!({ "a": [null, 1] }),
        ),
    ] {
        let call = |value: Value| {
            let details = tools(json!({ "t": { "x": constraint } }));
            let operation = json!({ "tool": "t", "arguments": { "x": value } });
            asked(&alone(granted(details)), operation)
        };
        let near = format!("aat-07-{id}-allows");
        file.accept(&near, &call(near_value), asserted());
        file.refuse(&format!("aat-07-{id}-denies"), &near, denied, &call(value));
    }
    let unknown = tools(json!({ "t": { "x": { "constraint_type": "regex", "value": ".*" } } }));
    let operation = json!({ "tool": "t", "arguments": { "x": "a" } });
    let unknown = asked(&alone(granted(unknown)), operation);
    file.refuse("aat-07-an-unknown-constraint", near, denied, &unknown);

    let accounts = json!([
        { "type": "account", "actions": ["read"], "identifier": "a1" },
        { "type": "account", "actions": ["write"], "identifier": "a2" },
    ]);
    let account = |resource: &str, action: &str| {
        let operation = json!({ "resource": resource, "action": action });
        asked(&alone(granted(accounts.clone())), operation)
    };
    file.accept(
        "operation/of-one-entry",
        &account("a2", "write"),
        asserted(),
    );
    file.refuse(
        "operation/of-two-entries-together",
        "operation/of-one-entry",
        denied,
        &account("a1", "write"),
    );

    // The intent that was approved bounds it too, whichever token of the request says so.
    let intent = |bounds: Value| {
        with(
            &own,
            json!({ "intent": { "id": "i1", "issuer": AS, "bounds": bounds } }),
        )
    };
    let wide = tools(json!({ "read_file": {}, "list": {} }));
    let narrow = tools(json!({ "list": {} }));
    let near = "c05-a-tool-of-token-and-intent";
    file.accept(
        near,
        &asked(&alone(intent(wide.clone())), read()),
        asserted(),
    );
    let beyond = asked(&alone(intent(narrow.clone())), read());
    file.refuse("c05-a-tool-of-the-token-alone", near, denied, &beyond);
    let unreadable = asked(&alone(intent(json!("all"))), read());
    file.refuse("c05-bounds-that-are-a-text", near, denied, &unreadable);
    let earlier = |bounds: Value| {
        let leaf = here(with(&own, json!({ "intent_id": "i1" })));
        asked(&request(&leaf, &[root(intent(bounds))]), read())
    };
    file.accept("c05-within-the-bounds-before", &earlier(wide), proven());
    let near = "c05-within-the-bounds-before";
    file.refuse(
        "c05-beyond-the-bounds-before",
        near,
        denied,
        &earlier(narrow),
    );

    // A rule that lets an agent act by some tools.
    let by = |tools: Value, operation: Value| {
        let rule = json!([{ "actor": { "iss": AS }, "tool": tools }]);
        let request = table(&alone(json!({})), json!({ "allow": rule }));
        if operation.is_null() {
            request
        } else {
            asked(&request, operation)
        }
    };
    file.accept(
        "tool/one-of-the-rules",
        &by(json!(["list", "read_file"]), read()),
        asserted(),
    );
    let near = "tool/one-of-the-rules";
    file.refuse(
        "tool/none-of-the-rules",
        near,
        denied,
        &by(json!("list"), read()),
    );
    let untold = by(json!("list"), json!({ "action": "list" }));
    file.refuse("tool/not-told", near, denied, &untold);
    file.accept(
        "tool/not-asked-yet",
        &by(json!("list"), Value::Null),
        asserted(),
    );
    let nobody = |more: Value| {
        let leaf = with(&here(json!({})), json!({ "act": null }));
        let rule = json!([{ "actor": { "iss": AS }, "tool": more }]);
        asked(
            &table(&request(&leaf, &[]), json!({ "allow": rule })),
            read(),
        )
    };
    let direct = json!({ "lineage": "none" });
    file.accept("tool/without-an-agent", &nobody(json!("list")), direct);
}
