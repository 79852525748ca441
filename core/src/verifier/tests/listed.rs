//! Status lists: for how long one counts, whatever the wall clock does and the policy becomes.
//! Fetching them over connections is in a suite of its own.

use std::sync::Arc;

use super::{NOW, claims, key, set, signed, token_with};
use crate::crypto::{SigningKey, aws_lc};
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, FixedClock, Span};
use crate::verifier::{ListFetch, Verifier};

const AS: &str = "https://as.example";
const URI: &str = "https://as.example/status/1";
/// Sixteen entries, of which the second is 0 (the draft's first example).
const LST: &str = "eNrbuRgAAhcBXQ";

struct Stand {
    verifier: Verifier,
    clock: Arc<FixedClock>,
}

fn policy(issuer: &str) -> Policy {
    let text = serde_json::json!({
        "version": 1,
        "revocation": { "store": "process", "status_lists": { "allow_hosts": ["as.example"] } },
        "issuers": { "as": {
            "issuer": issuer, "jwks_push": "process", "algorithms": ["Ed25519"],
            "profiles": ["access_token", "status_list_token"],
        } },
        "gates": { "api": { "profile": "access_token", "audience": "mcp", "issuers": ["as"] } },
    });
    Policy::parse_with(text.to_string(), Format::Json, &LoadOptions::new()).unwrap()
}

impl Stand {
    fn new() -> Self {
        let clock = Arc::new(FixedClock::new(NOW));
        let clock_of = Clock::Fixed(Arc::clone(&clock));
        let open = |_: &_, _| unreachable!("no store is named");
        let verifier = Verifier::assemble(policy(AS), aws_lc::provider(), clock_of, open).unwrap();
        let stand = Self { verifier, clock };
        stand.publish(&[&key(1, "k1")]);
        stand
    }

    fn publish(&self, keys: &[&SigningKey]) {
        self.verifier.keys().publish("as", &set(keys)).unwrap();
    }

    fn token(iss: &str, key: &SigningKey) -> String {
        let status = format!(r#""status":{{"status_list":{{"idx":1,"uri":"{URI}"}}}},"#);
        token_with(key, "", &claims(iss, "read", &status))
    }

    fn judge(&self, iss: &str, key: &SigningKey) -> &'static str {
        let gate = self.verifier.gate("api").unwrap();
        gate.judge(Self::token(iss, key)).code()
    }

    fn now(&self) -> &'static str {
        self.judge(AS, &key(1, "k1"))
    }

    fn due(&self) -> Vec<ListFetch> {
        self.verifier.engine().begin_lists(9).0
    }

    /// What is due comes, good for five minutes; says how many lists that were.
    fn fetch(&self, iss: &str, by: &SigningKey) -> usize {
        let due = self.due();
        for fetch in &due {
            let iat = self.clock.now().seconds();
            let header = format!(
                r#"{{"alg":"Ed25519","typ":"statuslist+jwt","kid":"{}"}}"#,
                by.kid().unwrap()
            );
            let claims = format!(
                r#"{{"iss":"{iss}","sub":"{URI}","iat":{iat},"ttl":300,"status_list":{{"bits":1,"lst":"{LST}"}}}}"#
            );
            let list = signed(by, &header, &claims).into_bytes();
            let engine = self.verifier.engine();
            engine.settle_list(&fetch.due, Ok((list, None)));
        }
        due.len()
    }

    fn known() -> Self {
        let stand = Self::new();
        assert_eq!(stand.now(), "status_unavailable");
        assert_eq!(stand.fetch(AS, &key(1, "k1")), 1);
        assert_eq!(stand.now(), "accepted");
        stand
    }
}

#[test]
fn a_list_counts_no_longer_for_a_clock_that_is_set_back() {
    let stand = Stand::known();
    stand.clock.set(NOW - 20); // within the leeway of the token's `iat`
    stand.clock.advance(Span::from_seconds(240));
    assert_eq!(stand.due().len(), 1, "fetched again ahead of its end");
    stand.clock.advance(Span::from_seconds(59));
    assert_eq!(stand.now(), "accepted");
    stand.clock.advance(Span::from_seconds(1));
    assert_eq!(stand.now(), "status_stale");
}

#[test]
fn a_machine_that_slept_has_old_lists_and_fetches_them_at_once() {
    let stand = Stand::known();
    stand.clock.set(NOW + 299);
    assert_eq!(stand.now(), "accepted");
    stand.clock.set(NOW + 300);
    assert_eq!(stand.now(), "status_stale");
    assert_eq!(stand.fetch(AS, &key(1, "k1")), 1);
    assert_eq!(stand.now(), "accepted");
}

#[test]
fn a_pause_is_as_long_as_it_is_whatever_the_wall_clock_does() {
    for set_to in [NOW - 1000, NOW + 200] {
        let stand = Stand::new();
        assert_eq!(stand.now(), "status_unavailable");
        let due = stand.due();
        let engine = stand.verifier.engine();
        engine.settle_list(&due[0].due, Err("why".to_owned()));
        stand.clock.set(set_to);
        assert!(stand.due().is_empty(), "{set_to}");
        stand.clock.advance(Span::from_seconds(2));
        assert_eq!(stand.due().len(), 1, "{set_to}");
    }
}

#[test]
fn a_list_of_another_issuer_of_that_name_is_none() {
    let stand = Stand::known();
    stand.verifier.reload(policy(AS)).unwrap();
    assert_eq!(stand.now(), "accepted", "the same one");
    let other = "https://elsewhere.example";
    stand.verifier.reload(policy(other)).unwrap();
    stand.publish(&[&key(2, "k2")]);
    assert_eq!(stand.judge(other, &key(2, "k2")), "status_unavailable");
    assert_eq!(stand.fetch(other, &key(2, "k2")), 1);
    assert_eq!(stand.judge(other, &key(2, "k2")), "accepted");
}

#[test]
fn a_list_ends_with_the_key_that_signed_it() {
    let stand = Stand::known();
    let (old, new) = (key(1, "k1"), key(2, "k2"));
    stand.publish(&[&old, &new]);
    assert_eq!(stand.now(), "accepted", "a further key ends nothing");
    assert!(stand.due().is_empty());
    stand.publish(&[&new]);
    let now = || stand.judge(AS, &new);
    assert_eq!(now(), "status_unavailable");
    let gate = stand.verifier.gate("api").unwrap();
    let token = Stand::token(AS, &new);
    let error = gate.verify(&token).unwrap_err();
    let engine = stand.verifier.engine();
    assert!(engine.awaits_list(&error), "another one is on its way");
    // The one that is served is still signed by the key that was withdrawn.
    assert_eq!(stand.fetch(AS, &old), 1);
    assert_eq!(now(), "status_unavailable");
    assert!(!engine.awaits_list(&error));
    stand.clock.advance(Span::from_seconds(2));
    assert_eq!(stand.fetch(AS, &new), 1);
    assert_eq!(now(), "accepted");
}
