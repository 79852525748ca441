//! How the files of a store spell numbers and texts, and how they seal their headers.
//!
//! Numbers of a fixed size are little-endian; others are seven bits a byte, the lowest first, with
//! the eighth bit set in all but the last (LEB128). A checksum is SipHash-1-3 with 64 bits under
//! the store's id, so that nothing of another store ever fits.

use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip::SipHasher13;

/// Of every file. A reader takes no other.
pub(super) const VERSION: u32 = 1;

/// Which store a file belongs to: drawn when the store is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StoreId(pub(super) u64, pub(super) u64);

impl StoreId {
    pub(super) fn draw() -> Self {
        // The standard library draws its keys from the system.
        let drawn = RandomState::new();
        Self(drawn.hash_one(1_u8), drawn.hash_one(2_u8))
    }

    pub(super) fn checksum(self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        parts.iter().for_each(|part| hasher.write(part));
        hasher.finish()
    }
}

/// What of some bytes has not been read yet.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of seven bits a byte; `None` for one of more than 64 bits.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// As many bytes as a number before them says.
    pub(super) fn sized(&mut self) -> Option<&'a [u8]> {
        let size = self.number()?;
        self.take(usize::try_from(size).ok()?)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.sized()?).ok()
    }
}

pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        let [low, ..] = number.to_le_bytes();
        out.push(low | 0x80);
        number >>= 7;
    }
    let [low, ..] = number.to_le_bytes();
    out.push(low);
}

pub(super) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

/// Bytes of a header with so many fields.
pub(super) const fn sealed_size(fields: usize) -> usize {
    8 + 4 + 4 + 16 + 8 * fields + 8
}

/// A header: what the file is, its version, four bytes 0, the store's id, its fields, and a
/// checksum over all of that.
pub(super) fn seal<const N: usize>(magic: [u8; 8], id: StoreId, fields: [u64; N]) -> Vec<u8> {
    let mut header = Vec::with_capacity(sealed_size(N));
    header.extend_from_slice(&magic);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    for number in [id.0, id.1].into_iter().chain(fields) {
        header.extend_from_slice(&number.to_le_bytes());
    }
    let checksum = id.checksum(&[&header]);
    header.extend_from_slice(&checksum.to_le_bytes());
    header
}

/// Why some bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Damaged,
    /// Written by a program after this one; or the number is damaged.
    Version(u32),
}

/// The store and the fields of a header that bytes begin with.
pub(super) fn unseal<const N: usize>(
    magic: [u8; 8],
    bytes: &[u8],
) -> Result<(StoreId, [u64; N]), Flaw> {
    let mut cursor = Cursor(bytes);
    if cursor.array() != Some(magic) {
        return Err(Flaw::Damaged);
    }
    let version = cursor.u32().ok_or(Flaw::Damaged)?;
    if version != VERSION {
        return Err(Flaw::Version(version));
    }
    read(bytes, cursor).ok_or(Flaw::Damaged)
}

fn read<const N: usize>(bytes: &[u8], mut cursor: Cursor<'_>) -> Option<(StoreId, [u64; N])> {
    let _reserved = cursor.u32()?;
    let id = StoreId(cursor.u64()?, cursor.u64()?);
    let mut fields = [0; N];
    for field in &mut fields {
        *field = cursor.u64()?;
    }
    let checksum = cursor.u64()?;
    let sealed = bytes.get(..sealed_size(N) - 8)?;
    (checksum == id.checksum(&[sealed])).then_some((id, fields))
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use super::{Cursor, Flaw, StoreId, put_number, seal, unseal};

    const MAGIC: [u8; 8] = *b"sgtests\n";

    #[test]
    fn numbers_come_back_and_none_has_more_than_64_bits() {
        for number in [0, 1, 0x7f, 0x80, 300, u64::MAX / 2, u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            let mut cursor = Cursor(&bytes);
            assert_eq!(cursor.number(), Some(number));
            assert!(cursor.0.is_empty());
            assert_eq!(Cursor(&bytes[..bytes.len() - 1]).number(), None);
        }
        assert_eq!(Cursor(&[0xff; 10]).number(), None);
        assert_eq!(Cursor(&[0x80; 20]).number(), None);
    }

    #[test]
    fn a_header_comes_back_and_no_changed_byte_goes_unseen() {
        let id = StoreId::draw();
        let header = seal(MAGIC, id, [7, 9]);
        assert_eq!(unseal(MAGIC, &header), Ok((id, [7, 9])));
        for at in 0..header.len() {
            let mut changed = header.clone();
            changed[at] ^= 0x10;
            let flaw = unseal::<2>(MAGIC, &changed).unwrap_err();
            let version = (8..12).contains(&at);
            assert_eq!(matches!(flaw, Flaw::Version(_)), version, "{at}");
            assert_eq!(unseal::<2>(MAGIC, &header[..at]), Err(Flaw::Damaged));
        }
        assert_eq!(unseal::<2>(*b"sgothers", &header), Err(Flaw::Damaged));
    }
}
