"""No leak: resident memory is flat over many calls, half of them refused, requests among them.

`SEALGATE_LEAK_CALLS` sets how many; a release is measured over ten million.
"""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Callable
from typing import Any

import psutil

from sealgate import Gate, SealgateError, testing

from conftest import AUDIENCE, document

CALLS = int(os.environ.get("SEALGATE_LEAK_CALLS", "100000"))
# What an allocator may keep for itself; a leak of one small object a call would be far more.
SLACK = 4 * 1024 * 1024


def growth(run: Callable[[int], None]) -> int:
    """Bytes of resident memory that are more after many calls than after some."""
    process = psutil.Process()
    run(CALLS // 10)  # caches and free lists fill up
    gc.collect()
    before = process.memory_info().rss
    run(CALLS)
    gc.collect()
    grown = process.memory_info().rss - before
    print(f"{CALLS} calls: resident memory grew by {grown / 1024:.0f} KiB")
    return grown


def test_tokens(tools: Gate, corp: testing.FakeIssuer) -> None:
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use", act=["a"]) for _ in range(50)]
    forged = [token[:-8] + "AAAAAAAA" for token in tokens[:5]]

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
                assert str(error) and pickle.dumps(error)
        batch = tools.verify_batch(tokens + forged)
        assert [verdict.code for verdict in batch] and list(batch.errors())

    assert growth(run) < SLACK


def test_requests(corp: testing.FakeIssuer, clock: testing.FixedClock) -> None:
    policy = document() | {"dpop": {}, "replay": {"store": "process"}}
    tools = testing.open(policy, issuers={"corp": corp}, clock=clock).gate("tools")
    agent = testing.FakeAgent("agent-7", clock=clock)
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use") for _ in range(50)]
    bound = corp.token(aud=AUDIENCE, scope="mcp:use", bind_to=agent)
    used = agent.headers(tools, "POST", "/mcp", bound)
    assert judged(tools, used).ok
    bearer = [[("Authorization", f"Bearer {token}"), ("Accept", "*/*")] for token in tokens]
    operation = {"scope": "mcp:use"}

    def run(calls: int) -> None:
        for number in range(calls // 20):
            headers = bearer[number % len(bearer)]
            for _ in range(10):
                assert judged(tools, headers, operation=operation).ok
            for _ in range(7):
                assert judged(tools, []).code == "no_token"
            refused = judged(tools, used)
            assert refused.code == "replayed" and refused.error is not None and refused.error.body
            assert judged(tools, used[:1]).error is not None
            awaited = tools.judge_request_async(method="POST", uri="/mcp", headers=headers)
            assert answer_of(awaited).ok

    assert growth(run) < SLACK


def judged(tools: Gate, headers: list[tuple[str, str]], **more: Any) -> Any:
    return tools.judge_request(method="POST", uri="/mcp", headers=headers, **more)


def answer_of(awaited: Any) -> Any:
    """What a coroutine that need not wait has for an answer."""
    try:
        awaited.send(None)
    except StopIteration as answer:
        return answer.value
