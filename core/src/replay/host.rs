//! Used proofs of one host: a table in a folder that all of its processes have open.

use std::fs::DirBuilder;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use sealgate_proofs::{Answer, OpenError, Proofs};

use super::{FirstUse, ReplayKey};
use crate::error::{Code, Error};
use crate::limits::REPLAY_HOST_ENTRIES;
use crate::time::NumericDate;

/// The table's name in the folder.
const NAME: &str = "proofs";

/// Used proofs that the processes of one host share.
pub(crate) struct HostTable {
    proofs: Proofs,
    folder: PathBuf,
}

impl HostTable {
    /// Whether a table is in this folder.
    pub(crate) fn is_in(folder: &Path) -> bool {
        folder.join(NAME).exists()
    }

    /// Opens the table in this folder, and makes both where they are not there yet, for their owner
    /// alone.
    ///
    /// # Errors
    ///
    /// Why not, and what to do.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        let refuse = |path: &Path, error| format!("{}: {error}", path.display());
        let made = private().create(folder);
        made.map_err(|error| refuse(folder, error))?;
        let path = folder.join(NAME);
        let proofs = Proofs::open(&path, REPLAY_HOST_ENTRIES, seed());
        let proofs = proofs.map_err(|error| {
            if let OpenError::Io(error) = error {
                refuse(&path, error)
            } else {
                format!("{} {error}", path.display())
            }
        })?;
        Ok(Self {
            proofs,
            folder: folder.to_owned(),
        })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// As [`super::ReplayGuard::insert`], among all processes of the host. `made_at` is a time that
    /// the proof says, the same whatever a process's policy.
    pub(crate) fn insert(
        &self,
        key: &ReplayKey,
        made_at: NumericDate,
        until: NumericDate,
        now: NumericDate,
    ) -> Result<FirstUse, Error> {
        let (made_at, until, now) = (seconds(made_at), seconds(until), seconds(now));
        match self.proofs.insert(key, made_at, until, now) {
            Answer::First => Ok(FirstUse(())),
            Answer::Seen => Err(Error::about(Code::Replayed, "jti")),
            Answer::Full => Err(Error::about(Code::ReplayFull, "jti")),
        }
    }

    /// Whether [`HostTable::insert`] would call this proof replayed, without remembering it.
    pub(crate) fn has_seen(
        &self,
        key: &ReplayKey,
        made_at: NumericDate,
        until: NumericDate,
        now: NumericDate,
    ) -> bool {
        let (made_at, until, now) = (seconds(made_at), seconds(until), seconds(now));
        self.proofs.has_seen(key, made_at, until, now)
    }
}

/// Dates before 1970 are those of 1970.
fn seconds(date: NumericDate) -> u64 {
    u64::try_from(date.seconds()).unwrap_or(0)
}

/// Of a table that is not there yet. The standard library draws its keys from the system, and a
/// hash under them is as secret.
fn seed() -> [u8; 16] {
    let drawn = RandomState::new();
    let halves = [1_u8, 2].map(|half| u128::from(drawn.hash_one(half)));
    (halves[0] << 64 | halves[1]).to_ne_bytes()
}

fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
