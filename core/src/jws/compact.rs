//! Splits a compact JWS (RFC 7515 §7.1) and decodes its segments, bounded and canonical.

use crate::encoding::base64url;
use crate::error::{Code, Error};
use crate::limits;

/// The three segments of a compact JWS, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) signature: &'a [u8],
    /// `header.payload`, the bytes that were signed (RFC 7515 §5.1).
    pub(crate) signing_input: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Finds the three segments (JWS-01 to 04; JWE-01). The alphabet is checked where they are
    /// decoded.
    pub(crate) fn split(token: &'a [u8], token_size: usize) -> Result<Self, Error> {
        if token.len() > token_size {
            return Err(Error::new(Code::Oversized));
        }
        // Before the dots are looked for: those of a JSON text may be anywhere.
        if token.first() == Some(&b'{') {
            return Err(Error::new(Code::UnsupportedSerialization)); // JWS-03
        }
        let segments = memchr::memchr(b'.', token).zip(memchr::memrchr(b'.', token));
        let Some((first, last)) = segments.filter(|(first, last)| first < last) else {
            return Err(Error::new(Code::MalformedToken));
        };
        let (Some(header), Some(payload), Some(signature), Some(signing_input)) = (
            token.get(..first),
            token.get(first + 1..last),
            token.get(last + 1..),
            token.get(..last),
        ) else {
            return Err(Error::new(Code::MalformedToken));
        };
        if header.len() > limits::HEADER_SIZE {
            return Err(Error::new(Code::Oversized));
        }
        // An empty payload is a payload (RFC 7515 §5.1); that it holds no claims is for JSON to
        // say.
        if header.is_empty() {
            return Err(Error::new(Code::MalformedToken));
        }
        Ok(Self {
            header,
            payload,
            signature,
            signing_input,
        })
    }

    /// The payload's bytes (JWS-02, JWS-05).
    pub(crate) fn decode_payload(&self) -> Result<Vec<u8>, Error> {
        base64url::decode(self.payload).ok_or_else(|| undecodable(self.payload))
    }

    /// The signature's bytes (JWS-02, JWS-05). An empty one fits no key (JWS-06): that is for the
    /// key to say, since `alg: none` deserves the earlier answer.
    pub(crate) fn decode_signature<'b>(
        &self,
        buffer: &'b mut SignatureBuffer,
    ) -> Result<&'b [u8], Error> {
        let signature = buffer.decode(self.signature);
        signature.ok_or_else(|| Error::new(Code::MalformedToken))
    }
}

impl std::fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compact({} bytes signed)", self.signing_input.len())
    }
}

/// What a middle segment that does not decode is: two more dots make the token a JWE.
#[cold]
fn undecodable(middle: &[u8]) -> Error {
    let dots = memchr::memchr_iter(b'.', middle).count();
    let others = middle
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if dots == 2 && others {
        return Error::new(Code::EncryptedNotSupported);
    }
    Error::new(Code::MalformedToken)
}

/// Bytes of the signatures that most tokens carry: ES512's are the longest elliptic ones.
const INLINE: usize = 132;

/// Room for a decoded signature; those of RSA and ML-DSA, whose verification dwarfs an allocation,
/// live on the heap.
///
/// It stays with whoever verifies, so that what goes from check to check is a reference: moving the
/// bytes along took 200 instructions a token.
pub(crate) struct SignatureBuffer {
    inline: [u8; INLINE],
    heap: Vec<u8>,
}

impl SignatureBuffer {
    pub(crate) const fn new() -> Self {
        Self {
            inline: [0; INLINE],
            heap: Vec::new(),
        }
    }

    fn decode(&mut self, text: &[u8]) -> Option<&[u8]> {
        if base64url::decoded_len(text.len())? > INLINE {
            self.heap = base64url::decode(text)?;
            return Some(&self.heap);
        }
        base64url::decode_slice(text, &mut self.inline)
    }
}

#[cfg(test)]
mod tests {
    use super::{Compact, SignatureBuffer};
    use crate::error::Code;

    fn code_of(token: &[u8]) -> Option<Code> {
        let outcome = Compact::split(token, 64).and_then(|compact| {
            compact.decode_payload()?;
            compact.decode_signature(&mut SignatureBuffer::new())?;
            Ok(())
        });
        outcome.err().map(|error| error.code())
    }

    #[test]
    fn three_segments_pass() {
        assert_eq!(code_of(b"e30.e30.AA"), None);
        assert_eq!(code_of(b"e30.e30."), None);
    }

    #[test]
    fn anything_else_does_not() {
        for token in [
            "",
            ".",
            "..",
            "...",
            "e30",
            "e30.e30",
            "a..b",
            ".e30.AA",
            "e30.e30.AA.",
            "e30.e30.A=A",
            "e30.e30.A~A",
        ] {
            let code = code_of(token.as_bytes());
            assert_eq!(code, Some(Code::MalformedToken), "{token:?}");
        }
        assert_eq!(
            code_of(b"e30.AA.e30.e30.AA"),
            Some(Code::EncryptedNotSupported)
        );
        for json in ["{\"payload\":\"e30\"}", "{\"a.b\":\"c.d\"}", "{..}", "{"] {
            let code = code_of(json.as_bytes());
            assert_eq!(code, Some(Code::UnsupportedSerialization), "{json}");
        }
        assert_eq!(code_of(&[b'.'; 65]), Some(Code::Oversized));
    }
}
