//! [`Advice`]: what to do about a refusal, in the policy's words. It shows our half of a mismatch,
//! never a claim value.

use super::Requirements;
use super::introspect::NO_ROOM;
use super::seen::Seen;
use super::state::{State, World};
use crate::binding::Scheme;
use crate::claims::Claim;
use crate::error::{self, Code, Error};
use crate::policy::{
    Carrier, Delegation, GateRules, IntentPointer, IssuerRules, KeySource, Kind, Lineage, Once,
    Profile, Row, Rules, SignerRule, TypRule,
};
use crate::time::{NumericDate, Span};

/// What we expected, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// The gate's name.
    pub gate: String,
    /// The policy's name for the token's issuer, when it was known.
    pub issuer_name: Option<String>,
    /// Our side of the mismatch: audiences, issuers, scopes, algorithms.
    pub expected: Vec<String>,
    /// What to do, for whoever reads the log.
    pub hint: String,
    /// What stands between two of `expected`.
    joint: &'static str,
}

impl Advice {
    /// Our side of the mismatch in words, to follow the text of the error: `expected a or b` where one
    /// of these would do, `expected a and b` where all are needed. `None` where nothing is `expected`.
    #[must_use]
    pub fn expectation(&self) -> Option<String> {
        let expected = (!self.expected.is_empty()).then(|| self.expected.join(self.joint));
        expected.map(|expected| format!("expected {expected}"))
    }
}

/// One of what is expected would do.
const ANY: &str = " or ";
/// All of it is needed.
const ALL: &str = " and ";

/// The call that an error came from.
pub(super) struct Call<'c> {
    pub(super) requirements: &'c Requirements,
    /// The token, where it is at hand: hints then go by which of its members are there, and never
    /// by their values.
    pub(super) seen: Option<&'c Seen<'c>>,
    pub(super) now: NumericDate,
}

pub(super) fn advice(state: &State, door: u32, error: &Error, call: &Call<'_>) -> Advice {
    match state.door(door) {
        Ok(door) => advice_at(state, door.gate, error, call),
        Err(_) => no_gate(),
    }
}

/// About a gate that the policy does not have.
pub(super) fn no_gate() -> Advice {
    Advice {
        gate: String::new(),
        issuer_name: None,
        expected: Vec::new(),
        hint: "The policy no longer has this gate; see `Verifier::gates`.".to_owned(),
        joint: ANY,
    }
}

/// Advice about an error at this door, which may be one for further tokens.
pub(super) fn advice_at(state: &State, gate: &GateRules, error: &Error, call: &Call<'_>) -> Advice {
    advice_under(&state.world, state, gate, error, call)
}

/// The same about an error that was judged under `world`; `live` is how keys stand now.
pub(super) fn advice_under(
    world: &World,
    live: &State,
    gate: &GateRules,
    error: &Error,
    call: &Call<'_>,
) -> Advice {
    let rules = world.rules();
    let position = world.blamed(error);
    let issuer = position.and_then(|position| rules.issuers.get(position));
    let row = position.and_then(|position| {
        let entry = gate
            .issuers
            .iter()
            .find(|entry| entry.position == position)?;
        Some(entry.profile.row())
    });
    let context = Context {
        rules,
        gate,
        issuer,
        row,
        live,
        place: live.world.blamed(error),
        call,
    };
    Advice {
        gate: gate.name.to_string(),
        issuer_name: issuer.map(|issuer| issuer.name.to_string()),
        expected: context.expected(error.code(), error.claim()),
        hint: context.hint(error),
        joint: if error.code() == Code::InsufficientScope {
            ALL
        } else {
            ANY
        },
    }
}

struct Context<'s> {
    rules: &'s Rules,
    gate: &'s GateRules,
    issuer: Option<&'s IssuerRules>,
    row: Option<&'static Row>,
    /// How keys and stores stand now.
    live: &'s State,
    /// Of the issuer's keys among these.
    place: Option<usize>,
    call: &'s Call<'s>,
}

impl Context<'_> {
    fn name(&self) -> &str {
        self.issuer.map_or("the issuer", |issuer| &issuer.name)
    }

    fn issuers(&self) -> Vec<String> {
        let positions = self.gate.issuers.iter().filter_map(|entry| {
            Some(
                self.rules
                    .issuers
                    .get(entry.position)?
                    .issuers
                    .iter()
                    .map(|iss| iss.to_string()),
            )
        });
        positions.flatten().collect()
    }

    /// Of the issuer, or of all of the gate's while it is not known whose token it is.
    fn algorithms(&self) -> Vec<String> {
        let positions = self.gate.issuers.iter().map(|entry| entry.position);
        let all = positions.filter_map(|position| self.rules.issuers.get(position));
        let own = all.filter(|issuer| self.issuer.is_none_or(|own| own.name == issuer.name));
        let mut names: Vec<String> = Vec::new();
        for algorithm in own.flat_map(|issuer| issuer.algorithms.iter()) {
            let name = algorithm.name().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn typ(&self) -> Vec<String> {
        let rows = self.gate.issuers.iter().map(|entry| entry.profile.row());
        let rows = rows.filter(|row| self.row.is_none_or(|own| own.profile == row.profile));
        let mut names: Vec<String> = rows
            .map(|row| match (&self.gate.typ, row.typ) {
                (Some(typ), _) => typ.to_string(),
                (None, TypRule::Required(typ) | TypRule::Preferred(typ)) => typ.to_owned(),
                (None, TypRule::Untyped(names)) => names.join(" or ").to_uppercase(),
                (None, TypRule::Named) => String::new(), // the loader asks the gate for it
            })
            .collect();
        names.dedup();
        names
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most codes have nothing to compare with"
    )]
    fn expected(&self, code: Code, about: Option<&str>) -> Vec<String> {
        let copy = |texts: &[Box<str>]| texts.iter().map(|text| text.to_string()).collect();
        match code {
            Code::AudMismatch => copy(&self.gate.audience),
            Code::IssUntrusted => self.issuers(),
            Code::AlgNotAllowed => self.algorithms(),
            Code::TypMismatch => self.typ(),
            Code::MalformedRequest if about == Some("uri") => self
                .gate
                .public_url
                .iter()
                .map(|url| url.to_string())
                .collect(),
            Code::InsufficientScope => scopes(self.gate, self.call.requirements),
            Code::InsufficientUserAuthentication => {
                let mut values: Vec<String> = copy(&self.gate.acr_values);
                values.extend(copy(&self.call.requirements.acr_values));
                values
            }
            _ => Vec::new(),
        }
    }

    /// What to do, following user-experience 3.6.
    fn hint(&self, error: &Error) -> String {
        let (code, about) = (error.code(), error.claim());
        let gate = &self.gate.name;
        let name = self.name();
        match code {
            Code::MalformedToken => self.malformed(about),
            Code::Oversized => "Ask the issuer for a smaller token, or raise it under [limits].".into(),
            Code::NestingTooDeep => "No honest token is nested so deep; look at who sends it.".into(),
            Code::DuplicateMember => "Two parsers could read two different tokens; the issuer must write each member once.".into(),
            Code::UnsupportedSerialization => "Send header.payload.signature, the compact form (RFC 7515 §7.1).".into(),
            Code::UnsupportedCrit => "The issuer demands an extension (RFC 7515 §4.1.11) that sealgate does not know.".into(),
            Code::EncryptedNotSupported => "Ask the issuer for a signed, unencrypted token.".into(),
            Code::AlgNotAllowed => self.algorithm(),
            Code::AlgKeyMismatch => format!("The key of {name} with this id is for another algorithm: an attack, or a mislabelled key set."),
            Code::KeyNotFound => format!("{}Withdrawn key, or a token of another environment (staging?).", self.freshness()),
            Code::KeyUseMismatch | Code::WeakKey => "See why with `sealgate jwks lint`.".into(),
            Code::BadSignature => "Altered, cut or forged; or two environments share an issuer and a kid. Never retry the same token.".into(),
            Code::TypMismatch => self.kind_of_token(),
            Code::WrongTokenKind | Code::ForbiddenClaim => match about {
                Some(about) => format!("{about} belongs to another kind of token than gate {gate} takes."),
                None => format!("Its claims belong to another kind of token than gate {gate} takes."),
            },
            Code::MissingClaim => self.missing(about),
            Code::ClaimType => match about {
                Some(about) => format!("The issuer writes {about} in a form its definition does not allow."),
                None => "The issuer writes a claim in a form its definition does not allow.".into(),
            },
            Code::IssUntrusted if self.gate.signer == SignerRule::TrustDomain => format!(
                "It takes workloads of {}. The trust domain of sub must be one of these; a new one is a new [issuers.…] table, listed in the gate.",
                self.issuers().join(" ")
            ),
            Code::IssUntrusted => format!(
                "It takes {}. iss must match to the last slash; a new issuer is a new [issuers.…] table, listed in the gate.",
                self.issuers().join(" ")
            ),
            Code::AudMismatch => self.audience(),
            Code::Expired => "Get a new one. If it was minted seconds ago, compare clocks.".into(),
            Code::NotYetValid | Code::IssuedInFuture => "Compare the issuer's clock with this machine's.".into(),
            Code::TooOld => "Get a fresh token; the gate limits age by max_age, or the kind of token does.".into(),
            Code::LifetimeTooLong => self.lifetime(),
            Code::PopRequired => self.possession(about),
            Code::NoToken => match self.gate.kind.carrier() {
                Carrier::Field { token, proof: Some(proof) } => {
                    format!("Send the token in the field {}, a proof in {}.", token.name(), proof.name())
                }
                Carrier::Field { token, proof: None } => {
                    format!("Send the token in the field {}.", token.name())
                }
                Carrier::Content => {
                    "Send the capability and its proof in the content, as aat_chain and aat_pop; the program passes both on.".into()
                }
                Carrier::Form => {
                    "Send the grant in the content, as assertion; the program passes it on (Request::form).".into()
                }
                Carrier::Authorization | Carrier::None => {
                    "Send Authorization: Bearer … or DPoP ….".into()
                }
            },
            Code::MultipleCredentials => "Send one Authorization field with one token.".into(),
            Code::TokenInQuery => "A URL is logged everywhere: send the token in Authorization, and replace this one.".into(),
            Code::MalformedRequest if about == Some("uri") => {
                format!("The uri is path and query as they were sent, or a URL under gates.{gate}.public_url. The program passes on another, or the request was sent to another server.")
            }
            Code::MalformedRequest => "Send Authorization: Bearer or DPoP, one space and the token (RFC 6750 §2.1).".into(),
            Code::PopMismatch if matches!(about, Some("nonce" | "at_hash" | "c_hash")) => "The token is of another sign-in than this one: somebody's answer was put in its place. Begin the sign-in again.".into(),
            Code::PopMismatch if matches!(about, Some("client_id" | "sub")) => "The token was issued to another client than the one that sends it: clients do not use one another's.".into(),
            Code::PopMismatch if about == Some(Claim::Cnf.name()) && self.is_bearers() => "The token is bound to no key (it has no cnf): send it as Authorization: Bearer, or ask the issuer for one that is bound (RFC 9449 §5).".into(),
            Code::PopMismatch => "Each token is used with the key it was asked for with, and under its scheme: DPoP for cnf.jkt, Bearer for a certificate.".into(),
            Code::PopInvalid => self.proof(about),
            Code::NonceRequired if self.gate.kind == Kind::ClientAttestation => "Make a new proof with the challenge of OAuth-Client-Attestation-Challenge; clients do so by themselves.".into(),
            Code::NonceRequired => "Make a new proof with the nonce of DPoP-Nonce; clients do so by themselves (RFC 9449 §9).".into(),
            Code::Replayed if matches!(self.gate.once, Some(Once::Txn)) && about == Some("jti") => format!("Something was done for this transaction here already. If its calls may come more than once, write gates.{gate}.transactions.use = \"any\"."),
            Code::Replayed if self.gate.once.is_some() && about == Some("jti") => "A grant or an assertion is good once: clients get a new one for every request, retries too.".into(),
            Code::Replayed => "A proof is used once: clients make a new one for every request, retries too. Two tiers that check the same proof need two values of replay.namespace.".into(),
            Code::ReplayUnavailable => self.silent_proofs(),
            Code::ReplayFull => "More proofs came than one process remembers: share the load, or lower dpop.max_age.".into(),
            Code::ActorMalformed => "Each act needs a sub, and iss where the policy says act_iss = \"require\" (RFC 8693 §4.1).".into(),
            Code::ActorMissing => format!("{}.actor is \"required\": the token must name an agent in act. client_id, azp and may_act name none.", self.delegation()),
            Code::ChainTooDeep | Code::ChainLoop | Code::ChainLinkBroken if about == Some("agentic_ctx") => format!("What agentic_ctx says of the way here does not fit gates.{gate}.transactions (workload, max_hops), or itself. Ask the transaction token service."),
            Code::ChainTooDeep => self.depth(),
            Code::ChainLoop => "Agents that delegate to one another in a circle; look at who starts it.".into(),
            Code::ChainIncomplete => format!("The issuer says that it does not name all actors (chain_complete), and {}.require_complete is true.", self.delegation()),
            Code::ChainLinkBroken if matches!(about, Some("actor_proofs" | "prh" | "origin_jti")) => {
                "Each actor signs its own proof, for this token, linked to the one before; the issuer copies them as they are.".into()
            }
            Code::ChainLinkBroken => self.link(),
            Code::SubjectChanged => "Tokens of one chain are about one subject; this one was put together from two.".into(),
            Code::AttenuationScope => format!("A token may only have scopes of the one before it. If the issuer gives it others on purpose, say so under [{}.edges].", self.delegation()),
            Code::AttenuationDetails => "Each entry of authorization_details must lie within one entry of the token before it, of the same type.".into(),
            Code::AttenuationTime => format!("A token comes after the one before it and ends no later; see exp under [{}.edges].", self.delegation()),
            Code::AttenuationAudience => format!("The aud of a further token names whoever used it: by its sub or client_id, or by aud = {{ map = … }} under [{}.edges].", self.delegation()),
            Code::IntentMismatch => self.intent(),
            Code::TxnMismatch => "Tokens of one request belong to one transaction; this one was put together from two.".into(),
            Code::MayActMismatch => "The token before this one says in may_act who may act, and that is somebody else.".into(),
            Code::ActorNotAllowed => self.actor(),
            Code::ActorPresenterMismatch => format!("The token names another agent than the workload that calls: a stolen or a forwarded token. If callers pass tokens on for agents, write {}.presenter = \"any\". Nothing of this goes on the wire.", self.delegation()),
            Code::Revoked => self.revoked(),
            Code::Inactive => "Get a new one: it has ended, was revoked, or is of another server. Which, the answer does not say (RFC 7662 §2.2).".into(),
            Code::InsufficientScope if about == Some(Claim::AuthorizationDetails.name()) => format!("{name} grants the token less of authorization_details by now than the token says. Get a new one."),
            Code::InsufficientScope => self.scope(),
            Code::OperationDenied => self.operation(about),
            Code::PostureMismatch => format!("The transaction token service saw a workload on the way below gates.{gate}.transactions.min_assurance, or names no level in agentic_ctx."),
            Code::TokenPassthrough => "Exchange the token for one of your own (RFC 8693); whoever gets this one can use it here.".into(),
            Code::InsufficientUserAuthentication => match self.expected(code, about).as_slice() {
                [] => "Send the user to sign in again.".into(),
                values => format!("Send the user to sign in again, with acr {}.", values.join(" or ")),
            },
            Code::KeysUnavailable => format!("{} Not the caller's fault; they may retry.", self.outage(name)),
            Code::KeysRefreshing => self.refreshing(),
            Code::RevocationUnavailable | Code::RevocationStale => self.no_news(),
            Code::Suspended => "Its issuer has suspended the token, and may take that back: the same token may pass later.".into(),
            Code::StatusUnavailable | Code::StatusStale => self.status(name),
            Code::IntrospectionPending if about == Some(NO_ROOM) => format!("So many tokens wait to be asked about at {name} that this one does not. Not the caller's fault; they may retry."),
            Code::IntrospectionPending => format!("{name} is being asked about the token; its answer is known in a moment. Not the caller's fault; they may retry."),
            Code::IntrospectionUnavailable => self.unasked(name, about),
            Code::Usage => self.misuse(error),
            Code::Internal => "Please report it with the version and, if you may, the policy.".into(),
        }
    }

    /// What the calling program got wrong.
    fn misuse(&self, error: &Error) -> String {
        let gate = &self.gate.name;
        match error.claim() {
            Some("context") => format!(
                "Gate {gate} takes no such token beside another: name its kind in gates.{gate}.context."
            ),
            Some("gate") => {
                format!("Tokens of gate {gate} do not come with requests: call verify.")
            }
            Some("content") => format!(
                "Leave content out, or give it whole: a capability's token and proof, or a grant's \
                 token alone. Tokens of gate {gate} come otherwise."
            ),
            _ => error
                .misuse()
                .unwrap_or("The calling program passes something wrong; see the documentation of the call.")
                .to_owned(),
        }
    }

    /// The gate's delegation table in the document.
    fn delegation(&self) -> String {
        let name = self.gate.delegation.rules().map(|rules| &*rules.name);
        format!("delegation.{}", name.unwrap_or("…"))
    }

    fn depth(&self) -> String {
        let most = self.gate.delegation.max_depth();
        match &self.gate.delegation {
            Delegation::Enforce(_) => {
                format!("At most {most} actors ({}.max_depth).", self.delegation())
            }
            Delegation::Forbid | Delegation::Surface => format!("At most {most} actors."),
        }
    }

    fn link(&self) -> String {
        let least = self.gate.delegation.min_lineage();
        if least > Lineage::Asserted {
            return format!(
                "{}.min_lineage is \"{}\": send the tokens that this one comes from along, and none \
                 besides.",
                self.delegation(),
                least.as_str()
            );
        }
        "Send along exactly the tokens that this one comes from, each with its whole history."
            .into()
    }

    fn actor(&self) -> String {
        let gate = &self.gate.name;
        match &self.gate.delegation {
            Delegation::Forbid => format!(
                "gates.{gate}.delegation is \"forbid\". Write \"surface\" to see chains. Nothing of \
                 this goes on the wire."
            ),
            Delegation::Surface => "Nothing of this goes on the wire.".into(),
            Delegation::Enforce(rules) => format!(
                "Only the outermost actor counts. Add a [[delegation.{}.allow]] rule, or delegation \
                 = \"surface\" to see chains first; a [[…deny]] rule refuses any actor of the chain. \
                 Nothing of this goes on the wire.",
                rules.name
            ),
        }
    }

    fn lifetime(&self) -> String {
        let (name, table) = (self.name(), self.table());
        let rules = self.gate.delegation.rules();
        let delegated = rules.filter(|rules| rules.max_lifetime.is_some() && self.sees("act"));
        let other = delegated.map_or_else(String::new, |rules| {
            format!(
                ", and delegation.{}.max_lifetime, since it has act,",
                rules.name
            )
        });
        format!(
            "Ask {name} for shorter tokens, or raise {table}.max_lifetime{other} as far as the kind \
             of token allows."
        )
    }

    /// The issuer's table in the document.
    fn table(&self) -> String {
        let name = self.issuer.map_or("…", |issuer| &issuer.name);
        format!("issuers.{name}")
    }

    /// Whether the token at hand has a member of this name.
    fn sees(&self, name: &str) -> bool {
        self.call.seen.is_some_and(|seen| seen.has(name))
    }

    /// Whether the token came under `DPoP`, and says of no key that it is its own.
    fn is_bearers(&self) -> bool {
        let Some(seen) = self.call.seen.filter(|seen| seen.claims.is_some()) else {
            return false;
        };
        let shown = seen.shown.as_ref();
        shown.is_some_and(|shown| shown.scheme == Scheme::Dpop) && !seen.has(Claim::Cnf.name())
    }

    /// Where to look for who revoked it.
    fn revoked(&self) -> String {
        let whose = match self.rules.revocation.shared() {
            Some(_) => "Who revoked what, and why: `sealgate revocations list --match`",
            None => "This process alone remembers who revoked what, as its program has told it",
        };
        format!("{whose}; a new token of the same chain will be refused too.")
    }

    fn malformed(&self, about: Option<&str>) -> String {
        match about {
            Some(error::HEADER | error::PAYLOAD) => {
                return "Whoever made the token wrote no JSON object there as RFC 8259 has it: look at it \
                        with `sealgate explain`."
                    .into();
            }
            Some(error::ACTIVE) => {
                return format!(
                    "The introspection endpoint of {} must answer active: true or false (RFC 7662 \
                     §2.2); look at what it answers.",
                    self.name()
                );
            }
            Some(about) => {
                return format!(
                    "Whoever made the token writes {about} in a form its definition does not allow."
                );
            }
            None => {}
        }
        match self.call.seen.map(|seen| seen.token) {
            Some(token) if token.starts_with(b"Bearer ") => {
                "Pass only what follows \"Bearer \".".into()
            }
            Some(_) => {
                "Look at how the token comes here: it was cut, changed, or is no JWT.".into()
            }
            None => "If it begins with \"Bearer \", pass only what follows.".into(),
        }
    }

    fn algorithm(&self) -> String {
        let allowed = self.algorithms().join(" ");
        let named = self
            .call
            .seen
            .and_then(|seen| seen.parameter("alg")?.as_str());
        if named.is_some_and(|alg| alg.eq_ignore_ascii_case("none")) {
            return format!(
                "Allowed: {allowed}. There is no switch for none: such a token is signed by nobody."
            );
        }
        format!(
            "Allowed: {allowed}. Add one only if the issuer's metadata announces it; there is no \
             switch for none."
        )
    }

    fn kind_of_token(&self) -> String {
        let (gate, name, table) = (&self.gate.name, self.name(), self.table());
        let expected = format!("Expected typ {}.", self.typ().join(" or "));
        match self.gate.kind {
            Kind::JwtCustom | Kind::IntentToken => {
                format!("{expected} gates.{gate}.typ says which.")
            }
            Kind::AccessToken => {
                let typed = self
                    .row
                    .is_none_or(|row| row.profile == Profile::AccessToken);
                let typ = self.call.seen.map(|seen| seen.parameter("typ"));
                let own = typ.flatten().and_then(|typ| typ.as_str());
                if own.is_some_and(is_of_nobody) {
                    return format!(
                        "{expected} This typ is one of {name}'s own: take such tokens at a gate of \
                         profile = \"jwt_custom\" that names it as its typ."
                    );
                }
                if typed {
                    format!(
                        "{expected} If {name} sends its access tokens as JWT, say so: \
                         {table}.profiles = [\"access_token_untyped\"]. If it is an ID token, send \
                         the access token."
                    )
                } else {
                    format!(
                        "{expected} If {name} sends its access tokens as at+jwt, say so: \
                         {table}.profiles = [\"access_token\"]."
                    )
                }
            }
            Kind::IdToken
            | Kind::LogoutToken
            | Kind::ClientAssertion
            | Kind::JwtBearerGrant
            | Kind::JwtSvid
            | Kind::IdJag
            | Kind::ClientAttestation
            | Kind::TxnToken
            | Kind::Wit
            | Kind::Capability
            | Kind::ActorProof
            | Kind::Set
            | Kind::StatusListToken
            | Kind::IntrospectionResponse
            | Kind::AgentCard => {
                format!(
                    "{expected} Gate {gate} takes {} alone.",
                    self.gate.kind.as_str()
                )
            }
        }
    }

    fn missing(&self, about: Option<&str>) -> String {
        let table = self.table();
        let alias = match about {
            Some("aud") if self.gate.kind == Kind::AccessToken && self.sees("client_id") => {
                Some("aud = \"client_id\"")
            }
            Some("client_id") if self.sees("azp") => Some("client_id = \"azp\""),
            _ => None,
        };
        let about = about.unwrap_or("what required_claims lists");
        match alias {
            Some(alias) => format!(
                "The issuer must put {about} in; if it writes it elsewhere, say so: \
                 [{table}.claim_names] {alias}."
            ),
            None if matches!(about, "scope" | "client_id" | "aud") => format!(
                "The issuer must put {about} in; for names of its own see [{table}.claim_names]."
            ),
            None => format!("The issuer must put {about} in."),
        }
    }

    fn audience(&self) -> String {
        if self.gate.audience.is_empty() {
            return format!(
                "Gate {} has no audience, and so takes tokens that are for nobody in particular. \
                 If this one is for you, write its aud as gates.{}.audience.",
                self.gate.name, self.gate.name
            );
        }
        format!(
            "Gate {} expects {}. Ask the issuer for it with resource= (RFC 8707) or audience=; \
             compare slashes with `sealgate explain`.",
            self.gate.name,
            self.gate.audience.join(" or ")
        )
    }

    fn scope(&self) -> String {
        let needed = scopes(self.gate, self.call.requirements).join(" ");
        if self.sees("scp") && !self.sees("scope") && self.reads_scope() {
            return format!(
                "Needed: {needed}. The token has scp and no scope: if that is where the issuer puts \
                 it, say so: [{}.claim_names] scope = \"scp\".",
                self.table()
            );
        }
        if needed.is_empty() {
            return "Step up with exactly what the call needs.".into();
        }
        format!("Needed: {needed}. Step up with exactly these.")
    }

    /// What would prove possession and is not there, by what the error is about.
    fn possession(&self, about: Option<&str>) -> String {
        let (gate, rules) = (&self.gate.name, self.gate);
        let elsewhere = "say sender_constrained = \"external\" where somebody else checks it";
        match about {
            Some("dpop") if rules.takes_dpop => "The token is bound to a key (cnf.jkt). Client: \
                Authorization: DPoP and a DPoP proof. Server: call verify_request, not verify; \
                behind Envoy HTTP ext_authz list dpop in allowed_headers."
                .into(),
            Some("dpop") => format!(
                "The token is bound to a key (cnf.jkt), and no proof by one can be checked here: add \
                 [dpop] to the policy, or {elsewhere}."
            ),
            Some("x5t#S256") if rules.takes_mtls => "The token is bound to a client certificate \
                (RFC 8705 §3). Client: connect with it. Server: call verify_request with the \
                client certificate of the connection."
                .into(),
            Some("x5t#S256") => format!(
                "The token is bound to a client certificate (RFC 8705 §3), and none can be checked \
                 here: add [mtls] to the policy, or {elsewhere}."
            ),
            Some("proof") if rules.takes_own_proof => self.own_proof(),
            Some("proof") => format!(
                "No proof can be checked here: add public_url to gates.{gate}, or {elsewhere}."
            ),
            Some("jkt") => {
                "The token is bound in a way that cannot be proven here: cnf has a member \
                other than jkt, jwk and x5t#S256, or none at all."
                    .into()
            }
            _ => format!(
                "Gate {gate} takes only tokens that are bound to a key by cnf: ask the issuer for one \
                 (RFC 9449 §5, RFC 8705 §3)."
            ),
        }
    }

    fn own_proof(&self) -> String {
        match self.gate.kind.carrier() {
            Carrier::Field {
                token,
                proof: Some(proof),
            } => format!(
                "Client: the token in the field {}, a proof in {}. Server: call verify_request, not \
                 verify.",
                token.name(),
                proof.name()
            ),
            Carrier::Field { proof: None, .. } => {
                "Nothing proves possession of such a token here; \
                 say sender_constrained = \"external\" where somebody else checks it."
                    .into()
            }
            Carrier::Content => "Client: a proof for every call (aat_pop). Server: call \
                verify_request with the capability, its proof and the operation, not verify."
                .into(),
            Carrier::Authorization | Carrier::Form | Carrier::None => {
                "Server: call verify_request.".into()
            }
        }
    }

    /// What makes proofs that are well meant fail.
    fn proof(&self, about: Option<&str>) -> String {
        match about {
            Some("htu" | "aud") => format!(
                "The URL that the client calls must lie under gates.{}.public_url: {}.",
                self.gate.name,
                self.gate.public_url.as_deref().unwrap_or("none")
            ),
            Some("iat") if self.gate.kind.carrier() == Carrier::Content => {
                "Compare the client's clock with this machine's; a proof of a capability lives for \
                 30 s."
                    .into()
            }
            Some("iat") => {
                "Compare the client's clock with this machine's; a proof lives for dpop.max_age."
                    .into()
            }
            Some("aat_aud") => format!(
                "The proof is for another server; this one is gates.{}.public_url: {}.",
                self.gate.name,
                self.gate.public_url.as_deref().unwrap_or("none")
            ),
            Some("aat_tool" | "hta") => "The proof was made for another call: the tool and its \
                 arguments are the very ones that will be used."
                .into(),
            Some("aat_id" | "aat_hash") => "The proof was made for another capability.".into(),
            Some("ath" | "wth" | "tth") => "The proof was made for another token.".into(),
            Some("htm") => "The proof was made for another method.".into(),
            Some("alg") if self.gate.takes_dpop => format!(
                "Proofs are signed with {}.",
                self.rules
                    .possession
                    .dpop
                    .as_ref()
                    .map_or_else(String::new, |dpop| {
                        let names: Vec<_> = dpop.algorithms.iter().map(|a| a.name()).collect();
                        names.join(" ")
                    })
            ),
            Some("alg") => "The proof is signed with the algorithm of the key in cnf.".into(),
            Some("dpop") => "Send exactly one DPoP field with one proof.".into(),
            _ if self.gate.takes_dpop => {
                "Make a new proof for this request (RFC 9449 §4.2).".into()
            }
            _ => "Make a new proof for this request.".into(),
        }
    }

    /// Whether `scope` is read from where it belongs.
    fn reads_scope(&self) -> bool {
        let seen = self.call.seen;
        seen.is_some_and(|seen| seen.name_of(Claim::Scope) == Claim::Scope.name())
    }

    /// What bounds the operation that was not permitted.
    fn operation(&self, about: Option<&str>) -> String {
        match about {
            Some("act") => format!(
                "The agent's rule holds for other tools: see tool in {}.allow.",
                self.delegation()
            ),
            Some("authorization_details") => "One entry of authorization_details must permit all of \
                 the operation, and say nothing that an operation cannot tell of (RFC 9396 §2.2). A \
                 client asks for another grant."
                .into(),
            _ => "It lies outside the bounds of what was approved: ask for approval of this one."
                .into(),
        }
    }

    fn intent(&self) -> String {
        let gate = &self.gate.name;
        let paths = self
            .gate
            .intent
            .pointers
            .iter()
            .map(IntentPointer::to_string);
        let paths: Vec<String> = paths.collect();
        format!(
            "All tokens of a request that name a mission, an intent or a workflow name the same; \
             gate {gate} looks for it at {} (gates.{gate}.intent_pointers).",
            paths.join(" ")
        )
    }

    /// How fresh the issuer's keys are, for a key that is not among them.
    fn freshness(&self) -> String {
        let Some(place) = self.place else {
            return String::new();
        };
        let generation = self.live.keys.generation(place);
        let report = self.live.keys.watch(place).map(|watch| watch.report());
        match report.and_then(|report| report.fetched_at) {
            Some(fetched) => {
                let age = self.call.now.relative(fetched);
                format!("Keys are fresh (fetched {age}, generation {generation}). ")
            }
            None => format!("Keys are of generation {generation}. "),
        }
    }

    fn outage(&self, name: &str) -> String {
        match self.issuer.map(|issuer| &issuer.keys) {
            Some(KeySource::Fetched(_)) => {
                format!(
                    "The keys of {name} could not be fetched.{}",
                    self.last_error()
                )
            }
            Some(KeySource::Static(_) | KeySource::Push) | None => {
                format!("No keys were published for {name} yet.")
            }
        }
    }

    /// Who remembers used proofs, and why there was no answer.
    fn silent_proofs(&self) -> String {
        let fleet = self.live.replay.fleet.as_ref();
        let told = fleet.and_then(|fleet| Some((&fleet.store.name, fleet.trouble()?)));
        let who = match told {
            Some((name, why)) => format!("The store {name} of used proofs did not answer ({why})"),
            None => "The store of used proofs did not answer".to_owned(),
        };
        // A question on its way when the answer failed may have used the proof up.
        format!(
            "{who}. Not the caller's fault; they may retry, with a new proof (or token, where each is good once)."
        )
    }

    /// Why nothing is heard of the store that processes share.
    fn no_news(&self) -> String {
        let held = self.live.revocations.sharing();
        let Some(sharing) = held.get() else {
            return "The policy names no store any more; ask again.".to_owned();
        };
        let report = sharing.news.report();
        let why = match &report.reading {
            Some(reason) => format!("it cannot be read: {reason}"),
            None => "nobody has read it for too long, or not yet".to_owned(),
        };
        let name = &sharing.shared.store.name;
        format!(
            "The store {name} of the policy has no news: {why}. Not the caller's fault; they may retry."
        )
    }

    /// Why the list is not here that the token refers to.
    fn status(&self, name: &str) -> String {
        let Some(status) = &self.rules.revocation.status else {
            return "The token refers to a status list, and nobody may fetch it. Write [revocation.status_lists], and add status_list_token to its issuer's profiles.".to_owned();
        };
        if status.door(name).is_none() {
            return format!(
                "The token refers to a status list. Add status_list_token to issuers.{name}.profiles, whose keys must sign it."
            );
        }
        let why = match self.live.status.last_error(name) {
            Some(error) => format!("It could not be fetched: {error}."),
            None => "It is being fetched, or it refers to another kind of status.".to_owned(),
        };
        format!("{why} Not the caller's fault; they may retry.")
    }

    fn unasked(&self, name: &str, about: Option<&str>) -> String {
        let rest = "Not the caller's fault; they may retry.";
        if let Some(claim) = about {
            return format!(
                "What {name} answers about the token and what the token says differ in {claim}. {rest}"
            );
        }
        match self
            .place
            .and_then(|place| self.live.answers.of(place)?.last_error())
        {
            Some(error) => format!("{name} could not be asked about the token: {error}. {rest}"),
            None => format!("{name} could not be asked about the token. {rest}"),
        }
    }

    fn refreshing(&self) -> String {
        let watch = self.place.and_then(|place| self.live.keys.watch(place));
        let pause = watch.and_then(|watch| watch.pause(self.call.now));
        let pause = pause.unwrap_or(Span::ZERO);
        let (name, rest) = (self.name(), "Not the caller's fault; they may retry.");
        let what = match pause {
            Span::ZERO => format!(
                "A fetch of {name}'s keys is allowed or running; the answer is known in a moment."
            ),
            pause => format!(
                "The next fetch of {name}'s keys may begin in {}; whether it has this key is known \
                 after it.",
                pause.in_words()
            ),
        };
        format!("{what} {rest}{}", self.last_error())
    }

    /// What an operator has to know of the network, and no caller.
    fn last_error(&self) -> String {
        let watch = self.place.and_then(|place| self.live.keys.watch(place));
        let error = watch.and_then(|watch| watch.report().last_error.clone());
        error.map_or_else(String::new, |error| format!(" Last fetch: {error}."))
    }
}

/// Every scope a call needs: its own, and its gate's.
pub(super) fn scopes(gate: &GateRules, requirements: &Requirements) -> Vec<String> {
    let mut needed: Vec<String> = Vec::new();
    for scope in gate.required_scopes.iter().chain(&requirements.scopes) {
        if !needed.iter().any(|known| **known == **scope) {
            needed.push(scope.to_string());
        }
    }
    needed
}

/// Whether a `typ` is none that a kind of token has.
fn is_of_nobody(typ: &str) -> bool {
    let of = |typ: &str, name: &str| crate::jws::header::typ_is(typ, name);
    let of_a_kind = Profile::ALL.iter().any(|profile| match profile.row().typ {
        TypRule::Required(name) => of(typ, name),
        TypRule::Preferred(name) => of(typ, name) || of(typ, "jwt"),
        TypRule::Untyped(names) => names.iter().any(|name| of(typ, name)),
        TypRule::Named => false,
    });
    !of_a_kind
}
