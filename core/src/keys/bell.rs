//! [`Bell`]: how the engine reaches whoever fetches keys, without knowing who that is.

use std::sync::{Arc, OnceLock};
#[cfg(feature = "remote")]
use std::time::Duration;

/// Whoever fetches keys in the background.
pub(crate) trait Background: Send + Sync {
    /// Something is wanted, or the policy is another, or the verifier is gone. Never waits.
    fn ring(&self);

    /// Rings, and looks whether `done` each time a fetch has settled or keys were published, until
    /// `timeout`. Says whether it is.
    #[cfg(feature = "remote")]
    fn wait(&self, timeout: Duration, done: &mut dyn FnMut() -> bool) -> bool;

    /// Keys were published. Wakes those who wait.
    #[cfg(feature = "remote")]
    fn announce(&self);

    /// Stops.
    #[cfg(feature = "remote")]
    fn close(&self);
}

/// Shared by a verifier and all its issuers; silent until somebody fetches.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<OnceLock<Arc<dyn Background>>>);

impl Bell {
    /// Whoever answers from now on; the first to be attached stays.
    #[cfg(feature = "remote")]
    pub(crate) fn attach(&self, background: Arc<dyn Background>) {
        let _ = self.0.set(background);
    }

    pub(crate) fn ring(&self) {
        if let Some(background) = self.0.get() {
            background.ring();
        }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn wait(&self, timeout: Duration, done: &mut dyn FnMut() -> bool) -> bool {
        match self.0.get() {
            Some(background) => background.wait(timeout, done),
            None => done(),
        }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn announce(&self) {
        if let Some(background) = self.0.get() {
            background.announce();
        }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn close(&self) {
        if let Some(background) = self.0.get() {
            background.close();
        }
    }
}
