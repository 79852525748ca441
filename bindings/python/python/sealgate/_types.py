"""Small values that results are made of."""

from __future__ import annotations

import textwrap
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


_MARKS = {"passed": "✓", "refused": "✗"}
_WIDTH = 80
_MARGIN = 19  # columns before a note


def show_trail(trail: Trail) -> str:
    """A trail as `sealgate explain` prints it."""
    error = trail.verdict.error
    if error is None:
        rows = ["accepted"]
    else:
        rows = [f"{'refused' if error.blame == 'rejected' else 'undecided'}   {error}"]
    rows.append("")
    for step in trail.steps:
        if step.outcome in _MARKS:
            rows += _step(step)
    missed = [step.stage for step in trail.steps if step.outcome not in _MARKS]
    if missed:
        rows += _hanging("  · ", ", ".join(missed) + "   not reached")
    if trail.hint:
        rows += ["", *_hanging("  Do this   ", trail.hint)]
    return "\n".join(rows)


def _step(step: Step) -> list[str]:
    """A stage, with its rules at the right of its first line."""
    room = _WIDTH - _MARGIN - 1 - len(step.rules)
    lines = textwrap.wrap(step.note, room, break_long_words=False) or [""]
    head, rest = lines[0], " ".join(lines[1:])
    rows = [f"  {_MARKS[step.outcome]} {step.stage:<14} {head:<{room}} {step.rules}"]
    return rows + _hanging(" " * _MARGIN, rest) if rest else rows


def _hanging(label: str, text: str) -> list[str]:
    blank = " " * len(label)
    return textwrap.wrap(
        text, _WIDTH, initial_indent=label, subsequent_indent=blank, break_long_words=False
    )
