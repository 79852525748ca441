//! Other people's vectors, found through `SEALGATE_VECTORS`.

use std::path::PathBuf;

use serde_json::Value;

/// The folder of vectors; without it the caller skips, and says so where `cargo test` shows it.
#[must_use]
pub fn folder(suite: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SEALGATE_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        #[expect(clippy::print_stderr, reason = "a skipped suite must be seen")]
        {
            eprintln!("SKIPPED {suite}: SEALGATE_VECTORS names no folder of vectors");
        }
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
