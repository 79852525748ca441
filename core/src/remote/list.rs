//! [`ListJob`]: one fetch of one status list (TSL-06, TSL-13), run wherever there is a thread for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::FetchError;
use super::fetch::{Deadline, Fetch, Https, Request};
use crate::revocation::Due;
use crate::time::Span;
use crate::verifier::{Engine, ListFetch};

/// The member of a policy that says where lists are fetched from.
const HOSTS: &str = "revocation.status_lists.allow_hosts";
const ACCEPT: &str = "application/statuslist+jwt";

/// One list to be fetched.
pub(crate) struct ListJob(ListFetch);

/// What became of a [`ListJob`].
pub(crate) struct BroughtList {
    due: Due,
    /// The text of the token, and how long the answer says it is fresh.
    answer: Result<(Vec<u8>, Option<Span>), FetchError>,
}

impl ListJob {
    /// The lists that are due, at most `most`, and how long until the next one is.
    pub(crate) fn due(engine: &Engine, most: usize) -> (Vec<Self>, Option<Span>) {
        let (fetches, rest) = engine.begin_lists(most);
        (fetches.into_iter().map(Self).collect(), rest)
    }

    /// Does it over the network. Never panics, so that every fetch ends.
    pub(crate) fn run(self) -> BroughtList {
        let answer = catch_unwind(AssertUnwindSafe(|| self.fetch(&Https)));
        BroughtList {
            due: self.0.due,
            answer: answer.unwrap_or(Err(FetchError::Internal)),
        }
    }

    /// The job was never begun.
    pub(crate) fn give_up(self) -> BroughtList {
        BroughtList {
            due: self.0.due,
            answer: Err(FetchError::Internal),
        }
    }

    /// TSL-13: within the limits of every fetch.
    fn fetch(&self, fetch: &dyn Fetch) -> Result<(Vec<u8>, Option<Span>), FetchError> {
        let ListFetch { due, reach } = &self.0;
        let response = fetch.fetch(Request {
            url: &due.uri,
            accept: ACCEPT,
            etag: None,
            reach,
            deadline: Deadline::start(),
        })?;
        Ok((response.body.unwrap_or_default(), response.freshness))
    }
}

impl BroughtList {
    /// Takes it in.
    pub(crate) fn settle(self, engine: &Engine) {
        let answer = self.answer;
        let answer = answer.map_err(|error| error.where_hosts_are(HOSTS));
        engine.settle_list(&self.due, answer);
    }
}
