//! [`Seen`]: how a store stood when this process last looked, and how much of it was read, so that it
//! notices one that has lost what was written there: a server that was emptied, or went on from an
//! older state.

use std::fmt;
use std::sync::Arc;

use crate::sync::{AtomicU64, Ordering, Slot};

/// Shared by all readers of an engine: a server that starts anew ends their connections first. A
/// child that was forked goes on from it, so there is no lock in it.
#[derive(Clone)]
pub(super) struct Seen(Arc<Views>);

struct Views {
    /// How it stood.
    stood: Slot<State>,
    /// Up to where it was read.
    read: Slot<State>,
    losses: AtomicU64,
    /// How many states it must have before it counts as whole again; 0 while it does.
    owed: AtomicU64,
}

struct State {
    id: Box<str>,
    sequence: u64,
    /// How many states it has; at most so many after letters that were read since it was asked.
    states: u64,
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
            losses: AtomicU64::new(0),
            owed: AtomicU64::new(0),
        }))
    }

    /// Takes down how it stands now. `id` is what the store is known by, if it has anything,
    /// `sequence` how much was ever written to it, and `states` how many handles it knows.
    ///
    /// # Errors
    ///
    /// Once for each loss: what is there now counts from then on.
    pub(super) fn note(&self, id: Option<&str>, sequence: u64, states: u64) -> Result<(), Loss> {
        let now = id.map(|id| State::new(id, sequence, states));
        let (loss, before) = match self.0.stood.swap(now) {
            Some(before) if id != Some(&*before.id) => (Loss::Everything, before),
            Some(before) if sequence < before.sequence => (Loss::TheLast, before),
            Some(_) | None => {
                if states >= self.0.owed.load(Ordering::Acquire) {
                    self.0.owed.store(0, Ordering::Release);
                }
                return Ok(());
            }
        };
        self.lost(before.states);
        Err(loss)
    }

    /// A letter came that is of an older copy of the store, which others have written to.
    #[cfg(feature = "feed-redis")]
    pub(super) fn went_back(&self) -> Loss {
        self.lost(self.0.stood.load().get().map_or(0, |stood| stood.states));
        Loss::TheLast
    }

    /// It had so many states.
    fn lost(&self, states: u64) {
        self.0.owed.fetch_max(states, Ordering::AcqRel);
        self.0.losses.fetch_add(1, Ordering::AcqRel);
    }

    /// How often it has lost something.
    pub(super) fn losses(&self) -> u64 {
        self.0.losses.load(Ordering::Acquire)
    }

    /// Whether it has fewer states than before it lost some.
    pub(super) fn misses_some(&self) -> bool {
        self.0.owed.load(Ordering::Acquire) > 0
    }

    /// So much was read.
    pub(super) fn read(&self, id: &str, sequence: u64) {
        self.0.read.swap(Some(State::new(id, sequence, 0)));
        let held = self.0.stood.load();
        let stood = held.get().filter(|stood| *stood.id == *id);
        if let Some(stood) = stood
            && let Some(more) = sequence.checked_sub(stood.sequence)
            && more > 0
        {
            let next = State::new(id, sequence, stood.states.saturating_add(more));
            self.0.stood.put_if(&held, Some(next));
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
    fn new(id: &str, sequence: u64, states: u64) -> Arc<Self> {
        let id = id.into();
        Arc::new(Self {
            id,
            sequence,
            states,
        })
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seen")
    }
}

/// While a store misses some, for operators, after the name of the server.
pub(super) const MISSES: &str = "it has lost what was written there, and does not have as much again: \
     processes that start now do not know of it. `sealgate revocations import` brings a backup back; \
     whoever knows what was revoked revokes it again";

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
