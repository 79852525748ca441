//! The claims and the header of a good token of each row (standards 29.2): what its kind asks for,
//! and what a gate asks beyond.

use serde_json::{Map, Value, json};

use super::FakeAgent;
use super::draft::TOOL;
use crate::encoding::base64url;
use crate::policy::{ClaimNames, GateRules, IssuerRules, Profile, TypRule};
use crate::time::{NumericDate, Span};

/// Back-channel logout (LOG-03).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a token is made from.
pub(super) struct Making<'m> {
    pub(super) profile: Profile,
    pub(super) rules: &'m IssuerRules,
    /// `iss`, or the trust domain.
    pub(super) iss: &'m str,
    /// `None` of a token that names nobody.
    pub(super) audience: Option<&'m str>,
    pub(super) now: NumericDate,
    pub(super) lifetime: Span,
    pub(super) jti: String,
    /// Whose key a token has that must have one.
    pub(super) holder: &'m FakeAgent,
}

/// The header beside `alg` and `kid`.
pub(super) fn typ(gate: &GateRules, profile: Profile) -> Option<&str> {
    match (gate.typ.as_deref(), profile.row().typ) {
        (Some(own), _) => Some(own),
        (None, TypRule::Required(typ) | TypRule::Preferred(typ)) => Some(typ),
        (None, TypRule::Untyped(_) | TypRule::Named) => None,
    }
}

/// The claims of a token of this row.
pub(super) fn good(making: &Making<'_>) -> Map<String, Value> {
    let Making {
        profile,
        rules,
        iss,
        now,
        jti,
        holder,
        ..
    } = making;
    let (iat, jwk) = (now.seconds(), holder.jwk());
    let exp = now.plus(making.lifetime).seconds();
    let claims = match profile {
        Profile::AccessToken | Profile::AccessTokenUntyped => {
            json!({ "iss": iss, "sub": "u1", "client_id": "c1", "iat": iat, "exp": exp, "jti": jti })
        }
        Profile::IdToken | Profile::JwtCustom | Profile::JwtBearerGrant => {
            json!({ "iss": iss, "sub": "u1", "iat": iat, "exp": exp, "jti": jti })
        }
        Profile::LogoutToken => json!({
            "iss": iss, "sub": "u1", "sid": "s1", "iat": iat, "exp": exp, "jti": jti, "events": { LOGOUT: {} },
        }),
        Profile::ClientAssertion => {
            json!({ "iss": iss, "sub": iss, "iat": iat, "exp": exp, "jti": jti })
        }
        Profile::JwtSvid => json!({ "sub": format!("{iss}/agent"), "iat": iat, "exp": exp }),
        Profile::IdJag => {
            json!({ "iss": iss, "sub": "u1", "client_id": "c1", "iat": iat, "exp": exp, "jti": jti })
        }
        Profile::ClientAttestation => {
            json!({ "iss": iss, "sub": "c1", "iat": iat, "exp": exp, "cnf": { "jwk": jwk } })
        }
        Profile::TxnToken => json!({
            "iss": iss, "sub": "u1", "iat": iat, "exp": exp, "txn": "t1", "scope": "s1", "req_wl": "w1",
        }),
        Profile::Wit => {
            let mut jwk = jwk;
            if let Value::Object(members) = &mut jwk {
                let alg = holder.key().algorithm().name();
                members.insert("alg".to_owned(), alg.into());
            }
            json!({ "sub": format!("{iss}/agent"), "iat": iat, "exp": exp, "cnf": { "jwk": jwk } })
        }
        Profile::Capability => json!({
            "iss": iss, "iat": iat, "exp": exp, "jti": jti, "del_depth": 0, "del_max_depth": 1,
            "cnf": { "jwk": jwk },
            "authorization_details": [{ "type": "attenuating_agent_token", "tools": { TOOL: {} } }],
        }),
        Profile::ActorProof => json!({
            "iss": iss, "sub": "a1", "iat": iat, "exp": exp, "jti": jti,
            "target": { "aud": "https://audience.invalid" },
        }),
        Profile::IntentToken => {
            let hash = format!("sha-256:{}", base64url::encode(&[0; 32]));
            let mission = json!({ "id": "m1", "issuer": iss, "authority_hash": hash });
            json!({ "iss": iss, "sub": "u1", "iat": iat, "exp": exp, "mission": mission })
        }
        Profile::Set => json!({
            "iss": iss, "iat": iat, "jti": jti, "sub_id": { "format": "opaque", "id": "u1" },
            "events": { "https://event.invalid/e1": {} },
        }),
        Profile::StatusListToken => json!({
            "iss": iss, "sub": "https://status.invalid/1", "iat": iat, "exp": exp,
            "status_list": { "bits": 1, "lst": "eNrbuRgAAhcBXQ" },
        }),
        Profile::IntrospectionResponse => json!({
            "iss": iss, "iat": iat, "token_introspection": { "active": true, "exp": exp },
        }),
        Profile::AgentCard => json!({ "name": "n1", "version": "1" }),
    };
    let Value::Object(mut claims) = claims else {
        return Map::new();
    };
    let names = &rules.claim_names;
    if let Some(name) = &names.client_id
        && let Some(client) = claims.remove("client_id")
    {
        claims.insert(name.to_string(), client);
    }
    if let Some(audience) = making.audience {
        let name = Name::Audience.of(names, *profile);
        claims.insert(name.to_owned(), audience.into());
    }
    claims
}

/// Claims that an issuer may put elsewhere (DIA-04).
#[derive(Clone, Copy)]
pub(super) enum Name {
    Audience,
    Scope,
}

impl Name {
    /// Where this issuer has it.
    pub(super) fn of(self, names: &ClaimNames, profile: Profile) -> &str {
        let is_access = matches!(profile, Profile::AccessToken | Profile::AccessTokenUntyped);
        match self {
            Self::Audience => names.aud.as_deref().filter(|_| is_access).unwrap_or("aud"),
            Self::Scope => names.scope.as_deref().unwrap_or("scope"),
        }
    }
}
