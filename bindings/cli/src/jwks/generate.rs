//! `sealgate jwks generate` and `jwks public`: makes keys, and the public halves of keys.

use std::io::{self, Write};

use clap::Args;
use sealgate::crypto::{self, SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, KeyError};
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
}

/// Options of `jwks public`.
#[derive(Args)]
pub(crate) struct Public {
    /// Private keys: a JWK, a JWK Set or PKCS#8 PEM; `-` is standard input.
    file: String,
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Algorithm::all().map(Algorithm::name).collect();
        format!("one of {}", names.join(" "))
    })
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut keys = Vec::with_capacity(arguments.count.into());
    for number in 1..=arguments.count {
        let key = SigningKey::generate(arguments.alg)
            .map_err(|error| Failure::Usage(format!("--alg: {error}")))?;
        let kid = match &arguments.kid {
            Some(kid) if arguments.count > 1 => format!("{kid}-{number}"),
            Some(kid) => kid.clone(),
            None => match key.public_jwk() {
                Some(public) => crypto::thumbprint(&aws_lc::provider(), public),
                // RFC 7638 §7: that of a secret would help to guess it.
                None => random_id()?,
            },
        };
        keys.push(key.with_kid(&kid));
    }
    let private: Vec<String> = keys
        .iter()
        .map(|key| key.to_private_jwk().to_string())
        .collect();
    let private = format!("{{\"keys\":[{}]}}\n", private.join(","));
    match &arguments.private {
        None => {
            out.write_all(private.as_bytes())?;
            let text = "these are private keys; `sealgate jwks public FILE` prints what others may \
                        have";
            // Nothing is left to do when even this fails.
            let _ = writeln!(io::stderr(), "sealgate: {text}");
        }
        Some(path) => {
            write_secret(path, &private)?;
            write_public(&keys, out)?;
        }
    }
    Ok(ACCEPTED)
}

pub(super) fn run_public(arguments: &Public, out: &mut dyn Write) -> Result<u8, Failure> {
    let keys = read_private(&arguments.file)?;
    if keys.iter().all(|key| key.public_jwk().is_none()) {
        let text = format!("{}: no key with a public half", arguments.file);
        return Err(Failure::Usage(text));
    }
    write_public(&keys, out)?;
    Ok(ACCEPTED)
}

/// The set of the public halves, and a word of the keys that have none.
fn write_public(keys: &[SigningKey], out: &mut dyn Write) -> Result<(), Failure> {
    let public = keys
        .iter()
        .filter_map(|key| Some(key.public_jwk()?.to_json()));
    let public: Vec<String> = public.collect();
    writeln!(out, "{{\"keys\":[{}]}}", public.join(","))?;
    let shared = keys.len() - public.len();
    if shared > 0 {
        let text = "left out: a shared key has no public half, and whoever verifies with it can \
                    sign";
        let _ = writeln!(io::stderr(), "sealgate: {shared} {text}");
    }
    Ok(())
}

/// 128 random bits, from a key nobody keeps.
pub(crate) fn random_id() -> Result<String, Failure> {
    let key = SigningKey::generate(Algorithm::Hs256);
    let key = key.map_err(|error| Failure::Usage(error.to_string()))?;
    let id = crypto::thumbprint(&aws_lc::provider(), key.verifying_jwk());
    Ok(id.chars().take(22).collect())
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
    let keys = read(path)?;
    let keys = keys.into_iter().map(|key| match key {
        Read::Private(key) => Ok(*key),
        Read::Public(_) => {
            let text = "holds a public key, and private ones are needed";
            Err(Failure::Usage(format!("{path}: {text}")))
        }
    });
    keys.collect()
}

/// The public half of the first key of a JWK, a JWK Set or a PEM file.
pub(crate) fn read_public(path: &str) -> Result<Jwk, Failure> {
    let public = match read(path)?.into_iter().next() {
        Some(Read::Public(key)) => key,
        Some(Read::Private(key)) => key
            .public_jwk()
            .cloned()
            .ok_or_else(|| Failure::Usage(format!("{path}: a shared secret")))?,
        None => return Err(Failure::Usage(format!("{path}: no key"))),
    };
    Ok(public)
}

enum Read {
    /// Boxed: it is many times a public one.
    Private(Box<SigningKey>),
    Public(Jwk),
}

fn read(path: &str) -> Result<Vec<Read>, Failure> {
    let text = crate::input::whole(path)?;
    let refuse = |error: KeyError| Failure::Usage(format!("{path}: {error}"));
    let private = |key: Result<SigningKey, KeyError>| Ok(Read::Private(Box::new(key?)));
    if text.trim_ascii_start().starts_with(b"-----") {
        let public = Jwk::from_pem(&text).map(Read::Public);
        let key = public.or_else(|_| private(SigningKey::from_pem(&text)));
        return Ok(vec![key.map_err(refuse)?]);
    }
    let json: Value = serde_json::from_slice(&text)
        .map_err(|_| Failure::Usage(format!("{path}: neither a JWK, a JWK Set nor PEM")))?;
    let members = match json.get("keys").and_then(Value::as_array) {
        Some(keys) => keys.clone(),
        None => vec![json],
    };
    let is_public = |key: &Value| {
        let private = ["d", "priv", "k"];
        key.get("kty").is_some() && private.iter().all(|name| key.get(name).is_none())
    };
    let keys = members.iter().map(|key| {
        let text = key.to_string();
        if is_public(key) {
            Jwk::parse(text.as_bytes()).map(Read::Public)
        } else {
            private(SigningKey::from_jwk(text.as_bytes()))
        }
    });
    keys.collect::<Result<_, _>>().map_err(refuse)
}
