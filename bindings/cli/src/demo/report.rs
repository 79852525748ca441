//! The table a person reads, and the same numbers as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::run::Outcome;
use super::world::ROWS;
use crate::text::thousands;

const RULE: &str = "────────────────────────────────────────────────────────────────────────────";

fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
}

fn per_second(rate: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate, shown"
    )]
    let rate = rate as usize;
    // Three figures: the others are noise.
    let rounded = match rate {
        1_000_000.. => rate / 10_000 * 10_000,
        10_000.. => rate / 100 * 100,
        _ => rate,
    };
    format!("{} /s", thousands(rounded))
}

pub(super) fn as_table(outcome: &Outcome) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = table(outcome, &mut text);
    text
}

fn table(outcome: &Outcome, out: &mut String) -> std::fmt::Result {
    writeln!(out)?;
    writeln!(
        out,
        "  {:<36} {:>9}  {:<18} {:>8}",
        "What knocked", "Tokens", "sealgate said", "Let in"
    )?;
    writeln!(out, "  {RULE}")?;
    let mut accepted = true;
    for (row, (count, let_in)) in ROWS.iter().zip(&outcome.rows) {
        if accepted && row.code != "accepted" {
            accepted = false;
            writeln!(out, "  {RULE}")?;
        }
        let (count, let_in) = (thousands(*count), thousands(*let_in));
        writeln!(
            out,
            "  {:<36} {count:>9}  {:<18} {let_in:>8}",
            row.label, row.code
        )?;
    }
    writeln!(out, "  {RULE}")?;
    let foretold = outcome.tokens - outcome.surprises;
    let (all, foretold) = (thousands(outcome.tokens), thousands(foretold));
    writeln!(
        out,
        "  {:<36} {all:>9}  {:<18} {foretold:>8}",
        "", "as foretold"
    )?;
    let surprises = thousands(outcome.surprises);
    writeln!(
        out,
        "  {:<36} {:>9}  {:<18} {surprises:>8}",
        "", "", "surprises"
    )?;
    if let Some((number, foretold, said)) = outcome.surprise {
        writeln!(
            out,
            "\n  token {number}: foretold {foretold}, sealgate said {said}"
        )?;
    }
    let threads = format!("How fast ({} threads)", outcome.threads);
    writeln!(
        out,
        "\n  {threads:<22} {:>15} {:>9} {:>9}   {:>12}",
        "each token new", "p50", "p99", "seen before"
    )?;
    for speed in &outcome.speeds {
        let (p50, p99) = (micros(speed.p50), micros(speed.p99));
        let rate = per_second(speed.per_second);
        writeln!(
            out,
            "  {:<22} {rate:>15} {p50:>9} {p99:>9}",
            speed.algorithm.name()
        )?;
    }
    let rate = per_second(outcome.tokens as f64 / outcome.cold.as_secs_f64());
    let took = format!("in {:.1} s", outcome.cold.as_secs_f64());
    let cached = per_second(1.0 / outcome.cached.as_secs_f64().max(1e-12));
    writeln!(
        out,
        "  {:<22} {rate:>15} {took:>9} {:>9}   {cached:>12}",
        "all of the above", ""
    )?;
    let share = micros(outcome.share);
    writeln!(
        out,
        "  sealgate's own share of each verification: {share}; the rest is the signature"
    )?;
    let rotation = &outcome.rotation;
    writeln!(
        out,
        "\n  Keys rotated at full speed, {} times",
        rotation.publications
    )?;
    writeln!(
        out,
        "  good tokens refused for it {}     tokens of withdrawn keys let in {}",
        rotation.good_refused, rotation.withdrawn_let_in
    )?;
    writeln!(out, "\n  Go on")?;
    writeln!(
        out,
        "    sealgate demo token chain   | sealgate verify  --demo    who acts for whom"
    )?;
    writeln!(
        out,
        "    sealgate demo token expired | sealgate explain --demo    every rule, and why"
    )?;
    writeln!(
        out,
        "    sealgate policy init --help                              your turn"
    )
}

pub(super) fn as_json(outcome: &Outcome) -> Value {
    let rows: Vec<Value> = ROWS
        .iter()
        .zip(&outcome.rows)
        .map(|(row, (count, let_in))| {
            json!({ "what": row.label, "tokens": count, "code": row.code, "let_in": let_in })
        })
        .collect();
    let speeds: Vec<Value> = outcome
        .speeds
        .iter()
        .map(|speed| {
            json!({
                "alg": speed.algorithm.name(), "per_second": speed.per_second,
                "p50_us": speed.p50.as_secs_f64() * 1e6, "p99_us": speed.p99.as_secs_f64() * 1e6,
            })
        })
        .collect();
    json!({
        "tokens": outcome.tokens, "surprises": outcome.surprises,
        "surprise": outcome.surprise.map(|(number, foretold, said)| {
            json!({ "token": number, "foretold": foretold, "said": said })
        }),
        "rows": rows, "threads": outcome.threads, "speeds": speeds,
        "cold_seconds": outcome.cold.as_secs_f64(),
        "cached_us": outcome.cached.as_secs_f64() * 1e6,
        "share_us": outcome.share.as_secs_f64() * 1e6,
        "rotation": {
            "publications": outcome.rotation.publications,
            "good_refused": outcome.rotation.good_refused,
            "withdrawn_let_in": outcome.rotation.withdrawn_let_in,
        },
    })
}
