//! `jwks` and `jwks_file`: the keys of a JWK Set (RFC 7517 §5), each refused or passed over for a
//! reason one can read.

use zeroize::Zeroizing;

use super::super::secret::OPEN_TO_OTHERS;
use super::{Loader, Place};
use crate::error::Code;
use crate::jwk::Jwk;
use crate::limits;
use crate::policy::document::{Node, item_path, join, read_json};

/// What a place is called that holds no set.
const NO_SET: &str = "not a JWK Set: it has no array \"keys\"";

impl Loader<'_, '_, '_> {
    pub(super) fn jwks(&mut self) {
        let Some(member) = self.section.member("jwks") else {
            return;
        };
        if member.node.kind() != "a table" {
            return; // refused by its shape
        }
        let path = self.section.at("jwks");
        let Some(keys) = self.keys_of(&member.node, &Place::new(path.clone(), member.node.at))
        else {
            return;
        };
        let path = join(&path, "keys");
        for (index, key) in keys.iter().enumerate() {
            let place = Place::new(item_path(&path, index), key.at);
            if is_secret(key) && !self.compiler.options.allow_test_keys {
                let text = "a secret in the document. Write keys = [{ secret = { env = \"NAME\" }, \
                            alg = \"HS256\" }]";
                self.refuse(&place, text);
            } else {
                self.json_key(key, place);
            }
        }
    }

    pub(super) fn jwks_file(&mut self) {
        let Some((place, content)) = self.file(self.section, "jwks_file") else {
            return;
        };
        let Ok(text) = std::str::from_utf8(&content.bytes) else {
            return self.refuse(&place, "the file is not UTF-8");
        };
        if text.trim_start().starts_with("-----BEGIN") {
            let file = self.section.text("jwks_file").unwrap_or_default();
            let text = format!("a PEM file. Write keys = [{{ pem_file = {file:?} }}]");
            return self.refuse(&place, &text);
        }
        let (set, problems) = read_json(text);
        for problem in &problems {
            let text = format!("{}:{} of the file: {problem}", problem.line, problem.column);
            self.refuse(&place, &text);
        }
        let Some(set) = set else { return };
        let Some(keys) = self.keys_of(&set, &place) else {
            return;
        };
        for (index, key) in keys.iter().enumerate() {
            let place = Place {
                item: Some(index),
                ..place.clone()
            };
            if is_secret(key) && content.open_to_others {
                self.refuse(&place, OPEN_TO_OTHERS);
            } else {
                self.json_key(key, place);
            }
        }
    }

    fn keys_of<'n>(&mut self, set: &'n Node, place: &Place) -> Option<&'n [Node]> {
        let Some(keys) = set.get("keys").filter(|keys| keys.kind() == "an array") else {
            self.refuse(place, NO_SET);
            return None;
        };
        if keys.items().len() > limits::JWK_SET_KEYS {
            let text = format!("a JWK Set has at most {} keys", limits::JWK_SET_KEYS); // KEY-03
            self.refuse(place, &text);
            return None;
        }
        Some(keys.items())
    }

    /// One JWK of a set. What belongs to others is passed over (RFC 7517 §5); what is broken is
    /// refused, since somebody wrote it here on purpose.
    fn json_key(&mut self, key: &Node, place: Place) {
        if has_private_part(key) {
            return self.refuse(&place, "private key where a public key belongs");
        }
        let json = Zeroizing::new(key.to_canonical_json());
        match Jwk::parse(json.as_bytes()) {
            Ok(jwk) if self.usage.includes(jwk.usage()) => self.admit(jwk, place),
            Ok(_) => self.pass_over(place, "its use is not for this issuer's tokens"),
            Err(error) if matches!(error.code(), Code::AlgNotAllowed | Code::KeyUseMismatch) => {
                self.pass_over(place, &error.to_string());
            }
            Err(error) => self.refuse(&place, &error.to_string()),
        }
    }
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
