//! [`Kept`]: what this process has revoked last and the store has taken, to be written again where the
//! store loses it.
//!
//! Only what revokes is kept, and only for as long as nobody lifts it: nothing that is written
//! again lifts anything. It is written as of an event, so that it undoes no lift that came after it
//! (REV-08).

use std::collections::VecDeque;

use super::tally::Tally;
use crate::revocation::Change;
use crate::time::NumericDate;

/// Changes, some 300 bytes each.
const ROOM: usize = 10_000;

#[derive(Default)]
pub(super) struct Kept {
    /// With the hashes of their handles, in the order in which they were revoked.
    changes: VecDeque<(u64, Change)>,
    /// How many are about a handle.
    handles: Tally,
}

impl Kept {
    /// The store has it. Where there is no room, the oldest goes.
    pub(super) fn keep(&mut self, hash: u64, change: Change) {
        if change.is_lifted() {
            return;
        }
        if self.changes.len() == ROOM
            && let Some((oldest, _)) = self.changes.pop_front()
        {
            self.handles.take(oldest);
        }
        self.handles.add(hash);
        self.changes.push_back((hash, change.from_event()));
    }

    /// The handle was lifted.
    pub(super) fn lift(&mut self, hash: u64) {
        if self.handles.forget(hash) {
            self.changes.retain(|(own, _)| *own != hash);
        }
    }

    /// All that still says something, to be written again.
    pub(super) fn take(&mut self, now: NumericDate) -> impl Iterator<Item = Change> {
        self.handles.clear();
        let changes = std::mem::take(&mut self.changes).into_iter();
        let kept = changes.map(|(_, change)| change);
        kept.filter(move |change| change.expires().is_none_or(|end| end > now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Handle;

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds).unwrap()
    }

    fn revoked(sub: &str, expires: Option<i64>) -> Change {
        let handle = Handle::subject("https://login.example", sub);
        Change::revoked(handle, None, expires.map(at), at(NOW))
    }

    fn taken(kept: &mut Kept) -> Vec<String> {
        let taken = kept.take(at(NOW));
        let value = |change: Change| change.handle().value().to_owned();
        taken.map(value).collect()
    }

    #[test]
    fn what_was_lifted_or_is_over_is_not_written_again() {
        let mut kept = Kept::default();
        kept.keep(1, revoked("a", None));
        kept.keep(2, revoked("b", None));
        kept.keep(1, revoked("a", None));
        kept.keep(3, revoked("over", Some(NOW)));
        kept.keep(4, revoked("not yet", Some(NOW + 1)));
        kept.lift(1);
        kept.keep(
            5,
            Change::lifted(revoked("c", None).handle().clone(), at(NOW)),
        );
        assert_eq!(taken(&mut kept), ["b", "not yet"]);
        assert_eq!(taken(&mut kept), [""; 0]);
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut kept = Kept::default();
        for number in 0..=ROOM {
            kept.keep(number as u64 % 3, revoked(&number.to_string(), None));
        }
        assert_eq!(kept.changes.len(), ROOM);
        kept.lift(1);
        kept.lift(2);
        let left = taken(&mut kept);
        assert_eq!(left.first().map(String::as_str), Some("3"));
        assert_eq!(left.len(), ROOM / 3);
    }
}
