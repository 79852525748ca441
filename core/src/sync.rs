//! Atomics and snapshots in one place, so that interleaving tests can put twins in their stead.
//!
//! Everything shared between threads is an immutable value behind a [`Snapshot`] or a [`Slot`], or
//! a counter. Under `--cfg sealgate_model` the same names stand for types of the `shuttle`
//! scheduler, which then chooses the order in which threads touch them.

#[cfg(not(sealgate_model))]
pub(crate) use real::*;
#[cfg(sealgate_model)]
pub(crate) use twin::*;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// For locks that guard one value, or nothing: a panic leaves that whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which process this is.
pub(crate) fn process() -> u32 {
    #[cfg(all(test, not(sealgate_model)))]
    if let Some(child) = CHILD.get() {
        return child;
    }
    std::process::id()
}

#[cfg(all(test, not(sealgate_model)))]
thread_local! {
    static CHILD: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(None) };
}

/// As in a child that was forked: with everything of its parent's but the threads.
#[cfg(all(test, not(sealgate_model)))]
pub(crate) fn in_a_child<T>(does: impl FnOnce() -> T) -> T {
    CHILD.set(Some(0));
    let done = does();
    CHILD.set(None);
    done
}

/// A value that each process has for itself, locks above all: a fork leaves the child with whatever
/// the threads of its parent held, and without those threads.
pub(crate) struct OfProcess<T>(Slot<Own<T>>);

/// A value of one process.
pub(crate) struct Own<T> {
    process: u32,
    value: T,
}

impl<T> OfProcess<T> {
    pub(crate) fn empty() -> Self {
        Self(Slot::empty())
    }

    /// The value of this process. Where it has none, `begin` makes it, and is told whether that of
    /// another process is there.
    pub(crate) fn get(&self, begin: impl Fn(bool) -> T) -> Arc<Own<T>> {
        let process = process();
        loop {
            let held = self.0.load();
            if let Some(own) = held.full().filter(|own| own.process == process) {
                return own;
            }
            let value = begin(held.get().is_some());
            self.0.put_if(&held, Some(Arc::new(Own { process, value })));
        }
    }

    /// The value of this process, if it has one.
    pub(crate) fn own(&self) -> Option<Arc<Own<T>>> {
        let process = process();
        self.0.load().full().filter(|own| own.process == process)
    }
}

impl<T> std::ops::Deref for Own<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(not(sealgate_model))]
mod real {
    use std::sync::Arc;

    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use arc_swap::{ArcSwap, ArcSwapOption, Guard};

    /// The value of a [`Snapshot`] as it was when it was read.
    pub(crate) type Loaded<T> = Guard<Arc<T>>;

    /// A value that is replaced whole. Loading takes no lock and does not allocate.
    pub(crate) struct Snapshot<T>(ArcSwap<T>);

    impl<T> Snapshot<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(ArcSwap::from_pointee(value))
        }

        /// The value as it is now, for one unit of work.
        pub(crate) fn load(&self) -> Loaded<T> {
            self.0.load()
        }

        /// As [`Snapshot::load`], to be kept or sent to other threads.
        pub(crate) fn load_full(&self) -> Arc<T> {
            self.0.load_full()
        }

        /// Replaces the value: whoever loads after this returns sees the new one.
        #[cfg(feature = "remote")]
        pub(crate) fn store(&self, value: Arc<T>) {
            self.0.store(value);
        }

        /// Replaces the value unless another has taken the place of `current` meanwhile.
        pub(crate) fn replace(&self, current: &Arc<T>, value: Arc<T>) -> bool {
            Arc::ptr_eq(&self.0.compare_and_swap(current, value), current)
        }
    }

    /// A place that may hold a value.
    pub(crate) struct Slot<T>(ArcSwapOption<T>);

    /// What a [`Slot`] held when it was read.
    pub(crate) struct Held<T>(Guard<Option<Arc<T>>>);

    impl<T> Held<T> {
        pub(crate) fn get(&self) -> Option<&T> {
            self.0.as_deref()
        }

        /// As [`Held::get`], to be kept.
        pub(crate) fn full(&self) -> Option<Arc<T>> {
            self.0.as_ref().map(Arc::clone)
        }
    }

    impl<T> Slot<T> {
        pub(crate) fn empty() -> Self {
            Self(ArcSwapOption::empty())
        }

        pub(crate) fn load(&self) -> Held<T> {
            Held(self.0.load())
        }

        /// Puts `value` there and returns what was.
        pub(crate) fn swap(&self, value: Option<Arc<T>>) -> Option<Arc<T>> {
            self.0.swap(value)
        }

        /// Empties the slot if it still holds `held`, and says whether it did.
        pub(crate) fn clear_if(&self, held: &Held<T>) -> bool {
            held.0.is_some() && self.put_if(held, None)
        }

        /// Puts `value` there if it still holds `held`, and says whether it did.
        pub(crate) fn put_if(&self, held: &Held<T>, value: Option<Arc<T>>) -> bool {
            let previous = self.0.compare_and_swap(&held.0, value);
            match (&*previous, &*held.0) {
                (Some(previous), Some(held)) => Arc::ptr_eq(previous, held),
                (None, None) => true,
                (None, Some(_)) | (Some(_), None) => false,
            }
        }

        /// Drops it. An `ArcSwap` pays the debts of every thread there ever was before it goes; a
        /// slot that holds nothing owes nothing, and a table has a hundred thousand of those.
        #[expect(clippy::mem_forget, reason = "an empty slot owns nothing")]
        pub(crate) fn retire(self) {
            if self.load().get().is_none() {
                std::mem::forget(self);
            }
        }
    }
}

#[cfg(sealgate_model)]
mod twin {
    use std::ops::Deref;
    use std::sync::Arc;

    use shuttle::sync::Mutex;
    pub(crate) use shuttle::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    pub(crate) struct Snapshot<T>(Mutex<Arc<T>>);

    pub(crate) struct Loaded<T>(Arc<T>);

    impl<T> Deref for Loaded<T> {
        type Target = Arc<T>;

        fn deref(&self) -> &Arc<T> {
            &self.0
        }
    }

    impl<T> Snapshot<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(Arc::new(value)))
        }

        pub(crate) fn load(&self) -> Loaded<T> {
            Loaded(self.load_full())
        }

        pub(crate) fn load_full(&self) -> Arc<T> {
            Arc::clone(&self.0.lock().unwrap())
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            *self.0.lock().unwrap() = value;
        }

        pub(crate) fn replace(&self, current: &Arc<T>, value: Arc<T>) -> bool {
            let mut held = self.0.lock().unwrap();
            let same = Arc::ptr_eq(&held, current);
            if same {
                *held = value;
            }
            same
        }
    }

    pub(crate) struct Slot<T>(Mutex<Option<Arc<T>>>);

    pub(crate) struct Held<T>(Option<Arc<T>>);

    impl<T> Held<T> {
        pub(crate) fn get(&self) -> Option<&T> {
            self.0.as_deref()
        }

        /// As [`Held::get`], to be kept.
        pub(crate) fn full(&self) -> Option<Arc<T>> {
            self.0.as_ref().map(Arc::clone)
        }
    }

    impl<T> Slot<T> {
        pub(crate) fn empty() -> Self {
            Self(Mutex::new(None))
        }

        pub(crate) fn load(&self) -> Held<T> {
            Held(self.0.lock().unwrap().clone())
        }

        pub(crate) fn swap(&self, value: Option<Arc<T>>) -> Option<Arc<T>> {
            std::mem::replace(&mut *self.0.lock().unwrap(), value)
        }

        pub(crate) fn clear_if(&self, held: &Held<T>) -> bool {
            held.0.is_some() && self.put_if(held, None)
        }

        pub(crate) fn put_if(&self, held: &Held<T>, value: Option<Arc<T>>) -> bool {
            let mut slot = self.0.lock().unwrap();
            let same = match (&*slot, &held.0) {
                (Some(slot), Some(held)) => Arc::ptr_eq(slot, held),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if same {
                *slot = value;
            }
            same
        }

        pub(crate) fn retire(self) {}
    }
}
