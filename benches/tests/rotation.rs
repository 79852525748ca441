//! Publishing keys costs those who verify neither a lock nor an allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;

use sealgate::crypto::{CryptoProvider, VerificationKey};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, JwkSet, KeyError};
use sealgate_benches::{always_yes, tokens};

/// Counts the allocations of each thread for itself.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(act: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    act();
    ALLOCATIONS.get() - before
}

fn sets() -> [JwkSet; 2] {
    let key = tokens::key(Algorithm::Es256);
    let other = tokens::key(Algorithm::Es256).with_kid("k2");
    let [key, other] = [&key, &other].map(|key| key.verifying_jwk().clone());
    [
        [key.clone(), other].into_iter().collect(),
        [key].into_iter().collect(),
    ]
}

#[test]
fn a_verification_allocates_the_same_whether_or_not_keys_are_swapped() {
    const CALLS: usize = 20_000;
    let key = tokens::key(Algorithm::Es256);
    let text = tokens::mint(&key, 1).remove(0).text;
    let verifier = tokens::verifier(&key, always_yes::provider(), 0);
    let gate = verifier.gate("tools").unwrap();
    let verify = || drop(gate.verify(&text).unwrap());
    verify(); // The first call of a thread sets up thread-local state.
    let at_rest = allocations(verify);
    assert!(at_rest > 0, "the counter counts");

    let (stop, sets) = (AtomicBool::new(false), sets());
    thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                let receipt = verifier.keys().publish("corp", &sets[count % 2]).unwrap();
                assert!(receipt.changed || count == 0);
                count += 1;
            }
            count
        });
        for _ in 0..CALLS {
            assert_eq!(allocations(verify), at_rest);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(
            publisher.join().unwrap() > 10,
            "keys were swapped meanwhile"
        );
    });
}

/// Where a publication stops in the middle, and where it is told to go on.
static MIDWAY: OnceLock<[Barrier; 2]> = OnceLock::new();

/// Loads keys as the always-yes provider does, but waits before the key `k2`.
fn load_slowly(jwk: &Jwk, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
    if jwk.kid() == Some("k2") {
        let [reached, go_on] = MIDWAY.get().expect("set by the test");
        reached.wait();
        go_on.wait();
    }
    (always_yes::provider().load)(jwk, algorithm)
}

#[test]
fn a_publication_that_hangs_holds_nobody_up() {
    let [reached, go_on] = MIDWAY.get_or_init(|| [Barrier::new(2), Barrier::new(2)]);
    let mut provider: CryptoProvider = always_yes::provider();
    provider.load = load_slowly;
    let key = tokens::key(Algorithm::Es256);
    let text = tokens::mint(&key, 1).remove(0).text;
    let verifier = tokens::verifier(&key, provider, 0);
    let gate = verifier.gate("tools").unwrap();
    let [both, _] = sets();
    thread::scope(|scope| {
        let publisher = scope.spawn(|| verifier.keys().publish("corp", &both).unwrap());
        reached.wait();
        // The publisher stands still with the writers' lock in its hand.
        let generation = gate.verify(&text).unwrap().snapshot().keys;
        assert_eq!(gate.verify_batch(&[&text; 3]).accepted(), 3);
        go_on.wait();
        assert_eq!(publisher.join().unwrap().generation, generation + 1);
        assert_eq!(gate.verify(&text).unwrap().snapshot().keys, generation + 1);
    });
}
