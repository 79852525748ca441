//! [`Verdict`]: a refusal is not an outage.

use super::VerifiedToken;
use crate::error::{Blame, Error};

/// The three-valued answer of [`Gate::judge`](crate::Gate::judge).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Every check passed.
    Accepted(VerifiedToken),
    /// The token is refused: 400, 401 or 403.
    Refused(Error),
    /// It could not be decided, for want of keys or by a fault: 503 or 500, never 401.
    Undecided(Error),
}

impl Verdict {
    /// Whether the token was accepted.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// `"accepted"`, or the refusal's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Refused(error) | Self::Undecided(error) => error.code().as_str(),
        }
    }

    /// The token, or the error.
    ///
    /// # Errors
    ///
    /// The refusal, or why it could not be decided.
    pub fn into_result(self) -> Result<VerifiedToken, Error> {
        match self {
            Self::Accepted(token) => Ok(token),
            Self::Refused(error) | Self::Undecided(error) => Err(error),
        }
    }
}

impl From<Result<VerifiedToken, Error>> for Verdict {
    fn from(result: Result<VerifiedToken, Error>) -> Self {
        match result {
            Ok(token) => Self::Accepted(token),
            Err(error) if error.blame() == Blame::Rejected => Self::Refused(error),
            Err(error) => Self::Undecided(error),
        }
    }
}
