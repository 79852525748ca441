//! Used proofs, in a table that all processes of one host share, so that of any number of workers
//! that are shown one proof exactly one takes it (RFC 9449 §11.1).
//!
//! [`Proofs::insert`] is one atomic insert-if-absent on a memory-mapped file: no lock, no system
//! call, no allocation. A process that dies at any instruction leaves a good table behind, since a
//! proof is one word that one compare-exchange writes.
//!
//! * Nothing is forgotten while it could be used again, and what there is no room for is refused
//!   ([`Answer::Full`]).
//! * A clock that is set back reopens nothing: where something younger has taken a place, whatever
//!   could have been there counts as seen.
//! * Of 25 billion proofs about one is called seen that was not ([`Proofs::insert`]).
//! * The table lives as long as its file does. Whoever removes the file, or a host that loses
//!   power, forgets the last minutes.
//!
//! `table` decides and is safe code over any words; `mapping` is the only file with `unsafe`, and
//! `SAFETY.md` says what it rests on; `file` makes and checks the file.

#![deny(unsafe_code)]
#![forbid(unused_must_use)]
#![warn(
    missing_docs,
    clippy::as_conversions,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

mod file;
mod mapping;
mod table;
mod window;
mod word;

#[cfg(test)]
#[cfg(sealgate_model)]
mod model;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;

use std::fmt;
use std::path::Path;

use mapping::Mapping;
use table::Table;

pub use file::OpenError;
pub use table::Answer;

/// Used proofs of one host.
pub struct Proofs {
    table: Table<Mapping>,
}

impl Proofs {
    /// Opens the table in this file, and makes it first where there is none, readable by its owner
    /// alone. Of processes that do so at once one makes it.
    ///
    /// `capacity` is how many proofs of any 64 seconds there is room for: a file of some 170 bytes
    /// each, every one written, since a hole in a mapped file is a killed process on the day that
    /// the disk is full. `seed` is what places are chosen by, and must be random; a table that
    /// exists keeps its own. Beside the file a second one, with `.lock` added to its name, keeps
    /// those apart who would make it.
    ///
    /// # Errors
    ///
    /// The file cannot be made, opened or mapped; or it is there and is no table, belongs to
    /// another version of this crate or has another capacity, or others may read it.
    pub fn open(path: &Path, capacity: usize, seed: [u8; 16]) -> Result<Self, OpenError> {
        let (file, header) = file::open(path, capacity, seed)?;
        let mapping = Mapping::new(&file, header.words)?;
        Ok(Self {
            table: Table::new(mapping, header.seed),
        })
    }

    /// Remembers a proof, unless it is remembered already. `key` is a digest of whatever identifies
    /// it; times are in seconds since 1970.
    ///
    /// `issued_at` is a time *of the proof*, the same in every process whatever its policy, since a
    /// proof is looked for where its time says. `until` is the last moment at which this process
    /// would take it, and `now` the moment of the verification. What carries the same key and
    /// another time is found as well, as far as this process would take it and up to 15 minutes
    /// back, and is remembered from its own time on. If two such come at the same instant, neither
    /// may be first.
    ///
    /// # False alarms
    ///
    /// A place holds 40 bits of a keyed hash of the key. A full table compares some 40 of them for
    /// a proof of the default life: one in 25 billion is called seen that was not.
    #[inline]
    #[must_use]
    pub fn insert(&self, key: &[u8; 32], issued_at: u64, until: u64, now: u64) -> Answer {
        self.table.insert(key, issued_at, until, now)
    }

    /// Whether [`Proofs::insert`] would call this proof seen, without remembering it.
    #[must_use]
    pub fn has_seen(&self, key: &[u8; 32], issued_at: u64, until: u64, now: u64) -> bool {
        self.table.has_seen(key, issued_at, until, now)
    }
}

impl fmt::Debug for Proofs {
    /// The seed stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proofs").finish_non_exhaustive()
    }
}
