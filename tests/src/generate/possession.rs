//! Requests: credentials, DPoP proofs (RFC 9449), client certificates (RFC 8705), used proofs.

use serde_json::{Value, json};

use super::{File, Kind, Slot, T, canonical, token, with};
use super::{certificates, grants, urls};
use crate::workshop::{Hash, Key, b64u};

pub(super) const CODE: &str = "pop_invalid";
/// Where the gate is, and what is called there.
pub(super) const ORIGIN: &str = "https://rs.example";
pub(super) const URL: &str = "https://rs.example/mcp";

/// The client's key of this algorithm.
pub(super) fn client(alg: &str) -> Key {
    Key::seeded(alg, "client")
}

/// The members of a key that are its public half and nothing else (RFC 7638).
pub(super) fn public(key: &Key) -> Value {
    let names = ["crv", "e", "kty", "n", "x", "y"];
    let members = key.jwk.as_object().expect("an object").iter();
    let members = members.filter(|(name, _)| names.contains(&name.as_str()));
    let members = members.map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(members.collect())
}

pub(super) fn thumbprint(key: &Key) -> String {
    b64u(Hash::Sha256.digest(canonical(&public(key)).as_bytes()))
}

pub(super) fn kind() -> &'static Kind {
    Kind::named("access_token")
}

/// A gate that takes DPoP proofs and remembers them in the process.
pub(super) fn policy() -> Value {
    let more = json!({
        "gates": { "g": { "public_url": ORIGIN } },
        "dpop": {},
        "replay": { "store": "process" },
    });
    with(&kind().policy(), more)
}

/// An access token with this `cnf`.
pub(super) fn bound(cnf: Value) -> String {
    kind().token(&with(&kind().claims(), json!({ "cnf": cnf })))
}

/// A request in the making: what a client sends that does everything right.
pub(super) struct Call {
    pub(super) key: Key,
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) token: String,
    pub(super) scheme: &'static str,
    pub(super) method: &'static str,
    pub(super) uri: String,
}

impl Call {
    pub(super) fn new() -> Self {
        Self::by(client("ES256"))
    }

    pub(super) fn by(key: Key) -> Self {
        let token = bound(json!({ "jkt": thumbprint(&key) }));
        Self::with_token(key, token)
    }

    pub(super) fn with_token(key: Key, token: String) -> Self {
        let header = json!({ "typ": "dpop+jwt", "alg": key.alg(), "jwk": public(&key) });
        let ath = b64u(Hash::Sha256.digest(token.as_bytes()));
        let claims = json!({ "jti": "p1", "htm": "POST", "htu": URL, "iat": T, "ath": ath });
        Self {
            key,
            header,
            claims,
            token,
            scheme: "DPoP",
            method: "POST",
            uri: "/mcp".to_owned(),
        }
    }

    pub(super) fn claims(mut self, more: Value) -> Self {
        self.claims = with(&self.claims, more);
        self
    }

    pub(super) fn header(mut self, more: Value) -> Self {
        self.header = with(&self.header, more);
        self
    }

    pub(super) fn uri(mut self, uri: &str) -> Self {
        self.uri = uri.to_owned();
        self
    }

    pub(super) fn proof(&self) -> String {
        token(
            &self.key,
            &canonical(&self.header),
            &canonical(&self.claims),
        )
    }

    pub(super) fn authorization(&self) -> String {
        format!("{} {}", self.scheme, self.token)
    }

    /// The request, with its two fields.
    pub(super) fn request(&self) -> Value {
        let fields = json!([
            ["Authorization", self.authorization()],
            ["DPoP", self.proof()]
        ]);
        self.with_fields(fields)
    }

    pub(super) fn with_fields(&self, fields: Value) -> Value {
        json!({
            "op": "verify_request", "policy": policy(), "now": T,
            "method": self.method, "uri": self.uri, "headers": fields,
        })
    }
}

pub(super) fn slot() -> Slot {
    let call = Call::new();
    let (header, claims, key) = (call.header.clone(), call.claims.clone(), client("ES256"));
    Slot::new(
        ["dpop_proof", "dpop+jwt", CODE],
        key,
        header,
        claims,
        move |proof| {
            call.with_fields(json!([
                ["Authorization", call.authorization()],
                ["DPoP", proof]
            ]))
        },
    )
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    credentials(&mut file);
    algorithms(&mut file);
    headers(&mut file);
    claims(&mut file);
    urls::normalised(&mut file);
    urls::targets(&mut file);
    fields(&mut file);
    certificates::confirmations(&mut file);
    certificates::certificates(&mut file);
    policies(&mut file);
    used(&mut file);
    grants::lines(&mut file);
    file.lines
}

/// `Authorization` and the query.
fn credentials(file: &mut File) {
    let good = kind().token(&kind().claims());
    let call = Call::with_token(client("ES256"), good.clone());
    let (name, bearer) = ("Authorization", format!("Bearer {good}"));
    let sent = |fields: Value| call.with_fields(fields);
    let near = "credentials/bearer";
    let as_bearer = json!({ "subject": "u1", "sender_constrained": null });
    file.accept(near, &sent(json!([[name, bearer]])), as_bearer.clone());
    for (id, fields) in [
        (
            "credentials/any-case",
            json!([["aUTHORIZATION", format!("bEARER  {good} ")]]),
        ),
        (
            "credentials/among-others",
            json!([["Host", "evil.example"], [name, bearer], ["X", "y"]]),
        ),
        // DP-16: it protects nothing, and harms nothing.
        (
            "credentials/proof-beside-bearer",
            json!([[name, bearer], ["DPoP", call.proof()]]),
        ),
    ] {
        file.accept(id, &sent(fields), as_bearer.clone());
    }
    for (id, code, fields) in [
        ("none", "no_token", json!([])),
        (
            "of-another-scheme",
            "no_token",
            json!([[name, "Basic YTpi"]]),
        ),
        ("without-scheme", "no_token", json!([[name, good]])),
        (
            "two-fields",
            "multiple_credentials",
            json!([[name, bearer], [name, bearer]]),
        ),
        (
            "two-schemes",
            "multiple_credentials",
            json!([[name, bearer], ["authorization", format!("DPoP {good}")]]),
        ),
        (
            "two-in-one",
            "multiple_credentials",
            json!([[name, format!("{bearer}, {bearer}")]]),
        ),
        (
            "scheme-alone",
            "malformed_request",
            json!([[name, "Bearer"]]),
        ),
        (
            "two-tokens",
            "malformed_request",
            json!([[name, format!("Bearer {good} {good}")]]),
        ),
        (
            "not-a-token",
            "malformed_token",
            json!([[name, "Bearer abc"]]),
        ),
    ] {
        file.refuse(&format!("credentials/{id}"), near, code, &sent(fields));
    }
    let plain = sent(json!([[name, bearer]]));
    for (id, uri) in [
        ("in-query", format!("/mcp?access_token={good}")),
        (
            "in-query-escaped",
            format!("/mcp?a=b&%61ccess%5Ftoken={good}"),
        ),
    ] {
        let id = format!("credentials/{id}");
        file.refuse(
            &id,
            near,
            "token_in_query",
            &with(&plain, json!({ "uri": uri })),
        );
    }
    let unlike = with(
        &plain,
        json!({ "uri": "/mcp?token=x&access_tokens=y#access_token=z" }),
    );
    file.accept("credentials/other-query", &unlike, as_bearer);
    let logout = Kind::named("logout_token");
    let elsewhere = with(&plain, json!({ "policy": null }));
    let elsewhere = with(&elsewhere, json!({ "policy": logout.policy() }));
    file.refuse("credentials/no-such-gate", near, "usage", &elsewhere);
}

/// DP-05, DP-06 and DP-07.
fn algorithms(file: &mut File) {
    for alg in ["ES256", "ES384", "ES512", "Ed25519", "RS256", "PS256"] {
        let (near, call) = (format!("proof/{alg}"), Call::by(client(alg)));
        let only = json!({ "policy": { "dpop": { "algorithms": [alg] } } });
        let shown = json!({ "subject": "u1", "sender_constrained": "dpop", "lineage": "none" });
        file.accept(&near, &with(&call.request(), only.clone()), shown);
        let mut forged = call.proof();
        let last = forged.pop().expect("a signature");
        // Another of the characters that have no bits to spare.
        forged.push(if last == 'A' { 'Q' } else { 'A' });
        let fields = json!([["Authorization", call.authorization()], ["DPoP", forged]]);
        let altered = with(&call.with_fields(fields), only);
        file.refuse(&format!("proof/{alg}-altered"), &near, CODE, &altered);
    }
    let near = "proof/ES256";
    let legacy = Call::by(client("Ed25519")).header(json!({ "alg": "EdDSA" }));
    file.accept(
        "proof/EdDSA",
        &legacy.request(),
        json!({ "sender_constrained": "dpop" }),
    );
    // Signed by another key than the one it shows, which is the token's.
    let mut other = Call::new();
    other.key = Key::seeded("ES256", "thief");
    file.refuse("proof/signed-by-another", near, CODE, &other.request());
    let mut stolen = Call::new();
    stolen.key = Key::seeded("ES256", "thief");
    let stolen = stolen.header(json!({ "jwk": public(&Key::seeded("ES256", "thief")) }));
    file.refuse(
        "proof/by-another-key",
        near,
        "pop_mismatch",
        &stolen.request(),
    );
    let allowed = json!({ "policy": { "dpop": { "algorithms": ["Ed25519"] } } });
    file.refuse(
        "proof/alg-not-allowed",
        near,
        CODE,
        &with(&Call::new().request(), allowed),
    );
    let shared = Key::seeded("HS256", "client");
    let mut hmac = Call::new().header(json!({ "alg": "HS256", "jwk": null }));
    hmac = hmac.header(json!({ "jwk": { "kty": "oct", "k": shared.text("k") } }));
    hmac.key = shared;
    file.refuse("proof/symmetric", near, CODE, &hmac.request());
    let none = Call::new().header(json!({ "alg": "none" }));
    let unsigned = none.proof();
    let unsigned = unsigned
        .rsplit_once('.')
        .expect("three segments")
        .0
        .to_owned()
        + ".";
    let fields = json!([["Authorization", none.authorization()], ["DPoP", unsigned]]);
    file.refuse("proof/none", near, CODE, &none.with_fields(fields));
    // OKP-02: of order 8, where one signature fits nearly everything.
    let weak = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
    });
    let low = Call::new().header(json!({ "alg": "Ed25519", "jwk": null }));
    let low = low.header(json!({ "jwk": weak }));
    file.refuse("proof/small-order-key", near, CODE, &low.request());
    let off = json!({ "y": client("ES256").text("x") });
    let key = with(&public(&client("ES256")), off);
    let name = b64u(Hash::Sha256.digest(canonical(&key).as_bytes()));
    let call = Call::with_token(client("ES256"), bound(json!({ "jkt": name })));
    let call = call.header(json!({ "jwk": key }));
    file.refuse("proof/off-its-curve", near, CODE, &call.request());
}

/// DP-02, DP-04, DP-05, DP-07.
fn headers(file: &mut File) {
    let near = "header/good";
    file.accept(near, &Call::new().request(), json!({}));
    for (id, typ) in [
        ("upper-case", "DPoP+JWT"),
        ("prefixed", "application/dpop+jwt"),
    ] {
        let call = Call::new().header(json!({ "typ": typ }));
        file.accept(&format!("header/typ-{id}"), &call.request(), json!({}));
    }
    let kid = Call::new().header(json!({ "kid": "any", "x": { "y": 1 } }));
    file.accept("header/unknown-members", &kid.request(), json!({}));
    let key = client("ES256");
    let private = json!({ "d": b64u([1; 32]) });
    for (id, more) in [
        ("typ-absent", json!({ "typ": null })),
        ("typ-jwt", json!({ "typ": "JWT" })),
        ("typ-of-an-access-token", json!({ "typ": "at+jwt" })),
        ("typ-cut", json!({ "typ": "dpop" })),
        ("typ-array", json!({ "typ": ["dpop+jwt"] })),
        ("alg-absent", json!({ "alg": null })),
        ("alg-of-another-key", json!({ "alg": "ES384" })),
        ("alg-lower-case", json!({ "alg": "es256" })),
        ("crit", json!({ "crit": ["x"], "x": 1 })),
        ("jwk-absent", json!({ "jwk": null })),
        ("jwk-text", json!({ "jwk": "x" })),
        ("jwk-private", json!({ "jwk": private })),
        ("jwk-of-another-alg", json!({ "jwk": { "alg": "ES384" } })),
        ("jwk-for-encryption", json!({ "jwk": { "use": "enc" } })),
        (
            "jwk-padded",
            json!({ "jwk": { "x": format!("{}=", key.text("x")) } }),
        ),
        (
            "jwk-short",
            json!({ "jwk": { "x": b64u(&key.octets("x")[1..]) } }),
        ),
    ] {
        let call = Call::new().header(more);
        file.refuse(&format!("header/{id}"), near, CODE, &call.request());
    }
    // Only by name, as an issuer's tokens are.
    let named = Call::new().header(json!({ "jwk": null, "kid": "client" }));
    file.refuse("header/jwk-by-kid", near, CODE, &named.request());
}

/// DP-03, DP-08, DP-11, DP-12, DP-13.
fn claims(file: &mut File) {
    let near = "claims/good";
    file.accept(
        near,
        &Call::new().request(),
        json!({ "sender_constrained": "dpop" }),
    );
    let accepted = [
        (
            "unknown",
            json!({ "x": [1], "iss": 1, "aud": {}, "nonce": 7 }),
        ),
        (
            "exp-and-nbf-mean-nothing",
            json!({ "exp": T - 1000, "nbf": T + 1000 }),
        ),
        ("iat-fraction", json!({ "iat": T as f64 + 0.5 })),
        ("jti-longest", json!({ "jti": "j".repeat(256) })),
        ("iat-oldest", json!({ "iat": T - 90 })),
        ("iat-newest", json!({ "iat": T + 30 })),
    ];
    for (id, more) in accepted {
        file.accept(
            &format!("claims/{id}"),
            &Call::new().claims(more).request(),
            json!({}),
        );
    }
    let ath = Call::new().claims["ath"]
        .as_str()
        .expect("a string")
        .to_owned();
    let token = Call::new().token;
    let hex: String = Hash::Sha256
        .digest(token.as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let sha512 = b64u(Hash::Sha512.digest(token.as_bytes()));
    let of = |text: &str| b64u(Hash::Sha256.digest(text.as_bytes()));
    let scheme = of(&format!("DPoP {token}"));
    let other = of(&kind().token(&kind().claims()));
    for (id, more) in [
        ("iat-too-old", json!({ "iat": T - 91 })),
        ("iat-of-an-hour-ago", json!({ "iat": T - 3600 })),
        ("iat-too-new", json!({ "iat": T + 31 })),
        ("iat-of-tomorrow", json!({ "iat": T + 86_400 })),
        ("iat-text", json!({ "iat": T.to_string() })),
        ("iat-negative", json!({ "iat": -1 })),
        ("htm-other", json!({ "htm": "GET" })),
        ("htm-lower-case", json!({ "htm": "post" })),
        ("htm-with-space", json!({ "htm": "POST " })),
        ("htm-array", json!({ "htm": ["POST"] })),
        ("ath-of-another-token", json!({ "ath": other })),
        ("ath-hex", json!({ "ath": hex })),
        ("ath-padded", json!({ "ath": format!("{ath}=") })),
        ("ath-sha512", json!({ "ath": sha512 })),
        ("ath-with-scheme", json!({ "ath": scheme })),
        ("jti-too-long", json!({ "jti": "j".repeat(257) })),
        ("jti-number", json!({ "jti": 1 })),
        ("jti-array", json!({ "jti": ["p1"] })),
    ] {
        let call = Call::new().claims(more);
        file.refuse(&format!("claims/{id}"), near, CODE, &call.request());
    }
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        let absent = Call::new().claims(json!({ name: null }));
        file.refuse(&format!("claims/no-{name}"), near, CODE, &absent.request());
        let mut null = Call::new();
        null.claims[name] = Value::Null;
        file.refuse(&format!("claims/null-{name}"), near, CODE, &null.request());
        let empty = Call::new().claims(json!({ name: "" }));
        file.refuse(
            &format!("claims/empty-{name}"),
            near,
            CODE,
            &empty.request(),
        );
    }
    let call = Call::new();
    let payload = canonical(&call.claims);
    for (id, text) in [
        ("twice", format!("{{\"jti\":\"p2\",{}", &payload[1..])),
        (
            "iat-1e400",
            payload.replace(&format!("\"iat\":{T}"), "\"iat\":1e400"),
        ),
        (
            "iat-nan",
            payload.replace(&format!("\"iat\":{T}"), "\"iat\":NaN"),
        ),
        ("not-an-object", "[]".to_owned()),
    ] {
        let proof = super::token(&call.key, &canonical(&call.header), &text);
        let fields = json!([["Authorization", call.authorization()], ["DPoP", proof]]);
        file.refuse(
            &format!("claims/{id}"),
            near,
            CODE,
            &call.with_fields(fields),
        );
    }
    for method in ["GET", "post", "PROPFIND"] {
        let other = with(&Call::new().request(), json!({ "method": method }));
        file.refuse(&format!("claims/called-with-{method}"), near, CODE, &other);
    }
}

/// DP-01, DP-02, DP-14.
fn fields(file: &mut File) {
    let (call, near) = (Call::new(), "fields/good");
    let (auth, proof) = (json!(["authorization", call.authorization()]), call.proof());
    let sent = |fields: Value| call.with_fields(fields);
    file.accept(near, &sent(json!([auth, ["dpop", proof]])), json!({}));
    let capitals = json!(["Authorization", format!("DPOP {}", call.token)]);
    let capitals = sent(json!([capitals, ["DPoP", proof]]));
    file.accept("fields/scheme-in-capitals", &capitals, json!({}));
    file.accept(
        "fields/space-around",
        &sent(json!([auth, ["DPOP", format!(" {proof}\t")]])),
        json!({}),
    );
    for (id, fields) in [
        (
            "two-proofs",
            json!([
                auth,
                ["DPoP", proof],
                ["DPoP", Call::new().claims(json!({ "jti": "p2" })).proof()]
            ]),
        ),
        (
            "one-proof-twice",
            json!([auth, ["DPoP", proof], ["dpop", proof]]),
        ),
        (
            "two-in-one",
            json!([auth, ["DPoP", format!("{proof}, {proof}")]]),
        ),
        ("empty", json!([auth, ["DPoP", ""]])),
        ("not-a-jwt", json!([auth, ["DPoP", "x"]])),
        (
            "space-within",
            json!([auth, ["DPoP", format!("{} {}", &proof[..9], &proof[9..])]]),
        ),
        ("the-token-itself", json!([auth, ["DPoP", call.token]])),
    ] {
        file.refuse(&format!("fields/{id}"), near, CODE, &sent(fields));
    }
    // What is not there is not invalid.
    let missing = sent(json!([auth]));
    file.refuse("fields/no-proof", near, "pop_required", &missing);
    let mut bearer = Call::new();
    bearer.scheme = "Bearer";
    file.refuse(
        "fields/bound-as-bearer",
        near,
        "pop_required",
        &bearer.request(),
    );
    let alone = json!([["Authorization", bearer.authorization()]]);
    file.refuse(
        "fields/bound-as-bearer-alone",
        near,
        "pop_required",
        &call.with_fields(alone),
    );
    let unbound = kind().token(&kind().claims());
    let unbound = Call::with_token(client("ES256"), unbound);
    file.refuse(
        "fields/unbound-as-dpop",
        near,
        "pop_mismatch",
        &unbound.request(),
    );
}

/// What a gate asks for.
fn policies(file: &mut File) {
    let near = "gate/good";
    let request = Call::new().request();
    file.accept(near, &request, json!({ "sender_constrained": "dpop" }));
    let required = json!({ "policy": { "gates": { "g": { "sender_constrained": "required" } } } });
    file.accept(
        "gate/required",
        &with(&request, required.clone()),
        json!({}),
    );
    let plain = kind().token(&kind().claims());
    let bearer = json!([["Authorization", format!("Bearer {plain}")]]);
    let bearer = Call::new().with_fields(bearer);
    file.accept(
        "gate/bearer",
        &bearer,
        json!({ "sender_constrained": null }),
    );
    file.refuse(
        "gate/required-and-unbound",
        "gate/bearer",
        "pop_required",
        &with(&bearer, required),
    );
    let untaken = json!({ "policy": { "dpop": null, "replay": null } });
    file.refuse(
        "gate/no-proofs-taken",
        near,
        "pop_required",
        &with(&request, untaken.clone()),
    );
    let external = json!({ "gates": { "g": { "sender_constrained": "external" } } });
    let external = with(&with(&request, untaken), json!({ "policy": external }));
    let fields = json!([["Authorization", Call::new().authorization()]]);
    let external = with(&external, json!({ "headers": fields }));
    file.accept(
        "gate/proven-elsewhere",
        &external,
        json!({ "sender_constrained": "external" }),
    );
    let others = json!({ "policy": { "replay": { "store": "external" } } });
    file.accept(
        "gate/remembered-elsewhere",
        &with(&request, others),
        json!({}),
    );
    let older = json!({ "policy": { "dpop": { "max_age": "5m" } } });
    let old = Call::new().claims(json!({ "iat": T - 330 })).request();
    file.accept("gate/max-age", &with(&old, older), json!({}));
    file.refuse("gate/max-age-default", "gate/max-age", CODE, &old);
    // The secret is whatever PATH is: no nonce of these lines is made with it.
    let nonces =
        json!({ "policy": { "dpop": { "nonce": "required", "nonce_secret": { "env": "PATH" } } } });
    file.refuse(
        "gate/nonce-missing",
        near,
        "nonce_required",
        &with(&request, nonces.clone()),
    );
    for (id, nonce) in [
        ("of-nobody", json!("x")),
        (
            "forged",
            json!(b64u([&30_000_000_i64.to_be_bytes()[..], &[7; 24]].concat())),
        ),
        ("not-text", json!(1)),
        ("empty", json!("")),
    ] {
        let call = Call::new().claims(json!({ "nonce": nonce }));
        let request = with(&call.request(), nonces.clone());
        file.refuse(
            &format!("gate/nonce-{id}"),
            near,
            "nonce_required",
            &request,
        );
    }
    let scoped = with(&request, json!({ "required_scopes": ["files.write"] }));
    file.refuse("gate/scope", near, "insufficient_scope", &scoped);
    let late = with(&request, json!({ "now": T + 400 }));
    file.refuse("gate/token-before-proof", near, "expired", &late);
    let mut forged = Call::new();
    forged.token.pop();
    file.refuse(
        "gate/signature-before-proof",
        near,
        "malformed_token",
        &forged.request(),
    );
}

/// DP-13: a session, since a line of its own remembers nothing.
fn used(file: &mut File) {
    let open = json!({ "op": "open", "session": "p", "policy": policy(), "now": T });
    file.accept("used/open", &open, json!({}));
    let sent = |call: Call, now: i64| {
        let request = with(&call.request(), json!({ "policy": null }));
        with(&request, json!({ "session": "p", "now": now }))
    };
    let near = "used/first";
    let code = "replayed";
    // What is refused is not used up.
    let scoped = with(
        &sent(Call::new(), T),
        json!({ "required_scopes": ["files.write"] }),
    );
    file.refuse(
        "used/refused-for-scope",
        near,
        "insufficient_scope",
        &scoped,
    );
    let bad = Call::new().claims(json!({ "ath": "x" }));
    file.refuse("used/refused-for-ath", near, CODE, &sent(bad, T));
    file.accept(
        near,
        &sent(Call::new(), T),
        json!({ "sender_constrained": "dpop" }),
    );
    file.refuse("used/again", near, code, &sent(Call::new(), T));
    file.refuse(
        "used/at-the-very-end",
        near,
        code,
        &sent(Call::new(), T + 90),
    );
    file.refuse("used/after-the-end", near, CODE, &sent(Call::new(), T + 91));
    file.refuse(
        "used/clock-set-back",
        near,
        code,
        &sent(Call::new(), T - 30),
    );
    let later = Call::new().claims(json!({ "iat": T + 20 }));
    file.refuse("used/signed-again-later", near, code, &sent(later, T + 20));
    let elsewhere = Call::new()
        .claims(json!({ "htu": "https://rs.example/b" }))
        .uri("/b");
    file.refuse("used/at-another-url", near, code, &sent(elsewhere, T));
    let other = Call::by(client("Ed25519"));
    file.accept("used/same-jti-of-another-key", &sent(other, T), json!({}));
    let new = Call::new().claims(json!({ "jti": "p2" }));
    file.accept("used/another-jti", &sent(new, T), json!({}));
    let close = json!({ "op": "close", "session": "p" });
    file.accept("used/close", &close, json!({}));
}
