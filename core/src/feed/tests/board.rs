//! An engine in memory that does what engines do to people: goes away, comes back, forgets.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::PATIENCE;
use crate::feed::{Engine, FeedError, Letter, Progress, Reader, Writer};
use crate::revocation::Change;

/// Any number of verifiers may share one.
#[derive(Clone, Default)]
pub(super) struct Board(Arc<Shared>);

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    changed: Condvar,
}

#[derive(Default)]
struct Log {
    letters: Vec<Letter>,
    /// Raised when the log is another than before.
    life: u64,
    down: bool,
    refuses: bool,
    /// Whoever writes next panics.
    panics: bool,
    /// Whoever writes waits for as long as this is so, and how many do.
    holds: bool,
    held: usize,
    /// Nobody is told what there is.
    mute: bool,
    /// It cannot be kept small.
    grows: bool,
    /// Letters that are read, and no more; all of them where it is `None`.
    shown: Option<usize>,
    /// How many letters whoever looks has read before.
    read: usize,
    opened: usize,
    /// How often somebody was turned away.
    failures: usize,
    losses: u64,
    /// Whether a reader waits as long as it may; else it looks once.
    local: bool,
}

impl Log {
    fn visible(&self) -> usize {
        self.shown.unwrap_or(usize::MAX).min(self.letters.len())
    }
}

impl Board {
    pub(super) fn local() -> Self {
        let board = Self::default();
        board.log().local = true;
        board
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Log)) {
        change(&mut self.log());
        self.0.changed.notify_all();
    }

    /// Nobody is answered any more, whoever waits included.
    pub(super) fn go_down(&self) {
        self.change(|log| log.down = true);
    }

    pub(super) fn come_up(&self) {
        self.change(|log| log.down = false);
    }

    /// Reads go on, writes fail.
    pub(super) fn refuse_writes(&self, refuses: bool) {
        self.change(|log| log.refuses = refuses);
    }

    /// Whoever writes next panics.
    pub(super) fn panic(&self) {
        self.change(|log| log.panics = true);
    }

    /// Whoever writes waits for as long as it holds them.
    pub(super) fn hold_writes(&self, holds: bool) {
        self.change(|log| log.holds = holds);
    }

    /// Waits until somebody who writes is held.
    pub(super) fn await_a_held_write(&self) {
        let none = |log: &mut Log| log.held == 0;
        let waited = self
            .0
            .changed
            .wait_timeout_while(self.log(), PATIENCE, none);
        assert!(!waited.unwrap().1.timed_out(), "nobody writes");
    }

    /// It cannot be kept small.
    pub(super) fn grow(&self, grows: bool) {
        self.change(|log| log.grows = grows);
    }

    /// Whoever loads waits for as long as it is mute.
    pub(super) fn mute(&self, mute: bool) {
        self.change(|log| log.mute = mute);
    }

    /// Readers are shown so many letters.
    pub(super) fn show(&self, letters: Option<usize>) {
        self.change(|log| log.shown = letters);
    }

    /// Waits until somebody who has read so many letters looks for more: those are in force by
    /// then.
    pub(super) fn await_another_look(&self, read: usize) {
        let few = |log: &mut Log| log.read < read;
        let waited = self.0.changed.wait_timeout_while(self.log(), PATIENCE, few);
        assert!(!waited.unwrap().1.timed_out(), "nobody looks");
    }

    /// Everything is gone, and readers notice.
    pub(super) fn forget(&self) {
        self.change(|log| {
            log.letters.clear();
            log.life += 1;
            log.losses += 1;
        });
    }

    /// Readers have missed something.
    pub(super) fn jump(&self) {
        self.change(|log| log.life += 1);
    }

    /// Somebody else has written this.
    pub(super) fn put(&self, change: Change) {
        self.change(|log| {
            log.letters.push(Letter {
                origin: 0,
                number: 1,
                change,
            });
        });
    }

    pub(super) fn letters(&self) -> usize {
        self.log().letters.len()
    }

    pub(super) fn engine(&self) -> Arc<dyn Engine> {
        self.change(|log| log.opened += 1);
        Arc::new(self.clone())
    }

    /// How often somebody was turned away.
    pub(super) fn failures(&self) -> usize {
        self.log().failures
    }

    /// How many engines there were.
    pub(super) fn opened(&self) -> usize {
        self.log().opened
    }
}

fn away(log: &mut Log) -> FeedError {
    log.failures += 1;
    let text = match log.down {
        true => "the board is away",
        false => "the board is full",
    };
    FeedError {
        text: text.to_owned(),
        passes: true,
    }
}

impl Engine for Board {
    fn reader(&self) -> Result<Box<dyn Reader>, FeedError> {
        let mut log = self.log();
        if log.down {
            return Err(away(&mut log));
        }
        Ok(Box::new(Eyes {
            board: self.clone(),
            next: 0,
            life: log.life,
        }))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, FeedError> {
        Ok(Box::new(Hand(self.clone())))
    }

    fn is_local(&self) -> bool {
        self.log().local
    }

    fn trouble(&self) -> Option<FeedError> {
        self.log().grows.then(|| FeedError {
            text: "the board grows".to_owned(),
            passes: true,
        })
    }

    fn losses(&self) -> u64 {
        self.log().losses
    }
}

struct Eyes {
    board: Board,
    next: usize,
    life: u64,
}

impl Reader for Eyes {
    fn everything(&mut self, take: &mut dyn FnMut(bool, Change)) -> Result<(), FeedError> {
        let log = self.board.log();
        let waited = self.board.0.changed.wait_while(log, |log| log.mute);
        let mut log = waited.unwrap();
        if log.down {
            return Err(away(&mut log));
        }
        for (place, letter) in log.letters.iter().enumerate() {
            let handle = letter.change.handle();
            let mut later = log.letters.iter().skip(place + 1);
            if !later.any(|later| later.change.handle() == handle) {
                take(true, letter.change.clone());
            }
        }
        (self.next, self.life) = (log.letters.len(), log.life);
        Ok(())
    }

    fn next(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Letter),
    ) -> Result<Progress, FeedError> {
        let mut log = self.board.log();
        let (next, life) = (self.next, self.life);
        log.read = next;
        self.board.0.changed.notify_all();
        let nothing = |log: &mut Log| !log.down && log.life == life && log.visible() == next;
        let waited = self.board.0.changed.wait_timeout_while(log, wait, nothing);
        let mut log = waited.unwrap().0;
        if log.down {
            return Err(away(&mut log));
        }
        if log.life != self.life {
            return Ok(Progress::Gap);
        }
        let visible = log.visible();
        let letters = log.letters.iter().take(visible).skip(self.next);
        letters.for_each(|letter| take(letter.clone()));
        self.next = visible;
        Ok(if visible == log.letters.len() {
            Progress::CaughtUp
        } else {
            Progress::More
        })
    }

    fn unreadable(&self) -> u64 {
        0
    }
}

struct Hand(Board);

impl Writer for Hand {
    fn write(&mut self, letters: &[Letter]) -> Result<(), FeedError> {
        let mut log = self.0.log();
        if std::mem::take(&mut log.panics) {
            drop(log);
            panic!("as a test wants it");
        }
        log.held += 1;
        self.0.0.changed.notify_all();
        let mut log = self.0.0.changed.wait_while(log, |log| log.holds).unwrap();
        log.held -= 1;
        if log.down || log.refuses {
            return Err(away(&mut log));
        }
        log.letters.extend_from_slice(letters);
        drop(log);
        self.0.0.changed.notify_all();
        Ok(())
    }
}
