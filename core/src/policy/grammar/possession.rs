//! How possession of a key is proven, and who remembers used proofs.

use super::values::{CERTIFICATES, NONCE, REPLAY_STORE, UNAVAILABLE, default_proof_algorithms};
use super::{Absent, Row, Shape, row};

pub(super) static DPOP: &[Row] = &[
    row(
        "algorithms",
        Shape::List(&Shape::Text),
        Absent::Computed(default_proof_algorithms),
        "The algorithms that proofs may be signed with.",
    ),
    row(
        "max_age",
        Shape::Duration { most: Some(300) },
        Absent::Text("60s"),
        "The most since a proof's `iat`; the leeway is added on both sides.",
    ),
    row(
        "nonce",
        Shape::Choice(&NONCE),
        Absent::Text("off"),
        "Whether a proof must carry a nonce of this server's (RFC 9449 §9).",
    ),
    row(
        "nonce_secret",
        Shape::Secret,
        Absent::Nothing,
        "What nonces are made with, at least 32 bytes, the same on all instances; one line break at its end is not part of it.",
    ),
];

pub(super) static ATTESTATION: &[Row] = &[
    row(
        "challenge",
        Shape::Choice(&NONCE),
        Absent::Text("off"),
        "Whether a proof must carry a challenge of this server's.",
    ),
    row(
        "challenge_secret",
        Shape::Secret,
        Absent::Nothing,
        "What challenges are made with, at least 32 bytes, the same on all instances; one line break at its end is not part of it.",
    ),
];

pub(super) static MTLS: &[Row] = &[row(
    "source",
    Shape::Choice(&CERTIFICATES),
    Absent::Text("caller"),
    "Where client certificates come from: the program passes the one of its TLS connection.",
)];

pub(super) static REPLAY: &[Row] = &[
    row(
        "store",
        Shape::ChoiceOrStore(&REPLAY_STORE),
        Absent::Required,
        "Who remembers used proofs: this process, the program, or a store of `[stores]`.",
    ),
    row(
        "namespace",
        Shape::Text,
        Absent::Nothing,
        "Two tiers that see one proof need two names.",
    ),
    row(
        "on_unavailable",
        Shape::Choice(&UNAVAILABLE),
        Absent::Text("refuse"),
        "What becomes of a proof when the program's store does not answer.",
    ),
];
