"""JSON objects of tokens as dicts that refuse to be changed."""

from __future__ import annotations

from typing import Any, NoReturn


def _refuse(self: object, *_args: object, **_members: object) -> NoReturn:
    raise TypeError("what was verified is read-only; change a copy: dict(claims)")


class FrozenDict(dict[str, Any]):
    """A `dict`, so that `json.dumps` and everything else that takes one takes it; the methods that
    would change it raise TypeError. What is copied, merged or unpickled of it is a plain `dict`.
    """

    __slots__ = ()

    __init__ = __setitem__ = __delitem__ = __ior__ = _refuse  # type: ignore[assignment]
    clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]

    def copy(self) -> dict[str, Any]:
        return dict(self)

    __copy__ = copy

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
