//! `sealgate demo`: issuers, agents and attacks, each with its verdict foretold.

mod report;
mod run;
mod world;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use sealgate::crypto::CryptoProvider;
use sealgate::{Clock, PolicyError, Verifier};

use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::gate::Cache;

/// The demonstration's main gate.
pub(crate) const GATE: &str = world::GATE;

/// Options of `demo`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// How many tokens knock.
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(400..=5_000_000))]
    tokens: u32,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
}

/// What else the demonstration has.
#[derive(Subcommand)]
enum Verb {
    /// Print one of its tokens, for `verify --demo`, `explain --demo` and `inspect --demo`.
    Token {
        /// Which.
        #[arg(value_parser = world::ROWS.map(|row| row.name))]
        name: String,
        /// A JSON line with the member `token`, as `sealgate verify` reads it.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn clock() -> Clock {
    world::clock()
}

/// The demonstration's policy and keys.
pub(crate) fn verifier(
    clock: Clock,
    provider: CryptoProvider,
    cache: Cache,
) -> Result<Verifier, PolicyError> {
    world::verifier(clock, provider, cache)
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(Verb::Token { name, json }) = &arguments.verb {
        let mints = world::Mints::new().map_err(|error| Failure::Usage(error.to_string()))?;
        let row = world::ROWS.iter().find(|row| row.name == name.as_str());
        let row = row.ok_or_else(|| Failure::usage("no such token"))?;
        let token = row
            .make(&mints, 7)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        if *json {
            writeln!(io::stdout(), "{}", serde_json::json!({ "token": token }))?;
        } else {
            writeln!(io::stdout(), "{token}")?;
        }
        if row.gate != GATE {
            // Nothing is left to do when even this fails.
            let _ = writeln!(
                io::stderr(),
                "sealgate: for the door {}: add -g {0}",
                row.gate
            );
        }
        return Ok(ExitCode::from(ACCEPTED));
    }
    let tokens = usize::try_from(arguments.tokens).unwrap_or(usize::MAX);
    let result = run::run(tokens).map_err(|error| match error {
        run::Problem::Key(error) => Failure::Usage(error.to_string()),
        run::Problem::Policy(error) => Failure::Policy(error),
    })?;
    let mut out = io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", report::as_json(&result))?;
    } else {
        write!(out, "{}", report::as_table(&result))?;
    }
    let exit = if result.is_as_foretold() {
        ACCEPTED
    } else {
        REFUSED
    };
    Ok(ExitCode::from(exit))
}
