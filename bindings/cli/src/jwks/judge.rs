//! Which keys of a set can be used, and why the others cannot: what a policy's loader would say.

use std::io::{self, Write};

use sealgate::crypto::{self, aws_lc};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, JwkSet};
use serde_json::{Value, json};

use crate::text::{Columns, printable};

/// A key set, key by key.
pub(crate) struct Judged {
    pub(crate) usable: Vec<Usable>,
    pub(crate) unusable: Vec<Unusable>,
}

/// A key that verifies.
pub(crate) struct Usable {
    pub(crate) kid: Option<String>,
    /// The algorithm it is bound to; none where the policy binds it.
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) kty: &'static str,
    /// JWK SHA-256 thumbprint (RFC 7638).
    pub(crate) thumbprint: String,
}

/// A key that does not, and why.
pub(crate) struct Unusable {
    /// Its place in the set, where it could not even be read.
    index: Option<usize>,
    reason: String,
    /// A verifier refuses all keys of the set for it, and not this one alone.
    pub(crate) spoils_the_set: bool,
}

impl Judged {
    pub(crate) fn of(set: &JwkSet) -> Self {
        let skipped = set.skipped().iter().map(|skipped| Unusable {
            index: Some(skipped.index),
            reason: skipped.reason.to_string(),
            spoils_the_set: false,
        });
        let mut judged = Self {
            usable: Vec::new(),
            unusable: skipped.collect(),
        };
        for (index, key) in set.keys().iter().enumerate() {
            let earlier = set.keys().get(..index).unwrap_or_default();
            match judge(key, earlier) {
                Ok(usable) => judged.usable.push(usable),
                Err(reason) => judged.unusable.push(Unusable {
                    index: None,
                    spoils_the_set: reason == TWIN,
                    reason: format!("{}: {reason}", key.kid().unwrap_or("-")),
                }),
            }
        }
        judged
    }

    /// The algorithms of the keys, each once; `fallback` for a key that leaves it to the policy.
    pub(crate) fn algorithms(&self, fallback: &'static str) -> Vec<&'static str> {
        let names = self
            .usable
            .iter()
            .map(|key| key.algorithm.map_or(fallback, Algorithm::name));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A line a key, or two.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for key in &self.usable {
            let alg = key.algorithm.map_or("any of its kind", Algorithm::name);
            let label = format!("  ✓ {alg:<9} {:<3} ", key.kty);
            let text = match &key.kid {
                // Many a `kid` is the thumbprint.
                Some(kid) if *kid != key.thumbprint => {
                    format!("{}  {}", printable(kid), key.thumbprint)
                }
                _ => key.thumbprint.clone(),
            };
            Columns::after(&label).write(out, &label, &text)?;
        }
        for key in &self.unusable {
            Columns::after("  ✗ ").write(out, "  ✗ ", &key.describe())?;
        }
        Ok(())
    }

    /// `2 usable, 1 not`.
    pub(crate) fn counts(&self) -> String {
        format!("{} usable, {} not", self.usable.len(), self.unusable.len())
    }

    /// The members `keys` and `skipped`.
    pub(crate) fn as_json(&self) -> [Value; 2] {
        let usable = self.usable.iter().map(|key| {
            let alg = key.algorithm.map_or("any of its kind", Algorithm::name);
            let kid = key.kid.as_deref().unwrap_or("-");
            json!({ "kid": kid, "alg": alg, "kty": key.kty, "thumbprint": key.thumbprint })
        });
        let unusable = self
            .unusable
            .iter()
            .map(|key| json!({ "index": key.index, "reason": key.reason }));
        [usable.collect(), unusable.collect()]
    }
}

impl Unusable {
    pub(crate) fn describe(&self) -> String {
        let place = self.index.map(|index| format!("keys[{index}]: "));
        format!("{}{}", place.unwrap_or_default(), printable(&self.reason))
    }
}

/// ALG-10: loaders refuse the whole set.
const TWIN: &str = "another key has this kid, kty and alg";

fn judge(key: &Jwk, earlier: &[Jwk]) -> Result<Usable, String> {
    let provider = aws_lc::provider();
    let thumbprint = crypto::thumbprint(&provider, key);
    if let Some(label) = crypto::published::label_of(&thumbprint) {
        return Err(format!("everyone has this private key ({label})"));
    }
    let identity = |key: &Jwk| (key.kid().map(str::to_owned), key.kty(), key.algorithm());
    let mut others = earlier.iter().map(identity);
    if key.kid().is_some() && others.any(|other| other == identity(key)) {
        return Err(TWIN.to_owned());
    }
    // An RSA or shared key without `alg` is bound by the policy; any will do to try it.
    let own = key.algorithm();
    let tried = own.or_else(|| Algorithm::all().find(|any| key.check_fits(*any).is_ok()));
    let tried = tried.ok_or("fits no algorithm")?;
    (provider.load)(key, tried).map_err(|reason| reason.to_string())?;
    Ok(Usable {
        kid: key.kid().map(str::to_owned),
        algorithm: own,
        kty: key.kty(),
        thumbprint,
    })
}
