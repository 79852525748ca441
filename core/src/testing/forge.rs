//! Good requests of a gate: what its policy asks for, read from the policy as it is compiled and
//! signed by the fakes. What is wrong with a request is made from one of these.

use serde_json::{Map, Value, json};

use super::claims::{self, Making, Name};
use super::draft::{Carrying, Draft, Presentation, Proof, Shape, Signer, Token};
use super::{FakeAgent, FakeIssuer, FakeOptions, NoRefusals, Route};
use crate::claims::Claim;
use crate::crypto::aws_lc;
use crate::encoding::base64url;
use crate::error::Code;
use crate::jwa::Algorithm;
use crate::policy::{
    ActMeaning, ActorPresence, AllowRule, AudienceRule, Carrier, ContextNeed, Delegation,
    GateIssuer, GateRules, IntentPointer, IssuerRules, Kind, Lineage, Once, Rules,
    SenderConstrained, SubPattern, TaskKind,
};
use crate::time::{Clock, Span};
use crate::verifier::{Gate, Setting};

/// How long its tokens live where no cap is shorter.
const LIFETIME: Span = Span::from_seconds(60);

/// What stands for a client certificate: the engine compares its hash, and reads no certificate.
pub(super) const CERTIFICATE: &[u8] = b"\x30\x03\x02\x01\x01";

pub(super) struct Forge<'f> {
    pub(super) gate: &'f Gate,
    pub(super) setting: &'f Setting,
    fakes: &'f [(String, FakeIssuer)],
    route: &'f Route,
    pub(super) holder: FakeAgent,
    /// Nothing that the gate takes could prove possession, and it asks for that.
    pub(super) closed: bool,
}

/// One issuer's good requests: where there are both, one without actors and one with.
pub(super) struct Good {
    pub(super) entry: GateIssuer,
    pub(super) plain: Option<Draft>,
    pub(super) delegated: Option<Draft>,
}

impl<'f> Forge<'f> {
    pub(super) fn new(
        gate: &'f Gate,
        setting: &'f Setting,
        fakes: &'f [(String, FakeIssuer)],
        route: &'f Route,
    ) -> Result<Self, NoRefusals> {
        let clock = Clock::fixed(setting.now.seconds());
        let algorithm = proof_algorithm(setting.policy.rules());
        let options = FakeOptions::new().clock(clock).algorithm(algorithm);
        let mut forge = Self {
            gate,
            setting,
            fakes,
            route,
            holder: FakeAgent::new("sealgate.testing", &options)?,
            closed: false,
        };
        forge.closed = forge.is_closed()?;
        Ok(forge)
    }

    pub(super) fn rules(&self) -> &'f Rules {
        self.setting.policy.rules()
    }

    pub(super) fn door(&self) -> Result<&'f GateRules, NoRefusals> {
        let gates = &self.rules().gates;
        gates.get(self.setting.gate).ok_or(NoRefusals::Removed)
    }

    fn is_closed(&self) -> Result<bool, NoRefusals> {
        let door = self.door()?;
        let needs = door.kind.row().required.contains(Claim::Cnf);
        let takes = door.takes_dpop || door.takes_mtls || door.takes_own_proof;
        Ok(door.sender_constrained != SenderConstrained::External && needs && !takes)
    }

    pub(super) fn issuer(&self, entry: GateIssuer) -> Result<&'f IssuerRules, NoRefusals> {
        let issuers = &self.rules().issuers;
        issuers.get(entry.position).ok_or(NoRefusals::Removed)
    }

    /// The fake of an issuer, where there is one.
    pub(super) fn fake(&self, entry: GateIssuer) -> Option<&'f FakeIssuer> {
        let issuer = self.issuer(entry).ok()?;
        let mut fakes = self.fakes.iter();
        let (_, fake) = fakes.find(|(name, _)| **name == *issuer.name)?;
        let known = issuer.issuers.iter().any(|iss| **iss == *fake.issuer());
        known.then_some(fake)
    }

    /// The good requests of the first issuer that has both kinds, or else of the first that has
    /// one.
    pub(super) fn good(&self) -> Result<Good, NoRefusals> {
        let mut found: Option<Good> = None;
        let mut refused = None;
        let mut tried_any = false;
        for entry in &self.door()?.issuers {
            let Some(fake) = self.fake(*entry) else {
                continue;
            };
            tried_any = true;
            let mut tried = |draft: Draft| match self.opens(&draft) {
                Ok(None) => Ok(Some(draft)),
                Ok(Some(code)) => {
                    refused = Some(code);
                    Ok(None)
                }
                Err(error) => Err(error),
            };
            let plain = self.plain(*entry, fake)?.map(&mut tried);
            let plain = plain.transpose()?.flatten();
            let mut delegated = None;
            for draft in self.delegated(*entry, fake)? {
                delegated = delegated.or(tried(draft)?);
            }
            let better = match &found {
                None => plain.is_some() || delegated.is_some(),
                Some(Good {
                    plain: Some(_),
                    delegated: Some(_),
                    ..
                }) => false,
                Some(_) => plain.is_some() && delegated.is_some(),
            };
            if better {
                found = Some(Good {
                    entry: *entry,
                    plain,
                    delegated,
                });
            }
        }
        match (found, refused) {
            (Some(good), _) => Ok(good),
            (None, Some(code)) => Err(NoRefusals::Unopened(code)),
            // Tokens of a kind that names no actors, where an actor must be named.
            (None, None) if tried_any => Err(NoRefusals::Unopened(Code::ActorMissing)),
            (None, None) => Err(NoRefusals::NoFake),
        }
    }

    /// Whether the gate takes it; if not, why. At a closed gate nothing is better than being
    /// refused for that.
    pub(super) fn opens(&self, draft: &Draft) -> Result<Option<Code>, NoRefusals> {
        let judged = draft.seal()?.judge(self.gate);
        let expected = self.closed.then_some(Code::PopRequired);
        Ok(judged
            .err()
            .map(|error| error.code())
            .filter(|code| Some(*code) != expected))
    }

    /// A request whose token names no actor, where that can be good.
    fn plain(&self, entry: GateIssuer, fake: &FakeIssuer) -> Result<Option<Draft>, NoRefusals> {
        let door = self.door()?;
        let rules = door.delegation.rules();
        if rules.is_some_and(|rules| rules.actor == ActorPresence::Required) {
            return Ok(None);
        }
        let mut draft = self.draft(entry, fake)?;
        if self.needs_context()? {
            draft.parent = self.parent(&mut draft.token, entry)?;
        }
        Ok(Some(draft))
    }

    /// Requests whose tokens name an actor, one for each rule that might let it act.
    fn delegated(&self, entry: GateIssuer, fake: &FakeIssuer) -> Result<Vec<Draft>, NoRefusals> {
        let door = self.door()?;
        if !takes_actors(entry) {
            return Ok(Vec::new());
        }
        let allowed: Vec<Option<&AllowRule>> = match &door.delegation {
            Delegation::Forbid => Vec::new(),
            Delegation::Surface => vec![None],
            Delegation::Enforce(rules) => rules.allow.iter().map(Some).collect(),
        };
        let mut drafts = Vec::new();
        for rule in allowed {
            let mut draft = self.draft(entry, fake)?;
            self.delegate(&mut draft, entry, rule)?;
            let min_lineage = door.delegation.min_lineage();
            if self.needs_context()? || min_lineage > Lineage::Asserted {
                draft.parent = self.parent(&mut draft.token, entry)?;
            }
            drafts.push(draft);
        }
        Ok(drafts)
    }

    /// Gives a request an actor that this rule lets act; any, where there is no rule.
    fn delegate(
        &self,
        draft: &mut Draft,
        entry: GateIssuer,
        rule: Option<&AllowRule>,
    ) -> Result<(), NoRefusals> {
        let issuer = self.issuer(entry)?;
        let iss = self.iss(entry, issuer);
        let sub = match rule.map(|rule| &rule.actor.sub) {
            None | Some(SubPattern::Any) => "agent".to_owned(),
            Some(SubPattern::OneOf(subs)) => {
                subs.first().map(|sub| sub.to_string()).unwrap_or_default()
            }
            Some(SubPattern::Below(prefix)) => format!("{prefix}agent"),
        };
        let of_actor = rule
            .and_then(|rule| rule.actor.iss.as_deref())
            .unwrap_or(&iss);
        let profile = rule.and_then(|rule| Some(&**rule.actor.sub_profile.first()?));
        let of_subject = rule.and_then(|rule| rule.subject.iss.first());
        let subject_profile = rule.and_then(|rule| Some(&**rule.subject.sub_profile.first()?));
        let token = &mut draft.token;
        // The token's own subject is who acts, where the issuer inverts `act`.
        let (own, link) = match issuer.act_meaning {
            ActMeaning::Inverted => {
                token.set(Claim::Sub, &*sub);
                let iss = of_subject.map_or(&*iss, |iss| iss);
                (profile, party(iss, "u1", subject_profile))
            }
            ActMeaning::Rfc8693 => (subject_profile, party(of_actor, &sub, profile)),
        };
        token.set(Claim::Act, link);
        if let Some(profile) = own {
            token.claims.insert(PROFILE.to_owned(), profile.into());
        }
        if let Some(audience) = rule.and_then(|rule| rule.audience.first()) {
            let name = Name::Audience.of(&issuer.claim_names, entry.profile);
            token.claims.insert(name.to_owned(), (&**audience).into());
        }
        let cap = self
            .door()?
            .delegation
            .rules()
            .and_then(|rules| rules.max_lifetime);
        if let Some(cap) = cap.filter(|cap| *cap < LIFETIME) {
            let end = self.setting.now.plus(cap);
            token.end_by(end.seconds());
        }
        if let Some((identity, _)) = &mut draft.caller {
            name_actor(identity, &draft.token, issuer);
        }
        Ok(())
    }

    fn needs_context(&self) -> Result<bool, NoRefusals> {
        let mut context = self.door()?.context.iter();
        Ok(context.any(|rules| rules.need == ContextNeed::Required))
    }

    /// A request with a token that says what the gate asks of every token.
    fn draft(&self, entry: GateIssuer, fake: &FakeIssuer) -> Result<Draft, NoRefusals> {
        let door = self.door()?;
        let mut token = self.token(door, entry, fake, door.audience.first().map(|aud| &**aud))?;
        let issuer = self.issuer(entry)?;
        if !door.required_scopes.is_empty() {
            let name = Name::Scope.of(&issuer.claim_names, entry.profile);
            token
                .claims
                .insert(name.to_owned(), door.required_scopes.join(" ").into());
        }
        if let Some(acr) = door.acr_values.first() {
            token.set(Claim::Acr, &**acr);
        }
        for name in &door.required_claims {
            token.claims.entry(&**name).or_insert_with(|| "x".into());
        }
        if let Some(pointer) = door
            .intent
            .pointers
            .first()
            .filter(|_| door.intent.required)
        {
            name_task(&mut token.claims, pointer, "task-1");
        }
        if matches!(door.once, Some(Once::Txn { .. })) {
            token.set(Claim::Txn, fake.jti());
        }
        let way = door.transactions.as_deref();
        if let Some(best) =
            way.and_then(|rules| rules.levels.last().filter(|_| rules.floor.is_some()))
        {
            set_assurance(&mut token, best);
        }
        let Route { method, uri } = self.route;
        let carrying = match door.kind.carrier() {
            Carrier::Authorization => Carrying::Bearer,
            Carrier::Field { token, proof } => Carrying::Field {
                token,
                proof,
                made: door.takes_own_proof.then(|| self.proof(door)),
            },
            Carrier::Content => Carrying::Content(Some(self.proof(door))),
            Carrier::Form => Carrying::Form(None),
            Carrier::None => Carrying::Elsewhere,
        };
        let caller = match &door.caller {
            Some(rules) if rules.need == ContextNeed::Required => self.caller()?,
            Some(_) | None => None,
        };
        let mut draft = Draft {
            method: method.clone(),
            uri: uri.clone(),
            token,
            presentation: Presentation::AsIs,
            carrying,
            holder: self.holder.clone(),
            certificate: None,
            parent: None,
            caller,
        };
        if door.sender_constrained == SenderConstrained::Required {
            self.bind(&mut draft)?;
        }
        Ok(draft)
    }

    /// Binds the token of a request to a key, and proves that its holder sent it, as the gate takes
    /// it.
    pub(super) fn bind(&self, draft: &mut Draft) -> Result<(), NoRefusals> {
        let door = self.door()?;
        if door.takes_dpop {
            draft
                .token
                .set(Claim::Cnf, json!({ "jkt": self.holder.jkt() }));
            let proof = Some(self.proof(door));
            draft.carrying = if door.kind.carrier() == Carrier::Form {
                Carrying::Form(proof)
            } else {
                Carrying::Dpop(proof)
            };
        } else if door.takes_mtls {
            let hash = (aws_lc::provider().sha256)(CERTIFICATE);
            draft
                .token
                .set(Claim::Cnf, json!({ "x5t#S256": base64url::encode(&hash) }));
            draft.certificate = Some(CERTIFICATE.to_vec());
        }
        Ok(())
    }

    /// The proof that goes with a request.
    pub(super) fn proof(&self, door: &GateRules) -> Proof {
        let base = door.public_url.as_deref().unwrap_or_default();
        // Some proofs are for the server, and not for one URL of it.
        let for_server = matches!(door.kind, Kind::ClientAttestation | Kind::Capability);
        let target = if for_server {
            base.to_owned()
        } else {
            url(base, &self.route.uri)
        };
        Proof {
            method: self.route.method.clone(),
            target,
            nonce: self
                .gate
                .grounds()
                .challenge()
                .and_then(|challenge| challenge.nonce),
            now: self.setting.now.seconds(),
        }
    }

    /// The same request, from a caller that says who it is: the actor, where it can.
    pub(super) fn with_caller(
        &self,
        mut draft: Draft,
        entry: GateIssuer,
    ) -> Result<Option<Draft>, NoRefusals> {
        if draft.caller.is_none() {
            let Some((mut identity, proof)) = self.caller()? else {
                return Ok(None);
            };
            name_actor(&mut identity, &draft.token, self.issuer(entry)?);
            draft.caller = Some((identity, proof));
        }
        Ok(Some(draft))
    }

    /// The identity of a caller and its proof, where some fake issues it.
    pub(super) fn caller(&self) -> Result<Option<(Token, Option<Proof>)>, NoRefusals> {
        let door = self.door()?;
        let Some(rules) = &door.caller else {
            return Ok(None);
        };
        for entry in &rules.door.issuers {
            if let Some(fake) = self.fake(*entry) {
                let identity = self.token(&rules.door, *entry, fake, None)?;
                return Ok(Some((identity, Some(self.proof(door)))));
            }
        }
        Ok(None)
    }

    /// A good token for a door, by itself.
    pub(super) fn token(
        &self,
        door: &GateRules,
        entry: GateIssuer,
        fake: &FakeIssuer,
        audience: Option<&str>,
    ) -> Result<Token, NoRefusals> {
        let rules = self.issuer(entry)?;
        let lifetime = entry.max_lifetime.map_or(LIFETIME, |cap| cap.min(LIFETIME));
        let names_nobody = door.kind.row().audience == AudienceRule::Never;
        let making = Making {
            profile: entry.profile,
            rules,
            iss: fake.issuer(),
            audience: audience.filter(|_| !names_nobody),
            now: self.setting.now,
            lifetime,
            jti: fake.jti(),
            holder: &self.holder,
        };
        let mut header = fake.header();
        if let Some(typ) = claims::typ(door, entry.profile) {
            header.insert("typ".to_owned(), typ.into());
        }
        Ok(Token {
            kind: door.kind,
            signer: Signer::Issuer(fake.clone()),
            header,
            claims: claims::good(&making),
            shape: Shape::Signed,
        })
    }

    /// What the engine calls the issuer of a token.
    pub(super) fn iss(&self, entry: GateIssuer, rules: &IssuerRules) -> String {
        let own = self.fake(entry).map(|fake| fake.issuer());
        let own = own.or_else(|| rules.issuers.first().map(|iss| &**iss));
        own.unwrap_or_default().to_owned()
    }
}

/// What identity drafts call the kind of a party.
const PROFILE: &str = "sub_profile";

/// A link of `act`.
fn party(iss: &str, sub: &str, profile: Option<&str>) -> Map<String, Value> {
    let named = [("iss", Some(iss)), ("sub", Some(sub)), (PROFILE, profile)];
    let given = named
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    given.collect()
}

/// Gives an identity the name of a token's actor, if that is one of its trust domain.
fn name_actor(identity: &mut Token, token: &Token, issuer: &IssuerRules) {
    let actor = match issuer.act_meaning {
        ActMeaning::Inverted => token.claims.get(Claim::Sub.name()),
        ActMeaning::Rfc8693 => token
            .claims
            .get(Claim::Act.name())
            .and_then(|act| act.get("sub")),
    };
    let own = identity
        .claims
        .get(Claim::Sub.name())
        .and_then(Value::as_str);
    let domain = own
        .and_then(|own| own.strip_suffix("/agent"))
        .unwrap_or_default();
    let actor = actor.and_then(Value::as_str);
    let actor = actor.filter(|sub| {
        sub.strip_prefix(domain)
            .is_some_and(|path| path.starts_with('/'))
    });
    if let Some(sub) = actor {
        identity.set(Claim::Sub, sub);
    }
}

/// Whether a token of this row may name actors.
pub(super) fn takes_actors(entry: GateIssuer) -> bool {
    !entry.profile.row().forbidden.contains(Claim::Act)
}

/// An algorithm that proofs may be signed with, and whose keys come of a seed where there is one.
fn proof_algorithm(rules: &Rules) -> Algorithm {
    let usable = aws_lc::provider().algorithms;
    let dpop = rules.possession.dpop.as_ref();
    let taken = dpop.map_or(usable, |dpop| dpop.algorithms);
    let fits = |algorithm: &Algorithm| taken.contains(*algorithm) && usable.contains(*algorithm);
    let preferred = [Algorithm::Es256, Algorithm::Ed25519]
        .into_iter()
        .chain(Algorithm::all());
    preferred
        .filter(|algorithm| !algorithm.is_symmetric())
        .find(fits)
        .unwrap_or(Algorithm::Es256)
}

/// The URL that a request is for.
pub(super) fn url(public_url: &str, uri: &str) -> String {
    let rest = public_url.find("://").map_or(0, |at| at.saturating_add(3));
    let host = public_url.get(rest..).and_then(|rest| rest.find('/'));
    let end = host.map_or(public_url.len(), |at| rest.saturating_add(at));
    format!("{}{uri}", public_url.get(..end).unwrap_or_default())
}

/// What a transaction token says of the least trusted workload on its way.
pub(super) fn set_assurance(token: &mut Token, level: &str) {
    let context = json!({ "chain_metadata": { "min_assurance_level": level } });
    token.claims.insert("agentic_ctx".to_owned(), context);
}

/// Names a task where a pointer points, with who approved it where that belongs beside it
/// (INTN-01).
pub(super) fn name_task(claims: &mut Map<String, Value>, pointer: &IntentPointer, id: &str) {
    let Some((name, holder)) = pointer.path.split_last() else {
        return;
    };
    place(claims, holder, name, id);
    if **name == *"id" && pointer.kind != TaskKind::Workflow {
        place(claims, holder, "issuer", "https://approver.invalid");
    }
}

/// Sets a member of the object that this path leads to.
fn place(members: &mut Map<String, Value>, path: &[Box<str>], name: &str, value: &str) {
    let Some((first, rest)) = path.split_first() else {
        members.insert(name.to_owned(), value.into());
        return;
    };
    let inner = members.entry(&**first).or_insert_with(|| json!({}));
    if let Value::Object(inner) = inner {
        place(inner, rest, name, value);
    }
}

/// Takes the member away that a JSON pointer names.
pub(super) fn displace(members: &mut Map<String, Value>, path: &[Box<str>]) {
    match path {
        [last] => drop(members.remove(&**last)),
        [first, rest @ ..] => {
            if let Some(Value::Object(inner)) = members.get_mut(&**first) {
                displace(inner, rest);
            }
        }
        [] => {}
    }
}

impl From<crate::jwk::KeyError> for NoRefusals {
    fn from(error: crate::jwk::KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<crate::error::Error> for NoRefusals {
    fn from(_: crate::error::Error) -> Self {
        Self::Removed
    }
}
