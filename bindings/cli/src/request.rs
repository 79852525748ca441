//! What came with a token: `--proof`, `--method`, `--uri` and `--certificate` make a request of it.

use clap::Args;
use sealgate::{ContextToken, Kind, Request};

use crate::failure::Failure;
use crate::input;

/// Options that make a request of one token.
#[derive(Args)]
pub(crate) struct RequestArguments {
    /// The DPoP proof that came with the one token; it is judged, and not used up elsewhere.
    #[arg(long, value_name = "FILE", requires_all = ["method", "uri"])]
    proof: Option<String>,
    /// The method of the request.
    #[arg(long, value_name = "METHOD", requires = "uri")]
    method: Option<String>,
    /// The request's path and query as they were sent, or its whole URL.
    #[arg(long, value_name = "URI", requires = "method")]
    uri: Option<String>,
    /// The client certificate of the connection, in DER.
    #[arg(long, value_name = "FILE", requires_all = ["method", "uri"])]
    certificate: Option<String>,
    /// A further token that the token comes from, by its kind: `access_token=parent.txt`; may be repeated.
    #[arg(long = "with", value_name = "KIND=FILE", value_parser = parse_further, requires_all = ["method", "uri"])]
    further: Vec<(Kind, String)>,
}

/// A token with what came with it, read.
pub(crate) struct Sent {
    pub(crate) token: Vec<u8>,
    authorization: Vec<u8>,
    proof: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
    further: Vec<(Kind, Vec<u8>)>,
    method: String,
    uri: String,
}

impl RequestArguments {
    /// The request of the one token in `files`; `None` where no option makes one.
    pub(crate) fn read(&self, files: &[String]) -> Result<Option<Sent>, Failure> {
        let (Some(method), Some(uri)) = (&self.method, &self.uri) else {
            return Ok(None);
        };
        let file = match files {
            [] => None,
            [file] => Some(file.as_str()),
            _ => {
                return Err(Failure::Usage(
                    "a request has one token: give one file".to_owned(),
                ));
            }
        };
        let proof = self.proof.as_deref().map(|path| input::one(Some(path)));
        let proof = proof.transpose()?;
        let certificate = self
            .certificate
            .as_deref()
            .map(|path| std::fs::read(path).map_err(|error| Failure::reading(path, &error)));
        let token = input::one(file)?;
        // A bound token comes under the scheme of its proof (RFC 9449 §7.1).
        let scheme: &[u8] = if proof.is_some() {
            b"DPoP "
        } else {
            b"Bearer "
        };
        Ok(Some(Sent {
            authorization: [scheme, &token].concat(),
            token,
            proof,
            certificate: certificate.transpose()?,
            further: read_further(&self.further)?,
            method: method.clone(),
            uri: uri.clone(),
        }))
    }
}

impl Sent {
    /// The further tokens, for [`Sent::request`].
    pub(crate) fn context(&self) -> Vec<ContextToken<'_>> {
        context(&self.further)
    }

    pub(crate) fn request<'r>(&'r self, context: &'r [ContextToken<'r>]) -> Request<'r> {
        let mut request = Request::new(&self.method, &self.uri);
        request = request.header("authorization", &self.authorization);
        request = request.context(context);
        if let Some(proof) = &self.proof {
            request = request.header("dpop", proof);
        }
        match &self.certificate {
            Some(certificate) => request.client_certificate(certificate),
            None => request,
        }
    }
}

/// The further tokens of `--with`, read.
pub(crate) fn read_further(named: &[(Kind, String)]) -> Result<Vec<(Kind, Vec<u8>)>, Failure> {
    let read = |(kind, file): &(Kind, String)| Ok((*kind, input::one(Some(file))?));
    named.iter().map(read).collect()
}

pub(crate) fn context(further: &[(Kind, Vec<u8>)]) -> Vec<ContextToken<'_>> {
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
