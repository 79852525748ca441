//! The contestants over one algorithm: the raw primitive, sealgate cold and cached, jsonwebtoken.

use std::hint::black_box;
use std::rc::Rc;

use jsonwebtoken::{DecodingKey, Validation};
use sealgate::Gate;
use sealgate::crypto::{SigningKey, aws_lc};
use sealgate::jwa::Algorithm;
use serde::Deserialize;

use crate::raw::RawKey;
use crate::tokens::{self, TURNS, Token};
use crate::{Case, always_yes};

/// The algorithms of the matrix.
pub const ALGORITHMS: [Algorithm; 10] = [
    Algorithm::Hs256,
    Algorithm::Hs512,
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Ed25519,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
];

/// Claims as a user of a peer declares them.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "declared to be deserialised, as users do")]
pub struct Claims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
    scope: String,
    client_id: String,
    act: Option<Act>,
}

/// RFC 8693 §4.1.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "declared to be deserialised, as users do")]
pub struct Act {
    sub: String,
    iss: Option<String>,
    act: Option<Box<Self>>,
}

/// Calls `run` with tokens that take turns.
pub fn in_turn(
    tokens: &Rc<[Token]>,
    mut run: impl FnMut(&Token) + 'static,
) -> impl FnMut() + 'static {
    let tokens = Rc::clone(tokens);
    let mut turn = 0;
    move || {
        turn = (turn + 1) % tokens.len();
        run(&tokens[turn]);
    }
}

/// Verification at this gate; every token must pass.
pub fn accept(name: &str, gate: Gate, tokens: &Rc<[Token]>) -> Case {
    let run = in_turn(tokens, move |token| {
        let verified = gate.verify(black_box(&token.text));
        black_box(verified.expect("a good token"));
    });
    Case::new(name, run)
}

/// The primitive alone.
pub fn raw(key: &SigningKey, tokens: &Rc<[Token]>) -> Case {
    let key = RawKey::new(key.verifying_jwk(), key.algorithm());
    let run = in_turn(tokens, move |token| {
        let good = key.verify(black_box(&token.signing_input), black_box(&token.signature));
        assert!(good, "a good signature");
    });
    Case::new("raw primitive", run)
}

/// `jsonwebtoken` with the same checks; `None` where it lacks the algorithm.
fn jsonwebtoken(key: &SigningKey, tokens: &Rc<[Token]>) -> Option<Case> {
    let algorithm = tokens::alg_name(key.algorithm()).parse().ok()?;
    let jwk = serde_json::from_str(&key.verifying_jwk().to_json()).ok()?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&["https://login.example.com"]);
    validation.set_audience(&["https://api.example.com/mcp"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    let run = in_turn(tokens, move |token| {
        let decoded = jsonwebtoken::decode::<Claims>(black_box(&token.text), &key, &validation);
        black_box(decoded.expect("a good token"));
    });
    Some(Case::new("jsonwebtoken 11", run))
}

/// A further contestant over one algorithm; `None` where it lacks the algorithm.
pub type Peer = fn(&SigningKey, &Rc<[Token]>) -> Option<Case>;

/// All contestants over one algorithm; the raw primitive is the first.
#[must_use]
pub fn cases(algorithm: Algorithm) -> Vec<Case> {
    cases_with(algorithm, &[jsonwebtoken])
}

/// The raw primitive, sealgate cold and cached, and these peers.
#[must_use]
pub fn cases_with(algorithm: Algorithm, peers: &[Peer]) -> Vec<Case> {
    let key = tokens::key(algorithm);
    let tokens: Rc<[Token]> = tokens::mint(&key, TURNS).into();
    let cold = tokens::gate(&key, aws_lc::provider(), 0);
    let cached = tokens::gate(&key, aws_lc::provider(), 10_000);
    let ours = [
        raw(&key, &tokens),
        accept("sealgate", cold, &tokens),
        accept("sealgate, seen before", cached, &tokens),
    ];
    let peers = peers.iter().filter_map(|peer| peer(&key, &tokens));
    ours.into_iter().chain(peers).collect()
}

/// Everything but the signature: the same tokens before a provider that says yes.
#[must_use]
pub fn overhead(algorithm: Algorithm) -> Case {
    let key = tokens::key(algorithm);
    let tokens: Rc<[Token]> = tokens::mint(&key, TURNS).into();
    let gate = tokens::gate(&key, always_yes::provider(), 0);
    accept(algorithm.name(), gate, &tokens)
}
