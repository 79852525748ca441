//! What an issuer's keys may say they are for (RFC 7517 §4.2, JSV-05).

use super::Profile;

/// What an issuer's keys are for: SPIFFE bundles mark theirs in their own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    Signatures,
    Svids,
    Both,
}

impl KeyUse {
    pub(super) fn of(profiles: &[Profile]) -> Self {
        let is_svid = |profile: &Profile| *profile == Profile::JwtSvid;
        match (profiles.iter().any(is_svid), profiles.iter().all(is_svid)) {
            (false, _) => Self::Signatures,
            (true, true) => Self::Svids,
            (true, false) => Self::Both,
        }
    }

    /// Whether a key with this `use` is among them; one without is.
    pub(crate) fn includes(self, usage: Option<&str>) -> bool {
        match (self, usage) {
            (_, None) | (Self::Both, _) => true,
            (Self::Signatures, Some(usage)) => usage == "sig",
            (Self::Svids, Some(usage)) => usage == "jwt-svid",
        }
    }
}
