//! What the benches share: settings, seeded tokens, contestants, and an interleaved stopwatch.
//!
//! `README.md` beside this crate says which question each bench answers and how to read it.

pub mod always_yes;
pub mod cached;
pub mod contest;
pub mod delegated;
pub mod dpop;
pub mod fetched;
pub mod interleave;
pub mod raw;
pub mod revoked;
pub mod scratch;
pub mod stored;
pub mod tokens;
pub mod used;
pub mod worst;

use std::time::Duration;

use criterion::Criterion;

/// One thing to time: a closure that does it once.
pub struct Case {
    /// What a row of a table calls it.
    pub name: String,
    /// Does it once; panics when it does not come out as it should.
    pub run: Box<dyn FnMut()>,
}

impl Case {
    /// Names something to time.
    pub fn new(name: impl Into<String>, run: impl FnMut() + 'static) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// The settings of every criterion bench: short, since claims come from the interleaved `ratios`.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}

/// Times the cases of one question side by side.
pub fn group(criterion: &mut Criterion, question: &str, cases: Vec<Case>) {
    let mut group = criterion.benchmark_group(question);
    for mut case in cases {
        group.bench_function(&case.name, |bencher| bencher.iter(&mut case.run));
    }
    group.finish();
}

/// Entries of the large cache, from `SEALGATE_BENCH_ENTRIES`: a tenth of a million, since a million
/// take gigabytes and minutes.
#[must_use]
pub fn large() -> usize {
    let set = std::env::var("SEALGATE_BENCH_ENTRIES").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(100_000)
}
