//! What a transaction token of an agent says of its way here
//! (draft-araut-oauth-transaction-tokens-for-agents, TXA-02 to TXA-05): whether it has been here
//! before, contradicts itself, or came by a workload that is not trusted enough.
//!
//! All of it is the word of the transaction token service, and grants nothing (TXA-07): it may only
//! refuse.

use crate::claims::{Claims, count};
use crate::encoding::json::{Elements, Value};
use crate::error::{Code, Error};
use crate::policy::TransactionRules;

const NAME: &str = "agentic_ctx";

/// Judges the way of a transaction token; one that tells nothing of it is at fault only where a
/// level of assurance is asked for.
pub(super) fn check(claims: &Claims, rules: &TransactionRules) -> Result<(), Error> {
    let context = claims.other(NAME);
    let metadata = context.and_then(|context| context.get("chain_metadata"));
    if metadata.is_some_and(|metadata| metadata.as_object().is_none()) {
        return Err(malformed());
    }
    let walked = match metadata.and_then(|metadata| metadata.get("txn_path")) {
        Some(path) => check_path(path.as_array().ok_or_else(malformed)?, context, rules)?,
        None => 0,
    };
    if let Some(hops) = metadata.and_then(|metadata| metadata.get("hop_count")) {
        let hops = count(hops).ok_or_else(malformed)?;
        if u64::try_from(walked) != Ok(hops) {
            return Err(Error::about(Code::ChainLinkBroken, NAME)); // TXA-03
        }
    }
    let level = level(metadata)?.map(|level| rules.place(level));
    match (rules.floor, level) {
        (None, _) => Ok(()),
        (Some(floor), Some(Some(level))) if level >= floor => Ok(()),
        (Some(_), _) => Err(Error::about(Code::PostureMismatch, NAME)), // TXA-04
    }
}

/// TXA-02 and TXA-03: short enough, not through here, and by the workload that acts now at last.
/// Says through how many it came.
fn check_path(
    path: Elements<'_>,
    context: Option<Value<'_>>,
    rules: &TransactionRules,
) -> Result<usize, Error> {
    let (mut hops, mut last) = (0, None);
    for workload in path {
        let workload = workload.as_str().filter(|name| !name.is_empty());
        let workload = workload.ok_or_else(malformed)?;
        if hops == rules.max_hops {
            return Err(Error::about(Code::ChainTooDeep, NAME));
        }
        if rules.workload.as_deref() == Some(workload) {
            return Err(Error::about(Code::ChainLoop, NAME));
        }
        (hops, last) = (hops + 1, Some(workload));
    }
    let acting = context
        .and_then(|context| context.get("current_actor"))
        .and_then(|actor| actor.get("identity"))
        .and_then(|identity| identity.get("workload_id"));
    match (acting, last) {
        (Some(acting), Some(last)) if acting.as_str() != Some(last) => {
            Err(Error::about(Code::ChainLinkBroken, NAME))
        }
        _ => Ok(hops),
    }
}

/// The level of the least trusted workload on its way.
fn level(metadata: Option<Value<'_>>) -> Result<Option<&str>, Error> {
    let level = metadata.and_then(|metadata| metadata.get("min_assurance_level"));
    let level = level.map(|level| level.as_str().ok_or_else(malformed));
    level.transpose()
}

fn path(metadata: Option<Value<'_>>) -> Option<Elements<'_>> {
    metadata?.get("txn_path")?.as_array()
}

fn metadata(claims: &Claims) -> Option<Value<'_>> {
    claims.other(NAME)?.get("chain_metadata")
}

/// The workloads that a transaction token came through.
pub(crate) fn txn_path(claims: &Claims) -> Option<Elements<'_>> {
    path(metadata(claims))
}

/// TXA-05: the level that a replacement names is none above the one before; unknown levels, and
/// none where there was one, are.
pub(super) fn is_no_higher(new: &Claims, old: &Claims, rules: &TransactionRules) -> bool {
    let place = |claims| match level(metadata(claims)) {
        Ok(Some(level)) => rules.place(level).map(Some),
        Ok(None) => Some(None),
        Err(_) => None,
    };
    match (place(old), place(new)) {
        (Some(Some(old)), Some(Some(new))) => new <= old,
        (Some(None), Some(_)) => true,
        _ => false,
    }
}

#[cold]
fn malformed() -> Error {
    Error::about(Code::ClaimType, NAME)
}
