//! Transaction tokens of requests: in their field, beside the identity of who calls, and beside an
//! access token (TXT-03, TXT-06, TXT-07; C01, C04, C09 of the catalogue).

use serde_json::{Value, json};

use super::chains::{access, carrying, here, table};
use super::proofs::{Call, ORIGIN, WORKLOAD, hash};
use super::{File, Kind, T, ways, with};

const FIELD: &str = "Txn-Token";

pub(super) fn lines() -> String {
    let mut file = File::default();
    field(&mut file);
    callers(&mut file);
    beside(&mut file);
    ways::lines(&mut file);
    file.lines
}

fn kind() -> &'static Kind {
    Kind::named("txn_token")
}

/// A request with these fields, at a gate for transaction tokens.
fn request(fields: &[(&str, &str)]) -> Value {
    let fields = fields.iter().map(|(name, value)| json!([name, value]));
    let fields: Vec<Value> = fields.collect();
    json!({ "op": "verify_request", "policy": kind().policy(), "now": T, "method": "POST",
            "uri": "/mcp", "headers": fields })
}

fn field(file: &mut File) {
    let token = kind().token(&kind().claims());
    let near = "field/its-own";
    let told = || json!({ "subject": "u1", "profile": "txn_token", "sender_constrained": null });
    file.accept(near, &request(&[(FIELD, &token)]), told());
    file.accept(
        "field/in-any-case",
        &request(&[("TXN-TOKEN", &token)]),
        told(),
    );
    let several = "multiple_credentials";
    for (id, code, fields) in [
        (
            "field/twice", // TXT-06
            several,
            vec![(FIELD, &*token), (FIELD, &token)],
        ),
        ("field/none", "no_token", vec![]),
        ("field/empty", "malformed_request", vec![(FIELD, "")]),
    ] {
        file.refuse(id, near, code, &request(&fields));
    }
    let list = format!("{token}, {token}");
    file.refuse("field/a-list", near, several, &request(&[(FIELD, &list)]));
    // TXT-07: it is nobody's access token.
    let bearer = format!("Bearer {token}");
    let authorization = request(&[("Authorization", &bearer)]);
    file.refuse("field/authorization", near, "no_token", &authorization);
    let at_access = json!({
        "op": "verify_request", "policy": access().policy(), "now": T, "method": "POST",
        "uri": "/mcp", "headers": [["Authorization", bearer]],
    });
    let good = format!("Bearer {}", access().token(&access().claims()));
    let near_access = "field/an-access-token";
    let with_good = with(&at_access, json!({ "headers": [["Authorization", good]] }));
    file.accept(near_access, &with_good, json!({ "subject": "u1" }));
    file.refuse(
        "field/as-an-access-token",
        near_access,
        "typ_mismatch",
        &at_access,
    );
    let bound = with(&kind().claims(), json!({ "cnf": { "jkt": hash("x") } }));
    let bound = kind().token(&bound);
    file.refuse(
        "field/bound",
        near,
        "pop_required",
        &request(&[(FIELD, &bound)]),
    );
}

/// Who calls is told by its own credential, whose proof covers the transaction token.
fn callers(file: &mut File) {
    let own = Kind::named("wit").policy()["issuers"]["as"].clone();
    let policy = with(
        &kind().policy(),
        json!({
            "issuers": { "td": own },
            "gates": { "g": {
                "public_url": ORIGIN, "delegation": "d", "context": { "wit": "required" },
            } },
            "delegation": { "d": {
                "presenter": "must_be_actor", "allow": [{ "actor": { "iss": kind().issuer } }],
            } },
            "replay": { "store": "process" },
        }),
    );
    let acting = |name: &str| {
        let act = json!({ "iss": kind().issuer, "sub": format!("wimse://td.example/{name}") });
        kind().token(&with(
            &kind().claims(),
            json!({ "iss": kind().issuer, "act": act }),
        ))
    };
    let call = |token: &str| {
        let call = Call::of(&WORKLOAD).field(FIELD, token);
        call.claims(json!({ "tth": hash(token) }))
    };
    let sent = |call: &Call| {
        let bare = with(&call.request(), json!({ "policy": null }));
        with(&bare, json!({ "policy": policy }))
    };
    let own = acting("agent-a");
    let near = "caller/is-the-actor";
    file.accept(near, &sent(&call(&own)), json!({ "subject": "u1" }));
    let other = sent(&call(&acting("agent-b")));
    file.refuse(
        "caller/is-another",
        near,
        "actor_presenter_mismatch",
        &other,
    );
    let alone = with(&sent(&call(&own)), json!({ "headers": [[FIELD, own]] }));
    file.refuse("caller/unknown", near, "no_token", &alone);
    let uncovered = sent(&call(&own).claims(json!({ "tth": null })));
    file.refuse("c04-uncovered", near, "pop_invalid", &uncovered);
    let stolen = sent(&call(&own).claims(json!({ "tth": hash(&acting("agent-b")) })));
    file.refuse("c04-of-another-token", near, "pop_invalid", &stolen);
    let access = access().token(&access().claims());
    let both = call(&own).field("Authorization", format!("Bearer {access}"));
    file.refuse(
        "c04-beside-an-access-token",
        near,
        "pop_invalid",
        &sent(&both),
    );
    let covered = both.claims(json!({ "ath": hash(&access) }));
    file.accept(
        "c04-all-covered",
        &sent(&covered),
        json!({ "subject": "u1" }),
    );
}

/// An access token and the transaction token of its request.
fn beside(file: &mut File) {
    let txn = |more: Value| kind().token(&with(&kind().claims(), more));
    let issuer = kind().policy()["issuers"]["as"].clone();
    let policy = json!({
        "issuers": { "tts": issuer },
        "gates": { "g": { "context": {
            "access_token": null, "txn_token": { "audience": "td.example" },
        } } },
    });
    let sent = |leaf: Value, token: &str| {
        let leaf = access().token(&here(leaf));
        let request = with(&carrying(&leaf, &[]), json!({ "policy": policy }));
        let fields = json!([["Authorization", format!("Bearer {leaf}")], [FIELD, token]]);
        with(&request, json!({ "headers": fields }))
    };
    let shared = |request: &Value| {
        let named = json!({ "txn_namespace": "td.example" });
        with(request, json!({ "policy": { "issuers": { "as": named } } }))
    };
    let of = |own: &str, beside: &str| sent(json!({ "txn": own }), &txn(json!({ "txn": beside })));
    let asserted = json!({ "lineage": "asserted" });
    let correlated = json!({ "lineage": "correlated" });
    let near = "c01-of-one-transaction";
    file.accept(near, &shared(&of("1", "1")), correlated.clone());
    file.refuse(
        "c01-of-two-transactions",
        near,
        "txn_mismatch",
        &shared(&of("1", "2")),
    );
    file.accept("c09-of-two-namespaces", &of("1", "2"), asserted.clone());
    file.accept(
        "c09-of-two-namespaces-alike",
        &of("1", "1"),
        asserted.clone(),
    );
    let intents = |own: &str| sent(json!({ "intent_id": own }), &txn(json!({})));
    file.accept("beside/of-one-intent", &intents("i1"), correlated.clone());
    file.refuse(
        "beside/of-two-intents",
        "beside/of-one-intent",
        "intent_mismatch",
        &intents("i2"),
    );
    let good = || txn(json!({}));
    file.accept(
        "beside/of-nothing-in-common",
        &sent(json!({}), &good()),
        asserted.clone(),
    );
    let near = "beside/of-nothing-in-common";
    let none = json!({});
    for (id, code, token) in [
        (
            "beside/expired",
            "expired",
            txn(json!({ "iat": T - 300, "exp": T - 30 })),
        ),
        (
            "beside/of-the-future",
            "issued_in_future",
            txn(json!({ "iat": T + 31 })),
        ),
        (
            "beside/of-another-domain",
            "aud_mismatch",
            txn(json!({ "aud": "other.example" })),
        ),
        (
            "beside/of-two-domains",
            "aud_mismatch",
            txn(json!({ "aud": ["td.example", "x"] })),
        ),
        (
            "beside/without-txn",
            "missing_claim",
            txn(json!({ "txn": null })),
        ),
        (
            "beside/an-access-token",
            "typ_mismatch",
            access().token(&access().claims()),
        ),
        ("beside/no-token", "malformed_token", "x".to_owned()),
    ] {
        file.refuse(id, near, code, &sent(none.clone(), &token));
    }
    let mut twice = sent(none.clone(), &good());
    let again = json!([FIELD, good()]);
    twice["headers"]
        .as_array_mut()
        .expect("an array")
        .push(again);
    file.refuse("beside/twice", near, "multiple_credentials", &twice);
    let in_context = with(
        &sent(none.clone(), &good()),
        json!({ "headers": [["Authorization", sent(none.clone(), "")["headers"][0][1]]],
                "context": [{ "kind": "txn_token", "token": good() }] }),
    );
    file.accept(
        "beside/as-the-program-found-it",
        &in_context,
        asserted.clone(),
    );
    let required = |request: &Value| {
        let need = json!({ "txn_token": { "need": "required" } });
        with(
            request,
            json!({ "policy": { "gates": { "g": { "context": need } } } }),
        )
    };
    file.accept(
        "beside/as-required",
        &required(&sent(none.clone(), &good())),
        asserted.clone(),
    );
    let alone = with(
        &sent(none.clone(), ""),
        json!({ "headers": [["Authorization", sent(none, "")["headers"][0][1]]] }),
    );
    file.accept("beside/none", &alone, asserted);
    file.refuse(
        "beside/none-where-required",
        near,
        "chain_link_broken",
        &required(&alone),
    );
    let least = |request: &Value, least: &str| table(request, json!({ "min_lineage": least }));
    let same = shared(&of("1", "1"));
    file.accept(
        "beside/is-correlation",
        &least(&same, "correlated"),
        correlated,
    );
    let near = "beside/is-correlation";
    file.refuse(
        "beside/is-no-lineage",
        near,
        "chain_link_broken",
        &least(&same, "issuer_attested"),
    );
    let apart = least(&of("1", "1"), "correlated");
    file.refuse(
        "beside/of-two-namespaces-is-none",
        near,
        "chain_link_broken",
        &apart,
    );
    let direct = sent(json!({ "act": null }), &good());
    file.accept(
        "beside/without-an-actor",
        &direct,
        json!({ "lineage": "none" }),
    );
}
