//! Answers are kept for as long as they count, and strangers cannot make them more, or us ask more,
//! than there is room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::board::Room;
use super::{AllAnswers, Answers, Due, Failure, Kept, Key, NoAnswer, Terms, Told, Whose};
use crate::limits::{INTROSPECTIONS_EACH, INTROSPECTIONS_WAITING};
use crate::time::{Clock, FixedClock, NumericDate, Span};

/// Little, so that it is soon full.
const ROOM: Room = Room {
    answers: 300,
    size: 16 * 1024,
};
const MINUTE: Terms = Terms {
    max_age: Span::from_seconds(60),
    signed_by: None,
};

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
    clock: Arc<FixedClock>,
    rings: Arc<AtomicUsize>,
}

impl Stand {
    fn new() -> Self {
        let rings = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&rings);
        let wake = move || {
            own.fetch_add(1, Ordering::Relaxed);
        };
        let clock = Arc::new(FixedClock::new(at(0).seconds()));
        Self {
            answers: Answers::alone(ROOM, Clock::Fixed(Arc::clone(&clock)), wake),
            clock,
            rings,
        }
    }

    /// Moves both clocks there; back, the wall clock alone.
    fn at(&self, seconds: i64) -> NumericDate {
        let ahead = at(seconds).since(self.clock.now());
        if ahead > Span::ZERO {
            self.clock.advance(ahead);
        } else {
            self.clock.set(at(seconds).seconds());
        }
        self.clock.now()
    }

    fn look(&self, number: usize, seconds: i64) -> Result<Told, NoAnswer> {
        self.look_under(number, MINUTE, seconds)
    }

    fn look_under(&self, number: usize, terms: Terms, seconds: i64) -> Result<Told, NoAnswer> {
        let (key, token) = (key(number), number.to_string());
        let found = self
            .answers
            .look_up(&key, token.as_bytes(), terms, self.at(seconds));
        found.map(|answer| answer.told)
    }

    fn begin(&self, seconds: i64) -> Vec<Due> {
        self.at(seconds);
        std::iter::from_fn(|| self.answers.begin()).collect()
    }

    fn settle(&self, due: &Due, brought: Result<(Told, Option<i64>), &str>, seconds: i64) {
        let brought = brought.map(|(told, exp)| (told, exp.map(at)));
        let brought = brought.map_err(|text| Failure {
            whose: Whose::Issuers,
            text: text.to_owned(),
        });
        self.at(seconds);
        self.answers.settle(due, brought, MINUTE);
    }

    /// The answer about this token cannot be used.
    fn stumble(&self, due: &Due, seconds: i64) {
        let failure = Failure {
            whose: Whose::Tokens,
            text: "400".to_owned(),
        };
        self.at(seconds);
        self.answers.settle(due, Err(failure), MINUTE);
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
    assert_eq!(stand.answers.last_error().as_deref(), Some("why"));
    assert_eq!(stand.look(3, 0), PENDING, "another one may be asked about");
    stand.answer(0, &Told::Inactive);
    assert_eq!(stand.answers.last_error(), None);
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
    for number in 0..INTROSPECTIONS_WAITING {
        assert_eq!(stand.look(number, 0), PENDING);
    }
    for number in INTROSPECTIONS_WAITING..INTROSPECTIONS_WAITING + 100 {
        assert_eq!(
            stand.look(number, 0),
            Err(NoAnswer::NoRoom),
            "nothing comes of waiting"
        );
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
fn one_call_forgets_a_handful() {
    let stand = Stand::new();
    for number in 0..ROOM.answers - 1 {
        let _ = stand.look(number, 0);
        stand.answer(0, &Told::Inactive);
    }
    let before = stand.answers.counts().answers;
    let _ = stand.look(10_000, 100);
    let after = stand.answers.counts().answers;
    assert!(
        after < before && before - after <= 4,
        "all of them are over: {before}, {after}"
    );
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
fn issuers_are_asked_apart_and_go_on_where_they_are_asked_the_same() {
    let begun = AllAnswers::new(Clock::fixed(at(0).seconds()), || {});
    let nothing = || Some(Kept::Nothing);
    let before = begun.with([nothing(), None, nothing()].into_iter());
    assert!(before.of(1).is_none() && before.of(3).is_none());
    let look = |all: &AllAnswers, position| {
        let found = all.of(position).unwrap();
        let found = found.look_up(&key(1), b"1", MINUTE, at(0));
        found.map(|answer| answer.told)
    };
    assert_eq!((look(&before, 0), look(&before, 2)), (PENDING, PENDING));
    for (position, text) in [(0, "a"), (2, "c")] {
        let own = before.of(position).unwrap();
        while let Some(due) = own.begin() {
            own.settle(&due, Ok((active(text), None)), MINUTE);
        }
    }
    assert_eq!(
        (look(&before, 0), look(&before, 2)),
        (Ok(active("a")), Ok(active("c")))
    );
    // By another policy the third comes first, and the first is asked otherwise.
    let third = Arc::clone(before.of(2).unwrap());
    let after = before.with([Some(Kept::Before(third)), nothing()].into_iter());
    assert_eq!(
        (look(&after, 0), look(&after, 1)),
        (Ok(active("c")), PENDING)
    );
    after.close();
    let other = after.of(1).unwrap().look_up(&key(2), b"2", MINUTE, at(0));
    assert!(
        matches!(other, Err(NoAnswer::Unavailable)),
        "whoever asks has left for all"
    );
}

#[test]
fn a_flood_of_made_up_tokens_delays_no_active_one() {
    let stand = Stand::new();
    let good = 10_000_000;
    let _ = stand.look(good, 0);
    stand.answer(0, &active("good"));
    for number in 0..INTROSPECTIONS_WAITING + 100 {
        let _ = stand.look(number, 48);
    }
    assert_eq!(stand.look(good, 48), Ok(active("good")));
    let due = stand.begin(48);
    assert_eq!(
        (due.len(), due[0].key),
        (INTROSPECTIONS_EACH, key(good)),
        "it comes first"
    );
    stand.settle(&due[0], Ok((active("renewed"), None)), 49);
    assert_eq!(stand.look(good, 100), Ok(active("renewed")));
    // One whose answer has ended is undecided, and comes first all the same.
    assert_eq!(stand.look(good, 108), PENDING);
    assert_eq!(stand.begin(108)[0].key, key(good));
}

#[test]
fn bad_tokens_silence_no_issuer() {
    let stand = Stand::new();
    for number in 0..20 {
        assert_eq!(stand.look(number, 0), PENDING);
        let due = stand.begin(0);
        stand.stumble(&due[0], 0);
        assert_eq!(stand.look(number, 0), UNAVAILABLE);
    }
    assert_eq!(stand.answers.last_error().as_deref(), Some("400"));
    assert_eq!(stand.look(99, 0), PENDING, "another one is asked about");
    stand.answer(0, &active("a"));
    assert_eq!(stand.look(99, 0), Ok(active("a")));
    assert_eq!(stand.look(0, 1), PENDING, "and each of them a second later");
}

#[test]
fn where_to_ask_is_found_out_anew_after_too_many_questions_in_vain() {
    let stand = Stand::new();
    stand.answers.learn("https://as.example/ask");
    for number in 0..3 {
        assert!(stand.answers.endpoint().is_some());
        let _ = stand.look(number, 0);
        stand.stumble(&stand.begin(0)[0], 0);
    }
    assert_eq!(stand.answers.endpoint(), None);
}

#[test]
fn what_fails_at_once_is_one_failure() {
    let stand = Stand::new();
    for number in 0..INTROSPECTIONS_EACH {
        let _ = stand.look(number, 0);
    }
    for due in stand.begin(0) {
        stand.settle(&due, Err("down"), 0);
    }
    assert_eq!(stand.look(100, 3), UNAVAILABLE);
    assert_eq!(stand.look(100, 4), PENDING, "4 s, and not 2^5");
}

#[test]
fn what_was_being_asked_when_whoever_asks_ended_is_asked_again() {
    let stand = Stand::new();
    for number in 0..INTROSPECTIONS_EACH + 2 {
        let _ = stand.look(number, 0);
    }
    let lost = stand.begin(0);
    assert_eq!(lost.len(), INTROSPECTIONS_EACH);
    assert!(stand.begin(1).is_empty(), "all run");
    stand.answers.begin_anew();
    assert_eq!(stand.begin(1).len(), INTROSPECTIONS_EACH);
    stand.answers.begin_anew();
    for _ in 0..2 {
        stand.answer(1, &active("a"));
    }
    let known = (0..INTROSPECTIONS_EACH + 2).filter(|number| stand.look(*number, 2).is_ok());
    assert_eq!(known.count(), INTROSPECTIONS_EACH + 2);
}

#[test]
fn an_answer_counts_by_the_rules_of_now() {
    let stand = Stand::new();
    let _ = stand.look(1, 0);
    stand.answer(0, &active("a"));
    let of = |seconds| Terms {
        max_age: Span::from_seconds(seconds),
        signed_by: None,
    };
    assert_eq!(stand.look_under(1, of(60), 30), Ok(active("a")));
    assert_eq!(
        stand.look_under(1, of(10), 30),
        PENDING,
        "a shorter max_age, at once"
    );
    // Keys that have signed it and are no longer the issuer's.
    let stand = Stand::new();
    let by = |generation| Terms {
        signed_by: Some(generation),
        ..MINUTE
    };
    let _ = stand.look_under(1, by(7), 0);
    for due in stand.begin(0) {
        let told = Ok((active("a"), None));
        stand.answers.settle(&due, told, by(7));
    }
    assert_eq!(stand.look_under(1, by(7), 1), Ok(active("a")));
    assert_eq!(stand.look_under(1, by(8), 1), PENDING);
}

#[test]
fn there_is_something_to_count() {
    let stand = Stand::new();
    for number in 0..INTROSPECTIONS_EACH + 3 {
        let _ = stand.look(number, 0);
    }
    let due = stand.begin(0);
    stand.settle(&due[0], Ok((active("four"), None)), 0);
    stand.settle(&due[1], Err("down"), 0);
    let counts = stand.answers.counts();
    assert_eq!(
        (counts.bytes, counts.waiting, counts.running),
        (4, 3, INTROSPECTIONS_EACH - 2)
    );
    assert_eq!(
        (counts.answers, counts.failures, counts.resting),
        (INTROSPECTIONS_EACH + 3, 1, false)
    );
    stand.settle(&due[2], Err("down"), 0);
    stand.settle(&due[3], Err("down"), 0);
    assert!(stand.answers.counts().resting);
    stand.at(60);
    assert!(!stand.answers.counts().resting);
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
