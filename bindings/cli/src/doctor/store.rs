//! The checks of the stores that a policy names: of revocations, and of used proofs.

use std::time::Duration;

use sealgate::crypto::aws_lc;
use sealgate::{Clock, Evicts, NumericDate, Policy, ProofStore, ProofTrial, Store, StoreError};

use super::report::{Report, State};
use crate::revocations::unshared;
use crate::stopwatch::Stopwatch;
use crate::text::{span, thousands};

/// The policy's default leeway. Cut-offs are dates of the host that revokes: where clocks are
/// further apart, tokens from after one still end, or from before it still pass.
const LEEWAY: i64 = 30;

/// The stores that the policy names, and the name to report them under, where there is one.
pub(super) fn examine(policy: &Policy) -> (Option<String>, Report) {
    let mut report = Report::default();
    let store = Store::open(policy, &aws_lc::provider());
    match &store {
        Some(store) => look_at_store(store, &mut report),
        None => report.add("store", State::Note, unshared(policy)),
    }
    let name = store.map(|store| store.name().to_owned());
    let proofs = examine_proofs(policy, name.as_deref(), &mut report);
    let name = name.or(proofs).map(|name| format!("store \"{name}\""));
    (name, report)
}

fn look_at_store(store: &Store, report: &mut Report) {
    let text = format!("{}, reaches the {}", store.kind(), store.reach());
    report.add("store", State::Note, text);
    if look_at_news(store, report) {
        look_at_writing(store, report);
        look_at_clock(store.kind(), store.time(), report);
        look_at_memory(store.evicts(), Kept::Revocations, report);
        report.add(
            "undelivered",
            State::Note,
            "what a process has revoked and not delivered yet it alone knows: \
             verifier.revocations.store() in each of them says",
        );
    }
}

/// The store of used proofs, where there is one, and its name; the clock of the store `examined`
/// was looked at.
pub(super) fn examine_proofs(
    policy: &Policy,
    examined: Option<&str>,
    report: &mut Report,
) -> Option<String> {
    let proofs = ProofStore::open(policy, &aws_lc::provider())?;
    if look_at_proofs(&proofs, report) {
        let kept = if examined == Some(proofs.name()) {
            Kept::ProofsToo
        } else {
            look_at_clock(proofs.kind(), proofs.time(), report);
            Kept::Proofs
        };
        look_at_memory(proofs.evicts(), kept, report);
    }
    Some(proofs.name().to_owned())
}

/// The store of used proofs, whether or not it is the one of revocations: what may be written there
/// is one question, and what is remembered another. Says whether it answered.
fn look_at_proofs(store: &ProofStore, report: &mut Report) -> bool {
    let text = format!(
        "used proofs are in store \"{}\": {}, reaches the {}",
        store.name(),
        store.kind(),
        store.reach()
    );
    report.add("replay", State::Note, text);
    let (state, text) = match store.try_using() {
        Ok(ProofTrial::Works) => (State::Good, "a proof was taken once, and known again"),
        Ok(ProofTrial::NotMade) => (
            State::Note,
            "there is no table yet; the first verifier that starts makes it",
        ),
        Ok(ProofTrial::Forgets) => (
            State::Wrong,
            "one proof was taken twice: the store forgets what it should keep",
        ),
        Ok(_) => (
            State::Wrong,
            "a new proof was refused: there is no room, or the clock was set back",
        ),
        Err(error) => {
            add_failure("replay", &error, report);
            return false;
        }
    };
    report.add("replay", state, text);
    true
}

/// Reads everything there is to its end. Says whether the store is well enough to go on.
fn look_at_news(store: &Store, report: &mut Report) -> bool {
    let began = Stopwatch::start();
    let (mut revoked, mut lifted) = (0, 0);
    let unreadable = store.changes(&mut |change| match change.is_lifted() {
        true => lifted += 1,
        false => revoked += 1,
    });
    let unreadable = match unreadable {
        Ok(unreadable) => unreadable,
        Err(error) => {
            add_failure("reading", &error, report);
            return false;
        }
    };
    let text = format!(
        "{} revoked, {} lifted, read in {} ms",
        thousands(revoked),
        thousands(lifted),
        began.elapsed().as_millis()
    );
    report.add("reading", State::Good, text);
    if unreadable > 0 {
        let text = format!(
            "{unreadable} more that this version cannot read: a later one wrote them (upgrade this \
             one), or they are broken (revoke again what they were)"
        );
        report.add("reading", State::Wrong, text);
    }
    let began = Stopwatch::start();
    let news = store.follow();
    match news.and_then(|mut news| news.next(Duration::ZERO, &mut |_| {})) {
        Ok(_) => {
            let text = format!(
                "at most {} ms old for whoever reads now",
                began.elapsed().as_millis()
            );
            report.add("news", State::Good, text);
            true
        }
        Err(error) => {
            add_failure("news", &error, report);
            false
        }
    }
}

fn look_at_writing(store: &Store, report: &mut Report) {
    match store.try_writing() {
        Ok(()) => report.add("writing", State::Good, "possible; nothing was written"),
        Err(error) => add_failure("writing", &error, report),
    }
}

fn look_at_clock(kind: &str, time: Result<Option<NumericDate>, StoreError>, report: &mut Report) {
    match time {
        Ok(Some(time)) => {
            let apart = time.seconds() - Clock::System.now().seconds();
            let (state, text) = match apart {
                0 => (
                    State::Good,
                    "the server's is this one's to the second".to_owned(),
                ),
                1.. => (
                    of(apart),
                    format!("the server's is {} ahead of this one", span(apart)),
                ),
                _ => (
                    of(apart),
                    format!("the server's is {} behind this one", span(apart)),
                ),
            };
            report.add("clock", state, text);
        }
        Ok(None) => match kind {
            "file" => report.add("clock", State::Good, "this host's, as of all who share it"),
            kind => {
                let text = format!("a server of kind {kind} does not tell its time");
                report.add("clock", State::Note, text);
            }
        },
        Err(error) => add_failure("clock", &error, report),
    }
}

/// What is asked of a server's memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Revocations,
    Proofs,
    /// Where it was looked at for revocations before.
    ProofsToo,
}

fn look_at_memory(told: Result<Option<Evicts>, StoreError>, kept: Kept, report: &mut Report) {
    let (state, text) = match told {
        Ok(None) => return,
        Ok(Some(Evicts::Ending)) if kept != Kept::Revocations => (
            State::Wrong,
            "when it is full it forgets what has an end, as used proofs have: a proof passes twice",
        ),
        Ok(Some(_)) if kept == Kept::ProofsToo => return,
        Ok(Some(Evicts::Nothing)) => (
            State::Good,
            "when it is full it takes no more writes, and forgets nothing",
        ),
        Ok(Some(Evicts::Ending)) => (
            State::Good,
            "when it is full it forgets what has an end, and no revocation",
        ),
        Ok(Some(Evicts::Anything)) => (
            State::Wrong,
            "when it is full it forgets anything, revocations and used proofs too",
        ),
        Ok(Some(_)) => (
            State::Note,
            "it does not tell what it forgets when it is full (INFO)",
        ),
        Err(error) => return add_failure("memory", &error, report),
    };
    let text = match state {
        State::Good => text.to_owned(),
        _ => format!("{text}. It must be maxmemory-policy noeviction"),
    };
    report.add("memory", state, text);
}

const fn of(apart: i64) -> State {
    if apart.abs() > LEEWAY {
        State::Wrong
    } else {
        State::Good
    }
}

/// The error says what to do where somebody must do something.
fn add_failure(check: &'static str, error: &StoreError, report: &mut Report) {
    let state = if error.passes() {
        State::Unreached
    } else {
        State::Wrong
    };
    report.add(check, state, error.to_string());
}
