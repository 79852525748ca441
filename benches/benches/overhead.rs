//! What does everything but the signature cost?

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate_benches::{contest, criterion, group};

fn overhead(criterion: &mut Criterion) {
    let cases = contest::ALGORITHMS.map(contest::overhead);
    group(criterion, "overhead", cases.into());
}

criterion_group!(name = benches; config = criterion(); targets = overhead);
criterion_main!(benches);
