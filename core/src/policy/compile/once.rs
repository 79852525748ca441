//! Which tokens are used up, and who remembers that they were (IJ-06, CA-05, TXT-11).

use super::Compiler;
use crate::policy::profile::Preset;
use crate::policy::section::Section;
use crate::policy::{GateRules, Once, ReplayStore, Rules, TransactionRules};
use crate::time::Span;

/// What the table of a host can remember at most, from the `iat` of a token to its end.
const HOST_REMEMBERS: Span = Span::from_seconds(15 * 60);

pub(super) fn settle(rules: &mut Rules, document: &Section<'_>, compiler: &mut Compiler<'_>) {
    let replay = rules.possession.replay.as_ref();
    let store = replay.map(|replay| &replay.store);
    let leeway = rules.leeway;
    for (gate, (_, section)) in rules.gates.iter_mut().zip(document.named("gates")) {
        let transactions = gate.transactions.as_deref();
        if transactions.is_some_and(|rules: &TransactionRules| rules.once) {
            let text = match store {
                Some(ReplayStore::External) => Some(
                    "\"external\" remembers proofs, not tokens: write \"process\" or a store of \
                     [stores] as replay.store",
                ),
                Some(
                    ReplayStore::Process | ReplayStore::Host { .. } | ReplayStore::Fleet { .. },
                ) => None,
                None => Some("who remembers them? Write a store under [replay]"),
            };
            if let Some(text) = text {
                let transactions = section.section("transactions");
                compiler.problems.push(transactions.problem("use", text));
            }
            gate.once = text.is_none().then_some(Once::Txn);
        // What tells of an event is remembered by whoever applies it: told again, it is acknowledged
        // again (SET-07).
        } else if gate.kind.row().used_once && !gate.kind.tells_of_events() {
            let forgetful = match store {
                None | Some(ReplayStore::External) => Some("nobody remembers jti"),
                Some(ReplayStore::Host { .. }) if outlives(gate, leeway) => {
                    Some("replay.store remembers jti for 15 minutes")
                }
                Some(_) => None,
            };
            match forgetful {
                Some(text) => {
                    let at = section.position("profile");
                    let kind = gate.kind.as_str();
                    let text = format!("{text}: a stolen {kind} opens again until it expires");
                    // Whoever shares a store between processes counts on its being asked.
                    if store == Some(&ReplayStore::External)
                        && section.preset() == Preset::AgentStrict
                    {
                        let text = format!(
                            "{text}. \"external\" remembers proofs, not tokens: write \"process\" or \
                             a store of [stores] as replay.store"
                        );
                        compiler.problems.push(section.problem("profile", text));
                    } else {
                        compiler.warn(section.at("profile"), at, text);
                    }
                }
                None => gate.once = Some(Once::Jti),
            }
        }
    }
}

/// Whether some token of the gate lives longer than a host remembers.
fn outlives(gate: &GateRules, leeway: Span) -> bool {
    let mut caps = gate.issuers.iter().map(|issuer| issuer.max_lifetime);
    let most = HOST_REMEMBERS.seconds() - 2 * leeway.seconds();
    caps.any(|cap| cap.is_none_or(|cap| cap.seconds() > most))
}
