//! The table over plain memory, and over a file beside it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use proptest::prelude::{Strategy, proptest};

use crate::table::{LINE, Table};
use crate::window::{REGIONS, SECONDS};
use crate::word::Word;
use crate::{Answer, Proofs};

const SEED: [u8; 16] = *b"sixteen at rando";
const NOW: u64 = 1_800_000_000;
/// The default: a minute, and half a minute of leeway.
const LIFE: u64 = 90;
/// Until a region has its next turn.
const ROUND: u64 = SECONDS * REGIONS;

type Twin = Table<Vec<AtomicU64>>;

/// A table of so many lines a region in plain memory.
fn twin(lines: usize) -> Twin {
    let words = std::iter::repeat_with(AtomicU64::default);
    let regions = usize::try_from(REGIONS).unwrap();
    Table::new(words.take(lines * LINE * regions).collect(), SEED)
}

fn key(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_le_bytes());
    key
}

fn insert<A: Word>(
    table: &Table<impl std::ops::Deref<Target = [A]>>,
    number: u64,
    issued_at: u64,
    now: u64,
) -> Answer {
    table.insert(&key(number), issued_at, issued_at + LIFE, now)
}

#[test]
fn a_proof_is_first_once_in_its_whole_life() {
    let table = twin(16);
    assert_eq!(insert(&table, 1, NOW, NOW), Answer::First);
    for now in [NOW - 30, NOW, NOW + 1, NOW + LIFE] {
        assert_eq!(insert(&table, 1, NOW, now), Answer::Seen, "{now}");
    }
    assert_eq!(insert(&table, 2, NOW, NOW + LIFE), Answer::First);
    assert!(table.has_seen(&key(1), NOW, NOW + LIFE, NOW));
    assert!(!table.has_seen(&key(3), NOW, NOW + LIFE, NOW));
    assert_eq!(
        insert(&table, 3, NOW, NOW),
        Answer::First,
        "asking uses nothing up"
    );
}

#[test]
fn one_signed_again_with_another_time_is_the_same_proof() {
    let table = twin(16);
    for (number, again) in [(1, NOW + 80), (2, NOW - 80), (3, NOW + SECONDS)] {
        assert_eq!(insert(&table, number, NOW, NOW), Answer::First);
        assert!(table.has_seen(&key(number), again, again + LIFE, again.max(NOW)));
        assert_eq!(insert(&table, number, again, again.max(NOW)), Answer::Seen);
    }
    // Both have ended.
    let later = NOW + 2 * LIFE + SECONDS;
    assert_eq!(insert(&table, 1, later, later), Answer::First);
}

/// However long it lives, what was used in the last quarter of an hour is looked for.
#[test]
fn one_that_lives_long_is_known_under_any_time_of_its_life() {
    for life in [LIFE, 480, 600, 840, 900, 3600] {
        let table = twin(16);
        let ages = [10, 80, life / 2, life - 60, life].map(|age: u64| age.min(900));
        for (number, age) in (0..).zip(ages) {
            let used = NOW - age;
            assert_eq!(
                table.insert(&key(number), used, used + life, NOW),
                Answer::First
            );
            for other in [age / 2, age + 20] {
                let again = NOW - other;
                assert!(table.has_seen(&key(number), again, again + life, NOW));
            }
        }
        assert!(!table.has_seen(&key(9), NOW, NOW + life, NOW));
    }
}

#[test]
fn whoever_is_seen_again_is_remembered_from_then_on() {
    let table = twin(16);
    let mut at = NOW;
    assert_eq!(insert(&table, 1, at, at), Answer::First);
    for _ in 0..100 {
        at += LIFE;
        assert_eq!(insert(&table, 1, at, at), Answer::Seen);
    }
}

#[test]
fn one_time_of_the_proof_is_one_place_whatever_the_policy() {
    let table = twin(16);
    assert_eq!(table.insert(&key(1), NOW, NOW + 30, NOW), Answer::First);
    for until in [NOW, NOW + 10, NOW + 600] {
        assert_eq!(table.insert(&key(1), NOW, until, NOW), Answer::Seen);
    }
}

#[test]
fn of_sixty_four_threads_with_one_proof_one_is_first() {
    let table = twin(16);
    for round in 0..50 {
        let (start, first) = (Barrier::new(64), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    start.wait();
                    if insert(&table, round, NOW, NOW) == Answer::First {
                        first.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(first.into_inner(), 1);
    }
}

/// A region of 262,144 words: at three of four everybody finds room, and beyond nobody is pushed
/// out.
#[test]
fn pressure_forgets_nothing_and_what_has_no_room_is_refused() {
    let lines = 1 << 15;
    let words = u64::try_from(lines * LINE).unwrap();
    let table = twin(lines);
    for number in 0..words / 4 * 3 {
        assert_eq!(insert(&table, number, NOW, NOW), Answer::First, "{number}");
    }
    let late = (words / 4 * 3..words + words / 8).filter(|number| {
        let answer = insert(&table, *number, NOW, NOW);
        assert_ne!(answer, Answer::Seen);
        answer == Answer::Full
    });
    let late: BTreeSet<u64> = late.collect();
    assert!(!late.is_empty());
    for number in 0..words + words / 8 {
        let seen = table.has_seen(&key(number), NOW, NOW + LIFE, NOW);
        assert_ne!(seen, late.contains(&number), "{number}");
    }
    // The next window has room.
    assert_eq!(
        insert(&table, u64::MAX, NOW + SECONDS, NOW + SECONDS),
        Answer::First
    );
    // So has this one when its turn has come again.
    for number in 0..1000 {
        assert_eq!(
            insert(&table, number, NOW + ROUND, NOW + ROUND),
            Answer::First
        );
    }
}

#[test]
fn a_clock_set_back_reopens_nothing() {
    let table = twin(1);
    assert_eq!(insert(&table, 1, NOW, NOW), Answer::First);
    assert_eq!(insert(&table, 2, NOW, NOW), Answer::First);
    // A clock runs ahead, and the region has had its next turn …
    assert_eq!(insert(&table, 3, NOW + ROUND, NOW + ROUND), Answer::First);
    // … so that the first cannot be told from a new one when the clock is set back.
    for number in [1, 2, 4] {
        assert_eq!(insert(&table, number, NOW, NOW), Answer::Seen);
        assert!(table.has_seen(&key(number), NOW, NOW + LIFE, NOW));
    }
    // Other windows have lost nothing.
    assert_eq!(
        insert(&table, 4, NOW + SECONDS, NOW + SECONDS),
        Answer::First
    );
}

#[test]
fn the_longest_life_and_the_longest_leeway_share_no_region() {
    for now in NOW..NOW + SECONDS {
        let table = twin(1);
        // The youngest first: nothing of a later turn may be in an older one's way.
        for (number, issued_at) in (0..).zip((now - 600..=now + 300).rev()).step_by(50) {
            let answer = table.insert(&key(number), issued_at, issued_at + 600, now);
            assert_eq!(answer, Answer::First, "{}", now - issued_at);
        }
    }
}

#[test]
fn times_without_a_place_are_refused() {
    let table = twin(1);
    let last = ((1 << 24) - 1) * ROUND - 1;
    assert_eq!(insert(&table, 1, last, last), Answer::First);
    assert_eq!(
        insert(&table, 1, last + 1, last + 1),
        Answer::Seen,
        "in the window before"
    );
    assert_eq!(insert(&table, 2, last + 1, last + 1), Answer::Full);
    assert_eq!(
        table.insert(&key(3), u64::MAX, u64::MAX, u64::MAX),
        Answer::Full
    );
    assert_eq!(insert(&table, 4, 0, 0), Answer::First);
    assert_eq!(insert(&table, 4, 0, 0), Answer::Seen);
}

/// One proof of a clock that moves on.
#[derive(Clone, Copy, Debug)]
struct Shown {
    number: u64,
    /// Since the one before.
    passed: u64,
    /// How old it is; leeway allows for the future.
    age: i64,
}

fn shown() -> impl Strategy<Value = Shown> {
    (0..40_u64, 0..40_u64, -30..60_i64).prop_map(|(number, passed, age)| Shown {
        number,
        passed,
        age,
    })
}

/// A file that no other test has, gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("sealgate-proofs-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_file(self.0.with_added_extension("lock"));
    }
}

/// The same proofs shown to plain memory, to a file through two mappings in turns, and to a list of
/// everything there was.
#[test]
fn a_file_answers_as_plain_memory_and_as_the_rule_says() {
    let scratch = Scratch::new("twin");
    proptest!(|(sequence in proptest::collection::vec(shown(), 1..400))| {
        let _ = std::fs::remove_file(&scratch.0);
        let twin = twin(16);
        let open = || Proofs::open(&scratch.0, 96, SEED).unwrap();
        let mappings = [open(), open()];
        let mut known: Vec<(u64, u64)> = Vec::new();
        let mut now = NOW;
        for (turn, shown) in sequence.into_iter().enumerate() {
            now += shown.passed;
            let issued_at = now.checked_add_signed(-shown.age).unwrap();
            let (key, until) = (key(shown.number), issued_at + LIFE);
            // What was taken in a window of which something would be taken still.
            let taken = (now - LIFE) / SECONDS..=(now + LIFE) / SECONDS;
            let seen = known.iter().any(|(number, window)| {
                *number == shown.number && taken.contains(window)
            });
            let expected = if seen { Answer::Seen } else { Answer::First };
            assert_eq!(twin.has_seen(&key, issued_at, until, now), seen);
            assert_eq!(twin.insert(&key, issued_at, until, now), expected);
            let mapping = &mappings[turn % 2];
            assert_eq!(mapping.has_seen(&key, issued_at, until, now), seen);
            assert_eq!(mapping.insert(&key, issued_at, until, now), expected);
            known.push((shown.number, issued_at / SECONDS));
        }
    });
}

#[test]
fn of_threads_with_a_mapping_each_one_is_first() {
    let scratch = Scratch::new("mappings");
    let firsts: Vec<AtomicUsize> = std::iter::repeat_with(AtomicUsize::default)
        .take(2000)
        .collect();
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let proofs = Proofs::open(&scratch.0, 4000, SEED).unwrap();
                for (number, first) in (0..).zip(&firsts) {
                    if proofs.insert(&key(number), NOW, NOW + LIFE, NOW) == Answer::First {
                        first.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(
        firsts
            .iter()
            .all(|first| first.load(Ordering::Relaxed) == 1)
    );
}
