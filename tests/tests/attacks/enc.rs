//! Attacks on the encoding: other bytes for the same token.

use sealgate_tests::workshop::{Key, b64u, over};
use serde_json::json;

use crate::stand::{Fixtures, config};

/// A token and its three parts.
pub(crate) fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

pub(crate) fn enc_01_padding(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    let token = f.token(&key);
    stand.accepts(&token);
    for position in 0..3 {
        for padding in ["=", "==", "%3D"] {
            let mut padded = parts(&token);
            padded[position] += padding;
            stand.gives("malformed_token", padded.join("."));
            if position < 2 {
                let input = format!("{}.{}", padded[0], padded[1]);
                stand.gives("malformed_token", over(input, |input| key.sign(input)));
            }
        }
    }
}

/// The other characters whose used bits are the same.
pub(crate) fn siblings(part: &str) -> Vec<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let unused = match part.len() % 4 {
        2 => 4,
        3 => 2,
        _ => return Vec::new(),
    };
    let (rest, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    let base = value >> unused << unused;
    let siblings = (base..base + (1 << unused)).filter(|sibling| *sibling != value);
    siblings
        .map(|sibling| format!("{rest}{}", &ALPHABET[sibling..=sibling]))
        .collect()
}

pub(crate) fn enc_02_trailing_bits(f: &Fixtures) {
    let expected = [
        ("HS256", 3),
        ("HS384", 0),
        ("HS512", 15),
        ("ES256", 15),
        ("ES384", 0),
        ("ES512", 0),
        ("ES256K", 15),
        ("Ed25519", 15),
        ("RS256", 15),
    ];
    for (alg, count) in expected {
        let key = Key::seeded(alg, "k");
        let stand = f.stand(&config(std::slice::from_ref(&key.jwk), &[alg]));
        let token = f.token(&key);
        stand.accepts(&token);
        let [header, payload, signature] = parts(&token);
        let siblings = siblings(&signature);
        assert_eq!(siblings.len(), count, "{alg}");
        for sibling in siblings {
            stand.gives("malformed_token", format!("{header}.{payload}.{sibling}"));
        }
    }
    // In header and payload, signed as they are.
    let key = f.key("K_ED");
    let stand = f.stand_a();
    for spaces in 0..3 {
        let space = " ".repeat(spaces);
        let header = b64u(key.header("") + &space);
        let payload = b64u(f.payload() + &space);
        stand.accepts(over(format!("{header}.{payload}"), |input| key.sign(input)));
        for sibling in siblings(&header) {
            let token = over(format!("{sibling}.{payload}"), |input| key.sign(input));
            stand.gives("malformed_token", token);
        }
        for sibling in siblings(&payload) {
            let token = over(format!("{header}.{sibling}"), |input| key.sign(input));
            stand.gives("malformed_token", token);
        }
    }
}

pub(crate) fn enc_04_whitespace_and_controls(f: &Fixtures) {
    let stand = f.stand_a();
    let token = f.token(&f.key("K_RSA"));
    stand.accepts(&token);
    for stray in [
        " ", "\t", "\r", "\n", "\r\n", "\0", "\u{a0}", "\u{feff}", "\u{7f}", "\u{85}",
    ] {
        stand.gives("malformed_token", format!("{stray}{token}"));
        stand.gives("malformed_token", format!("{token}{stray}"));
        for (position, _) in token.match_indices('.') {
            for position in [position, position + 1, position - 3, position + 7] {
                let (before, after) = token.split_at(position);
                stand.gives("malformed_token", format!("{before}{stray}{after}"));
            }
        }
    }
    for prefix in ["Bearer ", "bearer ", "DPoP ", "JWT "] {
        stand.gives("malformed_token", format!("{prefix}{token}"));
    }
    for end in ["\n", "\r\n"] {
        let lines = token
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).unwrap());
        let folded: Vec<&str> = lines.collect();
        stand.gives("malformed_token", folded.join(end));
    }
    for outside in ["+", "/", "~", ",", "\"", "%2E"] {
        let (before, after) = token.split_at(10);
        stand.gives("malformed_token", format!("{before}{outside}{after}"));
    }
}

pub(crate) fn enc_06_characters_that_look_alike(f: &Fixtures) {
    let stand = f.stand_a();
    let token = f.token(&f.key("K_RSA"));
    stand.accepts(&token);
    for dot in ["\u{ff0e}", "\u{3002}", "\u{2024}"] {
        stand.gives("malformed_token", token.replace('.', dot));
        stand.gives("malformed_token", token.replacen('.', dot, 1));
    }
    stand.gives("malformed_token", token.replace('e', "\u{ff45}"));
    stand.gives("malformed_token", token.replace('A', "\u{391}"));
    let (before, after) = token.split_at(5);
    stand.gives("malformed_token", format!("{before}\u{301}{after}"));
    // Bytes that are no text: a lone surrogate, an overlong dot, Latin-1, and others cut off.
    for bytes in [
        &b"\xed\xa0\x80"[..],
        b"\xc0\xae",
        b"\xe9",
        b"\xff",
        b"\xf0\x9f",
        b"\x80",
    ] {
        for position in [0, 5, token.len()] {
            let (before, after) = token.as_bytes().split_at(position);
            stand.gives("malformed_token", [before, bytes, after].concat());
        }
    }
}

pub(crate) fn enc_07_wrong_number_of_parts(f: &Fixtures) {
    let stand = f.stand_a();
    let token = f.token(&f.key("K_RSA"));
    stand.accepts(&token);
    let [header, payload, signature] = parts(&token);
    for text in [
        String::new(),
        ".".to_owned(),
        "...".to_owned(),
        "a..b".to_owned(),
        header.clone(),
        format!("{header}.{payload}"),
        format!("{payload}.{signature}"),
        format!(".{token}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{token}.{signature}.{signature}.{signature}"),
    ] {
        let code = stand.judge(&text);
        assert_eq!(code, "malformed_token", "{text}");
    }
    assert_ne!(stand.judge(".."), "accepted");
    // JWS-04: five parts are a JWE, and no key is tried for it.
    stand.gives(
        "encrypted_not_supported",
        format!("{token}.{signature}.{signature}"),
    );
    stand.gives(
        "encrypted_not_supported",
        format!("{header}....{signature}"),
    );
    stand.gives("bad_signature", format!("{header}.{payload}."));
    assert_ne!(stand.judge(format!("{header}..{signature}")), "accepted");
    assert_ne!(stand.judge(format!(".{payload}.{signature}")), "accepted");
}

pub(crate) fn enc_09_json_serialization(f: &Fixtures) {
    let stand = f.stand_a();
    let token = f.token(&f.key("K_RSA"));
    stand.accepts(&token);
    let [header, payload, signature] = parts(&token);
    let good = json!({ "protected": header, "signature": signature });
    let forged = json!({ "protected": header, "signature": b64u([0; 256]) });
    for text in [
        json!({ "payload": payload, "protected": header, "signature": signature }).to_string(),
        json!({ "payload": payload, "signatures": [good] }).to_string(),
        json!({ "payload": payload, "signatures": [] }).to_string(),
        json!({ "payload": payload, "signatures": [good, forged] }).to_string(),
        format!(r#"{{"payload":"{payload}","payload":"{payload}","signatures":[{good}]}}"#),
        "{}".to_owned(),
    ] {
        stand.gives("unsupported_serialization", text);
    }
    let quoted = format!("\"{token}\"");
    stand.gives("malformed_token", quoted);
}

pub(crate) fn enc_11_dot_flood(f: &Fixtures) {
    let stand = f.stand_a();
    let token = f.token(&f.key("K_RSA"));
    stand.accepts(&token);
    let million = 1_000_000;
    for text in [
        ".".repeat(million),
        "a.".repeat(million),
        token.clone() + &".".repeat(million),
    ] {
        stand.gives("oversized", text);
    }
    // And below the limit of size, where dots are counted.
    for text in [
        ".".repeat(10_000),
        "a.".repeat(5_000),
        token + &".".repeat(10_000),
    ] {
        stand.gives("malformed_token", text);
    }
}
