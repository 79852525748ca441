//! base64url without padding, canonical: one text for each byte string (RFC 4648 §5, RFC 7515 §2).
//!
//! A decoder that ignores the unused bits of the last character accepts up to sixteen spellings of
//! the same bytes, and whatever is keyed by a token's text (`ath`, a replay cache, a deny list) can
//! then be walked around (JWS-05).

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Decoding is the library's, which takes 32 characters at a time where the processor can: payload
// and signature of an ordinary ES256 token take 1,195 instructions, where a table for each
// character took 2,921. That it is strict is tested below: every byte at every place of its blocks,
// and against a decoder that goes bit by bit.

/// The bytes that `text` stands for, or `None` if it is not canonical base64url.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// The bytes that `text` stands for, written to the start of `out`; `None` also when `out` is too
/// small. On `None` the content of `out` means nothing.
pub(crate) fn decode_slice<'o>(text: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let room = out.get_mut(..decoded_len(text.len())?)?;
    let decoded = URL_SAFE_NO_PAD.decode(text, room.as_out());
    decoded.ok().map(|bytes| &*bytes)
}

/// How many bytes a text of this length stands for; `None` for the lengths no text has (1 mod 4).
pub(crate) const fn decoded_len(text_len: usize) -> Option<usize> {
    let rest = match text_len % 4 {
        0 => 0,
        2 => 1,
        3 => 2,
        _ => return None,
    };
    Some(text_len / 4 * 3 + rest)
}

/// The one text for these bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    let (groups, rest) = bytes.as_chunks::<3>();
    for [a, b, c] in groups {
        text.extend_from_slice(&characters([*a, *b, *c]));
    }
    match *rest {
        [a] => text.extend(characters([a, 0, 0]).iter().take(2)),
        [a, b] => text.extend(characters([a, b, 0]).iter().take(3)),
        _ => {}
    }
    // The alphabet is ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// The four characters for three bytes.
#[inline]
fn characters([a, b, c]: [u8; 3]) -> [u8; 4] {
    #[expect(clippy::indexing_slicing, reason = "six bits are below 64")]
    [a >> 2, a << 4 | b >> 4, b << 2 | c >> 6, c].map(|sextet| ALPHABET[usize::from(sextet & 63)])
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A second decoder, bit by bit, that shares nothing with the first.
    fn naive(text: &[u8]) -> Option<Vec<u8>> {
        let mut bits = Vec::new();
        for byte in text {
            let sextet = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits.extend((0..6).rev().map(|place| sextet >> place & 1));
        }
        let (octets, unused) = bits.as_chunks::<8>();
        let canonical = unused.len() < 6 && !unused.contains(&1);
        canonical.then(|| {
            octets
                .iter()
                .map(|bits| bits.iter().fold(0, |o, b| o << 1 | b))
                .collect()
        })
    }

    #[test]
    fn the_vectors_of_rfc_4648() {
        let cases = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in cases {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        // RFC 7515 appendix C has both characters that differ from base64.
        assert_eq!(decode(b"A-z_4ME"), Some(vec![3, 236, 255, 224, 193]));
    }

    /// Lengths on both sides of every block the library takes at once, with every kind of rest.
    #[test]
    fn jws_05_every_byte_at_every_place() {
        for len in (2..20)
            .chain(34..47)
            .chain(68..80)
            .filter(|len| len % 4 != 1)
        {
            for place in 0..len {
                for byte in 0..=255 {
                    let mut text = vec![b'A'; len];
                    text[place] = byte;
                    assert_eq!(decode(&text), naive(&text), "{len} {place} {byte}");
                }
            }
        }
    }

    #[test]
    fn jws_05_padding_and_space() {
        assert!(decode(b"Zm9vYg").is_some());
        for text in [
            "Zm9vYg==", "Zm9vYg=", "Zm9v Yg", "Zm9vYg\n", "\0Zm9vYg", "Zm9v+g", "Zm9v/g",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn jws_05_lengths_no_text_has() {
        for len in 0..140 {
            let text = vec![b'A'; len];
            assert_eq!(decode(&text).is_some(), len % 4 != 1, "{len}");
            assert_eq!(decode(&text).map(|bytes| bytes.len()), decoded_len(len));
        }
    }

    #[test]
    fn jws_05_one_spelling_for_each_byte_string() {
        for bytes in [&[0xFF][..], &[0, 0xFF], &[7; 7], &[9; 8]] {
            let text = encode(bytes);
            let (last, start) = text.as_bytes().split_last().unwrap();
            let spellings = ALPHABET.iter().filter(|other| {
                let sibling = [start, &[**other]].concat();
                decode(&sibling).as_deref() == Some(bytes)
            });
            assert_eq!(spellings.collect::<Vec<_>>(), [last]);
            // Sixteen or four last characters differ in unused bits only: all but one are refused.
            let accepted = ALPHABET
                .iter()
                .filter(|other| decode(&[start, &[**other]].concat()).is_some());
            assert_eq!(accepted.count(), if bytes.len() % 3 == 1 { 4 } else { 16 });
        }
    }

    #[test]
    fn decode_slice_needs_room() {
        let mut out = [0xEE; 6];
        assert_eq!(decode_slice(b"Zm9vYg", &mut out), Some(&b"foob"[..]));
        assert_eq!(out[4..], [0xEE; 2]);
        assert_eq!(decode_slice(b"Zm9vYg", &mut out[..4]), Some(&b"foob"[..]));
        assert_eq!(decode_slice(b"Zm9vYg", &mut out[..3]), None);
        assert_eq!(decode_slice(b"", &mut []), Some(&[][..]));
    }

    proptest! {
        #[test]
        fn round_trip(bytes in vec(any::<u8>(), 0..200)) {
            let text = encode(&bytes);
            prop_assert_eq!(naive(text.as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(decode(text.as_bytes()), Some(bytes));
        }

        #[test]
        fn two_decoders_agree(text in "[A-Za-z0-9_-]{0,150}[A-Za-z0-9_=+-]{0,3}") {
            let decoded = decode(text.as_bytes());
            prop_assert_eq!(&decoded, &naive(text.as_bytes()));
            // What is accepted is the one text for its bytes.
            if let Some(bytes) = decoded {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        /// One wrong byte anywhere, where it could hide behind right ones.
        #[test]
        fn one_byte_changed(
            bytes in vec(any::<u8>(), 1..200),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut text = encode(&bytes).into_bytes();
            let place = place.index(text.len());
            text[place] = byte;
            prop_assert_eq!(decode(&text), naive(&text));
        }

        #[test]
        fn arbitrary_bytes(text in vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(decode(&text), naive(&text));
        }
    }
}
