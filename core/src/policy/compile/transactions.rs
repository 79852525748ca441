//! `gates.X.transactions`: how the transactions of a gate may have come there (TXT-11, TXA-02 to
//! TXA-04).

use super::{Compiler, boxed};
use crate::policy::TransactionRules;
use crate::policy::check::suggest;
use crate::policy::profile::Kind;
use crate::policy::section::Section;

/// The table `transactions` of a gate.
const NAME: &str = "transactions";

pub(super) fn compile(
    gate: &Section<'_>,
    kind: Option<Kind>,
    compiler: &mut Compiler<'_>,
) -> Option<Box<TransactionRules>> {
    if kind != Some(Kind::TxnToken) {
        if gate.has(NAME) && kind.is_some() {
            let text = "only for profile = \"txn_token\"";
            compiler.problems.push(gate.problem(NAME, text));
        }
        return None;
    }
    let section = gate.section(NAME);
    let levels = section.texts("assurance_levels");
    compiler.refuse_repeats(&levels);
    let floor = section.text("min_assurance").and_then(|least| {
        let place = levels.iter().position(|level| level.text == least);
        if place.is_none() {
            let known = levels.iter().map(|level| level.text.as_str());
            let text = format!("no level of assurance_levels{}", suggest(&least, known));
            let problem = section.problem("min_assurance", text);
            compiler.problems.push(problem);
        }
        place
    });
    Some(Box::new(TransactionRules {
        once: section.text("use").as_deref() == Some("once"),
        workload: section.text("workload").map(Into::into),
        max_hops: section.count("max_hops").unwrap_or_default(),
        levels: boxed(levels),
        floor,
    }))
}
