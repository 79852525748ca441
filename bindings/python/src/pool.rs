//! The threads that batches run on.
//!
//! A process that is forked has the memory of its parent and none of its threads, so a pool is used
//! only by the process that made it. What a child finds is kept and never dropped: its locks may
//! have been held by threads that are no more.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

struct Pool {
    process: u32,
    threads: ThreadPool,
    /// A parent's, never touched again.
    _lost: Option<Arc<Self>>,
}

static POOL: ArcSwapOption<Pool> = ArcSwapOption::const_empty();

/// Runs `work` on this process's threads, one a core.
pub(crate) fn install<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, ThreadPoolBuildError> {
    Ok(current()?.threads.install(work))
}

fn current() -> Result<Arc<Pool>, ThreadPoolBuildError> {
    let process = std::process::id();
    let found = POOL.load_full();
    if let Some(pool) = found.as_ref().filter(|pool| pool.process == process) {
        return Ok(Arc::clone(pool));
    }
    let threads = ThreadPoolBuilder::new().thread_name(|index| format!("sealgate-{index}"));
    let pool = Arc::new(Pool {
        process,
        threads: threads.build()?,
        _lost: found,
    });
    // Where two threads build the first pool at once, both work and the later one stays.
    POOL.store(Some(Arc::clone(&pool)));
    Ok(pool)
}
