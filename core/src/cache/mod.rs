//! A bounded cache of what cannot change about tokens already judged.
//!
//! It is keyed by the exact bytes: the hash is seeded at random, and every hit compares the whole
//! token. Looking up takes no lock: one bucket, which is two neighbouring cache lines of hashes and
//! pointers, and the entry. A bucket holds eight entries, so a flood of tokens made to collide can
//! push out those of one bucket, and no more. An entry lives as long as its token and the stamp it
//! was made under; whoever looks up says whether that stamp still stands.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::sync::{AtomicU64, AtomicUsize, Held, Ordering, Slot};
use crate::time::NumericDate;

/// Entries of a line: four hashes and four pointers fill a cache line.
const LINE: usize = 4;
/// Entries of a bucket.
const WAYS: usize = 2 * LINE;
/// Places for each entry that was asked for. Buckets fill unevenly: of as many tokens as there are
/// places, one in seven would find its bucket full; of half as many, one in a hundred.
const PLACES: usize = 2;
/// What an entry costs beside the token and its value: two allocations and their headers.
const OVERHEAD: usize = 128;
/// Set in a tag when its entry is hit, cleared when a newcomer passes it over.
const RECENT: u64 = 1;
/// Counters are striped so that threads that only hit do not write to one line.
const STRIPES: usize = 16;

/// What a verdict was reached under: the generation of the issuer's keys. Equal stamps mean that
/// nothing has changed; a change of policy begins with a new cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(pub(crate) u64);

/// Counters of a token cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Look-ups that found a verdict still standing.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Entries pushed out by others, or dropped because they no longer stood.
    pub evictions: u64,
    /// Entries held now.
    pub entries: usize,
    /// Bytes held now, tokens and claims included.
    pub bytes: usize,
    /// The most bytes it may hold.
    pub capacity: usize,
}

pub(crate) struct TokenCache<V> {
    seed: foldhash::quality::RandomState,
    buckets: Box<[Bucket<V>]>,
    max_bytes: usize,
    bytes: AtomicUsize,
    entries: AtomicUsize,
    /// Where the search for bytes to free goes on.
    hand: AtomicUsize,
    counters: Arc<Counters>,
}

/// What only ever grows, over all caches that follow one another.
#[derive(Default)]
struct Counters {
    stripes: [Stripe; STRIPES],
    evictions: AtomicU64,
}

/// Two lines, each the first one for half of the bucket's tokens: the other takes what does not
/// fit.
#[repr(align(128))]
struct Bucket<V> {
    lines: [Line<V>; 2],
}

#[repr(align(64))]
struct Line<V> {
    tags: [AtomicU64; LINE],
    slots: [Slot<Entry<V>>; LINE],
}

/// Where an entry is, or could be: its tag and itself.
type Place<'c, V> = (&'c AtomicU64, &'c Slot<Entry<V>>);

#[repr(align(128))]
#[derive(Default)]
struct Stripe {
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Entry<V> {
    door: u32,
    stamp: Stamp,
    end: NumericDate,
    size: usize,
    value: V,
    token: Box<[u8]>,
}

impl<V: Clone> TokenCache<V> {
    /// A cache for about `tokens` entries of at most `max_bytes` together; 0 never stores. It is
    /// empty, and counts on from where `previous` stood.
    pub(crate) fn new(tokens: usize, max_bytes: usize, previous: Option<&Self>) -> Self {
        let buckets = if tokens == 0 {
            0
        } else {
            let places = tokens.saturating_mul(PLACES);
            places.div_ceil(WAYS).next_power_of_two()
        };
        Self {
            seed: foldhash::quality::RandomState::default(),
            buckets: std::iter::repeat_with(Bucket::empty)
                .take(buckets)
                .collect(),
            max_bytes,
            bytes: AtomicUsize::new(0),
            entries: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
            counters: previous.map_or_else(Arc::default, |before| Arc::clone(&before.counters)),
        }
    }

    /// Whether it ever remembers anything.
    pub(crate) fn stores(&self) -> bool {
        !self.buckets.is_empty()
    }

    /// What was put for this token at this door, if the token has not ended and `stands` says that
    /// the stamp still holds. An entry that no longer stands is dropped.
    pub(crate) fn get(
        &self,
        door: u32,
        token: &[u8],
        now: NumericDate,
        stands: impl Fn(&V, &Stamp) -> bool,
    ) -> Option<V> {
        if self.buckets.is_empty() {
            return None;
        }
        let tag = self.tag(door, token);
        let bucket = self.bucket(tag)?;
        'lines: for line in bucket.lines(tag) {
            for (way, slot) in line.ways() {
                let seen = way.load(Ordering::Relaxed);
                if seen & !RECENT != tag {
                    continue;
                }
                let held = slot.load();
                let Some(entry) = held.get() else { continue };
                if entry.door != door || *entry.token != *token {
                    continue;
                }
                if now >= entry.end || !stands(&entry.value, &entry.stamp) {
                    self.drop_entry(slot, &held);
                    break 'lines;
                }
                if seen & RECENT == 0 {
                    way.store(tag | RECENT, Ordering::Relaxed);
                }
                self.count(|stripe| &stripe.hits);
                return Some(entry.value.clone());
            }
        }
        self.count(|stripe| &stripe.misses);
        None
    }

    /// Remembers `value`, whose heap size is `value_size`, until `end`.
    pub(crate) fn put(
        &self,
        door: u32,
        token: &[u8],
        stamp: Stamp,
        end: NumericDate,
        value: V,
        value_size: usize,
    ) {
        if self.buckets.is_empty() {
            return;
        }
        let tag = self.tag(door, token);
        let size = token
            .len()
            .saturating_add(value_size)
            .saturating_add(OVERHEAD);
        let Some(bucket) = self.bucket(tag).filter(|_| size <= self.max_bytes) else {
            return;
        };
        self.make_room(size);
        let entry = Entry {
            door,
            stamp,
            end,
            size,
            value,
            token: token.into(),
        };
        if let Some((way, slot)) = bucket.place(tag) {
            // Counted before it can be seen, so that whoever drops it never counts below zero.
            self.entries.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(size, Ordering::Relaxed);
            let previous = slot.swap(Some(Arc::new(entry)));
            // Two writers of one place may leave the tag of one beside the entry of the other:
            // a miss until the place is taken again, never a wrong hit, since hits compare bytes.
            way.store(tag, Ordering::Relaxed);
            if let Some(previous) = previous {
                self.forget(&previous);
            }
        }
    }

    pub(crate) fn stats(&self) -> CacheStats {
        let sum = |counter: fn(&Stripe) -> &AtomicU64| {
            self.counters
                .stripes
                .iter()
                .map(|stripe| counter(stripe).load(Ordering::Relaxed))
                .sum()
        };
        CacheStats {
            hits: sum(|stripe| &stripe.hits),
            misses: sum(|stripe| &stripe.misses),
            evictions: self.counters.evictions.load(Ordering::Relaxed),
            entries: self.entries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            capacity: self.max_bytes,
        }
    }

    /// The token's hash, never 0 and without the bit that marks recent use.
    fn tag(&self, door: u32, token: &[u8]) -> u64 {
        let hash = self.seed.hash_one((token, door));
        (hash | 2) & !RECENT
    }

    fn bucket(&self, tag: u64) -> Option<&Bucket<V>> {
        // The tag's low bits are spoken for, so the bucket comes from the high ones.
        let mask = self.buckets.len().checked_sub(1)?;
        let position = usize::try_from(tag >> 32).unwrap_or(0) & mask;
        self.buckets.get(position)
    }

    /// Frees entries, wherever the hand stands, until `size` more bytes fit.
    fn make_room(&self, size: usize) {
        // One turn visits every entry; more turns only chase other writers.
        for _ in 0..self.buckets.len() {
            if self.bytes.load(Ordering::Relaxed).saturating_add(size) <= self.max_bytes {
                return;
            }
            let hand = self.hand.fetch_add(1, Ordering::Relaxed) % self.buckets.len();
            for slot in self.buckets.get(hand).into_iter().flat_map(Bucket::slots) {
                self.drop_entry(slot, &slot.load());
            }
        }
    }

    fn drop_entry(&self, slot: &Slot<Entry<V>>, held: &Held<Entry<V>>) {
        if let Some(entry) = held.get()
            && slot.clear_if(held)
        {
            self.forget(entry);
        }
    }

    fn forget(&self, entry: &Entry<V>) {
        self.entries.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(entry.size, Ordering::Relaxed);
        self.counters.evictions.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, counter: impl Fn(&Stripe) -> &AtomicU64) {
        if let Some(stripe) = self.counters.stripes.get(stripe_of_this_thread()) {
            counter(stripe).fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<V> Drop for TokenCache<V> {
    fn drop(&mut self) {
        for bucket in std::mem::take(&mut self.buckets) {
            let slots = bucket.lines.into_iter().flat_map(|line| line.slots);
            slots.for_each(Slot::retire);
        }
    }
}

impl<V> Bucket<V> {
    fn empty() -> Self {
        Self {
            lines: [Line::empty(), Line::empty()],
        }
    }

    /// Its lines, the tag's own first.
    #[inline]
    fn lines(&self, tag: u64) -> [&Line<V>; 2] {
        let [even, odd] = &self.lines;
        if tag & 4 == 0 {
            [even, odd]
        } else {
            [odd, even]
        }
    }

    fn slots(&self) -> impl Iterator<Item = &Slot<Entry<V>>> {
        self.lines.iter().flat_map(|line| &line.slots)
    }

    /// Where a newcomer goes: an empty place, else one not hit since the last newcomer came by,
    /// else any. The same token takes its own place again.
    fn place(&self, tag: u64) -> Option<Place<'_, V>> {
        let ways = || self.lines(tag).into_iter().flat_map(Line::ways);
        let own = ways().find(|(way, _)| way.load(Ordering::Relaxed) & !RECENT == tag);
        let empty = || ways().find(|(_, slot)| slot.load().get().is_none());
        if let Some(place) = own.or_else(empty) {
            return Some(place);
        }
        let start = usize::try_from(tag >> 8 & 7).unwrap_or(0);
        for (way, slot) in ways().cycle().skip(start).take(WAYS) {
            let seen = way.load(Ordering::Relaxed);
            if seen & RECENT == 0 {
                return Some((way, slot));
            }
            way.store(seen & !RECENT, Ordering::Relaxed);
        }
        ways().nth(start)
    }
}

impl<V> Line<V> {
    fn empty() -> Self {
        Self {
            tags: std::array::from_fn(|_| AtomicU64::new(0)),
            slots: std::array::from_fn(|_| Slot::empty()),
        }
    }

    #[inline]
    fn ways(&self) -> impl Iterator<Item = Place<'_, V>> + Clone {
        self.tags.iter().zip(&self.slots)
    }
}

#[cfg(not(sealgate_model))]
fn stripe_of_this_thread() -> usize {
    use std::cell::Cell;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    STRIPE.with(|stripe| {
        if stripe.get() == usize::MAX {
            stripe.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        stripe.get()
    })
}

/// Counters do not decide anything: the model need not tell threads apart.
#[cfg(sealgate_model)]
fn stripe_of_this_thread() -> usize {
    0
}

#[cfg(test)]
#[cfg(sealgate_model)]
mod model;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
