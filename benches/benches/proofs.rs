//! What does it cost to remember that a proof was used: in the table of the host, however full it
//! is, and as part of a request, beside the guard of the process?

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate_benches::scratch::Scratch;
use sealgate_benches::{criterion, group, large, used};
use sealgate_proofs::{Answer, Proofs};

/// Proofs of any 64 seconds that the table has room for.
const CAPACITY: u64 = 1 << 16;
/// The seconds that share the room.
const WINDOW: u64 = 64;
/// As many are timed as fill an eighth.
const EIGHTH: u64 = CAPACITY / 8;

fn table(criterion: &mut Criterion) {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path()).expect("a folder");
    let file = scratch.path().join("proofs");
    let capacity = usize::try_from(CAPACITY).expect("small");
    let proofs = Proofs::open(&file, capacity, [7; 16]).expect("a table");
    let mut group = criterion.benchmark_group("proofs/table of the host");
    let (mut number, mut moment) = (0_u64, 1_800_000_000);
    for (name, eighths) in [("empty", 0), ("half full", 4), ("nearly full", 7)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let mut took = Duration::ZERO;
                let mut left = count;
                while left > 0 {
                    // What was issued in another window has a room of its own.
                    moment += WINDOW;
                    insert(&proofs, &mut number, moment, EIGHTH * eighths);
                    let now = left.min(EIGHTH);
                    took += insert(&proofs, &mut number, moment, now);
                    left -= now;
                }
                took
            });
        });
    }
    group.finish();
}

/// So many proofs that were not used before, and how long they took.
#[expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]
fn insert(proofs: &Proofs, number: &mut u64, moment: u64, count: u64) -> Duration {
    let began = Instant::now();
    for _ in 0..count {
        *number += 1;
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        assert_eq!(
            proofs.insert(&key, moment, moment + 90, moment),
            Answer::First
        );
    }
    began.elapsed()
}

fn requests(criterion: &mut Criterion) {
    group(
        criterion,
        "proofs/requests, remembered by",
        used::cases(large()),
    );
}

criterion_group!(name = benches; config = criterion(); targets = table, requests);
criterion_main!(benches);
