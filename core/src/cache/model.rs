//! Every order in which threads can touch the cache, chosen by a scheduler:
//! `RUSTFLAGS="--cfg sealgate_model" cargo test -p sealgate --lib model`.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

use super::{Stamp, TokenCache};
use crate::sync::Snapshot;
use crate::time::NumericDate;

const RUNS: usize = 2_000;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

const fn stamp(keys: u64) -> Stamp {
    Stamp(keys)
}

#[test]
fn no_look_up_that_starts_after_a_publication_sees_what_was_judged_before_it() {
    shuttle::check_random(
        || {
            let cache = Arc::new(TokenCache::new(4, 1 << 16, None));
            let generation = Arc::new(Snapshot::new(1_u64));
            let published = Arc::new(AtomicU64::new(1));
            let judge = {
                let (cache, generation) = (Arc::clone(&cache), Arc::clone(&generation));
                // A verification that began under generation 1 and puts its verdict late.
                let under = **generation.load();
                thread::spawn(move || cache.put(0, b"t", stamp(under), at(9), under, 0))
            };
            let publisher = {
                let (generation, published) = (Arc::clone(&generation), Arc::clone(&published));
                thread::spawn(move || {
                    generation.store(Arc::new(2));
                    published.store(2, Ordering::SeqCst);
                })
            };
            let since = published.load(Ordering::SeqCst);
            let now = **generation.load();
            let found = cache.get(0, b"t", at(1), |_, own| *own == stamp(now));
            assert!(found.is_none_or(|under| under >= since));
            judge.join().unwrap();
            publisher.join().unwrap();
        },
        RUNS,
    );
}

#[test]
fn two_writers_and_a_reader_of_one_bucket_never_mix_entries_or_lose_count() {
    shuttle::check_random(
        || {
            let cache = Arc::new(TokenCache::new(4, 1 << 16, None));
            let writers: Vec<_> = (0..2_u8)
                .map(|writer| {
                    let cache = Arc::clone(&cache);
                    thread::spawn(move || {
                        for token in 0..6_u8 {
                            let token = token * 2 + writer;
                            cache.put(0, &[token], stamp(1), at(9), u64::from(token), 10);
                        }
                    })
                })
                .collect();
            for token in 0..12_u8 {
                let found = cache.get(0, &[token], at(1), |_, _| true);
                assert!(found.is_none_or(|value| value == u64::from(token)));
                let stats = cache.stats();
                assert!(
                    stats.bytes <= 10 * 200 && stats.entries <= 10,
                    "never below zero: {stats:?}"
                );
                // Ended: dropped while writers write.
                assert!(cache.get(0, &[token], at(10), |_, _| true).is_none());
            }
            for writer in writers {
                writer.join().unwrap();
            }
            let stats = cache.stats();
            assert!(stats.entries <= 8, "{stats:?}");
            // What is counted is what is there.
            let slots = cache.buckets.iter().flat_map(super::Bucket::slots);
            let there = slots.filter(|slot| slot.load().get().is_some()).count();
            assert_eq!(stats.entries, there, "{stats:?}");
            let size = 1 + 10 + super::OVERHEAD; // token, value, and what an entry costs
            assert_eq!(stats.bytes, stats.entries * size, "{stats:?}");
        },
        RUNS,
    );
}
