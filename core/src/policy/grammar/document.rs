//! The document itself, and its tables of one member or two.

use super::delegation::DELEGATION;
use super::gate::GATE;
use super::issuer::ISSUER;
use super::possession::{ATTESTATION, DPOP, MTLS, REPLAY};
use super::revocation::{REVOCATION, STORE};
use super::values::{PRESETS, stays_absent};
use super::{Absent, Row, Shape, later, row};
use crate::limits::Limits;

/// The document itself.
pub(in crate::policy) static DOCUMENT: &[Row] = &[
    row(
        "version",
        Shape::Exactly(1),
        Absent::Required,
        "The grammar of this document.",
    ),
    row(
        "preset",
        Shape::Choice(&PRESETS),
        Absent::Text("agent_strict"),
        "The set of defaults for the whole document.",
    ),
    row(
        "leeway",
        Shape::Duration { most: Some(300) },
        Absent::Text("30s"),
        "How far clocks may differ when `exp`, `nbf` and `iat` are judged.",
    ),
    row(
        "issuers",
        Shape::Named(ISSUER),
        Absent::Required,
        "Who signs tokens, by our names.",
    ),
    row(
        "gates",
        Shape::Named(GATE),
        Absent::Required,
        "The doors that tokens open, by our names.",
    ),
    row(
        "delegation",
        Shape::Named(DELEGATION),
        Absent::Nothing,
        "Who may act for whom, by our names for the tables.",
    ),
    row(
        "cache",
        Shape::Table(CACHE),
        Absent::Nothing,
        "The cache of verified tokens.",
    ),
    row(
        "limits",
        Shape::Table(LIMITS),
        Absent::Nothing,
        "Bounds on one token.",
    ),
    row(
        "annotations",
        Shape::Free,
        Absent::Nothing,
        "Yours to fill; the engine never reads it.",
    ),
    row(
        "danger",
        Shape::Table(DANGER),
        Absent::Computed(stays_absent), // its presence alone needs a word from the program
        "What the program must allow by name.",
    ),
    row(
        "dpop",
        Shape::Table(DPOP),
        Absent::Computed(stays_absent), // its presence makes gates take proofs
        "DPoP proofs (RFC 9449).",
    ),
    row(
        "attestation",
        Shape::Table(ATTESTATION),
        Absent::Computed(stays_absent), // its secret has no default
        "Proofs of attested clients.",
    ),
    row(
        "mtls",
        Shape::Table(MTLS),
        Absent::Computed(stays_absent), // its presence makes gates take certificates
        "Certificate-bound tokens (RFC 8705).",
    ),
    row(
        "replay",
        Shape::Table(REPLAY),
        Absent::Computed(stays_absent), // who remembers is written by hand, never a default
        "Who remembers used proofs.",
    ),
    row(
        "revocation",
        Shape::Table(REVOCATION),
        Absent::Computed(stays_absent), // whether revocations are asked about is written by hand
        "Who remembers what was revoked, and how far back it reaches.",
    ),
    row(
        "stores",
        Shape::Named(STORE),
        Absent::Nothing,
        "Stores that several processes share, by our names.",
    ),
    row(
        "audit",
        Shape::Table(AUDIT),
        Absent::Computed(stays_absent), // its secret has no default
        "Records for an audit log.",
    ),
    later("tables", "Keys with precomputed tables.", None),
];

static AUDIT: &[Row] = &[row(
    "secret",
    Shape::Secret,
    Absent::Required,
    "What references to subjects are made with, at least 32 bytes, the same wherever records are compared; one line break at its end is not part of it.",
)];

static CACHE: &[Row] = &[row(
    "tokens",
    Shape::Count {
        least: 0,
        most: 16_777_216,
    },
    Absent::Count(50_000),
    "How many tokens the cache is made for; 0 is off. What bounds it is memory, 4 KiB for each: it holds more of them where they are small.",
)];

static LIMITS: &[Row] = &[
    row(
        "max_token_size",
        Shape::Size {
            most: Limits::CEILING.token_size,
        },
        Absent::Text("16KiB"),
        "Bytes of one token.",
    ),
    row(
        "max_json_depth",
        Shape::Count {
            least: 1,
            most: 256,
        },
        Absent::Count(64),
        "Levels of JSON nesting.",
    ),
    row(
        "max_string_size",
        Shape::Size {
            most: Limits::CEILING.string_size,
        },
        Absent::Text("2KiB"),
        "Bytes of one string.",
    ),
    row(
        "max_array_members",
        Shape::Count {
            least: 1,
            most: 16_384,
        },
        Absent::Count(1024),
        "Members of one array or object.",
    ),
    later("max_chain_size", "Bytes of a chain of tokens.", None),
    later("max_chain_tokens", "Tokens of a chain.", None),
];

static DANGER: &[Row] = &[row(
    "http_loopback_issuers",
    Shape::Flag,
    Absent::Flag(false),
    "Issuers of this machine may be http.",
)];
