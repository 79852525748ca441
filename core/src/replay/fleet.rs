//! Used proofs of a fleet: hosts that ask one server.

use crate::time::NumericDate;

/// Somebody who asks a server, on the thread that asks, and waits some seconds for it at most.
pub(crate) trait UsedProofs: Send + Sync {
    /// Remembers a proof until its end, unless it is remembered. Whether it was not: of all that ask
    /// about one proof, anywhere, exactly one is first.
    fn insert(&self, key: &str, until: NumericDate, now: NumericDate) -> Result<bool, Unanswered>;
}

/// The server did not answer, or not as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// One line for operators: what was tried, and what came of it.
    pub(crate) text: String,
    /// Whether asking again may help.
    pub(crate) passes: bool,
}

/// Where callers that must not wait leave a question.
pub(crate) trait Desk: Send + Sync {
    /// Runs a task once, on a thread that may wait; here and now where it has missed its turn. It returns
    /// at once.
    fn put(&self, task: Task);
}

pub(crate) type Task = Box<dyn FnOnce(Turn) + Send>;

/// Whether a task has come to its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// On a thread that may wait.
    Come,
    /// It must not wait: too many are before it, or there is no thread.
    Missed,
}
