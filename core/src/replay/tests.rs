use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{ReplayGuard, ReplayKey};
use crate::error::Code;
use crate::time::NumericDate;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

fn key(number: u32) -> ReplayKey {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    key
}

/// A proof issued at `issued_at` that lives for 100 seconds.
fn insert(guard: &ReplayGuard, number: u32, issued_at: i64, now: i64) -> Option<Code> {
    let outcome = guard.insert(key(number), at(issued_at), at(issued_at + 100), at(now));
    outcome.err().map(|error| error.code())
}

#[test]
fn a_proof_is_first_once_in_its_whole_window() {
    let guard = ReplayGuard::new(100);
    assert_eq!(insert(&guard, 1, 1000, 1000), None);
    assert!(guard.has_seen(&key(1), at(1000)) && !guard.has_seen(&key(2), at(1000)));
    for now in [1000, 1001, 1099, 1100] {
        assert_eq!(insert(&guard, 1, 1000, now), Some(Code::Replayed), "{now}");
    }
    // Signed again with another time: DP-13 knows it by its identifier.
    assert_eq!(insert(&guard, 1, 1050, 1100), Some(Code::Replayed));
    assert_eq!(insert(&guard, 2, 1000, 1100), None);
}

#[test]
fn whoever_is_seen_again_is_remembered_for_longer() {
    let guard = ReplayGuard::new(100);
    assert_eq!(insert(&guard, 1, 1000, 1000), None);
    for issued_at in (1090..2000).step_by(90) {
        let again = insert(&guard, 1, issued_at, issued_at);
        assert_eq!(again, Some(Code::Replayed), "{issued_at}");
    }
    assert!(guard.entries() <= 3, "{}", guard.entries());
    // The same one again takes no room.
    for now in 1990..2090 {
        assert_eq!(insert(&guard, 1, 1990, now), Some(Code::Replayed));
    }
    assert!(guard.entries() <= 3, "{}", guard.entries());
}

#[test]
fn sixty_four_threads_with_one_proof_give_one_first() {
    let guard = ReplayGuard::new(1000);
    for round in 0..50 {
        let (start, first) = (Barrier::new(64), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    start.wait();
                    if insert(&guard, round, 1000, 1000).is_none() {
                        first.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(first.into_inner(), 1);
    }
}

#[test]
fn pressure_forgets_nothing_and_the_cap_refuses() {
    let guard = ReplayGuard::with_buckets(1000, 16);
    for number in 0..1000 {
        assert_eq!(insert(&guard, number, 1000, 1000), None);
    }
    for number in 1000..1100 {
        assert_eq!(insert(&guard, number, 1000, 1000), Some(Code::ReplayFull));
    }
    // At the cap a used proof cannot be told from a new one: neither passes.
    assert_eq!(insert(&guard, 7, 1000, 1050), Some(Code::ReplayFull));
    assert!((0..1000).all(|number| guard.has_seen(&key(number), at(1000))));
    // When they have ended there is room again, and the clock's way back is closed.
    assert_eq!(insert(&guard, 2000, 1101, 1101), None);
    assert!(guard.entries.load(Ordering::Relaxed) < 1000);
    for number in 0..1000 {
        assert_eq!(insert(&guard, number, 1000, 1000), Some(Code::Replayed));
    }
}

#[test]
fn at_the_cap_what_has_ended_beside_what_lives_makes_room() {
    let guard = ReplayGuard::with_buckets(10, 1);
    for number in 0..10 {
        let issued_at = 1000 + i64::from(number % 2);
        assert_eq!(insert(&guard, number, issued_at, 1001), None);
    }
    assert_eq!(insert(&guard, 10, 1050, 1100), Some(Code::ReplayFull));
    assert_eq!(insert(&guard, 10, 1050, 1101), None);
    assert_eq!(guard.entries(), 6);
    assert_eq!(insert(&guard, 1, 1001, 1101), Some(Code::Replayed));
}

#[test]
fn a_hundred_thousand_others_do_not_push_a_proof_out() {
    let guard = ReplayGuard::new(1 << 18);
    assert_eq!(insert(&guard, u32::MAX, 1000, 1000), None);
    for number in 0..100_000 {
        assert_eq!(insert(&guard, number, 1000, 1000), None);
    }
    assert_eq!(insert(&guard, u32::MAX, 1000, 1099), Some(Code::Replayed));
}

#[test]
fn what_has_ended_leaves_though_nobody_asks_for_it() {
    let guard = ReplayGuard::with_buckets(1000, 16);
    for number in 0..500 {
        assert_eq!(insert(&guard, number, 1000, 1000), None);
    }
    for number in 500..520 {
        assert_eq!(insert(&guard, number, 1200, 1200), None);
    }
    assert_eq!(guard.entries.load(Ordering::Relaxed), 20);
}

#[test]
fn a_clock_set_back_reopens_nothing() {
    let guard = ReplayGuard::with_buckets(10, 1);
    assert_eq!(insert(&guard, 1, 1000, 1000), None);
    // A moment in the future empties the bucket …
    assert_eq!(insert(&guard, 2, 5000, 5000), None);
    // … and what is as old as what it forgot stays used, whatever the clock says.
    assert_eq!(insert(&guard, 1, 1000, 1000), Some(Code::Replayed));
    assert_eq!(insert(&guard, 3, 999, 1000), Some(Code::Replayed));
    assert_eq!(insert(&guard, 4, 1001, 1001), None);
}
