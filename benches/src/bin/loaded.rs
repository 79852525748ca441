//! How long a verifier of a store takes to begin, and what of; how long a revocation takes to reach
//! another verifier of the host. `SEALGATE_BENCH_ENTRIES` (default 100,000) handles are in the
//! store.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sealgate::{Format, Handle, Policy, Revocation, Verifier};
use sealgate_benches::{always_yes, large, stored, tokens::ISSUER};

fn main() {
    let folder = std::env::temp_dir().join(format!("sealgate-loaded-{}", std::process::id()));
    let entries = large();
    stored::write(&folder, ISSUER, entries).expect("a store");
    let size = fs::metadata(folder.join("snapshot"))
        .expect("a snapshot")
        .len();
    println!("| | |\n|---|---:|");
    println!("| entries | {entries} |");
    println!(
        "| bytes an entry in the snapshot | {:.1} |",
        each(size, entries)
    );
    let before = peak();
    let began = Instant::now();
    let verifier = verifier(&folder);
    let took = began.elapsed();
    let store = verifier.revocations().store().expect("a store");
    assert!(store.staleness.is_some(), "{store:?}");
    println!("| until its first verdict, s | {:.2} |", took.as_secs_f64());
    let kept = verifier.revocations().stats();
    assert_eq!(kept.entries, entries / 10 * 10);
    println!(
        "| bytes an entry kept | {:.1} |",
        each(kept.bytes as u64, entries)
    );
    println!(
        "| bytes an entry at the peak | {:.1} |",
        each(peak() - before, entries)
    );
    reach(&verifier, &folder);
    drop(verifier);
    fs::remove_dir_all(&folder).expect("gone");
}

/// From the call that revokes to the other's refusal.
fn reach(one: &Verifier, folder: &Path) {
    let other = verifier(folder);
    let (mut calls, mut arrivals) = (Vec::new(), Vec::new());
    for n in 0..300 {
        let epoch = other.revocations().epoch();
        let began = Instant::now();
        let handle = Handle::token(ISSUER, &format!("late-{n}"));
        let receipt = one.revocations().revoke(&handle, Revocation::all());
        calls.push(began.elapsed());
        assert!(receipt.expect("revoked").delivered);
        while other.revocations().epoch() == epoch {
            std::thread::sleep(Duration::from_micros(200));
        }
        arrivals.push(began.elapsed());
    }
    for (what, times) in [
        ("revoke returns", &mut calls),
        ("another process knows", &mut arrivals),
    ] {
        times.sort_unstable();
        let [p50, p99] = [150, 297].map(|at| times[at].as_secs_f64() * 1e3);
        println!("| until {what}, ms, p50 and p99 | {p50:.1}, {p99:.1} |");
    }
}

fn verifier(folder: &Path) -> Verifier {
    let policy = format!(
        r#"{{"version":1,"preset":"rfc",
            "stores":{{"host":{{"kind":"file","path":{folder:?}}}}},"revocation":{{"store":"host"}},
            "issuers":{{"corp":{{"issuer":"{ISSUER}","algorithms":["ES256"],"jwks_push":"process"}}}},
            "gates":{{"tools":{{"profile":"access_token","audience":"mcp","issuers":["corp"],
                "delegation":"surface"}}}}}}"#
    );
    let policy = Policy::parse(policy, Format::Json).expect("a policy");
    Verifier::new(policy, always_yes::provider()).expect("a verifier")
}

fn each(bytes: u64, entries: usize) -> f64 {
    bytes as f64 / entries as f64
}

/// The most bytes of memory that this process has had.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("it is there");
    let kilobytes = line.split_whitespace().nth(1).expect("a number");
    kilobytes.parse::<u64>().expect("a number") * 1024
}
