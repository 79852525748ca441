//! Used proofs in NATS: keys of the bucket `sealgate_proofs_NAMESPACE`, each for as long as the proof
//! could be used.

use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use tokio::sync::mpsc;

use super::Nats;
use super::talk::Talk;
use crate::feed::proofs::life;
use crate::feed::{ANSWER, CONNECT, FeedError};
use crate::replay::{Unanswered, UsedProofs};
use crate::sync::{OfProcess, lock};
use crate::time::{NumericDate, Span};

/// One thread asks for all, so that one connection carries many questions at once.
pub(crate) struct NatsProofs {
    nats: Nats,
    /// Where the thread of this process takes questions.
    desk: OfProcess<Mutex<Option<Desk>>>,
}

type Desk = mpsc::UnboundedSender<Question>;

struct Question {
    key: String,
    life: Span,
    answer: SyncSender<Result<bool, FeedError>>,
}

impl NatsProofs {
    pub(crate) fn new(nats: Nats) -> Self {
        Self {
            nats,
            desk: OfProcess::empty(),
        }
    }

    /// Where to ask, begun where nobody asks yet.
    fn desk(&self) -> Result<Desk, FeedError> {
        let own = self.desk.get(|_| Mutex::default());
        let mut held = lock(&own);
        if let Some(desk) = held.as_ref().filter(|desk| !desk.is_closed()) {
            return Ok(desk.clone());
        }
        let (desk, questions) = mpsc::unbounded_channel();
        let nats = self.nats.clone();
        let thread = thread::Builder::new().name("sealgate-proofs".to_owned());
        let spawned = thread.spawn(move || serve(&nats, questions));
        spawned.map_err(|error| FeedError {
            text: format!("nats: no thread to ask with: {error}"),
            passes: true,
        })?;
        *held = Some(desk.clone());
        Ok(desk)
    }

    fn ask(&self, key: &str, life: Span) -> Result<bool, FeedError> {
        let (answer, answered) = sync_channel(1);
        let key = key.to_owned();
        let question = Question { key, life, answer };
        let silent = || FeedError {
            text: "nats: no answer in time".to_owned(),
            passes: true,
        };
        let asked = self.desk()?.send(question);
        asked.map_err(|_| silent())?;
        match answered.recv_timeout(CONNECT + ANSWER) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(silent()),
        }
    }
}

impl UsedProofs for NatsProofs {
    fn insert(&self, key: &str, until: NumericDate, now: NumericDate) -> Result<bool, Unanswered> {
        Ok(self.ask(key, life(until, now))?)
    }
}

/// The thread: connects, and asks until nobody can ask any more. Where it cannot connect it tells
/// whoever waits, and ends: who asks next begins anew.
fn serve(nats: &Nats, mut questions: mpsc::UnboundedReceiver<Question>) {
    let talk = match Talk::open(&nats.servers, &nats.proofs) {
        Ok(talk) => talk,
        Err(error) => {
            questions.close();
            while let Ok(question) = questions.try_recv() {
                let _ = question.answer.send(Err(error.clone()));
            }
            return;
        }
    };
    let talk = std::sync::Arc::new(talk);
    let own = std::sync::Arc::clone(&talk);
    let _ = talk.run(async move {
        while let Some(question) = questions.recv().await {
            let talk = std::sync::Arc::clone(&own);
            tokio::spawn(async move {
                let Question { key, life, answer } = question;
                let asked = talk.ask("asking about a proof", put(&talk, &key, life));
                // Whoever asked may have given up.
                let _ = answer.send(asked.await);
            });
        }
    });
}

/// Whether nobody had put it there before.
async fn put(talk: &Talk, key: &str, life: Span) -> Result<bool, PublishError> {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
    headers.insert(NATS_MESSAGE_TTL, life.seconds().to_string());
    let subject = format!("{}{key}", talk.bucket.prefix);
    let sent = talk
        .context
        .publish_with_headers(subject, headers, "".into());
    match sent.await?.await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(false),
        Err(error) => Err(error),
    }
}
