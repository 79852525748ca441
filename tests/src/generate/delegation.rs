//! Scopes, sign-in, bound tokens.

use serde_json::{Value, json};

use super::{File, Kind, T, with};

pub(super) fn lines() -> String {
    let mut file = File::default();
    authority(&mut file);
    bound(&mut file);
    file.lines
}

/// A request of an access token with more claims, under a gate with more members.
pub(super) fn request(claims: Value, gate: Value) -> Value {
    let kind = Kind::named("access_token");
    let mut all = kind.claims();
    for (name, value) in claims.as_object().expect("claims") {
        all[name] = value.clone();
    }
    with(
        &kind.verify(&all),
        json!({ "policy": { "gates": { "g": gate } } }),
    )
}

fn authority(file: &mut File) {
    let scoped = |scope: &str, gate: Value| request(json!({ "scope": scope }), gate);
    let needs = || json!({ "required_scopes": ["files.read"] });
    file.accept(
        "scope/has-it",
        &scoped("a files.read b", needs()),
        json!({}),
    );
    for (number, scope) in ["", "files", "files.read.all", "FILES.READ", "files.write"]
        .into_iter()
        .enumerate()
    {
        let request = scoped(scope, needs());
        file.refuse(
            &format!("scope/lacks-it-{number}"),
            "scope/has-it",
            "insufficient_scope",
            &request,
        );
    }
    for (number, scope) in [
        " files.read",
        "files.read ",
        "a  files.read",
        "a\tb",
        "\"",
        "\u{e9}",
    ]
    .into_iter()
    .enumerate()
    {
        let request = scoped(scope, needs());
        file.refuse(
            &format!("scope/malformed-{number}"),
            "scope/has-it",
            "claim_type",
            &request,
        );
    }
    let implies = || json!({ "required_scopes": ["files.read"], "scope_implies": { "files.write": ["files.read"] } });
    file.accept(
        "scope/implied",
        &scoped("files.write", implies()),
        json!({}),
    );
    let call = |scopes: Value| {
        with(
            &scoped("files.read", json!({})),
            json!({ "required_scopes": scopes }),
        )
    };
    file.accept("scope/call-has-it", &call(json!(["files.read"])), json!({}));
    let lacking = call(json!(["files.read", "admin"]));
    file.refuse(
        "scope/call-lacks-it",
        "scope/call-has-it",
        "insufficient_scope",
        &lacking,
    );
    // AT-07: an array only where the issuer is said to write one.
    let array = |claim: &str, names: Value| {
        let request = request(json!({ claim: ["files.read"] }), needs());
        with(
            &request,
            json!({ "policy": { "issuers": { "as": { "claim_names": names } } } }),
        )
    };
    file.accept(
        "scope/scp-array",
        &array("scp", json!({ "scope": "scp" })),
        json!({}),
    );
    file.refuse(
        "scope/array",
        "scope/scp-array",
        "claim_type",
        &array("scope", json!({})),
    );

    let signed_in = |acr: Value| {
        request(
            json!({ "acr": acr }),
            json!({ "acr_values": ["mfa", "hw"] }),
        )
    };
    file.accept("acr/one-of-them", &signed_in("hw".into()), json!({}));
    let weak = signed_in("pwd".into());
    let code = "insufficient_user_authentication";
    file.refuse("acr/another", "acr/one-of-them", code, &weak);
    let none = request(json!({}), json!({ "acr_values": ["mfa", "hw"] }));
    file.refuse("acr/none", "acr/one-of-them", code, &none);
    file.refuse(
        "acr/of-wrong-type",
        "acr/one-of-them",
        "claim_type",
        &signed_in(1.into()),
    );
}

fn bound(file: &mut File) {
    let external = || json!({ "sender_constrained": "external" });
    for (number, cnf) in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "unknown": 1 }),
        json!({}),
    ]
    .into_iter()
    .enumerate()
    {
        let claims = json!({ "cnf": cnf });
        let near = format!("cnf/proven-elsewhere-{number}");
        file.accept(&near, &request(claims.clone(), external()), json!({}));
        let id = format!("cnf/as-bearer-{number}");
        file.refuse(&id, &near, "pop_required", &request(claims, json!({})));
    }
    let wrong = request(json!({ "cnf": "x" }), external());
    file.refuse(
        "cnf/of-wrong-type",
        "cnf/proven-elsewhere-0",
        "claim_type",
        &wrong,
    );

    // X03: a status that nobody can look up.
    let status = json!({ "status_list": { "idx": 1, "uri": "https://as.example/status/1" } });
    let listed = request(json!({ "status": status }), json!({}));
    let rfc = with(&listed, json!({ "policy": { "preset": "rfc" } }));
    file.accept("status/not-asked-for", &rfc, json!({}));
    file.refuse(
        "status/nobody-to-ask",
        "status/not-asked-for",
        "status_unavailable",
        &listed,
    );
    // TSL-01: of a token that is refused, nobody asks for its status.
    let over = json!({ "status": status, "iat": T - 900, "exp": T - 600 });
    file.refuse(
        "status/of-a-token-that-is-over",
        "status/not-asked-for",
        "expired",
        &request(over, json!({})),
    );
}
