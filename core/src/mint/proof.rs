//! DPoP proofs (RFC 9449 §4.2), as a client makes them.

use serde_json::{Map, Value};

use crate::claims::Claim;
use crate::crypto::{self, SigningKey};
use crate::encoding::base64url;
use crate::jwk::{Jwk, KeyError};
use crate::time::NumericDate;

/// Octets of a random `jti`.
const JTI: usize = 16;

/// A client's key that makes DPoP proofs.
///
/// ```
/// use sealgate::crypto::SigningKey;
/// use sealgate::jwa::Algorithm;
/// use sealgate::mint::{ClaimsBuilder, DpopProof, DpopProver};
/// use sealgate::{Clock, Request};
///
/// let prover = DpopProver::new(SigningKey::generate(Algorithm::Es256)?)?;
/// // The issuer binds the token to the key …
/// let claims = ClaimsBuilder::new().bound_to(&prover.thumbprint());
/// # let token = "a.b.c";
/// // … and the client proves that it holds it, anew for every request.
/// let url = "https://api.example.com/mcp";
/// let proof = DpopProof::new("POST", url, Clock::System.now()).for_token(token);
/// let proof = prover.prove(&proof)?;
/// let authorization = format!("DPoP {token}");
/// let request = Request::new("POST", "/mcp")
///     .header("Authorization", &authorization)
///     .header("DPoP", &proof);
/// # Ok::<(), sealgate::jwk::KeyError>(())
/// ```
#[derive(Debug)]
pub struct DpopProver {
    key: SigningKey,
    jwk: Jwk,
    /// The header segment, encoded once, and the dot after it.
    prefix: String,
}

/// What one proof says.
#[derive(Clone, Debug)]
pub struct DpopProof<'p> {
    method: &'p str,
    url: &'p str,
    issued_at: NumericDate,
    token: Option<&'p str>,
    nonce: Option<&'p str>,
    jwt_id: Option<&'p str>,
}

impl<'p> DpopProof<'p> {
    /// A proof for this method and this URL, whose query and fragment are left out.
    #[must_use]
    pub const fn new(method: &'p str, url: &'p str, issued_at: NumericDate) -> Self {
        Self {
            method,
            url,
            issued_at,
            token: None,
            nonce: None,
            jwt_id: None,
        }
    }

    /// The same for this access token, which it comes with (`ath`).
    #[must_use]
    pub const fn for_token(mut self, token: &'p str) -> Self {
        self.token = Some(token);
        self
    }

    /// The same with the nonce that a server gave in `DPoP-Nonce`.
    #[must_use]
    pub const fn with_nonce(mut self, nonce: &'p str) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// The same with this `jti`. Default: 128 random bits.
    #[must_use]
    pub const fn with_jwt_id(mut self, jti: &'p str) -> Self {
        self.jwt_id = Some(jti);
        self
    }
}

impl DpopProver {
    /// A prover with this key.
    ///
    /// # Errors
    ///
    /// When the key is shared: whoever verifies could prove as well.
    pub fn new(key: SigningKey) -> Result<Self, KeyError> {
        let jwk = key.public_jwk().cloned().ok_or_else(KeyError::mismatch)?;
        let alg = key.algorithm().name();
        // The required members of the public key, and none that could be anything else.
        let jwk_text = jwk.thumbprint_input();
        let header = format!(r#"{{"alg":"{alg}","jwk":{jwk_text},"typ":"dpop+jwt"}}"#);
        let prefix = base64url::encode(header.as_bytes()) + ".";
        Ok(Self { key, jwk, prefix })
    }

    /// The thumbprint of its key (RFC 7638), as tokens have it in `cnf.jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        crypto::thumbprint(&crypto::aws_lc::provider(), &self.jwk)
    }

    /// One proof, for one request.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn prove(&self, proof: &DpopProof<'_>) -> Result<String, KeyError> {
        let DpopProof {
            method,
            url,
            issued_at,
            token,
            nonce,
            jwt_id,
        } = *proof;
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        let jti = match jwt_id {
            Some(jti) => jti.to_owned(),
            None => base64url::encode(&crypto::random(JTI)?),
        };
        set(Claim::Jti.name(), jti.into());
        set("htm", method.into());
        set(
            "htu",
            url.split(['?', '#']).next().unwrap_or_default().into(),
        );
        set(Claim::Iat.name(), issued_at.seconds().into());
        if let Some(token) = token {
            let hash = (crypto::aws_lc::provider().sha256)(token.as_bytes());
            set("ath", base64url::encode(&hash).into());
        }
        if let Some(nonce) = nonce {
            set(Claim::Nonce.name(), nonce.into());
        }
        let payload = Value::Object(claims).to_string();
        super::sign(&self.key, &self.prefix, payload.as_bytes())
    }
}
