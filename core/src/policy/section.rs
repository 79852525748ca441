//! Reading one table of a checked document: what is written, or else the grammar's default.
//!
//! A member of the wrong shape reads as absent: `check` has refused it already, and `compile` goes
//! on to find what else is wrong.

use super::document::{Member, Node, Position, Value, item_path, join};
use super::grammar::{Row, Shape};
use super::problem::Problem;
use super::profile::Preset;
use super::unit::{parse_duration, parse_size};
use crate::time::Span;

pub(super) struct Section<'d> {
    pub(super) node: &'d Node,
    pub(super) path: String,
    rows: &'static [Row],
    preset: Preset,
}

/// A string of the document and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) text: String,
    pub(super) path: String,
    pub(super) at: Position,
}

static EMPTY: Node = Node {
    at: Position { line: 0, column: 0 },
    value: Value::Table(Vec::new()),
};

impl<'d> Section<'d> {
    pub(super) fn root(node: &'d Node, rows: &'static [Row]) -> Self {
        let preset = match node.get("preset").and_then(Node::as_text) {
            Some("rfc") => Preset::Rfc,
            _ => Preset::AgentStrict,
        };
        Self {
            node,
            path: String::new(),
            rows,
            preset,
        }
    }

    pub(super) const fn preset(&self) -> Preset {
        self.preset
    }

    /// Whether the member is written, however wrongly.
    pub(super) fn has(&self, name: &str) -> bool {
        self.node.get(name).is_some()
    }

    pub(super) fn member(&self, name: &str) -> Option<&'d Member> {
        self.node.member(name)
    }

    /// The path of a member of this table.
    pub(super) fn at(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// A problem with a member, or with the table where the member is absent.
    pub(super) fn problem(&self, name: &str, text: impl Into<String>) -> Problem {
        match self.member(name) {
            Some(member) => Problem::new(self.at(name), member.node.at, text),
            None => self.problem_here(text),
        }
    }

    /// A problem with this table as a whole.
    pub(super) fn problem_here(&self, text: impl Into<String>) -> Problem {
        Problem::new(self.path.clone(), self.node.at, text)
    }

    /// Where a member stands, or the table where the member is absent.
    pub(super) fn position(&self, name: &str) -> Position {
        self.member(name)
            .map_or(self.node.at, |member| member.node.at)
    }

    /// Whether the member is written as an empty array.
    pub(super) fn is_empty_list(&self, name: &str) -> bool {
        self.node
            .get(name)
            .is_some_and(|node| matches!(&node.value, Value::List(items) if items.is_empty()))
    }

    fn row(&self, name: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    fn read<T>(&self, name: &str, as_type: impl Fn(&Node) -> Option<T>) -> Option<T> {
        let default = || self.row(name)?.absent.value(self.preset, self.node);
        match self.node.get(name) {
            Some(node) => as_type(node),
            None => default().as_ref().and_then(as_type),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.read(name, |node| node.as_text().map(str::to_owned))
    }

    pub(super) fn duration(&self, name: &str) -> Option<Span> {
        self.read(name, |node| parse_duration(node.as_text()?).ok())
    }

    pub(super) fn size(&self, name: &str) -> Option<usize> {
        self.read(name, |node| parse_size(node.as_text()?).ok())
    }

    pub(super) fn count(&self, name: &str) -> Option<usize> {
        self.read(name, |node| {
            node.as_integer()
                .and_then(|count| usize::try_from(count).ok())
        })
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.read(name, Node::as_flag).unwrap_or(false)
    }

    /// The strings of an array, or the one string that stands in its place.
    pub(super) fn texts(&self, name: &str) -> Vec<Item> {
        let path = self.at(name);
        self.read(name, |node| Some(texts(node, &path)))
            .unwrap_or_default()
    }

    /// A table of fixed members; an absent one is an empty one.
    pub(super) fn section(&self, name: &str) -> Self {
        let rows = match self.row(name).map(|row| row.shape) {
            Some(Shape::Table(rows)) => rows,
            _ => &[],
        };
        let node = self.node.get(name).unwrap_or(&EMPTY);
        Self {
            node,
            path: self.at(name),
            rows,
            preset: self.preset,
        }
    }

    /// A table whose members have no rows of their own.
    pub(super) fn inside(&self, name: &str, node: &'d Node) -> Self {
        Self {
            node,
            path: self.at(name),
            rows: &[],
            preset: self.preset,
        }
    }

    /// The tables under `name` that have names of the operator's.
    pub(super) fn named(&self, name: &str) -> Vec<(&'d str, Self)> {
        let Some(Shape::Named(rows)) = self.row(name).map(|row| row.shape) else {
            return Vec::new();
        };
        let path = self.at(name);
        let members = self.node.get(name).map_or(&[][..], Node::members);
        let section = |member: &'d Member| {
            let path = join(&path, &member.name);
            let inner = Self {
                node: &member.node,
                path,
                rows,
                preset: self.preset,
            };
            (member.name.as_str(), inner)
        };
        members.iter().map(section).collect()
    }

    /// The tables of an array under `name`.
    pub(super) fn list(&self, name: &str) -> Vec<Self> {
        let Some(Shape::List(Shape::Table(rows))) = self.row(name).map(|row| row.shape) else {
            return Vec::new();
        };
        let path = self.at(name);
        let items = self.node.get(name).map_or(&[][..], Node::items);
        let section = |(index, node): (usize, &'d Node)| {
            let path = item_path(&path, index);
            Self {
                node,
                path,
                rows,
                preset: self.preset,
            }
        };
        items.iter().enumerate().map(section).collect()
    }
}

pub(super) fn texts(node: &Node, path: &str) -> Vec<Item> {
    if let Some(text) = node.as_text() {
        return vec![Item {
            text: text.to_owned(),
            path: path.to_owned(),
            at: node.at,
        }];
    }
    let items = node.items().iter().enumerate();
    items
        .filter_map(|(index, item)| {
            let text = item.as_text()?.to_owned();
            Some(Item {
                text,
                path: item_path(path, index),
                at: item.at,
            })
        })
        .collect()
}
