//! All but the newest entries of one kind: sorted, and never changed.

use rayon::ThreadPoolBuilder;
use rayon::slice::ParallelSliceMut;

use super::entry::{Entry, Told};
use super::filter::Filter;
use super::hash::HandleHash;
use crate::time::NumericDate;

/// Records that are worth threads to sort them.
const MANY: usize = 20_000;
/// A table beside a base holds at least so much of it: merging costs an entry this many copies.
const SHARE: usize = 16;
/// Entries of the first table.
const FIRST: usize = 1024;

/// 24 bytes an entry, and nothing beside them.
#[derive(Default)]
pub(super) struct Base {
    records: Box<[Record]>,
}

#[derive(Clone, Copy)]
struct Record {
    hash: HandleHash,
    /// As [`Entry::to_bits`].
    entry: u64,
}

/// What an engine brings of one kind, in any order.
#[derive(Default)]
pub(super) struct Brought(Vec<Record>);

impl Brought {
    pub(super) fn push(&mut self, hash: HandleHash, entry: Entry) {
        let entry = entry.to_bits();
        self.0.push(Record { hash, entry });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sorted, each hash once.
    fn sorted(self) -> Vec<Record> {
        let mut records = self.0;
        sort(&mut records);
        records.dedup_by(|other, kept| {
            let same = other.hash == kept.hash;
            if same {
                kept.entry = kept.entry().with(other.entry()).to_bits();
            }
            same
        });
        records
    }
}

/// On a pool of its own where there are many: a child that was forked has rayon's common pool and
/// none of its threads.
fn sort(records: &mut [Record]) {
    let hash = |record: &Record| record.hash;
    let pool = (records.len() >= MANY).then(|| ThreadPoolBuilder::new().build());
    match pool {
        Some(Ok(pool)) => pool.install(|| records.par_sort_unstable_by_key(hash)),
        Some(Err(_)) | None => records.sort_unstable_by_key(hash),
    }
}

impl Record {
    fn entry(&self) -> Entry {
        Entry::from_bits(self.entry)
    }
}

impl Base {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// A filter stands before it: what is looked for is nearly always there.
    pub(super) fn get(&self, hash: HandleHash) -> Option<Entry> {
        let found = self
            .records
            .binary_search_by_key(&hash, |record| record.hash);
        let record = self.records.get(found.ok()?)?;
        Some(Entry::from_bits(record.entry))
    }

    /// A base of these and newer entries; of two with one hash the later in `newer` counts. What
    /// has ended by `now` is left out.
    pub(super) fn merge(
        &self,
        newer: impl Iterator<Item = (HandleHash, Entry)>,
        now: NumericDate,
    ) -> Self {
        let mut newer: Vec<_> = newer.collect();
        newer.reverse();
        newer.sort_by_key(|(hash, _)| *hash); // stable: the latest of each hash comes first
        newer.dedup_by_key(|(hash, _)| *hash);
        let mut newer = newer.into_iter().peekable();
        let mut records = Vec::with_capacity(self.records.len() + newer.len());
        let mut keep = |hash, entry: Entry| {
            if !entry.can_go(now) {
                let entry = entry.to_bits();
                records.push(Record { hash, entry });
            }
        };
        for record in &self.records {
            while let Some((hash, entry)) = newer.next_if(|(hash, _)| *hash < record.hash) {
                keep(hash, entry);
            }
            match newer.next_if(|(hash, _)| *hash == record.hash) {
                Some((hash, entry)) => keep(hash, entry),
                None => keep(record.hash, Entry::from_bits(record.entry)),
            }
        }
        newer.for_each(|(hash, entry)| keep(hash, entry));
        records.shrink_to_fit();
        Self {
            records: records.into(),
        }
    }

    /// A base of these and what an engine brings, which comes later. What can go by `now` is left
    /// out.
    pub(super) fn union(&self, brought: Brought, now: NumericDate) -> Self {
        let mut brought = brought.sorted();
        let after = |record: Record, before: Option<Entry>| {
            let told = Told::later(record.entry());
            let after = told.after(before, now).or(before);
            let entry = after.filter(|after| !after.can_go(now))?.to_bits();
            Some(Record { entry, ..record })
        };
        if self.records.is_empty() {
            brought.retain(|record| after(*record, None).is_some());
            return Self {
                records: brought.into(),
            };
        }
        let mut brought = brought.into_iter().peekable();
        let mut records = Vec::with_capacity(self.records.len() + brought.len());
        for own in &self.records {
            while let Some(other) = brought.next_if(|other| other.hash < own.hash) {
                records.extend(after(other, None));
            }
            match brought.next_if(|other| other.hash == own.hash) {
                Some(other) => records.extend(after(other, Some(own.entry()))),
                None => records.push(*own),
            }
        }
        records.extend(brought.filter_map(|other| after(other, None)));
        records.shrink_to_fit();
        Self {
            records: records.into(),
        }
    }

    /// A filter for these, and for as many as a table beside them holds.
    pub(super) fn filter(&self) -> Filter {
        let filter = Filter::new(self.len() + self.table_size());
        let hashes = self.records.iter().map(|record| record.hash);
        hashes.for_each(|hash| filter.insert(hash));
        filter
    }

    /// Entries of a table beside this base.
    pub(super) fn table_size(&self) -> usize {
        (self.len() / SHARE).max(FIRST)
    }

    /// Bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.records.len() * size_of::<Record>()
    }
}
