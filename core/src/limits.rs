//! Every size, depth and count limit in one place, each with the reason for its number.
//!
//! A limit bounds what a stranger's bytes can cost before anything about them is known. The policy
//! document may lower or raise some of them up to their ceilings.

/// Bounds on one token and on the JSON inside it (JWS-01, JWS-09, JWT-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one compact token. An ML-DSA-87 signature alone is 6,170 characters and an ML-DSA
    /// key in `cnf` 3,456 more, so 8 KiB would be too small. Default 16 KiB.
    pub token_size: usize,
    /// Levels of JSON nesting in a header or payload. Default 64.
    pub json_depth: usize,
    /// Bytes of one JSON string, as unescaped. Default 2 KiB.
    pub string_size: usize,
    /// Members of one JSON array or object. Default 1,024.
    pub array_members: usize,
}

impl Limits {
    /// The defaults of the policy document.
    pub const DEFAULT: Self = Self {
        token_size: 16 * 1024,
        json_depth: 64,
        string_size: 2 * 1024,
        array_members: 1024,
    };

    /// For JWKs: an ML-DSA-87 public key is a string of 3,456 characters, an `x5c` longer.
    pub(crate) const KEYS: Self = Self {
        string_size: Self::CEILING.string_size,
        ..Self::DEFAULT
    };

    /// The most a policy document may ask for.
    pub const CEILING: Self = Self {
        token_size: 64 * 1024,
        json_depth: 256,
        string_size: 64 * 1024,
        array_members: 16 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Bytes of a protected header before decoding. Base parameters and a long `kid` fit in 2 KiB;
/// an ML-DSA-87 public key in a proof's `jwk` needs 4 KiB of base64url.
pub(crate) const HEADER_SIZE: usize = 8 * 1024;
/// Bytes of a `kid` (KEY-04).
pub(crate) const KID_SIZE: usize = 1024;
/// Bytes of a JWK Set (KEY-03).
pub(crate) const JWK_SET_SIZE: usize = 1024 * 1024;
/// Keys of a JWK Set (KEY-03).
pub(crate) const JWK_SET_KEYS: usize = 256;
/// Bytes of a policy document (loader refusal 27).
pub(crate) const POLICY_SIZE: usize = 1024 * 1024;
/// Bits of an RSA modulus (ALG-05): below is weak, above is a way to burn a verifier's CPU.
pub(crate) const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Default number of links of `act` (ACT-05): the Actor Profile draft asks for at least 4, Auth0
/// issues 5.
pub(crate) const ACTOR_DEPTH: usize = 5;
/// Tokens of a proven chain (30.6): Auth0 nests five actors, and a grant and a transaction token
/// may stand at its ends.
pub(crate) const CHAIN_TOKENS: usize = 8;
/// Bytes of all tokens of a proven chain (30.6).
pub(crate) const CHAIN_SIZE: usize = 256 * 1024;
/// Used proofs that a process remembers at once, some 40 bytes each where there are so many: those
/// of two minutes, the default window, at 35,000 a second, which is more than two cores can verify.
pub(crate) const REPLAY_ENTRIES: usize = 4 * 1024 * 1024;
/// Used proofs of any 64 seconds that the processes of one host remember in a store: 12,288 a
/// second, in a file of 128 MiB.
pub(crate) const REPLAY_HOST_ENTRIES: usize = 768 * 1024;
/// Questions about used proofs that a verifier has at a server at once, for callers that do not
/// wait: at a millisecond each 16,000 a second.
pub(crate) const REPLAY_ASKERS: usize = 16;
/// Questions that wait for one of those to end, some KiB each.
pub(crate) const REPLAY_WAITING: usize = 1024;
/// For how long one of them waits at most: a server that is gone keeps every asker for seconds, and
/// behind them nobody has to learn it anew.
pub(crate) const REPLAY_PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
/// Times that a transaction's token is replaced by another (TXT-13): so much longer than one of its
/// tokens a transaction lasts.
pub(crate) const TXN_REPLACEMENTS: i64 = 8;
/// Bytes of a proof's `jti` (DP-13): a UUID has 36, a hash in hexadecimal 128.
pub(crate) const JTI_SIZE: usize = 256;
/// Bytes of a header field that are looked at: a scheme, a space and the longest token that any
/// policy allows. A longer one is no token, whatever the rest is.
pub(crate) const FIELD_SIZE: usize = Limits::CEILING.token_size + 64;
/// Bytes of a proof's `htu` and of a request's URL: what servers take at most.
pub(crate) const URL_SIZE: usize = 8 * 1024;
/// Bytes of a fetched document (KEY-03).
#[cfg(feature = "remote")]
pub(crate) const FETCH_SIZE: usize = JWK_SET_SIZE;
/// Redirects within one origin. One adds a slash, one moves a path; a third is a loop.
#[cfg(feature = "remote")]
pub(crate) const FETCH_REDIRECTS: usize = 2;
/// Time to resolve a name, and again to connect.
#[cfg(feature = "remote")]
pub(crate) const FETCH_CONNECT: std::time::Duration = std::time::Duration::from_secs(3);
/// Time for a whole document: a server that sends a byte a second is cut off.
#[cfg(feature = "remote")]
pub(crate) const FETCH_TOTAL: std::time::Duration = std::time::Duration::from_secs(10);
/// Fetches at once. A fetch mostly waits, so this is not a matter of cores.
#[cfg(feature = "remote")]
pub(crate) const FETCHES: usize = 16;
/// Of these, the most for issuers whose last fetch failed: they never keep the others waiting.
#[cfg(feature = "remote")]
pub(crate) const FETCHES_FAILING: usize = 4;
/// Bytes of a token that carries a status list: what is fetched.
#[cfg(feature = "remote")]
pub(crate) const STATUS_TOKEN_SIZE: usize = JWK_SET_SIZE;
/// Bytes of a status list, unpacked (TSL-08): 134 million tokens of one bit.
pub(crate) const STATUS_LIST_SIZE: usize = 16 * 1024 * 1024;
/// Status lists that are kept at once. Each may be as large as the limit above, so they have one
/// together.
pub(crate) const STATUS_LISTS: usize = 64;
/// Bytes of all status lists together.
pub(crate) const STATUS_LISTS_SIZE: usize = 128 * 1024 * 1024;
/// Status lists that are fetched at once.
#[cfg(feature = "remote")]
pub(crate) const STATUS_FETCHES: usize = 4;
/// Answers about tokens (RFC 7662) that are kept for one issuer, some 150 bytes each beside their
/// text.
pub(crate) const INTROSPECTION_ANSWERS: usize = 64 * 1024;
/// Bytes of these texts together: 1 KiB each, which is what they mostly have less of.
pub(crate) const INTROSPECTION_ANSWERS_SIZE: usize = 64 * 1024 * 1024;
/// Bytes of one answer: the longest token and as much again.
#[cfg(feature = "remote")]
pub(crate) const INTROSPECTION_ANSWER_SIZE: usize = 2 * Limits::CEILING.token_size;
/// Tokens that may wait for an issuer to be asked about them. Whoever comes later is told to come
/// again; a stranger's made-up tokens take no more memory than these.
pub(crate) const INTROSPECTIONS_WAITING: usize = 256;
/// Active tokens that may wait to be asked about anew, ahead of those: as many as are asked about
/// in the last fifth of a minute, at 300 answers a second.
pub(crate) const INTROSPECTIONS_RENEWED: usize = 4096;
/// Questions to one issuer at once.
pub(crate) const INTROSPECTIONS_EACH: usize = 8;
/// Questions to all issuers at once, and one more to each that has none running: each has a thread
/// while it runs.
#[cfg(feature = "remote")]
pub(crate) const INTROSPECTIONS: usize = 32;
