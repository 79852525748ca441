//! The way of a token through the checks, in order (standards 29.4), on one screen.
//!
//! [`admit`] does what needs no cryptography and ends in a signature job; the provider turns the
//! job into evidence; [`finish`] judges what the signature vouches for. A single verification and a
//! batch run the same three steps. A token that is no JWT may have its issuer's word in place of a
//! signature ([`introspect`]), and is judged by the same [`finish`]. [`renew`] is the short way of
//! a token whose unchanging part is remembered. [`commit`] comes last: a proof is used up once
//! nothing else can refuse.

use std::cell::Cell;
use std::sync::Arc;

use super::ancestry::{self, Ancestors, ContextToken};
use super::kind::TypAccepted;
use super::state::{Door, Source};
use super::trail::{Stage, Trail};
use super::validity::{self, Dates};
use super::verified::{Evidence, Fresh, Judged, Settled, VerifiedToken};
use super::vouched::{VerifiedBy, Vouched};
use super::{
    Requirements, actors, applied, authority, caller, introspect, kind, note, revocable, status,
};
use crate::binding::{Confirmation, Judge, Shown, UsedProof};
use crate::claims::Claims;
use crate::crypto::{CryptoProvider, SignatureJob, Signed};
use crate::delegation::{self, Coverage, Derived};
use crate::error::{Code, Error};
use crate::jws::{Compact, ProtectedHeader, SignatureBuffer};
use crate::revocation;
use crate::time::NumericDate;

/// A token whose signature is still to be checked. Its claims are untrusted text until then.
pub(super) struct Candidate<'t> {
    pub(super) signing_input: &'t [u8],
    pub(super) signature: &'t [u8],
    pub(super) claims: Claims,
    pub(super) header: Arc<ProtectedHeader>,
    pub(super) source: Source,
    pub(super) kind: TypAccepted,
}

impl Signed for Candidate<'_> {
    fn message(&self) -> &[u8] {
        self.signing_input
    }

    fn signature(&self) -> &[u8] {
        self.signature
    }
}

/// What a token is judged with, beside the rules of its gate: the moment, what came with it, and
/// what the call asks for.
pub(super) struct Case<'c> {
    pub(super) judge: Judge<'c>,
    pub(super) shown: &'c Shown<'c>,
    pub(super) requirements: &'c Requirements,
}

impl<'c> Case<'c> {
    /// Of a token that comes with nothing.
    #[inline]
    pub(super) fn bare(
        door: &Door<'c>,
        provider: &'c CryptoProvider,
        now: NumericDate,
        requirements: &'c Requirements,
    ) -> Self {
        Self::of(door, provider, now, &Shown::NOTHING, requirements)
    }

    #[inline]
    pub(super) fn of(
        door: &Door<'c>,
        provider: &'c CryptoProvider,
        now: NumericDate,
        shown: &'c Shown<'c>,
        requirements: &'c Requirements,
    ) -> Self {
        Self {
            judge: door.possession(provider, now),
            shown,
            requirements,
        }
    }

    pub(super) const fn now(&self) -> NumericDate {
        self.judge.now
    }
}

pub(super) fn verify<T: Trail>(
    door: Door<'_>,
    token: &[u8],
    case: &Case<'_>,
    trail: &mut T,
) -> Result<Judged, Error> {
    let mut buffer = SignatureBuffer::new();
    let job = match admit(door, token, case.now(), &mut buffer, trail) {
        Ok(job) => job,
        Err(error) => return introspect::opaque(door, token, error, case, trail),
    };
    let source = job.signed().source;
    let Some(signed) = case.judge.provider.verify(job) else {
        return Err(door.blame(&source, Error::new(Code::BadSignature)));
    };
    finish(door, token, signed, case, &ancestry::ALONE, None, trail)
        .map_err(|error| door.blame(&source, error))
}

/// The same steps with the tokens that this one comes from; the provider sees all signatures at
/// once. What is remembered of this token spares its own.
pub(super) fn verify_chain<T: Trail>(
    door: Door<'_>,
    token: &[u8],
    settled: Option<Settled>,
    context: &[ContextToken<'_>],
    case: &Case<'_>,
    trail: &mut T,
) -> Result<Judged, Error> {
    trail.enter(Stage::Links);
    let doors = ancestry::doors(door, token, context)?;
    let mut buffer = SignatureBuffer::new();
    let mut buffers: Vec<_> = context.iter().map(|_| SignatureBuffer::new()).collect();
    let leaf = match settled {
        Some(_) => None,
        None => Some(admit(door, token, case.now(), &mut buffer, trail)?),
    };
    let source = leaf.as_ref().map(|job| job.signed().source);
    let mut jobs: Vec<_> = leaf.into_iter().collect();
    let refused = match ancestry::admit(&doors, context, case.now(), &mut buffers) {
        Ok(further) => {
            jobs.extend(further);
            None
        }
        Err(error) => Some(error),
    };
    let mut signed = case.judge.provider.verify_many(jobs).into_iter();
    let leaf = source.map(|source| (source, signed.next().flatten()));
    let max_depth = door.gate.delegation.max_depth();
    let settle = |(door, signed): (&Door<'_>, Option<_>)| {
        let signed = signed.ok_or_else(|| Error::new(Code::BadSignature))?;
        ancestry::settle(*door, signed, case.now(), max_depth)
    };
    // What is wrong with a further token is told in its turn, after what is wrong with this one.
    let ancestors = match refused {
        Some(error) => Err(error),
        None => doors.iter().zip(signed).map(settle).collect(),
    };
    match (settled, leaf) {
        (Some(settled), _) => renew(&door, token, settled, case, &ancestors),
        (None, Some((source, Some(signed)))) => {
            finish(door, token, signed, case, &ancestors, None, trail)
                .map_err(|error| door.blame(&source, error))
        }
        (None, Some((source, None))) => Err(door.blame(&source, Error::new(Code::BadSignature))),
        (None, None) => Err(Error::new(Code::Internal)),
    }
}

/// The same steps over a chunk of a batch; the provider sees all its signatures at once. Nothing
/// comes of it when nobody wants it any more, as `wanted` is asked before a server is.
pub(super) fn verify_many(
    door: Door<'_>,
    tokens: &[&[u8]],
    case: &Case<'_>,
    wanted: &impl Fn() -> bool,
) -> Vec<Result<VerifiedToken, Error>> {
    let now = case.now();
    let (waits, given_up) = (door.waits_with_tokens(), Cell::new(false));
    let commit = |judged: Judged| {
        if waits && (given_up.get() || !wanted()) {
            given_up.set(true);
            return Err(Error::new(Code::Internal)); // which nobody sees
        }
        commit(&door, judged, now)
    };
    let mut jobs = Vec::with_capacity(tokens.len());
    let mut sources = Vec::with_capacity(tokens.len());
    let mut buffers: Vec<_> = tokens.iter().map(|_| SignatureBuffer::new()).collect();
    // What is decided before the signature stands at its place; the rest waits for its evidence.
    let decided: Vec<Option<Result<VerifiedToken, Error>>> = tokens
        .iter()
        .zip(&mut buffers)
        .map(|(token, buffer)| {
            if let Some(settled) = door.recall(token, now) {
                let judged = renew(&door, token, settled, case, &ancestry::ALONE);
                return Some(judged.and_then(commit));
            }
            match admit(door, token, now, buffer, &mut ()) {
                Ok(job) => {
                    sources.push(job.signed().source);
                    jobs.push(job);
                    None
                }
                Err(error) => {
                    let judged = introspect::opaque(door, token, error, case, &mut ());
                    Some(judged.and_then(commit))
                }
            }
        })
        .collect();
    let mut signed = case
        .judge
        .provider
        .verify_many(jobs)
        .into_iter()
        .zip(sources);
    let verdicts = decided.into_iter().zip(tokens).map(|(decided, token)| {
        decided.unwrap_or_else(|| {
            let (signed, source) = signed.next().ok_or_else(|| Error::new(Code::Internal))?;
            let signed =
                signed.ok_or_else(|| door.blame(&source, Error::new(Code::BadSignature)))?;
            finish(door, token, signed, case, &ancestry::ALONE, None, &mut ())
                .and_then(commit)
                .map_err(|error| door.blame(&source, error))
        })
    });
    let verdicts = verdicts.collect();
    if given_up.get() { Vec::new() } else { verdicts }
}

/// From bytes to a signature job: size, shape, header, kind, algorithm, issuer, key.
pub(super) fn admit<'s, 't, T: Trail>(
    door: Door<'s>,
    token: &'t [u8],
    now: NumericDate,
    buffer: &'t mut SignatureBuffer,
    trail: &mut T,
) -> Result<SignatureJob<'s, Candidate<'t>>, Error> {
    let limits = door.limits;
    trail.enter(Stage::Size);
    if token.len() <= limits.token_size {
        trail.passed(Stage::Size, || note::size(token, *limits));
        trail.enter(Stage::Shape);
    }
    let compact = Compact::split(token, limits.token_size)?;
    // The payload first: in a JWE it is where the dots are (JWS-04).
    let payload = compact.decode_payload()?;
    let signature = compact.decode_signature(buffer)?;
    trail.passed(Stage::Shape, note::shape);
    trail.enter(Stage::Header);
    let header = door.headers().parse(compact.header, door.rules().limits)?;
    trail.passed(Stage::Header, || note::header(&header));
    // Strict JSON before anything is read from it; only `iss` (or an SVID's `sub`) is, until the
    // signature has been checked (JWS-13).
    trail.enter(Stage::Claims);
    let mut claims = Claims::parse(payload, (*limits).into())?;
    let source = door.source_of(&claims);
    trail.enter(Stage::Typ);
    let kind = check_typ(door, &header, source.as_ref().ok())?;
    trail.passed(Stage::Typ, || note::typ(&header, source.as_ref().ok()));
    trail.enter(Stage::Alg);
    let algorithm = header
        .algorithm
        .ok_or_else(|| Error::about(Code::AlgNotAllowed, "alg"))?;
    trail.enter(Stage::IssuerAndKey);
    let source = source?;
    let blame = |error| door.blame(&source, error);
    let issuer = door.issuer(&source)?;
    kind::check_header(&header, issuer, source.profile).map_err(blame)?;
    trail.enter(Stage::Alg);
    if !issuer.allows(algorithm, source.profile) {
        return Err(blame(Error::about(Code::AlgNotAllowed, "alg"))); // ALG-01
    }
    trail.passed(Stage::Alg, || note::alg(&header, issuer));
    trail.enter(Stage::IssuerAndKey);
    let key = door.key(&source, algorithm.algorithm(), header.kid(), now);
    let key = key.map_err(blame)?;
    trail.passed(Stage::IssuerAndKey, || {
        let watch = door.state.keys.watch(source.position);
        let fetched = watch.and_then(|watch| watch.report().fetched_at);
        note::key(
            issuer,
            key,
            source.generation,
            fetched.map(|at| now.since(at)),
        )
    });
    trail.enter(Stage::Signature);
    issuer.rename_claims(&mut claims, source.profile);
    let candidate = Candidate {
        signing_input: compact.signing_input,
        signature,
        claims,
        header,
        source,
        kind,
    };
    Ok(SignatureJob::new(key.verification(), candidate))
}

/// From evidence that an issuer stands for the claims to a verdict: claims, time, audience,
/// possession, chain, revocation, policy, and whether the issuer still holds the token for active.
pub(super) fn finish<T: Trail, V: Vouched>(
    door: Door<'_>,
    token: &[u8],
    vouched: V,
    case: &Case<'_>,
    ancestors: &Ancestors<'_>,
    derived: Option<Derived>,
    trail: &mut T,
) -> Result<Judged, Error> {
    let (gate, rules, now) = (door.gate, door.rules(), case.now());
    let (judge, requirements) = (&case.judge, case.requirements);
    let (claims, source) = (vouched.claims(), vouched.source());
    let (issuer, row) = (door.issuer(source)?, vouched.row());
    if V::BY == VerifiedBy::Signature {
        trail.passed(Stage::Signature, || "good".to_owned());
    }
    trail.enter(Stage::Claims);
    let well_formed = kind::check_claims(claims, gate, issuer, row, derived.is_some())?;
    trail.passed(Stage::Claims, || note::claims(row));
    trail.enter(Stage::Time);
    let max_lifetime = gate.max_lifetime(source.max_lifetime, claims);
    let dates = Dates::of(&well_formed, gate, row, max_lifetime, rules.leeway);
    let timely = dates.check(now)?;
    trail.passed(Stage::Time, || note::time(&dates, now, rules.leeway));
    trail.enter(Stage::Audience);
    let audience = validity::check_audience(claims, gate, source)?;
    trail.passed(Stage::Audience, || note::audience(claims, row));
    trail.enter(Stage::Possession);
    let confirmation = Confirmation::of(claims, judge.provider);
    let possession = judge.confirm(&confirmation, claims, case.shown, token)?;
    trail.passed(Stage::Possession, || note::possession(&possession));
    trail.enter(Stage::Chain);
    let iss = source.issuer(claims, issuer);
    let chain = delegation::check(claims, iss, issuer, gate, rules.preset)?;
    caller::check_needed(gate, requirements)?;
    let caller = requirements.presenter();
    let links = chain.chain();
    let presenter = delegation::check_presenter(links, claims, iss, gate, caller)?;
    trail.passed(Stage::Chain, || note::chain(links, gate, caller.is_some()));
    trail.enter(Stage::Links);
    let member = || source.member(claims, issuer, links, &dates);
    let lineage = match derived {
        Some(derived) => delegation::of_keys(derived),
        None => {
            let coverage = actors::judge(door, links, claims, member, case)?;
            ancestry::judge(&door, links, member, ancestors, coverage)?
        }
    };
    trail.passed(Stage::Links, || {
        note::links(&lineage, ancestors.as_ref().map_or(0, Vec::len))
    });
    trail.enter(Stage::Intent);
    let tasks = ancestry::check_tasks(&door, member, ancestors, case)?;
    trail.passed(Stage::Intent, || note::intent(gate, claims));
    trail.enter(Stage::Revocation);
    let header = vouched.header();
    let handles = revocable::handles(door, member, header, || confirmation.thumbprints());
    let further = || ancestry::handles(&door, ancestors, judge.provider);
    let status = status::check(&door, claims, source, ancestors, now)?;
    let not_revoked = revocation::check(rules, status, handles.as_ref(), further, now)?;
    trail.passed(Stage::Revocation, || note::revocation(&not_revoked));
    trail.enter(Stage::Policy);
    let standing = authority::check_gate(claims, gate)?;
    let evidence = Evidence {
        claims: well_formed,
        audience,
        chain,
        authority: standing,
    };
    let identity = door.identity(source);
    let anew = actors::has_any(door, claims);
    let active = vouched.active();
    let settled = Settled::new(
        vouched,
        dates,
        now,
        confirmation,
        identity,
        handles,
        evidence,
    );
    if !anew {
        door.remember(token, &settled);
    }
    let called_for = authority::check_call(
        &settled,
        tasks.bounds(),
        gate,
        requirements,
        now,
        rules.leeway,
    )?;
    check_ties(&settled, case)?;
    trail.passed(Stage::Policy, || note::policy(gate, requirements));
    trail.enter(Stage::Introspection);
    let active = match active {
        Some(active) => active,
        None => introspect::still_active(&door, settled.source(), settled.claims(), token, case)?,
    };
    trail.passed(Stage::Introspection, || note::introspection(&active, now));
    let fresh = Fresh {
        timely,
        possession,
        presenter,
        lineage,
        tasks,
        not_revoked,
        called_for,
        active,
        used: used_up(&settled, judge),
    };
    Ok(Judged::new(settled, fresh))
}

/// A token seen before: what can change is checked anew, in the same order.
pub(super) fn renew(
    door: &Door<'_>,
    token: &[u8],
    settled: Settled,
    case: &Case<'_>,
    ancestors: &Ancestors<'_>,
) -> Result<Judged, Error> {
    match refresh(door, token, &settled, case, ancestors) {
        Ok(fresh) => Ok(Judged::new(settled, fresh)),
        Err(error) => Err(door.blame(settled.source(), error)),
    }
}

fn refresh(
    door: &Door<'_>,
    token: &[u8],
    settled: &Settled,
    case: &Case<'_>,
    ancestors: &Ancestors<'_>,
) -> Result<Fresh, Error> {
    let (gate, rules, now) = (door.gate, door.rules(), case.now());
    let (judge, requirements) = (&case.judge, case.requirements);
    let claims = settled.claims();
    let timely = settled.check_dates(now)?;
    let possession = judge.confirm(settled.confirmation(), claims, case.shown, token)?;
    caller::check_needed(gate, requirements)?;
    let presenter = settled.check_presenter(gate, requirements)?;
    let member = || settled.member();
    // What is remembered carries no proofs of actors.
    let lineage = ancestry::judge(door, settled.chain(), member, ancestors, Coverage::Partial)?;
    let tasks = ancestry::check_tasks(door, member, ancestors, case)?;
    let further = || ancestry::handles(door, ancestors, judge.provider);
    let status = status::check(door, claims, settled.source(), ancestors, now)?;
    let not_revoked = revocation::check(rules, status, settled.handles(), further, now)?;
    let bounds = tasks.bounds();
    let called_for = authority::check_call(settled, bounds, gate, requirements, now, rules.leeway)?;
    check_ties(settled, case)?;
    let active = introspect::still_active(door, settled.source(), claims, token, case)?;
    Ok(Fresh {
        timely,
        possession,
        presenter,
        lineage,
        tasks,
        not_revoked,
        called_for,
        active,
        used: used_up(settled, judge),
    })
}

/// Whether the token belongs to what the caller knows.
#[inline]
fn check_ties(settled: &Settled, case: &Case<'_>) -> Result<(), Error> {
    match &case.requirements.ties {
        Some(ties) => ties.check(settled, case.judge.provider),
        None => Ok(()),
    }
}

/// What the token itself is remembered by, where it is good once.
#[inline]
fn used_up(settled: &Settled, judge: &Judge<'_>) -> Option<Box<UsedProof>> {
    let once = judge.gate.once?;
    let (token, until) = (settled.member(), settled.dates().end());
    judge.used_up(once, token.claims, token.iss, until)
}

/// The verdict: a proof is remembered where the policy says, unless it was used before. At a gate
/// that is an input of revocations, what follows from the token is revoked.
#[inline]
pub(super) fn commit(
    door: &Door<'_>,
    judged: Judged,
    now: NumericDate,
) -> Result<VerifiedToken, Error> {
    let verdict = conclude(door, judged, now);
    if door.gate.revokes
        && let Ok(token) = &verdict
    {
        applied::apply(door.state, token, now);
    }
    verdict
}

/// As [`commit`]; what follows from the token is left to the caller.
#[inline]
pub(super) fn conclude(
    door: &Door<'_>,
    judged: Judged,
    now: NumericDate,
) -> Result<VerifiedToken, Error> {
    judged.conclude(|used| match door.memory()? {
        Some((memory, rules)) => used.commit(memory, rules, now),
        None => Ok(used.left_to_others()),
    })
}

/// What [`commit`] would say, without using the proof up.
pub(super) fn rehearse(
    door: &Door<'_>,
    judged: Judged,
    now: NumericDate,
) -> Result<VerifiedToken, Error> {
    judged.conclude(|used| match door.memory()? {
        Some((memory, _)) => used.rehearse(memory, now),
        None => Ok(used.left_to_others()),
    })
}

/// `typ` against the issuer's row; a token of no known issuer against every row of the gate, so
/// that the earlier check gives the earlier answer.
fn check_typ(
    door: Door<'_>,
    header: &ProtectedHeader,
    source: Option<&Source>,
) -> Result<TypAccepted, Error> {
    if let Some(source) = source {
        let checked = kind::check_typ(header, door.gate, source.profile.row());
        return checked.map_err(|error| door.blame(source, error));
    }
    let rows = door.gate.issuers.iter().map(|entry| entry.profile.row());
    let mut checked = rows.map(|row| kind::check_typ(header, door.gate, row));
    checked
        .find_map(Result::ok)
        .ok_or_else(|| Error::about(Code::TypMismatch, "typ"))
}
