//! What proofs of every kind have in common: a stranger's JWT, signed by the key it proves, read
//! as strictly as a token and remembered by the `jti` its key chose.

use super::{Judge, Thumbprint};
use crate::crypto::{SignatureJob, Signed};
use crate::encoding::json::{Json, Value};
use crate::error::{Code, Error};
use crate::jwa::Algorithm;
use crate::jwk::Jwk;
use crate::jws::header::typ_is;
use crate::jws::{Compact, ProtectedHeader, SignatureBuffer};
use crate::limits::{JTI_SIZE, Limits};
use crate::replay::ReplayKey;
use crate::time::NumericDate;

/// A kind of proofs.
pub(super) struct Form {
    /// What an error about the proof as a whole is about: the field that carries it.
    pub(super) field: &'static str,
    pub(super) typ: &'static str,
}

/// A proof whose shape and `typ` are right, and whose signature is still to be checked.
pub(super) struct Unproven<'p> {
    pub(super) header: ProtectedHeader,
    field: &'static str,
    candidate: Candidate<'p>,
    payload: Vec<u8>,
}

struct Candidate<'p> {
    signing_input: &'p [u8],
    signature: &'p [u8],
}

impl Signed for Candidate<'_> {
    fn message(&self) -> &[u8] {
        self.signing_input
    }

    fn signature(&self) -> &[u8] {
        self.signature
    }
}

impl<'p> Unproven<'p> {
    pub(super) fn read(
        judge: &Judge<'_>,
        proof: &'p [u8],
        form: &Form,
        buffer: &'p mut SignatureBuffer,
    ) -> Result<Self, Error> {
        let malformed = |_| invalid(form.field);
        let compact = Compact::split(proof, judge.rules.limits.token_size).map_err(malformed)?;
        let payload = compact.decode_payload().map_err(malformed)?;
        let signature = compact.decode_signature(buffer).map_err(malformed)?;
        // Not among the headers seen before: every client has its own, and would displace an
        // issuer's. A key of the header may be longer than a string of a token.
        let limits = Limits {
            string_size: Limits::KEYS.string_size,
            ..judge.rules.limits
        };
        let header = ProtectedHeader::parse(compact.header, limits.into()).map_err(malformed)?;
        if !header.typ().is_some_and(|typ| typ_is(typ, form.typ)) {
            return Err(invalid("typ"));
        }
        Ok(Self {
            header,
            field: form.field,
            candidate: Candidate {
                signing_input: compact.signing_input,
                signature,
            },
            payload,
        })
    }

    /// The algorithm that the header names.
    pub(super) fn algorithm(&self) -> Result<Algorithm, Error> {
        let algorithm = self.header.algorithm.map(|named| named.algorithm());
        algorithm.ok_or_else(|| invalid("alg"))
    }

    /// The claims, signed by this key with this algorithm.
    pub(super) fn claims(
        self,
        judge: &Judge<'_>,
        jwk: &Jwk,
        algorithm: Algorithm,
    ) -> Result<Json, Error> {
        let key = (judge.provider.load)(jwk, algorithm).map_err(|_| invalid("jwk"))?;
        let verified = judge
            .provider
            .verify(SignatureJob::new(&key, self.candidate));
        if verified.is_none() {
            return Err(invalid("signature"));
        }
        Json::parse(self.payload, judge.rules.limits.into()).map_err(|_| invalid(self.field))
    }
}

#[cold]
pub(super) fn invalid(about: &'static str) -> Error {
    Error::about(Code::PopInvalid, about)
}

/// A required claim that is a string with something in it.
pub(super) fn text<'a>(claims: Value<'a>, name: &'static str) -> Result<&'a str, Error> {
    let text = claims.get(name).and_then(|value| value.as_str());
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(name))
}

/// A required claim that is a number of seconds since 1970.
pub(super) fn date(claims: Value<'_>, name: &'static str) -> Result<NumericDate, Error> {
    let date = claims.get(name).and_then(|value| value.as_number());
    date.and_then(NumericDate::from_json_number)
        .ok_or_else(|| invalid(name))
}

/// `jti`, which is remembered, and so may not be of any length (DP-13).
pub(super) fn jti(claims: Value<'_>) -> Result<&str, Error> {
    let jti = text(claims, "jti")?;
    if jti.len() > JTI_SIZE {
        return Err(invalid("jti"));
    }
    Ok(jti)
}

/// What a proof is remembered by: the key and the `jti` it chose, within a namespace (DP-13).
pub(super) fn replay_key(judge: &Judge<'_>, thumbprint: &Thumbprint, jti: &str) -> ReplayKey {
    let replay = judge.rules.possession.replay.as_ref();
    let namespace = replay.map_or("", |replay| &replay.namespace).as_bytes();
    // With its length before it, a namespace cannot pass for the start of something else.
    let size = u64::try_from(namespace.len()).unwrap_or(u64::MAX);
    let parts = [
        &size.to_be_bytes()[..],
        namespace,
        thumbprint,
        jti.as_bytes(),
    ];
    (judge.provider.sha256)(&parts.concat())
}
