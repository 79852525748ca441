//! "Not required" is evidence too, and only a policy can issue it, for one check each.

use std::marker::PhantomData;

use super::{Asks, GateRules, IssuerRules, RevocationRules, RevocationStorage, SenderConstrained};

/// Stands in for the check `T` where the policy does not ask for it.
#[derive(Debug)]
pub(crate) struct Waiver<T>(PhantomData<T>);

/// The check of a proof of possession.
#[derive(Debug)]
pub(crate) enum Possession {}

/// The question whether its issuer still holds a token for active.
#[derive(Debug)]
pub(crate) enum Introspection {}

/// The check for revocation.
#[derive(Debug)]
pub(crate) enum Revocation {}

impl GateRules {
    /// Whether a presenter need not prove possession here: an unbound token is a bearer token, and
    /// a bound one passes where the operator says that somebody else has checked its proof.
    pub(crate) fn waive_possession(&self, bound: bool) -> Option<Waiver<Possession>> {
        match self.sender_constrained {
            SenderConstrained::IfBound => (!bound).then_some(Waiver(PhantomData)),
            SenderConstrained::Required => None,
            SenderConstrained::External => Some(Waiver(PhantomData)),
        }
    }
}

impl GateRules {
    /// Whether no issuer need be asked about a JWT here.
    #[inline]
    pub(crate) fn waive_introspection(&self) -> Option<Waiver<Introspection>> {
        (!self.asks).then_some(Waiver(PhantomData))
    }
}

impl IssuerRules {
    /// Whether this one need not be asked about its JWTs.
    pub(crate) fn waive_introspection(&self) -> Option<Waiver<Introspection>> {
        let rules = self.introspection.as_ref();
        let asks = rules.is_some_and(|rules| rules.asks == Asks::All);
        (!asks).then_some(Waiver(PhantomData))
    }
}

impl RevocationRules {
    /// Whether nobody need be asked about revocations.
    pub(crate) fn waive(&self) -> Option<Waiver<Revocation>> {
        matches!(self.store, RevocationStorage::Off).then_some(Waiver(PhantomData))
    }
}
