//! What a fuzzer asks of the files of a store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::FileEngine;
use super::compact::compact;
use crate::feed::{Engine, FeedError, Letter};
use crate::revocation::{Change, Handle, HandleKind};
use crate::time::{Clock, NumericDate};

const NOW: i64 = 1_800_000_000;

/// Handles by kind, whose they are and value, with what is said of each.
type State = BTreeMap<(HandleKind, String, String), String>;

fn load(engine: &FileEngine) -> Result<(State, u64), FeedError> {
    let mut state = State::new();
    let mut reader = engine.reader()?;
    reader.load(&mut |known| {
        let key = (known.kind, known.scope.to_owned(), known.value.to_owned());
        state.insert(key, format!("{:?}", known.told));
    })?;
    Ok((state, reader.unreadable()))
}

/// Whatever is read once is read again, after another record and after compaction; where the files
/// are `sealed` they are read.
///
/// # Panics
///
/// When that is not so.
pub fn file_store(folder: &Path, sealed: bool) {
    let mut engine = FileEngine::new(folder, Clock::fixed(NOW));
    engine.nap = Arc::new(|_| {});
    let (before, unreadable) = match load(&engine) {
        Ok(loaded) => loaded,
        Err(error) => return assert!(!sealed, "{error}"),
    };
    let handle = Handle::token("fuzz", "fuzz");
    // Before everything else, so that nothing of it has ended.
    let now = NumericDate::from_seconds(0).unwrap_or(NumericDate::LAST);
    let change = Change::revoked(handle, None, None, now);
    let letter = Letter {
        origin: 1,
        number: 1,
        change,
    };
    let wrote = engine
        .writer()
        .and_then(|mut writer| writer.write(&[letter]));
    assert_eq!(wrote, Ok(()), "what is read can be written");
    let (after, again) = load(&engine).unwrap_or_default();
    assert_eq!(again, unreadable);
    let missing = before.iter().find(|(key, told)| {
        let own = key.1 == "fuzz";
        !own && after.get(key) != Some(told)
    });
    assert!(missing.is_none(), "{missing:?}");
    let compacted = engine
        .open()
        .and_then(|folder| compact(&folder, now, &|| true));
    assert_eq!(compacted, Ok(unreadable == 0));
    let (compact, _) = load(&engine).unwrap_or_default();
    // Nothing can go in 1970.
    assert_eq!(compact, after);
}
