//! What is refused as a table's file, and what is put right.

use std::fs;
use std::path::{Path, PathBuf};

use sealgate_proofs::{Answer, OpenError, Proofs};

const SEED: [u8; 16] = [9; 16];
const CAPACITY: usize = 96;
/// A page, and sixteen regions of sixteen lines of 64 bytes.
const SIZE: u64 = 4096 + 16 * 16 * 64;
const NOW: u64 = 1_800_000_000;

fn open(path: &Path) -> Result<Proofs, OpenError> {
    Proofs::open(path, CAPACITY, SEED)
}

fn insert(proofs: &Proofs) -> Answer {
    proofs.insert(&[1; 32], NOW, NOW + 90, NOW)
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A table with one used proof, in a folder of its own.
fn used(name: &str) -> PathBuf {
    let path = folder(name).join("proofs");
    assert_eq!(insert(&open(&path).unwrap()), Answer::First);
    path
}

#[test]
fn what_is_used_stays_used_when_everybody_has_left() {
    let path = used("stays");
    assert_eq!(insert(&open(&path).unwrap()), Answer::Seen);
    assert_eq!(fs::metadata(&path).unwrap().len(), SIZE);
}

#[test]
fn a_table_keeps_the_seed_it_was_made_with() {
    let path = used("seed");
    let other = Proofs::open(&path, CAPACITY, [3; 16]).unwrap();
    assert_eq!(insert(&other), Answer::Seen);
}

/// A hole in a mapped file is a killed process on the day that the disk is full.
#[cfg(unix)]
#[test]
fn the_file_has_no_holes_and_belongs_to_its_owner() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let path = used("holes");
    let found = fs::metadata(&path).unwrap();
    assert!(found.blocks() * 512 >= SIZE, "{} blocks", found.blocks());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let lock = fs::metadata(path.with_added_extension("lock")).unwrap();
    assert_eq!(lock.permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o660, 0o601] {
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Exposed)), "{mode:o}");
    }
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(insert(&open(&path).unwrap()), Answer::Seen);
}

#[test]
fn what_is_no_table_is_refused_and_left_alone() {
    let path = used("foreign");
    let good = fs::read(&path).unwrap();
    let mut swapped = good.clone();
    swapped[..8].reverse();
    let short = &good[..good.len() - 1];
    let long = [&good[..], &[0]].concat();
    for wrong in [
        b"",
        &b"{}"[..],
        &vec![0; good.len()],
        short,
        &long,
        &swapped,
    ] {
        fs::write(&path, wrong).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Foreign)));
        assert_eq!(fs::read(&path).unwrap(), wrong);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(insert(&open(&path).unwrap()), Answer::Seen);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Foreign)));
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let path = used("link");
    let link = path.with_added_extension("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(open(&link), Err(OpenError::Foreign)));
}

#[test]
fn another_version_or_capacity_is_refused() {
    let path = used("other");
    for capacity in [1, 97, 10_000] {
        let other = Proofs::open(&path, capacity, SEED);
        assert!(matches!(other, Err(OpenError::Other)), "{capacity}");
    }
    let good = fs::read(&path).unwrap();
    // The version, the seconds of a window, the regions.
    for at in [8, 16, 24] {
        let mut other = good.clone();
        other[at] ^= 1;
        fs::write(&path, other).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Other)), "{at}");
    }
    fs::write(&path, good).unwrap();
    assert_eq!(insert(&open(&path).unwrap()), Answer::Seen);
    for capacity in [0, (1 << 26) + 1, usize::MAX] {
        let path = path.with_added_extension("capacity");
        let none = Proofs::open(&path, capacity, SEED);
        assert!(matches!(none, Err(OpenError::Capacity)), "{capacity}");
        assert!(!path.exists());
    }
}

#[test]
fn what_a_dead_process_left_is_in_nobodys_way() {
    let path = folder("left").join("proofs");
    fs::write(path.with_added_extension("lock"), "").unwrap();
    fs::write(path.with_added_extension("new"), "half a table").unwrap();
    assert_eq!(insert(&open(&path).unwrap()), Answer::First);
    assert!(!path.with_added_extension("new").exists());
}

#[test]
fn a_folder_that_is_not_there_is_an_error_of_the_system() {
    let path = folder("nowhere").join("missing").join("proofs");
    let Err(OpenError::Io(error)) = open(&path) else {
        panic!("not made")
    };
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
