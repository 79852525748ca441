//! The same promises of every engine.

use std::collections::BTreeMap;
use std::time::Duration;

use super::servers::Server;
use crate::feed::{Engine, FeedError, Letter, Progress, Reader};
use crate::replay::UsedProofs;
use crate::revocation::{Change, Handle, Known, Told};
use crate::time::{Clock, NumericDate, Span};

pub(super) const WAIT: Duration = Duration::from_secs(5);

pub(super) fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

pub(super) fn revoked(number: u64, name: &str) -> Letter {
    let handle = Handle::actor("https://login.example.com", name);
    letter(number, Change::revoked(handle, None, None, at(5)))
}

pub(super) fn lifted(number: u64, name: &str) -> Letter {
    let handle = Handle::actor("https://login.example.com", name);
    letter(number, Change::lifted(handle, at(6)))
}

pub(super) const fn letter(number: u64, change: Change) -> Letter {
    Letter {
        origin: 0xfedc_ba98_7654_3210,
        number,
        change,
    }
}

pub(super) fn by(origin: u64, letter: Letter) -> Letter {
    Letter { origin, ..letter }
}

/// All that an engine knows, by the value of its handle.
pub(super) fn loaded(reader: &mut dyn Reader) -> Result<BTreeMap<String, Told>, FeedError> {
    let mut known = BTreeMap::new();
    reader.changes(&mut |change| {
        let handle = change.known();
        let twice = known.insert(handle.value.to_owned(), handle.told);
        assert_eq!(twice, None, "each handle comes once");
    })?;
    Ok(known)
}

/// What whoever judges hears to be lifted.
pub(super) fn lifts(reader: &mut dyn Reader) -> Vec<String> {
    let mut lifts = Vec::new();
    let mut take = |known: Known<'_>| {
        if known.lifts() {
            lifts.push(known.value.to_owned());
        }
    };
    reader.load(&mut take).unwrap();
    lifts.sort();
    lifts
}

/// Reads on until nothing is left to read.
pub(super) fn read_on(reader: &mut dyn Reader) -> Result<(Vec<Letter>, Progress), FeedError> {
    let mut letters = Vec::new();
    loop {
        let progress = reader.next(Duration::from_millis(1), &mut |letter| letters.push(letter))?;
        if progress != Progress::More {
            return Ok((letters, progress));
        }
    }
}

/// What comes of something when it is tried until it goes well, as carriers try: a server that has
/// just come back may be late.
pub(super) fn at_last<T>(mut attempt: impl FnMut() -> Result<T, FeedError>) -> T {
    let deadline = Clock::System.moment().plus(Span::from_seconds(60));
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(error) => assert!(
                error.passes && Clock::System.moment() < deadline,
                "{}",
                error.text
            ),
        }
    }
}

pub(super) fn numbers(letters: &[Letter]) -> Vec<u64> {
    letters.iter().map(|letter| letter.number).collect()
}

/// What every engine must do, each in a namespace of its own.
pub(super) fn keeps_its_promises<E: Engine>(engine: impl Fn(&str) -> E) {
    writes_reach_readers(&engine("reach"));
    waiting_ends_with_news(&engine("waiting"));
    revocations_add_up(&engine("sums"));
    sending_twice_changes_nothing(&engine("twice"));
    writers_do_not_lose_one_another(&engine("writers"));
    every_handle_keeps_its_name(&engine("names"));
    lifts_are_told_once(&engine("lifts"));
}

/// What is written is there for whoever loads, and comes to whoever reads.
fn writes_reach_readers(engine: &dyn Engine) {
    let mut early = engine.reader().unwrap();
    assert!(loaded(&mut *early).unwrap().is_empty());
    assert_eq!(read_on(&mut *early), Ok((vec![], Progress::CaughtUp)));
    let mut writer = engine.writer().unwrap();
    writer.write(&[revoked(1, "a"), revoked(2, "b")]).unwrap();
    let mut late = engine.reader().unwrap();
    assert_eq!(loaded(&mut *late).unwrap().len(), 2);
    assert_eq!(read_on(&mut *late), Ok((vec![], Progress::CaughtUp)));
    let both = vec![revoked(1, "a"), revoked(2, "b")];
    assert_eq!(read_on(&mut *early), Ok((both, Progress::CaughtUp)));
    writer.write(&[lifted(3, "a")]).unwrap();
    for reader in [&mut early, &mut late] {
        let read = read_on(&mut **reader);
        assert_eq!(read, Ok((vec![lifted(3, "a")], Progress::CaughtUp)));
    }
    let mut later = engine.reader().unwrap();
    let known = loaded(&mut *later).unwrap();
    assert_eq!(known["a"], lifted(3, "a").change.known().told);
    assert_eq!(known["b"], revoked(2, "b").change.known().told);
}

/// Waiting ends when something comes.
fn waiting_ends_with_news(engine: &dyn Engine) {
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    read_on(&mut *reader).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let mut letters = Vec::new();
            while letters.is_empty() {
                reader
                    .next(WAIT, &mut |letter| letters.push(letter))
                    .unwrap();
            }
            numbers(&letters)
        });
        engine
            .writer()
            .unwrap()
            .write(&[revoked(41, "waited for")])
            .unwrap();
        assert_eq!(waits.join().unwrap(), [41]);
    });
}

/// One revocation adds to another, and a lift ends both.
fn revocations_add_up(engine: &dyn Engine) {
    let handle = || Handle::actor("https://login.example.com", "sum");
    let revoked = |number, cutoff, end| {
        let date = |seconds: Option<i64>| seconds.map(at);
        letter(
            number,
            Change::revoked(handle(), date(cutoff), date(end), at(7)),
        )
    };
    const LATER: i64 = 4_000_000_000;
    let mut writer = engine.writer().unwrap();
    let known = || loaded(&mut *engine.reader().unwrap()).unwrap()["sum"];
    let told = |cutoff, end, when| {
        let date = |seconds: Option<i64>| seconds.map(at);
        let change = Change::revoked(handle(), date(cutoff), date(end), at(when));
        change.known().told
    };
    let one = revoked(51, Some(9), Some(LATER + 1));
    let other = revoked(52, Some(7), Some(LATER + 2));
    writer.write(&[one, other]).unwrap();
    assert_eq!(known(), told(Some(9), Some(LATER + 2), 7));
    let of_all = revoked(53, None, Some(LATER));
    let other = revoked(54, Some(11), Some(LATER));
    writer.write(&[of_all, other]).unwrap();
    assert_eq!(known(), told(None, Some(LATER + 2), 7));
    let lift = Change::lifted(handle(), at(8));
    writer.write(&[letter(55, lift.clone())]).unwrap();
    assert_eq!(known(), lift.known().told);
    // What has ended counts no more.
    let ended = Clock::System.now().seconds() - 60;
    writer.write(&[revoked(56, None, Some(ended))]).unwrap();
    assert_eq!(known(), told(None, Some(ended), 8));
    writer.write(&[revoked(57, Some(2), Some(LATER))]).unwrap();
    assert_eq!(known(), told(Some(2), Some(LATER), 8));
}

/// A letter that is sent twice, because nobody heard that it had arrived, undoes nothing that was
/// written in between; and comes back to its writer.
fn sending_twice_changes_nothing(engine: &dyn Engine) {
    let mut writer = engine.writer().unwrap();
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    read_on(&mut *reader).unwrap();
    let mine = [revoked(61, "twice"), lifted(62, "twice")];
    writer.write(&mine).unwrap();
    writer.write(&[by(7, revoked(1, "twice"))]).unwrap();
    read_on(&mut *reader).unwrap();
    writer.write(&mine[1..]).unwrap();
    let (letters, _) = read_on(&mut *reader).unwrap();
    let back = letters
        .iter()
        .any(|letter| letter.stamp() == mine[1].stamp());
    assert!(back, "{letters:?}");
    assert!(
        letters.iter().all(|letter| !letter.change.is_lifted()),
        "{letters:?}"
    );
    let known = loaded(&mut *engine.reader().unwrap()).unwrap();
    assert!(!known["twice"].lifts());
}

/// What was lifted comes as long as it was not read: a store may have lost what came after it.
fn lifts_are_told_once(engine: &dyn Engine) {
    let load = || lifts(&mut *engine.reader().unwrap());
    let mut writer = engine.writer().unwrap();
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    writer.write(&[revoked(81, "a"), lifted(82, "a")]).unwrap();
    assert_eq!(load(), ["a"]);
    assert_eq!(load(), [""; 0]);
    writer.write(&[revoked(83, "b"), lifted(84, "b")]).unwrap();
    assert_eq!(load(), ["b"]);
    // Reading on counts as well.
    let mut reader = engine.reader().unwrap();
    assert_eq!(lifts(&mut *reader), [""; 0]);
    writer.write(&[lifted(85, "a"), lifted(86, "c")]).unwrap();
    read_on(&mut *reader).unwrap();
    assert_eq!(load(), [""; 0]);
    // Tools are told all of it.
    assert_eq!(loaded(&mut *reader).unwrap().len(), 3);
}

/// Several write to the same handles at once: nothing is lost.
fn writers_do_not_lose_one_another(engine: &dyn Engine) {
    const EACH: u64 = 40;
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    read_on(&mut *reader).unwrap();
    std::thread::scope(|scope| {
        for origin in 1..=4 {
            scope.spawn(move || {
                let mut writer = engine.writer().unwrap();
                for number in 1..=EACH {
                    let handle = Handle::token("https://login.example.com", "contended");
                    let cutoff = at(i64::try_from(origin * 1000 + number).unwrap());
                    let change = Change::revoked(handle, Some(cutoff), None, at(9));
                    let letter = by(origin, letter(number, change));
                    writer.write(std::slice::from_ref(&letter)).unwrap();
                }
            });
        }
    });
    let known = loaded(&mut *engine.reader().unwrap()).unwrap();
    let last = i64::try_from(4000 + EACH).unwrap();
    let handle = Handle::token("https://login.example.com", "contended");
    let folded = Change::revoked(handle, Some(at(last)), None, at(9));
    assert_eq!(known["contended"], folded.known().told);
    let (letters, progress) = read_on(&mut *reader).unwrap();
    assert_eq!(progress, Progress::CaughtUp);
    for origin in 1..=4 {
        let own = letters.iter().filter(|letter| letter.origin == origin);
        let last = own.map(|letter| letter.number).max();
        assert_eq!(last, Some(EACH), "of origin {origin}");
    }
}

/// Handles of every kind, with parts that separators could be confused by, stay apart.
fn every_handle_keeps_its_name(engine: &dyn Engine) {
    use crate::revocation::HandleKind;
    let parts = ["", ":", "1:", "a b", "\u{e9}\"\\\n", "*", ".", ">", "#id"];
    let mut letters = Vec::new();
    for kind in HandleKind::ALL {
        let (scope, value) = kind.parts();
        for one in parts {
            for other in parts {
                let part = |has: Option<&str>, part| has.map_or("", |_| part);
                let handle = Handle::new(kind, part(scope, one), part(value, other));
                let number = u64::try_from(letters.len()).unwrap() + 1;
                letters.push(by(
                    9,
                    letter(number, Change::revoked(handle, None, None, at(5))),
                ));
            }
        }
    }
    engine.writer().unwrap().write(&letters).unwrap();
    let written: std::collections::BTreeSet<_> = letters
        .iter()
        .map(|letter| {
            let known = letter.change.known();
            (known.kind, known.scope.to_owned(), known.value.to_owned())
        })
        .collect();
    let mut known = Vec::new();
    let mut reader = engine.reader().unwrap();
    reader
        .load(&mut |handle| {
            known.push((
                handle.kind,
                handle.scope.to_owned(),
                handle.value.to_owned(),
            ))
        })
        .unwrap();
    known.sort();
    assert_eq!(known, written.into_iter().collect::<Vec<_>>());
    assert_eq!(reader.unreadable(), 0);
}

/// Of all that show one proof exactly one is first, whichever connection it comes through.
#[expect(
    clippy::needless_collect,
    reason = "all of them ask before the first is waited for"
)]
pub(super) fn a_proof_is_new_once(stores: &[&dyn UsedProofs]) {
    const NOW: i64 = 1_800_000_000;
    let first = |store: &dyn UsedProofs, key: &str| {
        let (now, until) = (at(NOW), at(NOW + 90));
        store.insert(key, until, now).unwrap()
    };
    for round in 0..20 {
        let key = format!("{round}-RNXtZ1yUQmJkQ9Lb3xWfT0aS5vEo2cGh7iPdK4nB8uM");
        let firsts: usize = std::thread::scope(|scope| {
            let ask = |store| {
                scope.spawn({
                    let key = &key;
                    move || usize::from(first(store, key))
                })
            };
            let asking: Vec<_> = (0..4)
                .flat_map(|_| stores)
                .map(|store| ask(*store))
                .collect();
            asking.into_iter().map(|asked| asked.join().unwrap()).sum()
        });
        assert_eq!(firsts, 1, "{key}");
        assert!(!first(stores[0], &key));
    }
    // One that could be used no longer is as good as none; it is answered all the same.
    assert!(stores[0].insert("ended", at(NOW), at(NOW + 10)).unwrap());
}

/// A store of used proofs whose server goes away says so in time, and goes on when it is back.
pub(super) fn proofs_outlive_a_server(store: &dyn UsedProofs, server: &mut Server) {
    const NOW: i64 = 1_800_000_000;
    let ask = |key: &str| store.insert(key, at(NOW + 90), at(NOW));
    assert_eq!(ask("before"), Ok(true));
    server.hold();
    let error = ask("held").unwrap_err();
    assert!(error.text.contains("no answer in time"), "{}", error.text);
    server.go_on();
    server.restart();
    // Whoever was connected may find out by asking.
    let mut answer = ask("after");
    for _ in 0..20 {
        if answer.is_ok() {
            break;
        }
        answer = ask("after");
    }
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!((ask("after"), ask("before")), (Ok(false), Ok(false)));
    server.kill();
    ask("killed").unwrap_err();
    server.restart();
    // Nobody was told that it is used: nothing may use it up once the server is back.
    for _ in 0..20 {
        answer = ask("back");
        if answer.is_ok() {
            break;
        }
    }
    assert_eq!((answer, ask("killed")), (Ok(true), Ok(true)));
}
