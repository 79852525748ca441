//! [`RevocationStore`]: what is revoked, as this process knows it.
//!
//! Each kind of handle has a shelf of its own: a filter in front, so that what is not revoked costs
//! one cache line; behind it the newest entries, in tables that one writer fills while everybody
//! reads; and below them a sorted base. A full table is sealed and another begun; later, off
//! everybody's path, sealed tables become part of a new base behind a new filter. The shelves
//! are one snapshot, loaded once a verification.
//!
//! The epoch counts what was written. It is raised after an entry can be found, so who sees the
//! epoch of a write sees the entry, and a verdict that was reached at an epoch stands at it.

use std::sync::{Arc, Mutex, OnceLock};

use super::base::Base;
use super::change::{Change, Known};
use super::entry::Entry;
use super::fill::newer;
use super::filter::Filter;
use super::handle::HandleKind;
use super::hash::{HandleHash, HandleHasher};
use super::overlay::Overlay;
use super::sharing::{Postman, Sharing};
use crate::error::Error;
use crate::policy::Shared;
use crate::sync::{AtomicU64, Held, OfProcess, Ordering, Own, Slot, Snapshot, lock};
use crate::time::{Clock, NumericDate, Span};

pub(crate) struct RevocationStore {
    hasher: HandleHasher,
    pub(super) shelves: Snapshot<Shelves>,
    epoch: AtomicU64,
    locks: OfProcess<Locks>,
    /// Where the policy names a store that processes share.
    sharing: Slot<Sharing>,
    postman: OnceLock<Arc<dyn Postman>>,
    clock: Clock,
}

/// What the writers of one process keep apart by.
#[derive(Default)]
pub(super) struct Locks {
    /// Whoever writes holds it; whoever reads never asks for it.
    pub(super) writing: Mutex<()>,
    /// Whoever makes a new base holds it, and lets others write meanwhile.
    pub(super) merging: Mutex<()>,
}

/// What a check found to be so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// What was written to the store by then.
    pub(crate) epoch: u64,
    /// How old the news of a shared store was.
    pub(crate) staleness: Option<Span>,
}

/// One shelf a kind, by its number.
pub(crate) struct Shelves(pub(super) [Arc<Shelf>; HandleKind::ALL.len()]);

pub(super) struct Shelf {
    pub(super) filter: Arc<Filter>,
    /// The newest first; the first one is being written.
    pub(super) overlays: Vec<Arc<Overlay>>,
    pub(super) base: Arc<Base>,
}

/// How much is revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationStats {
    /// Handles that are known; one that was revoked again of late may count twice.
    pub entries: usize,
    /// Bytes they take.
    pub bytes: usize,
    /// How often something was revoked or lifted.
    pub epoch: u64,
}

impl RevocationStore {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            hasher: HandleHasher::new(),
            shelves: Snapshot::new(Shelves(std::array::from_fn(|_| Arc::new(Shelf::empty())))),
            epoch: AtomicU64::new(0),
            locks: OfProcess::empty(),
            sharing: Slot::empty(),
            postman: OnceLock::new(),
            clock,
        }
    }

    /// The locks of this process. What a writer had half done when its process was forked is as if
    /// it had not begun: an entry is there with its last store, a shelf with the one that swaps it
    /// in.
    pub(super) fn locks(&self) -> Arc<Own<Locks>> {
        self.locks.get(|forked| {
            if forked {
                self.raise(); // for an entry that was there, and its epoch not yet
            }
            Locks::default()
        })
    }

    /// Whoever carries changes from now on; the first to be attached stays.
    pub(crate) fn attach(&self, postman: Arc<dyn Postman>) {
        let _ = self.postman.set(postman);
    }

    pub(crate) fn postman(&self) -> Option<&Arc<dyn Postman>> {
        self.postman.get()
    }

    /// Shares with these from now on, or with nobody. What is known of the same store stays known.
    pub(crate) fn share(&self, shared: Option<&Shared>) {
        let before = self.sharing.load();
        let clock = || self.clock.clone();
        let next = shared.map(|shared| Sharing::new(shared.clone(), clock(), before.get()));
        self.sharing.swap(next.map(Arc::new));
    }

    pub(crate) fn sharing(&self) -> Held<Sharing> {
        self.sharing.load()
    }

    /// How old the news of a shared store is; `None` where nobody shares.
    ///
    /// # Errors
    ///
    /// `revocation_unavailable`, `revocation_stale`.
    #[inline]
    pub(super) fn check_news(&self, now: NumericDate) -> Result<Option<Span>, Error> {
        match self.sharing.load().get() {
            None => Ok(None),
            Some(sharing) => sharing.check(now, self.postman.get()).map(Some),
        }
    }

    /// What was written so far. Read it before the shelves.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Everything there is, for one verification.
    pub(crate) fn shelves(&self) -> impl std::ops::Deref<Target = Arc<Shelves>> {
        self.shelves.load()
    }

    pub(crate) fn hash(&self, kind: HandleKind, scope: &str, value: &str) -> HandleHash {
        self.hasher.hash(kind, scope, value)
    }

    /// Puts a change into force, whoever made it: every verification that begins after this returns
    /// sees it. Returns the epoch, which is the one before where nothing has changed.
    pub(crate) fn apply(&self, change: &Change, now: NumericDate) -> u64 {
        self.learn(change.known(), now)
    }

    /// As [`RevocationStore::apply`].
    pub(crate) fn learn(&self, known: Known<'_>, now: NumericDate) -> u64 {
        let hash = self.hash(known.kind, known.scope, known.value);
        self.write(known.kind, hash, |before| known.told.after(before, now))
    }

    /// Writes what `entry` makes of what is known; for `None` nothing has changed.
    pub(super) fn write(
        &self,
        kind: HandleKind,
        hash: HandleHash,
        entry: impl FnOnce(Option<Entry>) -> Option<Entry>,
    ) -> u64 {
        let locks = self.locks();
        let writing = lock(&locks.writing);
        let shelves = self.shelves.load_full();
        let shelf = shelves.of(kind);
        let before = shelf.get(hash);
        let Some(entry) = entry(before) else {
            if before.is_some() {
                // Whoever put it there may have been forked away before this.
                shelf.filter.insert(hash);
            }
            return self.epoch();
        };
        let written = shelf.newest().is_some_and(|newest| newest.put(hash, entry));
        if written {
            // After the entry: a filter that says "look" leads to something.
            shelf.filter.insert(hash);
        } else {
            let shelf = shelf.with_another_table();
            if let Some(newest) = shelf.newest() {
                newest.put(hash, entry);
            }
            shelf.filter.insert(hash);
            self.replace(&shelves, kind, shelf);
        }
        let epoch = self.raise();
        drop(writing);
        epoch
    }

    /// What was written can be found.
    pub(super) fn raise(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Makes sealed tables part of their base, and forgets what has ended. Takes as long as there
    /// are entries, and holds up nobody else; does nothing where no table has been sealed.
    pub(crate) fn merge(&self, now: NumericDate) {
        let locks = self.locks();
        // Whoever is at it already does it, or fills the store and leaves it to the next.
        let Ok(merging) = locks.merging.try_lock() else {
            return;
        };
        for kind in HandleKind::ALL {
            let before = self.shelves.load_full();
            let before = before.of(kind);
            let Some(sealed) = before.sealed() else {
                continue;
            };
            // The oldest first, so that the newest counts.
            let base = before.base.merge(newer(sealed), now);
            let filter = base.filter();
            let writing = lock(&locks.writing);
            let shelves = self.shelves.load_full();
            let mut overlays = shelves.of(kind).overlays.clone();
            overlays.truncate(overlays.len().saturating_sub(sealed.len()));
            for overlay in &overlays {
                overlay.iter().for_each(|(hash, _)| filter.insert(hash));
            }
            let shelf = Shelf {
                filter: Arc::new(filter),
                overlays,
                base: Arc::new(base),
            };
            self.replace(&shelves, kind, shelf);
            drop(writing);
        }
        drop(merging);
    }

    /// Whether [`RevocationStore::merge`] has something to do.
    pub(crate) fn wants_merging(&self) -> bool {
        let shelves = self.shelves.load();
        shelves.0.iter().any(|shelf| shelf.sealed().is_some())
    }

    pub(crate) fn stats(&self) -> RevocationStats {
        let epoch = self.epoch();
        let shelves = self.shelves.load();
        let tables = || shelves.0.iter().flat_map(|shelf| &shelf.overlays);
        let bases = || shelves.0.iter().map(|shelf| &shelf.base);
        let filters = shelves.0.iter().map(|shelf| shelf.filter.size());
        RevocationStats {
            entries: tables().map(|table| table.len()).sum::<usize>()
                + bases().map(|base| base.len()).sum::<usize>(),
            bytes: tables().map(|table| table.size()).sum::<usize>()
                + bases().map(|base| base.size()).sum::<usize>()
                + filters.sum::<usize>(),
            epoch,
        }
    }

    /// Only whoever holds the writers' lock may: nobody else has replaced `shelves` meanwhile.
    fn replace(&self, shelves: &Arc<Shelves>, kind: HandleKind, shelf: Shelf) {
        let mut next = shelves.0.clone();
        if let Some(place) = next.get_mut(usize::from(kind.number())) {
            *place = Arc::new(shelf);
        }
        self.shelves.replace(shelves, Arc::new(Shelves(next)));
    }
}

impl Shelves {
    #[expect(clippy::indexing_slicing, reason = "a shelf for each number")]
    fn of(&self, kind: HandleKind) -> &Shelf {
        &self.0[usize::from(kind.number())]
    }

    /// What is known of a handle, if anything is.
    #[inline]
    pub(crate) fn get(&self, kind: HandleKind, hash: HandleHash) -> Option<Entry> {
        let shelf = self.of(kind);
        if shelf.filter.may_hold(hash) {
            shelf.get(hash)
        } else {
            None
        }
    }
}

impl Shelf {
    pub(super) fn empty() -> Self {
        Self {
            filter: Arc::new(Filter::new(0)),
            overlays: Vec::new(),
            base: Arc::default(),
        }
    }

    pub(super) fn newest(&self) -> Option<&Overlay> {
        self.overlays.first().map(|overlay| &**overlay)
    }

    /// The tables that nobody writes any more.
    pub(super) fn sealed(&self) -> Option<&[Arc<Overlay>]> {
        let (_, sealed) = self.overlays.split_first()?;
        (!sealed.is_empty()).then_some(sealed)
    }

    pub(super) fn with_another_table(&self) -> Self {
        let size = self.base.table_size();
        // The first table brings the filter; later ones overfill it until the next merge.
        let filter = if self.overlays.is_empty() && self.base.len() == 0 {
            Arc::new(Filter::new(size))
        } else {
            Arc::clone(&self.filter)
        };
        let mut overlays = vec![Arc::new(Overlay::new(size))];
        overlays.extend(self.overlays.iter().map(Arc::clone));
        Self {
            filter,
            overlays,
            base: Arc::clone(&self.base),
        }
    }

    /// What is known, whatever the filter says.
    #[cold]
    pub(super) fn get(&self, hash: HandleHash) -> Option<Entry> {
        let mut overlays = self.overlays.iter();
        let newest = overlays.find_map(|overlay| overlay.get(hash));
        newest.or_else(|| self.base.get(hash))
    }
}
