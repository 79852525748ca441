//! `[delegation.X.edges]`: how tokens that follow from one another compare.

use super::{Compiler, text};
use crate::policy::document::join;
use crate::policy::edges::{AudRule, EdgeRules, Edges, ExpRule, Mapping, ScopeRule};
use crate::policy::section::{Item, Section, texts};

pub(super) fn compile(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Edges {
    let exchange = section.section("exchange");
    let cross_domain = section.section("cross_domain");
    let at_to_txn = section.section("at_to_txn");
    let txn_replace = section.section("txn_replace");
    let mission = section.section("mission");
    let aauth = section.section("aauth");
    Edges {
        exchange: EdgeRules {
            scope: scope(&exchange, compiler),
            exp: match exchange.text("exp").as_deref() {
                Some("any") => ExpRule::Any,
                _ => ExpRule::WithinParent,
            },
            aud: aud(&exchange, compiler),
        },
        cross_domain: EdgeRules {
            scope: scope(&cross_domain, compiler),
            ..Edges::DEFAULT.cross_domain
        },
        at_to_txn: EdgeRules {
            scope: scope(&at_to_txn, compiler),
            aud: aud(&at_to_txn, compiler),
            ..Edges::DEFAULT.at_to_txn
        },
        txn_replace: EdgeRules {
            scope: scope(&txn_replace, compiler),
            ..Edges::DEFAULT.txn_replace
        },
        mission: EdgeRules {
            scope: scope(&mission, compiler),
            aud: aud(&mission, compiler),
            ..Edges::DEFAULT.mission
        },
        aauth: EdgeRules {
            scope: scope(&aauth, compiler),
            ..Edges::DEFAULT.aauth
        },
    }
}

fn aud(section: &Section<'_>, compiler: &mut Compiler<'_>) -> AudRule {
    match section.text("aud").as_deref() {
        Some("any") => AudRule::Any,
        _ => AudRule::Exchanger(map(section, "aud", compiler, |text| {
            text::exact(text, "an audience or a party")
        })),
    }
}

fn scope(section: &Section<'_>, compiler: &mut Compiler<'_>) -> ScopeRule {
    match section.text("scope").as_deref() {
        Some("issuer_attested") => ScopeRule::IssuerAttested,
        Some(_) => ScopeRule::StrictSubset,
        None => ScopeRule::Mapped(map(section, "scope", compiler, text::scope)),
    }
}

/// The entries of `{ map = { "from" = ["to"] } }`.
fn map(
    section: &Section<'_>,
    name: &str,
    compiler: &mut Compiler<'_>,
    problem: impl Fn(&str) -> Option<String>,
) -> Mapping {
    let written = section
        .member(name)
        .and_then(|member| member.node.get("map"));
    let path = join(&section.at(name), "map");
    let entries = written.map_or(&[][..], |map| map.members());
    let mut mapping = Vec::new();
    for entry in entries {
        let path = join(&path, &entry.name);
        let to = texts(&entry.node, &path);
        let from = Item {
            text: entry.name.clone(),
            path,
            at: entry.at,
        };
        for item in std::iter::once(&from).chain(&to) {
            if let Some(problem) = problem(&item.text) {
                compiler.refuse(item, problem);
            }
        }
        compiler.refuse_repeats(&to);
        let to = to.into_iter().map(|item| item.text.into()).collect();
        mapping.push((from.text.into(), to));
    }
    mapping
}
