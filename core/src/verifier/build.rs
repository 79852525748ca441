//! Puts a policy and a provider together: keys parsed, issuers indexed, doors numbered.

use std::sync::Arc;

use super::Doors;
use super::headers::Headers;
use super::state::{DoorTable, State, World};
use crate::cache::TokenCache;
use crate::crypto::{self, CryptoProvider};
use crate::jwa::AlgorithmSet;
use crate::jwk::{Jwk, KeyError};
use crate::keys::{KeyRing, KeySet};
use crate::policy::{IssuerRules, KeySource, Policy, PolicyError, Problem};

/// Bytes of tokens and claims an entry of the cache may hold on average.
const ENTRY_BYTES: usize = 4 * 1024;

/// A state for this policy. Keys that were published to an issuer of `previous` stay, where the
/// policy still asks the same of them; everything else starts anew. So does the cache: what it
/// holds was judged under the policy before, and would keep that policy and its secrets alive; only
/// its counters go on.
pub(super) fn state(
    policy: Policy,
    provider: &CryptoProvider,
    doors: &mut Doors,
    previous: Option<&State>,
) -> Result<State, PolicyError> {
    let mut problems = Vec::new();
    let mut keys = KeyRing::new(policy.rules().issuers.len());
    for (position, issuer) in policy.rules().issuers.iter().enumerate() {
        for algorithm in issuer.algorithms.iter() {
            if !provider.algorithms.contains(algorithm) && issuer.algorithms_named {
                let path = format!("issuers.{}.algorithms", issuer.name);
                let text = format!(
                    "{algorithm} is not offered by the provider {}",
                    provider.name
                );
                problems.push(policy.problem_at(&path, text));
            }
        }
        let before = previous.and_then(|state| place_in(state, issuer));
        let set = match &issuer.keys {
            KeySource::Static(jwks) => {
                let allowed = usable(issuer, provider);
                match load(&policy, issuer, jwks, provider, allowed) {
                    Ok(set) => Some(Arc::new(set)),
                    Err(found) => {
                        problems.extend(found);
                        None
                    }
                }
            }
            KeySource::Push => previous.and_then(|state| published(state, &policy, issuer)),
        };
        keys.inherit(position, set, before);
    }
    if !problems.is_empty() {
        return Err(policy.refuse(problems));
    }
    let digest = policy.digest(provider).into();
    let tokens = policy.rules().cache_tokens;
    let before = previous.map(|state| &*state.cache);
    let cache = TokenCache::new(tokens, tokens.saturating_mul(ENTRY_BYTES), before);
    let world = World {
        digest,
        headers: Headers::new(),
        doors: number(&policy, doors),
        policy,
    };
    Ok(State {
        world: Arc::new(world),
        keys,
        cache: Arc::new(cache),
    })
}

/// Where the issuer of this name stood before a reload.
fn place_in<'s>(state: &'s State, issuer: &IssuerRules) -> Option<(&'s KeyRing, usize)> {
    let mut before = state.world.rules().issuers.iter();
    Some((
        &state.keys,
        before.position(|other| other.name == issuer.name)?,
    ))
}

/// The keys that were published for this issuer before a reload. A name is the operator's label:
/// they stay only if they were published for the same `iss` under the same demands (KEY-01), else
/// the issuer has none until the next publication.
fn published(state: &State, policy: &Policy, issuer: &IssuerRules) -> Option<Arc<KeySet>> {
    let (ring, position) = place_in(state, issuer)?;
    let before = state.world.rules().issuers.get(position)?;
    let stays = matches!(before.keys, KeySource::Push)
        && before.issuers == issuer.issuers
        && before.algorithms == issuer.algorithms
        && before.key_use() == issuer.key_use()
        && (policy.allows_test_keys() || !state.world.policy.allows_test_keys());
    ring.set(position).filter(|_| stays).map(Arc::clone)
}

/// The issuer's algorithms that the provider has.
pub(super) fn usable(issuer: &IssuerRules, provider: &CryptoProvider) -> AlgorithmSet {
    issuer
        .algorithms
        .iter()
        .filter(|algorithm| provider.algorithms.contains(*algorithm))
        .collect()
}

/// Whether a key may verify for the issuer, as far as its own bytes do not tell.
pub(super) fn admit(
    policy: &Policy,
    issuer: &IssuerRules,
    provider: &CryptoProvider,
    jwk: &Jwk,
) -> Result<(), KeyError> {
    if !issuer.key_use().includes(jwk.usage()) {
        return Err(KeyError::other_use()); // JSV-05
    }
    let published = || crypto::published::label_of(&crypto::thumbprint(provider, jwk)).is_some();
    if !policy.allows_test_keys() && published() {
        return Err(KeyError::published());
    }
    Ok(())
}

fn load(
    policy: &Policy,
    issuer: &IssuerRules,
    jwks: &[Jwk],
    provider: &CryptoProvider,
    allowed: AlgorithmSet,
) -> Result<KeySet, Vec<Problem>> {
    let path = |index: usize| policy.key_path(&issuer.name, index);
    let mut problems = Vec::new();
    if !policy.allows_test_keys() {
        for (index, jwk) in jwks.iter().enumerate() {
            if let Some(label) = crypto::published::label_of(&crypto::thumbprint(provider, jwk)) {
                let text = format!("everyone has this private key ({label})");
                problems.push(policy.problem_at(&path(index), text));
            }
        }
    }
    match KeySet::build(provider, jwks, allowed) {
        Ok(set) => {
            // A key that a published set may carry for others is a mistake in a policy.
            for skipped in set.skipped() {
                problems.push(policy.problem_at(&path(skipped.index), skipped.reason.to_string()));
            }
            if problems.is_empty() {
                Ok(set)
            } else {
                Err(problems)
            }
        }
        Err(twins) => {
            let text = "another key has the same kid and algorithm"; // ALG-10
            problems.extend(
                twins
                    .iter()
                    .map(|index| policy.problem_at(&path(*index), text.to_owned())),
            );
            Err(problems)
        }
    }
}

/// A door for each gate, under the number its name had before.
fn number(policy: &Policy, doors: &mut Doors) -> Vec<Option<DoorTable>> {
    let rules = policy.rules();
    let mut tables: Vec<Option<DoorTable>> = doors.names.iter().map(|_| None).collect();
    for (position, gate) in rules.gates.iter().enumerate() {
        let table = DoorTable::new(rules, position);
        match doors.names.iter().position(|name| **name == *gate.name) {
            Some(known) => {
                if let Some(slot) = tables.get_mut(known) {
                    *slot = table;
                }
            }
            None => {
                doors.names.push(Arc::from(&*gate.name));
                tables.push(table);
            }
        }
    }
    tables
}

impl Policy {
    /// What names this policy in verdicts, the same for documents that say the same: `sha256:` and
    /// hexadecimal.
    #[must_use]
    pub fn digest(&self, provider: &CryptoProvider) -> String {
        let hash = (provider.sha256)(self.canonical_json().as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }
}
