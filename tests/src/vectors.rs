//! Other people's vectors, found through `SEALGATE_VECTORS`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

/// The folder of vectors; without it the caller skips, and says so past `cargo test`, which keeps
/// to itself what a test that passes prints.
///
/// # Panics
///
/// Without it where `CI` is set: there a suite that checks nothing would pass for one that does.
#[must_use]
pub fn folder(suite: &str) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = variable("SEALGATE_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        let text = format!("{suite}: SEALGATE_VECTORS names no folder of vectors");
        assert!(variable("CI").is_none(), "{text}");
        let _ = writeln!(std::io::stderr(), "SKIPPED {text}");
    }
    folder
}

/// A JSON file of the folder.
///
/// # Panics
///
/// When it is not there: a folder without its files would make a suite that checks nothing.
#[must_use]
pub fn read(folder: &std::path::Path, name: &str) -> Value {
    let path = folder.join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of `json/` (nst/JSONTestSuite): name and bytes.
///
/// # Panics
///
/// When they cannot be read.
#[must_use]
pub fn json_cases(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder.join("json")).expect("the folder json");
    let mut cases: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("readable"))
        })
        .filter(|(name, _)| name.ends_with(".json"))
        .collect();
    cases.sort();
    cases
}
