//! `[revocation]`.

use super::Compiler;
use crate::policy::section::Section;
use crate::policy::{RevocationRules, RevocationStorage};

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
