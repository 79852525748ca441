//! `sealgate jwks lint`: says of each key of a set whether it can be used.

use std::io::Write;

use clap::Args;
use sealgate::jwk::JwkSet;
use serde_json::json;

use super::Judged;
use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::input;

/// Options of `jwks lint`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A JWK Set; `-` is standard input.
    file: String,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let path = &arguments.file;
    let set = JwkSet::parse(&input::whole(path)?);
    let set = set.map_err(|error| Failure::Usage(format!("{path}: {error}")))?;
    let judged = Judged::of(&set);
    let exit = if judged.unusable.is_empty() {
        ACCEPTED
    } else {
        REFUSED
    };
    if arguments.json {
        let [keys, skipped] = judged.as_json();
        let report = json!({ "ok": exit == ACCEPTED, "keys": keys, "skipped": skipped });
        writeln!(out, "{report}")?;
        return Ok(exit);
    }
    judged.write(out)?;
    writeln!(out, "{path}   {}", judged.counts())?;
    Ok(exit)
}
