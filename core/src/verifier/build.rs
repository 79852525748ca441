//! Puts a policy and a provider together: keys parsed, issuers indexed, doors numbered.

use std::sync::Arc;

use super::headers::Headers;
use super::state::{DoorTable, Fleet, Replay, State, World};
use super::{Names, OpenProofs};
use crate::cache::TokenCache;
use crate::crypto::{self, CryptoProvider};
use crate::error::IssuerNumber;
use crate::introspection::{AllAnswers, Kept};
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::jwk::{Jwk, KeyError};
use crate::keys::{Bell, KeyRing, KeySet, Watch};
use crate::limits::REPLAY_ENTRIES;
use crate::policy::{
    AnswerForm, IssuerRules, KeySource, Policy, PolicyError, Problem, ReplayStore, StoreRules,
};
use crate::replay::{Desk, HostTable, ReplayGuard, ToldBefore, UsedProofs};
use crate::revocation::{RevocationStore, StatusLists};
use crate::time::Clock;

/// Bytes of tokens and claims an entry of the cache may hold on average.
const ENTRY_BYTES: usize = 4 * 1024;

/// A state for this policy. Keys that were published to an issuer of `previous` stay, where the
/// policy still asks the same of them; everything else starts anew. So does the cache: what it
/// holds was judged under the policy before, and would keep that policy and its secrets alive; only
/// its counters go on.
pub(super) fn state(
    policy: Policy,
    provider: &CryptoProvider,
    names: &mut Names,
    bell: &Bell,
    clock: &Clock,
    open: OpenProofs,
    previous: Option<&State>,
) -> Result<State, PolicyError> {
    let mut problems: Vec<Problem> = proofs_not_offered(&policy, provider).collect();
    let mut keys = KeyRing::new(policy.rules().issuers.len());
    for (position, issuer) in policy.rules().issuers.iter().enumerate() {
        problems.extend(not_offered(&policy, issuer, provider));
        let before = previous.and_then(|state| place_in(state, issuer));
        let kept = previous.and_then(|state| kept(state, &policy, issuer));
        let mut watch = None;
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
            KeySource::Push => kept.and_then(|(ring, at)| ring.set(at).map(Arc::clone)),
            KeySource::Fetched(_) => {
                let before = kept.and_then(|(ring, at)| ring.watch(at));
                let new = || Arc::new(Watch::new(bell.clone()));
                watch = Some(before.map_or_else(new, Arc::clone));
                kept.and_then(|(ring, at)| ring.set(at).map(Arc::clone))
            }
        };
        keys.inherit(position, set, watch, before);
    }
    if !problems.is_empty() {
        return Err(policy.refuse(problems));
    }
    let open = |store: &_| open(store, provider.sha256);
    let replay = replay(&policy, open, clock, previous);
    let replay = replay.map_err(|problem| policy.refuse(vec![problem]))?;
    let digest = policy.digest(provider).into();
    let tokens = policy.rules().cache_tokens;
    let before = previous.map(|state| &*state.cache);
    let cache = TokenCache::new(tokens, tokens.saturating_mul(ENTRY_BYTES), before);
    let answers = answers(&policy, bell, clock, previous);
    let world = World {
        digest,
        headers: Headers::new(),
        doors: doors(&policy, names),
        issuers: issuers(&policy, names),
        policy,
    };
    Ok(State {
        world: Arc::new(world),
        keys,
        cache: Arc::new(cache),
        replay,
        revocations: previous.map_or_else(
            || Arc::new(RevocationStore::new(clock.clone())),
            |before| Arc::clone(&before.revocations),
        ),
        status: previous.map_or_else(
            || {
                let bell = bell.clone();
                Arc::new(StatusLists::new(clock.clone(), move || bell.ring()))
            },
            |before| Arc::clone(&before.status),
        ),
        answers,
    })
}

/// What issuers have said goes on to count where they are the same, by all their `iss`, and are
/// asked the same, as the same, and nothing else would have made it count.
fn answers(policy: &Policy, bell: &Bell, clock: &Clock, previous: Option<&State>) -> AllAnswers {
    let begun = previous.map(|state| state.answers.clone());
    let begun = begun.unwrap_or_else(|| {
        let bell = bell.clone();
        AllAnswers::new(clock.clone(), move || bell.ring())
    });
    let issuers = policy.rules().issuers.iter().map(|issuer| {
        let rules = issuer.introspection.as_ref()?;
        let before = previous.and_then(|state| {
            let (_, position) = place_in(state, issuer)?;
            let other = state.world.rules().issuers.get(position)?;
            let believed = other.issuers == issuer.issuers
                && other.introspection.as_ref()?.believes_as(rules)
                && (matches!(rules.answers(), Some(AnswerForm::Plain))
                    || kept(state, policy, issuer).is_some());
            state.answers.of(position).filter(|_| believed)
        });
        Some(before.map_or(Kept::Nothing, |answers| Kept::Before(Arc::clone(answers))))
    });
    begun.with(issuers)
}

/// The memory of used proofs, made or opened when a policy first asks for it. A table of another
/// folder takes the place of the one before.
fn replay(
    policy: &Policy,
    open_at: impl FnOnce(&StoreRules) -> (Arc<dyn UsedProofs>, Box<dyn Desk>),
    clock: &Clock,
    previous: Option<&State>,
) -> Result<Replay, Problem> {
    let mut replay = previous.map_or_else(Replay::default, |state| state.replay.clone());
    match policy
        .rules()
        .possession
        .replay
        .as_ref()
        .map(|rules| &rules.store)
    {
        Some(ReplayStore::Process) => {
            let new = || Arc::new(ReplayGuard::new(REPLAY_ENTRIES));
            replay.process.get_or_insert_with(new);
        }
        Some(ReplayStore::Host { folder, .. }) => {
            let open = replay
                .host
                .as_ref()
                .is_some_and(|table| table.folder() == folder);
            if !open {
                let refuse = |text| policy.problem_at("replay.store", text);
                replay.host = Some(Arc::new(HostTable::open(folder).map_err(refuse)?));
            }
        }
        Some(ReplayStore::Fleet { store }) => {
            let open = replay.fleet.as_ref();
            if open.is_none_or(|fleet| fleet.store != *store) {
                let fleet = Fleet::new(Arc::clone(store), open_at(store), clock.clone());
                replay.fleet = Some(Arc::new(fleet));
            }
        }
        Some(ReplayStore::External) | None => {}
    }
    let mut gates = policy.rules().gates.iter();
    if gates.any(|gate| gate.kind.tells_of_events()) {
        replay
            .told
            .get_or_insert_with(|| Arc::new(ToldBefore::new()));
    }
    Ok(replay)
}

/// What only a provider can judge of a policy, whole or not: the algorithms it lacks, the keys it
/// cannot load, and those whose private half is published (loader refusals 8 and 10).
pub(crate) fn refusals(policy: &Policy, provider: &CryptoProvider) -> Vec<Problem> {
    let mut problems: Vec<Problem> = proofs_not_offered(policy, provider).collect();
    for issuer in &policy.rules().issuers {
        problems.extend(not_offered(policy, issuer, provider));
        if let KeySource::Static(jwks) = &issuer.keys {
            let loaded = load(policy, issuer, jwks, provider, usable(issuer, provider));
            problems.extend(loaded.err().into_iter().flatten());
        }
    }
    problems
}

/// The algorithms that the document names for an issuer and the provider lacks.
fn not_offered<'p>(
    policy: &'p Policy,
    issuer: &'p IssuerRules,
    provider: &'p CryptoProvider,
) -> impl Iterator<Item = Problem> + 'p {
    let named = issuer.algorithms.iter().filter(|_| issuer.algorithms_named);
    let path = format!("issuers.{}.algorithms", issuer.name);
    lacking(policy, named, path, provider)
}

/// The algorithms that the document names for proofs and the provider lacks.
fn proofs_not_offered<'p>(
    policy: &'p Policy,
    provider: &'p CryptoProvider,
) -> impl Iterator<Item = Problem> + 'p {
    let dpop = policy.rules().possession.dpop.iter();
    let named = dpop.filter(|dpop| dpop.algorithms_named);
    let named = named.flat_map(|dpop| dpop.algorithms.iter());
    lacking(policy, named, "dpop.algorithms".to_owned(), provider)
}

fn lacking<'p>(
    policy: &'p Policy,
    named: impl Iterator<Item = Algorithm> + 'p,
    path: String,
    provider: &'p CryptoProvider,
) -> impl Iterator<Item = Problem> + 'p {
    let lacking = named.filter(|algorithm| !provider.algorithms.contains(*algorithm));
    lacking.map(move |algorithm| {
        let name = provider.name;
        let text = format!("{algorithm} is not offered by the provider {name}");
        policy.problem_at(&path, text)
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

/// Where the keys that were published or fetched for this issuer before a reload are. A name is the
/// operator's label: they stay only if they came the same way, for the same `iss` under the same
/// demands (KEY-01), else the issuer has none until the next publication.
fn kept<'s>(
    state: &'s State,
    policy: &Policy,
    issuer: &IssuerRules,
) -> Option<(&'s KeyRing, usize)> {
    let (ring, position) = place_in(state, issuer)?;
    let before = state.world.rules().issuers.get(position)?;
    let same_way = match (&before.keys, &issuer.keys) {
        (KeySource::Push, KeySource::Push) => true,
        (KeySource::Fetched(before), KeySource::Fetched(now)) => {
            before.from == now.from && before.reach == now.reach
        }
        (KeySource::Static(_) | KeySource::Push | KeySource::Fetched(_), _) => false,
    };
    let stays = same_way
        && before.issuers == issuer.issuers
        && before.algorithms == issuer.algorithms
        && before.key_use() == issuer.key_use()
        && (policy.allows_test_keys() || !state.world.policy.allows_test_keys());
    stays.then_some((ring, position))
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

/// Where everyone has the private half of a key from, of those that may be an issuer's. Fakes' keys
/// are known where this program can make them.
fn everyones<'i>(
    issuer: &'i IssuerRules,
    provider: &'i CryptoProvider,
) -> impl FnMut(&Jwk) -> Option<&'static str> + 'i {
    #[cfg(feature = "mint")]
    let mut fakes = crypto::fakes::FakeKeys::of(&issuer.issuers);
    #[cfg(not(feature = "mint"))]
    let _ = issuer;
    move |jwk| {
        let label = crypto::published::label_of(&crypto::thumbprint(provider, jwk));
        #[cfg(feature = "mint")]
        let label = label.or_else(|| fakes.contains(jwk).then_some(crypto::fakes::LABEL));
        label
    }
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
        let mut everyones = everyones(issuer, provider);
        for (index, jwk) in jwks.iter().enumerate() {
            if let Some(label) = everyones(jwk) {
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
fn doors(policy: &Policy, names: &mut Names) -> Vec<Option<DoorTable>> {
    let rules = policy.rules();
    let gates = rules
        .gates
        .iter()
        .map(|gate| number(&mut names.gates, &gate.name));
    let numbers: Vec<usize> = gates.collect();
    let mut tables: Vec<Option<DoorTable>> = names.gates.iter().map(|_| None).collect();
    for (position, number) in numbers.into_iter().enumerate() {
        if let Some(slot) = tables.get_mut(number) {
            *slot = DoorTable::new(rules, position);
        }
    }
    tables
}

/// Each issuer's number, by position.
fn issuers(policy: &Policy, names: &mut Names) -> Vec<Option<IssuerNumber>> {
    let issuers = policy.rules().issuers.iter();
    let numbers = issuers.map(|issuer| number(&mut names.issuers, &issuer.name));
    numbers.map(IssuerNumber::new).collect()
}

/// The number of a name, which it keeps.
fn number(names: &mut Vec<Box<str>>, name: &str) -> usize {
    let known = names.iter().position(|known| **known == *name);
    known.unwrap_or_else(|| {
        names.push(name.into());
        names.len() - 1
    })
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
