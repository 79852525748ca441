//! `josekit` beside sealgate and the raw primitive, interleaved.

use std::hint::black_box;
use std::rc::Rc;
use std::time::SystemTime;

use josekit::jwk::Jwk;
use josekit::jws::{self, JwsVerifier};
use josekit::jwt::{self, JwtPayloadValidator};
use sealgate::crypto::SigningKey;
use sealgate::jwa::Algorithm;
use sealgate_benches::Case;
use sealgate_benches::contest::{ALGORITHMS, cases_with, in_turn};
use sealgate_benches::interleave::table;
use sealgate_benches::tokens::Token;

fn main() {
    for algorithm in ALGORITHMS {
        let cases = cases_with(algorithm, &[josekit]);
        if cases.len() > 3 {
            table(&format!("{algorithm}, one thread"), cases);
        }
    }
}

fn josekit(key: &SigningKey, tokens: &Rc<[Token]>) -> Option<Case> {
    let jwk = Jwk::from_bytes(
        key.verifying_jwk()
            .to_json()
            .replace("Ed25519\",\"kid", "EdDSA\",\"kid"),
    )
    .ok()?;
    let verifier: Box<dyn JwsVerifier> = match key.algorithm() {
        Algorithm::Hs256 => Box::new(jws::HS256.verifier_from_jwk(&jwk).ok()?),
        Algorithm::Hs512 => Box::new(jws::HS512.verifier_from_jwk(&jwk).ok()?),
        Algorithm::Rs256 => Box::new(jws::RS256.verifier_from_jwk(&jwk).ok()?),
        Algorithm::Ps256 => Box::new(jws::PS256.verifier_from_jwk(&jwk).ok()?),
        Algorithm::Es256 => Box::new(jws::ES256.verifier_from_jwk(&jwk).ok()?),
        Algorithm::Es384 => Box::new(jws::ES384.verifier_from_jwk(&jwk).ok()?),
        Algorithm::Es512 => Box::new(jws::ES512.verifier_from_jwk(&jwk).ok()?),
        Algorithm::Ed25519 => Box::new(jws::EdDSA.verifier_from_jwk(&jwk).ok()?),
        _ => return None,
    };
    let mut validator = JwtPayloadValidator::new();
    validator.set_issuer("https://login.example.com");
    validator.set_audience("https://api.example.com/mcp");
    let run = in_turn(tokens, move |token| {
        let (payload, _) =
            jwt::decode_with_verifier(black_box(&token.text), &*verifier).expect("a good token");
        validator.set_base_time(SystemTime::now());
        validator.validate(&payload).expect("good claims");
        black_box(payload);
    });
    Some(Case::new("josekit 0.10", run))
}
