"""All vectors through the Python harness, whose answers are the Rust binary's, line by line.

`SEALGATE_CONFORMANCE` names the binary; without it the vectors' own expectations are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conformance import Harness

VECTORS = Path(__file__).parents[3] / "tests" / "vectors"
FILES = sorted(VECTORS.rglob("*.jsonl"))


def test_there_are_vectors() -> None:
    assert len(FILES) >= 5


def harness_answers(lines: list[bytes]) -> list[dict[str, Any]]:
    harness = Harness()
    return [harness.answer_line(line) for line in lines]


def holds(expected: Any, answer: Any) -> bool:
    """Whether the answer has what is expected of it, and perhaps more."""
    if isinstance(expected, dict):
        return all(holds(value, answer.get(name)) for name, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(answer) and all(map(holds, expected, answer))
    return bool(expected == answer)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_as_foretold(file: Path) -> None:
    lines = file.read_bytes().splitlines()
    for line, answer in zip(lines, harness_answers(lines), strict=True):
        request = json.loads(line)
        assert holds(request["expect"], answer), request["id"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_as_rust(file: Path) -> None:
    binary = os.environ.get("SEALGATE_CONFORMANCE")
    if binary is None:
        pytest.skip("SEALGATE_CONFORMANCE names no binary")
    lines = file.read_bytes().splitlines()
    run = subprocess.run([binary], input=b"\n".join(lines), capture_output=True, check=True)
    theirs = [json.loads(line) for line in run.stdout.splitlines()]
    for line, answer, expected in zip(lines, harness_answers(lines), theirs, strict=True):
        assert answer == expected, json.loads(line)["id"]


def test_requests_that_make_no_sense() -> None:
    odd: list[bytes] = [
        b"{",
        b"5",
        b'{"op": 5}',
        b'{"op": "verify", "now": true}',
        b'{"op": "verify", "now": 1, "policy": {}, "token": 5}',
        b'{"op": "verify_batch", "tokens": [5], "now": 1, "policy": {}}',
        b'{"op": "load_key", "format": "jwk", "data": "A"}',
        b'{"op": "close", "session": "none"}',
    ]
    for answer in harness_answers(odd):
        assert answer["code"] in ("harness", "policy_invalid") and not answer["ok"]
    (answer,) = harness_answers([b'{"id": 7, "op": "time_travel"}'])
    assert answer == {"id": 7, "ok": False, "code": "unsupported_op"}
