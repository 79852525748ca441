//! [`ApprovedIntent`]: what was approved, as somebody holds it who wants to know that a token is for
//! just that (INTN-03).

use std::fmt;

use super::task::{DIGEST, Sha256};
use crate::encoding::base64url;
use crate::encoding::jcs;
use crate::encoding::json::{Json, JsonKind};
use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::policy::TaskKind;

/// The whole of what was approved, to be compared with the digest of it that a token names.
///
/// It is the whole: what a token was narrowed to has another digest. A digest proves which text was
/// approved, and nothing proves what the text means.
///
/// ```
/// use sealgate::{ApprovedIntent, Requirements};
///
/// let set = r#"[{ "type": "mission_resource_access", "resource": "https://erp.example.com",
///                 "actions": ["invoices.read"] }]"#;
/// let approved = ApprovedIntent::authority_set("https://as.example.com", set)?;
/// let requirements = Requirements::NONE.with_approved(approved);
/// # Ok::<(), sealgate::Error>(())
/// ```
#[derive(Clone)]
pub struct ApprovedIntent {
    issuer: Box<str>,
    document: Document,
    /// What is hashed (RFC 8785).
    canonical: Box<str>,
    /// The authority set, which also bounds operations (INTN-04).
    authority: Option<Box<str>>,
}

/// Which text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Document {
    AuthoritySet,
    Intent,
}

impl Document {
    /// The `typ` of its envelope, so that the digest of one is never that of another.
    const fn typ(self) -> &'static str {
        match self {
            Self::AuthoritySet => "mission-authority-set",
            Self::Intent => "mission-intent",
        }
    }

    /// Where tokens have its digest.
    const fn task(self) -> TaskKind {
        match self {
            Self::AuthoritySet => TaskKind::Mission,
            Self::Intent => TaskKind::Intent,
        }
    }
}

impl ApprovedIntent {
    /// The authority set of a mission: the whole array of `authorization_details` that was
    /// approved, by this issuer. A token's `mission.authority_hash` is the digest of it. It bounds
    /// operations as well.
    ///
    /// # Errors
    ///
    /// `usage` for what is no JSON array, has a member twice, or a number that JSON cannot keep.
    pub fn authority_set(
        issuer: impl Into<Box<str>>,
        json: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        Self::read(Document::AuthoritySet, issuer.into(), json.as_ref())
    }

    /// The intent itself: the whole object that was approved, by this issuer. A token's
    /// `intent.hash` is the digest of it.
    ///
    /// # Errors
    ///
    /// As [`ApprovedIntent::authority_set`], of an object.
    pub fn intent(issuer: impl Into<Box<str>>, json: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::read(Document::Intent, issuer.into(), json.as_ref())
    }

    fn read(document: Document, issuer: Box<str>, text: &[u8]) -> Result<Self, Error> {
        let misuse = || Error::about(Code::Usage, "approved");
        let json = Json::parse(text.to_vec(), Limits::CEILING.into()).map_err(|_| misuse())?;
        let kind = match document {
            Document::AuthoritySet => JsonKind::Array,
            Document::Intent => JsonKind::Object,
        };
        if json.root().kind() != kind || issuer.is_empty() {
            return Err(misuse());
        }
        let value = jcs::canonical(json.root()).ok_or_else(misuse)?;
        let mut canonical = String::from(r#"{"iss":"#);
        jcs::write_string(&issuer, &mut canonical);
        canonical.push_str(&format!(r#","typ":"{}","value":{value}}}"#, document.typ()));
        Ok(Self {
            issuer,
            document,
            canonical: canonical.into(),
            authority: (document == Document::AuthoritySet).then(|| value.into()),
        })
    }

    /// That one of a token's tasks, each with its issuer and digest, is this one.
    pub(super) fn check<'a>(
        &self,
        mut tasks: impl Iterator<Item = (TaskKind, Option<&'a str>, Option<&'a str>)>,
        sha256: Sha256,
    ) -> Result<(), Error> {
        let kind = self.document.task();
        let digest = DIGEST.to_owned() + &base64url::encode(&sha256(self.canonical.as_bytes()));
        let is_this = |(own, issuer, hash): (TaskKind, Option<&str>, Option<&str>)| {
            let issued = issuer.is_none_or(|issuer| *issuer == *self.issuer);
            own == kind && issued && hash == Some(&*digest)
        };
        if tasks.any(is_this) {
            Ok(())
        } else {
            Err(Error::about(Code::IntentMismatch, kind.as_str()))
        }
    }

    /// The bounds that it sets.
    pub(super) fn authority(&self) -> Result<Option<Json>, Error> {
        let Some(text) = &self.authority else {
            return Ok(None);
        };
        let json = Json::parse(text.as_bytes().to_vec(), Limits::CEILING.into())?;
        Ok(Some(json))
    }
}

impl fmt::Debug for ApprovedIntent {
    /// What somebody approved stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApprovedIntent")
            .field("document", &self.document)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod tests {
    use super::ApprovedIntent;
    use crate::crypto::aws_lc;
    use crate::policy::TaskKind;

    const ISSUER: &str = "https://as.example.com";

    /// The integrity anchors of the Mission-Bound Authorization draft.
    #[test]
    fn the_anchors_of_the_mission_draft() {
        let intent = |more: &str| {
            format!(
                r#"{{"goal":"Reconcile Q3 invoices","resources":["https://erp.example.com"],
                    "expires_at":"2026-12-31T23:59:59Z"{more}}}"#
            )
        };
        let set = r#"[{"type":"mission_resource_access","resource":"https://erp.example.com","actions":["invoices.read"]},
            {"type":"mission_resource_access","resource":"https://erp.example.com","actions":["journal-entries.write"],
             "constraints":{"max_amount":{"amount":"500.00","currency":"USD"}}}]"#;
        let controls = r#","controls":{"acr":"urn:example:acr:mfa","max_derivations":20}"#;
        for (kind, approved, hash) in [
            (
                TaskKind::Intent,
                ApprovedIntent::intent(ISSUER, intent("")),
                "6mIFoCz79uCHNzKLfBpBwqFjoFXdpmpuc65486IqimQ",
            ),
            (
                TaskKind::Intent,
                ApprovedIntent::intent(ISSUER, intent(controls)),
                "DHUg4zS3HHnWtXlO6hu9sTN_jX4LyjZ4tOJiTDAvWAI",
            ),
            (
                TaskKind::Mission,
                ApprovedIntent::authority_set(ISSUER, set),
                "vUCCfjGulit9u0qJ0Z6pQSNerZtXMqRlfJNCr4PzLro",
            ),
        ] {
            let hash = format!("sha-256:{hash}");
            let approved = approved.unwrap();
            let judge = |kind, issuer, hash| {
                let tasks = [(kind, Some(issuer), hash)].into_iter();
                approved.check(tasks, aws_lc::provider().sha256).is_ok()
            };
            assert!(judge(kind, ISSUER, Some(&*hash)));
            assert!(!judge(TaskKind::Workflow, ISSUER, Some(&*hash)));
            assert!(!judge(kind, "https://other.example.com", Some(&*hash)));
            assert!(!judge(kind, ISSUER, None));
            assert!(!judge(kind, ISSUER, Some(&hash.to_lowercase())));
        }
    }

    #[test]
    fn only_whole_documents_are_held() {
        for text in ["", "{}", r#"[{"a":1,"a":1}]"#, "[1e400]", "[1]]"] {
            assert!(
                ApprovedIntent::authority_set(ISSUER, text).is_err(),
                "{text}"
            );
        }
        assert!(ApprovedIntent::intent(ISSUER, "[]").is_err());
        assert!(ApprovedIntent::intent("", "{}").is_err());
    }
}
