//! The form of `authorization_details` (RFC 9396 §2): an array of objects that each have a `type`
//! (RAR-01), and whose common fields are what §2.2 says (RAR-03).

use crate::encoding::json::Value;
use crate::error::Code;

/// What is wrong with them, if something is.
pub(super) fn fault(details: Value<'_>) -> Option<Code> {
    let has_type = |detail: Value<'_>| {
        let name = detail.get("type").and_then(Value::as_str);
        name.is_some_and(|name| !name.is_empty())
    };
    match details.as_array() {
        Some(mut entries) if entries.clone().all(has_type) => {
            (!entries.all(has_common_fields)).then_some(Code::ClaimType)
        }
        Some(_) | None => Some(Code::MalformedToken),
    }
}

fn has_common_fields(detail: Value<'_>) -> bool {
    let mut members = detail.as_object().into_iter().flatten();
    members.all(|(name, value)| match name {
        "locations" | "actions" | "datatypes" | "privileges" => value
            .as_array()
            .is_some_and(|mut members| members.all(|member| member.as_str().is_some())),
        "identifier" => value.as_str().is_some(),
        _ => true,
    })
}
