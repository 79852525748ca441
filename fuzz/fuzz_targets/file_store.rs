//! The files of a store, as anything may have left them: whatever is read once is read again, after
//! another record was written and after all of it became a snapshot; what is broken is called so.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealgate_fuzz::stored::{Id, put_number};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    parent.join(format!("sealgate-fuzz-{}", std::process::id()))
});

const ID: Id = Id(7, 11);

// The first byte says whether the rest are files as they are, or what sealed records and blocks
// hold; each part comes after two bytes with its length, and the last one is what is left.
fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let _ = fs::remove_dir_all(&*FOLDER);
    fs::create_dir(&*FOLDER).unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(FOLDER.join(name), bytes).unwrap();
    if how % 2 == 0 {
        let (committed, rest) = part(rest);
        let (journal, snapshot) = part(rest);
        put("committed", committed);
        for first in [1, 3] {
            put(&format!("journal-{first:020}"), journal);
        }
        put("snapshot", snapshot);
    } else {
        let (block, mut rest) = part(rest);
        let mut snapshot = ID.header(*b"sgsnaps\n", &[2]);
        // As many entries as fit, each with its size before it.
        let (mut held, mut entries, mut left) = (Vec::new(), 0, block);
        while let Some((size, after)) = left.split_first() {
            let (entry, after) = after.split_at(after.len().min(usize::from(*size)));
            put_number(&mut held, entry.len() as u64);
            held.extend(entry);
            entries += 1;
            left = after;
        }
        if entries > 0 {
            snapshot.extend(ID.block(0, entries, &held));
        }
        let total = u64::from(entries).to_le_bytes();
        snapshot.extend(ID.block(u64::from(entries > 0), 0, &total));
        let mut journal = ID.header(*b"sgjourn\n", &[3]);
        let mut sequence = 2;
        while !rest.is_empty() {
            let (record, after) = part(rest);
            sequence += 1;
            journal.extend(ID.record(sequence, record));
            rest = after;
        }
        put(
            "committed",
            &ID.committed(3, journal.len() as u64, sequence),
        );
        put("journal-00000000000000000003", &journal);
        put("snapshot", &snapshot);
    }
    sealgate::fuzzing::file_store(&FOLDER, how % 2 == 1);
});

fn part(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes {
        [low, high, rest @ ..] => {
            let size = usize::from(u16::from_le_bytes([*low, *high]));
            rest.split_at(rest.len().min(size))
        }
        short => (short, &[]),
    }
}
