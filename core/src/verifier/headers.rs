//! Protected headers by their exact bytes.
//!
//! An issuer signs millions of tokens under a handful of headers, so a header once parsed is kept
//! and found again by comparing bytes. What is kept is only the parse: nothing about a header is
//! trusted for having been seen before. Strangers can displace entries and gain nothing but the
//! parse of an ordinary first sight.

use std::hash::BuildHasher;
use std::sync::Arc;

use crate::error::Error;
use crate::jws::ProtectedHeader;
use crate::limits::Limits;
use crate::sync::{Held, Slot};

/// Slots of the table; a power of two.
const SLOTS: usize = 64;
/// Longer headers carry keys or certificates and rarely repeat.
const LONGEST: usize = 512;

pub(super) struct Headers {
    seed: foldhash::fast::RandomState,
    slots: Vec<Slot<Seen>>,
}

struct Seen {
    segment: Box<[u8]>,
    header: Arc<ProtectedHeader>,
}

impl Headers {
    pub(super) fn new() -> Self {
        Self {
            seed: foldhash::fast::RandomState::default(),
            slots: std::iter::repeat_with(Slot::empty).take(SLOTS).collect(),
        }
    }

    /// The header of this segment, parsed now or before.
    pub(super) fn parse(
        &self,
        segment: &[u8],
        limits: Limits,
    ) -> Result<Arc<ProtectedHeader>, Error> {
        let slot = self.slot(segment);
        let held = slot.map(Slot::load);
        if let Some(seen) = held.as_ref().and_then(Held::get)
            && *seen.segment == *segment
        {
            return Ok(Arc::clone(&seen.header));
        }
        let header = Arc::new(ProtectedHeader::parse(segment, limits.into())?);
        if let Some(slot) = slot.filter(|_| segment.len() <= LONGEST) {
            slot.swap(Some(Arc::new(Seen {
                segment: segment.into(),
                header: Arc::clone(&header),
            })));
        }
        Ok(header)
    }

    fn slot(&self, segment: &[u8]) -> Option<&Slot<Seen>> {
        let mask = u64::try_from(SLOTS - 1).unwrap_or(0);
        let position = self.seed.hash_one(segment) & mask;
        self.slots.get(usize::try_from(position).ok()?)
    }
}
