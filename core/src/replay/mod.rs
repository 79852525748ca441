//! Who has been here before: used proofs, remembered while they could be used again (DP-13), by this
//! process or, in [`host`], by all of one host.
//!
//! [`ReplayGuard::insert`] is one atomic insert-if-absent, so of any number of threads that show one
//! proof exactly one is first. A bucket is an immutable list behind one pointer: who inserts makes
//! a longer list and swaps it in, unless another has; nobody waits. What has ended leaves when its
//! bucket is written, and two more buckets are swept at each insertion, so that what nobody asks
//! for again leaves too. Nothing leaves before it has ended: at the cap newcomers are refused, and
//! never anybody forgotten.
//!
//! A clock that is set back cannot reopen what has left: `swept` is the youngest moment of issue
//! that was ever forgotten, and what is no younger counts as seen.

mod fleet;
mod host;
mod told;

use std::hash::{BuildHasher, RandomState};

pub(crate) use fleet::{Desk, Silence, Task, Turn, Unanswered, UsedProofs};
pub(crate) use host::HostTable;
pub(crate) use told::ToldBefore;

use crate::error::{Code, Error};
use crate::sync::{AtomicU64, AtomicUsize, Held, Ordering, Slot};
use crate::time::NumericDate;

/// A digest of whatever identifies a proof.
pub(crate) type ReplayKey = [u8; 32];

/// Buckets: 256 KiB of pointers, and eight entries in each at 260,000 proofs.
const BUCKETS: usize = 32_768;
/// Buckets swept beside the one that is written.
const SWEPT_EACH: usize = 2;
/// Buckets swept by a newcomer that finds no room.
const SWEPT_AT_CAP: usize = 64;

/// Used proofs of one process.
pub(crate) struct ReplayGuard {
    /// A proof's identifier is chosen by a stranger; where it goes is not.
    seed: RandomState,
    buckets: Box<[Slot<Vec<Used>>]>,
    entries: AtomicUsize,
    most: usize,
    /// Where sweeping goes on.
    hand: AtomicUsize,
    /// The youngest moment of issue that was forgotten, as [`NumericDate::to_bits`].
    swept: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Used {
    key: ReplayKey,
    issued_at: NumericDate,
    /// The last moment it could be used again.
    until: NumericDate,
}

/// Who remembers used proofs, where the program need not.
#[derive(Clone, Copy)]
pub(crate) enum Memory<'m> {
    /// This process.
    Process(&'m ReplayGuard),
    /// All processes of this host.
    Host(&'m HostTable),
    /// A server, for all hosts: it is waited for.
    Fleet(&'m dyn UsedProofs),
}

/// Evidence that a proof was not used before, as far as is remembered.
#[derive(Debug)]
pub(crate) struct FirstUse(());

impl ReplayGuard {
    /// A guard that remembers at most `most` proofs at once.
    pub(crate) fn new(most: usize) -> Self {
        Self::with_buckets(most, BUCKETS)
    }

    fn with_buckets(most: usize, buckets: usize) -> Self {
        Self {
            seed: RandomState::new(),
            buckets: std::iter::repeat_with(Slot::empty).take(buckets).collect(),
            entries: AtomicUsize::new(0),
            most,
            hand: AtomicUsize::new(0),
            swept: AtomicU64::new(0),
        }
    }

    /// Remembers a proof until its end, unless it is remembered already: then until the later of two
    /// ends. Times are the proof's, and `now` the verification's.
    ///
    /// # Errors
    ///
    /// `replayed`, and `replay_full` where it cannot be remembered.
    pub(crate) fn insert(
        &self,
        key: ReplayKey,
        issued_at: NumericDate,
        until: NumericDate,
        now: NumericDate,
    ) -> Result<FirstUse, Error> {
        for _ in 0..SWEPT_EACH {
            self.sweep_next(now);
        }
        self.reserve(now)?;
        let newcomer = Used {
            key,
            issued_at,
            until,
        };
        let slot = self.slot(&key).ok_or_else(|| Error::new(Code::Internal))?;
        loop {
            let held = slot.load();
            let known = held.get().map_or(&[][..], Vec::as_slice);
            // Read after the bucket: who emptied it had raised it before.
            let swept = self.swept.load(Ordering::Acquire);
            let alike = known.iter().filter(|used| used.key == key);
            let end = alike.map(|used| used.until).max();
            let seen = || Error::about(Code::Replayed, "jti");
            if end.is_some_and(|end| end >= until) || issued_at.to_bits() <= swept {
                self.entries.fetch_sub(1, Ordering::Relaxed);
                return Err(seen());
            }
            // Seen again where it lives longer, it is remembered for that too.
            if self.rewrite(slot, &held, Some(newcomer), now) {
                return end.map_or(Ok(FirstUse(())), |_| Err(seen()));
            }
        }
    }

    /// Whether [`ReplayGuard::insert`] would call this proof replayed, without remembering it.
    pub(crate) fn has_seen(&self, key: &ReplayKey, issued_at: NumericDate) -> bool {
        self.holds(key) || issued_at.to_bits() <= self.swept.load(Ordering::Acquire)
    }

    /// Whether it is remembered, and not merely older than what was forgotten.
    fn holds(&self, key: &ReplayKey) -> bool {
        let held = self.slot(key).map(Slot::load);
        let known = held.as_ref().and_then(Held::get);
        known.is_some_and(|known| known.iter().any(|used| used.key == *key))
    }

    /// How many it remembers, those among them that have ended and are not swept yet.
    pub(crate) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// How many it remembers at most.
    pub(crate) const fn capacity(&self) -> usize {
        self.most
    }

    fn slot(&self, key: &ReplayKey) -> Option<&Slot<Vec<Used>>> {
        let buckets = u64::try_from(self.buckets.len()).ok()?;
        let position = self.seed.hash_one(key).checked_rem(buckets)?;
        self.buckets.get(usize::try_from(position).ok()?)
    }

    /// Takes a place, which an insertion keeps or gives back.
    fn reserve(&self, now: NumericDate) -> Result<(), Error> {
        let take = || {
            let more = |entries: usize| (entries < self.most).then_some(entries + 1);
            let (set, read) = (Ordering::Relaxed, Ordering::Relaxed);
            self.entries.fetch_update(set, read, more).is_ok()
        };
        if take() {
            return Ok(());
        }
        for _ in 0..SWEPT_AT_CAP {
            self.sweep_next(now);
        }
        if take() {
            return Ok(());
        }
        Err(Error::about(Code::ReplayFull, "jti"))
    }

    fn sweep_next(&self, now: NumericDate) {
        let hand = self.hand.fetch_add(1, Ordering::Relaxed);
        let position = hand.checked_rem(self.buckets.len()).unwrap_or(0);
        let Some(slot) = self.buckets.get(position) else {
            return;
        };
        let held = slot.load();
        let ended = |known: &Vec<Used>| known.iter().any(|used| used.until < now);
        if held.get().is_some_and(ended) {
            // Who comes between sweeps it too.
            self.rewrite(slot, &held, None, now);
        }
    }

    /// Puts a list there without what has ended and with the newcomer, if `held` is still there.
    fn rewrite(
        &self,
        slot: &Slot<Vec<Used>>,
        held: &Held<Vec<Used>>,
        newcomer: Option<Used>,
        now: NumericDate,
    ) -> bool {
        let known = held.get().map_or(&[][..], Vec::as_slice);
        let mut list = Vec::with_capacity(known.len() + 1);
        let mut swept = None;
        for used in known {
            if used.until < now {
                swept = swept.max(Some(used.issued_at));
            } else {
                list.push(*used);
            }
        }
        let forgotten = known.len() - list.len();
        list.extend(newcomer);
        if let Some(issued_at) = swept {
            // Before it can be missed.
            self.swept.fetch_max(issued_at.to_bits(), Ordering::AcqRel);
        }
        let list = (!list.is_empty()).then(|| std::sync::Arc::new(list));
        let done = slot.put_if(held, list);
        if done {
            self.entries.fetch_sub(forgotten, Ordering::Relaxed);
        }
        done
    }
}

impl Drop for ReplayGuard {
    fn drop(&mut self) {
        let buckets = std::mem::take(&mut self.buckets);
        buckets.into_iter().for_each(Slot::retire);
    }
}

#[cfg(test)]
#[cfg(sealgate_model)]
mod model;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
