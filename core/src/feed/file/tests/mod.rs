//! What stores promise, on stores of a few records: who reads them, what may be missing, who may
//! come between.

mod compaction;
#[cfg(unix)]
mod crash;
mod damage;
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::FileEngine;
use super::compact::{Compaction, Work};
use super::lock::{Lock, Share};
use crate::feed::{Engine, FeedError, Letter, Progress, Reader};
use crate::revocation::{Change, Handle, Told};
use crate::time::{Clock, NumericDate};

const NOW: i64 = 1_800_000_000;
const ISS: &str = "https://a.example";

/// A folder for a store, gone with its last user.
struct Place(PathBuf);

impl Place {
    /// In memory where there is such a place: many thousand stores are made.
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let place = Self(parent.join(format!("sealgate-store-{}-{number}", std::process::id())));
        let _ = fs::remove_dir_all(&place.0);
        place
    }

    fn engine(&self) -> FileEngine {
        self.engine_with(u64::MAX, |_| {})
    }

    /// An engine that compacts journals of so many bytes.
    fn engine_with(
        &self,
        small: u64,
        nap: impl Fn(Duration) + Send + Sync + 'static,
    ) -> FileEngine {
        let mut engine = FileEngine::new(&self.0, Clock::fixed(NOW));
        engine.nap = Arc::new(nap);
        engine.compaction = Compaction::new(Clock::fixed(NOW), small, at_once);
        engine
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The files and what is in them.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(&self.0).unwrap().map(Result::unwrap);
        entries
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    fn put(&self, files: &BTreeMap<String, Vec<u8>>) {
        let _ = fs::remove_dir_all(&self.0);
        fs::create_dir(&self.0).unwrap();
        for (name, bytes) in files {
            fs::write(self.file(name), bytes).unwrap();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Compacts on the thread that finds the journal too long.
fn at_once(work: Work) {
    work();
}

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

fn token(number: u64) -> Handle {
    Handle::token(ISS, &format!("token-{number}"))
}

fn letter(number: u64, change: Change) -> Letter {
    Letter {
        origin: 7,
        number,
        change,
    }
}

/// The `number`th token, revoked.
fn revoked(number: u64) -> Letter {
    letter(number, Change::revoked(token(number), None, None, at(NOW)))
}

type State = BTreeMap<(u8, String, String), Told>;

fn load(reader: &mut dyn Reader) -> Result<State, FeedError> {
    let mut state = State::new();
    reader.load(&mut |known| {
        let key = (
            known.kind.number(),
            known.scope.to_owned(),
            known.value.to_owned(),
        );
        assert!(state.insert(key, known.told).is_none(), "each handle once");
    })?;
    Ok(state)
}

fn load_from(engine: &FileEngine) -> Result<State, FeedError> {
    load(&mut *engine.reader()?)
}

fn numbers(state: &State) -> Vec<u64> {
    let number = |value: &str| value.strip_prefix("token-").unwrap().parse().unwrap();
    let mut numbers: Vec<u64> = state.keys().map(|(_, _, value)| number(value)).collect();
    numbers.sort_unstable();
    numbers
}

/// What there is to read now.
fn news(reader: &mut dyn Reader) -> (Vec<u64>, Progress) {
    let mut letters = Vec::new();
    let progress = reader.next(Duration::ZERO, &mut |letter| letters.push(letter.number));
    (letters, progress.unwrap())
}

#[track_caller]
fn assert_broken<T>(result: Result<T, FeedError>, words: &[&str]) {
    let Err(error) = result else {
        panic!("no error with {words:?}")
    };
    assert!(!error.passes, "{error}");
    for word in words {
        assert!(error.text.contains(word), "{word}: {error}");
    }
}

#[test]
fn what_one_process_writes_others_read() {
    let place = Place::new();
    let (one, other) = (place.engine(), place.engine());
    let mut reader = other.reader().unwrap();
    assert!(load(&mut *reader).unwrap().is_empty());
    assert_eq!(news(&mut *reader), (vec![], Progress::CaughtUp));
    let mut writers = [&one, &other].map(|engine| engine.writer().unwrap());
    writers[0].write(&[revoked(1), revoked(2)]).unwrap();
    writers[1].write(&[]).unwrap();
    writers[1].write(&[revoked(3)]).unwrap();
    writers[0].write(&[revoked(4)]).unwrap();
    assert_eq!(news(&mut *reader), (vec![1, 2, 3, 4], Progress::CaughtUp));
    assert_eq!(news(&mut *reader), (vec![], Progress::CaughtUp));
    assert_eq!(numbers(&load_from(&one).unwrap()), [1, 2, 3, 4]);
    assert_eq!(reader.unreadable(), 0);
    // Who has loaded nothing has missed something.
    let mut fresh = other.reader().unwrap();
    assert_eq!(news(&mut *fresh), (vec![], Progress::Gap));
}

#[test]
fn a_letter_arrives_as_it_was_sent() {
    let place = Place::new();
    let engine = place.engine();
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    let handle = || Handle::actor(ISS, "agent");
    let sent = [
        Change::revoked(handle(), Some(at(NOW)), Some(at(NOW + 9)), at(NOW)).because("leaked"),
        Change::lifted(handle(), at(NOW + 1)).because("found"),
    ];
    let sent = sent.map(|change| Letter {
        origin: u64::MAX,
        number: 5,
        change,
    });
    engine.writer().unwrap().write(&sent).unwrap();
    let mut read = Vec::new();
    reader
        .next(Duration::ZERO, &mut |letter| read.push(letter))
        .unwrap();
    assert_eq!(read, sent);
    let mut changes = Vec::new();
    let mut looker = engine.looker().unwrap();
    looker.changes(&mut |change| changes.push(change)).unwrap();
    assert_eq!(looker.unreadable(), 0);
    assert_eq!(changes, [sent[1].change.clone()]);
}

#[test]
fn many_letters_come_in_several_looks() {
    let place = Place::new();
    let engine = place.engine();
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    let letters: Vec<Letter> = (1..=10_000).map(revoked).collect();
    engine.writer().unwrap().write(&letters).unwrap();
    let (mut read, mut looks) = (Vec::new(), 0);
    loop {
        let (letters, progress) = news(&mut *reader);
        read.extend(letters);
        looks += 1;
        if progress == Progress::CaughtUp {
            break;
        }
        assert_eq!(progress, Progress::More);
    }
    assert_eq!((read.len(), looks), (10_000, 3));
    assert!(read.is_sorted());
}

#[test]
fn who_waits_looks_every_twenty_milliseconds_and_no_longer_than_asked() {
    let place = Place::new();
    let naps = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&naps);
    let engine = place.engine_with(u64::MAX, move |nap| taken.lock().unwrap().push(nap));
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    let waited = reader.next(Duration::from_millis(50), &mut |_| panic!("nothing"));
    assert_eq!(waited, Ok(Progress::CaughtUp));
    assert_eq!(
        *naps.lock().unwrap(),
        [20, 20, 10].map(Duration::from_millis)
    );

    // Somebody writes during the second nap.
    let writing = place.engine();
    let count = AtomicU64::new(0);
    let engine = place.engine_with(u64::MAX, move |_| {
        if count.fetch_add(1, Ordering::Relaxed) == 1 {
            writing.writer().unwrap().write(&[revoked(1)]).unwrap();
        }
    });
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    let mut read = 0;
    let waited = reader.next(Duration::from_secs(3600), &mut |_| read += 1);
    assert_eq!((waited, read), (Ok(Progress::CaughtUp), 1));
}

#[test]
fn who_writes_waits_two_seconds_for_another_and_no_longer() {
    let place = Place::new();
    let naps = Arc::new(Mutex::new(Duration::ZERO));
    let slept = Arc::clone(&naps);
    let engine = place.engine_with(u64::MAX, move |nap| *slept.lock().unwrap() += nap);
    let mut writer = engine.writer().unwrap();
    let held = Lock::attempt(&place.file("lock"), Share::Writing).unwrap();
    assert!(held.is_some());
    let error = writer.write(&[revoked(1)]).unwrap_err();
    assert!(error.passes && error.text.contains("lock"), "{error}");
    assert_eq!(*naps.lock().unwrap(), Duration::from_secs(2));
    // Whoever only reads is not held up.
    assert!(load_from(&engine).unwrap().is_empty());
    drop(held);
    writer.write(&[revoked(1)]).unwrap();
    assert_eq!(numbers(&load_from(&engine).unwrap()), [1]);
}

#[test]
#[cfg(unix)]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place
        .engine_with(1, |_| {})
        .writer()
        .unwrap()
        .write(&[revoked(1)])
        .unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.0), 0o700);
    let files = place.files();
    assert!(
        files.contains_key("snapshot") && files.contains_key("compacting"),
        "{files:?}"
    );
    for name in files.keys() {
        assert_eq!(mode(&place.file(name)), 0o600, "{name}");
    }
}

#[test]
fn where_the_parent_is_missing_nothing_is_made() {
    let place = Place::new();
    let engine = FileEngine::new(&place.file("store"), Clock::fixed(NOW));
    assert_broken(engine.reader().map(drop), &["making the folder"]);
    assert_broken(engine.looker().map(drop), &["no store"]);
    assert!(!place.0.exists());
}

#[test]
fn a_process_does_not_follow_a_store_that_goes_back() {
    let place = Place::new();
    let engine = place.engine();
    let mut writer = engine.writer().unwrap();
    writer.write(&[revoked(1)]).unwrap();
    let older = place.files();
    writer.write(&[revoked(2), revoked(3)]).unwrap();
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    place.put(&older);
    let words = ["went back from sequence 3 to 1", "older copy"];
    assert_broken(reader.next(Duration::ZERO, &mut |_| {}), &words);
    assert_broken(engine.reader().map(drop), &words);
    assert_broken(writer.write(&[revoked(4)]), &words);
    // One that has seen nothing cannot know.
    assert_eq!(numbers(&load_from(&place.engine()).unwrap()), [1]);
}

#[test]
fn a_process_does_not_take_another_store_for_its_own() {
    let place = Place::new();
    let engine = place.engine();
    let mut writer = engine.writer().unwrap();
    writer.write(&[revoked(1)]).unwrap();
    let mut reader = engine.reader().unwrap();
    load(&mut *reader).unwrap();
    fs::remove_dir_all(&place.0).unwrap();
    assert!(
        writer
            .write(&[revoked(2)])
            .is_err_and(|error| !error.passes)
    );
    assert_broken(engine.reader().map(drop), &["committed", "gone"]);
    place
        .engine()
        .writer()
        .unwrap()
        .write(&[revoked(3), revoked(4)])
        .unwrap();
    let words = ["another store"];
    assert_broken(writer.write(&[revoked(2)]), &words);
    assert_broken(reader.next(Duration::ZERO, &mut |_| {}), &words);
    assert_broken(engine.reader().map(drop), &words);
}

#[test]
fn many_threads_and_engines_make_one_store() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let place = &place;
            scope.spawn(move || {
                let engine = place.engine_with(4_000, |_| std::thread::yield_now());
                let mut writer = engine.writer().unwrap();
                for number in 0..50 {
                    let letter = Letter {
                        origin: thread,
                        ..revoked(thread * 1_000 + number)
                    };
                    // Two seconds of naps are not long where nobody sleeps.
                    while let Err(error) = writer.write(std::slice::from_ref(&letter)) {
                        assert!(error.passes, "{error}");
                        writer = loop {
                            match engine.writer() {
                                Ok(writer) => break writer,
                                Err(error) => assert!(error.passes, "{error}"),
                            }
                        };
                    }
                }
            });
        }
    });
    assert_eq!(load_from(&place.engine()).unwrap().len(), 400);
}
