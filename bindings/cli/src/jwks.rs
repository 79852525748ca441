//! `sealgate jwks`: looks at key sets, and makes keys.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use sealgate::crypto::{self, SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, JwkSet};
use serde_json::{Value, json};

use crate::failure::{ACCEPTED, Failure, REFUSED};

/// What to do with key sets.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Say of each key of a set whether it can be used; exit 1 when one cannot.
    Lint(Lint),
    /// Make keys. The result is secret unless `--public` is given.
    Generate(Generate),
}

/// Options of `jwks lint`.
#[derive(Args)]
pub(crate) struct Lint {
    /// A JWK Set.
    file: String,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
}

/// Options of `jwks generate`.
#[derive(Args)]
pub(crate) struct Generate {
    /// Algorithm, by its registered name.
    #[arg(long, default_value = "ES256", value_parser = algorithm)]
    alg: Algorithm,
    /// `kid`; the thumbprint by default. With `--count` a number is added.
    #[arg(long)]
    kid: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,
    /// Write the private set here, for the owner's eyes only, and the public one to standard
    /// output.
    #[arg(long, value_name = "FILE")]
    private: Option<String>,
    /// Print only the public halves of the keys of this private set.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["private", "kid"])]
    public: Option<String>,
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Algorithm::all().map(Algorithm::name).collect();
        format!("one of {}", names.join(" "))
    })
}

pub(crate) fn run(verb: &Verb) -> Result<ExitCode, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match verb {
        Verb::Lint(arguments) => lint(arguments, &mut out)?,
        Verb::Generate(arguments) => generate(arguments, &mut out)?,
    };
    out.flush()?;
    Ok(ExitCode::from(exit))
}

fn lint(arguments: &Lint, out: &mut dyn Write) -> Result<u8, Failure> {
    let path = &arguments.file;
    let text = std::fs::read(path).map_err(|error| Failure::reading(path, &error))?;
    let set = JwkSet::parse(&text).map_err(|error| Failure::Usage(format!("{path}: {error}")))?;
    let provider = aws_lc::provider();
    let mut usable = Vec::new();
    let mut unusable: Vec<(Option<usize>, String)> = set
        .skipped()
        .iter()
        .map(|skipped| (Some(skipped.index), skipped.reason.to_string()))
        .collect();
    for (index, key) in set.keys().iter().enumerate() {
        let thumbprint = crypto::thumbprint(&provider, key);
        let kid = key.kid().unwrap_or("-").to_owned();
        if let Some(label) = crypto::published::label_of(&thumbprint) {
            unusable.push((
                None,
                format!("{kid}: everyone has this private key ({label})"),
            ));
            continue;
        }
        let identity = |key: &Jwk| (key.kid().map(str::to_owned), key.kty(), key.algorithm());
        let earlier = set.keys().iter().take(index);
        let twin = key.kid().is_some() && earlier.map(identity).any(|other| other == identity(key));
        if twin {
            // ALG-10: loaders refuse the whole set.
            unusable.push((
                None,
                format!("{kid}: another key has this kid, kty and alg"),
            ));
            continue;
        }
        // An RSA or shared key without `alg` is bound by the policy; any will do to try it.
        let own = key.algorithm();
        let tried = own.or_else(|| Algorithm::all().find(|any| key.check_fits(*any).is_ok()));
        match tried.map(|algorithm| (provider.load)(key, algorithm)) {
            Some(Ok(_)) => {
                let alg = own.map_or("any of its kind", Algorithm::name);
                usable.push((kid, alg, key.kty(), thumbprint));
            }
            Some(Err(reason)) => unusable.push((None, format!("{kid}: {reason}"))),
            None => unusable.push((None, format!("{kid}: fits no algorithm"))),
        }
    }
    let exit = if unusable.is_empty() {
        ACCEPTED
    } else {
        REFUSED
    };
    if arguments.json {
        let keys: Vec<Value> = usable
            .iter()
            .map(|(kid, alg, kty, thumbprint)| {
                json!({ "kid": kid, "alg": alg, "kty": kty, "thumbprint": thumbprint })
            })
            .collect();
        let skipped: Vec<Value> = unusable
            .iter()
            .map(|(index, reason)| json!({ "index": index, "reason": reason }))
            .collect();
        writeln!(
            out,
            "{}",
            json!({ "ok": exit == ACCEPTED, "keys": keys, "skipped": skipped })
        )?;
        return Ok(exit);
    }
    for (kid, alg, kty, thumbprint) in &usable {
        let kid = crate::text::printable(kid);
        writeln!(out, "  ✓ {kid:<24} {alg:<10} {kty:<4} {thumbprint}")?;
    }
    for (index, reason) in &unusable {
        let place = index.map_or_else(String::new, |index| format!("keys[{index}]: "));
        writeln!(out, "  ✗ {place}{}", crate::text::printable(reason))?;
    }
    writeln!(
        out,
        "{path}   {} usable, {} not",
        usable.len(),
        unusable.len()
    )?;
    Ok(exit)
}

fn generate(arguments: &Generate, out: &mut dyn Write) -> Result<u8, Failure> {
    if let Some(path) = &arguments.public {
        let keys = read_private(path)?;
        let keys: Vec<String> = keys.iter().map(|key| key.public_jwk().to_json()).collect();
        writeln!(out, "{{\"keys\":[{}]}}", keys.join(","))?;
        return Ok(ACCEPTED);
    }
    let mut keys = Vec::with_capacity(arguments.count.into());
    for number in 1..=arguments.count {
        let key = SigningKey::generate(arguments.alg)
            .map_err(|error| Failure::Usage(format!("--alg: {error}")))?;
        let kid = match &arguments.kid {
            Some(kid) if arguments.count > 1 => format!("{kid}-{number}"),
            Some(kid) => kid.clone(),
            None => crypto::thumbprint(&aws_lc::provider(), key.public_jwk()),
        };
        keys.push(key.with_kid(&kid));
    }
    let private: Vec<String> = keys
        .iter()
        .map(|key| key.to_private_jwk().to_string())
        .collect();
    let private = format!("{{\"keys\":[{}]}}\n", private.join(","));
    match &arguments.private {
        None => out.write_all(private.as_bytes())?,
        Some(path) => {
            write_secret(path, &private)?;
            let public: Vec<String> = keys.iter().map(|key| key.public_jwk().to_json()).collect();
            writeln!(out, "{{\"keys\":[{}]}}", public.join(","))?;
        }
    }
    Ok(ACCEPTED)
}

/// Creates the file for its owner alone; never writes over one that is there.
fn write_secret(path: &str, text: &str) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::Usage(format!("{path}: cannot be written: {error}")))
}

/// The private keys of a JWK, a JWK Set or a PEM file.
pub(crate) fn read_private(path: &str) -> Result<Vec<SigningKey>, Failure> {
    let text = std::fs::read(path).map_err(|error| Failure::reading(path, &error))?;
    let refuse = |error: sealgate::jwk::KeyError| Failure::Usage(format!("{path}: {error}"));
    if text.trim_ascii_start().starts_with(b"-----") {
        return Ok(vec![SigningKey::from_pem(&text).map_err(refuse)?]);
    }
    let json: Value = serde_json::from_slice(&text)
        .map_err(|_| Failure::Usage(format!("{path}: neither a JWK, a JWK Set nor PEM")))?;
    let members = match json.get("keys").and_then(Value::as_array) {
        Some(keys) => keys.clone(),
        None => vec![json],
    };
    let keys = members
        .iter()
        .map(|key| SigningKey::from_jwk(key.to_string().as_bytes()));
    keys.collect::<Result<_, _>>().map_err(refuse)
}
