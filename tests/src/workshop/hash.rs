//! Hashes and MACs by the names of their sizes.

use aws_lc_rs::{digest, hmac};

/// A hash of the SHA family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// Only ever for what must be refused.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The hash an `alg` name ends in.
    ///
    /// # Panics
    ///
    /// When it ends in no hash.
    #[must_use]
    pub fn of(alg: &str) -> Self {
        let digits = alg.trim_end_matches('K');
        match digits.get(digits.len().saturating_sub(3)..) {
            Some("256") => Self::Sha256,
            Some("384") => Self::Sha384,
            Some("512") => Self::Sha512,
            _ => panic!("{alg} names no hash"),
        }
    }

    /// Octets of its output.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The hash of `message`.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message).as_ref().to_vec()
    }

    /// HMAC under `secret`, which may have any length.
    #[must_use]
    pub fn mac(self, secret: &[u8], message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        let key = hmac::Key::new(algorithm, secret);
        hmac::sign(&key, message).as_ref().to_vec()
    }

    /// The DER of `DigestInfo` up to the digest (RFC 8017 §9.2, note 1).
    #[must_use]
    pub fn digest_info(self) -> Vec<u8> {
        let (length, last): (u8, &[u8]) = match self {
            Self::Sha1 => {
                let text = "3021300906052b0e03021a05000414";
                return (0..text.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
                    .collect();
            }
            Self::Sha256 => (0x31, &[0x01, 0x05, 0x00, 0x04, 0x20]),
            Self::Sha384 => (0x41, &[0x02, 0x05, 0x00, 0x04, 0x30]),
            Self::Sha512 => (0x51, &[0x03, 0x05, 0x00, 0x04, 0x40]),
        };
        let mut info = vec![0x30, length, 0x30, 0x0d, 0x06, 0x09];
        info.extend([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02]);
        info.extend(last);
        info
    }
}
