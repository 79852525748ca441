//! [`Handle`]: what can be revoked (standards 31.1).

use std::fmt;

/// Kinds of handles. Each has its own name space: revoking the subject `u1` says nothing of an
/// actor `u1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HandleKind {
    /// One token: (`iss`, `jti`).
    Token,
    /// A session at an issuer: (`iss`, `sid`).
    Session,
    /// Whom tokens are about: (`iss`, `sub`).
    Subject,
    /// An OAuth client: (`iss`, `client_id`).
    Client,
    /// An agent, anywhere in a chain of `act`, or as `sub` where it acts for itself: (`iss`,
    /// `sub`).
    Actor,
    /// A key that tokens are bound to: its thumbprint (RFC 7638, or of a certificate).
    HolderKey,
    /// A key that an issuer signs with: (`iss`, `kid`).
    SigningKey,
    /// An issuer, whole: `iss`.
    Issuer,
    /// A transaction: (whose, `txn`).
    Txn,
    /// A workflow: (`iss`, `acti`).
    Workflow,
    /// An intent or mission: (its `issuer`, its `id`).
    Intent,
    /// An account, whatever is about it or acts as it: (`iss`, `sub`).
    Account,
    /// What an account signs in with: (`iss`, `sub`).
    Credential,
    /// An account that its issuer has disabled: (`iss`, `sub`).
    Disabled,
}

impl HandleKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Token,
        Self::Session,
        Self::Subject,
        Self::Client,
        Self::Actor,
        Self::HolderKey,
        Self::SigningKey,
        Self::Issuer,
        Self::Txn,
        Self::Workflow,
        Self::Intent,
        Self::Account,
        Self::Credential,
        Self::Disabled,
    ];

    /// The stable spelling, the same in every language: `"holder_key"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Subject => "subject",
            Self::Client => "client",
            Self::Actor => "actor",
            Self::HolderKey => "holder_key",
            Self::SigningKey => "signing_key",
            Self::Issuer => "issuer",
            Self::Txn => "txn",
            Self::Workflow => "workflow",
            Self::Intent => "intent",
            Self::Account => "account",
            Self::Credential => "credential",
            Self::Disabled => "disabled",
        }
    }

    /// The kind with this spelling.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What the two parts of a handle of this kind are called, as tokens call them: whose it is,
    /// and its name there. The key of a holder is nobody's, and an issuer has no more than a name.
    #[must_use]
    pub const fn parts(self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Token => (Some("iss"), Some("jti")),
            Self::Session => (Some("iss"), Some("sid")),
            Self::Subject | Self::Actor | Self::Account | Self::Credential | Self::Disabled => {
                (Some("iss"), Some("sub"))
            }
            Self::Client => (Some("iss"), Some("client_id")),
            Self::HolderKey => (None, Some("jkt")),
            Self::SigningKey => (Some("iss"), Some("kid")),
            Self::Issuer => (Some("iss"), None),
            Self::Txn => (Some("aud"), Some("txn")),
            Self::Workflow => (Some("iss"), Some("acti")),
            Self::Intent => (Some("iss"), Some("id")),
        }
    }

    /// The kind with this number.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// What goes into hashes, and stands in files of stores: never another for the same kind.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Token => 0,
            Self::Session => 1,
            Self::Subject => 2,
            Self::Client => 3,
            Self::Actor => 4,
            Self::HolderKey => 5,
            Self::SigningKey => 6,
            Self::Issuer => 7,
            Self::Txn => 8,
            Self::Workflow => 9,
            Self::Intent => 10,
            Self::Account => 11,
            Self::Credential => 12,
            Self::Disabled => 13,
        }
    }
}

/// Something that can be revoked, named as tokens name it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Handle {
    kind: HandleKind,
    /// Whose it is: `iss`, or the trust domain of a transaction. Empty for keys of holders.
    scope: Box<str>,
    value: Box<str>,
}

impl Handle {
    /// A handle by its kind and the parts that [`HandleKind::parts`] names; a part that the kind
    /// has not is empty. The other constructors say which is which.
    #[must_use]
    pub fn new(kind: HandleKind, scope: &str, value: &str) -> Self {
        Self {
            kind,
            scope: scope.into(),
            value: value.into(),
        }
    }

    /// One token, by its `jti`. Its bytes are no handle: the same claims can be written in many
    /// ways.
    #[must_use]
    pub fn token(iss: &str, jti: &str) -> Self {
        Self::new(HandleKind::Token, iss, jti)
    }

    /// A session, by its `sid`.
    #[must_use]
    pub fn session(iss: &str, sid: &str) -> Self {
        Self::new(HandleKind::Session, iss, sid)
    }

    /// Whom tokens are about: a person, a client, a workload.
    #[must_use]
    pub fn subject(iss: &str, sub: &str) -> Self {
        Self::new(HandleKind::Subject, iss, sub)
    }

    /// An OAuth client.
    #[must_use]
    pub fn client(iss: &str, client_id: &str) -> Self {
        Self::new(HandleKind::Client, iss, client_id)
    }

    /// An agent: whatever it does, and whatever was handed on through it (REV-04).
    #[must_use]
    pub fn actor(iss: &str, sub: &str) -> Self {
        Self::new(HandleKind::Actor, iss, sub)
    }

    /// A key that tokens are bound to: `jkt` or `x5t#S256`, in base64url.
    #[must_use]
    pub fn holder_key(jkt: &str) -> Self {
        Self::new(HandleKind::HolderKey, "", jkt)
    }

    /// A key that an issuer signs with. Withdrawing it from the issuer's key set does the same, as
    /// soon as that arrives.
    #[must_use]
    pub fn signing_key(iss: &str, kid: &str) -> Self {
        Self::new(HandleKind::SigningKey, iss, kid)
    }

    /// Everything an issuer has signed.
    #[must_use]
    pub fn issuer(iss: &str) -> Self {
        Self::new(HandleKind::Issuer, iss, "")
    }

    /// A transaction, in all its tokens. `aud` is the trust domain of transaction tokens; for
    /// another token's `txn` it is its issuer, or the policy's `txn_namespace`.
    #[must_use]
    pub fn txn(aud: &str, txn: &str) -> Self {
        Self::new(HandleKind::Txn, aud, txn)
    }

    /// A workflow of agents, by `acti`.
    #[must_use]
    pub fn workflow(iss: &str, acti: &str) -> Self {
        Self::new(HandleKind::Workflow, iss, acti)
    }

    /// An intent or mission, in every token that was issued for it.
    #[must_use]
    pub fn intent(iss: &str, id: &str) -> Self {
        Self::new(HandleKind::Intent, iss, id)
    }

    /// An account: whatever is about it, or acts as it. What its issuer disables is kept apart, as
    /// [`Handle::disabled`]: enabling the account again takes back nothing that an operator has
    /// revoked of it. Whoever lifts the account lifts both.
    #[must_use]
    pub fn account(iss: &str, sub: &str) -> Self {
        Self::new(HandleKind::Account, iss, sub)
    }

    /// What an account signs in with: tokens that come of a sign-in (`auth_time`) up to a cut-off,
    /// however often they were renewed since (REV-10).
    #[must_use]
    pub fn credential(iss: &str, sub: &str) -> Self {
        Self::new(HandleKind::Credential, iss, sub)
    }

    /// An account that its issuer has disabled: whatever is about it, or acts as it, whenever it
    /// was issued, until the issuer enables it or somebody lifts it. Only an event revokes it (RISC
    /// `account-disabled`).
    #[must_use]
    pub fn disabled(iss: &str, sub: &str) -> Self {
        Self::new(HandleKind::Disabled, iss, sub)
    }

    /// What kind of thing it names.
    #[must_use]
    pub const fn kind(&self) -> HandleKind {
        self.kind
    }

    /// Whose it is; empty for the key of a holder.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Its name there; empty for an issuer.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The kind alone: the rest names people and their agents.
impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
