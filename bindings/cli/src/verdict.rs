//! A verdict as a JSON line, as a row among others, and alone for a person.

use std::io::{self, Write};

use sealgate::{
    Blame, Clock, Error, Gate, Lineage, NumericDate, Possession, Requirements, VerifiedToken,
};
use serde::Serialize;

use crate::text::{Columns, date, printable, relative};

/// The members of an acceptance.
#[derive(Serialize)]
struct Accepted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    line: usize,
    ok: bool,
    code: &'static str,
    gate: &'a str,
    profile: &'static str,
    issuer: &'a str,
    issuer_name: &'a str,
    subject: Option<&'a str>,
    actor: Option<Link<'a>>,
    chain: Vec<Link<'a>>,
    scopes: Vec<&'a str>,
    expires_at: Option<i64>,
    /// How possession was shown; left out of a bearer token's.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_constrained: Option<&'static str>,
}

/// An actor.
#[derive(Clone, Copy, Serialize)]
struct Link<'a> {
    iss: &'a str,
    sub: &'a str,
}

/// The members of a refusal, and of a token that could not be decided.
#[derive(Serialize)]
struct Refused<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    line: usize,
    ok: bool,
    code: &'static str,
    blame: &'static str,
    gate: &'a str,
    issuer_name: Option<&'a str>,
    claim: Option<&'a str>,
    reason: &'static str,
    expected: &'a [String],
    hint: &'a str,
    /// Seconds; of a token that could not be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

/// Where a token stood.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Where there are several.
    pub(crate) file: Option<&'a str>,
    pub(crate) line: usize,
}

/// Appends a JSON line, of a call with these needs.
pub(crate) fn write_json(
    out: &mut Vec<u8>,
    gate: &Gate,
    needs: &Requirements,
    Place { file, line }: Place<'_>,
    verdict: Result<&VerifiedToken, Error>,
) -> io::Result<()> {
    match verdict {
        Ok(token) => {
            let actors = token.chain().map(|actor| Link {
                iss: actor.iss(),
                sub: actor.sub(),
            });
            let chain: Vec<Link<'_>> = actors.collect();
            let accepted = Accepted {
                file,
                line,
                ok: true,
                code: "accepted",
                gate: token.gate(),
                profile: token.profile().as_str(),
                issuer: token.issuer(),
                issuer_name: token.issuer_name(),
                subject: token.subject(),
                actor: chain.first().copied(),
                chain,
                scopes: token.scopes().collect(),
                expires_at: token.expires_at().map(NumericDate::seconds),
                sender_constrained: token.sender_constrained().map(Possession::as_str),
            };
            serde_json::to_writer(&mut *out, &accepted)?;
        }
        Err(error) => {
            let advice = gate.advice_with(&error, needs);
            let retry_after = match error.blame() {
                Blame::Rejected => None,
                _ => retry_after(gate, &error),
            };
            let refused = Refused {
                file,
                line,
                ok: false,
                code: error.code().as_str(),
                blame: error.blame().as_str(),
                gate: &advice.gate,
                issuer_name: advice.issuer_name.as_deref(),
                claim: error.claim(),
                reason: error.reason(),
                expected: &advice.expected,
                hint: &advice.hint,
                retry_after,
            };
            serde_json::to_writer(&mut *out, &refused)?;
        }
    }
    out.push(b'\n');
    Ok(())
}

/// What the answer on the wire says.
fn retry_after(gate: &Gate, error: &Error) -> Option<u32> {
    let headers = gate.answer(error, &Requirements::NONE).headers;
    let mut headers = headers.into_iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    value.parse().ok()
}

/// Appends a row of a list.
pub(crate) fn write_row(
    out: &mut Vec<u8>,
    line: usize,
    verdict: Result<&VerifiedToken, Error>,
) -> io::Result<()> {
    match verdict {
        Ok(token) => {
            let subject = printable(token.subject().unwrap_or("-"));
            let row = match token.actor() {
                Some(actor) => format!("{}  for  {subject}", printable(actor.sub())),
                None => subject,
            };
            writeln!(out, "{line:>8}  {:<25} {row}", "accepted")
        }
        Err(error) => {
            let (code, reason) = (error.code().as_str(), error.reason());
            writeln!(out, "{line:>8}  {code:<25} {reason}")
        }
    }
}

/// One verdict for a person, on a call with these needs.
pub(crate) fn describe(
    gate: &Gate,
    needs: &Requirements,
    clock: &Clock,
    verdict: &Result<VerifiedToken, Error>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match verdict {
        Ok(token) => describe_token(token, clock, out),
        Err(error) => {
            let word = match error.blame() {
                Blame::Rejected => "refused",
                _ => "undecided",
            };
            let advice = gate.advice_with(error, needs);
            writeln!(out, "{word}   {error}")?;
            let columns = Columns::after("  ");
            if let Some(expectation) = advice.expectation() {
                columns.write(out, "  ", &expectation)?;
            }
            columns.write(out, "  ", &advice.hint)
        }
    }
}

fn describe_token(token: &VerifiedToken, clock: &Clock, out: &mut dyn Write) -> io::Result<()> {
    let subject = printable(token.subject().unwrap_or("nobody named"));
    let mut chain: Vec<String> = token.chain().map(|actor| printable(actor.sub())).collect();
    match chain.first() {
        Some(actor) => writeln!(out, "accepted   {actor}  for  {subject}")?,
        None => writeln!(out, "accepted   {subject}")?,
    }
    let columns = Columns::after("  issuer   ");
    let mut issuer = vec![token.issuer_name(), token.profile().as_str()];
    // The header was verified; it is read once more only to show what signed.
    let header: serde_json::Value = serde_json::from_str(token.header()).unwrap_or_default();
    issuer.extend(header["alg"].as_str());
    let key = token.key_id().map(|kid| format!("key {}", printable(kid)));
    issuer.extend(key.as_deref());
    columns.write(out, "  issuer   ", &issuer.join(", "))?;
    if token.lineage() != Lineage::None {
        chain.push(subject);
        let proven = match token.lineage() {
            Lineage::Asserted => "asserted by the issuer, not proven",
            proven => proven.as_str(),
        };
        let chain = format!("{}     ({proven})", chain.join(" ← "));
        columns.write(out, "  chain    ", &chain)?;
    }
    let scopes: Vec<String> = token.scopes().map(printable).collect();
    if !scopes.is_empty() {
        columns.write(out, "  scopes   ", &scopes.join(" "))?;
    }
    let expires = match token.expires_at().map(NumericDate::seconds) {
        Some(exp) => format!("{} ({})", relative(exp - clock.now().seconds()), date(exp)),
        None => "never, by itself".to_owned(),
    };
    columns.write(out, "  expires  ", &expires)?;
    let bound = match token.sender_constrained() {
        Some(Possession::External) => "yes; the policy says the proof was checked elsewhere",
        Some(Possession::Mtls) => "yes, to the client's certificate (mTLS)",
        Some(Possession::Wpt) => "yes, by a workload proof token (WPT)",
        Some(Possession::ClientAttestationPop) => "yes, by the proof of the attested client",
        Some(Possession::CapabilityPop) => "yes, by the proof of this call (aat_pop)",
        Some(_) => "yes, by DPoP",
        None => "no, bearer",
    };
    columns.write(out, "  bound    ", bound)
}
