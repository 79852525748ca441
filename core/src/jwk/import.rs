//! Public keys from PEM and DER: SubjectPublicKeyInfo (RFC 5280 §4.1), PKCS#1 RSAPublicKey (RFC
//! 8017 A.1.1) and X.509 certificates.
//!
//! A certificate is only the envelope of its key here: its dates, names and signature say nothing
//! about tokens. Private keys are refused by name, and text that is no key is never taken for a
//! secret (ALG-04).

use x509_parser::asn1_rs::{Integer, Oid, Sequence};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::signature_algorithm::RsaSsaPssParams;

use super::{Jwk, KeyError, KeyMaterial};
use crate::error::Code;
use crate::jwa::{Algorithm, Curve};
use crate::limits::JWK_SET_SIZE;

const RSA: &str = "1.2.840.113549.1.1.1";
const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const MGF1: &str = "1.2.840.113549.1.1.8";
/// The hash of each PS algorithm.
const PSS_HASHES: [(&str, Algorithm); 3] = [
    ("2.16.840.1.101.3.4.2.1", Algorithm::Ps256),
    ("2.16.840.1.101.3.4.2.2", Algorithm::Ps384),
    ("2.16.840.1.101.3.4.2.3", Algorithm::Ps512),
];
const EC: &str = "1.2.840.10045.2.1";
const ED25519: &str = "1.3.101.112";
const CURVES: [(&str, Curve); 4] = [
    ("1.2.840.10045.3.1.7", Curve::P256),
    ("1.3.132.0.34", Curve::P384),
    ("1.3.132.0.35", Curve::P521),
    ("1.3.132.0.10", Curve::Secp256k1),
];
/// RFC 9881 §4.
const ML_DSA: [(&str, Algorithm); 3] = [
    ("2.16.840.1.101.3.4.3.17", Algorithm::MlDsa44),
    ("2.16.840.1.101.3.4.3.18", Algorithm::MlDsa65),
    ("2.16.840.1.101.3.4.3.19", Algorithm::MlDsa87),
];

const NOT_A_KEY: KeyError = KeyError::malformed("", "not a public key of a form that is known");

impl Jwk {
    /// Reads the one PEM block of a text: `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`.
    ///
    /// # Errors
    ///
    /// When there is none, or more than one, or it holds a private key.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        if text.len() > JWK_SET_SIZE {
            return Err(KeyError::malformed("", "larger than 1 MiB"));
        }
        let mut blocks = Pem::iter_from_buffer(text);
        let Some(Ok(block)) = blocks.next() else {
            return Err(KeyError::malformed("", "no PEM block with a public key"));
        };
        if blocks.next().is_some() {
            return Err(KeyError::malformed("", "more than one PEM block"));
        }
        match block.label.as_str() {
            "PUBLIC KEY" => from_spki(&block.contents),
            "RSA PUBLIC KEY" => from_pkcs1(&block.contents),
            "CERTIFICATE" => Self::from_x509_der(&block.contents),
            label if label.ends_with("PRIVATE KEY") => Err(KeyError::malformed(
                "",
                "a private key where a public key belongs",
            )),
            _ => Err(KeyError::malformed(
                "",
                "a PEM block of another kind than a public key",
            )),
        }
    }

    /// Reads the DER of a SubjectPublicKeyInfo, an RSAPublicKey or a certificate.
    ///
    /// # Errors
    ///
    /// When it is none of them.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let not_one = |outcome: &Result<Self, KeyError>| {
            outcome.as_ref().is_err_and(|error| *error == NOT_A_KEY)
        };
        let mut outcome = from_spki(der);
        if not_one(&outcome) {
            outcome = from_pkcs1(der);
        }
        if not_one(&outcome) {
            outcome = Self::from_x509_der(der);
        }
        outcome
    }

    /// Reads the key of a DER X.509 certificate.
    ///
    /// # Errors
    ///
    /// When it is no certificate, or its key is of no supported kind.
    pub fn from_x509_der(der: &[u8]) -> Result<Self, KeyError> {
        match X509Certificate::from_der(der) {
            Ok(([], certificate)) => of_info(certificate.public_key()),
            Ok(_) | Err(_) => Err(NOT_A_KEY),
        }
    }
}

fn from_spki(der: &[u8]) -> Result<Jwk, KeyError> {
    match SubjectPublicKeyInfo::from_der(der) {
        Ok(([], info)) => of_info(&info),
        Ok(_) | Err(_) => Err(NOT_A_KEY),
    }
}

/// SEQUENCE { modulus, exponent } and nothing more: a private key begins like it.
fn from_pkcs1(der: &[u8]) -> Result<Jwk, KeyError> {
    let Ok(([], sequence)) = Sequence::from_der(der) else {
        return Err(NOT_A_KEY);
    };
    let Ok((rest, n)) = Integer::from_der(&sequence.content) else {
        return Err(NOT_A_KEY);
    };
    let Ok(([], e)) = Integer::from_der(rest) else {
        return Err(NOT_A_KEY);
    };
    of_material(KeyMaterial::rsa(
        unsigned(n.as_ref())?,
        unsigned(e.as_ref())?,
    )?)
}

/// DER integers carry a zero octet where the first bit would be a sign; a JWK's do not.
fn unsigned(integer: &[u8]) -> Result<Vec<u8>, KeyError> {
    match integer {
        [0, rest @ ..] if rest.first().is_some_and(|byte| byte & 0x80 != 0) => Ok(rest.to_vec()),
        [first, ..] if first & 0x80 == 0 => Ok(integer.to_vec()),
        _ => Err(NOT_A_KEY),
    }
}

fn of_info(info: &SubjectPublicKeyInfo<'_>) -> Result<Jwk, KeyError> {
    let kind = info.algorithm.algorithm.to_id_string();
    let bits = &info.subject_public_key;
    if bits.unused_bits != 0 {
        return Err(NOT_A_KEY);
    }
    let key = bits.data.as_ref();
    let material = match kind.as_str() {
        RSA => return from_pkcs1(key),
        RSA_PSS => return from_pkcs1(key)?.with_algorithm(pss(info)?),
        EC => of_point(curve(info)?, key)?,
        ED25519 => KeyMaterial::ed25519(key.to_vec())?,
        other => match ML_DSA.iter().find(|(id, _)| *id == other) {
            Some((_, algorithm)) => KeyMaterial::ml_dsa(*algorithm, key.to_vec())?,
            None => {
                let reason = "a key of a kind that no supported algorithm uses";
                return Err(KeyError::new(Code::AlgNotAllowed, "", reason));
            }
        },
    };
    of_material(material)
}

fn of_material(material: KeyMaterial) -> Result<Jwk, KeyError> {
    material.check_point()?;
    let algorithm = match &material {
        KeyMaterial::Rsa { .. } | KeyMaterial::Oct(_) => None,
        KeyMaterial::Ec { curve, .. } | KeyMaterial::Okp { curve, .. } => Some(curve.algorithm()),
        KeyMaterial::Akp { algorithm, .. } => Some(*algorithm),
    };
    Ok(Jwk {
        kid: None,
        usage: None,
        algorithm,
        material,
    })
}

/// The algorithm of an id-RSASSA-PSS key (RFC 4055 §1.2, ALG-08): its parameters name the hash and
/// the mask, and the least length of the salt. A key without parameters is for no PKCS#1 v1.5
/// signature, which a JWK can only say by `alg`.
fn pss(info: &SubjectPublicKeyInfo<'_>) -> Result<Algorithm, KeyError> {
    let other = |reason| KeyError::new(Code::AlgNotAllowed, "", reason);
    let unbound = other("an RSASSA-PSS key without parameters: write it as a JWK with alg");
    let parameters = info.algorithm.parameters.as_ref().ok_or(unbound)?;
    let parameters = RsaSsaPssParams::try_from(parameters).map_err(|_| NOT_A_KEY)?;
    let mask = parameters.mask_gen_algorithm().map_err(|_| NOT_A_KEY)?;
    let hash = parameters.hash_algorithm_oid();
    let id = hash.to_id_string();
    let found = PSS_HASHES.iter().find(|(known, _)| *known == id);
    let algorithm = found.map(|(_, algorithm)| *algorithm).filter(|algorithm| {
        let size = u32::try_from(algorithm.hash_bits() / 8).unwrap_or(0);
        mask.mgf.to_id_string() == MGF1
            && mask.hash == *hash
            && parameters.salt_length() <= size
            && parameters.trailer_field() == 1
    });
    algorithm.ok_or_else(|| other("RSASSA-PSS parameters of no PS algorithm"))
}

fn curve(info: &SubjectPublicKeyInfo<'_>) -> Result<Curve, KeyError> {
    let id = info
        .algorithm
        .parameters
        .as_ref()
        .and_then(|any| Oid::try_from(any).ok());
    let id = id.map(|id| id.to_id_string());
    let known = CURVES
        .iter()
        .find(|(known, _)| Some(*known) == id.as_deref());
    let unknown = KeyError::new(Code::AlgNotAllowed, "crv", "a curve that is not supported");
    known.map(|(_, curve)| *curve).ok_or(unknown)
}

/// An uncompressed point (SEC 1 §2.3.3); JWKs have no other form.
fn of_point(curve: Curve, point: &[u8]) -> Result<KeyMaterial, KeyError> {
    let compressed = KeyError::weak("", "a point that is compressed or of the wrong length");
    let [4, coordinates @ ..] = point else {
        return Err(compressed);
    };
    let (x, y) = coordinates
        .split_at_checked(curve.coordinate_size())
        .ok_or(compressed)?;
    KeyMaterial::ec(curve, x.to_vec(), y.to_vec())
}
