//! [`Absent`]: the `kid`s that tokens name and an issuer's set lacks, and whether the issuer has
//! been asked since each was first seen (KEY-05).
//!
//! Only a fetch that began after a `kid` was first seen can tell that the issuer has no such key:
//! until one has ended, a token by it is undecided, and afterwards it is refused. Strangers write
//! here, so there is room for a few and the hash is keyed. Whoever has a place keeps it while it is
//! seen, so that a flood changes nobody else's answer; whoever finds none stays undecided.

use std::hash::BuildHasher;

use crate::sync::{AtomicU64, Ordering};
use crate::time::{NumericDate, Span};

/// The `kid`s of one issuer's strangers.
pub(super) struct Absent {
    seed: foldhash::quality::RandomState,
    places: [Place; PLACES],
}

struct Place {
    /// The `kid`'s hash above; below, how many fetches had begun when it was first seen. 0 is
    /// empty.
    who: AtomicU64,
    /// When it was last seen.
    seen: AtomicU64,
}

/// An issuer's strangers mostly bring one stale `kid`, a whole environment's tokens.
const PLACES: usize = 16;
/// How long a `kid` that was refused keeps its place without being seen.
const HOLD: Span = Span::from_seconds(60);
const LOW: u64 = 0xFFFF_FFFF;

/// The fetches of an issuer's keys so far, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetches {
    /// How many have begun.
    pub(super) begun: u64,
    /// Which was the last to bring a set; 0 is none.
    pub(super) landed: u64,
}

impl Absent {
    pub(super) fn new() -> Self {
        Self {
            seed: foldhash::quality::RandomState::default(),
            places: std::array::from_fn(|_| Place {
                who: AtomicU64::new(0),
                seen: AtomicU64::new(0),
            }),
        }
    }

    /// Sees a `kid` that the set lacks, and says whether a fetch that began after its first sight
    /// has brought a set.
    pub(super) fn is_settled(&self, kid: &str, fetches: Fetches, now: NumericDate) -> bool {
        let hash = self.hash(kid);
        if let Some((place, who)) = self.find(hash) {
            place.touch(now);
            return who & LOW < fetches.landed;
        }
        let entry = hash << 32 | (fetches.begun & LOW);
        let mut free = self.places.iter().filter_map(|place| {
            let who = place.who.load(Ordering::Relaxed);
            place.is_free(who, fetches, now).then_some((place, who))
        });
        // Another may be quicker; then there is perhaps another place.
        if let Some((place, _)) = free.find(|(place, who)| place.take(*who, entry)) {
            place.touch(now);
        }
        false
    }

    /// A `kid` that the set had until now and the fetch that has just ended did not bring: it was
    /// known all along, so nothing is open about it.
    #[cfg(feature = "remote")]
    pub(super) fn withdraw(&self, kid: &str, now: NumericDate) {
        let hash = self.hash(kid);
        let own = self.find(hash).map(|(place, _)| place);
        let oldest = || {
            let seen = |place: &&Place| place.seen.load(Ordering::Relaxed);
            self.places.iter().min_by_key(seen)
        };
        if let Some(place) = own.or_else(oldest) {
            place.who.store(hash << 32, Ordering::Relaxed);
            place.touch(now);
        }
    }

    /// 32 bits of a `kid`, never 0. One is taken for another once in two thousand million.
    fn hash(&self, kid: &str) -> u64 {
        self.seed.hash_one(kid) >> 32 | 1
    }

    fn find(&self, hash: u64) -> Option<(&Place, u64)> {
        let mut places = self.places.iter();
        places.find_map(|place| {
            let who = place.who.load(Ordering::Relaxed);
            (who >> 32 == hash).then_some((place, who))
        })
    }
}

impl Place {
    /// Whether a newcomer may have it: what is still open is forgotten for nobody.
    fn is_free(&self, who: u64, fetches: Fetches, now: NumericDate) -> bool {
        let left = || {
            let seen = NumericDate::from_bits(self.seen.load(Ordering::Relaxed));
            now >= seen.plus(HOLD)
        };
        who == 0 || (who & LOW < fetches.landed && left())
    }

    fn take(&self, held: u64, entry: u64) -> bool {
        let (set, read) = (Ordering::Relaxed, Ordering::Relaxed);
        self.who.compare_exchange(held, entry, set, read).is_ok()
    }

    fn touch(&self, now: NumericDate) {
        self.seen.store(now.to_bits(), Ordering::Relaxed);
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{Absent, Fetches, PLACES};
    use crate::time::NumericDate;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds).unwrap()
    }

    const fn fetches(begun: u64, landed: u64) -> Fetches {
        Fetches { begun, landed }
    }

    #[test]
    fn only_a_fetch_that_began_after_the_first_sight_settles() {
        let absent = Absent::new();
        assert!(!absent.is_settled("k", fetches(3, 3), at(0)), "first seen");
        assert!(!absent.is_settled("k", fetches(4, 3), at(1)), "one runs");
        assert!(absent.is_settled("k", fetches(4, 4), at(2)));
        assert!(absent.is_settled("k", fetches(5, 4), at(3)), "and stays");
        // Seen while the fourth ran: what it brings may be older.
        assert!(!absent.is_settled("l", fetches(4, 3), at(1)));
        assert!(!absent.is_settled("l", fetches(4, 4), at(2)));
        assert!(absent.is_settled("l", fetches(5, 5), at(3)));
    }

    #[test]
    fn a_flood_takes_nobodys_place_and_finds_none() {
        let absent = Absent::new();
        assert!(!absent.is_settled("stale", fetches(1, 1), at(0)));
        for second in 0..600_u32 {
            let (round, now) = (u64::from(second) / 30 + 2, at(second.into()));
            for stranger in 0..1000 {
                let kid = format!("{second}-{stranger}");
                assert!(!absent.is_settled(&kid, fetches(round, round), now));
            }
            assert!(absent.is_settled("stale", fetches(round, round), now));
        }
    }

    #[test]
    fn a_place_is_free_again_once_its_kid_is_settled_and_gone_for_a_minute() {
        for (landed, second, has_room) in [(1, 3600, false), (2, 59, false), (2, 60, true)] {
            let absent = Absent::new();
            for stranger in 0..PLACES {
                assert!(!absent.is_settled(&stranger.to_string(), fetches(1, 1), at(0)));
            }
            absent.is_settled("new", fetches(2, landed), at(second));
            // Early enough that nobody else's place is free by now.
            let settled = absent.is_settled("new", fetches(3, 3), at(59));
            assert_eq!(settled, has_room, "{landed} {second}");
        }
    }

    #[test]
    fn who_was_known_is_settled_at_once() {
        let absent = Absent::new();
        for stranger in 0..PLACES {
            absent.is_settled(&stranger.to_string(), fetches(1, 1), at(1));
        }
        absent.withdraw("old", at(2));
        assert!(absent.is_settled("old", fetches(1, 1), at(2)));
    }
}
