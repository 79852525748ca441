//! [`Refresh`]: when one issuer's keys are fetched, as a pure machine of moments and answers.
//!
//! It knows neither network nor clock. Fetches are single flights: an answer counts only if it is
//! that of the flight under way, so that a late one never takes the place of a newer one. Keys are
//! fetched again ahead of the end of their freshness; after a failure, after a while that grows;
//! for an unknown `kid`, at most once a cooldown (KEY-05), and then at its end. A failure changes
//! nothing but the time of the next try, until the keys are too old to be trusted.

use super::jitter::Jitter;
use crate::policy::RefreshRules;
use crate::time::{Moment, Span};

/// Freshness of an answer that says nothing about it.
pub(super) const DEFAULT_FRESHNESS: Span = Span::from_seconds(600);
/// The least and the most that an answer may say: below, an issuer could make its users hammer it;
/// above, a key it withdraws would stay trusted for a day.
pub(super) const FRESHNESS: [Span; 2] = [Span::from_seconds(60), Span::from_seconds(3600)];
/// Beyond this a flight is given up; fetching has shorter timeouts of its own.
const FLIGHT: Span = Span::from_seconds(60);
/// After a failure while there are no keys: soon, since everything waits for them.
const FIRST_RETRY: Span = Span::from_seconds(1);
/// The longest pause between tries without keys, and with.
const LONGEST_RETRY: [Span; 2] = [Span::from_seconds(30), Span::from_seconds(300)];

/// The number of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight(u64);

/// The refreshing of one issuer's keys.
#[derive(Debug)]
pub(super) struct Refresh {
    rules: RefreshRules,
    jitter: Jitter,
    /// When the keys were last fetched or confirmed, and how long they are fresh from then.
    fetched: Option<(Moment, Span)>,
    failures: u32,
    /// When the last flight ended well or badly.
    settled: Option<Moment>,
    /// When the next flight begins by itself.
    next: Moment,
    flight: Option<(Flight, Moment)>,
    flights: u64,
    /// An operator has asked since the flight under way began: what it brings may be older.
    insisted: bool,
}

/// What verification may be told (see `keys::watch::Phase`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Resting,
    Running,
    Cooling,
    /// As cooling, and the next flight begins when that is over, or sooner.
    Arranged,
    Failing,
}

impl Refresh {
    /// Due at once.
    pub(super) fn new(rules: RefreshRules, jitter: Jitter, now: Moment) -> Self {
        Self {
            rules,
            jitter,
            fetched: None,
            failures: 0,
            settled: None,
            next: now,
            flight: None,
            flights: 0,
            insisted: false,
        }
    }

    /// Goes on under other rules, from the next flight on.
    pub(super) fn follow(&mut self, rules: RefreshRules) {
        self.rules = rules;
    }

    /// A key is wanted that is not there: due at once, or as soon as the cooldown is over.
    pub(super) fn want(&mut self, now: Moment) {
        match self.standing(now) {
            Standing::Resting => self.next = now,
            Standing::Cooling => self.next = self.allowed(),
            Standing::Arranged | Standing::Running | Standing::Failing => {}
        }
    }

    /// An operator wants a fetch: due at once, or a second after the last one.
    pub(super) fn insist(&mut self, now: Moment) {
        let soonest = self
            .settled
            .map_or(now, |settled| settled.plus(FIRST_RETRY));
        self.next = now.max(soonest);
        self.insisted = self.flight.is_some();
    }

    /// Whether a flight would begin now.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.flight.is_none() && now >= self.next
    }

    /// Gives up a flight that has taken far too long, as failed; says whether there was one.
    pub(super) fn give_up(&mut self, now: Moment) -> bool {
        match self.flight {
            Some((flight, began)) if now.since(began) >= FLIGHT => {
                self.failed(flight, now);
                true
            }
            Some(_) | None => false,
        }
    }

    /// The flight to begin now, if one is due.
    pub(super) fn begin(&mut self, now: Moment) -> Option<Flight> {
        if !self.is_due(now) {
            return None;
        }
        self.flights += 1;
        let flight = Flight(self.flights);
        self.flight = Some((flight, now));
        Some(flight)
    }

    /// How many flights in a row have failed.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether any flight is under way.
    pub(super) const fn is_flying(&self) -> bool {
        self.flight.is_some()
    }

    /// Whether this is the flight under way.
    pub(super) fn is_under_way(&self, flight: Flight) -> bool {
        self.flight.is_some_and(|(own, _)| own == flight)
    }

    /// The flight brought a good set, or word that the set is still the same.
    pub(super) fn succeeded(&mut self, flight: Flight, now: Moment, freshness: Option<Span>) {
        if !self.is_under_way(flight) {
            return;
        }
        let [least, most] = FRESHNESS;
        let freshness = freshness.unwrap_or(DEFAULT_FRESHNESS).clamp(least, most);
        self.flight = None;
        self.failures = 0;
        self.fetched = Some((now, freshness));
        self.settled = Some(now);
        // Ahead of the end, but not in the first half: a short freshness would mean no rest at all.
        // Earlier by up to a tenth, so that those who began together do not go on together.
        let ahead = self.rules.ahead.min(freshness.scaled(1, 2));
        let pause = Span::between(ahead, freshness);
        self.next = now.plus(self.jitter.shorten(pause, 10));
        self.meet_insistence(now);
    }

    /// What an operator has asked for during a flight begins a second after it.
    fn meet_insistence(&mut self, now: Moment) {
        if std::mem::take(&mut self.insisted) {
            self.next = self.next.min(now.plus(FIRST_RETRY));
        }
    }

    /// The flight brought nothing of use.
    pub(super) fn failed(&mut self, flight: Flight, now: Moment) {
        if !self.is_under_way(flight) {
            return;
        }
        self.flight = None;
        self.settled = Some(now);
        let [without_keys, with_keys] = LONGEST_RETRY;
        let (first, most) = match self.fetched {
            None => (FIRST_RETRY, without_keys),
            Some(_) => (self.rules.cooldown, with_keys.max(self.rules.cooldown)),
        };
        let doubled = 1_i64 << self.failures.min(20);
        let pause = first.scaled(doubled, 1).min(most);
        self.failures = self.failures.saturating_add(1);
        // Later by up to a half: those who failed together come back apart.
        self.next = now.plus(self.jitter.lengthen(pause, 2));
        self.meet_insistence(now);
    }

    /// When to look at this machine again.
    pub(super) fn wakes(&self) -> Moment {
        self.flight
            .map_or(self.next, |(_, began)| began.plus(FLIGHT))
    }

    /// When the next flight begins by itself.
    pub(super) fn next(&self) -> Moment {
        self.next
    }

    /// Until when the keys may be trusted: their freshness, and what an operator adds for an issuer
    /// that cannot be reached.
    pub(super) fn good_until(&self) -> Option<Moment> {
        let (fetched, freshness) = self.fetched?;
        Some(fetched.plus(freshness).plus(self.rules.stale_if_error))
    }

    /// When the cooldown of the last good fetch ends.
    fn cooled(&self) -> Option<Moment> {
        let settled = self.settled.filter(|_| self.failures == 0)?;
        Some(settled.plus(self.rules.cooldown))
    }

    /// From when on a flight may begin: after a good one, once that has cooled, or when an operator
    /// or the end of freshness asks for it sooner; after a bad one, at the next try.
    pub(super) fn allowed(&self) -> Moment {
        self.cooled()
            .map_or(self.next, |cooled| cooled.min(self.next))
    }

    pub(super) fn standing(&self, now: Moment) -> Standing {
        if self.flight.is_some() {
            Standing::Running
        } else if self.failures > 0 {
            Standing::Failing
        } else if let Some(cooled) = self.cooled().filter(|cooled| now < *cooled) {
            match self.next <= cooled {
                true => Standing::Arranged,
                false => Standing::Cooling,
            }
        } else {
            Standing::Resting
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FRESHNESS, Refresh, Standing};
    use crate::policy::RefreshRules;
    use crate::remote::jitter::Jitter;
    use crate::time::{Clock, FixedClock, Moment, Span};

    const RULES: RefreshRules = RefreshRules {
        ahead: Span::from_seconds(300),
        cooldown: Span::from_seconds(30),
        stale_if_error: Span::from_seconds(86_400),
    };

    fn start() -> Moment {
        Clock::Fixed(FixedClock::new(0).into()).moment()
    }

    fn at(seconds: i64) -> Moment {
        start().plus(Span::from_seconds(seconds))
    }

    fn secs(seconds: i64) -> Option<Span> {
        Some(Span::from_seconds(seconds))
    }

    fn machine() -> Refresh {
        Refresh::new(RULES, Jitter::new(1), start())
    }

    /// A machine whose keys were fetched at 0 and are fresh for this long.
    fn fetched(freshness: i64) -> Refresh {
        let mut machine = machine();
        let flight = machine.begin(at(0)).unwrap();
        machine.succeeded(flight, at(0), secs(freshness));
        machine
    }

    #[test]
    fn the_first_fetch_is_due_at_once_and_alone() {
        let mut machine = machine();
        assert_eq!(machine.standing(at(0)), Standing::Resting);
        let flight = machine.begin(at(0)).unwrap();
        assert_eq!(machine.begin(at(1)), None, "single flight");
        machine.succeeded(flight, at(1), None);
        assert_eq!(machine.standing(at(1)), Standing::Cooling);
    }

    #[test]
    fn keys_are_fetched_again_ahead_of_the_end_of_their_freshness() {
        // Fresh for an hour: five minutes ahead, less up to a tenth.
        let pause = fetched(3600).next().since(at(0));
        assert!(Span::from_seconds(2970) <= pause && pause <= Span::from_seconds(3300));
        // Fresh for two minutes: after one, not five minutes before it began.
        let pause = fetched(120).next().since(at(0));
        assert!(Span::from_seconds(54) <= pause && pause <= Span::from_seconds(60));
        // What an issuer may say is bounded.
        let [least, most] = FRESHNESS;
        assert!(fetched(0).next().since(at(0)) >= least.scaled(4, 10));
        assert!(fetched(10_000_000).next().since(at(0)) <= most);
    }

    #[test]
    fn an_unknown_kid_causes_one_fetch_a_cooldown() {
        let mut machine = fetched(3600);
        for second in 0..30 {
            machine.want(at(second));
            assert_eq!(machine.standing(at(second)), Standing::Arranged);
            assert_eq!(machine.begin(at(second)), None, "second {second}");
        }
        let flight = machine.begin(at(30)).unwrap();
        machine.want(at(31));
        machine.succeeded(flight, at(31), secs(3600));
        assert_eq!(
            machine.standing(at(60)),
            Standing::Cooling,
            "none is wanted"
        );
        machine.want(at(60));
        assert_eq!((machine.begin(at(60)), machine.wakes()), (None, at(61)));
        assert!(machine.begin(at(61)).is_some());
    }

    #[test]
    fn tries_without_keys_come_soon_and_then_apart() {
        let mut machine = machine();
        let (mut now, mut pauses) = (at(0), Vec::new());
        for _ in 0..8 {
            let flight = machine.begin(now).unwrap();
            machine.failed(flight, now);
            assert_eq!(machine.standing(now), Standing::Failing);
            pauses.push(machine.next().since(now).millis());
            now = machine.next();
        }
        for (pause, least) in pauses.iter().zip([1, 2, 4, 8, 16, 30, 30, 30]) {
            assert!((least * 1000..=least * 1500).contains(pause), "{pauses:?}");
        }
    }

    #[test]
    fn a_failing_issuer_is_asked_once_a_cooldown_whatever_strangers_send() {
        let mut machine = fetched(60);
        let mut fetches = 0;
        for second in 60..660 {
            machine.want(at(second));
            if let Some(flight) = machine.begin(at(second)) {
                machine.failed(flight, at(second));
                fetches += 1;
            }
        }
        assert!((3..=20).contains(&fetches), "{fetches} in ten minutes");
    }

    #[test]
    fn keys_are_good_beyond_their_freshness_and_not_for_ever() {
        let mut machine = fetched(600);
        let good_until = at(600 + 86_400);
        assert_eq!(machine.good_until(), Some(good_until));
        let mut now = machine.next();
        while now < good_until {
            let flight = machine.begin(now).unwrap();
            machine.failed(flight, now);
            assert_eq!(machine.good_until(), Some(good_until));
            now = machine.next();
        }
        let flight = machine.begin(now).unwrap();
        machine.succeeded(flight, now, secs(600));
        assert!(machine.good_until().unwrap() > good_until);
    }

    #[test]
    fn what_an_operator_asks_for_during_a_flight_begins_after_it() {
        let mut machine = machine();
        let flight = machine.begin(at(0)).unwrap();
        machine.insist(at(1));
        machine.succeeded(flight, at(2), secs(3600));
        assert_eq!(machine.begin(at(2)), None);
        let second = machine.begin(at(3)).unwrap();
        machine.succeeded(second, at(4), secs(3600));
        assert!(machine.next() > at(1000), "once");
    }

    #[test]
    fn a_late_answer_changes_nothing() {
        let mut machine = machine();
        let late = machine.begin(at(0)).unwrap();
        assert!(!machine.give_up(at(59)) && machine.give_up(at(61)));
        let newer = machine.begin(at(61));
        assert_eq!(newer, None, "given up, and not begun again at once");
        let newer = machine.begin(at(63)).unwrap();
        assert!(!machine.is_under_way(late));
        machine.succeeded(late, at(64), secs(3600));
        assert_eq!(machine.good_until(), None);
        machine.succeeded(newer, at(65), secs(60));
        machine.failed(late, at(66));
        machine.failed(newer, at(66));
        assert_eq!(
            machine.standing(at(66)),
            Standing::Arranged,
            "by its freshness"
        );
    }

    proptest! {
        /// Whatever happens in whatever order: one flight at a time, and never two begun for
        /// strangers within a cooldown of a good answer.
        #[test]
        fn flights_stay_single_and_apart(
            steps in proptest::collection::vec((0_u8..5, 0_i64..40), 1..200),
        ) {
            let mut machine = machine();
            let (mut second, mut flights, mut good) = (0, Vec::new(), None);
            for (step, value) in steps {
                match step {
                    0 => second += value,
                    1 => machine.want(at(second)),
                    2 => {
                        if let Some(flight) = machine.begin(at(second)) {
                            let soon = good.is_some_and(|good| second < good + 27);
                            prop_assert!(!soon, "{machine:?}");
                            flights.push(flight);
                        }
                    }
                    3 => {
                        if let Some(flight) = flights.last().copied() {
                            if machine.is_under_way(flight) {
                                good = Some(second);
                            }
                            machine.succeeded(flight, at(second), secs(value * 100));
                        }
                    }
                    _ => {
                        if let Some(flight) = flights.first().copied() {
                            machine.failed(flight, at(second));
                        }
                    }
                }
                prop_assert!(machine.wakes() <= at(second + 4000));
            }
        }
    }
}
