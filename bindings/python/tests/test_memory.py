"""No leak: resident memory is flat over many calls, half of them refused.

`SEALGATE_LEAK_CALLS` sets how many; a release is measured over ten million.
"""

from __future__ import annotations

import gc
import os

import psutil

from sealgate import Gate, SealgateError, testing

from conftest import AUDIENCE

CALLS = int(os.environ.get("SEALGATE_LEAK_CALLS", "200000"))
# What an allocator may keep for itself; a leak of one small object a call would be far more.
SLACK = 4 * 1024 * 1024


def test_resident_memory_is_flat(tools: Gate, corp: testing.FakeIssuer) -> None:
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use", act=["a"]) for _ in range(50)]
    forged = [token[:-8] + "AAAAAAAA" for token in tokens[:5]]
    process = psutil.Process()

    def run(calls: int) -> None:
        for number in range(calls // 20):
            token = tools.verify(tokens[number % len(tokens)])
            assert token.claims["sub"] == token.subject == "u1" and token.chain
            for _ in range(9):
                tools.judge(tokens[number % len(tokens)])
            for _ in range(8):
                tools.judge("x.y")
            verdict = tools.judge(forged[number % len(forged)])
            assert verdict.error is not None and verdict.error.headers
            try:
                tools.verify("x.y")
            except SealgateError as error:
                assert str(error)
        batch = tools.verify_batch(tokens + forged)
        assert [verdict.code for verdict in batch] and list(batch.errors())

    run(CALLS // 10)  # caches and free lists fill up
    gc.collect()
    before = process.memory_info().rss
    run(CALLS)
    gc.collect()
    grown = process.memory_info().rss - before
    print(f"{CALLS} calls: resident memory grew by {grown / 1024:.0f} KiB")
    assert grown < SLACK
