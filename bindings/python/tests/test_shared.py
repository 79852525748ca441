"""Revocations in a store that processes share: what one of them revokes, all of them refuse."""

from __future__ import annotations

import asyncio
import dataclasses
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trio

from sealgate import (
    Handle,
    PolicyError,
    RevocationUnavailableError,
    StoreState,
    UsageError,
    Verifier,
    testing,
)

from conftest import AUDIENCE, ISSUER, NOW, document
from servers import StoreServer, served

WELL = StoreState("local", "host", 0.0, 0, 0, None)
Open = Callable[..., Verifier]


@pytest.fixture
def opened(corp: testing.FakeIssuer, clock: testing.FixedClock) -> Iterator[Open]:
    """Makes verifiers over a store named `local`; `testing.open` would share nothing. Their time
    stands still, so that no verification finds the news overdue and rings."""
    with ExitStack() as stack:

        def make(store: Any, **revocation: Any) -> Verifier:
            policy = document() | {"revocation": {"store": "local"} | revocation}
            policy["stores"] = {"local": store}
            policy["issuers"]["corp"] = {
                "issuer": ISSUER,
                "jwks_push": "process",
                "algorithms": ["ES256"],
            }
            del policy["issuers"]["silent"]
            policy["gates"]["tools"]["issuers"] = ["corp"]
            verifier = stack.enter_context(Verifier.from_policy(policy, clock=clock))
            verifier.keys.publish("corp", corp.jwks())
            return verifier

        yield make


def local(path: Path) -> dict[str, Any]:
    return {"kind": "file", "path": str(path)}


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A store of this kind, at a server of its own where it needs one."""
    if request.param == "file":
        yield local(tmp_path / "store")
        return
    server = StoreServer(request.param, tmp_path)
    yield server.store
    server.kill()


def agent(name: str) -> Handle:
    return Handle.actor(iss=ISSUER, sub=name)


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within a minute."""
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            return False
        os.sched_yield()
    return True


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("store", ["file", "redis", "nats"], indirect=True)
def test_what_parent_or_child_revokes_both_refuse(
    opened: Open, corp: testing.FakeIssuer, store: dict[str, Any]
) -> None:
    verifier = opened(store)
    verifier.wait_ready("60s")
    reach, is_local = ("host", True) if store["kind"] == "file" else ("fleet", False)
    names = ("agent-7", "agent-8", "agent-9")
    before, later, back = (corp.token(aud=AUDIENCE, scope="mcp:use", act=[name]) for name in names)
    verifier.revocations.revoke(agent("agent-7"))
    ends = multiprocessing.get_context("fork").Pipe()

    def code(jwt: str) -> str:
        return verifier.judge(jwt).code

    def work() -> None:
        codes = [code(jwt) for jwt in (before, later, back)]
        ends[1].send(codes)
        assert until(lambda: code(later) == "revoked"), "nothing reads in the child"
        receipt = verifier.revocations.revoke(agent("agent-9"))
        ends[1].send((receipt.reach, receipt.delivered, code(back)))
        ends[1].send((verifier.revocations.flush("60s"), verifier.revocations.store()))

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    try:
        assert ends[0].poll(60) and ends[0].recv() == ["revoked", "accepted", "accepted"]
        assert verifier.revocations.revoke(agent("agent-8")).delivered == is_local
        assert ends[0].poll(90) and ends[0].recv() == (reach, is_local, "revoked")
        stands = dataclasses.replace(WELL, reach=reach)
        assert ends[0].poll(90) and ends[0].recv() == (True, stands)
        assert until(lambda: code(back) == "revoked")
    finally:
        child.kill()
        child.join(60)


def test_a_verdict_and_the_counters_name_the_store(opened: Open, jwt: str, tmp_path: Path) -> None:
    verifier = opened(local(tmp_path / "store"))
    revocations = verifier.revocations
    verifier.wait_ready("60s")
    assert revocations.flush() and revocations.store() == WELL
    check = verifier.verify(jwt).revocation
    assert dataclasses.astuple(check) == (True, "local", 0, 0.0)
    stats = verifier.stats()["revocations"]
    told = [stats[name] for name in ("store", "reach", "undelivered", "unreadable")]
    assert told == ["local", "host", 0, 0]


@pytest.mark.parametrize("store", ["process", "off"])
def test_where_processes_share_none_nothing_is_waited_for(
    store: str, corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    policy = document() | {"revocation": {"store": store}}
    revocations = testing.open(policy, issuers={"corp": corp}, clock=clock).revocations
    assert revocations.store() is None
    assert revocations.flush("1h") and asyncio.run(revocations.flush_async("1h"))


@pytest.mark.parametrize("timeout", [5, "soon", True, b"1s"])
def test_a_timeout_is_a_duration(verifier: Verifier, timeout: Any) -> None:
    for flush in (verifier.revocations.flush, verifier.revocations.flush_async):
        with pytest.raises(UsageError, match="duration"):
            flush(timeout)


def in_asyncio(verifier: Verifier, mend: Callable[[], None]) -> bool:
    async def flush() -> bool:
        asyncio.get_running_loop().call_soon(mend)
        return await asyncio.wait_for(verifier.revocations.flush_async("1h"), 60)

    return asyncio.run(flush())


def in_trio(verifier: Verifier, mend: Callable[[], None]) -> bool:
    async def flush() -> bool:
        trio.lowlevel.current_trio_token().run_sync_soon(mend)
        with trio.fail_after(60):
            return await verifier.revocations.flush_async("1h")

    return trio.run(flush)


def in_a_thread(verifier: Verifier, mend: Callable[[], None]) -> bool:
    thread = threading.Thread(target=mend)  # that must get its turn
    thread.start()
    flushed = verifier.revocations.flush("60s")
    thread.join(60)
    return flushed


@pytest.mark.parametrize("flush", [in_a_thread, in_asyncio, in_trio])
def test_what_cannot_be_written_is_in_force_and_written_later(
    opened: Open,
    corp: testing.FakeIssuer,
    tmp_path: Path,
    flush: Callable[[Verifier, Callable[[], None]], bool],
) -> None:
    path = tmp_path / "store"
    path.write_text("where the folder should be")
    verifier = opened(local(path))
    revocations = verifier.revocations
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", act=["agent-7"])
    assert verifier.judge(jwt).code == "revocation_unavailable"
    with pytest.raises(RevocationUnavailableError):
        verifier.wait_ready("0s")
    receipt = revocations.revoke(agent("agent-7"))
    assert (receipt.epoch, receipt.reach, receipt.delivered) == (1, "host", False)
    assert not revocations.flush("0s") and not asyncio.run(revocations.flush_async("0s"))
    state = revocations.store()
    assert state and (state.staleness, state.undelivered) == (None, 1) and state.last_error

    assert flush(verifier, path.unlink)
    assert until(lambda: revocations.store() == WELL)
    assert verifier.judge(jwt).code == "revoked"
    assert opened(local(path)).judge(jwt).code == "revoked"


@pytest.mark.parametrize("run", [asyncio.run, trio.run])
def test_news_of_the_store_is_awaited(
    opened: Open, tmp_path: Path, run: Callable[[Callable[[], Any]], None]
) -> None:
    path = tmp_path / "store"
    path.write_text("where the folder should be")
    verifier = opened(local(path))

    async def work() -> None:
        with pytest.raises(RevocationUnavailableError):
            await verifier.wait_ready_async("20ms")
        path.unlink()
        await verifier.wait_ready_async("60s")

    run(work() if run is asyncio.run else work)  # type: ignore[arg-type]
    assert verifier.revocations.store() == WELL


def test_nothing_is_revoked_that_nobody_would_deliver(opened: Open, tmp_path: Path) -> None:
    verifier = opened(local(tmp_path / "store"))
    verifier.wait_ready("60s")
    verifier.close()
    for call in (verifier.revocations.revoke, verifier.revocations.lift):
        with pytest.raises(UsageError, match="was closed"):
            call(agent("agent-7"))


def test_ctrl_c_ends_a_flush(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("where the folder should be")
    verifier = opened(local(tmp_path / "store"))
    verifier.revocations.revoke(agent("agent-7"))
    # A shell that runs the tests in its background has them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    presser = threading.Timer(0, os.kill, (os.getpid(), signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt):
            presser.start()
            verifier.revocations.flush("60s")
    finally:
        signal.signal(signal.SIGINT, before)
    presser.join(60)


@pytest.mark.parametrize("kind", ["redis", "nats"])
def test_a_server_that_says_nothing_holds_nobody_up(
    opened: Open, jwt: str, tmp_path: Path, kind: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        verifier = opened(served(kind, server.getsockname()[1], tmp_path))
        assert verifier.judge(jwt).code == "revocation_unavailable"
        receipt = verifier.revocations.revoke(agent("agent-7"))
        assert (receipt.reach, receipt.delivered) == ("fleet", False)
        assert not verifier.revocations.flush("100ms")
        state = verifier.revocations.store()
        assert state and (state.reach, state.undelivered) == ("fleet", 1)


def test_the_short_form_has_stores(tmp_path: Path) -> None:
    common: Any = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_push": "process"}
    shared = {"store": "local", "max_staleness": "30s", "on_stale": "accept_marked"}
    stores = {"local": local(tmp_path / "store")}
    clock = testing.FixedClock(NOW)
    with Verifier(**common, stores=stores, revocation=shared, clock=clock) as verifier:
        assert verifier.revocations.store() == WELL
        document = verifier.policy.to_dict()
        assert (document["stores"], document["revocation"]) == (stores, shared)
    with pytest.raises(PolicyError) as caught:
        Verifier(**common, stores={"my_store": {"kind": "file"}}, revocation={"store": "other"})
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"stores.my_store.path", "revocation.store"}
