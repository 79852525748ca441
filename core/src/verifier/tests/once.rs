//! Transactions that are good once, for as long as their tokens can be replaced (TXT-11, TXT-13).

use std::sync::Arc;

use serde_json::json;

use super::NOW;
use super::hosts::Scratch;
use super::inquiries::{gate_of_transactions_at, held};
use super::requests::code;
use super::transactions::{DOMAIN, TTS, txn};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::policy::{Format, Policy};
use crate::time::{Clock, FixedClock, NumericDate, Span};
use crate::verifier::{Gate, Verifier};

/// More than the eight of TXT-13: whatever is seen is remembered from then on.
const REPLACEMENTS: i64 = 20;

fn gate(members: &str, clock: &Arc<FixedClock>) -> Gate {
    let document = format!(
        r#"{{"version":1,{members}
            "issuers":{{"tts":{{"issuer":"{TTS}","jwks_push":"process","algorithms":["Ed25519"],
                                "max_lifetime":"90s","profiles":["txn_token"]}}}},
            "gates":{{"calls":{{"profile":"txn_token","audience":"{DOMAIN}","issuers":["tts"],
                                "transactions":{{"use":"once"}}}}}}}}"#
    );
    let policy = Policy::parse(document, Format::Json).unwrap();
    let clock = Clock::Fixed(Arc::clone(clock));
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock).unwrap();
    let keys = super::set(&[&super::key(2, "t")]);
    verifier.keys().publish("tts", &keys).unwrap();
    verifier.gate("calls").unwrap()
}

/// A token of this transaction, issued now.
fn issued(name: &str, life: i64, clock: &FixedClock) -> String {
    let now = clock.now().seconds();
    txn(json!({ "txn": name, "iat": now, "exp": now + life }))
}

/// Each token is there when the one before it ends. So the last is the ninth life of the
/// transaction.
fn check(gate: &Gate, life: i64, clock: &FixedClock, forget: impl Fn(NumericDate)) {
    let verify = |name: &str| code(gate.verify(issued(name, life, clock)));
    assert_eq!(verify("first"), None);
    // Nobody sees those between.
    clock.advance(Span::from_seconds(8 * life));
    forget(clock.now());
    assert_eq!(verify("first"), Some(Code::Replayed), "the eighth");
    assert_eq!(verify("second"), None);
    for nth in 9..REPLACEMENTS {
        clock.advance(Span::from_seconds(life));
        forget(clock.now());
        for name in ["first", "second"] {
            assert_eq!(verify(name), Some(Code::Replayed), "{name}, {nth}");
        }
    }
    // It is over at last.
    clock.advance(Span::from_seconds(10 * life));
    forget(clock.now());
    assert_eq!(verify("first"), None);
}

#[test]
fn txt_13_a_process_remembers_it_as_long_as_it_can_be_replaced() {
    let clock = Arc::new(FixedClock::new(NOW));
    let gate = gate(r#""replay":{"store":"process"},"#, &clock);
    // So many others come that each bucket is swept.
    let forget = |now: NumericDate| {
        let state = gate.engine.state.load_full();
        let guard = state.replay.process.as_ref().unwrap();
        for number in 0..20_000_i64 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            key[8..16].copy_from_slice(&now.seconds().to_le_bytes());
            guard.insert(key, now, now, now).unwrap();
        }
    };
    check(&gate, 90, &clock, forget);
}

#[test]
fn txt_13_a_host_remembers_it_as_long_as_it_can_be_replaced() {
    let clock = Arc::new(FixedClock::new(NOW));
    let scratch = Scratch::new("transactions");
    let members = format!(
        r#""replay":{{"store":"local"}},"stores":{{"local":{{"kind":"file","path":{:?}}}}},"#,
        scratch.0
    );
    check(&gate(&members, &clock), 90, &clock, |_| ());
}

#[test]
fn txt_13_a_fleet_remembers_it_as_long_as_it_can_be_replaced() {
    let clock = Arc::new(FixedClock::new(NOW));
    let own = Clock::Fixed(Arc::clone(&clock));
    let gate = gate_of_transactions_at("lasting", held, own);
    check(&gate, 300, &clock, |_| ());
}
