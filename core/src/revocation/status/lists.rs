//! [`StatusLists`]: the lists that tokens have referred to, as they were last fetched.
//!
//! Who verifies looks into an immutable snapshot; what is not in it is put on the list of what is
//! wanted, by swapping in another snapshot, and whoever fetches is woken. How many there may be is
//! bounded: an issuer that writes another address into each of its tokens crowds out its own.
//!
//! A list is as old as the clock says that has gone further. When it is fetched is by the one that
//! nobody can set, or at once where the other says that a list in use is due: a machine has slept.

use std::sync::Arc;

use super::list::StatusList;
use crate::error::Code;
use crate::limits::{STATUS_LISTS, STATUS_LISTS_SIZE};
use crate::policy::IssuerRules;
use crate::sync::{AtomicU64, Ordering, Snapshot};
use crate::time::{Clock, Moment, Now, NumericDate, Span};

/// A list that nobody has asked for in this time may make room for another.
const IDLE: Span = Span::from_seconds(60);
/// The pause after a failure is two seconds, and four and so on up to this power of two.
const RETRIES: u32 = 8;

pub(crate) struct StatusLists {
    lists: Snapshot<Vec<Arc<Listed>>>,
    clock: Clock,
    /// Wakes whoever fetches.
    wake: Box<dyn Fn() + Send + Sync>,
}

/// One list, by the issuer whose tokens refer to it and its address.
struct Listed {
    due: Due,
    /// When it was last asked for, as [`Moment::to_bits`].
    used: AtomicU64,
    /// When it is to be fetched, the same; [`BEING_FETCHED`] while it is.
    next: AtomicU64,
    failures: u32,
    resolved: Option<Resolved>,
    /// Why it could not be fetched the last time.
    last_error: Option<Box<str>>,
}

/// Later than any moment.
const BEING_FETCHED: u64 = u64::MAX;

/// A list that was fetched and verified.
#[derive(Clone)]
pub(crate) struct Resolved {
    pub(crate) list: Arc<StatusList>,
    /// The thumbprint of the key that has signed it.
    pub(crate) key: Box<str>,
    pub(crate) fetched: Now,
    /// How old it may become: then it is stale (TSL-05, TSL-06).
    pub(crate) good_for: Span,
    /// How old it is to be fetched again, mostly ahead of that.
    pub(crate) again_after: Span,
}

impl Resolved {
    fn is_stale(&self, now: Now) -> bool {
        now.since(self.fetched) >= self.good_for
    }

    fn is_due(&self, now: Now) -> bool {
        now.since(self.fetched) >= self.again_after
    }

    /// When it is fetched again, as long as the machine does not sleep.
    fn again(&self) -> Moment {
        self.fetched.moment.plus(self.again_after)
    }
}

/// What there is to count of status lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusStats {
    pub(crate) lists: usize,
    /// Not fetched yet.
    pub(crate) missing: usize,
    pub(crate) stale: usize,
    pub(crate) bytes: usize,
}

/// A list that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// The policy's name for the issuer, and its `iss`.
    pub(crate) issuer: Box<str>,
    iss: Box<[Box<str>]>,
    pub(crate) uri: Box<str>,
}

/// Whose lists: an issuer by its name and its `iss`. A name is the operator's label, and by another
/// policy may be another's.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'p> {
    name: &'p str,
    iss: &'p [Box<str>],
}

impl<'p> From<&'p IssuerRules> for Owner<'p> {
    fn from(issuer: &'p IssuerRules) -> Self {
        Self {
            name: &issuer.name,
            iss: &issuer.issuers,
        }
    }
}

impl Due {
    /// Whether it is a list of this issuer.
    pub(crate) fn is_of(&self, owner: Owner<'_>) -> bool {
        *self.issuer == *owner.name && *self.iss == *owner.iss
    }
}

impl StatusLists {
    pub(crate) fn new(clock: Clock, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            lists: Snapshot::new(Vec::new()),
            clock,
            wake: Box::new(wake),
        }
    }

    /// The list, for a token that is judged at this date, if it is here, not stale, and signed by a
    /// key that the issuer still has; else why not, and it is wanted from now on.
    pub(super) fn look_up(
        &self,
        owner: Owner<'_>,
        uri: &str,
        has_key: impl Fn(&str) -> bool,
        date: NumericDate,
    ) -> Result<Arc<StatusList>, Code> {
        let moment = self.clock.moment();
        let now = Now { moment, date };
        let lists = self.lists.load();
        let Some(listed) = lists.iter().find(|listed| listed.is(owner, uri)) else {
            self.want(owner, uri, moment);
            return Err(Code::StatusUnavailable);
        };
        listed.used.store(moment.to_bits(), Ordering::Relaxed);
        let Some(resolved) = &listed.resolved else {
            return Err(Code::StatusUnavailable);
        };
        let withdrawn = !has_key(&resolved.key);
        if (withdrawn || resolved.is_due(now)) && listed.hurry(moment) {
            (self.wake)();
        }
        if withdrawn {
            return Err(Code::StatusUnavailable);
        }
        if resolved.is_stale(now) {
            return Err(Code::StatusStale);
        }
        Ok(Arc::clone(&resolved.list))
    }

    #[cold]
    fn want(&self, owner: Owner<'_>, uri: &str, now: Moment) {
        loop {
            let before = self.lists.load_full();
            if before.iter().any(|listed| listed.is(owner, uri)) {
                return;
            }
            let mut after = Vec::clone(&before);
            if after.len() >= STATUS_LISTS {
                let used =
                    |listed: &Arc<Listed>| Moment::from_bits(listed.used.load(Ordering::Relaxed));
                let idle = |listed: &&Arc<Listed>| now.since(used(listed)) > IDLE;
                let oldest = before.iter().filter(idle).min_by_key(|listed| used(listed));
                let Some(oldest) = oldest else {
                    return; // all of them are in use
                };
                after.retain(|listed| !Arc::ptr_eq(listed, oldest));
            }
            after.push(Arc::new(Listed {
                due: Due {
                    issuer: owner.name.into(),
                    iss: owner.iss.into(),
                    uri: uri.into(),
                },
                used: AtomicU64::new(now.to_bits()),
                next: AtomicU64::new(now.to_bits()),
                failures: 0,
                resolved: None,
                last_error: None,
            }));
            if self.lists.replace(&before, Arc::new(after)) {
                return (self.wake)();
            }
        }
    }

    /// How many there are, and how they stand.
    pub(crate) fn stats(&self) -> StatusStats {
        let now = Now::of(&self.clock);
        let lists = self.lists.load();
        let mut stats = StatusStats {
            lists: lists.len(),
            ..StatusStats::default()
        };
        for listed in lists.iter() {
            match &listed.resolved {
                None => stats.missing += 1,
                Some(resolved) => {
                    stats.stale += usize::from(resolved.is_stale(now));
                    stats.bytes += resolved.list.heap_size();
                }
            }
        }
        stats
    }

    /// Why an issuer's lists are not here, as far as that is known.
    pub(crate) fn last_error(&self, owner: Owner<'_>) -> Option<Box<str>> {
        let lists = self.lists.load();
        let mut errors = lists.iter().filter(|listed| listed.due.is_of(owner));
        errors.find_map(|listed| listed.last_error.clone())
    }
}

impl StatusLists {
    /// The lists that are to be fetched now, at most `most`; they are taken for being fetched until
    /// [`StatusLists::settle`]. And how long until the next one is to be.
    pub(crate) fn begin(&self, most: usize) -> (Vec<Due>, Option<Span>) {
        let now = self.clock.moment();
        let lists = self.lists.load_full();
        let mut due = Vec::new();
        let mut next: Option<Span> = None;
        for listed in lists.iter() {
            let at = listed.next.load(Ordering::Acquire);
            if at == BEING_FETCHED {
                continue;
            }
            if at <= now.to_bits() && due.len() < most {
                listed.next.store(BEING_FETCHED, Ordering::Release);
                due.push(listed.due.clone());
            } else {
                let rest = Moment::from_bits(at).since(now).max(Span::ZERO);
                next = Some(next.map_or(rest, |earlier| earlier.min(rest)));
            }
        }
        (due, next)
    }

    /// Puts what was fetched in its place. After a failure the list before stays, until it is
    /// stale.
    ///
    /// # Errors
    ///
    /// Why what is in force is not what was fetched.
    pub(crate) fn settle(
        &self,
        due: &Due,
        brought: Result<Resolved, String>,
    ) -> Result<(), String> {
        let now = self.clock.moment();
        loop {
            let before = self.lists.load_full();
            let mut after = Vec::clone(&before);
            let is_it = |listed: &&mut Arc<Listed>| listed.due == *due;
            let Some(place) = after.iter_mut().find(is_it) else {
                return Err("it has made room for another list".to_owned());
            };
            let brought = brought.clone().and_then(|resolved| {
                let others = before.iter().filter(|listed| listed.due != *due);
                let others = others.filter_map(|listed| listed.resolved.as_ref());
                let others: usize = others.map(|other| other.list.heap_size()).sum();
                if others.saturating_add(resolved.list.heap_size()) > STATUS_LISTS_SIZE {
                    return Err("there are too many lists, or too large ones".to_owned());
                }
                Ok(resolved)
            });
            let outcome = brought.as_ref().map(|_| ()).map_err(String::clone);
            *place = Arc::new(place.after(brought, now));
            if self.lists.replace(&before, Arc::new(after)) {
                return outcome;
            }
        }
    }

    /// Whether a list of an issuer, which has these keys, is wanted that nobody has failed to fetch
    /// yet.
    pub(crate) fn awaits(&self, owner: Owner<'_>, has_key: impl Fn(&str) -> bool) -> bool {
        let lists = self.lists.load();
        let mut lists = lists.iter().filter(|listed| listed.due.is_of(owner));
        lists.any(|listed| {
            let resolved = listed.resolved.as_ref();
            listed.failures == 0 && !resolved.is_some_and(|resolved| has_key(&resolved.key))
        })
    }

    /// Nothing is being fetched in this process: whoever did is gone with a fork.
    pub(crate) fn begin_anew(&self) {
        for listed in self.lists.load().iter() {
            let fetched = listed
                .resolved
                .as_ref()
                .map_or(0, |resolved| resolved.again().to_bits());
            let being = listed.next.load(Ordering::Acquire) == BEING_FETCHED;
            if being {
                listed.next.store(fetched, Ordering::Release);
            }
        }
    }
}

impl Listed {
    fn is(&self, owner: Owner<'_>, uri: &str) -> bool {
        *self.due.uri == *uri && self.due.is_of(owner)
    }

    /// Has a list that is due fetched ahead of its time, and says whether that is news.
    /// After a failure the pause is what it is.
    fn hurry(&self, now: Moment) -> bool {
        let next = self.next.load(Ordering::Acquire);
        let rests = self.failures == 0 && next != BEING_FETCHED && next > now.to_bits();
        let (set, read) = (Ordering::AcqRel, Ordering::Acquire);
        rests
            && self
                .next
                .compare_exchange(next, now.to_bits(), set, read)
                .is_ok()
    }

    /// The same list once a fetch has ended.
    fn after(&self, brought: Result<Resolved, String>, now: Moment) -> Self {
        let (failures, next, resolved, last_error) = match brought {
            Ok(resolved) => (0, resolved.again(), Some(resolved), None),
            Err(error) => {
                let failures = self.failures.saturating_add(1);
                let pause = Span::from_seconds(1 << failures.min(RETRIES));
                (
                    failures,
                    now.plus(pause),
                    self.resolved.clone(),
                    Some(error.into()),
                )
            }
        };
        Self {
            due: self.due.clone(),
            used: AtomicU64::new(self.used.load(Ordering::Relaxed)),
            next: AtomicU64::new(next.to_bits()),
            failures,
            resolved,
            last_error,
        }
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Due, Owner, Resolved, StatusLists};
    use crate::error::Code;
    use crate::limits::STATUS_LISTS;
    use crate::revocation::StatusList;
    use crate::time::{Clock, FixedClock, Now, Span};

    struct Stand {
        lists: StatusLists,
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
            let clock = Arc::new(FixedClock::new(1_800_000_000));
            Self {
                lists: StatusLists::new(Clock::Fixed(Arc::clone(&clock)), wake),
                clock,
                rings,
            }
        }

        fn pass(&self, seconds: i64) {
            self.clock.advance(Span::from_seconds(seconds));
        }

        fn look(&self, issuer: &str, uri: &str) -> Result<u64, Code> {
            let list = self
                .lists
                .look_up(owner(issuer), uri, |key| key == "k", self.clock.now());
            list.map(|list| list.entries())
        }

        fn resolved(&self, good_for: i64) -> Resolved {
            Resolved {
                list: StatusList::decode(1, "eNrbuRgAAhcBXQ").unwrap().into(),
                key: "k".into(),
                fetched: Now::of(&Clock::Fixed(Arc::clone(&self.clock))),
                good_for: Span::from_seconds(good_for),
                again_after: Span::from_seconds(good_for - 10),
            }
        }

        /// How many lists there are, how many of them are missing, and stale, and whether any has
        /// bytes.
        fn stands(&self) -> (usize, usize, usize, bool) {
            let stats = self.lists.stats();
            (stats.lists, stats.missing, stats.stale, stats.bytes > 0)
        }
    }

    fn owner(name: &str) -> Owner<'_> {
        Owner { name, iss: &[] }
    }

    fn due(uri: &str) -> Due {
        Due {
            issuer: "a".into(),
            iss: [].into(),
            uri: uri.into(),
        }
    }

    fn rest(seconds: i64) -> (Vec<Due>, Option<Span>) {
        (Vec::new(), Some(Span::from_seconds(seconds)))
    }

    #[test]
    fn what_is_wanted_is_fetched_once_and_again_ahead_of_its_end() {
        let stand = Stand::new();
        let lists = &stand.lists;
        assert_eq!(lists.begin(4), (Vec::new(), None));
        assert_eq!(stand.look("a", "u"), Err(Code::StatusUnavailable));
        assert_eq!(stand.look("a", "u"), Err(Code::StatusUnavailable));
        assert_eq!(stand.rings.load(Ordering::Relaxed), 1);
        let awaits = |name| lists.awaits(owner(name), |_| true);
        assert!(awaits("a") && !awaits("b"));
        assert_eq!(stand.stands(), (1, 1, 0, false));
        assert_eq!(lists.begin(4), (vec![due("u")], None));
        assert_eq!(lists.begin(4), (Vec::new(), None), "it is being fetched");
        lists.settle(&due("u"), Ok(stand.resolved(90))).unwrap();
        assert_eq!(lists.begin(4), rest(80));
        stand.pass(80);
        assert_eq!(lists.begin(4).0, [due("u")]);
        stand.pass(9);
        assert_eq!((stand.look("a", "u"), stand.stands().2), (Ok(16), 0));
        // A failure leaves what is there, and is tried again after a pause that grows.
        let failed = lists.settle(&due("u"), Err("why".to_owned()));
        assert_eq!(failed.unwrap_err(), "why");
        assert_eq!(stand.look("a", "u"), Ok(16));
        stand.pass(1);
        assert_eq!(stand.look("a", "u"), Err(Code::StatusStale));
        assert_eq!(stand.stands(), (1, 0, 1, true));
        stand.pass(1);
        assert_eq!(lists.begin(4).0, [due("u")]);
        for pause in [4, 8, 16, 32, 64, 128, 256, 256] {
            let _ = lists.settle(&due("u"), Err("why".to_owned()));
            assert_eq!(stand.look("a", "u"), Err(Code::StatusStale));
            stand.pass(pause - 1);
            assert_eq!(lists.begin(4), rest(1), "whoever wants it meanwhile");
            stand.pass(1);
            assert_eq!(lists.begin(4).0, [due("u")]);
        }
        assert_eq!(stand.rings.load(Ordering::Relaxed), 1);
        assert_eq!(lists.last_error(owner("a")).as_deref(), Some("why"));
        lists.begin_anew();
        let again = lists.begin(4).0;
        assert_eq!(again, [due("u")], "a fork's child fetches it itself");
        assert_eq!(stand.look("b", "u"), Err(Code::StatusUnavailable));
    }

    #[test]
    fn a_list_that_is_due_by_the_wall_clock_is_fetched_at_once() {
        let stand = Stand::new();
        let _ = stand.look("a", "u");
        assert_eq!(stand.lists.begin(4).0, [due("u")]);
        let settled = stand.lists.settle(&due("u"), Ok(stand.resolved(90)));
        settled.unwrap();
        // The machine sleeps: dates go on, and moments do not.
        let date = stand.clock.now().seconds();
        stand.clock.set(date + 79);
        assert_eq!(
            (stand.look("a", "u"), stand.lists.begin(4)),
            (Ok(16), rest(80))
        );
        stand.clock.set(date + 80);
        assert_eq!(
            (stand.look("a", "u"), stand.look("a", "u")),
            (Ok(16), Ok(16))
        );
        assert_eq!(stand.rings.load(Ordering::Relaxed), 2, "once");
        assert_eq!(stand.lists.begin(4).0, [due("u")]);
        stand.clock.set(date + 90);
        assert_eq!(stand.look("a", "u"), Err(Code::StatusStale));
        // Of a clock that was set back the other one counts.
        let settled = stand.lists.settle(&due("u"), Ok(stand.resolved(90)));
        settled.unwrap();
        stand.clock.set(date - 3600);
        stand.pass(89);
        assert_eq!(stand.look("a", "u"), Ok(16));
        stand.pass(1);
        assert_eq!(stand.look("a", "u"), Err(Code::StatusStale));
    }

    #[test]
    fn there_is_room_for_so_many_and_what_is_idle_makes_room() {
        let stand = Stand::new();
        let lists = &stand.lists;
        let want = |number: usize| {
            let _ = stand.look("a", &number.to_string());
        };
        (0..STATUS_LISTS + 9).for_each(want);
        let (first, next) = lists.begin(4);
        assert_eq!((first.len(), next), (4, Some(Span::ZERO)));
        assert_eq!(lists.begin(1000).0.len(), STATUS_LISTS - 4);
        stand.pass(61);
        (1..STATUS_LISTS).for_each(want);
        want(1000);
        let due = lists.begin(1000).0;
        assert_eq!(due.len(), 1);
        assert_eq!(*due[0].uri, *"1000", "in the place of the first");
        want(1001);
        assert!(lists.begin(1000).0.is_empty(), "all are in use");
    }
}
