//! A checked document with every default of the grammar written out.

use super::document::{Member, Node, Value};
use super::grammar::{self, Absent, Row, Shape};
use super::profile::Preset;
use super::section::Section;

pub(super) fn fill(root: &Node) -> Node {
    let preset = Section::root(root, grammar::DOCUMENT).preset();
    table(root, grammar::DOCUMENT, preset)
}

/// The members in the order of the grammar.
fn table(node: &Node, rows: &[Row], preset: Preset) -> Node {
    let members = rows.iter().filter(|row| !row.later).filter_map(|row| {
        let value = match (node.get(row.name), row.shape) {
            (Some(value), shape) => fill_value(value, shape, preset),
            // An absent table is an empty one, and its members have defaults; unless whether it is
            // there at all follows from other members.
            (None, Shape::Table(rows)) => {
                if let Absent::Computed(compute) = row.absent {
                    compute(preset, node)?;
                }
                let filled = table(&Node::table::<String>([]), rows, preset);
                if filled.members().is_empty() {
                    return None;
                }
                filled
            }
            (None, _) => row.absent.value(preset, node)?,
        };
        Some((row.name, value))
    });
    Node::table(members)
}

fn fill_value(node: &Node, shape: Shape, preset: Preset) -> Node {
    match (shape, &node.value) {
        (Shape::Table(rows), _) => table(node, rows, preset),
        (Shape::Named(rows), Value::Table(members)) => {
            let fill = |member: &Member| (member.name.clone(), table(&member.node, rows, preset));
            Node::table(members.iter().map(fill))
        }
        (Shape::List(Shape::Table(rows)), Value::List(items)) => {
            Node::list(items.iter().map(|item| table(item, rows, preset)))
        }
        _ => node.clone(),
    }
}
