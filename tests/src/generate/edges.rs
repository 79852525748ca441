//! Edges between tokens of different kinds (standards 30.5): a mission and the access token that
//! was issued under it, one AAuth token and the next; and tokens that nothing but a task ties
//! together.

use serde_json::{Value, json};

use super::act::AS;
use super::chains::{access, carrying, here, proven, table};
use super::{File, Kind, T, canonical, header, token, with};
use crate::workshop::{Key, b64u};

pub(super) fn lines() -> String {
    let mut file = File::default();
    missions(&mut file);
    authority(&mut file);
    sub_agents(&mut file);
    calls(&mut file);
    correlated(&mut file);
    file.lines
}

const BROKEN: &str = "chain_link_broken";
const INTENT: &str = "intent_mismatch";

fn hash(byte: u8) -> String {
    format!("sha-256:{}", b64u([byte; 32]))
}

/// What identifies the mission.
fn mission() -> Value {
    json!({ "id": "m1", "issuer": AS, "authority_hash": hash(7) })
}

fn entry(more: Value) -> Value {
    let plain = json!({ "type": "mission_resource_access", "resource": "https://erp.example",
                        "actions": ["invoices.*"] });
    with(&plain, more)
}

/// The mission's token, with more members of the mission.
fn approved(more: Value) -> Value {
    let own = json!({ "iat": T - 20, "mission": { "expires_at": "2027-01-15T09:00:00Z" } });
    let plain = with(&Kind::named("intent_token").claims(), own);
    let plain = with(&plain, json!({ "mission": mission() }));
    with(&plain, json!({ "mission": more }))
}

/// What `agent-a` got under it.
fn under(more: Value) -> Value {
    with(&here(json!({ "mission": mission() })), more)
}

/// A request with this token and its mission.
fn carried(leaf: &Value, approved: &Value) -> Value {
    let kind = Kind::named("intent_token");
    let further = json!({ "kind": "intent_token", "token": kind.token(approved) });
    let context = json!({ "access_token": null, "intent_token": { "typ": kind.typ } });
    let policy = json!({
        "issuers": { "as": { "profiles": ["access_token", "intent_token"] } },
        "gates": { "g": { "context": context } },
    });
    let request = carrying(&access().token(leaf), &[further]);
    with(&request, json!({ "policy": policy }))
}

fn missions(file: &mut File) {
    let of = |leaf: Value, more: Value| carried(&under(leaf), &approved(more));
    let near = "mission/issued-under-it";
    let none = || json!({});
    file.accept(near, &of(none(), none()), proven());
    for (id, leaf) in [
        ("mission/another", json!({ "mission": { "id": "m2" } })),
        (
            "mission/namesake-of-another-issuer",
            json!({ "mission": { "issuer": "https://other.example" } }),
        ),
        (
            "mission/approved-anew",
            json!({ "mission": { "authority_hash": hash(8) } }),
        ),
        (
            "mission/without-its-hash",
            json!({ "mission": { "authority_hash": null } }),
        ),
        ("mission/none-named", json!({ "mission": null })),
    ] {
        file.refuse(id, near, INTENT, &of(leaf, none()));
    }
    let subject = of(json!({ "sub": "u2" }), none());
    file.refuse("mission/another-subject", near, "subject_changed", &subject);
    // The mission's end, and not that of its token: 2027-01-15T08:05:00Z.
    let ends = |end: i64| {
        let leaf = json!({ "exp": T + end });
        of(leaf, json!({ "expires_at": "2027-01-15T08:05:00Z" }))
    };
    file.accept("mission/ends-with-it", &ends(300), proven());
    let near_end = "mission/ends-with-it";
    file.refuse(
        "mission/outlives-it",
        near_end,
        "attenuation_time",
        &ends(301),
    );
    let endless = |end: i64| of(json!({ "exp": T + end }), json!({ "expires_at": null }));
    file.accept("mission/ends-with-its-token", &endless(300), proven());
    file.refuse(
        "mission/outlives-its-token",
        "mission/ends-with-its-token",
        "attenuation_time",
        &endless(301),
    );
    let aimed = |aud: &str| {
        carried(
            &under(none()),
            &with(&approved(none()), json!({ "aud": aud })),
        )
    };
    file.accept("mission/used-by-the-actor", &aimed("agent-a"), proven());
    file.refuse(
        "mission/used-by-another",
        "mission/used-by-the-actor",
        "attenuation_audience",
        &aimed("agent-b"),
    );
    let undated = carried(
        &under(none()),
        &with(&approved(none()), json!({ "iat": null })),
    );
    file.refuse("mission/without-iat", near, "missing_claim", &undated);
    let untyped = with(
        &of(none(), none()),
        json!({ "policy": { "gates": { "g": { "context": { "intent_token": { "typ": "else+jwt" } } } } } }),
    );
    file.refuse("mission/of-another-typ", near, "typ_mismatch", &untyped);
    let least = |request: &Value| table(request, json!({ "min_lineage": "issuer_attested" }));
    file.accept("mission/is-lineage", &least(&of(none(), none())), proven());
}

/// Each entry of the token lies within one of the mission's (ATN-09).
fn authority(file: &mut File) {
    let of = |own: Value, granted: Value| {
        let leaf = under(json!({ "authorization_details": [entry(own)] }));
        carried(&leaf, &approved(json!({ "bounds": [entry(granted)] })))
    };
    let details = "attenuation_details";
    let near = "mission/within-what-was-approved";
    let read = || json!({ "actions": ["invoices.read"] });
    file.accept(near, &of(read(), json!({})), proven());
    for (id, own) in [
        (
            "mission/another-action",
            json!({ "actions": ["journals.write"] }),
        ),
        (
            "mission/another-resource",
            json!({ "resource": "https://crm.example" }),
        ),
        ("mission/every-action", json!({ "actions": null })),
    ] {
        file.refuse(id, near, details, &of(own, json!({})));
    }
    let unknown = carried(
        &under(json!({ "authorization_details": [entry(read())] })),
        &approved(json!({})),
    );
    file.accept("mission/of-which-the-hash-is-known", &unknown, proven());
    let nothing = carried(
        &under(json!({ "authorization_details": [entry(read())] })),
        &approved(json!({ "bounds": [] })),
    );
    file.refuse(
        "mission/of-which-nothing-was-approved",
        near,
        details,
        &nothing,
    );
    let amount = |amount: &str, currency: &str| json!({ "constraints": { "max_amount": { "amount": amount, "currency": currency } } });
    let limit = || amount("500.00", "USD");
    let near = "p26-mission-the-same-amount";
    file.accept(near, &of(amount("500", "USD"), limit()), proven());
    for (id, own) in [
        ("p26-mission-more", amount("500.01", "USD")),
        ("p26-mission-with-an-exponent", amount("5e2", "USD")),
        ("p26-mission-of-another-currency", amount("1", "EUR")),
        ("p26-mission-without-a-limit", json!({})),
    ] {
        file.refuse(id, near, details, &of(own, limit()));
    }
    let window = |from: &str, to: &str| json!({ "constraints": { "time_window": { "not_before": from, "not_after": to } } });
    let day = || window("2027-01-15T00:00:00Z", "2027-01-16T00:00:00Z");
    let near = "mission/within-the-window";
    let inner = window("2027-01-15T01:00:00.5Z", "2027-01-16T01:00:00+01:00");
    file.accept(near, &of(inner, day()), proven());
    let wider = window("2027-01-15T00:00:00Z", "2027-01-16T00:00:00.5Z");
    file.refuse(
        "mission/beyond-the-window",
        near,
        details,
        &of(wider, day()),
    );
    let passed_on = |depth: i64| json!({ "delegation": { "max_depth": depth } });
    let near = "mission/passed-on-less-far";
    file.accept(near, &of(passed_on(1), passed_on(2)), proven());
    let further = of(passed_on(3), passed_on(2));
    file.refuse("mission/passed-on-further", near, details, &further);
}

const PROVIDER: &str = "https://vendor.example";
const PERSON: &str = "https://ps.example";

fn key() -> Key {
    Key::seeded("Ed25519", "k1")
}

/// A request with two AAuth tokens of this type, the second of which comes out of the first.
fn aauth(typ: &str, iss: &str, before: &Value, own: &Value) -> Value {
    let sign = |claims: &Value| {
        let key = key();
        token(&key, &header(&key, Some(typ)), &canonical(claims))
    };
    let policy = json!({
        "version": 1,
        "cache": { "tokens": 100 },
        "issuers": { "as": {
            "issuer": iss, "jwks": { "keys": [key().jwk] }, "algorithms": ["Ed25519"],
            "profiles": ["jwt_custom"], "legacy_eddsa": false,
        } },
        "gates": { "g": {
            "profile": "jwt_custom", "typ": typ, "audience": "https://rs.example",
            "issuers": ["as"], "sender_constrained": "external",
            "context": { "jwt_custom": { "typ": typ } },
        } },
    });
    let context = json!([{ "kind": "jwt_custom", "token": sign(before) }]);
    json!({ "op": "verify_request", "now": T, "method": "POST", "uri": "/x", "policy": policy,
            "headers": [["Authorization", format!("Bearer {}", sign(own))]], "context": context })
}

/// One agent's token and its sub-agent's.
fn sub_agents(file: &mut File) {
    let agent = |sub: &str, more: Value| {
        let plain = json!({ "iss": PROVIDER, "sub": sub, "aud": "https://rs.example", "jti": sub,
                            "iat": T - 10, "exp": T + 3600, "ps": PERSON });
        with(&plain, more)
    };
    let parent = || agent("aauth:planner@vendor.example", json!({}));
    let child = |more: Value| {
        let own = json!({ "iat": T, "parent_agent": "aauth:planner@vendor.example" });
        with(&agent("aauth:planner+search@vendor.example", own), more)
    };
    let of = |before: &Value, own: &Value| aauth("aa-agent+jwt", PROVIDER, before, own);
    let near = "aauth/a-sub-agent";
    let none = || json!({});
    file.accept(near, &of(&parent(), &child(none())), proven());
    for (id, before, own) in [
        (
            "aauth/a-sub-agent-of-another",
            parent(),
            child(json!({ "parent_agent": "aauth:other@vendor.example" })),
        ),
        (
            "aauth/a-sub-agent-of-a-sub-agent",
            with(
                &parent(),
                json!({ "parent_agent": "aauth:root@vendor.example" }),
            ),
            child(none()),
        ),
        (
            "aauth/a-parent-that-is-no-text",
            parent(),
            child(json!({ "parent_agent": 1 })),
        ),
        (
            "aauth/no-sub-agent-at-all",
            parent(),
            child(json!({ "parent_agent": null })),
        ),
    ] {
        file.refuse(id, near, BROKEN, &of(&before, &own));
    }
    let longer = of(&parent(), &child(json!({ "exp": T + 3601 })));
    file.refuse(
        "aauth/a-sub-agent-for-longer-than-an-hour",
        near,
        "lifetime_too_long",
        &longer,
    );
}

/// The auth token that a resource was called with, and the one it calls on with.
fn calls(file: &mut File) {
    let auth = |sub: &str, aud: &str, more: Value| {
        let plain = json!({ "iss": PERSON, "sub": sub, "aud": aud, "jti": sub, "iat": T - 10,
                            "exp": T + 600, "ps": PERSON, "scope": "trips.book",
                            "mission_s256": b64u([7; 32]) });
        with(&plain, more)
    };
    let upstream = |more: Value| auth("p-1", "https://trips.example", more);
    let downstream = |more: Value| {
        let own = json!({ "iat": T, "scope": "cards.charge" });
        with(&auth("p-2", "https://rs.example", own), more)
    };
    let of = |before: &Value, own: &Value| aauth("aa-auth+jwt", PERSON, before, own);
    let near = "aauth/the-next-call";
    let none = || json!({});
    let correlated = json!({ "lineage": "correlated", "subject": "p-2" });
    file.accept(
        near,
        &of(&upstream(none()), &downstream(none())),
        correlated,
    );
    for (id, code, own) in [
        (
            "aauth/of-another-mission",
            INTENT,
            json!({ "mission_s256": b64u([8; 32]) }),
        ),
        (
            "aauth/of-no-mission",
            INTENT,
            json!({ "mission_s256": null }),
        ),
        (
            "aauth/of-another-person-server",
            BROKEN,
            json!({ "ps": "https://other.example" }),
        ),
        ("aauth/of-no-person-server", BROKEN, json!({ "ps": null })),
        (
            "aauth/longer-than-an-hour",
            "lifetime_too_long",
            json!({ "exp": T + 3601 }),
        ),
    ] {
        file.refuse(id, near, code, &of(&upstream(none()), &downstream(own)));
    }
    let hour = of(&upstream(none()), &downstream(json!({ "exp": T + 3600 })));
    file.accept("aauth/an-hour", &hour, json!({ "lineage": "correlated" }));
    let bare = json!({ "mission_s256": null });
    let untied = of(&upstream(bare.clone()), &downstream(bare));
    file.refuse("aauth/tied-by-nothing", near, BROKEN, &untied);
    let expired = upstream(json!({ "iat": T - 600, "exp": T - 30 }));
    file.refuse(
        "aauth/expired-before-the-next-call",
        near,
        "expired",
        &of(&expired, &downstream(none())),
    );
    let strict = |scope: &str| {
        let own = downstream(json!({ "scope": scope }));
        let request = of(&upstream(none()), &own);
        let edges = json!({ "edges": { "aauth": { "scope": "strict_subset" } },
                            "allow": [{ "actor": { "iss": PERSON } }] });
        let policy =
            json!({ "delegation": { "t": edges }, "gates": { "g": { "delegation": "t" } } });
        with(&request, json!({ "policy": policy }))
    };
    let near = "aauth/scopes-compared";
    file.accept(
        near,
        &strict("trips.book"),
        json!({ "lineage": "correlated" }),
    );
    let beyond = strict("cards.charge");
    file.refuse("aauth/scopes-beyond", near, "attenuation_scope", &beyond);
}

/// Two access tokens of two issuers, with no grant between them.
fn correlated(file: &mut File) {
    let elsewhere = |more: Value| {
        let own = json!({ "iss": "https://other.example", "sub": "x", "aud": "agent-a", "iat": T - 5,
                          "client_id": "app", "scope": "z" });
        with(&with(&access().claims(), own), more)
    };
    let of = |own: Value, further: Value| {
        let further =
            json!({ "kind": "access_token", "token": access().token(&elsewhere(further)) });
        let issuer = with(
            &access().policy()["issuers"]["as"],
            json!({ "issuer": "https://other.example" }),
        );
        let request = carrying(&access().token(&here(own)), &[further]);
        with(
            &request,
            json!({ "policy": { "issuers": { "other": issuer } } }),
        )
    };
    let told = || json!({ "lineage": "correlated" });
    let workflow = || json!({ "acti": "w1" });
    let near = "correlated/by-a-workflow";
    file.accept(near, &of(workflow(), workflow()), told());
    let mission = || json!({ "mission": mission() });
    file.accept("correlated/by-a-mission", &of(mission(), mission()), told());
    let shared = |own: &str, further: &str| {
        let request = of(json!({ "txn": own }), json!({ "txn": further }));
        let named = json!({ "txn_namespace": "td.example" });
        with(
            &request,
            json!({ "policy": { "issuers": { "as": named, "other": named } } }),
        )
    };
    file.accept("correlated/by-a-transaction", &shared("x1", "x1"), told());
    // Two namespaces: the same text is not the same transaction.
    let apart = of(json!({ "txn": "x1" }), json!({ "txn": "x1" }));
    file.refuse(
        "correlated/by-namesakes-of-transactions",
        "correlated/by-a-transaction",
        BROKEN,
        &apart,
    );
    for (id, own, further) in [
        ("correlated/by-nothing", json!({}), json!({})),
        ("correlated/named-by-one-alone", workflow(), json!({})),
        (
            "correlated/of-two-kinds-of-tasks",
            json!({ "acti": "x" }),
            json!({ "intent_id": "x" }),
        ),
    ] {
        file.refuse(id, near, BROKEN, &of(own, further));
    }
    let over = of(
        workflow(),
        json!({ "acti": "w1", "iat": T - 400, "exp": T - 30 }),
    );
    file.refuse("correlated/expired-by-then", near, "expired", &over);
    let least = |least: &str| table(&of(workflow(), workflow()), json!({ "min_lineage": least }));
    file.accept("correlated/is-enough", &least("correlated"), told());
    file.refuse(
        "correlated/is-not-enough",
        "correlated/is-enough",
        BROKEN,
        &least("issuer_attested"),
    );
}
