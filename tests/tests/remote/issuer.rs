//! A real issuer, `oidc-provider`: discovery, rotation and withdrawal under load, an outage.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use sealgate::{Clock, Requirements, Span};
use serde_json::{Value, json};

use super::stand::{Stand, Stop, policy, until};

/// The issuer's process; it ends with its standard input.
pub(crate) struct Issuer {
    pub(crate) issuer: String,
    _input: ChildStdin,
    _child: Child,
    agent: ureq::Agent,
}

impl Issuer {
    /// `None` where it is not installed; on CI that is a failure.
    pub(crate) fn start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("issuer");
        if !folder.join("node_modules").exists() {
            assert!(
                std::env::var_os("CI").is_none(),
                "tests/issuer: run npm ci there first"
            );
            eprintln!("SKIPPED: tests/issuer is not installed (npm ci); tests/run does it");
            return None;
        }
        let mut child = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        Some(Self {
            issuer: told["issuer"].as_str().unwrap().to_owned(),
            _input: child.stdin.take().unwrap(),
            _child: child,
            agent: ureq::Agent::config_builder().proxy(None).build().into(),
        })
    }

    pub(crate) fn control(&self, what: &str, value: &Value) {
        let url = format!("{}/control/{what}", self.issuer);
        self.agent.post(url).send(value.to_string()).unwrap();
    }

    fn asked(&self) -> u64 {
        let url = format!("{}/control/asked", self.issuer);
        let text = self
            .agent
            .get(url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["asked"]
            .as_u64()
            .unwrap()
    }

    /// An access token as any client gets it (RFC 9068), signed with the first key.
    pub(crate) fn token(&self) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "files.read"),
        ];
        let answer: Value = serde_json::from_str(&self.client("token", &form)).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// The client gives a token back (RFC 7009).
    pub(crate) fn revoke(&self, token: &str) {
        self.client("token/revocation", &[("token", token)]);
    }

    fn client(&self, path: &str, form: &[(&str, &str)]) -> String {
        let url = format!("{}/{path}", self.issuer);
        let basic = "Basic YWdlbnQ6c2VjcmV0JTIwb2YlMjBhJTIwdGVzdA==";
        let call = self.agent.post(url).header("Authorization", basic);
        let mut answer = call.send_form(form.iter().copied()).unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    /// A verifier that was told nothing but the issuer's address.
    fn stand(&self) -> Stand {
        let mut document = policy(&self.issuer, &json!({ "algorithms": ["ES256"] }));
        document["gates"]["g"]["audience"] = "https://api.example.com/mcp".into();
        let stand = Stand::open(&document, Path::new("."));
        stand.clock.set(Clock::System.now().seconds());
        stand
    }
}

#[test]
fn an_issuer_that_is_only_named_is_enough() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let stand = issuer.stand();
    stand.ready().unwrap();
    let token = stand
        .verifier
        .gate("g")
        .unwrap()
        .verify(issuer.token())
        .unwrap();
    assert_eq!(token.subject(), Some("agent"));
    assert!(token.scopes().eq(["files.read"]));
    let state = stand.state();
    assert_eq!(
        (state.source, state.keys.len(), state.last_error),
        ("discovery", 1, None)
    );
}

#[test]
fn it_rotates_and_withdraws_under_load() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    issuer.control("keys", &json!({ "kids": ["a", "b"] }));
    let stand = issuer.stand();
    stand.ready().unwrap();
    let gate = stand.verifier.gate("g").unwrap();
    let first = issuer.token();
    let (stop, judged) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(gate.judge(&first).code(), "accepted");
                judged.fetch_add(1, Ordering::Relaxed);
            }
        });
        let stop_at_end = Stop(&stop);
        // Rotation: another key signs before anyone has seen it.
        issuer.control("keys", &json!({ "kids": ["c", "a"] }));
        let second = issuer.token();
        let asked = issuer.asked();
        assert_eq!(
            gate.judge(&second).code(),
            "keys_refreshing",
            "within the cooldown"
        );
        stand.clock.advance(Span::from_seconds(31));
        let waited = gate.verify_waiting(&second, &Requirements::NONE, std::time::Duration::MAX);
        assert!(waited.is_ok(), "{waited:?}");
        assert_eq!(issuer.asked(), asked + 1, "one fetch, for one unknown kid");
        // An outage: every answer is 503, and nothing that is good is refused for it.
        issuer.control("down", &json!({ "status": 503 }));
        assert!(stand.refresh().last_error.unwrap().contains("503"));
        assert_eq!(gate.judge(&second).code(), "accepted");
        issuer.control("down", &json!({ "status": 0 }));
        until("the load has run", || {
            (judged.load(Ordering::Relaxed) > 1000).then_some(())
        });
        drop(stop_at_end);
        load.join().unwrap();
        // Withdrawal, of a key whose tokens are in the cache.
        assert_eq!(gate.judge(&first).code(), "accepted");
        issuer.control("keys", &json!({ "kids": ["c"] }));
        assert_eq!(stand.refresh().last_error, None);
        assert_eq!(gate.judge(&first).code(), "key_not_found");
        assert_eq!(gate.judge(&second).code(), "accepted");
    });
}
