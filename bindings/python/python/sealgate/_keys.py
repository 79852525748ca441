"""Publishing and inspecting issuers' keys: `verifier.keys`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._native import RawKeys


@dataclass(frozen=True, slots=True)
class Skipped:
    """A key of a set that cannot be used."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a publication did: `reach` is `"process"`, since other processes have their own keys."""

    generation: int
    changed: bool
    reach: str
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One key of an issuer. `thumbprint` is None for a shared secret, which it would help guess."""

    kid: str | None
    alg: str
    kty: str
    thumbprint: str | None


@dataclass(frozen=True, slots=True)
class KeyState:
    """The keys of one issuer at one moment.

    `source` is `"static"`, `"push"`, `"discovery"` or `"jwks_uri"`. Of keys that are fetched,
    `fetched_at` and `next_refresh` are NumericDates in seconds, and `last_error` says in a sentence
    why the last fetch failed; each is None where there is none.
    """

    source: str
    generation: int
    keys: tuple[IssuerKey, ...]
    fetched_at: int | None = None
    next_refresh: int | None = None
    last_error: str | None = None


class Keys:
    """The keys of a verifier's issuers: `verifier.keys`."""

    __slots__ = ("_raw",)

    def __init__(self, raw: RawKeys) -> None:
        self._raw = raw

    def publish(self, issuer_name: str, jwks: Mapping[str, Any] | str | bytes) -> Receipt:
        """Replaces the keys of the issuer that the policy calls `issuer_name`, whose keys come by
        `jwks_push`. `jwks` is a JWK Set: a mapping, or its JSON text.

        When it returns, no verification that starts afterwards passes with a withdrawn key, cached
        or not. Raises `UsageError`, and the keys stay as they were.
        """
        generation, changed, reach, others = self._raw.publish(issuer_name, jwks)
        return Receipt(generation, changed, reach, tuple(Skipped(*other) for other in others))

    def state(self, issuer_name: str) -> KeyState:
        """The keys of the issuer that the policy calls `issuer_name`, as they are now."""
        return _state(*self._raw.state(issuer_name))

    def refresh(self, issuer_name: str) -> KeyState:
        """Asks for an issuer's keys to be fetched now, cooldown or not, and returns at once how
        things stand. Of an issuer whose keys are not fetched it only returns that."""
        return _state(*self._raw.refresh(issuer_name))

    def __repr__(self) -> str:
        return "<Keys>"


def _state(
    source: str,
    generation: int,
    keys: list[tuple[str | None, str, str | None]],
    fetched_at: int | None,
    next_refresh: int | None,
    last_error: str | None,
) -> KeyState:
    described = tuple(IssuerKey(*key) for key in keys)
    return KeyState(source, generation, described, fetched_at, next_refresh, last_error)
