//! From the command line to a gate: `--policy` and `--gate`, or the few options in their place.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use sealgate::crypto::{CryptoProvider, aws_lc};
use sealgate::{
    Batch, Clock, Code, Error, Format, Gate, LoadOptions, NumericDate, Policy, PolicyError,
    Requirements, VerifiedToken, Verifier,
};
use serde_json::{Value, json};

use crate::demo;
use crate::failure::Failure;
use crate::network::Network;
use crate::policy::blame_options;
use crate::stopwatch::Stopwatch;
use crate::text::{parse_time, printable, quoted};

/// How long a command waits for keys that are fetched, and for answers about a token.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the rules come from.
#[derive(Args)]
pub(crate) struct GateArguments {
    /// Policy document (.toml or .json).
    #[arg(short, long, value_name = "FILE")]
    policy: Option<String>,
    /// Let the policy have a `[danger]` table.
    #[arg(long, requires = "policy")]
    allow_danger: bool,
    /// Gate of the policy; may be left out when it has only one.
    #[arg(short, long, value_name = "NAME")]
    gate: Option<String>,
    /// In place of a policy: the exact `iss` of access tokens.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "policy",
        requires = "audience"
    )]
    issuer: Option<String>,
    /// In place of a policy: the exact `aud`.
    #[arg(long, value_name = "AUD", conflicts_with = "policy")]
    audience: Option<String>,
    /// In place of a policy: the issuer's keys; without it they are fetched.
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    jwks_file: Option<String>,
    #[command(flatten)]
    network: Network,
    /// The policy, keys and time of `sealgate demo`.
    #[arg(long, conflicts_with_all = ["policy", "issuer", "audience", "jwks_file"])]
    demo: bool,
    /// Judge as of this time: seconds since 1970, or 2027-01-15T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_negative_numbers = true)]
    now: Option<NumericDate>,
}

/// Which cache a verifier has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    /// The policy's.
    Own,
    Off,
}

/// A verifier opened for a command.
pub(crate) struct Opened {
    pub(crate) gate: Gate,
    pub(crate) verifier: Verifier,
    pub(crate) clock: Clock,
    /// The options that open the same gate again, for hints.
    pub(crate) options: String,
}

impl GateArguments {
    /// Without the policy's cache: what comes twice in a batch is judged once anyway.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        self.open_with(aws_lc::provider(), Cache::Off)
    }

    /// A verifier of its own each time, so that nothing was seen before.
    pub(crate) fn open_with(
        &self,
        provider: CryptoProvider,
        cache: Cache,
    ) -> Result<Opened, Failure> {
        let clock = match self.now {
            Some(date) => Clock::fixed(date.seconds()),
            None if self.demo => demo::clock(),
            None => Clock::System,
        };
        let (verifier, source) = if self.demo {
            (
                demo::verifier(clock.clone(), provider, cache)?,
                "--demo".to_owned(),
            )
        } else {
            let (policy, source) = self.load()?;
            let policy = self.only_looking(&policy, cache)?;
            (
                Verifier::with_clock(policy, provider, clock.clone())?,
                source,
            )
        };
        let gate = self.choose(&verifier)?;
        await_keys(&verifier, &gate);
        await_store(&verifier);
        let mut options = source;
        if let Some(name) = &self.gate {
            options += &format!(" -g {}", quoted(name));
        }
        if let Some(now) = self.now {
            options += &format!(" --now {}", now.seconds());
        }
        Ok(Opened {
            gate,
            verifier,
            clock,
            options,
        })
    }

    fn choose(&self, verifier: &Verifier) -> Result<Gate, Failure> {
        let gates = verifier.gates();
        let name = match (&self.gate, gates.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) if self.demo => demo::GATE,
            (None, _) => {
                let text = format!("--gate: the policy has several: {}", gates.join(", "));
                return Err(Failure::Usage(text));
            }
        };
        verifier.gate(name).map_err(|_| {
            let text = format!(
                "--gate: no gate \"{name}\"; there are: {}",
                gates.join(", ")
            );
            Failure::Usage(text)
        })
    }

    fn load_options(&self) -> LoadOptions {
        let path = self.policy.as_ref().map(Path::new);
        let folder = path.and_then(Path::parent).unwrap_or_else(|| Path::new(""));
        let danger = self.allow_danger || !self.network.is_default();
        LoadOptions::new().allow_danger(danger).folder(folder)
    }

    /// The policy for whoever judges what services judge, too: what is good once is remembered in
    /// this process alone, so that it stays good for them.
    fn only_looking(&self, policy: &Policy, cache: Cache) -> Result<Policy, PolicyError> {
        // A policy's own JSON is an object.
        let mut document: Value = serde_json::from_str(&policy.to_json()).unwrap_or_default();
        let store = document["replay"]["store"].as_str();
        let shares_proofs = store.is_some_and(|store| !matches!(store, "process" | "external"));
        if cache == Cache::Off {
            document["cache"] = json!({ "tokens": 0 });
        }
        if shares_proofs {
            document["replay"]["store"] = "process".into();
        }
        let text = document.to_string();
        Policy::parse_with(text, Format::Json, &self.load_options())
    }

    fn load(&self) -> Result<(Policy, String), Failure> {
        if let Some(path) = &self.policy {
            if !self.network.is_default() {
                return Err(Failure::usage(
                    "--allow-host and --allow-loopback-http go with --issuer; a policy says so \
                     itself, in refresh.allow_hosts and [danger]",
                ));
            }
            let danger = if self.allow_danger {
                " --allow-danger"
            } else {
                ""
            };
            let source = format!("-p {}{danger}", quoted(path));
            return Ok((
                Policy::load_for(path, &self.load_options(), &aws_lc::provider())?,
                source,
            ));
        }
        let (Some(issuer), Some(audience)) = (&self.issuer, &self.audience) else {
            return Err(Failure::usage(
                "which rules? Give --policy FILE, or --issuer URL --audience AUD, with --jwks-file \
                 FILE where its keys are not to be fetched. Without rules there is only \
                 `sealgate inspect`",
            ));
        };
        let mut source = format!(
            "--issuer {} --audience {}",
            quoted(issuer),
            quoted(audience)
        );
        let (refresh, danger) = self.network.in_policy(issuer);
        let mut table = json!({ "issuer": issuer });
        match &self.jwks_file {
            Some(file) => {
                table["jwks_file"] = file.as_str().into();
                source += &format!(" --jwks-file {}", quoted(file));
            }
            None => {
                table["discovery"] = "auto".into();
                table["refresh"] = refresh.into();
            }
        }
        source += &self.network.options();
        let mut document = json!({
            "version": 1,
            "issuers": { "default": table },
            "gates": { "tools": {
                "profile": "access_token",
                "audience": audience,
                "issuers": ["default"],
                "delegation": "surface",
            } },
        });
        if let Some(danger) = danger {
            document["danger"] = danger;
        }
        let text = document.to_string();
        let policy = Policy::parse_with(text, Format::Json, &self.load_options());
        Ok((policy.map_err(|error| blame_options(&error))?, source))
    }
}

/// What `ask` asks of a gate; where its issuers are still being asked about a token, once they have
/// answered: a person would rather know.
pub(crate) fn answered<T>(
    gate: &Gate,
    ask: impl FnMut() -> T,
    refusal: impl Fn(&T) -> Option<Error>,
) -> T {
    gate.ask_waiting(PATIENCE, ask, |answer| refusal(answer).filter(is_coming))
}

/// The same of a batch, whose tokens are all being asked about by now. What it has accepted is not
/// asked again: it may be good once.
pub(crate) fn all_answered(
    gate: &Gate,
    tokens: &[&[u8]],
    batch: Batch,
    requirements: &Requirements,
) -> Vec<Result<VerifiedToken, Error>> {
    let verdicts = tokens.iter().zip(batch).map(|(token, verdict)| {
        let verdict = verdict.into_result();
        if verdict.as_ref().is_err_and(is_coming) {
            return gate.verify_waiting(token, requirements, PATIENCE);
        }
        verdict
    });
    verdicts.collect()
}

fn is_coming(error: &Error) -> bool {
    error.code() == Code::IntrospectionPending
}

/// Waits until the gate's issuers have keys, or a fetch has failed for each that has none: a person
/// would rather know than wait for the next try. Tokens of those are undecided.
pub(crate) fn await_keys(verifier: &Verifier, gate: &Gate) {
    let name = gate.name();
    let summary = verifier.policy().summary();
    let issuers = summary.gates.into_iter().find(|gate| gate.name == name);
    let issuers = issuers.map(|gate| gate.issuers).unwrap_or_default();
    let began = Stopwatch::start();
    loop {
        let states = issuers.iter().filter_map(|issuer| {
            let state = verifier.keys().state(&issuer.name)?;
            let is_fetched = matches!(state.source, "discovery" | "jwks_uri");
            (is_fetched && state.keys.is_empty()).then_some((&issuer.name, state.last_error))
        });
        let missing: Vec<_> = states.collect();
        let all_told = missing.iter().all(|(_, error)| error.is_some());
        if all_told || began.elapsed() >= PATIENCE {
            for (name, error) in missing {
                let error = error.unwrap_or_else(|| "no answer yet".to_owned());
                // Nothing is left to do when even this fails.
                let _ = writeln!(
                    io::stderr(),
                    "sealgate: no keys of {name}: {}",
                    printable(&error)
                );
            }
            return;
        }
        let _ = verifier.wait_ready(PATIENCE / 100);
    }
}

/// Waits until the store of revocations that the policy names has been read once, or cannot be:
/// without its news all tokens are undecided.
fn await_store(verifier: &Verifier) {
    let began = Stopwatch::start();
    while let Some(state) = verifier.revocations().store()
        && state.staleness.is_none()
    {
        if state.last_error.is_some() || began.elapsed() >= PATIENCE {
            let error = state
                .last_error
                .unwrap_or_else(|| "no answer yet".to_owned());
            // Nothing is left to do when even this fails.
            let _ = writeln!(
                io::stderr(),
                "sealgate: no news of store \"{}\": {}",
                printable(&state.name),
                printable(&error)
            );
            return;
        }
        let _ = verifier.wait_ready(PATIENCE / 100);
    }
}
