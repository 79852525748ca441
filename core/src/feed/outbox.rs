//! [`Outbox`]: what this process has changed, until the engine is known to have it.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use super::Letter;
use super::kept::Kept;
use super::tally::Tally;
use crate::revocation::{Change, Known};
use crate::time::NumericDate;

/// Letters that are kept at most, some 300 bytes each. Whoever revokes so many while nobody takes
/// them is told that what comes then is not delivered.
pub(super) const ROOM: usize = 1_000_000;

/// Letters in the order of writing. The first `sent` of them have been handed to the engine and
/// have not come back yet.
pub(super) struct Outbox {
    origin: u64,
    last: u64,
    letters: VecDeque<Letter>,
    sent: usize,
    /// Raised by everything that makes letters unsent again: what was being written then may be
    /// lost.
    round: u64,
    /// How many letters are about a handle, by its hash under `keys`. Of two handles with one hash
    /// a lift of one may be passed over, which errs on the safe side.
    handles: Tally,
    keys: RandomState,
    /// What the engine has taken of what was revoked last; `None` where it loses nothing.
    kept: Option<Kept>,
    /// The numbers of letters that were written before. What is lifted since is lifted.
    again: BTreeSet<u64>,
    room: usize,
    /// How many were not taken, since there was no room.
    turned_away: usize,
    /// Who writes its letters now.
    owner: Owner,
    /// Whoever would write its letters has gone.
    sealed: bool,
}

/// Which of those who have written an outbox's letters, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(u64);

/// What came of an owner's wish to seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealing {
    /// Nothing more is taken.
    Sealed,
    /// Something is left to be written.
    NotEmpty,
    /// It is another's by now, and taken care of.
    TakenOver,
}

/// Letters on their way to the engine.
pub(super) struct Batch {
    pub(super) letters: Vec<Letter>,
    round: u64,
}

/// Why a change is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is no room.
    Full {
        /// Whether this is the first for which there is none.
        first: bool,
    },
    /// Nobody would write it: another outbox has taken its place.
    Sealed,
}

impl Outbox {
    /// Of at most `room` letters, to an engine that loses nothing or for which `kept` is kept.
    pub(super) fn new(origin: u64, room: usize, kept: Option<Kept>) -> Self {
        Self {
            origin,
            last: 0,
            letters: VecDeque::new(),
            sent: 0,
            round: 0,
            handles: Tally::default(),
            keys: RandomState::new(),
            kept,
            again: BTreeSet::new(),
            room,
            turned_away: 0,
            owner: Owner(0),
            sealed: false,
        }
    }

    pub(super) const fn owner(&self) -> Owner {
        self.owner
    }

    /// What is not taken is counted as undelivered from then on.
    pub(super) fn add(&mut self, change: Change) -> Result<(), Refused> {
        if self.sealed {
            return Err(Refused::Sealed);
        }
        if self.letters.len() >= self.room {
            self.turned_away += 1;
            let first = self.turned_away == 1;
            return Err(Refused::Full { first });
        }
        self.last += 1;
        let hash = self.hash(&change.known());
        if let Some(kept) = self.kept.as_mut().filter(|_| change.is_lifted()) {
            kept.lift(hash);
        }
        self.handles.add(hash);
        self.letters.push_back(Letter {
            origin: self.origin,
            number: self.last,
            change,
        });
        Ok(())
    }

    /// How many the engine is not known to have.
    pub(super) fn len(&self) -> usize {
        self.letters.len() + self.turned_away
    }

    /// How many no engine has been handed.
    pub(super) fn unsent_len(&self) -> usize {
        self.letters.len() - self.sent + self.turned_away
    }

    /// The first letters that no engine has been handed, at most so many; `None` where there are
    /// none.
    pub(super) fn unsent(&self, most: usize) -> Option<Batch> {
        let unsent = self.letters.iter().skip(self.sent).take(most);
        let letters: Vec<Letter> = unsent.cloned().collect();
        (!letters.is_empty()).then_some(Batch {
            letters,
            round: self.round,
        })
    }

    /// The engine has been handed these.
    pub(super) fn mark_sent(&mut self, batch: &Batch) {
        if let Some(last) = batch.letters.last().filter(|_| batch.round == self.round) {
            let sent = self
                .letters
                .partition_point(|letter| letter.number <= last.number);
            self.sent = self.sent.max(sent);
        }
    }

    /// The number of the last letter that the engine has been handed; 0 where it has nothing.
    pub(super) fn last_sent(&self) -> u64 {
        let next = self.letters.get(self.sent);
        next.map_or(self.last, |next| next.number - 1)
    }

    /// Whether any of them is about this handle.
    pub(super) fn is_about(&self, known: &Known<'_>) -> bool {
        self.handles.has(self.hash(known))
    }

    /// A letter was read. Of this process it need not be kept any longer.
    pub(super) fn came_back(&mut self, letter: &Letter) {
        if letter.origin != self.origin {
            return;
        }
        let found = self
            .letters
            .binary_search_by_key(&letter.number, |own| own.number);
        if let Ok(place) = found
            && let Some(own) = self.letters.remove(place)
        {
            self.has_arrived(own);
            self.sent -= usize::from(place < self.sent);
        }
    }

    /// Everything has been read that was written up to this letter: what has not come back was
    /// overtaken by another change of the same handle.
    pub(super) fn confirm(&mut self, number: u64) {
        let confirmed = self
            .letters
            .partition_point(|letter| letter.number <= number);
        for _ in 0..confirmed.min(self.sent) {
            if let Some(own) = self.letters.pop_front() {
                self.has_arrived(own);
                self.sent -= 1;
            }
        }
    }

    /// The engine may have lost what it was handed: everything is to be sent again.
    pub(super) const fn rewind(&mut self) {
        self.sent = 0;
        self.round += 1;
    }

    /// Somebody has lifted the handle: what was revoked of it before is not written again.
    pub(super) fn lifted(&mut self, known: &Known<'_>) {
        let hash = self.hash(known);
        if let Some(kept) = &mut self.kept {
            kept.lift(hash);
        }
    }

    /// The engine has lost something: what it had taken is to be sent again, as far as it is kept
    /// and there is room.
    pub(super) fn recall(&mut self, now: NumericDate) {
        let room = self.room.saturating_sub(self.letters.len());
        let kept = self.kept.iter_mut().flat_map(|kept| kept.take(now));
        for change in kept.take(room) {
            self.last += 1;
            self.again.insert(self.last);
            self.letters.push_back(Letter {
                origin: self.origin,
                number: self.last,
                change,
            });
        }
    }

    /// Makes whoever asks its owner; `None` where it is sealed. Nobody who had it before can seal
    /// it from then on, however late.
    pub(super) const fn take_over(&mut self) -> Option<Owner> {
        if self.sealed {
            return None;
        }
        self.owner = Owner(self.owner.0 + 1);
        Some(self.owner)
    }

    /// Takes nothing any more, if its owner asks and nothing is left to be written.
    pub(super) fn seal(&mut self, owner: Owner) -> Sealing {
        if owner != self.owner {
            return Sealing::TakenOver;
        }
        self.sealed |= self.letters.len() == self.sent;
        if self.sealed {
            Sealing::Sealed
        } else {
            Sealing::NotEmpty
        }
    }

    pub(super) const fn is_sealed(&self) -> bool {
        self.sealed
    }

    fn has_arrived(&mut self, letter: Letter) {
        let hash = self.hash(&letter.change.known());
        if !self.again.remove(&letter.number) {
            self.handles.take(hash);
        }
        if let Some(kept) = &mut self.kept {
            kept.keep(hash, letter.change);
        }
    }

    fn hash(&self, known: &Known<'_>) -> u64 {
        let Known {
            kind, scope, value, ..
        } = known;
        self.keys.hash_one((kind.number(), scope, value))
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{Outbox, ROOM, Refused, Sealing};
    use crate::revocation::{Change, Handle};
    use crate::time::NumericDate;

    fn lifted(name: &str) -> Change {
        Change::lifted(Handle::actor("i", name), NumericDate::LAST)
    }

    fn outbox(letters: usize) -> Outbox {
        let mut outbox = Outbox::new(7, ROOM, None);
        for number in 0..letters {
            assert_eq!(outbox.add(lifted(&number.to_string())), Ok(()));
        }
        outbox
    }

    fn unsent(outbox: &Outbox) -> Vec<u64> {
        let batch = outbox.unsent(10);
        let letters = batch.iter().flat_map(|batch| &batch.letters);
        letters.map(|letter| letter.number).collect()
    }

    /// Hands over at most so many.
    fn send(outbox: &mut Outbox, most: usize) {
        let batch = outbox.unsent(most).unwrap();
        outbox.mark_sent(&batch);
    }

    #[test]
    fn letters_stay_until_they_have_come_back() {
        let mut outbox = outbox(4);
        assert_eq!((unsent(&outbox), outbox.last_sent()), (vec![1, 2, 3, 4], 0));
        let letters = outbox.unsent(3).unwrap().letters;
        send(&mut outbox, 3);
        assert_eq!((unsent(&outbox), outbox.last_sent()), (vec![4], 3));
        // Another process's letter of that number is not ours.
        let mut foreign = letters[1].clone();
        foreign.origin = 8;
        outbox.came_back(&foreign);
        assert_eq!(outbox.len(), 4);
        outbox.came_back(&letters[1]);
        outbox.came_back(&letters[1]);
        assert_eq!((outbox.len(), unsent(&outbox)), (3, vec![4]));
        outbox.came_back(&letters[0]);
        outbox.came_back(&letters[2]);
        assert_eq!(
            (outbox.len(), unsent(&outbox), outbox.last_sent()),
            (1, vec![4], 3)
        );
        send(&mut outbox, 1);
        assert_eq!((unsent(&outbox), outbox.last_sent()), (vec![], 4));
    }

    #[test]
    fn what_was_overtaken_is_let_go_and_what_was_not_sent_is_not() {
        let mut outbox = outbox(4);
        send(&mut outbox, 3);
        outbox.confirm(2);
        assert_eq!((outbox.len(), unsent(&outbox)), (2, vec![4]));
        outbox.confirm(9);
        assert_eq!((outbox.len(), unsent(&outbox)), (1, vec![4]));
    }

    #[test]
    fn after_a_loss_everything_goes_again_in_its_order() {
        let mut outbox = outbox(4);
        let letters = outbox.unsent(4).unwrap().letters;
        send(&mut outbox, 4);
        outbox.came_back(&letters[1]);
        outbox.rewind();
        assert_eq!((unsent(&outbox), outbox.last_sent()), (vec![1, 3, 4], 0));
    }

    /// Of what was on its way when a loss was noticed nobody knows whether it came before.
    #[test]
    fn what_was_being_written_during_a_loss_goes_again_too() {
        let mut outbox = outbox(4);
        send(&mut outbox, 2);
        let batch = outbox.unsent(2).unwrap();
        outbox.rewind();
        outbox.mark_sent(&batch);
        assert_eq!(unsent(&outbox), [1, 2, 3, 4]);
    }

    #[test]
    fn it_knows_which_handles_its_letters_are_about() {
        let mut outbox = outbox(2);
        outbox.add(lifted("1")).unwrap();
        let is_about = |outbox: &Outbox, name: &str| outbox.is_about(&lifted(name).known());
        assert!(is_about(&outbox, "0") && is_about(&outbox, "1") && !is_about(&outbox, "2"));
        let other = Change::lifted(Handle::subject("i", "0"), NumericDate::LAST);
        assert!(!outbox.is_about(&other.known()));
        let letters = outbox.unsent(3).unwrap().letters;
        send(&mut outbox, 3);
        outbox.came_back(&letters[1]);
        assert!(is_about(&outbox, "1"), "the third letter is about it, too");
        outbox.confirm(3);
        assert!(!is_about(&outbox, "0") && !is_about(&outbox, "1"));
        assert!(outbox.handles.is_empty());
    }

    #[test]
    fn what_there_is_no_room_for_is_counted_as_not_delivered() {
        let mut outbox = outbox(3);
        outbox.room = 3;
        let full = |first| Err(Refused::Full { first });
        assert_eq!(outbox.add(lifted("a")), full(true));
        assert_eq!(outbox.add(lifted("b")), full(false));
        assert_eq!((outbox.len(), outbox.unsent_len()), (5, 5));
        send(&mut outbox, 3);
        outbox.confirm(3);
        assert_eq!((outbox.len(), outbox.unsent_len()), (2, 2));
        assert_eq!(outbox.add(lifted("a")), Ok(()));
    }

    #[test]
    fn none_is_sealed_while_something_is_to_be_written() {
        let mut outbox = outbox(1);
        let owner = outbox.take_over().unwrap();
        assert_eq!(outbox.seal(owner), Sealing::NotEmpty);
        assert_eq!(outbox.add(lifted("a")), Ok(()));
        send(&mut outbox, 2);
        assert_eq!(outbox.seal(owner), Sealing::Sealed);
        assert_eq!(outbox.add(lifted("b")), Err(Refused::Sealed));
        assert_eq!(outbox.take_over(), None);
    }

    /// Whoever has written everything may take its time before it seals.
    #[test]
    fn none_is_sealed_by_whom_it_was_taken_over_from() {
        let mut outbox = outbox(1);
        let leaves = outbox.take_over().unwrap();
        send(&mut outbox, 1);
        let next = outbox.take_over().unwrap();
        assert_eq!(outbox.seal(leaves), Sealing::TakenOver);
        assert_eq!(outbox.add(lifted("a")), Ok(()));
        send(&mut outbox, 1);
        assert_eq!(outbox.seal(leaves), Sealing::TakenOver);
        assert!(!outbox.is_sealed());
        assert_eq!(outbox.seal(next), Sealing::Sealed);
    }
}
