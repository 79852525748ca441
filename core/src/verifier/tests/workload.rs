//! The example of draft-ietf-wimse-wpt: a request with an access token, a workload identity token
//! and the proof of it, all of 24 April 2025.

use std::sync::Arc;

use crate::crypto::aws_lc;
use crate::error::Code;
use crate::policy::{Format, Policy};
use crate::time::{Clock, FixedClock};
use crate::verifier::{Request, Requirements, VerifiedToken, Verifier};

const WIT: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6Ikp1bmUgNSIsInR5cCI6IndpdCtqd3QifQ.eyJjbmYiOnsiandrIjp7\
    ImFsZyI6IkVkRFNBIiwiY3J2IjoiRWQyNTUxOSIsImt0eSI6Ik9LUCIsIngiOiIxQ1hYdmZsTl9MVlZzSXNZWHNVdkIwM0ptb\
    EdXZUNIcVFWdW91Q0Y5MmJnIn19LCJleHAiOjE3NDU1MTI1MTAsImlhdCI6MTc0NTUwODkxMCwianRpIjoieC1fMUNUTDJjY2\
    EzQ1NFNGN3Yl9sIiwic3ViIjoid2ltc2U6Ly9leGFtcGxlLmNvbS9zcGVjaWZpYy13b3JrbG9hZCJ9.6KraSQUxWdl9dxFQ3F\
    j6dPY0Vi88OkwFwZpAIOhLeq6AbXAnLLQgOp8U9UDGcBuYF3KiNv6oKQD1ZWAzrMZOJw";
const WPT: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IndwdCtqd3QifQ.eyJhdGgiOiJDTDR3amZwUm1OZi1iZFlJYllMblY5\
    ZDVyTUFSR3dLWUUxMHdVd3pDMGpJIiwiYXVkIjoiaHR0cHM6Ly93b3JrbG9hZC5leGFtcGxlLmNvbS9wYXRoIiwiZXhwIjoxN\
    zQ1NTEwMDE2LCJqdGkiOiJfX2J3YzRFU0MzYWNjMkxUQzEtX3giLCJ3dGgiOiJBYVlVZkMzNEQxZGkyRnhRTHBpSUpKN1NnOF\
    ZaNm84T0Nkd1NmOUlUb0xnIn0.PI7d9AcYhLoEgPgbJvcM132lkBKnM1NXU-5hZUzVTIyj2dRJaTLFs6e5NYv5gg6AqcV7Nvk\
    YCwfgMgWasWQzCA";
const ACCESS: &str = "Bearer 16_mAd0GiwaZokU26_0902100";
/// `exp` of the proof.
const EXP: i64 = 1_745_510_016;

const PROCESS: &str = r#""replay":{"store":"process"}"#;

fn judge(uri: &str, access: &str, now: i64) -> Result<VerifiedToken, Code> {
    judge_under(PROCESS, uri, access, now)
}

fn judge_under(members: &str, uri: &str, access: &str, now: i64) -> Result<VerifiedToken, Code> {
    let policy = r#"{"version":1,"issuers":{"td":{"issuer":"wimse://example.com",
        "algorithms":["ES256","Ed25519"],"profiles":["wit"],"jwks":{"keys":[{"kty":"EC","kid":"June 5",
        "crv":"P-256","x":"kXqnA2Op7hgd4zRMbw0iFcc_hDxUxhojxOFVGjE2gks",
        "y":"n__VndPMR021-59UAs0b9qDTFT-EZtT6xSNs_xFskLo"}]}}},
        "gates":{"g":{"profile":"wit","issuers":["td"],"public_url":"https://workload.example.com"}},
"#;
    let policy = Policy::parse(format!("{policy}{members}}}"), Format::Json).unwrap();
    let clock = Clock::Fixed(Arc::new(FixedClock::new(now)));
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock).unwrap();
    let fields = [
        ("Host", "workload.example.com"),
        ("Authorization", access),
        ("Workload-Identity-Token", WIT),
        ("Workload-Proof-Token", WPT),
    ];
    let request = Request::new("POST", uri).headers(fields);
    let judged = verifier.gate("g").unwrap();
    let judged = judged.verify_request(&request, &Requirements::NONE);
    judged.map_err(|error| error.code())
}

#[test]
fn the_example_of_the_draft() {
    let token = judge("/path", ACCESS, EXP - 60).unwrap();
    assert_eq!(
        token.subject(),
        Some("wimse://example.com/specific-workload")
    );
    assert_eq!(token.issuer(), "wimse://example.com");
    assert_eq!(token.sender_constrained().unwrap().as_str(), "wpt");
    for wrong in [
        judge("/other", ACCESS, EXP - 60),
        judge("/path", "Bearer another", EXP - 60),
        judge("/path", "Basic YTpi", EXP - 60),
        judge("/path", ACCESS, EXP + 30),
        judge("/path", ACCESS, EXP - 331),
    ] {
        assert_eq!(wrong.unwrap_err(), Code::PopInvalid);
    }
}

/// Its end is all that a proof says of its time, and what a policy adds to it is no part of where
/// it is remembered.
#[test]
fn one_proof_is_one_proof_under_every_policy_of_a_host() {
    let scratch = super::hosts::Scratch::new("workload");
    let folder = &scratch.0;
    let leeways = ["0s", "30s", "300s"].map(|leeway| {
        format!(
            r#""leeway":"{leeway}","replay":{{"store":"local"}},
               "stores":{{"local":{{"kind":"file","path":{folder:?}}}}}"#
        )
    });
    let first = judge_under(&leeways[1], "/path", ACCESS, EXP - 60).unwrap();
    assert_eq!(first.replay_reach().unwrap().as_str(), "host");
    for now in [EXP - 300, EXP - 60, EXP - 1] {
        for leeway in &leeways {
            let again = judge_under(leeway, "/path", ACCESS, now);
            assert_eq!(again.unwrap_err(), Code::Replayed);
        }
    }
}
