//! The tokens that another one comes from (standards 30.6): each verified as its own kind asks,
//! none of them a credential here, then judged together.

use super::kind;
use super::pipeline::{self, Candidate, Case};
use super::revocable;
use super::state::{Door, Source};
use super::validity::{self, Dates};
use crate::binding::Confirmation;
use crate::claims::Claims;
use crate::crypto::{CryptoProvider, SignatureJob, SignatureVerified};
use crate::delegation::{self, Chain, Coverage, LineageAccepted, Member, TasksAgree, Terms};
use crate::error::{Code, Error};
use crate::jws::SignatureBuffer;
use crate::limits::{CHAIN_SIZE, CHAIN_TOKENS};
use crate::policy::{ContextNeed, GateRules, IssuerRules, Kind};
use crate::revocation::Handles;
use crate::time::NumericDate;

/// A further token of a request: one that the request's own token comes from.
#[derive(Clone, Copy)]
pub struct ContextToken<'t> {
    kind: Kind,
    token: &'t [u8],
}

impl<'t> ContextToken<'t> {
    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) const fn bytes(&self) -> &'t [u8] {
        self.token
    }

    /// A token of this kind. Which kinds a gate takes, its `context` says.
    #[must_use]
    pub fn new<T: AsRef<[u8]> + ?Sized>(kind: Kind, token: &'t T) -> Self {
        let token = token.as_ref();
        Self { kind, token }
    }
}

impl std::fmt::Debug for ContextToken<'_> {
    /// Tokens stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextToken")
            .field("kind", &self.kind.as_str())
            .finish_non_exhaustive()
    }
}

/// A further token whose signature and claims are good, by themselves. When it was valid and for
/// whom it was meant, an edge tells.
pub(super) struct Ancestor<'t> {
    signed: SignatureVerified<Candidate<'t>>,
    chain: Chain,
    dates: Dates,
}

/// The further tokens of a request, or why one of them is none.
pub(super) type Ancestors<'t> = Result<Vec<Ancestor<'t>>, Error>;

/// A request without further tokens.
pub(super) static ALONE: Ancestors<'static> = Ok(Vec::new());

/// That the number and size of all tokens are bounded, before anything is spent on one of them.
pub(super) fn check_size(token: &[u8], context: &[ContextToken<'_>]) -> Result<(), Error> {
    let bytes = context.iter().fold(token.len(), |bytes, further| {
        bytes.saturating_add(further.token.len())
    });
    if context.len() >= CHAIN_TOKENS || bytes > CHAIN_SIZE {
        return Err(Error::new(Code::Oversized));
    }
    Ok(())
}

/// The door of each further token, before anything is spent on one of them: their number and size
/// are bounded, and the gate takes their kinds and has those that it must have.
pub(super) fn doors<'s>(
    door: Door<'s>,
    token: &[u8],
    context: &[ContextToken<'_>],
) -> Result<Vec<Door<'s>>, Error> {
    check_size(token, context)?;
    check_needed(door.gate, |kind| {
        context.iter().any(|further| further.kind == kind)
    })?;
    let of_kind = |further: &ContextToken<'_>| {
        let door = door.context(further.kind);
        door.ok_or_else(|| Error::about(Code::Usage, "context"))
    };
    context.iter().map(of_kind).collect()
}

/// That no kind is missing which the gate's `context` requires.
fn check_needed(gate: &GateRules, has: impl Fn(Kind) -> bool) -> Result<(), Error> {
    let mut needed = gate.context.iter();
    if needed.any(|rules| rules.need == ContextNeed::Required && !has(rules.kind())) {
        return Err(Error::new(Code::ChainLinkBroken));
    }
    Ok(())
}

/// A signature job for each further token.
pub(super) fn admit<'s, 't>(
    doors: &[Door<'s>],
    context: &[ContextToken<'t>],
    now: NumericDate,
    buffers: &'t mut [SignatureBuffer],
) -> Result<Vec<SignatureJob<'s, Candidate<'t>>>, Error> {
    let tokens = doors.iter().zip(context).zip(buffers);
    tokens
        .map(|((door, further), buffer)| {
            pipeline::admit(*door, further.token, now, buffer, &mut ())
        })
        .collect()
}

/// From evidence of its signature to an ancestor: claims, lifetime, the form of its chain.
pub(super) fn settle<'t>(
    door: Door<'_>,
    signed: SignatureVerified<Candidate<'t>>,
    now: NumericDate,
    max_depth: usize,
) -> Result<Ancestor<'t>, Error> {
    let rules = door.rules();
    let Candidate { claims, source, .. } = signed.get();
    let blame = |error| door.blame(source, error);
    let (issuer, row) = (door.issuer(source)?, source.profile.row());
    let well_formed = kind::check_claims(claims, door.gate, issuer, row, false).map_err(blame)?;
    let dates = Dates::of(
        &well_formed,
        door.gate,
        row,
        source.max_lifetime,
        rules.leeway,
    );
    dates.check_lifetime().map_err(blame)?;
    // What has an audience here is no token of earlier: it tells what is so now.
    if !door.gate.audience.is_empty() {
        dates.check(now).map_err(blame)?;
        validity::check_audience(claims, door.gate, source).map_err(blame)?;
    }
    let chain =
        delegation::read(claims, issuer, row.kind, rules.preset, max_depth).map_err(blame)?;
    Ok(Ancestor {
        signed,
        chain,
        dates,
    })
}

/// How much the further tokens prove of the leaf's chain, which must be as much as the gate asks.
/// The leaf is read only where there are any: most tokens come alone, and pay for no more than
/// that.
#[inline]
pub(super) fn judge<'l>(
    door: &Door<'_>,
    chain: &Chain,
    leaf: impl FnOnce() -> Member<'l>,
    ancestors: &Ancestors<'_>,
    coverage: Coverage,
) -> Result<LineageAccepted, Error> {
    match ancestors {
        Ok(ancestors) if ancestors.is_empty() => {
            check_needed(door.gate, |_| false)?;
            delegation::assert(chain, coverage, door.gate.delegation.min_lineage())
        }
        Ok(ancestors) => prove(door, &leaf(), ancestors, coverage),
        Err(error) => Err(*error),
    }
}

fn prove(
    door: &Door<'_>,
    leaf: &Member<'_>,
    ancestors: &[Ancestor<'_>],
    coverage: Coverage,
) -> Result<LineageAccepted, Error> {
    let least = door.gate.delegation.min_lineage();
    let further = members(door, ancestors)?;
    delegation::prove(leaf, &further, coverage, least, &terms(door))
}

/// That the leaf and the further tokens are all for one task. A token that comes alone is looked at
/// only where the gate asks.
pub(super) fn check_tasks<'l>(
    door: &Door<'_>,
    leaf: impl FnOnce() -> Member<'l>,
    ancestors: &Ancestors<'_>,
    case: &Case<'_>,
) -> Result<TasksAgree, Error> {
    let rules = &door.gate.intent;
    let approved = case.requirements.approved.as_deref();
    let ancestors = ancestors.as_ref().map_err(|error| *error)?;
    if ancestors.is_empty() && !rules.required && approved.is_none() {
        return Ok(TasksAgree::NOT_ASKED);
    }
    let sha256 = case.judge.provider.sha256;
    let further = members(door, ancestors)?;
    delegation::check_tasks(&leaf(), &further, rules, approved, sha256)
}

/// What the further tokens can be revoked by; none where the policy does not ask.
pub(super) fn handles(
    door: &Door<'_>,
    ancestors: &Ancestors<'_>,
    provider: &CryptoProvider,
) -> Result<Vec<Handles>, Error> {
    let ancestors = ancestors.as_ref().map_err(|error| *error)?;
    let mut handles = Vec::new();
    for ancestor in ancestors {
        handles.extend(handles_of(door, ancestor, provider)?);
    }
    Ok(handles)
}

/// The same of one of them.
pub(super) fn handles_of(
    door: &Door<'_>,
    ancestor: &Ancestor<'_>,
    provider: &CryptoProvider,
) -> Result<Option<Handles>, Error> {
    let Candidate { claims, header, .. } = ancestor.signed.get();
    let issuer = door.issuer(ancestor.source())?;
    let bound_to = || Confirmation::of(claims, provider).thumbprints();
    Ok(revocable::handles(
        *door,
        || ancestor.member(issuer),
        header,
        bound_to,
    ))
}

fn members<'a>(door: &Door<'a>, ancestors: &'a [Ancestor<'_>]) -> Result<Vec<Member<'a>>, Error> {
    let member = |ancestor: &'a Ancestor<'_>| {
        let issuer = door.issuer(ancestor.source())?;
        Ok(ancestor.member(issuer))
    };
    ancestors.iter().map(member).collect()
}

/// What the edges at this door compare by.
pub(super) fn terms<'s>(door: &Door<'s>) -> Terms<'s> {
    let (gate, rules) = (door.gate, door.rules());
    Terms {
        edges: gate.delegation.edges(),
        implies: &gate.scope_implies,
        intent: &gate.intent,
        transactions: gate.transactions.as_deref(),
        leeway: rules.leeway,
        preset: rules.preset,
    }
}

impl Ancestor<'_> {
    pub(super) fn source(&self) -> &Source {
        &self.signed.get().source
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.signed.get().claims
    }

    pub(super) fn dates(&self) -> &Dates {
        &self.dates
    }

    /// `issuer` is the one that its source names.
    pub(super) fn member<'a>(&'a self, issuer: &'a IssuerRules) -> Member<'a> {
        let Candidate { claims, source, .. } = self.signed.get();
        source.member(claims, issuer, &self.chain, &self.dates)
    }
}
