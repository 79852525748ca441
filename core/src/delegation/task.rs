//! Are all tokens of a request for the same task? (CD-03, standards 30.8)
//!
//! A task is a mission, an intent, a workflow (`acti`), or a transaction (`txn`). Only identifiers
//! of one kind are compared, and transactions only within one namespace.

use std::sync::Arc;

use super::{ApprovedIntent, Member};
use crate::claims::{Claim, Claims};
use crate::encoding::base64url;
use crate::encoding::json::{Json, Value};
use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::policy::{IntentPointer, IntentRules, TaskKind};
use crate::time::NumericDate;

/// A provider's SHA-256.
pub(super) type Sha256 = fn(&[u8]) -> [u8; 32];

/// Evidence that no two tokens of a request are for different tasks, and that the request's own
/// names one where it must.
#[derive(Debug)]
pub(crate) struct TasksAgree {
    /// What the further tokens say of the bounds of their tasks, each an array; mostly they say
    /// nothing.
    bounds: Option<Arc<[Json]>>,
}

/// A task as one place of a token names it.
#[derive(Clone, Copy)]
struct Task<'a> {
    kind: TaskKind,
    id: &'a str,
    /// What stands beside an `id`: who approved it, the digest of what was approved, and until
    /// when.
    issuer: Option<&'a str>,
    hash: Option<&'a str>,
    expires_at: Option<NumericDate>,
    /// Whether it is named by an `id`, beside which more may stand.
    is_object: bool,
}

impl TasksAgree {
    /// A token that came alone, at a gate that does not ask.
    pub(crate) const NOT_ASKED: Self = Self { bounds: None };

    pub(crate) fn bounds(&self) -> &[Json] {
        self.bounds.as_deref().unwrap_or_default()
    }

    /// `None` where they say nothing.
    pub(crate) fn into_bounds(self) -> Option<Arc<[Json]>> {
        self.bounds
    }
}

/// Judges the tasks of a token and of those that came with it; `approved` is what the caller holds
/// of what was approved.
pub(crate) fn check_tasks(
    leaf: &Member<'_>,
    further: &[Member<'_>],
    rules: &IntentRules,
    approved: Option<&ApprovedIntent>,
    sha256: Sha256,
) -> Result<TasksAgree, Error> {
    let mut known: Vec<Task<'_>> = Vec::new();
    for pointer in &rules.pointers {
        add(&mut known, pointer, leaf)?;
    }
    if rules.required {
        check_named(&known)?;
    }
    let mut stated = Vec::new();
    if let Some(approved) = approved {
        let tasks = known.iter().map(|task| (task.kind, task.issuer, task.hash));
        approved.check(tasks, sha256)?;
        stated.extend(approved.authority()?);
    }
    let mut seen = vec![leaf];
    for member in further {
        for pointer in &rules.pointers {
            add(&mut known, pointer, member)?;
        }
        if seen.iter().any(|other| is_other_txn(other, member)) {
            return Err(Error::about(Code::TxnMismatch, Claim::Txn.name()));
        }
        seen.push(member);
        for (_, bounds) in bounds(member.claims, rules) {
            stated.push(copied(bounds)?);
        }
    }
    let bounds = (!stated.is_empty()).then(|| stated.into());
    Ok(TasksAgree { bounds })
}

/// INTN-01: one task at least, and none of a mission or an intent without who approved it.
fn check_named(known: &[Task<'_>]) -> Result<(), Error> {
    if known.is_empty() {
        let claim = TaskKind::Intent.as_str();
        return Err(Error::about(Code::IntentMismatch, claim));
    }
    let anonymous = |task: &&Task<'_>| task.is_object && task.issuer.is_none();
    match known.iter().find(anonymous) {
        Some(task) => Err(Error::about(Code::MissingClaim, task.kind.as_str())),
        None => Ok(()),
    }
}

/// A value as a text of its own.
fn copied(value: Value<'_>) -> Result<Json, Error> {
    let text = value.raw().as_bytes().to_vec();
    Ok(Json::parse(text, Limits::CEILING.into())?)
}

/// What a token names: the kind of each task, who approved it where that stands beside it, and its
/// id.
pub(crate) fn tasks<'a>(
    claims: &'a Claims,
    rules: &'a IntentRules,
) -> impl Iterator<Item = (TaskKind, Option<&'a str>, &'a str)> {
    let pointers = rules.pointers.iter();
    let found = pointers.filter_map(|pointer| find(pointer, claims.json()).ok()?);
    found.map(|task| (task.kind, task.issuer, task.id))
}

/// The bounds of the tasks that a token names by an `id`: `bounds` beside it.
pub(super) fn bounds<'a>(
    claims: &'a Claims,
    rules: &'a IntentRules,
) -> impl Iterator<Item = (TaskKind, Value<'a>)> {
    rules.pointers.iter().filter_map(|pointer| {
        let (holder, name) = holder(pointer, claims.json()).ok()??;
        let bounds = holder.get("bounds").filter(|_| name == "id")?;
        Some((pointer.kind, bounds))
    })
}

/// Whether two tokens name the same task, or are of one transaction of one namespace.
pub(super) fn is_shared(one: &Member<'_>, other: &Member<'_>, rules: &IntentRules) -> bool {
    let txns = (one.claims.text(Claim::Txn), other.claims.text(Claim::Txn));
    let one_txn = one.txn_namespace == other.txn_namespace
        && matches!(txns, (Some(one), Some(other)) if one == other);
    let (own, theirs) = (all_of(one.claims, rules), all_of(other.claims, rules));
    let same = |own: &Task<'_>, theirs: &Task<'_>| {
        own.kind == theirs.kind && own.id == theirs.id && !own.contradicts(theirs)
    };
    one_txn
        || own
            .iter()
            .any(|own| theirs.iter().any(|theirs| same(own, theirs)))
}

/// What a token names that can be read.
fn all_of<'a>(claims: &'a Claims, rules: &IntentRules) -> Vec<Task<'a>> {
    let pointers = rules.pointers.iter();
    let found = pointers.filter_map(|pointer| find(pointer, claims.json()).ok()?);
    found.collect()
}

/// Whether two tokens are of different transactions of one namespace.
fn is_other_txn(one: &Member<'_>, other: &Member<'_>) -> bool {
    let txns = (one.claims.text(Claim::Txn), other.claims.text(Claim::Txn));
    one.txn_namespace == other.txn_namespace
        && matches!(txns, (Some(one), Some(other)) if one != other)
}

/// Adds what a token names at a place, unless it contradicts what is known already.
fn add<'a>(
    known: &mut Vec<Task<'a>>,
    pointer: &IntentPointer,
    member: &Member<'a>,
) -> Result<(), Error> {
    let Some(task) = find(pointer, member.claims.json())? else {
        return Ok(());
    };
    // INTN-02: two claims of one issuer, so no leeway.
    let outlives = |until: NumericDate| member.dates.expires_at.is_none_or(|exp| exp > until);
    if task.expires_at.is_some_and(outlives) {
        return Err(Error::about(Code::LifetimeTooLong, Claim::Exp.name()));
    }
    if known.iter().any(|other| task.contradicts(other)) {
        return Err(Error::about(Code::IntentMismatch, task.kind.as_str()));
    }
    known.push(task);
    Ok(())
}

/// The task that a token names at a place. What is there and cannot be read is not absent.
fn find<'a>(pointer: &IntentPointer, json: &'a Json) -> Result<Option<Task<'a>>, Error> {
    let kind = pointer.kind;
    let malformed = || Error::about(Code::ClaimType, kind.as_str());
    let Some((holder, name)) = holder(pointer, json)? else {
        return Ok(None);
    };
    let Some(value) = holder.get(name) else {
        return Ok(None);
    };
    let text = |value: Value<'a>| value.as_str().filter(|text| !text.is_empty());
    let beside = |member: &str| match holder.get(member).filter(|_| name == "id") {
        None => Ok(None),
        Some(value) => text(value).map(Some).ok_or_else(malformed),
    };
    let id = text(value).ok_or_else(malformed)?;
    let hash = match kind {
        TaskKind::Mission => "authority_hash",
        TaskKind::Intent | TaskKind::Workflow => "hash",
    };
    let hash = beside(hash)?;
    if hash.is_some_and(|hash| !is_digest(hash)) {
        return Err(malformed()); // INTN-07
    }
    let expires_at = match beside("expires_at")? {
        Some(until) => Some(NumericDate::from_rfc3339(until).ok_or_else(malformed)?),
        None => None,
    };
    Ok(Some(Task {
        kind,
        id,
        issuer: beside("issuer")?,
        hash,
        expires_at,
        is_object: name == "id" && kind != TaskKind::Workflow,
    }))
}

/// `sha-256:` and 32 bytes in canonical base64url. No other digest is known, and none is ever taken
/// for this one (INTN-07).
fn is_digest(text: &str) -> bool {
    let digest = text.strip_prefix(DIGEST);
    let octets = digest.and_then(|digest| base64url::decode(digest.as_bytes()));
    octets.is_some_and(|octets| octets.len() == 32)
}

/// What digests begin with.
pub(super) const DIGEST: &str = "sha-256:";

/// The object that a pointer's last member would stand in, and the name of that member.
fn holder<'a, 'p>(
    pointer: &'p IntentPointer,
    json: &'a Json,
) -> Result<Option<(Value<'a>, &'p str)>, Error> {
    let Some((name, outer)) = pointer.path.split_last() else {
        return Ok(None);
    };
    let mut holder = json.root();
    for step in outer {
        let Some(inner) = holder.get(step) else {
            return Ok(None);
        };
        if inner.as_object().is_none() {
            return Err(Error::about(Code::ClaimType, pointer.kind.as_str()));
        }
        holder = inner;
    }
    Ok(Some((holder, name)))
}

impl Task<'_> {
    /// Whether the two are of one kind and not the same. A part that one of them leaves out says
    /// nothing against the other's.
    fn contradicts(&self, other: &Self) -> bool {
        let differ = |one: Option<&str>, other: Option<&str>| matches!((one, other), (Some(one), Some(other)) if one != other);
        self.kind == other.kind
            && (self.id != other.id
                || differ(self.issuer, other.issuer)
                || differ(self.hash, other.hash))
    }
}
