//! Verifiers that share an engine, while it goes away, comes back and forgets. Nothing sleeps: what
//! happens on other threads is waited for.

mod board;
mod changes;
#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
mod engines;
#[cfg(feature = "feed-nats")]
mod nats;
#[cfg(feature = "feed-redis")]
mod redis;
#[cfg(any(feature = "feed-redis", feature = "feed-nats"))]
#[expect(
    dead_code,
    clippy::print_stderr,
    reason = "shared with tests that use all of it; a test that is skipped says so"
)]
mod servers;
mod store;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use board::Board;

use super::Post;
use crate::crypto::{SigningKey, aws_lc};
use crate::jwa::Algorithm;
use crate::mint::{ClaimsBuilder, Minter};
use crate::observe::Event;
use crate::policy::{Format, Policy};
use crate::time::{Clock, FixedClock, Span};
use crate::verifier::{Revocation, RevokeError, StoreState, Verifier};
use crate::{Gate, Handle};

const NOW: i64 = 1_800_000_000;
const ISS: &str = "https://login.example";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// One process, as far as its verifier goes.
struct Process {
    verifier: Verifier,
    gate: Gate,
    clock: Arc<FixedClock>,
    events: Arc<Mutex<Vec<String>>>,
}

fn key() -> SigningKey {
    SigningKey::from_seed(Algorithm::Ed25519, &[1; 32])
        .unwrap()
        .with_kid("k1")
}

fn policy(revocation: &str) -> Policy {
    let text = format!(
        r#"{{"version":1,
            "issuers":{{"a":{{"issuer":"{ISS}","jwks_push":"process","algorithms":["Ed25519"]}}}},
            "gates":{{"api":{{"profile":"access_token","audience":"mcp","issuers":["a"],
              "delegation":"surface"}}}},
            "stores":{{"local":{{"kind":"file","path":"unused"}},
              "other":{{"kind":"file","path":"unused, too"}}}},
            "revocation":{revocation}}}"#
    );
    Policy::parse(text, Format::Json).unwrap()
}

const SHARED: &str = r#"{"store":"local"}"#;

impl Process {
    fn new(board: &Board) -> Self {
        Self::with(board, SHARED)
    }

    fn with(board: &Board, revocation: &str) -> Self {
        Self::between(board, board, revocation, usize::MAX)
    }

    /// Of two stores, `"local"` and `"other"`; with an outbox of so many letters.
    fn between(local: &Board, other: &Board, revocation: &str, room: usize) -> Self {
        let clock = Arc::new(FixedClock::new(NOW));
        let fixed = Clock::Fixed(Arc::clone(&clock));
        let verifier = Verifier::assemble(
            policy(revocation),
            aws_lc::provider(),
            fixed,
            crate::feed::open_proofs,
        )
        .unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&events);
        verifier.observe(Arc::new(move |event: &Event<'_>| {
            let said = match event {
                Event::RevocationsLoaded { entries, .. } => format!("{} {entries}", event.name()),
                Event::RevocationsInterrupted { reason, .. } => {
                    format!("{} {reason}", event.name())
                }
                Event::RevocationsDelivered { .. } => event.name().to_owned(),
                Event::RevocationsUndelivered { changes, .. } => {
                    format!("{} {changes}", event.name())
                }
                _ => return,
            };
            own.lock()
                .unwrap()
                .push(format!("{said} {}", event.store().unwrap()));
        }));
        let (local, other) = (local.clone(), other.clone());
        Post::attach_through(verifier.engine(), room, move |name| match name {
            "local" => local.engine(),
            _ => other.engine(),
        });
        let set = [key().verifying_jwk().clone()].into_iter().collect();
        verifier.keys().publish("a", &set).unwrap();
        let gate = verifier.gate("api").unwrap();
        Self {
            verifier,
            gate,
            clock,
            events,
        }
    }

    fn says(&self, token: &str) -> &'static str {
        self.gate.judge(token).code()
    }

    /// Waits until this is so, whatever other threads have to do for it.
    #[track_caller]
    fn until(&self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let store = self.verifier.engine().revocation_store();
        let postman = store.postman().unwrap();
        assert!(postman.wait(PATIENCE, &mut || done(self)), "{what}");
    }

    #[track_caller]
    fn comes_to_say(&self, token: &str, code: &str) {
        self.until(code, |own| own.says(token) == code);
    }

    /// Waits until this process knows that something is wrong.
    #[track_caller]
    fn notices(&self) {
        self.until("it is noticed", |own| own.state().last_error.is_some());
    }

    fn heard(&self, event: &str) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|heard| heard.contains(event)).count()
    }

    fn state(&self) -> StoreState {
        self.verifier.revocations().store().unwrap()
    }

    fn revoke(&self, sub: &str) -> (&'static str, bool) {
        let revocations = self.verifier.revocations();
        let receipt = revocations
            .revoke(&Handle::subject(ISS, sub), Revocation::all())
            .unwrap();
        (receipt.reach, receipt.delivered)
    }

    fn undelivered(&self) -> usize {
        self.state().undelivered
    }
}

fn token(sub: &str) -> String {
    let claims = ClaimsBuilder::new()
        .issuer(ISS)
        .subject(sub)
        .client_id("c1")
        .audience(["mcp"])
        .jwt_id("j1")
        .lifetime(Clock::fixed(NOW).now(), Span::from_seconds(300));
    Minter::new(key()).with_typ("at+jwt").mint(&claims).unwrap()
}

#[test]
fn what_one_revokes_another_refuses_and_what_is_lifted_passes_again() {
    let board = Board::default();
    let (a, b) = (Process::new(&board), Process::new(&board));
    let (one, two) = (token("u1"), token("u2"));
    a.comes_to_say(&one, "accepted");
    b.comes_to_say(&one, "accepted");
    assert_eq!(a.revoke("u1"), ("host", false));
    assert_eq!(a.says(&one), "revoked");
    b.comes_to_say(&one, "revoked");
    assert_eq!(b.says(&two), "accepted");
    assert!(a.verifier.revocations().flush(PATIENCE));
    assert_eq!(a.undelivered(), 0);
    b.verifier
        .revocations()
        .lift(&Handle::subject(ISS, "u1"))
        .unwrap();
    assert_eq!(b.says(&one), "accepted");
    a.comes_to_say(&one, "accepted");
    // Whoever comes later learns what is, not what was.
    b.revoke("u2");
    assert!(b.verifier.revocations().flush(PATIENCE));
    let c = Process::new(&board);
    c.comes_to_say(&two, "revoked");
    assert_eq!(c.says(&one), "accepted");
}

#[test]
fn rev_11_without_news_nothing_is_decided_within_the_bound() {
    let board = Board::default();
    board.go_down();
    let process = Process::new(&board);
    let one = token("u1");
    assert_eq!(process.says(&one), "revocation_unavailable");
    process.until("it is told", |own| !own.events.lock().unwrap().is_empty());
    let said = process.events.lock().unwrap()[0].clone();
    assert_eq!(said, "revocations_interrupted the board is away local");
    let error = process.gate.verify(&one).unwrap_err();
    let hint = process.gate.advice(&error).hint;
    assert!(
        hint.contains("local") && hint.contains("the board is away"),
        "{hint}"
    );
    board.come_up();
    process.comes_to_say(&one, "accepted");
    board.go_down();
    process.notices();
    // Up to the bound the news counts, and not a moment longer.
    process.clock.advance(Span::from_seconds(10));
    assert_eq!(process.says(&one), "accepted");
    process.clock.advance(Span::from_millis(1));
    assert_eq!(process.says(&one), "revocation_stale");
    // Not even where the date is set back, which no moment is.
    process.clock.set(NOW - 3600);
    assert_ne!(process.says(&one), "accepted");
    process.clock.set(NOW);
    assert_eq!(process.says(&one), "revocation_stale");
    board.come_up();
    process.comes_to_say(&one, "accepted");
}

#[test]
fn where_the_policy_takes_old_news_the_verdict_says_how_old() {
    let board = Board::default();
    let process = Process::with(&board, r#"{"store":"local","on_stale":"accept_marked"}"#);
    let one = token("u1");
    process.comes_to_say(&one, "accepted");
    board.go_down();
    process.notices();
    let before = process.gate.verify(&one).unwrap();
    assert!(before.says_the_same_as(&process.gate.verify(&one).unwrap()));
    process.clock.advance(Span::from_seconds(60));
    let token = process.gate.verify(&one).unwrap();
    assert!(!before.says_the_same_as(&token));
    assert!(token.says_the_same_as(&process.gate.verify(&one).unwrap()));
    let check = token.revocation();
    assert_eq!((check.checked, check.store), (true, Some("local")));
    assert_eq!(check.staleness, Some(Span::from_seconds(60)));
    // Before any news there is nothing to go by.
    let fresh = Process::with(&board, r#"{"store":"local","on_stale":"accept_marked"}"#);
    assert_eq!(fresh.says(&one), "revocation_unavailable");
}

#[test]
fn what_cannot_be_written_is_in_force_here_and_kept_until_it_can() {
    let board = Board::default();
    let (a, b) = (Process::new(&board), Process::new(&board));
    let one = token("u1");
    a.comes_to_say(&one, "accepted");
    b.comes_to_say(&one, "accepted");
    board.refuse_writes(true);
    a.revoke("u1");
    assert_eq!(a.says(&one), "revoked");
    assert!(!a.verifier.revocations().flush(Duration::ZERO));
    a.notices();
    assert_eq!((a.undelivered(), b.says(&one)), (1, "accepted"));
    board.refuse_writes(false);
    b.comes_to_say(&one, "revoked");
    assert!(a.verifier.revocations().flush(PATIENCE));
    assert_eq!((a.undelivered(), board.letters()), (0, 1));
}

#[test]
fn an_engine_that_forgets_makes_nobody_forget() {
    let board = Board::default();
    let (a, b) = (Process::new(&board), Process::new(&board));
    let (one, two) = (token("u1"), token("u2"));
    b.comes_to_say(&one, "accepted");
    a.revoke("u1");
    b.comes_to_say(&one, "revoked");
    assert!(a.verifier.revocations().flush(PATIENCE));
    board.refuse_writes(true);
    a.revoke("u2");
    board.forget();
    a.until("it has loaded again", |own| {
        own.events.lock().unwrap().len() > 1
    });
    assert_eq!((a.says(&one), b.says(&one)), ("revoked", "revoked"));
    // What had not come back goes again, to those who had never heard of it.
    board.refuse_writes(false);
    b.comes_to_say(&two, "revoked");
}

#[test]
fn an_engine_of_this_host_has_it_when_revoke_returns() {
    let board = Board::local();
    let (a, b) = (Process::new(&board), Process::new(&board));
    let one = token("u1");
    assert_eq!(a.says(&one), "accepted"); // it was loaded when the verifier was made
    assert_eq!(a.revoke("u1"), ("host", true));
    assert_eq!((board.letters(), a.undelivered()), (1, 0));
    b.comes_to_say(&one, "revoked");
    board.refuse_writes(true);
    assert_eq!(a.revoke("u2"), ("host", false));
    board.refuse_writes(false);
    // The next one takes along what was left.
    assert_eq!(a.revoke("u3"), ("host", true));
    b.comes_to_say(&token("u2"), "revoked");
}

#[test]
fn what_an_engine_of_this_host_did_not_take_is_written_when_it_does() {
    let board = Board::local();
    let (a, b) = (Process::new(&board), Process::new(&board));
    board.refuse_writes(true);
    assert_eq!(a.revoke("u1"), ("host", false));
    board.refuse_writes(false);
    b.comes_to_say(&token("u1"), "revoked");
    a.until("it is delivered", |own| own.undelivered() == 0);
}

#[test]
fn what_is_still_to_be_written_holds_whatever_is_read() {
    let board = Board::default();
    let process = Process::new(&board);
    let one = token("u1");
    process.comes_to_say(&one, "accepted");
    process.revoke("u1");
    let revocations = process.verifier.revocations();
    revocations.lift(&Handle::subject(ISS, "u1")).unwrap();
    assert!(revocations.flush(PATIENCE));
    board.refuse_writes(true);
    process.revoke("u1");
    // The engine knows that it was lifted, and nothing of what came then.
    let loads = || {
        let events = process.events.lock().unwrap();
        let loaded = |event: &&String| event.starts_with("revocations_loaded");
        events.iter().filter(loaded).count()
    };
    let before = loads();
    board.jump();
    process.until("it has loaded again", |_| loads() > before);
    assert_eq!(process.says(&one), "revoked");
    board.refuse_writes(false);
    assert!(revocations.flush(PATIENCE));
    assert_eq!(process.says(&one), "revoked");
}

#[test]
fn who_is_gone_says_what_no_store_was_handed() {
    let board = Board::default();
    let Process {
        verifier,
        gate,
        events,
        ..
    } = Process::new(&board);
    board.refuse_writes(true);
    let u1 = Handle::subject(ISS, "u1");
    verifier
        .revocations()
        .revoke(&u1, Revocation::all())
        .unwrap();
    drop((verifier, gate));
    let told = "revocations_undelivered 1 local";
    board.jump(); // whoever reads looks up
    while !events.lock().unwrap().iter().any(|event| event == told) {
        std::thread::yield_now();
    }
}

#[test]
fn a_reload_begins_and_ends_sharing() {
    let board = Board::local();
    let process = Process::with(&board, r#"{"store":"process"}"#);
    let one = token("u1");
    assert_eq!(process.verifier.revocations().store(), None);
    assert_eq!(process.revoke("u2"), ("process", true));
    let other = Process::new(&board);
    other.revoke("u1");
    assert_eq!(process.says(&one), "accepted");
    process.verifier.reload(policy(SHARED)).unwrap();
    assert_eq!(process.says(&one), "revoked");
    // Of what one process knew alone nobody is told.
    assert_eq!(other.says(&token("u2")), "accepted");
    board.go_down();
    process
        .verifier
        .reload(policy(r#"{"store":"process"}"#))
        .unwrap();
    process.clock.advance(Span::from_seconds(60));
    assert_eq!(process.says(&token("u3")), "accepted");
    assert_eq!(process.says(&one), "revoked");
}

#[test]
fn who_is_closed_reads_no_more_and_says_so_in_time() {
    let board = Board::default();
    let process = Process::new(&board);
    let one = token("u1");
    process.comes_to_say(&one, "accepted");
    board.go_down();
    process.revoke("u1");
    let left = process.verifier.revocations().close();
    let left: Vec<_> = left
        .iter()
        .map(|left| (left.store.as_str(), left.changes))
        .collect();
    assert_eq!(left, [("local", 1)]);
    process.verifier.close();
    assert_eq!(process.verifier.revocations().close(), [], "told once");
    assert_eq!(process.heard("revocations_undelivered 1 local"), 1);
    process.clock.advance(Span::from_seconds(11));
    assert_eq!(process.says(&token("u2")), "revocation_stale");
    assert!(!process.verifier.revocations().flush(PATIENCE)); // at once: nobody will
    let refused = process
        .verifier
        .revocations()
        .lift(&Handle::subject(ISS, "u1"));
    assert_eq!(refused, Err(RevokeError::Closed));
}
