//! Time: NumericDate, leeway, and the only place that reads a clock.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519 §2), kept in microseconds.
///
/// Fractions below a microsecond are cut off towards zero, after the text has been read as the
/// nearest `f64` (RFC 8259 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate {
    micros: i64,
}

/// The last second of the year 9999 (JWT-01).
const LAST_SECOND: i64 = 253_402_300_799;
const MICROS: i64 = 1_000_000;
const LAST: i64 = LAST_SECOND * MICROS;

impl NumericDate {
    /// A date at a whole second; `None` outside 0 to 253402300799 (JWT-01).
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        if seconds < 0 || seconds > LAST_SECOND {
            return None;
        }
        Some(Self {
            micros: seconds * MICROS,
        })
    }

    /// The last moment there is.
    pub(crate) const LAST: Self = Self { micros: LAST };

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.micros.div_euclid(MICROS)
    }

    /// Reads the text of a JSON number (JWT-01): any finite number in range, fractions and
    /// exponents legal, `-0` legal.
    pub(crate) fn from_json_number(text: &str) -> Option<Self> {
        // The usual form, read by hand: twelve digits cannot overflow.
        if text.len() <= 12 {
            let digits = text.bytes().try_fold(0_i64, |seconds, byte| {
                byte.is_ascii_digit()
                    .then(|| seconds * 10 + i64::from(byte - b'0'))
            });
            if let Some(seconds) = digits {
                return Self::from_seconds(seconds);
            }
        }
        let seconds: f64 = text.parse().ok()?;
        // An `f64` keeps microseconds until the year 2242, and 31 of them at the end of the range.
        if !(0.0..=253_402_300_799.0).contains(&seconds) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::as_conversions,
            reason = "in range"
        )]
        let micros = (seconds * 1e6) as i64;
        Some(Self { micros })
    }

    /// Reads a date and time of RFC 3339 §5.6, as `2027-01-15T08:00:00Z`, to the microsecond.
    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        use time::OffsetDateTime;
        use time::format_description::well_known::Rfc3339;
        let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let whole = Self::from_seconds(date.unix_timestamp())?;
        Some(Self {
            micros: whole.micros.saturating_add(i64::from(date.microsecond())),
        })
    }

    /// Reads a date of an HTTP field (RFC 9110 §5.6.7), as in `Date` and `Expires`.
    #[cfg(feature = "remote")]
    #[must_use]
    pub fn from_http_date(text: &str) -> Option<Self> {
        let date = httpdate::parse_http_date(text.trim()).ok()?;
        let elapsed = date.duration_since(UNIX_EPOCH).ok()?;
        Self::from_seconds(i64::try_from(elapsed.as_secs()).ok()?)
    }

    /// Whole seconds since the epoch, upwards: of an end, which does not come before its second.
    #[must_use]
    pub const fn seconds_up(self) -> i64 {
        let whole = self.micros.div_euclid(MICROS);
        if self.micros.rem_euclid(MICROS) == 0 {
            whole
        } else {
            whole + 1
        }
    }

    /// Microseconds since the epoch, never negative: for an atomic.
    pub(crate) fn to_bits(self) -> u64 {
        u64::try_from(self.micros).unwrap_or(0)
    }

    /// What [`Self::to_bits`] was made of.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self {
            micros: i64::try_from(bits).unwrap_or(i64::MAX),
        }
    }

    /// This moment moved later, saturating.
    pub(crate) const fn plus(self, span: Span) -> Self {
        Self {
            micros: self.micros.saturating_add(span.micros),
        }
    }

    /// This moment moved earlier, saturating; may lie before the epoch.
    pub(crate) const fn minus(self, span: Span) -> Self {
        Self {
            micros: self.micros.saturating_sub(span.micros),
        }
    }

    /// Where `at` lies from here, as people say it: `in 4 min 12 s`, `48 s ago`.
    #[must_use]
    pub fn relative(self, at: Self) -> String {
        if at > self {
            format!("in {}", at.since(self).in_words())
        } else {
            format!("{} ago", self.since(at).in_words())
        }
    }

    /// From `earlier` to here; negative when `earlier` is later.
    pub(crate) const fn since(self, earlier: Self) -> Span {
        Span {
            micros: self.micros.saturating_sub(earlier.micros),
        }
    }
}

/// A moment that no one can set: for what is due after a while, whatever the wall clock does.
/// Microseconds since the clock was first asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    micros: i64,
}

impl Moment {
    /// Microseconds, never negative: for an atomic.
    pub(crate) fn to_bits(self) -> u64 {
        u64::try_from(self.micros).unwrap_or(0)
    }

    /// What [`Self::to_bits`] was made of.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self {
            micros: i64::try_from(bits).unwrap_or(i64::MAX),
        }
    }

    /// This moment moved later, saturating.
    pub(crate) const fn plus(self, span: Span) -> Self {
        Self {
            micros: self.micros.saturating_add(span.micros),
        }
    }

    /// From `earlier` to here; negative when `earlier` is later.
    pub(crate) const fn since(self, earlier: Self) -> Span {
        Span {
            micros: self.micros.saturating_sub(earlier.micros),
        }
    }
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) moment: Moment,
    pub(crate) date: NumericDate,
}

impl Now {
    pub(crate) fn of(clock: &Clock) -> Self {
        Self {
            moment: clock.moment(),
            date: clock.now(),
        }
    }

    /// How long ago that was, by the clock that has gone further: the wall clock can be set back,
    /// and the other stops while a machine sleeps.
    pub(crate) fn since(self, earlier: Self) -> Span {
        let passed = self.moment.since(earlier.moment);
        passed.max(self.date.since(earlier.date))
    }
}

#[cfg(feature = "remote")]
impl Now {
    /// The wall clock's date at another moment, as far as anyone can tell now.
    pub(crate) fn date_at(self, moment: Moment) -> NumericDate {
        self.date.plus(moment.since(self.moment))
    }
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    micros: i64,
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self { micros: 0 };

    /// A span of whole seconds, saturating.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self {
            micros: seconds.saturating_mul(MICROS),
        }
    }

    /// A span of milliseconds, saturating.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self {
            micros: millis.saturating_mul(1000),
        }
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.micros.div_euclid(MICROS)
    }

    /// Whole milliseconds, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.micros.div_euclid(1000)
    }

    /// This length as people say it, in its two largest units and without a sign: `48 s`,
    /// `4 min 12 s`, `38 min`, `2 h`.
    #[must_use]
    pub fn in_words(self) -> String {
        let seconds = self.seconds().unsigned_abs();
        let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
        let mut rest = seconds;
        let mut parts = units.into_iter().map(|(unit, each)| {
            let count = rest / each;
            rest %= each;
            (count, unit)
        });
        let Some((count, unit)) = parts.find(|(count, _)| *count > 0) else {
            return "0 s".to_owned();
        };
        match parts.next() {
            Some((more, smaller)) if more > 0 => format!("{count} {unit} {more} {smaller}"),
            _ => format!("{count} {unit}"),
        }
    }

    /// This length for the standard library; a negative one is none.
    #[must_use]
    pub fn to_duration(self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros).unwrap_or(0))
    }
}

#[cfg(feature = "remote")]
impl Span {
    /// From `start` to `end`, both counted from the same moment, saturating.
    pub(crate) const fn between(start: Self, end: Self) -> Self {
        Self {
            micros: end.micros.saturating_sub(start.micros),
        }
    }
}

impl Span {
    /// This length times `numerator / denominator`, saturating; nothing times a fraction over 0.
    pub(crate) fn scaled(self, numerator: i64, denominator: i64) -> Self {
        let micros = i128::from(self.micros) * i128::from(numerator);
        let micros = micros.checked_div(i128::from(denominator)).unwrap_or(0);
        let most = if micros < 0 { i64::MIN } else { i64::MAX };
        Self {
            micros: i64::try_from(micros).unwrap_or(most),
        }
    }
}

impl From<Duration> for Span {
    /// Saturates at 292,000 years.
    fn from(duration: Duration) -> Self {
        Self {
            micros: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
        }
    }
}

/// Where a verifier takes its time from.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Clock {
    /// The operating system's wall clock.
    #[default]
    System,
    /// A clock that moves only when told to: for tests and for `--now`.
    Fixed(Arc<FixedClock>),
}

impl Clock {
    /// A clock that stands at `seconds` until it is advanced.
    #[must_use]
    pub fn fixed(seconds: i64) -> Self {
        Self::Fixed(Arc::new(FixedClock::new(seconds)))
    }

    /// The current time. A system clock that is set before 1970 reads as the last date there is:
    /// who does not know the time takes every token for expired.
    #[must_use]
    pub fn now(&self) -> NumericDate {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the clock"
            )]
            Self::System => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
                let micros = elapsed.map(|elapsed| i64::try_from(elapsed.as_micros()));
                NumericDate {
                    micros: micros.map_or(LAST, |micros| micros.unwrap_or(LAST)),
                }
            }
            Self::Fixed(clock) => clock.now(),
        }
    }

    /// The current moment, which only ever moves on.
    pub(crate) fn moment(&self) -> Moment {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock"
        )]
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        let micros = match self {
            Self::System => i64::try_from(FIRST.elapsed().as_micros()).unwrap_or(i64::MAX),
            Self::Fixed(clock) => clock.passed.load(Ordering::Acquire),
        };
        Moment { micros }
    }
}

/// A clock that moves only when told to, within the dates there are: it stops at 1970 and at the
/// end of the year 9999.
#[derive(Debug)]
pub struct FixedClock {
    micros: AtomicI64,
    /// How far it was advanced in all: what a monotonic clock shows.
    passed: AtomicI64,
}

impl FixedClock {
    /// A clock standing at `seconds` since the epoch.
    #[must_use]
    pub const fn new(seconds: i64) -> Self {
        Self {
            micros: AtomicI64::new(clamp(seconds.saturating_mul(MICROS))),
            passed: AtomicI64::new(0),
        }
    }

    /// The time it stands at.
    #[must_use]
    pub fn now(&self) -> NumericDate {
        NumericDate {
            micros: self.micros.load(Ordering::Acquire),
        }
    }

    /// Moves it forward, or back by a negative span. What is due after a while sees it move
    /// forward only.
    pub fn advance(&self, span: Span) {
        let moved = |micros: i64| Some(clamp(micros.saturating_add(span.micros)));
        let (set, read) = (Ordering::AcqRel, Ordering::Acquire);
        // The closure never gives up.
        let _ = self.micros.fetch_update(set, read, moved);
        self.passed.fetch_add(span.micros.max(0), set);
    }

    /// Sets it to `seconds` since the epoch, as an operator sets a wall clock: nothing that is due
    /// after a while comes sooner or later for it.
    pub fn set(&self, seconds: i64) {
        let micros = clamp(seconds.saturating_mul(MICROS));
        self.micros.store(micros, Ordering::Release);
    }
}

const fn clamp(micros: i64) -> i64 {
    if micros < 0 {
        0
    } else if micros > LAST {
        LAST
    } else {
        micros
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, NumericDate, Span};

    fn date(text: &str) -> Option<i64> {
        NumericDate::from_json_number(text).map(|date| date.micros)
    }

    #[test]
    fn json_numbers_in_range_are_dates() {
        assert_eq!(date("0"), Some(0));
        assert_eq!(date("-0"), Some(0));
        assert_eq!(date("1800000300"), Some(1_800_000_300_000_000));
        assert_eq!(date("1800000300.5"), Some(1_800_000_300_500_000));
        assert_eq!(date("1.8e9"), Some(1_800_000_000_000_000));
        assert_eq!(date("253402300799"), Some(253_402_300_799_000_000));
    }

    #[test]
    fn numbers_out_of_range_are_not() {
        for text in [
            "-1",
            "-0.5",
            "253402300800",
            "253402300799.5",
            "1e300",
            "1e999",
            "99999999999999999999",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_are_said_in_their_two_largest_units() {
        for (seconds, words) in [
            (0, "0 s"),
            (48, "48 s"),
            (60, "1 min"),
            (252, "4 min 12 s"),
            (7_200, "2 h"),
            (7_201, "2 h"),
            (9_000, "2 h 30 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(Span::from_seconds(seconds).in_words(), words);
        }
        let at = |seconds| NumericDate::from_seconds(seconds).unwrap();
        assert_eq!(at(100).relative(at(152)), "in 52 s");
        assert_eq!(at(100).relative(at(40)), "1 min ago");
        assert_eq!(at(100).relative(at(100)), "0 s ago");
    }

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let Clock::Fixed(clock) = Clock::fixed(100) else {
            panic!("fixed")
        };
        clock.advance(Span::from_seconds(-1));
        assert_eq!(clock.now().seconds(), 99);
        clock.advance(Span::from_seconds(i64::MAX));
        clock.advance(Span::from_seconds(1));
        assert_eq!(
            clock.now(),
            NumericDate::from_seconds(253_402_300_799).unwrap()
        );
        clock.set(i64::MIN);
        assert_eq!(clock.now().seconds(), 0);
        clock.set(7);
        assert_eq!(
            Clock::Fixed(clock).now(),
            NumericDate::from_seconds(7).unwrap()
        );
    }
}
