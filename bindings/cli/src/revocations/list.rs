//! `sealgate revocations list` and `export`.

use std::io::{self, Write};

use clap::Args;
use sealgate::{Change, Clock, HandleKind};

use super::shared::{SharedArguments, failed};
use super::show::row;
use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::text::thousands;

/// Options of `revocations list`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: SharedArguments,
    /// Only handles with this text in a part of them, or in the reason.
    #[arg(long = "match", value_name = "TEXT")]
    text: Option<String>,
    /// Only handles of this kind: `actor`, `subject`, `holder_key`, …
    #[arg(long, value_parser = parse_kind)]
    kind: Option<HandleKind>,
    /// JSON lines.
    #[arg(long)]
    json: bool,
}

/// Options of `revocations export`.
#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    shared: SharedArguments,
}

fn parse_kind(text: &str) -> Result<HandleKind, String> {
    HandleKind::from_name(text).ok_or_else(|| {
        let kinds = HandleKind::ALL.map(HandleKind::name);
        format!("the kinds are {}", kinds.join(", "))
    })
}

impl Arguments {
    fn wants(&self, change: &Change) -> bool {
        let handle = change.handle();
        let has = |text: &String| {
            let texts = [
                handle.scope(),
                handle.value(),
                change.reason().unwrap_or(""),
            ];
            texts.iter().any(|part| part.contains(text.as_str()))
        };
        self.kind.is_none_or(|kind| handle.kind() == kind) && self.text.as_ref().is_none_or(has)
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let now = Clock::System.now();
    let (mut revoked, mut shown) = (0, Vec::new());
    let unreadable = each(&arguments.shared, &mut |change| {
        if change.is_lifted() || change.expires().is_some_and(|end| end <= now) {
            return Ok(());
        }
        revoked += 1;
        if arguments.wants(change) {
            shown.push(change.clone());
        }
        Ok(())
    })?;
    // A store keeps them in the order of their hashes, or in none.
    shown.sort_by(|a, b| order(a).cmp(&order(b)));
    for change in &shown {
        match arguments.json {
            true => writeln!(out, "{}", change.to_json())?,
            false => writeln!(out, "{}", row(change))?,
        }
    }
    out.flush()?;
    tell(&format!(
        "{} of {} revoked",
        thousands(shown.len()),
        thousands(revoked)
    ));
    warn(unreadable);
    Ok(ACCEPTED)
}

pub(super) fn run_export(arguments: &Export, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut written = 0;
    let unreadable = each(&arguments.shared, &mut |change| {
        written += 1;
        writeln!(out, "{}", change.to_json())
    })?;
    out.flush()?;
    tell(&format!("{} exported", thousands(written)));
    warn(unreadable);
    Ok(if unreadable == 0 { ACCEPTED } else { REFUSED })
}

fn order(change: &Change) -> (HandleKind, &str, &str) {
    let handle = change.handle();
    (handle.kind(), handle.scope(), handle.value())
}

/// Everything in the store; how much of it could not be read.
fn each(
    shared: &SharedArguments,
    take: &mut dyn FnMut(&Change) -> io::Result<()>,
) -> Result<u64, Failure> {
    let (_, store) = shared.open()?;
    let mut taken = Ok(());
    let unreadable = store.changes(&mut |change| {
        if taken.is_ok() {
            taken = take(&change);
        }
    });
    taken?;
    unreadable.map_err(|error| failed(&store, &error))
}

fn warn(unreadable: u64) {
    if unreadable > 0 {
        tell(&format!(
            "sealgate: {unreadable} more could not be read: a later version wrote them, or they are \
             broken"
        ));
    }
}

fn tell(text: &str) {
    // Nothing is left to do when even this fails.
    let _ = writeln!(io::stderr(), "{text}");
}
