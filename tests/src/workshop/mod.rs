//! A workshop for tokens: any header text, any payload bytes, any signature, right or wrong.
//!
//! It shares no code with sealgate, so that a mistake of one is not repeated by the other. RSA and
//! ECDSA are done by hand: libraries do not make the signatures that attacks need, and every
//! signature here follows from its input alone, so that generated vectors stay the same.

pub mod der;
pub mod ecdsa;
pub mod hash;
pub mod key;
pub mod number;
pub mod rsa;

pub use hash::Hash;
pub use key::Key;

/// base64url without padding (RFC 7515 §2).
#[must_use]
pub fn b64u(bytes: impl AsRef<[u8]>) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.as_ref().chunks(3) {
        let bits = chunk
            .iter()
            .chain([&0; 2])
            .take(3)
            .fold(0usize, |bits, byte| bits << 8 | usize::from(*byte));
        for position in 0..=chunk.len() {
            text.push(char::from(ALPHABET[bits >> (18 - 6 * position) & 63]));
        }
    }
    text
}

/// Decodes base64url without padding; lenient about unused bits, which are others' business.
#[must_use]
pub fn unb64u(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    (text.len() % 4 != 1).then_some(bytes)
}

/// The part of a token that is signed.
#[must_use]
pub fn signing_input(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", b64u(header), b64u(payload))
}

/// A compact JWS over exactly this header text and payload.
#[must_use]
pub fn compact(
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    over(signing_input(header, payload), sign)
}

/// A compact JWS over segments as they are.
#[must_use]
pub fn over(signing_input: String, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signature = b64u(sign(signing_input.as_bytes()));
    signing_input + "." + &signature
}
