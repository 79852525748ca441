//! A stopwatch for claims: all cases take turns within each round, so that what the machine does
//! meanwhile happens to all of them, and ratios are taken round by round.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sealgate::Gate;

use crate::Case;

/// What the rounds said about one case, in nanoseconds a call.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// The lowest tenth: what the machine does when left alone.
    pub quiet: f64,
    /// The median of all rounds.
    pub median: f64,
    /// The median over the rounds of its time divided by the first case's of the same round.
    pub ratio: f64,
}

/// Calls before any counts: more than there are tokens that take turns.
const WARM_UP: u32 = 200;

/// How often each case is timed for a claim: `SEALGATE_BENCH_ROUNDS`, or 61.
#[must_use]
pub fn rounds() -> usize {
    let set = std::env::var("SEALGATE_BENCH_ROUNDS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(61)
}

/// Prints a Markdown table of the cases, whose last column is against the first of them.
#[expect(clippy::print_stdout, reason = "for programs that print tables")]
pub fn table(title: &str, mut cases: Vec<Case>) {
    println!("\n{title}\n");
    println!("| | quiet ns | median ns | ratio |\n|---|---:|---:|---:|");
    for row in compare(&mut cases, rounds(), BATCH) {
        let (name, quiet, median, ratio) = (row.name, row.quiet, row.median, row.ratio);
        println!("| {name} | {quiet:.0} | {median:.0} | {ratio:.2} |");
    }
}

/// How long a case is timed in one round.
const BATCH: Duration = Duration::from_millis(2);

/// Times each case once a round for about `batch`, in rotating order.
pub fn compare(cases: &mut [Case], rounds: usize, batch: Duration) -> Vec<Summary> {
    let counts: Vec<u32> = cases
        .iter_mut()
        .map(|case| calibrate(case, batch))
        .collect();
    let mut samples = vec![Vec::with_capacity(rounds); cases.len()];
    for round in 0..rounds {
        for step in 0..cases.len() {
            let index = (round + step) % cases.len();
            samples[index].push(time(&mut cases[index], counts[index]));
        }
    }
    let base = samples[0].clone();
    cases
        .iter()
        .zip(samples)
        .map(|(case, samples)| Summary {
            name: case.name.clone(),
            ratio: median(samples.iter().zip(&base).map(|(own, base)| own / base)),
            quiet: percentile(samples.clone(), 10),
            median: median(samples),
        })
        .collect()
}

fn calibrate(case: &mut Case, batch: Duration) -> u32 {
    // First sights are dearer, and not what a batch will be made of.
    time(case, WARM_UP);
    let mut count: u32 = 1;
    loop {
        let took = time(case, count) * f64::from(count);
        if took * 4.0 >= batch.as_secs_f64() * 1e9 || count >= 1 << 24 {
            let each = (took / f64::from(count)).max(0.1);
            #[expect(clippy::as_conversions, reason = "saturates, which is what is wanted")]
            return (batch.as_secs_f64() * 1e9 / each).max(1.0) as u32;
        }
        count *= 4;
    }
}

/// Nanoseconds a call, over `count` calls.
#[expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]
fn time(case: &mut Case, count: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        (case.run)();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

/// The middle of some samples.
pub fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    percentile(samples.into_iter().collect(), 50)
}

/// The sample below which `percent` of them lie.
#[must_use]
pub fn percentile(mut samples: Vec<f64>, percent: usize) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    samples
        .get(last * percent / 100)
        .copied()
        .unwrap_or(f64::NAN)
}

/// Microseconds of single calls that accept this token: the median, p99 and p99.9.
///
/// # Panics
///
/// When the gate does not accept it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a stopwatch reads a clock")]
pub fn latencies(gate: &Gate, text: &str, calls: usize) -> [f64; 3] {
    let times = (0..calls).map(|_| {
        let began = Instant::now();
        black_box(gate.verify(black_box(text)).expect("a good token"));
        began.elapsed().as_secs_f64() * 1e6
    });
    let times: Vec<f64> = times.collect();
    let permille = |p: usize| percentile(times.clone(), p);
    let mut sorted = times.clone();
    sorted.sort_by(f64::total_cmp);
    [
        permille(50),
        permille(99),
        sorted[sorted.len() * 999 / 1000],
    ]
}
