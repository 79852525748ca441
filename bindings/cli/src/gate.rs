//! From the command line to a gate: `--policy` and `--gate`, or the few options in their place.

use clap::Args;
use sealgate::crypto::{CryptoProvider, aws_lc};
use sealgate::{Clock, Format, Gate, LoadOptions, NumericDate, Policy, Verifier};

use crate::demo;
use crate::failure::Failure;
use crate::text::{parse_time, quoted};

/// Where the rules come from.
#[derive(Args)]
pub(crate) struct GateArguments {
    /// Policy document (.toml or .json).
    #[arg(short, long, value_name = "FILE")]
    policy: Option<String>,
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
    /// In place of a policy: the issuer's keys.
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    jwks_file: Option<String>,
    /// The policy, keys and time of `sealgate demo`.
    #[arg(long, conflicts_with_all = ["policy", "issuer", "audience", "jwks_file"])]
    demo: bool,
    /// Judge as of this time: seconds since 1970, or 2027-01-15T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_negative_numbers = true)]
    now: Option<NumericDate>,
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
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        self.open_with(aws_lc::provider())
    }

    /// A verifier of its own each time, so that nothing was seen before.
    pub(crate) fn open_with(&self, provider: CryptoProvider) -> Result<Opened, Failure> {
        let clock = match self.now {
            Some(date) => Clock::fixed(date.seconds()),
            None if self.demo => demo::clock(),
            None => Clock::System,
        };
        let (verifier, source) = if self.demo {
            (
                demo::verifier(clock.clone(), provider)?,
                "--demo".to_owned(),
            )
        } else {
            let (policy, source) = self.load()?;
            (
                Verifier::with_clock(policy, provider, clock.clone())?,
                source,
            )
        };
        let gate = self.choose(&verifier)?;
        let options = match &self.gate {
            Some(name) => format!("{source} -g {}", quoted(name)),
            None => source,
        };
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

    fn load(&self) -> Result<(Policy, String), Failure> {
        if let Some(path) = &self.policy {
            return Ok((Policy::load(path)?, format!("-p {}", quoted(path))));
        }
        let (Some(issuer), Some(audience), Some(file)) =
            (&self.issuer, &self.audience, &self.jwks_file)
        else {
            return Err(Failure::usage(
                "which rules? Give --policy FILE, or --issuer URL --audience AUD --jwks-file FILE. \
                 Without rules there is only `sealgate inspect`",
            ));
        };
        let document = serde_json::json!({
            "version": 1,
            "issuers": { "default": { "issuer": issuer, "jwks_file": file } },
            "gates": { "default": {
                "profile": "access_token",
                "audience": audience,
                "issuers": ["default"],
                "delegation": "surface",
            } },
        });
        let options = LoadOptions::new();
        let policy = Policy::parse_with(document.to_string(), Format::Json, &options)?;
        let source = format!(
            "--issuer {} --audience {} --jwks-file {}",
            quoted(issuer),
            quoted(audience),
            quoted(file)
        );
        Ok((policy, source))
    }
}
