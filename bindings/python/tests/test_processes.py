"""Threads that run in parallel, processes that fork, interpreters that refuse."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sealgate import Gate, Policy, testing

from conftest import AUDIENCE, document


def test_threads_agree(tools: Gate, corp: testing.FakeIssuer) -> None:
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use") for _ in range(50)]
    tokens += [token[:-8] + "AAAAAAAA" for token in tokens]

    def judge(token: str) -> bool:
        return tools.judge(token).ok

    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(judge, tokens * 20))
    assert verdicts == ([True] * 50 + [False] * 50) * 20


def test_views_are_made_once_under_threads(tools: Gate, jwt: str) -> None:
    token = tools.verify(jwt)
    start = threading.Barrier(8)

    def touch(_: int) -> int:
        start.wait()
        return id(token.claims)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(touch, range(8)))) == 1


def test_one_proof_gives_one_accept_under_threads(
    corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    policy = document() | {"dpop": {}, "replay": {"store": "process"}}
    tools = testing.open(policy, issuers={"corp": corp}, clock=clock).gate("tools")
    agent = testing.FakeAgent("agent-7", clock=clock)
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", bind_to=agent)
    start = threading.Barrier(16)

    def judge(headers: list[tuple[str, str]]) -> str:
        start.wait()
        return tools.judge_request(method="POST", uri="/mcp", headers=headers).code

    with ThreadPoolExecutor(16) as pool:
        for _ in range(20):
            proof = agent.headers(tools, "POST", "/mcp", jwt)
            codes = sorted(pool.map(judge, [proof] * 16))
            assert codes == ["accepted"] + ["replayed"] * 15


def test_a_reload_under_threads(
    tools: Gate, corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    """Each verdict is by one policy or the other, whole; nobody meets anything between."""
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use") for _ in range(50)]
    stop = threading.Event()
    before = tools.verifier.policy
    stricter = before.to_dict()
    stricter["gates"]["tools"]["required_scopes"] = ["admin"]
    after = Policy(stricter)
    digests = {before.digest: "accepted", after.digest: "insufficient_scope"}

    def work() -> set[str]:
        codes: set[str] = set()
        while not stop.is_set():
            codes |= {verdict.code for verdict in map(tools.judge, tokens)}
            batch = tools.verify_batch(tokens)
            assert batch.counts == {digests[batch.snapshot.policy]: 50}
        return codes

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(work) for _ in range(3)]
        for number in range(40):
            tools.verifier.reload(before if number % 2 else after)
        stop.set()
        codes = set().union(*(one.result() for one in running))
    assert codes <= set(digests.values())
    assert tools.judge(tokens[0]).ok


@pytest.mark.parametrize("call", ["verify", "verify_batch"])
def test_others_run_while_tokens_are_verified(
    tools: Gate, corp: testing.FakeIssuer, call: str
) -> None:
    """A thread that waits for the interpreter gets it although nobody's turn ends for an hour."""
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use") for _ in range(500)]
    go, ran, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        go.wait()
        ran.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600)
    try:
        go.set()
        assert not ran.is_set(), "it has no turn before somebody lets go"
        if call == "verify":
            for token in tokens:
                tools.verify(token)
        else:
            tools.verify_batch(tokens)
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        done.set()
    thread.join(60)


def in_child(work: Callable[[], bool]) -> bool:
    """Whether `work` is true in a forked child, within a minute."""
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(not work()))
    child.start()
    child.join(60)
    if child.is_alive():
        child.kill()
        child.join()
        return False
    return child.exitcode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_children_verify(tools: Gate, corp: testing.FakeIssuer, jwt: str) -> None:
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use") for _ in range(200)]
    assert tools.verify_batch(tokens).accepted == 200, "the parent has a pool of its own now"

    def work() -> bool:
        fresh = corp.token(aud=AUDIENCE, scope="mcp:use")
        more = [corp.token(aud=AUDIENCE, scope="mcp:use") for _ in range(200)]
        batch = tools.verify_batch(more)
        corp.rotate()
        grandchild = in_child(lambda: tools.verify_batch(more).accepted == 200)
        return (
            tools.judge(jwt).ok and tools.judge(fresh).ok and batch.accepted == 200 and grandchild
        )

    assert in_child(work)
    assert tools.verify_batch(tokens).accepted == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_children_forked_in_the_midst_of_work(tools: Gate, corp: testing.FakeIssuer) -> None:
    tokens = [corp.token(aud=AUDIENCE, scope="mcp:use") for _ in range(100)]
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            tools.verify_batch(tokens)
            tools.judge(tokens[0])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            assert in_child(lambda: tools.verify_batch(tokens).accepted == 100)
    finally:
        stop.set()
    for thread in threads:
        thread.join()


def python(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("end", ["verifier.close()", "pass"])
def test_what_no_store_has_is_told_when_the_process_ends(end: str) -> None:
    done = python(
        f"""
        import logging, os
        from sealgate import Handle, Verifier, testing
        logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
        os.environ["STORE"] = "redis://127.0.0.1:1"  # nobody is there
        corp = testing.FakeIssuer("https://login.example.com", seed=1000)
        verifier = Verifier(
            issuer=corp.issuer, audience="api", jwks=corp.jwks(), revocation={{"store": "fleet"}},
            stores={{"fleet": {{"kind": "redis", "url": {{"env": "STORE"}}}}}},
        )
        revocations = verifier.revocations
        assert not revocations.revoke(Handle.subject(iss=corp.issuer, sub="u1")).delivered
        {end}
        """
    )
    told = [line for line in done.stderr.splitlines() if "undelivered" in line]
    assert (done.returncode, len(told)) == (0, 1), done.stderr
    assert told[0].startswith("WARNING revocations_undelivered: fleet is not known to have 1 ")


def test_the_import_is_quiet_and_alone() -> None:
    done = python(
        """
        import sys
        before = set(sys.modules)
        import sealgate
        third = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(*sorted(third - set(sys.stdlib_module_names)))
        """
    )
    assert (done.stdout, done.stderr) == ("sealgate\n", "")


def test_sub_interpreters_refuse_cleanly() -> None:
    done = python(
        """
        import sealgate
        try:
            import _interpreters as interpreters  # 3.13
        except ImportError:
            import _xxsubinterpreters as interpreters
        other = interpreters.create()
        try:
            failed = interpreters.run_string(other, "import sealgate")
            assert failed is not None and "ImportError" in str(failed), failed
        except interpreters.RunFailedError as error:
            assert "ImportError" in str(error), error
        interpreters.destroy(other)
        print(sealgate.Verifier.__name__)
        """
    )
    assert done.stdout == "Verifier\n", done.stderr


def test_a_process_ends_while_it_verifies() -> None:
    done = python(
        """
        import os, threading
        from sealgate import testing
        issuer = testing.FakeIssuer("https://i.example", seed=1)
        policy = {"version": 1, "issuers": {"i": {"issuer": "https://i.example",
                  "discovery": "oauth", "algorithms": ["ES256"]}},
                  "gates": {"g": {"profile": "access_token", "audience": "a", "issuers": ["i"]}}}
        gate = testing.open(policy, issuers={"i": issuer}).gate("g")
        tokens = [issuer.token(aud="a") for _ in range(500)] * 20
        started = threading.Event()
        def work():
            started.set()
            while True:
                gate.verify_batch(tokens)
        threading.Thread(target=work, daemon=True).start()
        started.wait()
        print("done")
        """
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
