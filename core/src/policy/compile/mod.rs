//! From a checked document to the rules the engine reads: what the members mean together.
//!
//! Everything is compiled to the end, problems or not, so that all of them are told at once.

mod context;
mod delegation;
mod edges;
mod gate;
mod inputs;
mod intent;
mod introspection;
mod issuer;
mod keys;
mod once;
mod pairs;
mod possession;
mod revocation;
mod secret;
mod server;
mod status;
mod store;
mod text;
mod transactions;

pub(super) use keys::push_all as push_all_keys;
pub(super) use store::share_nothing;

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::check;
use super::document::{Node, Position};
use super::file::{self, Content};
use super::grammar;
use super::lifetime::longest_lifetime;
use super::load::LoadOptions;
use super::problem::{Problem, Warning};
use super::section::{Item, Section};
use super::{IssuerRules, Rules};
use crate::limits::Limits;
use crate::time::Span;

/// What compiling works with and adds to.
pub(super) struct Compiler<'o> {
    options: &'o LoadOptions,
    /// Issuers of this machine may be http.
    loopback: bool,
    /// Each issuer's name with its first `iss`, to tell names from values (refusal 16).
    values: Vec<(String, String)>,
    /// Each gate's name, for the same.
    gates: Vec<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Warning>,
}

/// The rules of a document whose shape is checked; to be used only where no problem was found.
pub(super) fn compile<'o>(
    root: &Node,
    options: &'o LoadOptions,
    problems: Vec<Problem>,
) -> (Rules, Compiler<'o>) {
    let document = Section::root(root, grammar::DOCUMENT);
    let value = |(name, section): (&str, Section<'_>)| {
        Some((
            name.to_owned(),
            section.texts("issuer").into_iter().next()?.text,
        ))
    };
    let values = document
        .named("issuers")
        .into_iter()
        .filter_map(value)
        .collect();
    let mut compiler = Compiler {
        options,
        loopback: false,
        values,
        gates: names(&document, "gates"),
        problems,
        warnings: Vec::new(),
    };
    compiler.danger(&document);
    let cache = document.section("cache");
    let limits = document.section("limits");
    let default = Limits::DEFAULT;
    let issuers: Vec<IssuerRules> = document
        .named("issuers")
        .iter()
        .map(|(name, section)| issuer::compile(name, section, &mut compiler))
        .collect();
    let tables: Vec<_> = document
        .named("delegation")
        .iter()
        .map(|(name, section)| delegation::compile(name, section, &mut compiler))
        .collect();
    let gates: Vec<_> = document
        .named("gates")
        .iter()
        .map(|(name, section)| gate::compile(name, section, &issuers, &tables, &mut compiler))
        .collect();
    delegation::warn_unused(&tables, &gates, &document, &mut compiler);
    let stores = store::compile(&document, &mut compiler);
    let mut rules = Rules {
        preset: document.preset(),
        leeway: document.duration("leeway").unwrap_or(Span::ZERO),
        limits: Limits {
            token_size: limits.size("max_token_size").unwrap_or(default.token_size),
            json_depth: limits.count("max_json_depth").unwrap_or(default.json_depth),
            string_size: limits
                .size("max_string_size")
                .unwrap_or(default.string_size),
            array_members: limits
                .count("max_array_members")
                .unwrap_or(default.array_members),
        },
        cache_tokens: cache.count("tokens").unwrap_or(0),
        possession: possession::compile(&document, &stores, &mut compiler),
        revocation: revocation::compile(&document, &stores, &issuers, &mut compiler),
        audit_secret: document
            .has("audit")
            .then(|| compiler.mac_secret(&document.section("audit"), "secret"))
            .flatten(),
        issuers,
        longest_lifetime: longest_lifetime(&gates),
        gates,
    };
    once::settle(&mut rules, &document, &mut compiler);
    possession::settle(&mut rules, &document, &mut compiler);
    inputs::settle(&mut rules, &document, &mut compiler);
    introspection::settle(&rules, &document);
    let used = [
        rules.revocation.shared().map(|shared| &shared.store),
        possession::used(&rules.possession),
    ];
    let used: Vec<_> = used.into_iter().flatten().collect();
    store::warn_unused(&document, &used, &mut compiler);
    pairs::check(&rules, &document, &mut compiler);
    pairs::set_rivals(&mut rules.gates);
    (rules, compiler)
}

impl Compiler<'_> {
    /// Refusal 26: less safety than usual needs a word from the program too.
    fn danger(&mut self, document: &Section<'_>) {
        if !document.has("danger") {
            return;
        }
        if self.options.allow_danger {
            self.loopback = document.section("danger").flag("http_loopback_issuers");
        } else {
            let text = "this document asks for less safety than the program allows";
            self.problems.push(document.problem("danger", text));
        }
    }

    /// Whether something in this table is refused already, so that what follows from it is silent.
    fn has_problem(&self, section: &Section<'_>) -> bool {
        self.problems.iter().any(|problem| {
            problem
                .path
                .strip_prefix(section.path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Refusal 16: a policy's name where its claim value belongs.
    fn value_of(&self, text: &str) -> Option<String> {
        let (name, value) = self.values.iter().find(|(name, _)| name == text)?;
        (value != name).then(|| format!("{name:?} is a name. Write {value:?}"))
    }

    /// Refusal 16: the table that has this name, where a claim value belongs.
    fn table_named(&self, text: &str) -> Option<String> {
        if self.values.iter().any(|(name, _)| name == text) {
            return Some(format!("issuers.{text}"));
        }
        let is_gate = self.gates.iter().any(|name| name == text);
        is_gate.then(|| format!("gates.{text}"))
    }

    /// The content of the file that a member names, relative to the document's folder.
    fn file(&mut self, section: &Section<'_>, name: &str, most: usize) -> Option<Content> {
        let path = PathBuf::from(section.member(name)?.node.as_text()?);
        let path = match &self.options.folder {
            Some(folder) => folder.join(path),
            None => path,
        };
        file::read(&path, most)
            .map_err(|text| self.problems.push(section.problem(name, text)))
            .ok()
    }

    fn refuse(&mut self, item: &Item, text: impl Into<String>) {
        self.problems.push(Problem::new(&item.path, item.at, text));
    }

    fn warn(&mut self, path: impl Into<String>, at: Position, text: impl Into<String>) {
        let (path, text) = (path.into(), text.into());
        self.warnings.push(Warning {
            path,
            line: at.line,
            column: at.column,
            text,
        });
    }

    /// Refuses the second of two equal strings of one list.
    fn refuse_repeats(&mut self, items: &[Item]) {
        let mut seen = BTreeSet::new();
        for item in items {
            if !seen.insert(item.text.as_str()) {
                self.refuse(item, format!("{:?} is written twice", item.text));
            }
        }
    }
}

fn names(document: &Section<'_>, table: &str) -> Vec<String> {
    let tables = document.named(table).into_iter();
    tables.map(|(name, _)| name.to_owned()).collect()
}

/// `[issuers.partnr]` is not there; maybe another is.
fn unknown_name<'k>(table: &str, name: &str, known: impl Iterator<Item = &'k str>) -> String {
    format!("no [{table}.{name}]{}", check::suggest(name, known))
}

fn boxed(items: Vec<Item>) -> Vec<Box<str>> {
    items.into_iter().map(|item| item.text.into()).collect()
}
