//! [`Keepers`]: the issuers of one verifier whose keys are kept fresh, each with its machine.
//!
//! Two calls move everything: [`Keepers::step`] begins the fetches that are due, and
//! [`Keepers::settle`] takes in what one brought. Neither waits or reads a clock of its own.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::FetchError;
use super::jitter::Jitter;
use super::job::{Answer, Job, Known, Outcome};
use super::refresh::{Refresh, Standing};
use crate::keys::{Phase, Report, Watch};
use crate::limits::{FETCHES, FETCHES_FAILING};
use crate::policy::FetchedKeys;
use crate::time::{Moment, Now, NumericDate, Span};
use crate::verifier::{Engine, FetchedIssuer, InForce, Installed};

/// How late a refresh may be before verification asks whether anybody still fetches.
const GRACE: Span = Span::from_seconds(30);
/// After so many failures in a row metadata is read again: the keys may have moved.
const LOST: u32 = 2;

/// The issuers whose keys are fetched, under the policy in force.
pub(crate) struct Keepers {
    in_force: Option<InForce>,
    keepers: BTreeMap<u64, Keeper>,
    numbered: u64,
    seed: RandomState,
}

struct Keeper {
    keys: FetchedKeys,
    watch: Arc<Watch>,
    machine: Refresh,
    known: Known,
    report: Report,
    /// Until when the keys may be trusted, by the wall clock as it stood when they came: a machine
    /// that sleeps stops its other clock.
    good_until: Option<NumericDate>,
    /// What verification was last told.
    told: Option<Standing>,
}

/// What [`Keepers::step`] leaves to do.
pub(crate) struct Step {
    /// Fetches to run, each on a thread of its own.
    pub(crate) jobs: Vec<Job>,
    /// How long until there is something to do again; `None`: until somebody rings.
    pub(crate) rest: Option<Span>,
}

impl Keepers {
    pub(crate) fn new() -> Self {
        Self {
            in_force: None,
            keepers: BTreeMap::new(),
            numbered: 0,
            seed: RandomState::new(),
        }
    }

    /// Begins what is due, as far as there is room.
    pub(crate) fn step(&mut self, engine: &Engine) -> Step {
        let now = Now::of(engine.clock());
        self.follow(engine, now);
        let (mut due, mut abandoned) = (Vec::new(), Vec::new());
        for (number, keeper) in &mut self.keepers {
            if keeper.hear(now) == Heard::GaveUp {
                abandoned.push(*number);
            }
            if keeper.machine.is_due(now.moment) {
                due.push((keeper.machine.next(), *number));
            }
        }
        // Whoever has waited longest comes first.
        due.sort_unstable();
        let mut room = Room::of(self.keepers.values());
        let mut jobs = Vec::new();
        for (_, number) in due {
            if let Some(keeper) = self.keepers.get_mut(&number)
                && room.admits(keeper)
                && let Some(flight) = keeper.machine.begin(now.moment)
            {
                room.take(keeper);
                keeper.watch.begin();
                jobs.push(Job {
                    keeper: number,
                    flight,
                    keys: keeper.keys.clone(),
                    known: keeper.known.clone(),
                });
            }
        }
        let mut wakes: Option<Moment> = None;
        for keeper in self.keepers.values_mut() {
            keeper.tell(now);
            // What found no room begins when a flight has settled.
            let next = keeper.machine.wakes();
            if next > now.moment {
                wakes = Some(wakes.map_or(next, |earlier| earlier.min(next)));
            }
        }
        for number in abandoned {
            if let Some(keeper) = self.keepers.get(&number) {
                let reason = keeper.report.last_error.as_deref();
                engine.tell_failed(&keeper.watch, reason.unwrap_or_default());
            }
        }
        Step {
            jobs,
            rest: wakes.map(|wakes| wakes.since(now.moment)),
        }
    }

    /// Takes in what a fetch brought, unless it comes too late or the issuer is gone.
    pub(crate) fn settle(&mut self, engine: &Engine, outcome: Outcome) {
        let now = Now::of(engine.clock());
        let Some(keeper) = self.keepers.get_mut(&outcome.keeper) else {
            return;
        };
        if !keeper.machine.is_under_way(outcome.flight) {
            return;
        }
        let installed = outcome.answer.map_err(|error| error.to_string());
        let installed = installed.and_then(|answer| {
            let Answer {
                set,
                freshness,
                known,
            } = answer;
            match set.map(|set| engine.install(&keeper.watch, &set)) {
                Some(Some(Ok(installed))) => Ok((freshness, known, Some(installed))),
                // Unchanged, or gone with a reload that the next step follows.
                None | Some(None) => Ok((freshness, known, None)),
                Some(Some(Err(error))) => Err(error.to_string()),
            }
        });
        match &installed {
            Ok((freshness, known, installed)) => {
                let generation = installed.map(|Installed { generation, .. }| generation);
                keeper.watch.land(generation, now.date);
                keeper
                    .machine
                    .succeeded(outcome.flight, now.moment, *freshness);
                let good_until = keeper.machine.good_until();
                keeper.good_until = good_until.map(|moment| now.date_at(moment));
                keeper.known = known.clone();
                keeper.report.fetched_at = Some(now.date);
                keeper.report.last_error = None;
            }
            Err(error) => {
                keeper.machine.failed(outcome.flight, now.moment);
                keeper.note_failure(error.clone());
            }
        }
        keeper.told = None;
        keeper.tell(now);
        match installed {
            Ok((.., installed)) => {
                let changed = installed.is_some_and(|installed| installed.changed);
                engine.tell_refreshed(&keeper.watch, changed);
            }
            Err(error) => engine.tell_failed(&keeper.watch, &error),
        }
    }

    /// Under another policy: issuers that are still there go on as they were, flights included.
    fn follow(&mut self, engine: &Engine, now: Now) {
        let in_force = engine.in_force();
        if self.in_force.as_ref() == Some(&in_force) {
            return;
        }
        self.in_force = Some(in_force);
        let before = std::mem::take(&mut self.keepers).into_iter();
        let by_watch = |(number, keeper): (u64, Keeper)| {
            let watch = Arc::as_ptr(&keeper.watch);
            (watch, (number, keeper))
        };
        let mut before: BTreeMap<_, _> = before.map(by_watch).collect();
        for issuer in engine.fetched_issuers() {
            let known = before.remove(&Arc::as_ptr(&issuer.watch));
            let (number, mut keeper) = known.unwrap_or_else(|| {
                self.numbered += 1;
                let jitter = Jitter::new(self.seed.hash_one((&issuer.name, self.numbered)));
                (self.numbered, Keeper::new(&issuer, jitter, now))
            });
            keeper.machine.follow(issuer.keys.refresh);
            keeper.keys = issuer.keys;
            keeper.told = None;
            self.keepers.insert(number, keeper);
        }
    }
}

impl Keeper {
    fn new(issuer: &FetchedIssuer, jitter: Jitter, now: Now) -> Self {
        Self {
            keys: issuer.keys.clone(),
            watch: Arc::clone(&issuer.watch),
            machine: Refresh::new(issuer.keys.refresh, jitter, now.moment),
            known: Known::default(),
            // A fork's child goes on with what its parent had fetched.
            report: Report::clone(&issuer.watch.report()),
            good_until: None,
            told: None,
        }
    }

    /// What verification and operators have asked for since, and whether a flight took too long.
    fn hear(&mut self, now: Now) -> Heard {
        if self.watch.phase() == Phase::Wanted {
            // Too old by the wall clock, whatever the other one says: a machine that slept.
            if self.good_until.is_some_and(|date| now.date >= date) {
                self.machine.insist(now.moment);
            }
            self.machine.want(now.moment);
            // Heard, also where the answer is that it is too soon: then that is told anew.
            self.told = None;
        }
        if self.watch.take_insistence() {
            self.machine.insist(now.moment);
            self.told = None;
        }
        if self.machine.give_up(now.moment) {
            self.note_failure(FetchError::Timeout("the whole refresh").to_string());
            self.told = None;
            return Heard::GaveUp;
        }
        Heard::AllIsWell
    }

    fn note_failure(&mut self, error: String) {
        if self.machine.failures() >= LOST {
            // The keys may have moved, and a validator is that of one place.
            self.known = Known::default();
        }
        self.report.last_error = Some(error);
    }

    /// Tells verification how things stand, where that has changed.
    fn tell(&mut self, now: Now) {
        let standing = self.machine.standing(now.moment);
        if self.told == Some(standing) {
            return;
        }
        self.told = Some(standing);
        if let Some(date) = self.good_until {
            self.watch.set_good_until(date);
        }
        let wakes = self.machine.wakes().max(self.machine.next());
        self.watch.set_overdue_at(now.date_at(wakes).plus(GRACE));
        let phase = match standing {
            Standing::Resting => Phase::Resting,
            Standing::Running => Phase::Running,
            Standing::Cooling => Phase::Cooling,
            Standing::Arranged => Phase::Arranged,
            Standing::Failing => Phase::Failing,
        };
        let allowed_at = now.date_at(self.machine.allowed());
        self.watch.set_phase(phase, allowed_at);
        self.watch.set_report(Report {
            next_refresh: Some(now.date_at(self.machine.next())),
            ..self.report.clone()
        });
    }
}

/// What came of looking after a keeper.
#[derive(PartialEq, Eq)]
enum Heard {
    AllIsWell,
    /// Its fetch has taken too long and is given up.
    GaveUp,
}

/// Nobody fetches from now on, and verification must not promise it.
pub(crate) fn leave(engine: &Engine) {
    engine.leave_asks();
    let now = engine.clock().now();
    for issuer in engine.fetched_issuers() {
        issuer.watch.set_phase(Phase::Closed, now);
        issuer.watch.set_report(Report {
            next_refresh: None,
            last_error: Some(FetchError::Closed.to_string()),
            ..Report::clone(&issuer.watch.report())
        });
    }
}

/// Room for fetches: a few places are all that failing issuers may take, so that however many they
/// are and however slowly they fail, the others do not wait for them.
struct Room {
    all: usize,
    failing: usize,
}

impl Room {
    fn of<'k>(keepers: impl Iterator<Item = &'k Keeper>) -> Self {
        let mut room = Self {
            all: FETCHES,
            failing: FETCHES_FAILING,
        };
        for keeper in keepers.filter(|keeper| keeper.machine.is_flying()) {
            room.take(keeper);
        }
        room
    }

    const fn admits(&self, keeper: &Keeper) -> bool {
        self.all > 0 && (keeper.machine.failures() == 0 || self.failing > 0)
    }

    const fn take(&mut self, keeper: &Keeper) {
        self.all = self.all.saturating_sub(1);
        if keeper.machine.failures() > 0 {
            self.failing = self.failing.saturating_sub(1);
        }
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
