use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::change::{Change, Known};
use super::entry::{Entry, Told};
use super::filter::Filter;
use super::handle::{Handle, HandleKind};
use super::store::RevocationStore;
use crate::time::{Clock, NumericDate};

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

fn all() -> Entry {
    Entry::new(None, None)
}

fn revoke(store: &RevocationStore, handle: &Handle, entry: Entry, now: NumericDate) {
    let date = |seconds: Option<i64>| seconds.map(at);
    let (cutoff, end) = (date(entry.cutoff()), date(entry.end()));
    store.apply(&Change::revoked(handle.clone(), cutoff, end, now), now);
}

fn lift(store: &RevocationStore, handle: &Handle, now: NumericDate) {
    store.apply(&Change::lifted(handle.clone(), now), now);
}

fn get(store: &RevocationStore, handle: &Handle) -> Option<Entry> {
    let hash = store.hash(handle.kind(), handle.scope(), handle.value());
    store.shelves().get(handle.kind(), hash)
}

#[test]
fn rev_03_a_handle_belongs_to_its_kind_and_issuer() {
    let store = RevocationStore::new(Clock::System);
    revoke(
        &store,
        &Handle::token("https://a.example", "1"),
        all(),
        at(NOW),
    );
    assert!(get(&store, &Handle::token("https://a.example", "1")).is_some());
    for other in [
        Handle::token("https://b.example", "1"),
        Handle::token("https://a.example", "01"),
        Handle::token("https://a.example", "1 "),
        Handle::token("https://a.example1", ""),
        Handle::token("https://a.exampl", "e1"),
        Handle::token("", "https://a.example1"),
        Handle::session("https://a.example", "1"),
        Handle::subject("https://a.example", "1"),
    ] {
        assert!(
            get(&store, &other).is_none(),
            "{:?} {}",
            other.scope(),
            other.value()
        );
    }
}

#[test]
fn who_revokes_again_forgives_nothing_and_a_lift_does() {
    let store = RevocationStore::new(Clock::System);
    let agent = Handle::actor("https://a.example", "agent");
    let cutoff = |seconds| Entry::new(Some(at(seconds)), None);
    revoke(&store, &agent, cutoff(NOW), at(NOW));
    revoke(&store, &agent, cutoff(NOW - 100), at(NOW));
    assert_eq!(get(&store, &agent).unwrap().cutoff(), Some(NOW));
    revoke(&store, &agent, all(), at(NOW));
    revoke(&store, &agent, cutoff(NOW), at(NOW));
    assert_eq!(get(&store, &agent).unwrap().cutoff(), None);
    lift(&store, &agent, at(NOW));
    assert!(get(&store, &agent).unwrap().has_ended(at(0)));
    // Later than the lift, and alone: what was lifted does not come back.
    revoke(&store, &agent, cutoff(NOW + 5), at(NOW));
    assert_eq!(get(&store, &agent).unwrap().cutoff(), Some(NOW + 5));
}

#[test]
fn what_has_ended_does_not_come_back_with_what_is_revoked_anew() {
    let store = RevocationStore::new(Clock::System);
    let agent = Handle::actor("https://a.example", "agent");
    revoke(
        &store,
        &agent,
        Entry::new(None, Some(at(NOW + 10))),
        at(NOW),
    );
    assert!(!get(&store, &agent).unwrap().has_ended(at(NOW + 9)));
    assert!(get(&store, &agent).unwrap().has_ended(at(NOW + 10)));
    revoke(
        &store,
        &agent,
        Entry::new(Some(at(NOW)), None),
        at(NOW + 10),
    );
    assert_eq!(get(&store, &agent).unwrap().cutoff(), Some(NOW));
}

#[test]
fn rev_02_a_cutoff_counts_its_second_whole() {
    let fraction = NumericDate::from_json_number("1800000000.25").unwrap();
    assert_eq!(Entry::new(Some(fraction), None).cutoff(), Some(NOW));
    assert_eq!(Entry::new(Some(at(NOW)), None).cutoff(), Some(NOW));
    // Beyond what 32 bits count: a cut-off, and not "all".
    assert_eq!(
        Entry::new(Some(NumericDate::LAST), None).cutoff(),
        Some(i64::from(u32::MAX) - 1)
    );
    assert!(!Entry::new(None, Some(NumericDate::LAST)).has_ended(NumericDate::LAST));
    // No entry is one that was lifted.
    assert!(!Entry::new(None, Some(at(0))).has_ended(at(0)));
}

/// A map says what must be there, whatever was merged in between.
#[test]
fn tables_bases_and_merges_remember_what_a_map_does() {
    let store = RevocationStore::new(Clock::System);
    let mut expected: BTreeMap<u32, Option<i64>> = BTreeMap::new();
    let handle = |number: u32| Handle::token("https://a.example", &number.to_string());
    let mut random = 0x2545_f491_u32;
    for round in 0..40_000_u32 {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let number = random % 10_000;
        if random.is_multiple_of(7) {
            lift(&store, &handle(number), at(NOW));
            expected.insert(number, None);
        } else {
            let cutoff = NOW + i64::from(random % 1000);
            let before = expected.get(&number).copied().flatten();
            revoke(
                &store,
                &handle(number),
                Entry::new(Some(at(cutoff)), None),
                at(NOW),
            );
            expected.insert(number, before.max(Some(cutoff)));
        }
        if round % 9_973 == 0 {
            store.merge(at(NOW));
            assert!(!store.wants_merging());
        }
    }
    for number in 0..10_000 {
        let found = get(&store, &handle(number));
        let found = found.filter(|entry| !entry.has_ended(at(NOW)));
        let expected = expected.get(&number).copied().flatten();
        assert_eq!(found.and_then(Entry::cutoff), expected, "{number}");
    }
}

#[test]
fn a_merge_forgets_what_has_ended_and_gives_its_room_back() {
    let store = RevocationStore::new(Clock::System);
    let handle = |number: u32| Handle::token("https://a.example", &number.to_string());
    for number in 0..20_000 {
        let end = at(NOW + i64::from(number % 2) * 100);
        revoke(
            &store,
            &handle(number),
            Entry::new(None, Some(end)),
            at(NOW - 1),
        );
    }
    let before = store.stats();
    assert_eq!((before.entries, before.epoch), (20_000, 20_000));
    store.merge(at(NOW + 50));
    let after = store.stats();
    // Those of the newest table are still being written.
    assert!((10_000..11_024).contains(&after.entries), "{after:?}");
    assert!(after.bytes < before.bytes, "{after:?}");
    assert!(get(&store, &handle(1)).is_some() && get(&store, &handle(0)).is_none());
}

#[test]
fn a_filter_says_look_to_all_it_holds_and_to_one_in_a_thousand_others() {
    let store = RevocationStore::new(Clock::System);
    let hash =
        |number: u32| store.hash(HandleKind::Token, "https://a.example", &number.to_string());
    let filter = Filter::new(100_000);
    assert_eq!(filter.size(), 200_000, "16 bits each");
    (0..100_000).for_each(|number| filter.insert(hash(number)));
    assert!((0..100_000).all(|number| filter.may_hold(hash(number))));
    let wrong = (100_000..1_100_000).filter(|number| filter.may_hold(hash(*number)));
    assert!((500..1_500).contains(&wrong.count()));
    assert!(!Filter::new(0).may_hold(hash(1)));
}

/// Whoever reads after a write has returned sees it, while tables are sealed and merged.
#[test]
fn what_is_revoked_stays_revoked_for_every_reader() {
    let store = RevocationStore::new(Clock::System);
    let handle = |number: u32| Handle::actor("https://a.example", &number.to_string());
    let written = std::sync::atomic::AtomicU32::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..30_000 {
                revoke(&store, &handle(number), all(), at(NOW));
                written.store(number + 1, Ordering::Release);
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                store.merge(at(NOW));
            }
        });
        let mut seen = 0;
        while !done.load(Ordering::Acquire) {
            let written = written.load(Ordering::Acquire);
            for number in [0, seen, written / 2, written.saturating_sub(1)] {
                let there = number >= written || get(&store, &handle(number)).is_some();
                assert!(there, "{number} of {written}");
            }
            seen = written.saturating_sub(1);
        }
    });
    store.merge(at(NOW));
    assert!((0..30_000).all(|number| get(&store, &handle(number)).is_some()));
}

/// REV-08: of what is told in any order, the latest counts, and only of accounts is it lifted.
#[test]
fn rev_08_only_what_happened_later_lifts() {
    let account = || Handle::disabled("https://a.example", "u1");
    let disabled =
        |seconds| Change::revoked(account(), Some(at(seconds)), None, at(seconds)).from_event();
    let enabled = |seconds| Change::lifted(account(), at(seconds)).from_event();
    let stands = |told: &[Change]| {
        let store = RevocationStore::new(Clock::System);
        for change in told {
            store.apply(change, at(NOW));
        }
        get(&store, &account()).is_some_and(|entry| !entry.has_ended(at(NOW)))
    };
    assert!(stands(&[disabled(NOW - 9)]));
    assert!(!stands(&[disabled(NOW - 9), enabled(NOW - 8)]));
    assert!(stands(&[disabled(NOW - 9), enabled(NOW - 10)]));
    assert!(!stands(&[enabled(NOW - 8), disabled(NOW - 9)]));
    assert!(stands(&[enabled(NOW - 8), disabled(NOW - 7)]));
    assert!(stands(&[
        disabled(NOW - 7),
        enabled(NOW - 8),
        disabled(NOW - 9)
    ]));
    // In one second: what is told later.
    assert!(!stands(&[disabled(NOW), enabled(NOW)]));
    assert!(stands(&[enabled(NOW), disabled(NOW)]));
}

#[test]
fn rev_08_an_event_from_before_does_not_undo_what_an_operator_has_done_since() {
    let store = RevocationStore::new(Clock::System);
    let u1 = Handle::subject("https://a.example", "u1");
    let told = Change::revoked(u1.clone(), Some(at(NOW - 10)), None, at(NOW - 10)).from_event();
    assert_eq!(store.apply(&told, at(NOW)), 1);
    assert_eq!(store.apply(&told, at(NOW)), 1, "known already");
    lift(&store, &u1, at(NOW));
    assert_eq!(store.apply(&told, at(NOW)), 2, "lifted since");
    assert!(get(&store, &u1).unwrap().has_ended(at(NOW)));
    // Whoever revokes an account by hand has given no time: no event is later.
    let account = Handle::account("https://a.example", "u1");
    revoke(&store, &account, all(), at(NOW));
    assert_eq!(
        store.apply(
            &Change::lifted(account.clone(), at(NOW + 9)).from_event(),
            at(NOW)
        ),
        3
    );
    lift(&store, &account, at(NOW));
    assert!(get(&store, &account).unwrap().has_ended(at(NOW)));
}

#[test]
fn what_was_lifted_is_remembered_for_as_long_as_events_from_before_are_taken() {
    const DAY: i64 = 24 * 60 * 60;
    let store = RevocationStore::new(Clock::System);
    let handle = |number: u32| Handle::disabled("https://a.example", &number.to_string());
    for number in 0..2000 {
        store.apply(
            &Change::lifted(handle(number), at(NOW)).from_event(),
            at(NOW),
        );
    }
    store.merge(at(NOW + 8 * DAY - 1));
    assert!(get(&store, &handle(0)).is_some());
    for number in 2000..4000 {
        store.apply(
            &Change::lifted(handle(number), at(NOW + DAY)).from_event(),
            at(NOW),
        );
    }
    store.merge(at(NOW + 8 * DAY));
    assert!(get(&store, &handle(0)).is_none() && get(&store, &handle(2000)).is_some());
}

/// A store that folds its log comes to the same as a process that reads it letter by letter.
#[test]
fn a_folded_log_says_what_its_letters_say() {
    let mut random = 0x2545_f491_u32;
    let mut draw = |below: u32| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random % below
    };
    for round in 0..5_000 {
        let kind = [HandleKind::Account, HandleKind::Disabled][round % 2];
        let handle = || Handle::new(kind, "https://a.example", "u1");
        let store = RevocationStore::new(Clock::System);
        let mut folded: Option<Change> = None;
        for step in 0..8 {
            let now = at(NOW + step);
            let date = |seconds: u32| at(NOW - 4 + i64::from(seconds));
            let told = date(draw(12));
            let change = match draw(4) {
                0 => Change::lifted(handle(), told),
                1 => Change::revoked(handle(), None, None, told),
                2 => Change::revoked(handle(), None, Some(date(draw(16))), told),
                _ => Change::revoked(handle(), Some(date(draw(12))), None, told),
            };
            let change = if draw(2) == 0 {
                change
            } else {
                change.from_event()
            };
            store.apply(&change, now);
            folded = change.after(folded.as_ref(), now).or(folded);
        }
        let other = RevocationStore::new(Clock::System);
        if let Some(folded) = folded {
            other.apply(&folded, at(NOW));
        }
        let says = |store| get(store, &handle()).filter(|entry| entry.lifted_at().is_none());
        assert_eq!(says(&other), says(&store));
    }
}

fn handle(number: u32) -> Handle {
    Handle::token("https://a.example", &number.to_string())
}

fn known(value: &str, entry: Option<Entry>) -> Known<'_> {
    Known {
        kind: HandleKind::Token,
        scope: "https://a.example",
        value,
        told: Told::later(entry.unwrap_or_else(|| Entry::lifted(at(NOW)))),
    }
}

/// Fills the store with these; `None` for what was lifted.
fn fill(store: &RevocationStore, brought: &[(u32, Option<Entry>)]) -> u64 {
    let filled = store.fill(at(NOW), |learn| {
        for (number, entry) in brought {
            learn(known(&number.to_string(), *entry));
        }
        Ok::<_, ()>(())
    });
    filled.unwrap()
}

/// Numbers below another, the same in every run.
fn draws() -> impl FnMut(u32) -> u32 {
    let mut random = 0x2545_f491_u32;
    move |below| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random % below
    }
}

/// What counts of a handle.
fn counts(store: &RevocationStore, number: u32) -> Option<Entry> {
    let found = get(store, &handle(number));
    found.filter(|entry| !entry.has_ended(at(NOW)))
}

/// Whatever was there, and wherever it lay.
#[test]
fn many_at_once_are_what_they_would_be_one_by_one() {
    let [filled, single] = [(); 2].map(|()| RevocationStore::new(Clock::System));
    let mut next = draws();
    let date = |seconds: u32| Some(at(NOW - 500 + i64::from(seconds)));
    for round in 0..12 {
        for _ in 0..next(3_000) {
            let number = next(4_000);
            if next(5) == 0 {
                for store in [&filled, &single] {
                    lift(store, &handle(number), at(NOW));
                }
            } else {
                let end = (next(2) == 0).then(|| at(NOW + 1 + i64::from(next(500))));
                let entry = Entry::new(date(next(1_000)), end);
                for store in [&filled, &single] {
                    revoke(store, &handle(number), entry, at(NOW));
                }
            }
        }
        if round % 4 == 3 {
            filled.merge(at(NOW));
        }
        let mut brought = BTreeMap::new();
        for _ in 0..next(3_000) {
            // Some have ended.
            let ends = if next(2) == 0 {
                date(next(1_000))
            } else {
                None
            };
            let entry = (next(5) != 0).then(|| Entry::new(date(next(1_000)), ends));
            brought.insert(next(4_000), entry);
        }
        let brought: Vec<_> = brought.into_iter().collect();
        let before = filled.epoch();
        assert_eq!(fill(&filled, &brought), before + 1, "one epoch");
        for (number, entry) in brought {
            match entry {
                Some(entry) if entry.has_ended(at(NOW)) => {}
                Some(entry) => {
                    revoke(&single, &handle(number), entry, at(NOW));
                }
                None => {
                    lift(&single, &handle(number), at(NOW));
                }
            }
        }
        for number in 0..4_000 {
            assert_eq!(
                counts(&filled, number),
                counts(&single, number),
                "{number} in {round}"
            );
        }
    }
    assert!(filled.stats().bytes < 40 * 4_000 + 3 * 1024 * 48);
}

#[test]
fn a_first_fill_takes_no_more_than_it_needs() {
    let store = RevocationStore::new(Clock::System);
    let brought: Vec<_> = (0..50_000).map(|number| (number, Some(all()))).collect();
    assert_eq!(fill(&store, &brought), 1);
    let stats = store.stats();
    assert_eq!(stats.entries, 50_000);
    assert!(
        stats.bytes < 27 * 50_000,
        "24 bytes and a filter: {stats:?}"
    );
    assert!((0..50_000).all(|number| counts(&store, number).is_some()));
    assert!((50_000..60_000).all(|number| counts(&store, number).is_none()));
    assert_eq!(fill(&store, &[(1, None), (2, None), (2, Some(all()))]), 2);
    assert!(counts(&store, 1).is_none() && counts(&store, 2).is_some());
    // Nothing is news to nobody.
    assert_eq!(fill(&store, &[]), 2);
}

#[test]
fn a_source_that_fails_changes_nothing() {
    let store = RevocationStore::new(Clock::System);
    revoke(&store, &handle(1), all(), at(NOW));
    let failed = store.fill(at(NOW), |learn| {
        for (value, entry) in [("1", None), ("2", Some(all()))] {
            learn(known(value, entry));
        }
        Err("broken")
    });
    assert_eq!(failed, Err("broken"));
    assert_eq!(store.epoch(), 1);
    assert!(counts(&store, 1).is_some() && counts(&store, 2).is_none());
}

#[test]
fn what_is_revoked_while_a_store_is_filled_stays_and_counts_with_what_is_brought() {
    let store = RevocationStore::new(Clock::System);
    let cutoff = |seconds| Entry::new(Some(at(seconds)), None);
    revoke(&store, &handle(1), all(), at(NOW));
    let filled = store.fill(at(NOW), |learn| {
        let mut bring = |value: &str, entry| learn(known(value, entry));
        bring("1", None);
        bring("2", None);
        bring("3", Some(cutoff(NOW)));
        bring("4", Some(cutoff(NOW)));
        // After what the source knows; enough of them for several tables.
        for number in 2..5_000 {
            revoke(&store, &handle(number), cutoff(NOW - 9), at(NOW));
        }
        lift(&store, &handle(4), at(NOW));
        Ok::<_, ()>(())
    });
    assert_eq!(filled, Ok(store.epoch()));
    let cutoffs = [1, 2, 3, 4, 5].map(|number| counts(&store, number).and_then(Entry::cutoff));
    let [late, early] = [Some(NOW), Some(NOW - 9)];
    assert_eq!(cutoffs, [None, early, late, None, early]);
    assert!((5..5_000).all(|number| counts(&store, number).is_some()));
    store.merge(at(NOW));
    assert_eq!(counts(&store, 3), Some(cutoff(NOW)));
    assert_eq!(counts(&store, 4), None);
    assert!((5..5_000).all(|number| counts(&store, number).is_some()));
}

/// What an event told at that second.
fn event(value: &str, what: Entry, seconds: i64) -> Known<'_> {
    let told = Told::new(what, at(seconds), true);
    Known {
        told,
        ..known(value, None)
    }
}

#[test]
fn events_are_filled_in_like_anything_else() {
    let store = RevocationStore::new(Clock::System);
    let numbers: Vec<_> = (0..50_000).map(|number: u32| number.to_string()).collect();
    let filled = store.fill(at(NOW), |learn| {
        for number in &numbers {
            learn(event(number, all(), NOW - 5));
        }
        Ok::<_, ()>(())
    });
    assert_eq!(filled, Ok(1), "one epoch, and no table after another");
    let stats = store.stats();
    assert_eq!(stats.entries, 50_000);
    assert!(stats.bytes < 27 * 50_000, "{stats:?}");
    assert!((0..50_000).all(|number| counts(&store, number).is_some()));
}

/// Beside what is known already, as far as that happened later.
#[test]
fn many_events_at_once_are_what_they_would_be_one_by_one() {
    let [filled, single] = [(); 2].map(|()| RevocationStore::new(Clock::System));
    let mut next = draws();
    for round in 0..12 {
        for _ in 0..next(1_000) {
            let number = next(3_000);
            let moment = at(NOW - i64::from(next(300)));
            for store in [&filled, &single] {
                match number % 3 {
                    0 => lift(store, &handle(number), moment),
                    _ => revoke(
                        store,
                        &handle(number),
                        Entry::new(Some(moment), None),
                        moment,
                    ),
                }
            }
        }
        let mut told = BTreeMap::new();
        for _ in 0..next(3_000) {
            let seconds = NOW - i64::from(next(300));
            let what = match next(4) {
                0 => Entry::lifted(at(seconds)),
                1 => all(),
                _ => Entry::new(Some(at(seconds)), None),
            };
            told.insert(next(3_000).to_string(), (what, seconds));
        }
        let before = filled.epoch();
        let epoch = filled.fill(at(NOW), |learn| {
            for (number, (what, seconds)) in &told {
                learn(event(number, *what, *seconds));
            }
            Ok::<_, ()>(())
        });
        assert!(epoch.unwrap() <= before + 1);
        for (number, (what, seconds)) in &told {
            single.learn(event(number, *what, *seconds), at(NOW));
        }
        for number in 0..3_000 {
            let known = |store: &RevocationStore| get(store, &handle(number));
            assert_eq!(known(&filled), known(&single), "{number} in {round}");
        }
    }
}

/// REV-08: what an event lifts while a store is filled counts from when it happened, and what
/// somebody lifts from now on.
#[test]
fn rev_08_a_lift_while_a_store_is_filled_hides_nothing_that_happened_later() {
    let store = RevocationStore::new(Clock::System);
    let account = |name: &str| Handle::account("https://a.example", name);
    let disabled = |name: &str, seconds| {
        Change::revoked(account(name), Some(at(seconds)), None, at(seconds)).from_event()
    };
    let brought = [
        // As an engine folds it that has had other events of that account before.
        Change::revoked(account("later"), Some(at(NOW - 4)), None, at(NOW - 4)),
        Change::revoked(account("earlier"), Some(at(NOW - 6)), None, at(NOW - 6)),
        Change::revoked(account("by hand"), None, None, at(NOW - 9)),
        Change::revoked(account("lifted by hand"), None, None, at(NOW - 9)),
        disabled("later, alone", NOW - 4),
        disabled("earlier, alone", NOW - 6),
    ];
    let filled = store.fill(at(NOW), |learn| {
        for change in &brought {
            learn(change.known());
        }
        for name in [
            "later",
            "earlier",
            "by hand",
            "later, alone",
            "earlier, alone",
        ] {
            let enabled = Change::lifted(account(name), at(NOW - 5)).from_event();
            store.apply(&enabled, at(NOW));
        }
        lift(&store, &account("lifted by hand"), at(NOW));
        // Nobody knew of it, so that it was not kept: but somebody did.
        revoke(&store, &account("lifted by hand"), all(), at(NOW));
        lift(&store, &account("lifted by hand"), at(NOW));
        Ok::<_, ()>(())
    });
    assert_eq!(filled, Ok(store.epoch()));
    store.merge(at(NOW));
    let stands = |name| get(&store, &account(name)).is_some_and(|entry| !entry.has_ended(at(NOW)));
    for (name, expected) in [
        ("later", true),
        ("earlier", false),
        ("by hand", true), // gives no time: no event is later
        ("lifted by hand", false),
        ("later, alone", true),
        ("earlier, alone", false),
    ] {
        assert_eq!(stands(name), expected, "{name}");
    }
}

#[test]
fn a_merge_does_not_wait_for_a_store_that_is_filled() {
    let store = RevocationStore::new(Clock::System);
    for number in 0..5_000 {
        revoke(&store, &handle(number), all(), at(NOW));
    }
    assert!(store.wants_merging());
    let (merged, waiting) = std::sync::mpsc::channel();
    let (store, merged) = (&store, &merged);
    let filled = std::thread::scope(|scope| {
        store.fill(at(NOW), |_| {
            scope.spawn(move || {
                store.merge(at(NOW));
                let _ = merged.send(());
            });
            // An error ends the filling: whoever waits for it then goes on, and the test fails.
            waiting.recv_timeout(std::time::Duration::from_secs(20))
        })
    });
    assert_eq!(filled.err(), None);
}
