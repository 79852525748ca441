//! Used proofs in Redis: `sealgate:{NAMESPACE}:proof:KEY`, for as long as the proof could be used.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use redis::cmd;

use super::Redis;
use super::line::Line;
use crate::feed::FeedError;
use crate::feed::proofs::life;
use crate::replay::{Unanswered, UsedProofs};
use crate::sync::{OfProcess, Own, lock};
use crate::time::{NumericDate, Span};

/// Connections that are kept for the next who ask.
const IDLE: usize = 32;

/// Whoever asks takes a connection, and gives it back.
pub(crate) struct RedisProofs {
    redis: Redis,
    /// Of one process: a forked child must not talk on its parent's.
    idle: OfProcess<Mutex<Vec<Line>>>,
}

/// A question that can be asked again without being taken for somebody else's.
struct Question {
    name: String,
    /// What is written there, to be known again.
    mine: String,
    life: Span,
}

impl RedisProofs {
    pub(crate) fn new(redis: Redis) -> Self {
        Self {
            redis,
            idle: OfProcess::empty(),
        }
    }

    fn ask(&self, question: &Question) -> Result<bool, FeedError> {
        let idle = lock(&self.idle()).pop();
        if let Some(mut line) = idle {
            match question.put(&mut line) {
                // It may have ended while nobody needed it.
                Err(_) if line.has_ended() => {}
                Ok(put) => {
                    self.keep(line);
                    return Ok(put);
                }
                Err(error) => return Err(error),
            }
        }
        let mut line = self.redis.line()?;
        let first = question.put(&mut line)? || question.is_there(&mut line)?;
        self.keep(line);
        Ok(first)
    }

    fn name(&self, key: &str) -> String {
        format!("sealgate:{{{}}}:proof:{key}", self.redis.namespace)
    }

    fn keep(&self, line: Line) {
        let idle = self.idle();
        let mut idle = lock(&idle);
        if idle.len() < IDLE {
            idle.push(line);
        }
    }

    fn idle(&self) -> Arc<Own<Mutex<Vec<Line>>>> {
        self.idle.get(|_| Mutex::default())
    }
}

impl UsedProofs for RedisProofs {
    fn insert(&self, key: &str, until: NumericDate, now: NumericDate) -> Result<bool, Unanswered> {
        let question = Question {
            name: self.name(key),
            mine: format!("{:016x}", RandomState::new().hash_one(key)),
            life: life(until, now),
        };
        Ok(self.ask(&question)?)
    }

    fn extend(&self, key: &str, until: NumericDate, now: NumericDate) {
        let idle = lock(&self.idle()).pop();
        let Ok(mut line) = idle.map_or_else(|| self.redis.line(), Ok) else {
            return;
        };
        let mut expire = cmd("PEXPIRE");
        expire.arg(self.name(key)).arg(life(until, now).millis());
        let extended: Result<bool, FeedError> = line.ask("asking about a proof", &expire);
        if extended.is_ok() {
            self.keep(line);
        }
    }
}

impl Question {
    /// Whether nobody had put it there before.
    fn put(&self, line: &mut Line) -> Result<bool, FeedError> {
        let mut set = cmd("SET");
        set.arg(&self.name).arg(&self.mine).arg("NX");
        set.arg("PX").arg(self.life.millis());
        let put: Option<String> = line.ask("asking about a proof", &set)?;
        Ok(put.is_some())
    }

    /// Whether a connection that ended has put it there.
    fn is_there(&self, line: &mut Line) -> Result<bool, FeedError> {
        let mut get = cmd("GET");
        get.arg(&self.name);
        let there: Option<String> = line.ask("asking about a proof", &get)?;
        Ok(there.as_ref() == Some(&self.mine))
    }
}
