//! `sealgate doctor`: everything about an issuer that tokens could fail for, before they do, and
//! how the store stands that a policy names.

mod examine;
mod report;
mod store;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::{LoadOptions, Policy};

use crate::failure::Failure;
use crate::network::Network;

/// Options of `doctor`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// An issuer, exactly as in `iss`. Without it, the store of revocations that the policy names
    /// is examined. The one of used proofs is in any case, and whoever is asked about tokens.
    issuer: Option<String>,
    /// Hold this policy against what is found, or examine its stores.
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
    let (what, name, report) = match (&arguments.issuer, &policy) {
        (Some(issuer), policy) => {
            let mut report = examine::examine(issuer, &arguments.network, policy.as_ref());
            if let Some(policy) = policy {
                store::examine_proofs(policy, None, &mut report);
                examine::ask_all(&arguments.network, policy, &mut report);
            }
            ("issuer", issuer.clone(), report)
        }
        (None, Some(policy)) => {
            let (name, mut report) = store::examine(policy);
            examine::ask_all(&arguments.network, policy, &mut report);
            let name = name.or_else(|| arguments.policy.clone());
            ("store", name.unwrap_or_default(), report)
        }
        (None, None) => {
            return Err(Failure::usage(
                "what is to be examined? An issuer, --policy FILE for its stores, or both",
            ));
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.json {
        writeln!(out, "{}", report.as_json(what, &name))?;
    } else {
        report.write(&name, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::from(report.exit()))
}
