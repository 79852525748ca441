//! [`refusals`]: for every code that a gate can give a request that is refused with it, and for every
//! other the reason why none is.

use std::fmt;
use std::sync::Arc;

use super::FakeIssuer;
use super::draft::{TOOL, Way, Wire};
use super::forge::Forge;
use super::recipes::{Attempt, attempt};
use crate::delegation::Operation;
use crate::error::{Code, Error};
use crate::jwk::KeyError;
use crate::policy::Kind;
use crate::verifier::{ContextToken, Gate, Request, Requirements, VerifiedToken};
use crate::wire::Answer;

/// Method and target of the requests. Default: `POST /`.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a request line has these two")]
pub struct Route {
    /// The method.
    pub method: String,
    /// Path and query, as clients send them.
    pub uri: String,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            method: "POST".to_owned(),
            uri: "/".to_owned(),
        }
    }
}

/// Every code, in the order of the table: those that a gate gives, each with a request, and those
/// that it does not give, each with a reason.
#[derive(Clone, Debug)]
pub struct Refusals {
    reachable: Vec<Refusal>,
    unreachable: Vec<(Code, &'static str)>,
}

/// A code that a gate gives.
#[derive(Clone)]
pub struct Refusal {
    code: Code,
    status: u16,
    source: Arc<Source>,
}

struct Source {
    gate: Gate,
    fakes: Vec<(String, FakeIssuer)>,
    route: Route,
}

/// A request that a gate refuses, and how a server answers it.
#[derive(Debug)]
pub struct Call {
    code: Code,
    wire: Wire,
    answer: Answer,
}

/// Why there are no refusals, or not this one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoRefusals {
    /// No issuer of the gate has a fake.
    NoFake,
    /// The gate takes no token that could be made from its policy and the fakes: it says this of
    /// the last.
    Unopened(Code),
    /// A request met something else than what it was made for, a fault of sealgate's.
    Surprise {
        /// What it was made for.
        expected: Code,
        /// What it met: a code, or `accepted`.
        met: &'static str,
    },
    /// A reload has removed the gate.
    Removed,
    /// A fake could not sign.
    Key(KeyError),
}

impl fmt::Display for NoRefusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFake => f.write_str("no issuer of the gate has a fake"),
            Self::Unopened(code) => write!(
                f,
                "no token of the fakes opens the gate: {}: {}",
                code.as_str(),
                code.reason()
            ),
            Self::Surprise { expected, met } => {
                let expected = expected.as_str();
                write!(f, "a request for {expected} met {met}; please report it")
            }
            Self::Removed => f.write_str("the policy has this gate no more"),
            Self::Key(error) => write!(f, "a fake cannot sign: {error}"),
        }
    }
}

impl std::error::Error for NoRefusals {}

/// The refusals of a gate, whose issuers these fakes are, by their names in the policy. Their keys
/// are published to the gate's verifier already.
///
/// Which codes a gate gives follows from its policy: its kind of token, its issuers and their keys,
/// `sender_constrained`, `[dpop]` and `[replay]`, `delegation`, `context`, and what it asks of
/// claims. A call's own requirements are none of a gate's, so `operation_denied` is among them only
/// where a capability has to permit every call. Every other code has its reason in
/// [`Refusals::unreachable`].
///
/// # Errors
///
/// When no good token of the gate can be made, from which the bad ones are: no issuer has a fake,
/// or a rule asks for what no fake says. Never because a code could not be met: each request is
/// judged by the gate before this returns, and again by [`Refusal::call`].
pub fn refusals(
    gate: &Gate,
    issuers: &[(&str, FakeIssuer)],
    route: &Route,
) -> Result<Refusals, NoRefusals> {
    let fakes = issuers
        .iter()
        .map(|(name, fake)| ((*name).to_owned(), fake.clone()));
    let source = Arc::new(Source {
        gate: gate.clone(),
        fakes: fakes.collect(),
        route: route.clone(),
    });
    let (mut reachable, mut unreachable) = (Vec::new(), Vec::new());
    source.forge(|forge| {
        let good = forge.good()?;
        for code in Code::ALL {
            match attempt(forge, &good, *code)? {
                Attempt::Never(why) => unreachable.push((*code, why)),
                Attempt::Send(draft) => {
                    let call = source.judged(*code, draft.seal()?)?;
                    reachable.push(Refusal {
                        code: *code,
                        status: call.answer.status,
                        source: Arc::clone(&source),
                    });
                }
            }
        }
        Ok(())
    })?;
    Ok(Refusals {
        reachable,
        unreachable,
    })
}

impl Refusals {
    /// The codes that the gate gives.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Refusal> {
        self.reachable.iter()
    }

    /// The codes that no request meets at this gate, each with the reason, for people.
    pub fn unreachable(&self) -> impl ExactSizeIterator<Item = (Code, &'static str)> {
        self.unreachable.iter().copied()
    }
}

impl Refusal {
    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The status that answers it.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        self.status
    }

    /// A request that the gate refuses with this code now: tokens are issued and proofs made for
    /// it, so it may be sent whenever and as often as one likes, in any order.
    ///
    /// That of `replayed` was accepted once by the gate before this returns, and the token of that
    /// of `revoked` was revoked, by its `jti`. They are refused by whoever shares the gate's
    /// memory.
    ///
    /// # Errors
    ///
    /// As [`refusals`]: policy, keys and clock are those of this moment.
    pub fn call(&self) -> Result<Call, NoRefusals> {
        self.source.forge(|forge| {
            let good = forge.good()?;
            match attempt(forge, &good, self.code)? {
                Attempt::Send(draft) => self.source.judged(self.code, draft.seal()?),
                Attempt::Never(_) => Err(NoRefusals::Removed),
            }
        })
    }
}

impl Source {
    /// A forge of this moment.
    fn forge<T>(
        &self,
        work: impl FnOnce(&Forge<'_>) -> Result<T, NoRefusals>,
    ) -> Result<T, NoRefusals> {
        let setting = self.gate.setting()?;
        work(&Forge::new(&self.gate, &setting, &self.fakes, &self.route)?)
    }

    /// A request that the gate refuses with this code, and with no other.
    fn judged(&self, code: Code, wire: Wire) -> Result<Call, NoRefusals> {
        let surprise = |met| NoRefusals::Surprise {
            expected: code,
            met,
        };
        if code == Code::Replayed {
            let first = wire.judge(&self.gate);
            first.map_err(|error| surprise(error.code().as_str()))?;
        }
        if let (Code::Revoked, Some(handle)) = (code, &wire.handle) {
            self.gate.revoke(handle)?;
        }
        let Err(error) = wire.judge(&self.gate) else {
            return Err(surprise("accepted"));
        };
        if error.code() != code {
            return Err(surprise(error.code().as_str()));
        }
        let answer = self.gate.answer(&error, &wire.requirements());
        Ok(Call { code, wire, answer })
    }
}

impl Wire {
    /// What the gate says of it.
    pub(super) fn judge(&self, gate: &Gate) -> Result<VerifiedToken, Error> {
        let context = self.context.iter();
        let context: Vec<ContextToken<'_>> = context
            .map(|(kind, token)| ContextToken::new(*kind, token))
            .collect();
        let requirements = self.requirements();
        if self.way == Way::Alone {
            let token = self.token.as_deref().unwrap_or_default();
            return gate.verify_chain(token, &context, &requirements);
        }
        let fields = self.headers.iter().map(|(name, value)| (*name, value));
        let mut request = Request::new(&self.method, &self.uri).headers(fields);
        if let Some(certificate) = &self.certificate {
            request = request.client_certificate(certificate);
        }
        if let (Some(token), Some(proof)) = (&self.token, &self.proof) {
            request = request.content(token, proof);
        } else if let (Some(token), Way::Form) = (&self.token, self.way) {
            request = request.form(token);
        }
        gate.verify_request(&request.context(&context), &requirements)
    }

    /// What the call needs beyond its gate: with a capability, that it permits the call.
    fn requirements(&self) -> Requirements {
        match self.tool() {
            Some(tool) => Requirements::NONE.with_operation(Operation::new().tool(tool)),
            None => Requirements::NONE,
        }
    }

    fn tool(&self) -> Option<&'static str> {
        (self.way == Way::Content).then_some(TOOL)
    }
}

impl Call {
    /// What the gate says of it.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.wire.method
    }

    /// Path and query, as clients send them.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.wire.uri
    }

    /// Header fields, names in lower case; none where tokens of the gate's kind do not come in
    /// fields.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.wire.headers
    }

    /// The token by itself, for kinds that come in the content, a form or another token; none where
    /// the request lacks one.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.wire.token.as_deref()
    }

    /// The proof that comes with the token in the content of the request, as `aat_pop` beside
    /// `aat_chain`.
    #[must_use]
    pub fn proof(&self) -> Option<&str> {
        self.wire.proof.as_deref()
    }

    /// The tool that it calls, without arguments, where its token is a capability: for the program
    /// to give to the gate as the operation.
    #[must_use]
    pub fn tool(&self) -> Option<&'static str> {
        self.wire.tool()
    }

    /// The tokens that it comes from, for the program to give to the gate as `context`.
    pub fn context(&self) -> impl ExactSizeIterator<Item = (Kind, &str)> {
        self.wire
            .context
            .iter()
            .map(|(kind, token)| (*kind, &**token))
    }

    /// What stands for the certificate of the connection's client. The engine compares its hash, so
    /// it is not one that a TLS server would take.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&[u8]> {
        self.wire.certificate.as_deref()
    }

    /// How a server answers it: status, header fields and body.
    #[must_use]
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }
}

/// Never its keys.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("code", &self.code.as_str())
            .field("http_status", &self.status)
            .finish_non_exhaustive()
    }
}
