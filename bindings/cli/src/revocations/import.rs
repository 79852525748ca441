//! `sealgate revocations import`: an export back into a store.

use std::io::{self, BufRead, Read, Write};

use clap::Args;
use sealgate::{Change, Policy, Revocation, RevokeError};

use super::shared::{SharedArguments, failed};
use crate::failure::{ACCEPTED, Failure, REFUSED};
use crate::text::thousands;

/// Bytes of a line: whatever is exported is imported.
const LONGEST: usize = Change::LONGEST_LINE;

/// Bad lines that are told one by one: of a file of another kind every line is bad.
const TOLD: usize = 20;

/// Options of `revocations import`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: SharedArguments,
    /// Write the other lines when some are bad.
    #[arg(long)]
    skip_bad: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let (policy, mut store) = arguments.shared.open()?;
    let (mut changes, mut bad, mut foreign) = (Vec::new(), 0_usize, 0_usize);
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    for number in 1_usize.. {
        if !next_line(&mut input, &mut line).map_err(|error| Failure::reading("-", &error))? {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match read(&line, &policy) {
            Ok((change, whose)) => {
                foreign += usize::from(whose == Whose::AnothersOrNobodys);
                changes.push(change);
            }
            Err(why) => {
                bad += 1;
                if bad <= TOLD {
                    // Nothing is left to do when even this fails.
                    let _ = writeln!(io::stderr(), "sealgate: line {number}: {why}");
                }
            }
        }
    }
    if bad > TOLD {
        let more = thousands(bad - TOLD);
        let _ = writeln!(io::stderr(), "sealgate: and {more} more bad lines");
    }
    if bad > 0 && !arguments.skip_bad {
        return Err(Failure::Usage(format!(
            "nothing was imported: {} of {} lines are bad; --skip-bad imports the others",
            thousands(bad),
            thousands(bad + changes.len())
        )));
    }
    if foreign > 0 {
        let _ = writeln!(
            io::stderr(),
            "sealgate: {} are of issuers that this policy does not name, to the last slash: they end \
             tokens of other services, or none",
            thousands(foreign)
        );
    }
    let all = changes.len();
    let overtaken = store.restore(changes);
    let overtaken = overtaken.map_err(|error| failed(&store, &error))?;
    writeln!(
        out,
        "{} imported into store \"{}\"",
        thousands(all - overtaken),
        store.name()
    )?;
    if overtaken > 0 {
        writeln!(
            out,
            "{} lifts left out: their handles were revoked after them",
            thousands(overtaken)
        )?;
    }
    if bad > 0 {
        writeln!(out, "{} bad lines left out", thousands(bad))?;
        return Ok(REFUSED);
    }
    Ok(ACCEPTED)
}

/// The next line, of which so much is kept that a longer one shows; `false` at the end.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let most = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    let read = input.by_ref().take(most).read_until(b'\n', line)?;
    if line.len() > LONGEST && line.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

/// Whose tokens a change ends.
#[derive(PartialEq, Eq)]
enum Whose {
    OfThePolicy,
    /// Those of a service that shares the store, as far as anybody can tell.
    AnothersOrNobodys,
}

/// What is held against a handle is what `revoke` holds against it.
fn read(line: &[u8], policy: &Policy) -> Result<(Change, Whose), String> {
    if line.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    let change = Change::from_json_strictly(line.trim_ascii());
    let change = change.map_err(|error| error.to_string())?;
    match Revocation::check(policy, change.handle()) {
        Ok(()) => Ok((change, Whose::OfThePolicy)),
        Err(RevokeError::NoSuchIssuer) => Ok((change, Whose::AnothersOrNobodys)),
        Err(error) => Err(error.to_string()),
    }
}
