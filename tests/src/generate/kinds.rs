//! The rows of the profile table, as the standards have them (29.2, Appendix B): written again, by
//! hand, so that the engine's own table is compared with something.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{T, canonical, header, token, with};
use crate::workshop::{Key, b64u};

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
    pub(super) typ_alike: &'static [Option<&'static str>],
    /// The algorithm it is signed with.
    pub alg: &'static str,
    /// What the policy calls the issuer's `iss`.
    pub issuer: &'static str,
    /// The gate's audience; a kind without is for nobody in particular.
    pub audience: Option<&'static str>,
    /// Claims that must be there.
    pub required: &'static [&'static str],
    /// Claims that must not be there, with a value of the right type.
    pub forbidden: &'static [(&'static str, &'static str)],
    /// Claims that must not be there together.
    pub(super) together: &'static [(&'static str, &'static str)],
    /// What may stand in `aud` beside ours.
    pub(super) beside: Beside,
    /// Seconds that `exp` may lie after `iat` under `agent_strict`.
    pub(super) max_lifetime: Option<i64>,
    /// Seconds that `iat` may lie back, where the kind says so itself.
    pub(super) max_age: Option<i64>,
}

/// What may stand beside an audience of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Anything.
    Others,
    /// Another of ours.
    Ours,
    /// Nothing.
    Nothing,
}

/// What rows leave out.
const PLAIN: Kind = Kind {
    profile: "",
    gate: "",
    typ: None,
    typ_alike: UNTYPED,
    alg: "Ed25519",
    issuer: "https://as.example",
    audience: None,
    required: &[],
    forbidden: &[],
    together: &[],
    beside: Beside::Others,
    max_lifetime: None,
    max_age: None,
};

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

/// The public key that tokens bound to one name.
#[must_use]
pub fn holder() -> Value {
    static HOLDER: LazyLock<Value> = LazyLock::new(|| Key::seeded("ES256", "holder").jwk);
    HOLDER.clone()
}

/// The rows of this version.
pub const KINDS: &[Kind] = &[
    Kind {
        profile: "access_token",
        gate: "access_token",
        typ: Some("at+jwt"),
        typ_alike: ANY_CASE_AT,
        alg: "Ed25519",
        issuer: "https://as.example",
        audience: Some("https://rs.example/mcp"),
        required: &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
        forbidden: ACCESS_FORBIDDEN,
        together: TXN,
        beside: Beside::Others,
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
        audience: Some("https://rs.example/mcp"),
        required: &["iss", "exp", "aud", "sub"],
        forbidden: ACCESS_FORBIDDEN,
        together: TXN,
        beside: Beside::Others,
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
        audience: Some("client1"),
        required: &["iss", "sub", "aud", "exp", "iat"],
        forbidden: &[("events", "{}")],
        together: &[("scope", "\"a\""), ("client_id", "\"client1\"")],
        beside: Beside::Ours,
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
        audience: Some("client1"),
        required: &["iss", "aud", "iat", "exp", "jti", "events", "sid"],
        forbidden: &[("nonce", "\"n1\"")],
        together: &[],
        beside: Beside::Ours,
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
        audience: Some("https://as.example"),
        required: &["iss", "sub", "aud", "exp", "jti"],
        forbidden: &[
            ("act", "{\"sub\":\"a\"}"),
            ("scope", "\"a\""),
            ("events", "{}"),
        ],
        together: &[],
        beside: Beside::Nothing,
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
        audience: Some("https://as.example"),
        required: &["iss", "sub", "aud", "exp"],
        forbidden: &[("nonce", "\"n1\""), ("events", "{}")],
        together: &[],
        beside: Beside::Others,
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
        audience: Some("https://rs.example/mcp"),
        required: &["sub", "aud", "exp"],
        forbidden: &[],
        together: &[],
        beside: Beside::Others,
        max_lifetime: Some(3600),
        max_age: None,
    },
    Kind {
        profile: "id_jag",
        gate: "id_jag",
        typ: Some("oauth-id-jag+jwt"),
        typ_alike: &[
            Some("application/oauth-id-jag+jwt"),
            Some("OAuth-ID-JAG+JWT"),
        ],
        issuer: "https://idp.example",
        audience: Some("https://as.example"),
        required: &["iss", "sub", "aud", "client_id", "jti", "exp", "iat"],
        forbidden: &[("nonce", "\"n1\""), ("events", "{}")],
        beside: Beside::Nothing,
        max_lifetime: Some(300),
        ..PLAIN
    },
    Kind {
        profile: "client_attestation",
        gate: "client_attestation",
        typ: Some("oauth-client-attestation+jwt"),
        typ_alike: &[Some("application/oauth-client-attestation+jwt")],
        issuer: "https://attester.example",
        required: &["sub", "exp", "cnf"],
        forbidden: &[
            ("act", "{\"sub\":\"a\"}"),
            ("scope", "\"a\""),
            ("aud", "\"https://as.example\""),
        ],
        max_lifetime: Some(86_400),
        ..PLAIN
    },
    Kind {
        profile: "txn_token",
        gate: "txn_token",
        typ: Some("txntoken+jwt"),
        typ_alike: &[Some("TxnToken+JWT"), Some("application/txntoken+jwt")],
        issuer: "https://tts.td.example",
        audience: Some("td.example"),
        required: &["iat", "aud", "exp", "txn", "sub", "scope", "req_wl"],
        forbidden: &[
            ("nonce", "\"n1\""),
            ("events", "{}"),
            ("at_hash", "\"x\""),
            ("purp", "\"trade\""),
            ("azd", "{}"),
        ],
        beside: Beside::Nothing,
        max_lifetime: Some(300),
        ..PLAIN
    },
    Kind {
        profile: "wit",
        gate: "wit",
        typ: Some("wit+jwt"),
        typ_alike: &[Some("WIT+JWT"), Some("application/wit+jwt")],
        issuer: "wimse://td.example",
        required: &["sub", "exp", "cnf"],
        forbidden: &[("aud", "\"https://rs.example\"")],
        max_lifetime: Some(86_400),
        ..PLAIN
    },
    Kind {
        profile: "capability",
        gate: "capability",
        typ: Some("aat+jwt"),
        typ_alike: &[None, Some("JWT"), Some("application/aat+jwt")],
        required: &[
            "jti",
            "iss",
            "iat",
            "exp",
            "cnf",
            "del_depth",
            "del_max_depth",
            "authorization_details",
        ],
        forbidden: &[
            ("sub", "\"u1\""),
            ("scope", "\"a\""),
            ("events", "{}"),
            ("par_hash", "\"x\""),
        ],
        max_lifetime: Some(86_400),
        ..PLAIN
    },
    Kind {
        profile: "actor_proof",
        gate: "actor_proof",
        typ: Some("actor-proof+jwt"),
        typ_alike: &[Some("application/actor-proof+jwt")],
        required: &["iss", "sub", "iat", "exp", "jti", "target"],
        forbidden: &[("aud", "\"https://rs.example\"")],
        max_lifetime: Some(600),
        ..PLAIN
    },
    Kind {
        profile: "intent_token",
        gate: "intent_token",
        typ: Some("intent+jwt"),
        typ_alike: &[Some("Intent+JWT"), Some("application/intent+jwt")],
        required: &["iss", "sub", "exp", "mission"],
        ..PLAIN
    },
    Kind {
        profile: "set",
        gate: "set",
        typ: Some("secevent+jwt"),
        typ_alike: &[Some("SecEvent+JWT"), Some("application/secevent+jwt")],
        alg: "RS256",
        audience: Some("https://receiver.example"),
        required: &["iss", "iat", "jti", "events", "aud", "sub_id"],
        forbidden: &[("sub", "\"u1\""), ("exp", "1800000300")],
        max_age: Some(7 * 86_400),
        ..PLAIN
    },
    Kind {
        profile: "status_list_token",
        gate: "status_list_token",
        typ: Some("statuslist+jwt"),
        typ_alike: &[Some("application/statuslist+jwt")],
        required: &["sub", "iat", "status_list"],
        forbidden: &[("aud", "\"https://rs.example\"")],
        ..PLAIN
    },
    Kind {
        profile: "introspection_response",
        gate: "introspection_response",
        typ: Some("token-introspection+jwt"),
        typ_alike: &[Some("application/token-introspection+jwt")],
        audience: Some("https://rs.example"),
        required: &["iss", "aud", "iat", "token_introspection"],
        forbidden: &[("sub", "\"u1\""), ("exp", "1800000300")],
        max_age: Some(60),
        ..PLAIN
    },
    Kind {
        profile: "agent_card",
        gate: "agent_card",
        typ_alike: &[Some("JOSE"), Some("jose"), Some("application/jose")],
        issuer: "weather-agent",
        required: &["name", "version"],
        forbidden: &[
            ("iss", "\"weather-agent\""),
            ("sub", "\"u1\""),
            ("aud", "\"https://rs.example\""),
            ("exp", "1800000300"),
            ("nbf", "1800000000"),
            ("iat", "1800000000"),
            ("jti", "\"j1\""),
            ("act", "{\"sub\":\"a\"}"),
            ("cnf", "{}"),
            ("events", "{}"),
            ("signatures", "[]"),
        ],
        ..PLAIN
    },
    Kind {
        profile: "jwt_custom",
        gate: "jwt_custom",
        typ: None,
        typ_alike: UNTYPED,
        alg: "HS256",
        issuer: "https://custom.example",
        audience: Some("https://rs.example/custom"),
        required: &["iss", "aud", "exp"],
        forbidden: &[],
        together: &[],
        beside: Beside::Others,
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
            "jwt_custom" => json!({ "sub": "u1", "iat": T }),
            _ => return self.claims_of_its_own(),
        };
        let common = json!({ "iss": self.issuer, "aud": self.audience, "exp": T + 300 });
        with(&common, claims)
    }

    /// Those of kinds that have little in common.
    fn claims_of_its_own(&self) -> Value {
        let (iss, aud) = (self.issuer, self.audience);
        let hash = b64u([7; 32]);
        match self.profile {
            "id_jag" => json!({
                "iss": iss, "sub": "u1", "aud": aud, "client_id": "c1", "jti": "j1", "iat": T,
                "exp": T + 300, "scope": "files.read", "resource": "https://rs.example/mcp",
            }),
            "client_attestation" => json!({
                "sub": "c1", "iat": T, "exp": T + 3600, "cnf": { "jwk": holder() },
            }),
            "txn_token" => json!({
                "aud": aud, "sub": "u1", "iat": T, "exp": T + 300, "txn": "x1",
                "scope": "trade.stocks", "req_wl": "gw.td.example", "tctx": { "intent_id": "i1" },
            }),
            "wit" => json!({
                "sub": "wimse://td.example/agent-a", "iat": T, "exp": T + 3600,
                "cnf": { "jwk": holder() },
            }),
            "capability" => json!({
                "iss": iss, "jti": "j1", "iat": T, "exp": T + 600, "del_depth": 0,
                "del_max_depth": 2, "cnf": { "jwk": holder() },
                "authorization_details": [{
                    "type": "attenuating_agent_token",
                    "tools": { "read_file": { "path": {
                        "constraint_type": "one_of", "values": ["/a", "/b"],
                    } } },
                }],
            }),
            "actor_proof" => json!({
                "iss": iss, "sub": "agent-a", "iat": T, "exp": T + 300, "jti": "j1", "prh": hash,
                "target": { "aud": "https://rs.example/mcp" },
            }),
            "intent_token" => json!({
                "iss": iss, "sub": "u1", "exp": T + 300,
                "mission": {
                    "id": "m1", "issuer": iss, "authority_hash": format!("sha-256:{hash}"),
                    "expires_at": "2027-01-15T09:00:00Z",
                },
            }),
            "set" => json!({
                "iss": iss, "aud": aud, "iat": T, "jti": "j1", "txn": "x1",
                "sub_id": { "format": "iss_sub", "iss": iss, "sub": "u1" },
                "events": {
                    "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {
                        "event_timestamp": T,
                    },
                },
            }),
            "status_list_token" => json!({
                "sub": "https://as.example/status/1", "iat": T, "exp": T + 600, "ttl": 300,
                "status_list": { "bits": 1, "lst": "eNrbuRgAAhcBXQ" },
            }),
            "introspection_response" => json!({
                "iss": iss, "aud": aud, "iat": T,
                "token_introspection": { "active": true, "sub": "u1", "exp": T + 300 },
            }),
            "agent_card" => json!({ "name": "Weather", "version": "1.0.0" }),
            other => panic!("no claims for {other}"),
        }
    }

    /// Whether a token is good once, so that its gate needs somebody who remembers it.
    #[must_use]
    pub fn is_used_once(&self) -> bool {
        let once = [
            "client_assertion",
            "jwt_bearer_grant",
            "id_jag",
            "actor_proof",
        ];
        once.contains(&self.profile)
    }

    /// A policy of one issuer and one gate for it.
    #[must_use]
    pub fn policy(&self) -> Value {
        let replay = self.is_used_once().then(|| json!({ "store": "process" }));
        let policy = json!({
            "version": 1,
            // A line is answered by a verifier of its own, and a large cache takes time to make.
            "cache": { "tokens": 100 },
            "issuers": { "as": {
                "issuer": self.issuer,
                "jwks": { "keys": [self.key().jwk] },
                "algorithms": [self.alg],
                "profiles": [self.profile],
            } },
            "gates": { "g": with(&self.gate_members(), json!({ "issuers": ["as"] })) },
        });
        with(&policy, json!({ "replay": replay }))
    }

    /// What a gate for it says beside its issuers.
    #[must_use]
    pub fn gate_members(&self) -> Value {
        let mut gate = json!({ "profile": self.gate });
        if let Some(audience) = self.audience {
            gate["audience"] = audience.into();
        }
        if self.profile == "intent_token" {
            gate["typ"] = self.typ.into();
        }
        if self.required.contains(&"cnf") {
            gate["sender_constrained"] = "external".into(); // its proof is another token's
        }
        gate
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

    /// Whether the kind has an end of its own.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.claims()["exp"].is_number()
    }

    /// Whether a claim means anything to the kind.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        let together = self.together.iter().any(|(known, _)| *known == name);
        together || self.forbids(name) || !self.claims()[name].is_null()
    }

    pub(super) fn forbids(&self, name: &str) -> bool {
        self.forbidden
            .iter()
            .any(|(forbidden, _)| *forbidden == name)
    }

    pub(super) fn subject(&self) -> Value {
        self.claims()["sub"].clone()
    }
}
