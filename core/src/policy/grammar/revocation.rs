//! What was revoked, and the stores that processes share.

use super::values::{
    INNER_ACTORS, REVOCATION_STORE, STORE_KIND, UNAVAILABLE, default_max_staleness,
    default_namespace, default_on_stale, stays_absent,
};
use super::{Absent, Row, Shape, row};

pub(super) static REVOCATION: &[Row] = &[
    row(
        "store",
        Shape::ChoiceOrStore(&REVOCATION_STORE),
        Absent::Required,
        "Who remembers what was revoked: this process, nobody, or a store of `[stores]`.",
    ),
    row(
        "inner_actors",
        Shape::Choice(&INNER_ACTORS),
        Absent::Text("revoke"),
        "What a revoked agent means that stands behind the outermost actor of a chain.",
    ),
    row(
        "max_staleness",
        Shape::Duration { most: Some(3600) },
        Absent::Computed(default_max_staleness),
        "How old the news of a store may be.",
    ),
    row(
        "on_stale",
        Shape::Choice(&UNAVAILABLE),
        Absent::Computed(default_on_stale),
        "What becomes of a token when it is older.",
    ),
    row(
        "inputs",
        Shape::List(&Shape::Text),
        Absent::Texts(&[]),
        "Gates whose accepted tokens become revocations: of logout tokens and of Security Event Tokens.",
    ),
    row(
        "status_lists",
        Shape::Table(STATUS_LISTS),
        Absent::Computed(stays_absent), // its presence has them fetched
        "Status lists are fetched, of the issuers that have status_list_token in their profiles.",
    ),
];

static STATUS_LISTS: &[Row] = &[
    row(
        "allow_hosts",
        Shape::List(&Shape::Text),
        Absent::Nothing,
        "The only hosts to fetch from, whatever their addresses; else each issuer's own, at a public address.",
    ),
    row(
        "max_age",
        Shape::Duration { most: None },
        Absent::Text("24h"),
        "The most since a list was issued.",
    ),
    row(
        "on_unavailable",
        Shape::Choice(&UNAVAILABLE),
        Absent::Text("refuse"),
        "What becomes of a token when its list is missing or stale.",
    ),
];

pub(super) static STORE: &[Row] = &[
    row(
        "kind",
        Shape::Choice(&STORE_KIND),
        Absent::Required,
        "A folder for the processes of one host, or a server of Redis, Valkey or NATS for a fleet.",
    ),
    row(
        "path",
        Shape::Text,
        Absent::Nothing,
        "Of kind `file`: the folder.",
    ),
    row(
        "url",
        Shape::Secret,
        Absent::Nothing,
        "Of the other kinds: where the server is.",
    ),
    row(
        "namespace",
        Shape::Text,
        Absent::Computed(default_namespace),
        "Which of the stores of that server it is.",
    ),
];
