//! What a row of the profile table can say (standards 29.2): everything about a token that is
//! fixed by its kind rather than by the operator.

use super::profile::{Kind, Profile};
use crate::claims::{Claim, ClaimSet};
use crate::time::Span;

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) profile: Profile,
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) typ: TypRule,
    /// Whether a gate names the `typ` of its tokens.
    pub(crate) own_typ: OwnTyp,
    pub(crate) header: HeaderRule,
    pub(crate) algorithms: AlgorithmRule,
    pub(crate) signer: SignerRule,
    /// What the keys of its signers may have as `use`.
    pub(crate) key_uses: &'static [&'static str],
    pub(crate) required: ClaimSet,
    pub(crate) forbidden: ClaimSet,
    /// Claims that must not stand together, though each may stand alone.
    pub(crate) forbidden_together: ClaimSet,
    /// Claims that mean something in this kind alone.
    pub(crate) own: &'static [OwnClaim],
    pub(crate) audience: AudienceRule,
    /// Every link of `act` names its issuer, whatever the issuer's `act_iss` (ACT-03): a foreign
    /// actor copied without its `iss` would become one of the token's issuer.
    pub(crate) qualified_actors: bool,
    /// The cap on `exp - iat` under `agent_strict`.
    pub(crate) max_lifetime: Option<Span>,
    /// The cap on `now - iat`, where the kind has one.
    pub(crate) max_age: Option<Span>,
    /// A token opens a door once: its `jti` must be remembered by somebody.
    pub(crate) used_once: bool,
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
    /// Exactly the one that the gate names.
    Named,
}

/// The spellings of "no type of its own".
pub(crate) const UNTYPED: &[&str] = &["jwt"];

/// Whether `[gates.X] typ` says what [`TypRule`] leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnTyp {
    /// The kind has its own.
    Never,
    /// Nothing is registered for the kind, and the gate may hold its tokens to one.
    May,
    /// Nothing else would tell the kind.
    Must,
}

/// What a row asks of the header beyond `typ` and `alg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderRule {
    /// Nothing.
    Open,
    /// `kid` is there (A2A-02).
    Kid,
    /// Nothing but `alg`, `kid` and `typ` is there (JSV-03).
    Bare,
}

/// The algorithms an issuer may be given for a row at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlgorithmRule {
    /// HMAC too, by name.
    Any,
    /// Only signatures that a verifier cannot make.
    Asymmetric,
    /// The nine of SPIFFE (JSV-01).
    Svid,
}

/// How a token tells whose keys verify it (KEY-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignerRule {
    /// By `iss`.
    Iss,
    /// By the trust domain of `sub`; `iss` selects no keys (JSV-05, WIT-03).
    TrustDomain,
    /// By `iss` where there is one, else it is the only issuer of the gate (TXT-05).
    IssOrOnly,
    /// It is the only issuer of the gate: the kind has no `iss`.
    Only,
}

/// How many audiences a token may name (JWT-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AudienceRule {
    /// One of ours among any others.
    Contains,
    /// Exactly one, and it is ours.
    Sole,
    /// Ours, and nothing we do not know (IDT-03).
    OnlyOurs,
    /// As [`AudienceRule::Contains`] where the gate has an `audience`; a gate without takes tokens
    /// without.
    IfAny,
    /// None: the kind is for whoever sees it, and neither token nor gate names anybody.
    Never,
}

/// A claim that a kind has for itself. Elsewhere the name may mean anything.
#[derive(Debug)]
pub(crate) struct OwnClaim {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) presence: Presence,
}

/// Whether such a claim must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
    Forbidden,
}

/// What such a claim's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Anything.
    Any,
    /// A string that is not empty.
    Text,
    /// That, or an array of such strings.
    Texts,
    /// A whole number, 0 or more.
    Count,
    /// A number of seconds since 1970.
    Date,
    Object,
    /// SHA-256 as canonical base64url.
    Sha256,
}

impl OwnClaim {
    pub(super) const fn required(name: &'static str, form: Form) -> Self {
        Self {
            name,
            form,
            presence: Presence::Required,
        }
    }

    pub(super) const fn optional(name: &'static str, form: Form) -> Self {
        Self {
            name,
            form,
            presence: Presence::Optional,
        }
    }

    pub(super) const fn forbidden(name: &'static str) -> Self {
        Self {
            name,
            form: Form::Any,
            presence: Presence::Forbidden,
        }
    }
}

impl Row {
    /// Claims of its own that must, may or must not be there.
    pub(crate) fn own_names(&self, presence: Presence) -> impl Iterator<Item = &'static str> {
        let own = self.own.iter().filter(move |own| own.presence == presence);
        own.map(|own| own.name)
    }

    /// Whether no token can be of both kinds, since one must have what the other must not. What an
    /// issuer may put under another name counts for nothing: its own name may stand beside.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        const MOVABLE: ClaimSet = ClaimSet::of(&[Claim::Scope, Claim::ClientId, Claim::Aud]);
        let clash = |one: &Self, other: &Self| {
            let shared = one.required.and(other.forbidden);
            !shared.without(MOVABLE).is_empty()
        };
        clash(self, other) || clash(other, self)
    }
}
