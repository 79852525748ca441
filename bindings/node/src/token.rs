//! Verdicts, and what an accepted token says: each piece decoded when it is asked for.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, External, Uint32Array};
use napi_derive::napi;
use sealgate::{
    Actor, BatchSnapshot, Code, Error, Grounds, NumericDate, Possession, ReplayReach, Requirements,
    SubjectKind, VerifiedToken,
};
use serde_json::{Value, json};

use crate::error;
use crate::gate::{self, Door};

/// Tokens of a page.
pub(crate) const PAGE: u32 = 32;
/// Bytes of payloads after which a page is full all the same.
const PAGE_BYTES: usize = 16 * 1024;

/// Accepted tokens one behind the other that share a handle, and are freed together: until then one
/// that is held and was never looked at keeps the others. Looking at it gives it a handle of its
/// own.
pub(crate) struct Page {
    door: Arc<Door>,
    tokens: RefCell<Vec<VerifiedToken>>,
    bytes: Cell<usize>,
}

impl Page {
    pub(crate) fn new(door: Arc<Door>) -> Self {
        Self {
            door,
            tokens: RefCell::new(Vec::with_capacity(most())),
            bytes: Cell::new(0),
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.tokens.borrow().len() >= most() || self.bytes.get() >= PAGE_BYTES
    }

    /// The place of a token.
    pub(crate) fn push(&self, token: VerifiedToken) -> u32 {
        self.bytes.update(|bytes| bytes + token.payload().len());
        let mut tokens = self.tokens.borrow_mut();
        tokens.push(token);
        u32::try_from(tokens.len() - 1).unwrap_or(u32::MAX)
    }
}

fn most() -> usize {
    usize::try_from(PAGE).unwrap_or(0)
}

/// The token at this place of a page, by itself.
#[napi(catch_unwind)]
pub(crate) fn alone(page: &External<Rc<Page>>, place: u32) -> Option<External<Verdicts>> {
    let tokens = page.tokens.borrow();
    let token = tokens.get(usize::try_from(place).ok()?)?.clone();
    Some(External::new(Verdicts {
        door: Arc::clone(&page.door),
        requirements: Requirements::NONE,
        verdicts: vec![Ok(token)],
        batch: None,
    }))
}

/// Verdicts in input order.
pub(crate) struct Verdicts {
    pub(crate) door: Arc<Door>,
    /// Those of a batch's call.
    pub(crate) requirements: Requirements,
    pub(crate) verdicts: Vec<Result<VerifiedToken, Error>>,
    /// Of a batch: what all of it was judged under.
    pub(crate) batch: Option<(BatchSnapshot, Grounds)>,
}

impl Verdicts {
    fn get(&self, index: u32) -> Option<&Result<VerifiedToken, Error>> {
        self.verdicts.get(usize::try_from(index).ok()?)
    }

    pub(crate) fn token(&self, index: u32) -> Option<&VerifiedToken> {
        self.get(index)?.as_ref().ok()
    }

    fn refusal(&self, index: u32) -> Option<&Error> {
        self.get(index)?.as_ref().err()
    }
}

/// Under which policy and keys a batch was judged: `{policy, keys: {…}}`.
#[napi(catch_unwind)]
pub(crate) fn batch_snapshot(verdicts: &External<Verdicts>) -> Option<String> {
    let (snapshot, _) = verdicts.batch.as_ref()?;
    let keys = snapshot.keys.iter().cloned();
    let keys: serde_json::Map<String, Value> = keys
        .map(|(name, generation)| (name, generation.into()))
        .collect();
    Some(
        json!({ "policy": snapshot.policy, "keys": keys, "revocations": snapshot.revocations })
            .to_string(),
    )
}

/// A number a verdict: 0 is an acceptance, else its low byte is the place of the code in the table,
/// from 1, and the rest is the same for refusals that are alike.
#[napi(catch_unwind)]
pub(crate) fn columns(verdicts: &External<Verdicts>) -> Uint32Array {
    let mut kinds: Vec<Error> = Vec::new();
    let numbers = verdicts.verdicts.iter().map(|verdict| {
        let Err(error) = verdict else { return 0 };
        let known = kinds.iter().position(|kind| kind == error);
        let kind = known.unwrap_or_else(|| {
            kinds.push(*error);
            kinds.len() - 1
        });
        // More than 2^24 of them would count as one another's equals; there are hundreds.
        u32::from(error::number(error)) | u32::try_from(kind).unwrap_or(u32::MAX) << 8
    });
    numbers.collect::<Vec<u32>>().into()
}

/// What errors of the refusal at this place say; none where the token was accepted.
#[napi(catch_unwind)]
pub(crate) fn outline(verdicts: &External<Verdicts>, index: u32) -> Option<String> {
    let (_, grounds) = verdicts.batch.as_ref()?;
    let error = verdicts.refusal(index)?;
    Some(error::outline(grounds, error, &verdicts.requirements))
}

/// What to do about the refusal at this place.
#[napi(catch_unwind)]
pub(crate) fn answer(verdicts: &External<Verdicts>, index: u32) -> Option<String> {
    let (_, grounds) = verdicts.batch.as_ref()?;
    let error = verdicts.refusal(index)?;
    Some(error::answer(grounds, error, &verdicts.requirements))
}

/// The refusal of the token at this place, whose claims do not fit the application's schema.
#[napi(catch_unwind)]
pub(crate) fn misfit(verdicts: &External<Verdicts>, index: u32) -> Option<String> {
    let grounds = verdicts.door.gate.grounds_of(verdicts.token(index)?);
    let error = Error::from(Code::ClaimType);
    Some(error::refusal(&grounds, &error, &Requirements::NONE))
}

/// A later question to the same token: its refusal, or nothing.
#[napi(catch_unwind)]
pub(crate) fn require(
    verdicts: &External<Verdicts>,
    index: u32,
    scopes: String,
    tells: Vec<String>,
) -> Option<String> {
    let token = verdicts.token(index)?;
    let requirements = gate::told(gate::requirements(&scopes), &tells);
    let (error, requirements) = match requirements {
        Ok(needs) => (
            token.require(&needs, verdicts.door.clock.now()).err()?,
            needs,
        ),
        Err(error) => (error, Requirements::NONE),
    };
    let grounds = verdicts.door.gate.grounds_of(token);
    Some(error::refusal(&grounds, &error, &requirements))
}

/// Whether a token may be sent to `target` in the name of the one at this place: its refusal, or
/// nothing.
#[napi(catch_unwind)]
pub(crate) fn check_outbound(
    door: &External<Arc<Door>>,
    verdicts: &External<Verdicts>,
    index: u32,
    outbound: Vec<String>,
    target: String,
) -> napi::Result<Option<String>> {
    let missing = || napi::Error::from_reason("a token is missing");
    let inbound = verdicts.token(index).ok_or_else(missing)?;
    let outbound = gate::context_of(&outbound)?;
    let [outbound] = outbound.as_slice() else {
        return Err(missing());
    };
    let sitting = door.gate.sit();
    let checked = sitting.check_outbound(inbound, *outbound, &target);
    let refusal = |error: Error| error::refusal(&sitting.grounds(), &error, &Requirements::NONE);
    Ok(checked.err().map(refusal))
}

/// Whether the token grants all of these scopes, by itself or by implication.
#[napi(catch_unwind)]
pub(crate) fn has_scopes(verdicts: &External<Verdicts>, index: u32, scopes: Vec<String>) -> bool {
    let token = verdicts.token(index);
    token.is_some_and(|token| scopes.iter().all(|scope| token.has_scope(scope)))
}

/// The payload as signed.
#[napi(catch_unwind)]
pub(crate) fn payload(verdicts: &External<Verdicts>, index: u32) -> Option<Buffer> {
    Some(verdicts.token(index)?.payload().into())
}

/// The payload as text.
#[napi(catch_unwind)]
pub(crate) fn claims(verdicts: &External<Verdicts>, index: u32) -> Option<&str> {
    std::str::from_utf8(verdicts.token(index)?.payload()).ok()
}

/// The record of a token for an audit log, as JSON.
#[napi(catch_unwind)]
pub(crate) fn audit_record(verdicts: &External<Verdicts>, index: u32) -> Option<String> {
    Some(verdicts.door.gate.audit_record(verdicts.token(index)?))
}

/// Everything about a token, claims included, as JSON under the names that it has in documents.
#[napi(catch_unwind)]
pub(crate) fn whole_token(verdicts: &External<Verdicts>, index: u32) -> Option<String> {
    Some(verdicts.token(index)?.to_json())
}

/// `sub`: what is asked for most.
#[napi(catch_unwind)]
pub(crate) fn subject(verdicts: &External<Verdicts>, index: u32) -> Option<&str> {
    verdicts.token(index)?.subject()
}

/// Everything about a token but its claims, as JSON under the names it has in JavaScript.
#[napi(catch_unwind)]
pub(crate) fn facts(verdicts: &External<Verdicts>, index: u32) -> Option<String> {
    let token = verdicts.token(index)?;
    let chain: Vec<Value> = token.chain().map(actor).collect();
    let details = token.authorization_details().map(parsed);
    let (snapshot, revocation) = (token.snapshot(), token.revocation());
    let facts = json!({
        "issuer": token.issuer(),
        "issuerName": token.issuer_name(),
        "clientId": token.client_id(),
        "jwtId": token.jwt_id(),
        "audience": token.audience().collect::<Vec<_>>(),
        "issuedAt": token.issued_at().map(NumericDate::seconds),
        "notBefore": token.not_before().map(NumericDate::seconds),
        "expiresAt": token.expires_at().map(NumericDate::seconds),
        "scopes": token.scopes().collect::<Vec<_>>(),
        "authorizationDetails": details.unwrap_or_else(|| json!([])),
        "chain": chain,
        "delegated": token.delegated(),
        "lineage": token.lineage().as_str(),
        "unproven": token.unproven().map(|dimension| dimension.as_str()).collect::<Vec<_>>(),
        "responseHeaders": token
            .response_headers()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect::<serde_json::Map<String, Value>>(),
        "statusChecked": token.status_checked(),
        "verifiedBy": token.verified_by().as_str(),
        "introspectedAt": token.introspected_at().map(NumericDate::seconds),
        "replayReach": token.replay_reach().map(ReplayReach::as_str),
        "senderConstrained": token.sender_constrained().map(Possession::as_str),
        "subjectKind": token.subject_kind().map(SubjectKind::as_str),
        "profile": token.profile().as_str(),
        "gate": token.gate(),
        "header": parsed(token.header()),
        "revocation": {
            "checked": revocation.checked,
            "store": revocation.store,
            "sequence": revocation.sequence,
            "staleness": revocation.staleness.map(|age| age.to_duration().as_secs_f64()),
        },
        "snapshot": { "policy": snapshot.policy, "keys": snapshot.keys, "revocations": snapshot.revocations },
    });
    Some(facts.to_string())
}

fn actor(actor: Actor<'_>) -> Value {
    json!({
        "iss": actor.iss(),
        "sub": actor.sub(),
        "issInferred": actor.iss_inferred(),
        "subProfile": actor.sub_profile(),
        "claims": parsed(actor.json()),
    })
}

/// JSON that the core has read before.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
