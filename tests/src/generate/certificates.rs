//! What a token is bound to (RFC 7800 `cnf`), and client certificates (RFC 8705).

use serde_json::{Value, json};

use super::possession::{Call, ORIGIN, bound, client, kind, public, thumbprint};
use super::{File, canonical, with};
use crate::workshop::{Hash, Key, b64u};

/// `cnf` (RFC 7800, AT-09).
pub(super) fn confirmations(file: &mut File) {
    let key = || client("ES256");
    let (jkt, near) = (thumbprint(&key()), "cnf/jkt");
    let by = |cnf: Value| Call::with_token(key(), bound(cnf)).request();
    let shown = json!({ "sender_constrained": "dpop" });
    file.accept(near, &by(json!({ "jkt": jkt })), shown.clone());
    file.accept(
        "cnf/jwk",
        &by(json!({ "jwk": public(&key()) })),
        shown.clone(),
    );
    file.accept(
        "cnf/jkt-and-jwk",
        &by(json!({ "jkt": jkt, "jwk": public(&key()) })),
        shown,
    );
    let other = Key::seeded("ES256", "thief");
    let x5t = b64u(Hash::Sha256.digest(b"a certificate"));
    let sha1 = b64u(Hash::Sha1.digest(canonical(&public(&key())).as_bytes()));
    let private = with(&public(&key()), json!({ "d": b64u([1; 32]) }));
    for (id, code, cnf) in [
        (
            "jkt-of-another",
            "pop_mismatch",
            json!({ "jkt": thumbprint(&other) }),
        ),
        (
            "jwk-of-another",
            "pop_mismatch",
            json!({ "jwk": public(&other) }),
        ),
        (
            "jwk-and-jkt-differ",
            "pop_mismatch",
            json!({ "jkt": jkt, "jwk": public(&other) }),
        ),
        ("jkt-number", "malformed_token", json!({ "jkt": 1 })),
        ("jkt-empty", "malformed_token", json!({ "jkt": "" })),
        (
            "jkt-padded",
            "malformed_token",
            json!({ "jkt": format!("{jkt}=") }),
        ),
        ("jkt-sha1", "malformed_token", json!({ "jkt": sha1 })),
        ("jwk-private", "malformed_token", json!({ "jwk": private })),
        (
            "jwk-symmetric",
            "malformed_token",
            json!({ "jwk": { "kty": "oct", "k": b64u([7; 32]) } }),
        ),
        ("jwk-text", "malformed_token", json!({ "jwk": "x" })),
        ("none", "pop_required", json!({})),
        ("unknown", "pop_required", json!({ "osc": {} })),
        (
            "unknown-beside",
            "pop_required",
            json!({ "jkt": jkt, "osc": {} }),
        ),
        (
            "certificate-beside",
            "pop_required",
            json!({ "jkt": jkt, "x5t#S256": x5t }),
        ),
        ("certificate", "pop_mismatch", json!({ "x5t#S256": x5t })),
    ] {
        file.refuse(&format!("cnf/{id}"), near, code, &by(cnf));
    }
}

/// RFC 8705 §3 (MTLS-01 to 04).
pub(super) fn certificates(file: &mut File) {
    let (der, near) = (b"0\x03\x02\x01\x07", "mtls/good");
    let x5t = b64u(Hash::Sha256.digest(der));
    let policy = with(
        &kind().policy(),
        json!({ "gates": { "g": { "public_url": ORIGIN } }, "mtls": {} }),
    );
    let sent = |cnf: Value, certificate: Value| {
        let fields = json!([["Authorization", format!("Bearer {}", bound(cnf))]]);
        let request = Call::new().with_fields(fields);
        let request = with(&request, json!({ "policy": null }));
        with(
            &request,
            json!({ "policy": policy, "certificate": certificate }),
        )
    };
    let good = sent(json!({ "x5t#S256": x5t }), b64u(der).into());
    file.accept(near, &good, json!({ "sender_constrained": "mtls" }));
    let wrong = b64u(b"0\x03\x02\x01\x08");
    for (id, code, cnf, certificate) in [
        (
            "none",
            "pop_required",
            json!({ "x5t#S256": x5t }),
            Value::Null,
        ),
        (
            "another",
            "pop_mismatch",
            json!({ "x5t#S256": x5t }),
            wrong.into(),
        ),
        (
            "pem",
            "usage",
            json!({ "x5t#S256": x5t }),
            b64u(b"-----BEGIN CERTIFICATE-----").into(),
        ),
        (
            "cut",
            "usage",
            json!({ "x5t#S256": x5t }),
            b64u(&der[..der.len() - 1]).into(),
        ),
        (
            "too-short",
            "malformed_token",
            json!({ "x5t#S256": x5t[1..] }),
            b64u(der).into(),
        ),
        (
            "not-text",
            "malformed_token",
            json!({ "x5t#S256": 1 }),
            b64u(der).into(),
        ),
        (
            "a-key-instead",
            "pop_required",
            json!({ "jkt": x5t }),
            b64u(der).into(),
        ),
        (
            "unknown-beside",
            "pop_required",
            json!({ "x5t#S256": x5t, "x": 1 }),
            b64u(der).into(),
        ),
    ] {
        file.refuse(&format!("mtls/{id}"), near, code, &sent(cnf, certificate));
    }
    // MTLS-03: what a field of the request says of a certificate is anybody's word.
    let mut forwarded = sent(json!({ "x5t#S256": x5t }), Value::Null);
    let fields = forwarded["headers"].as_array_mut().unwrap();
    fields.push(json!(["Client-Cert", ":MAMCAQc=:"]));
    fields.push(json!(["X-Forwarded-Client-Cert", "Cert=MAMCAQc="]));
    file.refuse("mtls/in-a-field", near, "pop_required", &forwarded);
    let untaken = with(&good, json!({ "policy": { "mtls": null } }));
    file.refuse("mtls/not-taken-here", near, "pop_required", &untaken);
    // Both a key and a certificate, each shown.
    let key = client("ES256");
    let both = bound(json!({ "jkt": thumbprint(&key), "x5t#S256": x5t }));
    let call = Call::with_token(key, both);
    let taken = json!({ "policy": { "mtls": {} }, "certificate": b64u(der) });
    let request = with(&call.request(), taken);
    file.accept(
        "mtls/beside-a-proof",
        &request,
        json!({ "sender_constrained": "dpop" }),
    );
    let lost = with(&request, json!({ "certificate": null }));
    file.refuse(
        "mtls/beside-a-proof-lost",
        "mtls/beside-a-proof",
        "pop_required",
        &lost,
    );
}
