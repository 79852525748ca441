//! The newest entries of one kind: a table of fixed size that one writer fills while others read.

use super::entry::Entry;
use super::hash::HandleHash;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

/// Open addressing over three atomics a place. Entries are added and changed, never removed.
pub(super) struct Overlay {
    places: Box<[Place]>,
    entries: AtomicUsize,
}

struct Place {
    high: AtomicU64,
    /// Written last, read first; 0 while the place is empty.
    low: AtomicU64,
    entry: AtomicU64,
}

impl Overlay {
    /// For up to `entries` entries, with as many empty places among them.
    pub(super) fn new(entries: usize) -> Self {
        let empty = || Place {
            high: AtomicU64::new(0),
            low: AtomicU64::new(0),
            entry: AtomicU64::new(0),
        };
        Self {
            places: std::iter::repeat_with(empty)
                .take(entries.saturating_mul(2))
                .collect(),
            entries: AtomicUsize::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.places.len() / 2
    }

    pub(super) fn get(&self, hash: HandleHash) -> Option<Entry> {
        for place in self.places_from(hash) {
            let low = place.low.load(Ordering::Acquire);
            if low == 0 {
                return None;
            }
            if low == hash.low && place.high.load(Ordering::Relaxed) == hash.high {
                return Some(Entry::from_bits(place.entry.load(Ordering::Acquire)));
            }
        }
        None
    }

    /// Puts the entry there, in the place of an older one. Only whoever holds the writers' lock
    /// may; `false` where there is no room.
    pub(super) fn put(&self, hash: HandleHash, entry: Entry) -> bool {
        for place in self.places_from(hash) {
            let low = place.low.load(Ordering::Relaxed);
            if low == hash.low && place.high.load(Ordering::Relaxed) == hash.high {
                place.entry.store(entry.to_bits(), Ordering::Release);
                return true;
            }
            if low == 0 {
                if self.is_full() {
                    return false;
                }
                place.high.store(hash.high, Ordering::Relaxed);
                place.entry.store(entry.to_bits(), Ordering::Relaxed);
                place.low.store(hash.low, Ordering::Release);
                self.entries.fetch_add(1, Ordering::Relaxed);
                return true;
            }
        }
        false
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (HandleHash, Entry)> {
        self.places.iter().filter_map(|place| {
            let low = place.low.load(Ordering::Acquire);
            let high = place.high.load(Ordering::Relaxed);
            let entry = Entry::from_bits(place.entry.load(Ordering::Acquire));
            (low != 0).then_some((HandleHash { high, low }, entry))
        })
    }

    /// Bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.places.len() * size_of::<Place>()
    }

    /// The places where a hash may be, in order, each of them once.
    fn places_from(&self, hash: HandleHash) -> impl Iterator<Item = &Place> {
        let places = u64::try_from(self.places.len()).unwrap_or(0);
        let first = (hash.low >> 1).checked_rem(places).unwrap_or(0);
        let first = usize::try_from(first).unwrap_or(0);
        let (before, from) = self.places.split_at(first);
        from.iter().chain(before)
    }
}
