//! NATS.

use async_nats::jetstream::{self, kv, stream};

use super::engines::{self, at, at_last, by, letter, loaded, numbers, read_on, revoked};
use super::servers::{Kind, Server};
use crate::feed::nats::{Nats, NatsProofs};
use crate::feed::{Engine, Progress};
use crate::replay::UsedProofs;
use crate::revocation::{Change, Handle};

/// Enough to tell keys apart, and no cryptography.
fn digest(bytes: &[u8]) -> [u8; 32] {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    let hasher = BuildHasherDefault::<DefaultHasher>::new();
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&hasher.hash_one(bytes).to_le_bytes());
    digest
}

fn engine(server: &Server, namespace: &str) -> Nats {
    Nats::new(&server.url(), namespace, digest).unwrap()
}

/// Asks the server, past the engine.
fn ask<T>(server: &Server, question: impl AsyncFnOnce(jetstream::Context) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let client = async_nats::connect(server.url()).await.unwrap();
        question(jetstream::new(client)).await
    })
}

async fn stream(context: &jetstream::Context, namespace: &str) -> stream::Stream {
    let name = format!("KV_sealgate-{namespace}");
    context.get_stream(name).await.unwrap()
}

#[test]
fn it_keeps_the_promises_of_engines() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    engines::keeps_its_promises(|namespace| engine(&server, namespace));
}

#[test]
fn a_bucket_that_was_made_anew_is_another() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    let engine = engine(&server, "anew");
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    let mut writer = engine.writer().unwrap();
    writer.write(&[revoked(1, "a"), revoked(2, "b")]).unwrap();
    read_on(&mut *reader).unwrap();
    ask(&server, async |context| {
        context.delete_key_value("sealgate-anew").await.unwrap();
    });
    assert!(read_on(&mut *reader).unwrap_err().passes);
    assert!(writer.write(&[revoked(3, "c")]).unwrap_err().passes);
    let mut reader = engine.reader().unwrap();
    let error = loaded(&mut *reader).unwrap_err();
    assert!(
        error.text.contains("lost what was written"),
        "{}",
        error.text
    );
    let mut reader = engine.reader().unwrap();
    assert!(loaded(&mut *reader).unwrap().is_empty());
    engine.writer().unwrap().write(&[revoked(3, "c")]).unwrap();
    assert_eq!(
        read_on(&mut *reader),
        Ok((vec![revoked(3, "c")], Progress::CaughtUp))
    );
}

#[test]
fn whether_a_write_would_be_taken_is_asked_without_writing() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    let mut writer = engine(&server, "try").writer().unwrap();
    assert_eq!(writer.try_writing(), Ok(()));
    let written = async |context| {
        stream(&context, "try")
            .await
            .cached_info()
            .state
            .last_sequence
    };
    assert_eq!(ask(&server, written), 0);
    // A store that others only read.
    ask(&server, async |context| {
        let mut config = stream(&context, "try").await.cached_info().config.clone();
        config.sealed = true;
        context.update_stream(config).await.unwrap();
    });
    let error = writer.try_writing().unwrap_err();
    assert!(error.text.contains("trying to write"), "{}", error.text);
}

#[test]
fn what_stands_before_the_host_is_who_we_are() {
    let given = |arguments: &[&str]| arguments.iter().map(|text| (*text).to_owned()).collect();
    for (arguments, right, wrong) in [
        (
            &["--user", "u", "--pass", "p@s:s"][..],
            "u:p%40s%3As",
            "u:guess",
        ),
        (&["--auth", "t0ken"], "t0ken", "guess"),
    ] {
        let Some(server) = Server::start_with(Kind::Nats, given(arguments)) else {
            return;
        };
        let engine = |who: &str| {
            let url = format!("nats://{who}127.0.0.1:{}", server.port());
            Nats::new(&url, "ns", digest).unwrap()
        };
        engine(&format!("{right}@")).writer().unwrap();
        // Of a cluster, the first address that says it says it for all.
        let url = format!(
            "nats://127.0.0.1:1,nats://{right}@127.0.0.1:{}",
            server.port()
        );
        Nats::new(&url, "ns", digest).unwrap().writer().unwrap();
        for who in [String::new(), format!("{wrong}@")] {
            let error = engine(&who).writer().err().unwrap();
            assert!(!error.passes, "{error}");
            assert!(!error.text.contains("guess"), "{error}");
        }
    }
}

#[test]
fn a_server_without_jetstream_is_no_matter_of_time() {
    let Some(server) = Server::start(Kind::PlainNats) else {
        return;
    };
    let error = engine(&server, "ns").reader().err().unwrap();
    assert!(
        !error.passes && error.text.contains("--jetstream"),
        "{error}"
    );
    let proofs = NatsProofs::new(engine(&server, "ns"));
    let error = proofs.insert("p", at(60), at(0)).unwrap_err();
    assert!(!error.passes, "{error:?}");
}

/// What was written last may have been removed since: nobody waits for it.
#[test]
fn what_is_no_longer_there_is_not_waited_for() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    let engine = engine(&server, "gone");
    let mut writer = engine.writer().unwrap();
    writer
        .write(&[revoked(1, "a"), revoked(2, "b"), revoked(3, "c")])
        .unwrap();
    let subject_of_last = ask(&server, async |context| {
        let stream = stream(&context, "gone").await;
        stream.direct_get(3).await.unwrap().subject.to_string()
    });
    ask(&server, async |context| {
        let stream = stream(&context, "gone").await;
        stream.purge().filter(subject_of_last).await.unwrap();
        // Only the leader answers now, which is to be asked whether that is all.
        let mut config = stream.get_info().await.unwrap().config;
        config.allow_direct = false;
        context.update_stream(config).await.unwrap();
    });
    let mut reader = engine.reader().unwrap();
    assert_eq!(loaded(&mut *reader).unwrap().len(), 2);
    assert_eq!(read_on(&mut *reader), Ok((vec![], Progress::CaughtUp)));
    ask(&server, async |context| {
        stream(&context, "gone").await.purge().await.unwrap();
    });
    assert!(loaded(&mut *reader).unwrap().is_empty());
    assert_eq!(read_on(&mut *reader), Ok((vec![], Progress::CaughtUp)));
}

/// A reader that was slow sees the last state of a handle only, and still hears of every writer.
#[test]
fn who_was_overtaken_is_told_that_it_has_arrived() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    let engine = engine(&server, "overtaken");
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    let mut writer = engine.writer().unwrap();
    for origin in 1..=3 {
        writer
            .write(&[by(origin, revoked(70 + origin, "same"))])
            .unwrap();
    }
    let (letters, _) = read_on(&mut *reader).unwrap();
    assert_eq!(numbers(&letters)[letters.len() - 3..], [71, 72, 73]);
}

/// The server removes what nobody needs to be told any more.
#[test]
fn what_is_over_is_swept() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    let engine = engine(&server, "sweep");
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    let handle = Handle::token("https://login.example.com", "t1");
    let over = Change::revoked(handle, None, Some(at(1000)), at(5));
    let far = Handle::token("https://login.example.com", "t2");
    let far = Change::revoked(far, None, Some(crate::time::NumericDate::LAST), at(5));
    let letters = [letter(1, over), letter(2, far), revoked(3, "stays")];
    engine.writer().unwrap().write(&letters).unwrap();
    // Removing it is news of a kind: waiting for it ends.
    let left = ask(&server, async |context| {
        let stream = stream(&context, "sweep").await;
        loop {
            let state = stream.get_info().await.unwrap().state;
            if state.last_sequence > 3 {
                break state.last_sequence;
            }
        }
    });
    assert_eq!(left, 4);
    let known: Vec<_> = loaded(&mut *engine.reader().unwrap())
        .unwrap()
        .into_keys()
        .collect();
    assert_eq!(known, ["stays", "t2"]);
    let (letters, progress) = read_on(&mut *reader).unwrap();
    assert_eq!(progress, Progress::CaughtUp);
    assert!(
        letters.iter().all(|letter| letter.number <= 3),
        "{letters:?}"
    );
}

#[test]
fn a_bucket_that_somebody_else_has_made_is_told_apart() {
    let Some(server) = Server::start(Kind::Nats) else {
        return;
    };
    ask(&server, async |context| {
        let config = kv::Config {
            bucket: "sealgate-theirs".to_owned(),
            ..kv::Config::default()
        };
        context.create_key_value(config).await.unwrap();
    });
    let error = engine(&server, "theirs").reader().err().unwrap();
    assert!(
        !error.passes && error.text.contains("allow_msg_ttl"),
        "{}",
        error.text
    );
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let Some(mut server) = Server::start(Kind::Nats) else {
        return;
    };
    let engine = engine(&server, "away");
    let mut reader = engine.reader().unwrap();
    loaded(&mut *reader).unwrap();
    let mut writer = engine.writer().unwrap();
    writer.write(&[revoked(1, "a")]).unwrap();
    server.hold();
    let error = read_on(&mut *reader).unwrap_err();
    assert!(error.passes, "{}", error.text);
    let error = engine.reader().err().unwrap();
    assert!(error.text.contains("no answer in time"), "{}", error.text);
    server.go_on();
    let mut reader = at_last(|| engine.reader());
    assert_eq!(loaded(&mut *reader).unwrap().len(), 1);
    server.kill();
    assert!(read_on(&mut *reader).unwrap_err().passes);
    assert!(writer.write(&[revoked(2, "b")]).unwrap_err().passes);
    assert!(engine.reader().err().unwrap().passes);
    server.restart();
    let mut reader = at_last(|| engine.reader());
    assert_eq!(loaded(&mut *reader).unwrap().len(), 1);
    at_last(|| engine.writer()?.write(&[revoked(2, "b")]));
    let (letters, progress) = read_on(&mut *reader).unwrap();
    assert_eq!((numbers(&letters), progress), (vec![2], Progress::CaughtUp));
}

#[test]
fn an_url_that_is_none_is_never_shown() {
    let error = Nats::new("nats://user:s3cret@:::", "ns", digest)
        .err()
        .unwrap();
    assert!(
        !error.passes && !error.text.contains("s3cret"),
        "{}",
        error.text
    );
}

#[test]
fn used_proofs_are_shared() {
    let Some(mut server) = Server::start(Kind::Nats) else {
        return;
    };
    let [one, other] = [(); 2].map(|()| NatsProofs::new(engine(&server, "proofs")));
    engines::a_proof_is_new_once(&[&one, &other]);
    let lives = || {
        ask(&server, async |context| {
            let name = "KV_sealgate_proofs_proofs";
            let stream = context.get_stream(name).await.unwrap();
            let last = stream.cached_info().state.last_sequence;
            let mut lives = [1, last].map(|_| String::new());
            for (life, number) in lives.iter_mut().zip([1, last]) {
                let message = stream.direct_get(number).await.unwrap();
                message
                    .headers
                    .get("Nats-TTL")
                    .unwrap()
                    .as_str()
                    .clone_into(life);
            }
            lives
        })
    };
    assert_eq!(lives()[0], "151");
    // What is seen again may be remembered for longer.
    let key = "longer";
    assert_eq!(one.insert(key, at(1000), at(0)), Ok(true));
    other.extend(key, at(2000), at(0));
    assert_eq!(lives()[1], "2061");
    assert_eq!(one.insert(key, at(1000), at(0)), Ok(false));
    engines::proofs_outlive_a_server(&one, &mut server);
}
