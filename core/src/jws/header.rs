//! The protected header (RFC 7515 §4), parsed once and strictly.

use crate::encoding::base64url;
use crate::encoding::json::{Json, JsonKind, JsonLimits, Value};
use crate::error::{Code, Error, HEADER};
use crate::jwa::{Algorithm, LEGACY_EDDSA};
use crate::limits;

/// A JWS protected header that is well formed; nothing about it is trusted yet.
#[derive(Debug)]
pub(crate) struct ProtectedHeader {
    json: Json,
    /// What `alg` names; `None` for a name that is no signature algorithm, `none` among them.
    pub(crate) algorithm: Option<HeaderAlgorithm>,
    kid: Option<u32>,
    typ: Option<u32>,
    /// Whether any parameter other than `alg`, `kid` and `typ` is present.
    pub(crate) has_extras: bool,
}

/// An algorithm as a header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderAlgorithm {
    /// By its own name.
    Exact(Algorithm),
    /// By the deprecated `EdDSA` (RFC 9864, OKP-03).
    LegacyEddsa,
}

impl HeaderAlgorithm {
    fn from_name(name: &str) -> Option<Self> {
        if name == LEGACY_EDDSA {
            return Some(Self::LegacyEddsa);
        }
        Algorithm::from_name(name).map(Self::Exact)
    }

    /// The algorithm a key must be bound to.
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Exact(algorithm) => algorithm,
            Self::LegacyEddsa => Algorithm::Ed25519,
        }
    }
}

/// Members that only a private or symmetric JWK has (ALG-09).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

impl ProtectedHeader {
    /// Decodes and parses a header segment (JWS-05, JWS-07 to 12).
    pub(crate) fn parse(segment: &[u8], limits: JsonLimits) -> Result<Self, Error> {
        let bytes = base64url::decode(segment).ok_or_else(|| Error::new(Code::MalformedToken))?;
        let json = Json::parse(bytes, limits).map_err(|error| Error::from(error).within(HEADER))?;
        let mut header = Self {
            algorithm: None,
            kid: None,
            typ: None,
            has_extras: false,
            json,
        };
        let members = header.json.root().as_object();
        let members = members.ok_or_else(|| Error::about(Code::MalformedToken, HEADER))?;
        let mut critical = None;
        let (mut algorithm, mut kid, mut typ, mut has_extras) = (None, None, None, false);
        for (name, value) in members {
            match name {
                "alg" => algorithm = HeaderAlgorithm::from_name(text("alg", value)?),
                "kid" => {
                    if text("kid", value)?.len() > limits::KID_SIZE {
                        return Err(Error::about(Code::Oversized, "kid")); // KEY-04
                    }
                    kid = Some(value.node());
                }
                "typ" => {
                    text("typ", value)?;
                    typ = Some(value.node());
                }
                other => {
                    has_extras = true;
                    check_extra(other, value)?;
                    if other == "crit" {
                        critical = Some(value);
                    }
                }
            }
        }
        if critical.is_some() {
            // No profile implements an extension, so whatever is listed is one too many (JWS-11).
            return Err(Error::about(Code::UnsupportedCrit, "crit"));
        }
        (header.algorithm, header.kid, header.typ) = (algorithm, kid, typ);
        header.has_extras = has_extras;
        Ok(header)
    }

    /// The header as decoded.
    pub(crate) fn json(&self) -> &Json {
        &self.json
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_size(&self) -> usize {
        self.json.heap_size()
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.string(self.kid)
    }

    pub(crate) fn typ(&self) -> Option<&str> {
        self.string(self.typ)
    }

    fn string(&self, node: Option<u32>) -> Option<&str> {
        self.json.value(node?)?.as_str()
    }
}

fn text<'a>(name: &'static str, value: Value<'a>) -> Result<&'a str, Error> {
    value
        .as_str()
        .ok_or_else(|| Error::about(Code::MalformedToken, name)) // JWS-10
}

/// Parameters that select no key and grant nothing here, but must not be wrong (JWS-10, JWS-12).
fn check_extra(name: &str, value: Value<'_>) -> Result<(), Error> {
    match name {
        "cty" => text("cty", value).map(drop),
        "crit" => {
            let members = value.as_array();
            let mut members = members.ok_or_else(|| Error::about(Code::MalformedToken, "crit"))?;
            if members.any(|member| member.kind() != JsonKind::String) {
                return Err(Error::about(Code::MalformedToken, "crit"));
            }
            Ok(())
        }
        "zip" => Err(Error::about(Code::MalformedToken, "zip")), // a member of JWE alone
        // RFC 7797 §7: not for JWTs; and without `crit` a verifier that ignores it would hash
        // something else than the signer did.
        "b64" if value.as_bool() != Some(true) => Err(Error::about(Code::UnsupportedCrit, "b64")),
        "jwk" => {
            let mut members = value
                .as_object()
                .ok_or_else(|| Error::about(Code::MalformedToken, "jwk"))?;
            if members.any(|(member, _)| PRIVATE_MEMBERS.contains(&member)) {
                return Err(Error::about(Code::MalformedToken, "jwk")); // ALG-09
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Compares a `typ` with a media type written in lower case and without `application/` (JWT-05).
pub(crate) fn typ_is(typ: &str, expected: &str) -> bool {
    const PREFIX: &str = "application/";
    if typ.eq_ignore_ascii_case(expected) {
        return true;
    }
    let (head, tail) = typ.split_at_checked(PREFIX.len()).unwrap_or(("", ""));
    head.eq_ignore_ascii_case(PREFIX) && !tail.contains('/') && tail.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use super::{ProtectedHeader, typ_is};
    use crate::encoding::{base64url, json::JsonLimits};
    use crate::error::Code;

    fn parse(text: &str) -> Result<ProtectedHeader, Code> {
        let segment = base64url::encode(text.as_bytes());
        let limits = JsonLimits {
            depth: 8,
            string_size: 2048,
            members: 64,
        };
        ProtectedHeader::parse(segment.as_bytes(), limits).map_err(|error| error.code())
    }

    #[test]
    fn typ_ignores_case_and_the_application_prefix_only() {
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/AT+jwt",
        ] {
            assert!(typ_is(typ, "at+jwt"), "{typ}");
        }
        for typ in [
            "jwt+at",
            "at+jwt;x=1",
            "at",
            "at+jwt ",
            "text/at+jwt",
            "",
            "application/",
            "application/application/at+jwt",
        ] {
            assert!(!typ_is(typ, "at+jwt"), "{typ}");
        }
    }

    #[test]
    fn parameters_of_the_wrong_type_are_malformed() {
        assert!(parse(r#"{"alg":"ES256","kid":"1","typ":"JWT","cty":"x"}"#).is_ok());
        for text in [
            r#"{"alg":1}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["ES256"]}"#,
            r#"{"alg":"ES256","kid":1}"#,
            r#"{"alg":"ES256","typ":null}"#,
            r#"{"alg":"ES256","cty":{}}"#,
            r#"{"alg":"ES256","jwk":[]}"#,
            r#"{"alg":"ES256","crit":"exp"}"#,
            r#"{"alg":"ES256","crit":[1]}"#,
            r#"{"alg":"ES256","zip":"DEF"}"#,
            r#"{"alg":"ES256","jwk":{"kty":"EC","d":"AA"}}"#,
            r"[]",
            r#""x""#,
            r"1",
        ] {
            assert_eq!(parse(text).err(), Some(Code::MalformedToken), "{text}");
        }
    }

    #[test]
    fn every_critical_extension_is_one_too_many() {
        for text in [
            r#"{"alg":"ES256","crit":[]}"#,
            r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"ES256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"ES256","b64":false}"#,
            r#"{"alg":"ES256","crit":["alg"]}"#,
        ] {
            assert_eq!(parse(text).err(), Some(Code::UnsupportedCrit), "{text}");
        }
        assert!(parse(r#"{"alg":"ES256","exp":1,"b64":true}"#).is_ok());
    }

    #[test]
    fn an_unknown_algorithm_is_none_of_ours() {
        for name in ["none", "None", "", "es256", "HS256 ", "ESP256"] {
            let header = parse(&format!(r#"{{"alg":"{name}"}}"#)).unwrap();
            assert_eq!(header.algorithm, None, "{name:?}");
        }
        assert_eq!(parse("{}").unwrap().algorithm, None);
    }
}
