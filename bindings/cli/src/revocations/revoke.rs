//! `sealgate revoke`: ends the tokens of an agent, a person, a key, wherever the policy's store
//! reaches.

use std::io::Write;

use clap::Args;
use sealgate::{Change, Clock, Handle, NumericDate, Policy, Revocation, RevokeError};

use super::handle::HandleArguments;
use super::shared::{SharedArguments, failed};
use crate::failure::{ACCEPTED, Failure};
use crate::text::{parse_time, printable};

/// Options of `revoke`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: SharedArguments,
    #[command(flatten)]
    handle: HandleArguments,
    /// Only tokens issued until then: `now`, seconds since 1970, or 2027-01-15T08:00:00Z. Those
    /// from the next second on pass.
    #[arg(long, value_name = "now|TIME", value_parser = parse_cutoff)]
    cutoff: Option<Cutoff>,
    /// Forget it from then on; otherwise it stays until it is lifted.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires: Option<NumericDate>,
    /// Why, for whoever lists it later; 256 bytes are kept.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Take back whatever was revoked of it.
    #[arg(long, conflicts_with_all = ["cutoff", "expires", "reason"])]
    lift: bool,
}

#[derive(Clone, Copy)]
enum Cutoff {
    Now,
    At(NumericDate),
}

fn parse_cutoff(text: &str) -> Result<Cutoff, String> {
    match text {
        "now" => Ok(Cutoff::Now),
        text => parse_time(text).map(Cutoff::At),
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let (policy, mut store) = arguments.shared.open()?;
    let handle = arguments.handle.handle();
    let handle = handle.ok_or_else(|| Failure::usage("which handle?"))?;
    let changes = arguments.changes(&policy, &handle);
    let changes = changes.map_err(|error| Failure::Usage(format!("{}: {error}", said(&handle))))?;
    // Whoever reads the store hears of it there; to read all of it here would take seconds.
    if let Err(error) = store.write(&changes) {
        let again = if arguments.lift {
            "doing it twice also lifts what is revoked of it in between"
        } else {
            "doing it twice does no harm"
        };
        let when = if error.passes() {
            "when the store answers"
        } else {
            "when that is mended"
        };
        let note = format!(
            "it is not known to have it, and nothing else remembers it. Run this again {when}; {again}"
        );
        return Err(failed(&store, &error).and(&note));
    }
    let word = if arguments.lift { "lifted" } else { "revoked" };
    let whom = match store.reach() {
        "host" => "every process of this host",
        _ => "every process, on all hosts,",
    };
    writeln!(out, "{word:<11}{}", said(&handle))?;
    writeln!(
        out,
        "reaches    {whom} that reads store \"{}\"",
        store.name()
    )?;
    writeln!(out, "delivered  the store has it")?;
    Ok(ACCEPTED)
}

impl Arguments {
    fn changes(&self, policy: &Policy, handle: &Handle) -> Result<Vec<Change>, RevokeError> {
        let now = Clock::System.now();
        if self.lift {
            Revocation::lift(policy, handle, now)
        } else {
            let change = self.revocation().change(policy, handle, now)?;
            Ok(vec![change])
        }
    }

    fn revocation(&self) -> Revocation {
        let revocation = match self.cutoff {
            None => Revocation::all(),
            Some(Cutoff::Now) => Revocation::so_far(),
            Some(Cutoff::At(cutoff)) => Revocation::before(cutoff),
        };
        let revocation = match self.expires {
            None => revocation,
            Some(expires) => revocation.until(expires),
        };
        match &self.reason {
            None => revocation,
            Some(reason) => revocation.because(reason.as_str()),
        }
    }
}

/// `actor   https://login.example.com   agent-7`.
fn said(handle: &Handle) -> String {
    let parts = [handle.kind().name(), handle.scope(), handle.value()];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.map(printable).collect::<Vec<_>>().join("   ")
}
