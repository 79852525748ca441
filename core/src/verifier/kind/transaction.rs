//! Transaction tokens (draft-ietf-oauth-transaction-tokens).

use crate::claims::{Claim, Claims};
use crate::encoding::json::Value;
use crate::error::{Code, Error};

pub(super) fn check(claims: &Claims) -> Result<(), Error> {
    // Actor Profile draft: an actor is one of an issuer's, and the trust domain is none.
    if claims.present().contains(Claim::Act) && !claims.present().contains(Claim::Iss) {
        return Err(Error::about(Code::MissingClaim, "iss"));
    }
    // TXT-10: it never contains the access token.
    for context in ["tctx", "rctx"] {
        if claims.other(context).is_some_and(holds_token) {
            return Err(Error::about(Code::ForbiddenClaim, context));
        }
    }
    Ok(())
}

/// Whether any string in it, however deep, looks like a JWT.
fn holds_token(context: Value<'_>) -> bool {
    let mut waiting = vec![context];
    while let Some(value) = waiting.pop() {
        if value.as_str().is_some_and(looks_like_token) {
            return true;
        }
        waiting.extend(value.as_array().into_iter().flatten());
        let members = value.as_object().into_iter().flatten();
        waiting.extend(members.map(|(_, member)| member));
    }
    false
}

/// Three segments of base64url, the first of which begins as a JSON object does.
fn looks_like_token(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let segments = text.split('.');
    text.starts_with("eyJ")
        && segments.clone().count() == 3
        && segments.clone().all(|segment| segment.bytes().all(known))
}
