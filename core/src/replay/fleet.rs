//! Used proofs of a fleet: hosts that ask one server.

use crate::sync::{AtomicU64, Ordering};
use crate::time::{Clock, Moment, NumericDate, Span};

/// A server that has kept somebody waiting for so long in vain is left alone for as long.
const REST: Span = Span::from_seconds(1);
/// Longer than a question takes.
const LONGEST: Span = Span::from_seconds(10);

/// Somebody who asks a server, on the thread that asks, and waits some seconds for it at most.
pub(crate) trait UsedProofs: Send + Sync {
    /// Remembers a proof until its end, unless it is remembered. Whether it was not: of all that
    /// ask about one proof, anywhere, exactly one is first.
    fn insert(&self, key: &str, until: NumericDate, now: NumericDate) -> Result<bool, Unanswered>;

    /// Has what is remembered remembered until then. Where that fails it ends as was said before.
    fn extend(&self, key: &str, until: NumericDate, now: NumericDate);
}

/// The server did not answer, or not as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// One line for operators: what was tried, and what came of it.
    pub(crate) text: String,
    /// Whether asking again may help.
    pub(crate) passes: bool,
}

/// Whether a server was silent, so that not everybody waits for it in vain, one after another:
/// while it is left alone nobody asks, and then one does, until whose answer the others have theirs
/// at once. What it refuses at once keeps nobody waiting.
#[derive(Default)]
pub(crate) struct Silence {
    /// Until when nobody asks, as [`Moment::to_bits`]; 0 where all do.
    until: AtomicU64,
}

impl Silence {
    /// Asks; `None` where nobody does.
    pub(crate) fn ask<A>(
        &self,
        clock: &Clock,
        question: impl FnOnce() -> Result<A, Unanswered>,
    ) -> Option<Result<A, Unanswered>> {
        let began = clock.moment();
        let mut found = self.until.load(Ordering::Acquire);
        if found != 0 {
            // Whoever gets no answer, not even a panic's, keeps the others away for no longer than
            // this.
            let probing = began.plus(LONGEST).to_bits();
            if began < Moment::from_bits(found) || !self.change(found, probing) {
                return None;
            }
            found = probing;
        }
        let answer = question();
        let ended = clock.moment();
        let silent = answer.is_err() && ended.since(began) >= REST;
        let next = if silent {
            ended.plus(REST).to_bits()
        } else {
            0
        };
        if next != found {
            // Somebody else may have heard more since.
            self.change(found, next);
        }
        Some(answer)
    }

    fn change(&self, from: u64, to: u64) -> bool {
        let (set, read) = (Ordering::AcqRel, Ordering::Relaxed);
        self.until.compare_exchange(from, to, set, read).is_ok()
    }
}

/// Where callers that must not wait leave a question.
pub(crate) trait Desk: Send + Sync {
    /// Runs a task once, on a thread that may wait; here and now where it has missed its turn. It
    /// returns at once.
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

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::*;

    /// A question that takes so long, and whether it has an answer.
    fn ask(silence: &Silence, clock: &Clock, millis: i64, answers: bool) -> Option<bool> {
        let question = || {
            pass(clock, millis);
            let text = String::new();
            let passes = true;
            answers.then_some(()).ok_or(Unanswered { text, passes })
        };
        silence.ask(clock, question).map(|answer| answer.is_ok())
    }

    fn pass(clock: &Clock, millis: i64) {
        let Clock::Fixed(fixed) = clock else {
            unreachable!("a clock of the test's");
        };
        fixed.advance(Span::from_millis(millis));
    }

    #[test]
    fn who_was_silent_is_left_alone_and_asked_by_one() {
        let (silence, clock) = (Silence::default(), Clock::fixed(0));
        assert_eq!(ask(&silence, &clock, 5000, true), Some(true), "slow");
        assert_eq!(ask(&silence, &clock, 900, false), Some(false), "refused");
        assert_eq!(ask(&silence, &clock, 2000, false), Some(false));
        for _ in 0..3 {
            assert_eq!(ask(&silence, &clock, 0, true), None);
            pass(&clock, 333);
        }
        pass(&clock, 1);
        // Meanwhile everybody else has their answer.
        let probed = silence.ask(&clock, || {
            assert_eq!(ask(&silence, &clock, 0, true), None);
            pass(&clock, 2000);
            assert_eq!(ask(&silence, &clock, 0, true), None);
            let text = String::new();
            Err::<(), _>(Unanswered { text, passes: true })
        });
        assert!(probed.is_some_and(|answer| answer.is_err()));
        assert_eq!(ask(&silence, &clock, 0, true), None);
        pass(&clock, 1000);
        assert_eq!(ask(&silence, &clock, 0, true), Some(true));
        assert_eq!(ask(&silence, &clock, 0, true), Some(true), "everybody asks");
    }

    #[test]
    fn who_panics_keeps_nobody_away_for_long() {
        let (silence, clock) = (Silence::default(), Clock::fixed(0));
        ask(&silence, &clock, 2000, false);
        pass(&clock, 1000);
        let panics = || {
            silence.ask(&clock, || -> Result<(), Unanswered> {
                panic!("on purpose")
            })
        };
        let panics = std::panic::AssertUnwindSafe(panics);
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(ask(&silence, &clock, 0, true), None);
        pass(&clock, LONGEST.millis());
        assert_eq!(ask(&silence, &clock, 0, true), Some(true));
    }

    #[test]
    fn of_many_threads_one_asks_who_was_silent() {
        let (silence, clock) = (Silence::default(), Clock::fixed(0));
        ask(&silence, &clock, 2000, false);
        pass(&clock, 1000);
        let start = std::sync::Barrier::new(8);
        let asked = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    let answer = silence.ask(&clock, || {
                        asked.fetch_add(1, Ordering::Relaxed);
                        // Until all the others have theirs.
                        start.wait();
                        Ok(())
                    });
                    if answer.is_none() {
                        start.wait();
                    }
                });
            }
        });
        assert_eq!(asked.into_inner(), 1);
    }
}
