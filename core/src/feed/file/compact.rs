//! Compaction: what a long journal says becomes part of a new snapshot.
//!
//! A thread of its own does it, begun by whoever writes or reads and finds the journal too long,
//! and over when it is done: nobody who revokes waits for it, nor a process that only revokes and
//! ends. Others go on reading and writing while the snapshot is made; they are held up only while
//! the journal is exchanged for one with what was written meanwhile. Whatever was interrupted, the
//! old snapshot and the old journal still belong together, and so do the new snapshot and the old
//! journal.

use std::fs;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use super::disk;
use super::folder::{Folder, create};
use super::journal;
use super::lock::{Lock, Share};
use super::promise::Promise;
use super::snapshot::{self, Draft};
use super::state::{Extent, State};
use super::trouble::failed;
use crate::feed::FeedError;
use crate::sync::Slot;
use crate::time::{Clock, NumericDate, Span};

/// Bytes of a journal that are never too many.
pub(super) const SMALL: u64 = 64 << 20;
/// How far clocks may differ: whatever can go is kept for so long.
const KEPT: Span = Span::from_seconds(24 * 3600);

/// What a thread is begun with.
pub(super) type Work = Box<dyn FnOnce() + Send>;

/// When this process compacts, for all who have the engine open. What is under way ends with them.
pub(super) struct Compaction {
    clock: Clock,
    /// A journal of fewer bytes stays.
    small: u64,
    /// The same, and after a failure some more.
    next: AtomicU64,
    /// The process that has a thread at it, or 0. A fork leaves the child without.
    process: AtomicU32,
    /// Begins a thread, or drops its work where it cannot.
    begin: fn(Work),
    /// Why the last attempt of this process came to nothing.
    trouble: Slot<FeedError>,
}

/// An attempt, which ends with this however that goes: whoever comes next can try again.
struct Attempt {
    of: Weak<Compaction>,
    length: u64,
    came_to: Result<bool, FeedError>,
}

/// On a thread of its own.
pub(super) fn beside(work: Work) {
    let name = "sealgate-compact".to_owned();
    let _ = thread::Builder::new().name(name).spawn(work);
}

impl Compaction {
    pub(super) fn new(clock: Clock, small: u64, begin: fn(Work)) -> Arc<Self> {
        Arc::new(Self {
            clock,
            small,
            next: AtomicU64::new(small),
            process: AtomicU32::new(0),
            begin,
            trouble: Slot::empty(),
        })
    }

    /// Begins to compact where the journal has become too long, unless this process is at it. What
    /// goes wrong there is told by [`Compaction::trouble`], and tried again when it has grown some
    /// more: what was to be written has been.
    pub(super) fn look(self: &Arc<Self>, folder: &Folder, length: u64) {
        let next = self.next.load(Ordering::Relaxed);
        if length < next || length < snapshot::size(&folder.file("snapshot")) / 2 {
            return;
        }
        let process = std::process::id();
        if self.process.swap(process, Ordering::AcqRel) == process {
            return;
        }
        let attempt = Attempt {
            of: Arc::downgrade(self),
            length,
            came_to: Err(unfinished(folder)),
        };
        let folder = folder.clone();
        (self.begin)(Box::new(move || attempt.make(&folder)));
    }

    /// Why the journal stays as long as it is; `None` while all is well.
    pub(super) fn trouble(&self) -> Option<FeedError> {
        self.trouble.load().get().cloned()
    }

    fn end(&self, came_to: &Result<bool, FeedError>, length: u64) {
        let next = if *came_to == Ok(true) {
            self.small
        } else {
            length + length / 8
        };
        self.trouble.swap(came_to.clone().err().map(Arc::new));
        self.next.store(next, Ordering::Relaxed);
        self.process.store(0, Ordering::Release);
    }
}

impl Attempt {
    fn make(mut self, folder: &Folder) {
        if let Some(now) = self.of.upgrade().map(|own| own.clock.now()) {
            self.came_to = compact(folder, now, &|| self.of.strong_count() > 0);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(own) = self.of.upgrade() {
            own.end(&self.came_to, self.length);
        }
    }
}

/// Said of an attempt that has said nothing itself.
fn unfinished(folder: &Folder) -> FeedError {
    FeedError {
        text: format!(
            "compacting {}: no thread could be had for it, or it panicked; the journal grows",
            folder.file("").display()
        ),
        passes: true,
    }
}

/// Whether there is less to read now. Gives up when nobody wants it any more.
pub(super) fn compact(
    folder: &Folder,
    now: NumericDate,
    is_wanted: &dyn Fn() -> bool,
) -> Result<bool, FeedError> {
    let Some(_compacting) = Lock::attempt(&folder.file("compacting"), Share::Writing)? else {
        return Ok(false); // another process is at it
    };
    let draft = folder.file("snapshot.tmp");
    let exchanged = draft_and_exchange(folder, now, is_wanted);
    if !matches!(exchanged, Ok(true)) {
        // It may be what fills the disk.
        let _ = fs::remove_file(draft);
    }
    exchanged
}

fn draft_and_exchange(
    folder: &Folder,
    now: NumericDate,
    is_wanted: &dyn Fn() -> bool,
) -> Result<bool, FeedError> {
    let mut state = State::open(folder)?;
    if state.promised < state.tail.first {
        return Ok(false); // there is nothing in the journal
    }
    let path = folder.file("snapshot.tmp");
    let mut draft = Draft::begin(path.clone(), folder.id, state.promised)?;
    let unreadable = state.each(Extent::Promised, &mut |item| {
        if !is_wanted() {
            Err(unwanted())
        } else if item.fact.can_go(now.minus(KEPT)) {
            Ok(())
        } else {
            draft.put(item)
        }
    })?;
    if unreadable > 0 {
        // A later version wrote them, and can do this without losing them.
        return Ok(false);
    }
    draft.finish()?;
    let first = state.promised.saturating_add(1);
    let mut tail = state.tail;
    let start = tail.position;

    let _writing = folder.lock(Share::Writing)?;
    let promise = folder.promise_now()?;
    while tail.next()?.is_some() {}
    tail.must_have(promise.sequence)?;
    let since = tail.written_since(start)?;
    let length = journal::begin(&folder.journal(first), folder.id, first, &since)?;
    // After a crash each of these may be there or not, so each waits for what it refers to. What is
    // promised comes first: nobody has synced it since it was written, and a snapshot that knows
    // more is of a store that went back. Then the snapshot, and the name of the journal that goes
    // on behind it; and last what says that the old journal is not needed.
    let committed = folder.file("committed");
    let kept = create(&committed).and_then(|file| disk::sync(&file, &committed));
    kept.map_err(|error| failed("writing", &committed, &error))?;
    let snapshot = folder.file("snapshot");
    disk::rename(&path, &snapshot).map_err(|error| failed("renaming to", &snapshot, &error))?;
    folder.sync()?;
    let next = Promise {
        first,
        ..promise.then(length, tail.sequence)
    };
    let written =
        create(&committed).and_then(|mut file| next.write_both(folder.id, &mut file, &committed));
    written.map_err(|error| failed("writing", &committed, &error))?;
    folder.remove_journals_but(first);
    Ok(true)
}

fn unwanted() -> FeedError {
    FeedError {
        text: "the store is not open any more".to_owned(),
        passes: true,
    }
}
