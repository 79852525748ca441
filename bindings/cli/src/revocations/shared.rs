//! From the command line to the store that a policy names.

use clap::Args;
use sealgate::crypto::aws_lc;
use sealgate::{LoadOptions, Policy, Store, StoreError};

use crate::failure::{Failure, UNDECIDED, USAGE};
use crate::text::printable;

/// Whose store it is.
#[derive(Args)]
pub(crate) struct SharedArguments {
    /// Policy document (.toml or .json).
    #[arg(short, long, value_name = "FILE")]
    policy: String,
    /// Let the policy have a `[danger]` table.
    #[arg(long)]
    allow_danger: bool,
}

impl SharedArguments {
    /// The policy, and the store that it names.
    pub(crate) fn open(&self) -> Result<(Policy, Store), Failure> {
        let provider = aws_lc::provider();
        let options = LoadOptions::new().allow_danger(self.allow_danger);
        let policy = Policy::load_for(&self.policy, &options, &provider)?;
        match Store::open(&policy, &provider) {
            Some(store) => Ok((policy, store)),
            None => {
                let (path, why) = (&self.policy, unshared(&policy));
                Err(Failure::Usage(format!("{path}: {why}. {SHARED}")))
            }
        }
    }
}

/// Why nobody can look into a store.
pub(crate) fn unshared(policy: &Policy) -> String {
    let effective = policy.effective();
    let store = effective["revocation"]["store"].as_str();
    match store.unwrap_or("off") {
        "off" => "revocation.store is \"off\": nobody asks whether anything is revoked".to_owned(),
        store => format!(
            "revocation.store is \"{store}\": each process remembers what it revokes itself, and a \
             command would be forgotten when it ends"
        ),
    }
}

/// What to write.
const SHARED: &str = "Processes of one host share a folder, where the policy says

    [stores.host]
    kind = \"file\"
    path = \"revocations\"
    [revocation]
    store = \"host\"

and a fleet shares a server, of kind \"redis\" or \"nats\".";

/// A store that does not answer, or must be mended.
pub(crate) fn failed(store: &Store, error: &StoreError) -> Failure {
    Failure::Fetch {
        text: format!(
            "store \"{}\": {}",
            store.name(),
            printable(&error.to_string())
        ),
        exit: if error.passes() { UNDECIDED } else { USAGE },
    }
}
