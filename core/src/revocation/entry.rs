//! What is known of a revoked handle, in eight bytes: a cut-off and an end.

use crate::time::NumericDate;

/// Seconds since 1970 that fit in 32 bits; what lies beyond is never reached.
const FOREVER: u32 = u32::MAX;

/// Ends that no revocation has: of a handle that was lifted, and of one that an event has lifted.
const LIFTED: u32 = 0;
const LIFTED_BY_EVENT: u32 = 1;

/// An event is told at most seven days after it was signed (SET-08); one day for clocks.
const EVENTS_LIVE: i64 = 8 * 24 * 60 * 60;

/// Which tokens a revocation concerns, and until when anybody needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Tokens issued at that second or before (REV-02); all of them at the end of time (REV-01).
    cutoff: u32,
    /// From that second on no token that it concerns can be alive (REV-07). [`LIFTED`] and
    /// [`LIFTED_BY_EVENT`] are of a handle that was lifted, at the second of `cutoff`.
    end: u32,
}

impl Entry {
    /// `cutoff` counts by its second, as an `iat` does: nothing issued within it slips through, and
    /// whoever signs in from the next second on is not concerned (REV-02). Without one all tokens
    /// die. Without `end` it is never forgotten.
    pub(crate) fn new(cutoff: Option<NumericDate>, end: Option<NumericDate>) -> Self {
        // 2106 is no cut-off anybody means; one before it must not become "all".
        let cutoff = cutoff.map_or(FOREVER, |cutoff| second_of(cutoff).min(FOREVER - 1));
        Self {
            cutoff,
            end: end.map_or(FOREVER, seconds_up).max(LIFTED_BY_EVENT + 1),
        }
    }

    /// Takes the place of an older entry: not revoked since then. What was revoked earlier and is
    /// told later finds it there (REV-08).
    pub(super) fn lifted(at: NumericDate) -> Self {
        Self {
            cutoff: second_of(at),
            end: LIFTED,
        }
    }

    /// When it was lifted, where it was.
    pub(super) fn lifted_at(self) -> Option<i64> {
        (self.end <= LIFTED_BY_EVENT).then(|| i64::from(self.cutoff))
    }

    /// What is known once this has come on top of what was brought meanwhile, which happened at any
    /// time before now. A lift ends it, but for one by an event: that undoes nothing which happened
    /// later (REV-08).
    pub(super) fn on_top_of(self, brought: Self) -> Self {
        match (self.end, brought.lifted_at()) {
            (LIFTED, _) | (LIFTED_BY_EVENT, Some(_)) => self,
            (LIFTED_BY_EVENT, None) if brought.is_later_than(self) => brought,
            (LIFTED_BY_EVENT, None) => self,
            _ => self.with(brought),
        }
    }

    /// Whether what it tells happened after that: of a lifted handle when it was lifted, of an
    /// account when it was disabled. What says no time is later than any.
    const fn is_later_than(self, other: Self) -> bool {
        self.cutoff > other.cutoff
    }

    /// Both at once: whoever revokes again does not forgive what was revoked before.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            cutoff: self.cutoff.max(other.cutoff),
            end: self.end.max(other.end),
        }
    }

    /// Of two that come without an order: a lift counts less, and of two lifts the later.
    pub(super) fn with(self, other: Self) -> Self {
        match (self.lifted_at(), other.lifted_at()) {
            (Some(_), None) => other,
            (None, Some(_)) => self,
            (Some(_), Some(_)) | (None, None) => self.and(other),
        }
    }

    /// Whether nobody needs to know any more.
    pub(super) fn has_ended(self, now: NumericDate) -> bool {
        self.end != FOREVER && now.seconds() >= i64::from(self.end)
    }

    /// Whether it can be left out: it has ended, or was lifted so long ago that no event from
    /// before is taken any more.
    pub(super) fn can_go(self, now: NumericDate) -> bool {
        match self.lifted_at() {
            Some(at) => now.seconds() >= at.saturating_add(EVENTS_LIVE),
            None => self.has_ended(now),
        }
    }

    /// The last second of issue that it concerns; `None` where it concerns every token.
    pub(super) fn cutoff(self) -> Option<i64> {
        (self.cutoff != FOREVER).then(|| i64::from(self.cutoff))
    }

    /// The second from which on it is forgotten; `None` for never.
    pub(super) fn end(self) -> Option<i64> {
        (self.end != FOREVER).then(|| i64::from(self.end))
    }

    pub(super) fn to_bits(self) -> u64 {
        u64::from(self.cutoff) << 32 | u64::from(self.end)
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(FOREVER);
        Self {
            cutoff: half(bits >> 32),
            end: half(bits),
        }
    }
}

/// What somebody tells of a handle, and how it goes together with what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    entry: Entry,
    /// The second of what happened.
    at: u32,
    /// It is told when it is told, which may be long afterwards and in any order: an event. Else it
    /// counts from when it is told.
    event: bool,
}

impl Told {
    pub(super) fn new(entry: Entry, at: NumericDate, event: bool) -> Self {
        let at = second_of(at);
        let entry = match entry.end {
            LIFTED if event => Entry {
                end: LIFTED_BY_EVENT,
                ..entry
            },
            _ => entry,
        };
        Self { entry, at, event }
    }

    /// What counts from when it is told, and when that was in the case of a lift.
    pub(super) const fn later(entry: Entry) -> Self {
        Self {
            entry,
            at: entry.cutoff,
            event: false,
        }
    }

    /// What is told, where it counts from when it is told.
    pub(super) fn plain(self) -> Option<Entry> {
        (!self.event).then_some(self.entry)
    }

    pub(crate) fn lifts(self) -> bool {
        self.entry.lifted_at().is_some()
    }

    /// What is known of the handle afterwards; `None` where that is what was known before.
    ///
    /// Whoever revokes adds to what was revoked. A lift ends it all. An event undoes nothing that
    /// happened later (REV-08); of two in one second the one told later counts.
    pub(super) fn after(self, before: Option<Entry>, now: NumericDate) -> Option<Entry> {
        let Self { entry, at, event } = self;
        let known = before.filter(|before| !before.can_go(now));
        let lifts = self.lifts();
        let after = match known {
            None if lifts && !event => return None,
            None => entry,
            Some(known) if known.lifted_at().is_some() => {
                let overtaken = known.cutoff > at && (event || lifts);
                if overtaken { known } else { entry }
            }
            Some(known) if lifts => {
                // What says no time is later than any event.
                let overtaken = event && known.is_later_than(entry);
                if overtaken { known } else { entry }
            }
            Some(known) => known.and(entry),
        };
        (before != Some(after)).then_some(after)
    }
}

/// The second that a moment lies in.
fn second_of(date: NumericDate) -> u32 {
    u32::try_from(date.seconds()).unwrap_or(FOREVER)
}

fn seconds_up(date: NumericDate) -> u32 {
    u32::try_from(date.seconds_up()).unwrap_or(FOREVER)
}
