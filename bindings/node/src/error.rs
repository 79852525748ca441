//! Refusals as JSON: the table of codes, one refusal in full, and what is wrong with a policy.

use napi_derive::napi;
use sealgate::{Answer, Code, Error, Grounds, NotReady, PolicyError, Problem, Requirements};
use serde_json::{Value, json};

/// Every code of the core in its order, as an array of `{code, reason, group, blame, pending, doc}`
/// with the answer on the wire where no gate gives it: `status` and `headers`.
#[napi(catch_unwind)]
pub(crate) fn codes() -> String {
    let codes = Code::ALL.iter().map(|code| {
        let answer = Answer::without_gate(&Error::from(*code));
        json!({
            "code": code.as_str(),
            "reason": code.reason(),
            "group": code.group().as_str(),
            "blame": code.blame().as_str(),
            "pending": code.is_pending(),
            "doc": code.doc_url(),
            "status": answer.status,
            "headers": answer.headers,
        })
    });
    Value::Array(codes.collect()).to_string()
}

/// The place of a code in [`codes`], counted from 1; 0 stands for an acceptance. Codes are numbered
/// in the order of the table.
pub(crate) fn number(error: &Error) -> u8 {
    error.code() as u8 + 1
}

/// What errors of one refusal have in common, whenever they are made. What a call got wrong is told
/// at once: it belongs to the message.
pub(crate) fn outline(grounds: &Grounds, error: &Error, requirements: &Requirements) -> String {
    let advice = grounds.advice(error, requirements);
    let hint = (error.code() == Code::Usage).then_some(&advice.hint);
    json!({
        "code": error.code().as_str(),
        "reason": error.reason(),
        "claim": error.claim(),
        "misuse": error.is_misuse(),
        "gate": advice.gate,
        "issuerName": advice.issuer_name,
        "expected": advice.expected,
        "expectation": advice.expectation(),
        "hint": hint,
    })
    .to_string()
}

/// What to do about a refusal at this moment: a hint, and the answer on the wire.
pub(crate) fn answer(grounds: &Grounds, error: &Error, requirements: &Requirements) -> String {
    let advice = grounds.advice(error, requirements);
    let answer = grounds.answer(error, requirements);
    json!({
        "hint": advice.hint,
        "status": answer.status,
        "headers": answer.headers,
        "body": answer.body,
    })
    .to_string()
}

/// All there is to say about one refusal: `[outline, answer]`.
pub(crate) fn refusal(grounds: &Grounds, error: &Error, requirements: &Requirements) -> String {
    let outline = outline(grounds, error, requirements);
    let answer = answer(grounds, error, requirements);
    format!("[{outline},{answer}]")
}

/// A refusal that no gate had a part in.
pub(crate) fn bare(error: &Error) -> String {
    let (code, misuse) = (error.code().as_str(), error.is_misuse());
    let hint = error.misuse();
    json!({ "code": code, "claim": error.claim(), "misuse": misuse, "hint": hint }).to_string()
}

/// Keys or news that are not there, in words: the outage of an issuer or of a store.
pub(crate) fn not_ready(error: &NotReady) -> String {
    json!({
        "code": error.code().as_str(),
        "text": error.to_string(),
        "hint": error.to_string(),
        "issuerName": error.issuer_name,
    })
    .to_string()
}

/// The caller's mistake, in words.
pub(crate) fn usage(text: &str) -> String {
    json!({ "code": Code::Usage.as_str(), "hint": text, "misuse": true }).to_string()
}

/// Everything that is wrong with a policy.
pub(crate) fn policy(error: &PolicyError) -> String {
    let problem = |problem: &Problem| {
        json!({
            "path": problem.path,
            "line": problem.line,
            "column": problem.column,
            "text": problem.text,
        })
    };
    let problems: Vec<Value> = error.problems.iter().map(problem).collect();
    json!({ "text": error.to_string(), "document": error.document, "problems": problems })
        .to_string()
}
