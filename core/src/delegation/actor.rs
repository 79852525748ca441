//! [`Actor`]: a party of a chain.

use crate::encoding::json::Value;

/// An actor of the chain: a party that acts for the subject, identified by the exact pair of
/// issuer and subject.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    pub(super) iss: &'a str,
    pub(super) sub: &'a str,
    pub(super) iss_inferred: bool,
    pub(super) claims: Value<'a>,
}

impl<'a> Actor<'a> {
    /// The actor's issuer: its own `iss`, else the token's (ACT-03).
    #[must_use]
    pub fn iss(&self) -> &'a str {
        self.iss
    }

    /// The actor's `sub`.
    #[must_use]
    pub fn sub(&self) -> &'a str {
        self.sub
    }

    /// Whether [`Actor::iss`] was taken from the token because the link names none.
    #[must_use]
    pub fn iss_inferred(&self) -> bool {
        self.iss_inferred
    }

    /// The `sub_profile` member (Actor Profile draft).
    #[must_use]
    pub fn sub_profile(&self) -> Option<&'a str> {
        self.claims.get("sub_profile")?.as_str()
    }

    /// The source text of the `act` object, nested actors included; of an issuer that inverts
    /// `act`, the token's claims. Members such as `exp` or `cnf` in it mean nothing (ACT-04).
    #[must_use]
    pub fn json(&self) -> &'a str {
        self.claims.raw()
    }
}

impl PartialEq for Actor<'_> {
    /// `sub` first: it is where two actors differ.
    fn eq(&self, other: &Self) -> bool {
        self.sub == other.sub && self.iss == other.iss
    }
}

impl Eq for Actor<'_> {}

impl std::fmt::Debug for Actor<'_> {
    /// Claim values stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actor")
            .field("iss_inferred", &self.iss_inferred)
            .finish_non_exhaustive()
    }
}
