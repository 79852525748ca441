//! `sealgate inspect`: decodes without trust, and says so.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::Clock;
use serde_json::{Map, Value, json};

use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::text::{date, printable, relative};
use crate::{demo, input};

/// Options of `inspect`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Header and claims as JSON, under the one member `unverified`.
    #[arg(long)]
    json: bool,
    /// Reckon times as of the demonstration's clock.
    #[arg(long)]
    demo: bool,
    /// The token; `-` or nothing is standard input.
    file: Option<String>,
}

const WARNING: &str =
    "UNVERIFIED. Anybody can write these bytes. Decide nothing by them: use `sealgate verify`.";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let token = input::one(arguments.file.as_deref())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let token = match sealgate::inspect(&token) {
        Ok(token) => token,
        Err(error) => {
            writeln!(out, "cannot be decoded   {error}")?;
            return Ok(ExitCode::from(REFUSED));
        }
    };
    // Both were read strictly a moment ago; serde_json only reads what is left to show.
    let parse = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let (header, claims) = (parse(token.header()), parse(token.claims()));
    if arguments.json {
        writeln!(
            out,
            "{}",
            json!({ "unverified": { "header": header, "claims": claims } })
        )?;
        return Ok(ExitCode::from(ACCEPTED));
    }
    writeln!(out, "{WARNING}\n")?;
    let header: Vec<String> = header
        .iter()
        .map(|(name, value)| format!("{} {}", printable(name), show(value)))
        .collect();
    writeln!(out, "  header   {}", header.join(" · "))?;
    let clock = if arguments.demo {
        demo::clock()
    } else {
        Clock::System
    };
    let now = clock.now().seconds();
    for (name, value) in &claims {
        match (name.as_str(), value) {
            ("act", _) => show_chain(value, &mut out)?,
            ("iat" | "exp" | "nbf" | "auth_time", Value::Number(number)) => {
                let seconds = number.as_f64().unwrap_or(0.0);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "saturates, and is only shown"
                )]
                let seconds = seconds as i64;
                let (at, away) = (date(seconds), relative(seconds.saturating_sub(now)));
                writeln!(out, "  {name:<8} {number}   {at}   {away}")?;
            }
            (name, value) => writeln!(out, "  {:<8} {}", printable(name), show(value))?,
        }
    }
    if !claims.contains_key("cnf") {
        writeln!(
            out,
            "  {:<8} none: whoever holds this token can use it",
            "cnf"
        )?;
    }
    out.flush()?;
    Ok(ExitCode::from(ACCEPTED))
}

fn show(value: &Value) -> String {
    match value.as_str() {
        Some(text) => printable(text),
        None => printable(&value.to_string()),
    }
}

fn show_chain(act: &Value, out: &mut dyn Write) -> io::Result<()> {
    let links = std::iter::successors(Some(act), |link| link.get("act"));
    for (depth, link) in links.enumerate() {
        let who = link.get("sub").map_or_else(|| show(link), show);
        match depth {
            0 => writeln!(out, "  {:<8} {who}", "act")?,
            _ => writeln!(out, "  {:<8} {}└─ {who}", "", "   ".repeat(depth - 1))?,
        }
    }
    Ok(())
}
