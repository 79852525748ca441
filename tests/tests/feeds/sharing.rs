//! While all is well.

use crate::servers::Server;
use crate::stand::{KINDS, Process, token};

#[test]
fn what_one_revokes_others_refuse_and_what_is_lifted_passes_again() {
    for server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let (a, b) = (Process::of(&server), Process::of(&server));
        let (one, two) = (token("u1"), token("u2"));
        for process in [&a, &b] {
            process.comes_to_say(&one, "accepted");
        }
        a.revoke("u1");
        assert_eq!(a.says(&one), "revoked");
        b.comes_to_say(&one, "revoked");
        assert_eq!(b.says(&two), "accepted");
        assert!(a.delivers());
        assert_eq!(a.state().undelivered, 0);
        // Whoever comes later learns of it before it decides anything.
        let c = Process::of(&server);
        while c.says(&one) == "revocation_unavailable" {}
        assert_eq!(c.says(&one), "revoked");
        b.lift("u1");
        for process in [&a, &b, &c] {
            process.comes_to_say(&one, "accepted");
        }
        let d = Process::of(&server);
        d.comes_to_say(&one, "accepted");
        for process in [a, b, c, d] {
            assert_eq!(process.state().last_error, None);
            assert_eq!(process.state().unreadable, 0);
        }
    }
}

/// Everybody revokes at once, the same and others: everybody comes to know all of it.
#[test]
fn many_writers_lose_nothing() {
    const EACH: usize = 50;
    for server in KINDS.iter().filter_map(|kind| Server::start(*kind)) {
        let processes: Vec<Process> = (0..4).map(|_| Process::of(&server)).collect();
        std::thread::scope(|scope| {
            for (number, process) in processes.iter().enumerate() {
                scope.spawn(move || {
                    for turn in 0..EACH {
                        process.revoke(&format!("own-{number}-{turn}"));
                        process.revoke(&format!("same-{turn}"));
                    }
                    assert!(process.delivers());
                });
            }
        });
        for process in &processes {
            for turn in 0..EACH {
                process.comes_to_say(&token(&format!("same-{turn}")), "revoked");
                for number in 0..processes.len() {
                    process.comes_to_say(&token(&format!("own-{number}-{turn}")), "revoked");
                }
            }
        }
    }
}
