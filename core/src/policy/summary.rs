//! What a policy means, gate by gate, in the words `sealgate policy check` prints.

use super::check::quoted;
use super::document::Node;
use super::load::Policy;
use super::profile::{Preset, Profile};
use super::row::TypRule;
use super::{
    ActorPresence, Asks, Delegation, DelegationRules, Discovery, GateIssuer, GateRules,
    IssuerRules, KeyLocation, KeySource, ReplayStore, RevocationStorage, Rules, SenderConstrained,
    StorePlace,
};
use crate::time::Span;

/// A policy in few words, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicySummary {
    /// The document's preset.
    pub preset: Preset,
    /// In the order of the document.
    pub gates: Vec<GateSummary>,
    /// What holds for all gates: where revocations are in force, how far a proof is used once, and
    /// which issuers are asked about their tokens.
    pub everywhere: Vec<String>,
    /// `[annotations]`, each value as its text or its JSON.
    pub annotations: Vec<(String, String)>,
}

/// One gate in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateSummary {
    /// The policy's name for it.
    pub name: String,
    /// The kind of token that opens it.
    pub profile: &'static str,
    /// What it answers to; the first is its `resource`.
    pub audience: Vec<String>,
    /// What it demands beyond that: `needs mcp:use`, `no delegation`.
    pub demands: Vec<String>,
    /// Whose tokens it takes.
    pub issuers: Vec<IssuerSummary>,
}

/// An issuer as one gate sees it, in few words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerSummary {
    /// The policy's name for it.
    pub name: String,
    /// The `typ` its tokens may have: `at+jwt`, `JWT or none`.
    pub typ: String,
    /// The `alg` its tokens may have.
    pub algorithms: Vec<&'static str>,
    /// Where its keys come from.
    pub keys: String,
    /// The most that `exp` may lie after `iat` here; none is no cap.
    pub max_lifetime: Option<Span>,
}

impl Policy {
    /// What this policy means, gate by gate.
    #[must_use]
    pub fn summary(&self) -> PolicySummary {
        let rules = self.rules();
        let annotations = self
            .root()
            .get("annotations")
            .map_or(&[][..], Node::members);
        PolicySummary {
            preset: rules.preset,
            gates: rules.gates.iter().map(|gate| self.gate(gate)).collect(),
            everywhere: everywhere(rules),
            annotations: annotations
                .iter()
                .map(|member| {
                    let text = member.node.as_text().map(str::to_owned);
                    let text = text.unwrap_or_else(|| member.node.to_canonical_json());
                    (member.name.clone(), text)
                })
                .collect(),
        }
    }

    fn gate(&self, gate: &GateRules) -> GateSummary {
        let issuers = &self.rules().issuers;
        let summarise = |at: &GateIssuer| Some(self.issuer(gate, issuers.get(at.position)?, *at));
        GateSummary {
            name: gate.name.to_string(),
            profile: gate.kind.as_str(),
            audience: gate.audience.iter().map(ToString::to_string).collect(),
            demands: demands(gate),
            issuers: gate.issuers.iter().filter_map(summarise).collect(),
        }
    }

    fn issuer(&self, gate: &GateRules, issuer: &IssuerRules, at: GateIssuer) -> IssuerSummary {
        let permitted = issuer
            .algorithms
            .iter()
            .filter(|algorithm| issuer.permits(*algorithm, at.profile));
        IssuerSummary {
            name: issuer.name.to_string(),
            typ: gate
                .typ
                .as_deref()
                .map_or_else(|| typ(at.profile), str::to_owned),
            algorithms: permitted.map(crate::jwa::Algorithm::name).collect(),
            keys: self.keys(issuer),
            max_lifetime: at.max_lifetime,
        }
    }

    fn keys(&self, issuer: &IssuerRules) -> String {
        match &issuer.keys {
            KeySource::Push => "keys by push to this process".to_owned(),
            KeySource::Fetched(fetched) => match &fetched.from {
                KeyLocation::Uri(_) => "keys by jwks_uri".to_owned(),
                KeyLocation::Discovery(Discovery::Auto, _) => "keys by discovery".to_owned(),
                KeyLocation::Discovery(Discovery::Oauth, _) => {
                    "keys by discovery (oauth)".to_owned()
                }
                KeyLocation::Discovery(Discovery::Oidc, _) => "keys by discovery (oidc)".to_owned(),
            },
            KeySource::Static(keys) => {
                let table = self
                    .root()
                    .get("issuers")
                    .and_then(|all| all.get(&issuer.name));
                let sources = ["jwks", "jwks_file", "keys"];
                let source = sources
                    .into_iter()
                    .find(|source| table.is_some_and(|table| table.get(source).is_some()));
                let noun = if keys.len() == 1 { "key" } else { "keys" };
                format!("{} {noun} by {}", keys.len(), source.unwrap_or_default())
            }
        }
    }
}

/// Where what was revoked is in force, how far a proof is used once, and who is asked.
fn everywhere(rules: &Rules) -> Vec<String> {
    let mut texts = vec![revocations(&rules.revocation.store)];
    let replay = rules.possession.replay.as_ref();
    let proofs = replay.filter(|_| rules.gates.iter().any(takes_proofs));
    texts.extend(proofs.map(|replay| {
        let reach = match replay.store {
            ReplayStore::Process => "in this process",
            ReplayStore::Host { .. } => "on this host",
            ReplayStore::Fleet { .. } => "across the fleet",
            ReplayStore::External => "as far as the program's own store reaches",
        };
        format!("a proof is used once {reach}")
    }));
    texts.extend(rules.issuers.iter().filter_map(|issuer| {
        let about = match issuer.introspection.as_ref()?.asks {
            Asks::Opaque => "its opaque tokens",
            Asks::All => "all its access tokens",
        };
        Some(format!("{} is asked about {about}", issuer.name))
    }));
    texts
}

fn takes_proofs(gate: &GateRules) -> bool {
    gate.takes_dpop || gate.takes_own_proof
}

fn revocations(store: &RevocationStorage) -> String {
    match store {
        RevocationStorage::Off => "nobody is asked whether a token was revoked".to_owned(),
        RevocationStorage::Process => "revoked here, enforced in this process at once".to_owned(),
        RevocationStorage::Shared(shared) => {
            let whom = match shared.store.place {
                StorePlace::File(_) => "every process of this host",
                StorePlace::Redis(_) | StorePlace::Nats(_) => "every process",
            };
            let bound = shared.max_staleness.in_words();
            let late = if shared.accept_stale {
                "accepted and marked"
            } else {
                "503"
            };
            format!("revoked here, enforced on {whom} within {bound}, else {late}")
        }
    }
}

fn demands(gate: &GateRules) -> Vec<String> {
    let mut demands = Vec::new();
    if !gate.required_scopes.is_empty() {
        demands.push(format!("needs {}", gate.required_scopes.join(" ")));
    }
    if !gate.acr_values.is_empty() {
        demands.push(format!("acr {}", gate.acr_values.join(" or ")));
    }
    if let Some(age) = gate.max_age {
        demands.push(format!("at most {} old", quoted(age).trim_matches('"')));
    }
    if !gate.required_claims.is_empty() {
        demands.push(format!("claims {}", gate.required_claims.join(" ")));
    }
    demands.push(possession(gate));
    demands.push(match &gate.delegation {
        Delegation::Forbid => "no delegation".to_owned(),
        Delegation::Surface => "delegation surfaced".to_owned(),
        Delegation::Enforce(rules) => table(rules),
    });
    if gate.revokes {
        demands.push("→ revocation".to_owned());
    }
    demands
}

/// `agents: 5 links, 2 allow, 1 deny`.
fn table(rules: &DelegationRules) -> String {
    let links = if rules.max_depth == 1 {
        "link"
    } else {
        "links"
    };
    let mut text = format!("{}: {} {links}", rules.name, rules.max_depth);
    if rules.actor == ActorPresence::Required {
        text += ", actor required";
    }
    text += &format!(", {} allow", rules.allow.len());
    if !rules.deny.is_empty() {
        text += &format!(", {} deny", rules.deny.len());
    }
    text
}

/// `DPoP or mTLS if bound`, `DPoP required`.
fn possession(gate: &GateRules) -> String {
    let proofs = match (gate.takes_dpop, gate.takes_mtls) {
        _ if gate.takes_own_proof => return "own proof required".to_owned(),
        (true, true) => "DPoP or mTLS",
        (true, false) => "DPoP",
        (false, true) => "mTLS",
        (false, false) => "",
    };
    match gate.sender_constrained {
        SenderConstrained::External => "possession proven elsewhere".to_owned(),
        SenderConstrained::Required => format!("{proofs} required"),
        SenderConstrained::IfBound if proofs.is_empty() => "bound tokens refused".to_owned(),
        SenderConstrained::IfBound => format!("{proofs} if bound"),
    }
}

fn typ(profile: Profile) -> String {
    match profile.row().typ {
        TypRule::Required(typ) => typ.to_owned(),
        TypRule::Preferred(typ) => format!("{typ}, JWT or none"),
        TypRule::Untyped(names) => {
            let names: Vec<String> = names.iter().map(|typ| typ.to_ascii_uppercase()).collect();
            format!("{} or none", names.join(", "))
        }
        TypRule::Named => String::new(), // the loader asks the gate for it
    }
}
