//! What a stranger can send, against the provider's plain verification of that very text.

use std::hint::black_box;

use sealgate::crypto::aws_lc;
use sealgate::jwa::Algorithm;
use sealgate::{Code, Gate};

use crate::Case;
use crate::raw::RawKey;
use crate::tokens::{self, Token};

/// An attack, its text, and the code it must be answered with.
struct Attack {
    name: &'static str,
    token: Token,
    code: Code,
}

fn refuse(gate: &Gate, attack: &Attack) -> Case {
    let (gate, text, code) = (gate.clone(), attack.token.text.clone(), attack.code);
    Case::new(attack.name, move || {
        let error = gate.verify(black_box(&text)).expect_err("refused");
        assert_eq!(error.code(), code);
    })
}

/// The last octet of the signature flipped: everything else has to be done first.
fn spoil(mut token: Token) -> Token {
    if let Some(last) = token.signature.last_mut() {
        *last ^= 1;
    }
    let head = String::from_utf8_lossy(&token.signing_input);
    token.text = format!("{head}.{}", tokens::encode(&token.signature));
    token
}

/// One group an attack: plain verification first, refusing second.
#[must_use]
pub fn groups(algorithm: Algorithm) -> Vec<(String, Vec<Case>)> {
    let key = tokens::key(algorithm);
    let header = tokens::header(algorithm);
    let gate = tokens::gate(&key, aws_lc::provider(), 0);
    let token = |header: &str, claims: &str| tokens::sign(&key, header, claims);
    let signature = algorithm.signature_size().unwrap_or(256).div_ceil(3) * 4;
    let large = tokens::padded_claims(0, &header, signature, 16_200);
    let nested = |depth: usize| {
        let claims = tokens::claims(0);
        let nest = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{},"x":{nest}}}"#,
            claims.trim_end_matches('}').to_owned() + "}}"
        )
    };
    let attacks = [
        Attack {
            name: "bad signature",
            token: spoil(token(&header, &tokens::claims(0))),
            code: Code::BadSignature,
        },
        Attack {
            name: "16 KiB token, bad signature",
            token: spoil(token(&header, &large)),
            code: Code::BadSignature,
        },
        Attack {
            name: "60 levels deep, bad signature",
            token: spoil(token(&header, &nested(60))),
            code: Code::BadSignature,
        },
        Attack {
            name: "5,000 levels deep",
            token: token(&header, &nested(5_000)),
            code: Code::NestingTooDeep,
        },
        Attack {
            name: "unknown kid",
            token: token(&header.replace("k1", "k2"), &tokens::claims(0)),
            code: Code::KeyNotFound,
        },
        Attack {
            name: "alg none",
            token: token(
                &header.replace(tokens::alg_name(algorithm), "none"),
                &tokens::claims(0),
            ),
            code: Code::AlgNotAllowed,
        },
        Attack {
            name: "not a token: 16 KiB of dots",
            token: Token {
                text: ".".repeat(16 * 1024),
                ..token(&header, &tokens::claims(0))
            },
            code: Code::MalformedToken,
        },
    ];
    let groups = attacks.iter().map(|attack| {
        let raw_key = RawKey::new(key.verifying_jwk(), algorithm);
        let plain = attack.token.clone();
        let plain = Case::new("plain verification", move || {
            black_box(raw_key.verify(black_box(&plain.signing_input), black_box(&plain.signature)));
        });
        let name = format!("{algorithm}: {}", attack.name);
        (name, vec![plain, refuse(&gate, attack)])
    });
    groups.collect()
}
