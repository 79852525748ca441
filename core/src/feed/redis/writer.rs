//! Folds letters into the states of their handles, and appends them to the log.

use std::time::Duration;

use redis::pipe;

use super::line::{Line, script};
use super::store_id;
use crate::feed::held::{Held, name_of};
use crate::feed::{FeedError, Letter, Writer};
use crate::time::NumericDate;

/// Letters of one script: it holds up the server for about a millisecond.
const AT_ONCE: usize = 200;
/// Letters that the log keeps, about: a reader that is further behind loads everything.
const LOG: usize = 1_000_000;
/// Handles looked at, beside those that are written, for what nobody needs to be told any more.
const SWEPT: usize = 64;
/// Another writer was faster with the same handle so many times in a row.
const TRIES: usize = 100;

/// Writes all or nothing: nothing, if a state is not what the writer has read ("" for none). To a
/// state, an object with members, it adds the number of its letter.
const WRITE: &str = r#"
for i = 3, #ARGV, 5 do
  if (redis.call('HGET', KEYS[1], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
end
redis.call('HSETNX', KEYS[1], '#id', ARGV[1])
for i = 3, #ARGV, 5 do
  local n = redis.call('HINCRBY', KEYS[1], '#sequence', 1)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*',
    'n', n, 'from', ARGV[i + 3], 'change', ARGV[i + 4])
  redis.call('HSET', KEYS[1], ARGV[i], string.sub(ARGV[i + 2], 1, -2) .. ',"number":' .. n .. '}')
end
return 1"#;

/// Removes states that are still what the writer has read.
const FORGET: &str = "
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return 1";

/// Uses every right that the two above need, and leaves nothing: the field is removed, and no log
/// has an entry 0-0. The log first, since a server asks once in a script whether it has memory
/// left.
const TRY: &str = r#"
local function refusal(...)
  local answer = redis.pcall(...)
  return type(answer) == 'table' and answer.err
end
local log = refusal('XADD', KEYS[2], '0-0', 'n', '0')
if log and not string.find(log, '0-0', 1, true) then return redis.error_reply(log) end
local hash = refusal('HGET', KEYS[1], ARGV[1])
  or refusal('HSETNX', KEYS[1], ARGV[1], '0')
  or refusal('HINCRBY', KEYS[1], ARGV[1], '1')
  or refusal('HSET', KEYS[1], ARGV[1], '0')
local field = refusal('HDEL', KEYS[1], ARGV[1])
if hash or field then return redis.error_reply(hash or field) end
return 1"#;
/// The field that is tried with.
const TRIED: &str = "#tried";

pub(super) struct RedisWriter {
    line: Line,
    hash: String,
    log: String,
    /// Where sweeping goes on.
    cursor: u64,
}

impl RedisWriter {
    pub(super) const fn new(line: Line, hash: String, log: String) -> Self {
        Self {
            line,
            hash,
            log,
            cursor: 0,
        }
    }

    /// Letters of different handles.
    fn write_at_once(&mut self, letters: &[Letter]) -> Result<(), FeedError> {
        let names: Vec<String> = letters
            .iter()
            .map(|letter| name_of(&letter.change))
            .collect();
        for _ in 0..TRIES {
            let mut read = pipe();
            read.cmd("TIME");
            read.cmd("HMGET").arg(&self.hash).arg(&names);
            let ((seconds, _), states): ((i64, i64), Vec<Option<Vec<u8>>>) =
                self.line.ask_all("reading states", &read, Duration::ZERO)?;
            let now = NumericDate::from_seconds(seconds).unwrap_or(NumericDate::LAST);
            let mut write = script(WRITE, &[&self.hash, &self.log]);
            write.arg(store_id()).arg(LOG);
            for ((letter, name), state) in letters.iter().zip(&names).zip(states) {
                let json = state.unwrap_or_default();
                // What cannot be read is broken, for every other reader too: it is replaced.
                let before = Held::from_json(&json).ok();
                let again = before
                    .as_ref()
                    .is_some_and(|held| held.has_heard(letter.stamp()));
                let held = Held::after(before, letter, now);
                // A letter that came before is told again as what has become of it since.
                let told = if again { &held.change } else { &letter.change };
                write.arg(name).arg(json).arg(held.to_json());
                write.arg(letter.stamp().to_text()).arg(told.to_json());
            }
            if self.line.ask("writing", &write)? {
                return self.sweep(now, letters.len());
            }
        }
        Err(self
            .line
            .complain("writing: others write to the same handles all the time"))
    }
    /// Removes some of what nobody needs to be told any more: a bounded part of the hash, and the
    /// next part after the next letters.
    fn sweep(&mut self, now: NumericDate, written: usize) -> Result<(), FeedError> {
        let about = SWEPT + written;
        let (next, fields) = self.line.scan("sweeping", &self.hash, self.cursor, about)?;
        self.cursor = next;
        let over = |json: &[u8]| {
            let held = Held::from_json(json).ok();
            held.and_then(|held| held.forgotten_at())
                .is_some_and(|end| end <= now)
        };
        let mut forget = script(FORGET, &[&self.hash]);
        let mut some = false;
        for (name, json) in fields {
            if over(&json) {
                forget.arg(name).arg(json);
                some = true;
            }
        }
        if some {
            self.line.ask::<()>("sweeping", &forget)?;
        }
        Ok(())
    }
}

impl Writer for RedisWriter {
    fn write(&mut self, letters: &[Letter]) -> Result<(), FeedError> {
        let mut rest = letters;
        while !rest.is_empty() {
            let mut seen = std::collections::BTreeSet::new();
            let different = rest.iter().take(AT_ONCE);
            let size = different
                .take_while(|letter| seen.insert(name_of(&letter.change)))
                .count();
            let (now, later) = rest.split_at(size);
            self.write_at_once(now)?;
            rest = later;
        }
        Ok(())
    }

    fn try_writing(&mut self) -> Result<(), FeedError> {
        let mut attempt = script(TRY, &[&self.hash, &self.log]);
        attempt.arg(TRIED);
        self.line.ask("trying to write", &attempt)
    }
}
