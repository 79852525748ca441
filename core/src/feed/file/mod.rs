//! The engine `file`: a folder that any number of processes of one host share.
//!
//! A journal takes what is written, one record a letter; a snapshot holds what came of all that was
//! written up to a sequence, so that the journal stays short; and `committed` says what must be
//! there. Whoever writes holds a lock, reads on from where it last was, appends, waits for the
//! disk, and notes the new end. Others look at the end every few milliseconds. The bytes are
//! described in `manual/revocation`.
//!
//! A process may end between any two steps, and a file may be changed by anything: either all that
//! was promised is read, or the store says which file is broken. A record that nobody was promised
//! counts when it is whole.

mod bytes;
mod compact;
mod disk;
mod folder;
#[cfg(fuzzing)]
pub(crate) mod fuzz;
mod journal;
mod lock;
mod promise;
mod reader;
mod record;
mod snapshot;
mod state;
mod trouble;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use self::compact::{Compaction, SMALL, beside};
use self::folder::{Folder, Seen};
use self::reader::FileReader;
use self::writer::FileWriter;
use super::{Engine, FeedError, Reader, Writer};
use crate::time::Clock;

/// Waits for so long.
type Nap = Arc<dyn Fn(Duration) + Send + Sync>;

/// A store in a folder.
pub(super) struct FileEngine {
    path: Arc<Path>,
    nap: Nap,
    seen: Arc<Seen>,
    compaction: Arc<Compaction>,
}

impl FileEngine {
    /// For the folder at `path`, whose parent exists. Compaction takes its time from `clock`.
    pub(super) fn new(path: &Path, clock: Clock) -> Self {
        Self {
            path: path.into(),
            nap: Arc::new(thread::sleep),
            seen: Arc::default(),
            compaction: Compaction::new(clock, SMALL, beside),
        }
    }

    fn open(&self) -> Result<Folder, FeedError> {
        Folder::open(&self.path, &self.seen, &self.nap)
    }
}

impl Engine for FileEngine {
    fn reader(&self) -> Result<Box<dyn Reader>, FeedError> {
        let compaction = Some(Arc::clone(&self.compaction));
        Ok(Box::new(FileReader::new(self.open()?, compaction)))
    }

    fn looker(&self) -> Result<Box<dyn Reader>, FeedError> {
        let folder = Folder::find(&self.path, &self.seen, &self.nap)?;
        Ok(Box::new(FileReader::new(folder, None)))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, FeedError> {
        let writer = FileWriter::open(self.open()?, Arc::clone(&self.compaction))?;
        Ok(Box::new(writer))
    }

    fn is_local(&self) -> bool {
        true
    }

    fn trouble(&self) -> Option<FeedError> {
        self.compaction.trouble()
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
