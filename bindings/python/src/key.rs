//! Keys as values: public ones for `compat.pyjwt`, private ones for `testing`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sealgate::crypto::{self, SignatureJob, Signed, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, JwkSet, KeyError, KeyMaterial};
use sealgate::{Code, Error};

use crate::errors::{usage, without_gate};
use crate::input;
use crate::keys::{Skipped, skipped};

/// A key that verifies signatures.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct Key {
    jwk: Jwk,
}

/// A message and a signature that are no token.
struct Raw<'a> {
    message: &'a [u8],
    signature: &'a [u8],
}

impl Signed for Raw<'_> {
    fn message(&self) -> &[u8] {
        self.message
    }

    fn signature(&self) -> &[u8] {
        self.signature
    }
}

#[pymethods]
impl Key {
    /// Reads a key: `format` is `"jwk"`, `"pem"`, `"der"` or `"x509"`. `alg` binds it to one
    /// algorithm. Raises the error of the code that says why it cannot be used.
    #[staticmethod]
    #[pyo3(signature = (data, format, alg=None))]
    fn load(
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        format: &str,
        alg: Option<&str>,
    ) -> PyResult<Self> {
        let text = input::jwks_text(data, "key")?;
        let read = match format {
            "jwk" => Jwk::parse(&text),
            "pem" => Jwk::from_pem(&text),
            "der" => Jwk::from_der(&text),
            "x509" => Jwk::from_x509_der(&text),
            _ => {
                return Err(usage(
                    py,
                    "format must be \"jwk\", \"pem\", \"der\" or \"x509\"",
                ));
            }
        };
        let mut jwk = read.map_err(|error| refused(py, &error))?;
        if let Some(name) = alg {
            let bound = jwk.with_algorithm(algorithm(py, name)?);
            jwk = bound.map_err(|error| refused(py, &error))?;
        }
        // Loaded for real: a provider may refuse what the reader took.
        let unbound = match jwk.material() {
            KeyMaterial::Rsa { .. } => Some(Algorithm::Rs256),
            _ => None,
        };
        if let Some(algorithm) = jwk.algorithm().or(unbound) {
            (aws_lc::provider().load)(&jwk, algorithm).map_err(|error| refused(py, &error))?;
        }
        Ok(Self { jwk })
    }

    /// `kid`.
    #[getter]
    fn kid(&self) -> Option<&str> {
        self.jwk.kid()
    }

    /// `kty`.
    #[getter]
    fn kty(&self) -> &'static str {
        self.jwk.kty()
    }

    /// The one algorithm it is bound to.
    #[getter]
    fn alg(&self) -> Option<&'static str> {
        self.jwk.algorithm().map(Algorithm::name)
    }

    /// JWK SHA-256 thumbprint (RFC 7638).
    #[getter]
    fn thumbprint(&self) -> String {
        crypto::thumbprint(&aws_lc::provider(), &self.jwk)
    }

    /// The key as JWK text; of a shared key, the secret.
    fn to_json(&self) -> String {
        self.jwk.to_json()
    }

    /// Checks one signature over bytes that are no token; raises `SignatureError`.
    fn verify(&self, py: Python<'_>, message: &[u8], signature: &[u8], alg: &str) -> PyResult<()> {
        let provider = aws_lc::provider();
        let key = (provider.load)(&self.jwk, algorithm(py, alg)?);
        let key = key.map_err(|error| refused(py, &error))?;
        let verified = provider.verify(SignatureJob::new(&key, Raw { message, signature }));
        match verified {
            Some(_) => Ok(()),
            None => Err(without_gate(py, Code::BadSignature.into())),
        }
    }

    fn __repr__(&self) -> String {
        format!("<Key {}>", self.kty())
    }
}

/// A JWK Set: its usable keys, and `(index, reason)` of the others.
#[pyfunction]
pub(crate) fn parse_jwks<'py>(
    py: Python<'py>,
    text: &Bound<'py, PyAny>,
) -> PyResult<(Vec<Key>, Vec<Skipped>)> {
    let text = input::jwks_text(text, "jwks")?;
    let set = JwkSet::parse(&text).map_err(|error| refused(py, &error))?;
    let keys = set.keys().iter().map(|jwk| Key { jwk: jwk.clone() });
    Ok((keys.collect(), set.skipped().iter().map(skipped).collect()))
}

/// A private or shared key bound to one algorithm, for minting.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct SigningKey {
    pub(crate) key: Arc<crypto::SigningKey>,
}

#[pymethods]
impl SigningKey {
    /// A key for `alg` under this `kid`: the one the 32 bytes of `seed` stand for; without a seed,
    /// or for RSA, a fresh one.
    #[staticmethod]
    #[pyo3(signature = (alg, kid, seed=None))]
    fn make(py: Python<'_>, alg: &str, kid: &str, seed: Option<[u8; 32]>) -> PyResult<Self> {
        let algorithm = algorithm(py, alg)?;
        let seeded = seed.and_then(|seed| crypto::SigningKey::from_seed(algorithm, &seed).ok());
        let key = seeded.map_or_else(|| py.detach(|| crypto::SigningKey::generate(algorithm)), Ok);
        let key = key.map_err(|error| refused(py, &error))?;
        Ok(Self {
            key: Arc::new(key.with_kid(kid)),
        })
    }

    /// The one algorithm it signs with.
    #[getter]
    fn alg(&self) -> &'static str {
        self.key.algorithm().name()
    }

    /// `kid`.
    #[getter]
    fn kid(&self) -> Option<&str> {
        self.key.kid()
    }

    /// JWK SHA-256 thumbprint (RFC 7638) of the public half.
    #[getter]
    fn thumbprint(&self) -> String {
        crypto::thumbprint(&aws_lc::provider(), self.key.verifying_jwk())
    }

    /// The public half as JWK text; of a shared key, the key.
    fn public_json(&self) -> String {
        self.key.verifying_jwk().to_json()
    }

    /// Signs `message`.
    fn sign<'py>(&self, py: Python<'py>, message: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let signature = self
            .key
            .sign(message)
            .map_err(|error| refused(py, &error))?;
        Ok(PyBytes::new(py, &signature))
    }

    fn __repr__(&self) -> String {
        format!("<SigningKey {}>", self.alg())
    }
}

/// The exception of a key that cannot be used.
pub(crate) fn refused(py: Python<'_>, error: &KeyError) -> PyErr {
    without_gate(py, error.code().into())
}

/// An algorithm by its JOSE name (RFC 7518, RFC 9864).
pub(crate) fn algorithm(py: Python<'_>, name: &str) -> PyResult<Algorithm> {
    Algorithm::from_name(name).ok_or_else(|| without_gate(py, Error::from(Code::AlgNotAllowed)))
}
