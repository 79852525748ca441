//! The TOML form of a policy document: the tree of the `toml` crate with lines and columns, its
//! errors in our words.

use std::cmp::Reverse;

use ::toml::de::{DeTable, DeValue};

use super::{DEPTH, Lines, Member, Node, Position, Value, item_path, join, written_twice};
use crate::policy::problem::Problem;

/// How many duplicates get both their lines: each costs a second look at the text before it.
const EXPLAINED: usize = 16;

pub(super) fn read(text: &str) -> (Option<Node>, Vec<Problem>) {
    let lines = Lines::new(text);
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .iter()
        .take(EXPLAINED)
        .map(|error| {
            let offset = error.span().map_or(text.len(), |span| span.start);
            if error.message() == "duplicate key" {
                duplicate(text, &lines, root.get_ref(), offset)
            } else {
                let at = lines.position(offset);
                Problem::new("", at, format!("not TOML: {}", error.message()))
            }
        })
        .collect();
    // After a duplicate the rest of the tree is what the author meant; after bad syntax it is not.
    let readable = errors
        .iter()
        .all(|error| error.message() == "duplicate key");
    let start = Position { line: 1, column: 1 };
    let members = table(root.get_ref(), &lines, "", 0, &mut problems);
    (
        readable.then_some(Node {
            at: start,
            value: members,
        }),
        problems,
    )
}

fn table(
    table: &DeTable<'_>,
    lines: &Lines<'_>,
    path: &str,
    depth: usize,
    problems: &mut Vec<Problem>,
) -> Value {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start); // the parser sorts by name
    let members = entries.into_iter().map(|(name, value)| {
        let inner = join(path, name.get_ref());
        let at = lines.position(name.span().start);
        let value_at = lines.position(value.span().start);
        let value = convert(
            value.get_ref(),
            value_at,
            lines,
            &inner,
            depth + 1,
            problems,
        );
        Member {
            name: name.get_ref().to_string(),
            at,
            node: Node {
                at: value_at,
                value,
            },
        }
    });
    Value::Table(members.collect())
}

const NO_DATE: &str =
    "TOML dates are not durations, nor anything else here. Write a string, as \"30s\"";

fn convert(
    value: &DeValue<'_>,
    at: Position,
    lines: &Lines<'_>,
    path: &str,
    depth: usize,
    problems: &mut Vec<Problem>,
) -> Value {
    let mut refuse = |text: String| {
        problems.push(Problem::new(path, at, text));
        Value::Null
    };
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Value::Integer(integer),
            Err(_) => refuse("this number is too large".to_owned()),
        },
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(float) if float.is_finite() => Value::Float(float),
            _ => refuse("JSON has no such number".to_owned()),
        },
        DeValue::Datetime(_) => refuse(NO_DATE.to_owned()),
        DeValue::Array(_) | DeValue::Table(_) if depth >= DEPTH => {
            refuse(format!("more than {DEPTH} levels deep"))
        }
        DeValue::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| {
                let inner = item_path(path, index);
                let at = lines.position(item.span().start);
                let value = convert(item.get_ref(), at, lines, &inner, depth + 1, problems);
                Node { at, value }
            });
            Value::List(items.collect())
        }
        DeValue::Table(members) => table(members, lines, path, depth, problems),
    }
}

/// The refusal of a key written a second time at `second`: the parser tells only that place.
fn duplicate(text: &str, lines: &Lines<'_>, root: &DeTable<'_>, second: usize) -> Problem {
    let at = lines.position(second);
    let name: String = text
        .get(second..)
        .unwrap_or_default()
        .chars()
        .take_while(|c| !c.is_whitespace() && !"=.]}".contains(*c))
        .collect();
    let name = name.trim_matches(['"', '\'']);
    let mut found = Search {
        text,
        name,
        second,
        best: None,
    };
    found.descend(root, "", None);
    match found.best {
        Some((_, path, first)) if first != second => written_twice(path, lines.position(first), at),
        // A table header: the tree kept the second one, and the first is in the text before it.
        Some((_, path, _)) => {
            let before = text.get(..second).unwrap_or_default();
            let before = before
                .rfind('\n')
                .and_then(|end| before.get(..end))
                .unwrap_or_default();
            let (earlier, _) = DeTable::parse_recoverable(before);
            match find(earlier.get_ref(), "", &path) {
                Some(first) => written_twice(path, lines.position(first), at),
                None => Problem::new(path, at, "written twice"),
            }
        }
        None => Problem::new(name, at, "written twice"),
    }
}

/// Looks for the table in which a key stands for the second time.
struct Search<'s> {
    text: &'s str,
    name: &'s str,
    second: usize,
    /// How close the table's last member stands before the duplicate; the key's path; its offset.
    best: Option<(Reverse<usize>, String, usize)>,
}

impl Search<'_> {
    fn descend(&mut self, table: &DeTable<'_>, path: &str, inline: Option<std::ops::Range<usize>>) {
        let within = inline.is_none_or(|span| span.contains(&self.second));
        if within && let Some((key, _)) = table.get_key_value(self.name) {
            let first = key.span().start;
            let last_before = table
                .keys()
                .map(|key| key.span().start)
                .filter(|start| *start <= self.second)
                .max();
            if first <= self.second
                && let Some(last) = last_before
            {
                let closeness = Reverse(self.second - last);
                if self
                    .best
                    .as_ref()
                    .is_none_or(|(best, ..)| closeness > *best)
                {
                    self.best = Some((closeness, join(path, self.name), first));
                }
            }
        }
        for (key, value) in table {
            self.descend_value(value, &join(path, key.get_ref()));
        }
    }

    fn descend_value(&mut self, value: &::toml::Spanned<DeValue<'_>>, path: &str) {
        match value.get_ref() {
            DeValue::Table(inner) => {
                let span = value.span();
                let braces = self
                    .text
                    .get(span.clone())
                    .is_some_and(|text| text.starts_with('{'));
                self.descend(inner, path, braces.then_some(span));
            }
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.descend_value(item, &item_path(path, index));
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }
}

/// The offset of the key at `path`, through tables only.
fn find(table: &DeTable<'_>, around: &str, path: &str) -> Option<usize> {
    table.iter().find_map(|(key, value)| {
        let inner = join(around, key.get_ref());
        if inner == path {
            return Some(key.span().start);
        }
        let rest = path.strip_prefix(inner.as_str())?;
        if let DeValue::Table(table) = value.get_ref()
            && rest.starts_with('.')
        {
            find(table, &inner, path)
        } else {
            None
        }
    })
}
