//! Every order in which threads can meet in the table, chosen by a scheduler:
//! `RUSTFLAGS="--cfg sealgate_model" cargo test -p sealgate-proofs --lib model`.

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

use crate::table::{Answer, LINE, Table};
use crate::window::{REGIONS, SECONDS};
use crate::word::Word;

const RUNS: usize = 2_000;
const NOW: u64 = 1_800_000_000;
const LIFE: u64 = 90;
/// Until a region has its next turn.
const ROUND: u64 = SECONDS * REGIONS;

impl Word for AtomicU64 {
    fn read(&self) -> u64 {
        self.load(Ordering::SeqCst)
    }

    fn replace(&self, current: u64, new: u64) -> Result<(), u64> {
        let (set, read) = (Ordering::SeqCst, Ordering::SeqCst);
        self.compare_exchange(current, new, set, read).map(|_| ())
    }
}

type Shared = Arc<Table<Vec<AtomicU64>>>;

/// One line a region, so that everybody meets.
fn table() -> Shared {
    let regions = usize::try_from(REGIONS).unwrap();
    let words = std::iter::repeat_with(|| AtomicU64::new(0));
    Arc::new(Table::new(words.take(LINE * regions).collect(), [7; 16]))
}

fn insert(table: &Shared, number: u8, issued_at: u64) -> Answer {
    table.insert(&[number; 32], issued_at, issued_at + LIFE, issued_at)
}

/// The same proof from every thread, among others, in words that are empty or of a turn before.
#[test]
fn of_threads_with_one_proof_one_is_first() {
    shuttle::check_random(
        || {
            let table = table();
            for number in 10..13 {
                assert_eq!(insert(&table, number, NOW - ROUND), Answer::First);
            }
            let threads: Vec<_> = (1..=3_u8)
                .map(|number| {
                    let table = Arc::clone(&table);
                    thread::spawn(move || {
                        let shared = insert(&table, 9, NOW);
                        assert_eq!(insert(&table, number, NOW), Answer::First);
                        assert_eq!(insert(&table, 9, NOW), Answer::Seen);
                        shared
                    })
                })
                .collect();
            let answers = threads.into_iter().map(|thread| thread.join().unwrap());
            let firsts = answers.filter(|answer| *answer == Answer::First);
            assert_eq!(firsts.count(), 1);
        },
        RUNS,
    );
}

/// One thread's clock runs a round ahead and takes the words of what another shows again.
#[test]
fn a_proof_that_is_being_overwritten_is_not_first_again() {
    shuttle::check_random(
        || {
            let table = table();
            assert_eq!(insert(&table, 1, NOW), Answer::First);
            let ahead = {
                let table = Arc::clone(&table);
                thread::spawn(move || {
                    for number in 2..6 {
                        assert_eq!(insert(&table, number, NOW + ROUND), Answer::First);
                    }
                })
            };
            let late = {
                let table = Arc::clone(&table);
                thread::spawn(move || assert_eq!(insert(&table, 1, NOW), Answer::Seen))
            };
            assert_eq!(insert(&table, 1, NOW), Answer::Seen);
            assert!(table.has_seen(&[1; 32], NOW, NOW + LIFE, NOW));
            ahead.join().unwrap();
            late.join().unwrap();
            assert_eq!(insert(&table, 1, NOW), Answer::Seen);
        },
        RUNS,
    );
}

/// More threads than there are words: nobody is first twice, and who has no room is told.
#[test]
fn the_last_words_are_given_away_once() {
    shuttle::check_random(
        || {
            let table = table();
            for number in 20..26 {
                assert_eq!(insert(&table, number, NOW), Answer::First);
            }
            let threads: Vec<_> = [1, 2, 3, 1_u8]
                .into_iter()
                .map(|number| {
                    let table = Arc::clone(&table);
                    thread::spawn(move || (number, insert(&table, number, NOW)))
                })
                .collect();
            let answers: Vec<_> = threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect();
            let firsts: Vec<u8> = answers
                .iter()
                .filter(|(_, answer)| *answer == Answer::First)
                .map(|(number, _)| *number)
                .collect();
            assert_eq!(firsts.len(), 2, "{answers:?}");
            assert_ne!(firsts[0], firsts[1]);
        },
        RUNS,
    );
}

/// One name under two times, in two windows, at the same instant.
#[test]
fn of_two_with_one_name_and_two_times_not_both_are_first() {
    shuttle::check_random(
        || {
            let table = table();
            let threads = [NOW, NOW - SECONDS].map(|issued_at| {
                let table = Arc::clone(&table);
                thread::spawn(move || table.insert(&[1; 32], issued_at, issued_at + LIFE, NOW))
            });
            let answers = threads.map(|thread| thread.join().unwrap());
            assert_ne!(answers, [Answer::First; 2]);
        },
        RUNS,
    );
}
