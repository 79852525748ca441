//! `sealgate bench`: how fast your own tokens verify here, under your own policy, and what of it
//! is the signature.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use sealgate::crypto::aws_lc;
use sealgate::{Batch, Gate};
use serde_json::{Value, json};

use crate::always_yes;
use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::gate::{Cache, GateArguments};
use crate::input::{self, First};
use crate::stopwatch::Stopwatch;
use crate::text::{printable, thousands};

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
/// Accepted tokens that are shown again, as those of busy agents are.
const HOT: usize = 1_000;
/// Times each is shown again; the fastest round counts, as it was disturbed least.
const ROUNDS: usize = 5;

/// The tokens of one algorithm, or those that were refused.
struct Row {
    name: String,
    accepted: bool,
    tokens: Vec<Vec<u8>>,
    /// How long each took when it was new, sorted.
    new: Vec<Duration>,
}

/// What is shown of a row.
struct Numbers {
    tokens: usize,
    per_second: f64,
    p50: f64,
    p99: f64,
    /// Microseconds of one token, and tokens a second, where the tokens are accepted.
    own: Option<f64>,
    again: Option<f64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (name, tokens) = read(arguments)?;
    let opened = arguments.gate.open_with(aws_lc::provider(), Cache::Own)?;
    let rows = time_new(&opened.gate, &tokens);
    let numbers: Vec<Numbers> = rows
        .iter()
        .map(|row| measure(arguments, row))
        .collect::<Result<_, _>>()?;
    // A verifier of its own: to this one, too, each token is new.
    let fresh = arguments.gate.open_with(aws_lc::provider(), Cache::Own)?;
    let began = Stopwatch::start();
    let batch = black_box(fresh.gate.verify_batch(&tokens));
    let batched = batch.len() as f64 / began.elapsed().as_secs_f64().max(1e-9);
    let exit = match batch.accepted() {
        0 => {
            // What is refused is not what a service spends its time on.
            let codes = codes(&batch);
            let _ = writeln!(io::stderr(), "sealgate: no token was accepted: {codes}");
            REFUSED
        }
        _ => ACCEPTED,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.json {
        let rows = rows.iter().zip(&numbers).map(as_json);
        let report = json!({
            "tokens": tokens.len(), "accepted": batch.accepted(),
            "rows": rows.collect::<Vec<Value>>(),
            "batch": { "threads": rayon::current_num_threads(), "per_second": batched },
        });
        writeln!(out, "{report}")?;
        out.flush()?;
        return Ok(ExitCode::from(exit));
    }
    let (all, accepted) = (thousands(tokens.len()), thousands(batch.accepted()));
    writeln!(
        out,
        "{name}   {all} different tokens, {accepted} accepted\n"
    )?;
    writeln!(
        out,
        "  {:<12} {:>11} {:>10} {:>10}  {:>9}  {:>14}",
        "one thread", "each new", "p50", "p99", "our share", "seen before"
    )?;
    for (row, numbers) in rows.iter().zip(&numbers) {
        writeln!(out, "{}", as_row(row, numbers).trim_end())?;
    }
    let threads = match rayon::current_num_threads() {
        1 => "1 thread".to_owned(),
        count => format!("{count} threads"),
    };
    writeln!(out, "  {threads:<12} {:>11}", per_second(batched))?;
    for (row, numbers) in rows.iter().zip(&numbers) {
        let (Some(own), Some(again)) = (numbers.own, numbers.again) else {
            continue;
        };
        let mean = 1e6 / numbers.per_second;
        // What the signature leaves; a share is measured apart, so the two may cross.
        let signature = (mean - own).max(f64::MIN_POSITIVE);
        writeln!(
            out,
            "\n  {}: {:.2} times the signature alone; seen before, {:.0} times faster",
            printable(&row.name),
            mean / signature,
            again / numbers.per_second
        )?;
    }
    out.flush()?;
    Ok(ExitCode::from(exit))
}

/// `expired 3, aud_mismatch 1`.
fn codes(batch: &Batch) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for error in batch.results().filter_map(Result::err) {
        *counts.entry(error.code().as_str()).or_default() += 1;
    }
    let counts = counts
        .iter()
        .map(|(code, count)| format!("{code} {}", thousands(*count)));
    counts.collect::<Vec<_>>().join(", ")
}

/// Different tokens: one that comes again is not new, and would be timed as if it were.
fn read(arguments: &Arguments) -> Result<(String, Vec<Vec<u8>>), Failure> {
    let source = input::open(arguments.file.as_deref())?;
    let name = source.name.clone();
    let mut tokens: Vec<Vec<u8>> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    input::chunks(source, First::AtOnce, |chunk, _| {
        for token in chunk.tokens() {
            if tokens.len() < MOST && seen.insert(token.to_vec()) {
                tokens.push(token.to_vec());
            }
        }
        Ok(())
    })?;
    if tokens.is_empty() {
        return Err(Failure::Usage(format!("{name}: no token")));
    }
    Ok((name, tokens))
}

/// Shows the gate each token once, and sorts them by algorithm.
fn time_new(gate: &Gate, tokens: &[Vec<u8>]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for token in tokens {
        let began = Stopwatch::start();
        let verdict = black_box(gate.verify(black_box(token)));
        let took = began.elapsed();
        let accepted = verdict.is_ok();
        let name = verdict
            .ok()
            .and_then(|token| serde_json::from_str::<Value>(token.header()).ok())
            .and_then(|header| Some(header["alg"].as_str()?.to_owned()))
            .unwrap_or_else(|| "refused".to_owned());
        let place = rows.iter().position(|row| row.name == name);
        let row = match place.and_then(|place| rows.get_mut(place)) {
            Some(row) => row,
            None => rows.push_mut(Row {
                name,
                accepted,
                tokens: Vec::new(),
                new: Vec::new(),
            }),
        };
        row.tokens.push(token.clone());
        row.new.push(took);
    }
    for row in &mut rows {
        row.new.sort_unstable();
    }
    rows.sort_by_key(|row| (!row.accepted, row.name.clone()));
    rows
}

fn measure(arguments: &Arguments, row: &Row) -> Result<Numbers, Failure> {
    let sum: Duration = row.new.iter().sum();
    let at = |percent: usize| {
        let duration = row.new.get(row.new.len() * percent / 100);
        duration.map_or(0.0, Duration::as_secs_f64) * 1e6
    };
    let mut numbers = Numbers {
        tokens: row.new.len(),
        per_second: row.new.len() as f64 / sum.as_secs_f64().max(1e-9),
        p50: at(50),
        p99: at(99),
        own: None,
        again: None,
    };
    if !row.accepted {
        return Ok(numbers);
    }
    let hot = row.tokens.get(..HOT).unwrap_or(&row.tokens);
    // Without a cache each token is new, however often it is shown.
    let opened = arguments
        .gate
        .open_with(always_yes::provider(), Cache::Off)?;
    let own = (0..ROUNDS).map(|_| round(&opened.gate, hot)).min();
    let own = own.unwrap_or_default();
    numbers.own = Some(own.as_secs_f64() * 1e6 / hot.len() as f64);
    let opened = arguments.gate.open_with(aws_lc::provider(), Cache::Own)?;
    round(&opened.gate, hot);
    let again = (0..ROUNDS).map(|_| round(&opened.gate, hot)).min();
    // A policy may have its cache off; then nothing is seen before.
    if opened.verifier.cache_stats().hits > 0 {
        let seconds = again.unwrap_or_default().as_secs_f64().max(1e-9);
        numbers.again = Some(hot.len() as f64 / seconds);
    }
    Ok(numbers)
}

fn round(gate: &Gate, tokens: &[Vec<u8>]) -> Duration {
    let began = Stopwatch::start();
    for token in tokens {
        drop(black_box(gate.verify(black_box(token))));
    }
    began.elapsed()
}

fn per_second(rate: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate, shown"
    )]
    let rate = rate as usize;
    format!("{} /s", thousands(rate))
}

fn as_row(row: &Row, numbers: &Numbers) -> String {
    let own = numbers.own.map(|own| format!("{own:.2} µs"));
    format!(
        "  {:<12} {:>11} {:>7.1} µs {:>7.1} µs  {:>9}  {:>14}",
        printable(&row.name),
        per_second(numbers.per_second),
        numbers.p50,
        numbers.p99,
        own.unwrap_or_default(),
        numbers.again.map(per_second).unwrap_or_default(),
    )
}

fn as_json((row, numbers): (&Row, &Numbers)) -> Value {
    json!({
        "alg": row.accepted.then_some(&row.name), "accepted": row.accepted,
        "tokens": numbers.tokens, "per_second": numbers.per_second,
        "p50_us": numbers.p50, "p99_us": numbers.p99,
        "own_us": numbers.own, "seen_before_per_second": numbers.again,
    })
}
