//! [`Seen`]: how a store stood when this process last looked, so that it notices one that has lost
//! what was written there: a server that was emptied, or went on from an older state.

use std::sync::{Arc, Mutex};

use crate::sync::lock;

/// Shared by all readers of an engine: a server that starts anew ends their connections first.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Option<State>>>);

#[derive(Clone, Debug)]
struct State {
    id: Box<str>,
    sequence: u64,
}

/// What a store has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    Everything,
    TheLast,
}

impl Seen {
    /// Takes down how it stands now. `id` is what the store is known by, if it has anything, and
    /// `sequence` how much was ever written to it.
    ///
    /// # Errors
    ///
    /// Once for each loss: what is there now counts from then on.
    pub(super) fn note(&self, id: Option<&str>, sequence: u64) -> Result<(), Loss> {
        let now = id.map(|id| State {
            id: id.into(),
            sequence,
        });
        let mut seen = lock(&self.0);
        let before = std::mem::replace(&mut *seen, now);
        match before {
            Some(before) if id != Some(&*before.id) => Err(Loss::Everything),
            Some(before) if sequence < before.sequence => Err(Loss::TheLast),
            Some(_) | None => Ok(()),
        }
    }

    /// So much was read, too.
    #[cfg(feature = "feed-redis")]
    pub(super) fn raise(&self, sequence: u64) {
        let mut seen = lock(&self.0);
        if let Some(state) = &mut *seen {
            state.sequence = state.sequence.max(sequence);
        }
    }
}

impl Loss {
    /// For operators, after the name of the server.
    pub(super) fn text(self) -> String {
        let lost = match self {
            Self::Everything => {
                "it has lost what was written there: the store is another than before"
            }
            Self::TheLast => {
                "it has lost what was written last, as a server does that goes on from an older state"
            }
        };
        format!("{lost}. What is revoked here stays so; processes that start now do not know of it")
    }
}
