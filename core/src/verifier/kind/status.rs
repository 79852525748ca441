//! Status list tokens (draft-ietf-oauth-status-list): the token itself; what its list says is read
//! elsewhere.

use crate::claims::{Claims, count};
use crate::encoding::base64url;
use crate::error::{Code, Error};

pub(super) fn check(claims: &Claims) -> Result<(), Error> {
    let fits = claims.other("status_list").is_some_and(|list| {
        let bits = list.get("bits").and_then(count);
        let lst = list.get("lst").and_then(|lst| lst.as_str());
        let bytes = lst.and_then(|lst| base64url::decode(lst.as_bytes()));
        matches!(bits, Some(1 | 2 | 4 | 8)) // TSL-07
            && bytes.is_some_and(|bytes| !bytes.is_empty())
    });
    if !fits {
        return Err(Error::about(Code::ClaimType, "status_list"));
    }
    if claims.other("ttl").and_then(count) == Some(0) {
        return Err(Error::about(Code::ClaimType, "ttl"));
    }
    Ok(())
}
