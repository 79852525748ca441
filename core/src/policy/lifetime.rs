//! How long tokens can live that a policy takes: what tells when a revocation can be forgotten (REV-07).

use super::profile::Kind;
use super::{GateIssuer, GateRules, Rules};
use crate::claims::Claim;
use crate::time::Span;

impl Rules {
    /// The longest that a token is taken anywhere here from its issue on, but for the leeway; `None` where
    /// nothing bounds that.
    pub(crate) fn longest_lifetime(&self) -> Option<Span> {
        longest(self.gates.iter().map(GateRules::longest_lifetime))
    }
}

impl GateRules {
    fn longest_lifetime(&self) -> Option<Span> {
        // What it names has ended anyway: a token that tells of an event is revoked by nothing of that.
        if matches!(self.kind, Kind::LogoutToken | Kind::Set) {
            return Some(Span::ZERO);
        }
        let own = self.issuers.iter().map(GateIssuer::longest_lifetime);
        let further = self.context.iter();
        let further = further.chain(self.caller.as_deref());
        let further = further.chain(self.actor_proofs.as_deref());
        longest(own.chain(further.map(|rules| rules.door.longest_lifetime())))
    }
}

impl GateIssuer {
    /// A cap is on the time between two dates, and bounds nothing where one of them may be missing.
    fn longest_lifetime(&self) -> Option<Span> {
        let required = self.profile.row().required;
        let dated = required.contains(Claim::Exp) && required.contains(Claim::Iat);
        self.max_lifetime.filter(|_| dated)
    }
}

fn longest(mut lifetimes: impl Iterator<Item = Option<Span>>) -> Option<Span> {
    lifetimes.try_fold(Span::ZERO, |longest, own| own.map(|own| longest.max(own)))
}
