"""The exceptions, and the one table of which code has which class.

Codes, reasons and answers are the core's; an exception asks it when somebody looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ._native import Refusal
from ._types import Problem


class Facts(Protocol):
    """What an exception shows: the core's view of it, or what of that has travelled."""

    @property
    def code(self) -> str: ...
    @property
    def blame(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def hint(self) -> str | None: ...
    @property
    def doc(self) -> str: ...
    @property
    def claim(self) -> str | None: ...
    @property
    def expected(self) -> tuple[str, ...]: ...
    @property
    def expectation(self) -> str | None: ...
    @property
    def gate(self) -> str | None: ...
    @property
    def issuer_name(self) -> str | None: ...
    @property
    def http_status(self) -> int: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> str: ...


_FACTS = (
    *("code", "blame", "group", "reason", "hint", "doc", "claim", "expected"),
    *("expectation", "gate", "issuer_name", "http_status", "headers", "body"),
)


class _Kept:
    """The facts of an exception that has travelled to another process."""

    code: str
    blame: str
    group: str
    reason: str
    hint: str | None
    doc: str
    claim: str | None
    expected: tuple[str, ...]
    expectation: str | None
    gate: str | None
    issuer_name: str | None
    http_status: int
    headers: dict[str, str]
    body: str

    def __init__(self, facts: Mapping[str, Any]) -> None:
        for name in _FACTS:
            setattr(self, name, facts[name])


def _rebuild(
    cls: type[SealgateError], args: tuple[Any, ...], facts: Mapping[str, Any]
) -> SealgateError:
    error = cls.__new__(cls, *args)
    error._facts = _Kept(facts)
    return error


class SealgateError(Exception):
    """Why a token was not accepted, or a call was wrong.

    It never holds token text, key bytes or claim values, so it may be logged. `str(error)` is
    `code: reason`, then what was expected, where our configuration says so.

    One that a program makes itself, as a test's stand-in for a gate does, has the `code` that it is
    given, else the first of its class, and says `text` too: `ExpiredTokenError("mocked")`.
    """

    # The core's view, or what of that has travelled. The engine sets it beside `__init__`.
    _facts: Facts

    def __init__(self, *text: str, code: str | None = None) -> None:
        Exception.__init__(self, *text)
        self._facts = _facts_of(type(self), code)

    @property
    def code(self) -> str:
        """The stable code, equal in every language: `"aud_mismatch"`."""
        return self._facts.code

    @property
    def blame(self) -> str:
        """Who has to act: `"rejected"`, `"unavailable"`, `"misuse"` or `"internal"`."""
        return self._facts.blame

    @property
    def group(self) -> str:
        """Codes that are answered alike: `"validity"`."""
        return self._facts.group

    @property
    def reason(self) -> str:
        """One sentence for people, constant for each code."""
        return self._facts.reason

    @property
    def hint(self) -> str | None:
        """What to do about it, for whoever reads the log; never for the wire."""
        return self._facts.hint

    @property
    def doc(self) -> str:
        """Where the code is described."""
        return self._facts.doc

    @property
    def claim(self) -> str | None:
        """The claim or header parameter it is about, by its RFC name."""
        return self._facts.claim

    @property
    def expected(self) -> tuple[str, ...]:
        """Our side of a mismatch: the audiences, issuers, scopes or algorithms we wanted."""
        return tuple(self._facts.expected)

    @property
    def gate(self) -> str | None:
        """The gate's name."""
        return self._facts.gate

    @property
    def issuer_name(self) -> str | None:
        """The policy's name for the token's issuer, when it was known."""
        return self._facts.issuer_name

    @property
    def http_status(self) -> int:
        """What to answer: 400, 401 or 403; 503 for an outage; 500 for a fault of ours."""
        return self._facts.http_status

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of the answer, one a name."""
        return dict(self._facts.headers)

    @property
    def body(self) -> str:
        """The body of the answer: OAuth JSON, or empty."""
        return self._facts.body

    @property
    def oauth_error(self) -> str | None:
        """The OAuth error code of the answer: `"invalid_token"`."""
        if not self.body:
            return None
        import json

        error: str | None = json.loads(self.body).get("error")
        return error

    @property
    def www_authenticate(self) -> str | None:
        """The challenge of the answer."""
        return self.headers.get("WWW-Authenticate")

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the caller may try again."""
        seconds = self.headers.get("Retry-After")
        return None if seconds is None else int(seconds)

    def __str__(self) -> str:
        text = f"{self.code}: {self.reason}"
        if self.claim:
            text += f" ({self.claim})"
        if self._facts.expectation:
            text += f"; {self._facts.expectation}"
        return ": ".join([text, *map(str, self.args)])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {name: getattr(self._facts, name) for name in _FACTS}
        rest = {name: value for name, value in vars(self).items() if name != "_facts"}
        return _rebuild, (type(self), self.args, facts), rest or None


class TokenError(SealgateError):
    """The token or the request is refused: 400, 401 or 403. Never an outage."""


class CredentialError(TokenError):
    """The request carries no credential, or presents it wrongly."""


class MalformedTokenError(TokenError):
    """The bytes are not a token."""


class SignatureError(TokenError):
    """Algorithm, key or signature."""


class TokenKindError(TokenError):
    """The token is of another kind, or lacks what its kind must have."""


class ValidityError(TokenError):
    """Issuer, audience and time."""


class ExpiredTokenError(ValidityError):
    """The token has expired."""


class AudienceError(ValidityError):
    """The token is for another audience."""


class IssuerError(ValidityError):
    """The gate takes nothing from this issuer."""


class ReplayError(ValidityError):
    """The token or its proof was used before."""


class PossessionError(TokenError):
    """Proof of possession."""


class DelegationError(TokenError):
    """The delegation chain."""


class ActorError(DelegationError):
    """The agent may not act here: 403."""


class RevokedError(TokenError):
    """The token, or someone in its chain, was revoked."""


class AuthorityError(TokenError):
    """The token lacks authority for this call: 403."""


class StepUpError(AuthorityError):
    """The user's sign-in is too weak or too old for this call: 401."""


class UnavailableError(SealgateError):
    """It cannot be decided: 503, and nobody's fault but the service's."""


class KeysUnavailableError(UnavailableError):
    """The issuer has no usable keys; `str(error)` names it."""

    def __str__(self) -> str:
        if self.issuer_name is None:
            return super().__str__()
        if self.gate is None and self.hint:  # of `wait_ready`, which knows why
            return f"{self.code}: {self.hint}"
        return f"{super().__str__()} ({self.issuer_name})"


class RevocationUnavailableError(UnavailableError):
    """Revocation or status cannot be looked up."""


class ReplayUnavailableError(UnavailableError):
    """The memory of used proofs cannot be asked."""


class IntrospectionUnavailableError(UnavailableError):
    """The authorization server is being asked about the token, or cannot be asked."""


class UsageError(SealgateError, TypeError):
    """The calling program passes something wrong; `hint` and `str(error)` say what."""

    def __str__(self) -> str:
        return f"{SealgateError.__str__(self)}: {self.hint}" if self.hint else super().__str__()


class InternalError(SealgateError):
    """sealgate failed; please report it."""


class PolicyError(SealgateError, ValueError):
    """A policy document that does not load; `problems` has every reason."""

    def __init__(
        self,
        text: str = "",
        document: str | None = None,
        problems: Sequence[tuple[str, int, int, str]] = (),
    ) -> None:
        Exception.__init__(self)  # the text is kept once
        self._facts = _Kept(_POLICY_INVALID)
        self._text = text
        self.document = document
        self.problems = tuple(Problem(*problem) for problem in problems)

    def __str__(self) -> str:
        return self._text or f"{self.code}: {self.reason}"


# The one code that no verification gives.
_POLICY_INVALID: dict[str, Any] = dict.fromkeys(_FACTS) | {
    "code": "policy_invalid",
    "blame": "misuse",
    "group": "misuse",
    "reason": "the policy document does not load",
    "doc": "https://docs.rs/sealgate/latest/sealgate/struct.PolicyError.html",
    "expected": (),
    "http_status": 500,
    "headers": {},
    "body": "",
}


def _facts_of(cls: type[SealgateError], code: str | None) -> Facts:
    """What an exception that a program makes itself shows: of this code, else of the first that its
    class stands for; of a class of the program's own, the first of the class it extends."""
    known = next(one for one in cls.__mro__ if one.__module__ == __name__)
    codes = (one for one, its in CLASSES.items() if issubclass(its, known))
    facts = Refusal.of(code or next(codes))
    if facts is None:
        raise ValueError(f"no code is {code!r}")
    return facts


CLASSES: Mapping[str, type[SealgateError]] = {
    "no_token": CredentialError,
    "multiple_credentials": CredentialError,
    "token_in_query": CredentialError,
    "malformed_request": CredentialError,
    "malformed_token": MalformedTokenError,
    "oversized": MalformedTokenError,
    "nesting_too_deep": MalformedTokenError,
    "duplicate_member": MalformedTokenError,
    "unsupported_serialization": MalformedTokenError,
    "unsupported_crit": MalformedTokenError,
    "encrypted_not_supported": MalformedTokenError,
    "alg_not_allowed": SignatureError,
    "alg_key_mismatch": SignatureError,
    "key_not_found": SignatureError,
    "key_use_mismatch": SignatureError,
    "weak_key": SignatureError,
    "bad_signature": SignatureError,
    "typ_mismatch": TokenKindError,
    "wrong_token_kind": TokenKindError,
    "missing_claim": TokenKindError,
    "claim_type": TokenKindError,
    "forbidden_claim": TokenKindError,
    "iss_untrusted": IssuerError,
    "aud_mismatch": AudienceError,
    "expired": ExpiredTokenError,
    "not_yet_valid": ValidityError,
    "issued_in_future": ValidityError,
    "too_old": ValidityError,
    "lifetime_too_long": ValidityError,
    "replayed": ReplayError,
    "pop_required": PossessionError,
    "pop_mismatch": PossessionError,
    "pop_invalid": PossessionError,
    "nonce_required": PossessionError,
    "actor_missing": DelegationError,
    "actor_malformed": DelegationError,
    "chain_too_deep": DelegationError,
    "chain_loop": DelegationError,
    "chain_incomplete": DelegationError,
    "chain_link_broken": DelegationError,
    "subject_changed": DelegationError,
    "attenuation_scope": DelegationError,
    "attenuation_details": DelegationError,
    "attenuation_time": DelegationError,
    "attenuation_audience": DelegationError,
    "intent_mismatch": DelegationError,
    "txn_mismatch": DelegationError,
    "may_act_mismatch": DelegationError,
    "actor_not_allowed": ActorError,
    "actor_presenter_mismatch": ActorError,
    "revoked": RevokedError,
    "suspended": RevokedError,
    "inactive": RevokedError,
    "insufficient_scope": AuthorityError,
    "operation_denied": AuthorityError,
    "posture_mismatch": AuthorityError,
    "token_passthrough": AuthorityError,
    "insufficient_user_authentication": StepUpError,
    "keys_unavailable": KeysUnavailableError,
    "keys_refreshing": KeysUnavailableError,
    "revocation_unavailable": RevocationUnavailableError,
    "revocation_stale": RevocationUnavailableError,
    "status_unavailable": RevocationUnavailableError,
    "status_stale": RevocationUnavailableError,
    "introspection_pending": IntrospectionUnavailableError,
    "introspection_unavailable": IntrospectionUnavailableError,
    "replay_unavailable": ReplayUnavailableError,
    "replay_full": ReplayUnavailableError,
    "usage": UsageError,
    "internal": InternalError,
}
