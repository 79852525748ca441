//! `revocation.inputs`: the gates whose accepted tokens become revocations (loader refusal 25).

use super::{Compiler, unknown_name};
use crate::policy::Rules;
use crate::policy::section::Section;

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
            Some(gate) if gate.kind.tells_of_events() => gate.revokes = true,
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
