//! The one table of reject codes: name, group, reason.
//!
//! A code is API: it keeps its spelling, its group and its wire status. The reason is for people
//! and may change. What to *do* about a refusal depends on the configuration; see
//! [`crate::Gate::advice`].

use super::Blame;

macro_rules! codes {
    ($($group:ident { $($variant:ident $name:literal $reason:literal)+ })+) => {
        /// Why a token was not accepted. Stable: the spelling is part of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Code {
            $($(#[doc = concat!("`", $name, "`: ", $reason, ".")] $variant,)+)+
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)+)+];

            /// The stable spelling, the same in every language: `"aud_mismatch"`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $name,)+)+ }
            }

            /// One sentence for people; constant for each code, without any value of the token.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self { $($(Self::$variant => $reason,)+)+ }
            }

            /// The row group of the table, which fixes the wire answer.
            #[must_use]
            pub const fn group(self) -> Group {
                match self { $($(Self::$variant => Group::$group,)+)+ }
            }
        }
    };
}

/// Codes that are answered alike (standards 0.1, as amended by user-experience D4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// The request carries no credential.
    NoCredential,
    /// The request presents its credential wrongly.
    Request,
    /// The bytes are not a token.
    Parse,
    /// Algorithm, key or signature.
    Crypto,
    /// The token is of another kind, or lacks what its kind must have.
    Kind,
    /// Issuer, audience and time.
    Validity,
    /// Proof of possession.
    Possession,
    /// The delegation chain.
    Chain,
    /// Who may act.
    ActorPolicy,
    /// Revocation and status.
    Revocation,
    /// Scope and details.
    Authority,
    /// Strength of the user's sign-in (RFC 9470).
    Authentication,
    /// Keys, feed or store missing or stale: undecided, never the token's fault.
    Unavailable,
    /// The caller's mistake.
    Misuse,
    /// Ours.
    Internal,
}

impl Group {
    /// The stable spelling, the same in every language: `"actor_policy"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::Request => "request",
            Self::Parse => "parse",
            Self::Crypto => "crypto",
            Self::Kind => "kind",
            Self::Validity => "validity",
            Self::Possession => "possession",
            Self::Chain => "chain",
            Self::ActorPolicy => "actor_policy",
            Self::Revocation => "revocation",
            Self::Authority => "authority",
            Self::Authentication => "authentication",
            Self::Unavailable => "unavailable",
            Self::Misuse => "misuse",
            Self::Internal => "internal",
        }
    }
}

codes! {
    NoCredential {
        NoToken "no_token" "the request carries no token"
    }
    Request {
        MultipleCredentials "multiple_credentials" "the request carries more than one token"
        TokenInQuery "token_in_query" "the token is in the query of the URL"
        MalformedRequest "malformed_request" "the request presents its token in a form that no standard has"
    }
    Parse {
        MalformedToken "malformed_token" "this is not a compact JWT"
        Oversized "oversized" "the token, or something in it, is larger than the limit"
        NestingTooDeep "nesting_too_deep" "the JSON is nested deeper than the limit"
        DuplicateMember "duplicate_member" "a JSON object has the same member twice"
        UnsupportedSerialization "unsupported_serialization" "this is a JWS in JSON serialization, not a compact one"
        UnsupportedCrit "unsupported_crit" "the header marks as critical what this profile does not know"
        EncryptedNotSupported "encrypted_not_supported" "this is an encrypted token (JWE)"
    }
    Crypto {
        AlgNotAllowed "alg_not_allowed" "this algorithm is not allowed for the issuer"
        AlgKeyMismatch "alg_key_mismatch" "the key is bound to another algorithm"
        KeyNotFound "key_not_found" "the issuer has no key with this id"
        KeyUseMismatch "key_use_mismatch" "the key is not meant for verifying signatures"
        WeakKey "weak_key" "the key is too weak, too large or not a valid key"
        BadSignature "bad_signature" "the signature does not fit the key"
    }
    Kind {
        TypMismatch "typ_mismatch" "this kind of token does not open this gate"
        WrongTokenKind "wrong_token_kind" "the claims are those of another kind of token"
        MissingClaim "missing_claim" "a claim this kind of token must have is missing"
        ClaimType "claim_type" "a claim has a type or value its definition does not allow"
        ForbiddenClaim "forbidden_claim" "a claim this kind of token must not have is present"
    }
    Validity {
        IssUntrusted "iss_untrusted" "this gate takes nothing from this issuer"
        AudMismatch "aud_mismatch" "the token is for another audience"
        Expired "expired" "the token has expired"
        NotYetValid "not_yet_valid" "the token is not valid yet"
        IssuedInFuture "issued_in_future" "the token claims to have been issued in the future"
        TooOld "too_old" "the token was issued too long ago"
        LifetimeTooLong "lifetime_too_long" "the token lives longer than the issuer's limit"
        Replayed "replayed" "this proof, or this token that is good once, was used before"
    }
    Possession {
        PopRequired "pop_required" "this token is bound to a key, and no proof came with it"
        PopMismatch "pop_mismatch" "the key, the client, the sign-in or the scheme is not that of this token"
        PopInvalid "pop_invalid" "the proof of possession does not hold for this request"
        NonceRequired "nonce_required" "the proof lacks a nonce of this server, or has an old one"
    }
    Chain {
        ActorMissing "actor_missing" "nobody acts for the subject, and this gate takes agents only"
        ActorMalformed "actor_malformed" "an actor in the chain is not well formed"
        ChainTooDeep "chain_too_deep" "the chain has more actors than the limit"
        ChainLoop "chain_loop" "an actor stands in the chain twice, or acts for itself"
        ChainIncomplete "chain_incomplete" "the chain does not name all of its actors"
        ChainLinkBroken "chain_link_broken" "a token does not follow from the one before it, or that one is missing"
        SubjectChanged "subject_changed" "the tokens of the chain are about different subjects"
        AttenuationScope "attenuation_scope" "a token has a scope that the one before it had not"
        AttenuationDetails "attenuation_details" "a token has authorization details beyond those of the one before it"
        AttenuationTime "attenuation_time" "a token began before, or outlives, the one before it"
        AttenuationAudience "attenuation_audience" "a token was used by somebody it was not meant for"
        IntentMismatch "intent_mismatch" "the tokens are for different intents, or name none where one is needed"
        TxnMismatch "txn_mismatch" "the tokens belong to different transactions"
        MayActMismatch "may_act_mismatch" "the actor is another than the one who may act"
    }
    ActorPolicy {
        ActorNotAllowed "actor_not_allowed" "no rule lets this agent act at this gate"
        ActorPresenterMismatch "actor_presenter_mismatch" "the caller is another workload than the agent the token names"
    }
    Revocation {
        Revoked "revoked" "the token, or someone in its chain, was revoked"
        Suspended "suspended" "the token is suspended"
        Inactive "inactive" "the authorization server says that the token is not active"
    }
    Authority {
        InsufficientScope "insufficient_scope" "the token lacks a scope this call needs"
        OperationDenied "operation_denied" "nothing that was granted permits this operation"
        PostureMismatch "posture_mismatch" "the agent, or a workload on the way from it, is not trusted enough for this gate"
        TokenPassthrough "token_passthrough" "the token that came in would go out again"
    }
    Authentication {
        InsufficientUserAuthentication "insufficient_user_authentication" "the user's sign-in is too weak or too old for this call"
    }
    Unavailable {
        KeysUnavailable "keys_unavailable" "the issuer has no usable keys"
        KeysRefreshing "keys_refreshing" "the issuer's keys are being fetched"
        RevocationUnavailable "revocation_unavailable" "what was revoked cannot be looked up"
        RevocationStale "revocation_stale" "the news of what was revoked is too old"
        StatusUnavailable "status_unavailable" "the token's status cannot be looked up"
        StatusStale "status_stale" "the list with the token's status is too old"
        IntrospectionPending "introspection_pending" "the authorization server is being asked about the token"
        IntrospectionUnavailable "introspection_unavailable" "the authorization server cannot be asked about the token"
        ReplayUnavailable "replay_unavailable" "used proofs cannot be looked up"
        ReplayFull "replay_full" "no more used proofs can be remembered now"
    }
    Misuse {
        Usage "usage" "the library was called wrongly"
    }
    Internal {
        Internal "internal" "sealgate failed; please report it"
    }
}

impl Code {
    /// The code with this spelling.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// Where this version's documentation describes it.
    #[must_use]
    pub fn doc_url(self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        format!("https://docs.rs/sealgate/{version}/sealgate/enum.Code.html#variant.{self:?}")
    }

    /// Whether it can mean that something is on its way which brings another answer: keys, an
    /// authorization server's answer, a status list. Whether it does, and in time, a gate knows.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(
            self,
            Self::KeysRefreshing | Self::IntrospectionPending | Self::StatusUnavailable
        )
    }

    /// Who has to act on it.
    #[must_use]
    pub const fn blame(self) -> Blame {
        match self.group() {
            Group::Unavailable => Blame::Unavailable,
            Group::Misuse => Blame::Misuse,
            Group::Internal => Blame::Internal,
            Group::NoCredential
            | Group::Request
            | Group::Parse
            | Group::Crypto
            | Group::Kind
            | Group::Validity
            | Group::Possession
            | Group::Chain
            | Group::ActorPolicy
            | Group::Revocation
            | Group::Authority
            | Group::Authentication => Blame::Rejected,
        }
    }
}
