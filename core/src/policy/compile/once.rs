//! Which tokens are used up, and who remembers that they were (IJ-06, CA-05, TXT-11).

use super::Compiler;
use crate::claims::Claim;
use crate::limits::TXN_REPLACEMENTS;
use crate::policy::check::quoted;
use crate::policy::profile::Preset;
use crate::policy::section::Section;
use crate::policy::{GateIssuer, GateRules, IssuerRules, Once, ReplayStore, Rules};
use crate::time::Span;

/// What the table of a host can remember, from the `iat` of a token to its end, leeway at both
/// ends.
const HOST_REMEMBERS: Span = Span::from_seconds(15 * 60);
/// Of tokens that need not have an `iat`: one without is dated so long before its `exp`.
const HOST_REMEMBERS_UNDATED: Span = Span::from_seconds(5 * 60);

pub(super) fn settle(rules: &mut Rules, document: &Section<'_>, compiler: &mut Compiler<'_>) {
    let replay = rules.possession.replay.as_ref();
    let store = replay.map(|replay| &replay.store);
    let leeway = rules.leeway;
    for (gate, (_, section)) in rules.gates.iter_mut().zip(document.named("gates")) {
        let mut transactions = gate.transactions.iter();
        if transactions.any(|rules| rules.once) {
            let refused = forgetful(store).map(str::to_owned);
            let refused = refused.or_else(|| by_txn(gate, &rules.issuers, store, leeway).err());
            if let Some(text) = refused {
                let transactions = section.section("transactions");
                compiler.problems.push(transactions.problem("use", text));
            }
        // What tells of an event is remembered by whoever applies it: told again, it is
        // acknowledged again (SET-07).
        } else if gate.kind.row().used_once && !gate.kind.tells_of_events() {
            let opens = format!(
                "a stolen {} opens again until it expires",
                gate.kind.as_str()
            );
            match forgetful(store) {
                Some(text) if section.preset() == Preset::AgentStrict => {
                    let text = format!("nobody remembers jti: {opens}. {text}");
                    compiler.problems.push(section.problem("profile", text));
                }
                Some(_) => {
                    let at = section.position("profile");
                    let text = format!("nobody remembers jti: {opens}");
                    compiler.warn(section.at("profile"), at, text);
                }
                None => {
                    gate.once = Some(Once::Jti);
                    if let Some(text) = outlives(gate, &rules.issuers, store, leeway) {
                        compiler.problems.push(section.problem("profile", text));
                    }
                }
            }
        }
    }
}

/// Why no token is remembered, and what to do.
const fn forgetful(store: Option<&ReplayStore>) -> Option<&'static str> {
    match store {
        None => Some("Who remembers them? Write a store under [replay]"),
        Some(ReplayStore::External) => Some(
            "\"external\" remembers proofs, not tokens: write \"process\" or a store of [stores] as \
             replay.store",
        ),
        Some(ReplayStore::Process | ReplayStore::Host { .. } | ReplayStore::Fleet { .. }) => None,
    }
}

/// Has the gate's transactions remembered; else why they cannot be.
fn by_txn(
    gate: &mut GateRules,
    issuers: &[IssuerRules],
    store: Option<&ReplayStore>,
    leeway: Span,
) -> Result<(), String> {
    let mut lasts = Span::ZERO;
    for issuer in &gate.issuers {
        let Some(cap) = issuer.max_lifetime else {
            let name = name(issuer, issuers);
            return Err(format!(
                "for how long? Its tokens can be replaced as long as they live: write \
                 issuers.{name}.max_lifetime"
            ));
        };
        // TXT-13: the last replacement may begin when the one before it ends.
        lasts = lasts.max(cap.scaled(TXN_REPLACEMENTS + 1, 1));
    }
    gate.once = Some(Once::Txn { lasts });
    outlives(gate, issuers, store, leeway).map_or(Ok(()), Err)
}

/// That something is to be remembered for longer than the table of a host can, and what to do.
fn outlives(
    gate: &GateRules,
    issuers: &[IssuerRules],
    store: Option<&ReplayStore>,
    leeway: Span,
) -> Option<String> {
    let Some(ReplayStore::Host { .. }) = store else {
        return None;
    };
    let shares = match gate.once {
        Some(Once::Txn { .. }) => TXN_REPLACEMENTS + 1,
        Some(Once::Jti) | None => 1,
    };
    let seconds = (HOST_REMEMBERS.seconds() - 2 * leeway.seconds()) / shares;
    let dated = |issuer: &GateIssuer| issuer.profile.row().required.contains(Claim::Iat);
    gate.issuers.iter().find_map(|issuer| {
        let most = Span::from_seconds(seconds);
        let most = if dated(issuer) {
            most
        } else {
            most.min(HOST_REMEMBERS_UNDATED)
        };
        let long = issuer.max_lifetime.is_none_or(|cap| cap > most);
        long.then(|| {
            format!(
                "a store of kind \"file\" remembers 15 minutes, and tokens of issuers.{} can come for \
                 longer: write max_lifetime = {} there at most, or another store as replay.store",
                name(issuer, issuers),
                quoted(most),
            )
        })
    })
}

fn name<'i>(issuer: &GateIssuer, issuers: &'i [IssuerRules]) -> &'i str {
    issuers
        .get(issuer.position)
        .map_or("", |issuer| &issuer.name)
}
