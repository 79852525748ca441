//! Writing to a store: under its lock, behind what others wrote.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::compact::Compaction;
use super::folder::{Folder, create};
use super::journal::Tail;
use super::lock::Share;
use super::record::{FRAME, LARGEST, put_record};
use super::state::State;
use super::trouble::{broken, failed};
use crate::feed::{FeedError, Letter, Writer};

pub(super) struct FileWriter {
    folder: Folder,
    compaction: Compaction,
}

impl FileWriter {
    /// Reads the journal once, so that nothing is added to a store that is broken.
    pub(super) fn open(folder: Folder, compaction: Compaction) -> Result<Self, FeedError> {
        let State {
            mut tail, promised, ..
        } = State::open(&folder)?;
        while tail.next()?.is_some() {}
        tail.must_have(promised)?;
        Ok(Self { folder, compaction })
    }

    /// Appends the letters; returns how long the journal is then.
    fn append(&self, letters: &[Letter]) -> Result<u64, FeedError> {
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
        // Whole records that nobody was promised stay: others may have read them. They are written
        // once more, because the system may have given them up when a write failed.
        let mut tail = tail.at(promise.length, promise.sequence);
        while tail.next()?.is_some() {}
        let mut records = tail.written_since(promise.length)?;
        let mut sequence = tail.sequence;
        for letter in letters {
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
            journal.sync_data()
        });
        written.map_err(|error| failed("appending to", &path, &error))?;
        // Not synced: should the system lose it, whole records are there all the same.
        let committed = folder.file("committed");
        let noted = create(&committed).and_then(|mut file| next.write(folder.id, &mut file));
        noted.map_err(|error: io::Error| failed("writing", &committed, &error))?;
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
        self.compaction.after(&self.folder, length);
        Ok(())
    }
}
