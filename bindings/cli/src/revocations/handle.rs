//! From the command line to a handle: one option a kind, with its parts as tokens name them.

use clap::Args;
use sealgate::{Handle, HandleKind};

/// What is revoked or lifted: one of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HandleArguments {
    /// An agent, whatever it does, and whatever was handed on through it.
    #[arg(long, num_args = 2, value_names = ["ISS", "SUB"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    actor: Option<Vec<String>>,
    /// Whom tokens are about: a person, a client, a workload.
    #[arg(long, num_args = 2, value_names = ["ISS", "SUB"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    subject: Option<Vec<String>>,
    /// An OAuth client.
    #[arg(long, num_args = 2, value_names = ["ISS", "CLIENT_ID"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    client: Option<Vec<String>>,
    /// A session at an issuer.
    #[arg(long, num_args = 2, value_names = ["ISS", "SID"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    session: Option<Vec<String>>,
    /// One token.
    #[arg(long, num_args = 2, value_names = ["ISS", "JTI"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    token: Option<Vec<String>>,
    /// A transaction, in all its tokens.
    #[arg(long, num_args = 2, value_names = ["AUD", "TXN"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    txn: Option<Vec<String>>,
    /// A key that tokens are bound to: `jkt` or `x5t#S256`.
    #[arg(long, num_args = 1, value_names = ["JKT"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    holder_key: Option<Vec<String>>,
    /// A key that an issuer signs with.
    #[arg(long, num_args = 2, value_names = ["ISS", "KID"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    signing_key: Option<Vec<String>>,
    /// Everything that an issuer has signed.
    #[arg(long, num_args = 1, value_names = ["ISS"], value_parser = part)]
    issuer: Option<Vec<String>>,
    /// A workflow of agents.
    #[arg(long, num_args = 2, value_names = ["ISS", "ACTI"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    workflow: Option<Vec<String>>,
    /// An intent or mission, in every token that was issued for it.
    #[arg(long, num_args = 2, value_names = ["ISS", "ID"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    intent: Option<Vec<String>>,
    /// An account, whatever is about it or acts as it; lifted also if its issuer has disabled it.
    #[arg(long, num_args = 2, value_names = ["ISS", "SUB"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    account: Option<Vec<String>>,
    /// What an account signs in with: tokens of a sign-in until the cut-off, however often renewed.
    #[arg(long, num_args = 2, value_names = ["ISS", "SUB"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    credential: Option<Vec<String>>,
    /// An account that its issuer has disabled, to be lifted: only an event revokes it.
    #[arg(long, num_args = 2, value_names = ["ISS", "SUB"])]
    #[arg(allow_hyphen_values = true, value_parser = part)]
    disabled: Option<Vec<String>>,
}

impl HandleArguments {
    /// `None` where the command line has none of them, which clap refuses.
    pub(crate) fn handle(&self) -> Option<Handle> {
        let given = [
            (HandleKind::Actor, &self.actor),
            (HandleKind::Subject, &self.subject),
            (HandleKind::Client, &self.client),
            (HandleKind::Session, &self.session),
            (HandleKind::Token, &self.token),
            (HandleKind::Txn, &self.txn),
            (HandleKind::HolderKey, &self.holder_key),
            (HandleKind::SigningKey, &self.signing_key),
            (HandleKind::Issuer, &self.issuer),
            (HandleKind::Workflow, &self.workflow),
            (HandleKind::Intent, &self.intent),
            (HandleKind::Account, &self.account),
            (HandleKind::Credential, &self.credential),
            (HandleKind::Disabled, &self.disabled),
        ];
        let mut given = given.into_iter();
        let (kind, parts) = given.find_map(|(kind, parts)| Some((kind, parts.as_ref()?)))?;
        let mut parts = parts.iter().map(String::as_str);
        let (scope, value) = kind.parts();
        let mut part = |name: Option<&str>| name.and_then(|_| parts.next()).unwrap_or_default();
        Some(Handle::new(kind, part(scope), part(value)))
    }
}

/// A part may begin with a hyphen, as random identifiers do; but an option in its place means that
/// one is missing.
fn part(text: &str) -> Result<String, String> {
    const OPTIONS: [&str; 7] = [
        "--lift",
        "--cutoff",
        "--expires",
        "--reason",
        "--policy",
        "--allow-danger",
        "-p",
    ];
    if OPTIONS.contains(&text) {
        return Err("an option where a part of the handle should be".to_owned());
    }
    Ok(text.to_owned())
}
