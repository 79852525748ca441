//! One chain in three notations. Names come from strangers, so each notation gets them in a form
//! that ends where it should.

use std::io::{self, Write};

use crate::text::printable;

/// A chain to be drawn.
pub(super) struct Drawing {
    /// From the subject to whoever acts now.
    pub(super) parties: Vec<Party>,
    /// The gate that took the token.
    pub(super) gate: String,
    pub(super) scopes: String,
    /// What is proven of it.
    pub(super) lineage: String,
}

/// Somebody in it; the subject has no issuer of its own.
pub(super) struct Party {
    pub(super) sub: String,
    pub(super) iss: String,
}

impl Drawing {
    pub(super) fn tree(&self, out: &mut dyn Write) -> io::Result<()> {
        for (depth, party) in self.parties.iter().enumerate() {
            let branch = match depth {
                0 => String::new(),
                _ => format!("{}└─ ", "   ".repeat(depth - 1)),
            };
            let issuer = match party.iss.as_str() {
                "" => String::new(),
                iss => format!("   of {}", printable(iss)),
            };
            writeln!(out, "{branch}{}{issuer}", printable(&party.sub))?;
        }
        writeln!(out)?;
        if !self.scopes.is_empty() {
            writeln!(out, "  scopes    {}", printable(&self.scopes))?;
        }
        writeln!(out, "  at gate   {}", self.gate)?;
        writeln!(out, "  lineage   {}", self.lineage)
    }

    pub(super) fn mermaid(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "flowchart LR")?;
        for (number, party) in self.parties.iter().enumerate() {
            writeln!(out, "  p{number}[\"{}\"]", party.label(mermaid, "<br/>"))?;
        }
        writeln!(out, "  gate{{{{\"{}\"}}}}", mermaid(&self.gate))?;
        for number in 1..self.parties.len() {
            writeln!(out, "  p{} -->|asked| p{number}", number - 1)?;
        }
        let last = self.parties.len().saturating_sub(1);
        writeln!(out, "  p{last} -->|\"{}\"| gate", mermaid(&self.calls()))?;
        writeln!(out, "  %% {}", self.lineage)
    }

    pub(super) fn dot(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "digraph chain {{\n  rankdir=LR;\n  node [shape=box];")?;
        for (number, party) in self.parties.iter().enumerate() {
            writeln!(out, "  p{number} [label=\"{}\"];", party.label(dot, "\\n"))?;
        }
        writeln!(
            out,
            "  gate [label=\"{}\", shape=hexagon];",
            dot(&self.gate)
        )?;
        for number in 1..self.parties.len() {
            writeln!(out, "  p{} -> p{number} [label=\"asked\"];", number - 1)?;
        }
        let last = self.parties.len().saturating_sub(1);
        writeln!(out, "  p{last} -> gate [label=\"{}\"];", dot(&self.calls()))?;
        writeln!(out, "  label=\"{}\";\n}}", dot(&self.lineage))
    }

    fn calls(&self) -> String {
        match self.scopes.as_str() {
            "" => "calls".to_owned(),
            scopes => format!("calls: {}", printable(scopes)),
        }
    }
}

impl Party {
    /// The name and its issuer, each escaped by itself: a break between them is ours.
    fn label(&self, escape: fn(&str) -> String, line_break: &str) -> String {
        let sub = escape(&printable(&self.sub));
        match self.iss.as_str() {
            "" => sub,
            iss => format!("{sub}{line_break}{}", escape(&printable(iss))),
        }
    }
}

/// In a quoted label of Mermaid's, which knows entities and no backslash.
fn mermaid(text: &str) -> String {
    let escape = |character| match character {
        '"' => "#quot;".to_owned(),
        '#' => "#35;".to_owned(),
        '&' => "#amp;".to_owned(),
        '<' => "#lt;".to_owned(),
        '>' => "#gt;".to_owned(),
        '`' => "#96;".to_owned(),
        other => char::to_string(&other),
    };
    text.chars().map(escape).collect()
}

/// In a quoted string of Graphviz's.
fn dot(text: &str) -> String {
    let escape = |character| match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        other => char::to_string(&other),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::{dot, mermaid};

    #[test]
    fn a_name_ends_where_it_should() {
        assert_eq!(mermaid("a\"]<br/>#1"), "a#quot;]#lt;br/#gt;#35;1");
        assert_eq!(dot("a\"];b\\n"), "a\\\"];b\\\\n");
    }
}
