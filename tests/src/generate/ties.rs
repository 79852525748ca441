//! What a caller knows and a token must belong to: the sign-in, the client, what came with the
//! token, who calls, and how surely (IDT-06, IDT-07, CA-01, IJ-03, ATT-06; RFC 9470).

use serde_json::{Value, json};

use super::act::AS;
use super::{File, Kind, T, with};
use crate::workshop::{Hash, b64u};

const MISMATCH: &str = "pop_mismatch";
const MISSING: &str = "missing_claim";

pub(super) fn lines() -> String {
    let mut file = File::default();
    sign_in(&mut file);
    hashes(&mut file);
    clients(&mut file);
    surely(&mut file);
    presenters(&mut file);
    file.lines
}

/// A token of this kind with these claims changed, of which the caller knows this.
fn known(kind: &Kind, claims: Value, known: Value) -> Value {
    with(&kind.verify(&with(&kind.claims(), claims)), known)
}

/// IDT-06.
fn sign_in(file: &mut File) {
    let of = |claims: Value, known: Value| self::known(Kind::named("id_token"), claims, known);
    let (near, sent) = ("idt-06-its-nonce", || json!({ "nonce": "n1" }));
    let told = || json!({ "subject": "u1" });
    file.accept(near, &of(json!({}), sent()), told());
    for (id, code, nonce) in [
        ("idt-06-of-another-sign-in", MISMATCH, json!("n2")),
        ("idt-06-in-another-case", MISMATCH, json!("N1")),
        ("idt-06-an-empty-one", MISMATCH, json!("")),
        ("idt-06-none", MISSING, json!(null)),
    ] {
        file.refuse(id, near, code, &of(json!({ "nonce": nonce }), sent()));
    }
    file.accept(
        "idt-06-nobody-asks",
        &of(json!({ "nonce": "n2" }), json!({})),
        told(),
    );
}

/// IDT-07. Of Ed25519 the hash is SHA-512.
fn hashes(file: &mut File) {
    let kind = Kind::named("id_token");
    let half = |value: &str| b64u(&Hash::Sha512.digest(value.as_bytes())[..32]);
    for (claim, member, value) in [
        ("at_hash", "access_token", "SlAV32hkKG"),
        ("c_hash", "code", "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv"),
    ] {
        let of = |hash: Value| known(kind, json!({ claim: hash }), json!({ member: value }));
        let id = |name: &str| format!("idt-07-{claim}-{name}").replace('_', "-");
        let near = id("of-it");
        file.accept(&near, &of(half(value).into()), json!({ "subject": "u1" }));
        let whole = b64u(Hash::Sha512.digest(value.as_bytes()));
        let other = b64u(&Hash::Sha256.digest(value.as_bytes())[..16]);
        for (name, code, hash) in [
            ("of-another", MISMATCH, json!(half("another"))),
            ("whole", MISMATCH, json!(whole)),
            ("of-another-algorithm", MISMATCH, json!(other)),
            ("itself", MISMATCH, json!(value)),
            ("none", MISSING, json!(null)),
        ] {
            file.refuse(&id(name), &near, code, &of(hash));
        }
        let unasked = known(kind, json!({ claim: half("another") }), json!({}));
        file.accept(&id("nobody-asks"), &unasked, json!({ "subject": "u1" }));
    }
}

/// CA-01, IJ-03, ATT-06: the client that presents it is the one of the request.
fn clients(file: &mut File) {
    for (rule, profile, own) in [
        ("ca-01", "client_assertion", "c1"),
        ("ij-03", "id_jag", "c1"),
        ("att-06", "client_attestation", "c1"),
        ("client", "access_token", "agent-a"),
    ] {
        let kind = Kind::named(profile);
        let of = |client: &str| known(kind, json!({}), json!({ "client_id": client }));
        let near = format!("{rule}-of-the-client");
        file.accept(&near, &of(own), json!({ "subject": kind.claims()["sub"] }));
        for (name, client) in [
            ("of-another", "c2"),
            ("in-another-case", "C1"),
            ("of-nobody", ""),
        ] {
            let id = format!("{rule}-{name}");
            file.refuse(&id, &near, MISMATCH, &of(client));
        }
    }
    // Of a request as of a token.
    let kind = Kind::named("access_token");
    let bearer = format!("Bearer {}", kind.token(&kind.claims()));
    let of = |client: &str| {
        json!({ "op": "verify_request", "policy": kind.policy(), "now": T, "method": "GET", "uri": "/",
                "headers": [["Authorization", bearer]], "client_id": client })
    };
    let near = "client-of-a-request";
    file.accept(near, &of("agent-a"), json!({ "subject": "u1" }));
    file.refuse("client-of-another-request", near, MISMATCH, &of("agent-b"));
    let of = |claims: Value| {
        let untyped = Kind::named("access_token_untyped");
        known(untyped, claims, json!({ "client_id": "agent-a" }))
    };
    let near = "client-named";
    let named = of(json!({ "client_id": "agent-a" }));
    file.accept(near, &named, json!({ "subject": "u1" }));
    file.refuse("client-not-named", near, MISSING, &of(json!({})));
}

/// RFC 9470: one of several classes is enough; one that no challenge can ask for is the caller's
/// mistake.
fn surely(file: &mut File) {
    let kind = Kind::named("access_token");
    let of = |acr: &str, asked: Value| {
        known(kind, json!({ "acr": acr }), json!({ "acr_values": asked }))
    };
    let (near, code) = ("acr-one-of-them", "insufficient_user_authentication");
    file.accept(
        near,
        &of("hw", json!(["mfa", "hw"])),
        json!({ "subject": "u1" }),
    );
    file.refuse("acr-another", near, code, &of("pwd", json!(["mfa", "hw"])));
    file.refuse(
        "acr-of-two-names",
        near,
        "usage",
        &of("hw", json!(["mfa\"", "hw"])),
    );
}

/// Who calls, as the program has proven it: under `must_be_actor` the token's outermost actor.
fn presenters(file: &mut File) {
    let kind = Kind::named("access_token");
    let act = json!({ "act": { "iss": AS, "sub": "agent-a" } });
    let policy = json!({
        "gates": { "g": { "delegation": "d" } },
        "delegation": { "d": { "presenter": "must_be_actor", "allow": [{ "actor": { "iss": AS } }] } },
    });
    let of = |presenter: Value| {
        known(
            kind,
            act.clone(),
            json!({ "policy": policy, "presenter": presenter }),
        )
    };
    let (near, code) = ("presenter-is-the-actor", "actor_presenter_mismatch");
    file.accept(
        near,
        &of(json!({ "iss": AS, "sub": "agent-a" })),
        json!({ "actor": { "iss": AS, "sub": "agent-a" } }),
    );
    for (id, presenter) in [
        (
            "presenter-is-another",
            json!({ "iss": AS, "sub": "agent-b" }),
        ),
        (
            "presenter-is-a-namesake",
            json!({ "iss": "https://other.example", "sub": "agent-a" }),
        ),
    ] {
        file.refuse(id, near, code, &of(presenter));
    }
}
