//! `[issuers.X]`: who signs tokens, with which keys, and how it is asked about them.

use super::values::{
    ACT_ISS, ACT_MEANING, AUD_NAMES, DISCOVERY, INTROSPECTED, PROFILES, PUSH, default_algorithms,
    default_discovery, default_max_lifetime, default_refresh, stays_absent,
};
use super::{Absent, Row, Shape, row};

pub(super) static ISSUER: &[Row] = &[
    row(
        "issuer",
        Shape::OneOrMany(&Shape::Text),
        Absent::Required,
        "The exact `iss` of its tokens; an array where it has several.",
    ),
    row(
        "discovery",
        Shape::Choice(&DISCOVERY),
        Absent::Computed(default_discovery),
        "Its keys are where its metadata says (RFC 8414, OpenID Connect Discovery).",
    ),
    row(
        "jwks_uri",
        Shape::Text,
        Absent::Nothing,
        "The URL of its JWK Set.",
    ),
    row(
        "refresh",
        Shape::Table(REFRESH),
        Absent::Computed(default_refresh),
        "When fetched keys are fetched again, and from where.",
    ),
    row(
        "jwks",
        Shape::Free,
        Absent::Nothing,
        "Its public keys, as a JWK Set (RFC 7517).",
    ),
    row(
        "jwks_file",
        Shape::Text,
        Absent::Nothing,
        "A file that holds its JWK Set.",
    ),
    row(
        "keys",
        Shape::List(&Shape::Table(KEY)),
        Absent::Nothing,
        "Its keys, one by one.",
    ),
    row(
        "jwks_push",
        Shape::Choice(&PUSH),
        Absent::Nothing,
        "Its keys are published by the program, and reach one process.",
    ),
    row(
        "algorithms",
        Shape::List(&Shape::Text),
        Absent::Computed(default_algorithms),
        "The algorithms it signs with.",
    ),
    row(
        "profiles",
        Shape::List(&Shape::Choice(&PROFILES)),
        Absent::Texts(&["access_token"]),
        "The kinds of tokens it is trusted to sign.",
    ),
    row(
        "max_lifetime",
        Shape::Duration { most: None },
        Absent::Computed(default_max_lifetime),
        "The most that `exp` may lie after `iat`; kinds that live for minutes keep their own shorter cap under agent_strict.",
    ),
    row(
        "legacy_eddsa",
        Shape::Flag,
        Absent::Flag(true), // OKP-03: most drafts still write `EdDSA`
        "Whether `alg: EdDSA` stands for Ed25519 (RFC 9864).",
    ),
    row(
        "act_iss",
        Shape::Choice(&ACT_ISS),
        Absent::Text("inherit"),
        "What a link of `act` without `iss` means: the token's issuer, or a refusal.",
    ),
    row(
        "act_meaning",
        Shape::Choice(&ACT_MEANING),
        Absent::Text("rfc8693"),
        "Whom it means by `act`: who acts for `sub`, or for whom `sub` acts.",
    ),
    row(
        "claim_names",
        Shape::Table(CLAIM_NAMES),
        Absent::Nothing,
        "Where it puts a registered claim that is not under its RFC name.",
    ),
    row(
        "txn_namespace",
        Shape::Text,
        Absent::Nothing,
        "Whose transactions the `txn` of its tokens are, so that tokens of two issuers can be of one: the trust domain, for an issuer of access tokens that shares its `txn`; else its own.",
    ),
    row(
        "actor_namespace",
        Shape::Text,
        Absent::Nothing,
        "For an actor that signs proofs (`actor_proof`): whose actor it is, the `iss` beside its `sub` in `act`.",
    ),
    row(
        "introspection",
        Shape::Table(INTROSPECTION),
        Absent::Computed(stays_absent), // its presence has the issuer asked
        "How it is asked about its access tokens (RFC 7662).",
    ),
];

static INTROSPECTION: &[Row] = &[
    row(
        "endpoint",
        Shape::Text,
        Absent::Text("auto"),
        "Where it is asked: an https URL, or \"auto\" for the introspection_endpoint of its metadata.",
    ),
    row(
        "client_id",
        Shape::Text,
        Absent::Required,
        "Who asks: the name of this resource server at the issuer.",
    ),
    row(
        "client_secret",
        Shape::Secret,
        Absent::Required,
        "What proves that, as client_secret_basic; one line break at its end is not part of it.",
    ),
    row(
        "tokens",
        Shape::Choice(&INTROSPECTED),
        Absent::Text("opaque"),
        "About which of its access tokens: those that are no JWT, or JWTs too, once all else holds.",
    ),
    row(
        "max_age",
        Shape::Duration { most: Some(3600) },
        Absent::Text("60s"),
        "The most that an answer is kept; never beyond the token's `exp`.",
    ),
    row(
        "allow_hosts",
        Shape::List(&Shape::Text),
        Absent::Nothing,
        "The only hosts to ask, private addresses included; else the endpoint's or the issuer's own, at a public address.",
    ),
    row(
        "ca_file",
        Shape::Text,
        Absent::Nothing,
        "A PEM file of the certificate authorities to trust in place of the system's.",
    ),
];

static REFRESH: &[Row] = &[
    row(
        "ahead",
        Shape::Duration { most: Some(3600) },
        Absent::Text("5m"),
        "How long before their HTTP freshness ends keys are fetched again.",
    ),
    row(
        "cooldown",
        Shape::Duration { most: Some(3600) },
        Absent::Text("30s"),
        "An unknown `kid` causes at most one fetch in this time.",
    ),
    row(
        "stale_if_error",
        Shape::Duration {
            most: Some(7 * 86_400),
        },
        Absent::Text("24h"),
        "How long keys are trusted beyond their freshness while the issuer cannot be reached.",
    ),
    row(
        "allow_hosts",
        Shape::List(&Shape::Text),
        Absent::Nothing,
        "The only hosts to fetch from, private addresses included; else the issuer's own host, at a public address.",
    ),
    row(
        "ca_file",
        Shape::Text,
        Absent::Nothing,
        "A PEM file of the certificate authorities to trust in place of the system's.",
    ),
];

static KEY: &[Row] = &[
    row(
        "pem_file",
        Shape::Text,
        Absent::Nothing,
        "A PEM file: public key or certificate.",
    ),
    row(
        "der_file",
        Shape::Text,
        Absent::Nothing,
        "A DER file: SubjectPublicKeyInfo.",
    ),
    row(
        "x509_file",
        Shape::Text,
        Absent::Nothing,
        "A DER file: X.509 certificate.",
    ),
    row(
        "secret",
        Shape::Secret,
        Absent::Nothing,
        "A shared secret for HS*; one line break at its end is not part of it.",
    ),
    row(
        "alg",
        Shape::Text,
        Absent::Nothing,
        "The one algorithm of this key.",
    ),
    row(
        "kid",
        Shape::Text,
        Absent::Nothing,
        "The `kid` of this key in token headers.",
    ),
];

static CLAIM_NAMES: &[Row] = &[
    row(
        "scope",
        Shape::Text,
        Absent::Nothing,
        "The claim that holds `scope`.",
    ),
    row(
        "client_id",
        Shape::Text,
        Absent::Nothing,
        "The claim that holds `client_id`.",
    ),
    row(
        "aud",
        Shape::Choice(&AUD_NAMES),
        Absent::Nothing,
        "For issuers whose access tokens have no `aud`.",
    ),
];
