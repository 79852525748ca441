//! Signed payloads that are not claims ([`verify_jws`]), and looking without trust ([`inspect`]).

use std::fmt;

use crate::crypto::{CryptoProvider, SignatureJob, Signed};
use crate::encoding::json::Json;
use crate::error::{Code, Error, PAYLOAD};
use crate::jwa::AlgorithmSet;
use crate::jwk::{Jwk, JwkSet};
use crate::jws::{Compact, ProtectedHeader, SignatureBuffer};
use crate::keys::KeySet;
use crate::limits::Limits;

/// A JWS whose signature was verified. Its payload is any bytes: no claim of it was checked.
pub struct Jws {
    payload: Vec<u8>,
    header: ProtectedHeader,
}

impl Jws {
    /// The payload as signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The protected header as its JSON text.
    #[must_use]
    pub fn header(&self) -> &str {
        self.header.json().source()
    }
}

impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws")
            .field("bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

struct Candidate<'t> {
    signing_input: &'t [u8],
    signature: &'t [u8],
    jws: Jws,
}

impl Signed for Candidate<'_> {
    fn message(&self) -> &[u8] {
        self.signing_input
    }

    fn signature(&self) -> &[u8] {
        self.signature
    }
}

/// Verifies the signature of a compact JWS (RFC 7515 §5.2) whose payload is not claims.
///
/// Issuer, audience, time and kind are *not* checked; for tokens use a [`Gate`](crate::Gate).
/// `EdDSA` stands for `Ed25519`. Keys outside `algorithms`, or that the provider lacks, are not
/// used.
///
/// # Errors
///
/// Codes of the groups parse and crypto; `usage` without an algorithm, and when two keys share
/// `kid` and algorithm: see [`Error::misuse`].
pub fn verify_jws(
    token: impl AsRef<[u8]>,
    keys: &JwkSet,
    algorithms: AlgorithmSet,
    provider: &CryptoProvider,
) -> Result<Jws, Error> {
    if algorithms.is_empty() {
        return Err(Error::about(Code::Usage, "algorithms"));
    }
    let limits = Limits {
        token_size: Limits::CEILING.token_size,
        ..Limits::DEFAULT
    };
    let compact = Compact::split(token.as_ref(), limits.token_size)?;
    let payload = compact.decode_payload()?;
    let mut buffer = SignatureBuffer::new();
    let signature = compact.decode_signature(&mut buffer)?;
    let header = ProtectedHeader::parse(compact.header, limits.into())?;
    let algorithm = header.algorithm.map(|algorithm| algorithm.algorithm());
    let algorithm = algorithm.filter(|algorithm| algorithms.contains(*algorithm));
    let algorithm = algorithm.ok_or_else(|| Error::about(Code::AlgNotAllowed, "alg"))?;
    // Parsing a key is dear: only those that the header can mean are.
    let meant = |jwk: &&Jwk| header.kid().is_none_or(|kid| jwk.kid() == Some(kid));
    let keys: Vec<Jwk> = keys.keys().iter().filter(meant).cloned().collect();
    let keys = KeySet::build(provider, &keys, algorithms);
    let keys = keys.map_err(|_| Error::about(Code::Usage, "keys"))?;
    let key = keys.select(algorithm, header.kid())?;
    let jws = Jws { payload, header };
    let candidate = Candidate {
        signing_input: compact.signing_input,
        signature,
        jws,
    };
    let verified = provider.verify(SignatureJob::new(key.verification(), candidate));
    Ok(verified
        .ok_or_else(|| Error::new(Code::BadSignature))?
        .into_inner()
        .jws)
}

/// A token that nobody has verified. Anybody can write these bytes: decide nothing by them.
pub struct UnverifiedToken {
    header: ProtectedHeader,
    payload: Json,
}

impl UnverifiedToken {
    /// The protected header as its JSON text.
    #[must_use]
    pub fn header(&self) -> &str {
        self.header.json().source()
    }

    /// The claims as their JSON text.
    #[must_use]
    pub fn claims(&self) -> &str {
        self.payload.source()
    }
}

impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedToken")
    }
}

/// Decodes a token without verifying anything of it, under the default limits.
///
/// # Errors
///
/// Codes of the group parse.
pub fn inspect(token: impl AsRef<[u8]>) -> Result<UnverifiedToken, Error> {
    let limits = Limits::DEFAULT;
    let compact = Compact::split(token.as_ref(), limits.token_size)?;
    let payload = compact.decode_payload()?;
    compact.decode_signature(&mut SignatureBuffer::new())?;
    let header = ProtectedHeader::parse(compact.header, limits.into())?;
    let payload =
        Json::parse(payload, limits.into()).map_err(|error| Error::from(error).within(PAYLOAD))?;
    if payload.root().as_object().is_none() {
        return Err(Error::about(Code::MalformedToken, PAYLOAD));
    }
    Ok(UnverifiedToken { header, payload })
}
