//! The engine "redis": Redis, Valkey, and whatever speaks their protocol.
//!
//! All of a namespace is in two keys with one hash tag, so that a cluster keeps them on one node.
//! The hash `sealgate:{NAMESPACE}:revocations` has the state of each handle, as
//! [`Held`](super::held) writes it, with the `number` of the last letter about it, in a field named
//! by the handle; in `#id` what the store is known by, and in `#sequence` how many letters it has
//! taken. They are in one key so that none can be lost without the others. The stream
//! `sealgate:{NAMESPACE}:log` has the last million letters with their sequence numbers.
//!
//! A letter is folded by its writer; a script writes the new state and the letter at once if the
//! state is still what the writer has read.

mod line;
mod proofs;
mod reader;
mod writer;

use std::hash::{BuildHasher, RandomState};

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use super::seen::{MISSES, Seen};
use super::{Engine, Evicts, FeedError, Reader, Writer};
use crate::time::NumericDate;
use line::Line;
pub(crate) use proofs::RedisProofs;

/// A server, and whose data we read there.
#[derive(Clone, Debug)]
pub(crate) struct Redis {
    server: ConnectionInfo,
    namespace: Box<str>,
    seen: Seen,
}

impl Redis {
    /// `url` is `redis://`, `rediss://` (TLS, with the authorities that the system trusts), or
    /// `unix://`. `namespace` has no braces.
    pub(crate) fn new(url: &str, namespace: &str) -> Result<Self, FeedError> {
        // What a URL is wrong by may be its password: the text says nothing of it.
        let server = url.into_connection_info().map_err(|_| FeedError {
            text: "redis: no client takes its url".to_owned(),
            passes: false,
        })?;
        // Whether its client could is a matter of what else is in the program.
        if matches!(server.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(FeedError {
                text:
                    "redis: its url trusts whoever answers (#insecure), which sealgate does not; \
                       SSL_CERT_FILE names authorities"
                        .to_owned(),
                passes: false,
            });
        }
        Ok(Self {
            server,
            namespace: namespace.into(),
            seen: Seen::new(),
        })
    }

    fn line(&self) -> Result<Line, FeedError> {
        Line::open(&self.server, &self.hash())
    }

    fn hash(&self) -> String {
        format!("sealgate:{{{}}}:revocations", self.namespace)
    }

    fn log(&self) -> String {
        format!("sealgate:{{{}}}:log", self.namespace)
    }
}

impl Engine for Redis {
    fn reader(&self) -> Result<Box<dyn Reader>, FeedError> {
        let line = self.line()?;
        Ok(Box::new(reader::RedisReader::new(
            line,
            self.hash(),
            self.log(),
            self.seen.clone(),
        )))
    }

    fn writer(&self) -> Result<Box<dyn Writer>, FeedError> {
        let line = self.line()?;
        Ok(Box::new(writer::RedisWriter::new(
            line,
            self.hash(),
            self.log(),
        )))
    }

    fn is_local(&self) -> bool {
        false
    }

    fn trouble(&self) -> Option<FeedError> {
        self.seen.misses_some().then(|| FeedError {
            text: format!("redis at {}: {MISSES}", self.server.addr()),
            passes: false,
        })
    }

    fn losses(&self) -> u64 {
        self.seen.losses()
    }

    fn time(&self) -> Result<Option<NumericDate>, FeedError> {
        let (seconds, _): (i64, i64) = self.line()?.ask("asking the time", &redis::cmd("TIME"))?;
        Ok(NumericDate::from_seconds(seconds))
    }

    /// `CONFIG` is not to be had of servers that somebody else runs, and of `INFO` not every user
    /// has the right.
    fn evicts(&self) -> Result<Option<Evicts>, FeedError> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        let told: Result<String, FeedError> = self.line()?.ask("asking about its memory", &info);
        Ok(Some(match told {
            Ok(told) => evicts(&told),
            Err(error) if error.passes => return Err(error),
            Err(_) => Evicts::Untold,
        }))
    }
}

/// By the server's `maxmemory-policy`.
fn evicts(info: &str) -> Evicts {
    let mut lines = info.lines();
    match lines.find_map(|line| line.strip_prefix("maxmemory_policy:")) {
        Some("noeviction") => Evicts::Nothing,
        Some(policy) if policy.starts_with("volatile-") => Evicts::Ending,
        Some(policy) if policy.starts_with("allkeys-") => Evicts::Anything,
        Some(_) | None => Evicts::Untold,
    }
}

/// What a store is known by from the first look at it on.
fn store_id() -> String {
    let drawn = RandomState::new();
    format!("{:016x}{:016x}", drawn.hash_one(1_u8), drawn.hash_one(2_u8))
}
