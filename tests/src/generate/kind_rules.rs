//! Rules of single kinds beyond what every row has (standards 11 to 18, 20, 21, 24, 25, 32.3).

use serde_json::{Value, json};

use super::kinds::{Kind, holder};
use super::{File, T, canonical, header, kind_reports, standing, token, with};
use crate::workshop::{Key, b64u};

pub(super) fn lines() -> String {
    let mut file = File::default();
    for write in [
        id_jag,
        client_attestation,
        txn_token,
        wit,
        wit_svid,
        key_use,
        capability,
        actor_proof,
        intent_token,
        kind_reports::set,
        kind_reports::status_list_token,
        kind_reports::introspection_response,
        kind_reports::agent_card,
    ] {
        write(&mut file);
    }
    standing::lines(&mut file);
    file.lines
}

/// One kind's lines: its good token, and others that differ in what they name.
pub(super) struct Lines<'f> {
    pub(super) kind: &'static Kind,
    pub(super) file: &'f mut File,
}

impl<'f> Lines<'f> {
    pub(super) fn of(profile: &str, file: &'f mut File) -> Self {
        let kind = Kind::named(profile);
        let mut lines = Self { kind, file };
        lines.accept("good", json!({}), json!({}));
        lines
    }

    pub(super) fn id(&self, name: &str) -> String {
        format!("{}/{name}", self.kind.profile)
    }

    /// The good token with these claims changed (`null` takes one away), at a gate whose policy is
    /// changed so.
    pub(super) fn request(&self, claims: Value, policy: Value) -> Value {
        let claims = with(&self.kind.claims(), claims);
        self.signed(&self.kind.token(&claims), policy)
    }

    pub(super) fn signed(&self, token: &str, policy: Value) -> Value {
        with(&self.kind.request(token), json!({ "policy": policy }))
    }

    pub(super) fn accept(&mut self, name: &str, claims: Value, policy: Value) {
        let request = self.request(claims, policy);
        self.file.accept(&self.id(name), &request, json!({}));
    }

    pub(super) fn refuse(&mut self, name: &str, code: &str, claims: Value) {
        self.refuse_near(name, "good", code, claims, json!({}));
    }

    pub(super) fn refuse_near(
        &mut self,
        name: &str,
        near: &str,
        code: &str,
        claims: Value,
        policy: Value,
    ) {
        let request = self.request(claims, policy);
        self.file
            .refuse(&self.id(name), &self.id(near), code, &request);
    }

    /// A member of an object claim put in place of the good one's: `merge` would keep the rest.
    pub(super) fn replaced(&self, name: &str, value: Value) -> Value {
        let mut claims = self.kind.claims();
        claims[name] = value;
        self.kind.verify(&claims)
    }

    pub(super) fn accept_replaced(&mut self, label: &str, name: &str, value: Value) {
        let request = self.replaced(name, value);
        self.file.accept(&self.id(label), &request, json!({}));
    }

    pub(super) fn refuse_replaced(&mut self, label: &str, code: &str, name: &str, value: Value) {
        let request = self.replaced(name, value);
        self.file
            .refuse(&self.id(label), &self.id("good"), code, &request);
    }
}

fn surfaced() -> Value {
    json!({ "gates": { "g": { "delegation": "surface" } } })
}

/// IJ-08, IJ-09.
fn id_jag(file: &mut File) {
    let mut lines = Lines::of("id_jag", file);
    let act = json!({ "act": { "iss": "https://as.example", "sub": "agent-a" } });
    lines.accept("actor-of-an-issuer", act, surfaced());
    let near = "actor-of-an-issuer";
    let act = json!({ "act": { "sub": "agent-a" } });
    lines.refuse_near("actor-of-nobody", near, "actor_malformed", act, surfaced());
    lines.accept(
        "tenants",
        json!({ "tenant": "t1", "aud_tenant": "t2", "aud_sub": "u9" }),
        json!({}),
    );
    for name in ["tenant", "aud_tenant", "aud_sub"] {
        for (number, value) in [json!(""), json!(1), json!(["t1"])].into_iter().enumerate() {
            let claims = json!({ name: value });
            lines.refuse(&format!("{name}-malformed-{number}"), "claim_type", claims);
        }
    }
    lines.accept_replaced(
        "resources",
        "resource",
        json!(["https://a.example", "https://b.example"]),
    );
    lines.accept("no-resource", json!({ "resource": null }), json!({}));
    for (number, value) in [json!([]), json!([""]), json!("")].into_iter().enumerate() {
        lines.refuse_replaced(
            &format!("resource-malformed-{number}"),
            "claim_type",
            "resource",
            value,
        );
    }
}

/// Keys that `cnf` must not hold, each with what is answered (ATT-04, WIT-01, WIT-02, AAT-03).
fn keys_of_no_holder() -> Vec<(&'static str, &'static str, Value)> {
    let with_holder = |more: Value| json!({ "jwk": with(&holder(), more) });
    vec![
        ("cnf-empty", "missing_claim", json!({})),
        (
            "cnf-thumbprint",
            "missing_claim",
            json!({ "jkt": b64u([7; 32]) }),
        ),
        ("cnf-jwk-text", "claim_type", json!({ "jwk": "x" })),
        ("cnf-jwk-null", "claim_type", json!({ "jwk": null })),
        (
            "cnf-jwk-private",
            "claim_type",
            with_holder(json!({ "d": b64u([1; 32]) })),
        ),
        (
            "cnf-jwk-off-the-curve",
            "claim_type",
            with_holder(json!({ "x": b64u([1; 32]) })),
        ),
        (
            "cnf-jwk-for-encryption",
            "claim_type",
            with_holder(json!({ "use": "enc" })),
        ),
        (
            "cnf-jwk-of-another-alg",
            "claim_type",
            with_holder(json!({ "alg": "ES384" })),
        ),
        (
            "cnf-jwk-of-no-alg",
            "claim_type",
            with_holder(json!({ "alg": "none" })),
        ),
        (
            "cnf-jwk-secret",
            "claim_type",
            json!({ "jwk": { "kty": "oct", "k": b64u([7; 32]), "alg": "HS256" } }),
        ),
    ]
}

fn bound(lines: &mut Lines<'_>) {
    for (label, code, cnf) in keys_of_no_holder() {
        lines.refuse_replaced(label, code, "cnf", cnf);
    }
    // WIT-05 and its like: without its proof it opens nothing.
    let policy = json!({ "gates": { "g": { "sender_constrained": "if_bound" } } });
    lines.refuse_near("without-proof", "good", "pop_required", json!({}), policy);
}

/// The kind's `iss` may be there, and then it counts.
pub(super) fn optional_issuer(lines: &mut Lines<'_>) {
    let named = json!({ "iss": lines.kind.issuer });
    lines.accept("with-its-issuer", named.clone(), json!({}));
    let key = Key::seeded(lines.kind.alg, "k2").jwk;
    let two = json!({
        "issuers": { "other": {
            "issuer": "https://second.example", "jwks": { "keys": [key] },
            "algorithms": [lines.kind.alg], "profiles": [lines.kind.profile],
        } },
        "gates": { "g": { "issuers": ["as", "other"] } },
    });
    lines.accept("one-of-two-issuers", named, two.clone());
    let near = "one-of-two-issuers";
    lines.refuse_near(
        "of-two-issuers-neither",
        near,
        "missing_claim",
        json!({}),
        two,
    );
}

fn client_attestation(file: &mut File) {
    let mut lines = Lines::of("client_attestation", file);
    bound(&mut lines);
    optional_issuer(&mut lines);
}

/// TXT-05, TXT-09, TXT-10, and the agents' extension.
fn txn_token(file: &mut File) {
    let mut lines = Lines::of("txn_token", file);
    optional_issuer(&mut lines);
    let jwt = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.c2ln";
    for (number, context) in [
        json!({ "token": jwt }),
        json!({ "a": [{ "b": [1, { "c": jwt }] }] }),
        json!({ "unsigned": "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0." }),
    ]
    .into_iter()
    .enumerate()
    {
        for name in ["tctx", "rctx"] {
            let label = format!("{name}-with-a-token-{number}");
            lines.refuse_replaced(&label, "forbidden_claim", name, context.clone());
        }
    }
    let harmless =
        json!({ "a": "eyJ", "b": "eyJ.eyJ", "c": "1.2.3", "d": "eyJ a.b.c", "e": "a.b.c.d" });
    lines.accept_replaced("tctx-without-a-token", "tctx", harmless);
    for name in ["tctx", "rctx", "agentic_ctx"] {
        for (number, value) in [json!("x"), json!([]), json!(1)].into_iter().enumerate() {
            let label = format!("{name}-malformed-{number}");
            lines.refuse_replaced(&label, "claim_type", name, value);
        }
    }
    lines.refuse_replaced(
        "req-wl-of-an-earlier-draft",
        "claim_type",
        "req_wl",
        json!(["gw"]),
    );
    lines.accept("empty-scope", json!({ "scope": "" }), json!({}));
    let needs = json!({ "gates": { "g": { "required_scopes": ["trade.stocks"] } } });
    let (claims, near) = (json!({ "scope": "" }), "empty-scope");
    lines.refuse_near(
        "empty-scope-grants-nothing",
        near,
        "insufficient_scope",
        claims,
        needs,
    );
    let act = json!({ "iss": "https://as.example", "sub": "agent-a" });
    let named = |act: &Value| json!({ "iss": "https://tts.td.example", "act": act });
    lines.accept("agent", named(&act), surfaced());
    let (near, nobody) = ("agent", json!({ "sub": "agent-a" }));
    lines.refuse_near(
        "agent-of-nobody",
        near,
        "actor_malformed",
        named(&nobody),
        surfaced(),
    );
    let anonymous = json!({ "act": act });
    lines.refuse_near(
        "agent-without-iss",
        near,
        "missing_claim",
        anonymous,
        surfaced(),
    );
}

/// WIT-02 to WIT-05.
fn wit(file: &mut File) {
    let mut lines = Lines::of("wit", file);
    bound(&mut lines);
    let mut nameless = holder();
    nameless
        .as_object_mut()
        .expect("a key")
        .remove("alg")
        .expect("there");
    lines.refuse_replaced(
        "cnf-jwk-without-alg",
        "missing_claim",
        "cnf",
        json!({ "jwk": nameless }),
    );
    lines.accept(
        "iss-of-another",
        json!({ "iss": "https://issuer.example" }),
        json!({}),
    );
    lines.accept(
        "path-of-several-segments",
        json!({ "sub": "wimse://td.example/a/b~c:1" }),
        json!({}),
    );
    lines.accept(
        "path-with-an-escape",
        json!({ "sub": "wimse://td.example/a%20b" }),
        json!({}),
    );
    for (number, sub) in [
        "wimse://td.example",
        "wimse://td.example/",
        "wimse://td.example//a",
        "wimse://td.example/a/",
        "wimse://td.example/./a",
        "wimse://td.example/a/..",
        "wimse://td.example/%70ayment",
        "wimse://td.example/a%2fb",
        "wimse://td.example/a%",
        "wimse://td.example/a?q",
        "wimse://td.example/a#f",
        "wimse://td.example:443/a",
        "wimse://u@td.example/a",
        "wimse://TD.example/a",
        "WIMSE://td.example/a",
        "wimse:///a",
        "urn:td.example:a",
        "td.example/a",
    ]
    .into_iter()
    .enumerate()
    {
        lines.refuse(
            &format!("sub-malformed-{number}"),
            "claim_type",
            json!({ "sub": sub }),
        );
    }
    // WIT-03: whose key it is goes by the trust domain, and a domain has its own alone.
    let (own, other) = (lines.kind.key(), Key::seeded("Ed25519", "k2"));
    let two = json!({
        "issuers": { "other": {
            "issuer": "wimse://other.example", "jwks": { "keys": [other.jwk] },
            "algorithms": ["Ed25519"], "profiles": ["wit"],
        } },
        "gates": { "g": { "issuers": ["as", "other"] } },
    });
    let claims = with(
        &lines.kind.claims(),
        json!({ "sub": "wimse://other.example/agent-a" }),
    );
    let payload = canonical(&claims);
    let [good, foreign] = [&other, &own].map(|key| {
        let token = token(key, &header(key, lines.kind.typ), &payload);
        lines.signed(&token, two.clone())
    });
    lines.file.accept(
        "wit/another-domain",
        &good,
        json!({ "issuer": "wimse://other.example" }),
    );
    let (id, near) = ("wit/key-of-another-domain", "wit/another-domain");
    lines.file.refuse(id, near, "key_not_found", &foreign);
}

const SPIFFE: &str = "spiffe://td.example";

/// WSV-01 to WSV-05: what SPIFFE asks beyond WIMSE.
fn wit_svid(file: &mut File) {
    let kind = Kind::named("wit");
    let key = Key::seeded("ES256", "k1");
    let claims = with(
        &kind.claims(),
        json!({ "sub": format!("{SPIFFE}/agent-a") }),
    );
    let policy = json!({ "issuers": { "as": {
        "issuer": SPIFFE, "jwks": { "keys": [key.jwk] }, "algorithms": ["ES256", "Ed25519"],
    } } });
    let request = |key: &Key, header: &str, claims: &Value, policy: &Value| {
        let token = token(key, header, &canonical(claims));
        with(&kind.request(&token), json!({ "policy": policy }))
    };
    let head = header(&key, kind.typ);
    let near = "wit/svid";
    let answer = json!({ "issuer": SPIFFE, "subject": format!("{SPIFFE}/agent-a") });
    file.accept(near, &request(&key, &head, &claims, &policy), answer);
    let headless = head.replacen(&format!(",\"kid\":\"{}\"", key.kid()), "", 1);
    let headless = headless.replacen(&format!("\"kid\":\"{}\",", key.kid()), "", 1);
    assert_ne!(headless, head, "it had a kid");
    let headless = request(&key, &headless, &claims, &policy);
    file.refuse("wit/svid-without-kid", near, "missing_claim", &headless);
    let curve = Key::seeded("Ed25519", "holder").jwk;
    let mut edwards = claims.clone();
    edwards["cnf"] = json!({ "jwk": curve });
    let edwards = request(&key, &head, &edwards, &policy);
    file.refuse("wit/svid-bound-to-ed25519", near, "claim_type", &edwards);
    for (number, sub) in [
        SPIFFE.to_owned(),
        format!("{SPIFFE}/a~b"),
        format!("{SPIFFE}/a%20b"),
    ]
    .into_iter()
    .enumerate()
    {
        let request = request(&key, &head, &with(&claims, json!({ "sub": sub })), &policy);
        file.refuse(
            &format!("wit/svid-sub-malformed-{number}"),
            near,
            "claim_type",
            &request,
        );
    }
    let aimed = with(&claims, json!({ "aud": "https://rs.example" }));
    file.refuse(
        "wit/svid-with-aud",
        near,
        "forbidden_claim",
        &request(&key, &head, &aimed, &policy),
    );
    // An algorithm that the issuer lists for its other tokens, and SPIFFE does not have.
    let other = Key::seeded("Ed25519", "k2");
    let keys = json!({ "issuers": { "as": { "jwks": { "keys": [key.jwk, other.jwk] } } } });
    let policy = with(&policy, keys);
    let forged = request(&other, &header(&other, kind.typ), &claims, &policy);
    file.refuse("wit/svid-by-ed25519", near, "alg_not_allowed", &forged);
}

/// JSV-05: a key of a bundle verifies the kind it says it is for.
fn key_use(file: &mut File) {
    let (jwt, wit) = (Key::seeded("ES256", "k1"), Key::seeded("ES256", "k2"));
    let marked = |key: &Key, usage: &str| with(&key.jwk, json!({ "use": usage }));
    let keys = [marked(&jwt, "jwt-svid"), marked(&wit, "wit-svid")];
    for (profile, own, other) in [("jwt_svid", &jwt, &wit), ("wit", &wit, &jwt)] {
        let kind = Kind::named(profile);
        let claims = with(
            &kind.claims(),
            json!({ "sub": format!("{SPIFFE}/agent-a") }),
        );
        let policy = json!({ "issuers": { "as": {
            "issuer": SPIFFE, "jwks": { "keys": keys }, "algorithms": ["ES256"],
            "profiles": ["jwt_svid", "wit"],
        } } });
        let request = |key: &Key| {
            let token = token(key, &header(key, kind.typ), &canonical(&claims));
            with(&kind.request(&token), json!({ "policy": policy }))
        };
        let near = format!("{profile}/key-for-it");
        file.accept(&near, &request(own), json!({}));
        let id = format!("{profile}/key-for-another-kind");
        file.refuse(&id, &near, "key_use_mismatch", &request(other));
    }
}

/// A kind whose tokens may name an audience: they do where the gate has one, and nowhere else.
fn optional_audience(lines: &mut Lines<'_>) {
    let aimed = json!({ "gates": { "g": { "audience": "https://rs.example" } } });
    let ours = json!({ "aud": "https://rs.example" });
    lines.accept("for-us", ours.clone(), aimed.clone());
    lines.accept(
        "for-us-among-others",
        json!({ "aud": ["x", "https://rs.example"] }),
        aimed.clone(),
    );
    let other = json!({ "aud": "https://other.example" });
    lines.refuse_near(
        "for-another",
        "for-us",
        "aud_mismatch",
        other,
        aimed.clone(),
    );
    lines.refuse_near("for-nobody", "for-us", "missing_claim", json!({}), aimed);
    lines.refuse("for-somebody", "aud_mismatch", ours);
}

/// AAT-03.
fn capability(file: &mut File) {
    let mut lines = Lines::of("capability", file);
    bound(&mut lines);
    optional_audience(&mut lines);
    lines.refuse("child", "wrong_token_kind", json!({ "del_depth": 1 }));
    for (number, depth) in [json!(1.5), json!(-1), json!("0")].into_iter().enumerate() {
        let claims = json!({ "del_max_depth": depth });
        lines.refuse(&format!("depth-malformed-{number}"), "claim_type", claims);
    }
    lines.accept(
        "ends-after-it-begins",
        json!({ "iat": T + 20, "exp": T + 21 }),
        json!({}),
    );
    let claims = json!({ "iat": T + 20, "exp": T + 20 });
    let near = "ends-after-it-begins";
    lines.refuse_near("ends-as-it-begins", near, "claim_type", claims, json!({}));
    let entry = |tools: Value| json!({ "type": "attenuating_agent_token", "tools": tools });
    let name = "authorization_details";
    lines.accept_replaced(
        "tool-without-constraints",
        name,
        json!([entry(json!({ "read": {} }))]),
    );
    let twice = json!([entry(json!({})), entry(json!({}))]);
    for (number, details) in [
        json!([]),
        twice,
        json!([entry(json!({})), { "type": "payment" }]),
        json!([{ "type": "payment", "tools": {} }]),
        json!([{ "type": "attenuating_agent_token" }]),
        json!([entry(json!([]))]),
        json!([entry(json!({ "read": [] }))]),
        json!([entry(json!({ "read": { "path": "/a" } }))]),
        json!([entry(json!({ "read": { "path": { "value": "/a" } } }))]),
        json!([entry(
            json!({ "read": { "path": { "constraint_type": 1 } } })
        )]),
    ]
    .into_iter()
    .enumerate()
    {
        lines.refuse_replaced(
            &format!("details-malformed-{number}"),
            "claim_type",
            name,
            details,
        );
    }
    let named = json!({ "gates": { "g": { "typ": "cap+jwt" } } });
    lines.refuse_near(
        "typ-the-gate-does-not-name",
        "good",
        "typ_mismatch",
        json!({}),
        named,
    );
}

/// Actor Proofs draft.
fn actor_proof(file: &mut File) {
    let mut lines = Lines::of("actor_proof", file);
    lines.accept("oldest", json!({ "prh": null }), json!({}));
    for (number, hash) in [
        b64u([7; 31]),
        b64u([7; 33]),
        b64u([7; 32]) + "=",
        "x".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        lines.refuse(
            &format!("prh-malformed-{number}"),
            "claim_type",
            json!({ "prh": hash }),
        );
    }
    let (aud, resource) = (json!("https://as.example"), json!(["https://rs.example"]));
    lines.accept_replaced(
        "target-of-both",
        "target",
        json!({ "aud": aud, "resource": resource }),
    );
    lines.accept_replaced(
        "target-of-a-resource",
        "target",
        json!({ "resource": resource }),
    );
    for (number, target) in [
        json!({}),
        json!({ "aud": "" }),
        json!({ "aud": [] }),
        json!({ "aud": [1] }),
        json!({ "aud": "a", "resource": 1 }),
    ]
    .into_iter()
    .enumerate()
    {
        lines.refuse_replaced(
            &format!("target-malformed-{number}"),
            "claim_type",
            "target",
            target,
        );
    }
}

/// INTN-01, INTN-02, INTN-07.
fn intent_token(file: &mut File) {
    let mut lines = Lines::of("intent_token", file);
    optional_audience(&mut lines);
    let hash = format!("sha-256:{}", b64u([7; 32]));
    let intent = json!({ "id": "i1", "issuer": "https://as.example", "hash": hash });
    lines.accept(
        "intent",
        json!({ "mission": null, "intent": intent }),
        json!({}),
    );
    lines.accept("both", json!({ "intent": intent }), json!({}));
    for member in ["id", "issuer", "hash"] {
        let less = with(&intent, json!({ member: null }));
        let claims = json!({ "mission": null, "intent": less });
        lines.refuse_near(
            &format!("intent-without-{member}"),
            "intent",
            "missing_claim",
            claims,
            json!({}),
        );
        for (number, value) in [json!(""), json!(1)].into_iter().enumerate() {
            let other = with(&intent, json!({ member: value }));
            let label = format!("intent-{member}-malformed-{number}");
            let claims = json!({ "intent": other });
            lines.refuse_near(&label, "both", "claim_type", claims, json!({}));
        }
    }
    for (number, hash) in [
        "sha-512:".to_owned() + &b64u([7; 64]),
        b64u([7; 32]),
        "sha-256:".to_owned() + &b64u([7; 31]),
        "SHA-256:".to_owned() + &b64u([7; 32]),
    ]
    .into_iter()
    .enumerate()
    {
        let claims = json!({ "mission": { "authority_hash": hash } });
        lines.refuse(&format!("hash-malformed-{number}"), "claim_type", claims);
    }
    let until = |text: &str| json!({ "mission": { "expires_at": text } });
    lines.accept(
        "no-end",
        json!({ "mission": { "expires_at": null } }),
        json!({}),
    );
    lines.accept("ends-with-it", until("2027-01-15T08:05:00Z"), json!({}));
    lines.accept(
        "ends-with-it-elsewhere",
        until("2027-01-15T09:05:00+01:00"),
        json!({}),
    );
    let earlier = until("2027-01-15T08:04:59Z");
    lines.refuse_near(
        "outlives-it",
        "ends-with-it",
        "lifetime_too_long",
        earlier,
        json!({}),
    );
    for (number, date) in [
        json!("2027-01-15"),
        json!("soon"),
        json!(T + 3600),
        json!("2027-02-30T08:00:00Z"),
    ]
    .into_iter()
    .enumerate()
    {
        let claims = json!({ "mission": { "expires_at": date } });
        lines.refuse(&format!("end-malformed-{number}"), "claim_type", claims);
    }
    lines.accept(
        "bounds",
        json!({ "mission": { "bounds": [{ "type": "payment" }] } }),
        json!({}),
    );
    for (number, bounds) in [json!({}), json!([{}]), json!(["x"]), json!([{ "type": 1 }])]
        .into_iter()
        .enumerate()
    {
        let claims = json!({ "mission": { "bounds": bounds } });
        lines.refuse_near(
            &format!("bounds-malformed-{number}"),
            "bounds",
            "claim_type",
            claims,
            json!({}),
        );
    }
}
