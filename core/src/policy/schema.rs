//! The grammar as a JSON Schema (draft 2020-12), for editors and for other languages.

use super::document::{Node, Value};
use super::grammar::{self, Row, Shape};
use super::profile::Preset;

pub(super) fn schema() -> String {
    let mut members = vec![
        (
            "$schema",
            Node::text("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", Node::text("sealgate policy document, version 1")),
    ];
    members.extend(table(grammar::DOCUMENT, Some(("$schema", text_type()))));
    Node::table(members).to_pretty_json()
}

fn table(rows: &'static [Row], first: Option<(&'static str, Node)>) -> Vec<(&'static str, Node)> {
    let properties = first
        .into_iter()
        .chain(rows.iter().map(|row| (row.name, property(row))));
    let required: Vec<_> = rows
        .iter()
        .filter(|row| matches!(row.absent, grammar::Absent::Required))
        .map(|row| Node::text(row.name))
        .collect();
    let mut members = vec![
        ("type", Node::text("object")),
        ("properties", Node::table(properties)),
        ("additionalProperties", Node::new(Value::Bool(false))),
    ];
    if !required.is_empty() {
        members.push(("required", Node::list(required)));
    }
    members
}

fn property(row: &'static Row) -> Node {
    if row.later {
        let description = format!("{} Not available in this version yet.", row.doc);
        let nothing = Node::table::<String>([]);
        return Node::table([("description", Node::text(description)), ("not", nothing)]);
    }
    let mut members = vec![("description", Node::text(row.doc))];
    members.extend(shape(row.shape));
    // A default that depends on other members is told by `effective()`, not here.
    let computed = matches!(row.absent, grammar::Absent::Computed(_));
    let absent = Node::table::<String>([]);
    if let Some(default) = row
        .absent
        .value(Preset::AgentStrict, &absent)
        .filter(|_| !computed)
    {
        members.push(("default", default));
    }
    Node::table(members)
}

/// A name of the operator's.
const NAME: &str = "^[a-z][a-z0-9_-]{0,31}$";

fn shape(shape: Shape) -> Vec<(&'static str, Node)> {
    let pattern = |pattern: &str| {
        vec![
            ("type", Node::text("string")),
            ("pattern", Node::text(pattern)),
        ]
    };
    match shape {
        Shape::Exactly(number) => vec![("const", Node::new(Value::Integer(number)))],
        Shape::Flag => vec![("type", Node::text("boolean"))],
        Shape::Count { least, most } => vec![
            ("type", Node::text("integer")),
            ("minimum", Node::new(Value::Integer(least))),
            ("maximum", Node::new(Value::Integer(most))),
        ],
        Shape::Duration { .. } => pattern("^[0-9]+(ms|s|m|h|d)$"),
        Shape::Size { .. } => pattern("^[0-9]+(KiB|MiB)$"),
        Shape::Text => vec![("type", Node::text("string"))],
        Shape::Choice(choice) => {
            vec![(
                "enum",
                Node::list((choice.now)().into_iter().map(Node::text)),
            )]
        }
        Shape::ChoiceOrStore(choice) => {
            let word = Node::table(self::shape(Shape::Choice(choice)));
            vec![("anyOf", Node::list([word, Node::table(pattern(NAME))]))]
        }
        Shape::ChoiceOr(choice, rows) => {
            let word = Node::table(self::shape(Shape::Choice(choice)));
            vec![("anyOf", Node::list([word, Node::table(table(rows, None))]))]
        }
        Shape::List(item) => {
            vec![
                ("type", Node::text("array")),
                ("items", Node::table(self::shape(*item))),
            ]
        }
        Shape::OneOrMany(item) => {
            let one = Node::table(self::shape(*item));
            let many = Node::table(self::shape(Shape::List(item)));
            vec![("anyOf", Node::list([one, many]))]
        }
        Shape::Table(rows) => table(rows, None),
        Shape::Named(rows) => vec![
            ("type", Node::text("object")),
            ("minProperties", Node::new(Value::Integer(1))),
            (
                "propertyNames",
                Node::table([("pattern", Node::text(NAME))]),
            ),
            ("additionalProperties", Node::table(table(rows, None))),
        ],
        Shape::Map(inner) => vec![
            ("type", Node::text("object")),
            ("additionalProperties", Node::table(self::shape(*inner))),
        ],
        Shape::Free => vec![("type", Node::text("object"))],
        Shape::Secret => {
            let place = |name| {
                Node::table([
                    ("type", Node::text("object")),
                    ("properties", Node::table([(name, text_type())])),
                    ("required", Node::list([Node::text(name)])),
                    ("additionalProperties", Node::new(Value::Bool(false))),
                ])
            };
            vec![("oneOf", Node::list([place("env"), place("file")]))]
        }
    }
}

fn text_type() -> Node {
    Node::table([("type", Node::text("string"))])
}
