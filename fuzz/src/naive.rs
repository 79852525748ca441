//! base64url one bit at a time: slow, obvious, and sharing nothing with the decoder under test.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648 §5 without padding.
pub fn encode(bytes: &[u8]) -> String {
    let bits: Vec<bool> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        .collect();
    bits.chunks(6)
        .map(|chunk| {
            let index = (0..6).fold(0, |index, bit| {
                index << 1 | usize::from(chunk.get(bit) == Some(&true))
            });
            char::from(ALPHABET[index])
        })
        .collect()
}

/// What encodes to exactly this text; `None` where nothing does.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bits = Vec::with_capacity(text.len() * 6);
    for byte in text {
        let index = ALPHABET.iter().position(|letter| letter == byte)?;
        bits.extend((0..6).rev().map(|bit| index >> bit & 1 == 1));
    }
    let bytes: Vec<u8> = bits
        .chunks_exact(8)
        .map(|chunk| chunk.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
        .collect();
    (encode(&bytes).as_bytes() == text).then_some(bytes)
}
