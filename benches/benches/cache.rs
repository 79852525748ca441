//! What does a token cost that was seen before, hot or among many, and against a bare hash map?

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate_benches::cached::{Sketch, hash, hit, warm};
use sealgate_benches::{criterion, group, large};

fn cache(criterion: &mut Criterion) {
    for count in [1_000, large()] {
        let cases = vec![
            Sketch::new(count).hit("hash map", 1),
            hit("sealgate", warm(count), count, 2),
            hash(),
        ];
        group(criterion, &format!("cache/{count}"), cases);
    }
}

criterion_group!(name = benches; config = criterion(); targets = cache);
criterion_main!(benches);
