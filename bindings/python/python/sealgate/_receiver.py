"""Events that issuers deliver: `verifier.receiver(gate)`; pushes (RFC 8935), polls (RFC 8936)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ._errors import UsageError
from ._revocations import EventChange

if TYPE_CHECKING:
    from ._native import RawPoller, RawReceiver


@dataclass(frozen=True, slots=True)
class Delivery:
    """What to answer to a push: `status`, `headers` and `body`, as they are. `entries` counts the
    handles that were revoked or lifted, `None` where the token was not accepted, for `code`;
    `duplicate` says that it was applied before, and nothing was done now. `changes` are the
    handles: they name people, and `repr` leaves them out."""

    status: int
    headers: dict[str, str]
    body: str
    entries: int | None
    duplicate: bool | None
    code: str | None
    changes: tuple[EventChange, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Polled:
    """What became of an answer to a poll: tokens that are in force, that the issuer is told were
    refused, and that it delivers again since they could not be decided now. `duplicates` of those
    accepted had been applied before. `entries` counts the `changes`, which are the handles that
    were revoked or lifted: they name people, and `repr` leaves them out."""

    accepted: int
    refused: int
    undecided: int
    duplicates: int
    entries: int
    more_available: bool
    changes: tuple[EventChange, ...] = field(default=(), repr=False)


class Receiver:
    """Takes tokens that tell of events at one gate of profile `set` or `logout_token`, and revokes
    what follows from them. A token that is delivered again changes nothing."""

    __slots__ = ("_raw",)

    def __init__(self, raw: RawReceiver) -> None:
        self._raw = raw

    def push(
        self,
        body: bytes,
        headers: Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]],
    ) -> Delivery:
        """Takes the body of a POST with its header fields, of which `Content-Type` is read.

        Who may call at all, as by an `Authorization` agreed with the issuer, is to be checked
        before; whose event it is, the token's signature says.
        """
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise UsageError(f"body must be bytes, not {type(body).__name__}")
        told = self._raw.push(bytes(body), _content_type(headers))
        status, fields, text, duplicate, changed, code = told
        entries = None if changed is None else len(changed)
        changes = EventChange._all(changed or ())
        return Delivery(status, dict(fields), text, entries, duplicate, code, changes)

    def poller(self, *, max_events: int = 100) -> Poller:
        """Polls a stream whose tokens this gate takes, at most `max_events` at once."""
        if not isinstance(max_events, int) or max_events < 1:
            raise UsageError("max_events must be a whole number from 1")
        return Poller(self._raw.poller(max_events))

    def __repr__(self) -> str:
        return "<Receiver>"


class Poller:
    """Polls one stream with an HTTP client of the program's own: `request()` is the JSON to POST,
    `take()` takes the answer's body. What was lost is asked for and acknowledged again."""

    __slots__ = ("_raw",)

    def __init__(self, raw: RawPoller) -> None:
        self._raw = raw

    def request(self) -> str:
        """The body of the next request, as `application/json`."""
        return self._raw.request()

    def take(self, body: bytes) -> Polled:
        """Takes the body of an answer of status 200. Raises `UsageError` for one that is none, and
        nothing has changed."""
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise UsageError(f"body must be bytes, not {type(body).__name__}")
        accepted, refused, undecided, duplicates, more, changed = self._raw.take(bytes(body))
        changes = EventChange._all(changed)
        return Polled(accepted, refused, undecided, duplicates, len(changes), more, changes)

    def __repr__(self) -> str:
        return "<Poller>"


def _content_type(
    headers: Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]],
) -> str | None:
    # To a type checker, what is a mapping could be one of pairs, too.
    pairs = cast("Any", headers).items() if isinstance(headers, Mapping) else headers
    found = [_text(value) for name, value in pairs if _text(name).lower() == "content-type"]
    return found[0] if len(found) == 1 else None


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
