"""Verifies the tokens that AI agents present: genuine, for me, who acts for whom.

    from sealgate import Verifier

    verifier = Verifier.from_policy("policy.toml")
    tools = verifier.gate("tools")  # a typo fails here, when the program starts
    token = tools.verify(jwt)  # raises TokenError (theirs) or UnavailableError (ours: 503)
    print(token.subject, token.actor, token.scopes)

Calls take no lock and do no I/O, but for introspection (the lock of one issuer's answers) and used
proofs at a server (a question to it); threads verify in parallel. Under a policy with one gate,
`Verifier` has the calls of the gate itself.
"""

from ._errors import (
    ActorError,
    AudienceError,
    AuthorityError,
    CredentialError,
    DelegationError,
    ExpiredTokenError,
    InternalError,
    IntrospectionUnavailableError,
    IssuerError,
    KeysUnavailableError,
    MalformedTokenError,
    PolicyError,
    PossessionError,
    ReplayError,
    ReplayUnavailableError,
    RevocationUnavailableError,
    RevokedError,
    SealgateError,
    SignatureError,
    StepUpError,
    TokenError,
    TokenKindError,
    UnavailableError,
    UsageError,
    ValidityError,
)
from ._keys import IssuerKey, Keys, KeyState, Receipt, Skipped
from ._native import (
    Actor,
    Batch,
    BatchSnapshot,
    Gate,
    Jws,
    Policy,
    Snapshot,
    Trail,
    Unverified,
    Verdict,
    VerifiedToken,
    Verifier,
    inspect,
    verify_jws,
)
from ._receiver import Delivery, Polled, Poller, Receiver
from ._request import single_valued
from ._revocations import (
    EventChange,
    EventReceipt,
    Handle,
    RevocationCheck,
    RevocationReceipt,
    Revocations,
    StoreState,
)
from ._types import PolicyWarning, Problem, Step

__all__ = [
    "Actor",
    "ActorError",
    "AudienceError",
    "AuthorityError",
    "Batch",
    "BatchSnapshot",
    "CredentialError",
    "DelegationError",
    "Delivery",
    "EventChange",
    "EventReceipt",
    "ExpiredTokenError",
    "Gate",
    "Handle",
    "InternalError",
    "IntrospectionUnavailableError",
    "IssuerError",
    "IssuerKey",
    "Jws",
    "KeyState",
    "Keys",
    "KeysUnavailableError",
    "MalformedTokenError",
    "Policy",
    "PolicyError",
    "PolicyWarning",
    "Polled",
    "Poller",
    "PossessionError",
    "Problem",
    "Receipt",
    "Receiver",
    "ReplayError",
    "ReplayUnavailableError",
    "RevocationCheck",
    "RevocationReceipt",
    "RevocationUnavailableError",
    "Revocations",
    "RevokedError",
    "SealgateError",
    "SignatureError",
    "Skipped",
    "Snapshot",
    "Step",
    "StepUpError",
    "StoreState",
    "TokenError",
    "TokenKindError",
    "Trail",
    "UnavailableError",
    "Unverified",
    "UsageError",
    "ValidityError",
    "Verdict",
    "VerifiedToken",
    "Verifier",
    "inspect",
    "single_valued",
    "verify_jws",
]
