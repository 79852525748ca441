//! A request in the making: what its tokens say and how they are presented, until it is sealed into
//! what goes over the wire.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::agent::hash;
use super::{FakeAgent, FakeIssuer, FakeProof, signed};
use crate::claims::Claim;
use crate::crypto::SigningKey;
use crate::encoding::base64url;
use crate::jwk::KeyError;
use crate::policy::{HeaderField, Kind};
use crate::revocation::Handle;

/// A token in the making.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) signer: Signer,
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    pub(super) shape: Shape,
}

#[derive(Clone)]
pub(super) enum Signer {
    Issuer(FakeIssuer),
    /// Whoever holds the token before this one.
    Holder(FakeAgent),
}

/// What becomes of a token.
#[derive(Clone)]
pub(super) enum Shape {
    /// It is signed.
    Signed,
    /// This is signed in place of its claims.
    Payload(String),
    /// It is signed, and the signature spoilt.
    Spoilt,
    /// It is signed, and this made of it.
    Made(fn(&str) -> String),
    /// This stands in its place.
    Text(String),
}

/// How a request presents its token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presentation {
    AsIs,
    /// Not at all.
    Absent,
    /// Twice in one field.
    Twice,
    /// With nothing where the token belongs.
    Bare,
    /// In the query of the URL too.
    InQuery,
}

/// What carries a token, and the proof that comes with it.
#[derive(Clone)]
pub(super) enum Carrying {
    Bearer,
    Dpop(Option<Proof>),
    /// A field of the kind's own, as of a workload identity token, and one for the proof.
    Field {
        token: HeaderField,
        proof: Option<HeaderField>,
        made: Option<Proof>,
    },
    /// The content of the request, with the proof of the call of a tool.
    Content(Option<Proof>),
    /// A parameter of the content, and the proof in the field of DPoP.
    Form(Option<Proof>),
    /// Nothing that the engine reads: another token, a fetch.
    Elsewhere,
}

/// What a proof says.
#[derive(Clone)]
pub(super) struct Proof {
    pub(super) method: String,
    /// The URL or the server that it is for.
    pub(super) target: String,
    pub(super) nonce: Option<String>,
    /// Seconds since 1970.
    pub(super) now: i64,
}

#[derive(Clone)]
pub(super) struct Draft {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) token: Token,
    pub(super) presentation: Presentation,
    pub(super) carrying: Carrying,
    /// Who proves: the holder of the token's key.
    pub(super) holder: FakeAgent,
    /// Of the connection.
    pub(super) certificate: Option<Vec<u8>>,
    /// What the token comes from.
    pub(super) parent: Option<Token>,
    /// The identity of the caller, and its proof.
    pub(super) caller: Option<(Token, Option<Proof>)>,
}

/// A request, sealed.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) token: Option<String>,
    pub(super) context: Vec<(Kind, String)>,
    pub(super) certificate: Option<Vec<u8>>,
    /// The proof that comes with the token in the content.
    pub(super) proof: Option<String>,
    /// What its token can be revoked by.
    pub(super) handle: Option<Handle>,
    /// How the engine is given its token.
    pub(super) way: Way,
}

/// How the engine is given the token of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In the fields of the request.
    Fields,
    /// From its content, as a grant.
    Form,
    /// From its content, for the call of [`TOOL`].
    Content,
    /// By itself.
    Alone,
}

/// The tool that requests with capabilities call; without arguments.
pub(super) const TOOL: &str = "t1";

impl Token {
    pub(super) fn set(&mut self, claim: Claim, value: impl Into<Value>) {
        self.claims.insert(claim.name().to_owned(), value.into());
    }

    pub(super) fn remove(&mut self, claim: Claim) {
        self.claims.remove(claim.name());
    }

    pub(super) fn date(&self, claim: Claim) -> Option<i64> {
        self.claims.get(claim.name())?.as_i64()
    }

    /// When it ends; of an answer about another token, when that one does.
    pub(super) fn end(&self) -> Option<i64> {
        match self.claims.get(Claim::TokenIntrospection.name()) {
            Some(told) => told.get(Claim::Exp.name())?.as_i64(),
            None => self.date(Claim::Exp),
        }
    }

    /// Has it end then, if it ends at all.
    pub(super) fn end_by(&mut self, end: i64) {
        if let Some(Value::Object(told)) = self.claims.get_mut(Claim::TokenIntrospection.name()) {
            told.insert(Claim::Exp.name().to_owned(), end.into());
        } else if self.claims.contains_key(Claim::Exp.name()) {
            self.set(Claim::Exp, end);
        }
    }

    /// `iat` and `exp` later by so many seconds.
    pub(super) fn shift(&mut self, seconds: i64) {
        for claim in [Claim::Iat, Claim::Exp] {
            if let Some(date) = self.date(claim) {
                self.set(claim, date.saturating_add(seconds));
            }
        }
    }

    /// What it alone can be revoked by.
    pub(super) fn handle(&self) -> Option<Handle> {
        let text = |claim: Claim| self.claims.get(claim.name())?.as_str();
        Some(Handle::token(text(Claim::Iss)?, text(Claim::Jti)?))
    }

    pub(super) fn spoil(&mut self) {
        self.shape = Shape::Spoilt;
    }

    fn key(&self) -> Arc<SigningKey> {
        match &self.signer {
            Signer::Issuer(issuer) => issuer.key(),
            Signer::Holder(agent) => agent.key(),
        }
    }

    pub(super) fn seal(&self) -> Result<String, KeyError> {
        let header = Value::Object(self.header.clone()).to_string();
        let claims = Value::Object(self.claims.clone()).to_string();
        let payload = match &self.shape {
            Shape::Text(text) => return Ok(text.clone()),
            Shape::Payload(payload) => payload,
            Shape::Signed | Shape::Spoilt | Shape::Made(_) => &claims,
        };
        let token = signed(&self.key(), header.as_bytes(), payload.as_bytes())?;
        Ok(match &self.shape {
            Shape::Spoilt => spoilt(&token),
            Shape::Made(make) => make(&token),
            Shape::Signed | Shape::Payload(_) | Shape::Text(_) => token,
        })
    }
}

/// The token with another signature of the same size.
fn spoilt(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap_or_default();
    let mut octets = base64url::decode(signature.as_bytes()).unwrap_or_default();
    if let Some(last) = octets.last_mut() {
        *last ^= 1;
    }
    format!("{input}.{}", base64url::encode(&octets))
}

impl Draft {
    /// Signs what is to be signed. Proofs are made of what goes with them, and are new each time.
    pub(super) fn seal(&self) -> Result<Wire, KeyError> {
        let token = self.token.seal()?;
        let mut headers = Vec::new();
        let mut in_content = None;
        let way = match &self.carrying {
            Carrying::Bearer => {
                self.present(&mut headers, HeaderField::Authorization, "Bearer", &token);
                Way::Fields
            }
            Carrying::Dpop(proof) => {
                self.present(&mut headers, HeaderField::Authorization, "DPoP", &token);
                if let Some(proof) = proof {
                    headers.push((HeaderField::Dpop.name(), self.dpop(proof, &token)?));
                }
                Way::Fields
            }
            Carrying::Field {
                token: field,
                proof,
                made,
            } => {
                self.present(&mut headers, *field, "", &token);
                if let Some((proof, made)) = proof.zip(made.as_ref()) {
                    let made = self.own_proof(self.token.kind, made, &token, None)?;
                    headers.push((proof.name(), made));
                }
                Way::Fields
            }
            Carrying::Content(made) => {
                let made = made.as_ref();
                let proof = made.map(|proof| self.own_proof(self.token.kind, proof, &token, None));
                in_content = proof.transpose()?;
                Way::Content
            }
            Carrying::Form(proof) => {
                if let Some(proof) = proof {
                    headers.push((HeaderField::Dpop.name(), self.dpop(proof, &token)?));
                }
                Way::Form
            }
            Carrying::Elsewhere => Way::Alone,
        };
        if let Some((identity, proof)) = &self.caller {
            let identity = identity.seal()?;
            if let Some(proof) = proof {
                let proof = self.own_proof(Kind::Wit, proof, &identity, Some(&token))?;
                headers.push((HeaderField::WorkloadProofToken.name(), proof));
            }
            headers.push((HeaderField::WorkloadIdentityToken.name(), identity));
        }
        let mut context = Vec::new();
        if let Some(parent) = &self.parent {
            context.push((parent.kind, parent.seal()?));
        }
        let query = if self.presentation == Presentation::InQuery {
            let joint = if self.uri.contains('?') { '&' } else { '?' };
            format!("{joint}access_token={token}")
        } else {
            String::new()
        };
        Ok(Wire {
            method: self.method.clone(),
            uri: self.uri.clone() + &query,
            headers,
            token: (self.presentation != Presentation::Absent).then_some(token),
            context,
            certificate: self.certificate.clone(),
            proof: in_content,
            handle: self.token.handle(),
            way,
        })
    }

    fn present(
        &self,
        headers: &mut Vec<(&'static str, String)>,
        field: HeaderField,
        scheme: &str,
        token: &str,
    ) {
        let value = match self.presentation {
            Presentation::Absent => return,
            Presentation::AsIs | Presentation::InQuery => format!("{scheme} {token}"),
            Presentation::Twice => format!("{scheme} {token}, {scheme} {token}"),
            Presentation::Bare => scheme.to_owned(),
        };
        headers.push((field.name(), value.trim_start().to_owned()));
    }

    fn dpop(&self, proof: &Proof, token: &str) -> Result<String, KeyError> {
        self.holder.prove(&FakeProof {
            method: proof.method.clone(),
            url: proof.target.clone(),
            token: Some(token.to_owned()),
            nonce: proof.nonce.clone(),
            ..FakeProof::default()
        })
    }

    /// WPT-04 to WPT-07, ATT-08 to ATT-10, AAT-08.
    fn own_proof(
        &self,
        kind: Kind,
        proof: &Proof,
        token: &str,
        access_token: Option<&str>,
    ) -> Result<String, KeyError> {
        let Proof { target, now, .. } = proof;
        let (typ, claims) = if kind == Kind::Wit {
            let exp = now.saturating_add(60);
            let ath = access_token.map(hash);
            let claims = json!({ "aud": target, "exp": exp, "wth": hash(token), "ath": ath });
            ("wpt+jwt", claims)
        } else if kind == Kind::Capability {
            let id = self.token.claims.get(Claim::Jti.name());
            let claims = json!({
                "iat": now, "aat_id": id, "aat_tool": TOOL, "hta": {}, "aat_aud": target,
            });
            ("aat-pop+jwt", claims)
        } else {
            let typ = "oauth-client-attestation-pop+jwt";
            (typ, json!({ "aud": target, "iat": now }))
        };
        let Value::Object(mut claims) = claims else {
            return Err(KeyError::mismatch());
        };
        claims.retain(|_, value| !value.is_null());
        self.holder.prove_as(typ, claims)
    }
}
