//! Events that issuers deliver: pushed and polled.

use std::cell::RefCell;

use napi::bindgen_prelude::{Either, External};
use napi_derive::napi;
use sealgate::{Poller, Receiver};
use serde_json::json;

use crate::error;
use crate::revocations::changed;
use crate::verifier::Engine;

/// Takes events at this gate, those that verify its stream with this state; or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn open_receiver(
    engine: &External<Engine>,
    gate: String,
    state: Option<String>,
) -> Either<External<Receiver>, String> {
    match engine.verifier.receiver(&gate) {
        Ok(receiver) => Either::A(External::new(match state {
            Some(state) => receiver.expecting_state(state),
            None => receiver,
        })),
        Err(refused) => Either::B(error::usage(&format!("receiver: {refused}"))),
    }
}

/// Takes a push: `{status, headers, body, duplicate, changes, code}`.
#[napi(catch_unwind)]
pub(crate) fn push(
    receiver: &External<Receiver>,
    body: &[u8],
    content_type: Option<String>,
) -> String {
    let delivery = receiver.push(content_type.as_deref(), body);
    let headers = delivery.answer.headers.into_iter();
    let headers = headers.map(|(name, value)| (name.to_owned(), value.into()));
    json!({
        "status": delivery.answer.status,
        "headers": serde_json::Map::from_iter(headers),
        "body": delivery.answer.body,
        "duplicate": delivery.event.as_ref().map(|event| event.duplicate),
        "changes": delivery.event.map(|event| changed(&event.changes)),
        "code": delivery.error.map(|error| error.code().as_str()),
    })
    .to_string()
}

/// Polls a stream.
#[napi(catch_unwind)]
pub(crate) fn open_poller(
    receiver: &External<Receiver>,
    max_events: u32,
) -> External<RefCell<Poller>> {
    let most = usize::try_from(max_events).unwrap_or(usize::MAX);
    External::new(RefCell::new(receiver.poller(most)))
}

/// The body of the next request.
#[napi(catch_unwind)]
pub(crate) fn poll_request(poller: &External<RefCell<Poller>>) -> String {
    poller.borrow().request()
}

/// Takes the body of an answer: what became of it, or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn poll_take(poller: &External<RefCell<Poller>>, body: &[u8]) -> String {
    match poller.borrow_mut().take(body) {
        Ok(polled) => json!({
            "accepted": polled.accepted,
            "refused": polled.refused,
            "undecided": polled.undecided,
            "duplicates": polled.duplicates,
            "moreAvailable": polled.more_available,
            "changes": changed(&polled.changes),
        })
        .to_string(),
        Err(refused) => error::usage(&format!("take: {refused}")),
    }
}
