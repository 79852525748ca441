//! Capabilities with the ones they were derived from (AAT-04, AAT-06): the root is verified as a
//! token alone is, each further one by the key that its parent names.

use std::sync::Arc;

use super::ancestry::{self, ContextToken};
use super::kind;
use super::note;
use super::pipeline::{self, Candidate, Case};
use super::revocable;
use super::state::{Door, Source};
use super::status;
use super::trail::{Stage, Trail};
use super::validity::{self, Dates};
use super::verified::Judged;
use crate::binding::Confirmation;
use crate::claims::{Claim, Claims, count};
use crate::crypto::{self, SignatureJob, SignatureVerified};
use crate::delegation::{self, Derived, Holding};
use crate::encoding::base64url;
use crate::error::{Code, Error};
use crate::jwk::Jwk;
use crate::jws::{Compact, ProtectedHeader, SignatureBuffer};
use crate::policy::Kind;
use crate::revocation;

/// A capability whose signature and claims are good, and whose parents are.
struct Held<'t> {
    signed: SignatureVerified<Candidate<'t>>,
    dates: Dates,
}

/// Verifies a derived capability. Nothing of it is remembered: alone it opens nothing.
pub(super) fn verify<T: Trail>(
    door: Door<'_>,
    token: &[u8],
    context: &[ContextToken<'_>],
    case: &Case<'_>,
    trail: &mut T,
) -> Result<Judged, Error> {
    let door = door.apart();
    trail.enter(Stage::Links);
    let parents = in_order(door, token, context)?;
    let (root, middle) = parents.split_first().ok_or_else(broken)?;
    let mut buffers: Vec<_> = parents.iter().map(|_| SignatureBuffer::new()).collect();
    let (first, rest) = buffers.split_first_mut().ok_or_else(broken)?;
    let root = self::root(door, root, case, first)?;
    let source = root.signed.get().source;
    let blame = |error| door.blame(&source, error);
    let mut held = vec![root];
    for (token, buffer) in middle.iter().zip(rest) {
        let signed = signed(door, token, &source, &held, case, buffer, &mut ()).map_err(blame)?;
        let dates = settle(door, &signed, case, true).map_err(blame)?;
        let next = Held { signed, dates };
        let Derived { .. } = derive(&held, &next, case).map_err(blame)?;
        held.push(next);
    }
    let mut buffer = SignatureBuffer::new();
    let signed = signed(door, token, &source, &held, case, &mut buffer, trail).map_err(blame)?;
    trail.enter(Stage::Claims);
    let dates = settle(door, &signed, case, true).map_err(blame)?;
    let leaf = Held { signed, dates };
    trail.enter(Stage::Links);
    let derived = derive(&held, &leaf, case).map_err(blame)?;
    pipeline::finish(
        door,
        token,
        leaf.signed,
        case,
        &ancestry::ALONE,
        Some(derived),
        trail,
    )
    .map_err(blame)
}

fn broken() -> Error {
    Error::about(Code::ChainLinkBroken, "par_hash")
}

/// The further tokens from the root on, by what they say of their depth. Their number and size are
/// bounded before anything is spent on one of them (AAT-01).
fn in_order<'t>(
    door: Door<'_>,
    token: &[u8],
    context: &[ContextToken<'t>],
) -> Result<Vec<&'t [u8]>, Error> {
    ancestry::check_size(token, context)?;
    let mut parents = Vec::with_capacity(context.len());
    for further in context {
        if further.kind() != Kind::Capability {
            return Err(Error::about(Code::Usage, "context"));
        }
        let (claims, _) = read(door, further.bytes())?;
        let depth = claims.value(Claim::DelDepth).and_then(count);
        parents.push((depth.ok_or_else(broken)?, further.bytes()));
    }
    parents.sort_by_key(|(depth, _)| *depth);
    let twins = parents
        .iter()
        .zip(parents.iter().skip(1))
        .any(|((one, _), (other, _))| one == other);
    if twins || parents.first().is_none_or(|(depth, _)| *depth != 0) {
        return Err(broken());
    }
    Ok(parents.into_iter().map(|(_, token)| token).collect())
}

fn read<'t>(door: Door<'_>, token: &'t [u8]) -> Result<(Claims, Compact<'t>), Error> {
    let limits = door.rules().limits;
    let compact = Compact::split(token, limits.token_size)?;
    let payload = compact.decode_payload()?;
    let claims = Claims::parse(payload, limits.into())?;
    Ok((claims, compact))
}

/// The root: everything that is asked of a capability alone but possession, which its leaf proves.
fn root<'t>(
    door: Door<'_>,
    token: &'t [u8],
    case: &Case<'_>,
    buffer: &'t mut SignatureBuffer,
) -> Result<Held<'t>, Error> {
    let job = pipeline::admit(door, token, case.judge.now, buffer, &mut ())?;
    let source = job.signed().source;
    let signed = case.judge.provider.verify(job);
    let signed = signed.ok_or_else(|| door.blame(&source, Error::new(Code::BadSignature)))?;
    let dates = settle(door, &signed, case, false).map_err(|error| door.blame(&source, error))?;
    Ok(Held { signed, dates })
}

/// A token signed by the key of the one before it. Any other signature is no link.
fn signed<'t, T: Trail>(
    door: Door<'_>,
    token: &'t [u8],
    source: &Source,
    held: &[Held<'_>],
    case: &Case<'_>,
    buffer: &'t mut SignatureBuffer,
    trail: &mut T,
) -> Result<SignatureVerified<Candidate<'t>>, Error> {
    trail.enter(Stage::Shape);
    let (claims, compact) = read(door, token)?;
    let signature = compact.decode_signature(buffer)?;
    trail.passed(Stage::Size, || note::size(token, door.rules().limits));
    trail.passed(Stage::Shape, note::shape);
    trail.enter(Stage::Header);
    let header = ProtectedHeader::parse(compact.header, door.rules().limits.into())?;
    trail.passed(Stage::Header, || note::header(&header));
    trail.enter(Stage::Typ);
    let kind = kind::check_typ(&header, door.gate, source.profile.row())?;
    trail.passed(Stage::Typ, || note::typ(&header, Some(source)));
    trail.enter(Stage::Alg);
    let provider = case.judge.provider;
    let named = header.algorithm.map(|named| named.algorithm());
    let algorithm = named
        .filter(|named| !named.is_symmetric() && provider.algorithms.contains(*named))
        .ok_or_else(|| Error::about(Code::AlgNotAllowed, "alg"))?;
    trail.passed(Stage::Alg, || {
        format!("{} is one of a signature", algorithm.name())
    });
    trail.enter(Stage::IssuerAndKey);
    let parent = held.last().ok_or_else(broken)?.key()?;
    if parent.check_fits(algorithm).is_err() {
        return Err(broken());
    }
    trail.passed(Stage::IssuerAndKey, || {
        format!(
            "the key that the capability before it names, of {}",
            held.len()
        )
    });
    trail.enter(Stage::Signature);
    let key = (provider.load)(&parent, algorithm).map_err(|_| broken())?;
    let candidate = Candidate {
        signing_input: compact.signing_input,
        signature,
        claims,
        header: Arc::new(header),
        source: *source,
        kind,
    };
    let signed = provider.verify(SignatureJob::new(&key, candidate));
    signed.ok_or_else(broken)
}

/// Claims, time, audience and revocation of a token of the chain, now: an ancestor that has expired
/// ends what was derived from it.
fn settle(
    door: Door<'_>,
    signed: &SignatureVerified<Candidate<'_>>,
    case: &Case<'_>,
    is_derived: bool,
) -> Result<Dates, Error> {
    let (gate, rules) = (door.gate, door.rules());
    let Candidate {
        claims,
        header,
        source,
        ..
    } = signed.get();
    let (issuer, row) = (door.issuer(source)?, source.profile.row());
    let accepted = kind::check_claims(claims, gate, issuer, row, is_derived)?;
    let max_lifetime = gate.max_lifetime(source.max_lifetime, claims);
    let dates = Dates::of(&accepted, gate, row, max_lifetime, rules.leeway);
    dates.check(case.judge.now)?;
    validity::check_audience(claims, gate, source)?;
    let depth = gate.delegation.max_depth();
    let chain = delegation::read(claims, issuer, row.kind, rules.preset, depth)?;
    let member = || source.member(claims, issuer, &chain, &dates);
    let bound_to = || Confirmation::of(claims, case.judge.provider).thumbprints();
    let handles = revocable::handles(door, member, header, bound_to);
    revocation::check(
        rules,
        status::of(&door, claims, source, case.judge.now)?,
        handles.as_ref(),
        || Ok(Vec::new()),
        case.judge.now,
    )?;
    Ok(dates)
}

/// Judges the link from the last of `held` to `child`.
fn derive(held: &[Held<'_>], child: &Held<'_>, case: &Case<'_>) -> Result<Derived, Error> {
    let parent = held.last().ok_or_else(broken)?;
    let provider = case.judge.provider;
    let hash = base64url::encode(&(provider.sha256)(parent.signed.get().signing_input));
    let thumbprint = crypto::thumbprint(provider, &parent.key()?);
    let parents: Vec<Holding<'_>> = held.iter().map(Held::holding).collect();
    delegation::derive(&parents, child.holding(), &hash, &thumbprint)
}

impl Held<'_> {
    /// The key that a child is signed with.
    fn key(&self) -> Result<Jwk, Error> {
        kind::bound_key(&self.signed.get().claims)
    }

    fn holding(&self) -> Holding<'_> {
        Holding {
            claims: &self.signed.get().claims,
            dates: self.dates.claimed(),
        }
    }
}
