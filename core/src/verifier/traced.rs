//! [`Traced`]: a verdict with the stages that it went through, for machines. Whoever does not ask for
//! it pays nothing: the pipeline is generic over what follows it.

use serde_json::{Map, Value, json};

use super::ancestry::ContextToken;
use super::sitting::Sitting;
use super::trail::{Outcome, Stage, Trail};
use super::{Request, Requirements, Verdict, VerifiedToken};
use crate::error::Error;

/// A verdict, and every stage that led to it, in order. Unlike an
/// [`Explanation`](crate::Explanation) it has no claim value of a token's in it, and it is the
/// verdict: a proof is used up by it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Traced {
    /// The verdict.
    pub verdict: Verdict,
    /// Every stage, in order.
    pub stages: Vec<Mark>,
}

/// A stage, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// Which stage.
    pub stage: Stage,
    /// How it ended.
    pub outcome: Outcome,
}

impl Traced {
    /// The same as JSON, for logs and other programs: `verdict` (`accepted`, `refused`,
    /// `undecided`); of a refusal `code`, `blame` and the `claim` it is about; of a token `gate`,
    /// `issuer_name`, `profile`, `actors` (how many), `lineage`, `unproven` and
    /// `sender_constrained`; and `stages`, each with its `stage`, `rules` and `outcome`. There is
    /// no claim value in it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = Map::new();
        let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
        match &self.verdict {
            Verdict::Accepted(token) => {
                let unproven: Vec<&str> = token.unproven().map(|one| one.as_str()).collect();
                set("verdict", "accepted".into());
                set("gate", token.gate().into());
                set("issuer_name", token.issuer_name().into());
                set("profile", token.profile().as_str().into());
                set("actors", token.chain().count().into());
                set("lineage", token.lineage().as_str().into());
                set("unproven", unproven.into());
                let shown = token.sender_constrained().map(|how| how.as_str());
                set("sender_constrained", shown.into());
            }
            Verdict::Refused(error) | Verdict::Undecided(error) => {
                let refused = matches!(self.verdict, Verdict::Refused(_));
                let verdict = if refused { "refused" } else { "undecided" };
                set("verdict", verdict.into());
                set("code", error.code().as_str().into());
                set("blame", error.blame().as_str().into());
                set("claim", error.claim().into());
            }
        }
        let stages = self.stages.iter().map(|mark| {
            json!({ "stage": mark.stage.name(), "rules": mark.stage.rules(),
                    "outcome": mark.outcome.as_str() })
        });
        set("stages", stages.collect());
        Value::Object(members).to_string()
    }
}

/// Which stages passed, and which was entered last.
#[derive(Default)]
struct Marks {
    of_request: bool,
    entered: Option<Stage>,
    passed: Vec<Stage>,
}

impl Trail for Marks {
    fn enter(&mut self, stage: Stage) {
        self.entered = Some(stage);
    }

    fn passed(&mut self, stage: Stage, _: impl FnOnce() -> String) {
        self.passed.push(stage);
    }
}

impl Marks {
    fn complete(self, outcome: Result<VerifiedToken, Error>) -> Traced {
        let refused = outcome.is_err();
        let stages = Stage::all_of(self.of_request, self.entered).map(|stage| Mark {
            stage,
            outcome: if self.passed.contains(&stage) {
                Outcome::Passed
            } else if refused && self.entered == Some(stage) {
                Outcome::Refused
            } else {
                Outcome::NotReached
            },
        });
        Traced {
            stages: stages.collect(),
            verdict: outcome.into(),
        }
    }
}

pub(super) fn trace(
    sitting: &Sitting<'_>,
    token: &[u8],
    context: &[ContextToken<'_>],
    requirements: &Requirements,
) -> Traced {
    let mut marks = Marks::default();
    let outcome = sitting.call(requirements).and_then(|call| {
        let judged = call.token(token, context, requirements, &mut marks)?;
        call.settle(judged, &mut marks, |judged| call.commit(judged))
    });
    marks.complete(outcome)
}

pub(super) fn trace_request(
    sitting: &Sitting<'_>,
    request: &Request<'_>,
    requirements: &Requirements,
) -> Traced {
    let mut marks = Marks {
        of_request: true,
        entered: Some(Stage::Request),
        ..Marks::default()
    };
    let outcome = sitting.call(requirements).and_then(|call| {
        let arrived = call.request(request, requirements, &mut marks)?;
        arrived.settle(&mut marks, |judged| call.commit(judged))
    });
    marks.complete(outcome)
}
