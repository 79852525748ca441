//! Many handles at once, as an engine brings them when a process begins or has missed something.

use std::sync::Arc;

use super::base::{Base, Brought};
use super::change::Known;
use super::entry::{Entry, Told};
use super::handle::HandleKind;
use super::hash::HandleHash;
use super::overlay::Overlay;
use super::store::{RevocationStore, Shelf, Shelves};
use crate::sync::lock;
use crate::time::NumericDate;

/// One a kind, by its number.
type Kinds<T> = [T; HandleKind::ALL.len()];

impl RevocationStore {
    /// Revokes and lifts whatever `source` brings, each handle once, as [`RevocationStore::learn`]
    /// would one by one; what has ended is left out. All of it is seen at once, in one epoch, which
    /// is returned; for an error of the source nothing has changed. Of a handle that comes twice,
    /// as a server may bring one that changes meanwhile, a lift counts less.
    ///
    /// What is revoked while the source is read comes after it: it stays. Verifications and those
    /// who revoke go on meanwhile; only [`RevocationStore::merge`] waits.
    pub(crate) fn fill<E>(
        &self,
        now: NumericDate,
        source: impl FnOnce(&mut dyn FnMut(Known<'_>)) -> Result<(), E>,
    ) -> Result<u64, E> {
        let locks = self.locks();
        let merging = lock(&locks.merging);
        let before = self.seal();
        let mut brought: Kinds<Brought> = Default::default();
        // Those that what is known already may have overtaken, and those that lift.
        let mut events: Kinds<Vec<(HandleHash, Told)>> = Default::default();
        source(&mut |known| {
            let Known {
                kind,
                scope,
                value,
                told,
            } = known;
            let hash = self.hash(kind, scope, value);
            let number = usize::from(kind.number());
            // Whatever counts by when it happened is as good as any where nothing else is known.
            let is_first = || !told.lifts() && before.get(kind, hash).is_none();
            let entry = match told.plain() {
                None if is_first() => told.after(None, now),
                plain => plain,
            };
            match entry {
                None => {
                    if let Some(events) = events.get_mut(number) {
                        events.push((hash, told));
                    }
                }
                Some(entry) if !told.lifts() && entry.has_ended(now) => {}
                Some(entry) => {
                    if let Some(brought) = brought.get_mut(number) {
                        brought.push(hash, entry);
                    }
                }
            }
        })?;
        let brought = brought.into_iter().zip(events).zip(&before.0);
        let mut bases = brought.map(|((brought, events), shelf)| {
            let settled = settled(events, shelf, now);
            if brought.is_empty() && settled.is_empty() {
                return None;
            }
            let sealed = shelf.sealed().unwrap_or_default();
            let base = if sealed.is_empty() && settled.is_empty() {
                shelf.base.union(brought, now)
            } else {
                let newer = newer(sealed).chain(settled);
                shelf.base.merge(newer, now).union(brought, now)
            };
            let filter = base.filter();
            Some((base, filter, sealed.len()))
        });
        let mut bases: Kinds<_> = std::array::from_fn(|_| bases.next().flatten());
        if bases.iter().all(Option::is_none) {
            drop(merging);
            return Ok(self.epoch());
        }

        let writing = lock(&locks.writing);
        let shelves = self.shelves.load_full();
        let mut filled = bases.iter_mut().zip(&shelves.0).map(|(base, shelf)| {
            base.take().map_or_else(
                || Arc::clone(shelf),
                |(base, filter, sealed)| {
                    let mut overlays = shelf.overlays.clone();
                    overlays.truncate(overlays.len().saturating_sub(sealed));
                    overlays.splice(0..0, joined(&overlays, &base));
                    for overlay in &overlays {
                        overlay.iter().for_each(|(hash, _)| filter.insert(hash));
                    }
                    Arc::new(Shelf {
                        filter: Arc::new(filter),
                        overlays,
                        base: Arc::new(base),
                    })
                },
            )
        });
        let empty = || Arc::new(Shelf::empty());
        let filled = std::array::from_fn(|_| filled.next().unwrap_or_else(empty));
        self.shelves.replace(&shelves, Arc::new(Shelves(filled)));
        let epoch = self.raise();
        drop(writing);
        drop(merging);
        Ok(epoch)
    }

    /// Begins another table on every shelf that has one, so that those below change no more.
    fn seal(&self) -> Arc<Shelves> {
        let locks = self.locks();
        let writing = lock(&locks.writing);
        let shelves = self.shelves.load_full();
        let sealed = shelves.0.each_ref().map(|shelf| match shelf.newest() {
            Some(newest) if newest.len() > 0 => Arc::new(shelf.with_another_table()),
            Some(_) | None => Arc::clone(shelf),
        });
        let sealed = Arc::new(Shelves(sealed));
        self.shelves.replace(&shelves, Arc::clone(&sealed));
        drop(writing);
        sealed
    }
}

/// The entries of tables, the oldest first.
pub(super) fn newer(sealed: &[Arc<Overlay>]) -> impl Iterator<Item = (HandleHash, Entry)> {
    sealed.iter().rev().flat_map(|overlay| overlay.iter())
}

/// What comes of events, in the order in which they were brought, beside what is known of their
/// handles.
fn settled(
    mut events: Vec<(HandleHash, Told)>,
    shelf: &Shelf,
    now: NumericDate,
) -> Vec<(HandleHash, Entry)> {
    events.sort_by_key(|(hash, _)| *hash);
    let of_one = events.chunk_by(|one, other| one.0 == other.0);
    let settled = of_one.filter_map(|events| {
        let (hash, _) = *events.first()?;
        let known = shelf.get(hash);
        let told = events.iter().map(|(_, told)| told);
        let after = told.fold(known, |known, told| told.after(known, now).or(known));
        after
            .filter(|after| known != Some(*after))
            .map(|after| (hash, after))
    });
    settled.collect()
}

/// A table with what was revoked in these and stands in the base too, both together: what was
/// written to them meanwhile knew nothing of what was brought.
fn joined(overlays: &[Arc<Overlay>], base: &Base) -> Option<Arc<Overlay>> {
    let of = |hash| overlays.iter().find_map(|overlay| overlay.get(hash));
    let hashes = overlays.iter().flat_map(|overlay| overlay.iter());
    let both: Vec<_> = hashes
        .filter_map(|(hash, _)| {
            let newest: Entry = of(hash)?;
            let sum = newest.on_top_of(base.get(hash)?);
            (sum != newest).then_some((hash, sum))
        })
        .collect();
    let table = Overlay::new(both.len());
    both.iter().for_each(|(hash, entry)| {
        table.put(*hash, *entry);
    });
    (!both.is_empty()).then(|| Arc::new(table))
}
