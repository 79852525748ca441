//! [`StatusLists`]: the lists that tokens have referred to, as they were last fetched.
//!
//! Who verifies looks into an immutable snapshot; what is not in it is put on the list of what is
//! wanted, by swapping in another snapshot, and whoever fetches is woken. How many there may be is
//! bounded: an issuer that writes another address into each of its tokens crowds out its own.

use std::sync::Arc;

use super::list::StatusList;
use crate::error::Code;
use crate::limits::{STATUS_LISTS, STATUS_LISTS_SIZE};
use crate::sync::{AtomicU64, Ordering, Snapshot};
use crate::time::{NumericDate, Span};

/// A list that nobody has asked for in this time may make room for another.
const IDLE: Span = Span::from_seconds(60);
/// The pause after a failure is two seconds, and four and so on up to this power of two.
const RETRIES: u32 = 8;

pub(crate) struct StatusLists {
    lists: Snapshot<Vec<Arc<Listed>>>,
    /// Wakes whoever fetches.
    wake: Box<dyn Fn() + Send + Sync>,
}

/// One list, by the name of the issuer whose tokens refer to it and its address.
struct Listed {
    issuer: Box<str>,
    uri: Box<str>,
    /// When it was last asked for, as [`NumericDate::to_bits`].
    used: AtomicU64,
    /// When it is to be fetched, the same; [`BEING_FETCHED`] while it is.
    next: AtomicU64,
    failures: u32,
    resolved: Option<Resolved>,
    /// Why it could not be fetched the last time.
    last_error: Option<Box<str>>,
}

/// Later than any date.
const BEING_FETCHED: u64 = u64::MAX;

/// A list that was fetched and verified.
#[derive(Clone)]
pub(crate) struct Resolved {
    pub(crate) list: Arc<StatusList>,
    /// From then on it is stale (TSL-05, TSL-06).
    pub(crate) good_until: NumericDate,
    /// When it should be fetched again, ahead of that.
    pub(crate) again: NumericDate,
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
    pub(crate) issuer: Box<str>,
    pub(crate) uri: Box<str>,
}

impl StatusLists {
    pub(crate) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            lists: Snapshot::new(Vec::new()),
            wake: Box::new(wake),
        }
    }

    /// The list, if it is here and not stale; else why not, and it is wanted from now on.
    pub(super) fn look_up(
        &self,
        issuer: &str,
        uri: &str,
        now: NumericDate,
    ) -> Result<Arc<StatusList>, Code> {
        let lists = self.lists.load();
        let Some(listed) = lists.iter().find(|listed| listed.is(issuer, uri)) else {
            self.want(issuer, uri, now);
            return Err(Code::StatusUnavailable);
        };
        listed.used.store(now.to_bits(), Ordering::Relaxed);
        match &listed.resolved {
            None => Err(Code::StatusUnavailable),
            Some(resolved) if now >= resolved.good_until => Err(Code::StatusStale),
            Some(resolved) => Ok(Arc::clone(&resolved.list)),
        }
    }

    #[cold]
    fn want(&self, issuer: &str, uri: &str, now: NumericDate) {
        loop {
            let before = self.lists.load_full();
            if before.iter().any(|listed| listed.is(issuer, uri)) {
                return;
            }
            let mut after = Vec::clone(&before);
            if after.len() >= STATUS_LISTS {
                let used = |listed: &Arc<Listed>| listed.used.load(Ordering::Relaxed);
                let idle = |listed: &&Arc<Listed>| used(listed) < now.minus(IDLE).to_bits();
                let oldest = before.iter().filter(idle).min_by_key(|listed| used(listed));
                let Some(oldest) = oldest else {
                    return; // all of them are in use
                };
                after.retain(|listed| !Arc::ptr_eq(listed, oldest));
            }
            after.push(Arc::new(Listed {
                issuer: issuer.into(),
                uri: uri.into(),
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
    pub(crate) fn stats(&self, now: NumericDate) -> StatusStats {
        let lists = self.lists.load();
        let mut stats = StatusStats {
            lists: lists.len(),
            ..StatusStats::default()
        };
        for listed in lists.iter() {
            match &listed.resolved {
                None => stats.missing += 1,
                Some(resolved) => {
                    stats.stale += usize::from(now >= resolved.good_until);
                    stats.bytes += resolved.list.heap_size();
                }
            }
        }
        stats
    }

    /// Why an issuer's lists are not here, as far as that is known.
    pub(crate) fn last_error(&self, issuer: &str) -> Option<Box<str>> {
        let lists = self.lists.load();
        let mut errors = lists.iter().filter(|listed| *listed.issuer == *issuer);
        errors.find_map(|listed| listed.last_error.clone())
    }
}

impl StatusLists {
    /// The lists that are to be fetched now, at most `most`; they are taken for being fetched until
    /// [`StatusLists::settle`]. And when the next one is to be.
    pub(crate) fn begin(&self, now: NumericDate, most: usize) -> (Vec<Due>, Option<NumericDate>) {
        let lists = self.lists.load_full();
        let mut due = Vec::new();
        let mut next: Option<NumericDate> = None;
        for listed in lists.iter() {
            let at = listed.next.load(Ordering::Acquire);
            if at == BEING_FETCHED {
                continue;
            }
            if at <= now.to_bits() && due.len() < most {
                listed.next.store(BEING_FETCHED, Ordering::Release);
                due.push(Due {
                    issuer: listed.issuer.clone(),
                    uri: listed.uri.clone(),
                });
            } else {
                let at = NumericDate::from_bits(at).max(now);
                next = Some(next.map_or(at, |earlier| earlier.min(at)));
            }
        }
        (due, next)
    }

    /// Puts what was fetched in its place. After a failure the list before stays, until it is stale.
    ///
    /// # Errors
    ///
    /// Why what is in force is not what was fetched.
    pub(crate) fn settle(
        &self,
        due: &Due,
        brought: Result<Resolved, String>,
        now: NumericDate,
    ) -> Result<(), String> {
        loop {
            let before = self.lists.load_full();
            let mut after = Vec::clone(&before);
            let is_it = |listed: &&mut Arc<Listed>| listed.is(&due.issuer, &due.uri);
            let Some(place) = after.iter_mut().find(is_it) else {
                return Err("it has made room for another list".to_owned());
            };
            let brought = brought.clone().and_then(|resolved| {
                let others = before
                    .iter()
                    .filter(|listed| !listed.is(&due.issuer, &due.uri));
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

    /// Whether a list of an issuer is wanted that nobody has failed to fetch yet.
    pub(crate) fn awaits(&self, issuer: &str) -> bool {
        let lists = self.lists.load();
        let mut lists = lists.iter().filter(|listed| *listed.issuer == *issuer);
        lists.any(|listed| listed.resolved.is_none() && listed.failures == 0)
    }

    /// Nothing is being fetched in this process: whoever did is gone with a fork.
    pub(crate) fn begin_anew(&self) {
        for listed in self.lists.load().iter() {
            let fetched = listed
                .resolved
                .as_ref()
                .map_or(0, |resolved| resolved.again.to_bits());
            let being = listed.next.load(Ordering::Acquire) == BEING_FETCHED;
            if being {
                listed.next.store(fetched, Ordering::Release);
            }
        }
    }
}

impl Listed {
    fn is(&self, issuer: &str, uri: &str) -> bool {
        *self.uri == *uri && *self.issuer == *issuer
    }

    /// The same list once a fetch has ended.
    fn after(&self, brought: Result<Resolved, String>, now: NumericDate) -> Self {
        let (failures, next, resolved, last_error) = match brought {
            Ok(resolved) => (0, resolved.again, Some(resolved), None),
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
            issuer: self.issuer.clone(),
            uri: self.uri.clone(),
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

    use super::{Due, Resolved, StatusLists};
    use crate::error::Code;
    use crate::limits::STATUS_LISTS;
    use crate::revocation::StatusList;
    use crate::time::NumericDate;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(1_800_000_000 + seconds).unwrap()
    }

    fn lists() -> (StatusLists, Arc<AtomicUsize>) {
        let rings = Arc::new(AtomicUsize::new(0));
        let own = Arc::clone(&rings);
        let wake = move || {
            own.fetch_add(1, Ordering::Relaxed);
        };
        (StatusLists::new(wake), rings)
    }

    fn due(uri: &str) -> Due {
        Due {
            issuer: "a".into(),
            uri: uri.into(),
        }
    }

    fn resolved(good_until: i64) -> Resolved {
        Resolved {
            list: StatusList::decode(1, "eNrbuRgAAhcBXQ").unwrap().into(),
            good_until: at(good_until),
            again: at(good_until - 10),
        }
    }

    #[test]
    fn what_is_wanted_is_fetched_once_and_again_ahead_of_its_end() {
        let (lists, rings) = lists();
        let look = |seconds| {
            lists
                .look_up("a", "u", at(seconds))
                .map(|list| list.entries())
        };
        assert_eq!(lists.begin(at(0), 4), (Vec::new(), None));
        assert_eq!(look(0), Err(Code::StatusUnavailable));
        assert_eq!(look(0), Err(Code::StatusUnavailable));
        assert_eq!(rings.load(Ordering::Relaxed), 1);
        assert!(lists.awaits("a") && !lists.awaits("b"));
        let stats = lists.stats(at(0));
        assert_eq!((stats.lists, stats.missing, stats.bytes), (1, 1, 0));
        assert_eq!(lists.begin(at(0), 4), (vec![due("u")], None));
        assert_eq!(
            lists.begin(at(9), 4),
            (Vec::new(), None),
            "it is being fetched"
        );
        lists.settle(&due("u"), Ok(resolved(100)), at(10)).unwrap();
        assert_eq!((look(99), look(100)), (Ok(16), Err(Code::StatusStale)));
        let stands = |seconds| {
            let stats = lists.stats(at(seconds));
            (stats.lists, stats.missing, stats.stale, stats.bytes > 0)
        };
        assert_eq!(
            (stands(99), stands(100)),
            ((1, 0, 0, true), (1, 0, 1, true))
        );
        assert_eq!(lists.begin(at(89), 4), (Vec::new(), Some(at(90))));
        assert_eq!(lists.begin(at(90), 4).0, [due("u")]);
        // A failure leaves what is there, and is tried again after a pause that grows.
        for pause in [2, 4, 8, 16, 32, 64, 128, 256, 256] {
            let failed = lists.settle(&due("u"), Err("why".to_owned()), at(90));
            assert_eq!(failed.unwrap_err(), "why");
            assert_eq!(look(99), Ok(16));
            assert_eq!(
                lists.begin(at(90 + pause - 1), 4),
                (Vec::new(), Some(at(90 + pause)))
            );
            assert_eq!(lists.begin(at(90 + pause), 4).0, [due("u")]);
        }
        assert_eq!(lists.last_error("a").as_deref(), Some("why"));
        lists.begin_anew();
        assert_eq!(
            lists.begin(at(90), 4).0,
            [due("u")],
            "a fork's child fetches it itself"
        );
        assert_eq!(
            lists.look_up("b", "u", at(0)).err(),
            Some(Code::StatusUnavailable)
        );
    }

    #[test]
    fn there_is_room_for_so_many_and_what_is_idle_makes_room() {
        let (lists, _) = lists();
        let want = |number: usize, seconds| {
            let _ = lists.look_up("a", &number.to_string(), at(seconds));
        };
        (0..STATUS_LISTS + 9).for_each(|number| want(number, 0));
        let (first, next) = lists.begin(at(0), 4);
        assert_eq!((first.len(), next), (4, Some(at(0))));
        assert_eq!(lists.begin(at(0), 1000).0.len(), STATUS_LISTS - 4);
        (1..STATUS_LISTS).for_each(|number| want(number, 61));
        want(1000, 61);
        let due = lists.begin(at(61), 1000).0;
        assert_eq!(due.len(), 1);
        assert_eq!(*due[0].uri, *"1000", "in the place of the first");
        want(1001, 61);
        assert!(lists.begin(at(61), 1000).0.is_empty(), "all are in use");
    }
}
