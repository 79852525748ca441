//! Does one thing many times, to be counted by callgrind: see `benches/instructions`.
//!
//! `instructions CASE COUNT`, or `instructions` for the names of the cases.
#![expect(clippy::print_stdout, reason = "a program that prints names")]

use std::hint::black_box;

use sealgate::Gate;
use sealgate::jwa::Algorithm;
use sealgate_benches::delegated::{self, Judged};
use sealgate_benches::{always_yes, tokens};

/// What is asked of the gate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// A good token, never seen.
    Cold,
    /// A good token, seen before.
    SeenBefore,
    /// A token for somebody else.
    Refused,
    /// A good token of 16 KiB, never seen.
    Large,
    /// A good token with five actors, shown.
    Shown,
    /// The same, judged by rules.
    Ruled,
}

const CASES: [(&str, Asked); 6] = [
    ("accepted", Asked::Cold),
    ("seen-before", Asked::SeenBefore),
    ("refused", Asked::Refused),
    ("large", Asked::Large),
    ("five-links-shown", Asked::Shown),
    ("five-links-ruled", Asked::Ruled),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, count] = arguments.as_slice() else {
        CASES.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let asked = CASES.iter().find(|(known, _)| known == name);
    let (_, asked) = asked.expect("a case this program knows");
    let count: usize = count.parse().expect("a count");
    run(*asked, count);
}

fn run(asked: Asked, count: usize) {
    let key = tokens::key(Algorithm::Es256);
    let header = tokens::header(Algorithm::Es256);
    let claims = tokens::claims(0);
    let claims = match asked {
        Asked::Refused => claims.replace("api.example.com", "api.example.net"),
        Asked::Large => tokens::padded_claims(0, &header, 86, 16_200),
        Asked::Shown | Asked::Ruled => delegated::claims(5),
        Asked::Cold | Asked::SeenBefore => claims,
    };
    let text = tokens::sign(&key, &header, &claims).text;
    let cache = if asked == Asked::SeenBefore { 1_000 } else { 0 };
    let provider = always_yes::provider();
    let gate: Gate = match asked {
        Asked::Shown => delegated::gate(&key, provider, Judged::Surfaced),
        Asked::Ruled => delegated::gate(&key, provider, Judged::Ruled),
        _ => tokens::gate(&key, provider, cache),
    };
    // What a first call sets up is no part of the price.
    call(&gate, &text, asked, 10);
    counted(&gate, &text, asked, count);
}

/// The calls that callgrind is told to count, and no others.
#[inline(never)]
fn counted(gate: &Gate, text: &str, asked: Asked, count: usize) {
    call(gate, text, asked, count);
}

#[inline(always)]
fn call(gate: &Gate, text: &str, asked: Asked, count: usize) {
    for _ in 0..count {
        let verdict = gate.verify(black_box(text));
        assert_eq!(verdict.is_ok(), asked != Asked::Refused);
        drop(black_box(verdict));
    }
}
