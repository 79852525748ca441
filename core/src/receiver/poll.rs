//! [`Poller`]: polls, as a machine of requests and answers (RFC 8936). It does no I/O: the program
//! sends what [`Poller::request`] says and gives the answer to [`Poller::take`].

use std::fmt;

use serde_json::json;

use super::{Failure, MISNAMED, Receiver};
use crate::encoding::json::{Json, JsonLimits, Value};
use crate::error::Blame;
use crate::limits::Limits;
use crate::verifier::EventChange;
use crate::wire::delivery_error;

/// Tokens of one answer.
const MOST: usize = 1024;
/// Of an answer: an object of tokens by their `jti`.
const LIMITS: JsonLimits = JsonLimits {
    depth: 8,
    string_size: Limits::CEILING.token_size,
    members: MOST,
};

/// Polls one stream of an issuer. What was taken is acknowledged by the request after it; a request
/// that was lost is made again by asking [`Poller::request`] again, and nothing is acknowledged
/// before it is in force.
#[derive(Debug)]
pub struct Poller {
    receiver: Receiver,
    max_events: usize,
    acknowledged: Vec<String>,
    refused: Vec<(String, &'static str, &'static str)>,
}

/// What became of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Polled {
    /// Tokens that were accepted, and are in force.
    pub accepted: usize,
    /// Tokens that were refused, which the issuer is told.
    pub refused: usize,
    /// Tokens that could not be decided now, as for keys that are missing. The issuer delivers them
    /// again.
    pub undecided: usize,
    /// Of those that were accepted, how many had been applied before: nothing was done about them.
    pub duplicates: usize,
    /// What was revoked or lifted, token by token.
    pub changes: Vec<EventChange>,
    /// Whether the issuer has more, and should be asked again at once.
    pub more_available: bool,
}

/// An answer that is none. What was to be acknowledged is so by the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollError {
    /// Not a JSON object, or one that is too large.
    NotAnObject,
    /// A member is missing or of a wrong type: its name.
    Member(&'static str),
}

impl Receiver {
    /// Polls a stream whose tokens this gate takes, at most `max_events` of them at once.
    #[must_use]
    pub fn poller(&self, max_events: usize) -> Poller {
        Poller {
            receiver: self.clone(),
            max_events: max_events.clamp(1, MOST),
            acknowledged: Vec::new(),
            refused: Vec::new(),
        }
    }
}

impl Poller {
    /// The JSON to POST next, as `application/json` (RFC 8936 §2.2). The issuer answers at once.
    #[must_use]
    pub fn request(&self) -> String {
        let mut request = json!({
            "maxEvents": self.max_events,
            "returnImmediately": true,
            "ack": self.acknowledged,
        });
        if !self.refused.is_empty() {
            let errors = self.refused.iter().map(|(jti, err, description)| {
                (
                    jti.clone(),
                    json!({ "err": err, "description": description }),
                )
            });
            let errors: serde_json::Map<_, _> = errors.collect();
            if let Some(members) = request.as_object_mut() {
                members.insert("setErrs".to_owned(), errors.into());
            }
        }
        request.to_string()
    }

    /// Takes the body of the answer to the last [`Poller::request`], which had status 200.
    ///
    /// # Errors
    ///
    /// When it is none; then nothing has changed.
    pub fn take(&mut self, body: &[u8]) -> Result<Polled, PollError> {
        let json = Json::parse(body.to_vec(), LIMITS).map_err(|_| PollError::NotAnObject)?;
        let root = json.root();
        root.as_object().ok_or(PollError::NotAnObject)?;
        let more = root.get("moreAvailable").map(Value::as_bool);
        let more = more.map(|more| more.ok_or(PollError::Member("moreAvailable")));
        let sets = root.get("sets").and_then(Value::as_object);
        let sets = sets.ok_or(PollError::Member("sets"))?;
        let mut polled = Polled {
            more_available: more.transpose()?.unwrap_or(false),
            ..Polled::default()
        };
        // The issuer has answered the request that told it of these.
        self.acknowledged.clear();
        self.refused.clear();
        for (jti, set) in sets {
            self.take_one(jti, set, &mut polled);
        }
        Ok(polled)
    }

    fn take_one(&mut self, jti: &str, set: Value<'_>, polled: &mut Polled) {
        let taken = match set.as_str() {
            Some(token) => self.receiver.take(token.as_bytes(), Some(jti)),
            None => Err(Failure::Unfit(MISNAMED)),
        };
        match taken {
            Ok(event) => {
                polled.accepted += 1;
                polled.duplicates += usize::from(event.duplicate);
                polled.changes.extend(event.changes);
                self.acknowledged.push(jti.to_owned());
            }
            Err(Failure::Refused(error)) if error.blame() == Blame::Rejected => {
                self.refuse(jti, delivery_error(&error), polled);
            }
            Err(Failure::Unfit((err, description, _))) => {
                self.refuse(jti, (err, description), polled);
            }
            Err(Failure::Refused(_) | Failure::Changed) => polled.undecided += 1,
        }
    }

    fn refuse(
        &mut self,
        jti: &str,
        (err, description): (&'static str, &'static str),
        polled: &mut Polled,
    ) {
        polled.refused += 1;
        self.refused.push((jti.to_owned(), err, description));
    }
}

impl fmt::Display for PollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the answer is not a JSON object of tokens"),
            Self::Member(name) => write!(f, "{name}: missing, or of another type"),
        }
    }
}

impl std::error::Error for PollError {}
