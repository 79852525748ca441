//! [`Answers`]: the answers of one issuer, behind a lock of its own, and [`AllAnswers`]: those of a policy.
//!
//! Whoever looks an answer up takes the lock of that issuer for a few steps of a tree, however many
//! answers there are and whatever strangers send: see [`Board`].

use std::sync::{Arc, Mutex};

use super::board::{Board, Room};
use super::turns::Load;
use super::{Answer, Counts, Failure, Key, NoAnswer, Terms, Told};
use crate::sync::{AtomicU64, OfProcess, Ordering, lock};
use crate::time::{Clock, Now, NumericDate};

use zeroize::Zeroizing;

/// The answers of the issuers of one policy, by their positions in it; nothing for one that is not
/// asked.
#[derive(Clone)]
pub(crate) struct AllAnswers {
    issuers: Arc<[Option<Arc<Answers>>]>,
    desk: Arc<Desk>,
}

/// Where questions are handed in.
struct Desk {
    clock: Clock,
    wake: Box<dyn Fn() + Send + Sync>,
    /// 1 when nobody asks any more.
    closed: AtomicU64,
}

/// What one issuer has said in this process. A fork's child begins with nothing.
pub(crate) struct Answers {
    board: OfProcess<Mutex<Board>>,
    room: Room,
    desk: Arc<Desk>,
}

/// A question to be asked.
#[derive(Clone)]
pub(crate) struct Due {
    pub(crate) key: Key,
    pub(crate) token: Zeroizing<Vec<u8>>,
    /// When it was begun: an answer is no older than that.
    pub(crate) asked: Now,
}

impl AllAnswers {
    pub(crate) fn new(clock: Clock, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            issuers: Arc::new([]),
            desk: Arc::new(Desk {
                clock,
                wake: Box::new(wake),
                closed: AtomicU64::new(0),
            }),
        }
    }

    /// Those of another policy, of whose issuers each is asked or not, and may go on with what it
    /// has said.
    pub(crate) fn with(&self, issuers: impl Iterator<Item = Option<Kept>>) -> Self {
        let issuers = issuers.map(|issuer| match issuer? {
            Kept::Before(answers) => Some(answers),
            Kept::Nothing => Some(Arc::new(Answers::new(
                Room::DEFAULT,
                Arc::clone(&self.desk),
            ))),
        });
        Self {
            issuers: issuers.collect(),
            desk: Arc::clone(&self.desk),
        }
    }

    /// Those of the issuer at this position, where it is asked.
    pub(crate) fn of(&self, position: usize) -> Option<&Arc<Answers>> {
        self.issuers.get(position)?.as_ref()
    }

    /// Nobody asks from now on.
    pub(crate) fn close(&self) {
        self.desk.closed.store(1, Ordering::Release);
    }
}

/// What an issuer that is asked begins with under a policy.
pub(crate) enum Kept {
    Nothing,
    /// What it has said under the policy before.
    Before(Arc<Answers>),
}

impl Answers {
    fn new(room: Room, desk: Arc<Desk>) -> Self {
        Self {
            board: OfProcess::empty(),
            room,
            desk,
        }
    }

    #[cfg(test)]
    #[cfg(not(sealgate_model))]
    pub(super) fn alone(room: Room, clock: Clock, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self::new(room, AllAnswers::new(clock, wake).desk)
    }

    #[cfg(test)]
    #[cfg(not(sealgate_model))]
    pub(super) fn close(&self) {
        self.desk.closed.store(1, Ordering::Release);
    }

    /// The answer about a token that is judged at this date. Where there is none, or not for long,
    /// it is asked for.
    pub(crate) fn look_up(
        &self,
        key: &Key,
        token: &[u8],
        terms: Terms,
        date: NumericDate,
    ) -> Result<Answer, NoAnswer> {
        let moment = self.desk.clock.moment();
        let now = Now { moment, date };
        let closed = self.desk.closed.load(Ordering::Acquire) != 0;
        let (found, wanted) = self.with(|board| {
            let found = board.look_up(key, terms, now);
            let asks = match &found {
                Ok((_, again)) => *again,
                Err(reason) => *reason == NoAnswer::Pending,
            };
            if !asks || closed {
                return (found, false);
            }
            match (found, board.want(key, token, self.room, moment)) {
                (Err(_), None) => (Err(NoAnswer::NoRoom), false),
                (found, wanted) => (found, wanted == Some(true)),
            }
        });
        if wanted {
            (self.desk.wake)();
        }
        match found {
            Err(NoAnswer::Pending) if closed => Err(NoAnswer::Unavailable),
            found => found.map(|(answer, _)| answer),
        }
    }

    /// What there is to ask.
    pub(crate) fn load(&self) -> Load {
        self.with(|board| board.load())
    }

    /// The question to ask now, if there is one; it is taken for being asked until
    /// [`Answers::settle`].
    pub(crate) fn begin(&self) -> Option<Due> {
        let asked = Now::of(&self.desk.clock);
        let (key, token) = self.with(Board::begin)?;
        Some(Due { key, token, asked })
    }

    /// What was being asked is asked again: whoever did is gone.
    pub(crate) fn begin_anew(&self) {
        self.with(Board::begin_anew);
    }

    /// Puts an answer in its place, with the moment beyond which it does not count, if it names
    /// one, and the keys it was signed by. After a failure what was said before goes on to count.
    pub(crate) fn settle(
        &self,
        due: &Due,
        brought: Result<(Told, Option<NumericDate>), Failure>,
        terms: Terms,
    ) {
        let moment = self.desk.clock.moment();
        self.with(|board| {
            board.settle(due, brought, terms, moment);
            board.bound(self.room);
        });
    }

    /// Why the issuer could not be asked the last time; `None` where it could.
    pub(crate) fn last_error(&self) -> Option<Box<str>> {
        self.with(|board| board.last_error.clone())
    }

    /// Where its metadata has said that it is to be asked.
    pub(crate) fn endpoint(&self) -> Option<Box<str>> {
        self.with(|board| board.endpoint.clone())
    }

    /// Notes what its metadata says.
    pub(crate) fn learn(&self, endpoint: &str) {
        self.with(|board| board.endpoint = Some(endpoint.into()));
    }

    pub(crate) fn counts(&self) -> Counts {
        let moment = self.desk.clock.moment();
        self.with(|board| board.counts(moment))
    }

    fn with<R>(&self, act: impl FnOnce(&mut Board) -> R) -> R {
        let board = self.board.get(|_| Mutex::new(Board::default()));
        let mut board = lock(&board);
        act(&mut board)
    }
}
