//! "Not required" is evidence too, and only a policy can issue it.

use std::marker::PhantomData;

use super::{GateRules, SenderConstrained};

/// Stands in for the evidence `T` where the policy does not ask for the check.
#[derive(Debug)]
pub(crate) struct Waiver<T>(PhantomData<T>);

impl<T> Waiver<T> {
    const fn issue() -> Self {
        Self(PhantomData)
    }
}

impl GateRules {
    /// Whether a presenter need not prove possession here: an unbound token is a bearer token, and
    /// a bound one passes where the operator says that somebody else has checked its proof.
    pub(crate) fn waive_possession<T>(&self, bound: bool) -> Option<Waiver<T>> {
        match self.sender_constrained {
            SenderConstrained::IfBound => (!bound).then(Waiver::issue),
            SenderConstrained::External => Some(Waiver::issue()),
        }
    }

    /// Whether revocation need not be asked: no gate can name a revocation store yet.
    pub(crate) fn waive_revocation<T>(&self) -> Waiver<T> {
        Waiver::issue()
    }
}
