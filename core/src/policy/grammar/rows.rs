//! The members of each table, in the order in which people read them.

use super::delegation::DELEGATION;
use super::values::{
    ACT_ISS, ACT_MEANING, AUD_NAMES, CERTIFICATES, CONTEXT_NEED, DISCOVERY, INNER_ACTORS,
    INTROSPECTED, KINDS, NONCE, PRESETS, PROFILES, PUSH, REPLAY_STORE, REVOCATION_STORE,
    SENDER_CONSTRAINED, STORE_KIND, TRANSACTION_USE, UNAVAILABLE, default_algorithms,
    default_delegation, default_discovery, default_max_lifetime, default_max_staleness,
    default_namespace, default_on_stale, default_proof_algorithms, default_refresh,
    default_transactions, names_an_audience, stays_absent,
};
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

static ISSUER: &[Row] = &[
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

static GATE: &[Row] = &[
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

static DPOP: &[Row] = &[
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

static ATTESTATION: &[Row] = &[
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

static MTLS: &[Row] = &[row(
    "source",
    Shape::Choice(&CERTIFICATES),
    Absent::Text("caller"),
    "Where client certificates come from: the program passes the one of its TLS connection.",
)];

static REPLAY: &[Row] = &[
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

static REVOCATION: &[Row] = &[
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

static STORE: &[Row] = &[
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

static AUDIT: &[Row] = &[row(
    "secret",
    Shape::Secret,
    Absent::Required,
    "What references to subjects are made with, at least 32 bytes, the same wherever records are compared; one line break at its end is not part of it.",
)];

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
