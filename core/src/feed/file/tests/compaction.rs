//! A journal that becomes a snapshot, under readers and writers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::{
    ISS, NOW, Place, State, at, at_once, letter, load, load_from, news, numbers, revoked, token,
};
use crate::feed::file::compact::{Compaction, Work, compact};
use crate::feed::file::lock::{Lock, Share};
use crate::feed::file::promise::Promise;
use crate::feed::file::record::{FRAME, put_record, seal};
use crate::feed::{Engine, Letter, Progress};
use crate::revocation::{Change, Handle};
use crate::time::{Clock, FixedClock};

/// More than a header and one record.
const SOME: u64 = 600;

fn journals(place: &Place) -> Vec<String> {
    let names = place.files().into_keys();
    names.filter(|name| name.starts_with("journal-")).collect()
}

#[test]
fn a_reader_goes_on_where_one_journal_takes_the_place_of_another() {
    let place = Place::new();
    let engine = place.engine_with(SOME, |_| {});
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    let mut writer = engine.writer().unwrap();
    let mut expected = Vec::new();
    for number in 1..100 {
        writer.write(&[revoked(number)]).unwrap();
        let (letters, progress) = news(&mut *reader);
        assert_eq!((letters, progress), (vec![number], Progress::CaughtUp));
        expected.push(number);
        assert_eq!(journals(&place).len(), 1);
    }
    assert_ne!(journals(&place), ["journal-00000000000000000001"]);
    assert_eq!(numbers(&load_from(&place.engine()).unwrap()), expected);
}

#[test]
fn a_reader_that_missed_a_journal_begins_again() {
    let place = Place::new();
    let engine = place.engine_with(SOME, |_| {});
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    let mut writer = engine.writer().unwrap();
    for number in 1..100 {
        writer.write(&[revoked(number)]).unwrap();
    }
    // What it had open it reads; then there is a hole.
    let (mut read, progress) = news(&mut *reader);
    assert_eq!(progress, Progress::Gap);
    assert!(read.len() < 99);
    read.extend(numbers(&load(&mut *reader).unwrap()));
    read.sort_unstable();
    read.dedup();
    assert_eq!(read, (1..100).collect::<Vec<u64>>());
    writer.write(&[revoked(100)]).unwrap();
    assert_eq!(news(&mut *reader), (vec![100], Progress::CaughtUp));
}

#[test]
fn what_is_written_while_another_compacts_is_kept() {
    let place = Place::new();
    let other = place.engine();
    let mut writer = other.writer().unwrap();
    writer.write(&[revoked(1), revoked(2)]).unwrap();
    // Whoever compacts has read the journal when it asks for the lock, and waits for it.
    let held = Mutex::new(Lock::attempt(&place.file("lock"), Share::Writing).unwrap());
    let writer = Mutex::new(writer);
    let engine = place.engine_with(1, move |_| {
        if held.lock().unwrap().take().is_some() {
            writer
                .lock()
                .unwrap()
                .write(&[revoked(3), revoked(4)])
                .unwrap();
        }
    });
    let mut reader = other.reader().unwrap();
    load(&mut *reader).unwrap();
    assert_eq!(
        compact(&engine.open().unwrap(), at(NOW), &|| true),
        Ok(true)
    );
    assert_eq!(journals(&place), ["journal-00000000000000000003"]);
    assert_eq!(news(&mut *reader), (vec![3, 4], Progress::CaughtUp));
    assert_eq!(numbers(&load_from(&engine).unwrap()), [1, 2, 3, 4]);
    // There is nothing left to do but to bring in those two.
    assert_eq!(
        compact(&engine.open().unwrap(), at(NOW), &|| true),
        Ok(true)
    );
    assert_eq!(
        compact(&engine.open().unwrap(), at(NOW), &|| true),
        Ok(false)
    );
    assert_eq!(numbers(&load_from(&engine).unwrap()), [1, 2, 3, 4]);
}

/// A map says what must be there, whatever was compacted or opened anew in between.
#[test]
fn journals_and_snapshots_remember_what_a_map_does() {
    let place = Place::new();
    let engine = place.engine_with(2_000, |_| {});
    let mut writer = engine.writer().unwrap();
    let mut cutoffs = BTreeMap::new();
    let mut random = 0x2545_f491_u32;
    for round in 1..=1_500_u64 {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let number = u64::from(random % 150);
        let handle = match random >> 8 & 3 {
            0 => Handle::token(ISS, &format!("token-{number}")),
            1 => Handle::token("https://b.example", &format!("token-{number}")),
            2 => Handle::actor(ISS, &format!("agent-{number}")),
            _ => Handle::issuer(&format!("https://{number}.example")),
        };
        let key = (
            handle.kind().number(),
            handle.scope().to_owned(),
            handle.value().to_owned(),
        );
        let change = if random.is_multiple_of(7) {
            cutoffs.insert(key, None);
            Change::lifted(handle, at(NOW))
        } else {
            let cutoff = NOW + i64::from(random >> 10 & 0xff);
            let before = cutoffs.get(&key).copied().flatten();
            cutoffs.insert(key, before.max(Some(cutoff)));
            let cutoff = at(cutoff);
            Change::revoked(handle, Some(cutoff), None, at(NOW))
        };
        let letter = Letter {
            origin: 1,
            number: round,
            change,
        };
        writer.write(&[letter]).unwrap();
        if round % 97 == 0 {
            let told = |cutoff: &Option<i64>| {
                let change = match cutoff {
                    Some(cutoff) => {
                        Change::revoked(Handle::issuer(""), Some(at(*cutoff)), None, at(NOW))
                    }
                    None => Change::lifted(Handle::issuer(""), at(NOW)),
                };
                change.known().told
            };
            let expected = cutoffs.iter();
            let expected: State = expected
                .map(|(key, cutoff)| (key.clone(), told(cutoff)))
                .collect();
            assert_eq!(load_from(&place.engine()).unwrap(), expected, "{round}");
        }
    }
    assert_ne!(journals(&place), ["journal-00000000000000000001"]);
    let mut changes = Vec::new();
    place
        .engine()
        .looker()
        .unwrap()
        .changes(&mut |change| changes.push(change))
        .unwrap();
    let keys = changes.iter().map(|change| {
        let handle = change.handle();
        (
            handle.kind().number(),
            handle.scope().to_owned(),
            handle.value().to_owned(),
        )
    });
    assert!(keys.eq(cutoffs.into_keys()), "in order, each once");
}

#[test]
fn what_has_ended_is_forgotten_after_a_day_and_what_was_lifted_after_nine() {
    let place = Place::new();
    let clock = Arc::new(FixedClock::new(NOW));
    let mut engine = place.engine_with(1, |_| {});
    engine.compaction = Compaction::new(Clock::Fixed(Arc::clone(&clock)), 1, at_once);
    let mut writer = engine.writer().unwrap();
    let handle = |name: &str| Handle::session(ISS, name);
    let changes = [
        Change::revoked(handle("ends"), None, Some(at(NOW + 100)), at(NOW)),
        Change::revoked(handle("stays"), None, None, at(NOW)).because("for good"),
        Change::revoked(handle("lifted"), None, None, at(NOW)),
        Change::lifted(handle("lifted"), at(NOW + 50)),
    ];
    let letters = (1..)
        .zip(changes)
        .map(|(number, change)| letter(number, change));
    writer.write(&letters.collect::<Vec<_>>()).unwrap();
    let day = 24 * 3600;
    for (now, left) in [
        (NOW + day + 99, vec!["ends", "lifted", "stays"]),
        (NOW + day + 100, vec!["lifted", "stays"]),
        (NOW + 9 * day + 49, vec!["lifted", "stays"]),
        (NOW + 9 * day + 50, vec!["stays"]),
    ] {
        clock.set(now);
        writer.write(&[revoked(9)]).unwrap();
        let state = load_from(&engine).unwrap();
        let sessions = state.keys().filter(|(kind, ..)| *kind == 1);
        let names: Vec<&str> = sessions.map(|(.., name)| name.as_str()).collect();
        assert_eq!(names, left, "{now}");
    }
    let mut reasons = Vec::new();
    engine
        .looker()
        .unwrap()
        .changes(&mut |change| reasons.extend(change.reason().map(str::to_owned)))
        .unwrap();
    assert_eq!(reasons, ["for good"]);
}

#[test]
fn what_a_later_version_wrote_is_passed_over_and_never_compacted_away() {
    let place = Place::new();
    let engine = place.engine();
    engine.writer().unwrap().write(&[revoked(1)]).unwrap();
    let (id, _) = Promise::read(&place.file("committed")).unwrap().unwrap();
    let mut record = Vec::new();
    put_record(id, 2, &revoked(2), &mut record);
    let mut held = record.split_off(FRAME);
    held[8 + 1] |= 0x80; // another flag, after who wrote it
    let record = [&seal(id, 2, &held)[..], &held].concat();
    let path = place.file("journal-00000000000000000001");
    let mut journal = fs::read(&path).unwrap();
    journal.extend(&record);
    fs::write(&path, &journal).unwrap();

    let engine = place.engine_with(1, |_| {});
    let mut reader = engine.reader().unwrap();
    assert_eq!(numbers(&load(&mut *reader).unwrap()), [1]);
    assert_eq!(reader.unreadable(), 1);
    engine.writer().unwrap().write(&[revoked(3)]).unwrap();
    assert_eq!(news(&mut *reader), (vec![3], Progress::CaughtUp));
    let journal = fs::read(&path).unwrap();
    assert!(journal.windows(record.len()).any(|window| window == record));
    assert!(!place.file("snapshot").exists() && !place.file("snapshot.tmp").exists());
    assert_eq!(numbers(&load_from(&place.engine()).unwrap()), [1, 3]);
}

#[test]
fn what_a_process_that_ended_left_behind_does_no_harm() {
    let place = Place::new();
    let engine = place.engine_with(SOME, |_| {});
    let mut writer = engine.writer().unwrap();
    (1..5).for_each(|number| writer.write(&[revoked(number)]).unwrap());
    fs::write(place.file("snapshot.tmp"), "half").unwrap();
    fs::write(place.file("committed.tmp"), "half").unwrap();
    fs::write(place.file("journal-00000000000000000003"), "half").unwrap();
    (5..50).for_each(|number| writer.write(&[revoked(number)]).unwrap());
    assert_eq!(journals(&place).len(), 1);
    assert!(!place.file("snapshot.tmp").exists());
    assert_eq!(load_from(&engine).unwrap().len(), 49);
}

thread_local! {
    static BEGUN: RefCell<Vec<Work>> = const { RefCell::new(Vec::new()) };
}

/// A thread that does nothing before it is told to.
fn later(work: Work) {
    BEGUN.with_borrow_mut(|begun| begun.push(work));
}

#[test]
fn nobody_who_revokes_or_reads_waits_for_a_snapshot_and_one_at_a_time_is_made() {
    let place = Place::new();
    let mut engine = place.engine();
    engine.compaction = Compaction::new(Clock::fixed(NOW), SOME, later);
    let mut writer = engine.writer().unwrap();
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    (1..50).for_each(|number| writer.write(&[revoked(number)]).unwrap());
    assert_eq!(news(&mut *reader).0.len(), 49);
    assert!(!place.file("snapshot").exists());
    let begun = BEGUN.take();
    assert_eq!(begun.len(), 1);
    begun.into_iter().for_each(|work| work());
    assert!(place.file("snapshot").exists());
    assert_eq!(journals(&place), ["journal-00000000000000000050"]);
    // And again, when it is too long again.
    (50..99).for_each(|number| writer.write(&[revoked(number)]).unwrap());
    assert_eq!(BEGUN.take().len(), 1);
    assert_eq!(load_from(&engine).unwrap().len(), 98);
}

/// What `sealgate revoke` writes, which is over before a snapshot could be made.
#[test]
fn who_reads_a_store_makes_the_snapshot_for_those_who_only_write() {
    let place = Place::new();
    let writing = place.engine();
    let mut reading = place.engine();
    reading.compaction = Compaction::new(Clock::fixed(NOW), SOME, later);
    let mut reader = reading.reader().unwrap();
    load(&mut *reader).unwrap();
    let mut writer = writing.writer().unwrap();
    (1..50).for_each(|number| writer.write(&[revoked(number)]).unwrap());
    let mut looker = reading.looker().unwrap();
    load(&mut *looker).unwrap();
    news(&mut *looker);
    assert_eq!(BEGUN.take().len(), 0, "whoever only looks changes nothing");
    news(&mut *reader);
    BEGUN.take().into_iter().for_each(|work| work());
    assert_eq!(journals(&place), ["journal-00000000000000000050"]);
    assert_eq!(news(&mut *reader), (vec![], Progress::CaughtUp));
}

#[test]
fn a_snapshot_that_cannot_be_made_is_told_of_and_tried_again() {
    let place = Place::new();
    let mut engine = place.engine();
    engine.compaction = Compaction::new(Clock::fixed(NOW), SOME, later);
    let mut writer = engine.writer().unwrap();
    let mut write = |numbers: Range<u64>| {
        numbers.for_each(|number| writer.write(&[revoked(number)]).unwrap());
        BEGUN.take()
    };
    // No file can take the place of a folder.
    fs::create_dir(place.file("snapshot.tmp")).unwrap();
    write(1..50).into_iter().for_each(|work| work());
    let trouble = engine.trouble().unwrap().text;
    assert!(trouble.contains("snapshot.tmp"), "{trouble}");
    fs::remove_dir(place.file("snapshot.tmp")).unwrap();
    // One that panics, or never begins, drops what it was to do.
    let begun = write(50..99);
    assert_eq!(begun.len(), 1, "it has grown");
    drop(begun);
    let trouble = engine.trouble().unwrap().text;
    assert!(trouble.contains("panicked"), "{trouble}");
    let begun = write(99..150);
    assert_eq!(begun.len(), 1);
    begun.into_iter().for_each(|work| work());
    assert!(place.file("snapshot").exists());
    assert_eq!(engine.trouble(), None);
}

#[test]
fn a_snapshot_that_nobody_wants_any_more_is_not_finished() {
    let place = Place::new();
    let mut engine = place.engine();
    engine.compaction = Compaction::new(Clock::fixed(NOW), SOME, later);
    let mut writer = engine.writer().unwrap();
    (1..50).for_each(|number| writer.write(&[revoked(number)]).unwrap());
    let folder = engine.open().unwrap();
    drop((engine, writer));
    BEGUN.take().into_iter().for_each(|work| work());
    let given_up = compact(&folder, at(NOW), &|| false);
    assert!(given_up.is_err_and(|error| error.passes));
    assert_eq!(journals(&place), ["journal-00000000000000000001"]);
    assert!(!place.file("snapshot").exists() && !place.file("snapshot.tmp").exists());
}

/// The letters are in the journal, and whoever wrote them was told of an error: noting the end
/// failed.
#[test]
fn what_is_there_already_is_not_written_twice() {
    let place = Place::new();
    let lift = letter(2, Change::lifted(token(1), at(NOW)));
    let mut writer = place.engine().writer().unwrap();
    writer.write(&[revoked(1)]).unwrap();
    let noted = fs::read(place.file("committed")).unwrap();
    writer.write(std::slice::from_ref(&lift)).unwrap();
    fs::write(place.file("committed"), noted).unwrap();
    let journal = || fs::read(place.file(&journals(&place)[0])).unwrap();
    let before = journal();

    // Somebody else revokes in between, once before and once after it is known.
    let again = Change::revoked(token(1), None, None, at(NOW + 1));
    let again = Letter {
        origin: 8,
        number: 1,
        change: again,
    };
    let engine = place.engine();
    engine.writer().unwrap().write(&[again]).unwrap();
    let grown = journal();
    assert!(grown.starts_with(&before) && grown.len() > before.len());
    let mut writer = engine.writer().unwrap();
    writer.write(&[lift, revoked(3)]).unwrap();
    let mut fresh = load_from(&place.engine()).unwrap().into_values();
    assert!(
        fresh.all(|told| !told.lifts()),
        "a lift lifted what came after it"
    );
    assert_eq!(journal().len(), grown.len() + grown.len() - before.len());
    // It knows its own from then on.
    writer.write(&[revoked(4)]).unwrap();
    assert_eq!(numbers(&load_from(&place.engine()).unwrap()), [1, 3, 4]);
}
