//! [`Seen`]: a refused token, read as far as it can be. Nothing of it is trusted: it is for
//! `explain`, which shows people why.

use super::state::{Door, Source};
use crate::binding::Shown;
use crate::claims::{Claim, Claims};
use crate::encoding::base64url;
use crate::encoding::json::{Json, Value};
use crate::jws::Compact;
use crate::limits::Limits;

pub(super) struct Seen<'t> {
    pub(super) token: &'t [u8],
    /// What it came with, of a request.
    pub(super) shown: Option<Shown<'t>>,
    pub(super) header: Option<Json>,
    pub(super) claims: Option<Claims>,
    pub(super) source: Option<Source>,
    /// The members of the payload whose names stand for registered claims here.
    aliases: Vec<(Claim, Box<str>)>,
}

impl<'t> Seen<'t> {
    pub(super) fn of(door: Door<'_>, token: &'t [u8]) -> Self {
        let mut seen = Self {
            token,
            shown: None,
            header: None,
            claims: None,
            source: None,
            aliases: Vec::new(),
        };
        let limits = door.rules().limits;
        let Ok(compact) = Compact::split(token, Limits::CEILING.token_size) else {
            return seen;
        };
        let json = |bytes: Option<Vec<u8>>| Json::parse(bytes?, limits.into()).ok();
        seen.header = json(base64url::decode(compact.header));
        let payload = json(base64url::decode(compact.payload));
        seen.claims = payload.and_then(|payload| Claims::locate(payload).ok());
        if let Some(claims) = &mut seen.claims {
            seen.source = door.source_of(claims).ok();
            let source = seen.source.as_ref();
            let issuer = source.and_then(|source| Some((source, door.issuer(source).ok()?)));
            if let Some((source, issuer)) = issuer {
                let own = claims.present().contains(Claim::Aud);
                issuer.rename_claims(claims, source.profile);
                let names = &issuer.claim_names;
                let aud = names.aud.as_ref().filter(|_| !own);
                seen.aliases = [
                    (Claim::Scope, names.scope.as_ref()),
                    (Claim::ClientId, names.client_id.as_ref()),
                    (Claim::Aud, aud),
                ]
                .into_iter()
                .filter_map(|(claim, name)| Some((claim, name?.clone())))
                .collect();
            }
        }
        seen
    }

    /// The same, with what it came with.
    pub(super) fn with(mut self, shown: Shown<'t>) -> Self {
        self.shown = Some(shown);
        self
    }

    pub(super) fn claim(&self, claim: Claim) -> Option<Value<'_>> {
        self.claims.as_ref()?.value(claim)
    }

    /// What the member is called that a claim is read from.
    pub(super) fn name_of(&self, claim: Claim) -> &str {
        let alias = self.aliases.iter().find(|(known, _)| *known == claim);
        match alias {
            Some((_, name)) => name,
            None => claim.name(),
        }
    }

    /// Whether the payload has a member of this name, whatever its value.
    pub(super) fn has(&self, name: &str) -> bool {
        let claims = self.claims.as_ref();
        claims.is_some_and(|claims| claims.json().root().get(name).is_some())
    }

    pub(super) fn parameter(&self, name: &str) -> Option<Value<'_>> {
        self.header.as_ref()?.root().get(name)
    }
}
