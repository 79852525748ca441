//! `sealgate verify`: verdicts over one token or a million.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sealgate::{Blame, Error, Requirements, VerifiedToken};

use crate::failure::{self, Failure};
use crate::gate::{self, GateArguments, Opened};
use crate::input::{self, Chunk, First, Source};
use crate::needs::NeedsArguments;
use crate::request::{Asked, RequestArguments};
use crate::stopwatch::Stopwatch;
use crate::tally::Tally;
use crate::text::{is_watched, printable};
use crate::verdict::{self, Place};

/// Options of `verify`.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    gate: GateArguments,
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    needs: NeedsArguments,
    /// Verdicts as JSON lines.
    #[arg(long)]
    json: bool,
    /// Only the summary.
    #[arg(long)]
    summary: bool,
    /// Threads; all cores by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Tokens, one a line: as they are, or JSON: a string, or an object with the member `token`.
    /// `-` or nothing is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let opened = arguments.gate.open()?;
    if let Some(asked) = arguments.request.read(&arguments.files)? {
        return judge_one(arguments, &opened, &asked);
    }
    let files = arguments.files.iter().map(|file| input::open(Some(file)));
    let mut sources: Vec<Source> = files.collect::<Result<_, _>>()?;
    if sources.is_empty() {
        sources.push(input::open(None)?);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0).into());
    let pool = pool
        .build()
        .map_err(|error| Failure::Usage(format!("--threads: {error}")))?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout());
    let tally = pool.install(|| judge(arguments, &opened, sources, &mut out))?;
    out.flush()?;
    Ok(ExitCode::from(tally.exit()))
}

/// One token with what came with it.
fn judge_one(arguments: &Arguments, opened: &Opened, asked: &Asked) -> Result<ExitCode, Failure> {
    let requirements = arguments.needs.requirements()?;
    let verdict = gate::answered(
        &opened.gate,
        || asked.verify(&opened.gate, &requirements),
        |verdict| verdict.as_ref().err().copied(),
    );
    if let Some(error) = verdict.as_ref().err()
        && error.blame() == Blame::Misuse
    {
        return Err(Asked::misused(error));
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        let (mut line, place) = (
            Vec::new(),
            Place {
                file: None,
                line: 1,
            },
        );
        let verdict = by_reference(&verdict);
        verdict::write_json(&mut line, &opened.gate, &requirements, place, verdict)?;
        out.write_all(&line)?;
    } else {
        let (gate, clock) = (&opened.gate, &opened.clock);
        verdict::describe(gate, &requirements, clock, &verdict, &mut out)?;
    }
    out.flush()?;
    Ok(ExitCode::from(failure::exit(&verdict)))
}

fn judge(
    arguments: &Arguments,
    opened: &Opened,
    sources: Vec<Source>,
    out: &mut (dyn Write + Send),
) -> Result<Tally, Failure> {
    let requirements = arguments.needs.requirements()?;
    let several = sources.len() > 1;
    let mut tally = Tally::new(match sources.as_slice() {
        [source] => source.name.clone(),
        sources => format!("{} files", sources.len()),
    });
    let (bar, mut before) = (progress(&sources), 0);
    let began = Stopwatch::start();
    let mut single = None;
    let first = if arguments.json || arguments.summary || several {
        First::AtOnce
    } else {
        First::Held
    };
    for source in sources {
        let (name, size) = (source.name.clone(), source.size.unwrap_or(0));
        let again = source.can_be_read_again.then_some(&*name);
        let file = several.then_some(&*name);
        if let Some(name) = file.filter(|_| !arguments.json && !arguments.summary) {
            writeln!(out, "{}", printable(name))?;
        }
        input::chunks(source, first, |chunk, last| {
            let tokens: Vec<&[u8]> = chunk.tokens().collect();
            let batch = opened.gate.verify_batch_with(&tokens, &requirements);
            let mut verdicts = gate::all_answered(&opened.gate, &tokens, batch, &requirements);
            bar.set_position(before + chunk.consumed);
            tally.add(again, &chunk, &verdicts);
            let alone = !several && last && tally.total() == 1 && verdicts.len() == 1;
            if alone && !arguments.json && !arguments.summary {
                single = verdicts.pop();
            } else if !arguments.summary {
                list(
                    arguments,
                    opened,
                    &requirements,
                    file,
                    &chunk,
                    &verdicts,
                    out,
                )?;
                out.flush()?;
            }
            Ok(())
        })?;
        before += size;
    }
    bar.finish_and_clear();
    if tally.total() == 0 {
        return Err(Failure::Usage(format!("{}: no token", tally.name())));
    }
    match single {
        Some(verdict) => {
            let (gate, clock) = (&opened.gate, &opened.clock);
            verdict::describe(gate, &requirements, clock, &verdict, out)?;
        }
        // With verdicts on standard output the summary goes beside them.
        None if arguments.summary => summarize(&tally, &began, opened, arguments, out)?,
        None if tally.total() > 1 => {
            summarize(&tally, &began, opened, arguments, &mut io::stderr())?;
        }
        None => {}
    }
    Ok(tally)
}

/// Writes a verdict a line. Lines are made on all threads and written in order.
fn list(
    arguments: &Arguments,
    opened: &Opened,
    needs: &Requirements,
    file: Option<&str>,
    chunk: &Chunk,
    verdicts: &[Result<VerifiedToken, Error>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let verdicts: Vec<_> = chunk.numbers().zip(verdicts).collect();
    let lines = verdicts.par_chunks(256).map(|verdicts| {
        let mut lines = Vec::with_capacity(verdicts.len() * 256);
        for (line, verdict) in verdicts {
            if arguments.json {
                let place = Place { file, line: *line };
                let verdict = by_reference(verdict);
                verdict::write_json(&mut lines, &opened.gate, needs, place, verdict)?;
            } else {
                verdict::write_row(&mut lines, *line, by_reference(verdict))?;
            }
        }
        Ok(lines)
    });
    for lines in lines.collect::<io::Result<Vec<Vec<u8>>>>()? {
        out.write_all(&lines)?;
    }
    Ok(())
}

fn by_reference(verdict: &Result<VerifiedToken, Error>) -> Result<&VerifiedToken, Error> {
    verdict.as_ref().map_err(|error| *error)
}

fn summarize(
    tally: &Tally,
    began: &Stopwatch,
    opened: &Opened,
    arguments: &Arguments,
    out: &mut dyn Write,
) -> io::Result<()> {
    let elapsed = began.elapsed();
    if arguments.json {
        return writeln!(out, "{}", tally.as_json(elapsed));
    }
    let options = opened.options.clone() + &arguments.needs.options();
    tally.write(elapsed, &opened.gate, &options, out)
}

fn progress(sources: &[Source]) -> ProgressBar {
    let size: Option<u64> = sources.iter().map(|source| source.size).sum();
    let Some(size) = size.filter(|_| is_watched()) else {
        return ProgressBar::hidden();
    };
    let style = ProgressStyle::with_template("  verifying  {bar:26}  {percent} %  {eta} left");
    let bar = ProgressBar::new(size);
    match style {
        Ok(style) => bar.with_style(style.progress_chars("██ ")),
        Err(_) => bar,
    }
}
