//! Answers are kept for as long as they count, and strangers cannot make them more, or us ask more,
//! than there is room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::answers::{Answers, Due, Room};
use super::{Key, NoAnswer, Told};
use crate::limits::{INTROSPECTIONS_EACH, INTROSPECTIONS_WAITING};
use crate::time::{NumericDate, Span};

/// Little, so that it is soon full.
const ROOM: Room = Room {
    answers: 300,
    size: 16 * 1024,
};
const MINUTE: Span = Span::from_seconds(60);

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(1_800_000_000 + seconds).unwrap()
}

fn key(number: usize) -> Key {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

fn active(text: &str) -> Told {
    Told::Active(text.as_bytes().into())
}

struct Stand {
    answers: Answers,
    rings: Arc<AtomicUsize>,
}

impl Stand {
    fn new() -> Self {
        let rings = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&rings);
        let wake = move || {
            own.fetch_add(1, Ordering::Relaxed);
        };
        Self {
            answers: Answers::with_room(ROOM, wake),
            rings,
        }
    }

    fn look(&self, number: usize, seconds: i64) -> Result<Told, NoAnswer> {
        let token = number.to_string();
        let found = self
            .answers
            .look_up("as", &key(number), token.as_bytes(), at(seconds));
        found.map(|answer| answer.told)
    }

    fn begin(&self, seconds: i64) -> Vec<Due> {
        self.answers.begin(at(seconds), 1000)
    }

    fn settle(&self, due: &Due, brought: Result<(Told, Option<i64>), &str>, seconds: i64) {
        let brought = brought.map(|(told, exp)| (told, exp.map(at)));
        let brought = brought.map_err(str::to_owned);
        self.answers.settle(due, brought, MINUTE, at(seconds));
    }

    /// What is asked by now is answered like this.
    fn answer(&self, seconds: i64, told: &Told) {
        for due in self.begin(seconds) {
            self.settle(&due, Ok((told.clone(), None)), seconds);
        }
    }
}

impl Stand {
    /// These were answered with no.
    fn answered(&self, due: Vec<Due>) {
        for due in due {
            self.settle(&due, Ok((Told::Inactive, None)), 0);
        }
    }
}

const PENDING: Result<Told, NoAnswer> = Err(NoAnswer::Pending);
const UNAVAILABLE: Result<Told, NoAnswer> = Err(NoAnswer::Unavailable);

#[test]
fn a_token_is_asked_about_once_and_its_answer_counts_for_so_long() {
    let stand = Stand::new();
    assert_eq!((stand.look(1, 0), stand.look(1, 0)), (PENDING, PENDING));
    assert_eq!(stand.rings.load(Ordering::Relaxed), 1);
    let due = stand.begin(0);
    assert_eq!((due.len(), &*due[0].token), (1, &b"1"[..].to_vec()));
    assert_eq!(stand.look(1, 1), PENDING, "it is being asked about");
    assert!(stand.begin(1).is_empty());
    // It counts from when it was asked for, not from when it came.
    stand.settle(&due[0], Ok((active("{}"), None)), 5);
    assert_eq!(stand.look(1, 59), Ok(active("{}")));
    assert_eq!(stand.look(1, 60), PENDING);
}

#[test]
fn int_04_an_answer_never_counts_beyond_the_end_of_its_token() {
    let stand = Stand::new();
    for (exp, last) in [(Some(30), 29), (Some(600), 59), (None, 59)] {
        let number = usize::try_from(last).unwrap() + exp.map_or(0, |_| 1000);
        assert_eq!(stand.look(number, 0), PENDING);
        for due in stand.begin(0) {
            stand.settle(&due, Ok((active("{}"), exp)), 0);
        }
        assert_eq!(stand.look(number, last), Ok(active("{}")), "{exp:?}");
        assert_eq!(stand.look(number, last + 1), PENDING, "{exp:?}");
    }
    // One that was over before is kept briefly, so that nothing asks for ever because of it.
    assert_eq!(stand.look(7, 100), PENDING);
    for due in stand.begin(100) {
        stand.settle(&due, Ok((active("{}"), Some(0))), 100);
    }
    assert_eq!(stand.look(7, 107), Ok(active("{}")));
    assert_eq!(stand.look(7, 110), PENDING);
}

#[test]
fn what_is_used_is_asked_about_again_ahead_of_its_end() {
    let stand = Stand::new();
    let _ = stand.look(1, 0);
    stand.answer(0, &active("a"));
    assert_eq!(stand.look(1, 47), Ok(active("a")));
    assert!(stand.begin(47).is_empty());
    assert_eq!(stand.look(1, 48), Ok(active("a")));
    let due = stand.begin(48);
    assert_eq!(due.len(), 1, "and the answer before counts meanwhile");
    assert_eq!(stand.look(1, 49), Ok(active("a")));
    stand.settle(&due[0], Ok((Told::Inactive, None)), 50);
    assert_eq!(stand.look(1, 51), Ok(Told::Inactive), "it was revoked");
    // What nobody uses is not asked about.
    let _ = stand.look(2, 60);
    stand.answer(60, &active("b"));
    assert!(stand.begin(119).is_empty());
}

#[test]
fn a_no_counts_briefly() {
    for told in [Told::Inactive, Told::Malformed] {
        let stand = Stand::new();
        let _ = stand.look(1, 0);
        stand.answer(0, &told);
        assert_eq!(stand.look(1, 7), Ok(told.clone()));
        assert_eq!((stand.look(1, 10), stand.begin(10).len()), (PENDING, 1));
    }
}

#[test]
fn a_failure_is_of_one_token_until_there_are_too_many() {
    let stand = Stand::new();
    let _ = stand.look(1, 0);
    stand.answer(0, &active("a"));
    let fail = |number, seconds| {
        assert_eq!(stand.look(number, seconds), PENDING);
        for due in stand.begin(seconds) {
            stand.settle(&due, Err("why"), seconds);
        }
        assert_eq!(stand.look(number, seconds), UNAVAILABLE);
    };
    fail(2, 0);
    assert_eq!(stand.answers.last_error("as").as_deref(), Some("why"));
    assert_eq!(stand.look(3, 0), PENDING, "another one may be asked about");
    stand.answer(0, &Told::Inactive);
    assert_eq!(stand.answers.last_error("as"), None);
    assert_eq!(stand.look(2, 1), PENDING, "and this one in a second");
    stand.answer(1, &Told::Inactive);
    fail(4, 1);
    fail(5, 1);
    let _ = stand.look(9, 1);
    let waiting = stand.look(8, 1);
    assert_eq!(waiting, PENDING);
    let due = stand.begin(1);
    stand.settle(&due[0], Err("why"), 1);
    // The third failure in a row: the server is left alone, and what it said before counts.
    assert_eq!(stand.look(6, 1), UNAVAILABLE);
    assert_eq!(stand.look(1, 5 - 1), Ok(active("a")));
    assert_eq!(stand.look(6, 5), PENDING, "after 2^2 s it is tried again");
    stand.answer(5, &active("c"));
    assert_eq!(stand.look(6, 5), Ok(active("c")));
}

#[test]
fn strangers_make_us_keep_and_ask_only_so_much() {
    let stand = Stand::new();
    for number in 0..INTROSPECTIONS_WAITING + 100 {
        assert_eq!(stand.look(number, 0), PENDING);
    }
    assert_eq!(stand.rings.load(Ordering::Relaxed), INTROSPECTIONS_WAITING);
    let first = stand.begin(0);
    assert_eq!(first.len(), INTROSPECTIONS_EACH);
    assert!(stand.begin(0).is_empty(), "as many as run at once");
    stand.answered(first);
    let mut asked = INTROSPECTIONS_EACH;
    while asked < INTROSPECTIONS_WAITING {
        let due = stand.begin(0);
        assert!(!due.is_empty() && due.len() <= INTROSPECTIONS_EACH);
        asked += due.len();
        stand.answered(due);
    }
    assert!(stand.begin(0).is_empty());
    assert_eq!(asked, INTROSPECTIONS_WAITING);
}

#[test]
fn made_up_tokens_do_not_push_out_those_that_are_active() {
    let stand = Stand::new();
    let good = 10_000_000;
    let _ = stand.look(good, 0);
    stand.answer(0, &active("good"));
    for number in 0..ROOM.answers + 500 {
        let _ = stand.look(number, 1);
        stand.answer(1, &Told::Inactive);
    }
    assert_eq!(stand.look(good, 2), Ok(active("good")));
    let last = ROOM.answers + 499;
    assert_eq!(stand.look(last, 2), Ok(Told::Inactive));
    assert_eq!(stand.look(0, 2), PENDING, "the first ones made room");
}

#[test]
fn answers_are_held_to_their_bytes() {
    let stand = Stand::new();
    let text = "x".repeat(1024);
    let fits = ROOM.size / text.len();
    for number in 0..fits + 2 {
        let _ = stand.look(number, 0);
        stand.answer(0, &active(&text));
    }
    let kept = (0..fits + 2).filter(|number| stand.look(*number, 1).is_ok());
    assert_eq!(kept.count(), fits);
}

#[test]
fn issuers_are_asked_apart_and_forgotten_when_they_are_asked_no_more() {
    let stand = Stand::new();
    let other = |seconds| {
        let found = stand.answers.look_up("other", &key(1), b"1", at(seconds));
        found.map(|answer| answer.told)
    };
    assert_eq!((stand.look(1, 0), other(0)), (PENDING, PENDING));
    stand.answer(0, &active("a"));
    stand
        .answers
        .learn("as", "https://as.example", "https://as.example/ask");
    let endpoint = |iss| stand.answers.endpoint("as", iss);
    assert_eq!(
        endpoint("https://as.example").as_deref(),
        Some("https://as.example/ask")
    );
    assert_eq!(endpoint("https://another.example"), None);
    stand.answers.retain(|issuer| issuer == "other");
    assert_eq!((stand.look(1, 1), other(1)), (PENDING, Ok(active("a"))));
    assert_eq!(endpoint("https://as.example"), None);
}

#[test]
fn once_nobody_asks_what_is_known_counts_and_nothing_is_promised() {
    let stand = Stand::new();
    let _ = stand.look(1, 0);
    stand.answer(0, &active("a"));
    stand.answers.close();
    assert_eq!(stand.look(1, 59), Ok(active("a")));
    assert_eq!(
        (stand.look(1, 60), stand.look(2, 0)),
        (UNAVAILABLE, UNAVAILABLE)
    );
    assert!(stand.begin(60).is_empty());
}
