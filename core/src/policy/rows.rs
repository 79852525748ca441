//! The profile table (standards 29.2): one row a profile, in the order of [`Profile`].
//!
//! A row writes what is particular to it, and takes the rest from [`PLAIN`].

use super::profile::{Kind, Profile};
use super::row::{
    AlgorithmRule, AudienceRule, Form, HeaderRule, OwnClaim, OwnTyp, Row, SignerRule, TypRule,
    UNTYPED,
};
use crate::claims::{Claim, ClaimSet};
use crate::time::Span;

const fn minutes(count: i64) -> Option<Span> {
    Some(Span::from_seconds(count * 60))
}

const fn hours(count: i64) -> Option<Span> {
    minutes(count * 60)
}

/// A token of an issuer that names itself, for an audience among others.
const PLAIN: Row = Row {
    profile: Profile::JwtCustom,
    kind: Kind::JwtCustom,
    name: "",
    typ: TypRule::Untyped(UNTYPED),
    own_typ: OwnTyp::Never,
    header: HeaderRule::Open,
    algorithms: AlgorithmRule::Asymmetric, // AT-05
    signer: SignerRule::Iss,               // AT-02, IDT-02, SET-03
    key_uses: &["sig"],
    required: ClaimSet::EMPTY,
    forbidden: ClaimSet::EMPTY,
    forbidden_together: ClaimSet::EMPTY,
    own: &[],
    audience: AudienceRule::Contains,
    qualified_actors: false,
    max_lifetime: None,
    max_age: None,
    used_once: false,
};

/// Claims that make an access token another kind (AT-04).
const OF_OTHER_KINDS: ClaimSet = ClaimSet::of(&[
    Claim::Nonce,
    Claim::Events,
    Claim::AtHash,
    Claim::TokenIntrospection,
    Claim::DelDepth,
]);

/// What the answer of an authorization server about an access token must say (RFC 7662 §2.2,
/// INT-02). It need not name the server, which was asked, nor the token, which is here.
static INTROSPECTED: Row = Row {
    profile: Profile::AccessToken,
    kind: Kind::AccessToken,
    name: "access_token",
    required: ClaimSet::of(&[Claim::Exp, Claim::Aud]),
    forbidden: OF_OTHER_KINDS,
    forbidden_together: ClaimSet::of(&[Claim::Txn, Claim::ReqWl]),
    max_lifetime: minutes(60),
    ..PLAIN
};

impl Row {
    /// Of access tokens whose issuer was asked about them.
    pub(crate) fn introspected() -> &'static Self {
        &INTROSPECTED
    }
}

pub(super) static ROWS: [Row; 19] = [
    Row {
        profile: Profile::AccessToken,
        kind: Kind::AccessToken,
        name: "access_token",
        typ: TypRule::Required("at+jwt"), // AT-01, IDT-12
        required: ClaimSet::of(&[
            Claim::Iss,
            Claim::Exp,
            Claim::Aud,
            Claim::Sub,
            Claim::ClientId,
            Claim::Iat,
            Claim::Jti,
        ]), // AT-04, RFC 9068 §2.2
        forbidden: OF_OTHER_KINDS,
        forbidden_together: ClaimSet::of(&[Claim::Txn, Claim::ReqWl]),
        max_lifetime: minutes(60), // AT-06
        ..PLAIN
    },
    Row {
        profile: Profile::AccessTokenUntyped,
        kind: Kind::AccessToken,
        name: "access_token_untyped",
        required: ClaimSet::of(&[Claim::Iss, Claim::Exp, Claim::Aud, Claim::Sub]),
        forbidden: OF_OTHER_KINDS,
        forbidden_together: ClaimSet::of(&[Claim::Txn, Claim::ReqWl]),
        max_lifetime: minutes(60),
        ..PLAIN
    },
    Row {
        profile: Profile::IdToken,
        kind: Kind::IdToken,
        name: "id_token",               // untyped: IDT-01
        algorithms: AlgorithmRule::Any, // IDT-05: what the issuer's `algorithms` say
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Aud, Claim::Exp, Claim::Iat]),
        forbidden: ClaimSet::of(&[Claim::Events]), // IDT-10
        forbidden_together: ClaimSet::of(&[Claim::Scope, Claim::ClientId]),
        audience: AudienceRule::OnlyOurs, // IDT-03
        max_lifetime: minutes(60),
        ..PLAIN
    },
    Row {
        profile: Profile::LogoutToken,
        kind: Kind::LogoutToken,
        name: "logout_token",
        typ: TypRule::Preferred("logout+jwt"), // LOG-01
        required: ClaimSet::of(&[
            Claim::Iss,
            Claim::Aud,
            Claim::Iat,
            Claim::Exp,
            Claim::Jti,
            Claim::Events,
        ]),
        forbidden: ClaimSet::of(&[Claim::Nonce]), // LOG-05
        audience: AudienceRule::OnlyOurs,         // LOG-02, as IDT-03
        max_lifetime: minutes(5),
        max_age: minutes(5), // LOG-06
        used_once: true,     // LOG-06
        ..PLAIN
    },
    Row {
        profile: Profile::ClientAssertion,
        kind: Kind::ClientAssertion,
        name: "client_assertion",
        typ: TypRule::Preferred("client-authentication+jwt"), // CA-04
        algorithms: AlgorithmRule::Any,                       // CA-06: the client is an issuer
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Aud, Claim::Exp, Claim::Jti]),
        forbidden: ClaimSet::of(&[Claim::Act, Claim::Scope, Claim::Events]),
        audience: AudienceRule::Sole, // CA-02
        max_lifetime: minutes(5),     // CA-03
        max_age: minutes(5),          // CA-03
        used_once: true,              // CA-05
        ..PLAIN
    },
    Row {
        profile: Profile::JwtBearerGrant,
        kind: Kind::JwtBearerGrant,
        name: "jwt_bearer_grant",
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Aud, Claim::Exp]), // JBG-01
        forbidden: ClaimSet::of(&[Claim::Nonce, Claim::Events]),
        max_lifetime: minutes(5),
        used_once: true, // IC-01, where it has a `jti`
        ..PLAIN
    },
    Row {
        profile: Profile::JwtSvid,
        kind: Kind::JwtSvid,
        name: "jwt_svid",
        typ: TypRule::Untyped(&["jwt", "jose"]), // JSV-02
        header: HeaderRule::Bare,
        algorithms: AlgorithmRule::Svid,
        signer: SignerRule::TrustDomain,
        key_uses: &["jwt-svid"], // JSV-05
        required: ClaimSet::of(&[Claim::Sub, Claim::Aud, Claim::Exp]), // JSV-04
        max_lifetime: minutes(60), // JSV-07
        ..PLAIN
    },
    Row {
        profile: Profile::IdJag,
        kind: Kind::IdJag,
        name: "id_jag",
        typ: TypRule::Required("oauth-id-jag+jwt"), // IJ-01
        required: ClaimSet::of(&[
            Claim::Iss,
            Claim::Sub,
            Claim::Aud,
            Claim::ClientId,
            Claim::Jti,
            Claim::Exp,
            Claim::Iat,
        ]), // IJ-04
        forbidden: ClaimSet::of(&[Claim::Nonce, Claim::Events]),
        own: &[
            OwnClaim::optional("resource", Form::Texts),
            OwnClaim::optional("tenant", Form::Text), // IJ-09
            OwnClaim::optional("aud_tenant", Form::Text),
            OwnClaim::optional("aud_sub", Form::Text),
        ],
        audience: AudienceRule::Sole, // IJ-02
        qualified_actors: true,       // IJ-08
        max_lifetime: minutes(5),     // IJ-04
        used_once: true,              // IJ-06
        ..PLAIN
    },
    Row {
        profile: Profile::ClientAttestation,
        kind: Kind::ClientAttestation,
        name: "client_attestation",
        typ: TypRule::Required("oauth-client-attestation+jwt"), // ATT-02
        signer: SignerRule::IssOrOnly,                          // ATT-03
        required: ClaimSet::of(&[Claim::Sub, Claim::Exp, Claim::Cnf]),
        forbidden: ClaimSet::of(&[Claim::Act, Claim::Scope, Claim::Aud]),
        audience: AudienceRule::Never, // its proof names the server
        max_lifetime: hours(24),
        ..PLAIN
    },
    Row {
        profile: Profile::TxnToken,
        kind: Kind::TxnToken,
        name: "txn_token",
        typ: TypRule::Required("txntoken+jwt"), // TXT-01
        signer: SignerRule::IssOrOnly,          // TXT-05
        required: ClaimSet::of(&[
            Claim::Iat,
            Claim::Aud,
            Claim::Exp,
            Claim::Txn,
            Claim::Sub,
            Claim::Scope,
            Claim::ReqWl,
        ]), // TXT-02
        forbidden: ClaimSet::of(&[Claim::Nonce, Claim::Events, Claim::AtHash]),
        own: &[
            OwnClaim::optional("tctx", Form::Object), // TXT-09
            OwnClaim::optional("rctx", Form::Object),
            OwnClaim::optional("agentic_ctx", Form::Object),
            // What earlier drafts called scope and tctx: never beside them.
            OwnClaim::forbidden("purp"),
            OwnClaim::forbidden("azd"),
        ],
        audience: AudienceRule::Sole, // TXT-03
        qualified_actors: true,
        max_lifetime: minutes(5), // TXT-04
        ..PLAIN
    },
    Row {
        profile: Profile::Wit,
        kind: Kind::Wit,
        name: "wit",
        typ: TypRule::Required("wit+jwt"), // WIT-01
        signer: SignerRule::TrustDomain,   // WIT-03
        key_uses: &["sig", "wit-svid"],
        required: ClaimSet::of(&[Claim::Sub, Claim::Exp, Claim::Cnf]),
        forbidden: ClaimSet::of(&[Claim::Aud]), // WIT-SVID
        audience: AudienceRule::Never,          // its proof names the server
        max_lifetime: hours(24),
        ..PLAIN
    },
    Row {
        profile: Profile::Capability,
        kind: Kind::Capability,
        name: "capability",
        typ: TypRule::Preferred("aat+jwt"), // proposed; `del_depth` tells it from others
        own_typ: OwnTyp::May,
        required: ClaimSet::of(&[
            Claim::Jti,
            Claim::Iss,
            Claim::Iat,
            Claim::Exp,
            Claim::Cnf,
            Claim::DelDepth,
            Claim::AuthorizationDetails,
        ]), // AAT-03
        forbidden: ClaimSet::of(&[Claim::Sub, Claim::Scope, Claim::Events]),
        own: &[
            OwnClaim::required("del_max_depth", Form::Count),
            OwnClaim::forbidden("par_hash"), // a root has no parent
        ],
        audience: AudienceRule::IfAny,
        max_lifetime: hours(24), // AAT-03
        ..PLAIN
    },
    Row {
        profile: Profile::ActorProof,
        kind: Kind::ActorProof,
        name: "actor_proof",
        typ: TypRule::Required("actor-proof+jwt"),
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Iat, Claim::Exp, Claim::Jti]),
        forbidden: ClaimSet::of(&[Claim::Aud]),
        own: &[
            OwnClaim::required("target", Form::Object),
            OwnClaim::optional("prh", Form::Sha256), // the oldest has none
        ],
        audience: AudienceRule::Never, // `target` names another token's
        qualified_actors: true,
        max_lifetime: minutes(10),
        used_once: true,
        ..PLAIN
    },
    Row {
        profile: Profile::IntentToken,
        kind: Kind::IntentToken,
        name: "intent_token",
        typ: TypRule::Named,
        own_typ: OwnTyp::Must,
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Exp]),
        own: &[
            OwnClaim::optional("intent", Form::Object), // INTN-01: one of the two
            OwnClaim::optional("mission", Form::Object),
        ],
        audience: AudienceRule::IfAny,
        ..PLAIN
    },
    Row {
        profile: Profile::Set,
        kind: Kind::Set,
        name: "set", // SET-09: the issuer's algorithms; RSA as everywhere (ALG-05)
        typ: TypRule::Required("secevent+jwt"), // SET-01, SET-10
        required: ClaimSet::of(&[
            Claim::Iss,
            Claim::Iat,
            Claim::Jti,
            Claim::Events,
            Claim::Aud,
        ]),
        forbidden: ClaimSet::of(&[Claim::Sub, Claim::Exp]), // SET-02
        own: &[
            OwnClaim::required("sub_id", Form::Object), // SET-05
            OwnClaim::optional("toe", Form::Date),
        ],
        max_age: hours(7 * 24), // SET-08
        used_once: true,        // SET-07
        ..PLAIN
    },
    Row {
        profile: Profile::StatusListToken,
        kind: Kind::StatusListToken,
        name: "status_list_token",
        typ: TypRule::Required("statuslist+jwt"), // TSL-03
        signer: SignerRule::IssOrOnly,            // TSL-03
        required: ClaimSet::of(&[Claim::Sub, Claim::Iat]),
        forbidden: ClaimSet::of(&[Claim::Aud]),
        own: &[
            OwnClaim::required("status_list", Form::Object),
            OwnClaim::optional("ttl", Form::Count),
        ],
        audience: AudienceRule::Never,
        ..PLAIN
    },
    Row {
        profile: Profile::IntrospectionResponse,
        kind: Kind::IntrospectionResponse,
        name: "introspection_response",
        typ: TypRule::Required("token-introspection+jwt"), // INT-05
        required: ClaimSet::of(&[
            Claim::Iss,
            Claim::Aud,
            Claim::Iat,
            Claim::TokenIntrospection,
        ]),
        forbidden: ClaimSet::of(&[Claim::Sub, Claim::Exp]), // INT-05
        max_age: minutes(1),                                // INT-04
        ..PLAIN
    },
    Row {
        profile: Profile::AgentCard,
        kind: Kind::AgentCard,
        name: "agent_card",
        typ: TypRule::Untyped(&["jose"]), // A2A-02
        header: HeaderRule::Kid,
        signer: SignerRule::Only,
        // A card is no set of claims: whatever has one of these is a token of another kind.
        forbidden: ClaimSet::of(&[
            Claim::Iss,
            Claim::Sub,
            Claim::Aud,
            Claim::Exp,
            Claim::Nbf,
            Claim::Iat,
            Claim::Jti,
            Claim::Act,
            Claim::Cnf,
            Claim::Events,
        ]),
        own: &[
            OwnClaim::required("name", Form::Text),
            OwnClaim::required("version", Form::Text),
            OwnClaim::forbidden("signatures"), // they are over the card without them
        ],
        audience: AudienceRule::Never,
        ..PLAIN
    },
    Row {
        profile: Profile::JwtCustom,
        kind: Kind::JwtCustom,
        name: "jwt_custom", // untyped, unless the gate names a `typ`
        own_typ: OwnTyp::May,
        algorithms: AlgorithmRule::Any,
        required: ClaimSet::of(&[Claim::Iss, Claim::Aud, Claim::Exp]),
        ..PLAIN
    },
];
