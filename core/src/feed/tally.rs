//! [`Tally`]: how many things are about a handle, by its hash.

use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Tally(BTreeMap<u64, usize>);

impl Tally {
    /// One more.
    pub(super) fn add(&mut self, hash: u64) {
        *self.0.entry(hash).or_default() += 1;
    }

    /// One less.
    pub(super) fn take(&mut self, hash: u64) {
        if let Some(count) = self.0.get_mut(&hash) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&hash);
            }
        }
    }

    /// Forgets all about a handle, and says whether there was any.
    pub(super) fn forget(&mut self, hash: u64) -> bool {
        self.0.remove(&hash).is_some()
    }

    pub(super) fn has(&self, hash: u64) -> bool {
        self.0.contains_key(&hash)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    #[cfg(test)]
    #[cfg(not(sealgate_model))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
