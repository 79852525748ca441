//! What observers are told of keys that are published.

use std::sync::{Arc, Mutex};

use super::{A, key, set, token, verifier};
use crate::observe::Event;

/// One line an event.
fn line(event: &Event<'_>) -> String {
    let what = match event {
        Event::KeysRefreshed {
            keys,
            generation,
            changed,
            ..
        } => format!("{keys} keys, generation {generation}, changed {changed}"),
        Event::KeysRefreshFailed { reason, .. } => (*reason).to_owned(),
        Event::RevocationsLoaded { .. }
        | Event::RevocationsInterrupted { .. }
        | Event::RevocationsDelivered { .. }
        | Event::RevocationsUndelivered { .. }
        | Event::Introspected { .. }
        | Event::IntrospectionFailed { .. }
        | Event::StatusListFetched { .. }
        | Event::StatusListFailed { .. } => {
            unreachable!("the policy names no store, and asks nobody")
        }
        Event::KeyWithdrawn {
            kid, thumbprint, ..
        } => {
            format!("{} {}", kid.unwrap_or("-"), thumbprint.map_or(0, str::len))
        }
    };
    format!(
        "{} {}: {what}",
        event.name(),
        event.issuer_name().unwrap_or_default()
    )
}

#[test]
fn whoever_listens_hears_of_every_publication_and_every_key_withdrawn() {
    let verifier = verifier();
    let gate = verifier.gate("api").unwrap();
    let (old, new) = (key(1, "k1"), key(2, "k2"));
    let from_old = token(&old, A, "");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (own, judge) = (Arc::clone(&heard), gate);
    verifier.observe(Arc::new(move |event: &Event<'_>| {
        // The keys are in force already when this is told.
        let code = judge.judge(&from_old).code();
        own.lock().unwrap().push(format!("{} {code}", line(event)));
    }));
    verifier.keys().publish("a", &set(&[&old])).unwrap();
    verifier.keys().publish("a", &set(&[&old])).unwrap();
    verifier.keys().publish("a", &set(&[&new])).unwrap();
    assert_eq!(
        *heard.lock().unwrap(),
        [
            "keys_refreshed a: 1 keys, generation 1, changed true accepted",
            "keys_refreshed a: 1 keys, generation 1, changed false accepted",
            "key_withdrawn a: k1 43 key_not_found",
            "keys_refreshed a: 1 keys, generation 2, changed true key_not_found",
        ]
    );
}

#[test]
fn an_observer_that_panics_stops_nothing_and_no_other_observer() {
    let verifier = verifier();
    let heard = Arc::new(Mutex::new(0));
    let own = Arc::clone(&heard);
    verifier.observe(Arc::new(|_: &Event<'_>| panic!("a broken log")));
    verifier.observe(Arc::new(move |_: &Event<'_>| *own.lock().unwrap() += 1));
    verifier
        .keys()
        .publish("a", &set(&[&key(1, "k1")]))
        .unwrap();
    assert_eq!(*heard.lock().unwrap(), 1);
}
