//! The table: where a proof's place is, and who of many gets it.
//!
//! A region holds one window of time, in lines of eight words, which is a line of a processor's
//! cache. A key has a *path* through every region: sixteen lines, the first chosen by one part of a
//! keyed hash and the distance between them by another. A word whose turn is before the window's is
//! empty, so that nothing is ever cleared, and whoever inserts into one window agrees on what is
//! empty. From that everything follows:
//!
//! * The turn of a word never falls. Who wants a place walks the path to the first empty word and
//!   puts the entry there by compare-exchange; who fails looks at the same word again. So two with
//!   one key and one window meet at one word: one is first and the other sees it.
//! * A word of a later turn, met on the way, may stand where the key has stood: the clock was set
//!   back, or somebody's is ahead. The answer is that it was seen.

use std::hash::Hasher as _;
use std::ops::Deref;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::window::{REGIONS, Window};
use crate::word::{Entry, Word};

/// Words of one line: 64 bytes.
pub(crate) const LINE: usize = 8;

/// Lines of a path. At the stated capacity, three words of four taken, one path in 10⁹ is longer;
/// the tests measure it.
const LINES: usize = 16;

/// What becomes of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth answer")]
pub enum Answer {
    /// It was not there, and is now.
    First,
    /// It was there; or it may have been, and something younger has taken its place.
    Seen,
    /// It was not there, and there is no room for it.
    Full,
}

/// Used proofs over any words.
pub(crate) struct Table<W> {
    words: W,
    /// Lines of one region, a power of two.
    lines: usize,
    seed: [u8; 16],
}

/// Where the path of a key goes in every region, and what stands for the key.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    /// Odd, so that a path meets no line twice.
    step: usize,
    tag: u64,
}

impl<W, A> Table<W>
where
    W: Deref<Target = [A]>,
    A: Word,
{
    /// The words are [`REGIONS`] times a power of two times [`LINE`], all zero or a table before.
    pub(crate) fn new(words: W, seed: [u8; 16]) -> Self {
        let lines = words.len() / LINE / low(REGIONS);
        Self { words, lines, seed }
    }

    pub(crate) fn insert(&self, key: &[u8; 32], issued_at: u64, until: u64, now: u64) -> Answer {
        let place = self.place(key);
        let window = Window::of(issued_at);
        let answer = self.put(place, window);
        let life = until.saturating_sub(issued_at);
        // Once it is there itself: of two under two times, one sees the other.
        if answer != Answer::Seen && self.is_elsewhere(place, window, life, now) {
            return Answer::Seen;
        }
        answer
    }

    /// Gives it a place in its own window.
    fn put(&self, place: Place, window: Window) -> Answer {
        let Some(turn) = window.turn() else {
            return Answer::Full;
        };
        let newcomer = Entry::new(turn, place.tag);
        for word in self.path(place, window) {
            let mut there = Entry::from_bits(word.read());
            // Who takes the word from us raises its turn, or gives it this one.
            while there.turn() < turn {
                match word.replace(there.to_bits(), newcomer.to_bits()) {
                    Ok(()) => return Answer::First,
                    Err(other) => there = Entry::from_bits(other),
                }
            }
            if there == newcomer || there.turn() > turn {
                return Answer::Seen;
            }
        }
        Answer::Full
    }

    pub(crate) fn has_seen(&self, key: &[u8; 32], issued_at: u64, until: u64, now: u64) -> bool {
        let place = self.place(key);
        let window = Window::of(issued_at);
        let here = self.find(place, window);
        here != Found::Nothing
            || self.is_elsewhere(place, window, until.saturating_sub(issued_at), now)
    }

    /// Whether the key was used under another time that would be taken now.
    fn is_elsewhere(&self, place: Place, own: Window, life: u64, now: u64) -> bool {
        Window::taken_at(now, life)
            .filter(|window| *window != own)
            .any(|window| self.find(place, window) == Found::Key)
    }

    fn find(&self, place: Place, window: Window) -> Found {
        let Some(turn) = window.turn() else {
            return Found::Nothing;
        };
        let sought = Entry::new(turn, place.tag);
        for word in self.path(place, window) {
            let there = Entry::from_bits(word.read());
            if there == sought {
                return Found::Key;
            }
            if there.turn() < turn {
                return Found::Nothing;
            }
            if there.turn() > turn {
                return Found::Younger;
            }
        }
        Found::Nothing
    }

    fn place(&self, key: &[u8; 32]) -> Place {
        let mut hasher = SipHasher13::new_with_key(&self.seed);
        hasher.write(key);
        let hash = hasher.finish128();
        Place {
            start: low(hash.h1),
            step: low(hash.h1 >> 32) | 1,
            tag: hash.h2,
        }
    }

    /// The words of a path, in order.
    fn path<'t>(&'t self, place: Place, window: Window) -> impl Iterator<Item = &'t A>
    where
        A: 't,
    {
        let region = low(window.region()) * self.lines;
        let mask = self.lines.wrapping_sub(1);
        (0..LINES.min(self.lines)).flat_map(move |nth| {
            let line = place.start.wrapping_add(nth.wrapping_mul(place.step)) & mask;
            let at = (region + line) * LINE;
            self.words.get(at..at + LINE).unwrap_or_default()
        })
    }
}

/// What a path shows of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Key,
    /// Something younger, where the key may have been.
    Younger,
    Nothing,
}

/// The lower 32 bits, as a position.
fn low(bits: u64) -> usize {
    usize::try_from(bits & u64::from(u32::MAX)).unwrap_or(0)
}
