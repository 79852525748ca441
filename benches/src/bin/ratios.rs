//! The ratios that the README quotes: all cases of a table take turns, round by round.
//!
//! `ratios [overhead] [verify] [cache] [threads] [batch] [rotation] [worst] [dpop] [delegated]
//! [revoked] [proofs]`; without a name, all. `SEALGATE_BENCH_ROUNDS` (default 61),
//! `SEALGATE_BENCH_ENTRIES` (default 100,000).
#![expect(clippy::print_stdout, reason = "a program that prints tables")]

use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use sealgate::crypto::aws_lc;
use sealgate::jwa::Algorithm;
use sealgate::{Handle, Revocation};
use sealgate_benches::cached::{Sketch, hash, hit, warm};
use sealgate_benches::interleave::{latencies, median, rounds, table};
use sealgate_benches::{
    Case, always_yes, contest, delegated, dpop, large, revoked, tokens, used, worst,
};

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|other| other == name);
    let tables: [(&str, fn()); 11] = [
        ("overhead", overhead),
        ("verify", verify),
        ("cache", cache),
        ("threads", threads),
        ("batch", batch),
        ("rotation", rotation),
        ("worst", worst_cases),
        ("dpop", dpop),
        ("delegated", delegation),
        ("revoked", revocations),
        ("proofs", proofs),
    ];
    for (name, table) in tables {
        if is_chosen(name) {
            table();
        }
    }
}

fn overhead() {
    let cases = [Algorithm::Es256, Algorithm::Hs256, Algorithm::Rs256];
    table(
        "Everything but the signature (always-yes provider)",
        cases.map(contest::overhead).into(),
    );
}

fn verify() {
    for algorithm in contest::ALGORITHMS {
        table(
            &format!("{algorithm}, one thread"),
            contest::cases(algorithm),
        );
    }
}

fn cache() {
    for count in [1_000, large()] {
        table(
            &format!("Seen before: 800-byte tokens, uniform over {count}"),
            vec![
                Sketch::new(count).hit("bare hash map", 1),
                hit("sealgate", warm(count), count, 2),
                hash(),
            ],
        );
    }
}

/// Nanoseconds a call when `threads` threads do it at once, each with a case of its own.
#[expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]
fn together(threads: u64, calls: u32, make: &(dyn Fn(u64) -> Case + Sync)) -> f64 {
    let start = Barrier::new(usize::try_from(threads).unwrap_or(1));
    let each = thread::scope(|scope| {
        let workers = (0..threads).map(|seed| {
            let start = &start;
            scope.spawn(move || {
                let mut case = make(seed);
                (0..calls / 10).for_each(|_| (case.run)());
                start.wait();
                let began = Instant::now();
                (0..calls).for_each(|_| (case.run)());
                began.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
            })
        });
        let workers: Vec<_> = workers.collect();
        let times = workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker"));
        times.collect::<Vec<f64>>()
    });
    median(each)
}

fn threads() {
    println!("\nTwo threads at once, against one\n");
    println!("| | 1 thread, ns | 2 threads, ns each | ratio |\n|---|---:|---:|---:|");
    for count in [1_000, large()] {
        let (gate, sketch) = (warm(count), Sketch::new(count));
        let ours = |seed| hit("", gate.clone(), count, seed);
        let bare = |seed| sketch.hit("", seed);
        let rows: [(&str, &(dyn Fn(u64) -> Case + Sync)); 2] =
            [("bare hash map", &bare), ("sealgate", &ours)];
        for (name, make) in rows {
            let (mut one, mut two, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds().min(31) {
                let (alone, both) = (together(1, 50_000, make), together(2, 50_000, make));
                one.push(alone);
                two.push(both);
                ratio.push(both / alone);
            }
            let (one, two, ratio) = (median(one), median(two), median(ratio));
            println!("| {name}, {count} tokens | {one:.0} | {two:.0} | {ratio:.2} |");
        }
    }
}

fn batch() {
    for algorithm in [Algorithm::Es256, Algorithm::Hs256] {
        let count = if algorithm == Algorithm::Hs256 {
            16_384
        } else {
            1_024
        };
        let key = tokens::key(algorithm);
        let gate = tokens::gate(&key, aws_lc::provider(), 0);
        let minted = tokens::mint(&key, count).into_iter();
        let texts: Arc<[String]> = minted.map(|token| token.text).collect();
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let (pool, gate, texts) = (pool.expect("a pool"), gate.clone(), Arc::clone(&texts));
            Case::new(format!("batch, {threads} threads"), move || {
                let batch = pool.install(|| gate.verify_batch(&texts));
                assert_eq!(batch.accepted(), texts.len());
            })
        };
        let single = {
            let (gate, texts) = (gate.clone(), Arc::clone(&texts));
            Case::new("one by one", move || {
                assert!(texts.iter().all(|text| gate.verify(text).is_ok()));
            })
        };
        table(
            &format!("{count} {algorithm} tokens"),
            vec![on(2), on(1), single],
        );
    }
}

fn rotation() {
    println!("\nLatency while another thread publishes keys, µs\n");
    println!("| | p50 | p99 | p99.9 | publications |\n|---|---:|---:|---:|---:|");
    let key = tokens::key(Algorithm::Es256);
    let other = tokens::key(Algorithm::Es256).with_kid("k2");
    let text = tokens::mint(&key, 1).remove(0).text;
    let runs = [
        ("ES256", aws_lc::provider(), 20_000),
        ("always yes", always_yes::provider(), 500_000),
    ];
    for (name, provider, calls) in runs {
        let verifier = tokens::verifier(&key, provider, 0);
        let gate = verifier.gate("tools").expect("the gate");
        for pause in [None, Some(Duration::from_millis(1)), Some(Duration::ZERO)] {
            let (mut rows, mut publications) = (Vec::new(), 0);
            for _ in 0..5 {
                let stop = AtomicBool::new(false);
                thread::scope(|scope| {
                    let publisher = pause.map(|pause| {
                        let (stop, verifier, key, other) = (&stop, &verifier, &key, &other);
                        scope.spawn(move || {
                            let mut count = 0;
                            while !stop.load(Ordering::Relaxed) {
                                let sets = [&[key, other][..], &[key]];
                                let set = sets[count % 2].iter();
                                let set = set.map(|key| key.verifying_jwk().clone()).collect();
                                verifier.keys().publish("corp", &set).expect("published");
                                count += 1;
                                if !pause.is_zero() {
                                    thread::sleep(pause);
                                }
                            }
                            count
                        })
                    });
                    rows.push(latencies(&gate, &text, calls));
                    stop.store(true, Ordering::Relaxed);
                    publications += publisher.map_or(0, |thread| thread.join().expect("it ends"));
                });
            }
            let column = |index: usize| median(rows.iter().map(|row| row[index]));
            let [p50, p99, p999] = [0, 1, 2].map(column);
            let how = match pause {
                None => "keys at rest",
                Some(Duration::ZERO) => "published without pause",
                Some(_) => "published every millisecond",
            };
            println!("| {name}, {how} | {p50:.2} | {p99:.2} | {p999:.2} | {publications} |");
        }
    }
}

fn delegation() {
    table(
        "Actors, everything but the signature (always-yes provider)",
        delegated::links(),
    );
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519] {
        table(
            &format!("A proven chain of four tokens, {algorithm}"),
            delegated::chain(algorithm),
        );
    }
}

fn revocations() {
    let entries = large();
    table(
        &format!("Seen before, five agents, {entries} handles of others revoked"),
        revoked::cases(entries),
    );
    while_others_are_revoked(entries);
}

/// What a verification meets while a thread revokes as fast as it is told to.
#[expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]
fn while_others_are_revoked(entries: usize) {
    println!("\nSeen before, while others are revoked, µs\n");
    println!("| | p50 | p99 | p99.9 | revoked a second |\n|---|---:|---:|---:|---:|");
    let verifier = revoked::verifier(revoked::Store::Process);
    revoked::fill(&verifier, entries);
    let gate = verifier.gate("tools").expect("the gate");
    let text = revoked::seen(&gate).swap_remove(0);
    for (how, each) in [("nothing is revoked", 0), ("a hundred a millisecond", 100)] {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let (began, mut written) = (Instant::now(), 0_u64);
                while each > 0 && !stop.load(Ordering::Relaxed) {
                    for _ in 0..each {
                        written += 1;
                        let handle = Handle::token(tokens::ISSUER, &format!("late-{written}"));
                        let receipt = verifier.revocations().revoke(&handle, Revocation::all());
                        receipt.expect("revoked");
                    }
                    let due = Duration::from_micros(written * 1_000 / each);
                    thread::sleep(due.saturating_sub(began.elapsed()));
                }
                (written, began.elapsed())
            });
            let [p50, p99, p999] = latencies(&gate, &text, 2_000_000);
            stop.store(true, Ordering::Relaxed);
            let (written, took) = writer.join().expect("it ends");
            let rate =
                Duration::from_secs(1).as_nanos() * u128::from(written) / took.as_nanos().max(1);
            println!("| {how} | {p50:.2} | {p99:.2} | {p999:.2} | {rate} |");
        });
    }
}

fn proofs() {
    let entries = large();
    let others = format!("among 1,000 others, and among {entries}");
    table(
        &format!("A DPoP request, everything but signatures, its proof remembered by, {others}"),
        used::cases(entries),
    );
}

fn worst_cases() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Hs256] {
        for (name, cases) in worst::groups(algorithm) {
            table(&name, cases);
        }
    }
}

fn dpop() {
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519] {
        table(
            &format!("A DPoP request, {algorithm}: token seen before, fresh proof"),
            dpop::cases(algorithm, &[]),
        );
    }
}
