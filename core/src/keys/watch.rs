//! [`Watch`]: what the verification path and the fetching of an issuer's keys tell each other.
//!
//! Verification never waits and calls no one: it leaves a wish and answers at once. Whoever fetches
//! keeps the phase, and the two dates that verification holds the wall clock against. At most once
//! a cooldown and issuer does a wish wake the other side.

use std::hash::BuildHasher;
use std::sync::Arc;

use super::Bell;
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
    /// The last fetch failed; the next is due after a while.
    Failing = 4,
    /// Nobody fetches any more.
    Closed = 5,
}

impl Phase {
    const fn from_bits(bits: u64) -> Self {
        match bits {
            0 => Self::Resting,
            1 => Self::Wanted,
            2 => Self::Running,
            3 => Self::Cooling,
            4 => Self::Failing,
            _ => Self::Closed,
        }
    }

    const fn bits(self) -> u64 {
        match self {
            Self::Resting => 0,
            Self::Wanted => 1,
            Self::Running => 2,
            Self::Cooling => 3,
            Self::Failing => 4,
            Self::Closed => 5,
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
    /// From this date on [`Phase::Cooling`] is over.
    cooled_at: AtomicU64,
    /// 1 when an operator has asked for a fetch.
    #[cfg(feature = "remote")]
    insistence: AtomicU64,
    absent: Absent,
    report: Snapshot<Report>,
    bell: Bell,
}

/// How often verification rings for keys that are overdue.
const REMINDER: Span = Span::from_seconds(10);

impl Watch {
    pub(crate) fn new(bell: Bell) -> Self {
        Self {
            good_until: AtomicU64::new(0),
            overdue_at: AtomicU64::new(0),
            phase: AtomicU64::new(Phase::Resting.bits()),
            cooled_at: AtomicU64::new(0),
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
            self.want(now);
            self.bell.ring();
        }
    }

    /// What to answer a token while there is no key at all, having asked for one.
    #[cold]
    pub(crate) fn without_keys(&self, now: NumericDate) -> Code {
        let code = match self.ask(now) {
            Phase::Resting | Phase::Wanted | Phase::Running => Code::KeysRefreshing,
            Phase::Cooling | Phase::Failing | Phase::Closed => Code::KeysUnavailable,
        };
        // Afterwards, lest a fetch that fails at once change the answer of the call that rang for it.
        self.look_after(now);
        code
    }

    /// What to answer a token whose `kid` is not in the set, having asked for a newer one. While
    /// nobody can know whether the issuer has such a key, that is not the token's fault.
    #[cold]
    pub(crate) fn without_kid(&self, kid: &str, now: NumericDate) -> Code {
        if self.absent.contains(kid, now) {
            return Code::KeyNotFound;
        }
        match self.ask(now) {
            Phase::Resting | Phase::Wanted | Phase::Running | Phase::Failing => {
                Code::KeysRefreshing
            }
            Phase::Closed => Code::KeyNotFound,
            Phase::Cooling => {
                self.absent.insert(kid, now);
                Code::KeyNotFound
            }
        }
    }

    /// Asks for a fetch where one is allowed, and says how things stood.
    fn ask(&self, now: NumericDate) -> Phase {
        let before = self.want(now);
        if before == Phase::Resting {
            self.bell.ring();
        }
        before
    }

    /// Leaves the wish, where one is allowed.
    fn want(&self, now: NumericDate) -> Phase {
        let seen = self.phase.load(Ordering::Acquire);
        let cooled = now.to_bits() >= self.cooled_at.load(Ordering::Relaxed);
        let allowed = match Phase::from_bits(seen) {
            Phase::Resting => true,
            Phase::Cooling => cooled,
            phase @ (Phase::Wanted | Phase::Running | Phase::Failing | Phase::Closed) => {
                return phase;
            }
        };
        if !allowed {
            return Phase::Cooling;
        }
        let (set, read) = (Ordering::AcqRel, Ordering::Acquire);
        let wanted = Phase::Wanted.bits();
        match self.phase.compare_exchange(seen, wanted, set, read) {
            Ok(_) => Phase::Resting,
            Err(other) => Phase::from_bits(other),
        }
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

    /// How things stand from now on; cooling ends at a date.
    pub(crate) fn set_phase(&self, phase: Phase, cooled_at: NumericDate) {
        self.cooled_at.store(cooled_at.to_bits(), Ordering::Relaxed);
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

/// `kid`s that a fetch did not bring: of themselves they cause no other for a while (KEY-05). A
/// stranger can write here, so it is bounded and its hash is keyed; what is pushed out, or taken
/// for another (once in four thousand million), costs one fetch or one minute.
struct Absent {
    seed: foldhash::quality::RandomState,
    /// The `kid`'s hash above, the second until which it counts below.
    slots: [AtomicU64; SLOTS],
}

/// An issuer's strangers mostly bring one stale `kid`, a whole environment's tokens.
const SLOTS: usize = 16;
/// Two cooldowns of the default: long enough to matter, short enough for an issuer whose key set
/// reaches its edge servers after its first token does.
const ABSENCE: Span = Span::from_seconds(60);

impl Absent {
    fn new() -> Self {
        Self {
            seed: foldhash::quality::RandomState::default(),
            slots: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn slot(&self, kid: &str) -> (u64, Option<&AtomicU64>) {
        let hash = self.seed.hash_one(kid);
        let place = usize::try_from(hash % 16).unwrap_or(0);
        (hash >> 32, self.slots.get(place))
    }

    fn contains(&self, kid: &str, now: NumericDate) -> bool {
        let (hash, slot) = self.slot(kid);
        let held = slot.map_or(0, |slot| slot.load(Ordering::Relaxed));
        held >> 32 == hash && u64::try_from(now.seconds()).is_ok_and(|now| now < held & LOW)
    }

    fn insert(&self, kid: &str, now: NumericDate) {
        let (hash, slot) = self.slot(kid);
        let until = u64::try_from(now.plus(ABSENCE).seconds()).unwrap_or(0);
        if let Some(slot) = slot {
            slot.store(hash << 32 | until.min(LOW), Ordering::Relaxed);
        }
    }
}

/// Seconds until the year 2106; the second after that, nothing is absent any more.
const LOW: u64 = 0xFFFF_FFFF;

#[cfg(test)]
#[cfg(all(feature = "remote", not(sealgate_model)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    use super::{Phase, Watch};
    use crate::error::Code;
    use crate::keys::{Background, Bell};
    use crate::time::NumericDate;

    #[derive(Default)]
    struct Rings(AtomicUsize);

    impl Background for Rings {
        fn ring(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn wait(&self, _: Duration, done: &mut dyn FnMut() -> bool) -> bool {
            done()
        }

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

    #[test]
    fn an_unknown_kid_rings_once_and_is_undecided_until_a_fetch_has_ended() {
        let (watch, rings) = watch();
        for _ in 0..1000 {
            assert_eq!(watch.without_kid("new", at(1)), Code::KeysRefreshing);
        }
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Wanted, 1));
        watch.set_phase(Phase::Running, at(0));
        assert_eq!(watch.without_kid("new", at(1)), Code::KeysRefreshing);
        watch.set_phase(Phase::Cooling, at(31));
        assert_eq!(watch.without_kid("new", at(1)), Code::KeyNotFound);
        assert_eq!(rung(&rings), 1);
    }

    #[test]
    fn a_cooldown_ends_by_itself() {
        let (watch, rings) = watch();
        watch.set_phase(Phase::Cooling, at(31));
        assert_eq!(watch.without_kid("a", at(30)), Code::KeyNotFound);
        assert_eq!(watch.without_kid("b", at(31)), Code::KeysRefreshing);
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Wanted, 1));
    }

    #[test]
    fn a_kid_that_a_fetch_did_not_bring_asks_for_none_for_a_minute() {
        let (watch, rings) = watch();
        watch.set_phase(Phase::Cooling, at(120));
        assert_eq!(watch.without_kid("gone", at(100)), Code::KeyNotFound);
        assert_eq!(watch.without_kid("gone", at(159)), Code::KeyNotFound);
        assert_eq!((watch.phase(), rung(&rings)), (Phase::Cooling, 0));
        // Any other does, and the same one after the minute.
        assert_eq!(watch.without_kid("other", at(159)), Code::KeysRefreshing);
        watch.set_phase(Phase::Cooling, at(160));
        assert_eq!(watch.without_kid("gone", at(160)), Code::KeysRefreshing);
        assert_eq!(rung(&rings), 2);
    }

    #[test]
    fn an_issuer_that_fails_is_an_outage() {
        let (watch, rings) = watch();
        watch.set_phase(Phase::Failing, at(0));
        assert_eq!(watch.without_kid("k", at(1)), Code::KeysRefreshing);
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

    #[test]
    fn absent_kids_are_bounded() {
        let (watch, _) = watch();
        watch.set_phase(Phase::Cooling, at(31));
        for kid in 0..10_000 {
            assert_eq!(
                watch.without_kid(&kid.to_string(), at(1)),
                Code::KeyNotFound
            );
        }
        assert!(size_of::<Watch>() < 512);
    }
}
