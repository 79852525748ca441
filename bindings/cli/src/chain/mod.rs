//! `sealgate chain`: who acts for whom, drawn: as a tree, for Mermaid, for Graphviz, or as JSON.

mod draw;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::{Actor, Blame, Error, Lineage, VerifiedToken};
use serde_json::{Value, json};

use crate::failure::{ACCEPTED, Failure, REFUSED, UNDECIDED};
use crate::gate::{self, GateArguments};
use crate::needs::NeedsArguments;
use crate::request::{Asked, RequestArguments};
use draw::{Drawing, Party};

/// Options of `chain`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    gate: GateArguments,
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    needs: NeedsArguments,
    /// As a Mermaid flowchart.
    #[arg(long, conflicts_with_all = ["dot", "json"])]
    mermaid: bool,
    /// As a Graphviz graph.
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// As one JSON object.
    #[arg(long)]
    json: bool,
    /// The token; `-` or nothing is standard input.
    file: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let opened = arguments.gate.open()?;
    let asked = arguments.request.read_one(arguments.file.as_ref())?;
    let requirements = arguments.needs.requirements()?;
    let verified = gate::answered(
        &opened.gate,
        || asked.verify(&opened.gate, &requirements),
        |verified| verified.as_ref().err().copied(),
    );
    if let Some(error) = verified
        .as_ref()
        .err()
        .filter(|error| error.blame() == Blame::Misuse)
    {
        return Err(Asked::misused(error));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match verified {
        Ok(token) => {
            let drawing = drawing(&token);
            if arguments.json {
                writeln!(out, "{}", as_json(&token))?;
            } else if arguments.mermaid {
                drawing.mermaid(&mut out)?;
            } else if arguments.dot {
                drawing.dot(&mut out)?;
            } else {
                drawing.tree(&mut out)?;
            }
            ACCEPTED
        }
        Err(error) => {
            // What is refused is nobody's word: there is nothing to draw.
            if arguments.json {
                let code = error.code().as_str();
                writeln!(
                    out,
                    "{}",
                    json!({ "ok": false, "code": code, "reason": error.reason() })
                )?;
            } else {
                writeln!(out, "{}   {error}", verdict(&error))?;
            }
            if error.blame() == Blame::Rejected {
                REFUSED
            } else {
                UNDECIDED
            }
        }
    };
    out.flush()?;
    Ok(ExitCode::from(exit))
}

fn verdict(error: &Error) -> &'static str {
    match error.blame() {
        Blame::Rejected => "refused",
        _ => "undecided",
    }
}

fn drawing(token: &VerifiedToken) -> Drawing {
    let subject = Party {
        sub: token.subject().unwrap_or("nobody in particular").to_owned(),
        iss: String::new(),
    };
    // Everybody from the subject outwards: the order in which they passed it on.
    let actors = token.chain().rev().map(|actor| Party {
        sub: actor.sub().to_owned(),
        iss: actor.iss().to_owned(),
    });
    let scopes: Vec<&str> = token.scopes().collect();
    Drawing {
        parties: std::iter::once(subject).chain(actors).collect(),
        gate: token.gate().to_owned(),
        scopes: scopes.join(" "),
        lineage: lineage(token),
    }
}

/// What is proven, in words.
fn lineage(token: &VerifiedToken) -> String {
    let unproven: Vec<&str> = token
        .unproven()
        .map(|dimension| dimension.as_str())
        .collect();
    let mut text = match token.lineage() {
        Lineage::None => "nobody acts for anybody".to_owned(),
        Lineage::Asserted => format!("asserted by {}, not proven", token.issuer_name()),
        proven => format!("proven: {}", proven.as_str()),
    };
    if !unproven.is_empty() {
        text += &format!("; not compared: {}", unproven.join(", "));
    }
    text
}

fn as_json(token: &VerifiedToken) -> Value {
    let actor = |actor: Actor<'_>| {
        json!({ "iss": actor.iss(), "sub": actor.sub(), "iss_inferred": actor.iss_inferred(),
                "sub_profile": actor.sub_profile() })
    };
    json!({
        "ok": true, "code": "accepted", "gate": token.gate(), "issuer": token.issuer(),
        "issuer_name": token.issuer_name(), "subject": token.subject(),
        "delegated": token.delegated(), "chain": token.chain().map(actor).collect::<Vec<_>>(),
        "scopes": token.scopes().collect::<Vec<_>>(), "lineage": token.lineage().as_str(),
        "unproven": token.unproven().map(|dimension| dimension.as_str()).collect::<Vec<_>>(),
    })
}
