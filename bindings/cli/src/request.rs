//! What one token came with: a whole request (`--request`, or `--method`, `--uri` and `-H`), or the
//! tokens that it comes from (`--with`).
//!
//! Whatever proves possession is in the request as its clients send it, so no kind of proof has an
//! option of its own.

use clap::Args;
use sealgate::{
    ContextToken, Error, Explanation, Gate, Kind, Request, Requirements, VerifiedToken,
};

use crate::failure::Failure;
use crate::http::{self, Field, Message};
use crate::input;

/// Options that make a request of one token, or a chain.
#[derive(Args)]
pub(crate) struct RequestArguments {
    /// The whole request as HTTP/1.1 has it, whatever token and proof it carries; `-` is standard
    /// input. It is judged, and its proof is not used up: the policy's store of used proofs is
    /// neither told nor asked.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["method", "uri"])]
    request: Option<String>,
    /// The method of the request.
    #[arg(long, value_name = "METHOD", requires = "uri")]
    method: Option<String>,
    /// The request's path and query as they were sent, or its whole URL.
    #[arg(long, value_name = "URI", requires = "method")]
    uri: Option<String>,
    /// A header field of the request, or @FILE with one a line; may be repeated. With one there
    /// need be no token of its own: `-H 'Workload-Identity-Token: eyJ…'`.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// The client certificate of the connection, in DER.
    #[arg(long, value_name = "FILE")]
    certificate: Option<String>,
    /// A further token that the token comes from, by its kind: `access_token=parent.txt`; may be
    /// repeated.
    #[arg(long = "with", value_name = "KIND=FILE", value_parser = parse_further)]
    further: Vec<(Kind, String)>,
}

/// One token with what came with it, read.
pub(crate) enum Asked {
    /// A token, and those it comes from.
    Token {
        token: Vec<u8>,
        further: Vec<(Kind, Vec<u8>)>,
    },
    Request(Sent),
}

/// A request, and what its connection and its program add to it.
pub(crate) struct Sent {
    message: Message,
    certificate: Option<Vec<u8>>,
    further: Vec<(Kind, Vec<u8>)>,
}

impl RequestArguments {
    /// The one token in `file`, and what came with it.
    pub(crate) fn read_one(&self, file: Option<&String>) -> Result<Asked, Failure> {
        let files = file.map_or(&[][..], std::slice::from_ref);
        match self.read(files)? {
            Some(asked) => Ok(asked),
            None => Ok(Asked::Token {
                token: input::one(file.map(String::as_str))?,
                further: Vec::new(),
            }),
        }
    }

    /// The one token in `files`, and what came with it; `None` where no option says that there is
    /// one.
    pub(crate) fn read(&self, files: &[String]) -> Result<Option<Asked>, Failure> {
        let mut message = match (&self.request, &self.method, &self.uri) {
            (Some(path), ..) => Message::read(path)?,
            (None, Some(method), Some(uri)) => Message {
                method: method.clone(),
                target: uri.clone(),
                ..Message::default()
            },
            _ => return self.alone(files),
        };
        message.fields.extend(http::fields(&self.header)?);
        let brings_its_own = self.request.is_some() || !self.header.is_empty();
        match files {
            [] if brings_its_own => {}
            [] => message.authorize(&input::one(None)?)?,
            [file] => message.authorize(&input::one(Some(file))?)?,
            _ => return Err(Failure::usage("a request has one token: give one file")),
        }
        let certificate = self
            .certificate
            .as_deref()
            .map(|path| std::fs::read(path).map_err(|error| Failure::reading(path, &error)));
        let mut further = self.further()?;
        if let Some(capabilities) = &message.capabilities {
            let parents = capabilities.chain.iter().rev().skip(1);
            further.extend(parents.map(|token| (Kind::Capability, token.clone().into_bytes())));
        }
        Ok(Some(Asked::Request(Sent {
            message,
            certificate: certificate.transpose()?,
            further,
        })))
    }

    /// Without a request.
    fn alone(&self, files: &[String]) -> Result<Option<Asked>, Failure> {
        if !self.header.is_empty() || self.certificate.is_some() {
            return Err(Failure::usage(
                "a field and a certificate are those of a request: give --request, or --method and \
                 --uri",
            ));
        }
        if self.further.is_empty() {
            return Ok(None);
        }
        let token = match files {
            [] => input::one(None)?,
            [file] => input::one(Some(file))?,
            _ => return Err(Failure::usage("--with is for one token: give one file")),
        };
        Ok(Some(Asked::Token {
            token,
            further: self.further()?,
        }))
    }

    fn further(&self) -> Result<Vec<(Kind, Vec<u8>)>, Failure> {
        let read = |(kind, file): &(Kind, String)| Ok((*kind, input::one(Some(file))?));
        self.further.iter().map(read).collect()
    }
}

impl Message {
    /// Puts a token into `Authorization`, under the scheme of its proof (RFC 9449 §7.1).
    pub(crate) fn authorize(&mut self, token: &[u8]) -> Result<(), Failure> {
        if self.field("authorization").is_some() {
            return Err(Failure::usage(
                "the request has an Authorization field: give no token beside it",
            ));
        }
        let bound = self.field("dpop").is_some();
        let scheme: &[u8] = if bound { b"DPoP " } else { b"Bearer " };
        let field: Field = ("Authorization".to_owned(), [scheme, token].concat());
        self.fields.push(field);
        Ok(())
    }
}

impl Asked {
    pub(crate) fn verify(
        &self,
        gate: &Gate,
        requirements: &Requirements,
    ) -> Result<VerifiedToken, Error> {
        match self {
            Self::Token { token, further } => {
                gate.verify_chain(token, &context(further), requirements)
            }
            Self::Request(sent) => sent.to(|request| gate.verify_request(request, requirements)),
        }
    }

    pub(crate) fn explain(&self, gate: &Gate, requirements: &Requirements) -> Explanation {
        match self {
            Self::Token { token, further } => {
                gate.explain_chain(token, &context(further), requirements)
            }
            Self::Request(sent) => sent.to(|request| gate.explain_request(request, requirements)),
        }
    }

    /// What is wrong with the command line, for a call that asks for what the gate cannot do.
    pub(crate) fn misused(error: &Error) -> Failure {
        let hint = match error.claim() {
            Some("context") => ": the gate's context says which kinds of further tokens it takes",
            Some("operation") => ": a capability is used for one call: give --operation tool=…",
            _ => "",
        };
        Failure::Usage(format!("the request: {error}{hint}"))
    }

    /// The token, to be shown; of a request the one in `Authorization`.
    pub(crate) fn token(&self) -> Option<&[u8]> {
        match self {
            Self::Token { token, .. } => Some(token),
            Self::Request(sent) => {
                let credentials = sent.message.field("authorization")?;
                credentials.splitn(2, |byte| *byte == b' ').nth(1)
            }
        }
    }
}

impl Sent {
    /// The answer of `gate` to the request.
    fn to<T>(&self, gate: impl FnOnce(&Request<'_>) -> T) -> T {
        let message = &self.message;
        let context = context(&self.further);
        let fields = message.fields.iter();
        let mut request = Request::new(&message.method, &message.target)
            .headers(fields.map(|(name, value)| (name, value)))
            .context(&context);
        if let Some(certificate) = &self.certificate {
            request = request.client_certificate(certificate);
        }
        let capabilities = message.capabilities.as_ref();
        if let Some((leaf, proof)) =
            capabilities.and_then(|all| Some((all.chain.last()?, &all.proof)))
        {
            request = request.content(leaf, proof);
        }
        gate(&request)
    }
}

fn context(further: &[(Kind, Vec<u8>)]) -> Vec<ContextToken<'_>> {
    let further = further.iter();
    further
        .map(|(kind, token)| ContextToken::new(*kind, token))
        .collect()
}

pub(crate) fn parse_further(text: &str) -> Result<(Kind, String), String> {
    let (kind, file) = text.split_once('=').ok_or("a kind, =, and a file")?;
    match Kind::from_name(kind) {
        Some(kind) => Ok((kind, file.to_owned())),
        None => Err(format!("{kind:?} is no kind of token")),
    }
}
