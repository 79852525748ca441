//! In which fields of a request the tokens of a kind come, and the proofs of them.

use super::profile::Kind;

/// How clients send the tokens of a kind with their requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// In `Authorization`, where a proof can come with it.
    Authorization,
    /// In a field of its own; and where the kind has one, the proof of it in another.
    Field {
        token: HeaderField,
        proof: Option<HeaderField>,
    },
    /// In the content of the request, together with its proof: too large for fields.
    Content,
    /// In a parameter of the content, as grants come to an authorization server; a proof of the key
    /// that it is bound to comes in `DPoP` (RFC 9449 §5).
    Form,
    /// In some other way: another token, a fetch, a delivery.
    None,
}

/// A field of a request that carries a token or a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderField {
    Authorization,
    Dpop,
    /// draft-ietf-wimse-workload-creds.
    WorkloadIdentityToken,
    /// draft-ietf-wimse-wpt.
    WorkloadProofToken,
    /// draft-ietf-oauth-attestation-based-client-auth.
    ClientAttestation,
    ClientAttestationPop,
    /// draft-ietf-oauth-transaction-tokens.
    TxnToken,
}

impl HeaderField {
    pub(crate) const ALL: [Self; 7] = [
        Self::Authorization,
        Self::Dpop,
        Self::WorkloadIdentityToken,
        Self::WorkloadProofToken,
        Self::ClientAttestation,
        Self::ClientAttestationPop,
        Self::TxnToken,
    ];

    /// Their names in lower case, in the same order.
    pub(crate) const NAMES: [&str; Self::ALL.len()] = [
        Self::Authorization.name(),
        Self::Dpop.name(),
        Self::WorkloadIdentityToken.name(),
        Self::WorkloadProofToken.name(),
        Self::ClientAttestation.name(),
        Self::ClientAttestationPop.name(),
        Self::TxnToken.name(),
    ];

    /// The field's name in lower case.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Dpop => "dpop",
            Self::WorkloadIdentityToken => "workload-identity-token",
            Self::WorkloadProofToken => "workload-proof-token",
            Self::ClientAttestation => "oauth-client-attestation",
            Self::ClientAttestationPop => "oauth-client-attestation-pop",
            Self::TxnToken => "txn-token",
        }
    }
}

impl Kind {
    /// How clients send it.
    pub(crate) const fn carrier(self) -> Carrier {
        match self {
            Self::AccessToken | Self::IdToken | Self::JwtSvid | Self::JwtCustom => {
                Carrier::Authorization
            }
            Self::Wit => Carrier::Field {
                token: HeaderField::WorkloadIdentityToken,
                proof: Some(HeaderField::WorkloadProofToken),
            },
            Self::ClientAttestation => Carrier::Field {
                token: HeaderField::ClientAttestation,
                proof: Some(HeaderField::ClientAttestationPop),
            },
            Self::TxnToken => Carrier::Field {
                token: HeaderField::TxnToken,
                proof: None,
            },
            Self::Capability => Carrier::Content,
            Self::JwtBearerGrant | Self::IdJag => Carrier::Form,
            Self::LogoutToken
            | Self::ClientAssertion
            | Self::ActorProof
            | Self::IntentToken
            | Self::Set
            | Self::StatusListToken
            | Self::IntrospectionResponse
            | Self::AgentCard => Carrier::None,
        }
    }
}
