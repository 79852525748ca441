//! How long tokens can live that a policy takes: what tells when a revocation can be forgotten
//! (REV-07).

use super::{GateIssuer, GateRules};
use crate::claims::Claim;
use crate::time::Span;

/// The longest that a token is taken at any of the gates from its issue on, but for the leeway;
/// `None` where nothing bounds that.
pub(super) fn longest_lifetime(gates: &[GateRules]) -> Option<Span> {
    longest(gates.iter().map(GateRules::longest_lifetime))
}

impl GateRules {
    fn longest_lifetime(&self) -> Option<Span> {
        // What it names has ended anyway: a token that tells of an event is revoked by nothing of
        // that.
        if self.kind.tells_of_events() {
            return Some(Span::ZERO);
        }
        // What an issuer says of its tokens has to say when they end, and not when they began.
        if self.opaque.is_some() {
            return None;
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

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use serde_json::json;

    use crate::policy::{Format, Policy};

    #[test]
    fn rev_07_nobody_knows_how_old_an_introspected_token_is() {
        let longest = |how: serde_json::Value| {
            let mut issuer = json!({ "issuer": "https://a.example", "jwks_push": "process",
                                     "algorithms": ["ES256"], "max_lifetime": "1h" });
            issuer
                .as_object_mut()
                .unwrap()
                .extend(how.as_object().unwrap().clone());
            let document = json!({
                "version": 1,
                "issuers": { "a": issuer },
                "gates": { "g": { "profile": "access_token", "issuers": ["a"],
                                  "audience": "https://rs.example" } },
            });
            let policy = Policy::parse(document.to_string(), Format::Json).unwrap();
            policy.rules().longest_lifetime.map(|span| span.seconds())
        };
        assert_eq!(longest(json!({})), Some(3600));
        #[cfg(feature = "remote")]
        {
            let how = json!({ "client_id": "rs", "client_secret": { "env": "PATH" } });
            assert_eq!(longest(json!({ "introspection": how })), None);
        }
    }

    #[test]
    fn one_kind_of_token_without_a_bound_leaves_nothing_bounded() {
        let longest = |preset: &str, max_lifetime: Option<&str>, profiles: &[&str]| {
            let gate = |profile: &&str| {
                let audience = format!("https://rs.example/{profile}");
                let gate = json!({ "profile": profile, "issuers": ["a"], "audience": audience });
                ((*profile).to_owned(), gate)
            };
            let mut document = json!({
                "version": 1,
                "preset": preset,
                "issuers": { "a": { "issuer": "https://a.example", "jwks_push": "process",
                                    "algorithms": ["ES256"], "profiles": profiles } },
                "gates": profiles.iter().map(gate).collect::<serde_json::Map<_, _>>(),
                "replay": { "store": "process" },
            });
            if let Some(lifetime) = max_lifetime {
                document["issuers"]["a"]["max_lifetime"] = lifetime.into();
            }
            let policy = Policy::parse(document.to_string(), Format::Json).unwrap();
            policy
                .rules()
                .longest_lifetime
                .map(|span| span.seconds() / 60)
        };
        let access = ["access_token"];
        assert_eq!(longest("agent_strict", None, &access), Some(60));
        assert_eq!(longest("agent_strict", Some("2h"), &access), Some(120));
        assert_eq!(longest("rfc", None, &access), None);
        assert_eq!(longest("rfc", Some("10m"), &access), Some(10));
        // Nothing of what they name is theirs.
        let telling = ["access_token", "logout_token", "set"];
        assert_eq!(longest("agent_strict", None, &telling), Some(60));
        let both = ["access_token", "id_token"];
        assert_eq!(longest("rfc", Some("10m"), &both), Some(10));
        // A client assertion need not say when it was issued.
        let dateless = ["access_token", "client_assertion"];
        assert_eq!(longest("agent_strict", None, &dateless), None);
    }
}
