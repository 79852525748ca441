//! The words of a file, mapped: the only file with `unsafe`. `SAFETY.md` says what it rests on.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};

use crate::file::HEADER;

/// The words after the header of a file, shared with every process that maps it.
pub(crate) struct Mapping {
    raw: MmapRaw,
    words: usize,
}

impl Mapping {
    /// Maps a file of the header and so many words.
    pub(crate) fn new(file: &File, words: usize) -> io::Result<Self> {
        let bytes = HEADER + words * size_of::<AtomicU64>();
        let raw = MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Self { raw, words })
    }
}

impl Deref for Mapping {
    type Target = [AtomicU64];

    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        let start = self.raw.as_mut_ptr();
        #[expect(unsafe_code, reason = "what this crate is for: see SAFETY.md")]
        // SAFETY: `Mapping::new` has mapped HEADER bytes and `words` words, readable and writable,
        // and the mapping lives as long as the borrow of `self`. It begins at a page, so words
        // after HEADER bytes, a multiple of eight, are aligned. Every bit pattern is a word.
        // Nothing makes a reference to these bytes but this function, and what other processes do
        // to them they do by the same atomic operations.
        unsafe {
            std::slice::from_raw_parts(start.add(HEADER).cast::<AtomicU64>(), self.words)
        }
    }
}
