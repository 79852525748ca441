//! [`Bag`]: what one process has for one store, whoever carries it there. Others take it over when a
//! thread cannot be started or has panicked, and when the policy names the store again that it
//! named before.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::kept::Kept;
use super::outbox::{Batch, Outbox, Owner, Sealing};
use super::{Engine, FeedError, Writer};
use crate::policy::StoreRules;
use crate::sync::{lock, process};
use crate::time::NumericDate;

/// Letters written at once.
const BATCH: usize = 512;

pub(super) struct Bag {
    pub(super) rules: Arc<StoreRules>,
    pub(super) engine: Arc<dyn Engine>,
    outbox: Mutex<Outbox>,
    /// How often the store had lost something when this was last looked at.
    losses: AtomicU64,
    /// Somebody was told that the store does not have everything.
    awaited: AtomicBool,
    /// Held while writing, so that letters go in their order and each of them once.
    writer: Mutex<Option<Box<dyn Writer>>>,
}

impl Bag {
    /// An empty one, and its first owner.
    pub(super) fn new(
        rules: &Arc<StoreRules>,
        engine: Arc<dyn Engine>,
        room: usize,
    ) -> (Self, Owner) {
        // Nobody would ask for it where a disk has everything.
        let kept = (!engine.is_local()).then(Kept::default);
        let outbox = Outbox::new(origin(), room, kept);
        let owner = outbox.owner();
        let bag = Self {
            rules: Arc::clone(rules),
            losses: AtomicU64::new(engine.losses()),
            engine,
            outbox: Mutex::new(outbox),
            awaited: AtomicBool::new(false),
            writer: Mutex::new(None),
        };
        (bag, owner)
    }

    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        lock(&self.outbox)
    }

    /// Changes that the store is not known to have.
    pub(super) fn undelivered(&self) -> usize {
        let outbox = self.outbox();
        if self.engine.is_local() {
            outbox.unsent_len() // what a disk has taken is there
        } else {
            outbox.len()
        }
    }

    /// Changes that it was never handed.
    pub(super) fn unsent(&self) -> usize {
        self.outbox().unsent_len()
    }

    /// Somebody is told that the store does not have everything, and wants to hear when it has.
    pub(super) fn await_delivery(&self) {
        self.awaited.store(true, Ordering::Release);
    }

    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.load(Ordering::Acquire)
    }

    /// It has everything. Says whether somebody is to hear of it: one of all who ask.
    pub(super) fn has_arrived(&self) -> bool {
        self.awaited.swap(false, Ordering::AcqRel)
    }

    /// The store may have lost what it was handed; a disk has not.
    pub(super) fn rewind(&self) {
        if !self.engine.is_local() {
            self.outbox().rewind();
        }
    }

    /// What the store had taken is to be written again where it has lost something since it was
    /// last looked at.
    pub(super) fn recall(&self, now: NumericDate) {
        let losses = self.engine.losses();
        if losses > self.losses.swap(losses, Ordering::AcqRel) {
            self.outbox().recall(now);
        }
    }

    /// Makes whoever asks the owner; `None` where it is sealed, and a new bag is needed. What the
    /// owner before was doing when it ended, nobody knows: it is done again.
    pub(super) fn take_over(&self) -> Option<Owner> {
        let rewinds = !self.engine.is_local();
        let mut outbox = self.outbox();
        let owner = outbox.take_over()?;
        if rewinds {
            outbox.rewind();
        }
        Some(owner)
    }

    /// As [`Outbox::seal`].
    pub(super) fn seal(&self, owner: Owner) -> Sealing {
        self.outbox().seal(owner)
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.outbox().is_sealed()
    }

    /// Hands the next letters to the engine; `None` where there are none.
    pub(super) fn write_next(&self) -> Option<Result<(), FeedError>> {
        let mut writer = lock(&self.writer);
        let batch = self.outbox().unsent(BATCH)?;
        let written = write_with(&mut writer, &*self.engine, &batch);
        if written.is_ok() {
            self.outbox().mark_sent(&batch);
        }
        Some(written)
    }
}

/// Writes with the writer there is, or a new one; one that has failed is dropped.
fn write_with(
    writer: &mut Option<Box<dyn Writer>>,
    engine: &dyn Engine,
    batch: &Batch,
) -> Result<(), FeedError> {
    let mut own = match writer.take() {
        Some(own) => own,
        None => engine.writer()?,
    };
    own.write(&batch.letters)?;
    *writer = Some(own);
    Ok(())
}

/// Tells this process's letters from everybody else's.
pub(super) fn origin() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(process())
}
