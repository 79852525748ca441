//! What came with a token: `--proof`, `--method`, `--uri` and `--certificate` make a request of it.

use clap::Args;
use sealgate::Request;

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
}

/// A token with what came with it, read.
pub(crate) struct Sent {
    pub(crate) token: Vec<u8>,
    authorization: Vec<u8>,
    proof: Option<Vec<u8>>,
    certificate: Option<Vec<u8>>,
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
            method: method.clone(),
            uri: uri.clone(),
        }))
    }
}

impl Sent {
    pub(crate) fn request(&self) -> Request<'_> {
        let mut request = Request::new(&self.method, &self.uri);
        request = request.header("authorization", &self.authorization);
        if let Some(proof) = &self.proof {
            request = request.header("dpop", proof);
        }
        match &self.certificate {
            Some(certificate) => request.client_certificate(certificate),
            None => request,
        }
    }
}
