//! `sealgate jwks fetch`: the keys an issuer publishes, and what a verifier would make of them.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};

use super::Judged;
use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::network::{Found, Network, failed, find};
use crate::text::{printable, span};

/// Options of `jwks fetch`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// An issuer, exactly as in `iss`, or the URL of a JWK Set.
    #[arg(value_name = "ISSUER|URL")]
    target: String,
    #[command(flatten)]
    network: Network,
    /// The set and what is said of it as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let (client, target) = (arguments.network.client(), &arguments.target);
    let found = find(&client, target).map_err(|error| failed(target, &error))?;
    let (metadata, url, set) = match found {
        Found::KeySet(set) => (None, target.clone(), set),
        Found::Issuer(metadata) => {
            let url = metadata.jwks_uri.clone();
            let set = client.key_set(&url).map_err(|error| failed(&url, &error))?;
            (Some(metadata), url, set)
        }
    };
    let judged = Judged::of(&set.keys);
    let exit = if judged.usable.is_empty() {
        REFUSED
    } else {
        ACCEPTED
    };
    let metadata = metadata.map(|metadata| metadata.url);
    // It was read strictly a moment ago.
    let text: Value = serde_json::from_slice(&set.text).unwrap_or_default();
    if arguments.json {
        let [keys, skipped] = judged.as_json();
        let fresh = set.freshness.map(sealgate::Span::seconds);
        let report = json!({
            "ok": exit == ACCEPTED, "metadata": metadata, "url": url, "keys": keys,
            "skipped": skipped, "fresh_seconds": fresh, "jwks": text,
        });
        writeln!(out, "{report}")?;
        return Ok(exit);
    }
    writeln!(out, "{text}")?;
    out.flush()?;
    let mut beside = io::stderr().lock();
    if let Some(metadata) = metadata {
        writeln!(beside, "metadata   {}", printable(&metadata))?;
    }
    writeln!(
        beside,
        "keys       {}   {}",
        printable(&url),
        judged.counts()
    )?;
    judged.write(&mut beside)?;
    writeln!(beside, "fresh      {}", freshness(set.freshness))?;
    Ok(exit)
}

/// What an answer says about its freshness, and what a verifier makes of it.
pub(crate) fn freshness(freshness: Option<sealgate::Span>) -> String {
    match freshness.map(sealgate::Span::seconds) {
        None => "the answer does not say; taken as 10 min 0 s".to_owned(),
        Some(seconds @ ..60) => format!("for {}; taken as 1 min 0 s", span(seconds)),
        Some(seconds @ 3601..) => format!("for {}; taken as 1 h 0 min", span(seconds)),
        Some(seconds) => format!("for {}", span(seconds)),
    }
}
