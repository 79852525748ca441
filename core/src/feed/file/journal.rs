//! The journal: records one after another, as they were written.
//!
//! Its header says of which store it is and the sequence of its first record, and so does its name.
//! Records that follow one another without a gap count; what comes behind them is one that somebody
//! is writing, or never finished.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::bytes::{StoreId, seal, sealed_size, unseal};
use super::disk;
use super::folder::create;
use super::record::{FRAME, Record, read_record};
use super::trouble::{broken, failed, flawed};
use crate::feed::FeedError;

const MAGIC: [u8; 8] = *b"sgjourn\n";
const HEADER: usize = sealed_size(1);
/// Bytes that are read at once.
const CHUNK: u64 = 256 * 1024;

pub(super) fn name(first: u64) -> String {
    format!("journal-{first:020}")
}

/// Begins a journal with these records, in the place of whatever is there; returns its length.
pub(super) fn begin(
    path: &Path,
    id: StoreId,
    first: u64,
    records: &[u8],
) -> Result<u64, FeedError> {
    let begun = create(path).and_then(|mut file| {
        file.set_len(0)?;
        file.write_all(&[&seal(MAGIC, id, [first]), records].concat())?;
        disk::sync(&file, path)?;
        file.stream_position()
    });
    begun.map_err(|error| failed("beginning", path, &error))
}

/// Whether more is there than a header.
pub(super) fn holds_anything(path: &Path) -> bool {
    let header = u64::try_from(HEADER).unwrap_or(0);
    fs::metadata(path).is_ok_and(|metadata| metadata.len() > header)
}

/// A place in a journal, and what has been read ahead of it.
pub(super) struct Tail {
    file: File,
    path: PathBuf,
    id: StoreId,
    pub(super) first: u64,
    /// Where the next record begins.
    pub(super) position: u64,
    /// Of the record before it.
    pub(super) sequence: u64,
    ahead: Vec<u8>,
    /// Of `ahead`, what has been read.
    done: usize,
}

impl Tail {
    /// Opens a journal at its first record.
    pub(super) fn open(path: PathBuf, id: StoreId, first: u64) -> Result<Self, FeedError> {
        let limit = u64::try_from(HEADER).unwrap_or(0);
        let opened = File::open(&path).and_then(|file| {
            let mut header = Vec::with_capacity(HEADER);
            (&file).take(limit).read_to_end(&mut header)?;
            Ok((file, header))
        });
        let (file, header) = opened.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                broken(&path, "it is missing")
            } else {
                failed("opening", &path, &error)
            }
        })?;
        let found = unseal(MAGIC, &header).map_err(|flaw| flawed(&path, flaw))?;
        if found != (id, [first]) {
            return Err(broken(
                &path,
                "it belongs to another store, or another place in it",
            ));
        }
        Ok(Self {
            file,
            path,
            id,
            first,
            position: u64::try_from(HEADER).unwrap_or(0),
            sequence: first.saturating_sub(1),
            ahead: Vec::new(),
            done: 0,
        })
    }

    /// Goes on behind that sequence, whose record ends at that byte.
    pub(super) fn at(mut self, position: u64, sequence: u64) -> Self {
        self.position = position;
        self.sequence = sequence;
        self
    }

    /// The next record, or `None` where there is no whole one.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &[u8])>, FeedError> {
        let sequence = self.sequence.saturating_add(1);
        let size = loop {
            let ahead = self.ahead.get(self.done..).unwrap_or_default();
            match read_record(self.id, sequence, ahead) {
                Record::Whole(held) => break held.len(),
                Record::Wants(size) => {
                    if self.read_on(size)? {
                        continue;
                    }
                }
                Record::Torn => {}
            }
            // A writer may cut it off, and write another there.
            self.ahead.clear();
            self.done = 0;
            return Ok(None);
        };
        let start = self.done + FRAME;
        self.done = start + size;
        self.sequence = sequence;
        self.position += u64::try_from(FRAME + size).unwrap_or(0);
        let held = self.ahead.get(start..self.done).unwrap_or_default();
        Ok(Some((sequence, held)))
    }

    /// Bytes of the file.
    pub(super) fn length(&self) -> Result<u64, FeedError> {
        let metadata = self.file.metadata();
        metadata.map_or_else(
            |error| Err(failed("reading", &self.path, &error)),
            |metadata| Ok(metadata.len()),
        )
    }

    /// The bytes from `start` to the tail.
    pub(super) fn written_since(&self, start: u64) -> Result<Vec<u8>, FeedError> {
        let mut bytes = Vec::new();
        let mut file = &self.file;
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| {
            let size = self.position.saturating_sub(start);
            file.take(size).read_to_end(&mut bytes)
        });
        read.map_err(|error| failed("reading", &self.path, &error))?;
        Ok(bytes)
    }

    /// Whether there was something to read, up to at least `size` bytes ahead if there are so many.
    fn read_on(&mut self, size: usize) -> Result<bool, FeedError> {
        self.ahead.drain(..self.done);
        self.done = 0;
        let held = u64::try_from(self.ahead.len()).unwrap_or(0);
        let wanted = u64::try_from(size)
            .unwrap_or(0)
            .saturating_sub(held)
            .max(CHUNK);
        let start = SeekFrom::Start(self.position + held);
        let read = self
            .file
            .seek(start)
            .and_then(|_| (&self.file).take(wanted).read_to_end(&mut self.ahead));
        let read = read.map_err(|error| failed("reading", &self.path, &error))?;
        Ok(read > 0)
    }

    /// That everything up to that sequence has been read: else it is broken.
    pub(super) fn must_have(&self, promised: u64) -> Result<(), FeedError> {
        if self.sequence >= promised {
            return Ok(());
        }
        let next = self.sequence.saturating_add(1);
        let what = if self.length()? <= self.position {
            format!(
                "the store went back from sequence {promised} to {}: somebody put an older copy \
                 there, or cut it",
                self.sequence
            )
        } else {
            format!(
                "damaged at byte {}, in the record of sequence {next}, where all up to {promised} \
                 were written",
                self.position
            )
        };
        Err(broken(&self.path, &what))
    }
}
