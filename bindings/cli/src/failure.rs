//! Why a command ends without a verdict, and the exit codes.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use sealgate::{Blame, Error, PolicyError, UnknownGate, VerifiedToken};

/// All tokens were accepted.
pub(crate) const ACCEPTED: u8 = 0;
/// Some token was refused, or a check found something.
pub(crate) const REFUSED: u8 = 1;
/// The command line, a file or the policy is wrong.
pub(crate) const USAGE: u8 = 2;
/// Some token could not be decided.
pub(crate) const UNDECIDED: u8 = 3;

/// The exit code of one verdict.
pub(crate) fn exit(verdict: &Result<VerifiedToken, Error>) -> u8 {
    match verdict {
        Ok(_) => ACCEPTED,
        Err(error) if error.blame() == Blame::Rejected => REFUSED,
        Err(_) => UNDECIDED,
    }
}

/// A command that cannot do its work.
pub(crate) enum Failure {
    /// The command line or a file is wrong: what, and what to do.
    Usage(String),
    /// The policy document is.
    Policy(PolicyError),
    /// What was asked for could not be fetched.
    Fetch { text: String, exit: u8 },
    /// Writing the result failed.
    Output(io::Error),
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// A file that cannot be read.
    pub(crate) fn reading(path: &str, error: &io::Error) -> Self {
        Self::Usage(format!("{path}: cannot be read: {error}"))
    }

    /// The same, with more to say.
    pub(crate) fn and(self, more: &str) -> Self {
        match self {
            Self::Fetch { text, exit } => Self::Fetch {
                text: format!("{text}; {more}"),
                exit,
            },
            other => other,
        }
    }

    /// Says so on standard error. A reader that has gone away is no failure.
    pub(crate) fn report(self) -> ExitCode {
        let mut exit = USAGE;
        let text = match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::from(ACCEPTED);
            }
            Self::Output(error) => format!("standard output: {error}"),
            Self::Usage(text) => text,
            Self::Policy(error) => error.to_string(),
            Self::Fetch { text, exit: code } => {
                exit = code;
                text
            }
        };
        // Nothing is left to do when even this fails.
        let _ = writeln!(io::stderr(), "sealgate: {}", text.trim_end());
        ExitCode::from(exit)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Usage(error.to_string())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failure")
    }
}

impl From<UnknownGate> for Failure {
    fn from(error: UnknownGate) -> Self {
        Self::Usage(error.to_string())
    }
}
