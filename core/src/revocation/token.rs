//! The handles of one token, hashed once, and whether any of them is revoked.

use std::sync::Arc;

use super::entry::Entry;
use super::handle::HandleKind;
use super::hash::HandleHash;
use super::store::{RevocationStore, Standing};
use crate::claims::{Claim, workload_domain};
use crate::delegation::{self, Actor, Member};
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::policy::Kind;
use crate::sync::{AtomicU64, Ordering};
use crate::time::{NumericDate, Span};

/// For so long after its cut-off a revoked agent or key may stand inside chains whose tokens are
/// younger: the grant they come from was made before (REV-10).
const DESCENDANTS_LIVE: Span = Span::from_seconds(24 * 60 * 60);

/// Everything that a token can be revoked by (standards 31.1).
pub(crate) struct Handles {
    store: Arc<RevocationStore>,
    known: Box<[Known]>,
    issued_at: Option<NumericDate>,
    /// `auth_time`: when the session began that the token belongs to.
    signed_in: Option<NumericDate>,
    /// One more than the epoch at which nothing of this was revoked; 0 before.
    clean_at: AtomicU64,
    /// When that was found, as [`NumericDate::to_bits`].
    clean_since: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    kind: HandleKind,
    claim: &'static str,
    /// Whether it stands further back than the token itself: then the token's `iat` is not the
    /// moment at which it came in.
    inner: bool,
    hash: HandleHash,
}

/// What a token is known by that its claims alone do not tell.
pub(crate) struct Circumstances<'a, K, T> {
    /// `kid` of the key that signed it.
    pub(crate) kid: Option<&'a str>,
    /// The thumbprints of the keys it is bound to, in base64url.
    pub(crate) holder_keys: K,
    /// Whether a revoked agent counts that stands behind the outermost actor.
    pub(crate) inner_actors: bool,
    /// The intents and workflows it was issued for: kind, whose, and id.
    pub(crate) tasks: T,
}

impl Handles {
    pub(crate) fn of<'a, K, T>(
        store: &Arc<RevocationStore>,
        token: &Member<'a>,
        circumstances: Circumstances<'a, K, T>,
    ) -> Self
    where
        K: IntoIterator<Item = String>,
        T: IntoIterator<Item = (HandleKind, &'a str, &'a str)>,
    {
        let (iss, claims) = (token.iss, token.claims);
        let mut known = Vec::with_capacity(16);
        let mut add = |kind, claim, inner, scope: &str, value: &str| {
            let hash = store.hash(kind, scope, value);
            known.push(Known {
                kind,
                claim,
                inner,
                hash,
            });
        };
        let of_issuer = [
            (HandleKind::Token, Claim::Jti),
            (HandleKind::Session, Claim::Sid),
            (HandleKind::Subject, Claim::Sub),
            (HandleKind::Client, Claim::ClientId),
            (HandleKind::Client, Claim::Azp),
        ];
        add(HandleKind::Issuer, Claim::Iss.name(), false, iss, "");
        // What a token that tells of an event names is what has ended, and nothing of its own.
        let its_own = !token.kind.tells_of_events();
        for (kind, claim) in of_issuer.into_iter().filter(|_| its_own) {
            if let Some(value) = claims.text(claim) {
                add(kind, claim.name(), false, iss, value);
            }
        }
        if let Some(sub) = claims.text(Claim::Sub).filter(|_| its_own) {
            for kind in [HandleKind::Account, HandleKind::Disabled] {
                add(kind, Claim::Sub.name(), false, iss, sub);
            }
            if claims.present().contains(Claim::AuthTime) {
                let about = Claim::AuthTime.name();
                add(HandleKind::Credential, about, false, iss, sub);
            }
        }
        if let Some(txn) = claims.text(Claim::Txn) {
            add(
                HandleKind::Txn,
                Claim::Txn.name(),
                false,
                token.txn_namespace,
                txn,
            );
        }
        if is_client(token.kind)
            && let Some(client) = claims.text(Claim::Sub)
        {
            add(HandleKind::Client, Claim::Sub.name(), false, iss, client);
        }
        if let Some(agent) = acting_subject(token).filter(|_| its_own) {
            add(
                HandleKind::Actor,
                Claim::Sub.name(),
                false,
                agent.iss(),
                agent.sub(),
            );
        }
        let links = if circumstances.inner_actors {
            usize::MAX
        } else {
            1
        };
        let actors = token.chain.actors(claims.json(), iss).take(links);
        for (index, actor) in actors.enumerate() {
            let inner = index > 0;
            for kind in [HandleKind::Actor, HandleKind::Account, HandleKind::Disabled] {
                add(kind, Claim::Act.name(), inner, actor.iss(), actor.sub());
            }
        }
        if token.kind == Kind::TxnToken {
            let mut through = |workload: &str, inner| {
                let domain = workload_domain(workload);
                let domain = domain.or_else(|| claims.audience().next());
                let domain = domain.unwrap_or_default();
                add(HandleKind::Actor, "agentic_ctx", inner, domain, workload);
            };
            // The workloads it came through (31.1), as far as those count who stand behind an
            // actor.
            let path = delegation::txn_path(claims).filter(|_| circumstances.inner_actors);
            for workload in path.into_iter().flatten().filter_map(Value::as_str) {
                through(workload, true);
            }
            if let Some(workload) = claims.text(Claim::ReqWl) {
                through(workload, false);
            }
        }
        if token.kind == Kind::Capability {
            // The key it was derived with, which is the parent's (REV-05).
            add(HandleKind::HolderKey, Claim::Iss.name(), true, "", iss);
        }
        for key in circumstances.holder_keys {
            add(HandleKind::HolderKey, Claim::Cnf.name(), false, "", &key);
        }
        for (kind, scope, id) in circumstances.tasks {
            add(kind, kind.name(), false, scope, id);
        }
        if let Some(kid) = circumstances.kid {
            add(HandleKind::SigningKey, "kid", false, iss, kid);
        }
        Self {
            store: Arc::clone(store),
            known: known.into(),
            issued_at: token.dates.issued_at,
            signed_in: claims.date(Claim::AuthTime),
            clean_at: AtomicU64::new(0),
            clean_since: AtomicU64::new(0),
        }
    }

    /// Whether nothing of it is revoked. What was found at an epoch stands until another (REV-09):
    /// as time goes by, entries only end. Of a clock that is set back it is asked again.
    #[inline]
    pub(crate) fn check(&self, now: NumericDate) -> Result<Standing, Error> {
        let staleness = self.store.check_news(now)?;
        let read = self.store.epoch();
        let standing = Standing {
            epoch: read,
            staleness,
        };
        let epoch = read.saturating_add(1);
        if self.clean_at.load(Ordering::Relaxed) == epoch
            && self.clean_since.load(Ordering::Relaxed) <= now.to_bits()
        {
            return Ok(standing);
        }
        self.search(now)?;
        self.clean_since.store(now.to_bits(), Ordering::Relaxed);
        self.clean_at.store(epoch, Ordering::Relaxed);
        Ok(standing)
    }

    #[inline(never)]
    fn search(&self, now: NumericDate) -> Result<(), Error> {
        let shelves = self.store.shelves();
        for known in &self.known {
            let entry = shelves.get(known.kind, known.hash);
            if entry.is_some_and(|entry| self.falls_under(entry, *known, now)) {
                return Err(Error::about(Code::Revoked, known.claim));
            }
        }
        Ok(())
    }

    fn falls_under(&self, entry: Entry, known: Known, now: NumericDate) -> bool {
        if entry.has_ended(now) {
            return false;
        }
        if known.kind == HandleKind::Disabled {
            return true; // its cut-off is when it was disabled
        }
        let Some(cutoff) = entry.cutoff() else {
            return true; // REV-01
        };
        let by_then = |date: NumericDate| date.seconds() <= cutoff;
        // What was ended, whatever was issued of it since (REV-10).
        let signed_in_before = self.signed_in.is_some_and(by_then);
        if known.kind == HandleKind::Credential {
            return signed_in_before;
        }
        // Without `iat` it counts as older (REV-02).
        let mut before = self.issued_at.is_none_or(by_then);
        if known.inner {
            let cutoff = NumericDate::from_seconds(cutoff).unwrap_or(NumericDate::LAST);
            before |= now < cutoff.plus(DESCENDANTS_LIVE); // REV-10
        }
        if known.kind == HandleKind::Session {
            before |= signed_in_before;
        }
        before
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_size(&self) -> usize {
        size_of_val(&*self.known)
    }
}

/// Kinds whose `sub` is an OAuth client.
fn is_client(kind: Kind) -> bool {
    matches!(kind, Kind::ClientAssertion | Kind::ClientAttestation)
}

/// The token's subject, where it is an agent: it acts for itself, or says what it is (REV-04).
fn acting_subject<'a>(token: &Member<'a>) -> Option<Actor<'a>> {
    let subject = token.chain.subject(token.claims, token.iss)?;
    let says = |profile: &str| profile.split(' ').any(|profile| profile == "ai_agent");
    let is_agent = token.chain.len() == 0 || subject.sub_profile().is_some_and(says);
    is_agent.then_some(subject)
}
