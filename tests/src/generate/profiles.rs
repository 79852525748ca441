//! One family of lines for each row of the profile table (standards 29.2, Appendix B): the minimal
//! good token, and what is wrong with it when one thing about it is.

use serde_json::{Value, json};

use super::kinds::{Beside, KINDS, Kind};
use super::{File, T, canonical, header, token, with};
use crate::workshop::Key;

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
                _ if ["aud", "resource"].contains(&name.as_str()) => {
                    &[json!(1), json!(null), json!([]), json!([1]), json!({})]
                }
                _ => &[json!(1), json!(null), json!(["x"]), json!({}), json!(true)],
            };
            for (number, wrong) in wrong.iter().enumerate() {
                let mut claims = claims.clone();
                claims[name] = wrong.clone();
                let id = format!("{name}-of-wrong-type-{number}");
                // RAR-01: there is no detail whose type could be wrong.
                let code = match name.as_str() {
                    "authorization_details" => "malformed_token",
                    _ => "claim_type",
                };
                self.refuse(&id, code, &self.kind.verify(&claims));
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
            "wimse://td.example" => json!({ "sub": "wimse://other.example/agent-a" }),
            _ => json!({ "iss": "https://other.example" }),
        };
        // A card never names its issuer: that it does is what is wrong with it.
        if !kind.forbids("iss") {
            let request = kind.verify(&with(claims, other));
            self.refuse("wrong-issuer", "iss_untrusted", &request);
        }
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
        let Some(ours) = kind.audience else {
            return;
        };
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
            if kind.beside == Beside::Others {
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
        let Some(ours) = kind.audience.filter(|_| kind.profile != "txn_token") else {
            return; // a gate for transaction tokens is for one trust domain
        };
        let two = json!([ours, "ours-too"]);
        let policy = json!({ "policy": { "gates": { "g": { "audience": two } } } });
        let request = |aud: Value| {
            let claims = with(claims, json!({ "aud": aud, "azp": ours }));
            with(&kind.verify(&claims), policy.clone())
        };
        self.accept("audience-of-several", &request(json!("ours-too")));
        let both = request(two);
        if kind.beside == Beside::Nothing {
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
        if let Some(exp) = claims["exp"].as_i64() {
            let near = "just-before-its-end";
            self.accept(near, &at(claims, exp + 29));
            self.refuse_near("at-its-end", near, "expired", &at(claims, exp + 30));
            self.refuse("long-over", "expired", &at(claims, exp + 1_000_000));
        }
        if kind.forbids("iat") {
            return; // a card has no dates
        }
        let nbf = with(claims, json!({ "nbf": T }));
        self.accept("at-its-beginning", &at(&nbf, T - 30));
        let early = at(&nbf, T - 31);
        self.refuse_near(
            "before-its-beginning",
            "at-its-beginning",
            "not_yet_valid",
            &early,
        );
        let issued = |iat: i64, exp: i64| {
            let exp = if kind.forbids("exp") {
                json!(null)
            } else {
                json!(exp)
            };
            with(claims, json!({ "iat": iat, "exp": exp }))
        };
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
        let policy = json!({ "policy": { "gates": { "g": { "max_age": "40s" } } } });
        let young = |iat: i64| with(&at(&issued(iat, T + 60), T), policy.clone());
        self.accept("young-enough", &young(T - 70));
        let older = young(T - 71);
        self.refuse_near("too-old-for-the-gate", "young-enough", "too_old", &older);
        let ageless = with(claims, json!({ "iat": null }));
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
            // Where there is none yet, one more is no second one.
            let absent = |name: &str| members.contains(name) && claims[name].is_null();
            let unescaped = members.replace("\\u0078", "x");
            let single = claims["exp"].is_null() && unescaped.contains("\"exp\"");
            if !single && !absent("sub") && !absent("aud") {
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
