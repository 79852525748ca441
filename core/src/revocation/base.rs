//! All but the newest entries of one kind: sorted, and never changed.

use super::entry::Entry;
use super::hash::HandleHash;
use crate::time::NumericDate;

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

    pub(super) fn hashes(&self) -> impl Iterator<Item = HandleHash> {
        self.records.iter().map(|record| record.hash)
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

    /// Bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.records.len() * size_of::<Record>()
    }
}
