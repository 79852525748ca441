//! The token cache against a model without one: tokens come and repeat while the clock moves, keys
//! are published and withdrawn and the policy is reloaded, and no answer may differ.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use sealgate::jwk::JwkSet;
use sealgate::{FixedClock, Policy, Span, Verdict, Verifier};
use sealgate_fuzz::{KEYS, NOW, code, policy, token, verifier};

/// Enough tokens to fill the cache many times over.
const TOKENS: u8 = 64;
const CACHE: usize = 8;

/// Token `n` is valid for `n` seconds and signed, if that is the word, with key `n % 3`.
static POOL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let one = |n: u8| {
        let header = format!(r#"{{"alg":"ES256","kid":"{}","typ":"at+jwt"}}"#, n % 3);
        let claims = format!(
            r#"{{"iss":"https://issuer.example","sub":"user-{n}","aud":"https://api.example","client_id":"c","iat":{NOW},"exp":{},"jti":"{n}"}}"#,
            NOW + i64::from(n)
        );
        token(header.as_bytes(), claims.as_bytes())
    };
    (0..TOKENS).map(one).collect()
});

/// Key sets 0 to 7: key `k` is in set `s` when bit `k` of `s` is set.
static SETS: LazyLock<Vec<JwkSet>> = LazyLock::new(|| {
    let key = |kid: usize| {
        let key = KEYS.split_once('[').unwrap().1.split_once(']').unwrap().0;
        key.replace(r#""kid":"k""#, &format!(r#""kid":"{kid}""#))
    };
    let set = |bits: usize| {
        let keys: Vec<String> = (0..3).filter(|kid| bits >> kid & 1 == 1).map(key).collect();
        JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    };
    (0..8).map(set).collect()
});

/// With leeways of 0, 1 and 2 seconds, for the cached verifier and for the model.
static POLICIES: LazyLock<Vec<[Policy; 2]>> = LazyLock::new(|| {
    (0..3)
        .map(|leeway| [CACHE, 0].map(|cache| policy(cache, leeway)))
        .collect()
});

struct Both {
    cached: Verifier,
    model: Verifier,
}

impl Both {
    fn each(&self, act: impl Fn(&Verifier)) {
        act(&self.cached);
        act(&self.model);
    }

    fn ask(&self, token: &str) {
        let [cached, model] =
            [&self.cached, &self.model].map(|verifier| verifier.gate("door").unwrap().judge(token));
        assert_eq!(code(&cached), code(&model));
        if let (Verdict::Accepted(cached), Verdict::Accepted(model)) = (cached, model) {
            assert_eq!(cached.payload(), model.payload());
            assert_eq!(cached.snapshot().keys, model.snapshot().keys);
            assert_eq!(cached.subject(), model.subject());
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let clock = Arc::new(FixedClock::new(NOW));
    let both = Both {
        cached: verifier(CACHE, &clock),
        model: verifier(0, &clock),
    };
    both.each(|verifier| drop(verifier.keys().publish("issuer", &SETS[7]).unwrap()));
    let mut hits_before = 0;
    for step in data.chunks_exact(2).take(128) {
        let [action, value] = [step[0], step[1]];
        match action % 8 {
            0..=4 => both.ask(&POOL[usize::from(value % TOKENS)]),
            5 => clock.advance(Span::from_millis(i64::from(value) * 20)),
            6 => both.each(|verifier| {
                let number = usize::from(value % 8);
                let published = verifier.keys().publish("issuer", &SETS[number]);
                // The empty set is refused, and the old one stays.
                assert_eq!(published.is_err(), number == 0);
            }),
            _ => {
                let [cached, model] = &POLICIES[usize::from(value % 3)];
                both.cached.reload(cached.clone()).unwrap();
                both.model.reload(model.clone()).unwrap();
            }
        }
        let stats = both.cached.cache_stats();
        assert!(stats.bytes <= stats.capacity, "{stats:?}");
        // The table has at most four places for each entry asked for; what is bounded is bytes.
        assert!(stats.entries <= 4 * CACHE, "{stats:?}");
        assert!(stats.hits >= hits_before, "a reload lost the counters");
        hits_before = stats.hits;
    }
    assert_eq!(both.model.cache_stats().hits, 0);
});
