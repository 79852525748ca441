"""Requests as servers have them: real ones, over loopback, and what they must not lose."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import flask
import pytest
import uvicorn
import werkzeug.serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

import sealgate
from sealgate import Gate, PossessionError, UsageError, single_valued, testing

from conftest import AUDIENCE, NOW, document

AGENT = testing.FakeAgent("spiffe://example.com/agents/research/7")
Headers = list[tuple[str, str]]


@pytest.fixture
def tools(clock: testing.FixedClock, corp: testing.FakeIssuer) -> Gate:
    policy = document() | {"dpop": {}, "replay": {"store": "process"}}
    return testing.open(policy, issuers={"corp": corp}, clock=clock).gate("tools")


@pytest.fixture
def jwt(corp: testing.FakeIssuer) -> str:
    return corp.token(sub="u1", aud=AUDIENCE, scope="mcp:use", act=[AGENT], bind_to=AGENT)


def asgi(gate: Gate) -> Iterator[int]:
    async def endpoint(request: Request) -> JSONResponse:
        by_object, by_scope = gate.judge_request(request), gate.judge_request(request.scope)
        return JSONResponse([by_object.code, by_scope.code])

    app = Starlette(
        routes=[Mount("/in", routes=[Route("/{path:path}", endpoint, methods=["POST"])])]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    sock = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()
    startup = server.startup

    async def started(sockets: Any = None) -> None:
        await startup(sockets)
        ready.set()

    server.startup = started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    assert ready.wait(10)
    yield sock.getsockname()[1]
    server.should_exit = True
    thread.join()


def wsgi(gate: Gate) -> Iterator[int]:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        codes = [gate.judge_request(environ).code, gate.judge_request(environ).code]
        return [json.dumps(codes).encode()]

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    yield from served(make_server("127.0.0.1", 0, app, handler_class=Quiet))


def flasks(gate: Gate) -> Iterator[int]:
    app = flask.Flask("app")

    @app.route("/<path:path>", methods=["POST"])
    def endpoint(path: str) -> Any:
        codes = [gate.judge_request(flask.request).code]
        return [*codes, gate.judge_request(flask.request.environ).code]

    class Quiet(werkzeug.serving.WSGIRequestHandler):
        def log(self, *_: Any) -> None: ...

    yield from served(werkzeug.serving.make_server("127.0.0.1", 0, app, request_handler=Quiet))


def served(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=[asgi, wsgi, flasks], ids=lambda server: server.__name__)
def port(request: pytest.FixtureRequest, tools: Gate) -> Iterator[int]:
    yield from request.param(tools)


def post(port: int, target: str, headers: Headers, host: str = "evil.example") -> list[str]:
    """The two codes a server gives for a request with exactly these header fields."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            f"POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}"
            "Content-Length: 0\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    codes: list[str] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return codes


def test_a_proof_for_what_was_sent_is_accepted_once(port: int, tools: Gate, jwt: str) -> None:
    target = "/in/a-b/c?q=%41&r=1+2"
    headers = AGENT.headers(tools, "POST", target, jwt)
    assert post(port, target, headers) == ["accepted", "replayed"]
    elsewhere = AGENT.headers(tools, "POST", "/in/other", jwt)
    assert post(port, target, elsewhere) == ["pop_invalid", "pop_invalid"]
    # The host that the request names is the caller's: a proof for it is a proof for another server.
    proof = AGENT.proof("POST", "https://evil.example/in/a", jwt, issued_at=NOW)
    headers = [("Authorization", f"DPoP {jwt}"), ("DPoP", proof)]
    assert post(port, "/in/a", headers) == ["pop_invalid", "pop_invalid"]
    assert post(port, "/in/a", AGENT.headers(tools, "POST", "/in/a", jwt)) == [
        "accepted",
        "replayed",
    ]


def test_what_came_twice_is_seen_twice(port: int, tools: Gate, jwt: str) -> None:
    target = "/in/a"
    (authorization, proof), (_, other) = (
        AGENT.headers(tools, "POST", target, jwt),
        AGENT.headers(tools, "POST", target, jwt),
    )
    twice = [authorization, ("authorization", f"Bearer {jwt}"), proof]
    assert post(port, target, twice) == ["multiple_credentials"] * 2
    assert post(port, target, [authorization, proof, ("dpop", other[1])]) == ["pop_invalid"] * 2
    joined = ("DPoP", f"{proof[1]}, {other[1]}")
    assert post(port, target, [authorization, joined]) == ["pop_invalid"] * 2
    assert post(port, target, [authorization]) == ["pop_required"] * 2
    assert post(port, target, [("Authorization", f"Bearer {jwt}")]) == ["pop_required"] * 2
    assert post(port, target, []) == ["no_token"] * 2
    # None of them has used the proof up.
    assert post(port, target, [authorization, proof]) == ["accepted", "replayed"]


def test_an_operation_lies_within_what_was_granted(tools: Gate, corp: testing.FakeIssuer) -> None:
    details = [{"type": "attenuating_agent_token", "tools": {"read_file": {}}}]
    more = {"scope": "mcp:use", "claims": {"authorization_details": details}}
    token = corp.token(sub="u1", aud=AUDIENCE, **more)
    parts: Any = {"method": "GET", "uri": "/", "headers": [("Authorization", f"Bearer {token}")]}
    verified = tools.verify_request(**parts, operation={"tool": "read_file"})
    assert verified.require(operation={"tool": "read_file"}) is verified
    with pytest.raises(sealgate.AuthorityError) as refused:
        verified.require(operation={"tool": "delete_file"})
    assert (refused.value.code, refused.value.http_status) == ("operation_denied", 403)
    assert tools.judge_request(**parts, operation={"tool": "x"}).code == "operation_denied"
    for wrong in ({}, {"tool": ""}, {"tool": 7}, {"args": "x"}, "read_file"):
        with pytest.raises(UsageError):
            tools.verify_request(**parts, operation=wrong)


def test_a_path_as_it_was_sent(tools: Gate, jwt: str) -> None:
    for server in (asgi, flasks):
        for port in server(tools):
            target = "/in/a%2Fb/%7Eu"
            headers = AGENT.headers(tools, "POST", target, jwt)
            assert post(port, target, headers)[0] == "accepted", server.__name__


def test_parts(tools: Gate, jwt: str) -> None:
    def parts(headers: Any) -> Any:
        return {"method": "POST", "uri": "/mcp", "headers": headers}

    token = tools.verify_request(**parts(AGENT.headers(tools, "POST", "/mcp", jwt)))
    assert (token.subject, token.sender_constrained) == ("u1", "dpop")
    assert token.replay_reach == "process" and token.response_headers == {}
    octets = [(n.encode(), v.encode()) for n, v in AGENT.headers(tools, "POST", "/mcp", jwt)]
    assert tools.verify_request(method=b"POST", uri=b"/mcp", headers=iter(octets)).subject == "u1"
    mapping = dict(AGENT.headers(tools, "POST", "/mcp", jwt))
    assert tools.judge_request(**parts(single_valued(mapping)))
    with pytest.raises(UsageError, match="single_valued"):
        tools.verify_request(**parts(mapping))
    for wrong in (5, "a: b", [("a",)], [("a", "b", "c")], ["ab"], [("a", 5)], None):
        with pytest.raises(UsageError):
            tools.judge_request(**parts(wrong))
    for request in (5, object(), {}, {"type": "lifespan"}, []):
        with pytest.raises(UsageError, match="ASGI scope"):
            tools.judge_request(request)
    with pytest.raises(UsageError, match="give request, or method"):
        tools.judge_request()
    with pytest.raises(UsageError, match="give request, or method"):
        tools.judge_request({"type": "http"}, method="GET")
    with pytest.raises(UsageError, match="no argument"):
        tools.judge_request(**parts([]), url="/")
    with pytest.raises(UsageError, match="DER"):
        tools.judge_request(**parts([]), client_certificate=5)
    with pytest.raises(UsageError):
        tools.judge_request(**parts([]), client_certificate=b"-----BEGIN CERTIFICATE-----")


def test_optional_parts_of_servers(tools: Gate, jwt: str) -> None:
    target = "/a b/~u?q=1"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/a b/~u",
        "query_string": b"q=1",
        "headers": [
            [n.lower().encode(), v.encode()]
            for n, v in AGENT.headers(tools, "POST", target.replace(" ", "%20"), jwt)
        ],
    }
    assert tools.judge_request(scope).code == "accepted"
    get = AGENT.headers(tools, "GET", "/socket", jwt)
    socket_scope = {
        "type": "websocket",
        "path": "/socket",
        "raw_path": b"/socket",
        "query_string": b"",
        "headers": [(n.encode(), v.encode()) for n, v in get],
    }
    assert tools.judge_request(socket_scope).code == "accepted"


def test_a_request_may_be_explained_first(tools: Gate, jwt: str) -> None:
    headers = AGENT.headers(tools, "POST", "/mcp", jwt)
    trail = tools.explain_request(method="POST", uri="/mcp", headers=headers)
    assert trail.verdict.code == "accepted"
    assert "dpop" in str(trail).lower()
    verdict = tools.judge_request(method="POST", uri="/mcp", headers=headers)
    assert verdict.ok, "explaining uses no proof up"
    headers = AGENT.headers(tools, "POST", "/mcp", jwt)
    trail = tools.explain_request(
        method="POST", uri="/mcp", headers=headers, required_scopes=["admin"]
    )
    error = trail.verdict.error
    assert (trail.ok, trail.code) == (False, "insufficient_scope") and error is not None
    assert "admin" in trail.expected and "admin" in error.headers["WWW-Authenticate"]


def test_awaited(tools: Gate, jwt: str) -> None:
    async def run() -> None:
        headers = AGENT.headers(tools, "POST", "/mcp", jwt)
        token = await tools.verify_request_async(method="POST", uri="/mcp", headers=iter(headers))
        assert token.subject == "u1"
        verdict = await tools.judge_request_async(method="POST", uri="/mcp", headers=headers)
        assert verdict.code == "replayed"
        with pytest.raises(sealgate.ReplayError):
            await tools.verify_request_async(method="POST", uri="/mcp", headers=headers)

    asyncio.run(run())


def test_an_agent_until_its_token_expires(
    tools: Gate, corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    jwt = corp.token(sub="u1", aud=AUDIENCE, scope="mcp:use", bind_to=AGENT, lifetime="5m")
    token = AGENT.call(tools, "POST", "/mcp", jwt).unwrap()
    assert token.expires_at == NOW + 300
    with pytest.raises(PossessionError) as refused:
        tools.verify(jwt)
    assert refused.value.code == "pop_required" and refused.value.http_status == 401
    clock.advance("329s")
    assert AGENT.call(tools, "POST", "/mcp", jwt).ok
    clock.advance("1s")
    assert AGENT.call(tools, "POST", "/mcp", jwt).code == "expired"


def test_a_nonce_of_the_servers(
    corp: testing.FakeIssuer, clock: testing.FixedClock, monkeypatch: pytest.MonkeyPatch, jwt: str
) -> None:
    monkeypatch.setenv("SEALGATE_TEST_NONCE", "k" * 32)
    dpop = {"nonce": "required", "nonce_secret": {"env": "SEALGATE_TEST_NONCE"}}
    policy = document() | {"dpop": dpop, "replay": {"store": "process"}}
    tools = testing.open(policy, issuers={"corp": corp}, clock=clock).gate("tools")
    error = AGENT.call(tools, "POST", "/mcp", jwt).error
    assert error is not None and error.code == "nonce_required"
    nonce = error.headers["DPoP-Nonce"]
    assert "use_dpop_nonce" in error.headers["WWW-Authenticate"]
    token = AGENT.call(tools, "POST", "/mcp", jwt, nonce=nonce).unwrap()
    assert token.sender_constrained == "dpop"
