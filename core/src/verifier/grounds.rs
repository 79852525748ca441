//! [`Grounds`]: what a verdict was reached under, for whoever reads of it later.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::advice::{self, Advice, Call};
#[cfg(feature = "remote")]
use super::introspect::NO_ROOM;
use super::state::World;
use super::{Engine, Requirements};
use crate::binding::Judge;
#[cfg(feature = "remote")]
use crate::error::Code;
use crate::error::Error;
use crate::jwa::Algorithm;
use crate::policy::{Challenge, GateRules, Kind, SenderConstrained};

/// The policy that a verdict was reached under at a gate, which says what to do about an error and
/// what to answer to it. An [`Error`] is small and knows neither; a reload may put another policy
/// in force before anybody asks.
///
/// Cheap to clone; it keeps its policy, as a [`VerifiedToken`](crate::VerifiedToken) does. How
/// fresh keys are, and when the next fetch of them may begin, is told as it is when it is asked.
///
/// ```
/// # use sealgate::{Format, Policy, Requirements, Verifier, crypto};
/// # let document = |audience| format!(r#"
/// #     version = 1
/// #     [issuers.corp]
/// #     issuer     = "https://login.example.com"
/// #     algorithms = ["ES256"]
/// #     jwks_push  = "process"
/// #     [gates.tools]
/// #     profile    = "access_token"
/// #     audience   = "{audience}"
/// #     issuers    = ["corp"]
/// #     public_url = "https://api.example.com"
/// # "#);
/// # let policy = |audience| Policy::parse(document(audience), Format::Toml);
/// let verifier = Verifier::new(policy("https://api.example.com/v1")?, crypto::aws_lc::provider())?;
/// let gate = verifier.gate("tools")?;
///
/// let sitting = gate.sit();
/// let error = sitting.verify("no token", &Requirements::NONE).unwrap_err();
/// let grounds = sitting.grounds();
/// verifier.reload(policy("https://api.example.com/v2")?)?;
/// let answer = grounds.answer(&error, &Requirements::NONE);
/// let mut headers = answer.headers.iter();
/// assert!(headers.any(|(_, value)| value.ends_with("oauth-protected-resource/v1\"")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Grounds {
    engine: Arc<Engine>,
    world: Arc<World>,
    /// Where the gate is in the policy; nowhere if that has none such.
    gate: Option<usize>,
}

impl Grounds {
    pub(super) fn of(engine: &Arc<Engine>, world: &Arc<World>, door: u32) -> Self {
        Self {
            gate: world.gate(door),
            engine: Arc::clone(engine),
            world: Arc::clone(world),
        }
    }

    pub(super) fn at(engine: &Arc<Engine>, world: &Arc<World>, gate: usize) -> Self {
        Self {
            gate: Some(gate),
            engine: Arc::clone(engine),
            world: Arc::clone(world),
        }
    }

    /// Whether both are one policy's, loaded once.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.world, &other.world) && self.gate == other.gate
    }

    fn gate(&self) -> Option<&GateRules> {
        self.world.rules().gates.get(self.gate?)
    }

    /// What to do about an error of a call with these requirements.
    #[must_use]
    pub fn advice(&self, error: &Error, requirements: &Requirements) -> Advice {
        let call = Call {
            requirements,
            seen: None,
            now: self.engine.clock.now(),
        };
        match self.gate() {
            Some(gate) => {
                let live = self.engine.state.load();
                advice::advice_under(&self.world, &live, gate, error, &call)
            }
            None => advice::no_gate(),
        }
    }

    /// As [`Gate::may_settle`](crate::Gate::may_settle).
    #[cfg(feature = "remote")]
    #[must_use]
    pub fn may_settle(&self, error: &Error, wait: Duration) -> bool {
        let code = error.code();
        // Where so many wait that this one does not, nothing is under way that would bring its
        // answer.
        let asked = code == Code::IntrospectionPending && error.claim() != Some(NO_ROOM);
        let fetched = code == Code::KeysRefreshing;
        let listed = code == Code::StatusUnavailable;
        asked
            || fetched && self.pause(error).unwrap_or(Duration::ZERO) < wait
            || listed && self.engine.awaits_list(error)
    }

    /// How long it takes at least until the answer may be another than this `keys_refreshing` or
    /// `keys_unavailable`: no fetch of the issuer's keys begins before. `None` where none is to
    /// come.
    pub(crate) fn pause(&self, error: &Error) -> Option<Duration> {
        let state = self.engine.state.load();
        let watch = state.keys.watch(state.world.blamed(error)?)?;
        Some(watch.pause(self.engine.clock.now())?.to_duration())
    }

    /// What the gate's configuration adds to its answers on the wire.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        let (gate, rules) = (self.gate()?, self.world.rules());
        let copy = |texts: &[Box<str>]| texts.iter().map(|text| text.to_string()).collect();
        let (provider, now) = (&self.engine.provider, self.engine.clock.now());
        let judge = Judge {
            provider,
            gate,
            rules,
            now,
        };
        let dpop = rules.possession.dpop.as_ref();
        let dpop = dpop.filter(|_| gate.takes_dpop);
        let required = gate.sender_constrained == SenderConstrained::Required;
        Some(Challenge {
            kind: gate.kind,
            resource: gate.resource.as_deref().map(str::to_owned),
            issuers: gate
                .issuers
                .iter()
                .filter_map(|entry| rules.issuers.get(entry.position))
                .flat_map(|issuer| issuer.issuers.iter().map(|iss| iss.to_string()))
                .collect(),
            required_scopes: copy(&gate.required_scopes),
            acr_values: copy(&gate.acr_values),
            // A token that is bound to a certificate comes as `Bearer` (RFC 8705 §3).
            takes_bearer: !required || gate.takes_mtls,
            takes_mtls: gate.takes_mtls,
            proof_algorithms: dpop.map_or_else(Vec::new, |dpop| {
                let usable = provider.algorithms;
                let algorithms = dpop.algorithms.iter().filter(|one| usable.contains(*one));
                algorithms.map(Algorithm::name).collect()
            }),
            nonce: if gate.kind == Kind::ClientAttestation {
                judge.challenges()
            } else {
                judge.nonces().filter(|_| dpop.is_some())
            }
            .map(|nonces| nonces.current(now)),
            metadata: gate.metadata.clone(),
        })
    }
}

impl fmt::Debug for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gate = self.gate().map(|gate| &gate.name);
        f.debug_struct("Grounds")
            .field("policy", &self.world.digest)
            .field("gate", &gate)
            .finish_non_exhaustive()
    }
}
