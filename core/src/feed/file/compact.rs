//! Compaction: what a long journal says becomes part of a new snapshot.
//!
//! Others go on reading and writing while the snapshot is made; they are held up only while the
//! journal is exchanged for one with what was written meanwhile. Whatever was interrupted, the old
//! snapshot and the old journal still belong together, and so do the new snapshot and the old journal.

use std::fs;

use super::folder::{Folder, create};
use super::journal;
use super::lock::{Lock, Share};
use super::promise::Promise;
use super::snapshot::{self, Draft};
use super::state::{Extent, State};
use super::trouble::failed;
use crate::feed::FeedError;
use crate::time::{Clock, NumericDate, Span};

/// Bytes of a journal that are never too many.
pub(super) const SMALL: u64 = 64 << 20;
/// How far clocks may differ: whatever can go is kept for so long.
const KEPT: Span = Span::from_seconds(24 * 3600);

/// When a writer compacts.
#[derive(Clone)]
pub(super) struct Compaction {
    pub(super) clock: Clock,
    /// A journal of fewer bytes stays.
    pub(super) small: u64,
}

impl Compaction {
    /// Compacts where the journal has become too long. What goes wrong there is tried again when it
    /// has grown some more: what was to be written has been.
    pub(super) fn after(&mut self, folder: &Folder, length: u64) {
        let snapshot = snapshot::size(&folder.file("snapshot"));
        if length < self.small.max(snapshot / 2) {
            return;
        }
        match compact(folder, self.clock.now()) {
            Ok(true) => {}
            Ok(false) | Err(_) => self.small = length + length / 8,
        }
    }
}

/// Whether there is less to read now.
pub(super) fn compact(folder: &Folder, now: NumericDate) -> Result<bool, FeedError> {
    let Some(_compacting) = Lock::attempt(&folder.file("compacting"), Share::Writing)? else {
        return Ok(false); // another process is at it
    };
    let draft = folder.file("snapshot.tmp");
    let exchanged = draft_and_exchange(folder, now);
    if !matches!(exchanged, Ok(true)) {
        // It may be what fills the disk.
        let _ = fs::remove_file(draft);
    }
    exchanged
}

fn draft_and_exchange(folder: &Folder, now: NumericDate) -> Result<bool, FeedError> {
    let mut state = State::open(folder)?;
    if state.promised < state.tail.first {
        return Ok(false); // there is nothing in the journal
    }
    let path = folder.file("snapshot.tmp");
    let mut draft = Draft::begin(path.clone(), folder.id, state.promised)?;
    let unreadable = state.each(Extent::Promised, &mut |item| {
        if item.fact.can_go(now.minus(KEPT)) {
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
    let snapshot = folder.file("snapshot");
    fs::rename(&path, &snapshot).map_err(|error| failed("renaming to", &snapshot, &error))?;
    folder.sync()?;
    let next = Promise {
        first,
        ..promise.then(length, tail.sequence)
    };
    let committed = folder.file("committed");
    let written = create(&committed).and_then(|mut file| next.write_both(folder.id, &mut file));
    written.map_err(|error| failed("writing", &committed, &error))?;
    folder.remove_journals_but(first);
    Ok(true)
}
