"""Used proofs at a server: asked about without blocking an event loop, and by one that is gone."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from sealgate import Gate, ReplayError, UsageError, Verifier, _answers, testing

from conftest import AUDIENCE, ISSUER, NOW, document
from servers import SilentServer, StoreServer
from test_async import both, on_asyncio, on_trio

Run = Callable[[Callable[[], Awaitable[Any]]], Any]

kinds = pytest.mark.parametrize("server", ["redis", "nats"], indirect=True)


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    server = StoreServer(request.param, tmp_path)
    yield server
    server.kill()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[SilentServer]:
    server = SilentServer(tmp_path)
    yield server
    server.close()


class Caller:
    """An agent at a gate whose used proofs are in this store."""

    def __init__(self, store: dict[str, Any], **replay: Any) -> None:
        clock = testing.FixedClock(NOW)
        self.agent = testing.FakeAgent("agent-7", clock=clock)
        corp = testing.FakeIssuer(ISSUER, clock=clock, seed=1000)
        policy = document() | {"dpop": {}, "replay": {"store": "fleet"} | replay}
        policy["stores"] = {"fleet": store}
        keys = {"issuer": ISSUER, "jwks_push": "process", "algorithms": ["ES256"]}
        policy["issuers"]["corp"] = keys
        self.verifier = Verifier.from_policy(policy, clock=clock)
        self.verifier.keys.publish("corp", corp.jwks())
        self.gate: Gate = self.verifier.gate("tools")
        self.jwt = corp.token(sub="u1", aud=AUDIENCE, scope="mcp:use", bind_to=self.agent)

    def request(self) -> dict[str, Any]:
        """With a proof of its own each time."""
        headers = self.agent.headers(self.gate, "POST", "/mcp", self.jwt)
        return {"method": "POST", "uri": "/mcp", "headers": headers}


class Transactions:
    """A gate whose transactions are good once, as this store remembers them."""

    def __init__(self, store: dict[str, Any]) -> None:
        clock = testing.FixedClock(NOW)
        self._issuer = testing.FakeIssuer(ISSUER, clock=clock, seed=1000)
        keys = {"issuer": ISSUER, "jwks_push": "process", "algorithms": ["ES256"]}
        gate = {"profile": "txn_token", "audience": "td.example", "issuers": ["tts"]}
        policy = {
            "version": 1,
            "issuers": {"tts": keys | {"profiles": ["txn_token"]}},
            "gates": {"calls": gate | {"transactions": {"use": "once"}}},
            "replay": {"store": "fleet"},
            "stores": {"fleet": store},
        }
        verifier = Verifier.from_policy(policy, clock=clock)
        verifier.keys.publish("tts", self._issuer.jwks())
        self.gate: Gate = verifier.gate("calls")

    def token(self, name: str) -> str:
        claims = {"iss": ISSUER, "sub": "u1", "aud": "td.example", "txn": name, "scope": "trade"}
        claims |= {"req_wl": "gw.td.example", "iat": NOW, "exp": NOW + 300}
        return self._issuer.sign(claims, {"typ": "txntoken+jwt"})


async def at_once(calls: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """What they give, under whichever runs."""
    answers: list[Any] = []

    async def one(call: Callable[[], Awaitable[Any]]) -> None:
        answers.append(await call())

    async with trio.open_nursery() as nursery:
        for call in calls:
            nursery.start_soon(one, call)
    return answers


async def gathered(run: Run, calls: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    if run.__name__ == "on_trio":
        return await at_once(calls)
    return list(await asyncio.gather(*[call() for call in calls]))


@both
@kinds
def test_of_sixty_four_with_one_proof_one_is_accepted(run: Run, server: StoreServer) -> None:
    caller = Caller(server.store)
    shown = caller.request()

    async def main() -> None:
        calls = [lambda: caller.gate.judge_request_async(**shown)] * 64
        codes = Counter(verdict.code for verdict in await gathered(run, calls))
        assert codes == {"accepted": 1, "replayed": 63}
        with pytest.raises(ReplayError):
            await caller.gate.verify_request_async(**shown)
        token = await caller.verifier.verify_request_async(**caller.request())
        assert (token.subject, token.replay_reach) == ("u1", "fleet")

    run(main)
    # Whoever may wait asks the same server.
    assert caller.gate.judge_request(**shown).code == "replayed"
    assert caller.gate.verify_request(**caller.request()).replay_reach == "fleet"


@pytest.mark.parametrize(
    "run, server",
    [(on_asyncio, "redis"), (on_trio, "redis"), (on_asyncio, "nats")],
    indirect=["server"],
)
def test_without_its_server_it_is_undecided_until_it_is_back(run: Run, server: StoreServer) -> None:
    caller = Caller(server.store)

    async def judged() -> Any:
        return await caller.gate.judge_request_async(**caller.request())

    assert run(judged).ok
    server.kill()
    refused = run(judged)
    assert refused.code == "replay_unavailable"
    assert (refused.error.http_status, refused.error.www_authenticate) == (503, None)
    assert refused.error.retry_after is not None
    counts = {"store": "fleet", "reach": "fleet", "asked": 2, "unanswered": 1}
    assert caller.verifier.stats()["proofs"] == counts
    server.start()
    assert run(judged).ok


@both
def test_the_loop_goes_on_while_a_server_is_asked(run: Run, silent: SilentServer) -> None:
    caller = Caller(silent.store)
    request = caller.request()
    pause = trio.sleep if run.__name__ == "on_trio" else asyncio.sleep

    async def turns() -> int:
        line = await in_thread(silent.asked)
        turns = 0
        for _ in range(100):  # before it has an answer
            await pause(0)
            turns += 1
        # What needs no server is answered meanwhile, and what explains asks none.
        assert (await caller.gate.judge_request_async(method="GET", uri="/", headers=[])).code == (
            "no_token"
        )
        assert caller.gate.explain_request(**request).ok
        line.close()
        return turns

    async def in_thread(work: Callable[[], Any]) -> Any:
        if run.__name__ == "on_trio":
            return await trio.to_thread.run_sync(work)
        return await asyncio.to_thread(work)

    async def judged() -> str:
        verdict = await caller.gate.judge_request_async(**request)
        return str(verdict.code)

    async def main() -> list[Any]:
        return await gathered(run, [judged, turns])

    assert set(run(main)) == {"replay_unavailable", 100}


def test_one_whose_wake_fails_holds_up_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    put, woken = _answers.put(), threading.Event()

    def fails() -> None:
        raise LookupError("of one who waits")

    put(fails)
    put(woken.set)
    assert woken.wait(60)
    assert "of one who waits" in capsys.readouterr().err


@both
def test_no_call_stops_a_loop_to_wait_for_a_server(run: Run, silent: SilentServer) -> None:
    caller, transactions = Caller(silent.store), Transactions(silent.store)
    request, gate, jwt = caller.request(), transactions.gate, transactions.token("x1")
    calls: list[Callable[[], Any]] = [
        lambda: caller.gate.verify_request(**request),
        lambda: caller.gate.judge_request(**request),
        lambda: caller.gate.trace(**request),
        lambda: gate.verify(jwt),
        lambda: gate.judge(jwt),
        lambda: gate.verify_chain(jwt, []),
        lambda: gate.verify_batch([jwt]),
    ]

    async def main() -> None:
        for call in calls:
            with pytest.raises(UsageError, match=r"runs an event loop.*verify_request_async"):
                call()
        # What waits for nobody is answered there as anywhere.
        assert caller.gate.judge(caller.jwt).code == "pop_required"
        assert gate.explain(jwt).ok

    run(main)


@both
def test_a_token_that_is_good_once_is_asked_about_too(run: Run, tmp_path: Path) -> None:
    server = StoreServer("redis", tmp_path)
    transactions = Transactions(server.store)
    gate, jwt = transactions.gate, transactions.token("x1")

    async def main() -> None:
        calls = [lambda: gate.judge_async(jwt)] * 16
        codes = Counter(verdict.code for verdict in await gathered(run, calls))
        assert codes == {"accepted": 1, "replayed": 15}
        with pytest.raises(ReplayError):
            await gate.verify_async(jwt)
        token = await gate.verify_async(transactions.token("x2"))
        assert (token.subject, token.replay_reach) == ("u1", "fleet")

    run(main)
    # Whoever may wait asks the same server.
    assert gate.judge(jwt).code == "replayed"
    assert gate.verify(transactions.token("x3")).replay_reach == "fleet"
    batch = gate.verify_batch([jwt, transactions.token("x4")])
    assert [verdict.code for verdict in batch] == ["replayed", "accepted"]
    server.kill()


@pytest.mark.parametrize("of", ["proof", "token"])
def test_a_call_of_a_thread_releases_the_interpreter(silent: SilentServer, of: str) -> None:
    caller, transactions = Caller(silent.store), Transactions(silent.store)
    codes: list[str] = []

    def judge() -> None:
        if of == "proof":
            codes.append(caller.gate.judge_request(**caller.request()).code)
        else:
            codes.append(transactions.gate.judge(transactions.token("x1")).code)

    thread = threading.Thread(target=judge)
    thread.start()
    silent.asked().close()  # which this thread could not, were the interpreter held
    thread.join(60)
    assert codes == ["replay_unavailable"]


@both
def test_who_is_cancelled_waits_no_more(run: Run, silent: SilentServer) -> None:
    caller = Caller(silent.store)

    async def judged() -> Any:
        return await caller.gate.judge_request_async(**caller.request())

    async def main() -> None:
        if run.__name__ == "on_trio":
            with trio.move_on_after(0.01) as scope:
                await judged()
            assert scope.cancelled_caught
        else:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(judged(), 0.01)

    run(main)
    silent.asked().close()


def test_a_policy_may_accept_and_mark_what_nobody_answers(silent: SilentServer) -> None:
    caller = Caller(silent.store, on_unavailable="accept_marked")
    silent.close()
    token = asyncio.run(caller.gate.verify_request_async(**caller.request()))
    assert (token.sender_constrained, token.replay_reach) == ("dpop", None)


def test_a_task_of_neither_asks_nobody(silent: SilentServer) -> None:
    caller = Caller(silent.store)
    task = caller.gate.judge_request_async(**caller.request())
    with pytest.raises(UsageError, match="neither asyncio nor trio"):
        task.send(None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@kinds
def test_a_forked_child_asks_by_itself(server: StoreServer) -> None:
    caller = Caller(server.store)
    shown = caller.request()

    def judged(request: dict[str, Any]) -> str:
        verdict = asyncio.run(caller.gate.judge_request_async(**request))
        return str(verdict.code)

    assert judged(shown) == "accepted"
    own = caller.request()
    child = os.fork()
    if child == 0:
        well = (judged(shown), judged(own)) == ("replayed", "accepted")
        os._exit(0 if well else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert judged(own) == "replayed"
