//! A verifier over the network, its clock, and keys to sign with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sealgate::{
    Clock, FixedClock, Format, KeyState, LoadOptions, Policy, Requirements, Span, Verifier, crypto,
};
use sealgate_tests::workshop::{Key, b64u};
use serde_json::{Value, json};

pub(crate) const T: i64 = 1_800_000_000;
/// Longer than any fetch takes: a bound for what should have come long before.
const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Stand {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Arc<FixedClock>,
}

/// A policy of one issuer `as` with these members, and a gate `g`.
pub(crate) fn policy(issuer: &str, members: &Value) -> Value {
    let mut own = json!({ "issuer": issuer, "algorithms": ["Ed25519"] });
    for (name, value) in members.as_object().unwrap() {
        own[name] = value.clone();
    }
    json!({
        "version": 1,
        "danger": { "http_loopback_issuers": true },
        "issuers": { "as": own },
        "gates": { "g": {
            "profile": "access_token", "audience": "https://rs.example", "issuers": ["as"],
        } },
    })
}

impl Stand {
    pub(crate) fn open(policy: &Value, folder: &Path) -> Self {
        let options = LoadOptions::new()
            .allow_danger(true)
            .allow_test_keys(true)
            .folder(folder);
        let policy = Policy::parse_with(policy.to_string(), Format::Json, &options).unwrap();
        let clock = Arc::new(FixedClock::new(T));
        let fixed = Clock::Fixed(Arc::clone(&clock));
        Self {
            verifier: Verifier::with_clock(policy, crypto::aws_lc::provider(), fixed).unwrap(),
            clock,
        }
    }

    pub(crate) fn with_uri(uri: &str) -> Self {
        let policy = policy("https://as.example", &json!({ "jwks_uri": uri }));
        Self::open(&policy, Path::new("."))
    }

    pub(crate) fn state(&self) -> KeyState {
        self.verifier.keys().state("as").unwrap()
    }

    pub(crate) fn ready(&self) -> Result<(), sealgate::NotReady> {
        self.verifier.wait_ready(LONG)
    }

    /// The code for a token of this key, waiting for a fetch that is allowed or running.
    pub(crate) fn says(&self, kid: &str) -> &'static str {
        let gate = self.verifier.gate("g").unwrap();
        let verdict = gate.verify_waiting(token(kid), &Requirements::NONE, LONG);
        sealgate::Verdict::from(verdict).code()
    }

    /// Makes the next refresh due and waits until it has ended; how it then stands.
    pub(crate) fn refresh(&self) -> KeyState {
        let before = self.state();
        self.clock.advance(Span::from_seconds(5));
        assert!(self.verifier.keys().refresh("as").is_some());
        until("the refresh has ended", || {
            let now = self.state();
            // While it runs, the next refresh is the one that is running.
            let planned = now.next_refresh.is_some_and(|next| next > self.clock.now());
            (planned && now.next_refresh != before.next_refresh).then_some(now)
        })
    }
}

/// Ends a load when a test ends, well or not.
pub(crate) struct Stop<'s>(pub(crate) &'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Looks again and again, and gives up after half a minute.
#[expect(
    clippy::disallowed_methods,
    reason = "a bound for a test that would hang"
)]
pub(crate) fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(began.elapsed() < LONG, "{what}: not within {LONG:?}");
        thread::yield_now();
    }
}

pub(crate) fn key(kid: &str) -> Key {
    Key::seeded("Ed25519", kid)
}

pub(crate) fn set(kids: &[&str]) -> String {
    let keys: Vec<Value> = kids.iter().map(|kid| key(kid).jwk).collect();
    json!({ "keys": keys }).to_string()
}

pub(crate) fn token(kid: &str) -> String {
    let header = json!({ "alg": "Ed25519", "typ": "at+jwt", "kid": kid });
    let claims = json!({
        "iss": "https://as.example", "sub": "u1", "client_id": "c1", "jti": "j1",
        "aud": "https://rs.example", "iat": T, "exp": T + 3600,
    });
    let input = format!("{}.{}", b64u(header.to_string()), b64u(claims.to_string()));
    let signature = key(kid).sign(input.as_bytes());
    format!("{input}.{}", b64u(signature))
}
