//! Issuers that put a registered claim elsewhere (DIA-04): the alias is read, and what stands under
//! the registered name is still a claim.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::{File, canonical, header, token, with};

pub(super) fn lines() -> String {
    let mut file = File::default();
    audience(&mut file);
    scope(&mut file);
    client(&mut file);
    eddsa(&mut file);
    file.lines
}

/// A request with these claims changed, of an issuer with these `claim_names`.
fn request(profile: &str, names: &Value, claims: Value) -> Value {
    let kind = Kind::named(profile);
    let request = kind.verify(&with(&kind.claims(), claims));
    let more = json!({ "policy": { "issuers": { "as": { "claim_names": names } } } });
    with(&request, more)
}

/// `client_id` stands in for an audience that is not there, and for no other.
fn audience(file: &mut File) {
    let kind = Kind::named("access_token");
    let names = json!({ "aud": "client_id" });
    let ours = |aud: Value| {
        // `with` takes a null for an absence, so that a claim that is null is put in here.
        let mut claims = with(&kind.claims(), json!({ "client_id": kind.audience }));
        match aud {
            Value::String(text) if text == "absent" => {
                claims.as_object_mut().expect("claims").remove("aud");
            }
            aud => claims["aud"] = aud,
        }
        let more = json!({ "policy": { "issuers": { "as": { "claim_names": names } } } });
        with(&kind.verify(&claims), more)
    };
    let near = "aud/absent";
    file.accept(near, &ours("absent".into()), json!({ "subject": "u1" }));
    file.accept("aud/ours", &ours(kind.audience.into()), json!({}));
    for (number, elsewhere) in [
        json!("https://other.example"),
        json!(["https://other.example"]),
        json!(""),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("aud/elsewhere-{number}");
        file.refuse(&id, near, "aud_mismatch", &ours(elsewhere));
    }
    for (number, malformed) in [json!(17), json!(null), json!([]), json!({}), json!([17])]
        .into_iter()
        .enumerate()
    {
        let id = format!("aud/malformed-{number}");
        file.refuse(&id, near, "claim_type", &ours(malformed));
    }
    let another = request("access_token", &names, json!({ "aud": null }));
    file.refuse("aud/of-another-client", near, "aud_mismatch", &another);
    let neither = json!({ "aud": null, "client_id": null });
    let neither = request("access_token_untyped", &names, neither);
    file.refuse("aud/neither", near, "missing_claim", &neither);

    // An issuer that signs both: its access tokens are still no ID Tokens.
    let kind = Kind::named("id_token");
    let more = json!({ "policy": { "issuers": { "as": {
        "claim_names": names, "profiles": ["access_token", "id_token"],
    } } } });
    let good = with(&kind.verify(&kind.claims()), more.clone());
    file.accept("aud/of-an-id-token", &good, json!({}));
    let claims = json!({ "aud": null, "client_id": kind.audience });
    let request = with(&kind.verify(&with(&kind.claims(), claims)), more);
    let id = "aud/absent-from-an-id-token";
    file.refuse(id, "aud/of-an-id-token", "missing_claim", &request);
}

fn scope(file: &mut File) {
    let names = json!({ "scope": "scp" });
    let needs = json!({ "policy": { "gates": { "g": { "required_scopes": ["files.read"] } } } });
    let request = |claims: Value| with(&request("access_token", &names, claims), needs.clone());
    let near = "scope/alias";
    let alias = request(json!({ "scope": null, "scp": "a files.read" }));
    file.accept(near, &alias, json!({}));
    let both = request(json!({ "scope": "b", "scp": "files.read" }));
    file.accept("scope/both", &both, json!({}));
    let only_registered = request(json!({}));
    let id = "scope/under-its-own-name";
    file.refuse(id, near, "insufficient_scope", &only_registered);
    for (number, (scope, scp)) in [
        (json!(17), json!("files.read")),
        (json!(["a"]), json!("files.read")),
        (json!("a"), json!(17)),
        (json!("a"), json!(["a", 17])),
    ]
    .into_iter()
    .enumerate()
    {
        let wrong = request(json!({ "scope": scope, "scp": scp }));
        let id = format!("scope/of-wrong-type-{number}");
        file.refuse(&id, "scope/both", "claim_type", &wrong);
    }
    // A client assertion has no scope, under whichever name.
    let names = |claims: Value| self::request("client_assertion", &names, claims);
    file.accept("scope/none", &names(json!({})), json!({}));
    for (id, claims) in [
        ("scope/forbidden", json!({ "scope": "a" })),
        ("scope/forbidden-alias", json!({ "scp": "a" })),
    ] {
        file.refuse(id, "scope/none", "forbidden_claim", &names(claims));
    }
}

fn client(file: &mut File) {
    let names = json!({ "scope": "scp", "client_id": "azp" });
    let of_an_id_token = |claims: Value| request("id_token", &names, claims);
    let near = "client/id-token-with-azp";
    let azp = of_an_id_token(json!({ "azp": "client1" }));
    file.accept(near, &azp, json!({}));
    for (number, claims) in [
        json!({ "scope": "a", "client_id": "client1" }),
        json!({ "scp": "a", "client_id": "client1" }),
        json!({ "scope": "a", "azp": "client1" }),
        json!({ "scp": "a", "azp": "client1" }),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("client/access-token-as-id-token-{number}");
        file.refuse(&id, near, "wrong_token_kind", &of_an_id_token(claims));
    }
    let access = |claims: Value| request("access_token", &names, claims);
    let near = "client/alias";
    let alias = access(json!({ "client_id": null, "azp": "agent-a" }));
    file.accept(near, &alias, json!({}));
    let wrong = access(json!({ "client_id": 17, "azp": "agent-a" }));
    file.refuse("client/of-wrong-type", near, "claim_type", &wrong);
    let missing = access(json!({}));
    let id = "client/under-its-own-name";
    file.refuse(id, near, "missing_claim", &missing);
}

/// `alg: EdDSA` stands for Ed25519 unless the issuer is said not to write it (OKP-03).
fn eddsa(file: &mut File) {
    let kind = Kind::named("access_token");
    let key = kind.key();
    let header = header(&key, kind.typ).replace("\"Ed25519\"", "\"EdDSA\"");
    let request = kind.request(&token(&key, &header, &canonical(&kind.claims())));
    let legacy = |legacy: bool| {
        let issuer = json!({ "legacy_eddsa": legacy });
        with(
            &request,
            json!({ "policy": { "issuers": { "as": issuer } } }),
        )
    };
    file.accept("eddsa/by-default", &request, json!({ "subject": "u1" }));
    file.accept("eddsa/legacy", &legacy(true), json!({ "subject": "u1" }));
    file.refuse(
        "eddsa/not-legacy",
        "eddsa/legacy",
        "alg_not_allowed",
        &legacy(false),
    );
}
