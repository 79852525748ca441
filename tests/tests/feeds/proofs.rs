//! Used proofs that a fleet shares: of any number of verifiers one takes a proof.

use std::time::Duration;

use sealgate::testing::{FakeAgent, FakeIssuer, FakeOptions, FakeToken, Route};
use sealgate::{
    Clock, Format, Gate, LoadOptions, Policy, Request, Requirements, Verdict, Verifier, crypto, jwk,
};
use serde_json::json;

use crate::servers::Server;
use crate::stand::{Folder, KINDS, kind_of, until};

const ISS: &str = "https://as.example";
const RS: &str = "https://rs.example";

struct Fleet {
    issuer: FakeIssuer,
    agent: FakeAgent,
    verifiers: Vec<Verifier>,
    _folders: Vec<Folder>,
}

impl Fleet {
    fn of(server: &Server, size: usize, on_unavailable: &str) -> Self {
        let options = || FakeOptions::new().seed(1);
        let issuer = FakeIssuer::new(ISS, options()).unwrap();
        let agent = FakeAgent::new("agent-1", &options()).unwrap();
        let keys = jwk::JwkSet::parse(issuer.jwks().as_bytes()).unwrap();
        let folders: Vec<Folder> = (0..size).map(|_| Folder::with(&server.url())).collect();
        let verifier = |folder: &Folder| {
            let policy = json!({
                "version": 1,
                "issuers": { "as": { "issuer": ISS, "algorithms": ["ES256"], "jwks_push": "process" } },
                "gates": { "g": {
                    "profile": "access_token", "audience": RS, "issuers": ["as"], "public_url": RS,
                } },
                "stores": { "fleet": {
                    "kind": kind_of(server), "url": { "file": "url" }, "namespace": "tests",
                } },
                "dpop": {},
                "replay": { "store": "fleet", "on_unavailable": on_unavailable },
            });
            let options = LoadOptions::new()
                .allow_test_keys(true)
                .folder(folder.path());
            let policy = Policy::parse_with(policy.to_string(), Format::Json, &options).unwrap();
            let clock = Clock::System;
            let verifier = Verifier::with_clock(policy, crypto::aws_lc::provider(), clock).unwrap();
            verifier.keys().publish("as", &keys).unwrap();
            verifier
        };
        Self {
            verifiers: folders.iter().map(verifier).collect(),
            issuer,
            agent,
            _folders: folders,
        }
    }

    fn gates(&self) -> Vec<Gate> {
        let verifiers = self.verifiers.iter();
        verifiers
            .map(|verifier| verifier.gate("g").unwrap())
            .collect()
    }

    /// The fields of a request with a new proof.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let token = FakeToken {
            aud: vec![RS.to_owned()],
            jkt: Some(self.agent.jkt()),
            ..FakeToken::default()
        };
        let token = self.issuer.token(&token).unwrap();
        let route = Route::default();
        let gate = &self.gates()[0];
        self.agent.headers(gate, &route, &token, None).unwrap()
    }
}

fn judge(gate: &Gate, fields: &[(&'static str, String)]) -> Verdict {
    gate.judge_request(&request(fields), &Requirements::NONE)
}

/// What the default route of fakes is.
fn request<'f>(fields: &'f [(&'static str, String)]) -> Request<'f> {
    let request = Request::new("POST", "/");
    request.headers(fields.iter().map(|(name, value)| (*name, value)))
}

#[test]
fn of_all_verifiers_one_takes_a_proof() {
    for server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let fleet = Fleet::of(&server, 3, "refuse");
        let gates = fleet.gates();
        assert!(gates[0].waits_for_server());
        for _ in 0..10 {
            let fields = fleet.fields();
            let codes: Vec<&str> = std::thread::scope(|scope| {
                let fields = &fields;
                let ask = |gate| scope.spawn(move || judge(gate, fields).code());
                #[expect(clippy::needless_collect, reason = "all ask before one is waited for")]
                let asking: Vec<_> = gates.iter().map(ask).collect();
                asking
                    .into_iter()
                    .map(|asked| asked.join().unwrap())
                    .collect()
            });
            let count = |code| codes.iter().filter(|said| **said == code).count();
            assert_eq!((count("accepted"), count("replayed")), (1, 2), "{codes:?}");
        }
        let Verdict::Accepted(token) = judge(&gates[1], &fleet.fields()) else {
            panic!("a good request");
        };
        assert_eq!(
            token.replay_reach().map(|reach| reach.as_str()),
            Some("fleet")
        );
    }
}

#[test]
fn without_an_answer_nothing_is_decided_unless_the_policy_says_so() {
    for mut server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let strict = Fleet::of(&server, 1, "refuse");
        let lax = Fleet::of(&server, 1, "accept_marked");
        let (gate, lax_gate) = (&strict.gates()[0], &lax.gates()[0]);
        let used = strict.fields();
        assert_eq!(judge(gate, &used).code(), "accepted");
        server.kill();
        let fields = strict.fields();
        let refused = judge(gate, &fields);
        assert_eq!(refused.code(), "replay_unavailable");
        let error = gate
            .verify_request(&request(&fields), &Requirements::NONE)
            .unwrap_err();
        let answer = gate.answer(&error, &Requirements::NONE);
        assert_eq!(answer.status, 503);
        let hint = gate.advice(&error).hint;
        assert!(hint.contains("fleet"), "{hint}");
        let Verdict::Accepted(token) = judge(lax_gate, &lax.fields()) else {
            panic!("the policy says so");
        };
        assert_eq!(token.replay_reach(), None);
        server.restart();
        // What was used stays used, and the proof that nobody was asked about was not used up.
        until("it answers again", || {
            judge(gate, &used).code() == "replayed"
        });
        until("a new one", || {
            judge(gate, &strict.fields()).code() == "accepted"
        });
    }
}

/// A server that says nothing is not waited for longer than some seconds.
#[test]
fn a_silent_server_is_given_up() {
    for server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let fleet = Fleet::of(&server, 1, "refuse");
        let gate = &fleet.gates()[0];
        assert_eq!(judge(gate, &fleet.fields()).code(), "accepted");
        server.hold();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let fields = fleet.fields();
            scope.spawn(move || sender.send(judge(gate, &fields).code()));
            let code = receiver.recv_timeout(Duration::from_secs(20));
            server.go_on();
            assert_eq!(code, Ok("replay_unavailable"));
        });
    }
}
