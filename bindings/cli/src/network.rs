//! From the command line to the network: where to look for an issuer's keys, and what is found.

use clap::Args;
use sealgate::remote::{Client, FetchError, FetchedSet, Metadata};
use sealgate::{Discovery, LoadOptions};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, REFUSED, UNDECIDED};

/// Where fetches may go beyond public addresses over https.
#[derive(Args, Clone)]
pub(crate) struct Network {
    /// Fetch from this host too, wherever its address leads; may be repeated.
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// Fetch over plain http from this machine, for development.
    #[arg(long)]
    allow_loopback_http: bool,
}

impl Network {
    pub(crate) const fn is_default(&self) -> bool {
        self.allow_host.is_empty() && !self.allow_loopback_http
    }

    pub(crate) fn client(&self) -> Client {
        let client = Client::new().allow_loopback_http(self.allow_loopback_http);
        let hosts = self.allow_host.iter();
        hosts.fold(client, |client, host| client.allow_host(host))
    }

    /// The options as they were given, for hints.
    pub(crate) fn options(&self) -> String {
        let mut options = String::new();
        for host in &self.allow_host {
            options += &format!(" --allow-host {}", crate::text::quoted(host));
        }
        if self.allow_loopback_http {
            options += " --allow-loopback-http";
        }
        options
    }

    /// What a policy document must say to reach as far: the `refresh` of an issuer whose fetches
    /// begin at `start`, and the `danger` of the document.
    pub(crate) fn in_policy(&self, start: &str) -> (Map<String, Value>, Option<Value>) {
        let mut refresh = Map::new();
        if !self.allow_host.is_empty() {
            let own = host_of(start).map(str::to_owned);
            let others = self.allow_host.iter().map(|host| host.to_ascii_lowercase());
            let mut hosts: Vec<String> = own.into_iter().chain(others).collect();
            hosts.sort_unstable();
            hosts.dedup();
            refresh.insert("allow_hosts".to_owned(), hosts.into());
        }
        let danger = json!({ "http_loopback_issuers": true });
        (refresh, self.allow_loopback_http.then_some(danger))
    }

    pub(crate) fn load_options(&self) -> LoadOptions {
        LoadOptions::new().allow_danger(self.allow_loopback_http)
    }
}

/// The host of a URL, without its port.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => Some(name),
        _ => Some(host),
    }
}

/// What was asked for: an issuer, whose metadata says where its keys are, or the keys themselves.
pub(crate) enum Found {
    Issuer(Metadata),
    KeySet(FetchedSet),
}

/// Looks for an issuer first. Only where there is no metadata, or what is there is none, may it be
/// the URL of a key set.
pub(crate) fn find(client: &Client, target: &str) -> Result<Found, FetchError> {
    let error = match client.discover(target, Discovery::Auto) {
        Ok(metadata) => return Ok(Found::Issuer(metadata)),
        Err(error) => error,
    };
    match error {
        FetchError::Status {
            status: 400..=499, ..
        }
        | FetchError::Metadata(_) => match client.key_set(target) {
            Ok(set) => Ok(Found::KeySet(set)),
            // The keys are not there either; that the issuer has no metadata says more.
            Err(FetchError::Status { .. } | FetchError::KeySet(_)) => Err(error),
            Err(error) => Err(error),
        },
        error => Err(error),
    }
}

/// The exit code for what was not fetched: 3 where nobody could be reached, 1 where what is there
/// is wrong.
pub(crate) const fn exit_of(error: &FetchError) -> u8 {
    match error {
        FetchError::Status {
            status: 500..=599, ..
        }
        | FetchError::Timeout(_)
        | FetchError::HostNotFound(_)
        | FetchError::Network(_) => UNDECIDED,
        _ => REFUSED,
    }
}

/// A fetch that failed, on the command line's terms.
pub(crate) fn failed(target: &str, error: &FetchError) -> Failure {
    Failure::Fetch {
        text: format!("{target}: {}", said(error)),
        exit: exit_of(error),
    }
}

/// A fetch's error, with the option that would let it pass in place of the policy's member.
pub(crate) fn said(error: &FetchError) -> String {
    let text = match error {
        FetchError::PrivateAddress { host, address } => format!(
            "{host} resolves to {address}, which is not a public address. If that is meant: \
             --allow-host {host}"
        ),
        FetchError::NotHttps(url) => {
            format!("{url} is not https; http on this machine needs --allow-loopback-http")
        }
        other => other.to_string(),
    };
    crate::text::printable(&text)
}
