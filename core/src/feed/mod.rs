//! Revocations that processes share: what stands between the store of one process and an engine
//! that many write to and read from.
//!
//! An engine keeps an ordered log of [`Letter`]s and what follows from them. It offers a
//! [`Reader`], which blocks, and a [`Writer`]; everything else is done here, for all engines alike:
//! what was revoked is kept in an outbox until it is read back, readers that missed something begin
//! again with everything there is, and how old the news may be is known at any time.

mod bag;
mod desk;
mod file;
mod kept;
mod outbox;
mod post;
mod proof_store;
mod running;
mod store;
mod tally;

#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
mod held;
#[cfg(feature = "feed-nats")]
mod nats;
#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
mod proofs;
#[cfg(feature = "feed-redis")]
mod redis;
#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
mod seen;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use desk::Threads;
use file::FileEngine;
#[cfg(fuzzing)]
pub use file::fuzz::file_store;
pub(crate) use post::Post;
pub use proof_store::{ProofStore, ProofTrial};
pub use store::{Following, Store, StoreError};

use crate::policy::{StorePlace, StoreRules};
use crate::replay::{Desk, Unanswered, UsedProofs};
use crate::revocation::{Change, Known};
use crate::time::{Clock, NumericDate};

/// Within which a server is reached, or is taken to be away.
#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
const CONNECT: Duration = Duration::from_secs(2);
/// Within which a server answers, beyond the time it was asked to wait.
#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
const ANSWER: Duration = Duration::from_secs(2);

/// A change as a log carries it: with whoever sent it and the how manieth of theirs it is, so that
/// they know it when it comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Drawn at random by each process that writes.
    pub(crate) origin: u64,
    /// From 1 on, in the order of writing.
    pub(crate) number: u64,
    pub(crate) change: Change,
}

/// How a reader stands after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Everything has been read that was written before the look began.
    CaughtUp,
    /// There is more.
    More,
    /// Something was missed that cannot be read any more. [`Reader::load`] must follow.
    Gap,
}

/// An engine, as the policy names it.
pub(crate) trait Engine: Send + Sync {
    /// Opens a line for reading. Blocks for some seconds at most.
    fn reader(&self) -> Result<Box<dyn Reader>, FeedError>;

    /// As [`Engine::reader`], for whoever only looks: where making a store is making files, none is
    /// made.
    fn looker(&self) -> Result<Box<dyn Reader>, FeedError> {
        self.reader()
    }

    /// Opens a line for writing. Blocks for some seconds at most.
    fn writer(&self) -> Result<Box<dyn Writer>, FeedError>;

    /// Whether writing takes no longer than a disk does, so that whoever revokes can wait for it.
    fn is_local(&self) -> bool;

    /// What goes wrong beside reading and writing, and stops neither; `None` while all is well.
    fn trouble(&self) -> Option<FeedError> {
        None
    }

    /// How often this process has noticed that the store has lost something. A disk loses nothing
    /// without being broken.
    fn losses(&self) -> u64 {
        0
    }

    /// What the server's clock says; `None` where nobody but this host has one, or it does not
    /// tell.
    fn time(&self) -> Result<Option<NumericDate>, FeedError> {
        Ok(None)
    }

    /// What its server may forget when it is full; `None` where none forgets.
    fn evicts(&self) -> Result<Option<Evicts>, FeedError> {
        Ok(None)
    }
}

/// What a server that is full forgets to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evicts {
    /// Nothing: it takes no more writes.
    Nothing,
    /// What has an end, as used proofs have, and no revocation.
    Ending,
    /// Anything, revocations too.
    Anything,
    /// It does not tell, or may not be asked.
    Untold,
}

/// Reads one log. What goes wrong ends it: its owner opens another.
pub(crate) trait Reader: Send {
    /// Everything that is revoked, and everything that was lifted as far as the engine remembers
    /// it, with when and why; each handle once, but where it changes meanwhile, in any order. With
    /// each goes whether it is news: a lift is none that this process has read before. Afterwards
    /// [`Reader::next`] goes on behind it, and may bring again what this has brought.
    fn everything(&mut self, take: &mut dyn FnMut(bool, Change)) -> Result<(), FeedError>;

    /// The same for whoever looks at it all.
    fn changes(&mut self, take: &mut dyn FnMut(Change)) -> Result<(), FeedError> {
        self.everything(&mut |_, change| take(change))
    }

    /// The same for whoever judges by it, without what nobody judges by, and only what is news:
    /// where a store has lost what came after a lift, as one does that was restored from an older
    /// copy, it would undo what is still known here.
    fn load(&mut self, take: &mut dyn FnMut(Known<'_>)) -> Result<(), FeedError> {
        self.everything(&mut |is_news, change| {
            if is_news {
                take(change.known());
            }
        })
    }

    /// What was written since, in the order of the log. Waits at most `wait` where there is
    /// nothing.
    fn next(&mut self, wait: Duration, take: &mut dyn FnMut(Letter))
    -> Result<Progress, FeedError>;

    /// Letters that could not be read since it was opened: of a version after this one, or broken.
    fn unreadable(&self) -> u64;
}

/// Writes to one log. What goes wrong ends it: its owner opens another, and writes again whatever
/// has not come back.
pub(crate) trait Writer: Send {
    /// Appends them in this order, each of them whole. When it returns, the engine has them.
    fn write(&mut self, letters: &[Letter]) -> Result<(), FeedError>;

    /// Does what writing takes, and leaves nothing behind. A disk has said all when it was opened.
    fn try_writing(&mut self) -> Result<(), FeedError> {
        Ok(())
    }
}

/// Why an engine does not answer as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeedError {
    /// One line for operators: what was tried, and what came of it. No secret, no handle.
    pub(crate) text: String,
    /// Whether trying again may help. What is broken stays so until somebody mends it.
    pub(crate) passes: bool,
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The engine that a policy names. `sha256` is for engines that name things shorter than they are.
#[cfg_attr(
    not(feature = "feed-nats"),
    expect(unused_variables, reason = "what no engine of this build needs")
)]
pub(crate) fn open(
    rules: &StoreRules,
    clock: &Clock,
    sha256: fn(&[u8]) -> [u8; 32],
) -> Arc<dyn Engine> {
    match &rules.place {
        StorePlace::File(path) => Arc::new(FileEngine::new(path, clock.clone())),
        #[cfg(feature = "feed-redis")]
        StorePlace::Redis(at) => engine(redis::Redis::new(&at.url, &at.namespace)),
        #[cfg(feature = "feed-nats")]
        StorePlace::Nats(at) => engine(nats::Nats::new(&at.url, &at.namespace, sha256)),
        #[cfg(not(all(feature = "feed-redis", feature = "feed-nats")))]
        #[allow(unreachable_patterns, reason = "where the build has one of the two")]
        StorePlace::Redis(_) | StorePlace::Nats(_) => Arc::new(Unusable(unbuilt())),
    }
}

/// Used proofs at the server that a policy names, and who asks for callers that must not wait.
#[cfg_attr(
    not(feature = "feed-nats"),
    expect(unused_variables, reason = "what no engine of this build needs")
)]
pub(crate) fn open_proofs(
    rules: &StoreRules,
    sha256: fn(&[u8]) -> [u8; 32],
) -> (Arc<dyn UsedProofs>, Box<dyn Desk>) {
    let proofs: Arc<dyn UsedProofs> = match &rules.place {
        #[cfg(feature = "feed-redis")]
        StorePlace::Redis(at) => {
            let redis = redis::Redis::new(&at.url, &at.namespace);
            proofs(redis.map(redis::RedisProofs::new))
        }
        #[cfg(feature = "feed-nats")]
        StorePlace::Nats(at) => {
            let nats = nats::Nats::new(&at.url, &at.namespace, sha256);
            proofs(nats.map(nats::NatsProofs::new))
        }
        #[allow(unreachable_patterns, reason = "where the build has every engine")]
        StorePlace::File(_) | StorePlace::Redis(_) | StorePlace::Nats(_) => {
            Arc::new(Unusable(unbuilt()))
        }
    };
    (proofs, Box::new(Threads::new()))
}

#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
fn proofs<P: UsedProofs + 'static>(made: Result<P, FeedError>) -> Arc<dyn UsedProofs> {
    match made {
        Ok(proofs) => Arc::new(proofs),
        Err(error) => Arc::new(Unusable(error)),
    }
}

#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
fn engine<E: Engine + 'static>(made: Result<E, FeedError>) -> Arc<dyn Engine> {
    match made {
        Ok(engine) => Arc::new(engine),
        Err(error) => Arc::new(Unusable(error)),
    }
}

/// An engine that this build lacks (the loader refuses policies that name one), or whose server
/// cannot be meant.
struct Unusable(FeedError);

fn unbuilt() -> FeedError {
    FeedError {
        text: "this build lacks the store's engine".to_owned(),
        passes: false,
    }
}

impl UsedProofs for Unusable {
    fn insert(&self, _: &str, _: NumericDate, _: NumericDate) -> Result<bool, Unanswered> {
        Err(self.0.clone().into())
    }

    fn extend(&self, _: &str, _: NumericDate, _: NumericDate) {}
}

impl From<FeedError> for Unanswered {
    fn from(error: FeedError) -> Self {
        let FeedError { text, passes } = error;
        Self { text, passes }
    }
}

impl Engine for Unusable {
    fn reader(&self) -> Result<Box<dyn Reader>, FeedError> {
        Err(self.0.clone())
    }

    fn writer(&self) -> Result<Box<dyn Writer>, FeedError> {
        Err(self.0.clone())
    }

    fn is_local(&self) -> bool {
        false
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
