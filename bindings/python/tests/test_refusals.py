"""A request for every code: over HTTP, against an application that answers by hand."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sealgate import Gate, SealgateError, UsageError, Verifier, testing

from conftest import ISSUER, NOW, document

CLOCK = testing.FixedClock(NOW)
ALLOW = {"actor": {"iss": ISSUER, "sub_prefix": "spiffe://example.com/agents/"}}


def gate(possession: str, **more: Any) -> Gate:
    policy = document(sender_constrained=possession, max_age="10m", acr_values=["mfa"], **more)
    policy |= {"dpop": {}, "replay": {"store": "process"}}
    policy["delegation"] = {"agents": {"actor": "required", "allow": [ALLOW]}}
    corp = testing.FakeIssuer(ISSUER, clock=CLOCK, seed=1)
    return testing.open(policy, issuers={"corp": corp}, clock=CLOCK).gate("tools")


TOOLS = gate("required", delegation="agents", context={"access_token": "allowed"})


class App(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        headers = list(self.headers.items())
        try:
            TOOLS.verify_request(method=self.command, uri=self.path, headers=headers)
        except SealgateError as error:
            self.send_response(error.http_status)
            for name, value in error.headers.items():
                self.send_header(name, value)
            self.send_header("X-Code", error.code)
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def app() -> Iterator[http.client.HTTPConnection]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    yield connection
    connection.close()
    server.shutdown()
    thread.join()
    server.server_close()


# Whose further tokens no field carries: an application knows where its own come from.
@pytest.mark.parametrize("code, call", testing.refusals(TOOLS, uri="/mcp"))
def test_my_app_answers(app: http.client.HTTPConnection, code: str, call: testing.Call) -> None:
    for _ in range(2):
        request = call()
        if request.context:
            verdict = TOOLS.judge_request(
                method=request.method,
                uri=request.uri,
                headers=request.headers,
                context=request.context,
            )
            assert verdict.error is not None
            assert (verdict.code, verdict.error.http_status) == (code, call.http_status)
            assert verdict.error.headers == request.answer_headers
            continue
        app.request(request.method, request.uri, headers=dict(request.headers))
        answer = app.getresponse()
        answer.read()
        assert (answer.status, answer.headers["X-Code"]) == (call.http_status, code)
        for name, value in request.answer_headers.items():
            assert answer.headers[name] == value
        CLOCK.advance("1h")


def test_names_are_readable(request: pytest.FixtureRequest) -> None:
    names = [item.name for item in request.session.items if item.name.startswith("test_my_app")]
    assert "test_my_app_answers[expired-401]" in names


def test_what_a_policy_asks_for() -> None:
    codes = {code for code, _ in testing.refusals(TOOLS)}
    assert {"replayed", "pop_mismatch", "actor_missing", "may_act_mismatch", "too_old"} <= codes
    why = testing.unreachable(TOOLS)
    assert codes.isdisjoint(why) and codes | why.keys() == {code for code, *_ in testing.codes()}
    assert "nonce" in why["nonce_required"]
    assert "replayed" not in {code for code, _ in testing.refusals(gate("external"))}


def test_attributes_are_of_new_requests(tools: Gate) -> None:
    calls = dict(testing.refusals(TOOLS, method="PUT", uri="/a?b=1"))
    call = calls["pop_invalid"]
    assert (call.method, call.uri, call.http_status) == ("PUT", "/a?b=1", 401)
    first, second = dict(call.headers), dict(call.headers)
    assert first["dpop"] != second["dpop"]
    assert "access_token=" in calls["token_in_query"].uri
    assert calls["no_token"].token is None
    assert call.answer_headers["WWW-Authenticate"].startswith("DPoP ")
    assert repr(call) == "<Call pop_invalid 401>"


def test_refusals_need_a_fake(verifier: Verifier) -> None:
    plain = Verifier.from_policy(verifier.policy)
    with pytest.raises(UsageError, match="testing's open"):
        testing.refusals(plain.gate("tools"))
    with pytest.raises(UsageError, match="has a fake"):
        testing.refusals(testing.open(document(), issuers={}).gate("tools"))
