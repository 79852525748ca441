//! A JWT Claims Set (RFC 7519 §4): registered claims as typed views over the signed bytes.
//!
//! A malformed claim is never an absent one: [`Claims::check_types`] checks every registered claim
//! that is present, whether or not anything will ask for it.

mod audience;
mod details;
mod registered;
mod scope;
mod workload;

pub use audience::Audience;
pub use registered::Claim;
pub use scope::Scopes;

pub(crate) use registered::ClaimSet;
pub(crate) use scope::is_scope_token;
pub(crate) use workload::{is_trust_domain, spiffe_domain, workload_domain};

use crate::encoding::json::{Json, JsonKind, JsonLimits, Value};
use crate::error::{Code, Error, PAYLOAD};
use crate::time::NumericDate;

/// A claims set with its registered claims found and type-checked.
#[derive(Debug)]
pub(crate) struct Claims {
    json: Json,
    /// The node of each registered claim; 0, the root, stands for absent.
    nodes: [u32; Claim::COUNT],
    present: ClaimSet,
    /// Registered members that an alias is read in place of: checked, and otherwise unread.
    displaced: Vec<(Claim, u32)>,
}

impl Claims {
    /// Reads a payload, and finds the registered claims in it.
    pub(crate) fn parse(payload: Vec<u8>, limits: JsonLimits) -> Result<Self, Error> {
        Json::parse(payload, limits)
            .map_err(Error::from)
            .and_then(Self::locate)
            .map_err(|error| error.within(PAYLOAD))
    }

    /// Finds the registered claims of a payload that is a JSON object, without reading them.
    pub(crate) fn locate(json: Json) -> Result<Self, Error> {
        let mut nodes = [0; Claim::COUNT];
        let mut present = ClaimSet::EMPTY;
        let members = json.root().as_object();
        for (name, value) in members.ok_or_else(|| Error::new(Code::MalformedToken))? {
            let Some(claim) = Claim::from_name(name) else {
                continue;
            };
            present.insert(claim);
            if let Some(slot) = nodes.get_mut(claim.index()) {
                *slot = value.node();
            }
        }
        Ok(Self {
            json,
            nodes,
            present,
            displaced: Vec::new(),
        })
    }

    /// Reads `claim` from the member `name` instead, where an issuer is configured so (DIA-04).
    /// A member under the registered name is still a claim: see [`Claims::written`].
    pub(crate) fn rename(&mut self, claim: Claim, name: &str) {
        let node = self.json.root().get(name).map(|value| value.node());
        if let Some(own) = self.nodes.get(claim.index()).filter(|own| **own != 0) {
            self.displaced.push((claim, *own));
        }
        if node.is_some() {
            self.present.insert(claim);
        } else {
            self.present.remove(claim);
        }
        if let Some(slot) = self.nodes.get_mut(claim.index()) {
            *slot = node.unwrap_or(0);
        }
    }

    /// Checks the type of every registered claim, under its own name and under an issuer's (JWT-01,
    /// JWT-03, AT-07); `act` has rules of its own. Returns the dates, which have to be read for
    /// that.
    pub(crate) fn check_types(&self, scope: ScopeForm) -> Result<ClaimedDates, Error> {
        let mut dates = ClaimedDates::default();
        for claim in self.present.iter() {
            let Some(value) = self.value(claim) else {
                continue;
            };
            if !has_its_type(claim, value, scope, &mut dates) {
                return Err(Error::about(fault(claim, value), claim.name()));
            }
        }
        for (claim, node) in &self.displaced {
            let value = self.json.value(*node);
            let fits = |value| has_its_type(*claim, value, ScopeForm::Text, &mut dates);
            if !value.is_some_and(fits) {
                return Err(Error::about(Code::ClaimType, claim.name()));
            }
        }
        Ok(dates)
    }

    pub(crate) fn json(&self) -> &Json {
        &self.json
    }

    /// The claims that can be read.
    pub(crate) fn present(&self) -> ClaimSet {
        self.present
    }

    /// The claims the token bears under any name: what must not be there is looked for here.
    pub(crate) fn written(&self) -> ClaimSet {
        let mut written = self.present;
        for (claim, _) in &self.displaced {
            written.insert(*claim);
        }
        written
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_size(&self) -> usize {
        self.json.heap_size() + self.displaced.capacity() * size_of::<(Claim, u32)>()
    }

    pub(crate) fn value(&self, claim: Claim) -> Option<Value<'_>> {
        if !self.present.contains(claim) {
            return None;
        }
        self.json.value(*self.nodes.get(claim.index())?)
    }

    pub(crate) fn text(&self, claim: Claim) -> Option<&str> {
        self.value(claim)?.as_str()
    }

    pub(crate) fn date(&self, claim: Claim) -> Option<NumericDate> {
        date(self.value(claim)?)
    }

    pub(crate) fn audience(&self) -> Audience<'_> {
        Audience::new(self.value(Claim::Aud))
    }

    pub(crate) fn scopes(&self) -> Scopes<'_> {
        Scopes::new(self.value(Claim::Scope))
    }

    /// A claim that is no registered one, by its name.
    pub(crate) fn other(&self, name: &str) -> Option<Value<'_>> {
        self.json.root().get(name)
    }
}

/// The dates every check of time is about, as the token claims them; `None` is absent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClaimedDates {
    pub(crate) expires_at: Option<NumericDate>,
    pub(crate) not_before: Option<NumericDate>,
    pub(crate) issued_at: Option<NumericDate>,
}

/// The dates of an object that tells of a token by its claims (RFC 7662 §2.2); `None` where a
/// registered one has not its type.
pub(crate) fn nested_dates(object: Value<'_>) -> Option<ClaimedDates> {
    let mut dates = ClaimedDates::default();
    let well_formed = object.as_object()?.all(|(name, value)| {
        let claim = Claim::from_name(name);
        claim.is_none_or(|claim| has_its_type(claim, value, ScopeForm::Text, &mut dates))
    });
    well_formed.then_some(dates)
}

/// How an issuer writes `scope` (AT-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeForm {
    /// One string of space-separated tokens (RFC 6749 §3.3).
    Text,
    /// That, or an array of tokens: some issuers' `scp`.
    TextOrArray,
}

/// A NumericDate (JWT-01).
pub(crate) fn date(value: Value<'_>) -> Option<NumericDate> {
    NumericDate::from_json_number(value.as_number()?)
}

/// Puts the date there; false when the value is none.
fn read_into(place: &mut Option<NumericDate>, value: Value<'_>) -> bool {
    *place = date(value);
    place.is_some()
}

/// What a claim is that has not its type.
#[cold]
fn fault(claim: Claim, value: Value<'_>) -> Code {
    let of_details = (claim == Claim::AuthorizationDetails).then(|| details::fault(value));
    of_details.flatten().unwrap_or(Code::ClaimType)
}

/// Whether the claim has its type; notes the date if it is one of `dates`.
fn has_its_type(
    claim: Claim,
    value: Value<'_>,
    scope: ScopeForm,
    dates: &mut ClaimedDates,
) -> bool {
    match claim {
        // What identifies somebody or something; empty, it would identify nothing.
        Claim::Iss | Claim::Sub | Claim::Jti | Claim::ClientId | Claim::Txn | Claim::ReqWl => {
            value.as_str().is_some_and(|text| !text.is_empty())
        }
        Claim::Acr | Claim::Azp | Claim::Sid | Claim::Nonce | Claim::AtHash => {
            value.kind() == JsonKind::String
        }
        Claim::Exp => read_into(&mut dates.expires_at, value),
        Claim::Nbf => read_into(&mut dates.not_before, value),
        Claim::Iat => read_into(&mut dates.issued_at, value),
        Claim::AuthTime => date(value).is_some(),
        Claim::Aud => audience::is_well_formed(value),
        Claim::Scope => scope::is_well_formed(value, scope),
        Claim::Cnf | Claim::Events | Claim::Status | Claim::TokenIntrospection => {
            value.kind() == JsonKind::Object
        }
        Claim::DelDepth => count(value).is_some(),
        Claim::AuthorizationDetails => details::fault(value).is_none(),
        Claim::Act => true,
    }
}

/// A whole number, 0 or more, written as one.
pub(crate) fn count(value: Value<'_>) -> Option<u64> {
    value.as_number()?.parse().ok()
}
