//! `sealgate policy`: check a document, print its schema, begin one.

mod draft;
mod init;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use sealgate::crypto::aws_lc;
use sealgate::{Format, GateSummary, LoadOptions, Policy, PolicyError, Verifier};
use serde_json::{Value, json};

use crate::failure::{ACCEPTED, Failure, REFUSED, USAGE};
use crate::input;
use crate::text::Columns;

pub(crate) use draft::{Draft, KeysFrom, Named, blame_options};

/// What to do with a policy.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Load a policy and say what it means; exit 2 when it is refused.
    Check(Check),
    /// Print the JSON Schema of policy documents.
    Schema,
    /// Write a policy for one issuer and one gate.
    Init(init::Arguments),
}

/// Options of `policy check`.
#[derive(Args)]
pub(crate) struct Check {
    /// Policy document (.toml or .json); `-` is standard input, where JSON begins with `{`.
    file: String,
    /// Print the document in another format instead.
    #[arg(long, value_name = "FORMAT")]
    to: Option<To>,
    /// Print the document with every default filled in instead.
    #[arg(long, conflicts_with = "to")]
    effective: bool,
    /// Exit 1 when there is a warning.
    #[arg(long)]
    deny_warnings: bool,
    /// Let the policy have a `[danger]` table.
    #[arg(long)]
    allow_danger: bool,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
}

/// Formats `policy check --to` prints.
#[derive(Clone, Copy, ValueEnum)]
enum To {
    Json,
}

pub(crate) fn run(verb: &Verb) -> Result<ExitCode, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match verb {
        Verb::Check(arguments) => check(arguments, &mut out)?,
        Verb::Schema => {
            writeln!(out, "{}", Policy::schema().trim_end())?;
            ACCEPTED
        }
        Verb::Init(arguments) => init::run(arguments, &mut out)?,
    };
    out.flush()?;
    Ok(ExitCode::from(exit))
}

fn check(arguments: &Check, out: &mut dyn Write) -> Result<u8, Failure> {
    // The verifier judges what only a provider can: keys and algorithms.
    let options = LoadOptions::new().allow_danger(arguments.allow_danger);
    let loaded = match arguments.file.as_str() {
        "-" => {
            let text = input::whole("-")?;
            let format = match text.trim_ascii_start().first() {
                Some(b'{') => Format::Json,
                _ => Format::Toml,
            };
            Policy::parse_for(text, format, &options, &aws_lc::provider())
        }
        path => Policy::load_for(path, &options, &aws_lc::provider()),
    };
    let loaded = loaded
        .and_then(|policy| Verifier::new(policy.clone(), aws_lc::provider()).map(|v| (policy, v)));
    let (policy, verifier) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            refuse(&error, arguments.json, out)?;
            return Ok(USAGE);
        }
    };
    let warned = arguments.deny_warnings && !policy.warnings().is_empty();
    let exit = if warned { REFUSED } else { ACCEPTED };
    if arguments.to.is_some() {
        writeln!(out, "{}", policy.to_json().trim_end())?;
        return Ok(exit);
    }
    if arguments.effective {
        writeln!(out, "{:#}", policy.effective())?;
        return Ok(exit);
    }
    let summary = policy.summary();
    if arguments.json {
        let warnings: Vec<Value> = policy
            .warnings()
            .iter()
            .map(|w| json!({ "path": w.path, "line": w.line, "column": w.column, "text": w.text }))
            .collect();
        let gates: Vec<Value> = summary.gates.iter().map(meaning).collect();
        writeln!(
            out,
            "{}",
            json!({
                "ok": true, "version": 1, "preset": summary.preset.as_str(),
                "digest": verifier.policy_digest(), "gates": gates,
                "everywhere": summary.everywhere, "warnings": warnings,
            })
        )?;
        return Ok(exit);
    }
    let digest = verifier.policy_digest();
    let short: String = digest.chars().take(15).collect();
    writeln!(
        out,
        "{}   ok   version 1 · {} · {short}…\n",
        arguments.file,
        summary.preset.as_str()
    )?;
    let wide = |texts: Vec<usize>| texts.into_iter().max().unwrap_or(0);
    let name = wide(summary.gates.iter().map(|gate| gate.name.len()).collect());
    for gate in &summary.gates {
        let label = format!("  gate {:<name$}   ", gate.name);
        let row = format!(
            "{}   {}   {}",
            gate.profile,
            gate.audience.join(" "),
            gate.demands.join(" · ")
        );
        Columns::after(&label).write(out, &label, &row)?;
        let width = wide(
            gate.issuers
                .iter()
                .map(|issuer| issuer.name.len())
                .collect(),
        );
        for issuer in &gate.issuers {
            let label = format!("       {:<width$}   ", issuer.name);
            let row = format!(
                "{}   {}   {}",
                issuer.typ,
                issuer.algorithms.join(" "),
                issuer.keys
            );
            Columns::after(&label).write(out, &label, &row)?;
        }
    }
    writeln!(out, "  {}", summary.everywhere.join(" · "))?;
    for (name, value) in &summary.annotations {
        writeln!(out, "  {name}: {}", crate::text::printable(value))?;
    }
    for warning in policy.warnings() {
        let text = format!("{}:{}  {warning}", warning.line, warning.column);
        Columns::after("  warning  ").write(out, "  warning  ", &text)?;
    }
    Ok(exit)
}

/// What a gate means, as the table says it to people.
fn meaning(gate: &GateSummary) -> Value {
    let issuers = gate.issuers.iter().map(|issuer| {
        json!({
            "name": issuer.name, "typ": issuer.typ, "algorithms": issuer.algorithms,
            "keys": issuer.keys,
        })
    });
    json!({
        "name": gate.name, "profile": gate.profile, "audience": gate.audience,
        "demands": gate.demands, "issuers": issuers.collect::<Vec<_>>(),
    })
}

fn refuse(error: &PolicyError, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if !as_json {
        writeln!(out, "{}", error.to_string().trim_end())?;
        return Ok(());
    }
    let problems: Vec<Value> = error
        .problems
        .iter()
        .map(|p| json!({ "path": p.path, "line": p.line, "column": p.column, "text": p.text }))
        .collect();
    writeln!(
        out,
        "{}",
        json!({ "ok": false, "code": "policy_invalid", "problems": problems })
    )?;
    Ok(())
}
