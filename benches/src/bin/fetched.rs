//! Fetched keys: `fetched storm [ISSUERS]`, `fetched memory [ISSUERS]`, `fetched quiet`.
//!
//! `storm`: does anyone who verifies notice that a thousand issuers' keys are being fetched?
//! `memory`: what do ten thousand issuers in one process cost?
//! `quiet`: verifies between two markers, for `benches/syscalls`, which counts system calls there.
#![expect(clippy::print_stdout, reason = "a program that prints tables")]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sealgate::Verifier;
use sealgate::crypto::SigningKey;
use sealgate::jwa::Algorithm;
use sealgate_benches::interleave::{latencies, median};
use sealgate_benches::{fetched, tokens};

const LONG: Duration = Duration::from_secs(300);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = |default| {
        arguments
            .get(1)
            .map_or(default, |text| text.parse().expect("a count"))
    };
    match arguments.first().map(String::as_str) {
        Some("storm") => storm(count(1_000)),
        Some("memory") => memory(count(10_000)),
        Some("quiet") => quiet(),
        _ => println!("fetched storm|memory|quiet [ISSUERS]"),
    }
}

/// A verifier whose keys are all there, and a token of its first issuer.
fn ready(issuers: usize) -> (Verifier, String, SigningKey, String) {
    let key = tokens::key(Algorithm::Es256);
    let port = fetched::serve(&key);
    let verifier = fetched::verifier(port, issuers);
    verifier.wait_ready(LONG).expect("keys within minutes");
    let issuer = fetched::issuer(port, 0);
    let claims = tokens::claims(0).replace(tokens::ISSUER, &issuer);
    let text = tokens::sign(&key, &tokens::header(key.algorithm()), &claims).text;
    (verifier, text, key, issuer)
}

fn storm(issuers: usize) {
    let (verifier, text, ..) = ready(issuers);
    let gate = verifier.gate("tools").expect("the gate");
    println!("\nLatency of a good ES256 token while {issuers} issuers' keys are fetched, µs\n");
    println!("| | p50 | p99 | p99.9 | fetches asked for |\n|---|---:|---:|---:|---:|");
    for stormy in [false, true] {
        let mut rows = Vec::new();
        let asked = AtomicUsize::new(0);
        for _ in 0..5 {
            let stop = AtomicBool::new(false);
            thread::scope(|scope| {
                if stormy {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) {
                            for n in 0..issuers {
                                verifier
                                    .keys()
                                    .refresh(&format!("i{n}"))
                                    .expect("an issuer");
                                asked.fetch_add(1, Ordering::Relaxed);
                            }
                            thread::sleep(Duration::from_secs(1));
                        }
                    });
                }
                rows.push(latencies(&gate, &text, 20_000));
                stop.store(true, Ordering::Relaxed);
            });
        }
        let column = |index: usize| median(rows.iter().map(|row| row[index]));
        let [p50, p99, p999] = [0, 1, 2].map(column);
        let how = if stormy {
            "refresh storm"
        } else {
            "keys at rest"
        };
        let asked = asked.load(Ordering::Relaxed);
        println!("| {how} | {p50:.2} | {p99:.2} | {p999:.2} | {asked} |");
    }
}

/// Resident memory of this process in MiB.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]
fn memory(issuers: usize) {
    let before = resident();
    let key = tokens::key(Algorithm::Es256);
    let port = fetched::serve(&key);
    let began = Instant::now();
    let verifier = fetched::verifier(port, issuers);
    let (loaded, load) = (resident(), began.elapsed());
    verifier.wait_ready(LONG).expect("keys within minutes");
    let (now, all) = (resident(), began.elapsed());
    println!(
        "{issuers} issuers: policy loaded in {:.2} s, {:.1} MiB; keys of all fetched after {:.1} s, \
         {:.1} MiB, {:.2} KiB an issuer",
        load.as_secs_f64(),
        loaded - before,
        all.as_secs_f64(),
        now - before,
        (now - before) * 1024.0 / f64::from(u32::try_from(issuers).unwrap_or(u32::MAX)),
    );
}

/// Between the markers this thread only verifies: known keys, an unknown `kid` within the cooldown,
/// a bad signature, while other issuers' keys are being fetched.
fn quiet() {
    let (verifier, text, key, issuer) = ready(20);
    let gate = verifier.gate("tools").expect("the gate");
    let claims = tokens::claims(0).replace(tokens::ISSUER, &issuer);
    let header = tokens::header(Algorithm::Es256).replace("k1", "unknown");
    let unknown = tokens::sign(&key, &header, &claims);
    // The signature of another token.
    let signature = tokens::sign(&key, &header, "{}").text;
    let signature = signature.rsplit_once('.').expect("three parts").1;
    let signed = text.rsplit_once('.').expect("three parts").0;
    let bad = format!("{signed}.{signature}");
    let code = |token: &str| gate.judge(black_box(token)).code();
    let all = |count: usize| {
        for _ in 0..count {
            assert_eq!(code(&text), "accepted");
            assert_eq!(code(&unknown.text), "keys_refreshing");
            assert_eq!(code(&bad), "bad_signature");
        }
    };
    // What a first call sets up is no part of it.
    all(10);
    marker("warm");
    // An operator's wish is met a second after the last fetch, and not before.
    thread::sleep(Duration::from_millis(1_100));
    for n in 1..20 {
        verifier
            .keys()
            .refresh(&format!("i{n}"))
            .expect("an issuer");
    }
    marker("begin");
    all(200);
    marker("end");
}

/// A system call that cannot be mistaken: a look for a file of this name.
fn marker(name: &str) {
    let _ = std::fs::metadata(format!("/marker-{name}"));
}
