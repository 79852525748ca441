//! `jwt-simple` beside sealgate and the raw primitive, interleaved.

use std::collections::HashSet;
use std::hint::black_box;
use std::rc::Rc;

use jwt_simple::prelude::*;
use sealgate::crypto::SigningKey;
use sealgate::jwa::Algorithm;
use sealgate::jwk::KeyMaterial;
use sealgate_benches::Case;
use sealgate_benches::contest::{ALGORITHMS, cases_with, in_turn};
use sealgate_benches::interleave::table;
use sealgate_benches::tokens::Token;

fn main() {
    for algorithm in ALGORITHMS {
        let cases = cases_with(algorithm, &[jwt_simple]);
        if cases.len() > 3 {
            table(&format!("{algorithm}, one thread"), cases);
        }
    }
}

/// What `jwt-simple` does not have as registered claims.
#[derive(Serialize, Deserialize)]
struct Custom {
    scope: String,
    client_id: String,
    act: Act,
}

#[derive(Serialize, Deserialize)]
struct Act {
    sub: String,
    iss: Option<String>,
    act: Option<Box<Act>>,
}

type Verify =
    Box<dyn Fn(&str, VerificationOptions) -> Result<JWTClaims<Custom>, jwt_simple::Error>>;

fn verifier(key: &SigningKey) -> Option<Verify> {
    let sec1 = |x: &[u8], y: &[u8]| [&[4], x, y].concat();
    let verify: Verify = match (key.algorithm(), key.verifying_jwk().material()) {
        (Algorithm::Hs256, KeyMaterial::Oct(secret)) => {
            let key = HS256Key::from_bytes(secret.as_bytes());
            Box::new(move |token, options| key.verify_token(token, Some(options)))
        }
        (Algorithm::Hs512, KeyMaterial::Oct(secret)) => {
            let key = HS512Key::from_bytes(secret.as_bytes());
            Box::new(move |token, options| key.verify_token(token, Some(options)))
        }
        (Algorithm::Rs256, KeyMaterial::Rsa { n, e }) => {
            let key = RS256PublicKey::from_components(n, e).ok()?;
            Box::new(move |token, options| key.verify_token(token, Some(options)))
        }
        (Algorithm::Ps256, KeyMaterial::Rsa { n, e }) => {
            let key = PS256PublicKey::from_components(n, e).ok()?;
            Box::new(move |token, options| key.verify_token(token, Some(options)))
        }
        (Algorithm::Es256, KeyMaterial::Ec { x, y, .. }) => {
            let key = ES256PublicKey::from_bytes(&sec1(x, y)).ok()?;
            Box::new(move |token, options| key.verify_token(token, Some(options)))
        }
        (Algorithm::Es384, KeyMaterial::Ec { x, y, .. }) => {
            let key = ES384PublicKey::from_bytes(&sec1(x, y)).ok()?;
            Box::new(move |token, options| key.verify_token(token, Some(options)))
        }
        (Algorithm::Ed25519, KeyMaterial::Okp { x, .. }) => {
            let key = Ed25519PublicKey::from_bytes(x).ok()?;
            Box::new(move |token, options| key.verify_token(token, Some(options)))
        }
        _ => return None,
    };
    Some(verify)
}

fn jwt_simple(key: &SigningKey, tokens: &Rc<[Token]>) -> Option<Case> {
    let verify = verifier(key)?;
    let one = |text: &str| Some(HashSet::from([text.to_owned()]));
    let options = VerificationOptions {
        allowed_issuers: one("https://login.example.com"),
        allowed_audiences: one("https://api.example.com/mcp"),
        ..VerificationOptions::default()
    };
    let run = in_turn(tokens, move |token| {
        let claims = verify(black_box(&token.text), options.clone());
        black_box(claims.expect("a good token"));
    });
    Some(Case::new("jwt-simple 0.15", run))
}
