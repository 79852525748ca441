//! Writing to a store: under its lock, behind what others wrote.

use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use super::compact::Compaction;
use super::disk;
use super::folder::{Folder, create};
use super::journal::Tail;
use super::lock::Share;
use super::record::{FRAME, LARGEST, entry_of, put_record};
use super::state::State;
use super::trouble::{broken, failed};
use crate::feed::{FeedError, Letter, Writer};

pub(super) struct FileWriter {
    folder: Folder,
    compaction: Arc<Compaction>,
    /// What is in the journal, until something has been written.
    found: Option<Found>,
}

/// How far a journal has been read, and the last letter there of each who wrote to it.
struct Found {
    tail: Tail,
    last: BTreeMap<u64, u64>,
}

impl Found {
    fn read_on(&mut self) -> Result<(), FeedError> {
        while let Some((_, record)) = self.tail.next()? {
            if let Some((origin, number, _)) = entry_of(record) {
                let last = self.last.entry(origin).or_default();
                *last = number.max(*last);
            }
        }
        Ok(())
    }

    fn has(&self, letter: &Letter) -> bool {
        let last = self.last.get(&letter.origin);
        last.is_some_and(|last| letter.number <= *last)
    }
}

impl FileWriter {
    /// Reads the journal once, so that nothing is added to a store that is broken, nor twice:
    /// whoever was told of an error does not know what is there, and sends it again.
    pub(super) fn open(folder: Folder, compaction: Arc<Compaction>) -> Result<Self, FeedError> {
        let State { tail, promised, .. } = State::open(&folder)?;
        let last = BTreeMap::new();
        let mut found = Found { tail, last };
        found.read_on()?;
        found.tail.must_have(promised)?;
        Ok(Self {
            folder,
            compaction,
            found: Some(found),
        })
    }

    /// Appends the letters that are not there yet; returns how long the journal is then.
    fn append(&mut self, letters: &[Letter]) -> Result<u64, FeedError> {
        let folder = &self.folder;
        let _writing = folder.lock(Share::Writing)?;
        let promise = folder.promise_now()?;
        let path = folder.journal(promise.first);
        let tail = Tail::open(path.clone(), folder.id, promise.first)?;
        let length = tail.length()?;
        if length < promise.length {
            let what = format!(
                "it has {length} bytes, where {} were written: somebody put an older copy there, or \
                 cut it",
                promise.length
            );
            return Err(broken(&path, &what));
        }
        if let Some(found) = &mut self.found {
            if found.tail.first != promise.first {
                found.tail = Tail::open(path.clone(), folder.id, promise.first)?;
            }
            found.read_on()?;
        }
        // Whole records that nobody was promised stay: others may have read them. They are written
        // once more, because the system may have given them up when a write failed.
        let mut tail = tail.at(promise.length, promise.sequence);
        while tail.next()?.is_some() {}
        let mut records = tail.written_since(promise.length)?;
        let mut sequence = tail.sequence;
        let is_there = |letter: &&Letter| self.found.as_ref().is_some_and(|all| all.has(letter));
        for letter in letters.iter().filter(|letter| !is_there(letter)) {
            let start = records.len();
            sequence = sequence.saturating_add(1);
            put_record(folder.id, sequence, letter, &mut records);
            check_size(&path, records.len() - start)?;
        }
        let next = promise.then(
            promise.length + u64::try_from(records.len()).unwrap_or(0),
            sequence,
        );
        let written = create(&path).and_then(|mut journal| {
            if tail.position < length {
                journal.set_len(tail.position)?;
            }
            journal.seek(SeekFrom::Start(promise.length))?;
            journal.write_all(&records)?;
            disk::sync(&journal, &path)
        });
        written.map_err(|error| failed("appending to", &path, &error))?;
        // Not synced: should the system lose it, whole records are there all the same.
        let committed = folder.file("committed");
        let noted = create(&committed).and_then(|mut file| next.write(folder.id, &mut file));
        noted.map_err(|error: io::Error| failed("writing", &committed, &error))?;
        self.found = None;
        Ok(next.length)
    }
}

fn check_size(path: &Path, size: usize) -> Result<(), FeedError> {
    if size <= FRAME + LARGEST {
        return Ok(());
    }
    Err(FeedError {
        text: format!(
            "{}: a record of {size} bytes, and at most {LARGEST} are read",
            path.display()
        ),
        passes: false,
    })
}

impl Writer for FileWriter {
    fn write(&mut self, letters: &[Letter]) -> Result<(), FeedError> {
        if letters.is_empty() {
            return Ok(());
        }
        let length = self.append(letters)?;
        self.compaction.look(&self.folder, length);
        Ok(())
    }
}
