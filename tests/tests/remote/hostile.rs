//! JWKS-02, KEY-03: whatever a server does, good keys stay, the reason is told, and nothing hangs.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use sealgate::jwk::JwkSet;
use sealgate::{Requirements, Span};
use serde_json::json;

use super::server::{Answer, Server, http, ok};
use super::stand::{Stand, Stop, policy, set, token, until};

fn served(answer: Answer) -> (Server, Stand) {
    let server = Server::start(answer);
    let stand = Stand::with_uri(&format!("http://localhost:{}/keys", server.port));
    (server, stand)
}

#[test]
fn keys_come_over_a_real_connection() {
    let (server, stand) = served(ok(&set(&["a"])));
    assert_eq!(stand.says("a"), "accepted");
    assert_eq!(server.asked(), 1);
    let state = stand.state();
    assert_eq!(
        (state.source, state.generation, state.last_error),
        ("jwks_uri", 1, None)
    );
}

/// JWKS-02: no set that was good is lost, and there is no set of our own.
#[test]
fn jwks_02_a_bad_answer_changes_nothing_and_says_why() {
    let redirect = |to: &str| http("302 Found", &format!("Location: {to}\r\n"), b"");
    let one_mebibyte = vec![b' '; 1024 * 1024 + 1];
    let truncated = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"keys\":[".to_vec();
    let many: Vec<_> = (0..257)
        .map(|n| json!({ "kty": "OKP", "kid": n.to_string() }))
        .collect();
    let gzip = http(
        "200 OK",
        "Content-Encoding: gzip\r\n",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    );
    let cases: [(&str, Answer, &str); 17] = [
        ("500", http("500 Oops", "", b""), "answered 500"),
        ("404", http("404 No", "", b""), "answered 404"),
        ("204", http("204 No Content", "", b""), "answered 204"),
        ("a page", ok("<html>please sign in</html>"), "no JWK Set"),
        ("nothing", ok(""), "no JWK Set"),
        ("no keys member", ok("{}"), "no JWK Set"),
        ("empty", ok("{\"keys\":[]}"), "no key"),
        (
            "duplicate members",
            ok("{\"keys\":[],\"keys\":[]}"),
            "no JWK Set",
        ),
        (
            "too many keys",
            ok(&json!({ "keys": many }).to_string()),
            "256 keys",
        ),
        (
            "too large",
            http("200 OK", "", &one_mebibyte),
            "larger than 1 MiB",
        ),
        ("compressed", gzip, "no JWK Set"),
        ("truncated", Answer::Raw(truncated), ""),
        (
            "no HTTP",
            Answer::Raw(b"SSH-2.0-OpenSSH_9\r\n".to_vec()),
            "",
        ),
        ("reset", Answer::Reset, ""),
        ("elsewhere", redirect("http://127.0.0.1:1/"), "redirected"),
        (
            "metadata service",
            redirect("http://169.254.169.254/latest/"),
            "redirected",
        ),
        ("in circles", redirect("/keys"), "redirected"),
    ];
    let (server, stand) = served(ok(&set(&["a"])));
    assert_eq!(stand.says("a"), "accepted");
    for (name, answer, reason) in cases {
        server.answers(answer);
        let asked = server.asked();
        let error = stand.refresh().last_error.unwrap_or_default();
        assert!(
            !error.is_empty() && error.contains(reason),
            "{name}: {error}"
        );
        assert!(server.asked() > asked, "{name}: it was not asked");
        assert_eq!(
            (stand.says("a"), stand.state().generation),
            ("accepted", 1),
            "{name}"
        );
    }
    server.answers(ok(&set(&["b"])));
    assert_eq!(stand.refresh().last_error, None);
    assert_eq!(stand.says("b"), "accepted");
    assert_eq!(
        stand.verifier.gate("g").unwrap().judge(token("a")).code(),
        "key_not_found"
    );
}

#[test]
fn a_redirect_within_the_origin_is_followed() {
    let moved = http("301 Moved Permanently", "Location: /new\r\n", b"");
    let (server, stand) = served(Answer::ByPath(vec![
        ("/keys", moved),
        ("/new", ok(&set(&["a"]))),
    ]));
    assert_eq!(stand.says("a"), "accepted");
    assert_eq!(server.asked(), 2);
}

/// Nothing comes, or the head and then nothing: the time limit is over the whole answer, however
/// it is spread. Meanwhile nobody waits.
#[test]
fn a_server_that_stalls_is_cut_off_and_keeps_nobody_waiting() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"keys\":".to_vec();
    let stalls = [Answer::Stall(Vec::new()), Answer::Stall(head)];
    let stands = stalls.map(|answer| {
        let (server, stand) = served(ok(&set(&["a"])));
        assert_eq!(stand.says("a"), "accepted");
        server.answers(answer);
        (server, stand)
    });
    thread::scope(|scope| {
        for (_, stand) in &stands {
            scope.spawn(|| {
                let error = stand.refresh().last_error.unwrap();
                assert_eq!(error, "no answer in time (the whole answer)");
            });
        }
        for (server, stand) in &stands {
            until("it was asked", || (server.asked() == 2).then_some(()));
            let gate = stand.verifier.gate("g").unwrap();
            assert_eq!(gate.judge(token("a")).code(), "accepted");
            assert_eq!(gate.judge(token("b")).code(), "keys_refreshing");
        }
    });
}

#[test]
fn nobody_listening_is_an_outage_and_not_the_tokens_fault() {
    let stand = Stand::with_uri("http://localhost:1/keys");
    let gate = stand.verifier.gate("g").unwrap();
    assert_eq!(gate.judge(token("a")).code(), "keys_refreshing");
    let failed = until("it has failed", || stand.state().last_error);
    assert!(failed.contains("refused"), "{failed}");
    let error = gate.verify(token("a")).unwrap_err();
    assert_eq!(error.code().as_str(), "keys_unavailable");
    assert!(
        gate.advice(&error).hint.contains(&failed),
        "{}",
        gate.advice(&error).hint
    );
    let answer = gate.answer(&error, &Requirements::NONE);
    assert_eq!(answer.status, 503);
}

/// KEY-03 by the address that a name resolves to: nothing is sent.
#[test]
fn a_name_that_leads_inside_is_not_connected_to() {
    let server = Server::start(ok(&set(&["a"])));
    let uri = format!("https://localhost:{}/keys", server.port);
    let mut document = policy("https://as.example", &json!({ "jwks_uri": uri }));
    document.as_object_mut().unwrap().remove("danger");
    let stand = Stand::open(&document, Path::new("."));
    assert_eq!(
        stand.verifier.gate("g").unwrap().judge(token("a")).code(),
        "keys_refreshing"
    );
    let error = until("it has failed", || stand.state().last_error);
    assert!(
        error.starts_with("localhost resolves to ") && error.contains("allow_hosts"),
        "{error}"
    );
    assert_eq!(server.asked(), 0);
}

/// JWKS-10: metadata of another issuer, and keys that metadata puts on a host nobody wrote down.
#[test]
fn jwks_10_metadata_does_not_lead_to_other_issuers_or_hosts() {
    let server = Server::start(ok(""));
    let issuer = format!("http://localhost:{}", server.port);
    let error_of = |own: &str, jwks_uri: &str| {
        let metadata = json!({ "issuer": own, "jwks_uri": jwks_uri });
        server.answers(ok(&metadata.to_string()));
        let document = policy(&issuer, &json!({ "discovery": "oidc" }));
        let stand = Stand::open(&document, Path::new("."));
        assert!(stand.verifier.keys().refresh("as").is_some());
        until("it has failed", || stand.state().last_error)
    };
    let error = error_of(&issuer, "https://keys.evil.example/set");
    assert!(
        error.starts_with("keys.evil.example is not a host to fetch from"),
        "{error}"
    );
    let keys = format!("{issuer}/keys");
    for other in [
        "https://evil.example",
        &format!("{issuer}/"),
        &format!("{issuer}/tenant"),
    ] {
        let error = error_of(other, &keys);
        assert!(error.contains(other), "{error}");
    }
    // Of its own issuer the same metadata is read: what it leads to is no JWK Set.
    let error = error_of(&issuer, &keys);
    assert!(error.contains("no JWK Set"), "{error}");
}

/// JWKS-01 for real: fifty threads, a thousand unknown `kid`s each, one fetch a cooldown.
#[test]
fn jwks_01_a_flood_of_unknown_kids_is_one_fetch() {
    let (server, stand) = served(ok(&set(&["a"])));
    assert_eq!(stand.says("a"), "accepted");
    stand.clock.advance(Span::from_seconds(31));
    let gate = stand.verifier.gate("g").unwrap();
    let good = token("a");
    thread::scope(|scope| {
        for flood in 0..50 {
            let (gate, good) = (&gate, &good);
            scope.spawn(move || {
                let unknown = token(&format!("x{flood}"));
                for _ in 0..1000 {
                    let code = gate.judge(&unknown).code();
                    assert!(
                        matches!(code, "keys_refreshing" | "key_not_found"),
                        "{code}"
                    );
                    assert_eq!(gate.judge(good).code(), "accepted");
                }
            });
        }
    });
    until("the one fetch has ended", || {
        (server.asked() == 2).then_some(())
    });
    until("those who found a place are settled", || {
        let settled =
            |flood: &i32| gate.judge(token(&format!("x{flood}"))).code() == "key_not_found";
        ((0..50).filter(settled).count() > 0).then_some(())
    });
    assert_eq!(server.asked(), 2);
}

/// JWKS-11: a hundred threads, no keys yet: one fetch, and all of them pass.
#[test]
fn jwks_11_all_who_wait_for_the_first_fetch_pass_with_one() {
    let (server, stand) = served(ok(&set(&["a"])));
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert_eq!(stand.says("a"), "accepted"));
        }
    });
    assert_eq!(server.asked(), 1);
}

/// JWKS-03 under load: no good token fails while keys rotate, and none passes with a key that was
/// withdrawn before it was asked.
#[test]
fn keys_rotate_under_load() {
    let (server, stand) = served(ok(&set(&["a", "b"])));
    stand.ready().unwrap();
    let gate = stand.verifier.gate("g").unwrap();
    let tokens = ["a", "b", "c"].map(token);
    let (stop, judged) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(gate.judge(&tokens[1]).code(), "accepted");
                    judged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _stop = Stop(&stop);
        for round in 0..20 {
            let (kids, withdrawn) = if round % 2 == 0 {
                (["b", "c"], 0)
            } else {
                (["a", "b"], 2)
            };
            server.answers(ok(&set(&kids)));
            assert_eq!(stand.refresh().last_error, None);
            assert_eq!(gate.judge(&tokens[withdrawn]).code(), "key_not_found");
            assert_eq!(gate.judge(&tokens[2 - withdrawn]).code(), "accepted");
        }
    });
    assert!(judged.load(Ordering::Relaxed) > 100);
    assert_eq!(stand.state().generation, 21);
}

#[test]
fn a_verifier_that_is_closed_or_dropped_fetches_no_more() {
    let (server, stand) = served(ok(&set(&["a"])));
    assert_eq!(stand.says("a"), "accepted");
    let gate = stand.verifier.gate("g").unwrap();
    stand.verifier.close();
    assert_eq!(
        gate.judge(token("a")).code(),
        "accepted",
        "while the keys may be trusted"
    );
    assert_eq!(
        gate.judge(token("b")).code(),
        "keys_unavailable",
        "and nobody will find out whether there is such a key"
    );
    stand.clock.advance(Span::from_seconds(100_000));
    assert_eq!(
        gate.judge(token("a")).code(),
        "keys_unavailable",
        "too old to be trusted"
    );
    assert!(stand.verifier.wait_ready(Duration::from_millis(1)).is_err());
    assert_eq!(server.asked(), 1);
}

/// Keys that the program publishes: whoever waits is woken, and else told which issuer has none.
#[test]
fn published_keys_are_waited_for() {
    let document = policy("https://as.example", &json!({ "jwks_push": "process" }));
    let stand = Stand::open(&document, Path::new("."));
    for wait in [Duration::ZERO, Duration::from_millis(1)] {
        let missing = stand.verifier.wait_ready(wait).unwrap_err().to_string();
        assert_eq!(missing, "as has no usable keys: none were published");
    }
    thread::scope(|scope| {
        let waits = scope.spawn(|| stand.ready());
        let keys = JwkSet::parse(set(&["a"]).as_bytes()).unwrap();
        stand.verifier.keys().publish("as", &keys).unwrap();
        assert_eq!(waits.join().unwrap(), Ok(()));
    });
    assert_eq!(stand.says("a"), "accepted");
    assert_eq!(
        stand.says("b"),
        "key_not_found",
        "nobody else can know of others"
    );
}

/// Whoever waits for a fetch that will not come is told at once.
#[test]
fn closing_ends_all_waiting() {
    let (server, stand) = served(Answer::Stall(Vec::new()));
    let gate = stand.verifier.gate("g").unwrap();
    thread::scope(|scope| {
        let for_keys = scope.spawn(|| stand.verifier.wait_ready(Duration::MAX));
        let for_token =
            scope.spawn(|| gate.verify_waiting(token("a"), &Requirements::NONE, Duration::MAX));
        until("it was asked", || (server.asked() > 0).then_some(()));
        stand.verifier.close();
        assert!(for_keys.join().unwrap().is_err());
        assert_eq!(
            for_token.join().unwrap().unwrap_err().code().as_str(),
            "keys_unavailable"
        );
    });
}

/// The thread ends with the verifier, though the clock asks for a fetch.
#[test]
fn a_verifier_that_is_dropped_leaves_no_thread_behind() {
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").map(|tasks| {
            let names = tasks
                .flatten()
                .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
            names.filter(|name| name.trim() == "sealgate-keys").count()
        });
        tasks.unwrap_or(0)
    };
    let (_, stand) = served(ok(&set(&["a"])));
    assert_eq!(stand.says("a"), "accepted");
    let most = 24;
    assert!(threads() <= most);
    let stands: Vec<Stand> = (0..most)
        .map(|_| {
            let (_, stand) = served(ok(&set(&["a"])));
            assert_eq!(stand.says("a"), "accepted");
            stand
        })
        .collect();
    drop(stands);
    // Other tests have verifiers of their own, fewer than these.
    until("the threads have ended", || {
        (threads() < most).then_some(())
    });
}
