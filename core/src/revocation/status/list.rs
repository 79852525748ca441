//! [`StatusList`]: what an issuer says of all its tokens, some bits for each
//! (draft-ietf-oauth-status-list §4; TSL-07 to TSL-10).

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use crate::encoding::base64url;
use crate::error::{Code, Error};
use crate::limits::STATUS_LIST_SIZE;

/// A status list, unpacked.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    width: Width,
    bytes: Box<[u8]>,
}

/// Bits of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    One,
    Two,
    Four,
    Eight,
}

/// Why a status list cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusListError {
    /// `bits` is none of 1, 2, 4 and 8.
    Bits,
    /// `lst` is not base64url.
    Encoding,
    /// What it encodes is not one zlib stream (RFC 1950), whole and with nothing behind it.
    Compression,
    /// It unpacks to more than 16 MiB.
    TooLarge,
}

impl StatusList {
    /// Unpacks `lst`, whose entries have `bits` bits each.
    ///
    /// # Errors
    ///
    /// When it is no status list, or one that is too large.
    pub fn decode(bits: u64, lst: &str) -> Result<Self, StatusListError> {
        let width = Width::of(bits).ok_or(StatusListError::Bits)?;
        let packed = base64url::decode(lst.as_bytes()).ok_or(StatusListError::Encoding)?;
        Ok(Self {
            width,
            bytes: inflate(&packed, STATUS_LIST_SIZE)?.into(),
        })
    }

    /// The status of the entry with this index; `None` where there is none.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<u8> {
        let bit = index.checked_mul(u64::from(self.width.bits()))?;
        let byte = self.bytes.get(usize::try_from(bit / 8).ok()?)?;
        // The least significant bits come first (TSL-09).
        Some((byte >> (bit % 8)) & self.width.mask())
    }

    /// How many entries there are.
    #[must_use]
    pub fn entries(&self) -> u64 {
        let bits = u64::try_from(self.bytes.len())
            .unwrap_or(0)
            .saturating_mul(8);
        bits / u64::from(self.width.bits())
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_size(&self) -> usize {
        self.bytes.len()
    }
}

impl Width {
    const fn of(bits: u64) -> Option<Self> {
        match bits {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    const fn mask(self) -> u8 {
        match self {
            Self::One => 0b1,
            Self::Two => 0b11,
            Self::Four => 0b1111,
            Self::Eight => 0b1111_1111,
        }
    }
}

/// TSL-08: one zlib stream with its checksum, nothing behind it, and at most `most` bytes inside,
/// whatever it claims: a thousand times less is enough to write them.
fn inflate(packed: &[u8], most: usize) -> Result<Vec<u8>, StatusListError> {
    const STEP: usize = 64 * 1024;
    let mut inflater = Decompress::new(true);
    let mut bytes = Vec::new();
    loop {
        if bytes.len() == bytes.capacity() {
            if bytes.len() > most {
                return Err(StatusListError::TooLarge);
            }
            bytes.reserve(STEP.max(bytes.len()));
        }
        let read = position(inflater.total_in());
        let rest = packed.get(read..).unwrap_or_default();
        let before = bytes.len();
        let status = inflater.decompress_vec(rest, &mut bytes, FlushDecompress::None);
        let read_on = position(inflater.total_in()) > read;
        match status {
            Ok(Status::StreamEnd) => break,
            Ok(Status::Ok | Status::BufError) if read_on || bytes.len() > before => {}
            // No room is left: then there is more to come. Else it was cut.
            Ok(Status::Ok | Status::BufError) if bytes.len() == bytes.capacity() => {}
            Ok(Status::Ok | Status::BufError) | Err(_) => {
                return Err(StatusListError::Compression);
            }
        }
    }
    if bytes.len() > most {
        return Err(StatusListError::TooLarge);
    }
    if position(inflater.total_in()) != packed.len() {
        return Err(StatusListError::Compression);
    }
    Ok(bytes)
}

/// Lossless: it counts bytes that are in memory.
fn position(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl fmt::Display for StatusListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bits => "bits is none of 1, 2, 4 and 8",
            Self::Encoding => "lst is not base64url",
            Self::Compression => "lst is not one zlib stream (RFC 1950)",
            Self::TooLarge => "the list unpacks to more than 16 MiB",
        })
    }
}

impl std::error::Error for StatusListError {}

/// As of a token whose list it is.
impl From<StatusListError> for Error {
    fn from(error: StatusListError) -> Self {
        let code = match error {
            StatusListError::TooLarge => Code::Oversized,
            StatusListError::Bits | StatusListError::Encoding | StatusListError::Compression => {
                Code::ClaimType
            }
        };
        Self::about(code, "status_list")
    }
}

/// The size alone: whose tokens are revoked is nobody's business.
impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusList")
            .field("bits", &self.width.bits())
            .field("entries", &self.entries())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::{StatusList, StatusListError, inflate};
    use crate::encoding::base64url;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// The examples of the draft (§4.1, §4.2).
    #[test]
    fn tsl_09_the_least_significant_bits_come_first() {
        let list = StatusList::decode(1, "eNrbuRgAAhcBXQ").unwrap();
        let all: Vec<u8> = (0..16).map(|index| list.get(index).unwrap()).collect();
        assert_eq!(all, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
        assert_eq!(
            (list.entries(), list.get(16), list.get(u64::MAX)),
            (16, None, None)
        );
        let list = StatusList::decode(2, "eNo76fITAAPfAgc").unwrap();
        let all: Vec<u8> = (0..12).map(|index| list.get(index).unwrap()).collect();
        assert_eq!(all, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
    }

    #[test]
    fn tsl_07_and_08_what_is_no_list_is_refused() {
        let decode = |packed: &[u8]| StatusList::decode(1, &base64url::encode(packed)).err();
        let good = zlib(&[0xb9, 0xa3]);
        assert_eq!(decode(&good), None);
        for bits in [0, 3, 5, 16, u64::MAX] {
            let refused = StatusList::decode(bits, "eNrbuRgAAhcBXQ").err();
            assert_eq!(refused, Some(StatusListError::Bits));
        }
        for lst in ["eNrbuRgAAhcBXQ==", "eNrbuRgAAhcBX Q", "+/"] {
            assert_eq!(
                StatusList::decode(1, lst).err(),
                Some(StatusListError::Encoding)
            );
        }
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(&[0xb9, 0xa3]).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&[0xb9, 0xa3]).unwrap();
        let mut other_sum = good.clone();
        *other_sum.last_mut().unwrap() ^= 1;
        let broken = Some(StatusListError::Compression);
        for packed in [
            raw.finish().unwrap(),
            gzip.finish().unwrap(),
            other_sum,
            [&good[..], &[0]].concat(),
            [&good[..], &good[..]].concat(),
            Vec::new(),
        ] {
            assert_eq!(decode(&packed), broken);
        }
        for cut in 0..good.len() {
            assert_eq!(decode(&good[..cut]), broken, "{cut}");
        }
    }

    #[test]
    fn a_list_that_unpacks_beyond_the_cap_is_refused_before_it_does() {
        for size in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let packed = zlib(&vec![7; size]);
            assert_eq!(inflate(&packed, size).map(|bytes| bytes.len()), Ok(size));
            if let Some(most) = size.checked_sub(1) {
                assert_eq!(
                    inflate(&packed, most),
                    Err(StatusListError::TooLarge),
                    "{size}"
                );
            }
        }
        let bomb = zlib(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < 70_000);
        let refused = StatusList::decode(1, &base64url::encode(&bomb)).err();
        assert_eq!(refused, Some(StatusListError::TooLarge));
    }
}
