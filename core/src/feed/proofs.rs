//! Used proofs that hosts share (DP-13): what is the same at every server.

use crate::time::{NumericDate, Span};

/// A server remembers a proof for so much longer than the verifier that asks would: one whose clock
/// is behind still takes it.
const CLOCKS: Span = Span::from_seconds(60);

/// For how long a server remembers a proof: counted from now, so that its own clock has no part in
/// it.
pub(super) fn life(until: NumericDate, now: NumericDate) -> Span {
    let left = until.since(now).max(Span::ZERO);
    Span::from_seconds(
        left.seconds()
            .saturating_add(1)
            .saturating_add(CLOCKS.seconds()),
    )
}
