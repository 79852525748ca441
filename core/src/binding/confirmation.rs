//! `cnf` (RFC 7800): which keys a token is bound to. It cannot change while the token stands, so it
//! is read once; whether the presenter holds them is asked at every use.

use crate::claims::{Claim, Claims};
use crate::crypto::{self, CryptoProvider};
use crate::encoding::base64url;
use crate::encoding::json::{JsonKind, Value};
use crate::jwk::Jwk;

/// A SHA-256 thumbprint: of a JWK (RFC 7638), or of a certificate (RFC 8705 §3.1).
pub(crate) type Thumbprint = [u8; 32];

/// What a token is bound to.
#[derive(Debug)]
pub(crate) enum Confirmation {
    /// Nothing: a bearer token.
    Unbound,
    /// Keys whose possession can be proven, all of them (AT-09).
    Bound(Box<Keys>),
    /// Something whose possession nobody here can judge.
    Unknown,
    /// A known member that its definition does not allow.
    Malformed,
}

/// The keys of a `cnf`; never none.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// `jkt` (RFC 9449 §6.1).
    pub(super) jkt: Option<Thumbprint>,
    /// `jwk` (RFC 7800 §3.2), by its thumbprint.
    pub(super) jwk: Option<Thumbprint>,
    /// `x5t#S256` (RFC 8705 §3.1).
    pub(super) certificate: Option<Thumbprint>,
}

impl Confirmation {
    /// Thumbprints of the key and of the certificate that it names.
    pub(crate) const fn key_and_certificate(&self) -> (Option<Thumbprint>, Option<Thumbprint>) {
        match self {
            Self::Bound(keys) => {
                let key = if keys.jkt.is_some() {
                    keys.jkt
                } else {
                    keys.jwk
                };
                (key, keys.certificate)
            }
            Self::Unbound | Self::Unknown | Self::Malformed => (None, None),
        }
    }

    pub(crate) fn of(claims: &Claims, provider: &CryptoProvider) -> Self {
        let Some(cnf) = claims.value(Claim::Cnf) else {
            return Self::Unbound;
        };
        let Some(members) = cnf.as_object() else {
            return Self::Malformed;
        };
        let mut keys = Keys::default();
        let mut unknown = members.len() == 0;
        for (name, value) in members {
            let (place, found) = match name {
                "jkt" => (&mut keys.jkt, thumbprint(value)),
                "x5t#S256" => (&mut keys.certificate, thumbprint(value)),
                "jwk" => (&mut keys.jwk, of_key(value, provider)),
                _ => {
                    unknown = true;
                    continue;
                }
            };
            if found.is_none() {
                return Self::Malformed;
            }
            *place = found;
        }
        if unknown {
            return Self::Unknown;
        }
        Self::Bound(Box::new(keys))
    }

    /// The thumbprints of its keys, as tokens write them.
    pub(crate) fn thumbprints(&self) -> impl Iterator<Item = String> + use<> {
        let keys = match self {
            Self::Bound(keys) => [keys.jkt, keys.jwk, keys.certificate],
            Self::Unbound | Self::Unknown | Self::Malformed => [None; 3],
        };
        let known = keys.into_iter().flatten();
        known.map(|thumbprint| base64url::encode(&thumbprint))
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_size(&self) -> usize {
        match self {
            Self::Bound(_) => size_of::<Keys>(),
            Self::Unbound | Self::Unknown | Self::Malformed => 0,
        }
    }
}

/// 32 octets in canonical base64url (MTLS-02).
fn thumbprint(value: Value<'_>) -> Option<Thumbprint> {
    let mut octets = [0; 32];
    let decoded = base64url::decode_slice(value.as_str()?.as_bytes(), &mut octets)?;
    (decoded.len() == octets.len()).then_some(octets)
}

/// A public key, read as strictly as one of a key set (ALG-09).
fn of_key(value: Value<'_>, provider: &CryptoProvider) -> Option<Thumbprint> {
    if value.kind() != JsonKind::Object {
        return None;
    }
    let jwk = Jwk::of_bearer(value).ok()?;
    Some(crypto::thumbprint_octets(provider, &jwk))
}
