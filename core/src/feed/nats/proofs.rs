//! Used proofs in NATS: keys of the bucket `sealgate_proofs_NAMESPACE`, each for as long as the
//! proof could be used.

use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use super::Nats;
use super::talk::Talk;
use crate::feed::proofs::life;
use crate::feed::{ANSWER, CONNECT, FeedError};
use crate::replay::{Unanswered, UsedProofs};
use crate::sync::{OfProcess, lock};
use crate::time::{Clock, Moment, NumericDate, Span};

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
    /// Written whether it is there or not.
    anyway: bool,
    /// When it was asked.
    since: Moment,
    answer: Answer,
}

type Answer = SyncSender<Result<bool, FeedError>>;

/// What the thread takes at most to end a connection whose question has missed its time.
const END: Duration = Duration::from_secs(1);

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

    fn ask(&self, key: &str, life: Span, anyway: bool) -> Result<bool, FeedError> {
        let (answer, answered) = sync_channel(1);
        let key = key.to_owned();
        let question = Question {
            key,
            life,
            anyway,
            since: Clock::System.moment(),
            answer,
        };
        let silent = || FeedError {
            text: "nats: no answer in time".to_owned(),
            passes: true,
        };
        let asked = self.desk()?.send(question);
        asked.map_err(|_| silent())?;
        match answered.recv_timeout(CONNECT + ANSWER + END) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(silent()),
        }
    }
}

impl UsedProofs for NatsProofs {
    fn insert(&self, key: &str, until: NumericDate, now: NumericDate) -> Result<bool, Unanswered> {
        Ok(self.ask(key, life(until, now), false)?)
    }

    fn extend(&self, key: &str, until: NumericDate, now: NumericDate) {
        // What comes of it nobody can do anything about.
        let _ = self.ask(key, life(until, now), true);
    }
}

/// The thread: connects, and asks until nobody can ask any more. Where it cannot connect, or gets
/// no answer in time, it tells whoever waits, and ends: who asks next begins anew.
///
/// The client keeps what it could not send, for when its server is back. So the connection goes
/// before anybody hears that there was no answer: a proof whose request was turned away is not used
/// up later.
fn serve(nats: &Nats, mut questions: mpsc::UnboundedReceiver<Question>) {
    let (error, waits) = match Talk::open(&nats.servers, &nats.proofs) {
        Err(error) => (error, None),
        Ok(talk) => {
            let coming = stream::poll_fn(|context| questions.poll_recv(context)).map(Ok);
            let asking = coming.try_for_each_concurrent(None, |question| pose(&talk, question));
            match talk.run(asking) {
                Ok(Err(missed)) => (missed.error, Some(missed.answer)),
                Ok(Ok(())) | Err(_) => return,
            }
        }
    };
    questions.close();
    let behind = std::iter::from_fn(|| Some(questions.try_recv().ok()?.answer));
    for answer in waits.into_iter().chain(behind) {
        // Whoever asked may have given up.
        let _ = answer.send(Err(error.clone()));
    }
}

/// A question whose answer did not come in time.
struct Missed {
    answer: Answer,
    error: FeedError,
}

/// Asks, and hands the answer on: what the server refuses, too. Whoever has waited too long is not
/// asked for, since the answer could come after they have given up.
async fn pose(talk: &Talk, question: Question) -> Result<(), Missed> {
    let Question {
        key,
        life,
        anyway,
        since,
        answer,
    } = question;
    let what = "asking about a proof";
    if Clock::System.moment().since(since) > CONNECT.into() {
        let _ = answer.send(Err(talk.late(what)));
        return Ok(());
    }
    match tokio::time::timeout(ANSWER, put(talk, &key, life, anyway)).await {
        Err(_) => Err(Missed {
            answer,
            error: talk.late(what),
        }),
        Ok(answered) => {
            let answered = answered.map_err(|error| talk.complain(what, &error));
            let _ = answer.send(answered);
            Ok(())
        }
    }
}

/// Whether it is written: not where somebody had put it there before, unless it is written anyway.
async fn put(talk: &Talk, key: &str, life: Span, anyway: bool) -> Result<bool, PublishError> {
    let mut headers = HeaderMap::new();
    if !anyway {
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
    }
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
