//! The keys of all issuers at one moment, each under a generation of its own.

use std::sync::Arc;

use super::{KeySet, SetKey, Watch};
use crate::error::{Code, Error};
use crate::jwa::Algorithm;
use crate::time::NumericDate;

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
    /// Of an issuer whose keys are fetched.
    watch: Option<Arc<Watch>>,
}

impl KeyRing {
    /// A ring for this many issuers, none of which has keys yet.
    pub(crate) fn new(issuers: usize) -> Self {
        Self {
            issuers: vec![Entry::default(); issuers],
        }
    }

    /// The keys of the issuer at `position`, trusted or not.
    pub(crate) fn set(&self, position: usize) -> Option<&Arc<KeySet>> {
        self.issuers.get(position)?.set.as_ref()
    }

    /// Whether the issuer at `position` has a key of this thumbprint.
    pub(crate) fn has(&self, position: usize, thumbprint: &str) -> bool {
        let mut keys = self.set(position).into_iter().flat_map(|set| set.iter());
        keys.any(|key| *key.thumbprint() == *thumbprint)
    }

    /// Where verification and fetching meet, for an issuer whose keys are fetched.
    pub(crate) fn watch(&self, position: usize) -> Option<&Arc<Watch>> {
        self.issuers.get(position)?.watch.as_ref()
    }

    /// The generation of the issuer's keys.
    pub(crate) fn generation(&self, position: usize) -> u64 {
        self.issuers
            .get(position)
            .map_or(0, |entry| entry.generation)
    }

    /// Whether what an earlier generation of the issuer's keys vouched for still stands.
    #[inline]
    pub(crate) fn stands(&self, position: usize, generation: u64, now: NumericDate) -> bool {
        let entry = self.issuers.get(position);
        entry.is_some_and(|entry| {
            entry.look_after(now);
            entry.generation == generation && entry.is_trusted(now)
        })
    }

    /// The key for a token of the issuer at `position` (KEY-01). That the issuer has no keys, or
    /// perhaps a newer one, is an outage and not the token's fault.
    pub(crate) fn select(
        &self,
        position: usize,
        algorithm: Algorithm,
        kid: Option<&str>,
        now: NumericDate,
    ) -> Result<&SetKey, Error> {
        let entry = self.issuers.get(position);
        let entry = entry.ok_or_else(|| Error::new(Code::Internal))?;
        let set = entry.set.as_ref().filter(|set| !set.is_empty());
        let Some(set) = set.filter(|_| entry.is_trusted(now)) else {
            let watch = entry.watch.as_ref();
            let code = watch.map_or(Code::KeysUnavailable, |watch| watch.without_keys(now));
            return Err(Error::new(code));
        };
        entry.look_after(now);
        set.select(algorithm, kid).map_err(|error| {
            let unknown = kid.filter(|kid| error.code() == Code::KeyNotFound && !set.has(kid));
            match (&entry.watch, unknown) {
                (Some(watch), Some(kid)) => {
                    let code = watch.without_kid(kid, entry.generation, now);
                    Error::about(code, "kid")
                }
                (None, _) | (_, None) => error,
            }
        })
    }

    /// Whether every issuer's keys are those of `other`, of the same policy.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let generations = |ring: &Self| {
            ring.issuers
                .iter()
                .map(|entry| entry.generation)
                .sum::<u64>()
        };
        // Where keys are fetched from elsewhere, or by other rules, the watch is another.
        let watches = |(a, b): (&Entry, &Entry)| match (&a.watch, &b.watch) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.issuers.len() == other.issuers.len()
            && generations(self) == generations(other)
            && self.issuers.iter().zip(&other.issuers).all(watches)
    }

    /// This ring with other keys for one issuer; `None` where they are the same: an identical set
    /// keeps its generation, and what was judged under it.
    pub(crate) fn with_published(&self, position: usize, set: Arc<KeySet>) -> Option<Self> {
        if self.set(position).is_some_and(|own| own.is_same(&set)) {
            return None;
        }
        let mut ring = self.clone();
        ring.replace(position, Some(set)).then_some(ring)
    }

    /// Gives the issuer at `position` its first set in this ring, continuing the generations of
    /// the ring before a reload.
    pub(crate) fn inherit(
        &mut self,
        position: usize,
        set: Option<Arc<KeySet>>,
        watch: Option<Arc<Watch>>,
        before: Option<(&Self, usize)>,
    ) {
        let before = before.and_then(|(ring, position)| ring.issuers.get(position));
        if let (Some(entry), Some(before)) = (self.issuers.get_mut(position), before) {
            *entry = before.clone();
        }
        self.replace(position, set);
        if let Some(entry) = self.issuers.get_mut(position) {
            entry.watch = watch;
        }
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

impl Entry {
    /// Keys that are not fetched do not age.
    fn is_trusted(&self, now: NumericDate) -> bool {
        self.watch
            .as_ref()
            .is_none_or(|watch| watch.is_trusted(now))
    }

    fn look_after(&self, now: NumericDate) {
        if let Some(watch) = &self.watch {
            watch.look_after(now);
        }
    }
}
