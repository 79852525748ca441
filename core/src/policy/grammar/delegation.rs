//! The rows of a `[delegation.X]` table (standards 30.4).

use super::values::{
    ACTOR_PRESENCE, EDGE_AUD, EDGE_EXP, EDGE_SCOPE, LINEAGE, LOOPS, PRESENTER, SELF_ACTOR,
    default_delegated_lifetime,
};
use super::{Absent, Row, Shape, row};

pub(super) static DELEGATION: &[Row] = &[
    row(
        "actor",
        Shape::Choice(&ACTOR_PRESENCE),
        Absent::Text("optional"),
        "Whether a token must have an `act`.",
    ),
    row(
        "max_depth",
        Shape::Count { least: 1, most: 32 },
        Absent::Count(5),
        "The most links of `act`.",
    ),
    row(
        "loops",
        Shape::Choice(&LOOPS),
        Absent::Text("deny_any"),
        "Which repetitions of an actor are refused.",
    ),
    row(
        "self_actor",
        Shape::Choice(&SELF_ACTOR),
        Absent::Text("accept"),
        "What an outermost actor that is the subject itself means: an agent that acts for itself, or a refusal.",
    ),
    row(
        "presenter",
        Shape::Choice(&PRESENTER),
        Absent::Text("must_be_actor"),
        "Whether the caller, where its workload identity is known, must be the outermost actor.",
    ),
    row(
        "min_lineage",
        Shape::Choice(&LINEAGE),
        Absent::Text("asserted"),
        "How much must be proven about a chain.",
    ),
    row(
        "max_lifetime",
        Shape::Duration { most: None },
        Absent::Computed(default_delegated_lifetime),
        "The most that `exp` may lie after `iat` in a token with `act`.",
    ),
    row(
        "require_complete",
        Shape::Flag,
        Absent::Flag(false),
        "Whether a chain that says `chain_complete: false` is refused.",
    ),
    row(
        "allow",
        Shape::List(&Shape::Table(ALLOW)),
        Absent::Nothing,
        "Rules on the outermost actor, one of which must hold as a whole.",
    ),
    row(
        "deny",
        Shape::List(&Shape::Table(DENY)),
        Absent::Nothing,
        "Rules on every link, none of which may hold.",
    ),
    row(
        "edges",
        Shape::Table(EDGES),
        Absent::Nothing,
        "What a token may take over from the one before it, where a request carries both.",
    ),
];

/// Standards 30.5.
static EDGES: &[Row] = &[
    row(
        "exchange",
        Shape::Table(EXCHANGE),
        Absent::Nothing,
        "From an access token to one that its issuer gave for it (RFC 8693).",
    ),
    row(
        "cross_domain",
        Shape::Table(CROSS_DOMAIN),
        Absent::Nothing,
        "From a grant to the access token that another issuer gave for it.",
    ),
    row(
        "at_to_txn",
        Shape::Table(AT_TO_TXN),
        Absent::Nothing,
        "From an access token to a transaction token.",
    ),
    row(
        "txn_replace",
        Shape::Table(TXN_REPLACE),
        Absent::Nothing,
        "From a transaction token to its replacement.",
    ),
    row(
        "mission",
        Shape::Table(MISSION),
        Absent::Nothing,
        "From a mission to the access token that was issued under it.",
    ),
    row(
        "aauth",
        Shape::Table(AAUTH),
        Absent::Nothing,
        "From an AAuth token to a sub-agent's, or to that of the next call.",
    ),
];

static EXCHANGE: &[Row] = &[
    row(
        "scope",
        Shape::ChoiceOr(&EDGE_SCOPE, MAP),
        Absent::Text("strict_subset"),
        "How scopes compare: within the parent's, by a map from the parent's, or not at all.",
    ),
    row(
        "exp",
        Shape::Choice(&EDGE_EXP),
        Absent::Text("within_parent"),
        "Whether the token may outlive its parent.",
    ),
    row(
        "aud",
        Shape::ChoiceOr(&EDGE_AUD, MAP),
        Absent::Text("exchanger"),
        "Whom the parent's `aud` must name: the party that exchanged it, by its `sub` or `client_id` or by a map from audiences to those; or anybody.",
    ),
];

static CROSS_DOMAIN: &[Row] = &[row(
    "scope",
    Shape::ChoiceOr(&EDGE_SCOPE, MAP),
    Absent::Text("issuer_attested"),
    "How scopes compare: within the grant's, by a map from the grant's, or not at all.",
)];

static AT_TO_TXN: &[Row] = &[
    row(
        "scope",
        Shape::ChoiceOr(&EDGE_SCOPE, MAP),
        Absent::Text("issuer_attested"),
        "How scopes compare: within the access token's, by a map from the access token's, or not at all.",
    ),
    row(
        "aud",
        Shape::ChoiceOr(&EDGE_AUD, MAP),
        Absent::Text("exchanger"),
        "Whom the access token's `aud` must name: the workload that asked for the transaction token, by its `req_wl` or by a map from audiences to those, or the trust domain; or anybody.",
    ),
];

static TXN_REPLACE: &[Row] = &[row(
    "scope",
    Shape::ChoiceOr(&EDGE_SCOPE, MAP),
    Absent::Text("strict_subset"),
    "How scopes compare: within those of the token before, by a map from them, or not at all.",
)];

static MISSION: &[Row] = &[
    row(
        "scope",
        Shape::ChoiceOr(&EDGE_SCOPE, MAP),
        Absent::Text("issuer_attested"),
        "How scopes compare: within the mission's, by a map from the mission's, or not at all.",
    ),
    row(
        "aud",
        Shape::ChoiceOr(&EDGE_AUD, MAP),
        Absent::Text("exchanger"),
        "Whom the mission's `aud` must name, where it has one: the party that used it, by its `sub` or `client_id` or by a map from audiences to those, or the issuer of the access token; or anybody.",
    ),
];

static AAUTH: &[Row] = &[row(
    "scope",
    Shape::ChoiceOr(&EDGE_SCOPE, MAP),
    Absent::Text("issuer_attested"),
    "How scopes compare: within those of the token before, by a map from them, or not at all.",
)];

static MAP: &[Row] = &[row(
    "map",
    Shape::Map(&Shape::List(&Shape::Text)),
    Absent::Required,
    "What each text of the parent stands for in the token.",
)];

static ALLOW: &[Row] = &[
    row(
        "actor",
        Shape::Table(ALLOWED),
        Absent::Required,
        "Who acts: the outermost actor.",
    ),
    row(
        "explicit_iss",
        Shape::Flag,
        Absent::Flag(false),
        "Whether the link itself must name the actor's issuer.",
    ),
    row(
        "subject",
        Shape::Table(SUBJECT),
        Absent::Nothing,
        "For whom.",
    ),
    row(
        "gates",
        Shape::List(&Shape::Text),
        Absent::Nothing,
        "The names of the gates it holds at; else every gate with this table.",
    ),
    row(
        "audience",
        Shape::OneOrMany(&Shape::Text),
        Absent::Nothing,
        "One of these is an `aud` of the token.",
    ),
    row(
        "scopes_within",
        Shape::List(&Shape::Text),
        Absent::Nothing,
        "Every scope of the token is one of these, or implied by one.",
    ),
    row(
        "tool",
        Shape::OneOrMany(&Shape::Text),
        Absent::Nothing,
        "The tools it holds for. Judged where a call says by which tool it is done.",
    ),
];

static DENY: &[Row] = &[row(
    "actor",
    Shape::Table(DENIED),
    Absent::Required,
    "Who may stand nowhere in a chain.",
)];

static ALLOWED: &[Row] = &[
    row(
        "iss",
        Shape::Text,
        Absent::Required,
        "The exact issuer of the actor.",
    ),
    SUB,
    SUB_PREFIX,
    SUB_PROFILE,
];

static DENIED: &[Row] = &[
    row(
        "iss",
        Shape::Text,
        Absent::Nothing,
        "The exact issuer of the actor; else any.",
    ),
    SUB,
    SUB_PREFIX,
    SUB_PROFILE,
];

static SUBJECT: &[Row] = &[
    row(
        "iss",
        Shape::OneOrMany(&Shape::Text),
        Absent::Nothing,
        "The exact issuer of the subject, or several.",
    ),
    SUB_PROFILE,
];

const SUB: Row = row(
    "sub",
    Shape::OneOrMany(&Shape::Text),
    Absent::Nothing,
    "The exact `sub`, or several.",
);

const SUB_PREFIX: Row = row(
    "sub_prefix",
    Shape::Text,
    Absent::Nothing,
    "What the `sub` begins with, up to a `/`.",
);

const SUB_PROFILE: Row = row(
    "sub_profile",
    Shape::OneOrMany(&Shape::Text),
    Absent::Nothing,
    "The `sub_profile` member, or several.",
);
