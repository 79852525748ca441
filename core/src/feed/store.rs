//! [`Store`]: a store of revocations that processes share, without a verifier: for tools that look
//! after it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Engine, Evicts, FeedError, Letter, Progress, Reader};
use crate::policy::{Rules, StoreRules};
use crate::revocation::{Change, HandleKind};
use crate::time::{Clock, NumericDate};

/// Letters written at once.
const BATCH: usize = 512;
/// Letters that are known when they come again.
const HEARD: usize = 256;

/// The store of revocations that a policy names, opened for listing, backups and repairs.
///
/// Nothing here is on the way of a verification: a [`Verifier`](crate::Verifier) reads its store by
/// itself, and whoever revokes does so through
/// [`Verifier::revocations`](crate::Verifier::revocations), which holds the handle against the
/// policy. Every call opens the store anew, and takes a server some seconds at most to answer or be
/// given up.
pub struct Store {
    name: Box<str>,
    kind: &'static str,
    reach: &'static str,
    engine: Arc<dyn Engine>,
    origin: u64,
    /// The number of the last letter.
    last: u64,
}

/// Reads what is written to a store, as it comes.
pub struct Following {
    reader: Box<dyn Reader>,
    /// What was handed on last: some engines tell it once for each who wrote it.
    last: Option<Change>,
    /// The latest letters, by who sent them and their numbers: whoever is not sure that one has
    /// arrived sends it again.
    heard: VecDeque<(u64, u64)>,
}

/// Why a store does not answer as it should: one line for operators, without a secret or a handle.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreError(FeedError);

impl Store {
    /// The store of revocations that the rules name; `None` where processes share none.
    pub(crate) fn named(rules: &Rules, sha256: fn(&[u8]) -> [u8; 32]) -> Option<Self> {
        let shared = rules.revocation.shared()?;
        Some(Self::of(&shared.store, sha256))
    }

    fn of(rules: &StoreRules, sha256: fn(&[u8]) -> [u8; 32]) -> Self {
        Self {
            name: rules.name.clone(),
            kind: rules.kind(),
            reach: rules.reach(),
            engine: super::open(rules, &Clock::System, sha256),
            origin: super::bag::origin(),
            last: 0,
        }
    }

    /// The policy's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `"file"`, `"redis"` or `"nats"`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// How far what is written there reaches: `"host"` or `"fleet"`.
    #[must_use]
    pub const fn reach(&self) -> &'static str {
        self.reach
    }

    /// Everything that it knows, with when and why: what is revoked, and what was lifted as far as
    /// it remembers. Each handle once, but where it changes meanwhile; a store of kind `file` has
    /// them sorted by kind, whose they are and value, others in any order.
    ///
    /// Of what is revoked it does not say whether an event told it, which orders letters alone:
    /// what [`Store::restore`] has brought back is told as it was. The reason says what the event
    /// was.
    ///
    /// Returns how much could not be read: of a version after this one, or broken.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, is not what it was, or, of kind `file`, nobody has made it yet.
    pub fn changes(&self, take: &mut dyn FnMut(Change)) -> Result<u64, StoreError> {
        let mut reader = self.engine.looker()?;
        reader.changes(&mut |change| take(change.settled()))?;
        Ok(reader.unreadable())
    }

    /// Begins to follow what is written to it from now on.
    ///
    /// # Errors
    ///
    /// As of [`Store::changes`].
    pub fn follow(&self) -> Result<Following, StoreError> {
        let mut reader = self.engine.looker()?;
        reader.load(&mut |_| {})?;
        Ok(Following {
            reader,
            last: None,
            heard: VecDeque::new(),
        })
    }

    /// Appends changes in their order, each of them whole. What is revoked stays so where another
    /// revocation comes on top of it; a lift ends whatever there is. When it returns, the store has
    /// them, and every process that reads it hears of them.
    ///
    /// No policy is asked whether its tokens could carry the handles.
    ///
    /// # Errors
    ///
    /// The store may then have some of them. To revoke again does no harm; a lift that is written
    /// again also ends what others have revoked in between. Where a [`Verifier`](crate::Verifier)
    /// tries again by itself, a store of kind `file` knows what it has, and takes nothing twice.
    pub fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut writer = self.engine.writer()?;
        for batch in changes.chunks(BATCH) {
            let letters = batch.iter().map(|change| {
                self.last += 1;
                Letter {
                    origin: self.origin,
                    number: self.last,
                    change: change.clone(),
                }
            });
            writer.write(&letters.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Brings back what [`Store::changes`] once told of this store or another, a backup. Of two
    /// changes of a handle the later counts, as far as lifts are remembered: what was lifted since
    /// stays lifted, and a lift is left out where the handle was revoked after it. Returns how many
    /// were left out.
    ///
    /// # Errors
    ///
    /// As of [`Store::write`].
    pub fn restore(&mut self, mut changes: Vec<Change>) -> Result<usize, StoreError> {
        let all = changes.len();
        let lifts = changes.iter().filter(|change| change.is_lifted());
        let lifts: BTreeMap<Key, NumericDate> = lifts.map(|lift| (key(lift), lift.at())).collect();
        let mut overtaken = BTreeSet::new();
        if !lifts.is_empty() {
            self.engine.reader()?.changes(&mut |held| {
                let key = key(&held);
                let lifted = lifts.get(&key).filter(|_| !held.is_lifted());
                if lifted.is_some_and(|lifted| *lifted < held.at()) {
                    overtaken.insert(key);
                }
            })?;
        }
        changes.retain(|change| !(change.is_lifted() && overtaken.contains(&key(change))));
        // As of an event, what it says counts from when it happened.
        let dated = |change: Change| match change.is_lifted() {
            true => change,
            false => change.from_event(),
        };
        let changes: Vec<Change> = changes.into_iter().map(dated).collect();
        self.write(&changes)?;
        Ok(all - changes.len())
    }

    /// Opens a line for writing, and does there what writing takes: a server refuses it where it
    /// would refuse a revocation. Nothing is left behind.
    ///
    /// # Errors
    ///
    /// When nobody could write now.
    pub fn try_writing(&self) -> Result<(), StoreError> {
        Ok(self.engine.writer()?.try_writing()?)
    }

    /// What the server's clock says; `None` for a store on this host, and where the server does not
    /// tell.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub fn time(&self) -> Result<Option<NumericDate>, StoreError> {
        Ok(self.engine.time()?)
    }

    /// What its server may forget when it is full; `None` for a store on this host, and at a server
    /// that has a place of its own for each store.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub fn evicts(&self) -> Result<Option<Evicts>, StoreError> {
        Ok(self.engine.evicts()?)
    }
}

/// A handle, for comparing.
type Key = (HandleKind, Box<str>, Box<str>);

fn key(change: &Change) -> Key {
    let handle = change.handle();
    (handle.kind(), handle.scope().into(), handle.value().into())
}

impl Following {
    /// What was written since, in order. Waits at most `wait` where there is nothing. What the
    /// store has changed twice meanwhile may come as one.
    ///
    /// Says whether that is all: `false` where something was missed that cannot be told any more,
    /// because this was too far behind or the store has lost it. It goes on from there.
    ///
    /// # Errors
    ///
    /// When the store does not answer; [`Store::follow`] begins anew.
    pub fn next(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(&Change),
    ) -> Result<bool, StoreError> {
        let (last, heard) = (&mut self.last, &mut self.heard);
        let progress = self.reader.next(wait, &mut |letter| {
            let stamp = (letter.origin, letter.number);
            if heard.contains(&stamp) {
                return;
            }
            heard.truncate(HEARD - 1);
            heard.push_front(stamp);
            if last.as_ref() != Some(&letter.change) {
                take(&letter.change);
                *last = Some(letter.change);
            }
        })?;
        match progress {
            Progress::CaughtUp | Progress::More => Ok(true),
            Progress::Gap => {
                self.reader.load(&mut |_| {})?;
                Ok(false)
            }
        }
    }
}

impl StoreError {
    /// Whether trying again may help. What is broken or refused stays so until somebody mends it.
    #[must_use]
    pub const fn passes(&self) -> bool {
        self.0.passes
    }
}

impl From<FeedError> for StoreError {
    fn from(error: FeedError) -> Self {
        Self(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreError").field(&self.0.text).finish()
    }
}

impl std::error::Error for StoreError {}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Following")
    }
}

#[cfg(test)]
impl Store {
    /// Through an engine of a test's own.
    pub(super) fn through(engine: &Arc<dyn Engine>) -> Self {
        Self {
            name: "test".into(),
            kind: "file",
            reach: "host",
            engine: Arc::clone(engine),
            origin: super::bag::origin(),
            last: 0,
        }
    }
}
