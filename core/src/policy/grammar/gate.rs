//! `[gates.X]`: what opens a door, and what must or may come along.

use super::values::{
    CONTEXT_NEED, KINDS, SENDER_CONSTRAINED, TRANSACTION_USE, default_delegation,
    default_transactions, names_an_audience, stays_absent,
};
use super::{Absent, Row, Shape, row};

pub(super) static GATE: &[Row] = &[
    row(
        "profile",
        Shape::Choice(&KINDS),
        Absent::Required,
        "The kind of token that opens it.",
    ),
    row(
        "audience",
        Shape::OneOrMany(&Shape::Text),
        Absent::RequiredIf(names_an_audience),
        "The exact `aud` it answers to; the first is its RFC 9728 `resource`.",
    ),
    row(
        "issuers",
        Shape::List(&Shape::Text),
        Absent::Required,
        "The names of the issuers it takes tokens from.",
    ),
    row(
        "public_url",
        Shape::Text,
        Absent::Nothing,
        "The base of the URLs clients call.",
    ),
    row(
        "required_scopes",
        Shape::List(&Shape::Text),
        Absent::Texts(&[]),
        "The scopes every token must have.",
    ),
    row(
        "scope_implies",
        Shape::Map(&Shape::List(&Shape::Text)),
        Absent::Nothing,
        "Scopes that contain other scopes.",
    ),
    row(
        "sender_constrained",
        Shape::Choice(&SENDER_CONSTRAINED),
        Absent::Text("if_bound"),
        "Whether a token must be bound to a key that its presenter holds.",
    ),
    row(
        "delegation",
        Shape::Text,
        Absent::Computed(default_delegation),
        "What becomes of a token with `act`: \"forbid\", \"surface\", or the name of a delegation table.",
    ),
    row(
        "max_age",
        Shape::Duration { most: None },
        Absent::Nothing,
        "The most since `iat`.",
    ),
    row(
        "acr_values",
        Shape::List(&Shape::Text),
        Absent::Texts(&[]),
        "One of these must be the token's `acr` (RFC 9470).",
    ),
    row(
        "metadata",
        Shape::Free,
        Absent::Nothing,
        "Further RFC 9728 members, copied.",
    ),
    row(
        "typ",
        Shape::Text,
        Absent::Nothing,
        "For jwt_custom, capability and intent_token: the `typ` of its tokens.",
    ),
    row(
        "required_claims",
        Shape::List(&Shape::Text),
        Absent::Texts(&[]),
        "For jwt_custom: further claims its tokens must have.",
    ),
    row(
        "context",
        Shape::Table(CONTEXT),
        Absent::Nothing,
        "The kinds of further tokens that a request may or must carry.",
    ),
    row(
        "transactions",
        Shape::Table(TRANSACTIONS),
        Absent::Computed(default_transactions),
        "For txn_token: how a transaction may have come here.",
    ),
    row(
        "require_intent",
        Shape::Flag,
        Absent::Flag(false),
        "Whether a token must name a mission, an intent or a workflow.",
    ),
    row(
        "intent_pointers",
        Shape::Table(INTENT_POINTERS),
        Absent::Nothing,
        "Where tokens name what they are for: all tokens of a request that name one of a kind name the same.",
    ),
];

static TRANSACTIONS: &[Row] = &[
    row(
        "use",
        Shape::Choice(&TRANSACTION_USE),
        Absent::Text("any"),
        "Whether a `txn` that was seen here is refused, so that nothing is done twice; [replay] says who remembers.",
    ),
    row(
        "workload",
        Shape::Text,
        Absent::Nothing,
        "Who this is, as `txn_path` names workloads: what came through here before is refused.",
    ),
    row(
        "max_hops",
        Shape::Count { least: 1, most: 64 },
        Absent::Count(8),
        "The most workloads of `txn_path`.",
    ),
    row(
        "min_assurance",
        Shape::Text,
        Absent::Nothing,
        "The lowest `min_assurance_level` that is taken; a token must then have one.",
    ),
    row(
        "assurance_levels",
        Shape::List(&Shape::Text),
        Absent::Texts(&["unverified", "low", "medium", "high"]),
        "The levels there are, from the lowest on.",
    ),
];

/// Ordered JSON pointers by the kind of what they point at (standards 30.8).
static INTENT_POINTERS: &[Row] = &[
    row(
        "mission",
        Shape::List(&Shape::Text),
        Absent::Texts(&["/mission/id", "/mission_id"]),
        "To the id of a mission. Beside an `id`, `issuer` and `authority_hash` are compared too.",
    ),
    row(
        "intent",
        Shape::List(&Shape::Text),
        Absent::Texts(&["/intent/id", "/intent_id", "/tctx/intent_id"]),
        "To the id of an approved intent. Beside an `id`, `issuer` and `hash` are compared too.",
    ),
    row(
        "acti",
        Shape::List(&Shape::Text),
        Absent::Texts(&["/acti"]),
        "To the id of a workflow of several agents.",
    ),
];

/// One row a kind that some edge begins with.
static CONTEXT: &[Row] = &[
    row(
        "access_token",
        Shape::Choice(&CONTEXT_NEED),
        Absent::Nothing,
        "Access tokens that this one was exchanged for.",
    ),
    row(
        "id_jag",
        Shape::Choice(&CONTEXT_NEED),
        Absent::Nothing,
        "The identity assertion grant of another issuer that this token was given for.",
    ),
    row(
        "jwt_bearer_grant",
        Shape::Choice(&CONTEXT_NEED),
        Absent::Nothing,
        "The grant of another issuer that this token was given for.",
    ),
    row(
        "actor_proof",
        Shape::Choice(&CONTEXT_NEED),
        Absent::Nothing,
        "The proofs of its actors that a token carries in `actor_proofs`.",
    ),
    row(
        "wit",
        Shape::Choice(&CONTEXT_NEED),
        Absent::Nothing,
        "The workload identity token of the caller, with its proof: who presents the token.",
    ),
    row(
        "txn_token",
        Shape::ChoiceOr(&CONTEXT_NEED, CONTEXT_TXN_TOKEN),
        Absent::Nothing,
        "Transaction tokens: those that this one replaces; beside an access token, the one of the request's transaction.",
    ),
    row(
        "intent_token",
        Shape::Table(CONTEXT_INTENT_TOKEN),
        Absent::Computed(stays_absent), // its presence makes the gate take them
        "The approved mission that this token was issued under.",
    ),
    row(
        "jwt_custom",
        Shape::Table(CONTEXT_JWT_CUSTOM),
        Absent::Computed(stays_absent), // its presence makes the gate take them
        "AAuth tokens: that of the agent this one's is a sub-agent of, or that of the call before.",
    ),
];

static CONTEXT_TXN_TOKEN: &[Row] = &[
    NEED,
    row(
        "audience",
        Shape::Text,
        Absent::Nothing,
        "The trust domain, where they come beside access tokens.",
    ),
];

static CONTEXT_INTENT_TOKEN: &[Row] = &[NEED, CONTEXT_TYP];

static CONTEXT_JWT_CUSTOM: &[Row] = &[NEED, CONTEXT_TYP];

const NEED: Row = row(
    "need",
    Shape::Choice(&CONTEXT_NEED),
    Absent::Text("allowed"),
    "Whether a request may or must carry one.",
);

const CONTEXT_TYP: Row = row(
    "typ",
    Shape::Text,
    Absent::Required,
    "The `typ` of these tokens: nothing is registered for them.",
);
