//! [`Advice`]: what to do about a refusal, in the policy's words. It shows our half of a mismatch,
//! never a claim value.

mod delegation;
mod outage;
mod possession;
mod token;

use super::Requirements;
use super::introspect::NO_ROOM;
use super::seen::Seen;
use super::state::{State, World};
use crate::claims::Claim;
use crate::error::{Code, Error};
use crate::policy::{Carrier, GateRules, IssuerRules, Kind, Once, Row, Rules, SignerRule, TypRule};
use crate::time::NumericDate;

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
    /// Our side of the mismatch in words, to follow the text of the error: `expected a or b` where
    /// one of these would do, `expected a and b` where all are needed. `None` where nothing is
    /// `expected`.
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
            Code::Replayed if matches!(self.gate.once, Some(Once::Txn { .. })) && about == Some("jti") => format!("Something was done for this transaction here already. If its calls may come more than once, write gates.{gate}.transactions.use = \"any\"."),
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

    /// The issuer's table in the document.
    fn table(&self) -> String {
        let name = self.issuer.map_or("…", |issuer| &issuer.name);
        format!("issuers.{name}")
    }

    /// Whether the token at hand has a member of this name.
    fn sees(&self, name: &str) -> bool {
        self.call.seen.is_some_and(|seen| seen.has(name))
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
