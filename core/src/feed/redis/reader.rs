//! Reads the state of all handles, and then the log.

use std::time::Duration;

use redis::{FromRedisValue, Pipeline, cmd, pipe};

use super::line::{Line, script};
use super::store_id;
use crate::feed::held::{Stamp, number_of};
use crate::feed::seen::Seen;
use crate::feed::{FeedError, Letter, Progress, Reader};
use crate::revocation::Change;

/// Letters of one answer.
const AT_ONCE: usize = 1000;
/// Handles of one answer, about.
const SCANNED: usize = 2000;

/// How the store stands, as [`RedisReader::look`] asks, and its last letter: at one moment. No
/// transaction, which a server that is out of memory refuses.
const HEAD: &str = "
return {
  redis.call('HMGET', KEYS[1], '#id', '#sequence'),
  redis.call('HLEN', KEYS[1]),
  redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
}";

pub(super) struct RedisReader {
    line: Line,
    hash: String,
    log: String,
    seen: Seen,
    /// What the store is known by; `None` while nobody has written to it.
    id: Option<String>,
    /// Of the last letter that was read.
    sequence: u64,
    position: String,
    unreadable: u64,
}

/// `#id` and `#sequence`.
type Name = (Option<String>, Option<u64>);
/// Where it stands in the stream, and its fields.
type Item = (String, Vec<(String, Vec<u8>)>);

impl RedisReader {
    pub(super) const fn new(line: Line, hash: String, log: String, seen: Seen) -> Self {
        Self {
            line,
            hash,
            log,
            seen,
            id: None,
            sequence: 0,
            position: String::new(),
            unreadable: 0,
        }
    }

    /// Gives the store a name where it has none, so that its loss is noticed from now on. Whoever
    /// may only read leaves that to the first who writes.
    fn name_store(&mut self) -> Result<(), FeedError> {
        let mut name = cmd("HSETNX");
        name.arg(&self.hash).arg("#id").arg(store_id());
        match self.line.ask::<bool>("naming the store", &name) {
            Err(error) if self.line.has_ended() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn note(&self, id: Option<&str>, sequence: u64, fields: u64) -> Result<(), FeedError> {
        let noted = self.seen.note(id, sequence, fields);
        noted.map_err(|loss| self.line.complain(&loss.text()))
    }

    /// How the store stands: its [`Name`], and how many fields it has.
    fn look(&self, pipe: &mut Pipeline) {
        let hash = &self.hash;
        pipe.cmd("HMGET").arg(hash).arg("#id").arg("#sequence");
        pipe.cmd("HLEN").arg(hash);
    }

    fn has_read(&self) {
        if let Some(id) = &self.id {
            self.seen.read(id, self.sequence);
        }
    }

    /// The letters of an answer, in order; whether one is missing before the end. One that was
    /// there before is of an older copy of the store, which others have written to.
    fn hand_out(
        &mut self,
        items: Vec<Item>,
        take: &mut dyn FnMut(Letter),
    ) -> Result<Progress, FeedError> {
        for (position, fields) in items {
            let field = |name: &str| {
                let found = fields.iter().find(|(field, _)| field == name);
                found.map(|(_, value)| value.as_slice())
            };
            let text = |name: &str| field(name).and_then(|value| std::str::from_utf8(value).ok());
            self.position = position;
            let Some(number) = text("n").and_then(|number| number.parse::<u64>().ok()) else {
                // Not one of ours: those are numbered.
                self.unreadable += 1;
                continue;
            };
            if number <= self.sequence {
                return Err(self.line.complain(&self.seen.went_back().text()));
            }
            if number != self.sequence + 1 {
                return Ok(Progress::Gap);
            }
            self.sequence = number;
            let stamp = text("from").and_then(Stamp::from_text);
            let change = field("change").and_then(|json| Change::from_json(json).ok());
            match (stamp, change) {
                (Some(stamp), Some(change)) => take(Letter {
                    origin: stamp.origin,
                    number: stamp.number,
                    change,
                }),
                _ => self.unreadable += 1,
            }
        }
        Ok(Progress::More)
    }

    /// All states as they are written, with what they say.
    fn states(&mut self, take: &mut dyn FnMut(&[u8], Change)) -> Result<(), FeedError> {
        let mut cursor = 0_u64;
        loop {
            let what = "reading all revocations";
            let (next, fields) = self.line.scan(what, &self.hash, cursor, SCANNED)?;
            for (_, json) in fields {
                match Change::from_json(&json) {
                    Ok(change) => take(&json, change),
                    Err(_) => self.unreadable += 1,
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

impl Reader for RedisReader {
    fn everything(&mut self, take: &mut dyn FnMut(bool, Change)) -> Result<(), FeedError> {
        self.name_store()?;
        let head = script(HEAD, &[&self.hash, &self.log]);
        let ((id, sequence), fields, last): (Name, u64, Vec<Item>) =
            self.line.ask("reading its head", &head)?;
        self.note(id.as_deref(), sequence.unwrap_or(0), fields)?;
        let read = id.as_deref().map_or(0, |id| self.seen.behind(id));
        self.states(&mut |json, change| {
            let is_news = !change.is_lifted() || number_of(json) > read;
            take(is_news, change);
        })?;
        self.id = id;
        self.sequence = sequence.unwrap_or(0);
        self.has_read();
        // Without a letter there, whatever comes is new.
        let last = last.into_iter().next();
        self.position = last.map_or_else(|| "0-0".to_owned(), |(position, _)| position);
        Ok(())
    }

    fn next(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Letter),
    ) -> Result<Progress, FeedError> {
        let mut look = pipe();
        self.look(&mut look);
        look.cmd("XREAD").arg("COUNT").arg(AT_ONCE);
        if !wait.is_zero() {
            // 0 would be for ever.
            look.arg("BLOCK").arg(wait.as_millis().max(1).to_string());
        }
        look.arg("STREAMS").arg(&self.log).arg(&self.position);
        let ((id, sequence), fields, found): (Name, u64, Found) =
            self.line.ask_all("waiting for letters", &look, wait)?;
        let written = sequence.unwrap_or(0);
        self.note(id.as_deref(), written, fields)?;
        let begins = self.id.is_none() && self.sequence == 0;
        if (id != self.id && !begins) || written < self.sequence {
            return Ok(Progress::Gap);
        }
        self.id = id;
        let nothing = found.0.is_empty();
        let progress = self.hand_out(found.0, take)?;
        self.has_read();
        if progress == Progress::Gap {
            return Ok(Progress::Gap);
        }
        // `written` was read before the log: what it counts must have been there.
        match (self.sequence >= written, nothing) {
            (true, _) => Ok(Progress::CaughtUp),
            (false, false) => Ok(Progress::More),
            (false, true) => Ok(Progress::Gap),
        }
    }

    fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

/// The letters of the one stream that was asked for; none where it is not there, or time ran out.
struct Found(Vec<Item>);

impl FromRedisValue for Found {
    fn from_redis_value(value: redis::Value) -> Result<Self, redis::ParsingError> {
        let streams: Option<Vec<(String, Vec<Item>)>> = redis::from_redis_value(value)?;
        let mut streams = streams.unwrap_or_default();
        Ok(Self(
            streams.pop().map(|(_, items)| items).unwrap_or_default(),
        ))
    }
}
