//! Reads one JWK strictly (ALG-05, ALG-07, ALG-09, OKP-01, PQ-02).

use super::{Jwk, KeyError, KeyMaterial, Secret, curve};
use crate::encoding::base64url;
use crate::encoding::json::{Json, Value};
use crate::error::Code;
use crate::jwa::{Algorithm, Curve, Family, LEGACY_EDDSA};
use crate::limits::{KID_SIZE, Limits, RSA_BITS};

/// The largest RSA exponent that providers take, 2³³ - 1; larger keys would load and never verify.
const RSA_EXPONENT: u64 = (1 << 33) - 1;

impl Jwk {
    /// Reads one JWK: a public key, or a symmetric one.
    ///
    /// # Errors
    ///
    /// Why it cannot be used for verifying; private members are refused, not ignored.
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        let json = Json::parse(text.to_vec(), Limits::KEYS.into());
        let json =
            json.map_err(|_| KeyError::malformed("", "not a JSON object, or not strictly"))?;
        Self::from_json(json.root())
    }

    pub(crate) fn from_json(value: Value<'_>) -> Result<Self, KeyError> {
        let jwk = Self::read(value)?;
        jwk.material.check_point()?;
        Ok(jwk)
    }

    /// Reads the public key that comes with a token, of whoever bears it: as strictly, except that
    /// whether a point is on its curve (ALG-07) is left to the provider. There it costs nothing
    /// beside the signature; here it would cost more than one, for a key that is used once.
    pub(crate) fn of_bearer(value: Value<'_>) -> Result<Self, KeyError> {
        let jwk = Self::read(value)?;
        match jwk.material {
            KeyMaterial::Oct(_) => Err(KeyError::malformed("kty", "a shared key, shown to all")),
            KeyMaterial::Rsa { .. }
            | KeyMaterial::Ec { .. }
            | KeyMaterial::Okp { .. }
            | KeyMaterial::Akp { .. } => Ok(jwk),
        }
    }

    fn read(value: Value<'_>) -> Result<Self, KeyError> {
        if value.as_object().is_none() {
            return Err(KeyError::malformed("", "not a JSON object"));
        }
        let material = match text(value, "kty")?.unwrap_or_default() {
            "RSA" => rsa(value)?,
            "EC" => ec(value)?,
            "OKP" => okp(value)?,
            "AKP" => akp(value)?,
            "oct" => oct(value)?,
            _ => {
                return Err(KeyError::new(
                    Code::AlgNotAllowed,
                    "kty",
                    "unknown or missing",
                ));
            }
        };
        let kid = text(value, "kid")?;
        if kid.is_some_and(|kid| kid.len() > KID_SIZE) {
            return Err(KeyError::malformed("kid", "longer than 1 KiB")); // KEY-04
        }
        let usage = text(value, "use")?;
        if !matches!(usage, None | Some("sig" | "jwt-svid" | "wit-svid")) {
            return Err(KeyError::new(
                Code::KeyUseMismatch,
                "use",
                "not for signatures",
            ));
        }
        check_operations(value)?;
        let mut jwk = Self {
            kid: kid.map(Box::from),
            usage: usage.map(Box::from),
            algorithm: None,
            material,
        };
        jwk.algorithm = match text(value, "alg")? {
            Some(name) => Some(named(name, &jwk.material)?),
            None => default_algorithm(&jwk.material)?,
        };
        if let Some(algorithm) = jwk.algorithm {
            jwk.check_fits(algorithm)?;
        }
        Ok(jwk)
    }
}

/// The algorithm an `alg` member names; `EdDSA` names the curve's (OKP-03).
fn named(name: &str, material: &KeyMaterial) -> Result<Algorithm, KeyError> {
    if name == LEGACY_EDDSA {
        let edwards =
            matches!(material, KeyMaterial::Okp { curve, .. } if *curve == Curve::Ed25519);
        return if edwards {
            Ok(Algorithm::Ed25519)
        } else {
            Err(KeyError::mismatch())
        };
    }
    let unknown = KeyError::new(Code::AlgNotAllowed, "alg", "not a JWS signature algorithm");
    Algorithm::from_name(name).ok_or(unknown)
}

/// What kty and crv bind a key without `alg` to (ALG-03).
fn default_algorithm(material: &KeyMaterial) -> Result<Option<Algorithm>, KeyError> {
    match material {
        KeyMaterial::Rsa { .. } | KeyMaterial::Oct(_) => Ok(None),
        KeyMaterial::Ec { curve, .. } | KeyMaterial::Okp { curve, .. } => {
            Ok(Some(curve.algorithm()))
        }
        KeyMaterial::Akp { .. } => {
            Err(KeyError::new(
                Code::AlgKeyMismatch,
                "alg",
                "an AKP key must have it",
            )) // PQ-01
        }
    }
}

fn text<'a>(jwk: Value<'a>, name: &'static str) -> Result<Option<&'a str>, KeyError> {
    let Some(value) = jwk.get(name) else {
        return Ok(None);
    };
    value
        .as_str()
        .map(Some)
        .ok_or_else(|| KeyError::malformed(name, "must be a string"))
}

fn octets(jwk: Value<'_>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = text(jwk, name)?.ok_or_else(|| KeyError::malformed(name, "missing"))?;
    let canonical = "must be canonical base64url without padding";
    base64url::decode(text.as_bytes()).ok_or_else(|| KeyError::malformed(name, canonical))
}

/// ALG-09: private members mean that somebody has published a private key.
fn refuse_private(jwk: Value<'_>, members: &[&'static str]) -> Result<(), KeyError> {
    match members.iter().find(|name| jwk.get(name).is_some()) {
        Some(name) => Err(KeyError::malformed(
            name,
            "a private key where a public key belongs",
        )),
        None => Ok(()),
    }
}

/// RFC 7517 §4.3.
fn check_operations(jwk: Value<'_>) -> Result<(), KeyError> {
    let Some(operations) = jwk.get("key_ops") else {
        return Ok(());
    };
    let malformed = || KeyError::malformed("key_ops", "must be an array of strings");
    let mut verifies = false;
    for operation in operations.as_array().ok_or_else(malformed)? {
        verifies |= operation.as_str().ok_or_else(malformed)? == "verify";
    }
    if verifies {
        return Ok(());
    }
    Err(KeyError::new(
        Code::KeyUseMismatch,
        "key_ops",
        "does not list verify",
    ))
}

fn rsa(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    refuse_private(jwk, &["d", "p", "q", "dp", "dq", "qi", "oth"])?;
    KeyMaterial::rsa(octets(jwk, "n")?, octets(jwk, "e")?)
}

impl KeyMaterial {
    /// An RSA public key of acceptable size (ALG-05).
    pub(super) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, KeyError> {
        // RFC 7518 §6.3.1: the minimum number of octets.
        if n.first().is_none_or(|byte| *byte == 0) {
            return Err(KeyError::malformed("n", "empty or with leading zeros"));
        }
        if e.first().is_none_or(|byte| *byte == 0) {
            return Err(KeyError::malformed("e", "empty or with leading zeros"));
        }
        let unused: u32 = n.first().map_or(0, |byte| byte.leading_zeros());
        let bits = n.len() * 8 - usize::try_from(unused).unwrap_or(0);
        if !RSA_BITS.contains(&bits) {
            return Err(KeyError::weak("n", "must have 2048 to 8192 bits"));
        }
        if n.last().is_some_and(|byte| byte % 2 == 0) {
            return Err(KeyError::weak("n", "even, so not a product of two primes"));
        }
        let exponent = e.iter().try_fold(0u64, |value, byte| {
            value.checked_mul(256)?.checked_add(u64::from(*byte))
        });
        if !exponent.is_some_and(|e| e % 2 == 1 && (3..=RSA_EXPONENT).contains(&e)) {
            let reason = "must be odd, at least 3 and at most 33 bits";
            return Err(KeyError::weak("e", reason));
        }
        Ok(Self::Rsa { n, e })
    }

    /// Coordinates of the curve's length (ALG-07).
    pub(super) fn ec(curve: Curve, x: Vec<u8>, y: Vec<u8>) -> Result<Self, KeyError> {
        let size = curve.coordinate_size();
        if x.len() != size || y.len() != size {
            return Err(KeyError::weak(
                "x",
                "coordinates must have the curve's full length",
            ));
        }
        Ok(Self::Ec { curve, x, y })
    }

    /// Whether what should be a point is one of its curve (ALG-07).
    pub(super) fn check_point(&self) -> Result<(), KeyError> {
        let is_point = match self {
            Self::Ec { curve, x, y } => curve::has_point(*curve, x, y),
            Self::Okp { x, .. } => {
                let ordinate = <[u8; 32]>::try_from(x.as_slice()).map(|mut ordinate| {
                    ordinate[31] &= 0x7f;
                    ordinate
                });
                ordinate.is_ok_and(|ordinate| curve::has_ed25519_ordinate(&ordinate))
            }
            Self::Rsa { .. } | Self::Akp { .. } | Self::Oct(_) => true,
        };
        if is_point {
            Ok(())
        } else {
            Err(KeyError::weak("x", "not a point on the curve"))
        }
    }

    /// An Ed25519 key that is not of small order (OKP-01, OKP-02).
    pub(super) fn ed25519(x: Vec<u8>) -> Result<Self, KeyError> {
        let weak = || KeyError::weak("x", "must be 32 octets of a canonical point of large order");
        let point: &[u8; 32] = x.as_slice().try_into().map_err(|_| weak())?;
        if is_small_order_or_non_canonical(point) {
            return Err(weak());
        }
        Ok(Self::Okp {
            curve: Curve::Ed25519,
            x,
        })
    }

    /// An ML-DSA public key of its parameter set's length (PQ-02).
    pub(super) fn ml_dsa(algorithm: Algorithm, public: Vec<u8>) -> Result<Self, KeyError> {
        if algorithm.public_size() != Some(public.len()) {
            return Err(KeyError::weak(
                "pub",
                "not of the length of its parameter set",
            ));
        }
        Ok(Self::Akp { algorithm, public })
    }
}

fn ec(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    refuse_private(jwk, &["d"])?;
    let curve = text(jwk, "crv")?.and_then(Curve::from_name);
    let curve = curve.filter(|curve| curve.algorithm().family() == Family::Ecdsa);
    let unknown = || KeyError::new(Code::AlgNotAllowed, "crv", "unknown or missing");
    KeyMaterial::ec(
        curve.ok_or_else(unknown)?,
        octets(jwk, "x")?,
        octets(jwk, "y")?,
    )
}

fn okp(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    refuse_private(jwk, &["d"])?;
    if text(jwk, "crv")? != Some(Curve::Ed25519.name()) {
        let reason = "only Ed25519 is supported";
        return Err(KeyError::new(Code::AlgNotAllowed, "crv", reason));
    }
    KeyMaterial::ed25519(octets(jwk, "x")?)
}

fn akp(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    refuse_private(jwk, &["priv"])?;
    let name = text(jwk, "alg")?;
    let missing = || KeyError::new(Code::AlgKeyMismatch, "alg", "an AKP key must have it"); // PQ-01
    let algorithm = Algorithm::from_name(name.ok_or_else(missing)?);
    let algorithm = algorithm.filter(|algorithm| algorithm.family() == Family::MlDsa);
    let unknown = || KeyError::new(Code::AlgNotAllowed, "alg", "not an algorithm of AKP keys");
    KeyMaterial::ml_dsa(algorithm.ok_or_else(unknown)?, octets(jwk, "pub")?)
}

fn oct(jwk: Value<'_>) -> Result<KeyMaterial, KeyError> {
    let secret = octets(jwk, "k")?;
    if secret.is_empty() {
        return Err(KeyError::weak("k", "empty"));
    }
    Ok(KeyMaterial::Oct(Secret::new(secret)))
}

/// The eight points whose order divides the cofactor, without their sign bit: a signature under
/// one of them fits nearly any message (OKP-02). Ordinates of p and above name points a second
/// time.
fn is_small_order_or_non_canonical(point: &[u8; 32]) -> bool {
    const ORDER_8: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    let [low @ .., last] = point;
    let mut ordinate = *point;
    ordinate[31] = last & 0x7f;
    let ends_high = low.iter().skip(1).all(|byte| *byte == 0xff) && ordinate[31] == 0x7f;
    let zero_or_one = ordinate.iter().skip(1).all(|byte| *byte == 0) && ordinate[0] <= 1;
    // p = 2^255 - 19 ends (little-endian, begins) in 0xed; p - 1 is the point of order 2.
    (ends_high && ordinate[0] >= 0xec) || zero_or_one || ORDER_8.contains(&ordinate)
}
