//! [`Job`]: one refresh of one issuer's keys, run wherever there is a thread for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::FetchError;
use super::address::shown;
use super::discovery::discover;
use super::fetch::{ACCEPT_JSON, Deadline, Fetch, Https, Request};
use super::refresh::Flight;
use crate::jwk::JwkSet;
use crate::policy::{FetchedKeys, KeyLocation};
use crate::time::Span;

/// What is known of where an issuer's keys are.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// `jwks_uri`, once metadata has told it.
    pub(super) jwks_uri: Option<String>,
    /// The validator of the set that is in place.
    pub(super) etag: Option<String>,
}

/// What one refresh brought.
#[derive(Debug)]
pub(super) struct Answer {
    /// `None`: the issuer says that the set is the one that is in place.
    pub(super) set: Option<JwkSet>,
    pub(super) freshness: Option<Span>,
    pub(super) known: Known,
}

/// One refresh to be done.
pub(crate) struct Job {
    pub(super) keeper: u64,
    pub(super) flight: Flight,
    pub(super) keys: FetchedKeys,
    pub(super) known: Known,
}

/// What became of a [`Job`].
pub(crate) struct Outcome {
    pub(super) keeper: u64,
    pub(super) flight: Flight,
    pub(super) answer: Result<Answer, FetchError>,
}

impl Job {
    /// Does it over the network. Never panics, so that every flight ends.
    pub(crate) fn run(self) -> Outcome {
        self.run_with(&Https)
    }

    pub(super) fn run_with(self, fetch: &dyn Fetch) -> Outcome {
        let (keeper, flight) = (self.keeper, self.flight);
        let answer = catch_unwind(AssertUnwindSafe(|| self.refresh(fetch)));
        Outcome {
            keeper,
            flight,
            answer: answer.unwrap_or(Err(FetchError::Internal)),
        }
    }

    /// The job was never begun.
    pub(crate) fn give_up(self) -> Outcome {
        Outcome {
            keeper: self.keeper,
            flight: self.flight,
            answer: Err(FetchError::Internal),
        }
    }

    fn refresh(self, fetch: &dyn Fetch) -> Result<Answer, FetchError> {
        let reach = &self.keys.reach;
        let deadline = Deadline::start();
        let known = self.known;
        let jwks_uri = match (&self.keys.from, known.jwks_uri) {
            (KeyLocation::Uri(uri), _) => uri.to_string(),
            (KeyLocation::Discovery(..), Some(uri)) => uri,
            (KeyLocation::Discovery(discovery, issuer), None) => {
                discover(fetch, *discovery, issuer, reach, deadline)?.jwks_uri
            }
        };
        let response = fetch.fetch(Request {
            url: &jwks_uri,
            accept: ACCEPT_JSON,
            etag: known.etag.as_deref(),
            reach,
            deadline,
        })?;
        let (set, etag) = match response.body {
            Some(body) => (Some(parse(&body)?), response.etag),
            None if known.etag.is_some() => (None, known.etag),
            // Nobody asked whether anything had changed.
            None => {
                let url = shown(&jwks_uri);
                return Err(FetchError::Status { url, status: 304 });
            }
        };
        Ok(Answer {
            set,
            freshness: response.freshness,
            known: Known {
                jwks_uri: Some(jwks_uri),
                etag,
            },
        })
    }
}

pub(super) fn parse(body: &[u8]) -> Result<JwkSet, FetchError> {
    JwkSet::parse(body).map_err(|error| FetchError::KeySet(format!("no JWK Set: {error}")))
}
