//! Used proofs in a file store: verifiers of one host, as many processes have them.

use std::path::{Path, PathBuf};

use super::requests::{bound, call, code, policy, proof, verifier};
use crate::binding::ReplayReach;
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::time::{Clock, Span};
use crate::verifier::{Request, Requirements, Verifier};

/// A folder that no other test has, gone when the test is over.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let folder = format!("sealgate-hosts-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The members of a policy whose used proofs are in this folder.
fn shared(folder: &Path, dpop: &str) -> String {
    format!(
        r#""dpop":{{{dpop}}},"replay":{{"store":"local"}},
           "stores":{{"local":{{"kind":"file","path":{folder:?}}}}},"#
    )
}

#[test]
fn of_the_verifiers_of_a_host_one_takes_a_proof() {
    let scratch = Scratch::new("one");
    let folder = scratch.0.join("deeper"); // made with what is above it
    let members = shared(&folder, "");
    assert_eq!(policy(&members).warnings(), []);
    let verifiers = [verifier(&members), verifier(&members), verifier(&members)];
    let gates = verifiers
        .each_ref()
        .map(|(one, _)| one.gate("api").unwrap());
    let token = bound();
    for (turn, jti) in ["1", "2", "3"].into_iter().enumerate() {
        let proof = proof(&token, jti);
        // Whoever explains uses nothing up.
        let fields = [
            ("Authorization", format!("DPoP {token}")),
            ("DPoP", proof.clone()),
        ];
        let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
        let request = Request::new("POST", "/mcp").headers(fields);
        let explained = || gates[turn].explain_request(&request, &Requirements::NONE);
        assert_eq!(code(explained().outcome), None);
        let first = call(&gates[turn], &token, &proof).unwrap();
        assert_eq!(first.replay_reach(), Some(ReplayReach::Host));
        assert_eq!(first.replay_reach().unwrap().as_str(), "host");
        for gate in &gates {
            assert_eq!(code(call(gate, &token, &proof)), Some(Code::Replayed));
        }
        assert_eq!(code(explained().outcome), Some(Code::Replayed));
    }
    let counted = verifiers[0].0.stats()["proofs"].to_string();
    assert_eq!(counted, r#"{"reach":"host","store":"local"}"#);
    // Who remembers is said in one place.
    let request = Request::new("GET", "/");
    let pending = gates[0].prepare(&request, &Requirements::NONE);
    assert_eq!(pending.unwrap_err().code(), Code::Usage);
}

/// While a new policy is rolled out, processes of a host have two.
#[test]
fn one_proof_is_one_proof_under_every_policy() {
    let scratch = Scratch::new("policies");
    let lives = ["\"max_age\":\"5s\"", "", "\"max_age\":\"5m\""];
    let leeways = ["\"leeway\":\"0s\",", "", "\"leeway\":\"300s\","];
    let verifiers = lives.iter().flat_map(|life| {
        let members = shared(&scratch.0, life);
        leeways.map(|leeway| verifier(&format!("{leeway}{members}")))
    });
    let verifiers: Vec<_> = verifiers.collect();
    let token = bound();
    for (turn, (first, _)) in verifiers.iter().enumerate() {
        let proof = proof(&token, &turn.to_string());
        call(&first.gate("api").unwrap(), &token, &proof).unwrap();
        for (other, _) in &verifiers {
            let again = call(&other.gate("api").unwrap(), &token, &proof);
            assert_eq!(code(again), Some(Code::Replayed));
        }
    }
}

#[test]
fn what_was_used_stays_used_after_reloads_and_restarts() {
    let scratch = Scratch::new("reloads");
    let members = shared(&scratch.0, "");
    let (first, clock) = verifier(&members);
    let (gate, token) = (first.gate("api").unwrap(), bound());
    let (one, two) = (proof(&token, "1"), proof(&token, "2"));
    call(&gate, &token, &one).unwrap();
    first
        .reload(policy(&shared(&scratch.0, "\"max_age\":\"2m\"")))
        .unwrap();
    assert_eq!(code(call(&gate, &token, &one)), Some(Code::Replayed));
    first.reload(policy(super::requests::DPOP)).unwrap();
    call(&gate, &token, &two).unwrap();
    first.reload(policy(&members)).unwrap();
    assert_eq!(code(call(&gate, &token, &one)), Some(Code::Replayed));
    call(&gate, &token, &two).unwrap();
    drop((first, gate));
    let (later, _) = verifier(&members);
    let gate = later.gate("api").unwrap();
    clock.advance(Span::from_seconds(90));
    for used in [&one, &two] {
        assert_eq!(code(call(&gate, &token, used)), Some(Code::Replayed));
    }
}

#[test]
fn a_table_that_cannot_be_opened_refuses_the_policy() {
    let scratch = Scratch::new("refused");
    let open = |folder: &Path| {
        let policy = policy(&shared(folder, ""));
        let outcome = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(super::NOW));
        let error = outcome.err().map(|error| error.to_string());
        error.map(|error| error.replace(&*scratch.0.to_string_lossy(), "…"))
    };
    std::fs::create_dir_all(&scratch.0).unwrap();
    let file = scratch.0.join("file");
    std::fs::write(&file, "").unwrap();
    let told = |told: &str| {
        Some(format!(
            "policy   refused   1 problem\n  1:42   replay.store   {told}"
        ))
    };
    assert_eq!(open(&file), told("…/file: File exists (os error 17)"));
    std::fs::write(scratch.0.join("proofs"), "something else").unwrap();
    let foreign = "…/proofs is no table of used proofs. Remove it, or name another place";
    assert_eq!(open(&scratch.0), told(foreign));
    // A reload that fails changes nothing.
    let (running, _) = verifier(super::requests::DPOP);
    let digest = running.policy_digest();
    assert!(running.reload(policy(&shared(&scratch.0, ""))).is_err());
    assert_eq!(running.policy_digest(), digest);
    std::fs::remove_file(scratch.0.join("proofs")).unwrap();
    assert_eq!(open(&scratch.0), None);
}
