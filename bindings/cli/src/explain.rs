//! `sealgate explain`: every rule in order, which one refused and why, and what to do.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use sealgate::{Advice, Answer, Blame, Explanation, Outcome, Stage, Step};
use serde_json::{Map, Value, json};

use crate::failure::{self, Failure};
use crate::gate::{self, GateArguments};
use crate::needs::NeedsArguments;
use crate::request::RequestArguments;
use crate::text::{Columns, WIDTH, printable};

/// Options of `explain`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    gate: GateArguments,
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    needs: NeedsArguments,
    /// The stages as one JSON object.
    #[arg(long)]
    json: bool,
    /// The token; `-` or nothing is standard input.
    file: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let opened = arguments.gate.open()?;
    let requirements = arguments.needs.requirements()?;
    let asked = arguments.request.read_one(arguments.file.as_ref())?;
    let explanation = gate::answered(
        &opened.gate,
        || asked.explain(&opened.gate, &requirements),
        |explanation| explanation.outcome.as_ref().err().copied(),
    );
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = failure::exit(&explanation.outcome);
    let answer = explanation
        .outcome
        .as_ref()
        .err()
        .map(|error| opened.gate.answer(error, &requirements));
    if arguments.json {
        writeln!(out, "{}", as_json(&explanation, answer))?;
    } else {
        // Nothing is decided by it: only the audience is shown beside ours.
        let aud = asked
            .token()
            .and_then(|token| sealgate::inspect(token).ok())
            .and_then(|token| serde_json::from_str::<Value>(token.claims()).ok())
            .and_then(|claims| Some(claims.get("aud")?.as_str()?.to_owned()));
        write_stages(&explanation, aud.as_deref(), answer.as_ref(), &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::from(exit))
}

fn as_json(explanation: &Explanation, answer: Option<Answer>) -> Value {
    let stages = explanation.steps.iter().map(|step| {
        json!({
            "stage": step.stage.as_str(), "outcome": step.outcome.as_str(),
            "note": step.note, "rules": step.stage.rules(),
        })
    });
    let code = match &explanation.outcome {
        Ok(_) => "accepted",
        Err(error) => error.code().as_str(),
    };
    let wire = answer.map(|answer| {
        let headers = answer.headers.into_iter();
        let headers: Map<String, Value> = headers
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        json!({ "status": answer.status, "headers": headers, "body": answer.body })
    });
    json!({
        "ok": explanation.outcome.is_ok(), "code": code, "stages": stages.collect::<Vec<_>>(),
        "hint": explanation.advice.as_ref().map(|advice| &advice.hint), "wire": wire,
    })
}

fn write_stages(
    explanation: &Explanation,
    aud: Option<&str>,
    answer: Option<&Answer>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match &explanation.outcome {
        Ok(_) => writeln!(out, "accepted\n")?,
        Err(error) if error.blame() == Blame::Rejected => writeln!(out, "refused   {error}\n")?,
        Err(error) => writeln!(out, "undecided   {error}\n")?,
    }
    let mut not_reached = Vec::new();
    for step in &explanation.steps {
        match step.outcome {
            Outcome::Passed => write_step('✓', step, &note(step), out)?,
            Outcome::Refused => match halves(step, explanation.advice.as_ref(), aud) {
                Some([theirs, ours, caret]) => {
                    write_step('✗', step, &theirs, out)?;
                    writeln!(out, "{:MARGIN$}{ours}", "")?;
                    writeln!(out, "{:MARGIN$}{caret}", "")?;
                }
                None => write_step('✗', step, &note(step), out)?,
            },
            _ => not_reached.push(step.stage.as_str()),
        }
    }
    if !not_reached.is_empty() {
        let text = format!("{}   not reached", not_reached.join(", "));
        Columns::after("  · ").write(out, "  · ", &text)?;
    }
    if let Some(advice) = &explanation.advice {
        writeln!(out)?;
        Columns::after("  Do this   ").write(out, "  Do this   ", &advice.hint)?;
    }
    if let Some(answer) = answer {
        let label = format!("  On the wire   {}   ", answer.status);
        let columns = Columns::after(&label);
        let mut first = Some(&label);
        let blank = " ".repeat(label.chars().count());
        for (name, value) in &answer.headers {
            let label = first.take().unwrap_or(&blank);
            columns.write(out, label, &format!("{name}: {value}"))?;
        }
    }
    Ok(())
}

/// Columns before a note.
const MARGIN: usize = 19;
/// A stage with its rules at the right of its first line.
fn write_step(mark: char, step: &Step, note: &str, out: &mut dyn Write) -> io::Result<()> {
    let rules = step.stage.rules();
    let room = WIDTH - MARGIN - 1 - rules.chars().count();
    let mut columns = 0;
    // Whole words, as many as leave room for the rules.
    let fitting = note.split_inclusive(' ').take_while(|word| {
        columns += word.chars().count();
        columns - usize::from(word.ends_with(' ')) <= room
    });
    let (head, rest) = note.split_at(fitting.map(str::len).sum());
    let (name, head) = (step.stage.as_str(), head.trim_end());
    writeln!(out, "  {mark} {name:<14} {head:<room$} {rules}")?;
    if rest.is_empty() {
        return Ok(());
    }
    let blank = " ".repeat(MARGIN);
    Columns::after(&blank).write(out, &blank, rest)
}

/// A header's JSON reads as in `inspect`; every other note is a sentence already.
fn note(step: &Step) -> String {
    if step.stage == Stage::Header
        && step.outcome == Outcome::Passed
        && let Ok(header) = serde_json::from_str::<Map<String, Value>>(&step.note)
    {
        return crate::inspect::header_line(&header, ", ");
    }
    printable(&step.note)
}

/// The token's audience above the one we expect, and where they part.
fn halves(step: &Step, advice: Option<&Advice>, aud: Option<&str>) -> Option<[String; 3]> {
    let (advice, aud) = (advice?, aud.filter(|_| step.stage == Stage::Audience)?);
    let [ours] = advice.expected.as_slice() else {
        return None;
    };
    let gate = format!("{} expects", advice.gate);
    let width = gate.chars().count().max("aud is".len()) + 2;
    let common = aud
        .chars()
        .zip(ours.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let what = match (aud.strip_prefix(ours.as_str()), ours.strip_prefix(aud)) {
        (Some(more), _) => format!("\"{}\" more", printable(more)),
        (_, Some(missing)) => format!("\"{missing}\" missing"),
        _ => "differs from here".to_owned(),
    };
    // Where escapes precede the difference the caret follows them.
    let shown = printable(&aud.chars().take(common).collect::<String>());
    let place = width + 1 + shown.chars().count();
    Some([
        format!("{:<width$}\"{}\"", "aud is", printable(aud)),
        format!("{gate:<width$}\"{ours}\""),
        format!("{:place$}^ {what}", ""),
    ])
}

#[cfg(test)]
mod tests {
    use sealgate::{Clock, Format, Policy, Verifier, crypto::aws_lc};

    use super::write_stages;

    /// The audience of the only gate, and that of a token, as a person sees them.
    fn shown(ours: &str, theirs: &str) -> String {
        use sealgate::crypto::SigningKey;
        use sealgate::jwa::Algorithm;
        use sealgate::mint::{ClaimsBuilder, Minter};
        let key = SigningKey::generate(Algorithm::Es256)
            .unwrap()
            .with_kid("k");
        let document = format!(
            r#"{{"version":1,"issuers":{{"corp":{{"issuer":"https://a.example","jwks":{{"keys":[{}]}}}}}},
                "gates":{{"tools":{{"profile":"access_token","issuers":["corp"],"audience":"{ours}"}}}}}}"#,
            key.verifying_jwk().to_json()
        );
        let policy = Policy::parse(document, Format::Json).unwrap();
        let clock = Clock::fixed(1_800_000_000);
        let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock.clone()).unwrap();
        let claims = ClaimsBuilder::new()
            .issuer("https://a.example")
            .subject("u1")
            .audience([theirs])
            .client_id("c")
            .jwt_id("j")
            .lifetime(clock.now(), sealgate::Span::from_seconds(60));
        let token = Minter::new(key).with_typ("at+jwt").mint(&claims).unwrap();
        let explanation = verifier.gate("tools").unwrap().explain(&token);
        let mut out = Vec::new();
        write_stages(&explanation, Some(theirs), None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn both_audiences_stand_under_each_other_with_the_place_where_they_part() {
        for (ours, theirs, what) in [
            (
                "https://api.example/m",
                "https://api.example/m/",
                "\"/\" more",
            ),
            (
                "https://api.example/m/",
                "https://api.example/m",
                "\"/\" missing",
            ),
            (
                "https://api.example/m",
                "https://apj.example/m",
                "differs from here",
            ),
        ] {
            let text = shown(ours, theirs);
            let lines: Vec<&str> = text.lines().collect();
            let at = lines
                .iter()
                .position(|line| line.contains("aud is"))
                .unwrap();
            let caret = lines[at + 2].chars().position(|c| c == '^').unwrap();
            let character = |line: usize| lines[line].chars().nth(caret);
            assert!(lines[at + 2].ends_with(what), "{text}");
            assert_ne!(character(at), character(at + 1), "{text}");
            let before = |line: usize| lines[line].chars().nth(caret - 1);
            assert_eq!(before(at), before(at + 1), "{text}");
        }
        assert!(!shown("https://a.example/m", "https://a.example/m").contains("aud is"));
    }

    #[test]
    fn a_stage_takes_no_more_than_eighty_columns() {
        let text = shown("https://api.example/m", "https://b.example");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
