use std::sync::Arc;

use proptest::prelude::*;

use super::{Stamp, TokenCache};
use crate::time::NumericDate;

const STAMP: Stamp = Stamp(1);

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

fn put(cache: &TokenCache<Arc<u32>>, door: u32, token: &[u8], value: u32) {
    cache.put(door, token, STAMP, at(100), Arc::new(value), 0);
}

fn get(cache: &TokenCache<Arc<u32>>, door: u32, token: &[u8]) -> Option<u32> {
    cache
        .get(door, token, at(99), |_, stamp| *stamp == STAMP)
        .map(|value| *value)
}

#[test]
fn the_same_token_at_the_same_door_is_found_and_nothing_else_is() {
    let cache = TokenCache::new(64, 1 << 20, None);
    put(&cache, 1, b"token", 7);
    assert_eq!(get(&cache, 1, b"token"), Some(7));
    for (door, token) in [
        (2, &b"token"[..]),
        (1, b"Token"),
        (1, b"toke"),
        (1, b"tokenn"),
        (1, b""),
    ] {
        assert_eq!(get(&cache, door, token), None);
    }
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (1, 5, 1));
}

#[test]
fn nothing_is_served_at_or_past_its_end() {
    let cache = TokenCache::new(64, 1 << 20, None);
    put(&cache, 1, b"token", 7);
    let found = |now| cache.get(1, b"token", at(now), |_, _| true).is_some();
    assert!(found(99));
    assert!(!found(100));
    assert!(
        !found(99),
        "an ended entry is dropped, so a clock set back does not revive it"
    );
    assert_eq!((cache.stats().entries, cache.stats().bytes), (0, 0));
}

#[test]
fn an_entry_dies_with_its_stamp() {
    let cache = TokenCache::new(64, 1 << 20, None);
    put(&cache, 1, b"token", 7);
    let next = Stamp(2);
    assert!(
        cache
            .get(1, b"token", at(1), |_, stamp| *stamp == next)
            .is_none()
    );
    assert_eq!(get(&cache, 1, b"token"), None);
}

#[test]
fn a_cache_of_no_tokens_holds_none() {
    let cache = TokenCache::new(0, 0, None);
    put(&cache, 1, b"token", 7);
    assert_eq!(get(&cache, 1, b"token"), None);
    assert_eq!(cache.stats().entries, 0);
}

#[test]
fn bytes_stay_within_the_bound_however_many_tokens_come() {
    let cache = TokenCache::new(1024, 50_000, None);
    for n in 0..10_000_u32 {
        let token = [&n.to_le_bytes()[..], &[b'x'; 300]].concat();
        put(&cache, 1, &token, n);
        let stats = cache.stats();
        assert!(stats.bytes <= stats.capacity, "{stats:?}");
    }
    let stats = cache.stats();
    assert!(stats.entries > 50 && stats.evictions > 9_000, "{stats:?}");
    put(&cache, 1, &[b'y'; 60_000], 1);
    assert_eq!(
        get(&cache, 1, &[b'y'; 60_000]),
        None,
        "larger than the whole cache"
    );
}

#[test]
fn a_flood_into_one_bucket_lowers_the_hit_rate_and_nothing_else() {
    // One bucket: whatever the hash, every token collides with every other.
    let cache = TokenCache::new(1, 1 << 20, None);
    for n in 0..1_000_u32 {
        put(&cache, 1, &n.to_le_bytes(), n);
        assert_eq!(get(&cache, 1, &n.to_le_bytes()), Some(n));
    }
    let kept = (0..1_000_u32).filter(|n| {
        let found = get(&cache, 1, &n.to_le_bytes());
        assert!(found.is_none_or(|value| value == *n));
        found.is_some()
    });
    assert_eq!(kept.count(), 8);
    assert_eq!(cache.stats().entries, 8);
}

#[test]
fn as_many_tokens_as_were_asked_for_fit_but_for_one_in_fifty() {
    let tokens = 4_096_u32; // a power of two, so nothing is rounded up
    let cache = TokenCache::new(4_096, 1 << 24, None);
    for n in 0..tokens {
        put(&cache, 1, &n.to_le_bytes(), n);
    }
    let found = (0..tokens).filter(|n| get(&cache, 1, &n.to_le_bytes()).is_some());
    // 33 are expected to find their bucket full, give or take 7: each hash is another.
    assert!(found.count() > 4_096 - 4_096 / 50);
}

#[test]
fn what_was_hit_outlives_what_was_not() {
    let cache = TokenCache::new(1, 1 << 20, None);
    for n in 0..8_u32 {
        put(&cache, 1, &n.to_le_bytes(), n);
    }
    for n in 8..15_u32 {
        assert_eq!(
            get(&cache, 1, &0_u32.to_le_bytes()),
            Some(0),
            "hit before {n} comes"
        );
        put(&cache, 1, &n.to_le_bytes(), n);
    }
    assert_eq!(get(&cache, 1, &0_u32.to_le_bytes()), Some(0));
}

#[test]
fn threads_that_put_and_get_at_once_keep_the_books() {
    let cache = TokenCache::new(64, 40_000, None);
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let cache = &cache;
            scope.spawn(move || {
                for n in 0..5_000_u32 {
                    let token = (n % 512).to_le_bytes().repeat(20);
                    put(cache, 1, &token, n % 512);
                    let found = get(cache, 1, &((n + thread) % 512).to_le_bytes().repeat(20));
                    assert!(found.is_none_or(|value| value == (n + thread) % 512));
                }
            });
        }
    });
    let live = (0..512_u32).filter(|n| get(&cache, 1, &n.to_le_bytes().repeat(20)).is_some());
    let (live, stats) = (live.count(), cache.stats());
    assert!(live > 0 && live <= stats.entries, "{live} of {stats:?}");
    assert!(stats.bytes <= stats.capacity + 4 * 1_000, "{stats:?}");
}

#[derive(Clone, Debug)]
enum Step {
    Put {
        door: u32,
        token: u8,
        value: u32,
        end: i64,
    },
    Get {
        door: u32,
        token: u8,
        now: i64,
    },
    NextStamp,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2_u32, 0..24_u8, any::<u32>(), 0..50_i64)
            .prop_map(|(door, token, value, end)| Step::Put { door, token, value, end }),
        8 => (0..2_u32, 0..24_u8, 0..50_i64).prop_map(|(door, token, now)| Step::Get { door, token, now }),
        1 => Just(Step::NextStamp),
    ]
}

proptest! {
    /// The cache may forget; it may not serve anything but what was last put and still stands.
    #[test]
    fn it_serves_only_what_a_map_would(steps in proptest::collection::vec(step(), 0..200)) {
        let cache = TokenCache::new(16, 4_000, None);
        let mut model = std::collections::BTreeMap::new();
        let mut stamp = STAMP;
        for step in steps {
            match step {
                Step::Put { door, token, value, end } => {
                    cache.put(door, &[token], stamp, at(end), Arc::new(value), 100);
                    model.insert((door, token), (value, end, stamp));
                }
                Step::Get { door, token, now } => {
                    let found = cache.get(door, &[token], at(now), |_, own| *own == stamp);
                    if let Some(found) = found {
                        let (value, end, own) = model[&(door, token)];
                        prop_assert_eq!(*found, value);
                        prop_assert!(now < end && own == stamp);
                    }
                }
                Step::NextStamp => stamp.0 += 1,
            }
            prop_assert!(cache.stats().bytes <= 4_000);
        }
    }
}
