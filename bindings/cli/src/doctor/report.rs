//! What was found: a line a check for people, or one JSON object.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::failure::{ACCEPTED, REFUSED, UNDECIDED};
use crate::text::{Columns, printable};

/// How a check went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Good,
    /// Worth knowing, and nothing to mend.
    Note,
    Wrong,
    /// Nobody answered.
    Unreached,
}

/// All checks in order.
#[derive(Default)]
pub(super) struct Report {
    findings: Vec<(&'static str, State, String)>,
    /// What a policy should say.
    pub(super) policy: Option<String>,
}

impl Report {
    pub(super) fn add(&mut self, check: &'static str, state: State, text: impl AsRef<str>) {
        self.findings.push((check, state, printable(text.as_ref())));
    }

    pub(super) fn exit(&self) -> u8 {
        let has = |wanted| self.findings.iter().any(|(_, state, _)| *state == wanted);
        // What is found wrong stays so, whoever else can be reached later.
        match (has(State::Wrong), has(State::Unreached)) {
            (true, _) => REFUSED,
            (false, true) => UNDECIDED,
            (false, false) => ACCEPTED,
        }
    }

    pub(super) fn as_json(&self, what: &str, name: &str) -> Value {
        let findings = self.findings.iter().map(|(check, state, text)| {
            let state = match state {
                State::Good => "good",
                State::Note => "note",
                State::Wrong => "wrong",
                State::Unreached => "unreached",
            };
            json!({ "check": check, "state": state, "text": text })
        });
        json!({
            "ok": self.exit() == ACCEPTED, what: name,
            "checks": findings.collect::<Vec<_>>(), "policy": self.policy,
        })
    }

    pub(super) fn write(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let word = match self.exit() {
            ACCEPTED => "good",
            REFUSED => "something is wrong",
            _ => "could not be reached",
        };
        writeln!(out, "{}   {word}\n", printable(name))?;
        for (check, state, text) in &self.findings {
            let mark = match state {
                State::Good => '✓',
                State::Note => '·',
                State::Wrong => '✗',
                State::Unreached => '?',
            };
            let label = format!("  {mark} {check:<12} ");
            Columns::after(&label).write(out, &label, text)?;
        }
        if let Some(policy) = &self.policy {
            writeln!(out, "\nA policy could say:\n")?;
            for line in policy.lines() {
                writeln!(out, "{}", format!("    {line}").trim_end())?;
            }
        }
        Ok(())
    }
}
