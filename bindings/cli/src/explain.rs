//! `sealgate explain`: every rule in order, which one refused and why, and what to do.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::{Blame, Outcome, Requirements};
use serde_json::json;

use crate::failure::{ACCEPTED, Failure, REFUSED, UNDECIDED};
use crate::gate::GateArguments;
use crate::input;
use crate::text::printable;

/// Options of `explain`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    gate: GateArguments,
    /// The stages as one JSON object.
    #[arg(long)]
    json: bool,
    /// The token; `-` or nothing is standard input.
    file: Option<String>,
}

/// Columns before the rules, so that most lines end within 80.
const NOTE: usize = 58;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let opened = arguments.gate.open()?;
    let token = input::one(arguments.file.as_deref())?;
    let explanation = opened.gate.explain(&token);
    let mut out = BufWriter::new(io::stdout().lock());
    let (exit, verdict) = match &explanation.outcome {
        Ok(_) => (ACCEPTED, "accepted".to_owned()),
        Err(error) if error.blame() == Blame::Rejected => (REFUSED, format!("refused   {error}")),
        Err(error) => (UNDECIDED, format!("undecided   {error}")),
    };
    let answer = explanation
        .outcome
        .as_ref()
        .err()
        .map(|error| opened.gate.answer(error, &Requirements::NONE));
    if arguments.json {
        let outcome = |outcome| match outcome {
            Outcome::Passed => "passed",
            Outcome::Refused => "refused",
            _ => "not_reached",
        };
        let stages: Vec<_> = explanation
            .steps
            .iter()
            .map(|step| {
                json!({
                    "stage": step.stage.as_str(), "outcome": outcome(step.outcome),
                    "note": step.note, "rules": step.stage.rules(),
                })
            })
            .collect();
        let code = match &explanation.outcome {
            Ok(_) => "accepted",
            Err(error) => error.code().as_str(),
        };
        let hint = explanation.advice.as_ref().map(|advice| &advice.hint);
        let wire = answer.map(|answer| {
            let headers: serde_json::Map<String, serde_json::Value> = answer
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            json!({ "status": answer.status, "headers": headers, "body": answer.body })
        });
        let ok = explanation.outcome.is_ok();
        writeln!(
            out,
            "{}",
            json!({ "ok": ok, "code": code, "stages": stages, "hint": hint, "wire": wire })
        )?;
        return Ok(ExitCode::from(exit));
    }
    writeln!(out, "{verdict}\n")?;
    let mut not_reached = Vec::new();
    for step in &explanation.steps {
        let mark = match step.outcome {
            Outcome::Passed => '✓',
            Outcome::Refused => '✗',
            _ => {
                not_reached.push(step.stage.as_str());
                continue;
            }
        };
        let note = printable(&step.note);
        writeln!(
            out,
            "  {mark} {:<14} {note:<NOTE$} {}",
            step.stage.as_str(),
            step.stage.rules()
        )?;
    }
    if !not_reached.is_empty() {
        writeln!(out, "  · {}   not reached", not_reached.join(", "))?;
    }
    if let Some(advice) = &explanation.advice {
        writeln!(out, "\n  Do this   {}", advice.hint)?;
    }
    if let Some(answer) = answer {
        write!(out, "  On the wire   {}", answer.status)?;
        for (name, value) in &answer.headers {
            write!(out, "   {name}: {value}")?;
        }
        writeln!(out)?;
    }
    out.flush()?;
    Ok(ExitCode::from(exit))
}
