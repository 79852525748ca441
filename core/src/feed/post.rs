//! [`Post`]: sees to it that somebody carries changes between the store of one verifier and the engine
//! that its policy names, in every process, and that nothing is left behind when that changes.
//!
//! A fork leaves the child without threads but with everything else: whatever they shared is made
//! anew there, so that no lock of a thread that is gone is ever waited for. What the parent was to
//! write, it writes itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use super::Engine;
use super::bag::Bag;
use super::outbox::{Owner, ROOM, Refused};
use super::running::{Bell, Running};
use crate::observe::Observers;
use crate::policy::StoreRules;
use crate::revocation::{Change, Postman, RevocationStore};
use crate::sync::{Held, OfProcess, Own, Slot, lock};
use crate::time::Clock;
use crate::verifier;

/// How an engine is made from what the policy says of it.
type Open = Box<dyn Fn(&StoreRules, &Clock) -> Arc<dyn Engine> + Send + Sync>;

/// What carries for one verifier. It keeps neither the verifier nor its store alive.
pub(crate) struct Post {
    store: Weak<RevocationStore>,
    clock: Clock,
    observers: Observers,
    open: Open,
    /// Letters that an outbox takes.
    room: usize,
    running: Slot<Running>,
    here: OfProcess<Here>,
    closed: AtomicBool,
}

/// What one process has beside what runs.
#[derive(Default)]
struct Here {
    bell: Arc<Bell>,
    /// What writes to stores that the policy names no longer. Held while that changes.
    leaving: Mutex<Vec<Arc<Running>>>,
}

impl Post {
    /// Carries for a verifier from now on, through the engines of this build.
    pub(crate) fn attach(verifier: &verifier::Engine) {
        let sha256 = verifier.provider().sha256;
        let open = move |rules: &_, clock: &_| super::open(rules, clock, sha256);
        Self::attach_to(verifier, Box::new(open), ROOM);
    }

    fn attach_to(verifier: &verifier::Engine, open: Open, room: usize) {
        let store = verifier.revocation_store();
        store.attach(Arc::new(Self {
            store: Arc::downgrade(&store),
            clock: verifier.clock().clone(),
            observers: verifier.observers().clone(),
            open,
            room,
            running: Slot::empty(),
            here: OfProcess::empty(),
            closed: AtomicBool::new(false),
        }));
        verifier.begin_sharing();
    }

    /// What runs for the store that the policy names now, started where nothing does; `None` where
    /// it names none.
    fn running(&self) -> Held<Running> {
        let held = self.running.load();
        match self.store.upgrade() {
            Some(store) if !self.fits(&held, &store) => self.replace(&store),
            Some(_) | None => held,
        }
    }

    fn fits(&self, held: &Held<Running>, store: &RevocationStore) -> bool {
        let sharing = store.sharing();
        let fits = match (held.get(), sharing.get()) {
            (Some(running), Some(sharing)) => running.serves(&sharing.news),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        fits || self.closed.load(Ordering::Acquire)
    }

    #[cold]
    fn replace(&self, store: &Arc<RevocationStore>) -> Held<Running> {
        let here = self.here();
        let mut leaving = lock(&here.leaving);
        let held = self.running.load();
        if self.fits(&held, store) {
            return held; // another thread was faster
        }
        let sharing = store.sharing();
        let next = sharing.get().map(|sharing| {
            let (bag, owner) = self.bag(&held, &leaving, &sharing.shared.store);
            let (clock, observers, news) = (&self.clock, &self.observers, &sharing.news);
            let next = Running::new(&bag, owner, news, clock, observers, &here.bell);
            Arc::new(next)
        });
        self.running.swap(next.clone());
        let is_taken = |running: &Running| {
            let next = next.as_ref();
            next.is_some_and(|next| Arc::ptr_eq(&next.bag, &running.bag))
        };
        leaving.retain(|running| {
            if is_taken(running) {
                running.stop();
            }
            !running.is_over() && !running.bag.is_sealed()
        });
        if let Some(before) = own(&held) {
            if is_taken(before) {
                before.stop();
            } else {
                leaving.extend(before.leave());
            }
        }
        if let Some(next) = &next {
            next.begin(store);
        }
        drop(leaving);
        self.running.load()
    }

    /// What is to be written to a store: what was left by those who carried it before, if they are
    /// of this process. The engine remembers how far it was read, also in a child.
    fn bag(
        &self,
        held: &Held<Running>,
        leaving: &[Arc<Running>],
        rules: &Arc<StoreRules>,
    ) -> (Arc<Bag>, Owner) {
        let leaving = leaving.iter().map(|running| &**running);
        let mut known = held.get().into_iter().chain(leaving);
        let before = known.find(|running| running.bag.rules == *rules);
        let own = before.filter(|before| before.is_of_this_process());
        if let Some(before) = own
            && let Some(owner) = before.bag.take_over()
        {
            return (Arc::clone(&before.bag), owner);
        }
        let engine = match before {
            Some(before) => Arc::clone(&before.bag.engine),
            None => (self.open)(rules, &self.clock),
        };
        let (bag, owner) = Bag::new(rules, engine, self.room);
        (Arc::new(bag), owner)
    }

    fn here(&self) -> Arc<Own<Here>> {
        self.here.get(|_| Here::default())
    }

    /// Of everything that carries in this process, for the store that the policy names and for
    /// others. No lock is held meanwhile.
    fn each<T>(&self, of: impl Fn(&Running) -> T) -> Vec<T> {
        let held = self.running.load();
        let leaving = lock(&self.here().leaving).clone();
        let leaving = leaving.iter().map(|running| &**running);
        own(&held).into_iter().chain(leaving).map(of).collect()
    }

    /// Lets what has ended before it had written everything begin again.
    fn tend(&self) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        let here = self.here();
        let mut leaving = lock(&here.leaving);
        leaving.retain(|running| !running.bag.is_sealed());
        for running in &mut *leaving {
            if running.is_over()
                && let Some(again) = running.leave()
            {
                *running = again;
            }
        }
    }
}

impl Postman for Post {
    fn ring(&self) {
        self.running();
        self.tend();
    }

    fn hold(&self, change: &Change) -> bool {
        loop {
            let held = self.running();
            match own(&held).map(|running| running.hold(change)) {
                // Somebody has begun to carry to another store meanwhile.
                Some(Err(Refused::Sealed)) => {}
                Some(Err(Refused::Full { .. })) | None => return false,
                Some(Ok(())) => return true,
            }
        }
    }

    fn send(&self) -> bool {
        let held = self.running();
        let Some(running) = own(&held) else {
            return false;
        };
        let written = running.bag.engine.is_local() && running.write_here();
        if !written {
            running.bag.await_delivery();
            running.wake();
        }
        written
    }

    fn undelivered(&self) -> usize {
        let undelivered = |running: &Running| running.undelivered();
        self.each(undelivered).into_iter().sum()
    }

    fn wait(&self, timeout: Duration, done: &mut dyn FnMut() -> bool) -> bool {
        let deadline = Clock::System.moment().plus(timeout.into());
        loop {
            self.ring();
            let here = self.here();
            let seen = here.bell.rung();
            if done() {
                return true;
            }
            if self.closed.load(Ordering::Acquire) || !here.bell.wait_beyond(seen, deadline) {
                self.each(|running| {
                    if running.undelivered() > 0 {
                        running.bag.await_delivery();
                    }
                });
                return done();
            }
        }
    }

    fn close(&self) -> Vec<(Box<str>, usize)> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        let left = self.each(|running| {
            running.stop();
            running.leaves_behind(running.undelivered())
        });
        self.here().bell.ring();
        left.into_iter().flatten().collect()
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// What works in this process. Another's locks may be held by threads that are not in this one.
fn own(held: &Held<Running>) -> Option<&Running> {
    held.get().filter(|running| running.is_of_this_process())
}

#[cfg(test)]
impl Post {
    /// As [`Post::attach`], through engines of a test's own, which are asked for by the store's
    /// name.
    pub(super) fn attach_through(
        verifier: &verifier::Engine,
        room: usize,
        open: impl Fn(&str) -> Arc<dyn Engine> + Send + Sync + 'static,
    ) {
        Self::attach_to(verifier, Box::new(move |rules, _| open(&rules.name)), room);
    }
}
