"""Claims as a type of the application's own: a dataclass, a `msgspec.Struct`, a pydantic model.

The fit is checked, never assumed. Claims the type does not name are left out: tokens have more
claims than any one reader needs.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any


class Misfit(Exception):
    """The claims do not fit; `claim` is the top-level claim that does not."""

    def __init__(self, claim: str | None) -> None:
        super().__init__(claim)
        self.claim = claim


class NoModel(Exception):
    """The caller's type is none that claims can be made into."""


def check(model: Any) -> None:
    """Raises `NoModel` when claims cannot be made into it, whatever they are."""
    if _maker(model) is _dataclass_of:
        _fields(model)


def fill(model: Any, payload: bytes) -> Any:
    """The claims as `model`, which has been checked. Raises `Misfit`."""
    return _maker(model)(model, payload)


def _maker(model: Any) -> Callable[[Any, bytes], Any]:
    if isinstance(model, type):
        msgspec = sys.modules.get("msgspec")
        if msgspec is not None and issubclass(model, msgspec.Struct):
            return _msgspec
        pydantic = sys.modules.get("pydantic")
        if pydantic is not None and issubclass(model, pydantic.BaseModel):
            return _pydantic
        if dataclasses.is_dataclass(model):
            return _dataclass_of
    kind = model.__name__ if isinstance(model, type) else type(model).__name__
    raise NoModel(f"into must be a dataclass, a msgspec.Struct or a pydantic model, not {kind}")


def _msgspec(model: Any, payload: bytes) -> Any:
    msgspec: Any = sys.modules["msgspec"]
    try:
        return msgspec.json.decode(payload, type=model)
    except msgspec.ValidationError as error:
        # The path in the text is the only structured part: "Expected `str`, got `int` - at
        # `$.tenant`", "Object missing required field `tenant`".
        path = re.search(r"at `\$\.([^.\[`]+)", str(error))
        path = path or re.search(r"required field `([^`]+)`", str(error))
        raise Misfit(path and path.group(1)) from None


def _pydantic(model: Any, payload: bytes) -> Any:
    pydantic: Any = sys.modules["pydantic"]
    try:
        return model.model_validate_json(payload)
    except pydantic.ValidationError as error:
        where = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = where["loc"]
        raise Misfit(str(place[0]) if place else None) from None


def _dataclass_of(model: Any, payload: bytes) -> Any:
    return _dataclass(model, json.loads(payload))


def _dataclass(model: Any, claims: dict[str, Any]) -> Any:
    values = {}
    for name, check, required in _fields(model):
        if name in claims:
            if not check(claims[name]):
                raise Misfit(name)
            values[name] = _made(model, name, claims[name])
        elif required:
            raise Misfit(name)
    try:
        return model(**values)
    except (TypeError, ValueError):  # what its own `__post_init__` has against the values
        raise Misfit(None) from None


_Check = Callable[[Any], bool]
_known: dict[type, list[tuple[str, _Check, bool]]] = {}


def _fields(model: Any) -> list[tuple[str, _Check, bool]]:
    known = _known.get(model)
    if known is None:
        hints = _hints(model)
        missing = dataclasses.MISSING
        known = [
            (
                field.name,
                _checker(hints[field.name]),
                field.default is missing and field.default_factory is missing,
            )
            for field in dataclasses.fields(model)
            if field.init
        ]
        _known[model] = known
    return known


def _hints(model: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(model)
    except NameError as error:  # a name that is only there for type checkers
        raise NoModel(f"into: {model.__name__} cannot be checked: {error}") from None


def _made(model: Any, name: str, value: Any) -> Any:
    """The value as its field wants it: a nested dataclass, a tuple."""
    return _make(_hints(model)[name], value)


def _make(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _make(next(one for one in arguments if _checker(one)(value)), value)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _dataclass(hint, value)
    if origin is tuple:
        return tuple(_make(arguments[0], item) for item in value)
    if origin in (list, Sequence) and arguments:
        return [_make(arguments[0], item) for item in value]
    if origin in (dict, Mapping) and arguments:
        return {name: _make(arguments[1], item) for name, item in value.items()}
    return value


def _checker(hint: Any) -> _Check:
    """Whether a JSON value is of this type. Refuses types it cannot check rather than pass them."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is object:
        return lambda value: True
    if hint is None or hint is type(None):
        return lambda value: value is None
    if hint is bool:
        return lambda value: isinstance(value, bool)
    if hint is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    if hint is float:
        return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is str:
        return lambda value: isinstance(value, str)
    if hint in (list, dict):
        return lambda value: isinstance(value, hint)
    if origin is typing.Literal:
        return lambda value: any(value == one and type(value) is type(one) for one in arguments)
    if origin in (typing.Union, types.UnionType):
        checks = [_checker(one) for one in arguments]
        return lambda value: any(check(value) for check in checks)
    if origin in (list, Sequence) or (origin is tuple and arguments[1:] == (...,)):
        each = _checker(arguments[0])
        return lambda value: isinstance(value, list) and all(map(each, value))
    if origin in (dict, Mapping) and arguments[0] is str:
        each = _checker(arguments[1])
        return lambda value: isinstance(value, dict) and all(map(each, value.values()))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return lambda value: isinstance(value, dict) and _fits(hint, value)
    raise NoModel(f"into: {hint!r} cannot be checked; use a msgspec.Struct or a pydantic model")


def _fits(model: Any, claims: dict[str, Any]) -> bool:
    return all(
        check(claims[name]) if name in claims else not required
        for name, check, required in _fields(model)
    )
