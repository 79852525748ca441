//! [`Jitter`]: chance enough to keep those who began together apart. Nothing secret hangs on it.

use crate::time::Span;

/// SplitMix64 (Steele, Lea, Flood 2014): one state word, passes BigCrush.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// `span`, shorter by up to its `part`th.
    pub(super) fn shorten(&mut self, span: Span, part: i64) -> Span {
        Span::between(self.share(span, part), span)
    }

    /// `span`, longer by up to its `part`th.
    pub(super) fn lengthen(&mut self, span: Span, part: i64) -> Span {
        Span::between(self.share(span, part).scaled(-1, 1), span)
    }

    /// A thousand steps between nothing and a `part`th of `span`.
    fn share(&mut self, span: Span, part: i64) -> Span {
        let step = i64::try_from(self.draw() % 1001).unwrap_or(0);
        span.scaled(step, part.saturating_mul(1000))
    }
}
