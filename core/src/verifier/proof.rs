//! A refused proof beside its request, for `explain`. Nothing of it is trusted.

use super::halves::shown;
use crate::binding::{Proofs, Shown};
use crate::encoding::base64url;
use crate::encoding::json::Json;
use crate::jws::Compact;
use crate::limits::Limits;
use crate::time::{NumericDate, Span};

/// What the proof says of `about`, and what it should; `None` where there is nothing to compare.
pub(super) fn line(
    request: &Shown<'_>,
    about: &str,
    now: NumericDate,
    (typ, max_age): (&str, Span),
    leeway: Span,
) -> Option<String> {
    let proof = match request.proofs {
        Proofs::One(proof) => proof,
        Proofs::None => return Some("no field with a proof".to_owned()),
        Proofs::Several => return Some("several fields with proofs; one is expected".to_owned()),
    };
    let compact = Compact::split(proof, Limits::CEILING.token_size).ok()?;
    let json = |segment| {
        let bytes = base64url::decode(segment)?;
        Json::parse(bytes, Limits::KEYS.into()).ok()
    };
    let (header, claims) = (json(compact.header)?, json(compact.payload)?);
    let claim = |name: &str| claims.root().get(name);
    let expected = |value: &str| {
        Some(format!(
            "{about} is {}, expected {value}",
            shown(claim(about))
        ))
    };
    match about {
        "htm" => expected(&format!("{:?}", String::from_utf8_lossy(request.method))),
        "htu" | "aud" => match request.target {
            Some(target) => expected(&format!("{target:?}")),
            None => Some("the request's URL does not lie under the gate's public_url".to_owned()),
        },
        "typ" => Some(format!(
            "typ is {}, expected {typ:?}",
            shown(header.root().get("typ"))
        )),
        "alg" => Some(format!("alg is {}", shown(header.root().get("alg")))),
        "iat" => {
            let text = claim("iat").and_then(|value| value.as_number());
            let issued = NumericDate::from_json_number(text?)?;
            Some(format!(
                "made {}, at most {} ago, leeway {}",
                now.relative(issued),
                max_age.in_words(),
                leeway.in_words()
            ))
        }
        "ath" | "wth" => Some(format!(
            "{about} is {}, not of this token",
            shown(claim(about))
        )),
        "tth" => Some(format!(
            "tth is {}, not of the request's transaction token",
            shown(claim("tth"))
        )),
        "oth" => Some(format!(
            "oth is {}, of tokens unknown here",
            shown(claim("oth"))
        )),
        "aat_id" | "aat_hash" => Some(format!(
            "{about} is {}, not of this capability",
            shown(claim(about))
        )),
        "aat_tool" => {
            let tool = request.called.map(|called| called.tool);
            expected(&format!("{:?}", tool.unwrap_or_default()))
        }
        "hta" => {
            let arguments = request.called.and_then(|called| called.arguments);
            expected(arguments.map_or("{}", |arguments| arguments.raw()))
        }
        "aat_aud" => Some(format!(
            "aat_aud is {}, another server",
            shown(claim("aat_aud"))
        )),
        "exp" => Some(format!("exp is {}", shown(claim("exp")))),
        "jti" => Some(format!("jti is {}", shown(claim("jti")))),
        _ => None,
    }
}
