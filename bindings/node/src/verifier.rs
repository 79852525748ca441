//! Verifiers: a policy, keys and a clock behind one handle.

use std::sync::Arc;

use napi::bindgen_prelude::{Either, External};
use napi_derive::napi;
use sealgate::crypto::aws_lc;
use sealgate::{Clock, FixedClock, Gate, Policy, Revocations, Span, Verifier};
use serde_json::json;

use crate::error;

/// A verifier with the clock it was given.
pub(crate) struct Engine {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Clock,
}

/// A verifier over this policy, by the system's clock or by a fixed one; or the policy's problems.
#[napi(catch_unwind)]
pub(crate) fn open(
    policy: &External<Policy>,
    clock: Option<&External<Arc<FixedClock>>>,
) -> Either<External<Engine>, String> {
    let clock = clock.map_or(Clock::System, |clock| Clock::Fixed(Arc::clone(clock)));
    match Verifier::with_clock((**policy).clone(), aws_lc::provider(), clock.clone()) {
        Ok(verifier) => Either::A(External::new(Engine { verifier, clock })),
        Err(refused) => Either::B(error::policy(&refused)),
    }
}

/// The milliseconds of a duration as policy documents write it, or why it is none.
#[napi(catch_unwind)]
pub(crate) fn duration(text: String) -> Either<i64, String> {
    match Span::parse(&text) {
        Ok(span) => Either::A(span.millis()),
        Err(problem) => Either::B(problem),
    }
}

/// How many milliseconds the calls that wait do, unless they are told: `{verify, ready, flush}`.
#[napi(catch_unwind)]
pub(crate) fn waits() -> String {
    let [verify, ready, flush] =
        [Gate::WAIT, Verifier::READY, Revocations::FLUSH].map(|wait| wait.as_millis());
    json!({ "verify": verify, "ready": ready, "flush": flush }).to_string()
}

/// The names of the gates, in the policy's order.
#[napi(catch_unwind)]
pub(crate) fn gate_names(engine: &External<Engine>) -> Vec<String> {
    engine.verifier.gates()
}

/// What the program permitted of the first policy: `{allowDanger, allowTestKeys, pushAllKeys}`.
#[napi(catch_unwind)]
pub(crate) fn permits(engine: &External<Engine>) -> String {
    let options = engine.verifier.options();
    json!({
        "allowDanger": options.allows_danger(),
        "allowTestKeys": options.allows_test_keys(),
        "pushAllKeys": options.pushes_all_keys(),
    })
    .to_string()
}

/// Swaps the policy; returns its problems when it was refused.
#[napi(catch_unwind)]
pub(crate) fn reload(engine: &External<Engine>, policy: &External<Policy>) -> Option<String> {
    let refused = engine.verifier.reload((**policy).clone()).err()?;
    Some(error::policy(&refused))
}

/// The policy in force.
#[napi(catch_unwind)]
pub(crate) fn current_policy(engine: &External<Engine>) -> External<Policy> {
    External::new(engine.verifier.policy())
}

/// Counters, as the core has them.
#[napi(catch_unwind)]
pub(crate) fn stats(engine: &External<Engine>) -> String {
    engine.verifier.stats().to_string()
}
