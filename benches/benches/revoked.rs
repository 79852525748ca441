//! What does it cost to ask whether five agents, their person, client, session and token are
//! revoked?

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate_benches::{criterion, group, large, revoked};

fn revoked(criterion: &mut Criterion) {
    group(criterion, "revoked", revoked::cases(large()));
}

criterion_group!(name = benches; config = criterion(); targets = revoked);
criterion_main!(benches);
