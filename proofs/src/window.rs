//! Time in windows of 64 seconds, and where each is kept: sixteen regions take turns.

/// Seconds of one window.
pub(crate) const SECONDS: u64 = 64;

/// Windows that are kept apart, one a region. A proof may be five minutes old and leeway is five
/// minutes at most, on both sides: what is taken at one moment was issued within 900 seconds, which
/// touch sixteen windows at most. So a region whose turn has come again holds nothing that lives.
pub(crate) const REGIONS: u64 = 16;

/// Nothing that is taken is dated further ahead: leeway is five minutes at most.
const MOST_AHEAD: u64 = 5 * 60;

/// How many turns a word can tell apart: the last begins in the year 2514.
const TURNS: u64 = (1 << 24) - 1;

/// 64 seconds, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Window(u64);

impl Window {
    pub(crate) const fn of(seconds: u64) -> Self {
        Self(seconds / SECONDS)
    }

    /// The windows of what would be taken now if it lives this long, the oldest first: as far ahead
    /// as it may be dated, and as far back as there are regions.
    pub(crate) fn taken_at(now: u64, life: u64) -> impl Iterator<Item = Self> {
        let last = now.saturating_add(life.min(MOST_AHEAD)) / SECONDS;
        let oldest = (now / SECONDS).saturating_sub(REGIONS - 1);
        let first = (now.saturating_sub(life) / SECONDS).max(oldest);
        (first..=last).map(Self)
    }

    /// Where it is kept.
    pub(crate) const fn region(self) -> u64 {
        self.0 % REGIONS
    }

    /// The how manieth of its region it is, from 1: a word that was never written is of none.
    /// `None` from the year 2514 on.
    pub(crate) const fn turn(self) -> Option<u64> {
        let turn = self.0 / REGIONS + 1;
        if turn <= TURNS { Some(turn) } else { None }
    }
}
