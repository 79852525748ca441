//! Before calling on: the token that goes out is another one than came in, and comes out of it
//! (CD-06).

use super::ancestry::{self, ContextToken};
use super::pipeline;
use super::{Gate, Sitting, VerifiedToken};
use crate::claims::Claim;
use crate::delegation::{self, TasksAgree};
use crate::error::{Code, Error};
use crate::jws::{Compact, SignatureBuffer};
use crate::policy::Kind;

impl Gate {
    /// Whether a token may be sent on to `target` in the name of the one that was verified here: it
    /// is not that very token, it comes out of it as one token of a chain out of another
    /// ([`Gate::verify_chain`]), it is for `target` alone, and it is valid now.
    ///
    /// A service that passes on what it was sent lets everybody behind it act here; one that calls
    /// on with a token of another person, or a wider one, is a confused deputy. The gate's
    /// `context` must take the outbound token's kind, since its issuer's keys verify it.
    ///
    /// # Errors
    ///
    /// `token_passthrough` for the token that came in, whatever its signature, unless it is a
    /// transaction token, which goes on as it is within its trust domain, the target;
    /// `attenuation_audience` for a token that is for anybody else; `revoked` for either of them;
    /// the codes of [`Gate::verify_chain`]; and `usage` for a kind that the gate's `context` does
    /// not take.
    pub fn check_outbound(
        &self,
        inbound: &VerifiedToken,
        outbound: ContextToken<'_>,
        target: &str,
    ) -> Result<(), Error> {
        self.sit().check_outbound(inbound, outbound, target)
    }
}

impl Sitting<'_> {
    /// As [`Gate::check_outbound`].
    ///
    /// # Errors
    ///
    /// As [`Gate::check_outbound`].
    pub fn check_outbound(
        &self,
        inbound: &VerifiedToken,
        outbound: ContextToken<'_>,
        target: &str,
    ) -> Result<(), Error> {
        let (provider, now) = (self.provider(), self.now());
        let door = self.door()?;
        let token = outbound.bytes();
        let same = is_same(inbound, token);
        // TXT-14: within its trust domain a transaction token goes on as it came.
        let goes_on = door.gate.kind == Kind::TxnToken && outbound.kind() == Kind::TxnToken;
        if same && !goes_on {
            return Err(Error::new(Code::TokenPassthrough)); // MCP-10
        }
        inbound.check_not_revoked(now)?;
        let further = door.context(outbound.kind());
        let further = further.ok_or_else(|| Error::about(Code::Usage, "context"))?;
        let mut buffer = SignatureBuffer::new();
        let job = pipeline::admit(further, token, now, &mut buffer, &mut ())?;
        let source = job.signed().source;
        let blame = |error| door.blame(&source, error);
        let signed = provider.verify(job);
        let signed = signed.ok_or_else(|| blame(Error::new(Code::BadSignature)))?;
        let next = ancestry::settle(further, signed, now, door.gate.delegation.max_depth())?;
        next.dates().check(now).map_err(blame)?;
        if let Some(handles) = ancestry::handles_of(&door, &next, provider)? {
            handles.check(now).map_err(blame)?;
        }
        let member = next.member(door.issuer(next.source())?);
        let mut audiences = member.claims.audience();
        if audiences.next() != Some(target) || audiences.next().is_some() {
            let claim = Claim::Aud.name();
            return Err(blame(Error::about(Code::AttenuationAudience, claim)));
        }
        if same {
            return Ok(());
        }
        let inbound = inbound.member();
        // CD-06: subject, authority and task go on from the one to the other.
        delegation::prove_next(&inbound, &member, &ancestry::terms(&door)).map_err(blame)?;
        let (rules, sha256) = (&door.gate.intent, provider.sha256);
        delegation::check_tasks(&inbound, &[member], rules, None, sha256)
            .map(|TasksAgree { .. }| ())
            .map_err(blame)
    }
}

/// Whether these bytes are the token that was verified. A signature can be written in more than one
/// way, so what it signs is compared.
fn is_same(inbound: &VerifiedToken, token: &[u8]) -> bool {
    let payload = Compact::split(token, token.len()).and_then(|compact| compact.decode_payload());
    payload.is_ok_and(|payload| payload == inbound.payload())
}
