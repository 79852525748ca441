//! The record of an accepted token for an audit log: references and hashes, never the token
//! (standards 32.4, TXT-15).

use serde_json::{Map, Value, json};

use super::{Gate, VerifiedBy, VerifiedToken};
use crate::crypto::{CryptoProvider, mac};
use crate::delegation;
use crate::encoding::base64url;
use crate::policy::{Lineage, Secret, TaskKind};
use crate::time::NumericDate;

/// The version of the record's form: raised when a member changes its meaning, not when one is
/// added.
const VERSION: u8 = 1;
/// What references to subjects begin with, so that the secret may serve for other things.
const PURPOSE: &[u8] = b"sealgate audit subject 1";

impl Gate {
    /// One JSON object about a token that this gate has accepted, on one line, for an audit log. It
    /// holds neither token nor payload, and of the subject a reference alone; see
    /// [`audit`](crate::manual::audit) for its members. What the call was about (a tool, a
    /// request's number) is the program's to add.
    #[must_use]
    pub fn audit_record(&self, token: &VerifiedToken) -> String {
        let now = self.engine.clock.now().seconds();
        let state = self.engine.state.load();
        let secret = state.world.rules().audit_secret.as_ref();
        Value::Object(record(token, secret, &self.engine.provider, now)).to_string()
    }
}

/// TXT-15: of the token `txn` and hashes.
fn record(
    token: &VerifiedToken,
    secret: Option<&Secret>,
    provider: &CryptoProvider,
    now: i64,
) -> Map<String, Value> {
    let (settled, snapshot) = (token.settled(), token.snapshot());
    let claims = settled.claims();
    let hash = |input: &str| base64url::encode(&(provider.sha256)(input.as_bytes()));
    let link = |actor: delegation::Actor<'_>| json!({ "iss": actor.iss(), "sub": actor.sub() });
    let task = |(kind, iss, id): (TaskKind, Option<&str>, &str)| json!({ "kind": kind.as_str(), "iss": iss, "id": id });
    // What was signed: of one token there is one such text, whatever is done to its signature.
    let [header, payload] = [token.header().as_bytes(), token.payload()].map(base64url::encode);
    let reference = |(secret, sub): (&Secret, &str)| {
        let name = json!([token.issuer(), sub]).to_string();
        let message = [PURPOSE, name.as_bytes()].concat();
        base64url::encode(&mac::hmac_sha256(provider, secret.as_bytes(), &message))
    };
    let subject = secret.zip(token.subject()).map(reference);
    let (key, certificate) = settled.confirmation().key_and_certificate();
    let shown = |thumbprint: Option<[u8; 32]>| thumbprint.map(|it| base64url::encode(&it));
    let scopes: Vec<&str> = token.scopes().collect();
    let members = json!({
        "v": VERSION,
        "time": now,
        "decision": "accepted",
        "gate": token.gate(),
        "profile": token.profile().as_str(),
        "policy": snapshot.policy,
        "keys": snapshot.keys,
        "revocations": snapshot.revocations,
        "iss": token.issuer(),
        "issuer_name": token.issuer_name(),
        "sub_ref": subject,
        // Of a token that is no JWT nothing is here to tell it by.
        "token_ref": (token.verified_by() == VerifiedBy::Signature)
            .then(|| hash(&format!("{header}.{payload}"))),
        "introspected_at": token.introspected_at().map(NumericDate::seconds),
        "jti": token.jwt_id(),
        "txn": token.claims().get("txn").and_then(|txn| txn.as_str()),
        "client_id": token.client_id(),
        "aud": token.audience().collect::<Vec<_>>(),
        "scope": (!scopes.is_empty()).then(|| scopes.join(" ")),
        "act": token.chain().map(link).collect::<Vec<_>>(),
        "chain_complete": chain_complete(token),
        "lineage": token.lineage().as_str(),
        "intent": delegation::tasks(claims, &settled.gate().intent)
            .map(task)
            .collect::<Vec<_>>(),
        "alg": settled.algorithm().map(|algorithm| algorithm.name()),
        "kid": token.key_id(),
        "sender_constrained": token.sender_constrained().map(|how| how.as_str()),
        "jkt": shown(key),
        "x5t#S256": shown(certificate),
    });
    let Value::Object(members) = members else {
        return Map::new();
    };
    // What is not there is left out: a null could be taken for a value.
    let said = members.into_iter().filter(|(_, value)| !value.is_null());
    said.collect()
}

/// Whether the chain names everybody: no, where the issuer says so; yes, where each step was signed
/// by whoever took it. Of any other chain nobody here can know.
fn chain_complete(token: &VerifiedToken) -> Option<bool> {
    if !delegation::is_complete(token.settled().claims()) {
        return Some(false);
    }
    (token.lineage() == Lineage::Cryptographic).then_some(true)
}
