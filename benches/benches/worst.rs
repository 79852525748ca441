//! Can anyone make refusing dearer than a plain verification of the same text?

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate::jwa::Algorithm;
use sealgate_benches::{criterion, group, worst};

fn worst(criterion: &mut Criterion) {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Hs256] {
        for (name, cases) in worst::groups(algorithm) {
            group(criterion, &format!("worst/{name}"), cases);
        }
    }
}

criterion_group!(name = benches; config = criterion(); targets = worst);
criterion_main!(benches);
