//! `sealgate inspect`: decodes without trust, and says so.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::{Clock, NumericDate, Profile};
use serde_json::{Map, Number, Value, json};

use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::text::{Columns, date, printable, relative};
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

/// The order in which people read them.
const HEADER: [&str; 3] = ["alg", "typ", "kid"];
const CLAIMS: [&str; 11] = [
    "iss",
    "sub",
    "client_id",
    "act",
    "aud",
    "scope",
    "iat",
    "nbf",
    "exp",
    "jti",
    "cnf",
];

/// Longer names do not move the column of the others.
const LABEL: usize = 16;

const WARNING: &str =
    "UNVERIFIED. Anybody can write these bytes. Decide nothing by them: use `sealgate verify`.";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let token = input::one(arguments.file.as_deref())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let token = match sealgate::inspect(&token) {
        Ok(token) => token,
        Err(error) => {
            if arguments.json {
                let code = error.code();
                writeln!(
                    out,
                    "{}",
                    json!({ "ok": false, "code": code.as_str(), "reason": code.reason() })
                )?;
            } else {
                writeln!(out, "cannot be decoded   {error}")?;
            }
            out.flush()?;
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
        out.flush()?;
        return Ok(ExitCode::from(ACCEPTED));
    }
    Columns::after("").write(&mut out, "", WARNING)?;
    writeln!(out)?;
    let labels = claims.keys().map(|name| printable(name).chars().count());
    let width = labels
        .filter(|width| *width <= LABEL)
        .max()
        .unwrap_or(0)
        .max(8);
    let columns = Columns::after(&" ".repeat(width + 3));
    let mut row = |name: &str, text: &str| {
        columns.write(&mut out, &format!("  {:<width$} ", printable(name)), text)
    };
    row("header", &header_line(&header, " · "))?;
    let typ = header.get("typ").and_then(Value::as_str);
    if let Some(kind) = typ.and_then(Profile::suggested_by) {
        row("kind", &format!("{}, by its typ", kind.as_str()))?;
    }
    let clock = if arguments.demo {
        demo::clock()
    } else {
        Clock::System
    };
    let now = clock.now().seconds();
    for (name, value) in ordered(&claims, &CLAIMS) {
        match (name, value) {
            ("act", _) => {
                for (depth, actor) in actors(value).enumerate() {
                    match depth {
                        0 => row("act", &actor)?,
                        _ => row("", &format!("{}└─ {actor}", "   ".repeat(depth - 1)))?,
                    }
                }
            }
            ("iat" | "exp" | "nbf" | "auth_time", Value::Number(number)) => {
                row(name, &moment(number, now))?;
            }
            _ => row(name, &show(value))?,
        }
    }
    // What tells of something rather than somebody is nobody's to use.
    let usable = claims.contains_key("exp") && !claims.contains_key("status_list");
    if usable && !claims.contains_key("cnf") {
        row("cnf", "none: whoever holds this token can use it")?;
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

/// A header on one line.
pub(crate) fn header_line(header: &Map<String, Value>, separator: &str) -> String {
    let members = ordered(header, &HEADER);
    let members: Vec<String> = members
        .map(|(name, value)| format!("{} {}", printable(name), show(value)))
        .collect();
    members.join(separator)
}

/// The members in this order, then the others by name.
fn ordered<'m>(
    members: &'m Map<String, Value>,
    first: &'static [&'static str],
) -> impl Iterator<Item = (&'m str, &'m Value)> {
    let known = first.iter().filter_map(|name| members.get_key_value(*name));
    let others = members
        .iter()
        .filter(|(name, _)| !first.contains(&name.as_str()));
    known
        .chain(others)
        .map(|(name, value)| (name.as_str(), value))
}

/// A date claim as it stands, then what it means where it means anything.
fn moment(number: &Number, now: i64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and is only shown"
    )]
    let seconds = number.as_f64().unwrap_or(f64::MAX) as i64;
    match NumericDate::from_seconds(seconds) {
        Some(_) => format!("{number}   {}   {}", date(seconds), relative(seconds - now)),
        None => format!("{number}   no moment sealgate takes"),
    }
}

/// Each link's `sub`, outermost first, or the link as it stands.
fn actors(act: &Value) -> impl Iterator<Item = String> {
    let links = std::iter::successors(Some(act), |link| link.get("act"));
    links.map(|link| link.get("sub").map_or_else(|| show(link), show))
}
