//! Used proofs at a server, asked about for callers that do not wait: a server of the test's own.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, ThreadId};

use serde_json::json;

use super::NOW;
use super::hosts::Scratch;
use super::requests::{bound, call, code, policy, proof};
use super::transactions::{DOMAIN, TTS, txn};
use crate::binding::ReplayReach;
use crate::crypto::aws_lc;
use crate::error::{Code, Error};
use crate::feed::Threads;
use crate::policy::{Format, Policy, StoreRules};
use crate::replay::{Desk, Unanswered, UsedProofs};
use crate::time::{Clock, FixedClock, NumericDate, Span};
use crate::verifier::{
    Begun, Gate, Inquiry, OpenProofs, Request, Requirements, Stage, VerifiedToken, Verifier,
};

/// What such a server holds, until when; it counts who asks.
#[derive(Default)]
struct Held {
    keys: Mutex<BTreeMap<String, NumericDate>>,
    asked: AtomicUsize,
}

impl UsedProofs for Held {
    fn insert(&self, key: &str, until: NumericDate, now: NumericDate) -> Result<bool, Unanswered> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut keys = self.keys.lock().unwrap();
        keys.retain(|_, end| *end >= now);
        let first = !keys.contains_key(key);
        if first {
            keys.insert(key.to_owned(), until);
        }
        Ok(first)
    }

    fn extend(&self, key: &str, until: NumericDate, _: NumericDate) {
        self.keys.lock().unwrap().insert(key.to_owned(), until);
    }
}

struct Away;

impl UsedProofs for Away {
    fn insert(&self, _: &str, _: NumericDate, _: NumericDate) -> Result<bool, Unanswered> {
        let text = "nobody there".to_owned();
        Err(Unanswered { text, passes: true })
    }

    fn extend(&self, _: &str, _: NumericDate, _: NumericDate) {}
}

/// Keeps whoever asks waiting, by a clock of its own, and counts them.
struct Mute;

static PASSES: LazyLock<Arc<FixedClock>> = LazyLock::new(|| Arc::new(FixedClock::new(NOW)));
static WAITED: AtomicUsize = AtomicUsize::new(0);

impl UsedProofs for Mute {
    fn insert(&self, _: &str, _: NumericDate, _: NumericDate) -> Result<bool, Unanswered> {
        WAITED.fetch_add(1, Ordering::Relaxed);
        PASSES.advance(Span::from_seconds(2));
        let text = "no answer in time".to_owned();
        Err(Unanswered { text, passes: true })
    }

    fn extend(&self, _: &str, _: NumericDate, _: NumericDate) {}
}

struct Broken;

impl UsedProofs for Broken {
    fn insert(&self, _: &str, _: NumericDate, _: NumericDate) -> Result<bool, Unanswered> {
        panic!("on purpose")
    }

    fn extend(&self, _: &str, _: NumericDate, _: NumericDate) {}
}

pub(super) type Opened = (Arc<dyn UsedProofs>, Box<dyn Desk>);
pub(super) type Digest = fn(&[u8]) -> [u8; 32];

pub(super) fn held(_: &StoreRules, _: Digest) -> Opened {
    (Arc::new(Held::default()), Box::new(Threads::new()))
}

fn away(_: &StoreRules, _: Digest) -> Opened {
    (Arc::new(Away), Box::new(Threads::new()))
}

fn mute(_: &StoreRules, _: Digest) -> Opened {
    (Arc::new(Mute), Box::new(Threads::new()))
}

fn broken(_: &StoreRules, _: Digest) -> Opened {
    (Arc::new(Broken), Box::new(Threads::new()))
}

/// Whoever is asked panics; nobody finds a place to ask.
fn full(_: &StoreRules, _: Digest) -> Opened {
    (Arc::new(Broken), Box::new(Threads::with(0, 0)))
}

/// A gate whose used proofs are at this server.
fn gate(name: &str, replay: &str, server: OpenProofs) -> Gate {
    let dpop = |stores: &str| {
        policy(&format!(
            r#""dpop":{{}},"replay":{{"store":"fleet"{replay}}},{stores}"#
        ))
    };
    let verifier = opened(name, dpop, server, Clock::fixed(NOW));
    verifier.gate("api").unwrap()
}

/// A gate whose tokens are good once, as this server remembers them.
fn gate_of_transactions(name: &str, server: OpenProofs) -> Gate {
    gate_of_transactions_at(name, server, Clock::fixed(NOW))
}

pub(super) fn gate_of_transactions_at(name: &str, server: OpenProofs, clock: Clock) -> Gate {
    let of = |stores: &str| {
        let document = format!(
            r#"{{"version":1,{stores}"replay":{{"store":"fleet"}},
                "issuers":{{"tts":{{"issuer":"{TTS}","jwks_push":"process","algorithms":["Ed25519"],
                                    "profiles":["txn_token"]}}}},
                "gates":{{"calls":{{"profile":"txn_token","audience":"{DOMAIN}","issuers":["tts"],
                                    "transactions":{{"use":"once"}}}}}}}}"#
        );
        Policy::parse(document, Format::Json).unwrap()
    };
    let verifier = opened(name, of, server, clock);
    let keys = super::set(&[&super::key(2, "t")]);
    verifier.keys().publish("tts", &keys).unwrap();
    verifier.gate("calls").unwrap()
}

/// A verifier of this policy, which is given its stores: one of them, `fleet`, is this server.
fn opened(
    name: &str,
    policy: impl FnOnce(&str) -> Policy,
    server: OpenProofs,
    clock: Clock,
) -> Verifier {
    let scratch = Scratch::new(name);
    fs::create_dir_all(&scratch.0).unwrap();
    let url = scratch.0.join("url");
    fs::write(&url, "redis://127.0.0.1:1").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&url, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let stores = format!(r#""stores":{{"fleet":{{"kind":"redis","url":{{"file":{url:?}}}}}}},"#);
    Verifier::assemble(policy(&stores), aws_lc::provider(), clock, server).unwrap()
}

/// What the verifier counts of used proofs.
fn stats(gate: &Gate) -> String {
    let engine = Arc::clone(&gate.engine);
    Verifier { engine }.stats()["proofs"].to_string()
}

type Told = (Result<VerifiedToken, Error>, ThreadId);

/// Begins with a request, and asks about it.
fn ask(gate: &Gate, token: &str, proof: &str) -> Receiver<Told> {
    let authorization = format!("DPoP {token}");
    let fields = [("Authorization", authorization.as_str()), ("DPoP", proof)];
    let request = Request::new("POST", "/mcp").headers(fields);
    let Begun::Asks(inquiry) = gate.begin_request(&request, &Requirements::NONE).unwrap() else {
        panic!("nobody is asked");
    };
    let (told, tells) = channel();
    inquiry.ask(move |verdict| told.send((verdict, thread::current().id())).unwrap());
    tells
}

#[test]
fn sixty_four_that_ask_about_one_proof_give_one_accept() {
    let (gate, token) = (gate("asked", "", held), bound());
    assert!(gate.waits_for_server());
    let shown = proof(&token, "1");
    let asked = [(); 64].map(|()| ask(&gate, &token, &shown));
    let told = asked.map(|told| told.recv().unwrap());
    let here = thread::current().id();
    assert!(told.iter().all(|(_, thread)| *thread != here));
    let (first, others) = told
        .into_iter()
        .partition::<Vec<Told>, _>(|(told, _)| told.is_ok());
    assert_eq!((first.len(), others.len()), (1, 63));
    let reach = first[0].0.as_ref().unwrap().replay_reach();
    assert_eq!(reach, Some(ReplayReach::Fleet));
    for (told, _) in others {
        assert_eq!(code(told), Some(Code::Replayed));
    }
    let stats = stats(&gate);
    assert_eq!(
        stats,
        r#"{"asked":64,"reach":"fleet","store":"fleet","unanswered":0}"#
    );
    // Whoever may wait is answered by the same server.
    assert_eq!(code(call(&gate, &token, &shown)), Some(Code::Replayed));
    call(&gate, &token, &proof(&token, "2")).unwrap();
}

#[test]
fn nobody_is_asked_where_nothing_is_to_be_known() {
    let (gate, token) = (gate("unasked", "", broken), bound());
    // What is dropped has asked nobody, and what is refused is not asked about.
    let authorization = format!("DPoP {token}");
    let (shown, altered) = (proof(&token, "1"), proof(&token, "1").replace('.', "A."));
    let begin = |proof: &str| {
        let fields = [("Authorization", authorization.as_str()), ("DPoP", proof)];
        let request = Request::new("POST", "/mcp").headers(fields);
        gate.begin_request(&request, &Requirements::NONE)
    };
    assert!(matches!(begin(&shown), Ok(Begun::Asks(_))));
    assert_eq!(begin(&altered).unwrap_err().code(), Code::PopInvalid);
    // Nor is a token without a proof, or a server that is none.
    let bearer = super::requests::issued("");
    let authorization = format!("Bearer {bearer}");
    let fields = [("Authorization", authorization.as_str())];
    let request = Request::new("POST", "/mcp").headers(fields);
    let begun = gate.begin_request(&request, &Requirements::NONE);
    assert!(matches!(begun, Ok(Begun::Verified(_))));
    let (here, _) = super::requests::gate(super::requests::DPOP);
    let authorization = format!("DPoP {token}");
    let fields = [("Authorization", authorization.as_str()), ("DPoP", &shown)];
    let request = Request::new("POST", "/mcp").headers(fields);
    let begun = here.begin_request(&request, &Requirements::NONE);
    let Ok(Begun::Verified(verified)) = begun else {
        panic!("somebody is asked");
    };
    assert_eq!(verified.replay_reach(), Some(ReplayReach::Process));
    let again = here.begin_request(&request, &Requirements::NONE);
    assert_eq!(again.unwrap_err().code(), Code::Replayed);
}

#[test]
fn without_an_answer_it_is_undecided_and_a_panic_is_an_answer() {
    let token = bound();
    let answer = |gate: &Gate| ask(gate, &token, &proof(&token, "1")).recv().unwrap().0;
    let refusing = gate("away", "", away);
    let error = answer(&refusing).unwrap_err();
    assert_eq!(error.code(), Code::ReplayUnavailable);
    let advice = refusing.advice(&error);
    assert!(advice.hint.contains("nobody there"), "{}", advice.hint);
    let marking = gate("marked", r#","on_unavailable":"accept_marked""#, away);
    assert_eq!(answer(&marking).unwrap().replay_reach(), None);
    let counts = r#"{"asked":1,"reach":"fleet","store":"fleet","unanswered":1}"#;
    assert_eq!(stats(&marking), counts);
    let broken = gate("broken", "", broken);
    assert_eq!(code(answer(&broken)), Some(Code::Internal));
    assert_eq!(code(answer(&broken)), Some(Code::Internal));
}

#[test]
fn who_finds_no_place_at_a_desk_asks_nobody_and_is_undecided() {
    let token = bound();
    let answer = |gate: &Gate| ask(gate, &token, &proof(&token, "1")).recv().unwrap();
    let refusing = gate("full", "", full);
    let (told, thread) = answer(&refusing);
    assert_eq!(thread, thread::current().id());
    let error = told.unwrap_err();
    assert_eq!(error.code(), Code::ReplayUnavailable);
    let hint = refusing.advice(&error).hint;
    assert!(hint.contains("with a new proof"), "{hint}");
    let counts = r#"{"asked":1,"reach":"fleet","store":"fleet","unanswered":1}"#;
    assert_eq!(stats(&refusing), counts);
    let marking = gate(
        "full and marked",
        r#","on_unavailable":"accept_marked""#,
        full,
    );
    assert_eq!(answer(&marking).0.unwrap().replay_reach(), None);
}

#[test]
fn txt_11_a_token_that_is_good_once_is_so_for_all_hosts() {
    let gate = gate_of_transactions("transactions", held);
    assert!(gate.waits_with_tokens());
    assert!(gate.sit().tokens_answer_at_once().is_err());
    let asks = |name: &str| {
        let token = txn(json!({ "txn": name }));
        match gate.begin_chain(&token, &[], &Requirements::NONE).unwrap() {
            Begun::Asks(inquiry) => inquiry,
            Begun::Verified(_) => panic!("nobody is asked"),
        }
    };
    let answer = |inquiry: Box<Inquiry>| {
        let (told, tells) = channel();
        inquiry.ask(move |verdict| told.send(verdict).unwrap());
        tells.recv().unwrap()
    };
    // What is dropped has used nothing up.
    drop(asks("x1"));
    let accepted = answer(asks("x1")).unwrap();
    assert_eq!(accepted.replay_reach(), Some(ReplayReach::Fleet));
    assert_eq!(code(answer(asks("x1"))), Some(Code::Replayed));
    // Whoever may wait is answered by the same server, one by one and many at once.
    assert_eq!(code(gate.verify(txn(json!({})))), Some(Code::Replayed));
    let [x2, x3] = ["x2", "x3"].map(|name| txn(json!({ "txn": name })));
    gate.verify(&x2).unwrap();
    let verdicts = gate.verify_batch(&[&x2, &x3]).into_iter();
    let codes: Vec<&str> = verdicts.map(|verdict| verdict.code()).collect();
    assert_eq!(codes, ["replayed", "accepted"]);
    let explained = gate.explain(txn(json!({ "txn": "x4" })));
    assert!(explained.outcome.is_ok());
    let replay = explained
        .steps
        .iter()
        .find(|step| step.stage == Stage::Replay);
    let note = &replay.unwrap().note;
    assert!(
        note.starts_with("not asked: replay.store is a server"),
        "{note}"
    );
    gate.verify(txn(json!({ "txn": "x4" }))).unwrap();
    // A request brings it, too.
    let token = txn(json!({}));
    let fields = [("Txn-Token", token.as_str())];
    let request = Request::new("POST", "/mcp").headers(fields);
    let begun = gate.begin_request(&request, &Requirements::NONE);
    assert!(matches!(begun, Ok(Begun::Asks(_))));
}

#[test]
fn without_an_answer_a_token_that_is_good_once_is_undecided() {
    let gate = gate_of_transactions("away transactions", away);
    let refused = gate.verify(txn(json!({})));
    assert_eq!(code(refused), Some(Code::ReplayUnavailable));
}

#[test]
fn a_silent_server_is_waited_for_by_one() {
    let clock = Clock::Fixed(Arc::clone(&PASSES));
    let gate = gate_of_transactions_at("mute", mute, clock);
    let tokens: Vec<String> = (0..8)
        .map(|number| txn(json!({ "txn": format!("x{number}") })))
        .collect();
    let batch = gate.verify_batch(&tokens);
    assert_eq!(batch.counts(), [(Code::ReplayUnavailable, 8)]);
    assert_eq!(WAITED.load(Ordering::Relaxed), 1);
    let error = gate.verify(&tokens[0]).unwrap_err();
    assert_eq!(error.code(), Code::ReplayUnavailable);
    let hint = gate.advice(&error).hint;
    assert!(hint.contains("no answer in time"), "{hint}");
    assert_eq!(WAITED.load(Ordering::Relaxed), 1);
    let counts = r#"{"asked":9,"reach":"fleet","store":"fleet","unanswered":9}"#;
    assert_eq!(stats(&gate), counts);
    // It is asked again when it was left alone for a while.
    PASSES.advance(Span::from_seconds(1));
    let batch = gate.verify_batch(&tokens);
    assert_eq!(batch.counts(), [(Code::ReplayUnavailable, 8)]);
    assert_eq!(WAITED.load(Ordering::Relaxed), 2);
}

#[test]
fn a_batch_that_nobody_wants_asks_no_server_any_more() {
    let gate = gate_of_transactions("unwanted", held);
    let tokens: Vec<String> = (0..8)
        .map(|number| txn(json!({ "txn": format!("x{number}") })))
        .collect();
    let asked = AtomicUsize::new(0);
    // Before the chunk, and before three of its tokens.
    let wanted = || asked.fetch_add(1, Ordering::Relaxed) < 4;
    let batch = gate.verify_batch_while(&tokens, &Requirements::NONE, wanted);
    assert!(batch.is_none());
    let counts = r#"{"asked":3,"reach":"fleet","store":"fleet","unanswered":0}"#;
    assert_eq!(stats(&gate), counts);
    let batch = gate.verify_batch_while(&tokens, &Requirements::NONE, || true);
    let counts = batch.unwrap().counts();
    assert_eq!(counts, [(Code::Replayed, 3)]);
}
