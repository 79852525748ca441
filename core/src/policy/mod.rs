//! The policy document, compiled: what each gate demands and what each issuer may sign.
//!
//! [`Policy`] is immutable. Every string here comes from the operator, never from a token.

mod carrier;
mod challenge;
mod check;
mod compile;
mod context;
mod delegation;
mod document;
mod edges;
mod effective;
mod file;
mod flat;
mod grammar;
mod intent;
mod introspection;
mod key_use;
mod lifetime;
mod load;
mod possession;
mod problem;
mod profile;
mod revocation;
mod row;
mod rows;
mod schema;
mod secret;
mod section;
mod store;
mod summary;
mod transactions;
mod unit;
mod waiver;

pub(crate) use carrier::{Carrier, HeaderField};
pub(crate) use challenge::Challenge;
pub(crate) use context::{ContextNeed, ContextRules};
pub use delegation::Lineage;
#[cfg(feature = "testing")]
pub(crate) use delegation::SubPattern;
pub(crate) use delegation::{
    ActorPattern, ActorPresence, AllowRule, Delegation, DelegationRules, DenyReach, Loops,
    PresenterRule, SelfActor, SubjectPattern,
};
pub use document::Format;
pub(crate) use edges::{AudRule, Edge, Edges, ExpRule, Mapping, ScopeRule};
pub(crate) use intent::{IntentPointer, IntentRules, TaskKind};
pub(crate) use introspection::{AnswerForm, Asks, Endpoint, IntrospectionRules, Opaque, ToldToken};
pub(crate) use key_use::KeyUse;
pub use load::{LoadOptions, Policy};
pub(crate) use possession::{
    DpopRules, OnUnavailable, Once, PossessionRules, ReplayRules, ReplayStore, SenderConstrained,
};
pub use problem::{PolicyError, Problem, Warning};
pub use profile::{Kind, Preset, Profile};
pub(crate) use revocation::{RevocationRules, RevocationStorage, Shared, StatusDoor, StatusRules};
pub(crate) use row::{
    AudienceRule, Form, HeaderRule, OwnClaim, Presence, Row, SignerRule, TypRule,
};
pub(crate) use secret::Secret;
pub(crate) use store::{StorePlace, StoreRules, StoreServer};
pub use summary::{GateSummary, IssuerSummary, PolicySummary};
pub(crate) use transactions::TransactionRules;
pub(crate) use waiver::{Introspection, Possession, Revocation, Waiver};

use crate::claims::{Claim, Claims, ScopeForm};
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::jws::HeaderAlgorithm;
use crate::limits::Limits;
use crate::time::Span;

/// What the engine reads of a policy document on every verification.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) preset: Preset,
    pub(crate) leeway: Span,
    pub(crate) limits: Limits,
    /// Entries of the token cache; 0 is off.
    pub(crate) cache_tokens: usize,
    pub(crate) possession: PossessionRules,
    pub(crate) revocation: RevocationRules,
    /// What subjects of audit records are named with; `None`: they are not named.
    pub(crate) audit_secret: Option<Secret>,
    pub(crate) issuers: Vec<IssuerRules>,
    pub(crate) gates: Vec<GateRules>,
    /// The longest that any of their tokens is taken from its issue on, but for the leeway; `None`
    /// where nothing bounds that.
    pub(crate) longest_lifetime: Option<Span>,
}

/// One `[issuers.X]` table.
#[derive(Debug)]
pub(crate) struct IssuerRules {
    /// The policy's name for it, safe as a metric label.
    pub(crate) name: Box<str>,
    /// The exact `iss` values (JWT-02); more than one only where keys are not discovered.
    pub(crate) issuers: Vec<Box<str>>,
    pub(crate) keys: KeySource,
    /// Where each key of [`KeySource::Static`] stands in the document.
    pub(crate) key_paths: Vec<String>,
    pub(crate) algorithms: AlgorithmSet,
    /// The document names them; else they are the preset's, and a provider may lack some.
    pub(crate) algorithms_named: bool,
    /// `alg: "EdDSA"` stands for `Ed25519` (OKP-03).
    pub(crate) legacy_eddsa: bool,
    /// The rows this issuer is trusted to sign.
    pub(crate) profiles: Vec<Profile>,
    /// Cap on `exp - iat` as the document has it, or the longest default of the profiles. What
    /// applies is [`GateIssuer::max_lifetime`].
    pub(crate) max_lifetime: Option<Span>,
    /// The document names it.
    pub(crate) max_lifetime_named: bool,
    pub(crate) act_iss: ActIss,
    pub(crate) act_meaning: ActMeaning,
    pub(crate) claim_names: ClaimNames,
    /// Whose transactions the `txn` of its tokens are; `None`: its own, and of a transaction token
    /// those of its trust domain.
    pub(crate) txn_namespace: Option<Box<str>>,
    /// Of an actor that signs proofs: whose actors it is one of, the `act.iss` beside its name.
    pub(crate) actor_namespace: Option<Box<str>>,
    /// How it is asked about its access tokens; `None`: it is not.
    pub(crate) introspection: Option<std::sync::Arc<IntrospectionRules>>,
}

/// Where an issuer's keys come from.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// Written in the policy, as `jwks` or `keys`, or in a file it names.
    Static(Vec<crate::jwk::Jwk>),
    /// Published by the program through `Keys::publish`.
    Push,
    /// Fetched over HTTPS, ahead of need.
    Fetched(FetchedKeys),
}

/// Keys that are fetched: from where, and when again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchedKeys {
    pub(crate) from: KeyLocation,
    pub(crate) refresh: RefreshRules,
    pub(crate) reach: Reach,
}

/// Where an issuer's JWK Set is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyLocation {
    /// Where the metadata of this issuer says.
    Discovery(Discovery, Box<str>),
    /// At this URL.
    Uri(Box<str>),
}

/// Which metadata document an issuer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discovery {
    /// RFC 8414 first, then OpenID Connect Discovery.
    Auto,
    /// OAuth 2.0 Authorization Server Metadata (RFC 8414 §3).
    Oauth,
    /// OpenID Connect Discovery 1.0 §4.
    Oidc,
}

/// When fetched keys are fetched again (KEY-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshRules {
    /// How long before their freshness ends.
    pub(crate) ahead: Span,
    /// An unknown `kid` causes at most one fetch in this time.
    pub(crate) cooldown: Span,
    /// How long they are trusted beyond their freshness.
    pub(crate) stale_if_error: Span,
}

/// Where a fetch may go, and whom it trusts on the way (KEY-03).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The only hosts there are, whatever their addresses; empty: one at a public address.
    pub(crate) hosts: Vec<Box<str>>,
    /// Whether [`Reach::hosts`] was written by the operator, and so may have private addresses.
    pub(crate) named: bool,
    /// Plain http is allowed to this machine, for development.
    pub(crate) loopback_http: bool,
    /// DER certificates of the authorities to trust in place of the system's.
    pub(crate) authorities: Option<std::sync::Arc<[Box<[u8]>]>>,
}

/// A link of `act` without `iss` (ACT-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActIss {
    /// Takes the enclosing token's issuer.
    Inherit,
    /// Refuses the token.
    Require,
}

/// Whom an issuer means by `act` (standards 27).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActMeaning {
    /// Who acts for `sub`.
    Rfc8693,
    /// For whom `sub` acts.
    Inverted,
}

/// Where an issuer puts a registered claim that is not under its RFC name (DIA-04).
#[derive(Debug, Default)]
pub(crate) struct ClaimNames {
    pub(crate) scope: Option<Box<str>>,
    pub(crate) client_id: Option<Box<str>>,
    /// Only ever `client_id`, read in access tokens that have no `aud`.
    pub(crate) aud: Option<Box<str>>,
}

/// One `[gates.X]` table.
#[derive(Debug)]
pub(crate) struct GateRules {
    pub(crate) name: Box<str>,
    pub(crate) kind: Kind,
    /// How its tokens tell whose keys verify them.
    pub(crate) signer: SignerRule,
    /// The exact `aud` values (JWT-03); the first is the RFC 9728 `resource`. Empty only where the
    /// kind's tokens may lack one.
    pub(crate) audience: Vec<Box<str>>,
    /// Issuers this gate takes tokens from, each with the one row that fits the gate's kind.
    pub(crate) issuers: Vec<GateIssuer>,
    /// Audiences of other gates that take another kind of token from the issuer at this position,
    /// where nothing but the audience tells the two kinds apart (standards 29.3).
    pub(crate) rivals: Vec<(usize, Box<str>)>,
    pub(crate) public_url: Option<Box<str>>,
    /// The RFC 9728 `resource`, where clients can find its metadata.
    pub(crate) resource: Option<Box<str>>,
    pub(crate) required_scopes: Vec<Box<str>>,
    /// Each scope with all scopes it implies, transitively closed.
    pub(crate) scope_implies: Vec<(Box<str>, Vec<Box<str>>)>,
    pub(crate) sender_constrained: SenderConstrained,
    /// Whether DPoP proofs are taken here (RFC 9449).
    pub(crate) takes_dpop: bool,
    /// Whether client certificates are taken here (RFC 8705).
    pub(crate) takes_mtls: bool,
    /// Whether the proofs of its own kind are taken here (WIMSE, attested clients).
    pub(crate) takes_own_proof: bool,
    pub(crate) delegation: Delegation,
    /// The kinds of further tokens a request may carry here.
    pub(crate) context: Vec<ContextRules>,
    /// Workload identity tokens that a request may carry of its caller.
    pub(crate) caller: Option<Box<ContextRules>>,
    /// The proofs that a token may carry of its actors.
    pub(crate) actor_proofs: Option<Box<ContextRules>>,
    /// Whose word it takes for tokens that are no JWT by their form (RFC 7662).
    pub(crate) opaque: Option<Opaque>,
    /// Whether an issuer is asked about its JWTs, once all else holds.
    pub(crate) asks: bool,
    /// Of answers about tokens (RFC 9701): what is made of the token that one tells of.
    pub(crate) told: ToldToken,
    /// What its tokens are remembered by, each good once; `None`: they are good until they end.
    pub(crate) once: Option<Once>,
    /// What is asked of transaction tokens; of other kinds nothing.
    pub(crate) transactions: Option<Box<TransactionRules>>,
    /// Whether what follows from its tokens is revoked (`revocation.inputs`).
    pub(crate) revokes: bool,
    /// What is made of the tasks that tokens name.
    pub(crate) intent: IntentRules,
    /// Cap on `now - iat`; `None` is no cap.
    pub(crate) max_age: Option<Span>,
    /// One of these must be the token's `acr` (RFC 9470); empty is no demand.
    pub(crate) acr_values: Vec<Box<str>>,
    /// RFC 9728 members to copy into the gate's metadata document.
    pub(crate) metadata: Vec<(Box<str>, serde_json::Value)>,
    /// The `typ` that tokens of a kind without one of its own must carry here, lower case and
    /// without `application/`; `None` leaves it to the row.
    pub(crate) typ: Option<Box<str>>,
    /// For `jwt_custom` only: claims beyond the row's that must be present.
    pub(crate) required_claims: Vec<Box<str>>,
}

/// An issuer as one gate sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GateIssuer {
    /// Position in [`Rules::issuers`].
    pub(crate) position: usize,
    pub(crate) profile: Profile,
    /// Cap on `exp - iat`; `None` is no cap.
    pub(crate) max_lifetime: Option<Span>,
}

impl GateRules {
    /// Whether this audience is ours, exactly as we are called (RI-02).
    pub(crate) fn is_called(&self, audience: &str) -> bool {
        self.audience.iter().any(|ours| **ours == *audience)
    }
}

impl IssuerRules {
    /// How its tokens may write their scope.
    pub(crate) const fn scope_form(&self) -> ScopeForm {
        if self.claim_names.scope.is_some() {
            ScopeForm::TextOrArray
        } else {
            ScopeForm::Text
        }
    }

    /// What a link of `act` without `iss` means in a token of this kind.
    pub(crate) fn act_iss(&self, kind: Kind) -> ActIss {
        if kind.row().qualified_actors {
            ActIss::Require
        } else {
            self.act_iss
        }
    }

    /// Which `use` its keys may have.
    pub(crate) fn key_use(&self) -> KeyUse {
        KeyUse::of(&self.profiles)
    }

    /// Whether a token of `profile` from this issuer may name this algorithm (ALG-01, OKP-03).
    pub(crate) fn allows(&self, algorithm: HeaderAlgorithm, profile: Profile) -> bool {
        let named = match algorithm {
            HeaderAlgorithm::Exact(_) => true,
            HeaderAlgorithm::LegacyEddsa => self.legacy_eddsa,
        };
        let algorithm = algorithm.algorithm();
        named && self.algorithms.contains(algorithm) && self.permits(algorithm, profile)
    }

    /// Whether tokens of `profile` may be signed with this algorithm here: SPIFFE narrows those of
    /// workload tokens, too (WIT-SVID).
    pub(crate) fn permits(&self, algorithm: Algorithm, profile: Profile) -> bool {
        let svid = profile == Profile::Wit && self.is_of_spiffe();
        profile.permits(algorithm) && (!svid || profile::is_for_svids(algorithm))
    }

    /// Whether one of its trust domains is of SPIFFE, whose rules then hold for all of them.
    pub(crate) fn is_of_spiffe(&self) -> bool {
        self.issuers
            .iter()
            .any(|issuer| issuer.starts_with("spiffe://"))
    }

    /// Reads registered claims of a token of `profile` from where this issuer puts them (DIA-04).
    pub(crate) fn rename_claims(&self, claims: &mut Claims, profile: Profile) {
        let names = [
            (Claim::Scope, &self.claim_names.scope),
            (Claim::ClientId, &self.claim_names.client_id),
        ];
        for (claim, name) in names {
            if let Some(name) = name {
                claims.rename(claim, name);
            }
        }
        // A stand-in for an audience that is not there, and only where it may be missing: a token
        // that says whom it is for is held to it.
        if let Some(name) = &self.claim_names.aud
            && profile.kind() == Kind::AccessToken
            && !claims.present().contains(Claim::Aud)
        {
            claims.rename(Claim::Aud, name);
        }
    }
}

#[cfg(test)]
mod tests;
