//! While servers and networks fail: nothing revoked is accepted past the bound, and nothing is
//! lost.

use crate::proxy::Proxy;
use crate::servers::Server;
use crate::stand::{KINDS, Process, token, until};

/// `max_staleness`, in milliseconds.
const BOUND: i64 = 10_000;

/// A server goes away while one process revokes: another, which cannot know, decides nothing past
/// the bound, and knows as soon as the server is back.
#[track_caller]
fn an_outage(server: &mut Server, begin: impl FnOnce(&mut Server), end: impl FnOnce(&mut Server)) {
    let (a, b) = (Process::of(server), Process::of(server));
    let (one, two, three) = (token("u1"), token("u2"), token("u3"));
    b.comes_to_say(&one, "accepted");
    a.revoke("u1");
    b.comes_to_say(&one, "revoked");
    a.comes_to_say(&two, "accepted");
    assert!(a.delivers());
    begin(server);
    a.revoke("u2");
    until("it is noticed", || {
        a.state().last_error.is_some() && b.state().last_error.is_some()
    });
    assert_eq!((a.says(&two), a.state().undelivered), ("revoked", 1));
    // Within the bound the last news counts, and not a moment longer.
    assert_eq!(b.says(&two), "accepted");
    b.later(BOUND);
    assert_eq!(b.says(&two), "accepted");
    b.later(1);
    assert_eq!(b.says(&two), "revocation_stale");
    assert_eq!(b.says(&three), "revocation_stale");
    let fresh = Process::of(server);
    assert_eq!(fresh.says(&one), "revocation_unavailable");
    end(server);
    // What nobody could be told of yet, nobody knows. What was told before stays known.
    for process in [&b, &fresh] {
        until("the news comes", || {
            assert_ne!(process.says(&one), "accepted");
            process.says(&two) == "revoked"
        });
        process.comes_to_say(&one, "revoked");
        process.comes_to_say(&three, "accepted");
    }
    assert!(a.delivers());
    until("all is well again", || {
        let mut all = [&a, &b, &fresh].into_iter();
        all.all(|process| process.state().last_error.is_none())
    });
}

#[test]
fn a_server_is_killed_and_started_again() {
    for mut server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        an_outage(&mut server, Server::kill, Server::restart);
    }
}

#[test]
fn a_server_answers_nobody_for_a_while() {
    for mut server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        an_outage(&mut server, |server| server.hold(), |server| server.go_on());
    }
}

/// Nothing gets through, and no connection ends: only the answers that do not come say so.
#[test]
fn a_network_parts_one_process_from_the_server() {
    for server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let proxy = Proxy::before(server.port());
        let (a, b) = (Process::of(&server), Process::at(&server, proxy.port()));
        let one = token("u1");
        b.comes_to_say(&one, "accepted");
        proxy.part();
        a.revoke("u1");
        b.revoke("u2");
        assert!(a.delivers());
        until("it is noticed", || b.state().last_error.is_some());
        assert_eq!((b.says(&one), b.state().undelivered), ("accepted", 1));
        b.later(BOUND + 1);
        assert_eq!(b.says(&one), "revocation_stale");
        proxy.heal();
        until("the news comes", || {
            let says = b.says(&one);
            assert_ne!(says, "accepted");
            says == "revoked"
        });
        a.comes_to_say(&token("u2"), "revoked");
        assert!(b.delivers());
    }
}

/// Connections end in the middle of anything, again and again: each change arrives, once.
#[test]
fn connections_are_cut_while_much_is_revoked() {
    const MANY: usize = 300;
    for server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let (near, far) = (Proxy::before(server.port()), Proxy::before(server.port()));
        let a = Process::at(&server, near.port());
        let b = Process::at(&server, far.port());
        b.comes_to_say(&token("x0"), "accepted");
        for number in 0..MANY {
            a.revoke(&format!("x{number}"));
            if number % 50 == 10 {
                near.cut();
            }
            if number % 50 == 30 {
                far.cut();
            }
            if number == MANY / 2 {
                far.crumble();
                near.crumble();
            }
        }
        assert!(a.delivers());
        for number in 0..MANY {
            b.comes_to_say(&token(&format!("x{number}")), "revoked");
        }
        assert_eq!((a.state().unreadable, b.state().unreadable), (0, 0));
    }
}

/// Much is revoked while nobody takes it: all of it is there afterwards.
#[test]
fn an_outbox_is_emptied_when_the_server_is_back() {
    const MANY: usize = 2000;
    for mut server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let (a, b) = (Process::of(&server), Process::of(&server));
        b.comes_to_say(&token("x0"), "accepted");
        server.kill();
        for number in 0..MANY {
            a.revoke(&format!("x{number}"));
        }
        assert!(!a.verifier.revocations().flush(std::time::Duration::ZERO));
        assert_eq!(a.state().undelivered, MANY);
        server.restart();
        assert!(a.delivers(), "{:?}", a.state());
        for number in (0..MANY).step_by(97).chain([MANY - 1]) {
            b.comes_to_say(&token(&format!("x{number}")), "revoked");
        }
    }
}

/// A server that comes back with nothing makes no process forget, and operators hear of it.
#[test]
fn a_server_that_has_lost_everything_makes_nobody_forget() {
    for mut server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let (a, b) = (Process::of(&server), Process::of(&server));
        let (one, two) = (token("u1"), token("u2"));
        b.comes_to_say(&one, "accepted");
        a.revoke("u1");
        b.comes_to_say(&one, "revoked");
        assert!(a.delivers());
        server.lose_everything();
        until("both are told", || {
            let mut both = [&a, &b].into_iter();
            both.all(|process| process.was_told("lost what was written there"))
        });
        a.revoke("u2");
        b.comes_to_say(&two, "revoked");
        assert_eq!((a.says(&one), b.says(&one)), ("revoked", "revoked"));
        // Whoever revoked it writes it again, for those who had not heard of it.
        assert!(a.delivers());
        let fresh = Process::of(&server);
        fresh.comes_to_say(&two, "revoked");
        assert_eq!(fresh.says(&one), "revoked");
    }
}

/// What only others have revoked that are gone, nobody can write again: that something is missing
/// stays visible until the store has as much again.
#[test]
fn what_nobody_can_write_again_is_said_to_be_missing() {
    for mut server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let a = Process::of(&server);
        let b = Process::of(&server);
        a.revoke("u1");
        assert!(a.delivers());
        b.comes_to_say(&token("u1"), "revoked");
        drop(a);
        server.lose_everything();
        let misses = |process: &Process| {
            let said = process.state().last_error.unwrap_or_default();
            said.contains("does not have as much again")
        };
        until("it is said", || misses(&b));
        Process::of(&server).comes_to_say(&token("u1"), "accepted");
        assert!(misses(&b));
        b.revoke("u1");
        assert!(b.delivers());
        until("it has as much again", || b.state().last_error.is_none());
    }
}

/// A server that goes on from an older copy lifts nothing of what it has forgotten. One process
/// sees it at once, the other when others have written as much as is lost.
#[test]
fn a_server_that_is_restored_from_an_older_copy_lifts_nothing() {
    for mut server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let proxy = Proxy::before(server.port());
        let (a, b) = (Process::of(&server), Process::at(&server, proxy.port()));
        let one = token("u1");
        b.comes_to_say(&one, "accepted");
        a.revoke("u1");
        b.comes_to_say(&one, "revoked");
        a.lift("u1");
        b.comes_to_say(&one, "accepted");
        assert!(a.delivers());
        server.keep();
        a.revoke("u1");
        b.comes_to_say(&one, "revoked");
        assert!(a.delivers());
        proxy.part();
        server.go_back();
        until("it is told", || a.was_told("lost what was written last"));
        // Whoever revoked it writes it again.
        let fresh = Process::of(&server);
        fresh.comes_to_say(&one, "revoked");
        for number in 0..5 {
            fresh.revoke(&format!("v{number}"));
        }
        assert!(fresh.delivers());
        proxy.heal();
        for process in [&a, &b] {
            process.comes_to_say(&token("v4"), "revoked");
            assert_eq!(process.says(&one), "revoked");
        }
        // What is lifted from now on is lifted.
        fresh.lift("u1");
        for process in [&a, &b] {
            process.comes_to_say(&one, "accepted");
        }
    }
}

/// A process that was away for longer than the log reaches back loads everything.
#[test]
fn a_log_that_was_trimmed_loses_nothing() {
    let Some(server) = Server::start(crate::servers::Kind::Redis) else {
        return;
    };
    let proxy = Proxy::before(server.port());
    let (a, b) = (Process::of(&server), Process::at(&server, proxy.port()));
    b.comes_to_say(&token("x0"), "accepted");
    proxy.part();
    for number in 0..50 {
        a.revoke(&format!("x{number}"));
    }
    assert!(a.delivers());
    server.say("XTRIM sealgate:{tests}:log MAXLEN 1");
    proxy.heal();
    for number in 0..50 {
        b.comes_to_say(&token(&format!("x{number}")), "revoked");
    }
}
