//! The keys of all issuers at one moment, each under a generation of its own.

use std::sync::Arc;

use super::KeySet;

/// Immutable: a publication makes a new ring that shares every other issuer's set.
#[derive(Clone, Debug)]
pub(crate) struct KeyRing {
    issuers: Vec<Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    set: Option<Arc<KeySet>>,
    /// Raised whenever the set changes; 0 is "never had one".
    generation: u64,
}

impl KeyRing {
    /// A ring for this many issuers, none of which has keys yet.
    pub(crate) fn new(issuers: usize) -> Self {
        Self {
            issuers: vec![Entry::default(); issuers],
        }
    }

    /// The keys of the issuer at `position`.
    pub(crate) fn set(&self, position: usize) -> Option<&Arc<KeySet>> {
        self.issuers.get(position)?.set.as_ref()
    }

    /// The generation of the issuer's keys.
    pub(crate) fn generation(&self, position: usize) -> u64 {
        self.issuers
            .get(position)
            .map_or(0, |entry| entry.generation)
    }

    /// Whether every issuer's keys are those of `other`, of the same policy.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let generations = |ring: &Self| {
            ring.issuers
                .iter()
                .map(|entry| entry.generation)
                .sum::<u64>()
        };
        self.issuers.len() == other.issuers.len() && generations(self) == generations(other)
    }

    /// This ring with other keys for one issuer, and whether they differ from those before: an
    /// identical set keeps its generation, and what was judged under it.
    pub(crate) fn with_published(&self, position: usize, set: Arc<KeySet>) -> (Self, bool) {
        let mut ring = self.clone();
        let changed = ring.replace(position, Some(set));
        (ring, changed)
    }

    /// Gives the issuer at `position` its first set in this ring, continuing the generations of
    /// the ring before a reload.
    pub(crate) fn inherit(
        &mut self,
        position: usize,
        set: Option<Arc<KeySet>>,
        before: Option<(&Self, usize)>,
    ) {
        let before = before.and_then(|(ring, position)| ring.issuers.get(position));
        if let (Some(entry), Some(before)) = (self.issuers.get_mut(position), before) {
            *entry = before.clone();
        }
        self.replace(position, set);
    }

    fn replace(&mut self, position: usize, set: Option<Arc<KeySet>>) -> bool {
        let Some(entry) = self.issuers.get_mut(position) else {
            return false;
        };
        let same = match (&entry.set, &set) {
            (Some(old), Some(new)) => old.is_same(new),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            entry.set = set;
            entry.generation += 1;
        }
        !same
    }
}
