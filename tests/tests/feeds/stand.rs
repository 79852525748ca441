//! One process of a fleet, as far as its verifier goes.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sealgate::{
    Clock, Event, FixedClock, Format, Gate, Handle, LoadOptions, Observer, Policy, Revocation,
    Span, StoreState, Verifier, crypto,
};
use sealgate_tests::workshop::{Key, b64u};
use serde_json::json;

use crate::servers::{Kind, Server};

const NOW: i64 = 1_800_000_000;
pub(crate) const ISS: &str = "https://as.example";
/// Longer than anything here takes: a bound for what should have come long before.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Both servers of which a store can be.
pub(crate) const KINDS: [Kind; 2] = [Kind::Redis, Kind::Nats];

pub(crate) struct Process {
    pub(crate) verifier: Verifier,
    gate: Gate,
    clock: Arc<FixedClock>,
    events: Arc<Mutex<Vec<String>>>,
    _folder: Folder,
}

impl Process {
    /// It reaches the server directly.
    pub(crate) fn of(server: &Server) -> Self {
        Self::at(server, server.port())
    }

    /// It reaches the server through this port.
    pub(crate) fn at(server: &Server, port: u16) -> Self {
        let kind = kind_of(server);
        let store = json!({ "kind": kind, "url": { "file": "url" }, "namespace": "tests" });
        Self::with(store, Folder::with(&server.url_at(port)))
    }

    /// One of several of this host, which share the folder.
    pub(crate) fn in_folder(path: &Path) -> Self {
        Self::with(json!({ "kind": "file", "path": path }), Folder::with(""))
    }

    fn with(store: serde_json::Value, folder: Folder) -> Self {
        let policy = json!({
            "version": 1,
            "issuers": { "as": {
                "issuer": ISS, "algorithms": ["Ed25519"], "jwks": { "keys": [key().jwk] },
            } },
            "gates": { "g": {
                "profile": "access_token", "audience": "https://rs.example", "issuers": ["as"],
            } },
            "stores": { "fleet": store },
            "revocation": { "store": "fleet" },
        });
        let options = LoadOptions::new()
            .allow_test_keys(true)
            .folder(folder.path());
        let policy = Policy::parse_with(policy.to_string(), Format::Json, &options).unwrap();
        let clock = Arc::new(FixedClock::new(NOW));
        let fixed = Clock::Fixed(Arc::clone(&clock));
        let verifier = Verifier::with_clock(policy, crypto::aws_lc::provider(), fixed).unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        verifier.observe(Arc::new(Heard(Arc::clone(&events))) as Arc<dyn Observer>);
        Self {
            gate: verifier.gate("g").unwrap(),
            verifier,
            clock,
            events,
            _folder: folder,
        }
    }

    pub(crate) fn says(&self, token: &str) -> &'static str {
        self.gate.judge(token).code()
    }

    #[track_caller]
    pub(crate) fn comes_to_say(&self, token: &str, code: &str) {
        until(&format!("{code}, not {}", self.says(token)), || {
            self.says(token) == code
        });
    }

    pub(crate) fn revoke(&self, sub: &str) {
        let handle = Handle::subject(ISS, sub);
        let revocation = Revocation::all().because("a test");
        let receipt = self
            .verifier
            .revocations()
            .revoke(&handle, revocation)
            .unwrap();
        assert_eq!((receipt.reach, receipt.delivered), ("fleet", false));
    }

    pub(crate) fn lift(&self, sub: &str) {
        let handle = Handle::subject(ISS, sub);
        self.verifier.revocations().lift(&handle).unwrap();
    }

    /// Whether the store has come to have everything of this process.
    pub(crate) fn delivers(&self) -> bool {
        self.verifier.revocations().flush(PATIENCE)
    }

    pub(crate) fn state(&self) -> StoreState {
        self.verifier.revocations().store().unwrap()
    }

    pub(crate) fn later(&self, millis: i64) {
        self.clock.advance(Span::from_millis(millis));
    }

    pub(crate) fn was_told(&self, text: &str) -> bool {
        let events = self.events.lock().unwrap();
        events.iter().any(|event| event.contains(text))
    }
}

/// A folder with the URL of a server, as a policy names one.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn with(url: &str) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = format!("sealgate-feeds-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("url");
        std::fs::write(&file, url).unwrap();
        // A URL may have a password: the loader takes none that others can read.
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a policy calls it.
pub(crate) fn kind_of(server: &Server) -> &'static str {
    match server.kind() {
        Kind::Redis | Kind::ForgetfulRedis => "redis",
        Kind::Nats | Kind::PlainNats => "nats",
    }
}

struct Heard(Arc<Mutex<Vec<String>>>);

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        if let Event::RevocationsInterrupted { reason, .. } = event {
            self.0.lock().unwrap().push((*reason).to_owned());
        }
    }
}

/// Looks again and again, and gives up after a minute.
#[expect(
    clippy::disallowed_methods,
    reason = "a bound for a test that would hang"
)]
#[track_caller]
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(
            began.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        thread::yield_now();
    }
}

fn key() -> Key {
    Key::seeded("Ed25519", "k1")
}

pub(crate) fn token(sub: &str) -> String {
    let header = json!({ "alg": "Ed25519", "typ": "at+jwt", "kid": "k1" });
    let claims = json!({
        "iss": ISS, "sub": sub, "client_id": "c1", "jti": sub,
        "aud": "https://rs.example", "iat": NOW, "exp": NOW + 3600,
    });
    let input = format!("{}.{}", b64u(header.to_string()), b64u(claims.to_string()));
    let signature = key().sign(input.as_bytes());
    format!("{input}.{}", b64u(signature))
}
