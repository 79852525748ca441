//! A million different good tokens without storing a million: before a provider that says yes, the
//! signature's first characters count.

use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use sealgate::jwa::Algorithm;
use sealgate::{Clock, Gate};

use crate::{Case, always_yes, tokens};

/// Bytes of the token.
const SIZE: usize = 800;

/// One token of 800 bytes whose signature is a number.
#[derive(Clone, Debug)]
pub struct Counter {
    text: Vec<u8>,
    place: usize,
}

/// The same for all counters: a claims set holds the time at which it was made.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let header = tokens::header(Algorithm::Es256);
    let signature = tokens::encode(&[0; 64]);
    let claims = tokens::padded_claims(0, &header, signature.len(), SIZE);
    let parts = [header, claims].map(|part| tokens::encode(part.as_bytes()));
    format!("{}.{}.{signature}", parts[0], parts[1])
});

impl Default for Counter {
    fn default() -> Self {
        let text = TEXT.as_bytes().to_vec();
        let place = text.len() - tokens::encode(&[0; 64]).len();
        Self { text, place }
    }
}

impl Counter {
    /// Token number `n`, in place.
    pub fn set(&mut self, n: usize) -> &[u8] {
        const DIGITS: &[u8; 16] = b"ABCDEFGHIJKLMNOP";
        for (digit, byte) in self.text[self.place..].iter_mut().take(8).enumerate() {
            *byte = DIGITS[n >> (4 * digit) & 15];
        }
        &self.text
    }
}

/// Numbers below `count` in an order no prefetcher foresees (SplitMix64).
#[derive(Clone, Debug)]
pub struct Uniform {
    state: u64,
    count: usize,
}

impl Uniform {
    /// Another `seed` gives another order.
    #[must_use]
    pub fn new(count: usize, seed: u64) -> Self {
        Self { state: seed, count }
    }

    /// The next number.
    pub fn draw(&mut self) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ bits >> 31) >> 1).unwrap_or(0) % self.count
    }
}

/// A gate that has seen tokens 0 to `count` and remembers them.
#[must_use]
pub fn warm(count: usize) -> Gate {
    let key = tokens::key(Algorithm::Es256);
    // Twice the room: next to none should find its bucket full here.
    let verifier = tokens::verifier(&key, always_yes::provider(), count * 2);
    let gate = verifier.gate("tools").expect("the gate");
    let mut counter = Counter::default();
    for n in 0..count {
        gate.verify(counter.set(n)).expect("a good token");
    }
    let entries = verifier.cache_stats().entries;
    assert!(entries * 100 >= count * 99, "{entries} of {count} fit");
    gate
}

/// Look-ups of `count` remembered tokens, in uniform order.
pub fn hit(name: impl Into<String>, gate: Gate, count: usize, seed: u64) -> Case {
    let (mut counter, mut uniform) = (Counter::default(), Uniform::new(count, seed));
    Case::new(name, move || {
        let verified = gate.verify(black_box(counter.set(uniform.draw())));
        black_box(verified.expect("a good token"));
    })
}

/// What no cache can do without, and nothing else: hash, look up, compare, clock, count a
/// reference.
#[derive(Clone)]
pub struct Sketch {
    #[expect(
        clippy::disallowed_types,
        reason = "the hasher is named and randomly keyed"
    )]
    map: Arc<std::collections::HashMap<Box<[u8]>, Arc<i64>, foldhash::quality::RandomState>>,
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sketch({})", self.map.len())
    }
}

impl Sketch {
    /// Holds tokens 0 to `count`.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut counter = Counter::default();
        let expires = tokens::now() + 36_000;
        let entry = |n| (Box::from(counter.set(n)), Arc::new(expires));
        Self {
            map: Arc::new((0..count).map(entry).collect()),
        }
    }

    /// Look-ups of the tokens it holds, in uniform order.
    pub fn hit(&self, name: impl Into<String>, seed: u64) -> Case {
        let map = Arc::clone(&self.map);
        let (mut counter, mut uniform) = (Counter::default(), Uniform::new(map.len(), seed));
        Case::new(name, move || {
            let found = map.get(black_box(counter.set(uniform.draw())));
            let entry = Arc::clone(found.expect("a known token"));
            assert!(Clock::System.now().seconds() < *entry, "not expired");
            black_box(entry);
        })
    }
}

/// The hash alone, for a floor: the sketch's hasher over one token.
#[must_use]
pub fn hash() -> Case {
    let state = foldhash::quality::RandomState::default();
    let mut counter = Counter::default();
    let mut n = 0;
    Case::new("hash of 800 bytes", move || {
        n += 1;
        black_box(state.hash_one(black_box(counter.set(n))));
    })
}
