//! `sealgate revocations tail`: what is written to a store, as it comes.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use sealgate::{Change, Following, Span, Store};

use super::shared::{SharedArguments, failed};
use super::show::row;
use crate::failure::{ACCEPTED, Failure};
use crate::stopwatch::Stopwatch;
use crate::text::{parse_span, printable};

/// Options of `revocations tail`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: SharedArguments,
    /// End after this time; otherwise with Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_span)]
    until: Option<Span>,
    /// JSON lines.
    #[arg(long)]
    json: bool,
}

/// How long to wait for news before looking at the time, and after a failure.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let (_, store) = arguments.shared.open()?;
    let began = Stopwatch::start();
    let is_over = || {
        let until = arguments.until.map(Span::to_duration);
        until.is_some_and(|until| began.elapsed() >= until)
    };
    // The first time nobody waits for a store that is away.
    let mut following = Some(store.follow().map_err(|error| failed(&store, &error))?);
    tell(&format!("following store \"{}\"", store.name()));
    while !is_over() {
        let mut written = Ok(());
        let looked = look(&store, &mut following, &mut |change| {
            if written.is_ok() {
                written = write(change, arguments.json, out);
            }
        });
        written?;
        match looked {
            Ok(true) => {}
            Ok(false) => tell(
                "sealgate: something may have been missed that the store cannot tell any more; \
                 `sealgate revocations list` shows what is revoked now",
            ),
            Err(error) if error.passes() => {
                if following.take().is_some() {
                    tell(&format!(
                        "sealgate: {}; trying again",
                        printable(&error.to_string())
                    ));
                }
                std::thread::sleep(LOOK);
            }
            Err(error) => return Err(failed(&store, &error)),
        }
    }
    Ok(ACCEPTED)
}

/// One look; begins anew after a failure, and what came in between was missed.
fn look(
    store: &Store,
    following: &mut Option<Following>,
    take: &mut dyn FnMut(&Change),
) -> Result<bool, sealgate::StoreError> {
    match following {
        Some(following) => following.next(LOOK, take),
        None => {
            *following = Some(store.follow()?);
            Ok(false)
        }
    }
}

fn write(change: &Change, json: bool, out: &mut dyn Write) -> io::Result<()> {
    match json {
        true => writeln!(out, "{}", change.to_json())?,
        false => writeln!(out, "{}", row(change))?,
    }
    out.flush()
}

fn tell(text: &str) {
    // Nothing is left to do when even this fails.
    let _ = writeln!(io::stderr(), "{text}");
}
