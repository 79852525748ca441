//! [`Running`]: what carries between one process and one store: a thread that reads and one that
//! writes, from the first ring on; both sleep in between.
//!
//! Of an engine of this host whoever revokes writes by itself, since that takes no longer than a
//! disk does. What is to be written outlives them, in a [`Bag`].

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use super::bag::Bag;
use super::outbox::{Owner, Refused, Sealing};
use super::{FeedError, Letter, Progress, Reader};
use crate::observe::{Event, Observers};
use crate::revocation::{Change, News, Report, RevocationStore};
use crate::sync::{lock, process};
use crate::time::{Clock, Moment, NumericDate, Span};

/// How long a reader waits for news before it says that there is none.
const LOOK: Duration = Duration::from_secs(1);
/// After a failure, the first and the longest rest: a server that is back is noticed within the
/// time that `max_staleness` must leave at least.
const REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(2);

/// What works in one process for one store.
pub(super) struct Running {
    pub(super) process: u32,
    pub(super) bag: Arc<Bag>,
    owner: Owner,
    news: Arc<News>,
    clock: Clock,
    observers: Observers,
    /// How many there were when they were told last that something is wrong.
    told: AtomicUsize,
    bell: Arc<Bell>,
    threads: Mutex<Vec<Thread>>,
    /// The policy names its store no longer: what is in the outbox is still written.
    leaves: bool,
    /// Nothing more is done.
    stopped: AtomicBool,
}

/// Rings when something was read or written, or went wrong, for those who wait.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

/// What became of letters that were to be written.
enum Written {
    /// Some, and there may be more.
    Some,
    /// There were none left.
    All,
    /// None, and whoever listens was told why.
    None,
}

impl Running {
    /// For the news of a bag that its caller has just taken over.
    pub(super) fn new(
        bag: &Arc<Bag>,
        owner: Owner,
        news: &Arc<News>,
        clock: &Clock,
        observers: &Observers,
        bell: &Arc<Bell>,
    ) -> Self {
        Self {
            process: process(),
            bag: Arc::clone(bag),
            owner,
            news: Arc::clone(news),
            clock: clock.clone(),
            observers: observers.clone(),
            told: AtomicUsize::new(0),
            bell: Arc::clone(bell),
            threads: Mutex::new(Vec::new()),
            leaves: false,
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == process()
    }

    /// Whether this is what carries the news of a store in this process.
    pub(super) fn serves(&self, news: &Arc<News>) -> bool {
        self.is_of_this_process()
            && Arc::ptr_eq(&self.news, news)
            && !self.is_over()
            && !self.bag.is_sealed()
    }

    /// Starts the threads. Where there is no room for them, the next ring tries again.
    pub(super) fn begin(self: &Arc<Self>, store: &Arc<RevocationStore>) {
        let (own, store) = (Arc::clone(self), Arc::downgrade(store));
        let reads = self.spawn("sealgate-feed", move || own.read(&store));
        if reads && !self.bag.engine.is_local() {
            self.begin_writing();
        } else if !reads {
            self.stop();
        }
    }

    fn begin_writing(self: &Arc<Self>) {
        let own = Arc::clone(self);
        if !self.spawn("sealgate-post", move || own.write()) {
            self.stop();
        }
    }

    /// Ends, and leaves to another what is still to be written: that one reads nothing. `None`
    /// where there is nothing, or somebody else writes it.
    pub(super) fn leave(&self) -> Option<Arc<Self>> {
        self.stop();
        if self.bag.seal(self.owner) != Sealing::NotEmpty {
            return None;
        }
        let (bag, owner, news) = (&self.bag, self.owner, &self.news);
        let rest = Arc::new(Self {
            leaves: true,
            ..Self::new(bag, owner, news, &self.clock, &self.observers, &self.bell)
        });
        rest.begin_writing();
        Some(rest)
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    /// Takes a change that is about to be in force here.
    pub(super) fn hold(&self, change: &Change) -> Result<(), Refused> {
        let held = self.bag.outbox().add(change.clone());
        if held == Err(Refused::Full { first: true }) {
            self.unwritten(&FeedError {
                text:
                    "too much waits to be written: what is revoked now takes force in this process \
                       alone, and is to be revoked again"
                        .to_owned(),
                passes: false,
            });
        }
        held
    }

    fn spawn(self: &Arc<Self>, name: &str, work: impl FnOnce() + Send + 'static) -> bool {
        let own = Arc::clone(self);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _end = End(own);
            work();
        });
        if let Ok(handle) = &spawned {
            lock(&self.threads).push(handle.thread().clone());
            // Whoever had something for it before it could be woken has woken nobody.
            handle.thread().unpark();
        }
        spawned.is_ok()
    }

    pub(super) fn is_over(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// The thread that reads, until the verifier is gone or names another store.
    fn read(&self, store: &Weak<RevocationStore>) {
        let mut rest = REST;
        let mut doubt = false;
        while !self.is_over() {
            if store.strong_count() == 0 {
                self.stopped.store(true, Ordering::Release);
                self.leaves_behind(self.bag.unsent());
                return;
            }
            match self.follow(store, &mut rest, &mut doubt) {
                Ok(()) => {}
                Err(error) => {
                    doubt = true;
                    self.failed(&error);
                    thread::park_timeout(rest);
                    rest = (rest * 2).min(LONGEST_REST);
                }
            }
        }
    }

    /// Reads everything there is, and then what comes, for as long as nothing goes wrong. In
    /// `doubt` is whether the store may have lost what it was handed.
    fn follow(
        &self,
        store: &Weak<RevocationStore>,
        rest: &mut Duration,
        doubt: &mut bool,
    ) -> Result<(), FeedError> {
        let mut reader = self.bag.engine.reader()?;
        loop {
            let Some(all) = store.upgrade() else {
                return Ok(());
            };
            let began = self.now();
            let entries = self.load(&mut *reader, &all, *doubt)?;
            drop(all);
            *doubt = true; // whoever loads again has missed something
            *rest = REST;
            self.news.freshen(began.0, began.1);
            self.tell();
            self.observers.tell(&Event::RevocationsLoaded {
                store: &self.bag.rules.name,
                entries,
            });
            loop {
                if self.is_over() {
                    return Ok(());
                }
                self.deliver_here();
                let began = self.now();
                let sent = self.bag.outbox().last_sent();
                let mut letters = Vec::new();
                let progress = reader.next(LOOK, &mut |letter| letters.push(letter))?;
                let Some(store) = store.upgrade() else {
                    return Ok(());
                };
                for letter in &letters {
                    self.take(letter, &store, began.1);
                }
                if !letters.is_empty() && store.wants_merging() {
                    store.merge(began.1);
                }
                match progress {
                    Progress::CaughtUp => {
                        self.bag.outbox().confirm(sent);
                        self.news.freshen(began.0, began.1);
                    }
                    Progress::More => {}
                    Progress::Gap => break,
                }
                self.reads_well(&*reader);
                self.tell();
            }
        }
    }

    /// Puts a letter into force. A change of the same handle that has not come back yet stands
    /// later in the log, or will: what was lifted before it lifts nothing any more.
    fn take(&self, letter: &Letter, store: &RevocationStore, now: NumericDate) {
        let mut outbox = self.bag.outbox();
        outbox.came_back(letter);
        let known = letter.change.known();
        if known.lifts() {
            outbox.lifted(&known);
        }
        if !(known.lifts() && outbox.is_about(&known)) {
            store.learn(known, now);
        }
    }

    /// Everything there is becomes part of what is known; nothing that is known goes (a union) but
    /// what was lifted since the store was last read. What this process has revoked before it read
    /// the store for the first time may be later than any lift there.
    ///
    /// In `doubt`, whatever this process has not seen come back is written again afterwards; where
    /// the store has lost something, what it had taken, too. Says how many handles there are.
    fn load(
        &self,
        reader: &mut dyn Reader,
        store: &RevocationStore,
        doubt: bool,
    ) -> Result<usize, FeedError> {
        let now = self.clock.now();
        let begins = !self.news.has_come();
        let mut entries = 0;
        store.fill(now, |learn| {
            reader.load(&mut |known| {
                let overtaken = known.lifts() && {
                    let mut outbox = self.bag.outbox();
                    outbox.lifted(&known);
                    (begins && known.lifts_undated()) || outbox.is_about(&known)
                };
                if !overtaken {
                    learn(known);
                }
                entries += 1;
            })
        })?;
        self.bag.recall(now);
        if doubt {
            self.bag.rewind();
            self.wake();
        }
        self.reads_well(&*reader);
        Ok(entries)
    }

    /// The thread that writes, until there is nothing left that anybody wants written.
    fn write(&self) {
        let mut rest = REST;
        while !self.is_over() {
            match self.write_next() {
                Written::Some => rest = REST,
                Written::All if !self.leaves => thread::park(),
                Written::All => match self.bag.seal(self.owner) {
                    Sealing::Sealed => return self.tell(),
                    Sealing::TakenOver => return,
                    Sealing::NotEmpty => {} // somebody still had it when it was replaced
                },
                Written::None => {
                    thread::park_timeout(rest);
                    rest = (rest * 2).min(LONGEST_REST);
                }
            }
        }
    }

    /// Writes everything that is to be written, on the thread of whoever revokes. Says whether it
    /// is there. It stays in the outbox until it is read back: what was lifted before it may be
    /// read yet.
    pub(super) fn write_here(&self) -> bool {
        loop {
            match self.write_next() {
                Written::Some => {}
                Written::All => return true,
                Written::None => return false,
            }
        }
    }

    /// Writes the next letters that nobody was handed, and tells how that went.
    fn write_next(&self) -> Written {
        match self.bag.write_next() {
            None => Written::All,
            Some(Ok(())) => {
                self.written();
                Written::Some
            }
            Some(Err(error)) => {
                self.unwritten(&error);
                Written::None
            }
        }
    }

    /// Of an engine of this host nobody else writes what could not be written at first.
    fn deliver_here(&self) {
        if self.bag.engine.is_local() && self.bag.unsent() > 0 {
            self.write_here();
        }
    }

    fn now(&self) -> (Moment, NumericDate) {
        (self.clock.moment(), self.clock.now())
    }

    fn reads_well(&self, reader: &dyn Reader) {
        let unreadable = reader.unreadable();
        let trouble = self.bag.engine.trouble();
        let keeping = trouble.as_ref().map(|error| error.text.as_str());
        let before = self.news.set_report(|report| {
            report.unreadable = unreadable;
            report.reading = None;
            report.keeping = keeping.map(Into::into);
        });
        if let Some(error) = &trouble {
            self.interrupted(error, &before);
        }
    }

    fn failed(&self, error: &FeedError) {
        let reading = || Some(error.text.as_str().into());
        let before = self.news.set_report(|report| report.reading = reading());
        self.interrupted(error, &before);
    }

    fn written(&self) {
        self.news.set_report(|report| report.writing = None);
        self.tell();
    }

    fn unwritten(&self, error: &FeedError) {
        let writing = || Some(error.text.as_str().into());
        let before = self.news.set_report(|report| report.writing = writing());
        self.interrupted(error, &before);
    }

    /// Tells so when it begins and when it is for another reason: it is tried every second or two,
    /// to read and to write, for as long as a server is away. And when somebody listens who did not
    /// then, as nobody does yet when a verifier is made.
    fn interrupted(&self, error: &FeedError, before: &Report) {
        self.tell();
        let listening = self.observers.len();
        let is_new = !before.says(&error.text);
        if self.told.swap(listening, Ordering::AcqRel) < listening || is_new {
            self.observers.tell(&Event::RevocationsInterrupted {
                store: &self.bag.rules.name,
                reason: &error.text,
            });
        }
    }

    /// Changes that the store is not known to have; of one that nobody reads any more, those that
    /// it was not handed.
    pub(super) fn undelivered(&self) -> usize {
        if self.leaves {
            self.bag.unsent()
        } else {
            self.bag.undelivered()
        }
    }

    /// Nobody will take so many changes to the store: whoever listens is told, and the store's name
    /// is returned, if there are any.
    pub(super) fn leaves_behind(&self, changes: usize) -> Option<(Box<str>, usize)> {
        let store = &self.bag.rules.name;
        (changes > 0).then(|| {
            let event = Event::RevocationsUndelivered { store, changes };
            self.observers.tell(&event);
            (store.clone(), changes)
        })
    }

    pub(super) fn wake(&self) {
        for thread in lock(&self.threads).iter() {
            thread.unpark();
        }
    }

    /// Lets those who wait look again; and those who cannot wait, once all is delivered.
    pub(super) fn tell(&self) {
        self.bell.ring();
        if self.bag.is_awaited() && self.undelivered() == 0 && self.bag.has_arrived() {
            self.observers.tell(&Event::RevocationsDelivered {
                store: &self.bag.rules.name,
            });
        }
    }
}

impl Bell {
    pub(super) fn ring(&self) {
        *lock(&self.rung) += 1;
        self.changed.notify_all();
    }

    /// How often it has rung.
    pub(super) fn rung(&self) -> u64 {
        *lock(&self.rung)
    }

    /// Whether it rings again after having rung `seen` times, before `deadline`.
    pub(super) fn wait_beyond(&self, seen: u64, deadline: Moment) -> bool {
        let mut rung = lock(&self.rung);
        while *rung == seen {
            let left = deadline.since(Clock::System.moment());
            if left <= Span::ZERO {
                return false;
            }
            let woken = self.changed.wait_timeout(rung, left.to_duration());
            rung = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Lets others take the place of a thread that a panic ended: the next ring starts them.
struct End(Arc<Running>);

impl Drop for End {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
            self.0.bell.ring();
        }
    }
}
