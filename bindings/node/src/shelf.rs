//! Which verified tokens have a JavaScript object that is kept, and where.

use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;
use sealgate::VerifiedToken;

/// Places for tokens whose objects JavaScript keeps at places of the same number.
///
/// A token is known by its address. Sets of a few places each, as caches have them, would let tokens
/// push each other out of a set while others are empty: an object costs ten times a look here.
pub(crate) struct Shelf {
    #[expect(
        clippy::disallowed_types,
        reason = "the hasher is named; addresses are ours, not a stranger's"
    )]
    places: std::collections::HashMap<usize, u32, RandomState>,
    /// While a token is here, no other can have its address.
    tokens: Vec<Option<VerifiedToken>>,
    room: usize,
    /// The place to be given up next, once all are taken.
    oldest: usize,
}

/// Where a token's object is.
pub(crate) enum Found {
    Kept(u32),
    /// Nowhere; it may be kept at this place from now on.
    Free(u32),
    NoRoom,
}

impl Shelf {
    /// A shelf with so many places, which are made when they are needed.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            places: Default::default(),
            tokens: Vec::new(),
            room,
            oldest: 0,
        }
    }

    pub(crate) fn find(&mut self, token: &VerifiedToken) -> Found {
        if let Some(place) = self.places.get(&address(token)) {
            return Found::Kept(*place);
        }
        let place = if self.tokens.len() < self.room {
            self.tokens.push(None);
            self.tokens.len() - 1
        } else {
            self.oldest = (self.oldest + 1) % self.room.max(1);
            self.oldest
        };
        let Some(slot) = self.tokens.get_mut(place) else {
            return Found::NoRoom;
        };
        // JavaScript has another token's object there, until `keep`.
        if let Some(other) = slot.take() {
            self.places.remove(&address(&other));
        }
        u32::try_from(place).map_or(Found::NoRoom, Found::Free)
    }

    /// JavaScript keeps this token's object at the place that `find` has named.
    pub(crate) fn keep(&mut self, token: VerifiedToken, place: u32) {
        let index = usize::try_from(place).unwrap_or(usize::MAX);
        let Some(slot) = self.tokens.get_mut(index) else {
            return;
        };
        if let Entry::Vacant(vacant) = self.places.entry(address(&token)) {
            vacant.insert(place);
            *slot = Some(token);
        }
    }
}

/// What tells a verified token from every other that is alive: where its payload lies. The cache
/// gives out the same payload for as long as it remembers the token.
fn address(token: &VerifiedToken) -> usize {
    token.payload().as_ptr().addr()
}
