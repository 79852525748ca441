//! Tokens that come in a field of their own with the proof of their key in another: workload
//! identity tokens (WIT-05, WPT-01 to WPT-10), attested clients (ATT-01 to ATT-12).

use serde_json::{Value, json};

use super::{File, Kind, Slot, T, canonical, token, with};
use crate::workshop::{Hash, Key, b64u};

const CODE: &str = "pop_invalid";
/// Where the gate is, and what is called there.
pub(super) const ORIGIN: &str = "https://rs.example";
const URL: &str = "https://rs.example/mcp";

/// The key that tokens of these kinds name.
fn holder() -> Key {
    Key::seeded("ES256", "holder")
}

/// How a kind comes: its row, its field, the field and `typ` of its proofs, and what a good one
/// says of everything but the token.
pub(super) struct Form {
    kind: &'static str,
    field: &'static str,
    proof_field: &'static str,
    typ: &'static str,
    how: &'static str,
}

pub(super) const WORKLOAD: Form = Form {
    kind: "wit",
    field: "Workload-Identity-Token",
    proof_field: "Workload-Proof-Token",
    typ: "wpt+jwt",
    how: "wpt",
};
pub(super) const CLIENT: Form = Form {
    kind: "client_attestation",
    field: "OAuth-Client-Attestation",
    proof_field: "OAuth-Client-Attestation-PoP",
    typ: "oauth-client-attestation-pop+jwt",
    how: "client_attestation_pop",
};

/// A request in the making: what a workload or a client sends that does everything right.
pub(super) struct Call {
    form: &'static Form,
    key: Key,
    header: Value,
    claims: Value,
    token: String,
    more: Vec<[String; 2]>,
}

impl Call {
    pub(super) fn of(form: &'static Form) -> Self {
        Self::by(form, holder(), json!({}))
    }

    /// With a key of its own, and these claims of the token beside it.
    fn by(form: &'static Form, key: Key, more: Value) -> Self {
        let kind = Kind::named(form.kind);
        let cnf = json!({ "cnf": { "jwk": null } });
        let own = json!({ "cnf": { "jwk": key.jwk } });
        let claims = with(&with(&with(&kind.claims(), cnf), own), more);
        Self::with_token(form, key, kind.token(&claims))
    }

    fn with_token(form: &'static Form, key: Key, token: String) -> Self {
        let header = json!({ "typ": form.typ, "alg": key.alg() });
        let claims = if form.kind == "wit" {
            json!({ "aud": URL, "exp": T + 60, "jti": "p1", "wth": hash(&token) })
        } else {
            json!({ "aud": ORIGIN, "iat": T, "jti": "p1" })
        };
        Self {
            form,
            key,
            header,
            claims,
            token,
            more: Vec::new(),
        }
    }

    pub(super) fn claims(mut self, more: Value) -> Self {
        self.claims = with(&self.claims, more);
        self
    }

    fn header(mut self, more: Value) -> Self {
        self.header = with(&self.header, more);
        self
    }

    /// One more field of the request.
    pub(super) fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.more.push([name.to_owned(), value.into()]);
        self
    }

    fn proof(&self) -> String {
        token(
            &self.key,
            &canonical(&self.header),
            &canonical(&self.claims),
        )
    }

    fn fields(&self) -> Vec<Value> {
        let own = [
            json!([self.form.field, self.token]),
            json!([self.form.proof_field, self.proof()]),
        ];
        let more = self.more.iter().map(|[name, value]| json!([name, value]));
        own.into_iter().chain(more).collect()
    }

    pub(super) fn request(&self) -> Value {
        self.with_fields(self.fields())
    }

    fn with_fields(&self, fields: Vec<Value>) -> Value {
        json!({
            "op": "verify_request", "policy": policy(self.form), "now": T,
            "method": "POST", "uri": "/mcp", "headers": fields,
        })
    }
}

pub(super) fn hash(text: &str) -> String {
    b64u(Hash::Sha256.digest(text.as_bytes()))
}

/// A gate for the kind that judges its proofs.
fn policy(form: &Form) -> Value {
    let gate = json!({ "public_url": ORIGIN, "sender_constrained": null });
    let more = json!({ "gates": { "g": gate }, "replay": { "store": "process" } });
    with(&Kind::named(form.kind).policy(), more)
}

pub(super) fn slot(form: &'static Form) -> Slot {
    let call = Call::of(form);
    let (header, claims) = (call.header.clone(), call.claims.clone());
    Slot::new(
        [form.how, form.typ, CODE],
        holder(),
        header,
        claims,
        move |proof| {
            let own = [
                json!([form.field, call.token]),
                json!([form.proof_field, proof]),
            ];
            call.with_fields(own.into())
        },
    )
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    for form in [&WORKLOAD, &CLIENT] {
        fields(&mut file, form);
        proofs(&mut file, form);
        used(&mut file, form);
    }
    workloads(&mut file);
    beside(&mut file);
    clients(&mut file);
    callers(&mut file);
    file.lines
}

/// What every such kind asks of its fields.
fn fields(file: &mut File, form: &'static Form) {
    let id = |name: &str| format!("{}/{name}", form.kind);
    let near = id("good");
    let call = Call::of(form);
    let subject = Kind::named(form.kind).subject();
    let told = json!({ "subject": subject, "sender_constrained": form.how });
    file.accept(&near, &call.request(), told);
    let lower = json!([form.field.to_lowercase(), format!(" {} ", call.token)]);
    let proof = json!([form.proof_field, call.proof()]);
    let own = json!([form.field, call.token]);
    let sent = |fields: &[&Value]| call.with_fields(fields.iter().map(|f| (*f).clone()).collect());
    file.accept(&id("any-case"), &sent(&[&lower, &proof]), json!({}));
    let in_authorization = json!(["Authorization", format!("Bearer {}", call.token)]);
    let in_dpop = json!(["DPoP", call.proof()]);
    let both = json!([form.field, format!("{}, {}", call.token, call.token)]);
    let joined = json!([form.proof_field, format!("{0}, {0}", call.proof())]);
    let empty = json!([form.field, ""]);
    for (name, code, fields) in [
        ("no-proof", "pop_required", vec![&own]),
        ("no-token", "no_token", vec![&proof]),
        (
            "in-authorization",
            "no_token",
            vec![&in_authorization, &proof],
        ),
        ("proof-in-dpop", "pop_required", vec![&own, &in_dpop]),
        (
            "two-tokens",
            "multiple_credentials",
            vec![&own, &own, &proof],
        ),
        ("two-in-one", "multiple_credentials", vec![&both, &proof]),
        ("two-proofs", CODE, vec![&own, &proof, &proof]),
        ("two-proofs-in-one", CODE, vec![&own, &joined]),
        ("empty", "malformed_request", vec![&empty, &proof]),
    ] {
        file.refuse(&id(name), &near, code, &sent(&fields));
    }
    let kind = Kind::named(form.kind);
    let elsewhere = id("without-a-request-proven-elsewhere");
    let alone = kind.request(&call.token);
    file.accept(&elsewhere, &alone, json!({}));
    let here = with(
        &kind.policy(),
        json!({ "gates": { "g": { "sender_constrained": null } } }),
    );
    let here = json!({ "op": "verify", "policy": here, "now": T, "token": call.token });
    file.refuse(&id("without-a-request"), &elsewhere, "pop_required", &here);
    let untaken = json!({ "policy": { "gates": { "g": { "public_url": null } }, "replay": null } });
    let request = with(&call.request(), untaken);
    file.refuse(&id("no-public-url"), &near, "pop_required", &request);
    let required = json!({ "policy": { "gates": { "g": { "sender_constrained": "required" } } } });
    file.accept(&id("required"), &with(&call.request(), required), json!({}));
    let elsewhere = json!({ "policy": {
        "gates": { "g": { "sender_constrained": "external" } }, "replay": null,
    } });
    let elsewhere = with(&sent(&[&own]), elsewhere);
    let external = json!({ "sender_constrained": "external" });
    file.accept(&id("proven-elsewhere"), &elsewhere, external);
}

/// What every proof has in common.
fn proofs(file: &mut File, form: &'static Form) {
    let id = |name: &str| format!("{}/proof/{name}", form.kind);
    let near = format!("{}/good", form.kind);
    for alg in ["ES256", "Ed25519", "ES384", "PS256"] {
        let call = Call::by(form, Key::seeded(alg, "holder"), json!({}));
        // A trust domain says what its workloads may use.
        let allowed = json!({ "policy": { "issuers": { "as": { "algorithms": [
            Kind::named(form.kind).alg, alg,
        ] } } } });
        let allowed = if alg == Kind::named(form.kind).alg {
            call.request()
        } else {
            with(&call.request(), allowed)
        };
        let told = json!({ "sender_constrained": form.how });
        file.accept(&id(&alg.to_lowercase()), &allowed, told);
    }
    let call = || Call::of(form);
    for (name, typ) in [
        ("typ-absent", json!(null)),
        ("typ-of-dpop", json!("dpop+jwt")),
        ("typ-jwt", json!("JWT")),
    ] {
        let request = call().header(json!({ "typ": typ })).request();
        file.refuse(&id(name), &near, CODE, &request);
    }
    let long = call().header(json!({ "typ": format!("application/{}", form.typ) }));
    file.accept(&id("typ-in-full"), &long.request(), json!({}));
    for (name, alg) in [
        ("alg-none", "none"),
        ("alg-hmac", "HS256"),
        ("alg-of-another-key", "EdDSA"),
        ("alg-unknown", "ES999"),
    ] {
        let request = call().header(json!({ "alg": alg })).request();
        file.refuse(&id(name), &near, CODE, &request);
    }
    // Another key's signature, under the right algorithm, with that key in the header.
    let mut forged = call();
    forged.key = Key::seeded("ES256", "client");
    let forged = forged.header(json!({ "jwk": Key::seeded("ES256", "client").jwk }));
    file.refuse(&id("by-another-key"), &near, CODE, &forged.request());
    for name in ["aud", "jti"] {
        for (how, value) in [
            ("absent", json!(null)),
            ("empty", json!("")),
            ("not-text", json!(1)),
        ] {
            let request = call().claims(json!({ name: value })).request();
            file.refuse(&id(&format!("{name}-{how}")), &near, CODE, &request);
        }
    }
    let list = call().claims(json!({ "aud": [call().claims["aud"]] }));
    file.refuse(&id("aud-list"), &near, CODE, &list.request());
    let long = call().claims(json!({ "jti": "j".repeat(256) }));
    file.accept(&id("jti-longest"), &long.request(), json!({}));
    let longer = call().claims(json!({ "jti": "j".repeat(257) }));
    file.refuse(
        &id("jti-too-long"),
        &id("jti-longest"),
        CODE,
        &longer.request(),
    );
    let mut broken = call().fields();
    broken[1][1] = "a.b".into();
    file.refuse(&id("no-jwt"), &near, CODE, &call().with_fields(broken));
    let more = call().claims(json!({ "nbf": T + 9, "challenge": "c", "x": 1 }));
    file.accept(&id("more-claims"), &more.request(), json!({}));
    // ATT-12: earlier drafts had it; nobody looks at it.
    let named = call().claims(json!({ "iss": "x" }));
    file.accept(&id("an-iss-of-earlier-drafts"), &named.request(), json!({}));
    // A proof of the token's own issuer is not one of its holder.
    let jkt = json!({ "cnf": { "jkt": b64u([7; 32]) } });
    let other = Call::by(form, holder(), jkt);
    file.refuse(
        &id("another-jkt-beside"),
        &near,
        "pop_mismatch",
        &other.request(),
    );
}

/// WPT-10, ATT-10: a session, since a line of its own remembers nothing.
fn used(file: &mut File, form: &'static Form) {
    let id = |name: &str| format!("{}/used/{name}", form.kind);
    let session = format!("p-{}", form.kind);
    let open = json!({ "op": "open", "session": session, "policy": policy(form), "now": T });
    file.accept(&id("open"), &open, json!({}));
    let sent = |call: Call, now: i64| {
        let request = with(&call.request(), json!({ "policy": null }));
        with(&request, json!({ "session": session, "now": now }))
    };
    let near = id("first");
    let bad = Call::of(form).claims(json!({ "aud": "https://other.example/mcp" }));
    file.refuse(&id("refused-for-aud"), &near, CODE, &sent(bad, T));
    let told = json!({ "sender_constrained": form.how });
    file.accept(&near, &sent(Call::of(form), T), told);
    file.refuse(&id("again"), &near, "replayed", &sent(Call::of(form), T));
    let late = sent(Call::of(form), T + 89);
    file.refuse(&id("at-the-end"), &near, "replayed", &late);
    let after = sent(Call::of(form), T + 91);
    file.refuse(&id("after-the-end"), &near, CODE, &after);
    let new = Call::of(form).claims(json!({ "jti": "p2" }));
    file.accept(&id("another-jti"), &sent(new, T), json!({}));
    let other = Call::by(form, Key::seeded("ES256", "client"), json!({}));
    let allowed = sent(other, T);
    let es256 = Kind::named(form.kind).alg == "ES256" || form.kind != "wit";
    if es256 {
        file.accept(&id("same-jti-of-another-key"), &allowed, json!({}));
    }
    let close = json!({ "op": "close", "session": session });
    file.accept(&id("close"), &close, json!({}));
}

/// What a workload's proof says of the request.
fn workloads(file: &mut File) {
    let near = "wit/good";
    let call = || Call::of(&WORKLOAD);
    for (name, aud) in [
        ("case-and-port", "HTTPS://RS.example:443/mcp"),
        ("escapes", "https://rs.example/%6Dcp"),
        ("query", "https://rs.example/mcp?x=1"),
    ] {
        let request = call().claims(json!({ "aud": aud })).request();
        file.accept(&format!("wit/aud/{name}"), &request, json!({}));
    }
    for (name, aud) in [
        ("another-path", "https://rs.example/other"),
        ("slash", "https://rs.example/mcp/"),
        ("origin", ORIGIN),
        ("another-host", "https://evil.example/mcp"),
        ("no-url", "rs"),
    ] {
        let request = call().claims(json!({ "aud": aud })).request();
        file.refuse(&format!("wit/aud/{name}"), near, CODE, &request);
    }
    // What a request says of its host its sender has chosen.
    let spoofed = call()
        .claims(json!({ "aud": "https://evil.example/mcp" }))
        .field("Host", "evil.example")
        .field("X-Forwarded-Host", "evil.example");
    file.refuse("wit/aud/host-field", near, CODE, &spoofed.request());
    for (name, exp) in [("at-the-cap", T + 330), ("within-leeway", T - 29)] {
        let request = call().claims(json!({ "exp": exp })).request();
        file.accept(&format!("wit/exp/{name}"), &request, json!({}));
    }
    for (name, near, exp) in [
        ("absent", near, json!(null)),
        ("not-a-number", near, json!("soon")),
        ("expired", "wit/exp/within-leeway", json!(T - 30)),
        ("too-far", "wit/exp/at-the-cap", json!(T + 331)),
    ] {
        let request = call().claims(json!({ "exp": exp })).request();
        file.refuse(&format!("wit/exp/{name}"), near, CODE, &request);
    }
    let other = Kind::named("wit");
    let other = other.token(&with(&other.claims(), json!({ "jti": "another" })));
    for (name, wth) in [
        ("absent", json!(null)),
        ("of-another", json!(hash(&other))),
        ("not-text", json!(1)),
    ] {
        let request = call().claims(json!({ "wth": wth })).request();
        file.refuse(&format!("wit/wth/{name}"), near, CODE, &request);
    }
    // WPT-02: names of one algorithm are two.
    let key = Key::seeded("Ed25519", "holder");
    let legacy = Call::by(
        &WORKLOAD,
        key,
        json!({ "cnf": { "jwk": { "alg": "EdDSA" } } }),
    );
    let strict = legacy.request();
    file.refuse(
        "wit/alg/by-another-name",
        "wit/alg/by-one-name",
        CODE,
        &strict,
    );
    let same = legacy.header(json!({ "alg": "EdDSA" }));
    file.accept("wit/alg/by-one-name", &same.request(), json!({}));
}

/// WPT-07 to WPT-09: a proof is of everything that stands in the request.
fn beside(file: &mut File) {
    let near = "wit/good";
    let call = || Call::of(&WORKLOAD);
    let access = "2YotnFZFEjr1zCsicMWpAA";
    let txn = Kind::named("txn_token");
    let txn = txn.token(&txn.claims());
    for (claim, field, value, text) in [
        ("ath", "Authorization", format!("Bearer {access}"), access),
        ("tth", "Txn-Token", txn.clone(), &txn),
    ] {
        let covered = format!("wit/{claim}/covered");
        let sent = |hash: Value| call().field(field, &*value).claims(json!({ claim: hash }));
        file.accept(&covered, &sent(hash(text).into()).request(), json!({}));
        for (name, hash) in [
            ("absent", json!(null)),
            ("of-another", json!(hash("x"))),
            ("not-text", json!(1)),
        ] {
            let id = format!("wit/{claim}/{name}");
            file.refuse(&id, &covered, CODE, &sent(hash).request());
        }
        let nothing = call().claims(json!({ claim: hash(text) }));
        let id = format!("wit/{claim}/of-nothing");
        file.refuse(&id, near, CODE, &nothing.request());
        let twice = sent(hash(text).into()).field(field, &*value);
        let id = format!("wit/{claim}/two-tokens");
        file.refuse(&id, &covered, "multiple_credentials", &twice.request());
    }
    let scheme = call()
        .field("Authorization", format!("DPoP {access}"))
        .claims(json!({ "ath": hash(access) }));
    file.accept("wit/ath/of-a-bound-token", &scheme.request(), json!({}));
    let basic = call().field("Authorization", "Basic YTpi");
    file.accept("wit/ath/no-access-token", &basic.request(), json!({}));
    let none = call().claims(json!({ "oth": {} }));
    file.accept("wit/oth/empty", &none.request(), json!({}));
    for (name, oth) in [
        ("unknown", json!({ "x-other-token": hash("x") })),
        ("not-an-object", json!("x")),
    ] {
        let request = call().claims(json!({ "oth": oth })).request();
        file.refuse(&format!("wit/oth/{name}"), "wit/oth/empty", CODE, &request);
    }
}

/// What an attested client's proof says.
fn clients(file: &mut File) {
    let near = "client_attestation/good";
    let call = || Call::of(&CLIENT);
    for (name, aud) in [
        ("slash", "https://rs.example/"),
        ("path", URL),
        ("case", "HTTPS://rs.example"),
        ("another", "https://as.example"),
    ] {
        let request = call().claims(json!({ "aud": aud })).request();
        file.refuse(
            &format!("client_attestation/aud/{name}"),
            near,
            CODE,
            &request,
        );
    }
    for (name, iat) in [("oldest", T - 90), ("earliest", T + 30)] {
        let request = call().claims(json!({ "iat": iat })).request();
        file.accept(
            &format!("client_attestation/iat/{name}"),
            &request,
            json!({}),
        );
    }
    for (name, near, iat) in [
        ("absent", near, json!(null)),
        ("not-a-number", near, json!("now")),
        ("too-old", "client_attestation/iat/oldest", json!(T - 91)),
        ("to-come", "client_attestation/iat/earliest", json!(T + 31)),
    ] {
        let request = call().claims(json!({ "iat": iat })).request();
        file.refuse(
            &format!("client_attestation/iat/{name}"),
            near,
            CODE,
            &request,
        );
    }
}

/// D17: a workload's identity beside an access token says who presents it.
fn callers(file: &mut File) {
    let (access, workload) = (Kind::named("access_token"), Kind::named("wit"));
    let own = workload.policy()["issuers"]["as"].clone();
    let policy = with(
        &access.policy(),
        json!({
            "issuers": { "td": own },
            "gates": { "g": {
                "public_url": ORIGIN, "delegation": "d", "context": { "wit": "required" },
            } },
            "delegation": { "d": {
                "presenter": "must_be_actor",
                "allow": [{ "actor": { "iss": access.issuer } }],
            } },
            "replay": { "store": "process" },
        }),
    );
    let acting = |name: &str| {
        let act = json!({ "iss": access.issuer, "sub": format!("wimse://td.example/{name}") });
        access.token(&with(&access.claims(), json!({ "act": act })))
    };
    // The workload's identity is agent-a's.
    let call = |token: &str| {
        Call::of(&WORKLOAD)
            .field("Authorization", format!("Bearer {token}"))
            .claims(json!({ "ath": hash(token) }))
    };
    let sent = |call: &Call| {
        with(
            &with(&call.request(), json!({ "policy": null })),
            json!({ "policy": policy }),
        )
    };
    let own = acting("agent-a");
    let near = "caller/is-the-actor";
    let told = json!({ "subject": "u1", "sender_constrained": null });
    file.accept(near, &sent(&call(&own)), told);
    let other = sent(&call(&acting("agent-b")));
    file.refuse(
        "caller/is-another",
        near,
        "actor_presenter_mismatch",
        &other,
    );
    let prefix = sent(&call(&acting("agent-a/b")));
    file.refuse(
        "caller/is-its-parent",
        near,
        "actor_presenter_mismatch",
        &prefix,
    );
    let alone = json!({ "headers": [["Authorization", format!("Bearer {own}")]] });
    let alone = with(&sent(&call(&own)), alone);
    file.refuse("caller/unknown", near, "no_token", &alone);
    let may = json!({ "policy": { "gates": { "g": { "context": { "wit": "allowed" } } } } });
    file.accept(
        "caller/unknown-as-it-may-be",
        &with(&alone, may.clone()),
        json!({}),
    );
    file.accept(
        "caller/known-where-it-may-be-unknown",
        &with(&sent(&call(&own)), may),
        json!({}),
    );
    let mut unproven = call(&own).fields();
    unproven.remove(1);
    let unproven = with(&sent(&call(&own)), json!({ "headers": unproven }));
    file.refuse("caller/unproven", near, "pop_required", &unproven);
    let uncovered = sent(&call(&own).claims(json!({ "ath": null })));
    file.refuse("caller/of-no-token", near, CODE, &uncovered);
    let stolen = sent(&call(&own).claims(json!({ "ath": hash(&acting("agent-b")) })));
    file.refuse("caller/of-another-token", near, CODE, &stolen);
    // The identity is none of the access tokens of this gate.
    let session = json!({ "session": "c" });
    let open = with(
        &json!({ "op": "open", "policy": policy, "now": T }),
        session.clone(),
    );
    file.accept("caller/open", &open, json!({}));
    let in_session =
        |request: &Value| with(&with(request, json!({ "policy": null })), session.clone());
    let near = "caller/once";
    file.accept(near, &in_session(&sent(&call(&own))), json!({}));
    let again = in_session(&sent(&call(&own)));
    file.refuse("caller/again", near, "replayed", &again);
    let identity = Call::of(&WORKLOAD).token;
    let bearer = json!({ "headers": [["Authorization", format!("Bearer {identity}")]] });
    let bearer = with(&again, bearer);
    file.refuse(
        "caller/identity-as-access-token",
        near,
        "typ_mismatch",
        &bearer,
    );
    file.accept(
        "caller/close",
        &with(&json!({ "op": "close" }), session),
        json!({}),
    );
}
