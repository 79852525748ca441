//! Seeded tokens of the size agents carry, and the gates that take them.

use sealgate::crypto::{CryptoProvider, SigningKey};
use sealgate::jwa::Algorithm;
use sealgate::jwk::JwkSet;
use sealgate::{Clock, Format, Gate, LoadOptions, Policy, Verifier};

/// Tokens of one algorithm that take turns, so that no branch learns one by heart.
pub const TURNS: usize = 64;

/// `iss` of all tokens.
pub const ISSUER: &str = "https://login.example.com";
/// The audience of the gate.
pub const AUDIENCE: &str = "https://api.example.com/mcp";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A compact JWS, and the parts a raw primitive needs.
#[derive(Clone, Debug)]
pub struct Token {
    /// As it travels.
    pub text: String,
    /// `header.payload`.
    pub signing_input: Vec<u8>,
    /// As decoded.
    pub signature: Vec<u8>,
}

/// The system's time in seconds: contestants read the system's clock.
#[must_use]
pub fn now() -> i64 {
    Clock::System.now().seconds()
}

/// base64url without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = bits >> (18 - 6 * place) & 63;
            text.push(char::from(ALPHABET[usize::try_from(index).unwrap_or(0)]));
        }
    }
    text
}

/// Claims number `n`: about 450 bytes, two audiences, two agents acting for a person.
#[must_use]
pub fn claims(n: usize) -> String {
    let now = now();
    format!(
        concat!(
            r#"{{"iss":"https://login.example.com","sub":"user-{n:08}","#,
            r#""aud":["https://api.example.com/mcp","https://api.example.com/files"],"#,
            r#""exp":{exp},"nbf":{iat},"iat":{iat},"jti":"8d41c2f6-9c05-4b6a-8e17-{n:012}","#,
            r#""scope":"mcp:use files.read files.write","client_id":"agent-runner-eu-1","#,
            r#""act":{{"sub":"agents/researcher-7","iss":"https://agents.example.com","#,
            r#""act":{{"sub":"agents/planner-1","iss":"https://agents.example.com"}}}}}}"#
        ),
        n = n,
        exp = now + 36_000,
        iat = now - 60,
    )
}

/// As [`claims`], with a member that fills the token up to `size` bytes or a few more.
#[must_use]
pub fn padded_claims(n: usize, header: &str, signature: usize, size: usize) -> String {
    let mut claims = claims(n);
    let fixed = encode(header.as_bytes()).len() + signature + 2;
    let payload = size.saturating_sub(fixed) * 3 / 4;
    let filler = payload.saturating_sub(claims.len() + r#","x":"""#.len());
    claims.pop();
    // Strings end at 2 KiB, so a long filler is an array of strings.
    if filler <= 2048 {
        return claims + &format!(r#","x":"{}"}}"#, "x".repeat(filler));
    }
    let strings = vec![format!("\"{}\"", "x".repeat(61)); filler / 64];
    claims + &format!(r#","x":[{}]}}"#, strings.join(","))
}

/// The `alg` that peers and we agree on: Ed25519 is still called by its old name.
#[must_use]
pub fn alg_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ed25519 => "EdDSA",
        other => other.name(),
    }
}

/// The protected header of tokens of this algorithm.
#[must_use]
pub fn header(algorithm: Algorithm) -> String {
    let typ = if algorithm.is_symmetric() {
        "JWT"
    } else {
        "at+jwt"
    };
    format!(
        r#"{{"alg":"{}","kid":"k1","typ":"{typ}"}}"#,
        alg_name(algorithm)
    )
}

/// The key of this algorithm: seeded, but for RSA, whose speed no choice of primes changes.
#[must_use]
pub fn key(algorithm: Algorithm) -> SigningKey {
    let key = SigningKey::from_seed(algorithm, &[7; 32]);
    let key = key.or_else(|_| SigningKey::generate(algorithm));
    key.expect("a key of every algorithm").with_kid("k1")
}

/// Signs these claims under this header.
#[must_use]
pub fn sign(key: &SigningKey, header: &str, claims: &str) -> Token {
    let signing_input = format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(claims.as_bytes())
    );
    let signature = key.sign(signing_input.as_bytes()).expect("a signature");
    Token {
        text: format!("{signing_input}.{}", encode(&signature)),
        signing_input: signing_input.into_bytes(),
        signature,
    }
}

/// Tokens numbered from 0, all signed with `key`.
#[must_use]
pub fn mint(key: &SigningKey, count: usize) -> Vec<Token> {
    let header = header(key.algorithm());
    (0..count).map(|n| sign(key, &header, &claims(n))).collect()
}

/// One issuer with this key and one gate, `tools`, with a cache of `cache` entries.
#[must_use]
pub fn verifier(key: &SigningKey, provider: CryptoProvider, cache: usize) -> Verifier {
    let algorithm = key.algorithm();
    let profile = if algorithm.is_symmetric() {
        "jwt_custom"
    } else {
        "access_token"
    };
    let keys = if algorithm.is_symmetric() {
        format!(r#""jwks":{{"keys":[{}]}}"#, key.verifying_jwk().to_json())
    } else {
        r#""jwks_push":"process""#.to_owned()
    };
    let legacy = match algorithm {
        Algorithm::Ed25519 => r#""legacy_eddsa":true,"#,
        _ => "",
    };
    let policy = format!(
        r#"{{"version":1,"preset":"rfc","cache":{{"tokens":{cache}}},
            "issuers":{{"corp":{{"issuer":"https://login.example.com","algorithms":["{algorithm}"],{legacy}
                "profiles":["{profile}"],{keys}}}}},
            "gates":{{"tools":{{"profile":"{profile}","audience":"https://api.example.com/mcp",
                "issuers":["corp"],"delegation":"surface"}}}}}}"#
    );
    // A shared secret inside the document: for benches, whose keys guard nothing.
    let options = LoadOptions::new().allow_test_keys(true);
    let policy = Policy::parse_with(policy, Format::Json, &options).expect("a policy");
    let verifier = Verifier::new(policy, provider).expect("a verifier");
    if !algorithm.is_symmetric() {
        publish(&verifier, key);
    }
    verifier
}

/// Makes `key` the issuer's only key.
pub fn publish(verifier: &Verifier, key: &SigningKey) {
    let set: JwkSet = [key.verifying_jwk().clone()].into_iter().collect();
    let receipt = verifier.keys().publish("corp", &set).expect("published");
    assert!(receipt.skipped.is_empty(), "{:?}", receipt.skipped);
}

/// The gate of [`verifier`].
#[must_use]
pub fn gate(key: &SigningKey, provider: CryptoProvider, cache: usize) -> Gate {
    let verifier = verifier(key, provider, cache);
    verifier.gate("tools").expect("the gate")
}
