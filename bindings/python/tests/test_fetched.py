"""Keys that are fetched: a server on loopback, and nobody waits in a call that judges."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sealgate import KeysUnavailableError, UsageError, Verifier, testing

AUDIENCE = "https://api.example.com/mcp"


class Server(ThreadingHTTPServer):
    status = 200
    answer = b"{}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


def verifier(server: Server, fake: testing.FakeIssuer) -> Verifier:
    """The issuer's keys are at a URL of this machine, which only tests may allow."""
    server.answer = json.dumps(fake.jwks()).encode()
    uri = f"http://localhost:{server.server_port}/keys"
    policy = {
        "version": 1,
        "danger": {"http_loopback_issuers": True},
        "issuers": {"corp": {"issuer": fake.issuer, "jwks_uri": uri}},
        "gates": {"tools": {"profile": "access_token", "audience": AUDIENCE, "issuers": ["corp"]}},
    }
    return Verifier.from_policy(testing.policy(policy, allow_danger=True))


def test_tokens_are_undecided_until_the_keys_are_there(server: Server) -> None:
    fake = testing.FakeIssuer("https://login.example.com", seed=1)
    fetched = verifier(server, fake)
    jwt = fake.token(aud=AUDIENCE)
    verdict = fetched.judge(jwt)
    assert verdict.code == "keys_refreshing"
    assert verdict.error is not None and verdict.error.http_status == 503
    assert verdict.error.headers["Retry-After"] == "1"
    fetched.wait_ready("30s")
    assert fetched.judge(jwt).ok
    state = fetched.keys.state("corp")
    assert (state.source, state.generation, state.last_error) == ("jwks_uri", 1, None)
    assert state.fetched_at is not None and state.next_refresh is not None
    assert state.next_refresh > state.fetched_at
    assert fetched.keys.refresh("corp").generation == 1
    fetched.close()


def test_an_issuer_that_does_not_answer_is_named(server: Server) -> None:
    server.status = 500
    fetched = verifier(server, testing.FakeIssuer("https://login.example.com", seed=1))
    with pytest.raises(KeysUnavailableError) as caught:
        fetched.wait_ready("300ms")
    assert caught.value.issuer_name == "corp"
    assert caught.value.hint is not None and "corp has no usable keys" in caught.value.hint
    with pytest.raises(UsageError):
        fetched.wait_ready("soon")
    fetched.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_fetches_by_itself(server: Server) -> None:
    """As under `gunicorn --preload`: a child has its parent's keys and none of its threads."""
    fake = testing.FakeIssuer("https://login.example.com", seed=1)
    fetched = verifier(server, fake)
    fetched.wait_ready("30s")
    other = testing.FakeIssuer("https://login.example.com", seed=2)
    server.answer = json.dumps(other.jwks()).encode()
    old, new = fake.token(aud=AUDIENCE), other.token(aud=AUDIENCE)
    child = os.fork()
    if child == 0:
        inherited = fetched.judge(old).ok
        wait = threading.Event()
        for _ in range(3_000):
            fetched.keys.refresh("corp")
            if fetched.judge(new).ok:
                os._exit(0 if inherited else 2)
            wait.wait(0.01)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert fetched.judge(old).ok, "the parent was not asked"
    fetched.close()
