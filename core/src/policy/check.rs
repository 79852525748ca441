//! The document against the grammar: members, types, units, ceilings (loader refusals 1, 3, 4, 22
//! and the shape of the others). What members mean together is for `compile`.

use super::document::{Node, Position, Value, item_path, join};
use super::grammar::{Absent, Choice, Row, Shape};
use super::problem::Problem;
use super::unit::{parse_duration, parse_size, show_duration, show_size};
use crate::time::Span;

pub(super) const NOT_YET: &str = "not available in this version yet";

/// Checks the members of one table.
pub(super) fn table(node: &Node, path: &str, rows: &[Row], problems: &mut Vec<Problem>) {
    let Value::Table(members) = &node.value else {
        problems.push(expected(node, path, "a table"));
        return;
    };
    // Members that an unknown one may stand for: they are not missed a second time.
    let mut meant = Vec::new();
    for member in members {
        let inner = join(path, &member.name);
        match rows.iter().find(|row| row.name == member.name) {
            None => {
                let known = || rows.iter().filter(|row| !row.later).map(|row| row.name);
                meant.extend(nearest(&member.name, known()));
                let text = format!("unknown member{}", suggest(&member.name, known()));
                problems.push(Problem::new(inner, member.at, text));
            }
            Some(row) if row.later => {
                let text = match row.instead {
                    Some(instead) => format!("{NOT_YET}. {instead}"),
                    None => NOT_YET.to_owned(),
                };
                problems.push(Problem::new(inner, member.at, text));
            }
            Some(row) => value(&member.node, &inner, row.shape, problems),
        }
    }
    for row in rows {
        let required = match row.absent {
            Absent::Required => true,
            Absent::RequiredIf(asks) => asks(node),
            Absent::Nothing
            | Absent::Text(_)
            | Absent::Count(_)
            | Absent::Flag(_)
            | Absent::Texts(_)
            | Absent::Computed(_) => false,
        };
        let missed = required && !meant.contains(&row.name);
        if missed && node.get(row.name).is_none() {
            problems.push(if matches!(row.shape, Shape::Exactly(_)) {
                version(join(path, row.name), node.at, "")
            } else {
                Problem::new(path, node.at, format!("no {}. {}", row.name, row.doc))
            });
        }
    }
}

/// Whether the document says that it is written for another version (refusal 3).
pub(super) fn is_of_another_version(root: &Node) -> bool {
    root.get("version")
        .and_then(Node::as_integer)
        .is_some_and(|version| version != 1)
}

fn value(node: &Node, path: &str, shape: Shape, problems: &mut Vec<Problem>) {
    let unread = matches!(node.value, Value::Null);
    if unread && problems.iter().any(|problem| problem.path == path) {
        return; // nothing, since it could not be read
    }
    let mut refuse = |text: String| problems.push(Problem::new(path, node.at, text));
    match (shape, &node.value) {
        (Shape::Exactly(number), Value::Integer(found)) if *found == number => {}
        (Shape::Exactly(number), Value::Text(text)) if *text == number.to_string() => {
            problems.push(version(
                path.to_owned(),
                node.at,
                ". Write 1 without quotes",
            ));
        }
        (Shape::Exactly(_), _) => problems.push(version(path.to_owned(), node.at, "")),
        (Shape::Flag, Value::Bool(_)) | (Shape::Text, Value::Text(_)) => {}
        (Shape::Count { least, most }, Value::Integer(count)) => {
            if *count > most {
                refuse(format!("at most {most}"));
            } else if *count < least {
                refuse(format!("at least {least}"));
            }
        }
        (Shape::Duration { most }, Value::Text(text)) => match parse_duration(text) {
            Err(problem) => refuse(problem),
            Ok(span) if most.is_some_and(|most| span > Span::from_seconds(most)) => {
                refuse(format!("at most \"{}s\"", most.unwrap_or_default()));
            }
            Ok(_) => {}
        },
        (Shape::Size { most }, Value::Text(text)) => match parse_size(text) {
            Err(problem) => refuse(problem),
            Ok(size) if size > most => refuse(format!("at most {:?}", show_size(most))),
            Ok(0) => refuse("at least \"1KiB\"".to_owned()),
            Ok(_) => {}
        },
        (Shape::Duration { .. }, Value::Integer(number)) => {
            let example = if *number < 0 {
                "30s".to_owned()
            } else {
                format!("{number}s")
            };
            refuse(format!("{number} has no unit. Write {example:?}"));
        }
        (Shape::Size { .. }, Value::Integer(number)) => {
            let kib = u64::try_from(*number).unwrap_or(0).div_ceil(1024).max(1);
            refuse(format!("{number} has no unit. Write \"{kib}KiB\""));
        }
        (Shape::Choice(choice), Value::Text(text)) => {
            if let Some(problem) = choose(choice, text) {
                refuse(problem);
            }
        }
        // Whether there is such a store, `compile` knows.
        (Shape::ChoiceOrStore(_), Value::Text(_)) => {}
        (Shape::ChoiceOr(choice, _), Value::Text(_)) => {
            value(node, path, Shape::Choice(choice), problems);
        }
        (Shape::ChoiceOr(_, rows), Value::Table(_)) => table(node, path, rows, problems),
        (Shape::List(inner) | Shape::OneOrMany(inner), Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                value(item, &item_path(path, index), *inner, problems);
            }
        }
        (Shape::OneOrMany(inner), _) => value(node, path, *inner, problems),
        (Shape::Table(rows), _) => table(node, path, rows, problems),
        (Shape::Named(rows), Value::Table(members)) => {
            if members.is_empty() {
                refuse("empty".to_owned());
            }
            for member in members {
                let inner = join(path, &member.name);
                if !is_name(&member.name) {
                    let text = format!(
                        "{:?} is not a name. Write a lower-case letter, then at most 31 lower-case \
                         letters, digits, \"_\" and \"-\"",
                        member.name
                    );
                    problems.push(Problem::new(inner.clone(), member.at, text));
                }
                table(&member.node, &inner, rows, problems);
            }
        }
        (Shape::Map(inner), Value::Table(members)) => {
            for member in members {
                value(&member.node, &join(path, &member.name), *inner, problems);
            }
        }
        (Shape::Free, Value::Table(_)) => {}
        (Shape::Secret, _) => secret(node, path, problems),
        (shape, _) => problems.push(expected(node, path, wanted(shape))),
    }
}

fn version(path: String, at: Position, write: &str) -> Problem {
    Problem::new(path, at, format!("this sealgate reads version 1{write}"))
}

/// Refusal 11: the document says where a secret is, and never what it is.
fn secret(node: &Node, path: &str, problems: &mut Vec<Problem>) {
    const WRITE: &str = "Write { env = \"NAME\" } or { file = \"path\" }";
    let Value::Table(members) = &node.value else {
        let text = format!("a secret in the document. {WRITE}");
        problems.push(Problem::new(path, node.at, text));
        return;
    };
    match members.as_slice() {
        [member] if matches!(member.name.as_str(), "env" | "file") => {
            value(
                &member.node,
                &join(path, &member.name),
                Shape::Text,
                problems,
            );
        }
        _ => problems.push(Problem::new(path, node.at, format!("not a place. {WRITE}"))),
    }
}

fn choose(choice: &Choice, text: &str) -> Option<String> {
    let now = (choice.now)();
    if now.contains(&text) {
        return None;
    }
    if choice.later.contains(&text) {
        return Some(format!("{text:?}: {NOT_YET}. Write {}", alternatives(&now)));
    }
    if let Some((_, instead)) = choice.elsewhere.iter().find(|(value, _)| *value == text) {
        return Some(format!("{text:?} {instead}"));
    }
    Some(match choice.names {
        Some(what) => {
            let write = match nearest(text, now.iter().copied()) {
                Some(name) => format!("Did you mean {name:?}?"),
                None => format!("Write {}", alternatives(&now)),
            };
            format!("{text:?} would name {what}: {NOT_YET}. {write}")
        }
        None => match nearest(text, now.iter().copied()) {
            Some(name) => format!("{text:?} is unknown. Did you mean {name:?}?"),
            None => format!("{text:?} is unknown. Write {}", alternatives(&now)),
        },
    })
}

/// `"a", "b" or "c"`.
pub(super) fn alternatives(texts: &[&str]) -> String {
    match texts {
        [] => String::new(),
        [only] => format!("{only:?}"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|text| format!("{text:?}")).collect();
            format!("{} or {last:?}", first.join(", "))
        }
    }
}

fn expected(node: &Node, path: &str, wanted: &str) -> Problem {
    Problem::new(
        path,
        node.at,
        format!("{} where {wanted} belongs", node.kind()),
    )
}

const fn wanted(shape: Shape) -> &'static str {
    match shape {
        Shape::Exactly(_) | Shape::Count { .. } => "a whole number",
        Shape::Flag => "true or false",
        Shape::Duration { .. } => "a duration, as \"30s\",",
        Shape::Size { .. } => "a size, as \"16KiB\",",
        Shape::Text | Shape::Choice(_) | Shape::ChoiceOrStore(_) => "a string",
        Shape::ChoiceOr(..) => "a string or a table",
        Shape::List(_) => "an array",
        Shape::OneOrMany(_) => "a string or an array of strings",
        Shape::Table(_) | Shape::Named(_) | Shape::Map(_) | Shape::Free | Shape::Secret => {
            "a table"
        }
    }
}

/// A name of the operator's: `^[a-z][a-z0-9_-]{0,31}$`, safe as a metric label.
fn is_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

/// The known name an unknown one most likely stands for.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|known| {
            (
                strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()),
                known,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

/// `. Did you mean "audience"?`, or nothing.
pub(super) fn suggest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    nearest(name, known).map_or_else(String::new, |name| format!(". Did you mean {name:?}?"))
}

/// A span as a document writes it, quoted.
pub(super) fn quoted(span: Span) -> String {
    format!("{:?}", show_duration(span))
}
