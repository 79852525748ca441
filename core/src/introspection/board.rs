//! [`Board`]: what one issuer has said and is to be asked, bounded whatever strangers send.
//!
//! A stranger makes up tokens for nothing, so active tokens are the last to make room, and are
//! asked about anew ahead of any other; so many questions may wait and so many run at once; and
//! what was answered with "not active" is remembered briefly, so that nobody makes us ask twice at
//! once. An issuer that fails is left alone for a while that grows, and what it said before goes on
//! to count; an answer about one token that cannot be used is that token's alone.
//!
//! An answer is as old as the clock says that has gone further. A rest is by the one that nobody
//! can set.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use zeroize::Zeroizing;

use super::turns::Load;
use super::{Answer, Counts, Due, Failure, Key, NoAnswer, Terms, Told, Whose};
use crate::limits::{
    INTROSPECTION_ANSWERS, INTROSPECTION_ANSWERS_SIZE, INTROSPECTIONS_EACH, INTROSPECTIONS_RENEWED,
    INTROSPECTIONS_WAITING,
};
use crate::time::{Moment, Now, NumericDate, Span};

/// How long at most an answer counts that says no: a token that an issuer learns of late is asked
/// about again.
const BRIEF: Span = Span::from_seconds(10);
/// How long a token is not asked about of which the answer could not be used.
const UNUSABLE: Span = Span::from_seconds(1);
/// So many failures in a row, and the issuer is left alone; or where it is to be asked is found out
/// anew.
const LOST: u32 = 3;
/// The pause after a failure doubles up to 2^5 seconds.
const DOUBLINGS: u32 = 5;
/// How many answers that count no more one call forgets: two for each that it may add, so that they
/// do go.
const FORGOTTEN: usize = 2;

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

#[derive(Default)]
pub(super) struct Board {
    entries: BTreeMap<Key, Entry>,
    /// The entries that have something to forget, in the order in which they make room.
    ends: BTreeSet<(Worth, u64, Key)>,
    /// Bytes of all answers.
    size: usize,
    /// Tokens that are active as far as is known: they are asked about first.
    renewals: VecDeque<Key>,
    /// All others.
    waiting: VecDeque<Key>,
    running: usize,
    /// Failures of the issuer in a row, and until when it is left alone after too many.
    failures: u32,
    rests_until: Option<Moment>,
    /// Questions in a row without an answer, whosever fault.
    fruitless: u32,
    /// Why there was no answer the last time.
    pub(super) last_error: Option<Box<str>>,
    /// Where the issuer's metadata says to ask; read again after too many questions without an
    /// answer.
    pub(super) endpoint: Option<Box<str>>,
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
    failed_until: Option<Moment>,
    /// Of an entry that is to be asked about: the token. It is wiped with the answer.
    token: Option<Zeroizing<Vec<u8>>>,
}

struct Kept {
    answer: Answer,
    /// When the question was begun.
    asked: Now,
    /// The generation of the keys that its signature was good under, where it is signed.
    signed_by: Option<u64>,
    /// For how long it counts at most.
    at_most: Option<Span>,
    /// Until when, by the rules of when it came: when it makes room.
    end: Moment,
}

impl Kept {
    fn lifetime(&self, max_age: Span) -> Span {
        self.at_most.map_or(max_age, |most| most.min(max_age))
    }

    /// Whether it is to be asked about again, ahead of its end, when somebody needs it.
    fn ages(&self, max_age: Span, now: Now) -> bool {
        now.since(self.asked) >= self.lifetime(max_age).scaled(4, 5)
    }

    fn counts(&self, terms: Terms, now: Now) -> bool {
        self.signed_by == terms.signed_by && now.since(self.asked) < self.lifetime(terms.max_age)
    }
}

impl Board {
    /// The answer, and whether it should be asked for anew by now.
    pub(super) fn look_up(
        &self,
        key: &Key,
        terms: Terms,
        now: Now,
    ) -> Result<(Answer, bool), NoAnswer> {
        let entry = self.entries.get(key);
        let failed = entry.and_then(|entry| entry.failed_until);
        let blocked = self.rests(now.moment) || failed.is_some_and(|until| now.moment < until);
        let kept = entry.and_then(|entry| entry.kept.as_ref());
        match kept.filter(|kept| kept.counts(terms, now)) {
            Some(kept) => {
                let again = !blocked && kept.ages(terms.max_age, now);
                Ok((kept.answer.clone(), again))
            }
            None if blocked => Err(NoAnswer::Unavailable),
            None => Err(NoAnswer::Pending),
        }
    }

    fn rests(&self, now: Moment) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// Lets a token be asked about, and says whether that is news; `None` where there is no room.
    pub(super) fn want(
        &mut self,
        key: &Key,
        token: &[u8],
        room: Room,
        now: Moment,
    ) -> Option<bool> {
        let entry = self.entries.get(key);
        if entry.is_some_and(|entry| entry.token.is_some()) {
            return Some(false);
        }
        let known = entry.is_some_and(|entry| entry.worth() == Worth::Much);
        let (queue, most) = if known {
            (&mut self.renewals, INTROSPECTIONS_RENEWED)
        } else {
            (&mut self.waiting, INTROSPECTIONS_WAITING)
        };
        if queue.len() >= most {
            return None;
        }
        queue.push_back(*key);
        if !self.entries.contains_key(key) {
            self.make_room(room, now);
        }
        let entry = self.entries.entry(*key).or_default();
        entry.token = Some(Zeroizing::new(token.to_vec()));
        Some(true)
    }

    pub(super) fn load(&self) -> Load {
        Load {
            running: self.running,
            renewals: self.renewals.len(),
            others: self.waiting.len(),
        }
    }

    /// The first of those that wait, of which so many run at once.
    pub(super) fn begin(&mut self) -> Option<(Key, Zeroizing<Vec<u8>>)> {
        while self.running < INTROSPECTIONS_EACH {
            let next = self.renewals.pop_front();
            let key = next.or_else(|| self.waiting.pop_front())?;
            let entry = self.entries.get(&key);
            if let Some(token) = entry.and_then(|entry| entry.token.clone()) {
                self.running = self.running.saturating_add(1);
                return Some((key, token));
            }
        }
        None
    }

    /// Those who were being asked about wait again, ahead of all others.
    pub(super) fn begin_anew(&mut self) {
        self.running = 0;
        let waiting: BTreeSet<Key> = self.waiting.iter().chain(&self.renewals).copied().collect();
        for (key, entry) in &self.entries {
            if entry.token.is_some() && !waiting.contains(key) {
                self.renewals.push_front(*key);
            }
        }
    }

    pub(super) fn settle(
        &mut self,
        due: &Due,
        brought: Result<(Told, Option<NumericDate>), Failure>,
        terms: Terms,
        now: Moment,
    ) {
        self.running = self.running.saturating_sub(1);
        self.unlist(&due.key);
        let Some(entry) = self.entries.get_mut(&due.key) else {
            return;
        };
        entry.token = None;
        match brought {
            Ok((told, exp)) => {
                let at_most = match (&told, exp) {
                    // One that is over is kept all the same, to be judged as that.
                    (Told::Active(_), Some(exp)) if exp <= due.asked.date => Some(BRIEF),
                    (Told::Active(_), exp) => exp.map(|exp| exp.since(due.asked.date)),
                    (Told::Inactive | Told::Malformed, _) => Some(BRIEF),
                };
                let mut kept = Kept {
                    answer: Answer {
                        told,
                        asked_at: due.asked.date,
                    },
                    asked: due.asked,
                    signed_by: terms.signed_by,
                    at_most,
                    end: due.asked.moment,
                };
                kept.end = kept.end.plus(kept.lifetime(terms.max_age));
                entry.failed_until = None;
                entry.kept = Some(kept);
                (self.failures, self.fruitless) = (0, 0);
                self.rests_until = None;
                self.last_error = None;
            }
            Err(Failure { whose, text }) => {
                self.last_error = Some(text.into());
                self.fruitless = self.fruitless.saturating_add(1);
                if self.fruitless >= LOST {
                    self.fruitless = 0;
                    self.endpoint = None;
                }
                let pause = match whose {
                    Whose::Issuers => Span::from_seconds(1 << self.failures.min(DOUBLINGS)),
                    Whose::Tokens => UNUSABLE,
                };
                entry.failed_until = Some(now.plus(pause));
                if whose == Whose::Issuers {
                    self.fail(pause, now);
                }
            }
        }
        self.list(&due.key);
    }

    /// One more failure of the issuer. What was under way when it was given up is of that same
    /// failure.
    fn fail(&mut self, pause: Span, now: Moment) {
        if self.rests(now) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= LOST {
            self.rests_until = Some(now.plus(pause));
            self.give_up_waiting();
        }
    }

    /// Those who wait hear that the issuer cannot be asked, and may come again.
    fn give_up_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for key in waiting
            .into_iter()
            .chain(std::mem::take(&mut self.renewals))
        {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.token = None;
                if entry.kept.is_none() && entry.failed_until.is_none() {
                    self.entries.remove(&key);
                }
            }
        }
    }

    pub(super) fn counts(&self, now: Moment) -> Counts {
        Counts {
            answers: self.entries.len(),
            bytes: self.size,
            waiting: self.waiting.len().saturating_add(self.renewals.len()),
            running: self.running,
            failures: self.failures,
            resting: self.rests(now),
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

    /// Forgets some of what counts no more, and then what is worth least, until there is room for
    /// one entry.
    fn make_room(&mut self, room: Room, now: Moment) {
        for worth in [Worth::Little, Worth::Much] {
            for _ in 0..FORGOTTEN {
                let first = self.ends.range((worth, 0, [0; 32])..).next().copied();
                match first {
                    Some(end) if end.0 == worth && end.1 <= now.to_bits() => self.forget(end),
                    Some(_) | None => break,
                }
            }
        }
        while self.entries.len() >= room.answers
            && let Some(end) = self.ends.first().copied()
        {
            self.forget(end);
        }
    }

    /// Holds the answers to their bytes. Only what an issuer says of its own tokens has any, and
    /// one answer takes the place of no more than it has itself.
    pub(super) fn bound(&mut self, room: Room) {
        let with_bytes = (Worth::Much, 0, [0; 32]);
        while self.size > room.size
            && let Some(end) = self.ends.range(with_bytes..).next().copied()
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
    fn worth(&self) -> Worth {
        match self.kept.as_ref().map(|kept| &kept.answer.told) {
            Some(Told::Active(_)) => Worth::Much,
            Some(Told::Inactive | Told::Malformed) | None => Worth::Little,
        }
    }

    fn size(&self) -> usize {
        match self.kept.as_ref().map(|kept| &kept.answer.told) {
            Some(Told::Active(text)) => text.len(),
            Some(Told::Inactive | Told::Malformed) | None => 0,
        }
    }

    fn end(&self, key: Key) -> (Worth, u64, Key) {
        let ends = [self.failed_until, self.kept.as_ref().map(|kept| kept.end)];
        let end = ends.into_iter().flatten().max();
        (self.worth(), end.map_or(0, Moment::to_bits), key)
    }
}
