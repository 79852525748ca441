//! What one unit of work sees: one policy, one generation of every issuer's keys.
//!
//! A [`State`] is immutable. Publishing keys and reloading the policy make a new one and swap it
//! in; a verification loads it once.

use std::hash::RandomState;
use std::sync::Arc;

use super::headers::Headers;
use super::validity::Dates;
use super::verified::{BatchSnapshot, Settled};
use crate::binding::{Judge, Origin};
use crate::cache::{Stamp, TokenCache};
use crate::claims::{Claim, Claims, spiffe_domain, workload_domain};
use crate::crypto::CryptoProvider;
use crate::delegation::{Chain, Member};
use crate::error::{Code, Error, IssuerNumber};
use crate::introspection::AllAnswers;
use crate::jwa::Algorithm;
use crate::keys::{KeyRing, SetKey};
use crate::limits::Limits;
use crate::policy::{
    ContextRules, GateIssuer, GateRules, IssuerRules, Kind, Policy, PossessionRules, Profile,
    ReplayRules, ReplayStore, RevocationRules, Rules, Shared, SignerRule, StoreRules,
};
use crate::replay::{
    Desk, HostTable, Memory, ReplayGuard, Silence, Task, ToldBefore, Unanswered, UsedProofs,
};
use crate::revocation::{RevocationStore, StatusLists};
use crate::sync::{AtomicU64, OfProcess, Ordering, Own, Slot};
use crate::time::{Clock, NumericDate, Span};

pub(super) struct State {
    pub(super) world: Arc<World>,
    pub(super) keys: KeyRing,
    pub(super) cache: Arc<TokenCache<Settled>>,
    pub(super) replay: Replay,
    /// What was revoked, as this process knows it. It outlives reloads too.
    pub(super) revocations: Arc<RevocationStore>,
    /// The status lists that tokens have referred to. They outlive reloads.
    pub(super) status: Arc<StatusLists>,
    /// What issuers have said of their tokens. It outlives reloads that ask them the same.
    pub(super) answers: AllAnswers,
}

/// Used proofs, where a policy has asked for them to be remembered. They outlive reloads: what was
/// used stays used.
#[derive(Clone, Default)]
pub(super) struct Replay {
    /// Those of this process.
    pub(super) process: Option<Arc<ReplayGuard>>,
    /// Those of this host, in the folder that the policy names now.
    pub(super) host: Option<Arc<HostTable>>,
    /// Those of the fleet, at the server that the policy names now.
    pub(super) fleet: Option<Arc<Fleet>>,
    /// Events that were told to this process.
    pub(super) told: Option<Arc<ToldBefore>>,
}

/// Used proofs at a server, and how it answers.
pub(super) struct Fleet {
    pub(super) store: Arc<StoreRules>,
    proofs: Arc<dyn UsedProofs>,
    /// Who asks for callers that must not wait.
    desk: Box<dyn Desk>,
    silence: Silence,
    clock: Clock,
    /// Why the last question of this process had no answer; empty where it had.
    trouble: OfProcess<Slot<String>>,
    asked: AtomicU64,
    unanswered: AtomicU64,
}

impl Fleet {
    pub(super) fn new(
        store: Arc<StoreRules>,
        (proofs, desk): (Arc<dyn UsedProofs>, Box<dyn Desk>),
        clock: Clock,
    ) -> Self {
        Self {
            store,
            proofs,
            desk,
            silence: Silence::default(),
            clock,
            trouble: OfProcess::empty(),
            asked: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
        }
    }

    /// For people.
    pub(super) fn trouble(&self) -> Option<String> {
        self.here().load().get().cloned()
    }

    fn here(&self) -> Arc<Own<Slot<String>>> {
        self.trouble.get(|_| Slot::empty())
    }

    /// Leaves a question to somebody who may wait.
    pub(super) fn put(&self, task: Task) {
        self.desk.put(task);
    }

    /// That a question has missed its turn.
    pub(super) fn missed(&self) {
        self.note(Some(
            "more proofs came than it was asked about in time".to_owned(),
        ));
    }

    /// Questions, and those of them that had no answer.
    pub(super) fn counts(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.asked), count(&self.unanswered))
    }

    fn note(&self, trouble: Option<String>) {
        self.count(trouble.is_none());
        self.here().swap(trouble.map(Arc::new));
    }

    fn count(&self, answered: bool) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let unanswered = u64::from(!answered);
        self.unanswered.fetch_add(unanswered, Ordering::Relaxed);
    }
}

impl UsedProofs for Fleet {
    fn insert(&self, key: &str, until: NumericDate, now: NumericDate) -> Result<bool, Unanswered> {
        let ask = || self.proofs.insert(key, until, now);
        let Some(answer) = self.silence.ask(&self.clock, ask) else {
            // What is wrong is known already.
            self.count(false);
            let text = "it has not answered a moment ago".to_owned();
            return Err(Unanswered { text, passes: true });
        };
        self.note(answer.as_ref().err().map(|error| error.text.clone()));
        answer
    }

    fn extend(&self, key: &str, until: NumericDate, now: NumericDate) {
        self.proofs.extend(key, until, now);
    }
}

/// A policy made ready for use.
pub(super) struct World {
    pub(super) policy: Policy,
    pub(super) digest: Box<str>,
    /// Headers seen before, as this policy's limits let them be read.
    pub(super) headers: Headers,
    /// By door number, which outlives reloads; `None` where this policy has no such gate.
    pub(super) doors: Vec<Option<DoorTable>>,
    /// By position in the policy: the number of the issuer's name, which outlives reloads.
    pub(super) issuers: Vec<Option<IssuerNumber>>,
}

impl World {
    pub(super) fn rules(&self) -> &Rules {
        self.policy.rules()
    }

    fn table(&self, door: u32) -> Option<&DoorTable> {
        self.doors.get(usize::try_from(door).ok()?)?.as_ref()
    }

    /// Where the gate with this number is in this policy; nowhere when it has none such.
    pub(super) fn gate(&self, door: u32) -> Option<usize> {
        Some(self.table(door)?.gate)
    }

    /// The error, now that its issuer is known by its position in the policy.
    /// One that knows its issuer keeps it: a further token has another.
    pub(super) fn blame(&self, position: usize, error: Error) -> Error {
        match self.issuers.get(position).copied().flatten() {
            Some(issuer) if error.issuer().is_none() => error.at(issuer),
            Some(_) | None => error,
        }
    }

    /// Where the issuer of an error is in this policy; nowhere when a reload has removed it.
    pub(super) fn blamed(&self, error: &Error) -> Option<usize> {
        let issuer = error.issuer()?;
        let mut numbers = self.issuers.iter();
        numbers.position(|number| *number == Some(issuer))
    }
}

/// A gate, found by number, with its issuers found by `iss`.
pub(super) struct DoorTable {
    gate: usize,
    issuers: Lookup,
    /// Where clients reach it.
    origin: Option<Origin>,
    /// Of the doors for further tokens, in the order of the gate's `context`.
    context: Vec<Lookup>,
    /// Of the door for the identity of the caller.
    caller: Option<Lookup>,
    /// Of the door for the proofs of actors.
    actor_proofs: Option<Lookup>,
}

/// Issuers by `iss` value. `iss` comes from strangers, so the table's hash is keyed.
pub(super) enum Lookup {
    Few(Vec<(Box<str>, GateIssuer)>),
    #[expect(
        clippy::disallowed_types,
        reason = "the hasher is named and randomly keyed"
    )]
    Many(std::collections::HashMap<Box<str>, GateIssuer, RandomState>),
}

/// Up to here a scan is faster than a keyed hash.
const FEW: usize = 4;

impl DoorTable {
    pub(super) fn new(rules: &Rules, gate: usize) -> Option<Self> {
        let rules_of_gate = rules.gates.get(gate)?;
        let context = rules_of_gate.context.iter();
        let door = |context: &ContextRules| Lookup::new(rules, &context.door.issuers);
        Some(Self {
            gate,
            issuers: Lookup::new(rules, &rules_of_gate.issuers),
            context: context.map(door).collect(),
            caller: rules_of_gate.caller.as_deref().map(door),
            actor_proofs: rules_of_gate.actor_proofs.as_deref().map(door),
            origin: rules_of_gate.public_url.as_deref().and_then(Origin::of),
        })
    }
}

impl Lookup {
    pub(super) fn new(rules: &Rules, issuers: &[GateIssuer]) -> Self {
        let issuers = issuers.iter().flat_map(|entry| {
            let names = rules
                .issuers
                .get(entry.position)
                .map(|issuer| issuer.issuers.iter());
            names.into_iter().flatten().map(|iss| (iss.clone(), *entry))
        });
        let issuers: Vec<_> = issuers.collect();
        if issuers.len() <= FEW {
            Self::Few(issuers)
        } else {
            Self::Many(issuers.into_iter().collect())
        }
    }

    fn find(&self, iss: &str) -> Option<GateIssuer> {
        match self {
            Self::Few(entries) => entries
                .iter()
                .find(|(name, _)| **name == *iss)
                .map(|(_, entry)| *entry),
            Self::Many(entries) => entries.get(iss).copied(),
        }
    }
}

/// Where a token comes from: its issuer's place in the policy, the row that fits, and the
/// generation of the keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) position: usize,
    pub(super) profile: Profile,
    pub(super) generation: u64,
    /// Cap on `exp - iat`; `None` is no cap.
    pub(super) max_lifetime: Option<Span>,
}

impl Source {
    /// `iss`; for a workload's token the trust domain of its `sub`; for a token of a kind that may
    /// lack it, what the policy calls its issuer.
    pub(super) fn issuer<'c>(&self, claims: &'c Claims, rules: &'c IssuerRules) -> &'c str {
        let issuer = match self.profile.row().signer {
            SignerRule::TrustDomain => claims
                .text(Claim::Sub)
                .and_then(|sub| trust_domain(self.profile, sub)),
            SignerRule::Iss | SignerRule::IssOrOnly | SignerRule::Only => claims
                .text(Claim::Iss)
                .or_else(|| rules.issuers.first().map(|issuer| &**issuer)),
        };
        issuer.unwrap_or_default()
    }

    /// A token of this source as one of a chain of tokens.
    #[inline]
    pub(super) fn member<'c>(
        &self,
        claims: &'c Claims,
        rules: &'c IssuerRules,
        chain: &'c Chain,
        dates: &Dates,
    ) -> Member<'c> {
        Member {
            kind: self.profile.kind(),
            claims,
            iss: self.issuer(claims, rules),
            chain,
            dates: dates.claimed(),
            txn_namespace: self.txn_namespace(claims, rules),
        }
    }

    /// Whose transactions the token's `txn` is one of (CD-03): those that the policy says, of a
    /// transaction token those of its trust domain, and of any other those of its issuer.
    pub(super) fn txn_namespace<'c>(&self, claims: &'c Claims, rules: &'c IssuerRules) -> &'c str {
        match &rules.txn_namespace {
            Some(name) => name,
            None if self.profile == Profile::TxnToken => {
                claims.audience().next().unwrap_or_default()
            }
            None => self.issuer(claims, rules),
        }
    }
}

/// The trust domain of a workload's identifier, where it is one that the profile takes.
fn trust_domain(profile: Profile, sub: &str) -> Option<&str> {
    if profile == Profile::JwtSvid {
        spiffe_domain(sub)
    } else {
        workload_domain(sub)
    }
}

/// One gate of one state: everything a verification reads.
#[derive(Clone, Copy)]
pub(super) struct Door<'s> {
    pub(super) number: u32,
    pub(super) state: &'s State,
    pub(super) table: &'s DoorTable,
    issuers: &'s Lookup,
    pub(super) gate: &'s GateRules,
    /// What one of its tokens may cost.
    pub(super) limits: &'s Limits,
    /// Whether what passes is remembered under the gate's number: a token of the gate that comes
    /// alone, and not what comes beside one or needs others.
    remembers: bool,
}

impl State {
    /// The gate with this number, unless a reload has removed it.
    #[inline]
    pub(super) fn door(&self, number: u32) -> Result<Door<'_>, Error> {
        let table = self.world.table(number);
        let gate = table.and_then(|table| self.world.rules().gates.get(table.gate));
        match table.zip(gate) {
            Some((table, gate)) => Ok(Door {
                number,
                state: self,
                table,
                issuers: &table.issuers,
                gate,
                limits: &self.world.rules().limits,
                remembers: true,
            }),
            None => Err(Error::no_gate()),
        }
    }

    /// The door for what is fetched of one issuer, tokens that carry status lists and answers about
    /// tokens, and what one of them may cost.
    #[cfg(feature = "remote")]
    pub(super) fn side_door<'s>(
        &'s self,
        gate: &'s GateRules,
        issuers: &'s Lookup,
        limits: &'s Limits,
    ) -> Result<Door<'s>, Error> {
        let table = self.world.doors.iter().flatten().next();
        Ok(Door {
            number: 0,
            state: self,
            table: table.ok_or_else(|| Error::new(Code::Internal))?,
            issuers,
            gate,
            limits,
            remembers: false,
        })
    }

    /// Whether issuers are asked about their tokens as under the other policy, secrets included.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        let (own, others) = (self.world.rules(), other.world.rules());
        let mut pairs = own.issuers.iter().zip(&others.issuers);
        pairs.all(
            |pair| match (&pair.0.introspection, &pair.1.introspection) {
                (Some(one), Some(other)) => one.is_same_as(other),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            },
        )
    }

    /// The store of revocations that processes share, where the policy names one.
    pub(super) fn shared(&self) -> Option<&Shared> {
        self.world.rules().revocation.shared()
    }

    /// What a batch at this gate is judged under.
    pub(super) fn snapshot(&self, number: u32) -> BatchSnapshot {
        let entries = self.door(number).map(|door| door.gate.issuers.iter());
        let keys = entries.into_iter().flatten().filter_map(|entry| {
            let issuer = self.world.rules().issuers.get(entry.position)?;
            Some((
                issuer.name.to_string(),
                self.keys.generation(entry.position),
            ))
        });
        BatchSnapshot {
            policy: self.world.digest.to_string(),
            keys: keys.collect(),
            revocations: self.revocations.epoch(),
        }
    }
}

impl<'s> Door<'s> {
    pub(super) fn rules(&self) -> &'s Rules {
        self.state.world.rules()
    }

    /// The door of a further kind of tokens, where the gate takes them.
    pub(super) fn context(&self, kind: Kind) -> Option<Self> {
        let mut doors = self.gate.context.iter().zip(&self.table.context);
        let (rules, issuers) = doors.find(|(rules, _)| rules.kind() == kind)?;
        Some(Self {
            gate: &rules.door,
            issuers,
            remembers: false,
            ..*self
        })
    }

    /// The same door, for what must not be remembered.
    pub(super) const fn apart(self) -> Self {
        Self {
            remembers: false,
            ..self
        }
    }

    /// The door for the identity of the caller, where the gate takes it.
    pub(super) fn caller(&self) -> Option<Self> {
        let (rules, issuers) = (self.gate.caller.as_ref()?, self.table.caller.as_ref()?);
        Some(Self {
            gate: &rules.door,
            issuers,
            remembers: false,
            ..*self
        })
    }

    /// The door for the proofs of actors, where the gate takes them.
    pub(super) fn actor_proofs(&self) -> Option<Self> {
        let (rules, issuers) = (
            self.gate.actor_proofs.as_ref()?,
            self.table.actor_proofs.as_ref()?,
        );
        Some(Self {
            gate: &rules.door,
            issuers,
            remembers: false,
            ..*self
        })
    }

    /// The error, now that it is known where the token comes from.
    pub(super) fn blame(&self, source: &Source, error: Error) -> Error {
        self.state.world.blame(source.position, error)
    }

    pub(super) fn headers(&self) -> &'s Headers {
        &self.state.world.headers
    }

    /// Where clients reach the gate.
    pub(super) fn origin(&self) -> Option<&'s Origin> {
        self.table.origin.as_ref()
    }

    /// Who remembers used proofs, and by which rules; `None` where the policy leaves it to the
    /// program.
    pub(super) fn memory(&self) -> Result<Option<(Memory<'s>, &'s ReplayRules)>, Error> {
        let Some(rules) = &self.rules().possession.replay else {
            return Ok(None);
        };
        let replay = &self.state.replay;
        let memory = match rules.store {
            ReplayStore::Process => replay.process.as_deref().map(Memory::Process),
            ReplayStore::Host { .. } => replay.host.as_deref().map(Memory::Host),
            ReplayStore::Fleet { .. } => {
                let fleet = replay.fleet.as_deref();
                fleet.map(|fleet| Memory::Fleet(fleet))
            }
            ReplayStore::External => return Ok(None),
        };
        let memory = memory.map(|memory| Some((memory, rules)));
        memory.ok_or_else(|| Error::new(Code::Internal))
    }

    /// Whether a server is waited for before a token is accepted that comes alone.
    pub(super) fn waits_with_tokens(&self) -> bool {
        let replay = self.rules().possession.replay.as_ref();
        let fleet = |rules: &ReplayRules| matches!(rules.store, ReplayStore::Fleet { .. });
        self.gate.once.is_some() && replay.is_some_and(fleet)
    }

    /// What possession is judged by here.
    pub(super) fn possession(&self, provider: &'s CryptoProvider, now: NumericDate) -> Judge<'s> {
        Judge {
            provider,
            gate: self.gate,
            rules: self.rules(),
            now,
        }
    }

    pub(super) fn issuer(&self, source: &Source) -> Result<&'s IssuerRules, Error> {
        self.rules()
            .issuers
            .get(source.position)
            .ok_or_else(|| Error::new(Code::Internal))
    }

    /// Which configured issuer a token claims to come from (JWT-02). Reads `iss`, or the trust
    /// domain of `sub`, as untrusted text (JWS-13).
    pub(super) fn source_of(&self, claims: &Claims) -> Result<Source, Error> {
        let entry = match self.gate.signer {
            SignerRule::Iss => self.named(claims, Claim::Iss)?,
            SignerRule::TrustDomain => self.named(claims, Claim::Sub)?,
            SignerRule::IssOrOnly if claims.present().contains(Claim::Iss) => {
                self.named(claims, Claim::Iss)?
            }
            SignerRule::IssOrOnly | SignerRule::Only => {
                let missing = || Error::about(Code::MissingClaim, Claim::Iss.name());
                self.only().ok_or_else(missing)?
            }
        };
        Ok(self.source(entry))
    }

    /// A token of this issuer of the gate's.
    #[inline]
    pub(super) fn source(&self, entry: GateIssuer) -> Source {
        let generation = self.state.keys.generation(entry.position);
        let GateIssuer {
            position,
            profile,
            max_lifetime,
        } = entry;
        Source {
            position,
            profile,
            generation,
            max_lifetime,
        }
    }

    /// The issuer that a claim leads to: `iss`, or the trust domain of `sub`.
    fn named(&self, claims: &Claims, claim: Claim) -> Result<GateIssuer, Error> {
        let value = claims.value(claim);
        let value = value.ok_or_else(|| Error::about(Code::MissingClaim, claim.name()))?;
        let name = match (claim, value.as_str()) {
            (Claim::Sub, Some(sub)) => trust_domain(self.gate.kind.row().profile, sub),
            (_, name) => name,
        };
        let name = name.ok_or_else(|| Error::about(Code::ClaimType, claim.name()))?;
        let entry = self.issuers.find(name);
        entry.ok_or_else(|| Error::about(Code::IssUntrusted, claim.name()))
    }

    /// The gate's issuer, where it has one alone: among several, a token must say which.
    fn only(&self) -> Option<GateIssuer> {
        match self.gate.issuers.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The key for a token (KEY-01). One that says it is for other tokens verifies none of this
    /// kind (JSV-05).
    pub(super) fn key(
        &self,
        source: &Source,
        algorithm: Algorithm,
        kid: Option<&str>,
        now: NumericDate,
    ) -> Result<&'s SetKey, Error> {
        let key = self
            .state
            .keys
            .select(source.position, algorithm, kid, now)?;
        if source.profile.takes_key_for(key.usage()) {
            Ok(key)
        } else {
            Err(Error::about(Code::KeyUseMismatch, "use"))
        }
    }

    /// What is remembered of this token from this gate, unless anything it was judged under has
    /// changed.
    pub(super) fn recall(&self, token: &[u8], now: NumericDate) -> Option<Settled> {
        if token.len() > self.rules().limits.token_size {
            return None; // a stranger's bytes are not hashed before their size is known (JWS-01)
        }
        let state = self.state;
        state.cache.get(
            self.number,
            token,
            now,
            |settled: &Settled, Stamp(generation): &Stamp| {
                let position = settled.source().position;
                state.keys.stands(position, *generation, now)
            },
        )
    }

    pub(super) fn remember(&self, token: &[u8], settled: &Settled) {
        let cache = &self.state.cache;
        if self.remembers && cache.stores() {
            let stamp = Stamp(settled.source().generation);
            let end = settled.dates().end();
            let (value, size) = (settled.clone(), settled.size());
            cache.put(self.number, token, stamp, end, value, size);
        }
    }

    pub(super) fn identity(&self, source: &Source) -> Identity {
        Identity {
            world: Arc::clone(&self.state.world),
            gate: self.table.gate,
            issuer: source.position,
        }
    }
}

/// The gate and the issuer of a verified token, kept alive with their policy.
#[derive(Clone)]
pub(super) struct Identity {
    world: Arc<World>,
    gate: usize,
    issuer: usize,
}

impl Identity {
    #[expect(
        clippy::indexing_slicing,
        reason = "positions found in this very world"
    )]
    pub(super) fn gate(&self) -> &GateRules {
        &self.world.rules().gates[self.gate]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "positions found in this very world"
    )]
    pub(super) fn issuer(&self) -> &IssuerRules {
        &self.world.rules().issuers[self.issuer]
    }

    /// The error, which is one of a token of this issuer's.
    pub(super) fn blame(&self, error: Error) -> Error {
        self.world.blame(self.issuer, error)
    }

    /// The policy, and where the gate is there.
    pub(super) fn place(&self) -> (&Arc<World>, usize) {
        (&self.world, self.gate)
    }

    pub(super) fn revocation(&self) -> &RevocationRules {
        &self.world.rules().revocation
    }

    pub(super) fn possession(&self) -> &PossessionRules {
        &self.world.rules().possession
    }

    pub(super) fn leeway(&self) -> Span {
        self.world.rules().leeway
    }

    pub(super) fn policy_digest(&self) -> &str {
        &self.world.digest
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::*;
    use crate::policy::StorePlace;
    use crate::replay::Turn;
    use crate::sync::in_a_child;

    struct Silent;

    impl UsedProofs for Silent {
        fn insert(&self, _: &str, _: NumericDate, _: NumericDate) -> Result<bool, Unanswered> {
            Err(Unanswered {
                text: "no answer in time".to_owned(),
                passes: true,
            })
        }

        fn extend(&self, _: &str, _: NumericDate, _: NumericDate) {}
    }

    impl Desk for Silent {
        fn put(&self, task: Task) {
            task(Turn::Missed);
        }
    }

    #[test]
    fn a_child_is_not_told_of_its_parents_trouble() {
        let store = StoreRules {
            name: "fleet".into(),
            place: StorePlace::File("unused".into()),
        };
        let opened = (Arc::new(Silent) as _, Box::new(Silent) as _);
        let fleet = Fleet::new(Arc::new(store), opened, Clock::System);
        assert_eq!(fleet.trouble(), None);
        let now = NumericDate::LAST;
        fleet.insert("key", now, now).unwrap_err();
        assert_eq!(fleet.trouble().as_deref(), Some("no answer in time"));
        assert_eq!(in_a_child(|| fleet.trouble()), None);
    }
}
