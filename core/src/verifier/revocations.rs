//! [`Revocations`]: revoking while verifications run.

use std::fmt;

use super::Engine;
use super::state::State;
use crate::policy::RevocationStorage;
use crate::revocation::{Entry, Handle, HandleKind};
use crate::time::{NumericDate, Span};

/// What is revoked, as a verifier knows it.
#[derive(Clone, Copy)]
pub struct Revocations<'v> {
    pub(super) engine: &'v Engine,
}

/// Which tokens of a handle a revocation concerns, and until when it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    cutoff: Cutoff,
    expires: Option<NumericDate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cutoff {
    None,
    At(NumericDate),
    Now,
}

/// What a revocation did, and how far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationReceipt {
    /// Raised by everything that is revoked or lifted. A verdict of this epoch or a later one knows
    /// of it.
    pub epoch: u64,
    /// Always `"process"`: other processes must be told themselves.
    pub reach: &'static str,
}

/// How much is revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationStats {
    /// Handles that are known; one that was revoked again of late may count twice.
    pub entries: usize,
    /// Bytes they take.
    pub bytes: usize,
    /// As [`Revocations::epoch`].
    pub epoch: u64,
}

/// Why nothing was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeError {
    /// The policy asks nobody about revocations, so this one would be forgotten unread.
    Off,
    /// The handle names nothing: a part of it is empty.
    Empty,
    /// The handle's issuer is the policy's name for one. Tokens carry its `iss`.
    PolicyName,
    /// It would end before it begins.
    Ended,
}

impl Revocation {
    /// Of every token, whenever it was issued (REV-01).
    #[must_use]
    pub const fn all() -> Self {
        Self::with(Cutoff::None)
    }

    /// Of the tokens issued at `cutoff` or before, and of those that do not say when (REV-02): new
    /// ones pass.
    #[must_use]
    pub const fn before(cutoff: NumericDate) -> Self {
        Self::with(Cutoff::At(cutoff))
    }

    /// Of the tokens issued until it is revoked, by the verifier's clock: signs out, and lets new
    /// tokens pass.
    #[must_use]
    pub const fn so_far() -> Self {
        Self::with(Cutoff::Now)
    }

    const fn with(cutoff: Cutoff) -> Self {
        Self {
            cutoff,
            expires: None,
        }
    }

    /// Forgotten from then on. Without it, it is remembered for as long as a token that it
    /// concerns can be alive (REV-07), which for what has no cut-off is for ever, except of one
    /// token.
    #[must_use]
    pub const fn until(self, expires: NumericDate) -> Self {
        Self {
            expires: Some(expires),
            ..self
        }
    }
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => {
                "the policy asks nobody about revocations; write store = \"process\" under \
                 [revocation]"
            }
            Self::Empty => "a part of the handle is empty",
            Self::PolicyName => {
                "the handle's issuer is a name of the policy's; write the iss that tokens carry"
            }
            Self::Ended => "expires lies before now",
        })
    }
}

impl std::error::Error for RevokeError {}

impl<'v> Revocations<'v> {
    pub(super) const fn new(engine: &'v Engine) -> Self {
        Self { engine }
    }

    /// Revokes a handle. When this returns, no verification that starts afterwards passes with a
    /// token that carries it, cached or not. What was revoked of it before stays revoked.
    ///
    /// # Errors
    ///
    /// Nothing was revoked then.
    pub fn revoke(
        &self,
        handle: &Handle,
        revocation: Revocation,
    ) -> Result<RevocationReceipt, RevokeError> {
        let state = self.engine.state.load();
        check(&state, handle)?;
        let now = self.engine.clock.now();
        let Revocation { cutoff, expires } = revocation;
        if expires.is_some_and(|expires| expires <= now) {
            return Err(RevokeError::Ended);
        }
        let cutoff = match cutoff {
            Cutoff::None => None,
            Cutoff::At(cutoff) => Some(cutoff),
            Cutoff::Now => Some(now),
        };
        let expires = expires.or_else(|| forgotten_at(&state, handle, cutoff, now));
        let store = &state.revocations;
        let epoch = store.revoke(handle, Entry::new(cutoff, expires), now);
        if store.wants_merging() {
            store.merge(now);
        }
        Ok(RevocationReceipt::at(epoch))
    }

    /// Takes back whatever was revoked of the handle (REV-08).
    ///
    /// # Errors
    ///
    /// Nothing was lifted then.
    pub fn lift(&self, handle: &Handle) -> Result<RevocationReceipt, RevokeError> {
        let state = self.engine.state.load();
        check(&state, handle)?;
        Ok(RevocationReceipt::at(state.revocations.lift(handle)))
    }

    /// How often something was revoked or lifted.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.engine.state.load().revocations.epoch()
    }

    /// How much there is.
    #[must_use]
    pub fn stats(&self) -> RevocationStats {
        let stats = self.engine.state.load().revocations.stats();
        RevocationStats {
            entries: stats.entries,
            bytes: stats.bytes,
            epoch: stats.epoch,
        }
    }
}

impl RevocationReceipt {
    const fn at(epoch: u64) -> Self {
        Self {
            epoch,
            reach: "process",
        }
    }
}

impl fmt::Debug for Revocations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revocations")
    }
}

/// That somebody will ask for the handle, and that tokens can carry it.
fn check(state: &State, handle: &Handle) -> Result<(), RevokeError> {
    let rules = state.world.rules();
    if rules.revocation.store == RevocationStorage::Off {
        return Err(RevokeError::Off);
    }
    let kind = handle.kind();
    let nameless = handle.value().is_empty() && kind != HandleKind::Issuer;
    let homeless = handle.scope().is_empty() && kind != HandleKind::HolderKey;
    if nameless || homeless {
        return Err(RevokeError::Empty);
    }
    let mut issuers = rules.issuers.iter();
    if issuers.any(|issuer| *issuer.name == *handle.scope()) {
        return Err(RevokeError::PolicyName);
    }
    Ok(())
}

/// When no token can be alive any more that the revocation concerns (REV-07), as far as the policy
/// knows. Without a cut-off tokens yet to be issued are concerned too, except of a `jti`, which is
/// of one token.
fn forgotten_at(
    state: &State,
    handle: &Handle,
    cutoff: Option<NumericDate>,
    now: NumericDate,
) -> Option<NumericDate> {
    let rules = state.world.rules();
    let last_issued = match (cutoff, handle.kind()) {
        (Some(cutoff), _) => cutoff,
        (None, HandleKind::Token) => now,
        (None, _) => return None,
    };
    // A session, an agent, a task or a holder's key may stand in the tokens of other issuers, and in
    // those derived from what was issued before.
    let of_its_issuer = matches!(
        handle.kind(),
        HandleKind::Token | HandleKind::Subject | HandleKind::Client | HandleKind::SigningKey
    );
    let mut issuers = rules.issuers.iter();
    let issuer =
        issuers.position(|issuer| issuer.issuers.iter().any(|iss| **iss == *handle.scope()));
    let issuer = issuer.filter(|_| of_its_issuer)?;
    let gates = rules.gates.iter().flat_map(|gate| &gate.issuers);
    let lifetimes = gates.filter(|entry| entry.position == issuer);
    let lifetimes: Option<Vec<Span>> = lifetimes.map(|entry| entry.max_lifetime).collect();
    let longest = lifetimes?.into_iter().max()?;
    // Once for the issuer's clock and once for the end of the token.
    Some(
        last_issued
            .plus(longest)
            .plus(rules.leeway)
            .plus(rules.leeway),
    )
}
