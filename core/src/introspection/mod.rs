//! What issuers have said of their tokens (RFC 7662), for as long as it counts (INT-04), and what
//! is still to be asked. Asking itself is done elsewhere, off the verification path, which looks
//! into the answers that are here and waits for none.

#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "nobody is asked in such a build")
)]
mod answers;
mod board;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "nobody is asked in such a build")
)]
mod turns;

pub(crate) use answers::{AllAnswers, Answers, Due, Kept};
#[cfg(feature = "remote")]
pub(crate) use turns::turns;

use std::sync::Arc;

use crate::time::{NumericDate, Span};

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

/// What an answer has to be now, in order to count: of a policy and of keys that are in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How old at most.
    pub(crate) max_age: Span,
    /// Of an issuer that signs its answers: the generation of the keys they are signed by.
    pub(crate) signed_by: Option<u64>,
}

/// A question without an answer that could be used.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) whose: Whose,
    /// For people.
    pub(crate) text: String,
}

/// What has failed. Whoever sends a token can make a server stumble over that one, and must not
/// silence its issuer by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "nobody is asked in such a build")
)]
pub(crate) enum Whose {
    /// Asking: the issuer is not there, or does not know us.
    Issuers,
    /// The answer about this token.
    Tokens,
}

/// How much there is of one issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) answers: usize,
    pub(crate) bytes: usize,
    pub(crate) waiting: usize,
    pub(crate) running: usize,
    /// Of the issuer, in a row.
    pub(crate) failures: u32,
    /// Whether it is left alone for now.
    pub(crate) resting: bool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The issuer is being asked, or will be in its turn.
    Pending,
    /// So many wait already that this one does not.
    NoRoom,
    /// It could not be asked, and is left alone for a while.
    Unavailable,
}
