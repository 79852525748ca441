//! What do five actors cost, what their rules, and what a chain of four tokens?

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate::jwa::Algorithm;
use sealgate_benches::{criterion, delegated, group};

fn delegated(criterion: &mut Criterion) {
    group(criterion, "delegated/links", delegated::links());
    for algorithm in [Algorithm::Es256, Algorithm::Ed25519] {
        let question = format!("delegated/chain/{algorithm}");
        group(criterion, &question, delegated::chain(algorithm));
    }
}

criterion_group!(name = benches; config = criterion(); targets = delegated);
criterion_main!(benches);
