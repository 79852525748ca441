//! Following a store: everything at first, and then what others write.

use std::sync::Arc;
use std::time::Duration;

use super::compact::Compaction;
use super::folder::Folder;
use super::journal::Tail;
use super::promise::Promise;
use super::record::{Item, read_letter};
use super::state::{Extent, State};
use crate::feed::{FeedError, Letter, Progress, Reader};
use crate::revocation::{Change, Known};

/// Between two looks: how late news are at most.
const STEP: Duration = Duration::from_millis(20);
/// Letters of one look: whoever has many to read wants to do other things between.
const LETTERS: usize = 4096;

pub(super) struct FileReader {
    folder: Folder,
    /// `None` for whoever only looks, and leaves the store as it is.
    compaction: Option<Arc<Compaction>>,
    /// Where to go on; `None` where everything must be loaded first.
    tail: Option<Tail>,
    unreadable: u64,
}

impl FileReader {
    pub(super) const fn new(folder: Folder, compaction: Option<Arc<Compaction>>) -> Self {
        Self {
            folder,
            compaction,
            tail: None,
            unreadable: 0,
        }
    }

    /// Everything, sorted by kind, whose it is and value.
    fn each(&mut self, take: &mut dyn FnMut(Item<'_>)) -> Result<(), FeedError> {
        self.tail = None;
        let mut state = State::open(&self.folder)?;
        self.unreadable += state.each(Extent::Whole, &mut |item| {
            take(item);
            Ok(())
        })?;
        self.tail = Some(state.tail);
        Ok(())
    }

    /// Reads on from a tail, and returns it with how far that led: `None` where something is
    /// missing that was promised. Loading finds out what became of it.
    fn look(
        &mut self,
        mut tail: Tail,
        take: &mut dyn FnMut(Letter),
    ) -> Result<Option<(Tail, usize)>, FeedError> {
        // Before the journal: what is promised by now is then there.
        let promise = self.folder.promise()?;
        let mut read = self.read(&mut tail, LETTERS, take)?;
        if read < LETTERS && tail.first != promise.first {
            // That one has been read to its end, and nobody writes to it any more.
            let Some(next) = self.successor(&tail, promise)? else {
                return Ok(None);
            };
            tail = next;
            read += self.read(&mut tail, LETTERS - read, take)?;
        }
        let is_missing = read < LETTERS && tail.sequence < promise.sequence;
        Ok((!is_missing).then_some((tail, read)))
    }

    /// Takes up to so many letters; returns how many records there were.
    fn read(
        &mut self,
        tail: &mut Tail,
        most: usize,
        take: &mut dyn FnMut(Letter),
    ) -> Result<usize, FeedError> {
        let mut read = 0;
        while read < most
            && let Some((_, record)) = tail.next()?
        {
            match read_letter(record) {
                Some(letter) => take(letter),
                None => self.unreadable += 1,
            }
            read += 1;
        }
        Ok(read)
    }

    /// The journal that took the place of one, where that one ended.
    fn successor(&self, before: &Tail, promise: Promise) -> Result<Option<Tail>, FeedError> {
        if promise.first > before.sequence.saturating_add(1) {
            return Ok(None);
        }
        let path = self.folder.journal(promise.first);
        let Ok(mut tail) = Tail::open(path, self.folder.id, promise.first) else {
            return Ok(None);
        };
        while tail.sequence < before.sequence {
            if tail.next()?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(tail))
    }
}

impl Reader for FileReader {
    fn everything(&mut self, take: &mut dyn FnMut(bool, Change)) -> Result<(), FeedError> {
        self.each(&mut |item| take(true, item.to_change()))
    }

    /// Without an allocation for each. A disk loses nothing, so all of it is news.
    fn load(&mut self, take: &mut dyn FnMut(Known<'_>)) -> Result<(), FeedError> {
        self.each(&mut |item| take(item.known()))
    }

    fn next(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Letter),
    ) -> Result<Progress, FeedError> {
        let mut waited = Duration::ZERO;
        while let Some(tail) = self.tail.take() {
            let Some((tail, read)) = self.look(tail, take)? else {
                break;
            };
            let length = tail.position;
            self.tail = Some(tail);
            if read == LETTERS {
                return Ok(Progress::More);
            }
            if let Some(compaction) = &self.compaction {
                compaction.look(&self.folder, length);
            }
            if read > 0 || waited >= wait {
                return Ok(Progress::CaughtUp);
            }
            let step = STEP.min(wait - waited);
            (self.folder.nap)(step);
            waited += step;
        }
        Ok(Progress::Gap)
    }

    fn unreadable(&self) -> u64 {
        self.unreadable
    }
}
