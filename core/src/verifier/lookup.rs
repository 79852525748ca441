//! [`UnknownGate`]: a gate that the policy does not have.

use std::fmt;

use crate::error::Error;

/// The policy has no gate of this name. It is the caller's mistake: [`Error::code`] is `usage`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownGate {
    /// What was asked for.
    pub name: String,
    /// What there is, in the policy's order.
    pub gates: Vec<String>,
}

impl fmt::Display for UnknownGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, gates } = self;
        write!(f, "no gate {name:?}; the policy has ")?;
        for (place, gate) in gates.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{gate:?}")?;
        }
        Ok(())
    }
}

/// As `Display`, since that is what `?` in `main` prints.
impl fmt::Debug for UnknownGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownGate({self})")
    }
}

impl std::error::Error for UnknownGate {}

impl From<UnknownGate> for Error {
    fn from(_: UnknownGate) -> Self {
        Self::no_gate()
    }
}
