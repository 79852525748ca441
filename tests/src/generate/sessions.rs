//! Verifiers that stay: keys published and withdrawn, batches, the cache.

use serde_json::{Value, json};

use super::{File, Kind, T, canonical, header, once, token, with};
use crate::workshop::Key;

pub(super) fn lines() -> String {
    let mut file = File::default();
    rotation(&mut file);
    fetching(&mut file);
    batches(&mut file);
    once::lines(&mut file);
    file.lines
}

fn rotation(file: &mut File) {
    let kind = Kind::named("access_token");
    let (first, second) = (kind.key(), Key::seeded(kind.alg, "k2"));
    let policy = with(
        &kind.policy(),
        json!({ "issuers": { "as": { "jwks": null } } }),
    );
    let policy = with(
        &policy,
        json!({ "issuers": { "as": { "jwks_push": "process" } } }),
    );
    let open = json!({ "op": "open", "session": "s", "policy": policy, "now": T });
    file.accept("rotation/open", &open, json!({}));
    let payload = canonical(&kind.claims());
    let by = |key: &Key| token(key, &header(key, kind.typ), &payload);
    let verify = |token: &str, now: i64| json!({ "op": "verify", "session": "s", "now": now, "token": token });
    let publish = |keys: Value| json!({ "op": "publish_keys", "session": "s", "issuer": "as", "jwks": { "keys": keys } });
    let (one, two) = (by(&first), by(&second));
    let near = "rotation/first-key";
    file.refuse(
        "rotation/no-keys-yet",
        near,
        "keys_unavailable",
        &verify(&one, T),
    );
    file.accept("rotation/publish", &publish(json!([first.jwk])), json!({}));
    file.accept(near, &verify(&one, T), json!({ "subject": "u1" }));
    file.accept(
        "rotation/first-key-again",
        &verify(&one, T),
        json!({ "subject": "u1" }),
    );
    file.refuse(
        "rotation/second-key-early",
        "rotation/second-key",
        "key_not_found",
        &verify(&two, T),
    );
    file.accept(
        "rotation/publish-both",
        &publish(json!([first.jwk, second.jwk])),
        json!({}),
    );
    file.accept(
        "rotation/first-key-still",
        &verify(&one, T),
        json!({ "subject": "u1" }),
    );
    file.accept(
        "rotation/second-key",
        &verify(&two, T),
        json!({ "subject": "u1" }),
    );
    file.refuse(
        "rotation/cached-and-over",
        near,
        "expired",
        &verify(&one, T + 330),
    );
    file.accept(
        "rotation/clock-set-back",
        &verify(&one, T),
        json!({ "subject": "u1" }),
    );
    file.accept(
        "rotation/withdraw",
        &publish(json!([second.jwk])),
        json!({}),
    );
    file.refuse(
        "rotation/publish-nothing",
        "rotation/withdraw",
        "usage",
        &publish(json!([])),
    );
    file.refuse(
        "rotation/first-key-withdrawn",
        near,
        "key_not_found",
        &verify(&one, T),
    );
    file.accept(
        "rotation/second-key-stays",
        &verify(&two, T),
        json!({ "subject": "u1" }),
    );
    let nowhere = with(&publish(json!([second.jwk])), json!({ "issuer": "nobody" }));
    file.refuse(
        "rotation/no-such-issuer",
        "rotation/withdraw",
        "usage",
        &nowhere,
    );
    file.accept(
        "rotation/close",
        &json!({ "op": "close", "session": "s" }),
        json!({}),
    );
}

/// Keys that have not come yet: a fetch is allowed or running, and nobody knows the answer. They
/// would come from an address that no policy reaches unless it names the host, so nothing is asked.
fn fetching(file: &mut File) {
    let kind = Kind::named("access_token");
    let (key, near) = (kind.key(), "keys/written-down");
    let written = kind.policy();
    let fetched = with(&written, json!({ "issuers": { "as": { "jwks": null } } }));
    let fetched = with(
        &fetched,
        json!({ "issuers": { "as": { "jwks_uri": "https://127.0.0.1:9/keys" } } }),
    );
    let token = token(&key, &header(&key, kind.typ), &canonical(&kind.claims()));
    let verify =
        |policy: &Value| json!({ "op": "verify", "policy": policy, "now": T, "token": token });
    file.accept(near, &verify(&written), json!({ "subject": "u1" }));
    file.refuse(
        "keys/on-their-way",
        near,
        "keys_refreshing",
        &verify(&fetched),
    );
}

fn batches(file: &mut File) {
    let kind = Kind::named("access_token");
    let good = kind.token(&kind.claims());
    let late = kind.token(&with(
        &kind.claims(),
        json!({ "exp": T - 60, "iat": T - 100 }),
    ));
    let bad = format!("{}A", &good[..good.len() - 1]);
    let tokens = json!([good, late, good, "x", bad, good]);
    let request =
        json!({ "op": "verify_batch", "policy": kind.policy(), "now": T, "tokens": tokens });
    let codes = json!([
        null,
        "expired",
        null,
        "malformed_token",
        "bad_signature",
        null
    ]);
    let verdicts: Vec<Value> = codes
        .as_array()
        .expect("an array")
        .iter()
        .map(|code| match code {
            Value::Null => json!({ "ok": true, "subject": "u1" }),
            code => json!({ "ok": false, "code": code, "blame": "rejected" }),
        })
        .collect();
    file.accept("batch/mixed", &request, json!({ "verdicts": verdicts }));
    let empty = with(&request, json!({ "tokens": [] }));
    file.accept("batch/empty", &empty, json!({ "verdicts": [] }));
}
