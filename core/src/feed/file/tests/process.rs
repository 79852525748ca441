//! Processes that are killed while they write, and disks that are full.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{Place, load_from, news, numbers, revoked};
use crate::feed::{Engine, Letter, Progress};

const STORE: &str = "SEALGATE_TEST_STORE";
const FIRST: &str = "SEALGATE_TEST_FIRST";
const CHILD: &str = "feed::file::tests::process::writes_until_it_is_killed";

/// A process of this program that writes to the store, and says so of each letter.
fn writer(place: &Place, first: u64, before: &str) -> (Child, BufReader<ChildStdout>) {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("{before} exec \"$@\""))
        .arg("sh")
        .arg(program)
        .args(["--exact", CHILD, "--ignored", "--nocapture"])
        .env(STORE, &place.0)
        .env(FIRST, first.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// What it says next after that word.
fn said(output: &mut impl BufRead, word: &str) -> Option<String> {
    let lines = output.lines().map_while(Result::ok);
    lines
        .into_iter()
        .find_map(|line| line.strip_prefix(word).map(str::to_owned))
}

/// Not a test: what the children of tests do.
#[test]
#[ignore = "a child of other tests"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(STORE) else {
        return;
    };
    let place = std::mem::ManuallyDrop::new(Place(path.into()));
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let engine = place.engine_with(3_000, std::thread::sleep);
    let mut output = std::io::stdout();
    let mut writer = engine.writer().unwrap();
    for number in first.. {
        let origin = u64::from(std::process::id());
        let letter = Letter {
            origin,
            ..revoked(number)
        };
        match writer.write(&[letter]) {
            Ok(()) => writeln!(output, "\nwrote {number}").unwrap(),
            Err(error) => {
                writeln!(output, "\nfailed {} {error}", error.passes).unwrap();
                // Until somebody has made room.
                std::io::stdin().read_line(&mut String::new()).unwrap();
                writer = engine.writer().unwrap();
            }
        }
    }
}

#[test]
#[cfg(unix)]
fn what_a_process_said_it_wrote_is_there_after_it_was_killed() {
    let place = Place::new();
    let mut promised = Vec::new();
    let watching = place.engine_with(u64::MAX, |_| std::thread::yield_now());
    let mut reader = watching.reader().unwrap();
    super::load(&mut *reader).unwrap();
    for round in 0..10_u64 {
        let mut children: Vec<_> = (0..3)
            .map(|child| writer(&place, (round * 3 + child) * 1_000, ""))
            .collect();
        // A different number of letters each time, and another child first.
        for turn in 0..3 {
            let (child, output) = &mut children[(turn + round as usize) % 3];
            for _ in 0..=(round * 7 + turn as u64 * 3) % 17 {
                promised.push(said(output, "wrote ").unwrap().parse::<u64>().unwrap());
            }
            child.kill().unwrap();
        }
        for (mut child, mut output) in children {
            while let Some(number) = said(&mut output, "wrote ") {
                promised.push(number.parse().unwrap());
            }
            child.wait().unwrap();
        }
        let found = numbers(&load_from(&place.engine()).unwrap());
        for number in &promised {
            assert!(
                found.binary_search(number).is_ok(),
                "{number} in round {round}"
            );
        }
        // Nor was any half of a letter left in another's way.
        place
            .engine()
            .writer()
            .unwrap()
            .write(&[revoked(900_000 + round)])
            .unwrap();
        promised.push(900_000 + round);
    }
    assert!(promised.len() > 200);
    let (_, progress) = news(&mut *reader);
    assert_ne!(
        progress,
        Progress::More,
        "it has missed journals, or read them"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn who_finds_no_room_says_so_and_goes_on_when_there_is_some() {
    let place = Place::new();
    // No file may have more than 2048 bytes, in the 512 that a shell counts by.
    let (mut child, mut output) = writer(&place, 1, "trap '' XFSZ; ulimit -S -f 4;");
    let failed = said(&mut output, "failed ").unwrap();
    assert!(
        failed.starts_with("true ") && failed.contains("journal-"),
        "{failed}"
    );
    let before = numbers(&load_from(&place.engine()).unwrap());
    assert!(before.len() > 5);
    let limit = Command::new("prlimit")
        .args(["--pid", &child.id().to_string(), "--fsize=unlimited"])
        .status();
    assert!(limit.unwrap().success());
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    let number: u64 = said(&mut output, "wrote ").unwrap().parse().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let after = numbers(&load_from(&place.engine()).unwrap());
    assert!(after.contains(&number) && before.iter().all(|number| after.contains(number)));
}
