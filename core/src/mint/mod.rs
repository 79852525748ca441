//! Minting tokens: for tests, tools and token services (feature `mint`).
//!
//! ```
//! use sealgate::crypto::SigningKey;
//! use sealgate::jwa::Algorithm;
//! use sealgate::mint::{ClaimsBuilder, Minter};
//! use sealgate::{Clock, Span};
//!
//! let key = SigningKey::generate(Algorithm::Es256)?.with_kid("k1");
//! let minter = Minter::new(key).with_typ("at+jwt");
//! let claims = ClaimsBuilder::new()
//!     .issuer("https://login.example.com")
//!     .subject("u1")
//!     .audience(["https://api.example.com/mcp"])
//!     .lifetime(Clock::System.now(), Span::from_seconds(300))
//!     .actor("https://login.example.com", "agent-a");
//! let token = minter.mint(&claims)?;
//! assert_eq!(token.split('.').count(), 3);
//! # Ok::<(), sealgate::jwk::KeyError>(())
//! ```

mod builder;
mod proof;

pub use builder::{ClaimsBuilder, ReservedClaim};
pub use proof::{DpopProof, DpopProver};

use crate::crypto::SigningKey;
use crate::encoding::base64url;
use crate::jwk::KeyError;

/// A signing key with the protected header its tokens carry.
#[derive(Debug)]
pub struct Minter {
    key: SigningKey,
    typ: Option<Box<str>>,
    /// The header segment, encoded once, and the dot after it.
    prefix: String,
}

impl Minter {
    /// A minter whose header has `alg`, and `kid` where the key has one.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        let mut minter = Self {
            key,
            typ: None,
            prefix: String::new(),
        };
        minter.encode_header();
        minter
    }

    /// The same with this `typ`: `at+jwt` for access tokens (RFC 9068 §2.1).
    #[must_use]
    pub fn with_typ(mut self, typ: impl Into<Box<str>>) -> Self {
        self.typ = Some(typ.into());
        self.encode_header();
        self
    }

    fn encode_header(&mut self) {
        let mut header = serde_json::Map::new();
        header.insert("alg".to_owned(), self.key.algorithm().name().into());
        if let Some(typ) = &self.typ {
            header.insert("typ".to_owned(), (**typ).into());
        }
        if let Some(kid) = self.key.kid() {
            header.insert("kid".to_owned(), kid.into());
        }
        let header = serde_json::Value::Object(header).to_string();
        self.prefix = base64url::encode(header.as_bytes()) + ".";
    }

    /// The key it signs with.
    #[must_use]
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// A token with these claims.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn mint(&self, claims: &ClaimsBuilder) -> Result<String, KeyError> {
        self.sign(claims.to_json().as_bytes())
    }

    /// A compact JWS over any payload, signed as it is.
    ///
    /// # Errors
    ///
    /// As [`Minter::mint`].
    pub fn sign(&self, payload: &[u8]) -> Result<String, KeyError> {
        sign(&self.key, &self.prefix, payload)
    }
}

/// A compact JWS of an encoded header with its dot, and a payload.
pub(crate) fn sign(key: &SigningKey, prefix: &str, payload: &[u8]) -> Result<String, KeyError> {
    let mut token = prefix.to_owned() + &base64url::encode(payload);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&base64url::encode(&signature));
    Ok(token)
}
