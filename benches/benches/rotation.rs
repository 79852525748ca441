//! Does anyone who verifies notice that keys are being published?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use criterion::{Criterion, criterion_group, criterion_main};
use sealgate::jwa::Algorithm;
use sealgate_benches::{always_yes, criterion, tokens};

fn rotation(criterion: &mut Criterion) {
    let key = tokens::key(Algorithm::Es256);
    let other = tokens::key(Algorithm::Es256).with_kid("k2");
    let text = tokens::mint(&key, 1).remove(0).text;
    let verifier = tokens::verifier(&key, always_yes::provider(), 0);
    let gate = verifier.gate("tools").expect("the gate");
    let mut group = criterion.benchmark_group("rotation");
    group.bench_function("keys at rest", |bencher| {
        bencher.iter(|| gate.verify(&text))
    });

    let stop = Arc::new(AtomicBool::new(false));
    let publisher = thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            while !stop.load(Ordering::Relaxed) {
                for set in [&[&key, &other][..], &[&key]] {
                    let set = set.iter().map(|key| key.verifying_jwk().clone()).collect();
                    verifier.keys().publish("corp", &set).expect("published");
                }
            }
        }
    });
    group.bench_function("keys published without pause", |bencher| {
        bencher.iter(|| gate.verify(&text).expect("the key is in every set"));
    });
    stop.store(true, Ordering::Relaxed);
    publisher.join().expect("the publisher ends");
    group.finish();
}

criterion_group!(name = benches; config = criterion(); targets = rotation);
criterion_main!(benches);
