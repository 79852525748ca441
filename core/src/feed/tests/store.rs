//! A store without a verifier: what is handed on, once each, and what was missed.

use std::time::Duration;

use super::board::Board;
use crate::feed::{Following, Letter, Store};
use crate::revocation::{Change, Handle};
use crate::time::NumericDate;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

fn revoked(name: &str, seconds: i64) -> Change {
    Change::revoked(Handle::actor("i", name), None, None, at(seconds))
}

fn lifted(name: &str, seconds: i64) -> Change {
    Change::lifted(Handle::actor("i", name), at(seconds))
}

fn open(board: &Board) -> Store {
    Store::through(&board.engine())
}

fn all(store: &Store) -> Vec<Change> {
    let mut changes = Vec::new();
    let unreadable = store.changes(&mut |change| changes.push(change)).unwrap();
    assert_eq!(unreadable, 0);
    changes
}

/// Whether that was all, and what came.
fn next(following: &mut Following) -> (bool, Vec<Change>) {
    let mut changes = Vec::new();
    let take = &mut |change: &Change| changes.push(change.clone());
    (following.next(Duration::ZERO, take).unwrap(), changes)
}

#[test]
fn what_is_written_is_followed_whole_and_told_once() {
    let board = Board::local();
    let mut store = open(&board);
    store.write(&[revoked("before", 1)]).unwrap();
    let mut following = open(&board).follow().unwrap();
    let changes = [revoked("a", 2).because("leaked key"), lifted("a", 3)];
    store.write(&changes).unwrap();
    assert_eq!(next(&mut following), (true, changes.to_vec()));
    // As engines do that tell a state once for each who wrote it.
    let again = revoked("b", 4);
    store.write(&[again.clone(), again.clone()]).unwrap();
    assert_eq!(next(&mut following), (true, vec![again]));
    // And as writers do that have not heard whether it arrived.
    let letter = |change| Letter {
        origin: 7,
        number: 1,
        change,
    };
    let sent = [letter(lifted("c", 5)), letter(lifted("c", 6))];
    board.engine().writer().unwrap().write(&sent).unwrap();
    assert_eq!(next(&mut following), (true, vec![lifted("c", 5)]));
    assert_eq!(next(&mut following), (true, vec![]));
}

#[test]
fn what_was_missed_is_said_and_what_comes_later_is_told() {
    let board = Board::local();
    let mut following = open(&board).follow().unwrap();
    board.jump();
    open(&board).write(&[revoked("missed", 1)]).unwrap();
    assert_eq!(next(&mut following), (false, vec![]));
    open(&board).write(&[revoked("later", 2)]).unwrap();
    assert_eq!(next(&mut following), (true, vec![revoked("later", 2)]));
    board.go_down();
    let error = following.next(Duration::ZERO, &mut |_| {}).unwrap_err();
    assert!(error.passes() && error.to_string() == "the board is away");
}

#[test]
fn a_backup_leaves_out_lifts_that_were_overtaken_and_dates_the_rest() {
    let board = Board::local();
    let mut store = open(&board);
    store
        .write(&[revoked("late", 5), revoked("early", 1), lifted("gone", 9)])
        .unwrap();
    let backup = [
        lifted("late", 4),
        lifted("early", 4),
        lifted("gone", 4),
        revoked("x", 4),
    ];
    let mut following = store.follow().unwrap();
    assert_eq!(store.restore(backup.to_vec()), Ok(1));
    let (_, told) = next(&mut following);
    assert!(told.contains(&revoked("x", 4).from_event()), "{told:?}");
    let expected = [
        revoked("late", 5),
        lifted("early", 4),
        lifted("gone", 4),
        revoked("x", 4), // as it was: the next backup is the same
    ];
    assert_eq!(all(&store), expected);
}
