//! Errors, sorted by who has to act: the token's bearer, the environment, the caller, or us.

mod code;

use std::fmt;

pub use code::{Code, Group};

/// Who has to act on an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The token or the request is refused: 400, 401 or 403.
    Rejected,
    /// Undecided, because keys, feed or store are missing or stale: 503, never 401.
    Unavailable,
    /// The calling program is wrong: 500.
    Misuse,
    /// sealgate is wrong: 500.
    Internal,
}

impl Blame {
    /// The stable spelling: `"rejected"`, `"unavailable"`, `"misuse"`, `"internal"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
            Self::Misuse => "misuse",
            Self::Internal => "internal",
        }
    }
}

/// Why a token was not accepted.
///
/// At most 24 bytes: a code, the claim or header parameter it is about, and the policy's issuer
/// when that is known. It never holds token text, key bytes or claim values, so it may be logged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error {
    about: Option<&'static str>,
    code: Code,
    issuer: Option<IssuerNumber>,
}

/// Number of an issuer's name, the same over reloads, small enough to travel in an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct IssuerNumber(std::num::NonZeroU32);

impl IssuerNumber {
    /// The number of the `position`th name; there are far fewer than `u32::MAX`.
    pub(crate) fn new(position: usize) -> Option<Self> {
        let one_based = u32::try_from(position).ok()?.checked_add(1)?;
        std::num::NonZeroU32::new(one_based).map(Self)
    }
}

impl Error {
    /// An error of this code.
    #[cold]
    #[inline(never)]
    pub(crate) const fn new(code: Code) -> Self {
        Self {
            about: None,
            code,
            issuer: None,
        }
    }

    /// An error of this code about one claim or header parameter.
    #[cold]
    #[inline(never)]
    pub(crate) const fn about(code: Code, name: &'static str) -> Self {
        Self {
            about: Some(name),
            code,
            issuer: None,
        }
    }

    /// The same error, now that the issuer is known.
    #[cold]
    pub(crate) const fn at(mut self, issuer: IssuerNumber) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What happened: [`Code::reason`], closer where what it is about tells more. For people; it
    /// may change.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match (self.code, self.about) {
            (Code::MalformedToken, Some(HEADER)) => "the token's header is not well-formed JSON",
            (Code::MalformedToken, Some(PAYLOAD)) => "the token's payload is not well-formed JSON",
            (Code::MalformedToken, Some(ACTIVE)) => {
                "the authorization server does not say whether the token is active"
            }
            (Code::MalformedToken, Some(_)) => {
                "a member of the token has a form that its definition does not allow"
            }
            (Code::PopRequired, Some("cnf")) => "this token is bound to no key",
            (Code::PopRequired, Some("jkt")) => {
                "cnf has no member that is known here, so nothing proves possession"
            }
            (code, _) => code.reason(),
        }
    }

    /// Who has to act.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        self.code.blame()
    }

    /// What this is about, by its RFC name: a claim, a header parameter, a member of another
    /// document, or `"header"` or `"payload"` whole.
    #[must_use]
    pub const fn claim(&self) -> Option<&'static str> {
        self.about
    }

    /// Whether the call was wrong, so that it says nothing about its token: to be thrown also where
    /// refusals are values. That a reload has removed the gate is an answer like others, since the
    /// call was right.
    #[must_use]
    pub fn is_misuse(&self) -> bool {
        self.blame() == Blame::Misuse && self.about != Some(GATE)
    }

    /// What the calling program got wrong, where it is known without asking a policy: see
    /// [`Advice::hint`](crate::Advice::hint). `None` where the program is not to blame.
    #[must_use]
    pub fn misuse(&self) -> Option<&'static str> {
        if self.blame() != Blame::Misuse {
            return None;
        }
        // By the argument's name in the policy's spelling.
        Some(match self.about? {
            "algorithms" => "Name the algorithms that may sign; there is no default.",
            "approved" => {
                "Give the whole of what was approved as JSON, an array or an object, to the call that \
                 verifies the token."
            }
            "client_certificate" => {
                "The client's certificate must be DER, whole: decode PEM first."
            }
            "keys" => "Two of the keys have the same kid and algorithm.",
            "operation" => {
                "The operation tells nothing: give a tool, a resource, an action or a scope, or leave \
                 it out. Arguments are those of a tool."
            }
            "replay.store" => {
                "replay.store names a server, which this call would wait for, and its thread runs an \
                 event loop. Await the asynchronous form of the call (verifyRequestAsync, \
                 verify_request_async; of a token alone verifyAsync, verify_async)."
            }
            "required_scopes" => {
                "A scope is neither empty nor has a space in it: give one string each."
            }
            _ => return None,
        })
    }

    /// The same error about a whole part of the token, where that is malformed and says no more.
    #[cold]
    pub(crate) fn within(self, part: &'static str) -> Self {
        match (self.code, self.about) {
            (Code::MalformedToken, None) => Self {
                about: Some(part),
                ..self
            },
            _ => self,
        }
    }

    /// The policy has no such gate, or has it no longer.
    #[cold]
    pub(crate) const fn no_gate() -> Self {
        Self::about(Code::Usage, GATE)
    }

    pub(crate) const fn issuer(&self) -> Option<IssuerNumber> {
        self.issuer
    }
}

/// The parts of a token that a malformed one is about, where they are no JSON object.
pub(crate) const HEADER: &str = "header";
pub(crate) const PAYLOAD: &str = "payload";

/// What an answer of an authorization server is about (RFC 7662 §2.2).
pub(crate) const ACTIVE: &str = "active";

/// What an error without a gate is about.
const GATE: &str = "gate";

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.reason())?;
        if let Some(name) = self.about {
            write!(f, " ({name})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests;
