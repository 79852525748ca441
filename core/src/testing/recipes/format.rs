//! Requests, tokens, keys and signatures that are not what they should be in form.

use serde_json::{Value, json};

use super::{Attempt, Bench, ELSEWHERE, never, send};
use crate::claims::Claim;
use crate::encoding::base64url;
use crate::error::Code;
use crate::policy::{Carrier, KeySource, SignerRule};
use crate::testing::NoRefusals;
use crate::testing::claims::typ;
use crate::testing::draft::{Presentation, Shape};

const FETCHED: &str = "its keys are fetched: what is unknown is asked for first";

impl Bench<'_> {
    pub(super) fn presented(&self, code: Code) -> Result<Attempt, NoRefusals> {
        const NO_FIELD: &str = "tokens of this kind come in no field of a request";
        let of_fields = matches!(code, Code::MultipleCredentials | Code::MalformedRequest);
        match self.carrier() {
            Carrier::Authorization | Carrier::Field { .. } => {}
            Carrier::Content | Carrier::Form if !of_fields => {}
            Carrier::Content | Carrier::Form | Carrier::None => return never(NO_FIELD),
        }
        let mut draft = self.any()?;
        draft.presentation = if code == Code::NoToken {
            Presentation::Absent
        } else if code == Code::MultipleCredentials {
            Presentation::Twice
        } else if code == Code::TokenInQuery {
            Presentation::InQuery
        } else {
            Presentation::Bare
        };
        send(draft)
    }

    pub(super) fn shaped(&self, code: Code) -> Result<Attempt, NoRefusals> {
        let limits = self.forge.rules().limits;
        let mut draft = self.any()?;
        let token = &mut draft.token;
        let claims = Value::Object(token.claims.clone()).to_string();
        let rest = claims.get(1..).unwrap_or_default();
        if code == Code::MalformedToken {
            token.shape = Shape::Made(|token| format!("{token}."));
        } else if code == Code::Oversized {
            // The smallest thing that is too large, since servers have limits of their own.
            let size = limits.string_size.min(limits.token_size).saturating_add(1);
            token.claims.insert("x".to_owned(), "x".repeat(size).into());
        } else if code == Code::NestingTooDeep {
            let (open, close) = ("[".repeat(limits.json_depth), "]".repeat(limits.json_depth));
            token.shape = Shape::Payload(format!(r#"{{"x":{open}{close},{rest}"#));
        } else if code == Code::DuplicateMember {
            token.shape = Shape::Payload(format!(r#"{{"x":0,"x":0,{rest}"#));
        } else if code == Code::UnsupportedSerialization {
            token.shape = Shape::Made(|token| {
                let payload = token.split('.').nth(1).unwrap_or_default();
                format!(r#"{{"payload":"{payload}"}}"#) // without a comma, as one credential
            });
        } else if code == Code::UnsupportedCrit {
            token.header.insert("crit".to_owned(), json!(["x"]));
            token.header.insert("x".to_owned(), 0.into());
        } else {
            let header = base64url::encode(br#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
            token.shape = Shape::Text(header + ".AA.AA.AA.AA");
        }
        send(draft)
    }

    pub(super) fn another_algorithm(&self) -> Result<Attempt, NoRefusals> {
        let fake = self.forge.fake(self.good.entry).ok_or(NoRefusals::NoFake)?;
        let own = fake.algorithm();
        let profile = self.good.entry.profile;
        let mut algorithms = self.issuer.algorithms.iter();
        let another = algorithms.find(|one| *one != own && self.issuer.permits(*one, profile));
        match another {
            Some(another) => self.altered(|token| {
                token.header.insert("alg".to_owned(), another.name().into());
            }),
            None => never("the issuer may use one algorithm alone"),
        }
    }

    pub(super) fn another_key(&self) -> Result<Attempt, NoRefusals> {
        if matches!(self.issuer.keys, KeySource::Fetched(_)) {
            return never(FETCHED);
        }
        self.altered(|token| {
            token.header.insert("kid".to_owned(), ELSEWHERE.into());
        })
    }

    /// A token of an issuer whose keys are not there, by whomever it is signed.
    pub(super) fn without_keys(&self, code: Code) -> Result<Attempt, NoRefusals> {
        let mut outages = self.forge.setting.outages.iter();
        let Some((entry, _)) = outages.find(|(_, met)| *met == code) else {
            return never("every issuer of the gate has its keys");
        };
        let rules = self.forge.issuer(*entry)?;
        let mut usable = rules.algorithms.iter();
        let algorithm = usable.find(|algorithm| rules.permits(*algorithm, entry.profile));
        let (Some(algorithm), Some(iss)) = (algorithm, rules.issuers.first()) else {
            return never("the issuer may use no algorithm for tokens of this kind");
        };
        let typ = typ(self.door, entry.profile);
        self.altered(|token| {
            token
                .header
                .insert("alg".to_owned(), algorithm.name().into());
            match typ {
                Some(typ) => drop(token.header.insert("typ".to_owned(), typ.into())),
                None => drop(token.header.remove("typ")),
            }
            if entry.profile.row().signer == SignerRule::TrustDomain {
                token.set(Claim::Sub, format!("{iss}/agent"));
            } else {
                token.set(Claim::Iss, &**iss);
            }
        })
    }
}
