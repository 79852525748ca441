//! Many tokens at once, on a pool that leaves JavaScript's core alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use napi::bindgen_prelude::{Array, Either, External, Object, Uint8ArraySlice};
use napi::{Env, Error, JsString, Result};
use napi_derive::napi;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sealgate::{Batch, Verdict};

use crate::gate::{self, Door};
use crate::text::{ENDLESS, TOO_LONG, with_bytes, with_text};
use crate::token::Verdicts;

/// Copies of a batch's tokens, one behind the other.
#[derive(Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    /// Where each token ends, if it is not [`ENDLESS`]; or nothing, of a text with a token a line.
    ends: Vec<Option<usize>>,
}

impl Input {
    fn push(&mut self, token: &[u8]) {
        let end = (token.len() < TOO_LONG).then(|| {
            self.bytes.extend_from_slice(token);
            self.bytes.len()
        });
        self.ends.push(end);
    }

    fn tokens(&self) -> Vec<&[u8]> {
        if self.ends.is_empty() {
            return Batch::lines(&self.bytes);
        }
        let mut start = 0;
        let tokens = self.ends.iter().map(|end| match end {
            Some(end) => {
                let token = self.bytes.get(start..*end).unwrap_or_default();
                start = *end;
                token
            }
            None => &ENDLESS[..],
        });
        tokens.collect()
    }

    /// The verdicts, unless they stop being wanted.
    fn judge(
        &self,
        door: Arc<Door>,
        scopes: Option<String>,
        wanted: impl Fn() -> bool + Sync,
    ) -> Option<Verdicts> {
        if !wanted() {
            return None; // it has waited for others until nobody was there
        }
        let requirements = gate::requirements(scopes.as_deref().unwrap_or_default());
        let tokens = self.tokens();
        let batch = door
            .gate
            .verify_batch_while(&tokens, &requirements, wanted)?;
        let judged = (batch.snapshot().clone(), batch.grounds().clone());
        let verdicts = batch.into_iter().map(Verdict::into_result).collect();
        Some(Verdicts {
            door,
            requirements,
            verdicts,
            batch: Some(judged),
        })
    }
}

/// Whether the thread of JavaScript that loaded us is still there: it ends with its handle.
pub(crate) struct Life {
    ended: Arc<AtomicBool>,
}

impl Drop for Life {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// The handle that ends with this thread of JavaScript.
#[napi(catch_unwind)]
pub(crate) fn life() -> External<Life> {
    External::new(Life {
        ended: Arc::new(AtomicBool::new(false)),
    })
}

/// An empty batch.
#[napi(catch_unwind)]
pub(crate) fn batch_input() -> External<Input> {
    External::new(Input::default())
}

/// The length from which on nothing is a token under any policy.
#[napi(catch_unwind)]
pub(crate) fn too_long() -> u32 {
    u32::try_from(TOO_LONG).unwrap_or(u32::MAX)
}

/// Copies the tokens `from..to` of an array of strings and `Uint8Array`s into a batch.
#[napi(catch_unwind)]
pub(crate) fn batch_read(
    input: &mut External<Input>,
    tokens: Array<'_>,
    from: u32,
    to: u32,
) -> Result<()> {
    for index in from..to {
        match tokens.get::<Either<JsString<'_>, Uint8ArraySlice<'_>>>(index)? {
            Some(Either::A(text)) => with_text(text, |token| input.push(token))?,
            Some(Either::B(bytes)) => with_bytes(&bytes, |token| input.push(token)),
            None => return Err(Error::from_reason("an element is missing")),
        }
    }
    Ok(())
}

/// Copies a text of tokens, one a line, or the next piece of one.
#[napi(catch_unwind)]
pub(crate) fn batch_lines(
    input: &mut External<Input>,
    piece: Either<JsString<'_>, Uint8ArraySlice<'_>>,
) -> Result<()> {
    match piece {
        Either::A(text) => input.bytes.extend_from_slice(text.into_utf8()?.as_slice()),
        Either::B(bytes) => input.bytes.extend_from_slice(&bytes),
    }
    Ok(())
}

/// Judges a batch on the calling thread and all cores.
#[napi(catch_unwind)]
pub(crate) fn verify_batch_sync(
    door: &External<Arc<Door>>,
    input: &mut External<Input>,
    scopes: Option<String>,
) -> Option<External<Verdicts>> {
    let input = std::mem::take(&mut **input);
    let verdicts = input.judge(Arc::clone(door), scopes, || true);
    verdicts.map(External::new)
}

/// Verifies a batch's tokens as so many calls, each dropped at once, and counts the good ones: what
/// the core takes without a border in between. Nothing but `benches/node` asks.
#[napi(catch_unwind)]
pub(crate) fn verify_one_by_one(door: &External<Arc<Door>>, input: &External<Input>) -> u32 {
    let verified = input
        .tokens()
        .into_iter()
        .map(|token| door.gate.verify(token));
    verified.map(|verdict| u32::from(verdict.is_ok())).sum()
}

/// Judges a batch on the pool; a promise of its verdicts. It is given up when `life` ends.
#[napi(catch_unwind)]
pub(crate) fn verify_batch<'env>(
    env: &'env Env,
    life: &External<Life>,
    door: &External<Arc<Door>>,
    input: &mut External<Input>,
    scopes: Option<String>,
) -> Result<Object<'env>> {
    let input = std::mem::take(&mut **input);
    let (door, ended) = (Arc::clone(door), Arc::clone(&life.ended));
    let pool = pool()?;
    let (deferred, promise) = env.create_deferred()?;
    pool.spawn(move || {
        let wanted = || !ended.load(Ordering::Relaxed);
        // A panic must not take the process along: the pool would end it.
        let judged = catch_unwind(AssertUnwindSafe(|| input.judge(door, scopes, wanted)));
        match judged.ok().flatten() {
            Some(verdicts) => deferred.resolve(move |_| Ok(External::new(verdicts))),
            None => deferred.reject(Error::from_reason("panicked, or nobody is there")),
        }
    });
    Ok(promise)
}

/// One thread less than there are cores, so that the event loop keeps its own.
fn pool() -> Result<&'static ThreadPool> {
    static POOL: OnceLock<std::result::Result<ThreadPool, String>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.saturating_sub(1).max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("sealgate-{index}"));
        pool.build().map_err(|error| error.to_string())
    });
    pool.as_ref()
        .map_err(|reason| Error::from_reason(reason.clone()))
}
