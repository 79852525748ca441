//! The project's own vectors: lines of the conformance protocol, each with what it must give.
//!
//! A line is a request with three members more: `id`, `expect` (members the answer must have) and,
//! for a refusal, `near`: the `id` of a line of the same file that differs by the one fault and is
//! accepted. Keys and signatures follow from names, so that the files can be made again and
//! compared; ML-DSA signatures, which AWS-LC hedges, are taken from the committed file.

mod act;
mod actor_proofs;
mod algorithms;
mod capabilities;
mod catalogue;
mod certificates;
mod chains;
mod delegation;
mod dialects;
mod edges;
mod events;
mod grants;
mod kind_reports;
mod kind_rules;
mod kinds;
mod offline;
mod once;
mod operations;
mod parse;
mod possession;
mod profiles;
mod proofs;
mod revocation;
mod rules;
mod sessions;
mod slots;
mod standing;
mod tasks;
mod ties;
mod transactions;
mod urls;
mod ways;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealgate::{Blame, Code};
use serde_json::{Map, Value, json};

use crate::workshop::{Key, over, signing_input};

pub use kinds::{KINDS, Kind, holder};
pub use slots::{Slot, slots};

/// `now` of most lines.
pub const T: i64 = 1_800_000_000;

/// The names of the files.
pub const FILES: [&str; 23] = [
    "algorithms.jsonl",
    "capabilities.jsonl",
    "delegation/act.jsonl",
    "delegation/actor_proofs.jsonl",
    "delegation/catalogue.jsonl",
    "delegation/chains.jsonl",
    "delegation/edges.jsonl",
    "delegation/offline.jsonl",
    "delegation/operations.jsonl",
    "delegation/rules.jsonl",
    "delegation/tasks.jsonl",
    "delegation.jsonl",
    "dialects.jsonl",
    "events.jsonl",
    "kinds.jsonl",
    "parse.jsonl",
    "possession.jsonl",
    "profiles.jsonl",
    "proofs.jsonl",
    "revocation.jsonl",
    "sessions.jsonl",
    "ties.jsonl",
    "transactions.jsonl",
];

/// What a file must hold; `committed` is what it holds.
///
/// # Panics
///
/// For a name that is none of [`FILES`].
#[must_use]
pub fn file(name: &str, committed: &str) -> String {
    match name {
        "algorithms.jsonl" => algorithms::lines(committed),
        "capabilities.jsonl" => capabilities::lines(),
        "delegation/act.jsonl" => act::lines(),
        "delegation/actor_proofs.jsonl" => actor_proofs::lines(),
        "delegation/catalogue.jsonl" => catalogue::lines(),
        "delegation/chains.jsonl" => chains::lines(),
        "delegation/edges.jsonl" => edges::lines(),
        "delegation/offline.jsonl" => offline::lines(),
        "delegation/operations.jsonl" => operations::lines(),
        "delegation/rules.jsonl" => rules::lines(),
        "delegation/tasks.jsonl" => tasks::lines(),
        "delegation.jsonl" => delegation::lines(),
        "dialects.jsonl" => dialects::lines(),
        "events.jsonl" => events::lines(),
        "parse.jsonl" => parse::lines(),
        "possession.jsonl" => possession::lines(),
        "profiles.jsonl" => profiles::lines(),
        "proofs.jsonl" => proofs::lines(),
        "revocation.jsonl" => revocation::lines(),
        "kinds.jsonl" => kind_rules::lines(),
        "sessions.jsonl" => sessions::lines(),
        "ties.jsonl" => ties::lines(),
        "transactions.jsonl" => transactions::lines(),
        other => panic!("no file {other}"),
    }
}

/// Where the files are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// JSON text with sorted members, whatever features serde_json is built with.
#[must_use]
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let members = sorted.iter().map(|(name, value)| {
                format!("{}:{}", Value::from(name.as_str()), canonical(value))
            });
            let members: Vec<String> = members.collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

/// Collects the lines of one file.
#[derive(Debug, Default)]
struct File {
    lines: String,
}

impl File {
    fn push(&mut self, id: &str, request: &Value, more: Value) {
        let mut line = request.clone();
        let members = line.as_object_mut().expect("an object");
        members.insert("id".to_owned(), id.into());
        members.extend(more.as_object().expect("an object").clone());
        self.lines += &canonical(&line);
        self.lines.push('\n');
    }

    /// A request that is answered with at least these members.
    fn accept(&mut self, id: &str, request: &Value, members: Value) {
        let mut expect = members;
        expect["ok"] = true.into();
        self.push(id, request, json!({ "expect": expect }));
    }

    /// A request that is refused with `code`; `near` is the line it nearly is.
    fn refuse(&mut self, id: &str, near: &str, code: &str, request: &Value) {
        let known = Code::from_name(code).map_or(Blame::Misuse, Code::blame);
        let expect = json!({ "ok": false, "code": code, "blame": known.as_str() });
        self.push(id, request, json!({ "expect": expect, "near": near }));
    }
}

/// A token of `key` over this header and payload text.
fn token(key: &Key, header: &str, payload: &str) -> String {
    over(signing_input(header, payload), |input| key.sign(input))
}

/// The header of a token of `key`.
fn header(key: &Key, typ: Option<&str>) -> String {
    let typ = typ.map_or_else(String::new, |typ| format!(",\"typ\":{}", Value::from(typ)));
    key.header(&typ)
}

/// `value` with the members of `more` put in; `null` takes one away.
fn with(value: &Value, more: Value) -> Value {
    let mut value = value.clone();
    merge(&mut value, &more);
    value
}

fn merge(value: &mut Value, more: &Value) {
    let Value::Object(more) = more else {
        *value = more.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let members = value.as_object_mut().expect("just made one");
    for (name, member) in more {
        if member.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), member);
        }
    }
}
