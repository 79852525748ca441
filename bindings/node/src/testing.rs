//! What users' tests need: a clock that stands still, fakes, and the refusals of a gate.

use std::cell::RefCell;
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either, External};
use napi::{Error, Result};
use napi_derive::napi;
use sealgate::jwa::Algorithm;
use sealgate::jwk::KeyError;
use sealgate::testing::{
    self, Argument, FakeAgent, FakeIssuer, FakeMembers, FakeOptions, FakeProof, FakeToken,
    NoRefusals, Refusals, Route,
};
use sealgate::{Clock, Code, FixedClock, Span};
use serde_json::{Value, json};

use crate::error;
use crate::gate::Door;

/// A clock that stands at `seconds`.
#[napi(catch_unwind)]
pub(crate) fn fixed_clock(seconds: i64) -> External<Arc<FixedClock>> {
    External::new(Arc::new(FixedClock::new(seconds)))
}

/// The whole seconds a clock stands at.
#[napi(catch_unwind)]
pub(crate) fn clock_now(clock: &External<Arc<FixedClock>>) -> i64 {
    clock.now().seconds()
}

/// Sets a clock.
#[napi(catch_unwind)]
pub(crate) fn clock_set(clock: &External<Arc<FixedClock>>, seconds: i64) {
    clock.set(seconds);
}

/// Moves a clock by milliseconds, back where they are negative.
#[napi(catch_unwind)]
pub(crate) fn clock_advance(clock: &External<Arc<FixedClock>>, millis: i64) {
    clock.advance(Span::from_millis(millis));
}

/// What a fake is made from; what is not given is as the core has it.
fn options(
    clock: Option<&External<Arc<FixedClock>>>,
    seed: Option<i64>,
    alg: Option<String>,
    name: Option<String>,
) -> std::result::Result<FakeOptions, String> {
    let mut options = FakeOptions::new();
    if let Some(clock) = clock {
        options = options.clock(Clock::Fixed(Arc::clone(clock)));
    }
    if let Some(seed) = seed {
        let seed = u64::try_from(seed).map_err(|_| error::usage("a seed is a whole number"))?;
        options = options.seed(seed);
    }
    if let Some(alg) = alg {
        let algorithm = Algorithm::from_name(&alg);
        let unknown = || error::usage(&format!("no algorithm {alg:?}"));
        options = options.algorithm(algorithm.ok_or_else(unknown)?);
    }
    if let Some(name) = name {
        options = options.name(&name);
    }
    Ok(options)
}

/// A fake issuer; or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn fake_issuer(
    issuer: String,
    clock: Option<&External<Arc<FixedClock>>>,
    seed: Option<i64>,
    alg: Option<String>,
    name: Option<String>,
) -> Either<External<FakeIssuer>, String> {
    let fake = options(clock, seed, alg, name).and_then(|options| {
        FakeIssuer::new(&issuer, options).map_err(|refused| error::usage(&refused.to_string()))
    });
    fake.map_or_else(Either::B, |fake| Either::A(External::new(fake)))
}

/// The algorithm that it signs with.
#[napi(catch_unwind)]
pub(crate) fn fake_alg(fake: &External<FakeIssuer>) -> &'static str {
    fake.algorithm().name()
}

/// The `kid` that it signs with.
#[napi(catch_unwind)]
pub(crate) fn fake_kid(fake: &External<FakeIssuer>) -> String {
    fake.kid()
}

/// Its JWK Set as JSON.
#[napi(catch_unwind)]
pub(crate) fn fake_jwks(fake: &External<FakeIssuer>) -> String {
    fake.jwks()
}

/// Its time, in whole seconds since 1970.
#[napi(catch_unwind)]
pub(crate) fn fake_now(fake: &External<FakeIssuer>) -> i64 {
    fake.now().seconds()
}

/// Signs with a new key from now on; so many of the old ones stay published.
#[napi(catch_unwind)]
pub(crate) fn fake_rotate(fake: &External<FakeIssuer>, keep: Option<i64>) -> Result<String> {
    let keep = keep.and_then(|keep| usize::try_from(keep).ok());
    fake.rotate(keep).map_err(failed)
}

/// Takes a key back, if it is published.
#[napi(catch_unwind)]
pub(crate) fn fake_withdraw(fake: &External<FakeIssuer>, kid: String) -> bool {
    fake.withdraw(&kid)
}

/// A token that says this, as JSON: `FakeToken` of the core.
#[napi(catch_unwind)]
pub(crate) fn fake_token(fake: &External<FakeIssuer>, told: String) -> Result<String> {
    match serde_json::from_str::<FakeToken>(&told) {
        Ok(told) => fake.token(&told).map_err(failed),
        Err(error) => Ok(misread("FakeIssuer.token", &error)),
    }
}

/// A compact JWS over these octets under the usual header with these changes, as JSON.
#[napi(catch_unwind)]
pub(crate) fn fake_sign(
    fake: &External<FakeIssuer>,
    payload: Buffer,
    header: String,
) -> Result<String> {
    match serde_json::from_str::<FakeMembers>(&header) {
        Ok(changes) => fake.sign_with(&payload, &changes).map_err(failed),
        Err(error) => Ok(misread("FakeIssuer.sign", &error)),
    }
}

/// A compact JWS over these octets under this very header.
#[napi(catch_unwind)]
pub(crate) fn fake_sign_as(
    fake: &External<FakeIssuer>,
    payload: Buffer,
    header: Buffer,
) -> Result<String> {
    fake.sign(&payload, &header).map_err(failed)
}

/// A fake agent; or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn fake_agent(
    sub: String,
    clock: Option<&External<Arc<FixedClock>>>,
    seed: Option<i64>,
    alg: Option<String>,
) -> Either<External<FakeAgent>, String> {
    let fake = options(clock, seed, alg, None).and_then(|options| {
        FakeAgent::new(&sub, &options).map_err(|refused| error::usage(&refused.to_string()))
    });
    fake.map_or_else(Either::B, |fake| Either::A(External::new(fake)))
}

/// The JWK thumbprint of an agent's key (RFC 7638).
#[napi(catch_unwind)]
pub(crate) fn agent_jkt(fake: &External<FakeAgent>) -> String {
    fake.jkt()
}

/// What stands for an agent's client certificate.
#[napi(catch_unwind)]
pub(crate) fn agent_certificate(fake: &External<FakeAgent>) -> Buffer {
    fake.certificate().into()
}

/// A DPoP proof that says this, as JSON: `FakeProof` of the core.
#[napi(catch_unwind)]
pub(crate) fn agent_prove(fake: &External<FakeAgent>, told: String) -> Result<String> {
    match serde_json::from_str::<FakeProof>(&told) {
        Ok(told) => fake.prove(&told).map_err(failed),
        Err(error) => Ok(misread("FakeAgent.proof", &error)),
    }
}

/// The fields of a request to a gate with this token: pairs, as JSON; or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn agent_headers(
    fake: &External<FakeAgent>,
    door: &External<Arc<Door>>,
    method: String,
    uri: String,
    token: String,
    nonce: Option<String>,
) -> String {
    let route = Route { method, uri };
    match fake.headers(&door.gate, &route, &token, nonce.as_deref()) {
        Ok(fields) => json!(fields).to_string(),
        Err(error) => told(&error),
    }
}

/// What arguments of each kind must be, in words, and the largest number: `{expected, most}`.
#[napi(catch_unwind)]
pub(crate) fn fake_arguments() -> String {
    let words = Argument::ALL.iter();
    let words = words.map(|argument| (argument.as_str().to_owned(), argument.expected().into()));
    let words: serde_json::Map<String, Value> = words.collect();
    json!({ "expected": words, "most": testing::MOST }).to_string()
}

/// Fakes by their issuers' names.
type Fakes = RefCell<Vec<(String, FakeIssuer)>>;

/// No fakes.
#[napi(catch_unwind)]
pub(crate) fn fakes() -> External<Fakes> {
    External::new(Fakes::default())
}

/// One fake more.
#[napi(catch_unwind)]
pub(crate) fn add_fake(fakes: &External<Fakes>, name: String, fake: &External<FakeIssuer>) {
    let fake: &FakeIssuer = fake;
    fakes.borrow_mut().push((name, fake.clone()));
}

/// The refusals of a gate; or `{code, text}`.
#[napi(catch_unwind)]
pub(crate) fn refusals(
    door: &External<Arc<Door>>,
    fakes: &External<Fakes>,
    method: Option<String>,
    uri: Option<String>,
) -> Either<External<Refusals>, String> {
    let fakes = fakes.borrow();
    let fakes: Vec<_> = fakes
        .iter()
        .map(|(name, fake)| (&**name, fake.clone()))
        .collect();
    let own = Route::default();
    let route = Route {
        method: method.unwrap_or(own.method),
        uri: uri.unwrap_or(own.uri),
    };
    match testing::refusals(&door.gate, &fakes, &route) {
        Ok(found) => Either::A(External::new(found)),
        Err(error) => Either::B(told(&error)),
    }
}

/// Every code with its status, and every other with its reason: `{reachable, unreachable}`, pairs.
#[napi(catch_unwind)]
pub(crate) fn refusal_codes(found: &External<Refusals>) -> String {
    let reachable = found.iter();
    let reachable: Vec<Value> = reachable
        .map(|one| json!([one.code().as_str(), one.http_status()]))
        .collect();
    let unreachable = found.unreachable();
    let unreachable: Vec<Value> = unreachable
        .map(|(code, why)| json!([code.as_str(), why]))
        .collect();
    json!({ "reachable": reachable, "unreachable": unreachable }).to_string()
}

/// A request that meets the code at this place; or `{code, text}`, where there is no `method`.
#[napi(catch_unwind)]
pub(crate) fn refusal_call(found: &External<Refusals>, place: u32) -> Result<String> {
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    let refusal = found.iter().nth(place);
    let refusal = refusal.ok_or_else(|| Error::from_reason("no such refusal"))?;
    let call = match refusal.call() {
        Ok(call) => call,
        Err(error) => return Ok(told(&error)),
    };
    let context = call.context();
    let context: Vec<Value> = context
        .map(|(kind, token)| json!({ "kind": kind.as_str(), "token": token }))
        .collect();
    let answer = call.answer();
    let headers: serde_json::Map<String, Value> = answer
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    let made = json!({
        "method": call.method(),
        "uri": call.uri(),
        "headers": call.headers(),
        "token": call.token(),
        "context": context,
        "clientCertificate": call.client_certificate(),
        "proof": call.proof(),
        "tool": call.tool(),
        "httpStatus": answer.status,
        "answerHeaders": headers,
        "answerBody": answer.body,
    });
    Ok(made.to_string())
}

/// Why there are none: the caller's to mend, or ours.
fn told(refused: &NoRefusals) -> String {
    let code = match refused {
        NoRefusals::Surprise { .. } => Code::Internal,
        _ => Code::Usage,
    };
    json!({ "code": code.as_str(), "text": refused.to_string() }).to_string()
}

/// What was told has not the type it should have: the caller's mistake, `{code, text}`.
fn misread(call: &str, error: &serde_json::Error) -> String {
    // The place is one in a text that the caller has not written.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    error::usage(&format!("{call}: {what}"))
}

fn failed(error: KeyError) -> Error {
    Error::from_reason(error.to_string())
}
