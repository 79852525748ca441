//! The trail of a verification, for `explain`: which stages passed, and what they saw.
//!
//! The pipeline is generic over it, and `()` is the trail that costs nothing.

/// The stages of a verification, in the order they are passed (standards 29.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// The fields of a request. Of a token alone there is no such stage.
    Request,
    /// Bytes of the token.
    Size,
    /// Segments and base64url.
    Shape,
    /// The protected header.
    Header,
    /// The `typ` parameter.
    Typ,
    /// The `alg` parameter.
    Alg,
    /// The issuer and its key.
    IssuerAndKey,
    /// The signature.
    Signature,
    /// Required and forbidden claims, and their types.
    Claims,
    /// `exp`, `nbf`, `iat`.
    Time,
    /// `aud`.
    Audience,
    /// Proof of possession.
    Possession,
    /// The delegation chain.
    Chain,
    /// The tokens that this one comes from.
    Links,
    /// The tasks that this token and those name.
    Intent,
    /// Revocation and status.
    Revocation,
    /// Scopes and strength of the sign-in.
    Policy,
    /// What the authorization server says of the token (RFC 7662), where it is asked. Of a token
    /// that is no JWT by its form it stands for the stages from `header` to `signature`.
    Introspection,
    /// Whether a request's proof was used before. Of a token alone there is no such stage.
    Replay,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: &'static [Self] = &[
        Self::Request,
        Self::Size,
        Self::Shape,
        Self::Header,
        Self::Typ,
        Self::Alg,
        Self::IssuerAndKey,
        Self::Signature,
        Self::Claims,
        Self::Time,
        Self::Audience,
        Self::Possession,
        Self::Chain,
        Self::Links,
        Self::Intent,
        Self::Revocation,
        Self::Policy,
        Self::Introspection,
        Self::Replay,
    ];

    /// Those of a token alone, or of a request, of which the stage `entered` was the last. A token
    /// that is good once enters the last there is even alone.
    pub(super) fn all_of(of_request: bool, entered: Option<Self>) -> impl Iterator<Item = Self> {
        let stages = Self::ALL.iter().copied();
        let once = entered == Some(Self::Replay);
        let alone = move |stage: Self| stage != Self::Request && (once || stage != Self::Replay);
        stages.filter(move |stage| of_request || alone(*stage))
    }

    /// The stable spelling, the same in every language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IssuerAndKey => "issuer_and_key",
            Self::Request
            | Self::Size
            | Self::Shape
            | Self::Header
            | Self::Typ
            | Self::Alg
            | Self::Signature
            | Self::Claims
            | Self::Time
            | Self::Audience
            | Self::Possession
            | Self::Chain
            | Self::Links
            | Self::Intent
            | Self::Revocation
            | Self::Policy
            | Self::Introspection
            | Self::Replay => self.as_str(),
        }
    }

    /// A short name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Size => "size",
            Self::Shape => "shape",
            Self::Header => "header",
            Self::Typ => "typ",
            Self::Alg => "alg",
            Self::IssuerAndKey => "issuer, key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Time => "time",
            Self::Audience => "audience",
            Self::Possession => "possession",
            Self::Chain => "chain",
            Self::Links => "links",
            Self::Intent => "intent",
            Self::Revocation => "revocation",
            Self::Policy => "policy",
            Self::Introspection => "introspection",
            Self::Replay => "replay",
        }
    }

    /// The rules of the verification catalogue that the stage applies.
    #[must_use]
    pub const fn rules(self) -> &'static str {
        match self {
            Self::Request => "AT-11, MCP-03",
            Self::Size => "JWS-01",
            Self::Shape => "JWS-02 to 06",
            Self::Header => "JWS-07 to 12",
            Self::Typ => "JWT-05, JWT-06",
            Self::Alg => "ALG-01 to 04",
            Self::IssuerAndKey => "KEY-01, JWT-02",
            Self::Signature => "ALG-06, ALG-08",
            Self::Claims => "AT-04, JWT-01",
            Self::Time => "AT-06",
            Self::Audience => "JWT-03",
            Self::Possession => "AT-09, DP-01 to 14",
            Self::Chain => "ACT-01 to 10",
            Self::Links => "ATN-01 to 15, AAT-04 to 06",
            Self::Intent => "CD-03, INTN-01 to 07",
            Self::Revocation => "REV-01 to 10, X03",
            Self::Policy => "AT-07, CD-05, RFC 9470",
            Self::Introspection => "INT-01 to 06",
            Self::Replay => "DP-13, IJ-06, CA-05, TXT-11",
        }
    }
}

/// Follows a verification. What refuses is the stage entered last.
pub(crate) trait Trail {
    /// Whether anybody looks: then every stage is gone through, whatever is remembered of the
    /// token.
    const FOLLOWS: bool = true;
    fn enter(&mut self, stage: Stage);
    fn passed(&mut self, stage: Stage, note: impl FnOnce() -> String);
}

impl Trail for () {
    const FOLLOWS: bool = false;

    #[inline(always)]
    fn enter(&mut self, _: Stage) {}
    #[inline(always)]
    fn passed(&mut self, _: Stage, _: impl FnOnce() -> String) {}
}

/// A stage of an [`Explanation`](crate::Explanation).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// Which stage.
    pub stage: Stage,
    /// How it ended.
    pub outcome: Outcome,
    /// What it saw, claim values included: for operators' eyes.
    pub note: String,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It refused, or could not decide.
    Refused,
    /// Another stage refused first.
    NotReached,
}

impl Outcome {
    /// The stable spelling, the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::NotReached => "not_reached",
        }
    }
}

/// Keeps every step.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// Whether a request is explained, and not a token alone.
    of_request: bool,
    entered: Option<Stage>,
    passed: Vec<Step>,
}

impl Trail for Recorder {
    fn enter(&mut self, stage: Stage) {
        self.entered = Some(stage);
    }

    fn passed(&mut self, stage: Stage, note: impl FnOnce() -> String) {
        self.passed.push(Step {
            stage,
            outcome: Outcome::Passed,
            note: note(),
        });
    }
}

impl Recorder {
    /// Of a request, which is about to be read.
    pub(crate) fn of_request() -> Self {
        Self {
            of_request: true,
            entered: Some(Stage::Request),
            ..Self::default()
        }
    }

    /// Every stage in order: those that passed, the one that refused and why, and the rest.
    pub(crate) fn complete(self, mut refusal: Option<String>) -> Vec<Step> {
        let Self {
            of_request,
            entered,
            passed,
        } = self;
        let mut passed = passed.into_iter().peekable();
        let stages = Stage::all_of(of_request, entered).map(|stage| {
            if let Some(step) = passed.next_if(|step| step.stage == stage) {
                return step;
            }
            let note = refusal.take_if(|_| entered == Some(stage));
            Step {
                stage,
                outcome: note
                    .as_ref()
                    .map_or(Outcome::NotReached, |_| Outcome::Refused),
                note: note.unwrap_or_default(),
            }
        });
        stages.collect()
    }
}
