//! [`Seen`]: how a store stood when this process last looked, and how much of it was read, so that it
//! notices one that has lost what was written there: a server that was emptied, or went on from an
//! older state.

use std::fmt;
use std::sync::Arc;

use crate::sync::Slot;

/// Shared by all readers of an engine: a server that starts anew ends their connections first. A child
/// that was forked goes on from it, so there is no lock in it.
#[derive(Clone)]
pub(super) struct Seen(Arc<Views>);

struct Views {
    /// How it stood.
    stood: Slot<State>,
    /// Up to where it was read.
    read: Slot<State>,
}

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
    pub(super) fn new() -> Self {
        Self(Arc::new(Views {
            stood: Slot::empty(),
            read: Slot::empty(),
        }))
    }

    /// Takes down how it stands now. `id` is what the store is known by, if it has anything, and
    /// `sequence` how much was ever written to it.
    ///
    /// # Errors
    ///
    /// Once for each loss: what is there now counts from then on.
    pub(super) fn note(&self, id: Option<&str>, sequence: u64) -> Result<(), Loss> {
        let now = id.map(|id| State::new(id, sequence));
        match self.0.stood.swap(now) {
            Some(before) if id != Some(&*before.id) => Err(Loss::Everything),
            Some(before) if sequence < before.sequence => Err(Loss::TheLast),
            Some(_) | None => Ok(()),
        }
    }

    /// So much was read.
    pub(super) fn read(&self, id: &str, sequence: u64) {
        self.0.read.swap(Some(State::new(id, sequence)));
        let stood = self.0.stood.load();
        if stood
            .get()
            .is_some_and(|stood| *stood.id == *id && stood.sequence < sequence)
        {
            self.0.stood.put_if(&stood, Some(State::new(id, sequence)));
        }
    }

    /// What comes behind this in the store of that name was not read before. Of a store of another
    /// name nobody can tell.
    pub(super) fn behind(&self, id: &str) -> u64 {
        match self.0.read.load().get() {
            None => 0,
            Some(read) if *read.id == *id => read.sequence,
            Some(_) => u64::MAX,
        }
    }
}

impl State {
    fn new(id: &str, sequence: u64) -> Arc<Self> {
        let id = id.into();
        Arc::new(Self { id, sequence })
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seen")
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
