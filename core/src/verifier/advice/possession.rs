//! What to do where a key that a token is bound to is not proven to be held.

use super::Context;
use crate::binding::Scheme;
use crate::claims::Claim;
use crate::policy::Carrier;

impl Context<'_> {
    /// Whether the token came under `DPoP`, and says of no key that it is its own.
    pub(super) fn is_bearers(&self) -> bool {
        let Some(seen) = self.call.seen.filter(|seen| seen.claims.is_some()) else {
            return false;
        };
        let shown = seen.shown.as_ref();
        shown.is_some_and(|shown| shown.scheme == Scheme::Dpop) && !seen.has(Claim::Cnf.name())
    }

    /// What would prove possession and is not there, by what the error is about.
    pub(super) fn possession(&self, about: Option<&str>) -> String {
        let (gate, rules) = (&self.gate.name, self.gate);
        let elsewhere = "say sender_constrained = \"external\" where somebody else checks it";
        match about {
            Some("dpop") if rules.takes_dpop => "The token is bound to a key (cnf.jkt). Client: \
                Authorization: DPoP and a DPoP proof. Server: call verify_request, not verify; \
                behind Envoy HTTP ext_authz list dpop in allowed_headers."
                .into(),
            Some("dpop") => format!(
                "The token is bound to a key (cnf.jkt), and no proof by one can be checked here: add \
                 [dpop] to the policy, or {elsewhere}."
            ),
            Some("x5t#S256") if rules.takes_mtls => "The token is bound to a client certificate \
                (RFC 8705 §3). Client: connect with it. Server: call verify_request with the \
                client certificate of the connection."
                .into(),
            Some("x5t#S256") => format!(
                "The token is bound to a client certificate (RFC 8705 §3), and none can be checked \
                 here: add [mtls] to the policy, or {elsewhere}."
            ),
            Some("proof") if rules.takes_own_proof => self.own_proof(),
            Some("proof") => format!(
                "No proof can be checked here: add public_url to gates.{gate}, or {elsewhere}."
            ),
            Some("jkt") => {
                "The token is bound in a way that cannot be proven here: cnf has a member \
                other than jkt, jwk and x5t#S256, or none at all."
                    .into()
            }
            _ => format!(
                "Gate {gate} takes only tokens that are bound to a key by cnf: ask the issuer for one \
                 (RFC 9449 §5, RFC 8705 §3)."
            ),
        }
    }

    fn own_proof(&self) -> String {
        match self.gate.kind.carrier() {
            Carrier::Field {
                token,
                proof: Some(proof),
            } => format!(
                "Client: the token in the field {}, a proof in {}. Server: call verify_request, not \
                 verify.",
                token.name(),
                proof.name()
            ),
            Carrier::Field { proof: None, .. } => {
                "Nothing proves possession of such a token here; \
                 say sender_constrained = \"external\" where somebody else checks it."
                    .into()
            }
            Carrier::Content => "Client: a proof for every call (aat_pop). Server: call \
                verify_request with the capability, its proof and the operation, not verify."
                .into(),
            Carrier::Authorization | Carrier::Form | Carrier::None => {
                "Server: call verify_request.".into()
            }
        }
    }

    /// What makes proofs that are well meant fail.
    pub(super) fn proof(&self, about: Option<&str>) -> String {
        match about {
            Some("htu" | "aud") => format!(
                "The URL that the client calls must lie under gates.{}.public_url: {}.",
                self.gate.name,
                self.gate.public_url.as_deref().unwrap_or("none")
            ),
            Some("iat") if self.gate.kind.carrier() == Carrier::Content => {
                "Compare the client's clock with this machine's; a proof of a capability lives for \
                 30 s."
                    .into()
            }
            Some("iat") => {
                "Compare the client's clock with this machine's; a proof lives for dpop.max_age."
                    .into()
            }
            Some("aat_aud") => format!(
                "The proof is for another server; this one is gates.{}.public_url: {}.",
                self.gate.name,
                self.gate.public_url.as_deref().unwrap_or("none")
            ),
            Some("aat_tool" | "hta") => "The proof was made for another call: the tool and its \
                 arguments are the very ones that will be used."
                .into(),
            Some("aat_id" | "aat_hash") => "The proof was made for another capability.".into(),
            Some("ath" | "wth" | "tth") => "The proof was made for another token.".into(),
            Some("htm") => "The proof was made for another method.".into(),
            Some("alg") if self.gate.takes_dpop => format!(
                "Proofs are signed with {}.",
                self.rules
                    .possession
                    .dpop
                    .as_ref()
                    .map_or_else(String::new, |dpop| {
                        let names: Vec<_> = dpop.algorithms.iter().map(|a| a.name()).collect();
                        names.join(" ")
                    })
            ),
            Some("alg") => "The proof is signed with the algorithm of the key in cnf.".into(),
            Some("dpop") => "Send exactly one DPoP field with one proof.".into(),
            _ if self.gate.takes_dpop => {
                "Make a new proof for this request (RFC 9449 §4.2).".into()
            }
            _ => "Make a new proof for this request.".into(),
        }
    }
}
