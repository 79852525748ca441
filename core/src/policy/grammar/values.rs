//! Closed lists of strings, and defaults that follow from other members.

use super::{Choice, choice};
use crate::policy::document::Node;
use crate::policy::profile::{self, Preset, Profile};
use crate::policy::row::AudienceRule;
use crate::policy::unit::show_duration;

pub(super) static PRESETS: Choice = choice(|| vec!["agent_strict", "rfc"]);
pub(super) static DISCOVERY: Choice = choice(|| vec!["auto", "oauth", "oidc"]);
pub(super) static INTROSPECTED: Choice = choice(|| vec!["opaque", "all"]);
pub(super) static PUSH: Choice = Choice {
    now: || vec!["process"],
    later: &[],
    names: Some("a store"),
    elsewhere: &[],
};
pub(super) static ACT_ISS: Choice = choice(|| vec!["inherit", "require"]);
pub(super) static ACT_MEANING: Choice = choice(|| vec!["rfc8693", "inverted"]);
pub(super) static AUD_NAMES: Choice = choice(|| vec!["client_id"]);
pub(super) static SENDER_CONSTRAINED: Choice = choice(|| vec!["if_bound", "required", "external"]);
pub(super) static NONCE: Choice = choice(|| vec!["off", "required"]);
pub(super) static CERTIFICATES: Choice = choice(|| vec!["caller"]);
pub(super) static REPLAY_STORE: Choice = choice(|| vec!["process", "external"]);
pub(super) static REVOCATION_STORE: Choice = choice(|| vec!["off", "process"]);
pub(super) static STORE_KIND: Choice = choice(|| vec!["file", "redis", "nats"]);
pub(super) static INNER_ACTORS: Choice = choice(|| vec!["revoke", "ignore"]);
pub(super) static ACTOR_PRESENCE: Choice = choice(|| vec!["optional", "required"]);
pub(super) static LOOPS: Choice = choice(|| vec!["deny_any", "deny_adjacent", "allow"]);
pub(super) static SELF_ACTOR: Choice = choice(|| vec!["accept", "reject"]);
pub(super) static PRESENTER: Choice = choice(|| vec!["must_be_actor", "any"]);
pub(super) static LINEAGE: Choice =
    choice(|| vec!["asserted", "correlated", "issuer_attested", "cryptographic"]);
pub(super) static TRANSACTION_USE: Choice = choice(|| vec!["any", "once"]);
pub(super) static UNAVAILABLE: Choice = choice(|| vec!["refuse", "accept_marked"]);
pub(super) static PROFILES: Choice = Choice {
    now: || {
        Profile::ALL
            .iter()
            .map(|profile| profile.as_str())
            .collect()
    },
    later: LATER_PROFILES,
    names: None,
    elsewhere: &[],
};
pub(super) static KINDS: Choice = Choice {
    now: || {
        profile::Kind::ALL
            .iter()
            .map(|kind| kind.as_str())
            .collect()
    },
    later: LATER_PROFILES,
    names: None,
    elsewhere: &[(
        "access_token_untyped",
        "is one way to write access tokens. Write profile = \"access_token\", and \"access_token_untyped\" \
         in the issuer's profiles",
    )],
};
/// Rows of standards 29.2 whose tokens are proofs for another one's key: a request brings both.
static LATER_PROFILES: &[&str] = &["client_attestation_pop", "wpt", "capability_pop"];

pub(super) fn default_delegation(preset: Preset, _: &Node) -> Option<Node> {
    Some(Node::text(match preset {
        Preset::AgentStrict => "forbid",
        Preset::Rfc => "surface",
    }))
}

pub(super) static EDGE_SCOPE: Choice = choice(|| vec!["strict_subset", "issuer_attested"]);
pub(super) static EDGE_EXP: Choice = choice(|| vec!["within_parent", "any"]);
pub(super) static EDGE_AUD: Choice = choice(|| vec!["exchanger", "any"]);
pub(super) static CONTEXT_NEED: Choice = choice(|| vec!["allowed", "required"]);

/// Whether tokens of the gate's kind are for somebody in particular. Most are; of a kind that is
/// named and not known, nobody can tell.
pub(super) fn names_an_audience(gate: &Node) -> bool {
    let Some(kind) = gate.get("profile") else {
        return true;
    };
    let kind = kind.as_text().and_then(profile::Kind::from_name);
    kind.is_some_and(|kind| match kind.row().audience {
        AudienceRule::Contains | AudienceRule::Sole | AudienceRule::OnlyOurs => true,
        AudienceRule::IfAny | AudienceRule::Never => false,
    })
}

/// A delegated token cannot be called back by whoever delegated, so it is short-lived
/// (standards 29.2).
pub(super) fn default_delegated_lifetime(preset: Preset, _: &Node) -> Option<Node> {
    (preset == Preset::AgentStrict).then(|| Node::text("15m"))
}

/// Other places an issuer's keys can be, in the order in which they are named.
const PLACES: [&str; 5] = ["jwks_uri", "jwks", "jwks_file", "keys", "jwks_push"];

/// An issuer whose keys are nowhere else is asked for them.
pub(super) fn default_discovery(_: Preset, issuer: &Node) -> Option<Node> {
    let elsewhere = PLACES.iter().any(|place| issuer.get(place).is_some());
    (!elsewhere).then(|| Node::text("auto"))
}

/// Only what is fetched is refreshed.
pub(super) fn default_refresh(_: Preset, issuer: &Node) -> Option<Node> {
    let [jwks_uri, kept @ ..] = PLACES;
    let fetched =
        issuer.get(jwks_uri).is_some() || !kept.iter().any(|place| issuer.get(place).is_some());
    fetched.then(|| Node::table::<String>([]))
}

/// Only transaction tokens have come some way.
pub(super) fn default_transactions(_: Preset, gate: &Node) -> Option<Node> {
    let kind = gate.get("profile").and_then(Node::as_text);
    (kind == Some(profile::Kind::TxnToken.as_str())).then(|| Node::table::<String>([]))
}

/// Servers keep many stores; a folder is one.
pub(super) fn default_namespace(_: Preset, store: &Node) -> Option<Node> {
    let kind = store.get("kind").and_then(Node::as_text);
    (kind != Some("file")).then(|| Node::text("sealgate"))
}

/// What is written in a store that processes share is news to each of them.
fn is_shared(revocation: &Node) -> bool {
    let store = revocation.get("store").and_then(Node::as_text);
    store.is_some_and(|store| !(REVOCATION_STORE.now)().contains(&store))
}

pub(super) fn default_max_staleness(_: Preset, revocation: &Node) -> Option<Node> {
    is_shared(revocation).then(|| Node::text("10s"))
}

pub(super) fn default_on_stale(_: Preset, revocation: &Node) -> Option<Node> {
    is_shared(revocation).then(|| Node::text("refuse"))
}

/// A table whose presence says something stays absent where it is.
pub(super) fn stays_absent(_: Preset, _: &Node) -> Option<Node> {
    None
}

/// The asymmetric algorithms, as far as the issuer's profiles permit them.
pub(super) fn default_algorithms(_: Preset, issuer: &Node) -> Option<Node> {
    let profiles = profiles_of(issuer);
    let permitted = profile::default_algorithms()
        .iter()
        .filter(|algorithm| profiles.iter().any(|profile| profile.permits(*algorithm)));
    Some(Node::list(
        permitted.map(|algorithm| Node::text(algorithm.name())),
    ))
}

/// The asymmetric algorithms: whoever holds the key must be the only one.
pub(super) fn default_proof_algorithms(_: Preset, _: &Node) -> Option<Node> {
    let algorithms = profile::default_algorithms().iter();
    Some(Node::list(
        algorithms.map(|algorithm| Node::text(algorithm.name())),
    ))
}

/// The longest cap of the issuer's profiles; each of them keeps its own where that is shorter.
pub(super) fn default_max_lifetime(preset: Preset, issuer: &Node) -> Option<Node> {
    let caps: Option<Vec<_>> = profiles_of(issuer)
        .iter()
        .map(|profile| profile.row().max_lifetime)
        .collect();
    let longest = caps?.into_iter().max()?;
    (preset == Preset::AgentStrict).then(|| Node::text(show_duration(longest)))
}

fn profiles_of(issuer: &Node) -> Vec<Profile> {
    match issuer.get("profiles") {
        None => vec![Profile::AccessToken],
        Some(names) => {
            let names = names.items().iter().filter_map(Node::as_text);
            names.filter_map(Profile::from_name).collect()
        }
    }
}
