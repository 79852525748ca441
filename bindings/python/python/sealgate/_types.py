"""Small values that results are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from . import Trail


class Problem(NamedTuple):
    """What keeps a policy document from loading. Line and column count from 1; 0 is nowhere."""

    path: str
    line: int
    column: int
    text: str


class PolicyWarning(NamedTuple):
    """What loads and still deserves a second look."""

    path: str
    line: int
    column: int
    text: str


class Step(NamedTuple):
    """A stage of a verification: `outcome` is `"passed"`, `"refused"` or `"not_reached"`."""

    stage: str
    rules: str
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A key of a set that cannot be used."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a verdict was reached under: the policy's digest, the generation of the keys."""

    policy: str
    keys: int


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


def receipt(generation: int, changed: bool, reach: str, skipped: Sequence[Skipped]) -> Receipt:
    return Receipt(generation, changed, reach, tuple(skipped))


def key_state(
    source: str,
    generation: int,
    keys: Sequence[tuple[str | None, str, str | None]],
    fetching: tuple[int | None, int | None, str | None],
) -> KeyState:
    return KeyState(source, generation, tuple(IssuerKey(*key) for key in keys), *fetching)


_MARKS = {"passed": "✓", "refused": "✗", "not_reached": "·"}


def show_trail(trail: Trail) -> str:
    verdict = trail.verdict
    rows = ["accepted" if verdict.ok else str(verdict.error)]
    rows += [
        f"  {_MARKS[step.outcome]} {step.stage:<13} {step.note or 'not reached'}   {step.rules}"
        for step in trail.steps
    ]
    if trail.hint:
        rows.append(f"  {trail.hint}")
    return "\n".join(rows)
