//! All that a store knows: what the snapshot says, and what the journal says after it.

use super::folder::Folder;
use super::journal::Tail;
use super::record::{Item, entry_of};
use super::snapshot::Snapshot;
use super::trouble::broken;
use crate::feed::FeedError;

/// A snapshot, and a journal that goes on behind it without a gap.
pub(super) struct State {
    snapshot: Option<Snapshot>,
    pub(super) tail: Tail,
    pub(super) promised: u64,
}

/// How much of the journal somebody wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All that is there.
    Whole,
    /// What is promised.
    Promised,
}

impl State {
    /// Opens what belongs together, whatever writers do meanwhile.
    pub(super) fn open(folder: &Folder) -> Result<Self, FeedError> {
        folder.surely(|| {
            let promise = folder.promise_now()?;
            let tail = Tail::open(folder.journal(promise.first), folder.id, promise.first)?;
            let path = folder.file("snapshot");
            let snapshot = Snapshot::open(path.clone(), folder.id)?;
            let upto = snapshot.as_ref().map_or(0, |snapshot| snapshot.upto);
            if upto.saturating_add(1) < promise.first {
                let what = format!(
                    "it goes up to sequence {upto}, and the journal begins at {}: somebody took it \
                     away, or put an older copy there",
                    promise.first
                );
                return Err(broken(&path, &what));
            }
            if upto > promise.sequence {
                let what = format!(
                    "the store went back from sequence {upto}, which the snapshot has, to {}: \
                     somebody put an older copy there",
                    promise.sequence
                );
                return Err(broken(&folder.file("committed"), &what));
            }
            Ok(Self {
                snapshot,
                tail,
                promised: promise.sequence,
            })
        })
    }

    /// Each handle once, in order, with what holds of it. Returns how many entries and records
    /// could not be read; afterwards the tail stands behind the last record that counted.
    pub(super) fn each(
        &mut self,
        extent: Extent,
        take: &mut dyn FnMut(Item<'_>) -> Result<(), FeedError>,
    ) -> Result<u64, FeedError> {
        let upto = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.upto);
        let last = match extent {
            Extent::Whole => u64::MAX,
            Extent::Promised => self.promised,
        };
        let (mut held, mut ends) = (Vec::new(), Vec::new());
        while self.tail.sequence < last {
            let Some((sequence, record)) = self.tail.next()? else {
                break;
            };
            if sequence > upto {
                held.extend_from_slice(record);
                ends.push(held.len());
            }
        }
        self.tail.must_have(self.promised)?;
        let mut lines = Vec::with_capacity(ends.len());
        let (mut start, mut unreadable) = (0, 0);
        for end in ends {
            match held.get(start..end).and_then(Line::read) {
                Some(line) => lines.push(line),
                None => unreadable += 1,
            }
            start = end;
        }
        // Stable: the records of one handle stay in the order in which they were written.
        lines.sort_by(|one, other| one.key().cmp(&other.key()));
        let mut lines = Lines(&lines);
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.each(&mut |item| {
                while let Some(newer) = lines.before(&item) {
                    take(newer)?;
                }
                take(lines.on(item))
            })?;
            unreadable += snapshot.unreadable;
        }
        while let Some(newer) = lines.next() {
            take(newer)?;
        }
        Ok(unreadable)
    }
}

/// A record, for sorting: the rest is read when its turn comes.
#[derive(Clone, Copy)]
struct Line<'a> {
    kind: u8,
    scope: &'a str,
    value: &'a str,
    entry: &'a [u8],
}

impl<'a> Line<'a> {
    fn read(record: &'a [u8]) -> Option<Self> {
        let (_, _, entry) = entry_of(record)?;
        let (kind, scope, value) = Item::read(entry, &mut None)?.key();
        Some(Self {
            kind,
            scope,
            value,
            entry,
        })
    }

    fn key(&self) -> (u8, &'a str, &'a str) {
        (self.kind, self.scope, self.value)
    }

    fn item(&self) -> Option<Item<'a>> {
        Item::read(self.entry, &mut None)
    }
}

/// Sorted records, of which those of one handle are taken together.
struct Lines<'l, 'a>(&'l [Line<'a>]);

impl<'a> Lines<'_, 'a> {
    fn next(&mut self) -> Option<Item<'a>> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        first.item().map(|item| self.on(item))
    }

    /// The next, where it is of a handle that comes before this one's.
    fn before(&mut self, item: &Item<'_>) -> Option<Item<'a>> {
        let first = self.0.first()?;
        if first.key() < item.key() {
            self.next()
        } else {
            None
        }
    }

    /// What holds of the handle after the records of it that come next.
    fn on<'b>(&mut self, item: Item<'b>) -> Item<'b>
    where
        'a: 'b,
    {
        let mut holds = item;
        while let Some((first, rest)) = self.0.split_first()
            && first.key() == item.key()
        {
            if let Some(newer) = first.item() {
                holds = newer.after(holds);
            }
            self.0 = rest;
        }
        holds
    }
}
