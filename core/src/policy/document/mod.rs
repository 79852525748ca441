//! A policy document as a tree with places, the same whether it was written in JSON or in TOML.

mod json;
mod toml;
mod write;

use super::problem::Problem;
use crate::limits;

pub(super) use json::read as read_json;

/// Levels of tables and arrays in a document. The grammar needs 8; free-form members get the rest.
const DEPTH: usize = 32;

/// How a policy document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// RFC 8259, without duplicate members.
    Json,
    /// TOML 1.0.
    Toml,
}

/// Where something stands in the document: line and column from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// Finite.
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Member>),
}

/// A named member of a table.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// Where the name stands.
    pub(super) at: Position,
    pub(super) node: Node,
}

/// Reads a document whose size and encoding are checked first (loader refusal 27).
///
/// The tree comes back together with the problems of reading it, so that a duplicate member does
/// not hide what else is wrong; no tree at all means that reading had to stop.
pub(super) fn read(text: &[u8], format: Format) -> (Option<Node>, Vec<Problem>) {
    let refuse = |at, text: String| (None, vec![Problem::new("", at, text)]);
    let start = Position { line: 1, column: 1 };
    if text.len() > limits::POLICY_SIZE {
        return refuse(start, "a policy document has at most 1 MiB".to_owned());
    }
    if text.starts_with(b"\xEF\xBB\xBF") {
        return refuse(
            start,
            "begins with a byte order mark. Save it as UTF-8 without".to_owned(),
        );
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let valid = text.get(..error.valid_up_to()).unwrap_or_default();
            let at = Lines::new(&String::from_utf8_lossy(valid)).position(valid.len());
            return refuse(at, "not UTF-8 from here on".to_owned());
        }
    };
    match format {
        Format::Json => json::read(text),
        Format::Toml => toml::read(text),
    }
}

impl Node {
    /// A value that stands nowhere: a default, or part of a generated document.
    pub(super) fn new(value: Value) -> Self {
        Self {
            at: Position::default(),
            value,
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::new(Value::Text(text.into()))
    }

    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Value::List(items.into_iter().collect()))
    }

    pub(super) fn table<N: Into<String>>(members: impl IntoIterator<Item = (N, Self)>) -> Self {
        let member = |(name, node): (N, Self)| Member {
            name: name.into(),
            at: Position::default(),
            node,
        };
        Self::new(Value::Table(members.into_iter().map(member).collect()))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value {
            Some(text)
        } else {
            None
        }
    }

    pub(super) const fn as_integer(&self) -> Option<i64> {
        if let Value::Integer(integer) = self.value {
            Some(integer)
        } else {
            None
        }
    }

    pub(super) const fn as_flag(&self) -> Option<bool> {
        if let Value::Bool(flag) = self.value {
            Some(flag)
        } else {
            None
        }
    }

    pub(super) fn members(&self) -> &[Member] {
        if let Value::Table(members) = &self.value {
            members
        } else {
            &[]
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        if let Value::List(items) = &self.value {
            items
        } else {
            &[]
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.member(name).map(|member| &member.node)
    }

    pub(super) fn members_mut(&mut self) -> &mut [Member] {
        if let Value::Table(members) = &mut self.value {
            members
        } else {
            &mut []
        }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        let mut members = self.members_mut().iter_mut();
        let member = members.find(|member| member.name == name)?;
        Some(&mut member.node)
    }

    /// Adds a member that is not there.
    pub(super) fn insert(&mut self, name: &str, node: Self) {
        if let Value::Table(members) = &mut self.value {
            members.push(Member {
                name: name.to_owned(),
                at: node.at,
                node,
            });
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Value::Table(members) = &mut self.value {
            members.retain(|member| member.name != name);
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }

    /// What it is, for a message: `a string`, `a table`.
    pub(super) const fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "an array",
            Value::Table(_) => "a table",
        }
    }

    /// Where the member at `path` stands, or the nearest one around it that does exist.
    pub(super) fn locate(&self, path: &str) -> Position {
        let mut here = (self, String::new());
        loop {
            let (node, around) = &here;
            let children = node
                .members()
                .iter()
                .map(|member| (&member.node, join(around, &member.name)))
                .chain(
                    node.items()
                        .iter()
                        .enumerate()
                        .map(|(index, item)| (item, item_path(around, index))),
                );
            let inside = |inner: &str| {
                path.strip_prefix(inner)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let Some(next) = children.into_iter().find(|(_, inner)| inside(inner)) else {
                return node.at;
            };
            here = next;
        }
    }
}

/// The path of a member, quoted where its name would be ambiguous: `scope_implies."files.read"`.
pub(super) fn join(around: &str, name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte));
    match (around.is_empty(), bare) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{name:?}"),
        (false, true) => format!("{around}.{name}"),
        (false, false) => format!("{around}.{name:?}"),
    }
}

/// The path of an array item: `issuers[1]`.
pub(super) fn item_path(around: &str, index: usize) -> String {
    format!("{around}[{index}]")
}

/// The refusal of a member written twice (loader refusal 2).
fn written_twice(path: String, first: Position, second: Position) -> Problem {
    let text = if first.line == second.line {
        format!(
            "written twice (line {}, columns {} and {})",
            first.line, first.column, second.column
        )
    } else {
        format!("written twice (lines {} and {})", first.line, second.line)
    };
    Problem::new(path, second, text)
}

/// Byte offsets to lines and columns, in constant time: a document may be one line of 1 MiB.
struct Lines<'t> {
    text: &'t [u8],
    starts: Vec<usize>,
    /// Characters before each block of [`BLOCK`] bytes.
    blocks: Vec<usize>,
}

const BLOCK: usize = 256;

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        let starts = std::iter::once(0).chain(after_breaks).collect();
        let text = text.as_bytes();
        let blocks = std::iter::once(0)
            .chain(text.chunks(BLOCK).scan(0, |sum, block| {
                *sum += characters(block);
                Some(*sum)
            }))
            .collect();
        Self {
            text,
            starts,
            blocks,
        }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| self.starts.get(index))
            .copied();
        let before = self.characters_before(offset) - self.characters_before(start.unwrap_or(0));
        Position {
            line,
            column: before + 1,
        }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        let within = self
            .text
            .get(block * BLOCK..offset.min(self.text.len()))
            .unwrap_or_default();
        self.blocks.get(block).copied().unwrap_or(0) + characters(within)
    }
}

/// How many characters begin in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests;
