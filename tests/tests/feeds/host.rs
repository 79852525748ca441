//! Processes of one host that share a folder, each with a verifier of its own, and are killed.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use sealgate::{Handle, Revocation};

use crate::stand::{Folder, ISS, Process, token, until};

const STORE: &str = "SEALGATE_TEST_STORE";
const CHILD: &str = "host::does_what_it_is_told";

/// A process of this program with a verifier, which does what it is told line by line.
struct Told {
    child: Child,
    tell: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Told {
    fn start(store: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--ignored", "--nocapture"])
            .env(STORE, store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let tell = child.stdin.take().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, tell, said }
    }

    /// What it answers.
    fn told(&mut self, order: &str) -> String {
        writeln!(self.tell, "{order}").unwrap();
        let mut lines = self.said.by_ref().map(Result::unwrap);
        let answer = lines.find_map(|line| line.strip_prefix("said ").map(str::to_owned));
        answer.unwrap()
    }

    #[track_caller]
    fn comes_to_say(&mut self, sub: &str, code: &str) {
        until(code, || self.told(&format!("judge {sub}")) == code);
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Not a test: what the children of tests do.
#[test]
#[ignore = "a child of other tests"]
fn does_what_it_is_told() {
    let Some(store) = std::env::var_os(STORE) else {
        return;
    };
    let process = Process::in_folder(Path::new(&store));
    let revocations = process.verifier.revocations();
    let mut out = std::io::stdout();
    for order in std::io::stdin().lines().map(Result::unwrap) {
        let (verb, sub) = order.split_once(' ').unwrap();
        let handle = Handle::subject(ISS, sub);
        let answer = match verb {
            "judge" => process.says(&token(sub)).to_owned(),
            "lift" => revocations.lift(&handle).unwrap().delivered.to_string(),
            "revoke" => {
                let receipt = revocations.revoke(&handle, Revocation::all()).unwrap();
                format!("{} {}", receipt.reach, receipt.delivered)
            }
            // Until it is killed, saying each that has returned.
            "revoke-on" => {
                for number in 0.. {
                    let handle = Handle::subject(ISS, &format!("{sub}-{number}"));
                    let receipt = revocations.revoke(&handle, Revocation::all()).unwrap();
                    assert!(receipt.delivered);
                    writeln!(out, "\nsaid {number}").unwrap();
                }
                return;
            }
            other => panic!("{other}"),
        };
        // The harness has written half a line.
        writeln!(out, "\nsaid {answer}").unwrap();
    }
}

#[test]
fn what_one_process_revokes_others_refuse_and_still_do_when_it_was_killed() {
    let folder = Folder::with("");
    let store = folder.path().join("store");
    let mut processes: Vec<Told> = (0..3).map(|_| Told::start(&store)).collect();
    for process in &mut processes {
        assert_eq!(process.told("judge u1"), "accepted");
    }
    assert_eq!(processes[0].told("revoke u1"), "host true");
    assert_eq!(
        processes[0].told("judge u1"),
        "revoked",
        "at once where it was revoked"
    );
    for process in &mut processes {
        process.comes_to_say("u1", "revoked");
        assert_eq!(process.told("judge u2"), "accepted");
    }
    // One that is killed in the middle: what it has said stays, whatever it was at.
    let mut writer = processes.remove(0);
    let first: u32 = writer.told("revoke-on w").parse().unwrap();
    let more = writer.said.by_ref().map(Result::unwrap);
    let more = more.filter_map(|line| line.strip_prefix("said ")?.parse::<u32>().ok());
    let last = more.take(20).last().unwrap();
    assert_eq!((first, last), (0, 20));
    writer.kill();
    for process in &mut processes {
        for number in 0..=last {
            process.comes_to_say(&format!("w-{number}"), "revoked");
        }
        assert_eq!(process.told("judge u2"), "accepted");
    }
    // The others go on, and nobody holds a lock for the dead.
    assert_eq!(processes[0].told("revoke u2"), "host true");
    assert_eq!(processes[1].told("lift u1"), "true");
    for process in &mut processes {
        process.comes_to_say("u2", "revoked");
        process.comes_to_say("u1", "accepted");
    }
    // Nobody runs, and then somebody does, who knows before the first verdict.
    processes.into_iter().for_each(Told::kill);
    let mut again = Told::start(&store);
    assert_eq!(again.told("judge u2"), "revoked");
    assert_eq!(again.told("judge u1"), "accepted");
    for number in 0..=last {
        assert_eq!(again.told(&format!("judge w-{number}")), "revoked");
    }
    again.kill();
}
