//! One edge of a proven chain: did this token come out of that one, and did authority only shrink?
//! (standards 30.5)

use super::chain::Chain;
use super::details::{self, Types};
use super::scope::{self, Compared};
use super::{Actor, lineage::Dimensions};
use crate::claims::{Claim, ClaimedDates, Claims};
use crate::encoding::json::{Elements, Value};
use crate::error::{Code, Error};
use crate::policy::{AudRule, Edge, Edges, ExpRule, Kind, Lineage, Mapping, Preset};
use crate::time::{NumericDate, Span};

/// A token of a chain, verified as its own kind asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) kind: Kind,
    pub(crate) claims: &'a Claims,
    /// The token's issuer.
    pub(crate) iss: &'a str,
    pub(crate) chain: &'a Chain,
    pub(crate) dates: ClaimedDates,
    /// Whose transactions its `txn` is one of.
    pub(crate) txn_namespace: &'a str,
}

/// What an edge has shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) strength: Lineage,
    /// What was not compared.
    pub(super) unproven: Dimensions,
}

/// What edges compare by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) edges: &'a Edges,
    /// The gate's scope hierarchy.
    pub(crate) implies: &'a Mapping,
    pub(crate) leeway: Span,
    pub(crate) preset: Preset,
}

impl<'a> Member<'a> {
    pub(super) fn issued_at(&self) -> Result<NumericDate, Error> {
        // ATN-13: without it nobody can tell what came first.
        let iat = self.dates.issued_at;
        iat.ok_or_else(|| Error::about(Code::MissingClaim, Claim::Iat.name()))
    }

    fn actors(&self) -> impl DoubleEndedIterator<Item = Actor<'a>> {
        self.chain.actors(self.claims.json(), self.iss)
    }

    fn subject(&self) -> Option<Actor<'a>> {
        self.chain.subject(self.claims, self.iss)
    }

    fn other(&self, name: &str) -> Option<Value<'a>> {
        self.claims.json().root().get(name)
    }

    /// The workloads that a transaction token of an agent came through.
    fn txn_path(&self) -> Option<Elements<'a>> {
        let metadata = self.other("agentic_ctx")?.get("chain_metadata")?;
        metadata.get("txn_path")?.as_array()
    }

    fn says_complete(&self) -> bool {
        let said = self.claims.json().root().get("chain_complete");
        said.and_then(|said| said.as_bool()) != Some(false)
    }
}

/// Judges the edge from `parent` to `child`.
pub(super) fn judge(
    parent: &Member<'_>,
    child: &Member<'_>,
    terms: &Terms<'_>,
) -> Result<Shown, Error> {
    let edge = Edge::between(parent.kind, child.kind, parent.iss == child.iss);
    let edge = edge.ok_or_else(broken)?;
    let mut unproven = Dimensions::NONE;
    check_history(parent, child)?;
    match edge {
        Edge::AtToTxn => {
            check_may_act(parent, child, terms.preset)?;
            unproven = unproven.with(Dimensions::SUBJECT);
        }
        Edge::TxnReplace => check_replacement(parent, child)?,
        Edge::Exchange => {
            if parent.subject() != child.subject() {
                return Err(Error::about(Code::SubjectChanged, Claim::Sub.name()));
            }
            check_may_act(parent, child, terms.preset)?;
        }
        Edge::CrossDomain => {
            check_grant(parent, child)?;
            unproven = unproven.with(Dimensions::SUBJECT);
        }
    }
    let rules = terms.edges.rules(edge);
    check_time(parent, child, edge, rules.exp, terms.leeway)?;
    match &rules.aud {
        AudRule::Any => unproven = unproven.with(Dimensions::AUDIENCE),
        AudRule::Exchanger(served) => check_audience(parent, child, edge, served)?,
    }
    match scope::compare(child.claims, parent.claims, &rules.scope, terms.implies) {
        Compared::Within => {}
        Compared::Beyond => {
            return Err(Error::about(Code::AttenuationScope, Claim::Scope.name()));
        }
        Compared::Unproven => unproven = unproven.with(Dimensions::SCOPE),
    }
    let types = match edge {
        Edge::Exchange => Types::Every,
        Edge::CrossDomain | Edge::AtToTxn | Edge::TxnReplace => Types::Shared,
    };
    if !details::within(child.claims, parent.claims, types) {
        let claim = Claim::AuthorizationDetails.name();
        return Err(Error::about(Code::AttenuationDetails, claim));
    }
    if rules.exp == ExpRule::Any && edge == Edge::Exchange {
        unproven = unproven.with(Dimensions::TIME);
    }
    Ok(Shown {
        strength: Lineage::IssuerAttested,
        unproven,
    })
}

pub(super) fn broken() -> Error {
    Error::about(Code::ChainLinkBroken, Claim::Act.name())
}

/// The child's history is the parent's, with the new actor before it or with none: nobody is left
/// out and nobody is put in. A child that says it leaves some out must still name all that the
/// parent names, in order.
fn check_history(parent: &Member<'_>, child: &Member<'_>) -> Result<(), Error> {
    let same = child.actors().eq(parent.actors());
    let grown = || child.chain.len() > 0 && child.actors().skip(1).eq(parent.actors());
    let partial = || !child.says_complete() && is_subsequence(parent.actors(), child.actors());
    if same || grown() || partial() {
        Ok(())
    } else {
        Err(broken())
    }
}

fn is_subsequence<'a>(
    mut few: impl Iterator<Item = Actor<'a>>,
    mut many: impl Iterator<Item = Actor<'a>>,
) -> bool {
    few.all(|one| many.any(|other| other == one))
}

/// A parent that says who may act is taken at its word (TX-09, MAY-02 to MAY-04).
fn check_may_act(parent: &Member<'_>, child: &Member<'_>, preset: Preset) -> Result<(), Error> {
    let Some(may_act) = parent.claims.json().root().get("may_act") else {
        return Ok(());
    };
    let new = child
        .actors()
        .next()
        .filter(|_| child.chain.len() > parent.chain.len());
    let client = child.claims.text(Claim::ClientId);
    let fits = match new {
        Some(actor) => names(may_act, parent.iss, actor, client, preset),
        None => may_act.as_object().is_some(),
    };
    if fits {
        Ok(())
    } else {
        Err(Error::about(Code::MayActMismatch, "may_act"))
    }
}

/// Whether `may_act` names this actor: every member that identifies fits, and under `agent_strict`
/// none is there that nobody here knows.
fn names(
    may_act: Value<'_>,
    iss: &str,
    actor: Actor<'_>,
    client: Option<&str>,
    preset: Preset,
) -> bool {
    let Some(mut members) = may_act.as_object() else {
        return false;
    };
    let text = |name: &str| may_act.get(name).map(|value| value.as_str());
    let issuer = match text("iss") {
        None => Some(iss),
        Some(own) => own,
    };
    let known = members.all(|(name, value)| match name {
        "iss" | "sub" => true,
        "sub_profile" => value.as_str().is_some() && value.as_str() == actor.sub_profile(),
        "client_id" => value.as_str().is_some() && value.as_str() == client,
        _ => preset == Preset::Rfc,
    });
    known && issuer == Some(actor.iss()) && text("sub").flatten() == Some(actor.sub())
}

/// What ties an access token to the grant it was given for: the client, the key, the resource.
fn check_grant(grant: &Member<'_>, child: &Member<'_>) -> Result<(), Error> {
    let client = grant.claims.text(Claim::ClientId);
    let same_client = client.is_none_or(|own| child.claims.text(Claim::ClientId) == Some(own));
    let bound = grant.claims.value(Claim::Cnf);
    let same_key = bound.is_none_or(|own| {
        let key = child.claims.value(Claim::Cnf);
        key.is_some_and(|key| details::same(own, key))
    });
    if !same_client || !same_key {
        return Err(broken());
    }
    let Some(resource) = grant.claims.json().root().get("resource") else {
        return Ok(());
    };
    let within = |aud: &str| match resource.as_array() {
        Some(mut resources) => resources.any(|resource| resource.as_str() == Some(aud)),
        None => resource.as_str() == Some(aud),
    };
    if child.claims.audience().all(within) {
        Ok(())
    } else {
        Err(Error::about(Code::AttenuationAudience, Claim::Aud.name()))
    }
}

/// TXT-13, TXA-05: who and for whom stay as they are, the facts of the call are kept, and the path
/// through the domain grows by one.
fn check_replacement(old: &Member<'_>, new: &Member<'_>) -> Result<(), Error> {
    // A subject is one of the trust domain, whoever signs (TXT-08).
    if old.claims.text(Claim::Sub) != new.claims.text(Claim::Sub) {
        return Err(Error::about(Code::SubjectChanged, Claim::Sub.name()));
    }
    if !new.actors().eq(old.actors()) {
        return Err(broken());
    }
    let facts = old.other("tctx").and_then(|tctx| tctx.as_object());
    let now = new.other("tctx");
    let kept = |(name, theirs): (&str, Value<'_>)| {
        let ours = now.and_then(|tctx| tctx.get(name));
        ours.is_some_and(|ours| details::same(ours, theirs))
    };
    if !facts.into_iter().flatten().all(kept) {
        return Err(Error::about(Code::AttenuationDetails, "tctx"));
    }
    let Some(mut before) = old.txn_path() else {
        return Ok(());
    };
    let mut path = new.txn_path().into_iter().flatten();
    let grown = before.all(|own| path.next().is_some_and(|next| details::same(own, next)));
    if grown && path.count() == 1 {
        Ok(())
    } else {
        Err(Error::about(Code::ChainLinkBroken, "agentic_ctx"))
    }
}

/// The parent was valid when the child was issued (30.6 step 1), came before it (ATN-12), and ends
/// no earlier. Leeway is for clocks, so none is given where one issuer wrote both dates (ATN-11).
fn check_time(
    parent: &Member<'_>,
    child: &Member<'_>,
    edge: Edge,
    exp: ExpRule,
    leeway: Span,
) -> Result<(), Error> {
    let (born, before) = (child.issued_at()?, parent.issued_at()?);
    let expired = |exp: NumericDate| born >= exp.plus(leeway);
    if parent.dates.expires_at.is_none_or(expired) {
        return Err(Error::about(Code::Expired, Claim::Exp.name()));
    }
    let early = |nbf: NumericDate| born < nbf.minus(leeway);
    if parent.dates.not_before.is_some_and(early) {
        return Err(Error::about(Code::NotYetValid, Claim::Nbf.name()));
    }
    let first = match edge {
        Edge::Exchange => before,
        Edge::CrossDomain | Edge::AtToTxn | Edge::TxnReplace => before.minus(leeway),
    };
    if born < first {
        return Err(Error::about(Code::AttenuationTime, Claim::Iat.name()));
    }
    let outlives = child.dates.expires_at > parent.dates.expires_at;
    if exp == ExpRule::WithinParent && outlives {
        return Err(Error::about(Code::AttenuationTime, Claim::Exp.name()));
    }
    Ok(())
}

/// The parent was meant for whoever used it (ATN-14): for the child's new actor or its client, or
/// for the issuer itself. A grant is for the issuer of the child.
fn check_audience(
    parent: &Member<'_>,
    child: &Member<'_>,
    edge: Edge,
    served: &Mapping,
) -> Result<(), Error> {
    let actor = child.actors().next().map(|actor| actor.sub());
    let client = child.claims.text(Claim::ClientId);
    let names = |aud: &str| {
        if edge == Edge::CrossDomain {
            return aud == child.iss;
        }
        if edge == Edge::TxnReplace {
            return child.claims.audience().any(|own| own == aud);
        }
        let domain = (edge == Edge::AtToTxn).then(|| child.claims.audience().next());
        let workload = child.claims.text(Claim::ReqWl);
        let parties = [Some(child.iss), actor, client, workload, domain.flatten()];
        let mut parties = parties.into_iter().flatten();
        parties.any(|party| party == aud || scope::targets(served, aud).any(|own| own == party))
    };
    if parent.claims.audience().any(names) {
        Ok(())
    } else {
        Err(Error::about(Code::AttenuationAudience, Claim::Aud.name()))
    }
}
