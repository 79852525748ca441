//! `sealgate bench`: how fast your own tokens verify here, under your own policy.

use std::borrow::Cow;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::failure::{ACCEPTED, Failure};
use crate::gate::GateArguments;
use crate::input;
use crate::stopwatch::Stopwatch;
use crate::text::thousands;

/// Options of `bench`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    gate: GateArguments,
    /// Numbers as JSON.
    #[arg(long)]
    json: bool,
    /// Tokens, one a line; `-` or nothing is standard input.
    file: Option<String>,
}

/// Tokens beyond these are not timed.
const MOST: usize = 100_000;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let opened = arguments.gate.open()?;
    let source = input::open(arguments.file.as_deref())?;
    let name = source.name.clone();
    let mut tokens: Vec<Vec<u8>> = Vec::new();
    input::chunks(source, |chunk, _| {
        let room = MOST - tokens.len();
        tokens.extend(chunk.tokens().take(room).map(Cow::into_owned));
        Ok(())
    })?;
    if tokens.is_empty() {
        return Err(Failure::Usage(format!("{name}: no token")));
    }
    // Each token is new the first time and, if accepted, remembered the second.
    let cold = latencies(&tokens, |token| drop(black_box(opened.gate.verify(token))));
    let good: Vec<Vec<u8>> = tokens
        .iter()
        .filter(|token| opened.gate.verify(token).is_ok())
        .cloned()
        .collect();
    let cached = latencies(&good, |token| drop(black_box(opened.gate.verify(token))));
    let hits = opened.verifier.cache_stats().hits;
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.json {
        let numbers = |sorted: &[Duration]| {
            json!({
                "tokens": sorted.len(), "p50_us": at(sorted, 50), "p99_us": at(sorted, 99),
                "per_second": rate(sorted),
            })
        };
        writeln!(
            out,
            "{}",
            json!({
                "accepted": good.len(), "cold": numbers(&cold), "cached": numbers(&cached),
                "cache_hits": hits,
            })
        )?;
        return Ok(ExitCode::from(ACCEPTED));
    }
    let (all, accepted) = (thousands(tokens.len()), thousands(good.len()));
    writeln!(
        out,
        "{name}   {all} tokens, {accepted} accepted, one thread\n"
    )?;
    writeln!(
        out,
        "  {:<16} {:>12} {:>10} {:>10}",
        "", "a second", "p50", "p99"
    )?;
    for (label, sorted) in [("each token new", &cold), ("seen before", &cached)] {
        if sorted.is_empty() {
            continue;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate"
        )]
        let rate = thousands(rate(sorted) as usize);
        let (p50, p99) = (at(sorted, 50), at(sorted, 99));
        writeln!(out, "  {label:<16} {rate:>12} {p50:>7.2} µs {p99:>7.2} µs")?;
    }
    if !good.is_empty() && hits == 0 {
        writeln!(out, "\n  the policy's cache is off: [cache] tokens = 0")?;
    }
    out.flush()?;
    Ok(ExitCode::from(ACCEPTED))
}

fn latencies(tokens: &[Vec<u8>], mut verify: impl FnMut(&[u8])) -> Vec<Duration> {
    let mut latencies: Vec<Duration> = tokens
        .iter()
        .map(|token| {
            let began = Stopwatch::start();
            verify(token);
            began.elapsed()
        })
        .collect();
    latencies.sort_unstable();
    latencies
}

fn at(sorted: &[Duration], percent: usize) -> f64 {
    let duration = sorted
        .get(sorted.len() * percent / 100)
        .copied()
        .unwrap_or_default();
    duration.as_secs_f64() * 1e6
}

fn rate(sorted: &[Duration]) -> f64 {
    let sum: Duration = sorted.iter().sum();
    sorted.len() as f64 / sum.as_secs_f64().max(1e-9)
}
