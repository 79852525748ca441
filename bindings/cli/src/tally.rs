//! What became of many tokens: counts, the rate, and where to look closer.

use std::io::{self, Write};
use std::time::Duration;

use sealgate::{Blame, Error, Gate, VerifiedToken};
use serde_json::{Value, json};

use crate::failure::{ACCEPTED, REFUSED, UNDECIDED};
use crate::input::Chunk;
use crate::text::{Columns, quoted, thousands};

/// Verdicts by code.
pub(crate) struct Tally {
    /// Where the tokens came from.
    name: String,
    accepted: usize,
    refused: usize,
    undecided: usize,
    codes: Vec<Seen>,
}

/// A code that was given.
struct Seen {
    /// As it was given first.
    error: Error,
    count: usize,
    /// Where it was given first: a file, if it can be read again, and a line.
    file: Option<String>,
    line: usize,
}

impl Seen {
    fn is_refusal(&self) -> bool {
        self.error.blame() == Blame::Rejected
    }

    fn code(&self) -> &'static str {
        self.error.code().as_str()
    }
}

impl Tally {
    pub(crate) const fn new(name: String) -> Self {
        Self {
            name,
            accepted: 0,
            refused: 0,
            undecided: 0,
            codes: Vec::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        file: Option<&str>,
        chunk: &Chunk,
        verdicts: &[Result<VerifiedToken, Error>],
    ) {
        for (line, verdict) in chunk.numbers().zip(verdicts) {
            let Err(error) = *verdict else {
                self.accepted += 1;
                continue;
            };
            match error.blame() {
                Blame::Rejected => self.refused += 1,
                _ => self.undecided += 1,
            }
            let code = error.code();
            match self.codes.iter_mut().find(|seen| seen.error.code() == code) {
                Some(seen) => seen.count += 1,
                None => self.codes.push(Seen {
                    error,
                    count: 1,
                    file: file.map(str::to_owned),
                    line,
                }),
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn total(&self) -> usize {
        self.accepted + self.refused + self.undecided
    }

    pub(crate) const fn exit(&self) -> u8 {
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

    pub(crate) fn as_json(&self, elapsed: Duration) -> Value {
        let counts = self
            .codes
            .iter()
            .map(|seen| (seen.code().to_owned(), seen.count.into()));
        let counts: serde_json::Map<String, Value> = counts.collect();
        json!({
            "tokens": self.total(), "accepted": self.accepted, "refused": self.refused,
            "undecided": self.undecided, "codes": counts,
            "seconds": elapsed.as_secs_f64(), "tokens_per_second": self.rate(elapsed),
        })
    }

    /// The summary for a person. `options` are those that open the same gate.
    pub(crate) fn write(
        &self,
        elapsed: Duration,
        gate: &Gate,
        options: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let threads = match rayon::current_num_threads() {
            1 => "1 thread".to_owned(),
            count => format!("{count} threads"),
        };
        writeln!(
            out,
            "{}   {} tokens in {:.1} s   {}/s   {threads}{}",
            self.name,
            thousands(self.total()),
            elapsed.as_secs_f64(),
            thousands(self.rate(elapsed)),
            peak_memory(),
        )?;
        let mut codes: Vec<&Seen> = self.codes.iter().collect();
        codes.sort_by_key(|seen| std::cmp::Reverse(seen.count));
        let (refusals, undecided): (Vec<_>, Vec<_>) =
            codes.into_iter().partition(|seen| seen.is_refusal());
        for (name, count, codes) in [
            ("accepted", self.accepted, &Vec::new()),
            ("refused", self.refused, &refusals),
            ("undecided", self.undecided, &undecided),
        ] {
            let share = count as f64 * 100.0 / self.total() as f64;
            let codes: Vec<String> = codes
                .iter()
                .map(|seen| format!("{} {}", seen.code(), thousands(seen.count)))
                .collect();
            let row = format!(
                "{name:<10} {:>11}  {share:5.1} %   {}",
                thousands(count),
                codes.join(" · ")
            );
            writeln!(out, "{}", row.trim_end())?;
        }
        for seen in &undecided {
            let label = " ".repeat(11);
            Columns::after(&label).write(out, &label, &gate.advice(&seen.error).hint)?;
        }
        if let Some((seen, file)) = refusals
            .first()
            .and_then(|seen| Some((seen, seen.file.as_ref()?)))
        {
            writeln!(
                out,
                "look closer    sed -n {}p {} | sealgate explain {options}        # the first {}",
                seen.line,
                quoted(file),
                seen.code()
            )?;
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
