//! [`Outbox`]: what this process has changed, until the engine is known to have it.

use std::collections::VecDeque;

use super::Letter;
use crate::revocation::{Change, Known};

/// Letters in the order of writing. The first `sent` of them have been handed to the engine and have
/// not come back yet.
pub(super) struct Outbox {
    origin: u64,
    last: u64,
    letters: VecDeque<Letter>,
    sent: usize,
}

impl Outbox {
    pub(super) const fn new(origin: u64) -> Self {
        Self {
            origin,
            last: 0,
            letters: VecDeque::new(),
            sent: 0,
        }
    }

    pub(super) fn add(&mut self, change: Change) {
        self.last += 1;
        self.letters.push_back(Letter {
            origin: self.origin,
            number: self.last,
            change,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// How many no engine has been handed.
    pub(super) fn unsent_len(&self) -> usize {
        self.letters.len() - self.sent
    }

    /// The first letters that no engine has been handed, at most so many.
    pub(super) fn unsent(&self, most: usize) -> Vec<Letter> {
        self.letters
            .iter()
            .skip(self.sent)
            .take(most)
            .cloned()
            .collect()
    }

    /// The engine has been handed everything up to this number.
    pub(super) fn mark_sent(&mut self, number: u64) {
        self.sent = self
            .letters
            .partition_point(|letter| letter.number <= number);
    }

    /// The number of the last letter that the engine has been handed; 0 where it has nothing.
    pub(super) fn last_sent(&self) -> u64 {
        let next = self.letters.get(self.sent);
        next.map_or(self.last, |next| next.number - 1)
    }

    /// Whether any of them is about this handle.
    pub(super) fn is_about(&self, known: &Known<'_>) -> bool {
        let mut letters = self.letters.iter();
        letters.any(|letter| known.is_of(letter.change.handle()))
    }

    /// A letter was read. Of this process it need not be kept any longer.
    pub(super) fn came_back(&mut self, letter: &Letter) {
        if letter.origin != self.origin {
            return;
        }
        let found = self
            .letters
            .binary_search_by_key(&letter.number, |own| own.number);
        if let Ok(place) = found {
            self.letters.remove(place);
            self.sent -= usize::from(place < self.sent);
        }
    }

    /// Everything has been read that was written up to this letter: what has not come back was
    /// overtaken by another change of the same handle.
    pub(super) fn confirm(&mut self, number: u64) {
        let confirmed = self
            .letters
            .partition_point(|letter| letter.number <= number);
        let confirmed = confirmed.min(self.sent);
        self.letters.drain(..confirmed);
        self.sent -= confirmed;
    }

    /// The engine may have lost what it was handed: everything is to be sent again.
    pub(super) const fn rewind(&mut self) {
        self.sent = 0;
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::Outbox;
    use crate::revocation::{Change, Handle};
    use crate::time::NumericDate;

    fn outbox(letters: usize) -> Outbox {
        let mut outbox = Outbox::new(7);
        for number in 0..letters {
            let handle = Handle::actor("i", &number.to_string());
            outbox.add(Change::lifted(handle, NumericDate::LAST));
        }
        outbox
    }

    fn unsent(outbox: &Outbox) -> Vec<u64> {
        outbox
            .unsent(10)
            .iter()
            .map(|letter| letter.number)
            .collect()
    }

    #[test]
    fn letters_stay_until_they_have_come_back() {
        let mut outbox = outbox(4);
        assert_eq!((unsent(&outbox), outbox.last_sent()), (vec![1, 2, 3, 4], 0));
        let letters = outbox.unsent(3);
        outbox.mark_sent(3);
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
        outbox.mark_sent(4);
        assert_eq!((unsent(&outbox), outbox.last_sent()), (vec![], 4));
    }

    #[test]
    fn what_was_overtaken_is_let_go_and_what_was_not_sent_is_not() {
        let mut outbox = outbox(4);
        outbox.mark_sent(3);
        outbox.confirm(2);
        assert_eq!((outbox.len(), unsent(&outbox)), (2, vec![4]));
        outbox.confirm(9);
        assert_eq!((outbox.len(), unsent(&outbox)), (1, vec![4]));
    }

    #[test]
    fn after_a_loss_everything_goes_again_in_its_order() {
        let mut outbox = outbox(4);
        let letters = outbox.unsent(4);
        outbox.mark_sent(4);
        outbox.came_back(&letters[1]);
        outbox.rewind();
        assert_eq!((unsent(&outbox), outbox.last_sent()), (vec![1, 3, 4], 0));
    }
}
