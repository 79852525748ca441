//! How much dearer than the bare primitive is a whole verification, and what do others take for it?

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate_benches::{contest, criterion, group};

fn verify(criterion: &mut Criterion) {
    for algorithm in contest::ALGORITHMS {
        group(
            criterion,
            &format!("verify/{algorithm}"),
            contest::cases(algorithm),
        );
    }
}

criterion_group!(name = benches; config = criterion(); targets = verify);
criterion_main!(benches);
