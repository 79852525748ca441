//! What an issuer's keys may say they are for (RFC 7517 §4.2, JSV-05).

use super::Profile;

/// The values of `use` that an issuer's keys may have. SPIFFE bundles mark theirs in their own way,
/// and a key for one kind of SVID verifies no other token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUse {
    signatures: bool,
    jwt_svids: bool,
    wit_svids: bool,
}

impl KeyUse {
    pub(super) fn of(profiles: &[Profile]) -> Self {
        let any = |usage: &str| {
            let mut profiles = profiles.iter();
            profiles.any(|profile| profile.takes_key_for(Some(usage)))
        };
        Self {
            signatures: any("sig"),
            jwt_svids: any("jwt-svid"),
            wit_svids: any("wit-svid"),
        }
    }

    /// Whether a key with this `use` is among them; one without is.
    pub(crate) fn includes(self, usage: Option<&str>) -> bool {
        match usage {
            None => true,
            Some("sig") => self.signatures,
            Some("jwt-svid") => self.jwt_svids,
            Some("wit-svid") => self.wit_svids,
            Some(_) => false,
        }
    }
}

impl Profile {
    /// Whether a key with this `use` may verify tokens of this row; one without may.
    pub(crate) fn takes_key_for(self, usage: Option<&str>) -> bool {
        usage.is_none_or(|usage| self.row().key_uses.contains(&usage))
    }
}
