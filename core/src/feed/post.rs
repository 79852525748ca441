//! [`Post`]: carries changes between the store of one verifier and the engine that its policy names.
//!
//! One thread reads and one writes, from the first ring on; both sleep in between. Of an engine of
//! this host whoever revokes writes by itself, since that takes no longer than a disk does. A fork
//! leaves the child without threads but with everything else: whatever they shared is made anew there,
//! so that no lock of a thread that is gone is ever waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use super::outbox::Outbox;
use super::{Engine, FeedError, Letter, Progress, Reader, Writer};
use crate::observe::{Event, Observers};
use crate::policy::StoreRules;
use crate::revocation::{Change, News, Postman, RevocationStore};
use crate::sync::{Held, Slot, lock};
use crate::time::{Clock, Moment, NumericDate, Span};
use crate::verifier;

/// How long a reader waits for news before it says that there is none.
const LOOK: Duration = Duration::from_secs(1);
/// After a failure, the first and the longest rest.
const REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(5);
/// Letters written at once.
const BATCH: usize = 512;

/// How an engine is made from what the policy says of it.
type Open = Box<dyn Fn(&StoreRules, &Clock) -> Arc<dyn Engine> + Send + Sync>;

/// What carries for one verifier. It keeps neither the verifier nor its store alive.
pub(crate) struct Post {
    store: Weak<RevocationStore>,
    clock: Clock,
    observers: Observers,
    open: Open,
    running: Slot<Running>,
    closed: AtomicBool,
}

/// What works in one process for one store.
struct Running {
    process: u32,
    name: Box<str>,
    news: Arc<News>,
    engine: Arc<dyn Engine>,
    clock: Clock,
    observers: Observers,
    outbox: Mutex<Outbox>,
    /// Of an engine of this host. Held while writing.
    writer: Mutex<Option<Box<dyn Writer>>>,
    /// How often something was read or written, or went wrong, for those who wait.
    told: Mutex<u64>,
    changed: Condvar,
    threads: Mutex<Vec<Thread>>,
    /// Another store has taken its place: what is in the outbox is still written.
    replaced: AtomicBool,
    /// Nothing more is done.
    stopped: AtomicBool,
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

impl Post {
    /// Carries for a verifier from now on, through the engines of this build.
    pub(crate) fn attach(verifier: &verifier::Engine) {
        let sha256 = verifier.provider().sha256;
        let open = move |rules: &_, clock: &_| super::open(rules, clock, sha256);
        Self::attach_to(verifier, Box::new(open));
    }

    fn attach_to(verifier: &verifier::Engine, open: Open) {
        let store = verifier.revocation_store();
        store.attach(Arc::new(Self {
            store: Arc::downgrade(&store),
            clock: verifier.clock().clone(),
            observers: verifier.observers().clone(),
            open,
            running: Slot::empty(),
            closed: AtomicBool::new(false),
        }));
        verifier.begin_sharing();
    }

    /// What runs for the store that the policy names now, started where nothing does; `None` where it
    /// names none.
    fn running(&self) -> Held<Running> {
        let held = self.running.load();
        let Some(store) = self.store.upgrade() else {
            return held;
        };
        if self.closed.load(Ordering::Acquire) {
            return held;
        }
        let sharing = store.sharing();
        let wanted = sharing.get();
        let fits = match (held.get(), wanted) {
            (Some(running), Some(sharing)) => running.serves(&sharing.news),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if fits {
            return held;
        }
        let next = wanted.map(|sharing| {
            let rules = &sharing.shared.store;
            Arc::new(Running {
                process: std::process::id(),
                name: rules.name.clone(),
                news: Arc::clone(&sharing.news),
                engine: (self.open)(rules, &self.clock),
                clock: self.clock.clone(),
                observers: self.observers.clone(),
                outbox: Mutex::new(Outbox::new(origin())),
                writer: Mutex::new(None),
                told: Mutex::new(0),
                changed: Condvar::new(),
                threads: Mutex::new(Vec::new()),
                replaced: AtomicBool::new(false),
                stopped: AtomicBool::new(false),
            })
        });
        if self.running.put_if(&held, next.clone()) {
            if let Some(before) = own(&held) {
                before.replaced.store(true, Ordering::Release);
                before.wake();
            }
            if let Some(next) = next {
                next.begin(&store);
            }
        }
        self.running.load()
    }
}

impl Postman for Post {
    fn ring(&self) {
        self.running();
    }

    fn hold(&self, change: &Change) {
        if let Some(running) = own(&self.running()) {
            lock(&running.outbox).add(change.clone());
        }
    }

    fn send(&self) -> bool {
        let held = self.running();
        let Some(running) = own(&held) else {
            return false;
        };
        if running.engine.is_local() {
            running.write_here()
        } else {
            running.wake();
            false
        }
    }

    fn undelivered(&self) -> usize {
        let held = self.running.load();
        own(&held).map_or(0, |running| {
            let outbox = lock(&running.outbox);
            if running.engine.is_local() {
                outbox.unsent_len() // what a disk has taken is there
            } else {
                outbox.len()
            }
        })
    }

    fn wait(&self, timeout: Duration, done: &mut dyn FnMut() -> bool) -> bool {
        let deadline = Clock::System.moment().plus(timeout.into());
        loop {
            let held = self.running();
            let Some(running) = own(&held) else {
                return done();
            };
            let seen = *lock(&running.told);
            if done() {
                return true;
            }
            if self.closed.load(Ordering::Acquire) || !running.wait_beyond(seen, deadline) {
                return done();
            }
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let held = self.running.load();
        if let Some(running) = own(&held) {
            running.stopped.store(true, Ordering::Release);
            running.wake();
            running.tell();
        }
    }
}

impl Running {
    fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    /// Whether this is what carries the news of a store in this process.
    fn serves(&self, news: &Arc<News>) -> bool {
        self.is_of_this_process()
            && Arc::ptr_eq(&self.news, news)
            && !self.stopped.load(Ordering::Acquire)
    }

    /// Starts the threads. Where there is no room for them, the next ring tries again.
    fn begin(self: &Arc<Self>, store: &Arc<RevocationStore>) {
        let (own, store) = (Arc::clone(self), Arc::downgrade(store));
        let reads = self.spawn("sealgate-feed", move || own.read(&store));
        let writes = self.engine.is_local() || {
            let own = Arc::clone(self);
            self.spawn("sealgate-post", move || own.write())
        };
        if !(reads && writes) {
            self.stopped.store(true, Ordering::Release);
        }
    }

    fn spawn(self: &Arc<Self>, name: &str, work: impl FnOnce() + Send + 'static) -> bool {
        let own = Arc::clone(self);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _end = End(own);
            work();
        });
        if let Ok(handle) = &spawned {
            lock(&self.threads).push(handle.thread().clone());
        }
        spawned.is_ok()
    }

    fn is_over(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Nothing more is read, nor written but what is in the outbox.
    fn is_done(&self) -> bool {
        self.is_over() || self.replaced.load(Ordering::Acquire)
    }

    /// The thread that reads, until the verifier is gone or names another store.
    fn read(&self, store: &Weak<RevocationStore>) {
        let mut rest = REST;
        while !self.is_done() {
            if store.strong_count() == 0 {
                return self.stopped.store(true, Ordering::Release);
            }
            match self.follow(store, &mut rest) {
                Ok(()) => {}
                Err(error) => {
                    self.failed(&error);
                    thread::park_timeout(rest);
                    rest = (rest * 2).min(LONGEST_REST);
                }
            }
        }
    }

    /// Reads everything there is, and then what comes, for as long as nothing goes wrong.
    fn follow(&self, store: &Weak<RevocationStore>, rest: &mut Duration) -> Result<(), FeedError> {
        let mut reader = self.engine.reader()?;
        loop {
            let Some(all) = store.upgrade() else {
                return Ok(());
            };
            let began = self.now();
            let entries = self.load(&mut *reader, &all)?;
            drop(all);
            *rest = REST;
            self.news.freshen(began.0, began.1);
            self.tell();
            self.observers.tell(&Event::RevocationsLoaded {
                store: &self.name,
                entries,
            });
            loop {
                if self.is_done() {
                    return Ok(());
                }
                self.deliver_here();
                let began = self.now();
                let sent = lock(&self.outbox).last_sent();
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
                        lock(&self.outbox).confirm(sent);
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

    /// Puts a letter into force. A change of the same handle that has not come back yet stands later in
    /// the log, or will: what was lifted before it lifts nothing any more.
    fn take(&self, letter: &Letter, store: &RevocationStore, now: NumericDate) {
        let mut outbox = lock(&self.outbox);
        outbox.came_back(letter);
        let known = letter.change.known();
        if !(known.lifts() && outbox.is_about(&known)) {
            store.learn(known, now);
        }
    }

    /// Everything there is becomes part of what is known; nothing that is known goes (a union).
    /// Whatever this process has not seen come back is written again afterwards.
    /// Says how many handles there are.
    fn load(&self, reader: &mut dyn Reader, store: &RevocationStore) -> Result<usize, FeedError> {
        let now = self.clock.now();
        let mut entries = 0;
        store.fill(now, |learn| {
            reader.load(&mut |known| {
                if !(known.lifts() && lock(&self.outbox).is_about(&known)) {
                    learn(known);
                }
                entries += 1;
            })
        })?;
        if !self.engine.is_local() {
            lock(&self.outbox).rewind();
            self.wake();
        }
        self.reads_well(&*reader);
        Ok(entries)
    }

    /// The thread that writes, until there is nothing left that anybody wants written.
    fn write(&self) {
        let mut rest = REST;
        let mut writer = None;
        while !self.is_over() {
            match self.write_next(&mut writer) {
                Written::Some => rest = REST,
                Written::All if self.is_done() => return,
                Written::All => thread::park(),
                Written::None => {
                    thread::park_timeout(rest);
                    rest = (rest * 2).min(LONGEST_REST);
                }
            }
        }
    }

    /// Writes everything that is to be written, on the thread of whoever revokes. Says whether it is
    /// there. It stays in the outbox until it is read back: what was lifted before it may be read yet.
    fn write_here(&self) -> bool {
        let mut writer = lock(&self.writer);
        loop {
            match self.write_next(&mut writer) {
                Written::Some => {}
                Written::All => return true,
                Written::None => return false,
            }
        }
    }

    /// Writes the next letters that nobody was handed, and tells how that went.
    fn write_next(&self, writer: &mut Option<Box<dyn Writer>>) -> Written {
        let letters = lock(&self.outbox).unsent(BATCH);
        let Some(last) = letters.last() else {
            return Written::All;
        };
        if let Err(error) = write_with(writer, &*self.engine, &letters) {
            self.unwritten(&error);
            return Written::None;
        }
        lock(&self.outbox).mark_sent(last.number);
        self.written();
        Written::Some
    }

    /// Of an engine of this host nobody else writes what could not be written at first.
    fn deliver_here(&self) {
        if self.engine.is_local() && !lock(&self.outbox).unsent(1).is_empty() {
            self.write_here();
        }
    }

    fn now(&self) -> (Moment, NumericDate) {
        (self.clock.moment(), self.clock.now())
    }

    fn reads_well(&self, reader: &dyn Reader) {
        let unreadable = reader.unreadable();
        self.news.set_report(|report| {
            report.unreadable = unreadable;
            report.reading = None;
        });
    }

    fn failed(&self, error: &FeedError) {
        self.news
            .set_report(|report| report.reading = Some(error.text.as_str().into()));
        self.interrupted(error);
    }

    fn written(&self) {
        self.news.set_report(|report| report.writing = None);
        self.tell();
    }

    fn unwritten(&self, error: &FeedError) {
        self.news
            .set_report(|report| report.writing = Some(error.text.as_str().into()));
        self.interrupted(error);
    }

    fn interrupted(&self, error: &FeedError) {
        self.tell();
        self.observers.tell(&Event::RevocationsInterrupted {
            store: &self.name,
            reason: &error.text,
        });
    }

    fn wake(&self) {
        for thread in lock(&self.threads).iter() {
            thread.unpark();
        }
    }

    fn tell(&self) {
        *lock(&self.told) += 1;
        self.changed.notify_all();
    }

    /// Whether there is news since `seen`, before `deadline`.
    fn wait_beyond(&self, seen: u64, deadline: Moment) -> bool {
        let mut told = lock(&self.told);
        while *told == seen {
            let left = deadline.since(Clock::System.moment());
            if left <= Span::ZERO {
                return false;
            }
            let woken = self.changed.wait_timeout(told, left.to_duration());
            told = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Lets others take the place of a thread that a panic ended: the next ring starts them.
struct End(Arc<Running>);

impl Drop for End {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stopped.store(true, Ordering::Release);
            self.0.wake();
        }
    }
}

/// Writes with the writer there is, or a new one; one that has failed is dropped.
fn write_with(
    writer: &mut Option<Box<dyn Writer>>,
    engine: &dyn Engine,
    letters: &[Letter],
) -> Result<(), FeedError> {
    let mut own = match writer.take() {
        Some(own) => own,
        None => engine.writer()?,
    };
    own.write(letters)?;
    *writer = Some(own);
    Ok(())
}

/// What works in this process. Another's locks may be held by threads that are not in this one.
fn own(held: &Held<Running>) -> Option<&Running> {
    held.get().filter(|running| running.is_of_this_process())
}

/// Tells this process's letters from everybody else's.
pub(super) fn origin() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
impl Post {
    /// As [`Post::attach`], through an engine of a test's own.
    pub(super) fn attach_through(verifier: &verifier::Engine, engine: &Arc<dyn Engine>) {
        let engine = Arc::clone(engine);
        Self::attach_to(verifier, Box::new(move |_, _| Arc::clone(&engine)));
    }
}
