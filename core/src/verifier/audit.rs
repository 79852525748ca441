//! The record of an accepted token for an audit log: references and hashes, never the token
//! (standards 32.4).

use serde_json::{Map, Value, json};

use super::{Gate, VerifiedToken};
use crate::crypto::CryptoProvider;
use crate::delegation;
use crate::encoding::base64url;
use crate::policy::TaskKind;

/// The version of the record's form: raised when a member changes its meaning, not when one is added.
const VERSION: u8 = 1;

impl Gate {
    /// One JSON object about a token that this gate has accepted, on one line, for an audit log. It
    /// holds neither token nor payload, and of the subject a reference alone; see
    /// [`audit`](crate::manual::audit) for its members. What the call was about (a tool, a request's number)
    /// is the program's to add.
    #[must_use]
    pub fn audit_record(&self, token: &VerifiedToken) -> String {
        let now = self.engine.clock.now().seconds();
        Value::Object(record(token, &self.engine.provider, now)).to_string()
    }
}

fn record(token: &VerifiedToken, provider: &CryptoProvider, now: i64) -> Map<String, Value> {
    let (settled, snapshot) = (token.settled(), token.snapshot());
    let claims = settled.claims();
    let hash = |input: &str| base64url::encode(&(provider.sha256)(input.as_bytes()));
    let link = |actor: delegation::Actor<'_>| json!({ "iss": actor.iss(), "sub": actor.sub() });
    let task = |(kind, iss, id): (TaskKind, Option<&str>, &str)| json!({ "kind": kind.as_str(), "iss": iss, "id": id });
    // What was signed: of one token there is one such text, whatever is done to its signature.
    let [header, payload] = [token.header().as_bytes(), token.payload()].map(base64url::encode);
    let subject = token.subject();
    let subject = subject.map(|sub| hash(&json!([token.issuer(), sub]).to_string()));
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
        "token_ref": hash(&format!("{header}.{payload}")),
        "jti": token.jwt_id(),
        "txn": token.claims().get("txn").and_then(|txn| txn.as_str()),
        "client_id": token.client_id(),
        "aud": token.audience().collect::<Vec<_>>(),
        "scope": (!scopes.is_empty()).then(|| scopes.join(" ")),
        "act": token.chain().map(link).collect::<Vec<_>>(),
        "chain_complete": delegation::is_complete(claims),
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
