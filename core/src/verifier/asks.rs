//! Questions to issuers about their tokens (RFC 7662): which are to be asked, and what is made of
//! an answer. Asking itself is not in this layer.

use std::sync::Arc;

use super::Engine;
use super::introspect::{asked, terms};
use super::pipeline::{self, Case};
use super::requirements::NO_REQUIREMENTS;
use super::state::{Lookup, State};
use crate::claims::{Claim, date};
use crate::encoding::json::{Json, Value};
use crate::error::Error;
use crate::introspection::{self, Answers, Due, Failure, Told, Whose};
use crate::limits::INTROSPECTION_ANSWER_SIZE;
use crate::observe::Event;
use crate::policy::{AnswerForm, Endpoint, IntrospectionRules};
use crate::time::NumericDate;

/// A question, whom to ask, and as whom.
pub(crate) struct AskFetch {
    pub(crate) question: Question,
    pub(crate) rules: Arc<IntrospectionRules>,
    /// Where, if metadata has told it before.
    pub(crate) endpoint: Option<Box<str>>,
}

/// A question, and where its answer belongs.
pub(crate) struct Question {
    /// The policy's name for the issuer.
    issuer: Box<str>,
    /// Those of a policy that has been replaced by one that asks otherwise are looked into by
    /// nobody.
    answers: Arc<Answers>,
    pub(crate) due: Due,
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

    /// The questions to ask now. So many places are free that all issuers share; see
    /// [`turns`](introspection::turns) for those beyond.
    pub(crate) fn begin_asks(&self, free: usize) -> Vec<AskFetch> {
        let state = self.state.load_full();
        let asked: Vec<_> = asked(&state).collect();
        let loads = asked.iter().map(|(.., answers)| answers.load()).collect();
        let turns = introspection::turns(loads, free).into_iter();
        let begin = |turn: usize| {
            let (_, issuer, rules, answers) = *asked.get(turn)?;
            Some(AskFetch {
                question: Question {
                    issuer: issuer.name.clone(),
                    answers: Arc::clone(answers),
                    due: answers.begin()?,
                },
                rules: Arc::clone(rules),
                endpoint: match &rules.endpoint {
                    Endpoint::Url(url) => Some(url.clone()),
                    Endpoint::Discovered(..) => answers.endpoint(),
                },
            })
        };
        turns.filter_map(begin).collect()
    }

    /// Questions that were under way when whoever asks ended are asked again.
    pub(crate) fn begin_asks_anew(&self) {
        for (.., answers) in asked(&self.state.load()) {
            answers.begin_anew();
        }
    }

    /// Takes in an answer, or why there is none. One to a question of a policy before, where that
    /// asked otherwise, is none any more.
    pub(crate) fn settle_ask(&self, question: &Question, brought: Result<Asked, Failure>) {
        let (state, now) = (self.state.load_full(), self.clock.now());
        let Question {
            issuer,
            answers,
            due,
        } = question;
        let mut asked = asked(&state);
        let Some((position, _, rules, _)) = asked.find(|(.., own)| Arc::ptr_eq(own, answers))
        else {
            return;
        };
        let Some(terms) = terms(rules, state.keys.generation(position)) else {
            return;
        };
        let told = brought.and_then(|asked| {
            if let Endpoint::Discovered(..) = &rules.endpoint {
                answers.learn(&asked.endpoint);
            }
            let told = self.read(&state, rules, asked, now);
            told.map_err(|text| Failure {
                whose: Whose::Tokens,
                text,
            })
        });
        let failed = told.as_ref().err().map(|failure| failure.text.clone());
        answers.settle(due, told, terms);
        self.observers.tell(&match &failed {
            Some(reason) => Event::IntrospectionFailed {
                issuer_name: issuer,
                reason,
            },
            None => Event::Introspected {
                issuer_name: issuer,
            },
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
        rules: &IntrospectionRules,
        asked: Asked,
        now: NumericDate,
    ) -> Result<(Told, Option<NumericDate>), String> {
        if asked.body.len() > INTROSPECTION_ANSWER_SIZE {
            return Err("its answer is larger than 128 KiB".to_owned());
        }
        let form = rules
            .answers()
            .ok_or("nobody knows in what form it answers")?;
        match (form, asked.is_jwt) {
            (AnswerForm::Plain, false) => self.read_members(state, asked.body),
            (AnswerForm::Signed(gate), true) => {
                let issuers = Lookup::new(state.world.rules(), &gate.issuers);
                let refused = |error: Error| format!("its answer was refused: {error}");
                let limits = &state.world.rules().limits;
                let door = state.side_door(gate, &issuers, limits).map_err(refused)?;
                let case = Case::bare(&door, &self.provider, now, &NO_REQUIREMENTS);
                let judged = pipeline::verify(door, asked.body.trim_ascii(), &case, &mut ());
                let judged = judged.and_then(|judged| pipeline::rehearse(&door, judged, now));
                let answer = judged.map_err(refused)?;
                let told = answer.claim(Claim::TokenIntrospection.name());
                let told = told.ok_or("its answer says nothing of the token")?;
                self.read_members(state, told.as_bytes().to_vec())
            }
            (AnswerForm::Plain, true) => Err(
                "it answers with a JWT, and introspection_response is not in its \
                                 profiles"
                    .to_owned(),
            ),
            // INT-06
            (AnswerForm::Signed(_), false) => Err(
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
