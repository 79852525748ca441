//! [`FakeAgent`]: an agent that acts for others, and holds a key that tokens can be bound to.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{FakeMembers, FakeOptions, NoRefusals, Route, forge, seeded_key, signed};
use crate::claims::Claim;
use crate::crypto::{self, SigningKey, aws_lc};
use crate::encoding::base64url;
use crate::jwk::KeyError;
use crate::time::Clock;
use crate::verifier::Gate;

/// An agent of tests. Cheap to clone; clones are the same agent.
#[derive(Clone)]
pub struct FakeAgent {
    key: Arc<SigningKey>,
    clock: Option<Clock>,
}

/// What a DPoP proof says (RFC 9449 §4.2).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "tests write it, with `..default()`"
)]
pub struct FakeProof {
    /// `htm`.
    pub method: String,
    /// `htu`: the whole URL, whose query and fragment are left out.
    pub url: String,
    /// The access token it comes with.
    pub token: Option<String>,
    /// What the server gave in `DPoP-Nonce`.
    pub nonce: Option<String>,
    /// `iat`, in seconds since 1970. Default: now.
    pub issued_at: Option<i64>,
    /// Further claims; they replace the others, and `null` leaves one out.
    pub claims: FakeMembers,
    /// Further header parameters; they replace the others, and `null` leaves one out.
    pub header: FakeMembers,
}

impl FakeAgent {
    /// The agent of this `sub`. Its key is the one that `sub` and the options' seed stand for.
    ///
    /// # Errors
    ///
    /// When the algorithm is symmetric, or the system's random source fails.
    pub fn new(sub: &str, options: &FakeOptions) -> Result<Self, KeyError> {
        let key = seeded_key(options.algorithm, sub, options.seed, 0)?;
        key.public_jwk().ok_or_else(KeyError::mismatch)?;
        Ok(Self {
            key: Arc::new(key),
            clock: options.clock.clone(),
        })
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.key)
    }

    /// The thumbprint of its key (RFC 7638), as in `cnf.jkt`.
    #[must_use]
    pub fn jkt(&self) -> String {
        crypto::thumbprint(&aws_lc::provider(), self.key.verifying_jwk())
    }

    /// What stands for its client certificate, in DER: the engine compares its hash, and no TLS
    /// server would take it.
    #[must_use]
    pub fn certificate(&self) -> Vec<u8> {
        let key = (aws_lc::provider().sha256)(self.jkt().as_bytes());
        // A SEQUENCE of one OCTET STRING.
        [&[0x30, 0x22, 0x04, 0x20], key.as_slice()].concat()
    }

    /// The public half of its key, with its required members alone.
    pub(super) fn jwk(&self) -> Value {
        let text = self.key.verifying_jwk().thumbprint_input();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A new DPoP proof, made now, with a `jti` at random.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn prove(&self, proof: &FakeProof) -> Result<String, KeyError> {
        let FakeProof {
            method,
            url,
            token,
            nonce,
            issued_at,
            claims,
            header,
        } = proof;
        let url = url.split(['?', '#']).next().unwrap_or_default();
        let clock = self.clock.as_ref().unwrap_or(&Clock::System);
        let iat = issued_at.unwrap_or_else(|| clock.now().seconds());
        let ath = token
            .as_deref()
            .map_or(Value::Null, |token| hash(token).into());
        let own = FakeMembers::from([
            ("htm", method.as_str().into()),
            ("htu", url.into()),
            (Claim::Iat.name(), iat.into()),
            (Claim::Jti.name(), jti()?.into()),
            ("ath", ath),
            (Claim::Nonce.name(), nonce.as_deref().into()),
        ]);
        let mut own_header = self.header("dpop+jwt");
        own_header.insert("jwk", self.jwk());
        signed(&self.key, &own_header.merged(header), &own.merged(claims))
    }

    /// The fields of a request to a gate with this token: `Authorization`; and where the token says
    /// that it is bound to a key, of this agent or of another (`cnf.jkt`), under the scheme `DPoP`
    /// with a new proof of this one's. An agent without a clock goes by the gate's.
    ///
    /// The route's `uri` is a path at the gate's `public_url`, or a whole URL.
    ///
    /// # Errors
    ///
    /// When the policy has the gate no more, or the system's random source fails.
    pub fn headers(
        &self,
        gate: &Gate,
        route: &Route,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<Vec<(&'static str, String)>, NoRefusals> {
        if !is_bound(token) {
            return Ok(vec![("Authorization", format!("Bearer {token}"))]);
        }
        let setting = gate.setting()?;
        let rules = setting.policy.rules().gates.get(setting.gate);
        let rules = rules.ok_or(NoRefusals::Removed)?;
        let url = match rules.public_url.as_deref() {
            Some(public_url) if route.uri.starts_with('/') => forge::url(public_url, &route.uri),
            _ => route.uri.clone(),
        };
        let proof = FakeProof {
            method: route.method.clone(),
            url,
            token: Some(token.to_owned()),
            nonce: nonce.map(str::to_owned),
            issued_at: self.clock.is_none().then(|| setting.now.seconds()),
            ..FakeProof::default()
        };
        Ok(vec![
            ("Authorization", format!("DPoP {token}")),
            ("DPoP", self.prove(&proof)?),
        ])
    }

    /// A proof of another kind, whose key is known from its token: with a `jti` at random.
    pub(super) fn prove_as(
        &self,
        typ: &str,
        mut claims: Map<String, Value>,
    ) -> Result<String, KeyError> {
        claims.insert(Claim::Jti.name().to_owned(), jti()?.into());
        let nothing = FakeMembers::default();
        let claims = FakeMembers::from(claims).merged(&nothing);
        signed(&self.key, &self.header(typ).merged(&nothing), &claims)
    }

    fn header(&self, typ: &str) -> FakeMembers {
        let alg = self.key.algorithm().name();
        FakeMembers::from([("alg", alg.into()), ("typ", typ.into())])
    }
}

/// Whether a token, good or not, says that it is bound to a key of DPoP.
fn is_bound(token: &str) -> bool {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = base64url::decode(payload.as_bytes()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let cnf = claims.get(Claim::Cnf.name());
    cnf.is_some_and(|cnf| cnf.get("jkt").is_some())
}

/// 128 bits at random: a test may make its agents anew, and proofs of one key are never to meet.
fn jti() -> Result<String, KeyError> {
    Ok(base64url::encode(&crypto::random(16)?))
}

/// SHA-256 of a token, as proofs name it.
pub(super) fn hash(token: &str) -> String {
    base64url::encode(&(aws_lc::provider().sha256)(token.as_bytes()))
}

/// Never its key.
impl fmt::Debug for FakeAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeAgent").field(&self.jkt()).finish()
    }
}
