//! Reads the states of all handles, and then those that follow.

use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation, Watch};
use async_nats::jetstream::stream::RawMessageErrorKind;
use futures_util::{FutureExt, StreamExt};

use super::talk::Talk;
use crate::feed::held::Held;
use crate::feed::seen::Seen;
use crate::feed::{ANSWER, FeedError, Letter, Progress, Reader};
use crate::revocation::Change;

/// States that are handed on together.
const AT_ONCE: usize = 1000;

pub(super) struct NatsReader {
    talk: Talk,
    seen: Seen,
    /// `None` before the first load.
    watch: Option<Watch>,
    /// When the bucket was made: one that was made anew is another.
    id: String,
    /// The last that was written before everything that is still to be read.
    sequence: u64,
    unreadable: u64,
}

/// How the bucket stands.
struct Head {
    id: String,
    /// The last sequence number that it has given.
    written: u64,
    /// Nothing of what was written is there any more.
    is_empty: bool,
}

impl NatsReader {
    pub(super) const fn new(talk: Talk, seen: Seen) -> Self {
        Self {
            talk,
            seen,
            watch: None,
            id: String::new(),
            sequence: 0,
            unreadable: 0,
        }
    }

    fn look(&self) -> Result<Head, FeedError> {
        let asking = self.talk.ask("looking", self.talk.bucket.stream.get_info());
        let info = self.talk.run(asking)??;
        let head = Head {
            id: info.created.to_string(),
            written: info.state.last_sequence,
            is_empty: info.state.messages == 0,
        };
        let noted = self
            .seen
            .note(Some(&head.id), head.written, info.state.messages);
        noted.map_err(|loss| self.talk.complain("looking", &loss.text()))?;
        Ok(head)
    }

    /// States as they come: at least one, unless none comes in time.
    fn pull(&mut self, wait: Duration) -> Result<Vec<Entry>, FeedError> {
        let Some(watch) = &mut self.watch else {
            return Err(self.talk.complain("reading", &"nothing was loaded"));
        };
        let pulled = self.talk.run(async {
            let mut pulled = Vec::new();
            let mut next = tokio::time::timeout(wait, watch.next()).await.ok();
            while let Some(entry) = next {
                pulled.push(entry);
                // What is there already, without waiting.
                next = match pulled.len() {
                    AT_ONCE => None,
                    _ => watch.next().now_or_never(),
                };
            }
            pulled
        })?;
        let whole = |entry: Option<Result<Entry, _>>| match entry {
            Some(Ok(entry)) => Ok(entry),
            Some(Err(error)) => Err(self.talk.complain("reading", &error)),
            None => Err(self.talk.complain("reading", &"the server has ended it")),
        };
        pulled.into_iter().map(whole).collect()
    }

    /// Whether the bucket has nothing after what was read: what was written last may be over by
    /// now. The stream's leader is asked: what another copy does not have may not have come to it
    /// yet.
    fn is_at_the_end(&self) -> Result<bool, FeedError> {
        let bucket = &self.talk.bucket;
        let all = format!("{}>", bucket.prefix);
        let asking = self.talk.ask("looking", async {
            let next = bucket
                .stream
                .get_first_raw_message_by_subject(all, self.sequence + 1)
                .await;
            match next {
                Ok(_) => Ok(false),
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(true),
                Err(error) => Err(error),
            }
        });
        self.talk.run(asking)?
    }

    /// Reads what there is, up to `written` if it is called until it has caught up.
    fn read(
        &mut self,
        written: u64,
        wait: Duration,
        take: &mut dyn FnMut(&mut Self, &Entry),
    ) -> Result<Progress, FeedError> {
        let behind = self.sequence < written;
        let entries = self.pull(if behind { ANSWER } else { wait })?;
        for entry in &entries {
            self.sequence = self.sequence.max(entry.revision);
            if entry.operation == Operation::Put {
                take(self, entry);
            }
        }
        if self.sequence >= written {
            return Ok(Progress::CaughtUp);
        }
        if !entries.is_empty() {
            return Ok(Progress::More);
        }
        if self.is_at_the_end()? {
            self.sequence = written;
            return Ok(Progress::CaughtUp);
        }
        Err(self.talk.complain("reading", &"it has more than it sends"))
    }
}

impl Reader for NatsReader {
    fn everything(&mut self, take: &mut dyn FnMut(bool, Change)) -> Result<(), FeedError> {
        let head = self.look()?;
        let read = self.seen.behind(&head.id);
        // An old one goes first: it would take what the new one waits for.
        self.watch = None;
        let asking = self.talk.ask(
            "reading all revocations",
            self.talk.bucket.watch_with_history(">"),
        );
        let watch = self.talk.run(asking)??;
        self.watch = Some(watch);
        self.id = head.id;
        self.sequence = if head.is_empty { head.written } else { 0 };
        let mut take = |reader: &mut Self, entry: &Entry| match Change::from_json(&entry.value) {
            Ok(change) => take(!change.is_lifted() || entry.revision > read, change),
            Err(_) => reader.unreadable += 1,
        };
        while self.sequence < head.written {
            self.read(head.written, ANSWER, &mut take)?;
        }
        self.seen.read(&self.id, self.sequence);
        Ok(())
    }

    fn next(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Letter),
    ) -> Result<Progress, FeedError> {
        let head = self.look()?;
        if head.id != self.id || head.written < self.sequence {
            return Ok(Progress::Gap);
        }
        if head.is_empty {
            self.sequence = head.written;
        }
        let progress = self.read(head.written, wait, &mut |reader, entry| {
            let Ok(held) = Held::from_json(&entry.value) else {
                reader.unreadable += 1;
                return;
            };
            // Whoever of them reads this hears that the letter has arrived.
            for by in held.by.iter().rev() {
                take(Letter {
                    origin: by.origin,
                    number: by.number,
                    change: held.change.clone(),
                });
            }
        })?;
        self.seen.read(&self.id, self.sequence);
        Ok(progress)
    }

    fn unreadable(&self) -> u64 {
        self.unreadable
    }
}
