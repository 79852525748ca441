"""Used proofs in a file store: of the processes of one host, one takes a proof."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import sealgate
from sealgate import Gate, Verifier, testing

from conftest import AUDIENCE, ISSUER, NOW, document

WORKERS = 4
Headers = list[tuple[str, str]]


def issuer(clock: testing.FixedClock) -> testing.FakeIssuer:
    return testing.FakeIssuer(ISSUER, clock=clock, seed=1000)


def opened(folder: Path | str) -> Gate:
    """What each process has: one policy, issuer and moment. `testing.open` would share nothing."""
    clock = testing.FixedClock(NOW)
    corp = issuer(clock)
    policy = document() | {"dpop": {}, "replay": {"store": "local"}}
    policy["stores"] = {"local": {"kind": "file", "path": str(folder)}}
    policy["issuers"]["corp"] = {"issuer": ISSUER, "jwks_push": "process", "algorithms": ["ES256"]}
    verifier = Verifier.from_policy(policy, clock=clock)
    verifier.keys.publish("corp", corp.jwks())
    return verifier.gate("tools")


AGENT = testing.FakeAgent("agent-7", clock=testing.FixedClock(NOW))


def request(jwt: str) -> Headers:
    """What the agent sends: its token, and a new proof each time."""
    proof = AGENT.proof("POST", "https://api.example.com/mcp", jwt)
    return [("Authorization", f"DPoP {jwt}"), ("DPoP", proof)]


@pytest.fixture
def jwt(clock: testing.FixedClock) -> str:
    return issuer(clock).token(sub="u1", aud=AUDIENCE, scope="mcp:use", bind_to=AGENT)


def judge(gate: Gate, proofs: list[Headers]) -> list[str]:
    return [gate.judge_request(method="POST", uri="/mcp", headers=one).code for one in proofs]


def once_each(answers: list[list[str]]) -> bool:
    """Whether of the answers to each proof one is a yes."""
    expected = ["accepted"] + ["replayed"] * (len(answers) - 1)
    return all(sorted(each) == expected for each in zip(*answers, strict=True))


def spawned(folder: str, own: int, proofs: list[Headers], start: Any, answers: Any) -> None:
    """Each is first with a proof of its own, so that they meet whatever the scheduler does."""
    gate = opened(folder)
    start.wait(60)
    first = judge(gate, proofs[own : own + 1])
    start.wait(60)
    others = judge(gate, proofs[:own] + proofs[own + 1 :])
    answers.put(others[:own] + first + others[own:])


def test_of_four_processes_one_takes_a_proof(tmp_path: Path, jwt: str) -> None:
    folder = tmp_path / "store"
    gate = opened(folder)
    assert {one.path for one in gate.verifier.policy.warnings} == {
        "issuers.corp.jwks_push",
        "issuers.silent.jwks_push",
    }
    proofs = [request(jwt) for _ in range(200)]
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(WORKERS), context.Queue()
    children = [
        context.Process(target=spawned, args=(str(folder), own, proofs, start, answers))
        for own in range(WORKERS)
    ]
    for child in children:
        child.start()
    given = [answers.get(timeout=120) for _ in children]
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert once_each(given)
    assert all("accepted" in codes for codes in given)
    # Who comes later knows as well, and how far it reaches.
    assert set(judge(gate, proofs)) == {"replayed"}
    token = gate.verify_request(method="POST", uri="/mcp", headers=request(jwt))
    assert token.replay_reach == "host"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_children_share_what_the_parent_opened(tmp_path: Path, jwt: str) -> None:
    """As `gunicorn --preload` has it."""
    gate = opened(tmp_path)
    proofs = [request(jwt) for _ in range(200)]
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(WORKERS), context.Queue()

    def work() -> None:
        start.wait(60)
        answers.put(judge(gate, proofs))

    children = [context.Process(target=work) for _ in range(WORKERS)]
    for child in children:
        child.start()
    given = [answers.get(timeout=120) for _ in children]
    for child in children:
        child.join(60)
    assert once_each(given)
    assert set(judge(gate, proofs)) == {"replayed"}


APP = """
import json, os, sys
sys.path.insert(0, os.environ["TESTS"])
from test_hosts import opened
gate = opened(os.environ["STORE"])

async def app(scope, receive, send):
    assert scope["type"] == "http"
    body = json.dumps([gate.judge_request(scope).code, os.getpid()]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


def test_four_workers_of_uvicorn(tmp_path: Path, jwt: str) -> None:
    (tmp_path / "served.py").write_text(APP)
    environment = os.environ | {
        "STORE": str(tmp_path / "store"),
        "TESTS": str(Path(__file__).parent),
    }
    command = [sys.executable, "-m", "uvicorn", "served:app", "--app-dir", str(tmp_path)]
    command += ["--workers", str(WORKERS), "--port", "0", "--lifespan", "off", "--no-access-log"]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        ready, port = 0, 0
        for line in server.stderr:
            if "running on http" in line:
                port = int(line.split("127.0.0.1:")[1].split()[0])
            ready += "Started server process" in line
            if ready == WORKERS:
                break
        assert port, "it did not start"

        def post(headers: Headers) -> list[Any]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/mcp", headers=dict(headers))
            answer: list[Any] = json.loads(connection.getresponse().read())
            connection.close()
            return answer

        workers = set()
        with ThreadPoolExecutor(16) as pool:
            for _ in range(20):
                answers = list(pool.map(post, [request(jwt)] * 16))
                codes = Counter(code for code, _ in answers)
                assert codes == {"accepted": 1, "replayed": 15}
                workers |= {process for _, process in answers}
        assert len(workers) > 1, "several workers were asked"
    finally:
        server.terminate()
        server.communicate(timeout=60)


def test_a_store_that_cannot_be_opened_refuses_the_policy(tmp_path: Path) -> None:
    (tmp_path / "proofs").write_text("something else")
    with pytest.raises(sealgate.PolicyError, match=r"replay\.store.*is no table of used proofs"):
        opened(tmp_path)
