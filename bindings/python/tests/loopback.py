"""A server on this machine, of keys or of answers about tokens, that fails, and holds its answer,
when it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sealgate import Verifier, testing

from conftest import AUDIENCE


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.answer = b"{}"
        self.fetches = 0
        # Where a path has moved to.
        self.moved: dict[str, str] = {}
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def uri(self) -> str:
        return f"http://localhost:{self.server_port}/keys"

    def serve(self, fake: testing.FakeIssuer) -> None:
        """Answers with this issuer's keys from now on."""
        self.answer = json.dumps(fake.jwks()).encode()

    def answer_when_asked(self) -> None:
        """Stops holding its answer as soon as somebody has asked for it."""

        def work() -> None:
            assert self.asked.wait(60)
            self.may_answer.set()

        threading.Thread(target=work, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.set()
        assert self.server.may_answer.wait(60)
        self.server.fetches += 1
        if target := self.server.moved.get(self.path):
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as served:
        threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True).start()
        yield served
        served.may_answer.set()
        served.shutdown()


def fetching(server: Server, fake: testing.FakeIssuer) -> Verifier:
    """A verifier of this issuer's tokens that fetches its keys from the server."""
    server.serve(fake)
    policy = {
        "version": 1,
        "danger": {"http_loopback_issuers": True},
        "issuers": {"corp": {"issuer": fake.issuer, "jwks_uri": server.uri}},
        "gates": {"tools": {"profile": "access_token", "audience": AUDIENCE, "issuers": ["corp"]}},
    }
    return Verifier.from_policy(testing.policy(policy, allow_danger=True))
