//! Counters of a verifier, for metrics: labels come from the policy and from closed lists alone.

use serde_json::{Map, Value, json};

use super::Verifier;
use super::introspect::asked;
use super::state::{Replay, State};
use crate::binding::ReplayReach;
use crate::introspection::Counts;
use crate::policy::ReplayStore;
use crate::time::Span;

impl Verifier {
    /// What there is to count, as JSON: `policy` (the digest of the one in force); `cache` with
    /// `hits`, `misses`, `evictions`, `entries`, `bytes`, `capacity`; `issuers` with `keys` and
    /// `generation` by the policy's names; `revocations` with `entries`, `bytes`, `epoch`, and
    /// where processes share a store its `store`, `reach`, `staleness` in seconds, `undelivered`
    /// and `unreadable`; `status` of the status lists that are kept, with `lists`, of these
    /// `missing` (not fetched yet) and `stale`, and `bytes`; `introspection` by the names of
    /// issuers that are asked about tokens, with the `answers` that are kept and their `bytes`, the
    /// tokens that are `waiting` to be asked about, the questions `running`, the issuer's
    /// `failures` in a row, and whether it is left alone for now as `resting`; and `proofs`, null
    /// without `[replay]`, with `store`, `reach`, and of used proofs in the process `entries` and
    /// `capacity`, of those at a server how often it was `asked` and `unanswered`.
    #[must_use]
    pub fn stats(&self) -> Value {
        let state = self.engine.state.load();
        let cache = state.cache.stats();
        let issuers = state.world.rules().issuers.iter().enumerate();
        let issuers = issuers.map(|(position, issuer)| {
            let keys = state.keys.set(position).map_or(0, |set| set.iter().len());
            let generation = state.keys.generation(position);
            let counts = json!({ "keys": keys, "generation": generation });
            (issuer.name.to_string(), counts)
        });
        let status = state.status.stats();
        json!({
            "policy": &*state.world.digest,
            "cache": {
                "hits": cache.hits,
                "misses": cache.misses,
                "evictions": cache.evictions,
                "entries": cache.entries,
                "bytes": cache.bytes,
                "capacity": cache.capacity,
            },
            "issuers": issuers.collect::<Map<String, Value>>(),
            "revocations": self.revocation_stats(),
            "status": {
                "lists": status.lists,
                "missing": status.missing,
                "stale": status.stale,
                "bytes": status.bytes,
            },
            "introspection": introspection_stats(&state),
            "proofs": proof_stats(&state),
        })
    }

    fn revocation_stats(&self) -> Value {
        let stats = self.revocations().stats();
        let mut counts = Map::new();
        let mut set = |name: &str, value: Value| counts.insert(name.to_owned(), value);
        set("entries", stats.entries.into());
        set("bytes", stats.bytes.into());
        set("epoch", stats.epoch.into());
        if let Some(store) = self.revocations().store() {
            let seconds = |age: Span| age.to_duration().as_secs_f64();
            set("store", store.name.into());
            set("reach", store.reach.into());
            set("staleness", store.staleness.map(seconds).into());
            set("undelivered", store.undelivered.into());
            set("unreadable", store.unreadable.into());
        }
        Value::Object(counts)
    }
}

/// Of the issuers that are asked.
fn introspection_stats(state: &State) -> Map<String, Value> {
    let counts = asked(state).map(|(_, issuer, _, said)| {
        let Counts {
            answers,
            bytes,
            waiting,
            running,
            failures,
            resting,
        } = said.counts();
        let counts = json!({
            "answers": answers,
            "bytes": bytes,
            "waiting": waiting,
            "running": running,
            "failures": failures,
            "resting": resting,
        });
        (issuer.name.to_string(), counts)
    });
    counts.collect()
}

/// Of used proofs; nothing where the policy has no `[replay]`.
fn proof_stats(state: &State) -> Option<Value> {
    let rules = state.world.rules().possession.replay.as_ref()?;
    let (store, reach) = match &rules.store {
        ReplayStore::Process => ("process", ReplayReach::Process),
        ReplayStore::Host { store, .. } => (&*store.name, ReplayReach::Host),
        ReplayStore::Fleet { store } => (&*store.name, ReplayReach::Fleet),
        ReplayStore::External => ("external", ReplayReach::External),
    };
    let mut counts = Map::new();
    let mut set = |name: &str, value: Value| counts.insert(name.to_owned(), value);
    set("store", store.into());
    set("reach", reach.as_str().into());
    match (&state.replay, reach) {
        (
            Replay {
                process: Some(guard),
                ..
            },
            ReplayReach::Process,
        ) => {
            set("entries", guard.entries().into());
            set("capacity", guard.capacity().into());
        }
        (
            Replay {
                fleet: Some(fleet), ..
            },
            ReplayReach::Fleet,
        ) => {
            let (asked, unanswered) = fleet.counts();
            set("asked", asked.into());
            set("unanswered", unanswered.into());
        }
        _ => {}
    }
    Some(Value::Object(counts))
}
