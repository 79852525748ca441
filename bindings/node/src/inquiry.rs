//! Requests whose proofs a server is asked about, without JavaScript's thread waiting for it.

use std::cell::Cell;

use napi::bindgen_prelude::{External, Object};
use napi::{Env, Error as Panic, Result};
use napi_derive::napi;
use sealgate::{Error, Grounds, Inquiry, VerifiedToken};

/// A verdict, and what a refusal was judged under.
pub(crate) type Verdict = std::result::Result<VerifiedToken, (Error, Grounds)>;

/// A request that is good if a server knows nothing of its proof.
pub(crate) struct Asked {
    inquiry: Cell<Option<Box<Inquiry>>>,
    grounds: Grounds,
}

impl Asked {
    pub(crate) fn new(inquiry: Box<Inquiry>, grounds: Grounds) -> Self {
        Self {
            inquiry: Cell::new(Some(inquiry)),
            grounds,
        }
    }
}

/// What has come of it, for `settle`.
pub(crate) struct Answered(Cell<Option<Verdict>>);

impl Answered {
    pub(crate) fn take(&self) -> Result<Verdict> {
        let verdict = self.0.take();
        verdict.ok_or_else(|| Panic::from_reason("it was settled before"))
    }
}

/// Asks the server, once; a promise of what it has answered, which `settle` takes.
#[napi(catch_unwind)]
pub(crate) fn inquire<'env>(env: &'env Env, asked: &External<Asked>) -> Result<Object<'env>> {
    let inquiry = asked.inquiry.take();
    let inquiry = inquiry.ok_or_else(|| Panic::from_reason("it was asked before"))?;
    let grounds = asked.grounds.clone();
    let (deferred, promise) = env.create_deferred()?;
    inquiry.ask(move |verdict| {
        let verdict = verdict.map_err(|error| (error, grounds));
        deferred.resolve(move |_| Ok(External::new(Answered(Cell::new(Some(verdict))))));
    });
    Ok(promise)
}
