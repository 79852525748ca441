//! Where an issuer's keys come from: exactly one source, and only public keys or secrets kept
//! elsewhere (loader refusals 5, 9 and 11).

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::Compiler;
use super::issuer::parse_algorithm;
use crate::encoding::base64url;
use crate::error::Code;
use crate::jwa::{Algorithm, AlgorithmSet, Family};
use crate::jwk::{Jwk, KeyError, KeyMaterial};
use crate::limits;
use crate::policy::document::{Node, Position, item_path, join, read_json};
use crate::policy::section::Section;
use crate::policy::{KeySource, Profile};

/// An issuer's keys and the place of each in the document.
pub(super) struct Source {
    pub(super) keys: KeySource,
    pub(super) paths: Vec<String>,
}

/// The sources of this version; exactly one must be written.
const SOURCES: [&str; 4] = ["jwks", "jwks_file", "keys", "jwks_push"];
/// Those to come: refused by name already, so that nothing more need be said of a missing key.
const LATER: [&str; 2] = ["discovery", "jwks_uri"];

pub(super) fn source(
    section: &Section<'_>,
    algorithms: AlgorithmSet,
    profiles: &[Profile],
    compiler: &mut Compiler<'_>,
) -> Source {
    let written: Vec<_> = SOURCES
        .into_iter()
        .chain(LATER)
        .filter(|name| section.has(name))
        .collect();
    match written.as_slice() {
        [] => {
            let text = "no keys: discovery is not available in this version yet. Write jwks, \
                        jwks_file, keys, or jwks_push = \"process\"";
            compiler.problems.push(section.problem_here(text));
        }
        [_] => {}
        [first, second, ..] => {
            let text = format!("{first} and {second} both name keys. Keep one");
            compiler.problems.push(section.problem_here(text));
        }
    }
    let symmetric = algorithms.iter().any(Algorithm::is_symmetric);
    let mut loader = Loader {
        section,
        algorithms,
        symmetric,
        compiler,
        found: Vec::new(),
    };
    loader.jwks();
    loader.jwks_file();
    loader.keys();
    loader.check_duplicates();
    let found = loader.found;
    if section.has("jwks_push") {
        let at = section.position("jwks_push");
        let text = "reaches one process; every other worker needs its own publish";
        compiler.warn(section.at("jwks_push"), at, text);
        return Source {
            keys: KeySource::Push,
            paths: Vec::new(),
        };
    }
    let named = written.iter().find(|name| SOURCES.contains(*name));
    if let Some(name) = named
        && found.is_empty()
        && !compiler.has_problem(section)
        && !profiles.is_empty()
    {
        compiler
            .problems
            .push(section.problem(name, "no key in it can be used"));
    }
    let (keys, paths) = found.into_iter().map(|key| (key.jwk, key.path)).unzip();
    Source {
        keys: KeySource::Static(keys),
        paths,
    }
}

struct Found {
    jwk: Jwk,
    path: String,
    at: Position,
}

struct Loader<'l, 'd, 'o> {
    section: &'l Section<'d>,
    algorithms: AlgorithmSet,
    symmetric: bool,
    compiler: &'l mut Compiler<'o>,
    found: Vec<Found>,
}

/// Where a key stands, as the document's author finds it.
#[derive(Clone)]
struct Place {
    path: String,
    at: Position,
    /// Set for the keys of a file: which one, in front of every text.
    within: String,
}

impl Loader<'_, '_, '_> {
    fn refuse(&mut self, place: &Place, text: &str) {
        let text = format!("{}{text}", place.within);
        self.compiler
            .problems
            .push(crate::policy::Problem::new(&place.path, place.at, text));
    }

    fn jwks(&mut self) {
        let Some(member) = self.section.member("jwks") else {
            return;
        };
        if member.node.kind() != "a table" {
            return; // refused by its shape
        }
        let path = self.section.at("jwks");
        let Some(keys) = member
            .node
            .member("keys")
            .filter(|keys| keys.node.kind() == "an array")
        else {
            let place = Place {
                path,
                at: member.node.at,
                within: String::new(),
            };
            self.refuse(&place, "not a JWK Set: it has no array \"keys\"");
            return;
        };
        let path = join(&path, "keys");
        for (index, key) in keys.node.items().iter().enumerate() {
            let path = item_path(&path, index);
            let place = Place {
                path,
                at: key.at,
                within: String::new(),
            };
            if is_secret(key) && !self.compiler.options.allow_test_keys {
                let text = "a secret in the document. Write keys = [{ secret = { env = \"NAME\" }, \
                            alg = \"HS256\" }]";
                self.refuse(&place, text);
            } else {
                self.json_key(key, place);
            }
        }
    }

    fn jwks_file(&mut self) {
        let Some((place, bytes)) = self.file(self.section, "jwks_file", limits::JWK_SET_SIZE)
        else {
            return;
        };
        let (set, problems) = match std::str::from_utf8(&bytes) {
            Ok(text) => read_json(text),
            Err(_) => {
                self.refuse(&place, "the file is not UTF-8");
                return;
            }
        };
        for problem in &problems {
            let text = format!("{}:{} of the file: {problem}", problem.line, problem.column);
            self.refuse(&place, &text);
        }
        let Some(set) = set else { return };
        let Some(keys) = set.get("keys").filter(|keys| keys.kind() == "an array") else {
            self.refuse(
                &place,
                "the file is not a JWK Set: it has no array \"keys\"",
            );
            return;
        };
        for (index, key) in keys.items().iter().enumerate() {
            let within = format!("keys[{index}] of the file: ");
            let place = Place {
                within,
                ..place.clone()
            };
            if is_secret(key) && self.is_public(self.section, "jwks_file", &place) {
                continue;
            }
            self.json_key(key, place);
        }
    }

    /// One JWK of a set. What belongs to others is passed over (RFC 7517 §5); what is broken is
    /// refused, since somebody wrote it here on purpose.
    fn json_key(&mut self, key: &Node, place: Place) {
        if has_private_part(key) {
            self.refuse(&place, "private key where a public key belongs");
            return;
        }
        let json = Zeroizing::new(key.to_canonical_json());
        match Jwk::parse(json.as_bytes()) {
            Ok(jwk) => self.admit(jwk, place),
            Err(error) if matches!(error.code(), Code::AlgNotAllowed | Code::KeyUseMismatch) => {
                let text = format!("{}passed over: {error}", place.within);
                self.compiler.warn(place.path, place.at, text);
            }
            Err(error) => self.refuse(&place, &error.to_string()),
        }
    }

    fn keys(&mut self) {
        const FORMS: [&str; 4] = ["pem_file", "der_file", "x509_file", "secret"];
        for key in self.section.list("keys") {
            let place = Place {
                path: key.path.clone(),
                at: key.node.at,
                within: String::new(),
            };
            let forms: Vec<_> = FORMS.into_iter().filter(|form| key.has(form)).collect();
            let [form] = forms.as_slice() else {
                self.refuse(
                    &place,
                    "write exactly one of pem_file, der_file, x509_file and secret",
                );
                continue;
            };
            let algorithm = match key.text("alg").map(|name| parse_algorithm(&name)) {
                Some(Err(text)) => {
                    self.compiler.problems.push(key.problem("alg", text));
                    continue;
                }
                Some(Ok(algorithm)) => Some(algorithm),
                None => None,
            };
            let jwk = match *form {
                "secret" => self.secret(&key, algorithm, &place),
                form => self.public_key(&key, form),
            };
            let Some(mut jwk) = jwk else { continue };
            if let Some(algorithm) = algorithm {
                jwk = match jwk.with_algorithm(algorithm) {
                    Ok(jwk) => jwk,
                    Err(error) => {
                        self.compiler
                            .problems
                            .push(key.problem("alg", error.to_string()));
                        continue;
                    }
                };
            }
            if let Some(kid) = key.text("kid") {
                jwk = jwk.with_kid(kid);
            }
            if let Some(unlisted) = jwk
                .algorithm()
                .filter(|bound| !self.algorithms.contains(*bound))
                && !self.algorithms.is_empty()
            {
                self.refuse(
                    &place,
                    &format!("a key for {unlisted}, and algorithms has no {unlisted}"),
                );
                continue;
            }
            self.admit(jwk, place);
        }
    }

    fn public_key(&mut self, key: &Section<'_>, form: &str) -> Option<Jwk> {
        let (place, bytes) = self.file(key, form, limits::JWK_SET_SIZE)?;
        let read: fn(&[u8]) -> Result<Jwk, KeyError> = match form {
            "pem_file" => Jwk::from_pem,
            "der_file" => Jwk::from_der,
            _ => Jwk::from_x509_der,
        };
        read(&bytes)
            .map_err(|error| self.refuse(&place, &error.to_string()))
            .ok()
    }

    /// An HMAC key from outside the document (refusal 11).
    fn secret(
        &mut self,
        key: &Section<'_>,
        algorithm: Option<Algorithm>,
        place: &Place,
    ) -> Option<Jwk> {
        let member = key.member("secret")?;
        let Some(algorithm) = algorithm.filter(|algorithm| algorithm.is_symmetric()) else {
            self.refuse(place, "a secret needs its algorithm. Write alg = \"HS256\"");
            return None;
        };
        let env = member.node.get("env").and_then(Node::as_text);
        let secret = if let Some(name) = env {
            let Some(value) = std::env::var_os(name) else {
                let text = format!("environment variable {name} is not set");
                self.compiler.problems.push(key.problem("secret", text));
                return None;
            };
            Zeroizing::new(value.into_encoded_bytes())
        } else {
            let within = key.inside("secret", &member.node);
            let (place, bytes) = self.file(&within, "file", limits::JWK_SET_SIZE)?;
            if self.is_public(&within, "file", &place) {
                return None;
            }
            bytes
        };
        let secret = secret.strip_suffix(b"\n").unwrap_or(&secret);
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        let encoded = Zeroizing::new(base64url::encode(secret));
        let json = Zeroizing::new(format!(
            "{{\"kty\":\"oct\",\"alg\":\"{algorithm}\",\"k\":\"{}\"}}",
            encoded.as_str()
        ));
        Jwk::parse(json.as_bytes())
            .map_err(|error| self.refuse(place, &error.to_string()))
            .ok()
    }

    /// Binds a key to its one algorithm (ALG-03) and keeps it.
    fn admit(&mut self, jwk: Jwk, place: Place) {
        if self.algorithms.is_empty() {
            return; // refused already: every further word about it would mislead
        }
        let secret = matches!(jwk.material(), KeyMaterial::Oct(_));
        if secret && !self.symmetric {
            self.refuse(&place, "a shared secret, and algorithms has no HS*");
            return;
        }
        if !secret && self.symmetric {
            self.refuse(&place, "a public key, and algorithms has HS*");
            return;
        }
        let jwk = match jwk.algorithm() {
            Some(_) => jwk,
            None => match self.only_rsa() {
                Ok(algorithm) => match jwk.with_algorithm(algorithm) {
                    Ok(jwk) => jwk,
                    Err(error) => return self.refuse(&place, &error.to_string()),
                },
                Err(text) => return self.refuse(&place, &text),
            },
        };
        let algorithm = jwk.algorithm();
        if let Some(algorithm) = algorithm.filter(|bound| !self.algorithms.contains(*bound)) {
            let text = format!("{}passed over: algorithms has no {algorithm}", place.within);
            self.compiler.warn(place.path, place.at, text);
            return;
        }
        self.found.push(Found {
            jwk,
            path: place.path,
            at: place.at,
        });
    }

    /// The one algorithm an RSA key without `alg` can be for (refusal 9).
    fn only_rsa(&self) -> Result<Algorithm, String> {
        let is_rsa =
            |algorithm: &Algorithm| matches!(algorithm.family(), Family::RsaPkcs1 | Family::RsaPss);
        let listed: Vec<_> = self.algorithms.iter().filter(is_rsa).collect();
        match listed.as_slice() {
            [] => Err("an RSA key, and algorithms has none for it".to_owned()),
            [only] => Ok(*only),
            [first, .., last] => Err(format!(
                "an RSA key without alg, and algorithms has {first} and {last}. Write its alg, or \
                 keep one of them"
            )),
        }
    }

    /// ALG-10: a token's `kid` and `alg` must lead to one key.
    fn check_duplicates(&mut self) {
        let found = std::mem::take(&mut self.found);
        for (index, key) in found.iter().enumerate() {
            let same = |other: &&Found| {
                other.jwk.kid() == key.jwk.kid() && other.jwk.algorithm() == key.jwk.algorithm()
            };
            if let Some(first) = found.iter().take(index).find(same) {
                let place = Place {
                    path: key.path.clone(),
                    at: key.at,
                    within: String::new(),
                };
                let algorithm = key.jwk.algorithm().map_or("", Algorithm::name);
                let text = match key.jwk.kid() {
                    Some(kid) => {
                        format!("kid {kid:?} for {algorithm} is already at {}", first.path)
                    }
                    None => format!(
                        "a second key for {algorithm} without kid, after {}",
                        first.path
                    ),
                };
                self.refuse(&place, &text);
            }
        }
        self.found = found;
    }

    /// The content of the file that a member names, relative to the document's folder.
    fn file(
        &mut self,
        section: &Section<'_>,
        name: &str,
        most: usize,
    ) -> Option<(Place, Zeroizing<Vec<u8>>)> {
        let member = section.member(name)?;
        let place = Place {
            path: section.at(name),
            at: member.node.at,
            within: String::new(),
        };
        let path = self.resolve(member.node.as_text()?);
        let size = std::fs::metadata(&path).map(|file| file.len());
        if size
            .as_ref()
            .is_ok_and(|size| usize::try_from(*size).is_ok_and(|size| size > most))
        {
            self.refuse(&place, "the file is larger than 1 MiB");
            return None;
        }
        match std::fs::read(&path) {
            Ok(bytes) => Some((place, Zeroizing::new(bytes))),
            Err(error) => {
                self.refuse(&place, &format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    fn resolve(&self, path: &str) -> PathBuf {
        self.compiler
            .options
            .folder
            .as_ref()
            .map_or_else(|| PathBuf::from(path), |f| f.join(path))
    }

    /// Refuses a secret that every user of the machine can read.
    fn is_public(&mut self, section: &Section<'_>, name: &str, place: &Place) -> bool {
        let text = section
            .member(name)
            .and_then(|member| member.node.as_text());
        let public = text.is_some_and(|text| readable_by_others(&self.resolve(text)));
        if public {
            self.refuse(place, "others can read this secret. Write chmod o-rwx");
        }
        public
    }
}

#[cfg(unix)]
fn readable_by_others(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::path::Path) -> bool {
    false
}

fn is_secret(key: &Node) -> bool {
    key.get("kty").and_then(Node::as_text) == Some("oct") || key.get("k").is_some()
}

/// ALG-09: the private members of RFC 7518 §6 and RFC 9964.
fn has_private_part(key: &Node) -> bool {
    ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"]
        .iter()
        .any(|name| key.get(name).is_some())
}
