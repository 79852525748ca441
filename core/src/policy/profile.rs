//! Kinds of tokens and their rows, by name (standards 29.2).

use super::row::{AlgorithmRule, Presence, Row, TypRule};
use super::rows::ROWS;
use crate::claims::Claim;
use crate::jwa::{Algorithm, AlgorithmSet, Family};
use crate::jws::header::typ_is;

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
    /// Identity assertion grants across domains (ID-JAG).
    IdJag,
    /// Attestations of a client's instance by its attester.
    ClientAttestation,
    /// Transaction tokens inside a trust domain.
    TxnToken,
    /// WIMSE workload identity tokens, SPIFFE WIT-SVIDs among them.
    Wit,
    /// Roots of attenuating agent tokens (AAT).
    Capability,
    /// An actor's own word that it acted (Actor Proofs).
    ActorProof,
    /// What a user approved: an intent or a mission.
    IntentToken,
    /// Security Event Tokens (RFC 8417).
    Set,
    /// Status list tokens (Token Status List).
    StatusListToken,
    /// JWT responses of an introspection endpoint (RFC 9701).
    IntrospectionResponse,
    /// A2A agent cards.
    AgentCard,
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
    /// draft-ietf-oauth-identity-assertion-authz-grant.
    IdJag,
    /// draft-ietf-oauth-attestation-based-client-auth.
    ClientAttestation,
    /// draft-ietf-oauth-transaction-tokens.
    TxnToken,
    /// draft-ietf-wimse-s2s-protocol, and the SPIFFE WIT-SVID.
    Wit,
    /// The root of a chain of attenuating agent tokens.
    Capability,
    /// `typ: actor-proof+jwt`.
    ActorProof,
    /// A token of its own that carries an `intent` or a `mission`.
    IntentToken,
    /// RFC 8417, as the Shared Signals Framework profiles it.
    Set,
    /// draft-ietf-oauth-status-list.
    StatusListToken,
    /// RFC 9701.
    IntrospectionResponse,
    /// A2A 1.0 §8.4.
    AgentCard,
    /// Generic tokens with their own rules.
    JwtCustom,
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
        Self::IdJag,
        Self::ClientAttestation,
        Self::TxnToken,
        Self::Wit,
        Self::Capability,
        Self::ActorProof,
        Self::IntentToken,
        Self::Set,
        Self::StatusListToken,
        Self::IntrospectionResponse,
        Self::AgentCard,
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

    /// The `typ` its tokens carry; none where they need none, or a gate names it.
    #[must_use]
    pub fn typ(self) -> Option<&'static str> {
        match self.row().typ {
            TypRule::Required(typ) | TypRule::Preferred(typ) => Some(typ),
            TypRule::Untyped(_) | TypRule::Named => None,
        }
    }

    /// The row whose `typ` this is: a guess for people who look at a token. What a token is is
    /// decided by the gate it is brought to.
    ///
    /// ```
    /// use sealgate::Profile;
    ///
    /// assert_eq!(Profile::suggested_by("application/secevent+jwt"), Some(Profile::Set));
    /// assert_eq!(Profile::suggested_by("JWT"), None);
    /// ```
    #[must_use]
    pub fn suggested_by(typ: &str) -> Option<Self> {
        let is_typ = |profile: &&Self| profile.typ().is_some_and(|own| typ_is(typ, own));
        Self::ALL.iter().find(is_typ).copied()
    }

    /// The claims every one of its tokens has. Single rows ask for more: a logout token for `sub`
    /// or `sid`, an intent token for `intent` or `mission`.
    pub fn required_claims(self) -> impl Iterator<Item = &'static str> {
        let row = self.row();
        row.required
            .iter()
            .map(Claim::name)
            .chain(row.own_names(Presence::Required))
    }

    /// The claims none of its tokens has: they would make it another kind.
    pub fn forbidden_claims(self) -> impl Iterator<Item = &'static str> {
        let row = self.row();
        row.forbidden
            .iter()
            .map(Claim::name)
            .chain(row.own_names(Presence::Forbidden))
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
        match self.row().typ {
            TypRule::Required(_) | TypRule::Named => false,
            TypRule::Preferred(_) | TypRule::Untyped(_) => true,
        }
    }

    /// The algorithms an issuer of this row may be given at all.
    pub(crate) fn permits(self, algorithm: Algorithm) -> bool {
        match self.row().algorithms {
            AlgorithmRule::Any => true,
            AlgorithmRule::Asymmetric => !algorithm.is_symmetric(),
            AlgorithmRule::Svid => is_for_svids(algorithm),
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
        Self::IdJag,
        Self::ClientAttestation,
        Self::TxnToken,
        Self::Wit,
        Self::Capability,
        Self::ActorProof,
        Self::IntentToken,
        Self::Set,
        Self::StatusListToken,
        Self::IntrospectionResponse,
        Self::AgentCard,
        Self::JwtCustom,
    ];

    /// The spelling in policy documents: that of its first row.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Its first row; in what a gate asks of its operator, the rows of a kind are alike.
    #[expect(clippy::indexing_slicing, reason = "a test finds every kind's row")]
    pub(crate) fn row(self) -> &'static Row {
        let position = ROWS.iter().position(|row| row.kind == self);
        &ROWS[position.unwrap_or_default()]
    }

    /// Whether its tokens tell of events: what they name is what has ended, and nothing of their
    /// own.
    pub(crate) const fn tells_of_events(self) -> bool {
        matches!(self, Self::LogoutToken | Self::Set)
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

/// JSV-01: the nine algorithms of SPIFFE.
pub(crate) fn is_for_svids(algorithm: Algorithm) -> bool {
    matches!(
        algorithm.family(),
        Family::RsaPkcs1 | Family::RsaPss | Family::Ecdsa
    ) && algorithm != Algorithm::Es256k
}

#[cfg(test)]
mod tests {
    use super::{Kind, Profile};
    use crate::claims::Claim;
    use crate::policy::row::AudienceRule;
    use crate::policy::rows::ROWS;

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
            assert_eq!(kind.row().kind, *kind);
            assert_eq!(Kind::from_name(kind.as_str()), Some(*kind));
        }
        for row in &ROWS {
            let first = row.kind.row();
            assert_eq!(row.signer, first.signer, "{}", row.name);
            assert_eq!(row.audience, first.audience, "{}", row.name);
            assert_eq!(row.used_once, first.used_once, "{}", row.name);
            assert_eq!(row.qualified_actors, first.qualified_actors);
        }
    }

    #[test]
    fn rows_do_not_contradict_themselves() {
        for row in &ROWS {
            let name = row.name;
            assert_eq!(row.required.first_shared(row.forbidden), None, "{name}");
            let forbids_aud = row.forbidden.contains(Claim::Aud);
            assert_eq!(row.audience == AudienceRule::Never, forbids_aud, "{name}");
            for member in row.own {
                assert_eq!(Claim::from_name(member.name), None, "{name}");
            }
            // An end that nobody can tell is not capped, and an age without `iat` not known.
            let ends = row.required.contains(Claim::Exp);
            assert!(ends || row.max_lifetime.is_none(), "{name}");
        }
    }
}
