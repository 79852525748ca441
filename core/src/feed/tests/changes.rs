//! What is to be written is not lost: where threads end, where policies change, and where there is
//! no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::board::Board;
use super::{ISS, NOW, PATIENCE, Process, SHARED, policy, token};
use crate::Handle;
use crate::feed::bag::Bag;
use crate::observe::Event;
use crate::revocation::Change;
use crate::sync::in_a_child;
use crate::time::{NumericDate, Span};

const OTHER: &str = r#"{"store":"other"}"#;
const NONE: &str = r#"{"store":"process"}"#;

impl Process {
    fn lift(&self, sub: &str) {
        let handle = Handle::subject(ISS, sub);
        self.verifier.revocations().lift(&handle).unwrap();
    }

    fn flushes(&self, timeout: Duration) -> bool {
        self.verifier.revocations().flush(timeout)
    }

    fn reloads(&self, revocation: &str) {
        self.verifier.reload(policy(revocation)).unwrap();
    }
}

#[test]
fn a_thread_that_panics_leaves_its_letters_to_the_next() {
    let board = Board::default();
    let (a, b) = (Process::new(&board), Process::new(&board));
    a.comes_to_say(&token("u1"), "accepted");
    board.refuse_writes(true);
    a.revoke("u1");
    a.notices();
    board.panic();
    board.refuse_writes(false);
    // Whoever waits sees to it that somebody writes.
    assert!(a.flushes(PATIENCE));
    assert_eq!((a.undelivered(), board.letters()), (0, 1));
    b.comes_to_say(&token("u1"), "revoked");
}

#[test]
fn a_store_that_the_policy_names_no_longer_still_gets_what_it_should_have() {
    for (board, next) in [
        (Board::default(), OTHER),
        (Board::local(), OTHER),
        (Board::default(), NONE),
        (Board::local(), NONE),
    ] {
        let other = Board::default();
        let a = Process::between(&board, &other, SHARED, usize::MAX);
        a.comes_to_say(&token("u1"), "accepted");
        board.refuse_writes(true);
        a.revoke("u1");
        a.reloads(next);
        assert!(!a.flushes(Duration::ZERO), "nobody has it");
        if next == OTHER {
            a.until("it is loaded", |own| own.state().staleness.is_some());
            assert_eq!(a.undelivered(), 1);
        }
        board.refuse_writes(false);
        assert!(a.flushes(PATIENCE));
        assert_eq!((board.letters(), other.letters()), (1, 0));
        // What is revoked from now on is for the other.
        a.revoke("u2");
        assert!(a.flushes(PATIENCE));
        let others = usize::from(next == OTHER);
        assert_eq!((board.letters(), other.letters()), (1, others));
    }
}

#[test]
fn a_store_that_the_policy_names_again_gets_everything_in_its_order() {
    for board in [Board::default(), Board::local()] {
        let other = Board::default();
        let a = Process::between(&board, &other, SHARED, usize::MAX);
        a.comes_to_say(&token("u1"), "accepted");
        board.refuse_writes(true);
        a.revoke("u1");
        a.reloads(OTHER);
        a.reloads(SHARED);
        a.lift("u1");
        assert_eq!(a.undelivered(), 2);
        board.refuse_writes(false);
        a.revoke("u2");
        assert!(a.flushes(PATIENCE));
        let b = Process::new(&board);
        b.comes_to_say(&token("u1"), "accepted");
        assert_eq!(a.says(&token("u1")), "accepted");
    }
}

/// Whoever was leaving may find that everything is written after another has taken its place.
#[test]
fn a_store_that_is_named_again_while_the_last_is_written_takes_what_comes() {
    for board in [Board::default(), Board::local()] {
        let other = Board::default();
        let a = Process::between(&board, &other, SHARED, usize::MAX);
        a.comes_to_say(&token("u1"), "accepted");
        board.hold_writes(true);
        std::thread::scope(|scope| {
            scope.spawn(|| a.revoke("u1"));
            board.await_a_held_write();
            a.reloads(OTHER);
            a.reloads(SHARED);
            board.hold_writes(false);
        });
        a.revoke("u2");
        assert!(a.flushes(PATIENCE));
        let b = Process::new(&board);
        b.comes_to_say(&token("u1"), "revoked");
        b.comes_to_say(&token("u2"), "revoked");
    }
}

/// What this process has revoked alone may be later than what a store knows that it begins to read.
#[test]
fn a_store_that_is_read_for_the_first_time_lifts_nothing() {
    let board = Board::local();
    let other = Process::new(&board);
    other.revoke("u1");
    other.lift("u1");
    other.lift("u2");
    let process = Process::with(&board, NONE);
    process.revoke("u1");
    process.reloads(SHARED);
    assert_eq!(process.says(&token("u1")), "revoked");
    // What is lifted afterwards is lifted.
    other.lift("u1");
    process.comes_to_say(&token("u1"), "accepted");
}

/// A process that ends soon after has been read once: what it wrote before that is there.
#[test]
fn what_was_written_before_the_first_news_is_not_written_again() {
    let board = Board::default();
    let process = Process::with(&board, NONE);
    board.mute(true);
    std::thread::scope(|scope| {
        // It waits for the first news, as of a store of this host.
        scope.spawn(|| process.reloads(SHARED));
        while process.verifier.revocations().store().is_none() {
            std::thread::yield_now();
        }
        process.revoke("u1");
        process.until("it is written", |_| board.letters() == 1);
        board.mute(false);
    });
    assert!(process.flushes(PATIENCE));
    assert_eq!(board.letters(), 1);
    // After a loss neither may be there.
    board.show(Some(1));
    process.revoke("u2");
    process.until("it is written", |_| board.letters() == 2);
    board.forget();
    board.show(None);
    process.until("it is written again", |own| {
        own.undelivered() == 0 && board.letters() == 2
    });
}

/// What was lifted before is read when it was revoked again already: it lifts nothing.
#[test]
fn an_own_lift_that_is_read_late_lifts_nothing() {
    let board = Board::local();
    let process = Process::new(&board);
    let one = token("u1");
    board.show(Some(0));
    process.lift("u1");
    process.revoke("u1");
    board.show(Some(1));
    board.await_another_look(1);
    assert_eq!(process.says(&one), "revoked");
    board.show(None);
    board.await_another_look(2);
    assert_eq!(process.says(&one), "revoked");
}

#[test]
fn what_there_is_no_room_for_takes_force_here_and_is_never_called_delivered() {
    for board in [Board::default(), Board::local()] {
        let process = Process::between(&board, &board, SHARED, 1);
        process.comes_to_say(&token("u1"), "accepted");
        board.refuse_writes(true);
        process.revoke("u1");
        let (_, delivered) = process.revoke("u2");
        assert!(!delivered);
        assert_eq!(process.says(&token("u2")), "revoked");
        assert_eq!(
            (process.undelivered(), process.heard("too much waits")),
            (2, 1)
        );
        assert!(!process.revoke("u2").1);
        board.refuse_writes(false);
        process.until("what there was room for is written", |own| {
            board.letters() == 1 && own.undelivered() == 2
        });
        assert!(!process.flushes(Duration::ZERO));
    }
}

#[test]
fn who_was_told_that_something_is_missing_hears_when_nothing_is() {
    for (board, is_local) in [(Board::default(), false), (Board::local(), true)] {
        let process = Process::new(&board);
        process.comes_to_say(&token("u1"), "accepted");
        assert_eq!(
            process.heard("revocations_delivered"),
            0,
            "nothing was revoked"
        );
        board.refuse_writes(true);
        // By a receipt, whoever flushes or does not.
        assert!(!process.revoke("u1").1);
        process.notices();
        assert_eq!(process.heard("revocations_delivered"), 0);
        board.refuse_writes(false);
        process.until("it is told", |own| own.heard("revocations_delivered") == 1);
        assert_eq!(process.undelivered(), 0);
        // Of this host it is there when the next is revoked: nobody was told otherwise.
        assert_eq!(process.revoke("u2").1, is_local);
        let heard = if is_local { 1 } else { 2 };
        process.until("it is told", |own| {
            own.undelivered() == 0 && own.heard("revocations_delivered") == heard
        });
        assert!(process.flushes(PATIENCE));
        assert_eq!(process.heard("revocations_delivered"), heard);
    }
}

/// A server that is away is tried again every second or two.
#[test]
fn what_goes_wrong_is_told_when_it_begins_and_when_it_is_something_else() {
    let board = Board::default();
    let process = Process::new(&board);
    process.comes_to_say(&token("u1"), "accepted");
    board.go_down();
    process.notices();
    process.revoke("u1");
    process.until("it is tried again", |_| board.failures() > 5);
    assert_eq!(process.heard("the board is away"), 1);
    // Who begins to listen hears of it, and those who listen hear that, too.
    let heard = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&heard);
    process.verifier.observe(Arc::new(move |event: &Event<'_>| {
        let is = matches!(event, Event::RevocationsInterrupted { .. });
        own.fetch_add(usize::from(is), Ordering::Relaxed);
    }));
    process.until("it is told again", |own| {
        own.heard("the board is away") == 2
    });
    while heard.load(Ordering::Relaxed) != 1 {
        std::thread::yield_now(); // it is told next
    }
    board.refuse_writes(true);
    board.come_up();
    process.until("it is read again", |own| {
        own.heard("revocations_loaded") == 2
    });
    process.until("it is written in vain", |own| own.heard("interrupted") == 3);
    board.go_down();
    process.until("it is away again", |own| {
        own.heard("the board is away") == 3
    });
}

#[test]
fn what_goes_wrong_beside_reading_and_writing_is_told_once_for_as_long_as_it_lasts() {
    let board = Board::local();
    let (a, b) = (Process::new(&board), Process::new(&board));
    board.grow(true);
    // Whatever comes, readers look.
    assert!(b.revoke("u1").1 && b.revoke("u2").1);
    a.notices();
    assert_eq!(a.state().last_error.as_deref(), Some("the board grows"));
    a.comes_to_say(&token("u2"), "revoked");
    board.grow(false);
    b.revoke("u3");
    a.until("it is over", |own| own.state().last_error.is_none());
    assert_eq!(a.heard("the board grows"), 1);
}

/// A forked child carries on its own, and remembers how far its parent has read; what the parent
/// was to write, it writes itself.
#[test]
fn a_child_carries_for_itself_and_goes_on_from_where_its_parent_was() {
    let board = Board::default();
    let process = Process::new(&board);
    process.comes_to_say(&token("u1"), "accepted");
    board.refuse_writes(true);
    process.revoke("u1");
    process.notices();
    in_a_child(|| {
        assert_eq!(process.undelivered(), 0);
        process.revoke("u2");
        assert_eq!((process.undelivered(), board.opened()), (1, 1));
        assert_eq!(process.says(&token("u1")), "revoked");
        board.refuse_writes(false);
        assert!(process.flushes(PATIENCE));
    });
    let other = Process::new(&board);
    for sub in ["u1", "u2"] {
        other.comes_to_say(&token(sub), "revoked");
    }
}

#[test]
fn nothing_is_kept_where_nothing_is_lost() {
    let policy = policy(SHARED);
    let rules = &policy.rules().revocation.shared().unwrap().store;
    let now = NumericDate::from_seconds(NOW).unwrap();
    for (board, again) in [(Board::default(), 1), (Board::local(), 0)] {
        let (bag, _) = Bag::new(rules, board.engine(), 10);
        let change = Change::revoked(Handle::subject(ISS, "u1"), None, None, now);
        bag.outbox().add(change).unwrap();
        let batch = bag.outbox().unsent(10).unwrap();
        bag.outbox().mark_sent(&batch);
        bag.outbox().came_back(&batch.letters[0]);
        assert_eq!(bag.outbox().len(), 0);
        board.forget();
        bag.recall(now);
        assert_eq!(bag.outbox().unsent_len(), again);
    }
}

/// What this process has revoked, the engine had, and nobody has lifted is written again, and
/// undoes nothing that came later (REV-08).
#[test]
fn what_an_engine_has_lost_is_written_again_by_whoever_revoked_it() {
    let board = Board::default();
    let (a, b) = (Process::new(&board), Process::new(&board));
    let tokens = ["u1", "u2", "u3"].map(token);
    b.comes_to_say(&tokens[0], "accepted");
    for sub in ["u1", "u2", "u3"] {
        a.revoke(sub);
    }
    assert!(a.flushes(PATIENCE));
    b.comes_to_say(&tokens[2], "revoked");
    a.lift("u2");
    b.lift("u3");
    b.comes_to_say(&tokens[1], "accepted");
    a.comes_to_say(&tokens[2], "accepted");
    board.forget();
    a.until("it is written again", |_| board.letters() == 1);
    assert!(a.flushes(PATIENCE));
    let fresh = Process::new(&board);
    fresh.comes_to_say(&tokens[0], "revoked");
    assert_eq!(fresh.says(&tokens[1]), "accepted");
    assert_eq!(fresh.says(&tokens[2]), "accepted");
    // A second loss is met like the first. What was lifted meanwhile, later than it was revoked,
    // stays so.
    board.refuse_writes(true);
    board.forget();
    a.until("it is to be written again", |own| own.undelivered() == 1);
    a.clock.advance(Span::from_seconds(5));
    board.put(Change::lifted(
        Handle::subject(ISS, "u1"),
        a.verifier.engine().clock().now(),
    ));
    a.comes_to_say(&tokens[0], "accepted");
    board.refuse_writes(false);
    assert!(a.flushes(PATIENCE));
    assert_eq!(a.says(&tokens[0]), "accepted");
}
