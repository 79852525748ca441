//! One edge of a proven chain: did this token come out of that one, and did authority only shrink?
//! (standards 30.5)

mod aauth;
mod mission;
mod transaction;

use super::chain::Chain;
use super::details::{self, Types};
use super::scope::{self, Compared};
use super::{Actor, lineage::Dimensions, task};
use crate::claims::{Claim, ClaimedDates, Claims};
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::policy::{
    AudRule, Edge, Edges, ExpRule, IntentRules, Kind, Lineage, Mapping, Preset, TransactionRules,
};
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
    /// Where tokens name their tasks.
    pub(crate) intent: &'a IntentRules,
    /// What is asked of transaction tokens, at a gate for them.
    pub(crate) transactions: Option<&'a TransactionRules>,
    pub(crate) leeway: Span,
    pub(crate) preset: Preset,
}

impl<'a> Member<'a> {
    pub(super) fn issued_at(&self) -> Result<NumericDate, Error> {
        // ATN-13: without it nobody can tell what came first.
        let iat = self.dates.issued_at;
        iat.ok_or_else(|| Error::about(Code::MissingClaim, Claim::Iat.name()))
    }

    pub(super) fn actors(&self) -> impl DoubleEndedIterator<Item = Actor<'a>> {
        self.chain.actors(self.claims.json(), self.iss)
    }

    fn subject(&self) -> Option<Actor<'a>> {
        self.chain.subject(self.claims, self.iss)
    }

    fn other(&self, name: &str) -> Option<Value<'a>> {
        self.claims.json().root().get(name)
    }

    fn is_aimed(&self) -> bool {
        self.claims.audience().next().is_some()
    }

    pub(super) fn says_complete(&self) -> bool {
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
    let Some(edge) = Edge::between(parent.kind, child.kind, parent.iss == child.iss) else {
        return correlate(parent, child, terms);
    };
    let mut shown = Shown {
        strength: Lineage::IssuerAttested,
        unproven: Dimensions::NONE,
    };
    check_history(parent, child)?;
    match edge {
        Edge::AtToTxn => {
            check_may_act(parent, child, terms.preset)?;
            shown.leave(Dimensions::SUBJECT);
        }
        Edge::TxnReplace => transaction::check_replacement(parent, child, terms.transactions)?,
        Edge::Exchange => {
            check_subject(parent, child)?;
            check_may_act(parent, child, terms.preset)?;
        }
        Edge::CrossDomain => {
            check_grant(parent, child)?;
            shown.leave(Dimensions::SUBJECT);
        }
        Edge::Mission => {
            check_subject(parent, child)?;
            mission::check(parent, child)?;
        }
        Edge::Aauth => {
            shown.strength = aauth::check(parent, child)?;
            shown.leave(Dimensions::SUBJECT);
        }
    }
    let rules = terms.edges.rules(edge);
    check_time(parent, child, edge, rules.exp, terms.leeway)?;
    match &rules.aud {
        AudRule::Any => shown.leave(Dimensions::AUDIENCE),
        // What was approved may be for nobody in particular.
        AudRule::Exchanger(_) if edge == Edge::Mission && !parent.is_aimed() => {
            shown.leave(Dimensions::AUDIENCE);
        }
        AudRule::Exchanger(served) => check_audience(parent, child, edge, served)?,
    }
    match scope::compare(child.claims, parent.claims, &rules.scope, terms.implies) {
        Compared::Within => {}
        Compared::Beyond => {
            return Err(Error::about(Code::AttenuationScope, Claim::Scope.name()));
        }
        Compared::Unproven => shown.leave(Dimensions::SCOPE),
    }
    let within = match edge {
        Edge::Exchange => details::within(child.claims, parent.claims, Types::Every),
        Edge::CrossDomain | Edge::AtToTxn | Edge::TxnReplace | Edge::Aauth => {
            details::within(child.claims, parent.claims, Types::Shared)
        }
        Edge::Mission => match mission::authority(parent) {
            Some(granted) => details::all_within(child.claims, granted),
            None => {
                shown.leave(Dimensions::DETAILS);
                true
            }
        },
    };
    if !within {
        let claim = Claim::AuthorizationDetails.name();
        return Err(Error::about(Code::AttenuationDetails, claim));
    }
    if rules.exp == ExpRule::Any && edge == Edge::Exchange {
        shown.leave(Dimensions::TIME);
    }
    Ok(shown)
}

/// Two tokens between whose kinds nothing leads from one to the other: that they are for one task
/// is all there is to see (30.6 step 3).
fn correlate(parent: &Member<'_>, child: &Member<'_>, terms: &Terms<'_>) -> Result<Shown, Error> {
    if !task::is_shared(parent, child, terms.intent) {
        return Err(broken());
    }
    check_validity(parent, child, terms.leeway)?;
    Ok(Shown {
        strength: Lineage::Correlated,
        unproven: Dimensions::ALL,
    })
}

impl Shown {
    /// Leaves dimensions to an issuer's word.
    const fn leave(&mut self, dimensions: Dimensions) {
        self.unproven = self.unproven.with(dimensions);
    }
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

/// A parent that says who may act is taken at its word (TX-09, MAY-01 to MAY-04); one that says
/// nothing leaves it to who may use it (MAY-05).
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

fn check_subject(parent: &Member<'_>, child: &Member<'_>) -> Result<(), Error> {
    if parent.subject() == child.subject() {
        Ok(())
    } else {
        Err(Error::about(Code::SubjectChanged, Claim::Sub.name()))
    }
}

/// What ties an access token to the grant it was given for: the client, the key, the resource
/// (IJ-10).
fn check_grant(grant: &Member<'_>, child: &Member<'_>) -> Result<(), Error> {
    let client = grant.claims.text(Claim::ClientId);
    let same_client = client.is_none_or(|own| child.claims.text(Claim::ClientId) == Some(own));
    let bound = grant.claims.value(Claim::Cnf);
    let same_key = bound.is_none_or(|own| {
        let key = child.claims.value(Claim::Cnf);
        key.is_some_and(|key| own.same_as(key))
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

/// The parent was valid when the child was issued (30.6 step 1).
fn check_validity(parent: &Member<'_>, child: &Member<'_>, leeway: Span) -> Result<(), Error> {
    let born = child.issued_at()?;
    let expired = |exp: NumericDate| born >= exp.plus(leeway);
    if parent.dates.expires_at.is_none_or(expired) {
        return Err(Error::about(Code::Expired, Claim::Exp.name()));
    }
    let early = |nbf: NumericDate| born < nbf.minus(leeway);
    if parent.dates.not_before.is_some_and(early) {
        return Err(Error::about(Code::NotYetValid, Claim::Nbf.name()));
    }
    Ok(())
}

/// The parent was valid then, came before the child (ATN-12), and ends no earlier. Leeway is for
/// clocks, so none is given where one issuer wrote both dates (ATN-11).
fn check_time(
    parent: &Member<'_>,
    child: &Member<'_>,
    edge: Edge,
    exp: ExpRule,
    leeway: Span,
) -> Result<(), Error> {
    check_validity(parent, child, leeway)?;
    let (born, before) = (child.issued_at()?, parent.issued_at()?);
    let first = match edge {
        Edge::Exchange => before,
        Edge::CrossDomain | Edge::AtToTxn | Edge::TxnReplace | Edge::Mission | Edge::Aauth => {
            before.minus(leeway)
        }
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
