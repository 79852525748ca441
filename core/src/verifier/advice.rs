//! [`Advice`]: what to do about a refusal, in the policy's words. It shows our half of a mismatch,
//! never a claim value.

use super::state::State;
use crate::error::{Code, Error};
use crate::policy::{GateRules, IssuerRules, KeySource, Row, Rules, TypRule};
use crate::time::NumericDate;

/// What we expected, and what to do.
#[derive(Clone, Debug)]
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
}

pub(super) fn advice(state: &State, door: u32, error: &Error, now: NumericDate) -> Advice {
    let rules = state.world.rules();
    let Ok(gate) = state.door(door).map(|door| door.gate) else {
        let hint = "The policy no longer has this gate; see `Verifier::gates`.".to_owned();
        return Advice {
            gate: String::new(),
            issuer_name: None,
            expected: Vec::new(),
            hint,
        };
    };
    let position = state.world.blamed(error);
    let issuer = position.and_then(|position| rules.issuers.get(position));
    let row = position.and_then(|position| {
        let entry = gate
            .issuers
            .iter()
            .find(|entry| entry.position == position)?;
        Some(entry.profile.row())
    });
    let context = Context {
        state,
        rules,
        gate,
        position,
        issuer,
        row,
        now,
    };
    Advice {
        gate: gate.name.to_string(),
        issuer_name: issuer.map(|issuer| issuer.name.to_string()),
        expected: context.expected(error.code()),
        hint: context.hint(error.code(), error.claim()),
    }
}

struct Context<'s> {
    state: &'s State,
    rules: &'s Rules,
    gate: &'s GateRules,
    position: Option<usize>,
    issuer: Option<&'s IssuerRules>,
    row: Option<&'static Row>,
    now: NumericDate,
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

    fn algorithms(&self) -> Vec<String> {
        let named = self.issuer.map(|issuer| issuer.algorithms.iter());
        named
            .into_iter()
            .flatten()
            .map(|algorithm| algorithm.name().to_owned())
            .collect()
    }

    fn typ(&self) -> Vec<String> {
        let rows = self.gate.issuers.iter().map(|entry| entry.profile.row());
        let rows = rows.filter(|row| self.row.is_none_or(|own| own.profile == row.profile));
        let mut names: Vec<String> = rows
            .map(|row| match (&self.gate.typ, row.typ) {
                (Some(typ), _) => typ.to_string(),
                (None, TypRule::Required(typ) | TypRule::Preferred(typ)) => typ.to_owned(),
                (None, TypRule::Untyped(names)) => names.join(" or ").to_uppercase(),
            })
            .collect();
        names.dedup();
        names
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most codes have nothing to compare with"
    )]
    fn expected(&self, code: Code) -> Vec<String> {
        let copy = |texts: &[Box<str>]| texts.iter().map(|text| text.to_string()).collect();
        match code {
            Code::AudMismatch => copy(&self.gate.audience),
            Code::IssUntrusted => self.issuers(),
            Code::AlgNotAllowed => self.algorithms(),
            Code::TypMismatch => self.typ(),
            Code::InsufficientScope => copy(&self.gate.required_scopes),
            Code::InsufficientUserAuthentication => copy(&self.gate.acr_values),
            _ => Vec::new(),
        }
    }

    /// What to do, following user-experience 3.6.
    fn hint(&self, code: Code, about: Option<&str>) -> String {
        let gate = &self.gate.name;
        let name = self.name();
        let about = about.unwrap_or("the claims");
        match code {
            Code::MalformedToken => "If it begins with \"Bearer \", pass only what follows.".into(),
            Code::Oversized => "Ask the issuer for a smaller token, or raise it under [limits].".into(),
            Code::NestingTooDeep => "No honest token is nested so deep; look at who sends it.".into(),
            Code::DuplicateMember => "Two parsers could read two different tokens; the issuer must write each member once.".into(),
            Code::UnsupportedSerialization => "Send header.payload.signature, the compact form (RFC 7515 §7.1).".into(),
            Code::UnsupportedCrit => "The issuer demands an extension (RFC 7515 §4.1.11) that sealgate does not know.".into(),
            Code::EncryptedNotSupported => "Ask the issuer for a signed, unencrypted token.".into(),
            Code::AlgNotAllowed => format!("Allowed: {}. Add one only if the issuer's metadata announces it.", self.algorithms().join(" ")),
            Code::AlgKeyMismatch => format!("The key of {name} with this id is for another algorithm: an attack, or a mislabelled key set."),
            Code::KeyNotFound => format!("{}Withdrawn key, or a token of another environment (staging?).", self.freshness()),
            Code::KeyUseMismatch | Code::WeakKey => "See why with `sealgate jwks lint`.".into(),
            Code::BadSignature => "Altered, cut or forged; or two environments share an issuer and a kid. Never retry the same token.".into(),
            Code::TypMismatch => format!(
                "Expected typ {}. If {name} sends its access tokens as JWT, say so: profiles = [\"access_token_untyped\"]. If it is an ID token, send the access token.",
                self.typ().join(" or ")
            ),
            Code::WrongTokenKind | Code::ForbiddenClaim => format!("{about} belongs to another kind of token than gate {gate} takes."),
            Code::MissingClaim => format!("The issuer must put {about} in; for names of its own see [issuers.{name}.claim_names]."),
            Code::ClaimType => format!("The issuer writes {about} in a form its definition does not allow."),
            Code::IssUntrusted => format!(
                "It takes {}. iss must match to the last slash; a new issuer is a new [issuers.…] table, listed in the gate.",
                self.issuers().join(" ")
            ),
            Code::AudMismatch => format!(
                "Gate {gate} expects {}. Ask the issuer for it with resource= (RFC 8707) or audience=; compare slashes with `sealgate explain`.",
                self.gate.audience.join(" or ")
            ),
            Code::Expired => "Get a new one. If it was minted seconds ago, compare clocks.".into(),
            Code::NotYetValid | Code::IssuedInFuture => "Compare the issuer's clock with this machine's.".into(),
            Code::TooOld => "Get a fresh token; the gate limits age by max_age, or the kind of token does.".into(),
            Code::LifetimeTooLong => format!("Ask {name} for shorter tokens, or raise issuers.{name}.max_lifetime."),
            Code::PopRequired => "Client: send a proof. Server: possession cannot be checked in this version; sender_constrained = \"external\" says that somebody else does.".into(),
            Code::ActorMalformed => "Each act needs a sub, and iss where the policy says act_iss = \"require\" (RFC 8693 §4.1).".into(),
            Code::ChainTooDeep => format!("At most {} actors.", crate::limits::ACTOR_DEPTH),
            Code::ChainLoop => "Agents that delegate to one another in a circle; look at who starts it.".into(),
            Code::ActorNotAllowed => "Set delegation = \"surface\" on the gate to see chains. Nothing of this goes on the wire.".into(),
            Code::InsufficientScope => format!("The gate needs {}. Step up with exactly these and what the call needs.", self.gate.required_scopes.join(" ")),
            Code::InsufficientUserAuthentication => "Send the user to sign in again.".into(),
            Code::KeysUnavailable => format!("{} Not the caller's fault; they may retry.", self.outage(name)),
            Code::KeysRefreshing => format!("A fetch of {name}'s keys is allowed or running; the answer is known in a moment. Not the caller's fault; they may retry.{}", self.last_error()),
            Code::StatusUnavailable => "The token refers to a status list, which cannot be resolved in this version.".into(),
            Code::Usage => "The calling program passes something wrong; see the documentation of the call.".into(),
            Code::Internal => "Please report it with the version and, if you may, the policy.".into(),
        }
    }

    /// How fresh the issuer's keys are, for a key that is not among them.
    fn freshness(&self) -> String {
        let Some(position) = self.position else {
            return String::new();
        };
        let generation = self.state.keys.generation(position);
        let report = self.state.keys.watch(position).map(|watch| watch.report());
        match report.and_then(|report| report.fetched_at) {
            Some(fetched) => {
                let age = self.now.since(fetched).seconds();
                format!("Keys are fresh (fetched {age} s ago, generation {generation}). ")
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

    /// What an operator has to know of the network, and no caller.
    fn last_error(&self) -> String {
        let watch = self
            .position
            .and_then(|position| self.state.keys.watch(position));
        let error = watch.and_then(|watch| watch.report().last_error.clone());
        error.map_or_else(String::new, |error| format!(" Last fetch: {error}."))
    }
}
