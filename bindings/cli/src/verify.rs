//! `sealgate verify`: verdicts over one token or a million.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sealgate::{
    Batch, Blame, Clock, Error, Gate, Lineage, Possession, Requirements, Span, VerifiedToken,
};
use serde_json::{Value, json};

use crate::failure::{ACCEPTED, Failure, REFUSED, UNDECIDED};
use crate::gate::{GateArguments, Opened};
use crate::input::{self, Chunk, Source};
use crate::text::{date, is_watched, printable, relative, thousands};

/// Options of `verify`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    gate: GateArguments,
    /// Scope every token must have, beyond those of the gate; may be repeated.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Verdicts as JSON lines.
    #[arg(long)]
    json: bool,
    /// Only the summary.
    #[arg(long)]
    summary: bool,
    /// Threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Tokens, one a line or JSON lines; `-` or nothing is standard input.
    file: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let opened = arguments.gate.open()?;
    let source = input::open(arguments.file.as_deref())?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0));
    let pool = pool
        .build()
        .map_err(|error| Failure::Usage(format!("--threads: {error}")))?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout());
    let tally = pool.install(|| judge(arguments, &opened, source, &mut out))?;
    out.flush()?;
    Ok(ExitCode::from(tally.exit()))
}

fn judge(
    arguments: &Arguments,
    opened: &Opened,
    source: Source,
    out: &mut (dyn Write + Send),
) -> Result<Tally, Failure> {
    let requirements = Requirements::scopes(arguments.scope.iter().map(String::as_str));
    let mut tally = Tally::new(&source);
    let bar = progress(&source);
    let began = Stopwatch::start();
    let mut single = None;
    input::chunks(source, |chunk, last| {
        let tokens: Vec<Cow<'_, [u8]>> = chunk.tokens().map(|(_, token)| token).collect();
        let batch = opened.gate.verify_batch_with(&tokens, &requirements);
        bar.set_position(chunk.consumed);
        tally.add(&chunk, &batch);
        let alone = last && tally.total() == 1 && batch.len() == 1;
        if alone && !arguments.json && !arguments.summary {
            single = batch.into_iter().next().map(sealgate::Verdict::into_result);
            return Ok(());
        }
        if !arguments.summary {
            for ((line, _), verdict) in chunk.tokens().zip(batch.results()) {
                if arguments.json {
                    writeln!(out, "{}", as_json(&opened.gate, line, verdict))?;
                } else {
                    writeln!(out, "{}", as_row(line, verdict))?;
                }
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    if tally.total() == 0 {
        return Err(Failure::Usage(format!("{}: no token", tally.name)));
    }
    if let Some(verdict) = single {
        describe(&opened.gate, &opened.clock, verdict, out)?;
    } else if arguments.summary || is_watched() {
        tally.print(began.elapsed(), opened, arguments, out)?;
    }
    Ok(tally)
}

fn progress(source: &Source) -> ProgressBar {
    let Some(size) = source.size.filter(|_| is_watched()) else {
        return ProgressBar::hidden();
    };
    let style = ProgressStyle::with_template("  verifying  {bar:26}  {percent} %  {eta} left");
    let bar = ProgressBar::new(size);
    match style {
        Ok(style) => bar.with_style(style.progress_chars("██ ")),
        Err(_) => bar,
    }
}

/// What became of the tokens so far.
struct Tally {
    name: String,
    accepted: usize,
    refused: usize,
    undecided: usize,
    /// Each code with how often it was given and the line that was given it first.
    codes: Vec<(Error, usize, usize)>,
}

impl Tally {
    fn new(source: &Source) -> Self {
        let name = source.name.clone();
        Self {
            name,
            accepted: 0,
            refused: 0,
            undecided: 0,
            codes: Vec::new(),
        }
    }

    fn add(&mut self, chunk: &Chunk, batch: &Batch) {
        for ((line, _), verdict) in chunk.tokens().zip(batch.results()) {
            let Err(error) = verdict else {
                self.accepted += 1;
                continue;
            };
            match error.blame() {
                Blame::Rejected => self.refused += 1,
                _ => self.undecided += 1,
            }
            match self
                .codes
                .iter_mut()
                .find(|(known, ..)| known.code() == error.code())
            {
                Some((_, count, _)) => *count += 1,
                None => self.codes.push((error, 1, line)),
            }
        }
    }

    const fn total(&self) -> usize {
        self.accepted + self.refused + self.undecided
    }

    const fn exit(&self) -> u8 {
        match (self.undecided, self.refused) {
            (0, 0) => ACCEPTED,
            (0, _) => REFUSED,
            _ => UNDECIDED,
        }
    }

    fn rate(&self, elapsed: Duration) -> usize {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate"
        )]
        let rate = (self.total() as f64 / seconds) as usize;
        rate
    }

    fn print(
        &self,
        elapsed: Duration,
        opened: &Opened,
        arguments: &Arguments,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let codes = |undecided: bool| {
            let mut codes: Vec<_> = self
                .codes
                .iter()
                .filter(|(error, ..)| (error.blame() != Blame::Rejected) == undecided)
                .collect();
            codes.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
            codes
        };
        if arguments.json {
            let counts: serde_json::Map<String, Value> = self
                .codes
                .iter()
                .map(|(error, count, _)| (error.code().as_str().to_owned(), (*count).into()))
                .collect();
            let summary = json!({
                "tokens": self.total(), "accepted": self.accepted, "refused": self.refused,
                "undecided": self.undecided, "codes": counts,
                "seconds": elapsed.as_secs_f64(), "tokens_per_second": self.rate(elapsed),
            });
            // With verdicts on standard output the summary goes beside them.
            if arguments.summary {
                writeln!(out, "{summary}")?;
            } else {
                writeln!(io::stderr(), "{summary}")?;
            }
            return Ok(());
        }
        let mut text = format!(
            "{}   {} tokens in {:.1} s   {}/s   {} threads{}\n",
            self.name,
            thousands(self.total()),
            elapsed.as_secs_f64(),
            thousands(self.rate(elapsed)),
            rayon::current_num_threads(),
            peak_memory(),
        );
        let rows = [
            ("accepted", self.accepted, Vec::new()),
            ("refused", self.refused, codes(false)),
            ("undecided", self.undecided, codes(true)),
        ];
        for (name, count, codes) in rows {
            let share = count as f64 * 100.0 / self.total() as f64;
            let codes: Vec<String> = codes
                .iter()
                .map(|(error, count, _)| format!("{} {}", error.code().as_str(), thousands(*count)))
                .collect();
            let row = format!(
                "{name:<10} {:>11}  {share:5.1} %   {}",
                thousands(count),
                codes.join(" · ")
            );
            text.push_str(row.trim_end());
            text.push('\n');
        }
        if let Some((error, _, line)) = codes(false).first()
            && let Some(file) = arguments.file.as_deref().filter(|file| *file != "-")
        {
            let options = &opened.options;
            let code = error.code().as_str();
            text.push_str(&format!(
                "look closer    sed -n {line}p {file} | sealgate explain {options}        # the first {code}\n"
            ));
        }
        if arguments.summary {
            out.write_all(text.as_bytes())?;
        } else {
            io::stderr().write_all(text.as_bytes())?;
        }
        Ok(())
    }
}

/// The most memory this process held, where the system tells.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().split(' ').next()?.parse::<usize>().ok());
    kib.map(|kib| format!("   {} MiB at most", kib / 1024))
        .unwrap_or_default()
}

/// Wall time for people; verdicts take theirs from the verifier's clock.
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "measures the run, judges nothing"
    )]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// One verdict as a JSON line.
pub(crate) fn as_json(gate: &Gate, line: usize, verdict: Result<&VerifiedToken, Error>) -> Value {
    match verdict {
        Ok(token) => {
            let actors: Vec<Value> = token
                .chain()
                .map(|actor| json!({ "iss": actor.iss(), "sub": actor.sub() }))
                .collect();
            json!({
                "line": line, "ok": true, "code": "accepted", "gate": token.gate(),
                "profile": token.profile().as_str(), "issuer": token.issuer(),
                "issuer_name": token.issuer_name(), "subject": token.subject(),
                "actor": actors.first(), "chain": actors,
                "scopes": token.scopes().collect::<Vec<_>>(),
                "expires_at": token.expires_at().map(|date| date.seconds()),
            })
        }
        Err(error) => {
            let advice = gate.advice(&error);
            json!({
                "line": line, "ok": false, "code": error.code().as_str(),
                "blame": error.blame().as_str(), "gate": advice.gate,
                "issuer_name": advice.issuer_name, "claim": error.claim(),
                "reason": error.code().reason(),
            })
        }
    }
}

fn as_row(line: usize, verdict: Result<&VerifiedToken, Error>) -> String {
    match verdict {
        Ok(token) => {
            let subject = printable(token.subject().unwrap_or("-"));
            let row = match token.actor() {
                Some(actor) => format!("{}  for  {subject}", printable(actor.sub())),
                None => subject,
            };
            format!("{line:>8}  {:<22} {row}", "accepted")
        }
        Err(error) => format!(
            "{line:>8}  {:<22} {}",
            error.code().as_str(),
            error.code().reason()
        ),
    }
}

/// One verdict for a person.
fn describe(
    gate: &Gate,
    clock: &Clock,
    verdict: Result<VerifiedToken, Error>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let token = match verdict {
        Ok(token) => token,
        Err(error) => {
            let word = match error.blame() {
                Blame::Rejected => "refused",
                _ => "undecided",
            };
            let advice = gate.advice(&error);
            writeln!(out, "{word}   {error}")?;
            if !advice.expected.is_empty() {
                writeln!(out, "  expected {}", advice.expected.join(" or "))?;
            }
            writeln!(out, "  {}", advice.hint)?;
            return Ok(());
        }
    };
    let subject = printable(token.subject().unwrap_or("nobody named"));
    let chain: Vec<String> = token.chain().map(|actor| printable(actor.sub())).collect();
    match chain.first() {
        Some(actor) => writeln!(out, "accepted   {actor}  for  {subject}")?,
        None => writeln!(out, "accepted   {subject}")?,
    }
    let key = token
        .key_id()
        .map_or_else(String::new, |kid| format!(", key {}", printable(kid)));
    writeln!(
        out,
        "  issuer   {}, {}{key}",
        token.issuer_name(),
        token.profile().as_str()
    )?;
    if token.lineage() != Lineage::None {
        let chain = chain.join(" ← ");
        writeln!(
            out,
            "  chain    {chain} ← {subject}     (asserted by the issuer, not proven)"
        )?;
    }
    let scopes: Vec<String> = token.scopes().map(printable).collect();
    if !scopes.is_empty() {
        writeln!(out, "  scopes   {}", scopes.join(" "))?;
    }
    if let Some(exp) = token.expires_at() {
        let left = exp.seconds() - clock.now().seconds();
        writeln!(
            out,
            "  expires  {} ({})",
            relative(left),
            date(exp.seconds())
        )?;
    }
    let bound = match token.sender_constrained() {
        Some(Possession::External) => "yes; the policy says the proof was checked elsewhere",
        _ => "no, bearer",
    };
    writeln!(out, "  bound    {bound}")?;
    Ok(())
}

/// A span written with one unit, as in policies: `5m`.
pub(crate) fn parse_span(text: &str) -> Result<Span, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("write a number and one unit: 30s, 5m, 1h or 2d".to_owned()),
    };
    let count: i64 = count.parse().map_err(|_| "too long".to_owned())?;
    Ok(Span::from_seconds(count.saturating_mul(seconds)))
}
