//! Every order in which threads can meet in the guard, chosen by a scheduler:
//! `RUSTFLAGS="--cfg sealgate_model" cargo test -p sealgate --lib model`.

use std::sync::Arc;

use shuttle::thread;

use super::{Ordering, ReplayGuard, ReplayKey};
use crate::error::Code;
use crate::time::NumericDate;

const RUNS: usize = 2_000;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

const fn key(number: u8) -> ReplayKey {
    [number; 32]
}

fn is_first(guard: &ReplayGuard, number: u8, issued_at: i64, now: i64) -> bool {
    let outcome = guard.insert(key(number), at(issued_at), at(issued_at + 10), at(now));
    if let Err(error) = &outcome {
        assert_eq!(error.code(), Code::Replayed);
    }
    outcome.is_ok()
}

/// The same proofs from every thread, among others of the same bucket, while old ones are swept.
#[test]
fn of_threads_with_one_proof_one_is_first() {
    shuttle::check_random(
        || {
            let guard = Arc::new(ReplayGuard::with_buckets(100, 1));
            assert!(is_first(&guard, 0, 100, 100));
            let threads: Vec<_> = (1..=3_u8)
                .map(|number| {
                    let guard = Arc::clone(&guard);
                    thread::spawn(move || {
                        // 111: what was used at 100 has ended.
                        let shared = is_first(&guard, 9, 111, 111);
                        assert!(is_first(&guard, number, 111, 111));
                        shared
                    })
                })
                .collect();
            let first = threads.into_iter().map(|thread| thread.join().unwrap());
            assert_eq!(first.filter(|first| *first).count(), 1);
            // What is counted is what is there.
            assert_eq!(guard.entries.load(Ordering::Relaxed), 4);
        },
        RUNS,
    );
}

/// Whoever empties a bucket, and whoever writes it meanwhile, leave an end by which it is emptied
/// later.
#[test]
fn what_is_written_while_a_bucket_is_emptied_is_not_passed_over() {
    // Much must happen between two steps of one thread: others run long before it goes on.
    shuttle::check_pct(
        || {
            let guard = Arc::new(ReplayGuard::with_buckets(100, 1));
            assert!(is_first(&guard, 0, 100, 100));
            let empty = |guard: &ReplayGuard, now| {
                for bucket in guard.next(1) {
                    guard.empty(bucket, at(now));
                }
            };
            let writers = [(1, 105), (2, 130)].map(|(number, issued_at)| {
                let guard = Arc::clone(&guard);
                // One whose clock is behind may come too late, and is told so.
                thread::spawn(move || is_first(&guard, number, issued_at, issued_at))
            });
            empty(&guard, 112);
            for writer in writers {
                writer.join().unwrap();
            }
            empty(&guard, 500);
            assert_eq!(guard.entries(), 0);
        },
        RUNS,
        3,
    );
}

/// One thread's clock runs ahead and forgets what another shows again.
#[test]
fn a_proof_that_is_being_forgotten_is_not_first_again() {
    shuttle::check_random(
        || {
            let guard = Arc::new(ReplayGuard::with_buckets(100, 1));
            assert!(is_first(&guard, 1, 100, 100));
            let ahead = {
                let guard = Arc::clone(&guard);
                thread::spawn(move || assert!(is_first(&guard, 2, 500, 500)))
            };
            let late = {
                let guard = Arc::clone(&guard);
                thread::spawn(move || assert!(!is_first(&guard, 1, 100, 110)))
            };
            assert!(!is_first(&guard, 1, 100, 105));
            ahead.join().unwrap();
            late.join().unwrap();
        },
        RUNS,
    );
}
