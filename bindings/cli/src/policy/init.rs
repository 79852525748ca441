//! `sealgate policy init`: a policy to begin with, from options, an issuer's metadata or a token.

use std::io::{self, Write};

use clap::Args;
use sealgate::crypto::aws_lc;
use sealgate::jwk::JwkSet;
use sealgate::{Clock, Profile, Requirements, Span, Verifier};
use serde_json::{Map, Value};

use super::draft::{Draft, KeysFrom, Named, blame_options};
use crate::failure::{ACCEPTED, Failure};
use crate::jwks::Judged;
use crate::network::{Network, failed};
use crate::{gate, input, verdict};

/// Options of `policy init`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The exact `iss`; that of the token by default.
    #[arg(long, value_name = "URL", required_unless_present = "token")]
    issuer: Option<String>,
    /// The exact `aud`; that of the token by default.
    #[arg(long, value_name = "AUD", required_unless_present = "token")]
    audience: Option<String>,
    /// The issuer's keys; without it they are found by the issuer's metadata, which is read.
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<String>,
    /// A token of the issuer's, to choose by; the policy is tried on it.
    #[arg(long, value_name = "FILE")]
    token: Option<String>,
    #[command(flatten)]
    network: Network,
    /// The document as JSON.
    #[arg(long)]
    json: bool,
}

/// The longest that the preset lets access tokens live (AT-06).
const LIFETIME: i64 = 3600;

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let sample = arguments.token.as_deref().map(Sample::read).transpose()?;
    let choose = |given: &Option<String>, found: Option<&String>, option: &str, comment| match (
        given, found,
    ) {
        (Some(value), _) => Ok(Named {
            value: value.clone(),
            comment,
        }),
        (None, Some(value)) => Ok(Named {
            value: value.clone(),
            comment: "from the sample: check this",
        }),
        (None, None) => Err(Failure::Usage(format!("{option}: the sample does not say"))),
    };
    let sample = sample.as_ref();
    let issuer = choose(
        &arguments.issuer,
        sample.and_then(|sample| sample.issuer.as_ref()),
        "--issuer",
        "exact `iss`, to the last slash",
    )?;
    let audience = choose(
        &arguments.audience,
        sample.and_then(|sample| sample.audience.as_ref()),
        "--audience",
        "exact `aud`",
    )?;
    let (keys, judged, from) = find_keys(arguments, &issuer.value)?;
    let algorithms = judged.algorithms(sample.map_or("RS256", Sample::rsa));
    if algorithms.is_empty() {
        let text = format!("{from}: no key that can be used; see `sealgate jwks lint`");
        return Err(Failure::Usage(text));
    }
    let draft = Draft {
        issuer,
        audience,
        keys,
        algorithms,
        profile: sample.map_or("access_token", |sample| sample.profile),
        max_lifetime: sample.and_then(|sample| sample.lifetime),
        claim_names: sample.map_or_else(Vec::new, |sample| sample.claim_names.clone()),
        has_actor: sample.is_some_and(|sample| sample.has_actor),
        network: arguments.network.clone(),
    };
    let policy = draft.load().map_err(|error| blame_options(&error))?;
    let verifier = Verifier::new(policy, aws_lc::provider())?;
    if arguments.json {
        writeln!(out, "{}", verifier.policy().to_json().trim_end())?;
    } else {
        out.write_all(draft.to_toml().as_bytes())?;
    }
    out.flush()?;
    if let Some(sample) = sample {
        try_on(&verifier, &draft, sample)?;
    }
    Ok(ACCEPTED)
}

/// Says what was taken from the sample, and what the policy makes of it.
fn try_on(verifier: &Verifier, draft: &Draft, sample: &Sample) -> Result<(), Failure> {
    let mut beside = io::stderr().lock();
    for (claim, name) in &draft.claim_names {
        writeln!(
            beside,
            "{claim} is taken from {name}: the sample has it there"
        )?;
    }
    if draft.max_lifetime.is_some() {
        writeln!(
            beside,
            "max_lifetime is raised: the sample lives longer than 1 h"
        )?;
    }
    drop(beside);
    let gate = verifier.gate("tools");
    let gate = gate.map_err(|error| Failure::Usage(error.to_string()))?;
    gate::await_keys(verifier, &gate);
    let verdict = gate.verify(&sample.token);
    let mut beside = io::stderr().lock();
    verdict::describe(
        &gate,
        &Requirements::NONE,
        &Clock::System,
        &verdict,
        &mut beside,
    )?;
    Ok(())
}

/// The keys of the policy, and what they are now.
fn find_keys(arguments: &Arguments, issuer: &str) -> Result<(KeysFrom, Judged, String), Failure> {
    if let Some(path) = &arguments.jwks_file {
        let set = JwkSet::parse(&input::whole(path)?);
        let set = set.map_err(|error| Failure::Usage(format!("{path}: {error}")))?;
        return Ok((KeysFrom::File(path.clone()), Judged::of(&set), path.clone()));
    }
    let client = arguments.network.client();
    let metadata = client.discover(issuer, sealgate::Discovery::Auto);
    let metadata = metadata.map_err(|error| failed(issuer, &error))?;
    let url = &metadata.jwks_uri;
    let set = client.key_set(url).map_err(|error| failed(url, &error))?;
    Ok((
        KeysFrom::metadata(&metadata),
        Judged::of(&set.keys),
        url.clone(),
    ))
}

/// What a token of the issuer's suggests. Nothing of it is trusted: a person reads the policy
/// before it is used.
struct Sample {
    token: Vec<u8>,
    issuer: Option<String>,
    audience: Option<String>,
    alg: Option<String>,
    profile: &'static str,
    lifetime: Option<Span>,
    claim_names: Vec<(&'static str, &'static str)>,
    has_actor: bool,
}

/// Where issuers put registered claims that they do not call by their names: Okta, Entra, Keycloak
/// and Cognito.
const DIALECTS: [(&str, &[&str]); 3] = [
    ("scope", &["scp"]),
    ("client_id", &["azp", "appid", "cid"]),
    ("aud", &["client_id"]),
];

impl Sample {
    fn read(path: &str) -> Result<Self, Failure> {
        let token = input::one(Some(path))?;
        let seen = sealgate::inspect(&token)?;
        let parse =
            |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
        let (header, claims) = (parse(seen.header()), parse(seen.claims()));
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let claim_names: Vec<_> = DIALECTS
            .into_iter()
            .filter(|(claim, _)| !claims.contains_key(*claim))
            .filter_map(|(claim, others)| {
                let other = others.iter().find(|other| claims.contains_key(**other))?;
                Some((claim, *other))
            })
            .collect();
        let audience = match claims.get("aud") {
            Some(Value::Array(several)) => {
                several.first().and_then(Value::as_str).map(str::to_owned)
            }
            Some(_) => text("aud"),
            None => text("client_id"),
        };
        let date = |name: &str| claims.get(name).and_then(Value::as_i64);
        let lifetime = date("exp")
            .zip(date("iat"))
            .map(|(exp, iat)| exp.saturating_sub(iat));
        Ok(Self {
            issuer: text("iss"),
            audience,
            alg: header.get("alg").and_then(Value::as_str).map(str::to_owned),
            profile: profile(path, header.get("typ"))?,
            lifetime: lifetime
                .filter(|seconds| *seconds > LIFETIME)
                .map(Span::from_seconds),
            claim_names,
            has_actor: claims.contains_key("act"),
            token,
        })
    }

    /// The algorithm of RSA keys that do not say theirs.
    fn rsa(&self) -> &'static str {
        let alg = self
            .alg
            .as_deref()
            .and_then(sealgate::jwa::Algorithm::from_name);
        let name = alg.map_or("RS256", sealgate::jwa::Algorithm::name);
        if name.starts_with(['R', 'P']) {
            name
        } else {
            "RS256"
        }
    }
}

/// The kind of access token that a `typ` says.
fn profile(path: &str, typ: Option<&Value>) -> Result<&'static str, Failure> {
    let typ = typ.and_then(Value::as_str).unwrap_or("JWT");
    let typ = typ.to_ascii_lowercase();
    match typ.trim_start_matches("application/") {
        "at+jwt" => Ok("access_token"),
        "jwt" => Ok("access_token_untyped"),
        other => {
            let kind = Profile::suggested_by(other).map(|kind| {
                let name = kind.as_str();
                format!(", but of the kind {name}: write profiles = [{name:?}] and a gate for it")
            });
            let kind = kind.unwrap_or_default();
            let text = format!("{path}: typ {other:?} is no access token's{kind}");
            Err(Failure::Usage(text))
        }
    }
}
