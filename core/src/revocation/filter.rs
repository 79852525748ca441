//! A Bloom filter that answers from one cache line: "certainly not there", or "look".
//!
//! A value chooses a line of eight words and one bit in each of them. At sixteen bits a value one
//! absent value in a thousand is told to look; a value that was inserted always is.

use super::hash::HandleHash;
use crate::sync::{AtomicU64, Ordering};

/// Words of a line: 512 bits, as many as a cache line has.
const WORDS: usize = 8;
/// Values a line is meant for, at 16 bits each.
const VALUES: usize = 32;
/// Bits of the hash that choose a bit of a word.
const STEP: u32 = 6;

#[repr(align(64))]
struct Line([AtomicU64; WORDS]);

/// Grows fuller and never emptier; whoever needs room builds a new one.
pub(super) struct Filter {
    lines: Box<[Line]>,
}

impl Filter {
    /// For about `values` values; for none it knows nothing and takes no memory.
    pub(super) fn new(values: usize) -> Self {
        let empty = || Line(std::array::from_fn(|_| AtomicU64::new(0)));
        Self {
            lines: std::iter::repeat_with(empty)
                .take(values.div_ceil(VALUES))
                .collect(),
        }
    }

    pub(super) fn insert(&self, hash: HandleHash) {
        if let Some(Line(words)) = self.line(hash) {
            for (word, bit) in words.iter().zip(bits(hash)) {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// Whether the value may have been inserted. It looks at every word: half of the bits are set,
    /// so leaving at the first that is not would be a branch nobody can predict, and the next
    /// handle's line would be asked for later.
    #[inline]
    pub(super) fn may_hold(&self, hash: HandleHash) -> bool {
        self.line(hash).is_some_and(|Line(words)| {
            let words = words.iter().zip(bits(hash));
            let missing = words.map(|(word, bit)| bit & !word.load(Ordering::Relaxed));
            missing.fold(0, |all, missing| all | missing) == 0
        })
    }

    /// Bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.lines.len() * size_of::<Line>()
    }

    #[inline]
    fn line(&self, hash: HandleHash) -> Option<&Line> {
        let lines = u64::try_from(self.lines.len()).ok()?;
        // The high half of the product spreads over all lines without a division.
        let position = (u128::from(hash.high) * u128::from(lines)) >> 64;
        self.lines.get(usize::try_from(position).ok()?)
    }
}

/// One bit for each word, from the half of the hash that does not choose the line. Its lowest bit
/// is the same in all.
#[inline]
fn bits(hash: HandleHash) -> impl Iterator<Item = u64> {
    (0..).map(move |word: u32| 1 << (hash.low >> (word * STEP + 1) & 63))
}
