//! No object may name a member twice, at any depth (JWS-08).
//!
//! Of two equal names one parser takes the first and another the last, so a token would mean two
//! things. Names are compared as unescaped: `"a\u006cg"` is `"alg"`.
//!
//! Two steps. While scanning, a [`Sieve`] compares one word for each name, which settles the usual
//! token. Where it cannot, because two words are equal or the names are many, every object is
//! looked at again, exactly.

use std::collections::HashSet;
use std::hash::RandomState;

use super::{Json, JsonError, Members, narrow};

/// What is known about the names of a text after one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// No object names a member twice.
    Distinct,
    /// Perhaps one does.
    Unsure,
}

/// How many names of objects that are still open the sieve holds.
const SIEVE: usize = 64;
/// How many words are compared at once.
const BLOCK: usize = 8;

/// One word for each name of the objects that are still open, the innermost last.
pub(super) struct Sieve {
    tags: [[u32; BLOCK]; SIEVE / BLOCK],
    len: usize,
    names: Names,
}

impl Sieve {
    pub(super) const fn new() -> Self {
        Self {
            tags: [[0; BLOCK]; SIEVE / BLOCK],
            len: 0,
            names: Names::Distinct,
        }
    }

    /// The place to hand to [`Sieve::leave`] for an object that starts here.
    pub(super) const fn enter(&self) -> usize {
        self.len
    }

    /// Notes a name, as unescaped, of the object that is this node.
    ///
    /// The object is part of the word, so names of others that are still about are no matter, and
    /// whole blocks can be compared: without a branch for each, and without a rest.
    #[inline(always)]
    pub(super) fn add(&mut self, object: usize, name: &[u8]) {
        let tag = tag(name) ^ narrow(object).wrapping_mul(0x9E37_79B1);
        let mut alike = false;
        for block in self.tags.iter().take(self.len.div_ceil(BLOCK)) {
            alike = block
                .iter()
                .fold(alike, |alike, earlier| alike | (*earlier == tag));
        }
        let slot = self.tags.as_flattened_mut().get_mut(self.len);
        if alike || slot.is_none() {
            self.names = Names::Unsure;
        }
        if let Some(slot) = slot {
            *slot = tag;
            self.len += 1;
        }
    }

    /// Forgets the names of the object that was entered at `from`.
    pub(super) const fn leave(&mut self, from: usize) {
        self.len = from;
    }

    /// What the names added so far came to.
    pub(super) const fn names(&self) -> Names {
        self.names
    }
}

/// Equal names have equal tags, and different ones hardly ever.
#[inline]
fn tag(name: &[u8]) -> u32 {
    match *name {
        [a, b, c, d, .., e, f, g, h] => {
            let head = u32::from_le_bytes([a, b, c, d]).wrapping_mul(0x9E37_79B1);
            head ^ u32::from_le_bytes([e, f, g, h]) ^ (narrow(name.len()) << 24)
        }
        [a, b, .., c, d] => u32::from_le_bytes([a, b, c, d]),
        [a, b, c] => u32::from_le_bytes([a, b, c, 3]),
        [a, b] => u32::from_le_bytes([a, b, 0, 2]),
        [a] => u32::from_le_bytes([a, 0, 0, 1]),
        [] => 0,
    }
}

/// Refuses the text if any of its objects has two members of the same name.
#[cold]
pub(super) fn refuse(json: &Json) -> Result<(), JsonError> {
    let nodes = 0..narrow(json.nodes.len());
    let mut objects = nodes.filter_map(|node| json.value(node)?.as_object());
    if objects.any(has_duplicate) {
        Err(JsonError::DuplicateMember)
    } else {
        Ok(())
    }
}

/// Up to this many names each is compared with all before it. Above, a set bounds the work; its
/// hasher is keyed at random, so that nobody can choose names that fall into one bucket.
const FEW: usize = 16;

fn has_duplicate(members: Members<'_>) -> bool {
    if members.len() > FEW {
        let mut names = HashSet::with_capacity_and_hasher(members.len(), RandomState::new());
        return !members.map(|(name, _)| name).all(|name| names.insert(name));
    }
    let mut rest = members;
    while let Some((name, _)) = rest.next() {
        if rest.clone().any(|(later, _)| later == name) {
            return true;
        }
    }
    false
}
