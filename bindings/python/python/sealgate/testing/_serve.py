"""A fake issuer that answers on this machine, for tests that fetch."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from .._native import FixedClock
from ._fakes import FakeIssuer

_HOST = "127.0.0.1"


class ServedIssuer(FakeIssuer):
    """A `FakeIssuer` whose metadata and keys can be fetched from this machine, until it is closed.

    It comes from `FakeIssuer.serve`. What `rotate` and `withdraw` do is served from the next fetch
    on.
    """

    def __init__(
        self, issuer: str | None, *, clock: FixedClock | None, seed: int, alg: str, name: str
    ) -> None:
        self._server = _Server((_HOST, 0), _Handler)
        self._url = f"http://{_HOST}:{self._server.server_port}"
        super().__init__(issuer or self._url, clock=clock, seed=seed, alg=alg, name=name)
        self._server.issuer = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sealgate-issuer", daemon=True
        )
        self._thread.start()

    @property
    def jwks_uri(self) -> str:
        """Where its JWK Set is."""
        return f"{self._url}/jwks"

    def metadata(self) -> dict[str, Any]:
        """Its metadata (RFC 8414, OpenID Connect Discovery)."""
        return {
            "issuer": self.issuer,
            "jwks_uri": self.jwks_uri,
            "authorization_endpoint": f"{self._url}/authorize",
            "token_endpoint": f"{self._url}/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.alg],
        }

    def close(self) -> None:
        """Answers nobody any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> ServedIssuer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(self, path: str) -> dict[str, Any] | None:
        if path == "/jwks":
            return self.jwks()
        known = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
        return self.metadata() if path in known else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    issuer: ServedIssuer


class _Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds; nobody keeps a thread by saying nothing

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        answer = self.server.issuer._answer(self.path)
        body = json.dumps(answer or {}).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests are somebody else's."""
