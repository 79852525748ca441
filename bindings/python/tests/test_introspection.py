"""Opaque tokens, whose issuer is asked about them (RFC 7662) by a server on this machine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sealgate import (
    Gate,
    IntrospectionUnavailableError,
    Policy,
    RevokedError,
    UnavailableError,
    Verifier,
)

from conftest import AUDIENCE
from loopback import Server
from test_async import Run, both

OPAQUE = "mF_9.B5f-4.1JqM"


@pytest.fixture
def tools(server: Server, tmp_path: Path) -> Gate:
    secret = tmp_path / "secret"
    secret.write_text("of a test\n")
    secret.chmod(0o600)
    introspection = {
        "endpoint": server.uri,
        "client_id": "rs",
        "client_secret": {"file": str(secret)},
        "allow_hosts": ["localhost"],
    }
    policy = {
        "version": 1,
        "danger": {"http_loopback_issuers": True},
        "issuers": {
            "corp": {
                "issuer": "https://login.example.com",
                "algorithms": ["ES256"],
                "jwks_push": "process",
                "introspection": introspection,
            }
        },
        "gates": {"tools": {"profile": "access_token", "audience": AUDIENCE, "issuers": ["corp"]}},
    }
    loaded = Policy.parse(json.dumps(policy), format="json", allow_danger=True)
    return Verifier.from_policy(loaded).gate("tools")


def answer(server: Server, **members: Any) -> None:
    server.answer = json.dumps(members).encode()


def active(server: Server) -> None:
    exp = int(time.time()) + 300
    answer(server, active=True, sub="u1", client_id="c1", aud=AUDIENCE, exp=exp)


@both
def test_a_call_waits_for_the_answer(run: Run, server: Server, tools: Gate) -> None:
    server.may_answer.clear()
    active(server)
    verdict = tools.judge(OPAQUE)
    assert (verdict.code, verdict.ok) == ("introspection_pending", False)
    with pytest.raises(IntrospectionUnavailableError) as caught:
        tools.verify(OPAQUE)
    assert isinstance(caught.value, UnavailableError)
    assert (caught.value.http_status, caught.value.headers["Retry-After"]) == (503, "1")
    server.answer_when_asked()
    token = run(lambda: tools.verify_async(OPAQUE, wait="60s"))
    assert (token.subject, token.verified_by) == ("u1", "introspection")
    assert token.introspected_at is not None
    assert token.introspected_at <= time.time()
    assert (token.header, token.actor) == ({}, None)
    assert tools.judge(OPAQUE).ok
    assert server.fetches == 1


@both
def test_what_is_not_active_is_refused(run: Run, server: Server, tools: Gate) -> None:
    answer(server, active=False)
    with pytest.raises(RevokedError) as caught:
        run(lambda: tools.verify_async(OPAQUE, wait="60s"))
    assert (caught.value.code, caught.value.http_status) == ("inactive", 401)


@both
def test_a_server_that_fails_leaves_it_undecided(run: Run, server: Server, tools: Gate) -> None:
    server.status = 500
    verdict = run(lambda: tools.judge_async(OPAQUE, wait="60s"))
    assert verdict.code == "introspection_unavailable"
    assert "corp could not be asked about the token" in (verdict.error.hint or "")
