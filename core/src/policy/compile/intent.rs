//! `gates.X.require_intent` and `gates.X.intent_pointers`: where tokens say which task they are
//! for.

use super::Compiler;
use crate::policy::intent::{IntentPointer, IntentRules, TaskKind};
use crate::policy::section::Section;

pub(super) fn compile(section: &Section<'_>, compiler: &mut Compiler<'_>) -> IntentRules {
    let table = section.section("intent_pointers");
    let mut pointers = Vec::new();
    for kind in TaskKind::ALL {
        let items = table.texts(kind.as_str());
        compiler.refuse_repeats(&items);
        for item in items {
            match IntentPointer::parse(kind, &item.text) {
                Some(pointer) => pointers.push(pointer),
                None => {
                    let text = format!(
                        "{:?} is no JSON pointer to a member. Write one like \"/intent/id\" (RFC 6901)",
                        item.text
                    );
                    compiler.refuse(&item, text);
                }
            }
        }
    }
    let required = section.flag("require_intent");
    if required && pointers.is_empty() && !compiler.has_problem(&table) {
        let text = "require_intent is true, and no token could name a task anywhere";
        compiler
            .problems
            .push(section.problem("intent_pointers", text));
    }
    IntentRules { required, pointers }
}
