//! `sealgate jwks`: looks at key sets, here and where they are published, and makes keys.

mod fetch;
mod generate;
mod judge;
mod lint;
mod watch;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Subcommand;

use crate::failure::Failure;

pub(crate) use fetch::freshness;
pub(crate) use generate::{random_id, read_private, read_public};
pub(crate) use judge::Judged;

/// What to do with key sets.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Say of each key of a set whether it can be used; exit 1 when one cannot.
    Lint(lint::Arguments),
    /// Make keys. The result is secret, unless `--private` keeps it apart.
    Generate(generate::Arguments),
    /// Print the public halves of private keys.
    Public(generate::Public),
    /// Fetch the keys an issuer publishes, and say how many can be used and how long they are
    /// fresh; exit 1 when none can, 3 when they could not be reached.
    Fetch(fetch::Arguments),
    /// Keep looking at the keys an issuer publishes: a line when a key appears or vanishes, or a
    /// fetch fails. Ctrl-C ends it; exit 3 when there are no keys at the end.
    Watch(watch::Arguments),
}

pub(crate) fn run(verb: &Verb) -> Result<ExitCode, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match verb {
        Verb::Lint(arguments) => lint::run(arguments, &mut out)?,
        Verb::Generate(arguments) => generate::run(arguments, &mut out)?,
        Verb::Public(arguments) => generate::run_public(arguments, &mut out)?,
        Verb::Fetch(arguments) => fetch::run(arguments, &mut out)?,
        Verb::Watch(arguments) => watch::run(arguments, &mut out)?,
    };
    out.flush()?;
    Ok(ExitCode::from(exit))
}
