//! A policy for one issuer and one gate, as a person begins it: TOML that loads, with a comment
//! where something was taken from a stranger.

use std::fmt::Write;

use sealgate::remote::Metadata;
use sealgate::{Format, Policy, PolicyError, Span};
use serde_json::Value;

use crate::failure::Failure;
use crate::network::{Network, host_of};

/// What such a policy says.
pub(crate) struct Draft {
    pub(crate) issuer: Named,
    pub(crate) audience: Named,
    pub(crate) keys: KeysFrom,
    /// Empty: the preset's.
    pub(crate) algorithms: Vec<&'static str>,
    pub(crate) profile: &'static str,
    /// Where tokens live longer than the preset lets them.
    pub(crate) max_lifetime: Option<Span>,
    /// Registered claims, and what this issuer calls them.
    pub(crate) claim_names: Vec<(&'static str, &'static str)>,
    /// A sample had `act`.
    pub(crate) has_actor: bool,
    pub(crate) network: Network,
}

/// A value, and a comment to it.
pub(crate) struct Named {
    pub(crate) value: String,
    pub(crate) comment: &'static str,
}

/// Where the issuer's keys come from.
pub(crate) enum KeysFrom {
    File(String),
    /// Metadata: its kind, and the host of its keys where that is another one.
    Discovery(&'static str, Option<String>),
}

impl KeysFrom {
    pub(crate) fn metadata(metadata: &Metadata) -> Self {
        let kind = if metadata.url.ends_with("/.well-known/openid-configuration") {
            "oidc"
        } else {
            "oauth"
        };
        let elsewhere = host_of(&metadata.jwks_uri);
        let elsewhere = elsewhere.filter(|host| Some(*host) != host_of(&metadata.issuer));
        Self::Discovery(kind, elsewhere.map(str::to_owned))
    }
}

impl Draft {
    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let quote = |text: &str| Value::from(text).to_string();
        let list = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| quote(text)).collect();
            format!("[{}]", texts.join(", "))
        };
        writeln!(out, "version = 1\n\n[issuers.default]")?;
        let (issuer, audience) = (&self.issuer, &self.audience);
        writeln!(
            out,
            "issuer       = {}   # {}",
            quote(&issuer.value),
            issuer.comment
        )?;
        match &self.keys {
            KeysFrom::File(path) => writeln!(out, "jwks_file    = {}", quote(path))?,
            KeysFrom::Discovery(kind, _) => writeln!(out, "discovery    = {}", quote(kind))?,
        }
        if !self.algorithms.is_empty() {
            writeln!(out, "algorithms   = {}", list(&self.algorithms))?;
        }
        writeln!(out, "profiles     = {}", list(&[self.profile]))?;
        if let Some(span) = self.max_lifetime {
            let span = quote(&shortest(span));
            writeln!(out, "max_lifetime = {span}   # as long as the sample lives")?;
        }
        if let KeysFrom::Discovery(_, elsewhere) = &self.keys {
            let (mut refresh, _) = self.network.in_policy(&issuer.value);
            if let Some(elsewhere) = elsewhere {
                let own = host_of(&issuer.value).unwrap_or_default();
                let hosts = refresh.entry("allow_hosts").or_insert_with(|| [own].into());
                if let Some(hosts) = hosts.as_array_mut()
                    && !hosts.iter().any(|host| host == elsewhere)
                {
                    hosts.push(elsewhere.as_str().into());
                }
            }
            if let Some(hosts) = refresh.get("allow_hosts") {
                writeln!(out, "\n[issuers.default.refresh]\nallow_hosts = {hosts}")?;
            }
        }
        if !self.claim_names.is_empty() {
            writeln!(out, "\n[issuers.default.claim_names]")?;
            for (claim, name) in &self.claim_names {
                writeln!(out, "{claim} = {}", quote(name))?;
            }
        }
        writeln!(out, "\n[gates.tools]\nprofile    = \"access_token\"")?;
        writeln!(
            out,
            "audience   = {}   # {}",
            quote(&audience.value),
            audience.comment
        )?;
        writeln!(out, "issuers    = [\"default\"]")?;
        out.push_str(if self.has_actor {
            "delegation = \"surface\"   # the sample has `act`; its chain is shown, not enforced\n"
        } else {
            "delegation = \"forbid\"   # or \"surface\" to see who acts for whom\n"
        });
        if self.network.in_policy(&issuer.value).1.is_some() {
            out.push_str("\n[danger]   # for development: loads with --allow-danger only\n");
            out.push_str("http_loopback_issuers = true\n");
        }
        Ok(())
    }

    /// What is written must load.
    pub(crate) fn load(&self) -> Result<Policy, PolicyError> {
        Policy::parse_with(self.to_toml(), Format::Toml, &self.network.load_options())
    }
}

/// `24h`: one unit, and no digits that another unit would save.
fn shortest(span: Span) -> String {
    match span.seconds() {
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// The options that stand for members of a document nobody wrote.
const OPTIONS: [(&str, &str); 6] = [
    ("issuers.default.issuer", "--issuer"),
    ("issuers.default.discovery", "--issuer"),
    ("issuers.default.jwks_file", "--jwks-file"),
    ("issuers.default.refresh.allow_hosts", "--allow-host"),
    ("issuers.default", "--issuer"),
    ("gates.tools.audience", "--audience"),
];

/// Why such a document does not load, by the options it was made of.
pub(crate) fn blame_options(error: &PolicyError) -> Failure {
    let problems = error.problems.iter().map(|problem| {
        let option = OPTIONS.iter().find(|(path, _)| {
            let rest = problem.path.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        });
        let name = option.map_or(problem.path.as_str(), |(_, option)| *option);
        format!("{name}: {}", problem.text)
    });
    Failure::Usage(problems.collect::<Vec<_>>().join("\nsealgate: "))
}
