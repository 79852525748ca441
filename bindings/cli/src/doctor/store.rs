//! The checks of the store that a policy names.

use std::time::Duration;

use sealgate::crypto::aws_lc;
use sealgate::{Clock, Policy, Store, StoreError};

use super::report::{Report, State};
use crate::revocations::unshared;
use crate::stopwatch::Stopwatch;
use crate::text::{span, thousands};

/// The policy's default leeway. Cut-offs are dates of the host that revokes: where clocks are
/// further apart, tokens from after one still end, or from before it still pass.
const LEEWAY: i64 = 30;

/// The policy's store, and the name to report it under.
pub(super) fn examine(policy: &Policy) -> (String, Report) {
    let mut report = Report::default();
    let opened = Store::open(policy, &aws_lc::provider());
    note_proofs(policy, opened.as_ref(), &mut report);
    let Some(store) = opened else {
        report.add("store", State::Note, unshared(policy));
        return ("no store".to_owned(), report);
    };
    let text = format!("{}, reaches the {}", store.kind(), store.reach());
    report.add("store", State::Note, text);
    if look_at_news(&store, &mut report) {
        look_at_writing(&store, &mut report);
        look_at_clock(&store, &mut report);
        report.add(
            "undelivered",
            State::Note,
            "what a process has revoked and not delivered yet it alone knows: \
             verifier.revocations.store() in each of them says",
        );
    }
    (format!("store \"{}\"", store.name()), report)
}

/// A store of used proofs alone cannot be looked into without using one.
fn note_proofs(policy: &Policy, examined: Option<&Store>, report: &mut Report) {
    let effective = policy.effective();
    let Some(store) = effective["replay"]["store"].as_str() else {
        return;
    };
    let is_named = !effective["stores"][store].is_null();
    if is_named && examined.is_none_or(|examined| examined.name() != store) {
        let text = format!("store \"{store}\" keeps used proofs alone, and is not examined");
        report.add("replay", State::Note, text);
    }
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

fn look_at_clock(store: &Store, report: &mut Report) {
    match store.time() {
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
        Ok(None) => match store.kind() {
            "file" => report.add("clock", State::Good, "this host's, as of all who share it"),
            kind => {
                let text = format!("a server of kind {kind} does not tell its time");
                report.add("clock", State::Note, text);
            }
        },
        Err(error) => add_failure("clock", &error, report),
    }
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
