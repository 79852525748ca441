//! `sealgate jwks generate`: makes keys, and the public halves of keys.

use std::io::Write;

use clap::Args;
use sealgate::crypto::{self, SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use serde_json::Value;

use crate::failure::{ACCEPTED, Failure};

/// Options of `jwks generate`.
#[derive(Args)]
pub(crate) struct Arguments {
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

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
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
    let text = crate::input::whole(path)?;
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
