//! `[revocation]`.

use std::sync::Arc;

use super::store::ALONE;
use super::{Compiler, status};
use crate::policy::section::Section;
use crate::policy::{IssuerRules, RevocationRules, RevocationStorage, Shared, StoreRules};
use crate::time::Span;

/// News of a store is read at least once a second, and an engine may take as long to answer: a
/// shorter bound would be missed by stores that are well (refusal 22).
const LEAST: Span = Span::from_seconds(3);

pub(super) fn compile(
    document: &Section<'_>,
    stores: &[Arc<StoreRules>],
    issuers: &[IssuerRules],
    compiler: &mut Compiler<'_>,
) -> RevocationRules {
    if !document.has("revocation") {
        return RevocationRules::OFF;
    }
    let section = document.section("revocation");
    let store = match compiler.store(&section, &ALONE, document, stores) {
        Some(rules) => RevocationStorage::Shared(shared(rules, &section, compiler)),
        None => alone(&section, compiler),
    };
    RevocationRules {
        store,
        inner_actors: section.text("inner_actors").as_deref() != Some("ignore"),
        status: status::compile(document, &section, issuers, compiler),
    }
}

/// Of a document whose revocations reach one process, or none.
fn alone(section: &Section<'_>, compiler: &mut Compiler<'_>) -> RevocationStorage {
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
    for name in ["max_staleness", "on_stale"] {
        if section.has(name) {
            let text = "no store of [stores] is named, so no news can be old";
            compiler.warn(section.at(name), section.position(name), text);
        }
    }
    store
}

fn shared(store: Arc<StoreRules>, section: &Section<'_>, compiler: &mut Compiler<'_>) -> Shared {
    let max_staleness = section.duration("max_staleness").unwrap_or(Span::ZERO);
    if max_staleness < LEAST {
        let text = "at least \"3s\": stores are asked once a second";
        compiler
            .problems
            .push(section.problem("max_staleness", text));
    }
    Shared {
        store,
        max_staleness,
        accept_stale: section.text("on_stale").as_deref() == Some("accept_marked"),
    }
}
