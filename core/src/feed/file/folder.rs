//! The folder of a store: how it is made, and what everybody asks before anything else.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Nap;
use super::bytes::StoreId;
use super::disk;
use super::journal;
use super::lock::{Lock, Share};
use super::promise::Promise;
use super::trouble::{broken, failed};
use crate::feed::FeedError;

/// What this process has seen of a store: it does not follow one that goes back.
#[derive(Default)]
pub(super) struct Seen {
    /// Half of the store's id; 0 before anything was seen.
    store: AtomicU64,
    /// The last sequence that was promised.
    sequence: AtomicU64,
}

/// A store that is there.
#[derive(Clone)]
pub(super) struct Folder {
    path: Arc<Path>,
    pub(super) id: StoreId,
    seen: Arc<Seen>,
    pub(super) nap: Nap,
}

impl Folder {
    /// Opens the store, and makes it where there is none.
    pub(super) fn open(path: &Arc<Path>, seen: &Arc<Seen>, nap: &Nap) -> Result<Self, FeedError> {
        let id = match Promise::read(&path.join("committed"))? {
            Some((id, _)) => id,
            None => make(path, seen, nap)?,
        };
        Self::of(path, seen, nap, id)
    }

    /// Opens the store that is there.
    pub(super) fn find(path: &Arc<Path>, seen: &Arc<Seen>, nap: &Nap) -> Result<Self, FeedError> {
        match Promise::read(&path.join("committed"))? {
            Some((id, _)) => Self::of(path, seen, nap, id),
            None => Err(FeedError {
                text: format!(
                    "{}: there is no store in this folder; the first verifier that starts makes it",
                    path.display()
                ),
                passes: false,
            }),
        }
    }

    fn of(path: &Arc<Path>, seen: &Arc<Seen>, nap: &Nap, id: StoreId) -> Result<Self, FeedError> {
        let folder = Self {
            path: Arc::clone(path),
            id,
            seen: Arc::clone(seen),
            nap: Arc::clone(nap),
        };
        folder.promise()?;
        Ok(folder)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn journal(&self, first: u64) -> PathBuf {
        self.path.join(journal::name(first))
    }

    pub(super) fn lock(&self, share: Share) -> Result<Lock, FeedError> {
        Lock::take(&self.file("lock"), share, &self.nap)
    }

    /// What `look` finds. Where that is trouble, a writer may have been at work: it looks once more
    /// while none is.
    pub(super) fn surely<T>(
        &self,
        look: impl Fn() -> Result<T, FeedError>,
    ) -> Result<T, FeedError> {
        look().or_else(|_| {
            let _looking = self.lock(Share::Looking)?;
            look()
        })
    }

    /// What is promised, whatever writers do meanwhile.
    pub(super) fn promise(&self) -> Result<Promise, FeedError> {
        self.surely(|| self.promise_now())
    }

    /// What is promised, for whoever holds the lock.
    pub(super) fn promise_now(&self) -> Result<Promise, FeedError> {
        let path = self.file("committed");
        let Some((id, promise)) = Promise::read(&path)? else {
            return Err(broken(&path, "it was there and is gone"));
        };
        let seen = self.seen.store.load(Ordering::Acquire);
        if id != self.id || (seen != 0 && seen != id.0) {
            let what = "another store has taken the place of the one that this process has read";
            return Err(broken(&path, what));
        }
        self.seen.store.store(id.0, Ordering::Release);
        let before = self
            .seen
            .sequence
            .fetch_max(promise.sequence, Ordering::AcqRel);
        if promise.sequence < before {
            let what = format!(
                "the store went back from sequence {before} to {}: somebody put an older copy there",
                promise.sequence
            );
            return Err(broken(&path, &what));
        }
        Ok(promise)
    }

    /// Makes what was renamed and created last.
    pub(super) fn sync(&self) -> Result<(), FeedError> {
        sync(&self.path)
    }

    /// Removes what nothing refers to any more; what cannot be removed does no harm.
    pub(super) fn remove_journals_but(&self, first: u64) {
        let kept = journal::name(first);
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with("journal-") && name != kept.as_str() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Makes a store, or finds that another process just has.
fn make(path: &Path, seen: &Seen, nap: &Nap) -> Result<StoreId, FeedError> {
    let committed = path.join("committed");
    if seen.store.load(Ordering::Acquire) != 0 {
        return Err(broken(&committed, "it was there and is gone"));
    }
    match make_folder(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed("making the folder", path, &error)),
    }
    let _writing = Lock::take(&path.join("lock"), Share::Writing, nap)?;
    if let Some((id, _)) = Promise::read(&committed)? {
        return Ok(id);
    }
    // It is made last: before it nothing was promised, and without it nobody knows what was.
    let began = journal::holds_anything(&path.join(journal::name(1)));
    if began || path.join("snapshot").exists() {
        return Err(broken(
            &committed,
            "it is missing, and the store is not new",
        ));
    }
    let id = StoreId::draw();
    let length = journal::begin(&path.join(journal::name(1)), id, 1, &[])?;
    let promise = Promise {
        turn: 0,
        first: 1,
        length,
        sequence: 0,
    };
    let made = path.join("committed.tmp");
    let written = create(&made).and_then(|mut file| {
        file.set_len(0)?;
        promise.write_both(id, &mut file, &made)?;
        // It refers to the journal, whose name must be kept by then.
        disk::sync_folder(path)?;
        disk::rename(&made, &committed)
    });
    written.map_err(|error| failed("making", &committed, &error))?;
    sync(path)?;
    Ok(id)
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens a file for reading and writing, and makes it where there is none, for nobody else.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn sync(path: &Path) -> Result<(), FeedError> {
    disk::sync_folder(path).map_err(|error| failed("writing the folder", path, &error))
}
