//! What writers have promised to be there: the file `committed`.
//!
//! It has two places, 512 bytes apart, which writers fill in turn; of two good ones that with the
//! greater turn counts. Records of the journal carry checksums of their own, so this is not what
//! makes them count: it tells a record that was never finished from one that was, and has been
//! damaged or taken away.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::bytes::{Flaw, StoreId, seal, unseal};
use super::disk;
use super::trouble::{broken, failed, flawed};
use crate::feed::FeedError;

const MAGIC: [u8; 8] = *b"sgcommt\n";
/// Between the places: no disk tears two of them at once.
const APART: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Promise {
    /// How many came before it.
    pub(super) turn: u64,
    /// The first sequence of the journal, which gives it its name.
    pub(super) first: u64,
    /// Bytes of the journal.
    pub(super) length: u64,
    /// The last sequence in those bytes, or before them.
    pub(super) sequence: u64,
}

impl Promise {
    /// Reads the file; `None` where there is none.
    pub(super) fn read(path: &Path) -> Result<Option<(StoreId, Self)>, FeedError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("reading", path, &error)),
        };
        let places = [0, APART].map(|start| {
            let place = bytes.get(start..).unwrap_or_default();
            let (id, [turn, first, length, sequence]) = unseal(MAGIC, place)?;
            let promise = Self {
                turn,
                first,
                length,
                sequence,
            };
            Ok((id, promise))
        });
        match places {
            [Ok(one), Ok(other)] if one.0 != other.0 => {
                Err(broken(path, "its two places are of different stores"))
            }
            [Ok(one), Ok(other)] if one.1.turn < other.1.turn => Ok(Some(other)),
            [Ok(one), _] | [_, Ok(one)] => Ok(Some(one)),
            [Err(Flaw::Damaged), Err(flaw)] | [Err(flaw), Err(_)] => Err(flawed(path, flaw)),
        }
    }

    /// What takes the place of this one.
    pub(super) const fn then(self, length: u64, sequence: u64) -> Self {
        Self {
            turn: self.turn.saturating_add(1),
            first: self.first,
            length,
            sequence,
        }
    }

    /// Writes it to its place; the one before it stays.
    pub(super) fn write(self, id: StoreId, file: &mut File) -> io::Result<()> {
        let Self {
            turn,
            first,
            length,
            sequence,
        } = self;
        let place = if turn % 2 == 0 { 0 } else { APART };
        file.seek(SeekFrom::Start(u64::try_from(place).unwrap_or(0)))?;
        file.write_all(&seal(MAGIC, id, [turn, first, length, sequence]))
    }

    /// Writes it to both places, so that nothing refers to what was before.
    pub(super) fn write_both(self, id: StoreId, file: &mut File, path: &Path) -> io::Result<()> {
        self.write(id, file)?;
        disk::sync(file, path)?;
        let again = self.then(self.length, self.sequence);
        again.write(id, file)?;
        disk::sync(file, path)
    }
}
