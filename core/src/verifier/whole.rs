//! All that a verified token says, as one JSON object. Numbers keep the digits they were signed
//! with.

use serde_json::json;

use super::{SubjectKind, VerifiedToken};
use crate::binding::{Possession, ReplayReach};
use crate::delegation::{Actor, Dimension};
use crate::time::{NumericDate, Span};

impl VerifiedToken {
    /// Everything that is known of the token, as a JSON object: the names of its methods, then
    /// `claims` as signed. It has claim values; for a record without them see
    /// [`Gate::audit_record`](crate::Gate::audit_record).
    #[must_use]
    pub fn to_json(&self) -> String {
        let date = |date: Option<NumericDate>| date.map(NumericDate::seconds);
        let snapshot = self.snapshot();
        let headers = self.response_headers();
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into()));
        let headers: serde_json::Map<_, _> = headers.collect();
        let chain: Vec<String> = self.chain().map(link).collect();
        let claims = String::from_utf8_lossy(self.payload());
        let revocation = self.revocation();
        object(&[
            ("gate", &json!(self.gate()).to_string()),
            ("profile", &json!(self.profile().as_str()).to_string()),
            ("issuer", &json!(self.issuer()).to_string()),
            ("issuer_name", &json!(self.issuer_name()).to_string()),
            ("subject", &json!(self.subject()).to_string()),
            ("client_id", &json!(self.client_id()).to_string()),
            ("jwt_id", &json!(self.jwt_id()).to_string()),
            (
                "audience",
                &json!(self.audience().collect::<Vec<_>>()).to_string(),
            ),
            ("issued_at", &json!(date(self.issued_at())).to_string()),
            ("not_before", &json!(date(self.not_before())).to_string()),
            ("expires_at", &json!(date(self.expires_at())).to_string()),
            (
                "scopes",
                &json!(self.scopes().collect::<Vec<_>>()).to_string(),
            ),
            (
                "authorization_details",
                self.authorization_details().unwrap_or("[]"),
            ),
            ("actor", chain.first().map_or("null", String::as_str)),
            ("chain", &format!("[{}]", chain.join(","))),
            ("delegated", &json!(self.delegated()).to_string()),
            ("lineage", &json!(self.lineage().as_str()).to_string()),
            (
                "unproven",
                &json!(self.unproven().map(Dimension::as_str).collect::<Vec<_>>()).to_string(),
            ),
            (
                "sender_constrained",
                &json!(self.sender_constrained().map(Possession::as_str)).to_string(),
            ),
            (
                "subject_kind",
                &json!(self.subject_kind().map(SubjectKind::as_str)).to_string(),
            ),
            ("header", self.header()),
            (
                "snapshot",
                &json!({
                    "policy": snapshot.policy,
                    "keys": snapshot.keys,
                    "revocations": snapshot.revocations,
                })
                .to_string(),
            ),
            (
                "revocation",
                &json!({
                    "checked": revocation.checked,
                    "store": revocation.store,
                    "sequence": revocation.sequence,
                    "staleness": revocation.staleness.map(seconds),
                })
                .to_string(),
            ),
            (
                "verified_by",
                &json!(self.verified_by().as_str()).to_string(),
            ),
            (
                "introspected_at",
                &json!(date(self.introspected_at())).to_string(),
            ),
            ("status_checked", &json!(self.status_checked()).to_string()),
            (
                "replay_reach",
                &json!(self.replay_reach().map(ReplayReach::as_str)).to_string(),
            ),
            (
                "response_headers",
                &serde_json::Value::Object(headers).to_string(),
            ),
            ("claims", &claims),
        ])
    }
}

/// Seconds and fractions.
fn seconds(span: Span) -> f64 {
    span.to_duration().as_secs_f64()
}

fn link(actor: Actor<'_>) -> String {
    object(&[
        ("iss", &json!(actor.iss()).to_string()),
        ("sub", &json!(actor.sub()).to_string()),
        ("iss_inferred", &json!(actor.iss_inferred()).to_string()),
        ("sub_profile", &json!(actor.sub_profile()).to_string()),
        ("claims", actor.json()),
    ])
}

/// An object of these members, whose values are JSON already.
fn object(members: &[(&str, &str)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}
