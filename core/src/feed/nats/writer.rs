//! Folds letters into the states of their handles.

use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::kv::{Entry, Operation};

use super::talk::Talk;
use crate::encoding::base64url;
use crate::feed::held::{Held, name_of};
use crate::feed::{FeedError, Letter, Writer};
use crate::time::{Clock, NumericDate, Span};

/// Another writer was faster with the same handle so many times in a row.
const TRIES: usize = 100;
/// What lives longer gets no end at the server, whose times are in nanoseconds.
const LONGEST: Span = Span::from_seconds(50 * 365 * 24 * 60 * 60);

/// A revision that nothing has: what is written in its place is taken for too late, by whoever
/// would take a write.
const NEVER: &str = "9223372036854775807";

pub(super) struct NatsWriter {
    talk: Talk,
    sha256: fn(&[u8]) -> [u8; 32],
}

impl NatsWriter {
    pub(super) const fn new(talk: Talk, sha256: fn(&[u8]) -> [u8; 32]) -> Self {
        Self { talk, sha256 }
    }

    async fn write_one(&self, letter: &Letter) -> Result<(), FeedError> {
        let key = self.key(letter);
        for _ in 0..TRIES {
            let before = self
                .talk
                .ask("reading a state", self.talk.bucket.entry(key.as_str()));
            let before = before.await?;
            let revision = before.as_ref().map_or(0, |before| before.revision);
            let now = Clock::System.now();
            let held = Held::after(before.as_ref().and_then(read), letter, now);
            let wrote = self.talk.ask("writing", async {
                match self.publish(&key, &held, revision, now).await {
                    Ok(()) => Ok(true),
                    Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(false),
                    Err(error) => Err(error),
                }
            });
            if wrote.await? {
                return Ok(());
            }
        }
        let text = "others write to the same handle all the time";
        Err(self.talk.complain("writing", &text))
    }

    /// Writes a state in place of what has this revision; 0 where there is none.
    async fn publish(
        &self,
        key: &str,
        held: &Held,
        revision: u64,
        now: NumericDate,
    ) -> Result<(), PublishError> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, revision.to_string());
        let life = held.forgotten_at().map(|end| end.since(now));
        if let Some(life) = life.filter(|life| *life < LONGEST) {
            headers.insert(NATS_MESSAGE_TTL, life.seconds().max(1).to_string());
        }
        let subject = format!("{}{key}", self.talk.bucket.prefix);
        let context = &self.talk.context;
        let sent = context.publish_with_headers(subject, headers, held.to_json().into());
        sent.await?.await?;
        Ok(())
    }

    /// `actor.RNX…`: what is in a handle may be too long for a subject, or have its separators.
    fn key(&self, letter: &Letter) -> String {
        let digest = (self.sha256)(name_of(&letter.change).as_bytes());
        let kind = letter.change.handle().kind().name();
        format!("{kind}.{}", base64url::encode(&digest))
    }
}

impl Writer for NatsWriter {
    fn write(&mut self, letters: &[Letter]) -> Result<(), FeedError> {
        self.talk.run(async {
            for letter in letters {
                self.write_one(letter).await?;
            }
            Ok(())
        })?
    }

    fn try_writing(&mut self) -> Result<(), FeedError> {
        let asking = self.talk.ask("trying to write", async {
            let mut headers = HeaderMap::new();
            headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NEVER);
            let subject = format!("{}tried", self.talk.bucket.prefix);
            let context = &self.talk.context;
            let sent = context.publish_with_headers(subject, headers, "".into());
            match sent.await?.await {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(()),
                Err(error) => Err(error),
            }
        });
        self.talk.run(asking)?
    }
}

/// What cannot be read is broken, for every other reader too: it is replaced.
fn read(entry: &Entry) -> Option<Held> {
    let is_state = entry.operation == Operation::Put;
    is_state
        .then(|| Held::from_json(&entry.value).ok())
        .flatten()
}
