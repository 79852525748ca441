//! base64url without padding, canonical: one text for each byte string (RFC 4648 §5, RFC 7515 §2).
//!
//! A decoder that ignores the unused bits of the last character accepts up to sixteen spellings of
//! the same bytes, and whatever is keyed by a token's text (`ath`, a replay cache, a deny list) can
//! then be walked around (JWS-05).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Set in every entry of a character outside the alphabet; above the 24 bits of a decoded group.
const INVALID: u32 = 1 << 31;

/// For each place in a group of four characters, what a character there adds to the three bytes,
/// which are kept in output order from the lowest byte up.
static PLACES: [[u32; 256]; 4] = [place(18), place(12), place(6), place(0)];

const fn place(shift: u32) -> [u32; 256] {
    let mut table = [INVALID; 256];
    let mut sextet = 0;
    while sextet < 64 {
        #[expect(
            clippy::indexing_slicing,
            clippy::as_conversions,
            reason = "evaluated by the compiler, and the values are below 256"
        )]
        {
            let bits = (sextet as u32) << shift;
            table[ALPHABET[sextet] as usize] = bits.swap_bytes() >> 8;
        }
        sextet += 1;
    }
    table
}

/// The bytes that `text` stands for, or `None` if it is not canonical base64url.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0; decoded_len(text.len())?];
    decode_exact(text, &mut out)?;
    Some(out)
}

/// Appends the bytes that `text` stands for; on `None` nothing has been appended.
pub(crate) fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    out.resize(start.checked_add(decoded_len(text.len())?)?, 0);
    let decoded = out
        .get_mut(start..)
        .and_then(|room| decode_exact(text, room));
    if decoded.is_none() {
        out.truncate(start);
    }
    decoded
}

/// The bytes that `text` stands for, written to the start of `out`; `None` also when `out` is too
/// small. On `None` the content of `out` means nothing.
pub(crate) fn decode_slice<'o>(text: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let room = out.get_mut(..decoded_len(text.len())?)?;
    decode_exact(text, room)?;
    Some(room)
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
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        for (to, from) in padded.iter_mut().skip(1).zip(group) {
            *to = *from;
        }
        let bits = u32::from_be_bytes(padded);
        let sextets = [bits >> 18, bits >> 12, bits >> 6, bits];
        text.extend(sextets.iter().take(group.len() + 1).map(|sextet| {
            let [.., low] = sextet.to_be_bytes();
            char::from(
                ALPHABET
                    .get(usize::from(low & 63))
                    .copied()
                    .unwrap_or_default(),
            )
        }));
    }
    text
}

/// Decodes into a slice of exactly `decoded_len(text.len())` bytes.
fn decode_exact(text: &[u8], out: &mut [u8]) -> Option<()> {
    let (eights, rest) = text.as_chunks::<8>();
    let (sixes, tail) = out.split_at_mut_checked(eights.len().checked_mul(6)?)?;
    let (sixes, _) = sixes.as_chunks_mut::<6>();

    // Errors are collected and looked at once: a branch a group would cost more than it saves.
    let mut seen = 0;
    for (&[a, b, c, d, e, f, g, h], out) in eights.iter().zip(sixes) {
        let (low, high) = (group(a, b, c, d), group(e, f, g, h));
        seen |= low | high;
        let [o0, o1, o2, o3, o4, o5, ..] = (u64::from(low) | u64::from(high) << 24).to_le_bytes();
        *out = [o0, o1, o2, o3, o4, o5];
    }
    if seen & INVALID != 0 {
        return None;
    }
    decode_rest(rest, tail)
}

/// Decodes what is left after the groups of eight: up to seven characters.
fn decode_rest(text: &[u8], out: &mut [u8]) -> Option<()> {
    // 'A' stands for zero bits, so a short group is decoded as the full one with the same bytes,
    // and its unused bits show up as bytes that must be zero.
    for (text, out) in text.chunks(4).zip(out.chunks_mut(3)) {
        let mut full = [b'A'; 4];
        for (to, from) in full.iter_mut().zip(text) {
            *to = *from;
        }
        let [a, b, c, d] = full;
        let bits = group(a, b, c, d);
        let bytes = bits.to_le_bytes();
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = from;
        }
        if bits & INVALID != 0 || bytes.iter().take(3).skip(out.len()).any(|byte| *byte != 0) {
            return None;
        }
    }
    Some(())
}

/// Three bytes from four characters, lowest byte first, or [`INVALID`] among its bits.
#[inline]
fn group(a: u8, b: u8, c: u8, d: u8) -> u32 {
    let [first, second, third, fourth] = &PLACES;
    #[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
    let [a, b, c, d] = [
        first[usize::from(a)],
        second[usize::from(b)],
        third[usize::from(c)],
        fourth[usize::from(d)],
    ];
    a | b | c | d
}
