//! Where an issuer's keys come from: exactly one source, and every key bound to one algorithm
//! (loader refusals 5 and 9).

pub(super) mod fetched;
mod set;
mod single;

use super::{Compiler, introspection};
use crate::jwa::{Algorithm, AlgorithmSet, Family};
use crate::jwk::{Jwk, KeyMaterial};
use crate::limits;
use crate::policy::document::{Node, Position};
use crate::policy::file::Content;
use crate::policy::problem::Problem;
use crate::policy::section::Section;
use crate::policy::{KeySource, KeyUse, Profile};

/// An issuer's keys and the place of each in the document.
pub(super) struct Source {
    pub(super) keys: KeySource,
    pub(super) paths: Vec<String>,
}

/// The sources there are. At most one may be written; none is discovery.
const SOURCES: [&str; 6] = [
    "discovery",
    "jwks_uri",
    "jwks",
    "jwks_file",
    "keys",
    "jwks_push",
];

/// Makes every issuer of the document one whose keys the program publishes.
pub(in crate::policy) fn push_all(root: &mut Node) {
    for issuer in root
        .get_mut("issuers")
        .map_or(&mut [][..], Node::members_mut)
    {
        for source in SOURCES {
            issuer.node.remove(source);
        }
        issuer.node.remove("refresh"); // goes with sources that are fetched
        issuer.node.remove("introspection"); // nor is anybody asked
        issuer.node.insert("jwks_push", Node::text("process"));
    }
}

pub(super) fn source(
    section: &Section<'_>,
    algorithms: AlgorithmSet,
    profiles: &[Profile],
    compiler: &mut Compiler<'_>,
) -> Source {
    let written: Vec<_> = SOURCES
        .into_iter()
        .filter(|name| section.has(name))
        .collect();
    if let [first, second, ..] = written.as_slice() {
        let text = format!("{first} and {second} both name keys. Keep one");
        compiler.problems.push(section.problem_here(text));
    }
    if section.has("discovery") || section.has("jwks_uri") || written.is_empty() {
        let keys = fetched::compile(section, algorithms, profiles, compiler);
        return Source {
            keys: KeySource::Fetched(keys),
            paths: Vec::new(),
        };
    }
    if section.has("refresh") {
        let text = "goes with discovery and jwks_uri; these keys are not fetched";
        compiler.problems.push(section.problem("refresh", text));
    }
    let mut loader = Loader {
        section,
        algorithms,
        symmetric: algorithms.iter().any(Algorithm::is_symmetric),
        usage: KeyUse::of(profiles),
        compiler,
        found: Vec::new(),
        passed: Vec::new(),
    };
    loader.jwks();
    loader.jwks_file();
    loader.keys();
    loader.check_duplicates();
    loader.tell_passed();
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
    if let Some(name) = written.first()
        && found.is_empty()
        && !(section.is_empty_list("keys") && introspection::needs_no_keys(section, profiles))
        && !compiler.has_problem(section)
    {
        compiler
            .problems
            .push(section.problem(name, "no key in it can be used"));
    }
    let (keys, paths) = found
        .into_iter()
        .map(|(jwk, place)| (jwk, place.path))
        .unzip();
    Source {
        keys: KeySource::Static(keys),
        paths,
    }
}

struct Loader<'l, 'd, 'o> {
    section: &'l Section<'d>,
    algorithms: AlgorithmSet,
    /// The issuer signs with shared secrets, so every key is one.
    symmetric: bool,
    /// Which `use` keys of a set must have, where they have one (ALG-09, JSV-05).
    usage: KeyUse,
    compiler: &'l mut Compiler<'o>,
    found: Vec<(Jwk, Place)>,
    /// Keys of a set that are for others, and why.
    passed: Vec<(Place, String)>,
}

/// Where a key stands, as the document's author finds it.
#[derive(Clone)]
struct Place {
    path: String,
    at: Position,
    /// For a key in a file: which one.
    item: Option<usize>,
}

impl Place {
    fn new(path: String, at: Position) -> Self {
        Self {
            path,
            at,
            item: None,
        }
    }

    /// The text of a problem or warning, with the place in the file where there is one.
    fn tell(&self, text: &str) -> String {
        match self.item {
            Some(index) => format!("keys[{index}] of the file: {text}"),
            None => text.to_owned(),
        }
    }

    fn shown(&self) -> String {
        match self.item {
            Some(index) => format!("keys[{index}]"),
            None => self.path.clone(),
        }
    }
}

impl Loader<'_, '_, '_> {
    fn refuse(&mut self, place: &Place, text: &str) {
        self.compiler
            .problems
            .push(Problem::new(&place.path, place.at, place.tell(text)));
    }

    fn pass_over(&mut self, place: Place, why: &str) {
        let text = place.tell(&format!("passed over: {why}"));
        self.passed.push((place, text));
    }

    /// Keys that were passed over are worth a warning, or a refusal where no other is left.
    fn tell_passed(&mut self) {
        for (Place { path, at, .. }, text) in std::mem::take(&mut self.passed) {
            if self.found.is_empty() {
                self.compiler.problems.push(Problem::new(path, at, text));
            } else {
                self.compiler.warn(path, at, text);
            }
        }
    }

    /// Binds a key to its one algorithm (ALG-03) and keeps it.
    fn admit(&mut self, jwk: Jwk, place: Place) {
        if self.algorithms.is_empty() {
            return; // refused already: every further word about it would mislead
        }
        let secret = matches!(jwk.material(), KeyMaterial::Oct(_));
        if secret && !self.symmetric {
            return self.refuse(&place, "a shared secret, and algorithms has no HS*");
        }
        if !secret && self.symmetric {
            return self.refuse(&place, "a public key, and algorithms has HS*");
        }
        let bound = match jwk.algorithm() {
            Some(_) => Ok(jwk),
            None => self.only_choice(secret).and_then(|algorithm| {
                jwk.with_algorithm(algorithm)
                    .map_err(|error| error.to_string())
            }),
        };
        match bound {
            Err(text) => self.refuse(&place, &text),
            Ok(jwk) => match self.unlisted(&jwk) {
                Some(algorithm) => {
                    self.pass_over(place, &format!("algorithms has no {algorithm}"));
                }
                None => self.found.push((jwk, place)),
            },
        }
    }

    /// The algorithm of a key, where the issuer does not sign with it.
    fn unlisted(&self, jwk: &Jwk) -> Option<Algorithm> {
        jwk.algorithm()
            .filter(|algorithm| !self.algorithms.contains(*algorithm))
    }

    /// The one algorithm a key without `alg` can be for (refusal 9): RSA keys and secrets fit
    /// several.
    fn only_choice(&self, secret: bool) -> Result<Algorithm, String> {
        let fits = |algorithm: &Algorithm| match algorithm.family() {
            Family::RsaPkcs1 | Family::RsaPss => !secret,
            Family::Hmac => secret,
            Family::Ecdsa | Family::Eddsa | Family::MlDsa => false,
        };
        let listed: Vec<_> = self.algorithms.iter().filter(fits).collect();
        let key = if secret { "a secret" } else { "an RSA key" };
        match listed.as_slice() {
            [] => Err(format!("{key}, and algorithms has none for it")),
            [only] => Ok(*only),
            [first, .., last] => Err(format!(
                "{key} without alg, and algorithms has {first} and {last}. Write its alg, or keep \
                 one of them"
            )),
        }
    }

    /// ALG-10: a token's `kid` and `alg` must lead to one key.
    fn check_duplicates(&mut self) {
        let found = std::mem::take(&mut self.found);
        for (index, (jwk, place)) in found.iter().enumerate() {
            let same = |(other, _): &&(Jwk, Place)| {
                other.kid() == jwk.kid() && other.algorithm() == jwk.algorithm()
            };
            if let Some((_, first)) = found.iter().take(index).find(same) {
                let algorithm = jwk.algorithm().map_or("", Algorithm::name);
                let first = first.shown();
                let text = match jwk.kid() {
                    Some(kid) => format!("kid {kid:?} for {algorithm} is already at {first}"),
                    None => format!("a second key for {algorithm} without kid, after {first}"),
                };
                self.refuse(place, &text);
            }
        }
        self.found = found;
    }

    /// The content of the file that a member names, relative to the document's folder.
    fn file(&mut self, section: &Section<'_>, name: &str) -> Option<(Place, Content)> {
        let member = section.member(name)?;
        let place = Place::new(section.at(name), member.node.at);
        let content = self.compiler.file(section, name, limits::JWK_SET_SIZE)?;
        Some((place, content))
    }
}
