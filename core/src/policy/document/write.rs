//! A tree back to JSON text: canonical for digests, indented for people.

use std::fmt::Write;

use super::{Node, Value};

impl Node {
    /// The one JSON text of this value: members sorted by name, no space, whatever the form and
    /// order it was written in.
    pub(in crate::policy) fn to_canonical_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// JSON for reading, members in the order of the document.
    pub(in crate::policy) fn to_pretty_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out.push('\n');
        out
    }

    pub(in crate::policy) fn to_value(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(integer) => (*integer).into(),
            Value::Float(float) => (*float).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Self::to_value).collect(),
            Value::Table(members) => members
                .iter()
                .map(|member| (member.name.clone(), member.node.to_value()))
                .collect(),
        }
    }

    /// `indent` is the level of an indented text; without one the text is canonical.
    fn write(&self, out: &mut String, indent: Option<usize>) {
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Integer(integer) => {
                _ = write!(out, "{integer}");
            }
            Value::Float(float) => {
                _ = write!(out, "{}", serde_json::Value::from(*float));
            }
            Value::Text(text) => write_text(out, text),
            Value::List(items) => {
                let short = items.iter().all(|item| item.is_scalar());
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if short && indent.is_some() {
                        out.push_str(if index == 0 { "" } else { ", " });
                        item.write(out, indent);
                    } else {
                        separate(out, index, indent);
                        item.write(out, indent.map(|level| level + 1));
                    }
                }
                close(out, indent.filter(|_| !short), ']');
            }
            Value::Table(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if indent.is_none() {
                    members.sort_by(|one, other| one.name.cmp(&other.name));
                }
                out.push('{');
                for (index, member) in members.iter().enumerate() {
                    separate(out, index, indent);
                    write_text(out, &member.name);
                    out.push_str(if indent.is_some() { ": " } else { ":" });
                    member.node.write(out, indent.map(|level| level + 1));
                }
                close(out, indent.filter(|_| !members.is_empty()), '}');
            }
        }
    }

    const fn is_scalar(&self) -> bool {
        !matches!(self.value, Value::List(_) | Value::Table(_))
    }
}

fn write_text(out: &mut String, text: &str) {
    _ = write!(out, "{}", serde_json::Value::from(text));
}

fn separate(out: &mut String, index: usize, indent: Option<usize>) {
    if index > 0 {
        out.push(',');
    }
    if let Some(level) = indent {
        new_line(out, level + 1);
    }
}

fn close(out: &mut String, indent: Option<usize>, bracket: char) {
    if let Some(level) = indent {
        new_line(out, level);
    }
    out.push(bracket);
}

fn new_line(out: &mut String, level: usize) {
    out.push('\n');
    for _ in 0..level {
        out.push_str("  ");
    }
}
