"""Wrong arguments are a `UsageError`, which is a `TypeError`, and name what is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from sealgate import Gate, UsageError, Verifier

from conftest import AUDIENCE, ISSUER

CALLS = ("verify", "judge", "verify_async", "judge_async", "explain", "verify_batch")
WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda call: call(), "must be"),
    (lambda call: call("x.y.z", "x.y.z"), "more arguments"),
    (lambda call: call("x.y.z", scopes=["a"]), "no argument scopes"),
]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", range(len(WRONG)))
def test_calls(tools: Gate, name: str, wrong: int) -> None:
    call, text = WRONG[wrong]
    # To tell more than that an argument is missing would make the two quickest calls slower.
    plain = name in ("verify", "judge") and wrong > 0
    for owner in (tools, tools.verifier):
        with pytest.raises(TypeError, match=None if plain else text) as caught:
            call(getattr(owner, name))
        assert isinstance(caught.value, UsageError) != plain


@pytest.mark.parametrize("name", CALLS)
def test_signatures_are_the_documented_ones(tools: Gate, name: str) -> None:
    for owner in (Gate, Verifier):
        parameters = inspect.signature(getattr(owner, name)).parameters
        assert not {"extra", "unknown"} & set(parameters)
        assert parameters["tokens" if name == "verify_batch" else "token"].default is inspect._empty


def test_a_call_that_another_library_would_take(tools: Gate, jwt: str) -> None:
    assert tools.verify(token=jwt).subject == "u1"
    assert tools.judge(token=jwt, required_scopes=("mcp:use",)).ok


def test_options() -> None:
    given = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_push": "process"}
    with pytest.raises(UsageError, match="issuer is missing"):
        Verifier(audience=AUDIENCE)
    with pytest.raises(UsageError, match="audience is missing"):
        Verifier(issuer=ISSUER, audience=None)
    with pytest.raises(UsageError, match="no option audiance"):
        Verifier(**given, audiance=AUDIENCE)
    with pytest.raises(UsageError, match="more arguments"):
        Verifier(ISSUER, AUDIENCE)
    assert Verifier(**given, discovery=None).gates == ["default"]


def test_every_option_of_the_signature_is_known() -> None:
    names = set(inspect.signature(Verifier).parameters) - {"allow_danger"}
    given = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_push": "process"}
    for name in names - set(given):
        Verifier(**given, **{name: None})
