//! The grammar of the policy document, `version = 1`: one row a member.
//!
//! Unknown members, types, units, ceilings, defaults and the JSON Schema all follow from these
//! rows. A member whose capability has not landed has a row too, so that it is refused by name
//! rather than as a typing error. A new member is one row here and one line in `compile`.

mod delegation;
mod document;
mod gate;
mod issuer;
mod possession;
mod revocation;
mod values;

pub(super) use document::DOCUMENT;

use super::document::{Node, Value};
use super::profile::Preset;

/// One member of a table.
pub(in crate::policy) struct Row {
    pub(in crate::policy) name: &'static str,
    /// What it is, for the schema and for messages; one sentence.
    pub(in crate::policy) doc: &'static str,
    pub(in crate::policy) shape: Shape,
    pub(in crate::policy) absent: Absent,
    /// Its capability has not landed in this version.
    pub(in crate::policy) later: bool,
    /// Of such a member: what to write until then, where there is something.
    pub(in crate::policy) instead: Option<&'static str>,
}

/// What may stand there.
#[derive(Clone, Copy)]
pub(in crate::policy) enum Shape {
    /// This number and no other.
    Exactly(i64),
    Flag,
    Count {
        least: i64,
        most: i64,
    },
    /// At most so many seconds.
    Duration {
        most: Option<i64>,
    },
    /// Bytes.
    Size {
        most: usize,
    },
    Text,
    Choice(&'static Choice),
    /// One of these, or a table of these members.
    ChoiceOr(&'static Choice, &'static [Row]),
    /// One of these, or the name of a table under `[stores]`.
    ChoiceOrStore(&'static Choice),
    List(&'static Self),
    OneOrMany(&'static Self),
    /// These members.
    Table(&'static [Row]),
    /// Tables of these members, under names of the operator's.
    Named(&'static [Row]),
    /// Values of this shape, under any name.
    Map(&'static Self),
    /// A table of anything.
    Free,
    /// `{ env = "NAME" }` or `{ file = "path" }`, never the secret itself.
    Secret,
}

/// A closed list of strings that grows with the versions.
pub(in crate::policy) struct Choice {
    pub(in crate::policy) now: fn() -> Vec<&'static str>,
    pub(in crate::policy) later: &'static [&'static str],
    /// What any other string would name, once that has landed: `"a store"`.
    pub(in crate::policy) names: Option<&'static str>,
    /// Strings that belong in another member, and in which.
    pub(in crate::policy) elsewhere: &'static [(&'static str, &'static str)],
}

/// What an absent member means.
#[derive(Clone, Copy)]
pub(in crate::policy) enum Absent {
    Required,
    /// Required in such a table, and without a default in others.
    RequiredIf(fn(&Node) -> bool),
    /// Nothing: it has no default.
    Nothing,
    Text(&'static str),
    Count(i64),
    Flag(bool),
    Texts(&'static [&'static str]),
    /// Follows from the preset and from the table it is absent from.
    Computed(fn(Preset, &Node) -> Option<Node>),
}

impl Absent {
    /// The value an absent member stands for.
    pub(in crate::policy) fn value(self, preset: Preset, table: &Node) -> Option<Node> {
        match self {
            Self::Required | Self::RequiredIf(_) | Self::Nothing => None,
            Self::Text(text) => Some(Node::text(text)),
            Self::Count(count) => Some(Node::new(Value::Integer(count))),
            Self::Flag(flag) => Some(Node::new(Value::Bool(flag))),
            Self::Texts(texts) => Some(Node::list(texts.iter().map(|text| Node::text(*text)))),
            Self::Computed(compute) => compute(preset, table),
        }
    }
}

const fn row(name: &'static str, shape: Shape, absent: Absent, doc: &'static str) -> Row {
    Row {
        name,
        doc,
        shape,
        absent,
        later: false,
        instead: None,
    }
}

const fn later(name: &'static str, doc: &'static str, instead: Option<&'static str>) -> Row {
    Row {
        name,
        doc,
        shape: Shape::Free,
        absent: Absent::Nothing,
        later: true,
        instead,
    }
}

const fn choice(now: fn() -> Vec<&'static str>) -> Choice {
    Choice {
        now,
        later: &[],
        names: None,
        elsewhere: &[],
    }
}
