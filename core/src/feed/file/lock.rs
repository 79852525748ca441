//! Whose turn it is to write: a lock that the kernel takes back when its holder dies.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::Nap;
use super::folder::create;
use super::trouble::failed;
use crate::feed::FeedError;

/// Between two tries.
const STEP: Duration = Duration::from_millis(5);
/// Whoever holds the lock writes a few records, or stands still.
const PATIENCE: Duration = Duration::from_secs(2);

/// Held until it is dropped.
pub(super) struct Lock(File);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// With others who look.
    Looking,
    /// With nobody.
    Writing,
}

impl Lock {
    /// Takes it, or gives up after two seconds.
    ///
    /// The file is opened each time: a process that is forked shares what its parent has open, and
    /// would hold on to a lock after the parent has died.
    pub(super) fn take(path: &Path, share: Share, nap: &Nap) -> Result<Self, FeedError> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(lock) = Self::attempt(path, share)? {
                return Ok(lock);
            }
            if waited >= PATIENCE {
                return Err(FeedError {
                    text: format!(
                        "{}: another process has held the lock for {} s",
                        path.display(),
                        PATIENCE.as_secs()
                    ),
                    passes: true,
                });
            }
            nap(STEP);
            waited += STEP;
        }
    }

    /// Takes it if nobody holds it.
    pub(super) fn attempt(path: &Path, share: Share) -> Result<Option<Self>, FeedError> {
        let file = match share {
            Share::Writing => create(path),
            // Whoever may only read can look.
            Share::Looking => File::open(path).or_else(|_| create(path)),
        };
        let file = file.map_err(|error| failed("opening", path, &error))?;
        let locked = match share {
            Share::Writing => file.try_lock(),
            Share::Looking => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed("locking", path, &error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing lets go of it too, unless a child forked meanwhile has it open.
        let _ = self.0.unlock();
    }
}
