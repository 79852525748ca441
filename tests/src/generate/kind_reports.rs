//! Kinds that nobody presents for themselves, but that tell of something: events, lists of
//! statuses, introspection, cards (standards 11, 16, 17, 20).

use serde_json::{Value, json};

use super::kind_rules::{Lines, optional_issuer};
use super::{File, T, canonical, token, with};

/// SET-04, SET-05.
pub(super) fn set(file: &mut File) {
    let mut lines = Lines::of("set", file);
    let revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    let changed = "https://schemas.openid.net/secevent/caep/event-type/credential-change";
    for (number, events) in [
        json!({}),
        json!({ revoked: {}, changed: {} }),
        json!({ revoked: [] }),
        json!({ revoked: null }),
    ]
    .into_iter()
    .enumerate()
    {
        lines.refuse_replaced(
            &format!("events-malformed-{number}"),
            "claim_type",
            "events",
            events,
        );
    }
    let user = json!({ "format": "opaque", "id": "u1" });
    for (number, subject) in [
        user.clone(),
        json!({ "format": "email", "email": "u1@example.com" }),
        json!({ "format": "account", "uri": "acct:u1@example.com" }),
        json!({ "format": "phone_number", "phone_number": "+12065550100" }),
        json!({ "format": "did", "url": "did:example:123456" }),
        json!({ "format": "uri", "uri": "urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042f" }),
        json!({ "format": "jwt_id", "iss": "https://as.example", "jti": "j1" }),
        json!({ "format": "saml_assertion_id", "issuer": "https://as.example", "assertion_id": "a1" }),
        json!({ "format": "ip-addresses", "ip-addresses": ["192.0.2.1"] }),
        json!({ "format": "aliases", "identifiers": [user, { "format": "email", "email": "a@example.com" }] }),
        json!({ "format": "complex", "user": user, "device": { "format": "opaque", "id": "d1" } }),
    ]
    .into_iter()
    .enumerate()
    {
        lines.accept_replaced(&format!("subject-{number}"), "sub_id", subject);
    }
    for (number, subject) in [
        json!({}),
        json!({ "id": "u1" }),
        json!({ "format": 1, "id": "u1" }),
        json!({ "format": "agent", "id": "u1" }),
        json!({ "format": "opaque" }),
        json!({ "format": "opaque", "id": "" }),
        json!({ "format": "iss_sub", "iss": "https://as.example" }),
        json!({ "format": "iss_sub", "sub": "u1" }),
        json!({ "format": "ip-addresses", "ip-addresses": [] }),
        json!({ "format": "aliases", "identifiers": [] }),
        json!({ "format": "aliases", "identifiers": [{ "format": "aliases", "identifiers": [user] }] }),
        json!({ "format": "complex" }),
        json!({ "format": "complex", "user": { "format": "opaque" } }),
        json!({ "format": "complex", "user": user, "device": "d1" }),
        json!({ "format": "complex", "user": { "format": "complex", "user": user } }),
    ]
    .into_iter()
    .enumerate()
    {
        lines.refuse_replaced(&format!("subject-malformed-{number}"), "claim_type", "sub_id", subject);
    }
    lines.accept("time-of-the-event", json!({ "toe": T - 60 }), json!({}));
    lines.refuse(
        "time-of-the-event-malformed",
        "claim_type",
        json!({ "toe": "now" }),
    );
}

/// TSL-05, TSL-07.
pub(super) fn status_list_token(file: &mut File) {
    let mut lines = Lines::of("status_list_token", file);
    optional_issuer(&mut lines);
    for bits in [1, 2, 4, 8] {
        lines.accept(
            &format!("bits-{bits}"),
            json!({ "status_list": { "bits": bits } }),
            json!({}),
        );
    }
    for (number, bits) in [json!(0), json!(3), json!(16), json!("1"), json!(1.5)]
        .into_iter()
        .enumerate()
    {
        let claims = json!({ "status_list": { "bits": bits } });
        lines.refuse(&format!("bits-malformed-{number}"), "claim_type", claims);
    }
    for (number, lst) in [json!(""), json!("eNrbuRgAAhcBXQ=="), json!("+"), json!(1)]
        .into_iter()
        .enumerate()
    {
        let claims = json!({ "status_list": { "lst": lst } });
        lines.refuse(&format!("list-malformed-{number}"), "claim_type", claims);
    }
    lines.refuse(
        "list-without-bits",
        "claim_type",
        json!({ "status_list": { "bits": null } }),
    );
    lines.accept("no-ttl", json!({ "ttl": null }), json!({}));
    lines.refuse("ttl-of-nothing", "claim_type", json!({ "ttl": 0 }));
    // Without an end of its own, its age is the gate's to cap.
    let late = json!({ "now": T + 1_000_000 });
    let endless = lines.request(json!({ "exp": null }), json!({}));
    lines.file.accept(
        "status_list_token/no-end",
        &with(&endless, late.clone()),
        json!({}),
    );
    let policy = json!({ "gates": { "g": { "max_age": "1d" } } });
    let old = with(&lines.request(json!({ "exp": null }), policy), late);
    let (id, near) = (
        "status_list_token/too-old-for-the-gate",
        "status_list_token/no-end",
    );
    lines.file.refuse(id, near, "too_old", &old);
}

/// INT-01, INT-02.
pub(super) fn introspection_response(file: &mut File) {
    let mut lines = Lines::of("introspection_response", file);
    let told = |members: Value| json!({ "token_introspection": members });
    lines.refuse("inactive", "inactive", told(json!({ "active": false })));
    // Whatever else it says.
    lines.refuse(
        "inactive-and-malformed",
        "inactive",
        told(json!({ "active": false, "exp": "x" })),
    );
    for (number, active) in [json!(null), json!("true"), json!(1)]
        .into_iter()
        .enumerate()
    {
        let mut members = lines.kind.claims()["token_introspection"].clone();
        members["active"] = active;
        let label = format!("active-malformed-{number}");
        lines.refuse_replaced(&label, "claim_type", "token_introspection", members);
    }
    lines.refuse(
        "active-absent",
        "claim_type",
        told(json!({ "active": null })),
    );
    lines.accept("ends-soon", told(json!({ "exp": T - 29 })), json!({}));
    let over = told(json!({ "exp": T - 30 }));
    lines.refuse_near("over", "ends-soon", "expired", over, json!({}));
    lines.accept("no-end", told(json!({ "exp": null })), json!({}));
    lines.accept("begins-now", told(json!({ "nbf": T + 30 })), json!({}));
    let early = told(json!({ "nbf": T + 31 }));
    lines.refuse_near("not-begun", "begins-now", "not_yet_valid", early, json!({}));
    lines.accept(
        "token-for-us",
        told(json!({ "aud": ["https://rs.example", "x"] })),
        json!({}),
    );
    let other = told(json!({ "aud": "https://other.example" }));
    lines.refuse_near(
        "token-for-another",
        "token-for-us",
        "aud_mismatch",
        other,
        json!({}),
    );
    for (name, value) in [
        ("exp", json!("1800000300")),
        ("iat", json!(-1)),
        ("scope", json!(["a"])),
        ("client_id", json!("")),
        ("sub", json!(1)),
        ("aud", json!([])),
        ("cnf", json!("x")),
    ] {
        let label = format!("token-{name}-malformed");
        lines.refuse(&label, "claim_type", told(json!({ name: value })));
    }
}

/// A2A-02.
pub(super) fn agent_card(file: &mut File) {
    let mut lines = Lines::of("agent_card", file);
    let (kind, key) = (lines.kind, lines.kind.key());
    let head = format!("{{\"alg\":\"{}\"}}", kind.alg);
    let nameless = kind.request(&token(&key, &head, &canonical(&kind.claims())));
    lines.file.refuse(
        "agent_card/without-kid",
        "agent_card/good",
        "missing_claim",
        &nameless,
    );
    let card = json!({
        "description": "Forecasts", "capabilities": { "streaming": true },
        "skills": [{ "id": "forecast", "name": "Forecast", "tags": ["weather"] }],
        "supportedInterfaces": [{ "url": "https://weather.example/a2a", "protocolBinding": "JSONRPC" }],
    });
    lines.accept("whole-card", card, json!({}));
}
