//! Processes that share a table, and die: this program starts itself again as each of them.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sealgate_proofs::{Answer, Proofs};

const SEED: [u8; 16] = [9; 16];
const NOW: u64 = 1_800_000_000;
const TASK: &str = "SEALGATE_PROOFS_TASK";

fn key(number: u32) -> [u8; 32] {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    key
}

/// A proof made at this moment and shown at once.
fn insert(proofs: &Proofs, number: u32, now: u64) -> Answer {
    proofs.insert(&key(number), now, now + 90, now)
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a child is told.
#[derive(Clone, Copy)]
struct Task {
    capacity: usize,
    /// It inserts the numbers below this one …
    count: u32,
    /// … beginning with this one …
    first: u32,
    /// … each so much further than the last.
    step: u32,
    now: u64,
}

impl Task {
    fn start(self, path: &Path) -> Child {
        let Self {
            capacity,
            count,
            first,
            step,
            now,
        } = self;
        let task = format!("{capacity} {count} {first} {step} {now} {}", path.display());
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "as_a_child", "--nocapture"])
            .env(TASK, task)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn read(text: &str) -> (Self, PathBuf) {
        let mut words = text.splitn(6, ' ');
        let mut number = || words.next().unwrap().parse::<u32>().unwrap();
        let task = Self {
            capacity: usize::try_from(number()).unwrap(),
            count: number(),
            first: number(),
            step: number(),
            now: number().into(),
        };
        (task, words.next().unwrap().into())
    }
}

/// What a child does. Its standard error carries the numbers that were first, four bytes each; its
/// standard input says when to begin.
#[test]
fn as_a_child() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let (task, path) = Task::read(&task);
    let report = |number: u32| {
        let mut channel = std::io::stderr();
        channel.write_all(&number.to_le_bytes()).unwrap();
    };
    report(u32::MAX);
    std::io::stdin().read_exact(&mut [0]).unwrap();
    let proofs = Proofs::open(&path, task.capacity, SEED).unwrap();
    for nth in 0..task.count {
        let number = task.first.wrapping_add(nth.wrapping_mul(task.step)) % task.count;
        if insert(&proofs, number, task.now) == Answer::First {
            report(number);
        }
    }
}

/// The next number that a child reports; `None` when it has ended.
fn next(child: &mut Child) -> Option<u32> {
    let mut bytes = [0; 4];
    let channel = child.stderr.as_mut().unwrap();
    channel.read_exact(&mut bytes).ok()?;
    Some(u32::from_le_bytes(bytes))
}

/// Lets children begin that have all come as far as that.
fn begin(children: &mut [Child]) {
    for child in &mut *children {
        assert_eq!(next(child), Some(u32::MAX), "it says that it is there");
    }
    for child in children {
        child.stdin.take().unwrap().write_all(&[0]).unwrap();
    }
}

#[test]
fn of_processes_with_the_same_proofs_one_is_first_each() {
    const COUNT: u32 = 100_000;
    let path = folder("first").join("proofs");
    // Steps that have no factor in common with the count: each child meets every number.
    let steps = [1, 3, 7, 9, 11, 13, 17, 19];
    let tasks = (0..).zip(steps).map(|(nth, step)| Task {
        capacity: 100_000,
        count: COUNT,
        first: nth * (COUNT / 8),
        step,
        now: NOW,
    });
    let mut children: Vec<Child> = tasks.map(|task| task.start(&path)).collect();
    begin(&mut children);
    let readers = children.into_iter().map(|mut child| {
        std::thread::spawn(move || {
            let firsts: Vec<u32> = std::iter::from_fn(|| next(&mut child)).collect();
            assert!(child.wait().unwrap().success());
            firsts
        })
    });
    let readers: Vec<_> = readers.collect();
    let (mut firsts, mut workers) = (Vec::new(), 0);
    for reader in readers {
        let own = reader.join().unwrap();
        workers += u32::from(!own.is_empty());
        firsts.extend(own);
    }
    firsts.sort_unstable();
    assert!(firsts.into_iter().eq(0..COUNT), "each number once");
    assert!(workers > 1, "they met");
}

/// Three processes insert the same proofs and are killed in the middle of it, again and again, over
/// one file; what any of them called first stays used, for all that come later.
#[test]
fn processes_that_are_killed_leave_a_good_table() {
    // More than three pipes hold, so that no child comes to its end while nobody reads.
    const COUNT: u32 = 60_000;
    const CAPACITY: usize = 60_001;
    let path = folder("killed").join("proofs");
    let own = Proofs::open(&path, CAPACITY, SEED).unwrap();
    let mut used = Vec::new();
    // More rounds than there are regions, in windows that are too far apart for one proof.
    for round in 0..24 {
        let now = NOW + 5 * 64 * u64::from(round);
        let tasks = [(0, 1), (1, 7), (2, 11)].map(|(nth, step)| Task {
            capacity: CAPACITY,
            count: COUNT,
            first: (nth + round) * 700,
            step,
            now,
        });
        let mut children = tasks.map(|task| task.start(&path));
        begin(&mut children);
        // Somewhere in the middle, another place each time.
        let reports = 1 + round * 37 % 400;
        let mut firsts: Vec<u32> = (0..reports).map_while(|_| next(&mut children[0])).collect();
        for child in &mut children {
            child.kill().unwrap();
        }
        for mut child in children {
            firsts.extend(std::iter::from_fn(|| next(&mut child)));
            child.wait().unwrap();
        }
        firsts.sort_unstable();
        let all = firsts.len();
        firsts.dedup();
        assert_eq!(firsts.len(), all, "none was first twice");
        assert!(all < 60_000, "they were killed before they were done");
        used.extend(firsts.into_iter().map(|number| (number, now)));

        let later = Proofs::open(&path, CAPACITY, SEED).unwrap();
        for (number, now) in &used {
            assert_eq!(insert(&later, *number, *now), Answer::Seen);
        }
        assert_eq!(insert(&later, COUNT, now), Answer::First);
        assert_eq!(insert(&own, COUNT, now), Answer::Seen);
    }
}

#[test]
fn a_process_that_is_killed_while_it_makes_the_file_leaves_none_that_is_half() {
    let folder = folder("making");
    let (path, draft) = (folder.join("proofs"), folder.join("proofs.new"));
    let task = Task {
        capacity: 200_000, // 64 MiB, so that there is time
        count: 1,
        first: 0,
        step: 1,
        now: NOW,
    };
    let mut halves = 0;
    for round in 0..10 {
        let mut children = [task.start(&path)];
        begin(&mut children);
        let [mut child] = children;
        while !draft.exists() && !path.exists() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        halves += u32::from(draft.exists());
        let proofs = Proofs::open(&path, task.capacity, SEED).unwrap();
        assert!(!draft.exists());
        assert_eq!(insert(&proofs, 1 + round, NOW), Answer::First);
        assert_eq!(insert(&proofs, 1 + round, NOW), Answer::Seen);
        std::fs::remove_file(&path).unwrap();
    }
    assert!(halves > 0, "no child was killed in the middle of it");
    std::fs::remove_dir_all(folder).unwrap();
}
