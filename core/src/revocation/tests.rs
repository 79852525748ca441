use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::entry::Entry;
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

fn get(store: &RevocationStore, handle: &Handle) -> Option<Entry> {
    let hash = store.hash(handle.kind(), handle.scope(), handle.value());
    store.shelves().get(handle.kind(), hash)
}

#[test]
fn rev_03_a_handle_belongs_to_its_kind_and_issuer() {
    let store = RevocationStore::new(Clock::System);
    store.revoke(&Handle::token("https://a.example", "1"), all(), at(NOW));
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
    store.revoke(&agent, cutoff(NOW), at(NOW));
    store.revoke(&agent, cutoff(NOW - 100), at(NOW));
    assert_eq!(get(&store, &agent).unwrap().cutoff(), Some(NOW));
    store.revoke(&agent, all(), at(NOW));
    store.revoke(&agent, cutoff(NOW), at(NOW));
    assert_eq!(get(&store, &agent).unwrap().cutoff(), None);
    store.lift(&agent);
    assert!(get(&store, &agent).unwrap().has_ended(at(0)));
    // Later than the lift, and alone: what was lifted does not come back.
    store.revoke(&agent, cutoff(NOW + 5), at(NOW));
    assert_eq!(get(&store, &agent).unwrap().cutoff(), Some(NOW + 5));
}

#[test]
fn what_has_ended_does_not_come_back_with_what_is_revoked_anew() {
    let store = RevocationStore::new(Clock::System);
    let agent = Handle::actor("https://a.example", "agent");
    store.revoke(&agent, Entry::new(None, Some(at(NOW + 10))), at(NOW));
    assert!(!get(&store, &agent).unwrap().has_ended(at(NOW + 9)));
    assert!(get(&store, &agent).unwrap().has_ended(at(NOW + 10)));
    store.revoke(&agent, Entry::new(Some(at(NOW)), None), at(NOW + 10));
    assert_eq!(get(&store, &agent).unwrap().cutoff(), Some(NOW));
}

#[test]
fn rev_02_a_cutoff_counts_its_second_whole() {
    let fraction = NumericDate::from_json_number("1800000000.25").unwrap();
    assert_eq!(Entry::new(Some(fraction), None).cutoff(), Some(NOW + 1));
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
            store.lift(&handle(number));
            expected.insert(number, None);
        } else {
            let cutoff = NOW + i64::from(random % 1000);
            let before = expected.get(&number).copied().flatten();
            store.revoke(&handle(number), Entry::new(Some(at(cutoff)), None), at(NOW));
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
        store.revoke(&handle(number), Entry::new(None, Some(end)), at(NOW - 1));
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
                store.revoke(&handle(number), all(), at(NOW));
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
