//! `sealgate jwks watch`: what a verifier sees of an issuer's keys as time goes by.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use sealgate::crypto::aws_lc;
use sealgate::{Clock, Format, IssuerKey, KeyState, Policy, Span, Verifier};
use serde_json::{Map, Value, json};

use crate::failure::{ACCEPTED, Failure, UNDECIDED};
use crate::network::{Found, Network, failed, find, host_of};
use crate::policy::blame_options;
use crate::stopwatch::Stopwatch;
use crate::text::{date, parse_span, printable};

/// Options of `jwks watch`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// An issuer, exactly as in `iss`, or the URL of a JWK Set.
    #[arg(value_name = "ISSUER|URL")]
    target: String,
    #[command(flatten)]
    network: Network,
    /// Fetch this often; otherwise as a verifier does, ahead of the end of their freshness.
    #[arg(long, value_name = "DURATION", value_parser = parse_span)]
    every: Option<Span>,
    /// End after this time; otherwise with Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_span)]
    until: Option<Span>,
    /// JSON lines.
    #[arg(long)]
    json: bool,
}

/// The policy's name for what is watched.
const NAME: &str = "default";
/// How often to look at what the verifier has.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let verifier = open(arguments)?;
    let (began, every) = (Stopwatch::start(), arguments.every.map(Span::to_duration));
    let mut next = every;
    let mut seen = Seen::default();
    loop {
        // Starts the background, and returns at once when there are keys.
        let _ = verifier.wait_ready(LOOK);
        let state = verifier.keys().state(NAME);
        let Some(state) = state else {
            return Ok(UNDECIDED); // the policy above has it
        };
        let now = Clock::System.now().seconds();
        for event in seen.compare(&state) {
            if arguments.json {
                writeln!(out, "{}", event.as_json(now))?;
            } else {
                writeln!(out, "{}   {}", date(now), event.describe())?;
            }
        }
        out.flush()?;
        let elapsed = began.elapsed();
        if arguments
            .until
            .is_some_and(|end| elapsed >= end.to_duration())
        {
            return Ok(if state.keys.is_empty() {
                UNDECIDED
            } else {
                ACCEPTED
            });
        }
        if let (Some(due), Some(every)) = (next, every)
            && elapsed >= due
        {
            verifier.keys().refresh(NAME);
            next = Some(elapsed + every);
        }
        std::thread::sleep(LOOK);
    }
}

/// A verifier that trusts the issuer for nothing but its keys.
fn open(arguments: &Arguments) -> Result<Verifier, Failure> {
    let (network, target) = (&arguments.network, &arguments.target);
    let found = find(&network.client(), target).map_err(|error| failed(target, &error))?;
    let (place, start) = match &found {
        // A policy without refresh.allow_hosts does not follow metadata to another host.
        Found::Issuer(metadata) if host_of(&metadata.jwks_uri) == host_of(target) => {
            let _ = writeln!(io::stderr(), "metadata   {}", printable(&metadata.url));
            (("discovery", "auto"), target.as_str())
        }
        Found::Issuer(metadata) => (("jwks_uri", &*metadata.jwks_uri), &*metadata.jwks_uri),
        Found::KeySet(_) => (("jwks_uri", target.as_str()), target.as_str()),
    };
    if place.0 == "jwks_uri" {
        let _ = writeln!(io::stderr(), "keys       {}", printable(place.1));
    }
    let (refresh, danger) = network.in_policy(start);
    let mut issuer = Map::new();
    issuer.insert("issuer".to_owned(), target.as_str().into());
    issuer.insert(place.0.to_owned(), place.1.into());
    issuer.insert("refresh".to_owned(), refresh.into());
    let mut document = json!({
        "version": 1, "issuers": { NAME: issuer },
        "gates": { NAME: { "profile": "access_token", "audience": "nobody", "issuers": [NAME] } },
    });
    if let (Some(danger), Some(document)) = (danger, document.as_object_mut()) {
        document.insert("danger".to_owned(), danger);
    }
    let options = network.load_options();
    let policy = Policy::parse_with(document.to_string(), Format::Json, &options);
    let policy = policy.map_err(|error| blame_options(&error))?;
    Ok(Verifier::new(policy, aws_lc::provider())?)
}

/// What was seen last.
#[derive(Default)]
struct Seen {
    keys: Vec<(String, &'static str)>,
    error: Option<String>,
}

/// Something an operator wants to know.
enum Event {
    Appeared(String, &'static str),
    Vanished(String, &'static str),
    Failed(String),
    Recovered,
}

impl Seen {
    /// What has changed.
    fn compare(&mut self, state: &KeyState) -> Vec<Event> {
        let keys: Vec<_> = state.keys.iter().map(name_of).collect();
        let new = keys.iter().filter(|key| !self.keys.contains(key));
        let old = self.keys.iter().filter(|key| !keys.contains(key));
        let mut events: Vec<Event> = new
            .map(|(name, alg)| Event::Appeared(name.clone(), alg))
            .chain(old.map(|(name, alg)| Event::Vanished(name.clone(), alg)))
            .collect();
        match (&self.error, &state.last_error) {
            (before, Some(error)) if before.as_ref() != Some(error) => {
                events.push(Event::Failed(error.clone()));
            }
            (Some(_), None) => events.push(Event::Recovered),
            _ => {}
        }
        self.keys = keys;
        self.error.clone_from(&state.last_error);
        events
    }
}

/// `kid`, or the thumbprint of a key that has none, and the algorithm.
fn name_of(key: &IssuerKey) -> (String, &'static str) {
    let name = key.kid.as_ref().or(key.thumbprint.as_ref());
    (name.map_or_else(|| "-".to_owned(), String::clone), key.alg)
}

impl Event {
    fn describe(&self) -> String {
        match self {
            Self::Appeared(name, alg) => format!("+ {alg:<8} {}", printable(name)),
            Self::Vanished(name, alg) => format!("- {alg:<8} {}", printable(name)),
            Self::Failed(error) => format!("! {}", printable(error)),
            Self::Recovered => "  fetched again".to_owned(),
        }
    }

    fn as_json(&self, now: i64) -> Value {
        match self {
            Self::Appeared(kid, alg) => {
                json!({ "time": now, "event": "appeared", "key": kid, "alg": alg })
            }
            Self::Vanished(kid, alg) => {
                json!({ "time": now, "event": "vanished", "key": kid, "alg": alg })
            }
            Self::Failed(error) => json!({ "time": now, "event": "failed", "error": error }),
            Self::Recovered => json!({ "time": now, "event": "recovered" }),
        }
    }
}
