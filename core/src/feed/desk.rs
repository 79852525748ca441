//! [`Threads`]: a desk whose threads wait for a server in the place of callers that must not: event loops.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use crate::limits::{REPLAY_ASKERS, REPLAY_PATIENCE, REPLAY_WAITING};
use crate::replay::{Desk, Task, Turn};
use crate::sync::{OfProcess, lock};
use crate::time::{Clock, Moment};

/// Of a thread that asks: TLS needs little of it.
const STACK: usize = 512 * 1024;

/// Starts its threads when they are needed, in each process its own; they end with it.
pub(crate) struct Threads {
    line: OfProcess<Arc<Line>>,
    askers: usize,
    waiting: usize,
}

/// Who waits for a thread, and the threads that wait for somebody.
#[derive(Default)]
struct Line {
    queue: Mutex<Queue>,
    news: Condvar,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<(Moment, Task)>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Threads {
    pub(crate) fn new() -> Self {
        Self::with(REPLAY_ASKERS, REPLAY_WAITING)
    }

    /// With so many threads at most, and room for so many that wait for one.
    pub(crate) fn with(askers: usize, waiting: usize) -> Self {
        Self {
            line: OfProcess::empty(),
            askers,
            waiting,
        }
    }

    /// The task again, where it finds no place.
    fn take(&self, task: Task) -> Option<Task> {
        // What a forked child finds of its parent's is never freed: the threads that held it are
        // not there to let go.
        let own = self.line.get(|_| Arc::default());
        let mut queue = lock(&own.queue);
        if queue.tasks.len() >= self.waiting {
            return Some(task);
        }
        if queue.tasks.len() >= queue.idle && queue.threads < self.askers {
            let line = Arc::clone(&**own);
            let thread = thread::Builder::new()
                .name("sealgate-ask".to_owned())
                .stack_size(STACK);
            queue.threads += usize::from(thread.spawn(move || line.work()).is_ok());
        }
        if queue.threads == 0 {
            return Some(task);
        }
        queue.tasks.push_back((Clock::System.moment(), task));
        own.news.notify_one();
        None
    }
}

impl Desk for Threads {
    fn put(&self, task: Task) {
        if let Some(task) = self.take(task) {
            task(Turn::Missed);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(own) = self.line.own() {
            lock(&own.queue).closed = true;
            own.news.notify_all();
        }
    }
}

impl Line {
    fn work(&self) {
        while let Some((since, task)) = self.next() {
            let waited = Clock::System.moment().since(since);
            let turn = if waited > REPLAY_PATIENCE.into() {
                Turn::Missed
            } else {
                Turn::Come
            };
            // The thread is there for the others, too.
            let _ = catch_unwind(AssertUnwindSafe(|| task(turn)));
        }
    }

    /// The next task; none when there will be no more.
    fn next(&self) -> Option<(Moment, Task)> {
        let mut queue = lock(&self.queue);
        loop {
            let next = queue.tasks.pop_front();
            if next.is_some() || queue.closed {
                return next;
            }
            queue.idle += 1;
            let woken = self.news.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A task that says where and how it runs, and goes on when it is let go.
    fn held(desk: &Threads) -> (Receiver<(Turn, thread::ThreadId)>, Sender<()>) {
        let (told, tells) = channel();
        let (go, gone) = channel();
        desk.put(Box::new(move |turn| {
            told.send((turn, thread::current().id())).unwrap();
            if turn == Turn::Come {
                let _ = gone.recv();
            }
        }));
        (tells, go)
    }

    #[test]
    fn threads_are_started_as_they_are_needed_and_no_more() {
        let desk = Threads::with(2, 3);
        let (first, go_on) = held(&desk);
        let (turn, thread) = first.recv().unwrap();
        assert!(turn == Turn::Come && thread != thread::current().id());
        drop(go_on);
        // Whether it is idle again already or not: there is room for two.
        let running = [held(&desk), held(&desk)];
        let threads = running.each_ref().map(|(told, _)| told.recv().unwrap().1);
        assert_ne!(threads[0], threads[1]);
        // Three may wait. The fourth is told so, by its own thread.
        let waiting = [held(&desk), held(&desk), held(&desk)];
        let (told, _go) = held(&desk);
        assert_eq!(told.recv(), Ok((Turn::Missed, thread::current().id())));
        drop(running);
        for (told, go_on) in waiting {
            let (turn, thread) = told.recv().unwrap();
            assert!(turn == Turn::Come && threads.contains(&thread));
            drop(go_on);
        }
    }

    #[test]
    fn a_task_that_panics_takes_no_thread_along() {
        let desk = Threads::with(1, 2);
        desk.put(Box::new(|_| panic!("on purpose")));
        let (told, _go) = held(&desk);
        assert_eq!(told.recv().unwrap().0, Turn::Come);
    }

    #[test]
    fn without_threads_nobody_waits() {
        let (told, _go) = held(&Threads::with(0, 2));
        assert_eq!(told.recv(), Ok((Turn::Missed, thread::current().id())));
    }

    #[test]
    fn its_threads_end_with_it() {
        let desk = Threads::with(1, 2);
        let (told, go_on) = held(&desk);
        told.recv().unwrap();
        drop(go_on);
        let line = Arc::downgrade(&**desk.line.own().unwrap());
        drop(desk);
        while line.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
