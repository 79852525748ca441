//! What goes wrong with files, for whoever must mend it.

use std::io;
use std::path::Path;

use super::bytes::{Flaw, VERSION};
use crate::feed::FeedError;

/// For a store that does not hold what it promised.
const MEND: &str = "put back a whole copy of the folder that knows no less, or move the folder away \
                    and revoke again what must stay revoked";

/// The system refused: it passes where nobody has to change anything but time.
pub(super) fn failed(doing: &str, path: &Path, error: &io::Error) -> FeedError {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    let stays = [
        NotADirectory,
        NotFound,
        PermissionDenied,
        ReadOnlyFilesystem,
    ];
    FeedError {
        text: format!("{doing} {}: {error}", path.display()),
        passes: !stays.contains(&error.kind()),
    }
}

/// The store is not what it was.
pub(super) fn broken(path: &Path, what: &str) -> FeedError {
    FeedError {
        text: format!("{}: {what}; {MEND}", path.display()),
        passes: false,
    }
}

/// A file's header is not one.
pub(super) fn flawed(path: &Path, flaw: Flaw) -> FeedError {
    match flaw {
        Flaw::Damaged => broken(path, "its header is damaged"),
        Flaw::Version(version) => FeedError {
            text: format!(
                "{}: format version {version}, and this sealgate reads {VERSION}: upgrade it, or, if \
                 nobody has run a newer one, the file is damaged: {MEND}",
                path.display()
            ),
            passes: false,
        },
    }
}
