//! Tokens that tell of events, remembered while they could be told again (LOG-06, SET-07).
//!
//! Unlike a used proof, one that is told again is not refused, and one that may have been told
//! before is taken: an event that is applied twice mostly does no harm, and one that is passed over
//! does. So only what is here for certain counts, and nobody who finds no room is turned away.

use super::{ReplayGuard, ReplayKey};
use crate::time::{NumericDate, Span};

/// Tokens at once: beyond a few a second for a week nothing more is remembered.
const MOST: usize = 1 << 20;
const BUCKETS: usize = 4096;
/// The longest that any is remembered: seven days for tokens without an end (SET-08), one for
/// clocks.
const WINDOW: Span = Span::from_seconds(8 * 24 * 3600);

/// Tokens that told of events, in this process.
pub(crate) struct ToldBefore(ReplayGuard);

impl ToldBefore {
    pub(crate) fn new() -> Self {
        Self(ReplayGuard::with_buckets(MOST, BUCKETS))
    }

    pub(crate) fn has(&self, key: &ReplayKey) -> bool {
        self.0.holds(key)
    }

    /// Remembers a token that is refused from `end` on.
    pub(crate) fn add(&self, key: ReplayKey, end: NumericDate, now: NumericDate) {
        let until = end.min(now.plus(WINDOW));
        // When it was told stands for when it was issued: what is forgotten is older. Where it
        // cannot be remembered it is taken again.
        let _ = self.0.insert(key, now, until, now);
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{ToldBefore, WINDOW};
    use crate::time::NumericDate;

    #[test]
    fn what_was_told_is_known_until_its_end_and_nothing_else_is_ever() {
        let at = |seconds| NumericDate::from_seconds(seconds).unwrap();
        let told = ToldBefore::new();
        told.add([1; 32], at(1_100), at(1_000));
        assert!(told.has(&[1; 32]) && !told.has(&[2; 32]));
        told.add([2; 32], NumericDate::LAST, at(1_100));
        assert!(told.has(&[1; 32]) && told.has(&[2; 32]));
        // What has ended makes room, and what is as old as that was never told.
        for number in 0..8_000_u32 {
            let mut key = [3; 32];
            key[..4].copy_from_slice(&number.to_le_bytes());
            told.add(key, at(1_102), at(1_101));
        }
        let late = at(1_101).plus(WINDOW);
        for number in 0..8_000_u32 {
            let mut key = [4; 32];
            key[..4].copy_from_slice(&number.to_le_bytes());
            told.add(key, NumericDate::LAST, late);
        }
        assert!(!told.has(&[1; 32]) && !told.has(&[2; 32]) && !told.has(&[5; 32]));
        // A clock that is set back remembers less, and invents nothing.
        told.add([5; 32], NumericDate::LAST, at(1_000));
        assert!(!told.has(&[6; 32]));
    }
}
