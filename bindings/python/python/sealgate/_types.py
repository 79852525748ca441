"""Small values that results are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
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
