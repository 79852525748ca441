//! HMAC-SHA-256 (RFC 2104) over a provider's hash: for values that only this program makes and
//! reads, such as nonces. Tokens under HS256 are verified by the provider itself.

use subtle::ConstantTimeEq;

use super::CryptoProvider;

/// Octets of a block of SHA-256.
const BLOCK: usize = 64;

/// The MAC of `message`.
pub(crate) fn hmac_sha256(provider: &CryptoProvider, key: &[u8], message: &[u8]) -> [u8; 32] {
    let hashed;
    let key = if key.len() > BLOCK {
        hashed = (provider.sha256)(key);
        &hashed
    } else {
        key
    };
    let padded = |pad: u8| {
        let rest = std::iter::repeat_n(pad, BLOCK.saturating_sub(key.len()));
        key.iter().map(move |byte| byte ^ pad).chain(rest)
    };
    let inner: Vec<u8> = padded(0x36).chain(message.iter().copied()).collect();
    let inner = (provider.sha256)(&inner);
    let outer: Vec<u8> = padded(0x5c).chain(inner).collect();
    (provider.sha256)(&outer)
}

/// Whether two MACs are the same, in time that does not tell where they differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod tests {
    use super::{hmac_sha256, same};
    use crate::crypto::aws_lc;

    /// RFC 4231 §4.2, 4.3, 4.7: a short key, a shorter one, and one longer than a block.
    #[test]
    fn the_vectors_of_rfc_4231() {
        let hex = |mac: [u8; 32]| -> String { mac.iter().map(|b| format!("{b:02x}")).collect() };
        let mac = |key: &[u8], text: &[u8]| hex(hmac_sha256(&aws_lc::provider(), key, text));
        assert_eq!(
            mac(&[0x0b; 20], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            mac(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            mac(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn sameness_is_of_every_byte_and_of_length() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abx") && !same(b"abc", b"ab"));
    }
}
