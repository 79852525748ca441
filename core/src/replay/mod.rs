//! Who has been here before: used proofs, remembered while they could be used again (DP-13), by
//! this process or, in [`host`], by all of one host.
//!
//! [`ReplayGuard::insert`] is one atomic insert-if-absent, so of any number of threads that show
//! one proof exactly one is first. A bucket is an immutable list behind one pointer: who inserts
//! makes a longer list and swaps it in, unless another has; nobody waits. What has ended leaves
//! when its bucket is written. So that what nobody asks for again leaves too, each insertion looks
//! at some more buckets and empties those of which all has ended: beside each stands its last end,
//! which is read without the list. Nothing leaves before it has ended: at the cap newcomers are
//! refused, and never anybody forgotten.
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

/// Entries of a bucket at the cap. Of more buckets lists are shorter, which are copied whenever
/// they are written; of fewer, those of a few proofs stay in the processor's caches: 1 MiB for used
/// proofs.
const ENTRIES_EACH: usize = 64;
/// Buckets that an insertion looks at beside its own: two lines of a processor's cache.
const SWEPT_EACH: usize = 8;
/// Buckets swept by a newcomer that finds no room.
const SWEPT_AT_CAP: usize = 64;

/// Used proofs of one process.
pub(crate) struct ReplayGuard {
    /// A proof's identifier is chosen by a stranger; where it goes is not.
    seed: RandomState,
    buckets: Box<[Bucket]>,
    entries: AtomicUsize,
    most: usize,
    /// Where sweeping goes on.
    hand: AtomicUsize,
    /// The youngest moment of issue that was forgotten, as [`NumericDate::to_bits`].
    swept: AtomicU64,
}

struct Bucket {
    list: Slot<Vec<Used>>,
    /// When all of the list will have ended, as [`NumericDate::to_bits`]; 0 where nothing is there.
    /// Whoever writes the list raises it afterwards.
    end: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Used {
    /// Half of the digest: who makes two proofs with one half has one of them refused.
    key: u128,
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
        Self::with_buckets(most, most.div_ceil(ENTRIES_EACH))
    }

    fn with_buckets(most: usize, buckets: usize) -> Self {
        Self {
            seed: RandomState::new(),
            buckets: std::iter::repeat_with(Bucket::empty)
                .take(buckets)
                .collect(),
            entries: AtomicUsize::new(0),
            most,
            hand: AtomicUsize::new(0),
            swept: AtomicU64::new(0),
        }
    }

    /// Remembers a proof until its end, unless it is remembered already: then until the later of
    /// two ends. Times are the proof's, and `now` the verification's.
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
        for bucket in self.next(SWEPT_EACH) {
            self.empty(bucket, now);
        }
        self.reserve(now)?;
        let newcomer = Used {
            key: half(&key),
            issued_at,
            until,
        };
        let bucket = self.bucket(newcomer.key);
        let bucket = bucket.ok_or_else(|| Error::new(Code::Internal))?;
        loop {
            let held = bucket.list.load();
            let known = held.get().map_or(&[][..], Vec::as_slice);
            // Read after the bucket: who emptied it had raised it before.
            let swept = self.swept.load(Ordering::Acquire);
            let alike = known.iter().filter(|used| used.key == newcomer.key);
            let end = alike.map(|used| used.until).max();
            let seen = || Error::about(Code::Replayed, "jti");
            if end.is_some_and(|end| end >= until) || issued_at.to_bits() <= swept {
                self.entries.fetch_sub(1, Ordering::Relaxed);
                return Err(seen());
            }
            // Seen again where it lives longer, it is remembered for that too.
            if self.rewrite(bucket, &held, Some(newcomer), now) {
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
        let key = half(key);
        let held = self.bucket(key).map(|bucket| bucket.list.load());
        let known = held.as_ref().and_then(Held::get);
        known.is_some_and(|known| known.iter().any(|used| used.key == key))
    }

    /// How many it remembers, those among them that have ended and are not swept yet.
    pub(crate) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// How many it remembers at most.
    pub(crate) const fn capacity(&self) -> usize {
        self.most
    }

    fn bucket(&self, key: u128) -> Option<&Bucket> {
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
        for bucket in self.next(SWEPT_AT_CAP) {
            self.sweep(bucket, now);
        }
        if take() {
            return Ok(());
        }
        Err(Error::about(Code::ReplayFull, "jti"))
    }

    /// Empties a bucket, if all that is there has ended.
    fn empty(&self, bucket: &Bucket, now: NumericDate) {
        let end = bucket.end.load(Ordering::Relaxed);
        // Nobody who has written the list since is passed over: they raise the end, or it is read
        // below.
        let (set, read) = (Ordering::AcqRel, Ordering::Relaxed);
        if (1..now.to_bits()).contains(&end)
            && bucket.end.compare_exchange(end, 0, set, read).is_ok()
        {
            self.sweep(bucket, now);
        }
    }

    fn sweep(&self, bucket: &Bucket, now: NumericDate) {
        let held = bucket.list.load();
        let ended = |known: &Vec<Used>| known.iter().any(|used| used.until < now);
        if held.get().is_some_and(ended) {
            // Who comes between sweeps it too.
            self.rewrite(bucket, &held, None, now);
        }
    }

    /// The buckets under the hand, which moves on.
    fn next(&self, count: usize) -> &[Bucket] {
        let hand = self.hand.fetch_add(count, Ordering::Relaxed);
        let from = hand.checked_rem(self.buckets.len()).unwrap_or(0);
        let rest = self.buckets.get(from..).unwrap_or_default();
        rest.get(..count).unwrap_or(rest)
    }

    /// Puts a list there without what has ended and with the newcomer, if `held` is still there.
    fn rewrite(
        &self,
        bucket: &Bucket,
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
        let end = list.iter().map(|used| used.until.to_bits()).max();
        let list = (!list.is_empty()).then(|| std::sync::Arc::new(list));
        let done = bucket.list.put_if(held, list);
        if done {
            bucket.end.fetch_max(end.unwrap_or(0), Ordering::AcqRel);
            self.entries.fetch_sub(forgotten, Ordering::Relaxed);
        }
        done
    }
}

impl Drop for ReplayGuard {
    fn drop(&mut self) {
        let buckets = std::mem::take(&mut self.buckets);
        let lists = buckets.into_iter().map(|bucket| bucket.list);
        lists.for_each(Slot::retire);
    }
}

impl Bucket {
    fn empty() -> Self {
        Self {
            list: Slot::empty(),
            end: AtomicU64::new(0),
        }
    }
}

fn half(key: &ReplayKey) -> u128 {
    key.first_chunk()
        .map_or(0, |half| u128::from_ne_bytes(*half))
}

#[cfg(test)]
#[cfg(sealgate_model)]
mod model;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
