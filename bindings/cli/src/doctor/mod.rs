//! `sealgate doctor`: everything about an issuer that tokens could fail for, before they do.

mod examine;
mod report;
mod tls;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::{LoadOptions, Policy};

use crate::failure::Failure;
use crate::network::Network;

/// Options of `doctor`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// An issuer, exactly as in `iss`.
    issuer: String,
    /// Hold this policy against what is found.
    #[arg(short, long, value_name = "FILE")]
    policy: Option<String>,
    /// Let the policy have a `[danger]` table.
    #[arg(long, requires = "policy")]
    allow_danger: bool,
    #[command(flatten)]
    network: Network,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let options = LoadOptions::new().allow_danger(arguments.allow_danger);
    let policy = arguments.policy.as_ref();
    let policy = policy.map(|path| Policy::load_with(path, &options));
    let policy = policy.transpose()?;
    let report = examine::examine(&arguments.issuer, &arguments.network, policy.as_ref());
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.json {
        writeln!(out, "{}", report.as_json(&arguments.issuer))?;
    } else {
        report.write(&arguments.issuer, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::from(report.exit()))
}
