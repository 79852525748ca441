//! [`Pending`]: a request that is good if its proof has not been used, for stores of used proofs
//! that only the program can ask.

use std::fmt;
use std::sync::Arc;

use super::state::State;
use super::verified::{Judged, VerifiedToken};
use crate::binding::ReplayAnswer;
use crate::encoding::base64url;
use crate::error::{Code, Error};
use crate::time::NumericDate;

/// A request in which everything holds, and whose proof is still to be looked up.
///
/// Ask the store to insert [`Pending::replay_key`] unless it is there (`SET key 1 NX PXAT …`), and
/// hand its answer to [`Pending::commit`]. The proof is used up by the store, so a request that is
/// dropped before is not.
#[must_use = "nothing is verified before commit"]
pub struct Pending {
    judged: Judged,
    state: Arc<State>,
    key: Option<String>,
}

impl Pending {
    pub(super) fn new(judged: Judged, state: Arc<State>) -> Self {
        let used = judged.possession().used();
        let key = used.map(|used| base64url::encode(used.key()));
        Self { judged, state, key }
    }

    /// What the store remembers the proof by: 43 characters of base64url, the same in every process
    /// with the same `replay.namespace`. `None` where no proof was used, and nothing is to be
    /// asked.
    #[must_use]
    pub fn replay_key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Until when the store must remember it.
    #[must_use]
    pub fn remember_until(&self) -> Option<NumericDate> {
        self.judged.possession().used().map(|used| used.until())
    }

    /// The verdict, now that the store has answered. What was asked for nothing is not looked at.
    ///
    /// # Errors
    ///
    /// `replayed`; `replay_unavailable`, unless the policy accepts and marks.
    pub fn commit(self, answer: ReplayAnswer) -> Result<VerifiedToken, Error> {
        let rules = self.state.world.rules().possession.replay.as_ref();
        self.judged.conclude(|used| {
            let rules = rules.ok_or_else(|| Error::new(Code::Internal))?;
            used.answered(answer, rules)
        })
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("asks", &self.key.is_some())
            .finish_non_exhaustive()
    }
}
