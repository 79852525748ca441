//! Grants that clients bring to an authorization server, bound to a key or not (IJ-05, JBG-01).

use serde_json::{Value, json};

use super::possession::{CODE, Call, ORIGIN, client, thumbprint};
use super::{File, Kind, T, with};
use crate::workshop::Key;

pub(super) fn lines(file: &mut File) {
    for profile in ["id_jag", "jwt_bearer_grant"] {
        of(file, Kind::named(profile));
    }
    combined(file);
}

/// ATT-11: the DPoP proof of a request stands for that of the attested client.
fn combined(file: &mut File) {
    let kind = Kind::named("client_attestation");
    let key = || Key::seeded("ES256", "holder");
    let token = kind.token(&kind.claims());
    let policy = with(
        &policy(kind),
        json!({ "gates": { "g": { "sender_constrained": "required" } } }),
    );
    let sent = |proofs: &[&Call]| {
        let own = json!(["OAuth-Client-Attestation", token]);
        let fields = proofs.iter().map(|proof| json!(["DPoP", proof.proof()]));
        let fields: Vec<Value> = std::iter::once(own).chain(fields).collect();
        json!({
            "op": "verify_request", "policy": policy, "now": T, "method": "POST",
            "uri": "/mcp", "headers": fields,
        })
    };
    let good = proof(key(), &token);
    let near = "att-11-combined";
    file.accept(
        near,
        &sent(&[&good]),
        json!({ "subject": "c1", "sender_constrained": "dpop" }),
    );
    let another = proof(client("ES256"), &token);
    file.refuse(
        "att-11-of-another-key",
        near,
        "pop_mismatch",
        &sent(&[&another]),
    );
    file.refuse("att-11-two", near, CODE, &sent(&[&good, &good]));
    file.refuse("att-11-none", near, "pop_required", &sent(&[]));
    let elsewhere = proof(key(), &token).claims(json!({ "htm": "GET" }));
    file.refuse(
        "att-11-for-another-method",
        near,
        CODE,
        &sent(&[&elsewhere]),
    );
    // ATT-09: a proof says nothing of the challenge that it answers, or answers another's.
    let asking = json!({ "challenge": "required", "challenge_secret": { "env": "PATH" } });
    let asked = |request: &Value| with(request, json!({ "policy": { "attestation": asking } }));
    let invented = proof(key(), &token).claims(json!({ "nonce": "of our own" }));
    for (id, proof) in [
        ("att-11-no-challenge", &good),
        ("att-11-another-challenge", &invented),
    ] {
        file.refuse(id, near, "nonce_required", &asked(&sent(&[proof])));
    }
    let without = with(&sent(&[&good]), json!({ "policy": { "dpop": null } }));
    file.refuse(
        "att-11-where-no-dpop-is-taken",
        near,
        "pop_required",
        &without,
    );
}

fn policy(kind: &Kind) -> Value {
    let more = json!({
        "gates": { "g": { "public_url": ORIGIN } },
        "dpop": {},
        "replay": { "store": "process" },
    });
    with(&kind.policy(), more)
}

/// A proof that goes with a grant: it is of no access token.
fn proof(key: Key, token: &str) -> Call {
    Call::with_token(key, token.to_owned()).claims(json!({ "ath": null }))
}

fn request(kind: &Kind, token: &str, proofs: &[&Call]) -> Value {
    let fields = proofs.iter().map(|proof| json!(["DPoP", proof.proof()]));
    let fields: Vec<Value> = fields.collect();
    json!({
        "op": "verify_request", "policy": policy(kind), "now": T, "method": "POST",
        "uri": "/mcp", "headers": fields, "content": { "token": token },
    })
}

fn of(file: &mut File, kind: &Kind) {
    let id = |name: &str| format!("grant/{}/{name}", kind.profile);
    let key = || client("ES256");
    let bearer = kind.token(&kind.claims());
    let cnf = json!({ "cnf": { "jkt": thumbprint(&key()) } });
    let bound = kind.token(&with(&kind.claims(), cnf));
    let told = |how: Value| json!({ "subject": "u1", "sender_constrained": how });
    let good = proof(key(), &bound);
    let near = id("bound");
    file.accept(&near, &request(kind, &bound, &[&good]), told(json!("dpop")));
    file.accept(
        &id("bearer"),
        &request(kind, &bearer, &[]),
        told(json!(null)),
    );
    // The key of a proof beside a bearer grant is that of the token to come.
    file.accept(
        &id("bearer-and-a-proof"),
        &request(kind, &bearer, &[&good]),
        told(json!(null)),
    );
    let refused = |file: &mut File, name: &str, code: &str, proofs: &[&Call]| {
        file.refuse(&id(name), &near, code, &request(kind, &bound, proofs));
    };
    refused(file, "bound-without-a-proof", "pop_required", &[]);
    refused(file, "bound-with-two-proofs", CODE, &[&good, &good]);
    let another = proof(client("Ed25519"), &bound);
    refused(file, "bound-to-another-key", "pop_mismatch", &[&another]);
    let elsewhere = proof(key(), &bound).claims(json!({ "htu": "https://rs.example/other" }));
    refused(file, "proven-for-another-url", CODE, &[&elsewhere]);
    let early = proof(key(), &bound).claims(json!({ "iat": T - 91 }));
    refused(file, "proven-too-long-ago", CODE, &[&early]);
    let alone = with(&request(kind, &bound, &[&good]), json!({ "content": null }));
    file.refuse(&id("none"), &near, "no_token", &alone);
    let need = json!({ "gates": { "g": { "sender_constrained": "required" } } });
    let needed = |request: Value| with(&request, json!({ "policy": need.clone() }));
    let constrained = id("bound-where-required");
    file.accept(
        &constrained,
        &needed(request(kind, &bound, &[&good])),
        told(json!("dpop")),
    );
    file.refuse(
        &id("bearer-where-required"),
        &constrained,
        "pop_required",
        &needed(request(kind, &bearer, &[&good])),
    );
}
