"""What fakes take. Anything else is refused in the core's words, the same in every language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from .._errors import UsageError
from .._native import FixedClock, fake_arguments

# An argument that was not given: the core says what there is then. Signatures show it as `...`.
DEFAULT: Any = type("Default", (), {"__repr__": lambda _: "..."})()

_EXPECTED, _MOST = fake_arguments()


def wrong(call: str, name: str, kind: str, value: object) -> UsageError:
    """The error of an argument that is not what it must be."""
    return UsageError(f"{call}: {name} must be {_EXPECTED[kind]}, not {_shown(value)}")


def check(call: str, kind: str, **arguments: Any) -> dict[str, Any]:
    """Those of the arguments that were given; `None` is as good as not given."""
    for name, value in arguments.items():
        if value is not DEFAULT and value is not None and not _FITS[kind](value):
            raise wrong(call, name, kind, value)
    return {name: value for name, value in arguments.items() if value is not DEFAULT}


def need(call: str, kind: str, **arguments: Any) -> None:
    """As `check`, of arguments that a call cannot do without."""
    for name, value in arguments.items():
        if value is None or not _FITS[kind](value):
            raise wrong(call, name, kind, value)


def members(call: str, **arguments: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Claims and header parameters, whose values JSON can say."""
    check(call, "members", **arguments)
    told = {name: dict(value or {}) for name, value in arguments.items()}
    for name, value in told.items():
        to_json(call, name, value)
    return told


def to_json(call: str, name: str, value: object) -> str:
    """Compact JSON of the caller's data, in its order."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        expected = _EXPECTED["members"]
        raise UsageError(f"{call}: {name} must be {expected}") from error
    return text


def _is_count(value: object) -> bool:
    return _is_whole(value) and isinstance(value, int) and value >= 0


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST


def _is_texts(value: object) -> bool:
    texts = value if isinstance(value, (list, tuple)) else [value]
    return all(isinstance(text, str) for text in texts)


def _is_duration(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, timedelta) and value >= timedelta())


def _is_named(kind: str) -> Callable[[object], bool]:
    names = _EXPECTED[kind].removeprefix("one of ").split(", ")
    return lambda value: isinstance(value, str) and value in names


_FITS: dict[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "texts": _is_texts,
    "count": _is_count,
    "seconds": _is_whole,
    "duration": _is_duration,
    "clock": lambda value: isinstance(value, FixedClock),
    "algorithm": _is_named("algorithm"),
    "key_pair": _is_named("key_pair"),
    "members": lambda value: isinstance(value, Mapping),
    "payload": lambda value: isinstance(value, (Mapping, str, bytes)),
    "issuers": lambda value: isinstance(value, Mapping),
}


def _shown(value: object) -> str:
    """A kind, or a number, which is no secret."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    kinds = {str: "a string", bytes: "bytes", list: "an array", tuple: "an array"}
    name = next((kind for cls, kind in kinds.items() if isinstance(value, cls)), None)
    if name is None and isinstance(value, Mapping):
        return "an object"
    return name or f"a {type(value).__name__}"
