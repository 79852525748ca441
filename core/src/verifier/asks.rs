//! Questions to issuers about their tokens (RFC 7662): which are to be asked, and what is made of an
//! answer. Asking itself is not in this layer.

use std::sync::Arc;

use super::Engine;
use super::pipeline::{self, Case};
use super::requirements::NO_REQUIREMENTS;
use super::state::{Lookup, State};
use crate::claims::{Claim, date};
use crate::encoding::json::{Json, Value};
use crate::error::{Code, Error};
use crate::introspection::{Due, Told};
use crate::limits::INTROSPECTION_ANSWER_SIZE;
use crate::observe::Event;
use crate::policy::{Endpoint, IntrospectionRules};
use crate::time::{NumericDate, Span};

/// A question, whom to ask, and as whom.
pub(crate) struct AskFetch {
    pub(crate) due: Due,
    pub(crate) rules: Arc<IntrospectionRules>,
    /// Where, if metadata has told it before.
    pub(crate) endpoint: Option<Box<str>>,
}

/// An answer as it came.
pub(crate) struct Asked {
    /// Where it came from.
    pub(crate) endpoint: String,
    pub(crate) body: Vec<u8>,
    /// Whether its `Content-Type` says that it is a JWT (RFC 9701 §5).
    pub(crate) is_jwt: bool,
}

impl Engine {
    /// Whether issuers are asked about tokens.
    pub(super) fn asks(&self) -> bool {
        let state = self.state.load();
        let mut issuers = state.world.rules().issuers.iter();
        issuers.any(|issuer| issuer.introspection.is_some())
    }

    /// The questions to ask now, at most `most` of them.
    pub(crate) fn begin_asks(&self, most: usize) -> Vec<AskFetch> {
        let (state, now) = (self.state.load_full(), self.clock.now());
        state
            .answers
            .retain(|issuer| rules(&state, issuer).is_some());
        let due = state.answers.begin(now, most).into_iter();
        let fetch = |due: Due| {
            let rules = rules(&state, &due.issuer)?;
            let endpoint = match &rules.endpoint {
                Endpoint::Url(url) => Some(url.clone()),
                Endpoint::Discovered(_, iss) => state.answers.endpoint(&due.issuer, iss),
            };
            Some(AskFetch {
                due,
                rules,
                endpoint,
            })
        };
        due.filter_map(fetch).collect()
    }

    /// Takes in an answer, or why there is none.
    pub(crate) fn settle_ask(&self, due: &Due, brought: Result<Asked, String>) {
        let (state, now) = (self.state.load_full(), self.clock.now());
        let max_age = rules(&state, &due.issuer).map_or(Span::ZERO, |rules| rules.max_age);
        let told = brought.and_then(|asked| self.read(&state, due, asked, now));
        let failed = told.as_ref().err().cloned();
        state.answers.settle(due, told, max_age, now);
        let issuer_name = &due.issuer;
        self.observers.tell(&match &failed {
            Some(reason) => Event::IntrospectionFailed {
                issuer_name,
                reason,
            },
            None => Event::Introspected { issuer_name },
        });
    }

    /// Nobody asks from now on.
    pub(crate) fn leave_asks(&self) {
        self.state.load().answers.close();
    }

    /// What the answer says, and until when at most.
    fn read(
        &self,
        state: &State,
        due: &Due,
        asked: Asked,
        now: NumericDate,
    ) -> Result<(Told, Option<NumericDate>), String> {
        let rules = rules(state, &due.issuer).ok_or("the policy asks this issuer no more")?;
        if let Endpoint::Discovered(_, iss) = &rules.endpoint {
            state.answers.learn(&due.issuer, iss, &asked.endpoint);
        }
        if asked.body.len() > INTROSPECTION_ANSWER_SIZE {
            return Err("its answer is larger than 128 KiB".to_owned());
        }
        match (&rules.signed_by, asked.is_jwt) {
            (None, false) => self.read_members(state, asked.body),
            (Some(gate), true) => {
                let issuers = Lookup::new(state.world.rules(), &gate.issuers);
                let refused = |error: Error| format!("its answer was refused: {error}");
                let limits = &state.world.rules().limits;
                let door = state.side_door(gate, &issuers, limits).map_err(refused)?;
                let case = Case::bare(&door, &self.provider, now, &NO_REQUIREMENTS);
                let judged = pipeline::verify(door, asked.body.trim_ascii(), &case, &mut ());
                match judged.and_then(|judged| pipeline::rehearse(&door, judged, now)) {
                    Ok(token) => {
                        let told = token.claim(Claim::TokenIntrospection.name());
                        let told = told.ok_or("its answer says nothing of the token")?;
                        self.read_members(state, told.as_bytes().to_vec())
                    }
                    Err(error) if error.code() == Code::Inactive => Ok((Told::Inactive, None)),
                    Err(error) => Err(refused(error)),
                }
            }
            (None, true) => Err(
                "it answers with a JWT, and introspection_response is not in its \
                                 profiles"
                    .to_owned(),
            ),
            // INT-06
            (Some(_), false) => Err(
                "it answers without a signature, and introspection_response is \
                                     in its profiles"
                    .to_owned(),
            ),
        }
    }

    /// RFC 7662 §2.2.
    fn read_members(
        &self,
        state: &State,
        body: Vec<u8>,
    ) -> Result<(Told, Option<NumericDate>), String> {
        let json = Json::parse(body, state.world.rules().limits.into());
        let json = json.map_err(|_| "its answer is not JSON, or not strictly")?;
        let root = json.root();
        if root.as_object().is_none() {
            return Err("its answer is no JSON object".to_owned());
        }
        Ok(match root.get("active").and_then(Value::as_bool) {
            None => (Told::Malformed, None), // INT-01
            Some(false) => (Told::Inactive, None),
            Some(true) => {
                let text = json.source().as_bytes().into();
                (Told::Active(text), root.get("exp").and_then(date))
            }
        })
    }
}

fn rules(state: &State, issuer: &str) -> Option<Arc<IntrospectionRules>> {
    let mut issuers = state.world.rules().issuers.iter();
    let found = issuers.find(|found| *found.name == *issuer)?;
    found.introspection.clone()
}
