//! [`Receiver`]: where issuers deliver tokens that tell of events. Answers pushes (RFC 8935, and OpenID
//! Connect Back-Channel Logout §2.5 to §2.8) and polls (RFC 8936); the program brings the bytes.
//!
//! What is accepted is in force before it is acknowledged. A token that was applied before, by its
//! issuer and `jti`, does nothing more, and is acknowledged again (SET-07).

mod poll;
mod push;

use std::fmt;

pub use poll::{PollError, Polled, Poller};
pub use push::Delivery;

use crate::error::Error;
use crate::policy::Kind;
use crate::verifier::{AppliedEvent, Gate, RevokeError, Verifier};

/// Takes tokens that tell of events at one gate of profile `set` or `logout_token`, and revokes
/// what follows from them.
#[derive(Clone)]
pub struct Receiver {
    verifier: Verifier,
    gate: Gate,
    kind: Kind,
    /// The `state` of the verification that was asked for.
    state: Option<Box<str>>,
}

/// Why nothing can be received at a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiverError {
    /// The policy has no gate of this name.
    NoSuchGate(String),
    /// The gate takes tokens that tell of no event: its profile.
    NotAnEvent(&'static str),
    /// The policy asks nobody about revocations, so what is received would be forgotten unread.
    Off,
}

impl Verifier {
    /// A receiver of events at this gate, of profile `set` or `logout_token`.
    ///
    /// ```
    /// use sealgate::{Format, Policy, Verifier, crypto};
    ///
    /// let document = r#"
    ///     version = 1
    ///     [issuers.corp]
    ///     issuer     = "https://login.example.com"
    ///     algorithms = ["ES256"]
    ///     jwks_push  = "process"
    ///     profiles   = ["set"]
    ///     [gates.signals]
    ///     profile    = "set"
    ///     audience   = "https://api.example.com/events"
    ///     issuers    = ["corp"]
    ///     [revocation]
    ///     store      = "process"
    /// "#;
    /// let policy = Policy::parse(document, Format::Toml)?;
    /// let verifier = Verifier::new(policy, crypto::aws_lc::provider())?;
    /// let receiver = verifier.receiver("signals")?;
    /// // In the handler of POST /events:
    /// let delivery = receiver.push(Some("application/secevent+jwt"), b"not a token");
    /// assert_eq!(delivery.answer.status, 400);
    /// assert!(delivery.answer.body.contains("invalid_request"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When nothing can be received there.
    pub fn receiver(&self, gate: &str) -> Result<Receiver, ReceiverError> {
        let policy = self.policy();
        let rules = policy.summary();
        let found = rules.gates.iter().find(|own| own.name == gate);
        let found = found.ok_or_else(|| ReceiverError::NoSuchGate(gate.to_owned()))?;
        let kind = Kind::from_name(found.profile);
        let kind = kind.filter(|kind| kind.tells_of_events());
        let kind = kind.ok_or(ReceiverError::NotAnEvent(found.profile))?;
        if !self.revocations().are_kept() {
            return Err(ReceiverError::Off);
        }
        let missing = |_| ReceiverError::NoSuchGate(gate.to_owned());
        Ok(Receiver {
            verifier: self.clone(),
            gate: self.gate(gate).map_err(missing)?,
            kind,
            state: None,
        })
    }
}

impl Receiver {
    /// The same for a stream whose issuer was asked to verify it with this `state` (SSF §8.1.4): a
    /// verification event that says another, or none, is refused with `invalid_state` (SET-11). Who
    /// asked for none takes all of them.
    #[must_use]
    pub fn expecting_state(mut self, state: impl Into<Box<str>>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// Verifies a token at the gate and puts into force what follows from it, once, whether or not
    /// the gate is an input of revocations. Where it was delivered under a name, that is its `jti`.
    fn take(&self, token: &[u8], name: Option<&str>) -> Result<AppliedEvent, Failure> {
        let token = self.gate.verify_event(token).map_err(Failure::Refused)?;
        if name.is_some() && name != token.jwt_id() {
            return Err(Failure::Unfit(MISNAMED));
        }
        let verifies = token.verifies_stream();
        if let (Some(expected), Some(state)) = (&self.state, verifies)
            && state != Some(&**expected)
        {
            return Err(Failure::Unfit(INVALID_STATE));
        }
        let applied = self.verifier.revocations().apply(&token);
        applied.map_err(|_| Failure::Changed)
    }
}

/// What a good token does not fit: what the issuer is told, as `err` and `description`, and what it
/// is about.
type Complaint = (&'static str, &'static str, &'static str);

/// A stream was verified that this receiver has not asked for (SSF §8.1.4).
const INVALID_STATE: Complaint = (
    "invalid_state",
    "the state is not the one that was sent",
    "state",
);
/// It was delivered under another name than its `jti` (RFC 8936 §2.3).
const MISNAMED: Complaint = (
    "invalid_request",
    "the member is not named as the token's jti",
    "jti",
);

/// Why a token was not taken.
enum Failure {
    Refused(Error),
    Unfit(Complaint),
    /// A reload has changed what the gate is, or turned revocations off.
    Changed,
}

impl fmt::Display for ReceiverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchGate(name) => write!(f, "the policy has no gate {name}"),
            Self::NotAnEvent(profile) => write!(
                f,
                "the gate takes tokens of profile {profile}; events come to gates of profile set and \
                 logout_token"
            ),
            Self::Off => RevokeError::Off.fmt(f),
        }
    }
}

impl std::error::Error for ReceiverError {}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.gate.name()).finish()
    }
}
