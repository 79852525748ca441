"""Documents written as Python values, as JSON text for the core to read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Set
from datetime import timedelta


def to_json(value: object) -> str:
    """The JSON text of a document: durations may be `timedelta`, paths `PathLike`, arrays tuples.

    Raises TypeError or ValueError for what has no place in one.
    """
    return json.dumps(value, default=_plain, allow_nan=False, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        raise TypeError("a set has no order; write a list")
    raise TypeError(f"{type(value).__name__} has no place in a document")


def _duration(delta: timedelta) -> str:
    milliseconds, rest = divmod(delta, timedelta(milliseconds=1))
    if rest:
        raise ValueError("a duration has whole milliseconds")
    if milliseconds % 1000:
        return f"{milliseconds}ms"
    return f"{milliseconds // 1000}s"
