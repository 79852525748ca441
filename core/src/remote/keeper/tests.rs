//! A verifier, its keepers, a network that answers what it is told, and a clock that stands still.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Job, Keepers};
use crate::crypto::{SigningKey, aws_lc};
use crate::error::Code;
use crate::jwa::Algorithm;
use crate::limits::{FETCHES, FETCHES_FAILING};
use crate::mint::{ClaimsBuilder, Minter};
use crate::observe::Event;
use crate::remote::FetchError;
use crate::remote::fetch::{Fetch, Request, Response};
use crate::{Clock, FixedClock, Format, Policy, Requirements, Span, Verifier};

const START: i64 = 1_800_000_000;

/// What each URL answers; others are 404. Counts what it was asked.
#[derive(Default)]
struct Net {
    answers: Mutex<BTreeMap<String, Result<String, u16>>>,
    asked: Mutex<Vec<String>>,
}

impl Net {
    fn answers(&self, url: &str, answer: Result<&str, u16>) {
        let answer = answer.map(str::to_owned);
        self.answers.lock().unwrap().insert(url.to_owned(), answer);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Fetch for Net {
    fn fetch(&self, request: Request<'_>) -> Result<Response, FetchError> {
        self.asked.lock().unwrap().push(request.url.to_owned());
        let answers = self.answers.lock().unwrap();
        let answer = answers.get(request.url).cloned().unwrap_or(Err(404));
        match answer {
            Ok(body) => {
                let etag = format!("\"{body}\"");
                let same = request.etag == Some(&etag);
                Ok(Response {
                    body: (!same).then(|| body.into_bytes()),
                    freshness: Some(Span::from_seconds(600)),
                    etag: Some(etag),
                    date: None,
                })
            }
            Err(status) => Err(FetchError::Status {
                url: request.url.to_owned(),
                status,
            }),
        }
    }
}

struct Stand {
    clock: Arc<FixedClock>,
    net: Net,
    verifier: Verifier,
    keepers: Keepers,
}

/// A policy of issuers `i0`, `i1`, … with keys at `https://iN.example/keys`.
fn policy(issuers: usize, source: impl Fn(usize) -> String) -> Policy {
    let tables =
        |table: &dyn Fn(usize) -> String| (0..issuers).map(table).collect::<Vec<_>>().join(",");
    let text = format!(
        r#"{{"version":1,"issuers":{{{}}},"gates":{{{}}}}}"#,
        tables(&|n| format!(
            r#""i{n}":{{"issuer":"https://i{n}.example","algorithms":["Ed25519"],{}}}"#,
            source(n)
        )),
        tables(&|n| format!(
            r#""g{n}":{{"profile":"access_token","audience":"aud{n}","issuers":["i{n}"]}}"#
        )),
    );
    Policy::parse(text, Format::Json).unwrap()
}

fn by_uri(n: usize) -> String {
    format!(r#""jwks_uri":"https://i{n}.example/keys""#)
}

fn key(kid: &str) -> SigningKey {
    let mut seed = [7; 32];
    for (byte, name) in seed.iter_mut().zip(kid.bytes()) {
        *byte = name;
    }
    SigningKey::from_seed(Algorithm::Ed25519, &seed)
        .unwrap()
        .with_kid(kid)
}

fn set(kids: &[&str]) -> String {
    let keys: Vec<String> = kids
        .iter()
        .map(|kid| key(kid).verifying_jwk().to_json())
        .collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

impl Stand {
    fn new(policy: Policy) -> Self {
        let clock = Arc::new(FixedClock::new(START));
        let fixed = Clock::Fixed(Arc::clone(&clock));
        Self {
            verifier: Verifier::assemble(
                policy,
                aws_lc::provider(),
                fixed,
                crate::feed::open_proofs,
            )
            .unwrap(),
            clock,
            net: Net::default(),
            keepers: Keepers::new(),
        }
    }

    /// One issuer, whose set has these keys, fetched.
    fn with_keys(kids: &[&str]) -> Self {
        let mut stand = Self::new(policy(1, by_uri));
        stand.net.answers("https://i0.example/keys", Ok(&set(kids)));
        stand.run();
        stand
    }

    fn serve(&self, answer: Result<&str, u16>) {
        self.net.answers("https://i0.example/keys", answer);
    }

    fn begin(&mut self) -> Vec<Job> {
        self.keepers.step(self.verifier.engine()).jobs
    }

    fn end(&mut self, job: Job) {
        let outcome = job.run_with(&self.net);
        self.keepers.settle(self.verifier.engine(), outcome);
    }

    /// Everything that is due.
    fn run(&mut self) {
        loop {
            let jobs = self.begin();
            if jobs.is_empty() {
                break;
            }
            for job in jobs {
                self.end(job);
            }
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.clock.advance(Span::from_seconds(seconds));
        self.run();
    }

    /// A token as of now that lives for a day's tests.
    fn token(&self, n: usize, kid: &str) -> String {
        let claims = ClaimsBuilder::new()
            .issuer(&format!("https://i{n}.example"))
            .subject("u1")
            .client_id("c1")
            .audience([format!("aud{n}").as_str()])
            .jwt_id("j1")
            .lifetime(self.clock.now(), Span::from_seconds(3600));
        Minter::new(key(kid))
            .with_typ("at+jwt")
            .mint(&claims)
            .unwrap()
    }

    fn judge(&self, n: usize, token: &str) -> &'static str {
        self.verifier
            .gate(&format!("g{n}"))
            .unwrap()
            .judge(token)
            .code()
    }

    fn says(&self, kid: &str) -> &'static str {
        self.judge(0, &self.token(0, kid))
    }

    /// The code of a token with this `kid`, and when its caller may try again.
    fn retry_after(&self, kid: &str) -> (Code, String) {
        let gate = self.verifier.gate("g0").unwrap();
        let error = gate.verify(self.token(0, kid)).unwrap_err();
        let headers = gate.answer(&error, &Requirements::NONE).headers;
        let found = headers.into_iter().find(|(name, _)| *name == "Retry-After");
        (error.code(), found.unwrap().1)
    }

    fn last_error(&self) -> Option<String> {
        self.verifier.keys().state("i0").unwrap().last_error
    }
}

#[test]
fn tokens_are_undecided_until_the_first_keys_are_there() {
    let mut stand = Stand::new(policy(1, by_uri));
    stand.serve(Ok(&set(&["a"])));
    assert_eq!(stand.says("a"), "keys_refreshing");
    let job = stand.begin().pop().unwrap();
    assert_eq!(stand.says("a"), "keys_refreshing");
    assert!(stand.begin().is_empty(), "single flight");
    stand.end(job);
    assert_eq!(stand.says("a"), "accepted");
    let state = stand.verifier.keys().state("i0").unwrap();
    assert_eq!((state.source, state.generation), ("jwks_uri", 1));
    assert_eq!(state.fetched_at.unwrap().seconds(), START);
    let next = state.next_refresh.unwrap().seconds() - START;
    assert!((270..=300).contains(&next), "{next}");
}

#[test]
fn keys_that_come_while_a_token_is_judged_are_no_outage() {
    let mut stand = Stand::new(policy(1, by_uri));
    stand.serve(Ok(&set(&["a"])));
    let job = stand.begin().pop().unwrap();
    let gate = stand.verifier.gate("g0").unwrap();
    let (before, token) = (gate.sit(), stand.token(0, "a"));
    stand.end(job);
    let refused = before.verify(&token, &Requirements::NONE).unwrap_err();
    assert_eq!(refused.code(), Code::KeysRefreshing);
    let waited = gate.verify_waiting(&token, &Requirements::NONE, Duration::ZERO);
    assert!(waited.is_ok());
}

#[test]
fn an_issuer_that_cannot_be_reached_is_an_outage() {
    let mut stand = Stand::new(policy(1, by_uri));
    stand.serve(Err(500));
    stand.run();
    assert_eq!(stand.says("a"), "keys_unavailable");
    let error = stand.last_error().unwrap();
    assert_eq!(error, "https://i0.example/keys answered 500");
    stand.serve(Ok(&set(&["a"])));
    stand.pass(2);
    assert_eq!((stand.says("a"), stand.last_error()), ("accepted", None));
}

#[test]
fn an_outage_ends_with_the_next_try_at_the_soonest_and_callers_are_told_when() {
    let mut stand = Stand::new(policy(2, by_uri));
    stand
        .net
        .answers("https://i1.example/keys", Ok(&set(&["b"])));
    stand.serve(Err(500));
    for _ in 0..12 {
        stand.run();
        let keys = stand.verifier.keys();
        let next = keys.state("i0").unwrap().next_refresh.unwrap();
        let left = next.since(stand.clock.now()).to_duration().as_secs();
        assert!((1..=45).contains(&left), "{left}");
        let told = (Code::KeysUnavailable, (left + 1).min(30).to_string());
        assert_eq!(stand.retry_after("a"), told, "of this issuer alone");
        let left = i64::try_from(left).unwrap();
        stand.clock.advance(Span::from_seconds(left));
        let told = (Code::KeysUnavailable, "1".to_owned());
        assert_eq!(stand.retry_after("a"), told, "a moment before the try");
        stand.clock.advance(Span::from_seconds(1));
    }
    super::leave(stand.verifier.engine());
    let told = (Code::KeysUnavailable, "5".to_owned());
    assert_eq!(stand.retry_after("a"), told, "nobody tries");
}

#[test]
fn keys_are_refreshed_ahead_of_need_and_unknown_ones_on_demand() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.serve(Ok(&set(&["a", "b"])));
    stand.pass(31);
    assert_eq!(stand.says("b"), "keys_refreshing");
    stand.run();
    assert_eq!(stand.says("b"), "accepted");
    // Nobody asks, and the keys are fetched all the same.
    stand.serve(Ok(&set(&["c"])));
    stand.pass(301);
    assert_eq!(stand.says("c"), "accepted");
}

#[test]
fn jwks_01_a_flood_of_unknown_kids_causes_one_fetch_a_cooldown() {
    let mut stand = Stand::with_keys(&["a"]);
    assert_eq!(stand.net.asked().len(), 1);
    assert_eq!(stand.says("stale"), "keys_refreshing");
    for second in 0..90 {
        for flood in 0..50 {
            let code = stand.says(&format!("x{second}-{flood}"));
            assert_eq!(code, "keys_refreshing", "nobody has asked since it came");
        }
        stand.run();
        assert_eq!(stand.says("a"), "accepted");
        let known = if second < 30 {
            "keys_refreshing"
        } else {
            "key_not_found"
        };
        assert_eq!(stand.says("stale"), known, "{second}");
        stand.clock.advance(Span::from_seconds(1));
    }
    assert_eq!(stand.net.asked().len(), 2, "one a cooldown");
}

/// D15: a forged `kid` uses the cooldown up, and then a good one comes: it is not refused for that.
#[test]
fn d15_a_rotation_within_the_cooldown_costs_nobody_his_token() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.net.asked();
    stand.clock.advance(Span::from_seconds(40));
    assert_eq!(stand.says("forged"), "keys_refreshing");
    stand.run();
    assert_eq!(stand.says("forged"), "key_not_found");
    stand.serve(Ok(&set(&["a", "b"])));
    stand.clock.advance(Span::from_seconds(10));
    let gate = stand.verifier.gate("g0").unwrap();
    let refused = gate.verify(stand.token(0, "b")).unwrap_err();
    assert_eq!(refused.code(), Code::KeysRefreshing);
    assert!(!gate.may_settle(&refused, Duration::from_secs(20)));
    assert!(gate.may_settle(&refused, Duration::from_secs(21)));
    let answer = gate.answer(&refused, &Requirements::NONE);
    assert!(answer.headers.contains(&("Retry-After", "21".to_owned())));
    let hint = gate.advice(&refused).hint;
    assert!(
        hint.starts_with("The next fetch of i0's keys may begin in 20 s;"),
        "{hint}"
    );
    assert!(stand.begin().is_empty(), "not within the cooldown");
    // Nobody has to ask again: the fetch begins when the cooldown is over.
    stand.pass(20);
    assert_eq!(
        (stand.says("b"), stand.says("forged")),
        ("accepted", "key_not_found")
    );
    assert_eq!(stand.net.asked().len(), 2);
}

#[test]
fn a_kid_that_comes_while_a_fetch_runs_waits_for_the_next() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.clock.advance(Span::from_seconds(40));
    assert_eq!(stand.says("early"), "keys_refreshing");
    let job = stand.begin().pop().unwrap();
    assert_eq!(stand.says("late"), "keys_refreshing");
    stand.end(job);
    assert_eq!(stand.says("early"), "key_not_found");
    assert_eq!(stand.says("late"), "keys_refreshing");
    stand.pass(30);
    assert_eq!(stand.says("late"), "key_not_found");
}

#[test]
fn while_an_issuer_fails_an_unknown_kid_stays_undecided() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.serve(Err(500));
    for _ in 0..10 {
        stand.pass(60);
        assert_eq!(stand.says("b"), "keys_refreshing");
    }
    stand.serve(Ok(&set(&["a"])));
    stand.pass(460);
    assert_eq!(stand.says("b"), "key_not_found");
}

/// A key that is withdrawn in a hurry: its tokens are refused at once, and not undecided.
#[test]
fn a_key_that_a_fetch_takes_away_is_known_to_be_gone() {
    let mut stand = Stand::with_keys(&["a", "b"]);
    stand.serve(Ok(&set(&["b"])));
    for stranger in 0..100 {
        stand.says(&stranger.to_string());
    }
    stand.pass(30);
    assert_eq!(stand.says("a"), "key_not_found");
}

#[test]
fn jwks_02_what_is_broken_or_empty_never_takes_the_place_of_a_good_set() {
    let private = key("a").to_private_jwk().to_string();
    let answers = [
        Err(500),
        Err(404),
        Ok("<html>please sign in</html>".to_owned()),
        Ok("{}".to_owned()),
        Ok("{\"keys\":[]}".to_owned()),
        Ok(set(&["a"])[..40].to_owned()),
        Ok("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}".to_owned()),
        Ok(format!("{{\"keys\":[{private}]}}")),
        Ok(format!(
            "{{\"keys\":[{0},{0}]}}",
            key("b").verifying_jwk().to_json()
        )),
    ];
    for answer in answers {
        let mut stand = Stand::with_keys(&["a"]);
        stand.serve(
            answer
                .as_ref()
                .map(String::as_str)
                .map_err(|status| *status),
        );
        stand.pass(301);
        assert_eq!(stand.says("a"), "accepted", "{answer:?}");
        assert!(stand.last_error().is_some(), "{answer:?}");
        let state = stand.verifier.keys().state("i0").unwrap();
        assert_eq!(state.generation, 1, "{answer:?}");
        stand.serve(Ok(&set(&["b"])));
        stand.pass(600);
        assert_eq!(
            (stand.says("a"), stand.says("b")),
            ("key_not_found", "accepted")
        );
    }
}

#[test]
fn jwks_03_a_withdrawn_key_passes_no_more_cached_or_not() {
    let mut stand = Stand::with_keys(&["a", "b"]);
    let token = stand.token(0, "a");
    assert_eq!([(); 2].map(|()| stand.judge(0, &token)), ["accepted"; 2]);
    assert_eq!(stand.verifier.cache_stats().hits, 1);
    stand.serve(Ok(&set(&["b"])));
    stand.pass(301);
    assert_eq!(stand.judge(0, &token), "key_not_found");
    assert_eq!(stand.says("b"), "accepted");
}

#[test]
fn stale_keys_are_trusted_while_the_issuer_is_down_and_not_for_ever() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.serve(Err(503));
    // Fresh for ten minutes, trusted for a day beyond.
    for _ in 0..1440 {
        stand.pass(60);
        assert_eq!(stand.says("a"), "accepted");
    }
    let token = stand.token(0, "a");
    assert_eq!(stand.judge(0, &token), "accepted");
    stand.pass(600);
    assert_eq!(
        stand.judge(0, &token),
        "keys_unavailable",
        "not even from the cache"
    );
    stand.serve(Ok(&set(&["a"])));
    stand.pass(460);
    assert_eq!(stand.judge(0, &token), "accepted");
}

#[test]
fn keys_too_old_are_not_trusted_even_if_nobody_fetches_any_more() {
    let stand = Stand::with_keys(&["a"]);
    let token = stand.token(0, "a");
    assert_eq!(stand.judge(0, &token), "accepted");
    stand.clock.advance(Span::from_seconds(600 + 86_400));
    assert_eq!(
        stand.judge(0, &token),
        "keys_refreshing",
        "and asks for new ones"
    );
    assert_eq!(stand.verifier.cache_stats().hits, 0);
}

#[test]
fn who_stops_fetching_says_so() {
    let stand = Stand::with_keys(&["a"]);
    super::leave(stand.verifier.engine());
    stand.clock.advance(Span::from_seconds(31));
    assert_eq!(stand.says("a"), "accepted");
    stand.clock.advance(Span::from_seconds(86_400 + 600));
    assert_eq!(stand.says("a"), "keys_unavailable");
    assert_eq!(
        stand.last_error().as_deref(),
        Some("keys are fetched no more: the verifier was closed")
    );
}

#[test]
fn an_issuer_that_confirms_its_set_is_not_read_again() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.pass(301);
    let state = stand.verifier.keys().state("i0").unwrap();
    assert_eq!(state.generation, 1);
    assert!(
        state.fetched_at.unwrap().seconds() > START,
        "confirmed is fetched"
    );
    assert_eq!(stand.says("a"), "accepted");
}

#[test]
fn failing_issuers_do_not_keep_the_others_waiting() {
    let mut stand = Stand::new(policy(60, by_uri));
    for n in 40..60 {
        stand
            .net
            .answers(&format!("https://i{n}.example/keys"), Ok(&set(&["a"])));
    }
    stand.run();
    // Forty are down, and every fetch of theirs hangs from now on.
    stand.clock.advance(Span::from_seconds(3));
    let hanging = stand.begin();
    assert_eq!(hanging.len(), FETCHES_FAILING);
    stand.clock.advance(Span::from_seconds(31));
    assert!(
        stand.begin().is_empty(),
        "those that are down wait for one another"
    );
    for n in 40..60 {
        assert_eq!(stand.judge(n, &stand.token(n, "new")), "keys_refreshing");
    }
    let jobs = stand.begin();
    assert_eq!(jobs.len(), FETCHES - FETCHES_FAILING);
    stand.net.asked();
    for job in jobs {
        stand.end(job);
    }
    for job in stand.begin() {
        stand.end(job);
    }
    let good = stand.net.asked();
    assert_eq!(good.len(), 20, "{good:?}");
}

#[test]
fn discovery_leads_to_the_keys_and_is_asked_once() {
    let metadata = |issuer: &str| {
        format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://i0.example/elsewhere"}}"#)
    };
    let oauth = "https://i0.example/.well-known/oauth-authorization-server";
    let oidc = "https://i0.example/.well-known/openid-configuration";
    let mut stand = Stand::new(policy(1, |_| r#""discovery":"auto""#.to_owned()));
    stand.net.answers(oidc, Ok(&metadata("https://i0.example")));
    stand
        .net
        .answers("https://i0.example/elsewhere", Ok(&set(&["a"])));
    stand.run();
    assert_eq!(stand.says("a"), "accepted");
    assert_eq!(
        stand.net.asked(),
        [oauth, oidc, "https://i0.example/elsewhere"]
    );
    stand.pass(301);
    assert_eq!(stand.net.asked(), ["https://i0.example/elsewhere"]);
    // The keys move: after two failures metadata is asked again.
    stand.net.answers("https://i0.example/elsewhere", Err(410));
    stand
        .net
        .answers("https://i0.example/moved", Ok(&set(&["b"])));
    let moved = metadata("https://i0.example").replace("elsewhere", "moved");
    stand.net.answers(oidc, Ok(&moved));
    for _ in 0..10 {
        stand.pass(60);
    }
    assert_eq!(stand.says("b"), "accepted");

    let mut stand = Stand::new(policy(1, |_| r#""discovery":"oidc""#.to_owned()));
    stand
        .net
        .answers(oidc, Ok(&metadata("https://i0.example/")));
    stand.run();
    assert_eq!(stand.says("a"), "keys_unavailable");
    assert!(
        stand.last_error().unwrap().contains("last slash"),
        "{:?}",
        stand.last_error()
    );
}

#[test]
fn a_reload_keeps_what_stays_and_drops_what_comes_for_an_older_policy() {
    let mut stand = Stand::new(policy(2, by_uri));
    for n in 0..2 {
        stand
            .net
            .answers(&format!("https://i{n}.example/keys"), Ok(&set(&["a"])));
    }
    let jobs = stand.begin();
    // Issuer 1 has other keys now; answers to both are under way.
    let moved = |n| match n {
        0 => by_uri(n),
        _ => r#""jwks_uri":"https://i1.example/new""#.to_owned(),
    };
    stand.verifier.reload(policy(2, moved)).unwrap();
    let late = jobs
        .into_iter()
        .map(|job| job.run_with(&stand.net))
        .collect::<Vec<_>>();
    assert!(
        stand.begin().len() == 1,
        "only the issuer that is new is asked anew"
    );
    for outcome in late {
        stand.keepers.settle(stand.verifier.engine(), outcome);
    }
    assert_eq!(stand.judge(0, &stand.token(0, "a")), "accepted");
    assert_eq!(stand.judge(1, &stand.token(1, "a")), "keys_refreshing");
}

#[test]
fn observers_hear_of_each_refresh_once_its_keys_are_in_force() {
    let mut stand = Stand::new(policy(1, by_uri));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (own, gate) = (Arc::clone(&heard), stand.verifier.gate("g0").unwrap());
    let token = stand.token(0, "a");
    stand.verifier.observe(Arc::new(move |event: &Event<'_>| {
        let line = format!("{} {}", event.name(), gate.judge(&token).code());
        own.lock().unwrap().push(line);
    }));
    let expect = |stand: &mut Stand, lines: &[&str]| {
        stand.run();
        assert_eq!(*heard.lock().unwrap(), lines);
        heard.lock().unwrap().clear();
    };
    stand.serve(Err(500));
    expect(&mut stand, &["keys_refresh_failed keys_unavailable"]);
    stand.serve(Ok(&set(&["a"])));
    stand.clock.advance(Span::from_seconds(2));
    expect(&mut stand, &["keys_refreshed accepted"]);
    // Confirmed, then replaced.
    stand.clock.advance(Span::from_seconds(301));
    expect(&mut stand, &["keys_refreshed accepted"]);
    stand.serve(Ok(&set(&["b"])));
    stand.clock.advance(Span::from_seconds(301));
    let replaced = [
        "key_withdrawn key_not_found",
        "keys_refreshed key_not_found",
    ];
    expect(&mut stand, &replaced);
    // A fetch that never comes back.
    stand.clock.advance(Span::from_seconds(301));
    let lost = stand.begin();
    assert_eq!(lost.len(), 1);
    stand.clock.advance(Span::from_seconds(60));
    stand.begin();
    assert_eq!(
        *heard.lock().unwrap(),
        ["keys_refresh_failed key_not_found"]
    );
}

#[test]
fn an_operator_can_insist_and_not_hammer() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.serve(Ok(&set(&["b"])));
    stand.net.asked();
    for _ in 0..5 {
        assert!(stand.verifier.keys().refresh("i0").is_some());
        stand.run();
    }
    assert_eq!(
        stand.net.asked().len(),
        0,
        "not within a second of the last fetch"
    );
    stand.pass(1);
    assert_eq!(stand.net.asked().len(), 1);
    assert_eq!(stand.says("b"), "accepted");
    assert!(stand.verifier.keys().refresh("nobody").is_none());
}

#[test]
fn fetched_keys_are_not_the_programs_to_publish() {
    let stand = Stand::with_keys(&["a"]);
    let keys = crate::jwk::JwkSet::parse(set(&["b"]).as_bytes()).unwrap();
    let refused = stand.verifier.keys().publish("i0", &keys).unwrap_err();
    assert_eq!(refused, crate::PublishError::NotPushed);
}

/// Counts how often verification asks whether anybody still fetches.
#[derive(Default)]
struct Rings(std::sync::atomic::AtomicUsize);

impl crate::keys::Background for Rings {
    fn ring(&self) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn wait(&self, _: Duration, done: &mut dyn FnMut() -> bool) -> bool {
        done()
    }

    fn announce(&self) {}

    fn close(&self) {}
}

/// A fork leaves the child what its parent had, in whatever phase, and no thread.
#[test]
fn a_child_that_has_no_keys_yet_asks_for_a_thread_of_its_own() {
    for forked in ["before anything", "while it runs", "after a failure"] {
        let mut stand = Stand::new(policy(1, by_uri));
        let rings = Arc::new(Rings::default());
        stand.verifier.engine().attach(Arc::<Rings>::clone(&rings));
        match forked {
            "before anything" => assert_eq!(stand.says("a"), "keys_refreshing"),
            "while it runs" => drop(stand.begin()),
            _ => stand.run(),
        }
        stand.keepers = Keepers::new();
        let before = rings.0.load(std::sync::atomic::Ordering::Relaxed);
        stand.clock.advance(Span::from_seconds(121));
        assert_ne!(stand.says("a"), "accepted");
        let rung = rings.0.load(std::sync::atomic::Ordering::Relaxed) - before;
        assert_eq!(rung, 1, "{forked}: once, for all who ask meanwhile");
        stand.serve(Ok(&set(&["a"])));
        stand.run();
        assert_eq!(stand.says("a"), "accepted", "{forked}");
    }
}

/// A machine that slept: the wall clock has moved on, and the other has not.
#[test]
fn keys_that_are_too_old_do_not_come_back_to_life() {
    let mut stand = Stand::with_keys(&["a"]);
    stand.clock.set(START + 5 * 86_400);
    let token = stand.token(0, "a");
    assert_eq!(stand.judge(0, &token), "keys_refreshing");
    stand.serve(Err(503));
    assert!(
        stand.begin().is_empty(),
        "not within a second of the last fetch"
    );
    stand.clock.advance(Span::from_seconds(1));
    let jobs = stand.begin();
    assert_eq!(jobs.len(), 1);
    assert_eq!(stand.judge(0, &token), "keys_refreshing", "while it runs");
    for job in jobs {
        stand.end(job);
    }
    assert_eq!(
        stand.judge(0, &token),
        "keys_unavailable",
        "after it failed"
    );
    stand.serve(Ok(&set(&["a"])));
    stand.pass(400);
    assert_eq!(stand.judge(0, &token), "accepted");
}

/// Says that nothing has changed, whatever it is asked.
struct Unchanged;

impl Fetch for Unchanged {
    fn fetch(&self, _: Request<'_>) -> Result<Response, FetchError> {
        Ok(Response::default())
    }
}

#[test]
fn nobody_confirms_what_was_never_there() {
    let mut stand = Stand::new(policy(1, by_uri));
    for job in stand.begin() {
        let outcome = job.run_with(&Unchanged);
        stand.keepers.settle(stand.verifier.engine(), outcome);
    }
    assert_eq!(stand.says("a"), "keys_unavailable");
    let error = stand.last_error().unwrap();
    assert_eq!(error, "https://i0.example/keys answered 304");
}

/// Answers without a validator after one that had one.
#[test]
fn a_validator_is_that_of_the_set_in_place() {
    struct Plain(String);
    impl Fetch for Plain {
        fn fetch(&self, request: Request<'_>) -> Result<Response, FetchError> {
            assert!(
                request.etag.is_none_or(|etag| etag.contains("\"a\"")),
                "of another set"
            );
            Ok(Response {
                body: Some(self.0.clone().into_bytes()),
                ..Response::default()
            })
        }
    }
    let mut stand = Stand::with_keys(&["a"]);
    for _ in 0..2 {
        stand.clock.advance(Span::from_seconds(601));
        for job in stand.begin() {
            let outcome = job.run_with(&Plain(set(&["b"])));
            stand.keepers.settle(stand.verifier.engine(), outcome);
        }
        assert_eq!(stand.says("b"), "accepted");
    }
}
