"""A stranger's bytes are refused by their length before they are read, decoded or copied."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import sealgate
from sealgate import Gate, SealgateError

HUGE = 10_000_000
VALUES: dict[str, Callable[[], Any]] = {
    "bytes": lambda: b"\xff" * HUGE,
    "text": lambda: "x" * HUGE,
    "dots": lambda: "." * HUGE,
    "wide text": lambda: "é" * HUGE,
    "wider text": lambda: "\U0001f600" * HUGE,
    "lone surrogates": lambda: "\ud800" * HUGE,
    "bytearray": lambda: bytearray(HUGE),
    "memoryview": lambda: memoryview(bytes(HUGE)),
}
# Refusing takes microseconds. To hash ten megabytes, encode or copy them took 20 to 800 ms in a
# build without optimisation, which is what these tests run over.
TIMES, SECONDS = 50, 0.5


def is_quick(call: Callable[[], object]) -> bool:
    """Whether the call reads less than it is given. One run in three is enough: others use the
    machine too."""
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(TIMES):
            call()
        if time.perf_counter() - began < SECONDS:
            return True
    return False


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_token_is_not_read(tools: Gate, value: Callable[[], Any]) -> None:
    token = value()
    assert tools.judge(token).code == "oversized"
    assert is_quick(lambda: tools.judge(token))
    assert tools.verify_batch([token, "x"]).counts == {"oversized": 1, "malformed_token": 1}
    assert is_quick(lambda: tools.verify_batch([token]))


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_header_field_is_not_read(tools: Gate, value: Callable[[], Any]) -> None:
    token = value()
    text = isinstance(token, str)
    scheme: Any = "Bearer " if text else b"Bearer "
    field = scheme + (token if text else bytes(token))
    for headers, code in (
        ([("Authorization", field)], "oversized"),
        ([("Cookie", field)], "no_token"),
        ([(field, "x")], "no_token"),
    ):
        request: Any = {"method": "GET", "uri": "/mcp", "headers": headers}
        assert tools.judge_request(**request).code == code
        assert is_quick(lambda request=request: tools.judge_request(**request))


def test_what_is_not_verified_is_not_read_either(tools: Gate) -> None:
    token = "é" * HUGE

    def refused() -> str:
        with pytest.raises(SealgateError) as caught:
            sealgate.inspect(token)
        return caught.value.code

    assert refused() == "oversized"
    assert is_quick(refused)


@pytest.mark.parametrize("size", [16 * 1024, 64 * 1024, 64 * 1024 + 64, 64 * 1024 + 65])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_the_bound_itself(tools: Gate, size: int, letter: str) -> None:
    """Where reading stops, no answer changes."""
    fits = size * len(letter.encode()) <= 16 * 1024
    for token in (letter * size, (letter * size).encode(), bytearray((letter * size).encode())):
        assert tools.judge(token).code == ("malformed_token" if fits else "oversized")
