"""Everything public says what it is."""

from __future__ import annotations

import inspect
import types
from typing import Any

import sealgate
from sealgate import testing
from sealgate.compat import pyjwt


def undocumented(owner: str, value: Any) -> list[str]:
    if not value.__module__.startswith("sealgate"):
        return []  # PyJWT's own exceptions
    found = [] if value.__doc__ else [owner]
    if inspect.isclass(value):
        for name, member in vars(value).items():
            described = inspect.isroutine(member) or inspect.isdatadescriptor(member)
            slot = isinstance(member, types.MemberDescriptorType)  # a field, told by its class
            if described and not slot and not name.startswith("_") and not member.__doc__:
                found.append(f"{owner}.{name}")
    return found


def test_every_public_name_has_a_docstring() -> None:
    missing = []
    for module in (sealgate, testing, pyjwt):
        assert module.__doc__
        for name in module.__all__:
            missing += undocumented(f"{module.__name__}.{name}", getattr(module, name))
    assert missing == []
