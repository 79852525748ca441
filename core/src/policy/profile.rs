//! Profiles as rows (standards 29.2): what tells one kind of token from every other.

use crate::claims::{Claim, ClaimSet};
use crate::jwa::{Algorithm, AlgorithmSet, Family};
use crate::time::Span;

/// A named set of defaults for a whole policy document (standards 29.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// The literal text of the final RFCs; delegation is surfaced.
    Rfc,
    /// The recommended default: lifetimes capped, delegation forbidden until configured.
    AgentStrict,
}

impl Preset {
    /// The spelling in the policy document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::AgentStrict => "agent_strict",
        }
    }
}

/// What a gate opens for. A kind covers one row, or two where `typ` is the only difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// RFC 9068 access tokens, and untyped ones of issuers that are configured so.
    AccessToken,
    /// OpenID Connect ID Tokens.
    IdToken,
    /// Back-channel logout tokens.
    LogoutToken,
    /// RFC 7523 client authentication.
    ClientAssertion,
    /// RFC 7523 authorization grants.
    JwtBearerGrant,
    /// SPIFFE JWT-SVIDs.
    JwtSvid,
    /// Anything else with `iss`, `aud` and `exp`, HMAC included.
    JwtCustom,
}

/// One row of the profile table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum Profile {
    /// `typ: at+jwt` (RFC 9068).
    AccessToken,
    /// An access token without `typ`, or with `typ: JWT`, by explicit opt-in.
    AccessTokenUntyped,
    /// OpenID Connect Core §2.
    IdToken,
    /// OpenID Connect Back-Channel Logout §2.4.
    LogoutToken,
    /// RFC 7523 §2.2 and 7523bis.
    ClientAssertion,
    /// RFC 7523 §2.1.
    JwtBearerGrant,
    /// SPIFFE JWT-SVID.
    JwtSvid,
    /// Generic tokens with their own rules.
    JwtCustom,
}

/// Which `typ` header parameters a row accepts (JWT-05, JWT-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TypRule {
    /// Exactly this type.
    Required(&'static str),
    /// This type, or one of [`UNTYPED`].
    Preferred(&'static str),
    /// Absent or one of these.
    Untyped(&'static [&'static str]),
}

/// The spellings of "no type of its own".
pub(crate) const UNTYPED: &[&str] = &["jwt"];

/// How many audiences a token may name (JWT-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudienceRule {
    /// One of ours among any others.
    Contains,
    /// Exactly one, and it is ours.
    Sole,
    /// Ours, and nothing we do not know (IDT-03).
    OnlyOurs,
}

/// One row: everything that is fixed by the kind of token rather than by the operator.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) profile: Profile,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) typ: TypRule,
    pub(crate) required: ClaimSet,
    pub(crate) forbidden: ClaimSet,
    /// Claims that must not stand together, though each may stand alone.
    pub(crate) forbidden_together: ClaimSet,
    pub(crate) audience: AudienceRule,
    /// Header parameters other than `alg`, `kid` and `typ` refuse the token (JSV-03).
    pub(crate) bare_header: bool,
    /// The cap on `exp - iat` under `agent_strict`.
    pub(crate) max_lifetime: Option<Span>,
    /// The cap on `now - iat`, where the kind has one.
    pub(crate) max_age: Option<Span>,
}

impl Profile {
    /// Every row.
    pub const ALL: &'static [Self] = &[
        Self::AccessToken,
        Self::AccessTokenUntyped,
        Self::IdToken,
        Self::LogoutToken,
        Self::ClientAssertion,
        Self::JwtBearerGrant,
        Self::JwtSvid,
        Self::JwtCustom,
    ];

    /// The spelling in policy documents and results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The row with this spelling.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|profile| profile.as_str() == name)
    }

    /// The kind of gate it opens.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().kind
    }

    pub(crate) fn row(self) -> &'static Row {
        #[expect(
            clippy::indexing_slicing,
            clippy::as_conversions,
            reason = "a test compares them"
        )]
        &ROWS[self as usize]
    }

    /// Whether nothing but claims tells it from other untyped rows (standards 29.3).
    pub(crate) fn is_untyped(self) -> bool {
        !matches!(self.row().typ, TypRule::Required(_))
    }

    /// The algorithms an issuer of this row may be given at all.
    pub(crate) fn permits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::JwtCustom | Self::ClientAssertion | Self::IdToken => true,
            Self::JwtSvid => {
                matches!(
                    algorithm.family(),
                    Family::RsaPkcs1 | Family::RsaPss | Family::Ecdsa
                ) && algorithm != Algorithm::Es256k
            }
            Self::AccessToken
            | Self::AccessTokenUntyped
            | Self::LogoutToken
            | Self::JwtBearerGrant => !algorithm.is_symmetric(),
        }
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::AccessToken,
        Self::IdToken,
        Self::LogoutToken,
        Self::ClientAssertion,
        Self::JwtBearerGrant,
        Self::JwtSvid,
        Self::JwtCustom,
    ];

    /// Whether clients send it in `Authorization`, where a proof can come with it.
    pub(crate) const fn comes_in_requests(self) -> bool {
        matches!(
            self,
            Self::AccessToken | Self::IdToken | Self::JwtSvid | Self::JwtCustom
        )
    }

    /// The spelling in policy documents: that of its first row.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ROWS.iter()
            .find(|row| row.kind == self)
            .map_or("", |row| row.name)
    }

    /// The kind with this spelling.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// The asymmetric algorithms both presets allow by default (standards 29.2 `asym`); ES256K is
/// opt-in.
pub(crate) fn default_algorithms() -> AlgorithmSet {
    Algorithm::all()
        .filter(|algorithm| !algorithm.is_symmetric() && *algorithm != Algorithm::Es256k)
        .collect()
}

const fn minutes(count: i64) -> Option<Span> {
    Some(Span::from_seconds(count * 60))
}

static ROWS: [Row; 8] = [
    Row {
        profile: Profile::AccessToken,
        kind: Kind::AccessToken,
        name: "access_token",
        typ: TypRule::Required("at+jwt"), // AT-01
        required: ClaimSet::of(&[
            Claim::Iss,
            Claim::Exp,
            Claim::Aud,
            Claim::Sub,
            Claim::ClientId,
            Claim::Iat,
            Claim::Jti,
        ]), // AT-04, RFC 9068 §2.2
        forbidden: ClaimSet::of(&[
            Claim::Nonce,
            Claim::Events,
            Claim::AtHash,
            Claim::TokenIntrospection,
            Claim::DelDepth,
        ]),
        forbidden_together: ClaimSet::of(&[Claim::Txn, Claim::ReqWl]),
        audience: AudienceRule::Contains, // AT-03
        bare_header: false,
        max_lifetime: minutes(60), // AT-06
        max_age: None,
    },
    Row {
        profile: Profile::AccessTokenUntyped,
        kind: Kind::AccessToken,
        name: "access_token_untyped",
        typ: TypRule::Untyped(UNTYPED),
        required: ClaimSet::of(&[Claim::Iss, Claim::Exp, Claim::Aud, Claim::Sub]),
        forbidden: ClaimSet::of(&[
            Claim::Nonce,
            Claim::Events,
            Claim::AtHash,
            Claim::TokenIntrospection,
            Claim::DelDepth,
        ]),
        forbidden_together: ClaimSet::of(&[Claim::Txn, Claim::ReqWl]),
        audience: AudienceRule::Contains,
        bare_header: false,
        max_lifetime: minutes(60),
        max_age: None,
    },
    Row {
        profile: Profile::IdToken,
        kind: Kind::IdToken,
        name: "id_token",
        typ: TypRule::Untyped(UNTYPED), // IDT-01
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Aud, Claim::Exp, Claim::Iat]),
        forbidden: ClaimSet::of(&[Claim::Events]), // IDT-10
        forbidden_together: ClaimSet::of(&[Claim::Scope, Claim::ClientId]),
        audience: AudienceRule::OnlyOurs, // IDT-03
        bare_header: false,
        max_lifetime: minutes(60),
        max_age: None,
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
        forbidden_together: ClaimSet::EMPTY,
        audience: AudienceRule::OnlyOurs, // LOG-02, as IDT-03
        bare_header: false,
        max_lifetime: minutes(5),
        max_age: minutes(5), // LOG-06
    },
    Row {
        profile: Profile::ClientAssertion,
        kind: Kind::ClientAssertion,
        name: "client_assertion",
        typ: TypRule::Preferred("client-authentication+jwt"), // CA-04
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Aud, Claim::Exp, Claim::Jti]),
        forbidden: ClaimSet::of(&[Claim::Act, Claim::Scope, Claim::Events]),
        forbidden_together: ClaimSet::EMPTY,
        audience: AudienceRule::Sole, // CA-02
        bare_header: false,
        max_lifetime: minutes(5), // CA-03
        max_age: minutes(5),      // CA-03
    },
    Row {
        profile: Profile::JwtBearerGrant,
        kind: Kind::JwtBearerGrant,
        name: "jwt_bearer_grant",
        typ: TypRule::Untyped(UNTYPED),
        required: ClaimSet::of(&[Claim::Iss, Claim::Sub, Claim::Aud, Claim::Exp]), // JBG-01
        forbidden: ClaimSet::of(&[Claim::Nonce, Claim::Events]),
        forbidden_together: ClaimSet::EMPTY,
        audience: AudienceRule::Contains,
        bare_header: false,
        max_lifetime: minutes(5),
        max_age: None,
    },
    Row {
        profile: Profile::JwtSvid,
        kind: Kind::JwtSvid,
        name: "jwt_svid",
        typ: TypRule::Untyped(&["jwt", "jose"]), // JSV-02
        required: ClaimSet::of(&[Claim::Sub, Claim::Aud, Claim::Exp]), // JSV-04
        forbidden: ClaimSet::EMPTY,
        forbidden_together: ClaimSet::EMPTY,
        audience: AudienceRule::Contains, // JSV-07
        bare_header: true,                // JSV-03
        max_lifetime: minutes(60),        // JSV-07
        max_age: None,
    },
    Row {
        profile: Profile::JwtCustom,
        kind: Kind::JwtCustom,
        name: "jwt_custom",
        typ: TypRule::Untyped(UNTYPED), // unless the issuer names a `typ`
        required: ClaimSet::of(&[Claim::Iss, Claim::Aud, Claim::Exp]),
        forbidden: ClaimSet::EMPTY,
        forbidden_together: ClaimSet::EMPTY,
        audience: AudienceRule::Contains,
        bare_header: false,
        max_lifetime: None,
        max_age: None,
    },
];

#[cfg(test)]
mod tests {
    use super::{Kind, Profile, ROWS};

    #[test]
    fn rows_stand_at_their_profile() {
        assert_eq!(ROWS.len(), Profile::ALL.len());
        for (position, row) in ROWS.iter().enumerate() {
            assert_eq!(row.profile as usize, position);
            assert_eq!(Profile::from_name(row.name), Some(row.profile));
        }
    }

    #[test]
    fn every_kind_has_a_row_and_a_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.as_str()), Some(*kind));
        }
    }
}
