//! What issuers have said of their tokens (RFC 7662), for as long as it counts (INT-04), and what is still
//! to be asked. Asking itself is done elsewhere, off the verification path, which looks into the
//! answers that are here and waits for none.

#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "nobody is asked in such a build")
)]
mod answers;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;

pub(crate) use answers::Answers;
#[cfg(feature = "remote")]
pub(crate) use answers::Due;

use std::sync::Arc;

use crate::time::NumericDate;

/// What stands for a token: a hash of it, of whom is asked about it, and as whom.
pub(crate) type Key = [u8; 32];

/// What an issuer said of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "nobody is asked in such a build")
)]
pub(crate) enum Told {
    /// It is active, and this is all it says: the members of the answer, as JSON.
    Active(Arc<[u8]>),
    /// It is not (INT-01).
    Inactive,
    /// `active` is there and is no boolean, or is not there (INT-01).
    Malformed,
}

/// An answer that still counts.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) told: Told,
    /// When the issuer was asked.
    pub(crate) asked_at: NumericDate,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The issuer is being asked, or will be as soon as there is room.
    Pending,
    /// It could not be asked, and is left alone for a while.
    Unavailable,
}
