//! Which verified tokens have a JavaScript object that is kept, and where.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;
use sealgate::{NumericDate, VerifiedToken};

/// Bytes that an object takes whatever its token says, about: JavaScript's half and ours.
const OBJECT: usize = 512;
/// No token takes more than this share of the bytes: few large ones would push out all others.
const SHARE: usize = 16;
/// Tokens that have ended which one newcomer drops: more than the one that it adds.
const AT_ONCE: usize = 4;

/// Places for tokens whose objects JavaScript keeps at places of the same number: so many, and so
/// many bytes together. What comes in pushes out what has been there longest.
///
/// A token is known by its address. Sets of a few places each, as caches have them, would let
/// tokens push each other out of a set while others are empty: an object costs ten times a look
/// here.
pub(crate) struct Shelf {
    #[expect(
        clippy::disallowed_types,
        reason = "the hasher is named; addresses are ours, not a stranger's"
    )]
    places: std::collections::HashMap<usize, u32, RandomState>,
    /// While a token is here, no other can have its address.
    tokens: Vec<Option<VerifiedToken>>,
    /// Places that are taken, the one taken first in front.
    taken: VecDeque<u32>,
    free: Vec<u32>,
    /// Free places at which JavaScript still has an object.
    given_up: Vec<u32>,
    room: usize,
    bytes: usize,
    used: usize,
    /// The newest generation of each issuer's keys that a token has come with.
    generations: Vec<(Box<str>, u64)>,
}

/// Where a token's object is.
pub(crate) enum Found {
    Kept(u32),
    /// Nowhere; it may be kept at this place from now on.
    Free(u32),
    NoRoom,
}

impl Shelf {
    /// A shelf with so many places, which are made when they are needed, for tokens of so many
    /// bytes.
    pub(crate) fn new(room: usize, bytes: usize) -> Self {
        Self {
            places: Default::default(),
            tokens: Vec::new(),
            taken: VecDeque::new(),
            free: Vec::new(),
            given_up: Vec::new(),
            room,
            bytes,
            used: 0,
            generations: Vec::new(),
        }
    }

    pub(crate) fn find(
        &mut self,
        token: &VerifiedToken,
        now: impl FnOnce() -> NumericDate,
    ) -> Found {
        if self.room == 0 {
            return Found::NoRoom;
        }
        if let Some(place) = self.places.get(&address(token)).copied() {
            // One that says what is so no more gives up its place to the same token's next object.
            let known = self.at(place);
            return match known.is_some_and(|known| known.says_the_same_as(token)) {
                true => Found::Kept(place),
                false => Found::Free(place),
            };
        }
        self.drop_what_ended(token, now());
        let size = size(token);
        if size > self.bytes / SHARE {
            return Found::NoRoom;
        }
        while self.taken.len() >= self.room || self.used + size > self.bytes {
            if !self.give_up_oldest() {
                return Found::NoRoom;
            }
        }
        let next = self.free.last().copied();
        let next = next.or_else(|| u32::try_from(self.tokens.len()).ok());
        next.map_or(Found::NoRoom, Found::Free)
    }

    /// JavaScript keeps this token's object at the place that `find` has named. Returns the places
    /// whose objects it should let go.
    pub(crate) fn keep(&mut self, token: VerifiedToken, place: u32) -> Vec<u32> {
        let index = usize::try_from(place).unwrap_or(usize::MAX);
        if self.places.get(&address(&token)) == Some(&place) {
            if let Some(slot) = self.tokens.get_mut(index) {
                *slot = Some(token);
            }
            return Vec::new();
        }
        if self.free.last() == Some(&place) {
            self.free.pop();
        } else if self.tokens.len() == index {
            self.tokens.push(None);
        } else {
            return Vec::new();
        }
        if let Entry::Vacant(vacant) = self.places.entry(address(&token))
            && let Some(slot) = self.tokens.get_mut(index)
        {
            vacant.insert(place);
            self.used += size(&token);
            *slot = Some(token);
            self.taken.push_back(place);
        } else {
            self.free.push(place);
        }
        self.given_up.retain(|other| *other != place);
        std::mem::take(&mut self.given_up)
    }

    /// Drops what the cache holds no more either, of the oldest: tokens that have expired, and
    /// those of an issuer whose keys have changed since. Of many that end at once a newcomer drops
    /// no more than a few, so that none has to wait for all of them.
    fn drop_what_ended(&mut self, newcomer: &VerifiedToken, now: NumericDate) {
        let (issuer, generation) = (newcomer.issuer_name(), newcomer.snapshot().keys);
        let mut known = self.generations.iter_mut();
        match known.find(|(name, _)| **name == *issuer) {
            Some((_, newest)) => *newest = generation,
            None => self.generations.push((issuer.into(), generation)),
        }
        for _ in 0..AT_ONCE {
            let ended = self
                .oldest()
                .is_some_and(|token| self.has_ended(token, now));
            if !ended || !self.give_up_oldest() {
                break;
            }
        }
    }

    fn has_ended(&self, token: &VerifiedToken, now: NumericDate) -> bool {
        let (issuer, generation) = (token.issuer_name(), token.snapshot().keys);
        let mut known = self.generations.iter();
        let replaced = known.any(|(name, newest)| **name == *issuer && *newest != generation);
        replaced || token.expires_at().is_some_and(|end| end <= now)
    }

    fn oldest(&self) -> Option<&VerifiedToken> {
        self.at(*self.taken.front()?)
    }

    fn at(&self, place: u32) -> Option<&VerifiedToken> {
        self.tokens.get(usize::try_from(place).ok()?)?.as_ref()
    }

    /// Frees the place that was taken first; false where none is taken.
    fn give_up_oldest(&mut self) -> bool {
        let Some(place) = self.taken.pop_front() else {
            return false;
        };
        let slot = usize::try_from(place).ok();
        let slot = slot.and_then(|place| self.tokens.get_mut(place));
        if let Some(token) = slot.and_then(Option::take) {
            self.places.remove(&address(&token));
            self.used -= size(&token);
        }
        self.free.push(place);
        self.given_up.push(place);
        true
    }
}

/// What tells a verified token from every other that is alive: where its payload lies. The cache
/// gives out the same payload for as long as it remembers the token.
fn address(token: &VerifiedToken) -> usize {
    token.payload().as_ptr().addr()
}

/// Bytes of a token and its object, about: beside the payload there are what is indexed of it and
/// the claims as JavaScript reads them.
fn size(token: &VerifiedToken) -> usize {
    token.payload().len().saturating_mul(4) + OBJECT
}
