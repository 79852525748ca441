//! How much does the second core bring, and what does a batch save over single calls?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;
use sealgate::crypto::aws_lc;
use sealgate::jwa::Algorithm;
use sealgate_benches::{criterion, tokens};

const TOKENS: usize = 4_096;

fn batch(criterion: &mut Criterion) {
    for algorithm in [Algorithm::Hs256, Algorithm::Es256] {
        let key = tokens::key(algorithm);
        let gate = tokens::gate(&key, aws_lc::provider(), 0);
        let minted = tokens::mint(&key, TOKENS).into_iter();
        let texts: Vec<String> = minted.map(|token| token.text).collect();
        let mut group = criterion.benchmark_group(format!("batch/{algorithm}"));
        group
            .throughput(Throughput::Elements(4_096))
            .sample_size(10);
        for threads in [1, 2] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.expect("a pool");
            group.bench_function(format!("{threads} threads"), |bencher| {
                bencher.iter(|| {
                    let batch = pool.install(|| gate.verify_batch(&texts));
                    assert_eq!(batch.accepted(), TOKENS);
                });
            });
        }
        group.bench_function("one by one", |bencher| {
            bencher.iter(|| assert!(texts.iter().all(|text| gate.verify(text).is_ok())));
        });
        group.finish();
    }
}

criterion_group!(name = benches; config = criterion(); targets = batch);
criterion_main!(benches);
