//! [`Watch`]: what the verification path and the fetching of an issuer's keys tell each other.
//!
//! Verification never waits and calls no one: it leaves a wish and answers at once. Whoever fetches
//! keeps the phase, the count of its fetches, and the dates that verification holds the wall clock
//! against. At most once a cooldown and issuer does a wish wake the other side.

use std::sync::Arc;

use super::Bell;
use super::absent::{Absent, Fetches};
use crate::error::Code;
use crate::sync::{AtomicU64, Ordering, Snapshot};
use crate::time::{NumericDate, Span};

/// How the fetching of one issuer's keys stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A fetch is allowed, and nothing is going on.
    Resting = 0,
    /// Verification has asked for one.
    Wanted = 1,
    /// One is running.
    Running = 2,
    /// The keys are as fresh as one may ask for (KEY-05), until a date.
    Cooling = 3,
    /// As cooling, and a fetch begins when that is over.
    Arranged = 4,
    /// The last fetch failed; the next is due after a while.
    Failing = 5,
    /// Nobody fetches any more.
    Closed = 6,
}

impl Phase {
    const fn from_bits(bits: u64) -> Self {
        match bits {
            0 => Self::Resting,
            1 => Self::Wanted,
            2 => Self::Running,
            3 => Self::Cooling,
            4 => Self::Arranged,
            5 => Self::Failing,
            _ => Self::Closed,
        }
    }

    const fn bits(self) -> u64 {
        match self {
            Self::Resting => 0,
            Self::Wanted => 1,
            Self::Running => 2,
            Self::Cooling => 3,
            Self::Arranged => 4,
            Self::Failing => 5,
            Self::Closed => 6,
        }
    }
}

/// What is known of the fetching, for people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) fetched_at: Option<NumericDate>,
    pub(crate) next_refresh: Option<NumericDate>,
    pub(crate) last_error: Option<String>,
}

/// One issuer's line between verification and fetching.
pub(crate) struct Watch {
    /// From this date on the keys are too old to be trusted; 0 while there are none.
    good_until: AtomicU64,
    /// From this date on somebody should look whether anyone still fetches: a fork leaves the
    /// child without its threads, and a machine that slept with a timer that is late.
    overdue_at: AtomicU64,
    phase: AtomicU64,
    /// From this date on a fetch may begin.
    allowed_at: AtomicU64,
    /// How many fetches have begun.
    begun: AtomicU64,
    /// Which of them was the last to bring a set, when, and which generation that is.
    landed: AtomicU64,
    landed_at: AtomicU64,
    generation: AtomicU64,
    /// 1 when an operator has asked for a fetch.
    #[cfg(feature = "remote")]
    insistence: AtomicU64,
    absent: Absent,
    report: Snapshot<Report>,
    bell: Bell,
}

/// How often verification rings for keys that are overdue.
const REMINDER: Span = Span::from_seconds(10);
/// How old keys are before a `kid` that they are known to lack asks for others. Two cooldowns of
/// the default: long enough to matter, short enough for an issuer whose key set reaches its edge
/// servers after its first token does.
const PATIENCE: Span = Span::from_seconds(60);

impl Watch {
    pub(crate) fn new(bell: Bell) -> Self {
        Self {
            good_until: AtomicU64::new(0),
            overdue_at: AtomicU64::new(0),
            phase: AtomicU64::new(Phase::Resting.bits()),
            allowed_at: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            landed: AtomicU64::new(0),
            landed_at: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            #[cfg(feature = "remote")]
            insistence: AtomicU64::new(0),
            absent: Absent::new(),
            report: Snapshot::new(Report::default()),
            bell,
        }
    }

    /// Whether the keys may still be trusted.
    pub(crate) fn is_trusted(&self, now: NumericDate) -> bool {
        now.to_bits() < self.good_until.load(Ordering::Relaxed)
    }

    /// Rings where nobody seems to fetch any more. Costs a load; only what is overdue costs more.
    pub(crate) fn look_after(&self, now: NumericDate) {
        if now.to_bits() >= self.overdue_at.load(Ordering::Relaxed) {
            self.remind(now);
        }
    }

    /// Rings, once for all who see at the same time that the keys are overdue.
    #[cold]
    fn remind(&self, now: NumericDate) {
        let seen = self.overdue_at.load(Ordering::Relaxed);
        let next = now.plus(REMINDER).to_bits();
        let (set, read) = (Ordering::Relaxed, Ordering::Relaxed);
        let mine = self.overdue_at.compare_exchange(seen, next, set, read);
        if now.to_bits() >= seen && mine.is_ok() {
            let _ = self.want(now);
            self.bell.ring();
        }
    }

    /// What to answer a token while there is no key at all, having asked for one.
    #[cold]
    pub(crate) fn without_keys(&self, now: NumericDate) -> Code {
        let code = match self.ask(now) {
            Phase::Resting | Phase::Wanted | Phase::Running => Code::KeysRefreshing,
            // They came after whoever asks had looked for them: asked again, they are there.
            Phase::Cooling | Phase::Arranged | Phase::Failing | Phase::Closed
                if self.is_trusted(now) =>
            {
                Code::KeysRefreshing
            }
            Phase::Cooling | Phase::Arranged | Phase::Failing | Phase::Closed => {
                Code::KeysUnavailable
            }
        };
        // Afterwards, lest a fetch that fails at once change the answer of the call that rang for
        // it.
        self.look_after(now);
        code
    }

    /// What to answer a token whose `kid` is not among the keys of this generation, having asked
    /// for newer ones. While nobody can know whether the issuer has such a key, that is not the
    /// token's fault: not until a fetch has ended that began after the `kid` was first seen.
    #[cold]
    pub(crate) fn without_kid(&self, kid: &str, generation: u64, now: NumericDate) -> Code {
        let fetches = Fetches {
            begun: self.begun.load(Ordering::Acquire),
            landed: self.landed.load(Ordering::Acquire),
        };
        if self.absent.is_settled(kid, fetches, now) {
            // Read after `landed`: whoever looked among keys of before that fetch must look again.
            if generation < self.generation.load(Ordering::Acquire) {
                return Code::KeysRefreshing;
            }
            let landed_at = NumericDate::from_bits(self.landed_at.load(Ordering::Relaxed));
            if now >= landed_at.plus(PATIENCE) {
                self.ask(now);
            }
            return Code::KeyNotFound;
        }
        match self.ask(now) {
            Phase::Closed => Code::KeysUnavailable, // nobody will find out any more
            Phase::Resting
            | Phase::Wanted
            | Phase::Running
            | Phase::Cooling
            | Phase::Arranged
            | Phase::Failing => Code::KeysRefreshing,
        }
    }

    /// How long no fetch may begin that could change an answer; `None` where none will any more.
    pub(crate) fn pause(&self, now: NumericDate) -> Option<Span> {
        match Phase::from_bits(self.phase.load(Ordering::Acquire)) {
            Phase::Resting | Phase::Running => Some(Span::ZERO),
            Phase::Wanted | Phase::Cooling | Phase::Arranged | Phase::Failing => {
                let allowed = NumericDate::from_bits(self.allowed_at.load(Ordering::Relaxed));
                Some(allowed.since(now).max(Span::ZERO))
            }
            Phase::Closed => None,
        }
    }

    /// Asks for a fetch, and says how things stood.
    fn ask(&self, now: NumericDate) -> Phase {
        match self.want(now) {
            Ok(stood) => {
                self.bell.ring();
                stood
            }
            Err(stands) => stands,
        }
    }

    /// Leaves the wish where nothing of the kind is there yet, and says how things stood; else how
    /// they stand.
    fn want(&self, now: NumericDate) -> Result<Phase, Phase> {
        let seen = self.phase.load(Ordering::Acquire);
        let allowed = now.to_bits() >= self.allowed_at.load(Ordering::Relaxed);
        let stood = match Phase::from_bits(seen) {
            Phase::Resting => Phase::Resting,
            // A fork's child has nobody who would begin what was arranged.
            Phase::Cooling | Phase::Arranged if allowed => Phase::Resting,
            Phase::Cooling => Phase::Cooling,
            phase @ (Phase::Wanted
            | Phase::Running
            | Phase::Arranged
            | Phase::Failing
            | Phase::Closed) => return Err(phase),
        };
        let (set, read) = (Ordering::AcqRel, Ordering::Acquire);
        let wanted = Phase::Wanted.bits();
        let left = self.phase.compare_exchange(seen, wanted, set, read);
        left.map(|_| stood).map_err(Phase::from_bits)
    }

    pub(crate) fn report(&self) -> Arc<Report> {
        self.report.load_full()
    }
}

/// The other side: whoever fetches, and the operator.
#[cfg(feature = "remote")]
impl Watch {
    pub(crate) fn phase(&self) -> Phase {
        Phase::from_bits(self.phase.load(Ordering::Acquire))
    }

    /// A fetch begins: called before anything is sent.
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::AcqRel);
    }

    /// The fetch that began last has brought a set, which is in force by now: of this generation,
    /// or the one that was there.
    pub(crate) fn land(&self, generation: Option<u64>, now: NumericDate) {
        if let Some(generation) = generation {
            self.generation.store(generation, Ordering::Release);
        }
        self.landed_at.store(now.to_bits(), Ordering::Relaxed);
        let begun = self.begun.load(Ordering::Acquire);
        self.landed.store(begun, Ordering::Release);
    }

    /// The fetch that is about to land does not bring a key that there was.
    pub(crate) fn withdraw(&self, kid: &str, now: NumericDate) {
        self.absent.withdraw(kid, now);
    }

    /// How things stand from now on, and from when a fetch may begin.
    pub(crate) fn set_phase(&self, phase: Phase, allowed_at: NumericDate) {
        let allowed_at = allowed_at.to_bits();
        self.allowed_at.store(allowed_at, Ordering::Relaxed);
        self.phase.store(phase.bits(), Ordering::Release);
    }

    /// Until when the keys may be trusted.
    pub(crate) fn set_good_until(&self, date: NumericDate) {
        self.good_until.store(date.to_bits(), Ordering::Release);
    }

    /// By when to have shown up again.
    pub(crate) fn set_overdue_at(&self, date: NumericDate) {
        self.overdue_at.store(date.to_bits(), Ordering::Release);
    }

    /// A fetch is wanted, cooldown or not.
    pub(crate) fn insist(&self) {
        self.insistence.store(1, Ordering::Release);
        self.bell.ring();
    }

    /// Whether an operator has asked since.
    pub(crate) fn take_insistence(&self) -> bool {
        let (set, read) = (Ordering::AcqRel, Ordering::Acquire);
        self.insistence.compare_exchange(1, 0, set, read).is_ok()
    }

    pub(crate) fn set_report(&self, report: Report) {
        self.report.store(Arc::new(report));
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field(
                "phase",
                &Phase::from_bits(self.phase.load(Ordering::Acquire)),
            )
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(all(feature = "remote", not(sealgate_model)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    use super::{Phase, Watch};
    use crate::error::Code;
    use crate::keys::{Background, Bell};
    use crate::time::{NumericDate, Span};

    #[derive(Default)]
    struct Rings(AtomicUsize);

    impl Background for Rings {
        fn ring(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn wait(&self, _: Duration, done: &mut dyn FnMut() -> bool) -> bool {
            done()
        }

        fn announce(&self) {}

        fn close(&self) {}
    }

    fn watch() -> (Watch, Arc<Rings>) {
        let (bell, rings) = (Bell::default(), Arc::new(Rings::default()));
        bell.attach(Arc::<Rings>::clone(&rings));
        let watch = Watch::new(bell);
        watch.set_good_until(at(1000));
        watch.set_overdue_at(at(1000));
        (watch, rings)
    }

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds).unwrap()
    }

    fn rung(rings: &Rings) -> usize {
        rings.0.load(Ordering::Relaxed)
    }

    /// One fetch that brings a set, from `begins` on, and the cooldown after it.
    fn fetch(watch: &Watch, begins: i64, generation: u64) {
        watch.begin();
        watch.set_phase(Phase::Running, at(0));
        watch.land(Some(generation), at(begins));
        watch.set_phase(Phase::Cooling, at(begins + 30));
    }

    #[test]
    fn an_unknown_kid_rings_once_and_is_undecided_until_its_fetch_has_ended() {
        let (watch, rings) = watch();
        for _ in 0..1000 {
            assert_eq!(watch.without_kid("new", 1, at(1)), Code::KeysRefreshing);
        }
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Wanted, 1));
        watch.begin();
        watch.set_phase(Phase::Running, at(0));
        assert_eq!(watch.without_kid("new", 1, at(1)), Code::KeysRefreshing);
        assert_eq!(watch.without_kid("late", 1, at(1)), Code::KeysRefreshing);
        watch.land(None, at(1));
        watch.set_phase(Phase::Cooling, at(31));
        assert_eq!(watch.without_kid("new", 1, at(1)), Code::KeyNotFound);
        assert_eq!(rung(&rings), 1);
        let late = watch.without_kid("late", 1, at(1));
        assert_eq!(late, Code::KeysRefreshing, "the fetch had begun before it");
    }

    #[test]
    fn d15_within_the_cooldown_an_unknown_kid_is_undecided_and_arranges_one_fetch() {
        let (watch, rings) = watch();
        fetch(&watch, 1, 1);
        assert_eq!(watch.without_kid("a", 1, at(2)), Code::KeysRefreshing);
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Wanted, 1));
        assert_eq!(watch.pause(at(2)), Some(Span::from_seconds(29)));
        watch.set_phase(Phase::Arranged, at(31));
        for stranger in 0..10_000 {
            let kid = stranger.to_string();
            assert_eq!(watch.without_kid(&kid, 1, at(3)), Code::KeysRefreshing);
        }
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Arranged, 1));
        assert_eq!(watch.pause(at(30)), Some(Span::from_seconds(1)));
        fetch(&watch, 31, 1);
        assert_eq!(watch.without_kid("a", 1, at(31)), Code::KeyNotFound);
        assert!(size_of::<Watch>() < 512);
    }

    /// A forked child has no thread that would keep the appointment.
    #[test]
    fn what_was_arranged_and_does_not_happen_is_asked_for_again() {
        let (watch, rings) = watch();
        watch.set_phase(Phase::Arranged, at(31));
        assert_eq!(watch.without_kid("a", 1, at(30)), Code::KeysRefreshing);
        assert_eq!(rung(&rings), 0);
        assert_eq!(watch.without_kid("a", 1, at(31)), Code::KeysRefreshing);
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Wanted, 1));
    }

    #[test]
    fn a_kid_that_a_fetch_did_not_bring_asks_for_another_after_a_minute() {
        let (watch, rings) = watch();
        assert_eq!(watch.without_kid("gone", 1, at(1)), Code::KeysRefreshing);
        fetch(&watch, 100, 1);
        assert_eq!(watch.without_kid("gone", 1, at(159)), Code::KeyNotFound);
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Cooling, 1));
        assert_eq!(watch.without_kid("gone", 1, at(160)), Code::KeyNotFound);
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Wanted, 2));
    }

    /// A verification that began before the fetch landed reads the keys of before it.
    #[test]
    fn keys_of_before_the_fetch_cannot_tell_what_it_brought() {
        let (watch, _) = watch();
        assert_eq!(watch.without_kid("new", 1, at(1)), Code::KeysRefreshing);
        fetch(&watch, 1, 2);
        assert_eq!(watch.without_kid("new", 1, at(1)), Code::KeysRefreshing);
        assert_eq!(watch.without_kid("new", 2, at(1)), Code::KeyNotFound);
    }

    #[test]
    fn where_nobody_fetches_any_more_an_unknown_kid_is_an_outage() {
        let (watch, rings) = watch();
        watch.set_phase(Phase::Closed, at(0));
        assert_eq!(watch.without_kid("a", 1, at(1)), Code::KeysUnavailable);
        assert_eq!(rung(&rings), 0);
    }

    #[test]
    fn an_issuer_that_fails_is_an_outage() {
        let (watch, rings) = watch();
        watch.set_phase(Phase::Failing, at(0));
        assert_eq!(watch.without_kid("k", 1, at(1)), Code::KeysRefreshing);
        // They came after whoever asks had looked for them.
        assert_eq!(watch.without_keys(at(1)), Code::KeysRefreshing);
        watch.set_good_until(at(0));
        assert_eq!(watch.without_keys(at(1)), Code::KeysUnavailable);
        assert_eq!(rung(&rings), 0);
    }

    #[test]
    fn keys_are_trusted_until_their_date_and_ring_when_overdue() {
        let (watch, rings) = watch();
        watch.set_overdue_at(at(500));
        watch.look_after(at(499));
        assert_eq!(rung(&rings), 0);
        watch.look_after(at(500));
        watch.look_after(at(509));
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Wanted, 1));
        watch.look_after(at(510));
        assert_eq!(rung(&rings), 2, "again after a while: nobody came");
        assert!(watch.is_trusted(at(999)) && !watch.is_trusted(at(1000)));
    }

    /// A fetch that has failed by the time its bell falls silent.
    #[derive(Default)]
    struct FailsAtOnce(OnceLock<Arc<Watch>>);

    impl Background for FailsAtOnce {
        fn ring(&self) {
            if let Some(watch) = self.0.get() {
                watch.set_phase(Phase::Failing, at(0));
            }
        }

        fn wait(&self, _: Duration, done: &mut dyn FnMut() -> bool) -> bool {
            done()
        }

        fn announce(&self) {}

        fn close(&self) {}
    }

    #[test]
    fn the_call_that_rings_is_answered_as_things_stood() {
        let (bell, fetch) = (Bell::default(), Arc::new(FailsAtOnce::default()));
        bell.attach(Arc::<FailsAtOnce>::clone(&fetch));
        let watch = Arc::new(Watch::new(bell));
        let _ = fetch.0.set(Arc::clone(&watch));
        assert_eq!(watch.without_keys(at(1)), Code::KeysRefreshing);
        assert_eq!(watch.without_keys(at(1)), Code::KeysUnavailable);
    }
}
