//! What is known of a revoked handle, in eight bytes: a cut-off and an end.

use crate::time::NumericDate;

/// Seconds since 1970 that fit in 32 bits; what lies beyond is never reached.
const FOREVER: u32 = u32::MAX;

/// Which tokens a revocation concerns, and until when anybody needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Tokens issued at that second or before (REV-02); all of them at the end of time (REV-01).
    cutoff: u32,
    /// From that second on no token that it concerns can be alive (REV-07). 0 is a handle that was
    /// revoked and is no longer.
    end: u32,
}

impl Entry {
    /// Takes the place of an older entry: not revoked.
    pub(super) const LIFTED: Self = Self { cutoff: 0, end: 0 };

    /// `cutoff` counts whole, so that nothing issued within its second slips through; without one
    /// all tokens die. Without `end` it is never forgotten.
    pub(crate) fn new(cutoff: Option<NumericDate>, end: Option<NumericDate>) -> Self {
        // 2106 is no cut-off anybody means; one before it must not become "all".
        let cutoff = cutoff.map_or(FOREVER, |cutoff| seconds_up(cutoff).min(FOREVER - 1));
        Self {
            cutoff,
            end: end.map_or(FOREVER, seconds_up).max(1),
        }
    }

    /// Both at once: whoever revokes again does not forgive what was revoked before.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            cutoff: self.cutoff.max(other.cutoff),
            end: self.end.max(other.end),
        }
    }

    /// Whether nobody needs to know any more.
    pub(super) fn has_ended(self, now: NumericDate) -> bool {
        self.end != FOREVER && now.seconds() >= i64::from(self.end)
    }

    /// The last second of issue that it concerns; `None` where it concerns every token.
    pub(super) fn cutoff(self) -> Option<i64> {
        (self.cutoff != FOREVER).then(|| i64::from(self.cutoff))
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

fn seconds_up(date: NumericDate) -> u32 {
    u32::try_from(date.seconds_up()).unwrap_or(FOREVER)
}
