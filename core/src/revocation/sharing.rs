//! [`Sharing`]: a store that processes share, as one process stands to it: how old its news is here,
//! and who carries it.
//!
//! Verification only ever reads a moment and compares it. It never waits: where the news is too old
//! it says so at once, and rings for whoever should have brought it.

use std::sync::Arc;
use std::time::Duration;

use super::change::Change;
use crate::error::{Code, Error};
use crate::policy::{Shared, StorePlace};
use crate::sync::{AtomicU64, Ordering, Snapshot};
use crate::time::{Clock, Moment, NumericDate, Span};

/// Nobody has read for so long: somebody should look whether anybody still does. A fork leaves the
/// child without its threads.
const OVERDUE: Span = Span::from_millis(2500);

/// Whoever carries changes between this process and a store that it shares. It works for one
/// verifier.
pub(crate) trait Postman: Send + Sync {
    /// News is overdue, or the policy names another store. Never waits for a server.
    fn ring(&self);

    /// Takes a change that is about to be in force here. From now on nothing that comes from the
    /// store lifts what it revokes. Says whether there was room for it: else it never gets to the
    /// store.
    fn hold(&self, change: &Change) -> bool;

    /// Takes what it holds to the store. Says whether the store has it; else it is tried again
    /// until it has.
    fn send(&self) -> bool;

    /// Changes of this process that the store is not known to have, and those that a store was
    /// never handed which the policy named before.
    fn undelivered(&self) -> usize;

    /// Looks whether `done` whenever something has been read or written, until `timeout`. Says
    /// whether it is.
    fn wait(&self, timeout: Duration, done: &mut dyn FnMut() -> bool) -> bool;

    /// Stops, tells observers what no store is known to have, and returns it: stores with how many
    /// changes each. Where it was stopped before there is nothing to tell.
    fn close(&self) -> Vec<(Box<str>, usize)>;

    /// Whether it was stopped: what is held from then on never gets to the store.
    fn is_closed(&self) -> bool;
}

/// How this process stands to the store that the policy names.
pub(crate) struct Sharing {
    pub(crate) shared: Shared,
    pub(crate) news: Arc<News>,
    clock: Clock,
}

/// What has come from one store. It outlives reloads of a policy that goes on naming it.
pub(crate) struct News {
    /// One more than the moment up to which everything is known here, in microseconds; 0 before
    /// anything was.
    fresh_at: AtomicU64,
    /// The date then. A machine that sleeps has no moments meanwhile, and its dates go on.
    fresh_date: AtomicU64,
    /// From that moment on somebody should look whether anybody still reads.
    overdue_at: AtomicU64,
    report: Snapshot<Report>,
}

/// What is known of the carrying, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Why nothing comes; `None` while it does.
    pub(crate) reading: Option<Box<str>>,
    /// Why nothing can be written; `None` while it can, as far as anybody tried.
    pub(crate) writing: Option<Box<str>>,
    /// Why the store cannot be kept small, or that it misses something; `None` while all is well,
    /// as far as anybody can tell.
    pub(crate) keeping: Option<Box<str>>,
    /// Letters that nobody here could read.
    pub(crate) unreadable: u64,
}

impl Sharing {
    pub(crate) fn new(shared: Shared, clock: Clock, before: Option<&Self>) -> Self {
        let same = before.filter(|before| before.shared.store == shared.store);
        Self {
            news: same.map_or_else(Arc::default, |before| Arc::clone(&before.news)),
            shared,
            clock,
        }
    }

    /// Whether the store is on this host.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.shared.store.place, StorePlace::File(_))
    }

    /// How old the news is, where that is young enough, or the policy takes it anyway.
    ///
    /// # Errors
    ///
    /// `revocation_unavailable` before the first news, `revocation_stale` afterwards (REV-11).
    pub(super) fn check(
        &self,
        now: NumericDate,
        postman: Option<&Arc<dyn Postman>>,
    ) -> Result<Span, Error> {
        let moment = self.clock.moment();
        if moment.to_bits() >= self.news.overdue_at.load(Ordering::Relaxed) {
            self.news.remind(moment, postman);
        }
        let Some(staleness) = self.news.staleness(moment, now) else {
            return Err(Error::new(Code::RevocationUnavailable));
        };
        if staleness > self.shared.max_staleness && !self.shared.accept_stale {
            return Err(Error::new(Code::RevocationStale));
        }
        Ok(staleness)
    }

    /// How old the news is now; `None` before there was any.
    pub(crate) fn staleness(&self) -> Option<Span> {
        self.news.staleness(self.clock.moment(), self.clock.now())
    }
}

impl News {
    /// Everything is known that was written before this moment, which had this date.
    pub(crate) fn freshen(&self, moment: Moment, date: NumericDate) {
        let bits = moment.to_bits();
        self.fresh_date.store(date.to_bits(), Ordering::Release);
        self.fresh_at
            .fetch_max(bits.saturating_add(1), Ordering::AcqRel);
        let overdue = moment.plus(OVERDUE).to_bits();
        self.overdue_at.fetch_max(overdue, Ordering::Relaxed);
    }

    /// Whether there ever was any.
    pub(crate) fn has_come(&self) -> bool {
        self.fresh_at.load(Ordering::Acquire) != 0
    }

    fn staleness(&self, moment: Moment, now: NumericDate) -> Option<Span> {
        let fresh_at = self.fresh_at.load(Ordering::Acquire).checked_sub(1)?;
        let passed = moment.since(Moment::from_bits(fresh_at));
        let dated = NumericDate::from_bits(self.fresh_date.load(Ordering::Acquire));
        Some(passed.max(now.since(dated)).max(Span::ZERO))
    }

    /// Rings, once for all who see at the same time that news is overdue.
    #[cold]
    fn remind(&self, moment: Moment, postman: Option<&Arc<dyn Postman>>) {
        let seen = self.overdue_at.load(Ordering::Relaxed);
        let next = moment.plus(OVERDUE).to_bits();
        let (set, read) = (Ordering::Relaxed, Ordering::Relaxed);
        let mine = self
            .overdue_at
            .compare_exchange(seen, next, set, read)
            .is_ok();
        if mine && let Some(postman) = postman {
            postman.ring();
        }
    }

    pub(crate) fn report(&self) -> Arc<Report> {
        self.report.load_full()
    }

    /// Returns what was reported before.
    pub(crate) fn set_report(&self, change: impl Fn(&mut Report)) -> Arc<Report> {
        loop {
            let before = self.report.load_full();
            let mut report = Report::clone(&before);
            change(&mut report);
            if report == *before || self.report.replace(&before, Arc::new(report)) {
                return before;
            }
        }
    }
}

impl Report {
    /// Whether this is what it says already.
    pub(crate) fn says(&self, text: &str) -> bool {
        let said = [&self.reading, &self.writing, &self.keeping];
        said.into_iter().any(|said| said.as_deref() == Some(text))
    }
}

impl Default for News {
    fn default() -> Self {
        Self {
            fresh_at: AtomicU64::new(0),
            fresh_date: AtomicU64::new(0),
            overdue_at: AtomicU64::new(0),
            report: Snapshot::new(Report::default()),
        }
    }
}
