//! `sealgate revocations`: what the store knows that the policy names, listed, backed up, brought
//! back and followed.

mod handle;
mod import;
mod list;
mod revoke;
mod shared;
mod show;
mod tail;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Subcommand;

use crate::failure::Failure;

pub(crate) use revoke::Arguments as RevokeArguments;
pub(crate) use shared::unshared;

/// What to do with the store.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// What is revoked now, a line each.
    List(list::Arguments),
    /// Everything the store knows, lifts too, as JSON lines: a backup. Exit 1 when something could
    /// not be read.
    Export(list::Export),
    /// Bring back an export from standard input. Of two changes of a handle the later counts. Exit
    /// 2 when a line is bad, and nothing is written then; with `--skip-bad` 1.
    Import(import::Arguments),
    /// What is revoked and lifted from now on, a line each. Ctrl-C ends it.
    Tail(tail::Arguments),
}

pub(crate) fn run(verb: &Verb) -> Result<ExitCode, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match verb {
        Verb::List(arguments) => list::run(arguments, &mut out)?,
        Verb::Export(arguments) => list::run_export(arguments, &mut out)?,
        Verb::Import(arguments) => import::run(arguments, &mut out)?,
        Verb::Tail(arguments) => tail::run(arguments, &mut out)?,
    };
    out.flush()?;
    Ok(ExitCode::from(exit))
}

pub(crate) fn revoke(arguments: &RevokeArguments) -> Result<ExitCode, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = revoke::run(arguments, &mut out)?;
    out.flush()?;
    Ok(ExitCode::from(exit))
}
