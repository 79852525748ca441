//! `keys`: public keys in files of their own, and shared secrets that the document only points at
//! (loader refusal 11).

use zeroize::Zeroizing;

use super::super::issuer::parse_algorithm;
use super::{Loader, Place};
use crate::encoding::base64url;
use crate::jwa::Algorithm;
use crate::jwk::{Jwk, KeyError};
use crate::limits;
use crate::policy::section::Section;

/// Where a key can be; exactly one must be written.
const FORMS: [&str; 4] = ["pem_file", "der_file", "x509_file", "secret"];

impl Loader<'_, '_, '_> {
    pub(super) fn keys(&mut self) {
        for key in self.section.list("keys") {
            let place = Place::new(key.path.clone(), key.node.at);
            if let Some(jwk) = self.key(&key, &place) {
                self.admit(jwk, place);
            }
        }
    }

    fn key(&mut self, key: &Section<'_>, place: &Place) -> Option<Jwk> {
        let forms: Vec<_> = FORMS.into_iter().filter(|form| key.has(form)).collect();
        let [form] = forms.as_slice() else {
            self.refuse(
                place,
                "write exactly one of pem_file, der_file, x509_file and secret",
            );
            return None;
        };
        let algorithm = match key
            .text("alg")
            .map(|name| parse_algorithm(&name))
            .transpose()
        {
            Ok(algorithm) => algorithm,
            Err(text) => return self.refuse_member(key, "alg", text),
        };
        let mut jwk = match *form {
            "secret" => self.secret(key, algorithm, place)?,
            form => self.public_key(key, form)?,
        };
        if let Some(algorithm) = algorithm {
            jwk = match jwk.with_algorithm(algorithm) {
                Ok(jwk) => jwk,
                Err(error) => return self.refuse_member(key, "alg", error.to_string()),
            };
        }
        if let Some(kid) = key.text("kid") {
            if kid.is_empty() || kid.len() > limits::KID_SIZE {
                return self.refuse_member(key, "kid", "a kid has 1 to 1024 bytes"); // KEY-04
            }
            jwk = jwk.with_kid(kid);
        }
        match self.unlisted(&jwk).filter(|_| !self.algorithms.is_empty()) {
            Some(algorithm) => {
                let text = format!("a key for {algorithm}, and algorithms has no {algorithm}");
                self.refuse(place, &text);
                None
            }
            None => Some(jwk),
        }
    }

    fn public_key(&mut self, key: &Section<'_>, form: &str) -> Option<Jwk> {
        let (place, content) = self.file(key, form)?;
        let read: fn(&[u8]) -> Result<Jwk, KeyError> = match form {
            "pem_file" => Jwk::from_pem,
            "der_file" => Jwk::from_der,
            _ => Jwk::from_x509_der,
        };
        read(&content.bytes)
            .map_err(|error| self.refuse(&place, &error.to_string()))
            .ok()
    }

    /// An HMAC key from outside the document.
    fn secret(
        &mut self,
        key: &Section<'_>,
        algorithm: Option<Algorithm>,
        place: &Place,
    ) -> Option<Jwk> {
        let Some(algorithm) = algorithm.filter(|algorithm| algorithm.is_symmetric()) else {
            self.refuse(place, "a secret needs its algorithm. Write alg = \"HS256\"");
            return None;
        };
        let secret = self.compiler.secret(key, "secret")?;
        let encoded = Zeroizing::new(base64url::encode(&secret));
        let json = Zeroizing::new(format!(
            "{{\"kty\":\"oct\",\"alg\":\"{algorithm}\",\"k\":\"{}\"}}",
            encoded.as_str()
        ));
        Jwk::parse(json.as_bytes())
            .map_err(|error| self.refuse(place, &error.to_string()))
            .ok()
    }

    fn refuse_member<T>(
        &mut self,
        key: &Section<'_>,
        name: &str,
        text: impl Into<String>,
    ) -> Option<T> {
        self.compiler.problems.push(key.problem(name, text));
        None
    }
}
