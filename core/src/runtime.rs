//! [`Runtime`]: the background threads of one verifier: start, stop, restart after a fork.
//!
//! One thread keeps the keys of all issuers fresh and sleeps in between; each fetch has a thread of
//! its own for as long as it takes, and at most [`FETCHES`](crate::limits::FETCHES) run at once.
//! Building a verifier starts none: the first ring does. A fork leaves the child without threads
//! but with everything else; whatever was shared with them is made anew there, so that no lock of a
//! thread that is gone is ever waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak, mpsc};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use crate::keys::Background;
use crate::limits::{INTROSPECTIONS, STATUS_FETCHES};
use crate::remote::{AskJob, BroughtAnswer, BroughtList, Job, Keepers, Lines, ListJob, Outcome};
use crate::sync::{Held, Slot, lock};
use crate::time::{Clock, Moment, Span};
use crate::verifier::Engine;

/// How long the thread sleeps when nothing is due: it is woken for all else.
const LONG: Duration = Duration::from_secs(3600);
/// A fixed clock moves without a word to anyone; only tests have one.
const FIXED: Duration = Duration::from_millis(10);
/// Of a thread that fetches: TLS needs little of it.
const STACK: usize = 512 * 1024;

/// What works for a verifier in the background. It does not keep the verifier alive.
pub(crate) struct Runtime {
    own: Weak<Self>,
    engine: Weak<Engine>,
    running: Slot<Running>,
    closed: AtomicBool,
    /// Closed, and every issuer's answers say so: there is nothing left to wait for.
    left: AtomicBool,
}

/// The thread of one process, and what waits for it.
struct Running {
    process: u32,
    thread: OnceLock<Thread>,
    handle: Mutex<Option<JoinHandle<()>>>,
    /// How many fetches have settled and keys were published, for those who wait.
    settled: Mutex<u64>,
    changed: Condvar,
}

/// Who calls for the thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Rings,
    Waits,
}

impl Runtime {
    /// Lets the verifier ring for a runtime of its own.
    pub(crate) fn attach(engine: &Arc<Engine>) {
        engine.attach(Arc::new_cyclic(|own| Self {
            own: Weak::clone(own),
            engine: Arc::downgrade(engine),
            running: Slot::empty(),
            closed: AtomicBool::new(false),
            left: AtomicBool::new(false),
        }));
    }

    /// Starts the thread where none runs in this process; else wakes it.
    fn rouse(&self, caller: Caller) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        let held = self.running.load();
        let process = std::process::id();
        if let Some(running) = held.get().filter(|running| running.process == process) {
            return running.wake();
        }
        // What nobody uses any more needs no thread, nor does what has nothing to fetch, unless
        // somebody waits for keys that the program publishes.
        let engine = self.engine.upgrade();
        if engine.is_some_and(|engine| engine.fetches() || caller == Caller::Waits) {
            self.start(&held);
        }
    }

    fn start(&self, before: &Held<Running>) {
        let running = Arc::new(Running {
            process: std::process::id(),
            thread: OnceLock::new(),
            handle: Mutex::new(None),
            settled: Mutex::new(0),
            changed: Condvar::new(),
        });
        if !self.running.put_if(before, Some(Arc::clone(&running))) {
            return; // another has just started it
        }
        let Some(runtime) = self.own.upgrade() else {
            return;
        };
        let own = Arc::clone(&running);
        let thread = thread::Builder::new().name("sealgate-keys".to_owned());
        match thread.spawn(move || runtime.keep(&own)) {
            Ok(handle) => {
                let _ = running.thread.set(handle.thread().clone());
                *lock(&running.handle) = Some(handle);
                // Whoever rang before there was a thread to wake.
                running.wake();
            }
            // No room for a thread now: the next ring tries again.
            Err(_) => {
                self.running.clear_if(&self.running.load());
            }
        }
    }

    /// The thread: does what is due, and sleeps.
    fn keep(&self, running: &Arc<Running>) {
        let _end = End {
            runtime: self,
            running,
        };
        let mut keepers = Keepers::new();
        let mut lines = Lines::new();
        let (mut lists, mut asks) = (0_usize, 0_usize);
        if let Some(engine) = self.engine.upgrade() {
            engine.begin_lists_anew();
            engine.begin_asks_anew();
        }
        let (sender, outcomes) = mpsc::channel();
        while !self.closed.load(Ordering::Acquire) {
            let Some(engine) = self.engine.upgrade() else {
                return;
            };
            let mut settled = 0;
            for brought in outcomes.try_iter() {
                match brought {
                    Brought::Keys(outcome) => keepers.settle(&engine, outcome),
                    Brought::List(list) => {
                        list.settle(&engine);
                        lists = lists.saturating_sub(1);
                    }
                    Brought::Answer(answer) => {
                        answer.settle(&engine);
                        asks = asks.saturating_sub(1);
                    }
                }
                settled += 1;
            }
            let step = keepers.step(&engine);
            let (due, next_list) = ListJob::due(&engine, STATUS_FETCHES.saturating_sub(lists));
            lists += due.len();
            // Whoever asks rings, and so does each answer: nothing here has a time of its own.
            let questions = AskJob::due(&engine, &mut lines, INTROSPECTIONS.saturating_sub(asks));
            asks += questions.len();
            if settled > 0 {
                running.announce(settled);
            }
            let keys = step.jobs.into_iter().map(Work::Keys);
            let work = keys.chain(due.into_iter().map(Work::List));
            for work in work.chain(questions.into_iter().map(Work::Ask)) {
                begin(work, &sender, running);
            }
            // A list that found no room begins when another has settled.
            let next_list = next_list.filter(|next| *next > Span::ZERO || lists == 0);
            let rests = [step.rest, next_list].into_iter().flatten();
            let rest = rests.min().map_or(LONG, Span::to_duration).min(LONG);
            let rest = match engine.clock() {
                Clock::Fixed(_) => rest.min(FIXED),
                Clock::System => rest,
            };
            drop(engine);
            thread::park_timeout(rest);
        }
    }
}

impl Background for Runtime {
    fn ring(&self) {
        self.rouse(Caller::Rings);
    }

    fn wait(&self, timeout: Duration, done: &mut dyn FnMut() -> bool) -> bool {
        let deadline = Clock::System.moment().plus(timeout.into());
        let caller = if timeout.is_zero() {
            Caller::Rings
        } else {
            Caller::Waits
        };
        loop {
            self.rouse(caller);
            let held = self.running.load();
            let running = held.get();
            let seen = running.map(|running| *lock(&running.settled));
            if done() {
                return true;
            }
            match running.zip(seen) {
                Some((running, seen))
                    if !self.left.load(Ordering::Acquire)
                        && running.wait_beyond(seen, deadline) => {}
                Some(_) | None => return done(),
            }
        }
    }

    fn announce(&self) {
        let held = self.running.load();
        let process = std::process::id();
        // Another process's lock may be held by a thread that is not in this one.
        if let Some(running) = held.get().filter(|running| running.process == process) {
            running.announce(1);
        }
    }

    /// Stops the thread and waits for its end. A fetch under way ends by itself and changes
    /// nothing any more.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let held = self.running.load();
        let process = std::process::id();
        let running = held.get().filter(|running| running.process == process);
        if let Some(running) = running {
            running.wake();
            let handle = lock(&running.handle).take();
            if let Some(handle) = handle {
                // It cannot have panicked over anything that is still to be said.
                let _ = handle.join();
            }
        }
        if let Some(engine) = self.engine.upgrade() {
            crate::remote::leave(&engine);
        }
        self.left.store(true, Ordering::Release);
        if let Some(running) = running {
            running.announce(1);
        }
    }
}

/// Lets another thread take the place of one that a panic ended: the next ring starts it.
struct End<'r> {
    runtime: &'r Runtime,
    running: &'r Arc<Running>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let held = self.runtime.running.load();
        let own = held
            .get()
            .is_some_and(|held| std::ptr::eq(held, &**self.running));
        if thread::panicking() && own {
            self.runtime.running.clear_if(&held);
        }
    }
}

impl Running {
    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn announce(&self, settled: u64) {
        *lock(&self.settled) += settled;
        self.changed.notify_all();
    }

    /// Whether there is news since `seen`, before `deadline`.
    fn wait_beyond(&self, seen: u64, deadline: Moment) -> bool {
        let mut settled = lock(&self.settled);
        while *settled == seen {
            let left = deadline.since(Clock::System.moment());
            if left <= Span::ZERO {
                return false;
            }
            let woken = self.changed.wait_timeout(settled, left.to_duration());
            settled = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// A fetch to be run.
enum Work {
    Keys(Job),
    List(ListJob),
    Ask(AskJob),
}

/// What became of it.
enum Brought {
    Keys(Outcome),
    List(BroughtList),
    Answer(BroughtAnswer),
}

impl Work {
    fn run(self) -> Brought {
        match self {
            Self::Keys(job) => Brought::Keys(job.run()),
            Self::List(job) => Brought::List(job.run()),
            Self::Ask(job) => Brought::Answer(job.run()),
        }
    }

    fn give_up(self) -> Brought {
        match self {
            Self::Keys(job) => Brought::Keys(job.give_up()),
            Self::List(job) => Brought::List(job.give_up()),
            Self::Ask(job) => Brought::Answer(job.give_up()),
        }
    }
}

/// Runs one fetch on a thread of its own, and wakes the keeper with what it brought.
fn begin(job: Work, outcomes: &mpsc::Sender<Brought>, running: &Arc<Running>) {
    let own_thread = running;
    let (sender, running) = (outcomes.clone(), Arc::clone(running));
    let slot = Arc::new(Mutex::new(Some(job)));
    let own = Arc::clone(&slot);
    let thread = thread::Builder::new()
        .name("sealgate-fetch".to_owned())
        .stack_size(STACK);
    let spawned = thread.spawn(move || {
        let job = lock(&own).take();
        if let Some(job) = job {
            // The keeper is gone when the verifier is.
            let _ = sender.send(job.run());
            running.wake();
        }
    });
    if spawned.is_err()
        && let Some(job) = lock(&slot).take()
    {
        let _ = outcomes.send(job.give_up());
        own_thread.wake();
    }
}
