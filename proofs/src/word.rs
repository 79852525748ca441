//! The words of a table: what is done to them, and what is in one.

use std::sync::atomic::{AtomicU64, Ordering};

/// A word that several processes or threads share. Interleaving tests put a scheduler's in its
/// stead.
pub(crate) trait Word {
    fn read(&self) -> u64;

    /// Writes `new` if `current` is still there; else says what is.
    fn replace(&self, current: u64, new: u64) -> Result<(), u64>;
}

/// A word is complete in itself. Between two the order matters: who has written one looks at
/// others, and of two that do so at once one must see the other. On x86-64 that costs nothing more.
impl Word for AtomicU64 {
    #[inline]
    fn read(&self) -> u64 {
        self.load(Ordering::SeqCst)
    }

    #[inline]
    fn replace(&self, current: u64, new: u64) -> Result<(), u64> {
        let (set, read) = (Ordering::SeqCst, Ordering::SeqCst);
        self.compare_exchange(current, new, set, read).map(|_| ())
    }
}

const TAG_BITS: u32 = 40;

/// What a word holds: 24 bits of the turn of its region, above 40 bits that stand for a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u64);

impl Entry {
    /// `turn` has 24 bits; of `hash` the lower 40 are kept.
    pub(crate) const fn new(turn: u64, hash: u64) -> Self {
        Self(turn << TAG_BITS | hash & ((1 << TAG_BITS) - 1))
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn turn(self) -> u64 {
        self.0 >> TAG_BITS
    }
}
