//! Tokens that are good once, of issuers that nobody else stands in for (IJ-06, CA-05, IC-01,
//! TXT-11).

use serde_json::{Value, json};

use super::{File, Kind, T, with};

pub(super) fn lines(file: &mut File) {
    for profile in [
        "id_jag",
        "client_assertion",
        "jwt_bearer_grant",
        "actor_proof",
    ] {
        by_jti(file, Kind::named(profile));
    }
    unnamed(file);
    by_txn(file);
    batch(file);
}

/// A verifier that stays and remembers, named as the lines that follow are.
fn open(file: &mut File, session: &str, kind: &Kind, more: Value) {
    let policy = with(&kind.policy(), json!({ "replay": { "store": "process" } }));
    let policy = with(&policy, more);
    let request = json!({ "op": "open", "session": session, "policy": policy, "now": T });
    file.accept(&format!("{session}/open"), &request, json!({}));
}

fn verify(session: &str, token: &str, now: i64) -> Value {
    json!({ "op": "verify", "session": session, "now": now, "token": token })
}

fn by_jti(file: &mut File, kind: &Kind) {
    let session = format!("once/{}", kind.profile);
    open(file, &session, kind, json!({}));
    let id = |name: &str| format!("{session}/{name}");
    let of = |more: Value| kind.token(&with(&kind.claims(), more));
    let first = of(json!({ "jti": "a" }));
    let told = || json!({ "subject": kind.claims()["sub"] });
    // What is refused for anything else uses nothing up.
    file.refuse(
        &id("early"),
        &id("first"),
        "issued_in_future",
        &verify(&session, &of(json!({ "jti": "a", "iat": T + 31 })), T),
    );
    file.accept(&id("first"), &verify(&session, &first, T), told());
    file.refuse(
        &id("again"),
        &id("first"),
        "replayed",
        &verify(&session, &first, T),
    );
    let alike = of(json!({ "jti": "a", "exp": T + 59 }));
    file.refuse(
        &id("another-of-its-name"),
        &id("of-another-name"),
        "replayed",
        &verify(&session, &alike, T + 1),
    );
    let another = of(json!({ "jti": "b" }));
    file.accept(
        &id("of-another-name"),
        &verify(&session, &another, T + 1),
        told(),
    );
}

/// A grant need not have a `jti`, and is then not known again.
fn unnamed(file: &mut File) {
    let kind = Kind::named("jwt_bearer_grant");
    let token = kind.token(&kind.claims());
    for id in [
        "once/jwt_bearer_grant/unnamed",
        "once/jwt_bearer_grant/unnamed-again",
    ] {
        let request = verify("once/jwt_bearer_grant", &token, T);
        file.accept(id, &request, json!({ "subject": "u1" }));
    }
}

/// TXT-11: where something is done, it is done once; where nothing is said, calls fan out.
fn by_txn(file: &mut File) {
    let kind = Kind::named("txn_token");
    let once = json!({ "gates": { "g": { "transactions": { "use": "once" } } } });
    let (session, near) = ("txt-11-once", "txt-11-once/first");
    open(file, session, kind, once);
    let of = |more: Value| kind.token(&with(&kind.claims(), more));
    let token = of(json!({}));
    file.accept(
        near,
        &verify(session, &token, T),
        json!({ "subject": "u1" }),
    );
    file.refuse(
        "txt-11-once/again",
        near,
        "replayed",
        &verify(session, &token, T),
    );
    let replacement = of(json!({ "iat": T + 10, "exp": T + 310 }));
    file.refuse(
        "txt-11-once/in-a-replacement",
        near,
        "replayed",
        &verify(session, &replacement, T + 10),
    );
    let other = of(json!({ "txn": "x2" }));
    file.accept(
        "txt-11-once/of-another-transaction",
        &verify(session, &other, T),
        json!({ "subject": "u1" }),
    );
    let session = "txt-11-any";
    open(file, session, kind, json!({ "replay": null }));
    for id in ["txt-11-any/first", "txt-11-any/again"] {
        file.accept(id, &verify(session, &token, T), json!({ "subject": "u1" }));
    }
}

/// Of copies in one batch the first is good.
fn batch(file: &mut File) {
    let kind = Kind::named("id_jag");
    let policy = with(&kind.policy(), json!({ "replay": { "store": "process" } }));
    let token = kind.token(&kind.claims());
    let other = kind.token(&with(&kind.claims(), json!({ "jti": "j2" })));
    let request = json!({
        "op": "verify_batch", "policy": policy, "now": T, "tokens": [token, other, token],
    });
    let good = json!({ "ok": true, "subject": "u1" });
    let again = json!({ "ok": false, "code": "replayed", "blame": "rejected" });
    file.accept(
        "batch/once",
        &request,
        json!({ "verdicts": [good, good, again] }),
    );
}
