//! One family of lines for each row of the profile table (standards 29.2, Appendix B).

use serde_json::{Value, json};

use super::{File, T, canonical, header, token, with};
use crate::workshop::Key;

/// A kind of token as the policy and the standard see it.
#[derive(Debug)]
pub struct Kind {
    /// The row's name in policy documents.
    pub profile: &'static str,
    /// The gate's `profile`.
    pub gate: &'static str,
    /// `typ` of a good token.
    pub typ: Option<&'static str>,
    /// Other spellings and values of `typ` that are as good.
    typ_alike: &'static [Option<&'static str>],
    /// The algorithm it is signed with.
    pub alg: &'static str,
    /// What the policy calls the issuer's `iss`.
    pub issuer: &'static str,
    /// The gate's audience.
    pub audience: &'static str,
    required: &'static [&'static str],
    /// Claims that must not be there, with a value of the right type.
    pub forbidden: &'static [(&'static str, &'static str)],
    /// Claims that must not be there together.
    together: &'static [(&'static str, &'static str)],
    /// Whether other audiences may stand beside ours.
    shares_audience: bool,
    /// Seconds that `exp` may lie after `iat` under `agent_strict`.
    max_lifetime: Option<i64>,
    /// Seconds that `iat` may lie back, where the kind says so itself.
    max_age: Option<i64>,
}

const ANY_CASE_AT: &[Option<&str>] = &[Some("AT+JWT"), Some("application/at+jwt"), Some("At+Jwt")];
const UNTYPED: &[Option<&str>] = &[Some("JWT"), Some("jwt"), Some("application/jwt")];
const LOGOUT: &[Option<&str>] = &[
    None,
    Some("JWT"),
    Some("Logout+JWT"),
    Some("application/logout+jwt"),
];
const ASSERTION: &[Option<&str>] = &[
    None,
    Some("JWT"),
    Some("application/client-authentication+jwt"),
];
const SVID: &[Option<&str>] = &[Some("JWT"), Some("JOSE")];

const ACCESS_FORBIDDEN: &[(&str, &str)] = &[
    ("nonce", "\"n1\""),
    ("events", "{}"),
    ("at_hash", "\"x\""),
    ("token_introspection", "{}"),
    ("del_depth", "0"),
];
const TXN: &[(&str, &str)] = &[("txn", "\"x1\""), ("req_wl", "\"gw.td.example\"")];

/// The rows of this version.
pub const KINDS: &[Kind] = &[
    Kind {
        profile: "access_token",
        gate: "access_token",
        typ: Some("at+jwt"),
        typ_alike: ANY_CASE_AT,
        alg: "Ed25519",
        issuer: "https://as.example",
        audience: "https://rs.example/mcp",
        required: &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
        forbidden: ACCESS_FORBIDDEN,
        together: TXN,
        shares_audience: true,
        max_lifetime: Some(3600),
        max_age: None,
    },
    Kind {
        profile: "access_token_untyped",
        gate: "access_token",
        typ: None,
        typ_alike: UNTYPED,
        alg: "Ed25519",
        issuer: "https://as.example",
        audience: "https://rs.example/mcp",
        required: &["iss", "exp", "aud", "sub"],
        forbidden: ACCESS_FORBIDDEN,
        together: TXN,
        shares_audience: true,
        max_lifetime: Some(3600),
        max_age: None,
    },
    Kind {
        profile: "id_token",
        gate: "id_token",
        typ: None,
        typ_alike: UNTYPED,
        alg: "Ed25519",
        issuer: "https://as.example",
        audience: "client1",
        required: &["iss", "sub", "aud", "exp", "iat"],
        forbidden: &[("events", "{}")],
        together: &[("scope", "\"a\""), ("client_id", "\"client1\"")],
        shares_audience: false,
        max_lifetime: Some(3600),
        max_age: None,
    },
    Kind {
        profile: "logout_token",
        gate: "logout_token",
        typ: Some("logout+jwt"),
        typ_alike: LOGOUT,
        alg: "Ed25519",
        issuer: "https://as.example",
        audience: "client1",
        required: &["iss", "aud", "iat", "exp", "jti", "events", "sid"],
        forbidden: &[("nonce", "\"n1\"")],
        together: &[],
        shares_audience: false,
        max_lifetime: Some(300),
        max_age: Some(300),
    },
    Kind {
        profile: "client_assertion",
        gate: "client_assertion",
        typ: Some("client-authentication+jwt"),
        typ_alike: ASSERTION,
        alg: "Ed25519",
        issuer: "c1",
        audience: "https://as.example",
        required: &["iss", "sub", "aud", "exp", "jti"],
        forbidden: &[
            ("act", "{\"sub\":\"a\"}"),
            ("scope", "\"a\""),
            ("events", "{}"),
        ],
        together: &[],
        shares_audience: false,
        max_lifetime: Some(300),
        max_age: Some(300),
    },
    Kind {
        profile: "jwt_bearer_grant",
        gate: "jwt_bearer_grant",
        typ: None,
        typ_alike: UNTYPED,
        alg: "Ed25519",
        issuer: "https://idp.example",
        audience: "https://as.example",
        required: &["iss", "sub", "aud", "exp"],
        forbidden: &[("nonce", "\"n1\""), ("events", "{}")],
        together: &[],
        shares_audience: true,
        max_lifetime: Some(300),
        max_age: None,
    },
    Kind {
        profile: "jwt_svid",
        gate: "jwt_svid",
        typ: None,
        typ_alike: SVID,
        alg: "ES256",
        issuer: "spiffe://td.example",
        audience: "https://rs.example/mcp",
        required: &["sub", "aud", "exp"],
        forbidden: &[],
        together: &[],
        shares_audience: true,
        max_lifetime: Some(3600),
        max_age: None,
    },
    Kind {
        profile: "jwt_custom",
        gate: "jwt_custom",
        typ: None,
        typ_alike: UNTYPED,
        alg: "HS256",
        issuer: "https://custom.example",
        audience: "https://rs.example/custom",
        required: &["iss", "aud", "exp"],
        forbidden: &[],
        together: &[],
        shares_audience: true,
        max_lifetime: None,
        max_age: None,
    },
];

impl Kind {
    /// The row with this name.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn named(profile: &str) -> &'static Self {
        let kind = KINDS.iter().find(|kind| kind.profile == profile);
        kind.unwrap_or_else(|| panic!("no row {profile}"))
    }

    /// Its issuer's key.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::seeded(self.alg, "k1")
    }

    /// The claims of a minimal good token (Appendix B).
    #[must_use]
    pub fn claims(&self) -> Value {
        let claims = match self.profile {
            "access_token" => json!({
                "sub": "u1", "client_id": "agent-a", "iat": T, "jti": "j1", "scope": "files.read",
            }),
            "access_token_untyped" => json!({ "sub": "u1", "iat": T, "scope": "files.read" }),
            "id_token" => json!({ "sub": "u1", "iat": T, "nonce": "n1" }),
            "logout_token" => json!({
                "iat": T, "exp": T + 120, "jti": "j1", "sid": "s1",
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            }),
            "client_assertion" => json!({ "sub": "c1", "exp": T + 60, "jti": "j1" }),
            "jwt_bearer_grant" => json!({ "sub": "u1", "iat": T }),
            "jwt_svid" => json!({ "sub": "spiffe://td.example/agent-a", "iss": null }),
            _ => json!({ "sub": "u1", "iat": T }),
        };
        let common = json!({ "iss": self.issuer, "aud": self.audience, "exp": T + 300 });
        with(&common, claims)
    }

    /// A policy of one issuer and one gate for it.
    #[must_use]
    pub fn policy(&self) -> Value {
        json!({
            "version": 1,
            // A line is answered by a verifier of its own, and a large cache takes time to make.
            "cache": { "tokens": 100 },
            "issuers": { "as": {
                "issuer": self.issuer,
                "jwks": { "keys": [self.key().jwk] },
                "algorithms": [self.alg],
                "profiles": [self.profile],
            } },
            "gates": { "g": {
                "profile": self.gate, "audience": self.audience, "issuers": ["as"],
            } },
        })
    }

    /// A token with these claims and the right header.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let key = self.key();
        token(&key, &header(&key, self.typ), &canonical(claims))
    }

    /// A request to verify a token.
    #[must_use]
    pub fn request(&self, token: &str) -> Value {
        json!({ "op": "verify", "policy": self.policy(), "now": T, "token": token })
    }

    /// A request to verify a token with these claims.
    #[must_use]
    pub fn verify(&self, claims: &Value) -> Value {
        self.request(&self.token(claims))
    }

    fn subject(&self) -> Value {
        self.claims()["sub"].clone()
    }
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    for kind in KINDS {
        Family {
            kind,
            file: &mut file,
            good: format!("{}/good", kind.profile),
        }
        .write();
    }
    file.lines
}

struct Family<'f> {
    kind: &'static Kind,
    file: &'f mut File,
    /// The `id` of the good token.
    good: String,
}

impl Family<'_> {
    fn write(&mut self) {
        let Kind {
            profile, issuer, ..
        } = *self.kind;
        let claims = self.kind.claims();
        let answer =
            json!({ "profile": profile, "issuer": issuer, "subject": self.kind.subject() });
        self.accept_as("good", &self.kind.verify(&claims), answer);
        self.claims(&claims);
        self.kind_of_token(&claims);
        self.signer(&claims);
        self.audience(&claims);
        self.audiences(&claims);
        self.time(&claims);
        self.duplicates(&claims);
    }

    fn id(&self, name: &str) -> String {
        format!("{}/{name}", self.kind.profile)
    }

    fn accept_as(&mut self, name: &str, request: &Value, answer: Value) {
        self.file.accept(&self.id(name), request, answer);
    }

    fn accept(&mut self, name: &str, request: &Value) {
        self.accept_as(name, request, json!({ "subject": self.kind.subject() }));
    }

    fn refuse(&mut self, name: &str, code: &str, request: &Value) {
        self.file.refuse(&self.id(name), &self.good, code, request);
    }

    fn refuse_near(&mut self, name: &str, near: &str, code: &str, request: &Value) {
        self.file
            .refuse(&self.id(name), &self.id(near), code, request);
    }

    fn claims(&mut self, claims: &Value) {
        for name in self.kind.required {
            let mut less = claims.clone();
            less.as_object_mut()
                .expect("claims")
                .remove(*name)
                .expect("there");
            self.refuse(
                &format!("without-{name}"),
                "missing_claim",
                &self.kind.verify(&less),
            );
        }
        for (name, value) in claims.as_object().expect("claims") {
            let wrong: &[Value] = match value {
                Value::Number(_) => &[json!("1"), json!(null), json!(true), json!([1]), json!(-1)],
                Value::Object(_) => &[json!("x"), json!(null), json!([])],
                _ if name == "aud" => &[json!(1), json!(null), json!([]), json!([1]), json!({})],
                _ => &[json!(1), json!(null), json!(["x"]), json!({}), json!(true)],
            };
            for (number, wrong) in wrong.iter().enumerate() {
                let mut claims = claims.clone();
                claims[name] = wrong.clone();
                let id = format!("{name}-of-wrong-type-{number}");
                self.refuse(&id, "claim_type", &self.kind.verify(&claims));
            }
        }
        for (name, value) in self.kind.forbidden {
            let mut claims = claims.clone();
            claims[*name] = serde_json::from_str(value).expect("JSON");
            self.refuse(
                &format!("with-{name}"),
                "forbidden_claim",
                &self.kind.verify(&claims),
            );
            // Any value, even one of no type the claim may have.
            for (number, wrong) in [json!(null), json!(1)].into_iter().enumerate() {
                claims[*name] = wrong;
                let id = format!("with-{name}-of-wrong-type-{number}");
                self.refuse(&id, "forbidden_claim", &self.kind.verify(&claims));
            }
        }
        let mut both = claims.clone();
        for (name, value) in self.kind.together {
            let mut one = claims.clone();
            one[*name] = serde_json::from_str(value).expect("JSON");
            both[*name] = one[*name].clone();
            self.accept(&format!("with-{name}-alone"), &self.kind.verify(&one));
        }
        if let Some((name, _)) = self.kind.together.first() {
            let near = format!("with-{name}-alone");
            self.refuse_near(
                "both-together",
                &near,
                "wrong_token_kind",
                &self.kind.verify(&both),
            );
        }
        let unknown = with(claims, json!({ "x-unknown": { "a": [1, "b"] } }));
        self.accept("with-an-unknown-claim", &self.kind.verify(&unknown));
    }

    fn kind_of_token(&mut self, claims: &Value) {
        let key = self.kind.key();
        let typed = |typ: Option<&str>| {
            self.kind
                .request(&token(&key, &header(&key, typ), &canonical(claims)))
        };
        let alike: Vec<_> = self
            .kind
            .typ_alike
            .iter()
            .map(|typ| (*typ, typed(*typ)))
            .collect();
        let known = |typ: Option<&str>| typ == self.kind.typ || self.kind.typ_alike.contains(&typ);
        let all = [
            None,
            Some("JWT"),
            Some("JOSE"),
            Some("at+jwt"),
            Some("logout+jwt"),
            Some("dpop+jwt"),
            Some("secevent+jwt"),
            Some("client-authentication+jwt"),
            Some("jwt+at"),
            Some("at"),
            Some("at+jwt;x=1"),
            Some("at+jwt "),
            Some(""),
            Some("text/at+jwt"),
            Some("wit+jwt"),
        ];
        let others: Vec<_> = all
            .into_iter()
            .filter(|typ| !known(*typ))
            .map(|typ| (typ, typed(typ)))
            .collect();
        for (number, (_, request)) in alike.iter().enumerate() {
            self.accept(&format!("typ-alike-{number}"), request);
        }
        for (number, (_, request)) in others.iter().enumerate() {
            self.refuse(&format!("typ-of-another-{number}"), "typ_mismatch", request);
        }
        // JSV-03: the header of an SVID has `alg`, `kid` and `typ`, and nothing else.
        let more = header(&key, self.kind.typ).replacen('{', "{\"x\":1,", 1);
        let request = self.kind.request(&token(&key, &more, &canonical(claims)));
        if self.kind.profile == "jwt_svid" {
            self.refuse("header-with-more", "wrong_token_kind", &request);
        } else {
            self.accept("header-with-more", &request);
        }
    }

    fn signer(&mut self, claims: &Value) {
        let (kind, key) = (self.kind, self.kind.key());
        let payload = canonical(claims);
        let mut stranger = Key::seeded(kind.alg, "stranger");
        let foreign = token(&stranger, &header(&stranger, kind.typ), &payload);
        self.refuse("unknown-kid", "key_not_found", &kind.request(&foreign));
        stranger.jwk["kid"] = key.kid().into();
        let forged = token(&stranger, &header(&stranger, kind.typ), &payload);
        self.refuse("wrong-key", "bad_signature", &kind.request(&forged));
        let other = match kind.issuer {
            "spiffe://td.example" => json!({ "sub": "spiffe://other.example/agent-a" }),
            _ => json!({ "iss": "https://other.example" }),
        };
        let request = kind.verify(&with(claims, other));
        self.refuse("wrong-issuer", "iss_untrusted", &request);
        if claims["iss"].is_string() {
            for (number, iss) in [format!("{}/", kind.issuer), kind.issuer.to_uppercase()]
                .into_iter()
                .enumerate()
            {
                let request = kind.verify(&with(claims, json!({ "iss": iss })));
                self.refuse(
                    &format!("nearly-the-issuer-{number}"),
                    "iss_untrusted",
                    &request,
                );
            }
        }
        let alg = if kind.alg == "Ed25519" {
            "ES256"
        } else {
            "Ed25519"
        };
        let other = Key::seeded(alg, "k1");
        let confused = token(&other, &header(&other, kind.typ), &payload);
        self.refuse(
            "algorithm-not-listed",
            "alg_not_allowed",
            &kind.request(&confused),
        );
    }

    fn audience(&mut self, claims: &Value) {
        let kind = self.kind;
        let with_aud = |aud: Value| {
            let mut claims = claims.clone();
            claims["aud"] = aud;
            kind.verify(&claims)
        };
        let ours = kind.audience;
        for (number, aud) in [
            json!("https://other.example"),
            json!([]),
            json!(["https://other.example"]),
            json!(format!("{ours}/")),
            json!(format!("{ours} ")),
            json!(ours.to_uppercase()),
            json!(""),
            json!([""]),
        ]
        .into_iter()
        .enumerate()
        {
            let code = if aud == json!([]) {
                "claim_type"
            } else {
                "aud_mismatch"
            };
            self.refuse(&format!("wrong-audience-{number}"), code, &with_aud(aud));
        }
        self.accept("audience-in-an-array", &with_aud(json!([ours])));
        for (number, aud) in [json!([ours, "https://other.example"]), json!(["x", ours])]
            .into_iter()
            .enumerate()
        {
            let name = format!("audience-among-others-{number}");
            if kind.shares_audience {
                self.accept(&name, &with_aud(aud));
            } else {
                self.refuse_near(
                    &name,
                    "audience-in-an-array",
                    "aud_mismatch",
                    &with_aud(aud),
                );
            }
        }
    }

    /// Two audiences that are both ours: of a client assertion, one too many (CA-02).
    fn audiences(&mut self, claims: &Value) {
        let kind = self.kind;
        let two = json!([kind.audience, "ours-too"]);
        let policy = json!({ "policy": { "gates": { "g": { "audience": two } } } });
        let request = |aud: Value| {
            let claims = with(claims, json!({ "aud": aud, "azp": kind.audience }));
            with(&kind.verify(&claims), policy.clone())
        };
        self.accept("audience-of-several", &request(json!("ours-too")));
        let both = request(two);
        if kind.profile == "client_assertion" {
            let near = "audience-of-several";
            self.refuse_near("both-audiences", near, "aud_mismatch", &both);
        } else {
            self.accept("both-audiences", &both);
        }
    }

    fn time(&mut self, claims: &Value) {
        let kind = self.kind;
        let at = |claims: &Value, now: i64| with(&kind.verify(claims), json!({ "now": now }));
        // The leeway is 30 s by default; the boundary itself is over (standards 0).
        let exp = claims["exp"].as_i64().expect("a date");
        self.accept("just-before-its-end", &at(claims, exp + 29));
        self.refuse_near(
            "at-its-end",
            "just-before-its-end",
            "expired",
            &at(claims, exp + 30),
        );
        self.refuse("long-over", "expired", &at(claims, exp + 1_000_000));
        let nbf = with(claims, json!({ "nbf": T }));
        self.accept("at-its-beginning", &at(&nbf, T - 30));
        let early = at(&nbf, T - 31);
        self.refuse_near(
            "before-its-beginning",
            "at-its-beginning",
            "not_yet_valid",
            &early,
        );
        let issued = |iat: i64, exp: i64| with(claims, json!({ "iat": iat, "exp": exp }));
        self.accept("issued-within-leeway", &at(&issued(T + 30, T + 60), T));
        let future = at(&issued(T + 31, T + 60), T);
        self.refuse_near(
            "issued-in-future",
            "issued-within-leeway",
            "issued_in_future",
            &future,
        );
        if let Some(cap) = kind.max_lifetime {
            self.accept("longest-life", &at(&issued(T, T + cap), T));
            let longer = at(&issued(T, T + cap + 1), T);
            self.refuse_near(
                "too-long-a-life",
                "longest-life",
                "lifetime_too_long",
                &longer,
            );
            // What has no iat cannot have been issued after now.
            if !kind.required.contains(&"iat") {
                let dateless = |exp: i64| with(claims, json!({ "iat": null, "exp": exp }));
                self.accept("longest-life-without-iat", &at(&dateless(T + cap), T));
                let longer = at(&dateless(T + cap + 1), T);
                let near = "longest-life-without-iat";
                self.refuse_near("too-long-without-iat", near, "lifetime_too_long", &longer);
            }
            // CA-03: where nothing caps the lifetime, the age that a token may have still does.
            if let Some(age) = kind.max_age
                && !kind.required.contains(&"iat")
            {
                let rfc = |exp: i64| {
                    let dateless = with(claims, json!({ "iat": null, "exp": exp }));
                    with(&at(&dateless, T), json!({ "policy": { "preset": "rfc" } }))
                };
                let near = "longest-age-without-iat";
                self.accept(near, &rfc(T + age));
                let longer = rfc(T + age + 1);
                self.refuse_near("too-old-without-iat", near, "lifetime_too_long", &longer);
            }
        }
        if let Some(age) = kind.max_age {
            let rfc = |iat: i64| {
                let request = at(&issued(iat, T + 60), T);
                with(&request, json!({ "policy": { "preset": "rfc" } }))
            };
            self.accept("as-old-as-may-be", &rfc(T - age - 30));
            self.refuse_near("too-old", "as-old-as-may-be", "too_old", &rfc(T - age - 31));
        }
        let young = |iat: i64| {
            let request = at(&issued(iat, T + 60), T);
            with(
                &request,
                json!({ "policy": { "gates": { "g": { "max_age": "2m" } } } }),
            )
        };
        self.accept("young-enough", &young(T - 150));
        self.refuse_near(
            "too-old-for-the-gate",
            "young-enough",
            "too_old",
            &young(T - 151),
        );
        let ageless = with(claims, json!({ "iat": null }));
        let policy = json!({ "policy": { "gates": { "g": { "max_age": "2m" } } } });
        let request = with(&kind.verify(&ageless), policy);
        self.refuse_near(
            "no-iat-where-age-counts",
            "young-enough",
            "missing_claim",
            &request,
        );
    }

    fn duplicates(&mut self, claims: &Value) {
        let (kind, key) = (self.kind, self.kind.key());
        let rest = canonical(claims);
        let twice = |members: &str| {
            let payload = format!("{{{members},{}", &rest[1..]);
            kind.request(&token(&key, &header(&key, kind.typ), &payload))
        };
        self.accept("exp-in-another-case", &twice("\"Exp\":1"));
        for (number, members) in [
            "\"exp\":1",
            "\"e\\u0078p\":1",
            "\"aud\":\"x\"",
            "\"sub\":\"admin\"",
            "\"x\":{\"a\":1,\"a\":1}",
            "\"x\":[{\"y\":{\"a\":1,\"\\u0061\":2}}]",
        ]
        .into_iter()
        .enumerate()
        {
            // Where there is no `sub` yet, one more is no second one.
            let twins = !(members.contains("sub") && claims["sub"].is_null());
            if twins {
                let name = format!("duplicate-{number}");
                self.refuse_near(
                    &name,
                    "exp-in-another-case",
                    "duplicate_member",
                    &twice(members),
                );
            }
        }
    }
}
