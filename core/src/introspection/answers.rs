//! [`Answers`]: the answers of all issuers, bounded whatever strangers send.
//!
//! A stranger makes up tokens for nothing, so each issuer has room of its own, in which active tokens are
//! the last to go; so many questions may wait and so many run at once; and what was answered with
//! "not active" is remembered briefly, so that nobody makes us ask twice at once. An issuer that
//! fails is left alone for a while that grows, and what it said before goes on to count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::{Answer, Key, NoAnswer, Told};
use crate::limits::{
    INTROSPECTION_ANSWERS, INTROSPECTION_ANSWERS_SIZE, INTROSPECTIONS_EACH, INTROSPECTIONS_WAITING,
};
use crate::sync::{AtomicU64, OfProcess, Ordering, lock};
use crate::time::{NumericDate, Span};

/// How long at most an answer counts that says no: a token that an issuer learns of late is asked about
/// again.
const BRIEF: Span = Span::from_seconds(10);
/// So many failures in a row are the issuer's, and not those of one token.
const LOST: u32 = 3;
/// The pause after a failure doubles up to 2^5 seconds.
const DOUBLINGS: u32 = 5;

/// The answers of this process. A fork's child begins with none.
pub(crate) struct Answers {
    boards: OfProcess<Mutex<Boards>>,
    room: Room,
    wake: Box<dyn Fn() + Send + Sync>,
    /// 1 when nobody asks any more.
    closed: AtomicU64,
}

/// What is kept of one issuer at most: so many answers, of so many bytes together.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) answers: usize,
    pub(super) size: usize,
}

impl Room {
    pub(super) const DEFAULT: Self = Self {
        answers: INTROSPECTION_ANSWERS,
        size: INTROSPECTION_ANSWERS_SIZE,
    };
}

/// By the policy's name for the issuer.
type Boards = BTreeMap<Box<str>, Board>;

/// What one issuer has said, and what it is to be asked.
#[derive(Default)]
struct Board {
    entries: BTreeMap<Key, Entry>,
    /// The entries that have something to forget, in the order in which they make room.
    ends: BTreeSet<(Worth, u64, Key)>,
    /// Bytes of all answers.
    size: usize,
    waiting: VecDeque<Key>,
    running: usize,
    /// Failures in a row, and until when it is left alone after too many.
    failures: u32,
    rests_until: Option<NumericDate>,
    /// Why it could not be asked the last time.
    last_error: Option<Box<str>>,
    /// Whose metadata was read, and where it says to ask; read again after too many failures.
    endpoint: Option<(Box<str>, Box<str>)>,
}

/// What makes room first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// Nothing, or an answer that says no.
    Little,
    /// An active token.
    Much,
}

#[derive(Default)]
struct Entry {
    kept: Option<Kept>,
    /// After a failure: until when it is not asked about.
    failed_until: Option<NumericDate>,
    /// Of an entry that is to be asked about: the token. It is wiped with the answer.
    token: Option<Zeroizing<Vec<u8>>>,
}

struct Kept {
    answer: Answer,
    until: NumericDate,
    /// From then on it is asked about again, ahead of its end, when somebody needs it.
    again: NumericDate,
}

/// A question to be asked.
#[derive(Clone)]
pub(crate) struct Due {
    pub(crate) issuer: Box<str>,
    pub(crate) key: Key,
    pub(crate) token: Zeroizing<Vec<u8>>,
    /// When it was begun: an answer is no older than that.
    pub(crate) asked_at: NumericDate,
}

impl Answers {
    pub(crate) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self::with_room(Room::DEFAULT, wake)
    }

    pub(super) fn with_room(room: Room, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            boards: OfProcess::empty(),
            room,
            wake: Box::new(wake),
            closed: AtomicU64::new(0),
        }
    }

    /// The answer about a token of this issuer. Where there is none, or not for long, it is asked for.
    pub(crate) fn look_up(
        &self,
        issuer: &str,
        key: &Key,
        token: &[u8],
        now: NumericDate,
    ) -> Result<Answer, NoAnswer> {
        let closed = self.closed.load(Ordering::Acquire) != 0;
        let (found, wanted) = self.with(|boards| {
            let board = match boards.get_mut(issuer) {
                Some(board) => board,
                None => boards.entry(issuer.into()).or_default(),
            };
            let found = board.look_up(key, now);
            let asks = match &found {
                Ok((_, again)) => *again,
                Err(reason) => *reason == NoAnswer::Pending,
            };
            let wanted = asks && !closed && board.want(key, token, self.room, now);
            (found.map(|(answer, _)| answer), wanted)
        });
        if wanted {
            (self.wake)();
        }
        match found {
            Err(NoAnswer::Pending) if closed => Err(NoAnswer::Unavailable),
            found => found,
        }
    }

    /// The questions to ask now, at most `most`; each is taken for being asked until
    /// [`Answers::settle`].
    pub(crate) fn begin(&self, now: NumericDate, most: usize) -> Vec<Due> {
        let mut due = Vec::new();
        self.with(|boards| {
            for (issuer, board) in boards.iter_mut() {
                let room = INTROSPECTIONS_EACH.saturating_sub(board.running);
                let room = room.min(most.saturating_sub(due.len()));
                for _ in 0..room {
                    let Some(key) = board.waiting.pop_front() else {
                        break;
                    };
                    let entry = board.entries.get(&key);
                    if let Some(token) = entry.and_then(|entry| entry.token.clone()) {
                        board.running += 1;
                        due.push(Due {
                            issuer: issuer.clone(),
                            key,
                            token,
                            asked_at: now,
                        });
                    }
                }
            }
        });
        due
    }

    /// Puts an answer in its place, which counts for `max_age` from when it was asked for, and not
    /// beyond `exp`. After a failure what was said before goes on to count.
    pub(crate) fn settle(
        &self,
        due: &Due,
        brought: Result<(Told, Option<NumericDate>), String>,
        max_age: Span,
        now: NumericDate,
    ) {
        self.with(|boards| {
            if let Some(board) = boards.get_mut(&due.issuer) {
                board.settle(due, brought, max_age, now);
                board.bound(self.room, now);
            }
        });
    }

    /// Why an issuer could not be asked the last time; `None` where it could.
    pub(crate) fn last_error(&self, issuer: &str) -> Option<Box<str>> {
        self.with(|boards| boards.get(issuer)?.last_error.clone())
    }

    /// Where the metadata of `iss` has said that this issuer is to be asked.
    pub(crate) fn endpoint(&self, issuer: &str, iss: &str) -> Option<Box<str>> {
        self.with(|boards| {
            let (of, endpoint) = boards.get(issuer)?.endpoint.as_ref()?;
            (**of == *iss).then(|| endpoint.clone())
        })
    }

    /// Notes what the metadata of `iss` says.
    pub(crate) fn learn(&self, issuer: &str, iss: &str, endpoint: &str) {
        self.with(|boards| {
            if let Some(board) = boards.get_mut(issuer) {
                board.endpoint = Some((iss.into(), endpoint.into()));
            }
        });
    }

    /// Forgets issuers that are asked no more.
    pub(crate) fn retain(&self, is_asked: impl Fn(&str) -> bool) {
        self.with(|boards| boards.retain(|issuer, _| is_asked(issuer)));
    }

    /// Nobody asks from now on.
    pub(crate) fn close(&self) {
        self.closed.store(1, Ordering::Release);
    }

    fn with<R>(&self, act: impl FnOnce(&mut Boards) -> R) -> R {
        let boards = self.boards.get(|_| Mutex::new(Boards::new()));
        let mut boards = lock(&boards);
        act(&mut boards)
    }
}

impl Board {
    /// The answer, and whether it should be asked for anew by now.
    fn look_up(&self, key: &Key, now: NumericDate) -> Result<(Answer, bool), NoAnswer> {
        let rests = self.rests_until.is_some_and(|until| now < until);
        let entry = self.entries.get(key);
        let failed = entry.and_then(|entry| entry.failed_until);
        let blocked = rests || failed.is_some_and(|until| now < until);
        match entry.and_then(|entry| entry.kept.as_ref()) {
            Some(kept) if now < kept.until => {
                Ok((kept.answer.clone(), !blocked && now >= kept.again))
            }
            Some(_) | None if blocked => Err(NoAnswer::Unavailable),
            Some(_) | None => Err(NoAnswer::Pending),
        }
    }

    /// Lets a token be asked about, where that is not arranged yet and there is room; says whether it is
    /// news.
    fn want(&mut self, key: &Key, token: &[u8], room: Room, now: NumericDate) -> bool {
        let asked = |entry: &Entry| entry.token.is_some();
        if self.entries.get(key).is_some_and(asked) || self.waiting.len() >= INTROSPECTIONS_WAITING
        {
            return false;
        }
        if !self.entries.contains_key(key) {
            self.make_room(room, now);
        }
        let entry = self.entries.entry(*key).or_default();
        entry.token = Some(Zeroizing::new(token.to_vec()));
        self.waiting.push_back(*key);
        true
    }

    fn settle(
        &mut self,
        due: &Due,
        brought: Result<(Told, Option<NumericDate>), String>,
        max_age: Span,
        now: NumericDate,
    ) {
        self.running = self.running.saturating_sub(1);
        self.unlist(&due.key);
        let Some(entry) = self.entries.get_mut(&due.key) else {
            return;
        };
        entry.token = None;
        match brought {
            Ok((told, exp)) => {
                let (kept, exp) = match (&told, exp) {
                    // One that is over is kept all the same, to be judged as that.
                    (Told::Active(_), Some(exp)) if exp <= due.asked_at => {
                        (max_age.min(BRIEF), None)
                    }
                    (Told::Active(_), exp) => (max_age, exp),
                    (Told::Inactive | Told::Malformed, _) => (max_age.min(BRIEF), None),
                };
                let until = due.asked_at.plus(kept);
                let until = exp.map_or(until, |exp| exp.min(until));
                let age = until.since(due.asked_at);
                entry.failed_until = None;
                entry.kept = Some(Kept {
                    answer: Answer {
                        told,
                        asked_at: due.asked_at,
                    },
                    until,
                    again: due.asked_at.plus(age.scaled(4, 5)),
                });
                self.failures = 0;
                self.rests_until = None;
                self.last_error = None;
            }
            Err(error) => {
                let pause = Span::from_seconds(1 << self.failures.min(DOUBLINGS));
                entry.failed_until = Some(now.plus(pause));
                self.failures = self.failures.saturating_add(1);
                self.last_error = Some(error.into());
                if self.failures >= LOST {
                    self.rests_until = Some(now.plus(pause));
                    self.endpoint = None;
                    self.give_up_waiting();
                }
            }
        }
        self.list(&due.key);
    }

    /// Those who wait hear that the issuer cannot be asked, and may come again.
    fn give_up_waiting(&mut self) {
        for key in std::mem::take(&mut self.waiting) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.token = None;
                if entry.kept.is_none() && entry.failed_until.is_none() {
                    self.entries.remove(&key);
                }
            }
        }
    }

    /// Notes when the entry makes room.
    fn list(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get(key) {
            self.size = self.size.saturating_add(entry.size());
            self.ends.insert(entry.end(*key));
        }
    }

    fn unlist(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get(key)
            && self.ends.remove(&entry.end(*key))
        {
            self.size = self.size.saturating_sub(entry.size());
        }
    }

    /// Forgets what counts no more, and then what is worth least, until there is room for one entry.
    fn make_room(&mut self, room: Room, now: NumericDate) {
        for worth in [Worth::Little, Worth::Much] {
            let from = (worth, 0, [0; 32]);
            while let Some(end) = self.ends.range(from..).next().copied()
                && end.0 == worth
                && end.1 <= now.to_bits()
            {
                self.forget(end);
            }
        }
        while self.entries.len() >= room.answers
            && let Some(end) = self.ends.first().copied()
        {
            self.forget(end);
        }
    }

    /// Holds the answers to their bytes.
    fn bound(&mut self, room: Room, now: NumericDate) {
        if self.size > room.size {
            self.make_room(room, now);
        }
        while self.size > room.size
            && let Some(end) = self.ends.first().copied()
        {
            self.forget(end);
        }
    }

    fn forget(&mut self, end: (Worth, u64, Key)) {
        let (.., key) = end;
        self.ends.remove(&end);
        if let Some(entry) = self.entries.get_mut(&key) {
            self.size = self.size.saturating_sub(entry.size());
            entry.kept = None;
            entry.failed_until = None;
            // One that is being asked about stays for its answer.
            if entry.token.is_none() {
                self.entries.remove(&key);
            }
        }
    }
}

impl Entry {
    fn size(&self) -> usize {
        match self.kept.as_ref().map(|kept| &kept.answer.told) {
            Some(Told::Active(text)) => text.len(),
            Some(Told::Inactive | Told::Malformed) | None => 0,
        }
    }

    fn end(&self, key: Key) -> (Worth, u64, Key) {
        let ends = [self.failed_until, self.kept.as_ref().map(|kept| kept.until)];
        let end = ends.into_iter().flatten().max();
        let worth = match self.kept.as_ref().map(|kept| &kept.answer.told) {
            Some(Told::Active(_)) => Worth::Much,
            Some(Told::Inactive | Told::Malformed) | None => Worth::Little,
        };
        (worth, end.map_or(0, NumericDate::to_bits), key)
    }
}
