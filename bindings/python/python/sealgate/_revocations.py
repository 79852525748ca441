"""Revoking while verifications run: `verifier.revocations`, and what can be revoked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

from ._errors import UsageError
from ._native import handle_kinds

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from datetime import timedelta

    from typing_extensions import Self

    from ._native import RawRevocations, VerifiedToken, _Changed

_PARTS = {kind: (whose, name) for kind, whose, name in handle_kinds()}


@dataclass(frozen=True, slots=True)
class RevocationReceipt:
    """What a revocation did: a verdict of this `epoch` or a later one knows of it.

    `reach` is `"process"`, where other processes must be told themselves; `"host"` or `"fleet"`
    where they share a store. `delivered` says whether that store has it: else it is in force in
    this process, and tried again until the store has it, too.

    `cutoff` is the cut-off in whole seconds since 1970, None where there is none: tokens issued
    within this second or before end, and whoever signs in from the next one on is not concerned.
    It is None of an event, too, whose handles have their own.
    """

    epoch: int
    reach: Literal["process", "host", "fleet"]
    delivered: bool
    cutoff: int | None


@dataclass(frozen=True, slots=True)
class RevocationCheck:
    """What was asked about the revocation of a token. Where the policy asks nobody, `checked` is
    False and the rest None.

    `store` is `"process"`, or the policy's name for a store that processes share; `sequence` the
    epoch at which nothing of it was revoked; `staleness` how old the news of a shared store was, in
    seconds, and None of this process's own, which has no age.
    """

    checked: bool
    store: str | None
    sequence: int | None
    staleness: float | None


@dataclass(frozen=True)
class EventReceipt(RevocationReceipt):
    """What an event did: `entries` counts the handles that it revokes or lifts, 0 for one that is
    only observed. `duplicate` says that this process has applied the token before, by its issuer
    and `jti`, and has done nothing now. `changes` are the handles: they name people, and `repr`
    leaves them out."""

    entries: int
    duplicate: bool
    changes: tuple[EventChange, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class StoreState:
    """How a store stands that processes share.

    `name` is the policy's, safe as a metric label; `staleness` how old its news is here, in
    seconds, and None before there was any. `undelivered` counts the changes of this process that it
    is not known to have, `unreadable` those in it that this version cannot read: of one after it,
    or broken. `last_error` says why it cannot be read, written or kept small, or that it has lost
    something and does not have as much again, and is None while all is well.
    """

    name: str
    reach: Literal["host", "fleet"]
    staleness: float | None
    undelivered: int
    unreadable: int
    last_error: str | None


class _Part:
    """What a handle was made with, under the same name; other kinds of handles have none."""

    def __set_name__(self, owner: type[Handle], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, handle: None, owner: type[Handle]) -> Self: ...
    @overload
    def __get__(self, handle: Handle, owner: type[Handle]) -> str: ...
    def __get__(self, handle: Handle | None, owner: type[Handle]) -> Self | str:
        if handle is None:
            return self
        kind, *parts = handle._parts()
        for name, part in zip(_PARTS[kind], parts, strict=True):
            if name == self._name:
                return part
        raise AttributeError(f"a Handle.{kind} has no {self._name}", name=self._name, obj=handle)


class _Txn(_Part):
    """`Handle.txn(aud=…, txn=…)`: a transaction, in its trust domain; and the `txn` of that."""

    def __call__(self, *, aud: str, txn: str) -> Handle:
        return Handle._of("txn", aud, txn)


class Handle:
    """Something that can be revoked, named as tokens name it: `Handle.actor(iss=…, sub=…)`.

    Each kind has its own name space: revoking the subject `u1` says nothing of an actor `u1`. `iss`
    is the claim's value, never the policy's name for an issuer. What a handle was made with can be
    read under the same name.
    """

    __slots__ = ("_kind", "_scope", "_value")
    _kind: str
    _scope: str
    _value: str

    def __init__(self) -> None:
        raise UsageError("write Handle.actor(iss=…, sub=…), or another of its constructors")

    @classmethod
    def _of(cls, kind: str, scope: str, value: str) -> Handle:
        for name, part in zip(_PARTS[kind], (scope, value), strict=True):
            if not isinstance(part, str):
                raise UsageError(f"{name} must be str, not {type(part).__name__}")
        handle = object.__new__(cls)
        for slot, part in zip(cls.__slots__, (kind, scope, value), strict=True):
            object.__setattr__(handle, slot, part)
        return handle

    @staticmethod
    def token(*, iss: str, jti: str) -> Handle:
        """One token."""
        return Handle._of("token", iss, jti)

    @staticmethod
    def session(*, iss: str, sid: str) -> Handle:
        """A session at an issuer."""
        return Handle._of("session", iss, sid)

    @staticmethod
    def subject(*, iss: str, sub: str) -> Handle:
        """Whom tokens are about."""
        return Handle._of("subject", iss, sub)

    @staticmethod
    def client(*, iss: str, client_id: str) -> Handle:
        """An OAuth client."""
        return Handle._of("client", iss, client_id)

    @staticmethod
    def actor(*, iss: str, sub: str) -> Handle:
        """An agent, anywhere in a chain of `act`, or as `sub` where it acts for itself."""
        return Handle._of("actor", iss, sub)

    @staticmethod
    def holder_key(*, jkt: str) -> Handle:
        """A key that tokens are bound to, by its thumbprint."""
        return Handle._of("holder_key", "", jkt)

    @staticmethod
    def signing_key(*, iss: str, kid: str) -> Handle:
        """A key that an issuer signs with."""
        return Handle._of("signing_key", iss, kid)

    @staticmethod
    def issuer(*, iss: str) -> Handle:
        """An issuer, whole."""
        return Handle._of("issuer", iss, "")

    @staticmethod
    def workflow(*, iss: str, acti: str) -> Handle:
        """A workflow."""
        return Handle._of("workflow", iss, acti)

    @staticmethod
    def account(*, iss: str, sub: str) -> Handle:
        """An account: whatever is about it or acts as it. What its issuer disables is kept apart:
        enabling the account takes back nothing of this. Lifting it lifts both."""
        return Handle._of("account", iss, sub)

    @staticmethod
    def disabled(*, iss: str, sub: str) -> Handle:
        """An account that its issuer has disabled, until the issuer enables it or somebody lifts
        it. Only an event revokes it."""
        return Handle._of("disabled", iss, sub)

    @staticmethod
    def credential(*, iss: str, sub: str) -> Handle:
        """What an account signs in with: tokens of a sign-in (`auth_time`) up to a cut-off, however
        often they were renewed since."""
        return Handle._of("credential", iss, sub)

    @staticmethod
    def intent(*, iss: str, id: str) -> Handle:
        """An intent or a mission."""
        return Handle._of("intent", iss, id)

    iss = _Part()
    jti = _Part()
    sid = _Part()
    sub = _Part()
    client_id = _Part()
    jkt = _Part()
    kid = _Part()
    aud = _Part()
    acti = _Part()
    id = _Part()
    txn = _Txn()

    @property
    def kind(self) -> str:
        """Its kind: `"actor"`."""
        return self._kind

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Handle cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Handle cannot be changed")

    def _parts(self) -> tuple[str, str, str]:
        return self._kind, self._scope, self._value

    def __eq__(self, other: object) -> bool:
        return self._parts() == other._parts() if isinstance(other, Handle) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        parts = zip(_PARTS[self._kind], (self._scope, self._value), strict=True)
        told = ", ".join(f"{name}={part!r}" for name, part in parts if name)
        return f"Handle.{self._kind}({told})"

    def __reduce__(self) -> tuple[object, ...]:
        return Handle._of, self._parts()


@dataclass(frozen=True, slots=True)
class EventChange:
    """One handle that an event has revoked or lifted, as `sealgate revocations list` shows it.

    `issuer_name` is the policy's name for the issuer that tells of it, safe as a metric label. The
    `handle` is one of its own: it names people and their agents. Its tokens issued at `cutoff` or
    before are revoked, all of them where that is None; it is forgotten at `expires`, never where
    that is None. `lifted` says that what was revoked before is taken back. `reason` is the type of
    the event, `"session-revoked"`, which happened `at` that moment. Dates are whole seconds.
    """

    issuer_name: str
    handle: Handle
    lifted: bool
    cutoff: int | None
    expires: int | None
    reason: str | None
    at: int

    @classmethod
    def _all(cls, changed: Iterable[_Changed]) -> tuple[EventChange, ...]:
        return tuple(
            cls(issuer, Handle._of(*handle), lifted, cutoff, expires, reason, at)
            for issuer, handle, lifted, cutoff, expires, reason, at in changed
        )


class Revocations:
    """What is revoked, as a verifier knows it: `verifier.revocations`. The policy's
    `[revocation] store` says who remembers it."""

    __slots__ = ("_raw",)

    def __init__(self, raw: RawRevocations) -> None:
        self._raw = raw

    def revoke(
        self,
        handle: Handle,
        *,
        cutoff: int | Literal["now"] | None = None,
        expires: int | None = None,
        reason: str | None = None,
    ) -> RevocationReceipt:
        """Revokes a handle: when it returns, no verification that starts afterwards passes with a
        token that carries it, cached or not.

        With a `cutoff`, `"now"` or seconds since 1970, only tokens that were issued in that second
        or before are concerned; a sign-in from the next second on gives one that lives. It is
        forgotten at `expires`, else when it is lifted. The `reason` is for whoever reads a shared
        store later; 256 bytes of it are kept, and of the store `"process"` none. Raises
        `UsageError`, and nothing was revoked.
        """
        return RevocationReceipt(*self._raw.revoke(*_named(handle), cutoff, expires, reason))

    def lift(self, handle: Handle) -> RevocationReceipt:
        """Takes back whatever was revoked of a handle. Under a server that processes share, what
        another one has just revoked is taken back once the server has it, as its `flush` says: of
        the two that counts which arrives last."""
        return RevocationReceipt(*self._raw.lift(*_named(handle)))

    def apply(self, event_token: VerifiedToken[Any]) -> EventReceipt:
        """Revokes or lifts what follows from an accepted token that tells of an event: a logout
        token, or a Security Event Token of CAEP or RISC.

        What has changed since the event happened stays as it is, so it does not matter in which
        order events arrive, nor how often. Raises `UsageError` for a token of a gate of another
        kind, and nothing was revoked.
        """
        epoch, reach, delivered, cutoff, duplicate, changed = self._raw.apply(event_token)
        changes = EventChange._all(changed)
        return EventReceipt(epoch, reach, delivered, cutoff, len(changes), duplicate, changes)

    def flush(self, timeout: str | timedelta | None = None) -> bool:
        """Waits until the store that processes share has everything that this process has revoked
        or lifted, for `"5s"` unless a `timeout` is given; at once where they share none. Says
        whether it has: what it has not is still tried again. Call it before a process ends.

        The interpreter is released meanwhile.
        """
        return self._raw.flush(timeout)

    def flush_async(self, timeout: str | timedelta | None = None) -> Coroutine[Any, Any, bool]:
        """As `flush`, to be awaited, under asyncio or trio."""
        return self._raw.flush_async(timeout)

    def store(self) -> StoreState | None:
        """How the store stands that the policy names, for people and for metrics; None where
        processes share none."""
        state = self._raw.store()
        return None if state is None else StoreState(*state)

    @property
    def epoch(self) -> int:
        """How often something was revoked or lifted."""
        return self._raw.epoch

    def __repr__(self) -> str:
        return "<Revocations>"


def _named(handle: Handle) -> tuple[str, str, str]:
    if not isinstance(handle, Handle):
        raise UsageError(f"handle must be a Handle, not {type(handle).__name__}")
    return handle._parts()
