"""Calls that are awaited: at once, or when a refresh has settled; under asyncio and under trio."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from sealgate import Gate, KeysUnavailableError, UsageError, testing
from sealgate._async import Waiters

from conftest import AUDIENCE, document
from loopback import Server, fetching

Run = Callable[[Callable[[], Awaitable[Any]]], Any]


def on_asyncio(work: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await work()

    return asyncio.run(main())


def on_trio(work: Callable[[], Awaitable[Any]]) -> Any:
    return trio.run(work)


both = pytest.mark.parametrize("run", [on_asyncio, on_trio])


@pytest.fixture
def held(server: Server) -> Server:
    """It holds its answer until it is told."""
    server.may_answer.clear()
    return server


@pytest.fixture
def fake() -> testing.FakeIssuer:
    return testing.FakeIssuer("https://login.example.com", seed=1)


def waiting() -> int:
    """How many calls wait, in this process."""
    gc.collect()
    found = [thing for thing in gc.get_objects() if isinstance(thing, Waiters)]
    return sum(len(waiters._wakes) for waiters in found)


@both
def test_at_once_where_the_keys_are_there(run: Run, tools: Gate, jwt: str) -> None:
    async def work() -> None:
        assert (await tools.verify_async(jwt)).subject == "u1"
        assert (await tools.verifier.judge_async(jwt)).ok
        assert (await tools.judge_async("x")).code == "malformed_token"
        verdict = await tools.judge_async(jwt, required_scopes=(s for s in ["admin"]))
        assert verdict.code == "insufficient_scope"

    run(work)


def test_without_a_loop_it_need_not_wait(tools: Gate, jwt: str) -> None:
    with pytest.raises(StopIteration) as caught:
        tools.verify_async(jwt).send(None)
    assert caught.value.value.subject == "u1"


@both
def test_a_call_waits_for_the_refresh_that_is_running(
    run: Run, held: Server, fake: testing.FakeIssuer
) -> None:
    fetched = fetching(held, fake)
    jwt = fake.token(aud=AUDIENCE)

    async def work() -> None:
        assert (await fetched.judge_async(jwt, wait="0s")).code == "keys_refreshing"
        held.answer_when_asked()
        assert (await fetched.verify_async(jwt, wait="60s")).subject == "u1"
        assert (await fetched.gate("tools").judge_async(jwt)).ok

    run(work)
    assert waiting() == 0
    fetched.close()


@both
def test_what_is_judged_after_the_wait_is_what_was_given(
    run: Run, held: Server, fake: testing.FakeIssuer
) -> None:
    fetched = fetching(held, fake)
    ours, theirs = (fake.token(sub=sub, aud=AUDIENCE) for sub in ("ours", "them"))
    assert len(ours) == len(theirs)

    async def work() -> None:
        buffer = bytearray(ours.encode())
        field = bytearray(b"Bearer ") + buffer
        calls = [
            fetched.verify_async(memoryview(buffer), wait="60s"),
            fetched.verify_async(buffer, wait="60s"),
            fetched.verify_request_async(
                method="GET", uri="/", headers=[(b"authorization", field)], wait="60s"
            ),
        ]
        # A server reads the next request into the same memory.
        buffer[:] = theirs.encode()
        field[7:] = theirs.encode()
        held.answer_when_asked()
        for call in calls:
            assert (await call).subject == "ours"
        for wrong in (5, None, ["x"]):
            with pytest.raises(UsageError):
                fetched.verify_async(wrong)

    run(work)
    fetched.close()


@both
def test_what_is_required_is_required_after_the_wait_too(
    run: Run, held: Server, fake: testing.FakeIssuer
) -> None:
    fetched = fetching(held, fake)
    jwt = fake.token(aud=AUDIENCE)

    async def work() -> None:
        held.answer_when_asked()
        scopes = iter(["admin"])
        verdict = await fetched.judge_async(jwt, required_scopes=scopes, wait="60s")
        assert verdict.code == "insufficient_scope"

    run(work)
    fetched.close()


@both
def test_no_longer_than_it_is_told(run: Run, held: Server, fake: testing.FakeIssuer) -> None:
    fetched = fetching(held, fake)

    async def work() -> None:
        verdict = await fetched.judge_async(fake.token(aud=AUDIENCE), wait="20ms")
        assert verdict.code == "keys_refreshing"
        with pytest.raises(KeysUnavailableError) as caught:
            await fetched.verify_async(fake.token(aud=AUDIENCE), wait="20ms")
        assert caught.value.code == "keys_refreshing" and caught.value.retry_after == 1
        with pytest.raises(KeysUnavailableError) as caught:
            await fetched.wait_ready_async("20ms")
        assert caught.value.issuer_name == "corp"

    run(work)
    assert waiting() == 0
    fetched.close()


@both
def test_readiness_is_awaited(run: Run, held: Server, fake: testing.FakeIssuer) -> None:
    fetched = fetching(held, fake)

    async def work() -> None:
        held.answer_when_asked()
        await fetched.wait_ready_async("60s")
        assert fetched.judge(fake.token(aud=AUDIENCE)).ok
        await fetched.wait_ready_async()

    run(work)
    fetched.close()


def test_a_thousand_wait_for_one_fetch_without_threads(
    held: Server, fake: testing.FakeIssuer
) -> None:
    fetched = fetching(held, fake)
    jwt = fake.token(aud=AUDIENCE)

    async def main() -> None:
        calls = [asyncio.ensure_future(fetched.verify_async(jwt, wait="60s")) for _ in range(1000)]
        while waiting() < 1000:
            await asyncio.sleep(0)
        threads = threading.active_count()
        held.may_answer.set()
        tokens = await asyncio.gather(*calls)
        assert {token.subject for token in tokens} == {"u1"}
        assert threads < 10

    asyncio.run(main())
    assert held.fetches == 1 and waiting() == 0
    fetched.close()


def test_a_call_that_is_cancelled_leaves_nothing(held: Server, fake: testing.FakeIssuer) -> None:
    fetched = fetching(held, fake)
    jwt = fake.token(aud=AUDIENCE)

    async def under_asyncio() -> None:
        call = asyncio.ensure_future(fetched.verify_async(jwt, wait="60s"))
        while not waiting():
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert waiting() == 0
        loop: Any = asyncio.get_running_loop()
        assert not [timer for timer in loop._scheduled if not timer.cancelled()]

    async def under_trio() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fetched.verify_async, jwt)
            while not waiting():
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        assert waiting() == 0

    asyncio.run(under_asyncio())
    trio.run(under_trio)
    fetched.close()


@both
def test_closing_wakes_those_who_wait(run: Run, held: Server, fake: testing.FakeIssuer) -> None:
    fetched = fetching(held, fake)

    def close() -> None:
        assert held.asked.wait(60)
        fetched.close()

    async def work() -> None:
        threading.Thread(target=close).start()
        verdict = await fetched.judge_async(fake.token(aud=AUDIENCE), wait="60s")
        assert verdict.code == "keys_unavailable"

    run(work)


@both
def test_closing_wakes_those_who_wait_for_readiness(
    run: Run, held: Server, fake: testing.FakeIssuer
) -> None:
    fetched = fetching(held, fake)

    def close() -> None:
        while not waiting():
            pass
        fetched.close()

    async def work() -> None:
        threading.Thread(target=close, daemon=True).start()
        for _ in range(2):  # while it waits, and where it is closed already
            began = time.monotonic()
            with pytest.raises(KeysUnavailableError) as caught:
                await fetched.wait_ready_async("60s")
            assert caught.value.issuer_name == "corp"
            assert time.monotonic() - began < 50

    run(work)
    assert waiting() == 0


def test_a_loop_that_is_over_is_no_trouble(held: Server, fake: testing.FakeIssuer) -> None:
    fetched = fetching(held, fake)
    loop = asyncio.new_event_loop()
    call = loop.create_task(fetched.verify_async(fake.token(aud=AUDIENCE), wait="60s"))
    while not waiting():
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()  # with the call still waiting
    held.may_answer.set()
    fetched.wait_ready("60s")
    assert fetched.judge(fake.token(aud=AUDIENCE)).ok
    call.get_coro().close()
    del call
    fetched.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_waits_by_itself(held: Server, fake: testing.FakeIssuer) -> None:
    fetched = fetching(held, fake)
    jwt = fake.token(aud=AUDIENCE)

    def in_child() -> bool:
        async def again() -> bool:
            return (await fetched.judge_async(jwt, wait="60s")).ok

        fetched.keys.refresh("corp")
        return bool(asyncio.run(again()))

    async def main() -> None:
        call = asyncio.ensure_future(fetched.verify_async(jwt, wait="60s"))
        while not waiting():
            await asyncio.sleep(0)
        assert held.asked.wait(60)
        child = os.fork()
        if child == 0:
            asyncio._set_running_loop(None)
            os._exit(0 if in_child() else 1)
        held.may_answer.set()
        assert (await call).subject == "u1"
        ended = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(ended[1]) == 0

    asyncio.run(main())
    fetched.close()


def test_what_a_request_is_for_is_taken_when_it_is_asked(tools: Gate, jwt: str) -> None:
    """A coroutine judges what its caller has told, whatever becomes of that before it runs."""
    headers: list[tuple[str, str]] = [("Authorization", f"Bearer {jwt}")]
    arguments: dict[str, Any] = {"to": ["a"]}
    operation: dict[str, Any] = {"scope": "mcp:use", "tool": "pay", "arguments": arguments}
    approved: dict[str, Any] = {"issuer": "https://a.example", "authority_set": [{"type": "pay"}]}
    context: list[dict[str, str]] = []
    scopes = ["mcp:use"]
    request: dict[str, Any] = {"headers": headers, "operation": operation, "context": context}

    def ask(**more: Any) -> Any:
        return tools.judge_request_async(
            method="POST", uri="/mcp", required_scopes=scopes, **request, **more
        )

    def answer(asked: Any) -> str:
        with pytest.raises(StopIteration) as caught:
            asked.send(None)
        code: str = caught.value.value.code
        return code

    expected = [answer(ask()), answer(ask(approved=approved))]
    assert expected == ["accepted", "intent_mismatch"]
    asked = [ask(), ask(approved=approved)]
    headers.clear()
    operation["scope"] = "admin"
    arguments["to"] = object()
    approved["authority_set"].append(object())
    context.append({"kind": "txn_token", "token": jwt})
    scopes.append("admin")
    assert [answer(one) for one in asked] == expected


def test_what_a_call_needs_is_read_once(tools: Gate, jwt: str) -> None:
    """Asked again, an iterator would have nothing left to require."""
    fields = [("Authorization", f"Bearer {jwt}")]
    request: dict[str, Any] = {"method": "POST", "uri": "/mcp", "headers": fields}

    async def codes() -> list[str]:
        scopes, classes = (lambda: iter(["admin"])), (lambda: iter(["mfa"]))
        asked = [
            tools.judge_request_async(**request, required_scopes=scopes()),
            tools.judge_request_async(**request, acr_values=classes()),
            tools.judge_async(jwt, acr_values=classes()),
            tools.judge_async(jwt, client_id="another"),
            tools.judge_request_async(**request, nonce="n1"),
            tools.judge_request_async(**request, presenter={"iss": "i", "sub": "s"}),
        ]
        return [(await one).code for one in asked]

    weak, other = "insufficient_user_authentication", "pop_mismatch"
    expected = ["insufficient_scope", weak, weak, other, "missing_claim", "accepted"]
    assert asyncio.run(codes()) == expected


def test_arguments_are_checked(tools: Gate, jwt: str) -> None:
    for wait in (2, "soon", "2"):
        with pytest.raises(UsageError):
            tools.verify_async(jwt, wait=wait)
    with pytest.raises(UsageError):
        tools.judge_async()
    with pytest.raises(UsageError):
        tools.judge_async(jwt, required_scopes="admin")
    with pytest.raises(UsageError):
        tools.verifier.wait_ready_async(10)


def test_one_of_several_gates_must_be_chosen_at_once(
    corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    policy = document()
    policy["gates"]["more"] = policy["gates"]["tools"]
    several = testing.open(policy, issuers={"corp": corp}, clock=clock)
    for call in (several.verify_request_async, several.judge_request_async):
        with pytest.raises(UsageError, match="several gates"):
            call(method="GET", uri="/", headers=[])
    for ask in (several.verify_async, several.judge_async):
        with pytest.raises(UsageError, match="several gates"):
            ask("x.y.z")


def test_nothing_is_imported_that_does_not_run() -> None:
    import subprocess

    program = (
        "import sealgate, sys; from sealgate import testing\n"
        "i = testing.FakeIssuer('https://i.example')\n"
        "p = {'version': 1, 'issuers': {'i': {'issuer': i.issuer, 'jwks_push': 'process',"
        " 'algorithms': ['ES256']}}, 'gates': {'g': {'profile': 'access_token',"
        " 'audience': 'a', 'issuers': ['i']}}}\n"
        "v = testing.open(p, issuers={'i': i})\n"
        "try: v.verify_async(i.token(aud='a')).send(None)\n"
        "except StopIteration as done: print(done.value.subject)\n"
        "print({'asyncio', 'trio', 'anyio'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("u1\nset()\n", "")
