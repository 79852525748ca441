//! What no row says and every one keeps to: names of algorithms that are none of JOSE's, keys that
//! show their private half, `act`, `azp` and `sub` of sign-ins, bearers that stay bearers,
//! transactions that go on, claims that nobody looks at before the signature.

use serde_json::{Value, json};

use super::act::AS;
use super::{File, Kind, T, canonical, token, with};
use crate::workshop::b64u;

pub(super) fn lines(file: &mut File) {
    names(file);
    private(file);
    unsigned(file);
    sign_in(file);
    authorized_party(file);
    subject(file);
    bearer(file);
    forwarded(file);
}

/// OKP-05: the names of RFC 9864 that COSE alone has.
fn names(file: &mut File) {
    let kind = Kind::named("access_token");
    let (key, near) = (kind.key(), "okp-05-a-name-of-jose");
    let of = |alg: &str| {
        let header = json!({ "alg": alg, "kid": key.jwk["kid"], "typ": kind.typ });
        kind.request(&token(
            &key,
            &canonical(&header),
            &canonical(&kind.claims()),
        ))
    };
    file.accept(near, &of("Ed25519"), json!({ "subject": "u1" }));
    for alg in ["ESP256", "ESP384", "ESP512", "ESB256", "ed25519"] {
        let id = format!("okp-05-{}", alg.to_lowercase());
        file.refuse(&id, near, "alg_not_allowed", &of(alg));
    }
}

/// PQ-03: a key that comes in a token shows its public half alone.
fn private(file: &mut File) {
    let kind = Kind::named("client_attestation");
    let of = |more: Value| {
        let jwk = json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": b64u([7; 1312]) });
        let cnf = json!({ "jwk": null });
        let claims = with(&kind.claims(), json!({ "cnf": cnf }));
        kind.verify(&with(
            &claims,
            json!({ "cnf": { "jwk": with(&jwk, more) } }),
        ))
    };
    let near = "pq-03-public";
    file.accept(near, &of(json!({})), json!({ "subject": "c1" }));
    let seed = json!({ "priv": b64u([7; 32]) });
    file.refuse("pq-03-private", near, "claim_type", &of(seed));
}

/// JWS-13: what claims are is a question once the signature is good.
fn unsigned(file: &mut File) {
    let kind = Kind::named("access_token");
    let near = "jws-13-a-good-signature";
    let good = kind.token(&kind.claims());
    file.accept(near, &kind.request(&good), json!({ "subject": "u1" }));
    let malformed = kind.token(&with(&kind.claims(), json!({ "exp": "soon" })));
    let id = "jws-13-malformed-claims";
    file.refuse(id, near, "claim_type", &kind.request(&malformed));
    let (_, signature) = good.rsplit_once('.').unwrap();
    let (claims, _) = malformed.rsplit_once('.').unwrap();
    file.refuse(
        "jws-13-malformed-claims-that-nobody-signed",
        near,
        "bad_signature",
        &kind.request(&format!("{claims}.{signature}")),
    );
}

/// IDT-04: `azp`, where there is one, is us; a token for several audiences has one.
fn authorized_party(file: &mut File) {
    let kind = Kind::named("id_token");
    let of = |more: Value| {
        let gate = json!({ "audience": ["client1", "ours-too"] });
        with(
            &kind.verify(&with(&kind.claims(), more)),
            json!({ "policy": { "gates": { "g": gate } } }),
        )
    };
    let both = json!(["client1", "ours-too"]);
    let near = "idt-04-azp-is-us";
    let us = of(json!({ "aud": both, "azp": "client1" }));
    file.accept(near, &us, json!({ "subject": "u1" }));
    let alone = of(json!({ "azp": null }));
    file.accept("idt-04-one-audience-and-no-azp", &alone, json!({}));
    for (id, more) in [
        ("another", json!({ "azp": "client2" })),
        (
            "another-of-several",
            json!({ "aud": both, "azp": "client2" }),
        ),
        ("none-of-several", json!({ "aud": both, "azp": null })),
        ("in-another-case", json!({ "azp": "CLIENT1" })),
        ("empty", json!({ "azp": "" })),
    ] {
        let id = format!("idt-04-azp-is-{id}");
        file.refuse(&id, near, "aud_mismatch", &of(more));
    }
}

/// IDT-09: a subject of a sign-in is ASCII, of 1 to 255 characters.
fn subject(file: &mut File) {
    let kind = Kind::named("id_token");
    let of = |sub: String| kind.verify(&with(&kind.claims(), json!({ "sub": sub })));
    let near = "idt-09-of-255-characters";
    let longest = "s".repeat(255);
    file.accept(near, &of(longest.clone()), json!({ "subject": longest }));
    for (id, sub) in [
        ("of-256-characters", "s".repeat(256)),
        ("beyond-ascii", "anaïs".to_owned()),
        ("empty", String::new()),
    ] {
        let id = format!("idt-09-{id}");
        file.refuse(&id, near, "claim_type", &of(sub));
    }
}

/// IDT-11: an ID token may say who acts; whether it may here, the gate says.
fn sign_in(file: &mut File) {
    let kind = Kind::named("id_token");
    let link = |sub: Value| json!({ "iss": AS, "sub": sub });
    let of = |act: Value, delegation: &str| {
        let claims = with(&kind.claims(), json!({ "act": act }));
        let gate = json!({ "delegation": delegation });
        with(
            &kind.verify(&claims),
            json!({ "policy": { "gates": { "g": gate } } }),
        )
    };
    let near = "idt-11-surfaced";
    let told = json!({ "actor": { "iss": AS, "sub": "agent-a" } });
    file.accept(near, &of(link(json!("agent-a")), "surface"), told);
    let forbidden = of(link(json!("agent-a")), "forbid");
    file.refuse("idt-11-forbidden", near, "actor_not_allowed", &forbidden);
    let malformed = of(link(json!(1)), "surface");
    file.refuse("idt-11-malformed", near, "actor_malformed", &malformed);
}

/// JSV-08: whoever has a JWT-SVID may use it, and the verdict says so.
fn bearer(file: &mut File) {
    let kind = Kind::named("jwt_svid");
    let token = kind.token(&kind.claims());
    let request = json!({
        "op": "verify_request", "policy": kind.policy(), "now": T, "method": "POST",
        "uri": "/mcp", "headers": [["Authorization", format!("Bearer {token}")]],
    });
    file.accept(
        "jsv-08-a-bearer",
        &request,
        json!({ "sender_constrained": null }),
    );
    let constrained = json!({
        "policy": {
            "gates": { "g": {
                "sender_constrained": "required", "public_url": "https://rs.example",
            } },
            "dpop": {}, "replay": { "store": "process" },
        },
    });
    let required = with(&request, constrained);
    file.refuse(
        "jsv-08-no-bearer",
        "jsv-08-a-bearer",
        "pop_required",
        &required,
    );
}

/// TXT-14: a transaction token goes on as it came, within its trust domain.
fn forwarded(file: &mut File) {
    let kind = Kind::named("txn_token");
    let token = kind.token(&kind.claims());
    let context = json!({ "gates": { "g": { "context": { "txn_token": "allowed" } } } });
    let of = |target: &str| {
        json!({
            "op": "check_outbound", "policy": with(&kind.policy(), context.clone()), "now": T,
            "token": token, "outbound": { "kind": "txn_token", "token": token }, "target": target,
        })
    };
    let near = "txt-14-as-it-came";
    file.accept(near, &of("td.example"), json!({}));
    file.refuse(
        "txt-14-to-another-domain",
        near,
        "attenuation_audience",
        &of("other.example"),
    );
}
