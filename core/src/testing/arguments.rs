//! [`Argument`]: what fakes take, in words that every language refuses anything else with.

use crate::jwa::Algorithm;

/// The largest number that every language counts to: 2^53 - 1.
pub const MOST: u64 = 9_007_199_254_740_991;

/// A type of argument of a fake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Argument {
    /// Text.
    Text,
    /// One text, or several.
    Texts,
    /// A number that counts something: a seed, keys.
    Count,
    /// A time.
    Seconds,
    /// A span of time.
    Duration,
    /// A fixed clock.
    Clock,
    /// What a fake issuer signs with.
    Algorithm,
    /// What a fake agent signs with, whose key has a public half.
    KeyPair,
    /// Who acts.
    Actors,
    /// What a token is bound to.
    Holder,
    /// Claims, or header parameters.
    Members,
    /// What is signed as it is.
    Payload,
    /// A gate.
    Gate,
    /// A gate whose issuers' fakes are known.
    OpenGate,
    /// Fakes by the names of their issuers.
    Issuers,
}

impl Argument {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Texts,
        Self::Count,
        Self::Seconds,
        Self::Duration,
        Self::Clock,
        Self::Algorithm,
        Self::KeyPair,
        Self::Actors,
        Self::Holder,
        Self::Members,
        Self::Payload,
        Self::Gate,
        Self::OpenGate,
        Self::Issuers,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Texts => "texts",
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Duration => "duration",
            Self::Clock => "clock",
            Self::Algorithm => "algorithm",
            Self::KeyPair => "key_pair",
            Self::Actors => "actors",
            Self::Holder => "holder",
            Self::Members => "members",
            Self::Payload => "payload",
            Self::Gate => "gate",
            Self::OpenGate => "open_gate",
            Self::Issuers => "issuers",
        }
    }

    /// What it must be, as in "`seed` must be …".
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::Texts => "a string or an array of strings".to_owned(),
            Self::Count => format!("a whole number from 0 to {MOST}"),
            Self::Seconds => "whole seconds since 1970".to_owned(),
            Self::Duration => "a duration of at least 0s, such as \"5m\"".to_owned(),
            Self::Clock => "a FixedClock".to_owned(),
            Self::Algorithm => one_of(|_| true),
            Self::KeyPair => one_of(|algorithm| !algorithm.is_symmetric()),
            Self::Actors => {
                "an array of FakeAgents, of subs, or of objects { sub, iss }".to_owned()
            }
            Self::Holder => "a FakeAgent, or a client certificate as bytes (DER)".to_owned(),
            Self::Members => "an object of what JSON can say".to_owned(),
            Self::Payload => "an object of what JSON can say, a string or bytes".to_owned(),
            Self::Gate => "a Gate".to_owned(),
            Self::OpenGate => "a Gate of a verifier of testing's open".to_owned(),
            Self::Issuers => "an object of FakeIssuers by their names in the policy".to_owned(),
        }
    }
}

fn one_of(fits: impl Fn(Algorithm) -> bool) -> String {
    let names = Algorithm::all().filter(|algorithm| fits(*algorithm));
    let names: Vec<_> = names.map(Algorithm::name).collect();
    format!("one of {}", names.join(", "))
}
