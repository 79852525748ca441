//! Reading private keys: JWK, PKCS#8 and PEM.

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use x509_parser::asn1_rs::{self, FromDer};
use zeroize::Zeroizing;

use super::{INVALID, RSA_MEMBERS, SigningKey, ecdsa};
use crate::encoding::base64url;
use crate::encoding::json::{Json, Value};
use crate::jwa::{Algorithm, Curve, Family};
use crate::jwk::KeyError;
use crate::limits::Limits;

impl SigningKey {
    /// Reads a private or shared JWK. It is bound to its `alg`, or by its curve; an RSA or shared
    /// key without `alg` to RS256 or HS256.
    ///
    /// # Errors
    ///
    /// When it is none, or its parts do not fit one another.
    pub fn from_jwk(text: &[u8]) -> Result<Self, KeyError> {
        let json = Json::parse(text.to_vec(), Limits::KEYS.into());
        let json =
            json.map_err(|_| KeyError::malformed("", "not a JSON object, or not strictly"))?;
        let jwk = json.root();
        let text = |name| jwk.get(name).and_then(|value: Value<'_>| value.as_str());
        let algorithm = match (
            text("alg"),
            text("crv").and_then(Curve::from_name),
            text("kty"),
        ) {
            (Some("EdDSA"), Some(curve), _) | (None, Some(curve), _) => curve.algorithm(),
            (Some(name), ..) => Algorithm::from_name(name).ok_or(INVALID)?,
            (None, None, Some("RSA")) => Algorithm::Rs256,
            (None, None, Some("oct")) => Algorithm::Hs256,
            (None, None, _) => return Err(INVALID),
        };
        let mut key = match algorithm.family() {
            Family::Ecdsa => Self::from_scalar(algorithm, &octets(jwk, "d")?)?,
            Family::Eddsa => Self::from_private_seed(algorithm, &octets(jwk, "d")?)?,
            Family::MlDsa => Self::from_private_seed(algorithm, &octets(jwk, "priv")?)?,
            Family::Hmac => Self::from_secret(algorithm, &octets(jwk, "k")?)?,
            Family::RsaPkcs1 | Family::RsaPss => Self::from_rsa_members(algorithm, jwk)?,
        };
        let public = key.public.to_json();
        for name in ["crv", "x", "y", "pub", "n"] {
            if text(name).is_some_and(|value| !public.contains(&format!("\"{name}\":\"{value}\"")))
            {
                return Err(KeyError::malformed(
                    name,
                    "does not belong to the private key",
                ));
            }
        }
        if let Some(kid) = text("kid") {
            key = key.with_kid(kid);
        }
        Ok(key)
    }

    /// Reads a PKCS#8 private key (RFC 5958) in DER.
    ///
    /// # Errors
    ///
    /// When it is none for this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm.family() {
            Family::Ecdsa => {
                let pair = EcdsaKeyPair::from_pkcs8(ecdsa(algorithm)?, der).map_err(|_| INVALID)?;
                let scalar = pair.private_key().as_be_bytes().map_err(|_| INVALID)?;
                Self::from_scalar(algorithm, scalar.as_ref())
            }
            Family::Eddsa => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| INVALID)?;
                let seed = pair.seed().map_err(|_| INVALID)?;
                let seed = seed.as_be_bytes().map_err(|_| INVALID)?;
                Self::from_private_seed(algorithm, seed.as_ref())
            }
            Family::RsaPkcs1 | Family::RsaPss => Self::from_rsa(algorithm, &rsa_members(der)?),
            Family::MlDsa | Family::Hmac => Err(INVALID),
        }
    }

    /// Reads a PEM block `PRIVATE KEY` (PKCS#8); the algorithm is that of its kind, RS256 for RSA.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(text).map_err(|_| INVALID)?;
        let contents = Zeroizing::new(pem.contents);
        if pem.label != "PRIVATE KEY" {
            return Err(KeyError::malformed(
                "",
                "not a PEM block PRIVATE KEY (PKCS#8)",
            ));
        }
        let kinds = [
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::Es512,
            Algorithm::Es256k,
            Algorithm::Ed25519,
            Algorithm::Rs256,
        ];
        let mut keys = kinds
            .into_iter()
            .map(|kind| Self::from_pkcs8(kind, &contents));
        keys.find_map(Result::ok).ok_or(INVALID)
    }

    fn from_rsa_members(algorithm: Algorithm, jwk: Value<'_>) -> Result<Self, KeyError> {
        let mut members = Vec::with_capacity(RSA_MEMBERS.len());
        for name in RSA_MEMBERS {
            members.push(Zeroizing::new(octets(jwk, name)?));
        }
        Self::from_rsa(algorithm, &members)
    }
}

fn octets(jwk: Value<'_>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = jwk.get(name).and_then(|value| value.as_str());
    let octets = text.and_then(|text| base64url::decode(text.as_bytes()));
    octets.ok_or_else(|| KeyError::malformed(name, "missing, or not canonical base64url"))
}

/// The integers of the RSAPrivateKey (RFC 8017 A.1.2) inside a PKCS#8 document.
fn rsa_members(der: &[u8]) -> Result<Vec<Zeroizing<Vec<u8>>>, KeyError> {
    let invalid = |_: asn1_rs::Err<asn1_rs::Error>| INVALID;
    let (_, outer) = asn1_rs::Sequence::from_der(der).map_err(invalid)?;
    let (rest, _) = asn1_rs::Any::from_der(&outer.content).map_err(invalid)?;
    let (rest, _) = asn1_rs::Any::from_der(rest).map_err(invalid)?;
    let (_, inner) = asn1_rs::OctetString::from_der(rest).map_err(invalid)?;
    let (_, key) = asn1_rs::Sequence::from_der(inner.as_ref()).map_err(invalid)?;
    let (mut rest, _) = asn1_rs::Integer::from_der(&key.content).map_err(invalid)?;
    let mut members = Vec::with_capacity(RSA_MEMBERS.len());
    for _ in RSA_MEMBERS {
        let (after, integer) = asn1_rs::Integer::from_der(rest).map_err(invalid)?;
        let octets = integer.as_ref();
        members.push(Zeroizing::new(
            octets.strip_prefix(&[0]).unwrap_or(octets).to_vec(),
        ));
        rest = after;
    }
    Ok(members)
}
