//! Redis.

use std::collections::BTreeSet;

use super::engines::{self, at, by, letter, lifted, lifts, loaded, read_on, revoked};
use super::servers::{Kind, Server};
use crate::feed::redis::{Redis, RedisProofs};
use crate::feed::{Engine, Evicts, FeedError, Progress};
use crate::replay::{Unanswered, UsedProofs};
use crate::revocation::{Change, Handle};
use crate::sync::in_a_child;

const NOW: i64 = 1_800_000_000;

fn engine(server: &Server, namespace: &str) -> Redis {
    Redis::new(&server.url(), namespace).unwrap()
}

/// A command to the server, past the engine.
fn ask<T: redis::FromRedisValue>(server: &Server, words: &[&str]) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query(&mut connection).unwrap()
}

fn feed_error(error: Unanswered) -> FeedError {
    let Unanswered { text, passes } = error;
    FeedError { text, passes }
}

#[test]
fn it_keeps_the_promises_of_engines() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    engines::keeps_its_promises(|namespace| engine(&server, namespace));
}

#[test]
fn a_log_that_was_trimmed_is_a_gap() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let engine = engine(&server, "trim");
    let mut writer = engine.writer().unwrap();
    for trimmed_to in ["2", "0"] {
        let mut reader = engine.reader().unwrap();
        loaded(&mut *reader).unwrap();
        let letters: Vec<_> = ["a", "b", "c"]
            .iter()
            .map(|name| revoked(1, name))
            .collect();
        writer.write(&letters).unwrap();
        let _: i64 = ask(
            &server,
            &["XTRIM", "sealgate:{trim}:log", "MAXLEN", trimmed_to],
        );
        let (letters, progress) = read_on(&mut *reader).unwrap();
        assert_eq!(
            (letters, progress),
            (vec![], Progress::Gap),
            "to {trimmed_to}"
        );
        assert_eq!(loaded(&mut *reader).unwrap().len(), 3);
        assert_eq!(read_on(&mut *reader), Ok((vec![], Progress::CaughtUp)));
    }
    // One in the middle is as bad.
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    writer
        .write(&[revoked(2, "a"), revoked(3, "b"), revoked(4, "c")])
        .unwrap();
    let last: Vec<(String, Vec<(String, String)>)> = ask(
        &server,
        &["XREVRANGE", "sealgate:{trim}:log", "+", "-", "COUNT", "2"],
    );
    let _: i64 = ask(&server, &["XDEL", "sealgate:{trim}:log", &last[1].0]);
    let (letters, progress) = read_on(&mut *reader).unwrap();
    assert_eq!((letters, progress), (vec![revoked(2, "a")], Progress::Gap));
}

#[test]
fn what_a_server_has_lost_is_told_once_and_taken_as_it_is() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let engine = engine(&server, "lost");
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    engine
        .writer()
        .unwrap()
        .write(&[revoked(1, "a"), revoked(2, "b")])
        .unwrap();
    read_on(&mut *reader).unwrap();
    let state: Vec<(String, String)> = ask(&server, &["HGETALL", "sealgate:{lost}:revocations"]);
    let () = ask(&server, &["FLUSHALL"]);
    // Whoever was reading hears of it, and so does the next reader of the process if nobody was.
    let error = read_on(&mut *reader).unwrap_err();
    assert!(
        error.text.contains("lost what was written"),
        "{}",
        error.text
    );
    assert!(error.passes);
    let mut reader = engine.reader().unwrap();
    assert!(loaded(&mut *reader).unwrap().is_empty());
    assert_eq!(read_on(&mut *reader), Ok((vec![], Progress::CaughtUp)));
    engine.writer().unwrap().write(&[revoked(3, "c")]).unwrap();
    assert_eq!(
        read_on(&mut *reader),
        Ok((vec![revoked(3, "c")], Progress::CaughtUp))
    );
    // Of two it has one again, and then as many.
    read_on(&mut *reader).unwrap();
    let missing = engine.trouble().map(|trouble| trouble.text);
    assert!(missing.is_some_and(|text| text.contains("does not have as much again")));
    assert_eq!(engine.losses(), 1);
    engine.writer().unwrap().write(&[revoked(4, "d")]).unwrap();
    read_on(&mut *reader).unwrap();
    read_on(&mut *reader).unwrap();
    assert_eq!(engine.trouble(), None);
    drop(reader);
    let () = ask(&server, &["FLUSHALL"]);
    engine.writer().unwrap().write(&[revoked(4, "d")]).unwrap();
    let error = loaded(&mut *engine.reader().unwrap()).unwrap_err();
    assert!(
        error.text.contains("lost what was written"),
        "{}",
        error.text
    );
    let mut reader = engine.reader().unwrap();
    assert_eq!(loaded(&mut *reader).unwrap().len(), 1);
    // An older copy of the same store.
    engine.writer().unwrap().write(&[revoked(5, "e")]).unwrap();
    read_on(&mut *reader).unwrap();
    let () = ask(
        &server,
        &["HSET", "sealgate:{lost}:revocations", "#sequence", "1"],
    );
    let error = read_on(&mut *reader).unwrap_err();
    assert!(
        error.text.contains("lost what was written last"),
        "{}",
        error.text
    );
    assert!(!state.is_empty());
}

/// What is kept of the store, and what it goes back to.
fn copy(server: &Server, from: &str, to: &str) {
    for key in ["revocations", "log"] {
        let name = |namespace| format!("sealgate:{{{namespace}}}:{key}");
        let (from, to) = (name(from), name(to));
        let copied: bool = ask(server, &["COPY", &from, &to, "REPLACE"]);
        assert!(copied);
    }
}

#[test]
fn an_older_copy_lifts_nothing_that_was_revoked_since() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let engine = engine(&server, "older");
    let mut writer = engine.writer().unwrap();
    writer.write(&[revoked(1, "a"), lifted(2, "a")]).unwrap();
    copy(&server, "older", "kept");
    writer
        .write(&[revoked(3, "a"), revoked(4, "b"), lifted(5, "b")])
        .unwrap();
    let mut reader = engine.reader().unwrap();
    assert_eq!(lifts(&mut *reader), ["b"], "nobody has read it");
    read_on(&mut *reader).unwrap();
    copy(&server, "kept", "older");
    let error = read_on(&mut *reader).unwrap_err();
    assert!(error.text.contains("was written last"), "{}", error.text);
    assert_eq!(lifts(&mut *engine.reader().unwrap()), [""; 0]);
    // What is lifted from now on is news, though it has the number of what is lost.
    engine.writer().unwrap().write(&[lifted(6, "b")]).unwrap();
    assert_eq!(lifts(&mut *engine.reader().unwrap()), ["b"]);
}

/// Others have written since, so that the store has as much as before: nothing tells that it is
/// older, until the log does.
#[test]
fn an_older_copy_that_others_have_written_to_lifts_nothing_either() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let (mine, theirs) = (engine(&server, "grown"), engine(&server, "grown"));
    let mut writer = mine.writer().unwrap();
    writer.write(&[revoked(1, "a"), lifted(2, "a")]).unwrap();
    copy(&server, "grown", "kept");
    let mut reader = mine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    writer.write(&[revoked(3, "a"), revoked(4, "b")]).unwrap();
    read_on(&mut *reader).unwrap();
    copy(&server, "kept", "grown");
    // The log names letters by the millisecond, and nobody restores a copy within one.
    let millisecond = || {
        let (seconds, micros): (u64, u64) = ask(&server, &["TIME"]);
        seconds * 1000 + micros / 1000
    };
    let restored = millisecond();
    while millisecond() == restored {}
    let others = ["c", "d", "e", "f"].map(|name| by(9, lifted(1, name)));
    theirs.writer().unwrap().write(&others).unwrap();
    let mut late = mine.reader().unwrap();
    assert_eq!(lifts(&mut *late), ["e", "f"], "numbers 3 and 4 were read");
    drop(late);
    let error = read_on(&mut *reader).unwrap_err();
    assert!(error.text.contains("was written last"), "{}", error.text);
}

#[test]
fn what_is_over_is_swept() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let engine = engine(&server, "sweep");
    let mut writer = engine.writer().unwrap();
    let ended = |number| {
        let handle = Handle::token("https://login.example.com", &format!("t{number}"));
        letter(number, Change::revoked(handle, None, Some(at(1000)), at(5)))
    };
    let letters: Vec<_> = (1..=2000).map(ended).collect();
    writer.write(&letters).unwrap();
    writer
        .write(&[revoked(3001, "stays"), lifted(3002, "stays too")])
        .unwrap();
    for number in 0..200 {
        writer.write(&[by(3, revoked(number, "other"))]).unwrap();
    }
    let mut reader = engine.reader().unwrap();
    let known: Vec<_> = loaded(&mut *reader).unwrap().into_keys().collect();
    assert_eq!(known, ["other", "stays", "stays too"]);
}

#[test]
fn what_others_have_put_there_is_counted_and_skipped() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let engine = engine(&server, "foreign");
    let mut writer = engine.writer().unwrap();
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    writer.write(&[revoked(1, "a")]).unwrap();
    let (hash, log) = ("sealgate:{foreign}:revocations", "sealgate:{foreign}:log");
    let _: String = ask(&server, &["XADD", log, "*", "hello", "there"]);
    let _: i64 = ask(&server, &["HINCRBY", hash, "#sequence", "1"]);
    let planet = r#"{"kind":"planet","iss":"x","at":5}"#;
    let _: String = ask(
        &server,
        &["XADD", log, "*", "n", "2", "from", "1:1", "change", planet],
    );
    let _: i64 = ask(&server, &["HSET", hash, "planet:1:x", planet]);
    writer.write(&[revoked(2, "b")]).unwrap();
    let read = read_on(&mut *reader);
    assert_eq!(
        read,
        Ok((vec![revoked(1, "a"), revoked(2, "b")], Progress::CaughtUp))
    );
    assert_eq!(reader.unreadable(), 2);
    let mut reader = engine.reader().unwrap();
    assert_eq!(loaded(&mut *reader).unwrap().len(), 2);
    assert_eq!(reader.unreadable(), 1);
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let Some(mut server) = Server::start(Kind::Redis) else {
        return;
    };
    let engine = engine(&server, "away");
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    let mut writer = engine.writer().unwrap();
    writer.write(&[revoked(1, "a")]).unwrap();
    server.hold();
    let error = read_on(&mut *reader).unwrap_err();
    assert!(error.text.contains("no answer in time"), "{}", error.text);
    assert!(error.passes);
    assert!(engine.reader().is_err());
    server.go_on();
    let mut reader = engine.reader().unwrap();
    assert_eq!(loaded(&mut *reader).unwrap().len(), 1);
    server.kill();
    assert!(read_on(&mut *reader).unwrap_err().passes);
    assert!(writer.write(&[revoked(2, "b")]).unwrap_err().passes);
    assert!(engine.reader().err().unwrap().passes);
    server.restart();
    let mut reader = engine.reader().unwrap();
    assert_eq!(loaded(&mut *reader).unwrap().len(), 1);
    engine.writer().unwrap().write(&[revoked(2, "b")]).unwrap();
    assert_eq!(
        read_on(&mut *reader),
        Ok((vec![revoked(2, "b")], Progress::CaughtUp))
    );
}

#[test]
fn a_wrong_password_is_no_matter_of_time_and_is_never_shown() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let () = ask(&server, &["CONFIG", "SET", "requirepass", "right"]);
    let url = server.url();
    let with = |password: &str| url.replace("redis://", &format!("redis://:{password}@"));
    assert!(Redis::new(&with("right"), "ns").unwrap().reader().is_ok());
    for url in [with("s3cret"), url] {
        let error = Redis::new(&url, "ns").unwrap().reader().err().unwrap();
        assert!(!error.passes, "{}", error.text);
        assert!(!error.text.contains("s3cret"), "{}", error.text);
    }
    let error = Redis::new("s3cret", "ns").unwrap_err();
    assert!(
        !error.passes && !error.text.contains("s3cret"),
        "{}",
        error.text
    );
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_asked_for() {
    assert!(Redis::new("rediss://redis.example", "ns").is_ok());
    let error = Redis::new("rediss://redis.example/#insecure", "ns").unwrap_err();
    assert!(
        !error.passes && error.text.contains("#insecure"),
        "{}",
        error.text
    );
}

#[test]
fn a_server_that_takes_no_writes_is_no_matter_of_time() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let engine = engine(&server, "full");
    let proofs = RedisProofs::new(engine.clone());
    let mut writer = engine.writer().unwrap();
    assert_eq!(writer.try_writing(), Ok(()));
    assert_eq!(ask::<i64>(&server, &["DBSIZE"]), 0, "nothing is left");
    let no_memory: [&[&str]; 2] = [
        &["CONFIG", "SET", "maxmemory", "1"],
        &["CONFIG", "SET", "maxmemory", "0"],
    ];
    let replica: [&[&str]; 2] = [
        &["REPLICAOF", "127.0.0.1", "1"],
        &["REPLICAOF", "NO", "ONE"],
    ];
    for ([begin, end], part) in [(no_memory, "maxmemory"), (replica, "name its primary")] {
        let () = ask(&server, begin);
        let letter = [revoked(1, "a")];
        let proof = proofs.insert("p", at(60), at(0)).unwrap_err();
        for error in [
            writer.try_writing().unwrap_err(),
            writer.write(&letter).unwrap_err(),
            feed_error(proof),
        ] {
            assert!(!error.passes && error.text.contains(part), "{error}");
            assert!(!error.text.contains("script"), "{error}");
        }
        // What is revoked is known all the same.
        let mut reader = engine.reader().unwrap();
        assert!(loaded(&mut *reader).unwrap().is_empty());
        assert_eq!(read_on(&mut *reader), Ok((vec![], Progress::CaughtUp)));
        let () = ask(&server, end);
        assert_eq!(writer.try_writing(), Ok(()), "{part}");
    }
}

#[test]
fn what_a_full_server_forgets_is_told() {
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let engine = engine(&server, "evicts");
    for (policy, evicts) in [
        ("noeviction", Evicts::Nothing),
        ("volatile-ttl", Evicts::Ending),
        ("allkeys-lru", Evicts::Anything),
    ] {
        let () = ask(&server, &["CONFIG", "SET", "maxmemory-policy", policy]);
        assert_eq!(engine.evicts(), Ok(Some(evicts)), "{policy}");
    }
    let () = ask(&server, &["ACL", "SETUSER", "default", "-info"]);
    assert_eq!(engine.evicts(), Ok(Some(Evicts::Untold)));
}

/// What the manual says that a user needs is enough for everything, and without any of it something
/// fails.
#[test]
fn a_user_needs_the_rights_that_the_manual_names() {
    const MANUAL: &str = include_str!("../../manual/revocation.md");
    let Some(server) = Server::start(Kind::ForgetfulRedis) else {
        return;
    };
    let rules = MANUAL.lines().find(|line| line.starts_with("ACL SETUSER"));
    let rules: Vec<&str> = rules.unwrap().split(' ').collect();
    let url = server.url().replace("redis://", "redis://sealgate:pw@");
    let works = |without: Option<&str>| -> Result<(), FeedError> {
        let words = rules.iter().map(|rule| match *rule {
            ">PASSWORD" => ">pw",
            rule => rule,
        });
        let words: Vec<&str> = words.filter(|rule| Some(*rule) != without).collect();
        let () = ask(&server, &["ACL", "DELUSER", "sealgate"]);
        let () = ask(&server, &words);
        let engine = Redis::new(&url, "prod").unwrap();
        let mut writer = engine.writer()?;
        writer.try_writing()?;
        let mut reader = engine.reader()?;
        loaded(&mut *reader).map(|_| ())?;
        let handle = Handle::token("https://login.example.com", "t");
        let over = letter(1, Change::revoked(handle, None, Some(at(1)), at(0)));
        writer.write(&[over, revoked(2, "a")])?;
        writer.write(&[revoked(3, "b")])?;
        read_on(&mut *reader).map(|_| ())?;
        engine.time()?;
        for _ in 0..2 {
            // On a connection of its own, which asks whether a proof that is there is its own.
            let proofs = RedisProofs::new(engine.clone());
            proofs.insert("p", at(60), at(0)).map_err(feed_error)?;
            proofs.extend("p", at(600), at(0));
        }
        match ask::<i64>(&server, &["PTTL", "sealgate:{prod}:proof:p"]) {
            300_000.. => Ok(()),
            _ => Err(FeedError {
                text: "it was not extended".to_owned(),
                passes: false,
            }),
        }
    };
    works(None).unwrap();
    for rule in rules
        .iter()
        .filter(|rule| rule.starts_with('+') && **rule != "+info")
    {
        let () = ask(&server, &["FLUSHALL"]);
        let error = works(Some(rule)).expect_err(rule);
        assert!(!error.passes, "{rule} {error}");
    }
}

#[test]
fn used_proofs_are_shared() {
    let Some(mut server) = Server::start(Kind::Redis) else {
        return;
    };
    let [one, other] = [(); 2].map(|()| RedisProofs::new(engine(&server, "proofs")));
    engines::a_proof_is_new_once(&[&one, &other]);
    // A forked child talks on no line of its parent's.
    let lines = || -> BTreeSet<String> {
        let list: String = ask(&server, &["CLIENT", "LIST"]);
        let asked = list.lines().filter(|line| line.contains("cmd=set"));
        let id = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        asked.map(id).collect()
    };
    let before = lines();
    assert_eq!(
        in_a_child(|| one.insert("child", at(NOW + 90), at(NOW))),
        Ok(true)
    );
    assert_eq!(lines().difference(&before).count(), 1);
    // What is over leaves by itself.
    let keys: Vec<String> = ask(&server, &["KEYS", "sealgate:{proofs}:proof:*"]);
    for key in &keys {
        let life: i64 = ask(&server, &["TTL", key]);
        assert!((1..=151).contains(&life), "{life}");
    }
    assert_eq!(keys.len(), 22);
    // What is seen again may be remembered for longer.
    one.extend("child", at(NOW + 1000), at(NOW));
    let life: i64 = ask(&server, &["TTL", "sealgate:{proofs}:proof:child"]);
    assert!((1000..=1061).contains(&life), "{life}");
    engines::proofs_outlive_a_server(&one, &mut server);
}
