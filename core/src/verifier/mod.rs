//! [`Verifier`]: a policy, keys and a clock, put together; [`Gate`]: a door one verifies at.

mod actors;
mod advice;
mod ancestry;
mod applied;
#[cfg(feature = "remote")]
mod asks;
mod audit;
mod authority;
mod build;
mod caller;
mod checked;
mod explain;
#[cfg(feature = "remote")]
mod fetched;
mod flow;
mod gate;
mod grounds;
mod halves;
mod headers;
mod inquiry;
mod introspect;
mod jws;
mod keys;
mod kind;
#[cfg(feature = "remote")]
mod lists;
mod lookup;
mod malformed;
mod misfit;
mod note;
mod offline;
mod outbound;
mod pending;
mod pipeline;
mod proof;
mod request;
mod requirements;
mod revocable;
mod revocations;
mod seen;
#[cfg(feature = "testing")]
mod setting;
mod sitting;
mod state;
mod stats;
mod status;
mod ties;
mod traced;
mod trail;
mod validity;
mod verdict;
mod verified;
mod vouched;
mod whole;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use advice::Advice;
pub use ancestry::ContextToken;
pub use applied::{AppliedEvent, EventChange};
#[cfg(feature = "remote")]
pub(crate) use asks::{AskFetch, Asked, Question};
pub(crate) use build::refusals;
pub use checked::RevocationCheck;
pub use explain::Explanation;
#[cfg(feature = "remote")]
pub use fetched::NotReady;
#[cfg(feature = "remote")]
pub(crate) use fetched::{FetchedIssuer, InForce, Installed};
pub use gate::Gate;
pub use grounds::Grounds;
pub use inquiry::{Begun, Inquiry};
pub use jws::{Jws, UnverifiedToken, inspect, verify_jws};
pub use keys::{IssuerKey, KeyState, Keys, PublishError, Receipt};
#[cfg(feature = "remote")]
pub(crate) use lists::ListFetch;
pub use lookup::UnknownGate;
pub use misfit::Misfit;
pub use pending::Pending;
pub use request::Request;
pub use requirements::Requirements;
pub use revocations::{
    Revocation, RevocationReceipt, Revocations, RevokeError, StoreState, Undelivered,
};
#[cfg(feature = "testing")]
pub(crate) use setting::Setting;
pub use sitting::Sitting;
pub use traced::{Mark, Traced};
pub use trail::{Outcome, Stage, Step};
pub use verdict::Verdict;
pub(crate) use verified::CHALLENGE_FIELD;
pub use verified::{BatchSnapshot, SnapshotId, SubjectKind, VerifiedToken};
pub use vouched::VerifiedBy;

use state::State;

use crate::cache::CacheStats;
use crate::crypto::CryptoProvider;
use crate::keys::Bell;
use crate::observe::{Observer, Observers};
use crate::policy::{LoadOptions, Policy, PolicyError, StoreRules};
use crate::replay::{Desk, UsedProofs};
use crate::revocation::RevocationStore;
use crate::sync::{Snapshot, lock};
use crate::time::Clock;

/// A policy made ready to judge tokens. Cheap to clone; clones share keys and cache.
///
/// Verification reads the clock once, takes no lock and does no I/O, but for what the policy asks
/// for: where an issuer is asked about its tokens, the lock of that issuer's answers for a few
/// steps; where a server remembers used proofs, one question to it, which the calling thread waits
/// for.
#[derive(Clone)]
pub struct Verifier {
    engine: Arc<Engine>,
}

/// How used proofs at a server are asked about, and where by callers that must not wait, from what
/// the policy says of it, with SHA-256. It asks nobody yet.
pub(crate) type OpenProofs =
    fn(&StoreRules, fn(&[u8]) -> [u8; 32]) -> (Arc<dyn UsedProofs>, Box<dyn Desk>);

/// What all gates of a verifier share.
pub(crate) struct Engine {
    provider: CryptoProvider,
    clock: Clock,
    state: Snapshot<State>,
    /// Never locked while keys are published, so that a process may fork meanwhile.
    names: Mutex<Names>,
    /// Wakes whoever fetches keys.
    bell: Bell,
    observers: Observers,
    open_proofs: OpenProofs,
    /// What the program permitted of its first policy.
    options: LoadOptions,
}

/// Names by number, append-only: numbers outlive reloads.
#[derive(Debug, Default)]
struct Names {
    gates: Vec<Box<str>>,
    issuers: Vec<Box<str>>,
}

impl Verifier {
    /// A verifier for which nobody works in the background yet.
    pub(crate) fn assemble(
        policy: Policy,
        provider: CryptoProvider,
        clock: Clock,
        open: OpenProofs,
    ) -> Result<Self, PolicyError> {
        let mut names = Names::default();
        let bell = Bell::default();
        let options = policy.options().clone();
        let state = build::state(policy, &provider, &mut names, &bell, &clock, open, None)?;
        state.revocations.share(state.shared());
        Ok(Self {
            engine: Arc::new(Engine {
                provider,
                clock,
                state: Snapshot::new(state),
                names: Mutex::new(names),
                bell,
                observers: Observers::none(),
                open_proofs: open,
                options,
            }),
        })
    }

    /// The gate with this name. Resolve gates when the program starts: a typo fails there.
    ///
    /// # Errors
    ///
    /// When the policy has no such gate; it says which there are.
    pub fn gate(&self, name: &str) -> Result<Gate, UnknownGate> {
        let unknown = || UnknownGate {
            name: name.to_owned(),
            gates: self.gates(),
        };
        let number = self.number_of(name).ok_or_else(unknown)?;
        let state = self.engine.state.load();
        state.door(number).map_err(|_| unknown())?;
        Ok(Gate::new(Arc::clone(&self.engine), number))
    }

    pub(crate) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn number_of(&self, name: &str) -> Option<u32> {
        let names = lock(&self.engine.names);
        let number = names.gates.iter().position(|gate| **gate == *name)?;
        u32::try_from(number).ok()
    }

    /// The names of the policy's gates, in the policy's order.
    #[must_use]
    pub fn gates(&self) -> Vec<String> {
        let state = self.engine.state.load();
        state
            .world
            .rules()
            .gates
            .iter()
            .map(|gate| gate.name.to_string())
            .collect()
    }

    /// Publishing and inspecting issuers' keys.
    #[must_use]
    pub fn keys(&self) -> Keys<'_> {
        Keys::new(&self.engine)
    }

    /// Revoking agents, people, sessions, keys, tokens and tasks, and lifting it.
    #[must_use]
    pub fn revocations(&self) -> Revocations<'_> {
        Revocations::new(&self.engine)
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.engine.state.load().world.policy.clone()
    }

    /// What the program permitted of the first policy, to load the next ones alike: that a later
    /// one was permitted more says nothing of those after it.
    #[must_use]
    pub fn options(&self) -> &LoadOptions {
        &self.engine.options
    }

    /// Digest of the policy in force: `sha256:` and hexadecimal.
    #[must_use]
    pub fn policy_digest(&self) -> String {
        self.engine.state.load().world.digest.to_string()
    }

    /// Swaps the whole policy, or refuses it whole. Gates go on working under the new one, and
    /// calls in flight finish under the old one. Keys that were published for an issuer stay while
    /// its `issuer`, `algorithms` and profiles do; the token cache begins anew. A policy equal to
    /// the one in force changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Verifier::new`]; the policy in force then stays.
    pub fn reload(&self, policy: Policy) -> Result<(), PolicyError> {
        let engine = &self.engine;
        let mut names = lock(&engine.names);
        loop {
            let current = engine.state.load_full();
            let (provider, bell, clock) = (&engine.provider, &engine.bell, &engine.clock);
            let before = Some(&*current);
            let open = engine.open_proofs;
            let next = build::state(
                policy.clone(),
                provider,
                &mut names,
                bell,
                clock,
                open,
                before,
            )?;
            // The digest is of the document; files it names may have changed beneath it, and how it
            // was loaded beside it.
            let same = next.world.digest == current.world.digest
                && next.world.policy.allows_test_keys() == current.world.policy.allows_test_keys()
                && next.shared() == current.shared()
                && next.asks_as(&current)
                && next.keys.is_same(&current.keys);
            if same {
                break;
            }
            // Whoever shares from now on is asked before the first verification under the new
            // policy, and whoever shares no longer until the last one under the old.
            let (revocations, shared) = (Arc::clone(&next.revocations), next.shared().cloned());
            if shared.is_some() {
                revocations.share(shared.as_ref());
            }
            // Keys that were published meanwhile are not lost: begin again with them.
            if engine.state.replace(&current, Arc::new(next)) {
                revocations.share(shared.as_ref());
                break;
            }
        }
        drop(names);
        engine.bell.ring();
        engine.begin_sharing();
        Ok(())
    }

    /// Tells `observer` of everything that happens from now on, for as long as the verifier lives.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.engine.observers.add(observer);
    }

    /// Counters of the token cache.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        self.engine.state.load().cache.stats()
    }
}

impl Engine {
    /// How long a verifier waits for the news of a store of its own host when it is made.
    const LOCAL_NEWS: Duration = Duration::from_secs(10);

    /// Lets whoever carries revocations look which store the policy names. What is on this host is
    /// there when this returns, or known not to be.
    pub(crate) fn begin_sharing(&self) {
        let store = &self.state.load_full().revocations;
        let (held, Some(postman)) = (store.sharing(), store.postman()) else {
            return;
        };
        postman.ring();
        if let Some(sharing) = held.get().filter(|sharing| sharing.is_local()) {
            postman.wait(Self::LOCAL_NEWS, &mut || {
                sharing.staleness().is_some() || sharing.news.report().reading.is_some()
            });
        }
    }

    pub(crate) const fn provider(&self) -> &CryptoProvider {
        &self.provider
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) const fn observers(&self) -> &Observers {
        &self.observers
    }

    pub(crate) fn revocation_store(&self) -> Arc<RevocationStore> {
        Arc::clone(&self.state.load().revocations)
    }
}

impl Drop for Engine {
    /// There is nothing left to work for.
    fn drop(&mut self) {
        self.bell.ring();
        if let Some(postman) = self.state.load().revocations.postman() {
            postman.close();
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("provider", &self.engine.provider.name)
            .field("policy", &self.policy_digest())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(sealgate_model)]
mod model;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;
