//! `[revocation]` (loader refusal 25).

use super::{Compiler, unknown_name};
use crate::policy::profile::Kind;
use crate::policy::section::Section;
use crate::policy::{RevocationRules, RevocationStorage, Rules};

pub(super) fn compile(document: &Section<'_>, compiler: &mut Compiler<'_>) -> RevocationRules {
    if !document.has("revocation") {
        return RevocationRules::OFF;
    }
    let section = document.section("revocation");
    let (store, text) = match section.text("store").as_deref() {
        Some("process") => (
            RevocationStorage::Process,
            "reaches one process; N workers must be told N times",
        ),
        _ => (
            RevocationStorage::Off,
            "nothing is asked: a revoked token passes until it ends",
        ),
    };
    compiler.warn(section.at("store"), section.position("store"), text);
    RevocationRules {
        store,
        inner_actors: section.text("inner_actors").as_deref() != Some("ignore"),
    }
}

/// Which gates revoke: those whose tokens tell of events.
pub(super) fn settle(rules: &mut Rules, document: &Section<'_>, compiler: &mut Compiler<'_>) {
    let section = document.section("revocation");
    let items = section.texts("inputs");
    compiler.refuse_repeats(&items);
    if section.text("store").as_deref() == Some("off") && !items.is_empty() {
        let text = "store is \"off\": what they tell would be forgotten unread";
        compiler.problems.push(section.problem("inputs", text));
    }
    for item in items {
        let mut gates = rules.gates.iter_mut();
        match gates.find(|gate| *gate.name == *item.text) {
            None => {
                let known = rules.gates.iter().map(|gate| &*gate.name);
                let text = unknown_name("gates", &item.text, known);
                compiler.refuse(&item, text);
            }
            Some(gate) if matches!(gate.kind, Kind::LogoutToken | Kind::Set) => gate.revokes = true,
            Some(gate) => {
                let kind = gate.kind.as_str();
                let text = format!(
                    "gate {} takes tokens of profile {kind}, and only a logout_token or a set tells \
                     of what ends",
                    gate.name
                );
                compiler.refuse(&item, text);
            }
        }
    }
}
