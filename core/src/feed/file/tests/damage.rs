//! Every byte of every file changed or cut off: what was promised is there, or an error says which
//! file.

use std::collections::BTreeMap;
use std::fs;

use super::{Place, State, assert_broken, load, load_from, news, numbers, revoked};
use crate::feed::file::promise::Promise;
use crate::feed::file::record::put_record;
use crate::feed::{Engine, FeedError, Progress};

type Files = BTreeMap<String, Vec<u8>>;

/// Six tokens in the snapshot, three behind it in the journal.
fn store(place: &Place) -> Files {
    let engine = place.engine_with(1, |_| {});
    let letters: Vec<_> = (1..=6).map(revoked).collect();
    engine.writer().unwrap().write(&letters).unwrap();
    let mut writer = place.engine().writer().unwrap();
    (7..=9).for_each(|number| writer.write(&[revoked(number)]).unwrap());
    let mut files = place.files();
    files.retain(|name, _| name != "lock" && name != "compacting");
    assert_eq!(files.len(), 3, "{files:?}");
    files
}

/// That a store in which `name` was changed gives all nine, or names a file that stays broken.
fn judge(place: &Place, files: &Files, what: &str) -> Result<(), FeedError> {
    place.put(files);
    let holds = |state: &State| {
        let found = numbers(state);
        assert!(
            (1..=9).all(|number| found.contains(&number)),
            "{what}: {found:?}"
        );
    };
    let read = load_from(&place.engine()).map(|state| holds(&state));
    let engine = place.engine();
    let wrote = engine
        .writer()
        .and_then(|mut writer| writer.write(&[revoked(10)]));
    for error in [read.clone().err(), wrote.clone().err()]
        .into_iter()
        .flatten()
    {
        assert!(!error.passes, "{what}: {error}");
        let names = ["committed", "journal-", "snapshot"];
        let named = names.iter().any(|name| error.text.contains(name));
        assert!(named, "{what}: {error}");
    }
    if wrote.is_ok() {
        // Of a broken snapshot whoever only writes does not know.
        let state = load_from(&place.engine());
        assert_eq!(state.is_ok(), read.is_ok(), "{what}");
        if let Ok(state) = state {
            holds(&state);
            assert!(numbers(&state).contains(&10), "{what}");
        }
    }
    read
}

#[test]
fn every_flipped_bit_is_noticed_or_does_no_harm() {
    let place = Place::new();
    let good = store(&place);
    let mut unharmed = BTreeMap::new();
    for (name, bytes) in &good {
        for at in 0..bytes.len() {
            let mut files = good.clone();
            files.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            if judge(&place, &files, &format!("{name}, byte {at}")).is_ok() {
                *unharmed.entry(name.as_str()).or_insert(0) += 1;
            }
        }
    }
    // One of the two places of `committed` is enough, and no byte elsewhere is idle.
    assert_eq!(unharmed.keys().collect::<Vec<_>>(), [&"committed"]);
    assert_eq!(unharmed["committed"], good["committed"].len());
}

#[test]
fn every_region_that_is_overwritten_is_noticed_or_does_no_harm() {
    let place = Place::new();
    let good = store(&place);
    for (name, bytes) in &good {
        for size in [2, 16, 64, 512] {
            for start in (0..bytes.len()).step_by(size) {
                for value in [0, 0xff] {
                    let mut files = good.clone();
                    let end = bytes.len().min(start + size);
                    files.get_mut(name).unwrap()[start..end].fill(value);
                    let what = format!("{name}, {size} bytes at {start}");
                    let result = judge(&place, &files, &what);
                    let changed = files[name] != *bytes;
                    assert!(name == "committed" || result.is_err() == changed, "{what}");
                }
            }
        }
    }
}

#[test]
fn every_length_to_which_a_file_is_cut_is_noticed() {
    let place = Place::new();
    let good = store(&place);
    for (name, bytes) in &good {
        for size in 0..bytes.len() {
            let mut files = good.clone();
            files.get_mut(name).unwrap().truncate(size);
            let what = format!("{name}, cut at {size}");
            let result = judge(&place, &files, &what);
            // The older place of `committed` may be the second.
            assert!(name == "committed" || result.is_err(), "{what}");
        }
        let mut files = good.clone();
        files.remove(name);
        assert!(judge(&place, &files, name).is_err());
    }
}

#[test]
fn an_older_copy_of_any_file_is_noticed() {
    let place = Place::new();
    let engine = place.engine_with(1_000, |_| {});
    let mut writer = engine.writer().unwrap();
    let mut states = Vec::new();
    for number in 1..=40 {
        writer.write(&[revoked(number)]).unwrap();
        states.push(place.files());
    }
    let newest = states.pop().unwrap();
    let mut noticed = BTreeMap::new();
    for older in &states {
        for (name, bytes) in older {
            let kind = name.split('-').next().unwrap();
            if matches!(kind, "lock" | "compacting") || newest.get(name) == Some(bytes) {
                continue;
            }
            let mut files = newest.clone();
            files.insert(name.clone(), bytes.clone());
            place.put(&files);
            let current = newest.contains_key(name);
            match load_from(&place.engine()) {
                Err(error) => {
                    assert!(current && !error.passes, "{name}: {error}");
                    *noticed.entry(kind).or_insert(0) += 1;
                }
                // One that nothing refers to, or a promise to which more was added.
                Ok(state) => {
                    assert!(!current || kind == "committed", "{name}");
                    assert_eq!(state.len(), 40);
                }
            }
        }
    }
    assert_eq!(
        noticed.keys().collect::<Vec<_>>(),
        [&"committed", &"journal", &"snapshot"]
    );
}

#[test]
fn what_nobody_was_promised_counts_when_it_is_whole_and_is_cut_off_when_not() {
    let place = Place::new();
    let good = store(&place);
    place.put(&good);
    let (id, promise) = Promise::read(&place.file("committed")).unwrap().unwrap();
    assert_eq!(promise.sequence, 9);
    let (mut more, mut ends) = (Vec::new(), Vec::new());
    for number in [10, 11] {
        put_record(id, number, &revoked(number), &mut more);
        ends.push(more.len());
    }
    let journal = "journal-00000000000000000007";
    for size in 0..=more.len() {
        let mut files = good.clone();
        files.get_mut(journal).unwrap().extend(&more[..size]);
        place.put(&files);
        let whole = ends.iter().filter(|end| **end <= size).count() as u64;
        let engine = place.engine();
        let mut reader = engine.reader().unwrap();
        let read = numbers(&load(&mut *reader).unwrap());
        assert_eq!(read, (1..=9 + whole).collect::<Vec<u64>>(), "{size}");
        engine.writer().unwrap().write(&[revoked(20)]).unwrap();
        assert_eq!(news(&mut *reader), (vec![20], Progress::CaughtUp), "{size}");
        let (_, promise) = Promise::read(&place.file("committed")).unwrap().unwrap();
        assert_eq!(promise.sequence, 10 + whole);
        assert_eq!(
            fs::metadata(place.file(journal)).unwrap().len(),
            promise.length
        );
        assert_eq!(load_from(&place.engine()).unwrap().len() as u64, 10 + whole);
    }
    // A file that grew without being written, as after a power cut.
    let mut files = good;
    files.get_mut(journal).unwrap().extend([0; 5_000]);
    judge(&place, &files, "zeros").unwrap();
}

#[test]
fn a_version_after_this_one_is_named() {
    let place = Place::new();
    let good = store(&place);
    for (name, bytes) in &good {
        let mut files = good.clone();
        let mut later = bytes.clone();
        for start in [0, 512] {
            if let Some(version) = later.get_mut(start + 8..start + 12) {
                version.copy_from_slice(&7_u32.to_le_bytes());
            }
            if name != "committed" {
                break;
            }
        }
        files.insert(name.clone(), later);
        place.put(&files);
        let words = [name.as_str(), "format version 7", "reads 1"];
        assert_broken(load_from(&place.engine()), &words);
    }
}

#[test]
fn files_of_two_stores_do_not_mix() {
    let places = [Place::new(), Place::new()];
    let [one, other] = places.each_ref().map(store);
    for name in one.keys() {
        let mut files = one.clone();
        files.insert(name.clone(), other[name].clone());
        places[0].put(&files);
        assert_broken(
            load_from(&places[0].engine()),
            &["belongs to another store"],
        );
    }
}
