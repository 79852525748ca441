//! Many tokens at once, on a pool that leaves JavaScript's core alone.

use std::sync::{Arc, OnceLock};
use std::thread;

use napi::bindgen_prelude::{Array, Either, External, Object, Uint8ArraySlice};
use napi::{Env, Error, JsString, Result};
use napi_derive::napi;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sealgate::Verdict;

use crate::gate::{self, Door};
use crate::text::{with_bytes, with_text};
use crate::token::Verdicts;

/// Copies of a batch's tokens, one behind the other.
#[derive(Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Input {
    fn push(&mut self, token: &[u8]) {
        self.bytes.extend_from_slice(token);
        self.ends.push(self.bytes.len());
    }

    fn tokens(&self) -> Vec<&[u8]> {
        let mut start = 0;
        let tokens = self.ends.iter().map(|end| {
            let token = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            token
        });
        tokens.collect()
    }

    fn judge(&self, door: Arc<Door>, scopes: Option<String>) -> Verdicts {
        let requirements = gate::requirements(scopes.as_deref().unwrap_or_default());
        let batch = door.gate.verify_batch_with(&self.tokens(), &requirements);
        let verdicts = batch.into_iter().map(Verdict::into_result).collect();
        Verdicts {
            door,
            requirements,
            verdicts,
        }
    }
}

/// An empty batch.
#[napi]
pub(crate) fn batch_input() -> External<Input> {
    External::new(Input::default())
}

/// Copies the tokens `from..to` of an array of strings and `Uint8Array`s into a batch.
#[napi]
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

/// Copies a text of tokens, one a line; a line break at the very end ends the last line.
#[napi]
pub(crate) fn batch_lines(
    lines: Either<JsString<'_>, Uint8ArraySlice<'_>>,
) -> Result<External<Input>> {
    let mut input = Input::default();
    let mut push = |lines: &[u8]| {
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        if !lines.is_empty() {
            lines
                .split(|byte| *byte == b'\n')
                .for_each(|token| input.push(token));
        }
    };
    match lines {
        Either::A(text) => push(text.into_utf8()?.as_slice()),
        Either::B(bytes) => push(&bytes),
    }
    Ok(External::new(input))
}

/// Judges a batch on the calling thread and all cores.
#[napi]
pub(crate) fn verify_batch_sync(
    door: &External<Arc<Door>>,
    input: &mut External<Input>,
    scopes: Option<String>,
) -> External<Verdicts> {
    let input = std::mem::take(&mut **input);
    External::new(input.judge(Arc::clone(door), scopes))
}

/// Judges a batch on the pool; a promise of its verdicts.
#[napi(ts_return_type = "Promise<unknown>")]
pub(crate) fn verify_batch<'env>(
    env: &'env Env,
    door: &External<Arc<Door>>,
    input: &mut External<Input>,
    scopes: Option<String>,
) -> Result<Object<'env>> {
    let input = std::mem::take(&mut **input);
    let door = Arc::clone(door);
    let pool = pool()?;
    let (deferred, promise) = env.create_deferred()?;
    pool.spawn(move || {
        // A panic must not take the process along: the pool would end it.
        let judged =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| input.judge(door, scopes)));
        match judged {
            Ok(verdicts) => deferred.resolve(move |_| Ok(External::new(verdicts))),
            Err(_) => deferred.reject(Error::from_reason("panicked")),
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
