"""Keys that are fetched: a server on loopback, and nobody waits in a call that judges."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from sealgate import KeysUnavailableError, PolicyError, UsageError, Verifier, testing

from conftest import AUDIENCE
from loopback import Server, fetching


def test_tokens_are_undecided_until_the_keys_are_there(server: Server) -> None:
    fake = testing.FakeIssuer("https://login.example.com", seed=1)
    fetched = fetching(server, fake)
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
    fetched = fetching(server, testing.FakeIssuer("https://login.example.com", seed=1))
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
    fetched = fetching(server, fake)
    fetched.wait_ready("30s")
    other = testing.FakeIssuer("https://login.example.com", seed=2)
    server.serve(other)
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


@pytest.mark.parametrize("discovery", ["auto", "oauth", "oidc"])
def test_an_issuer_that_is_served(discovery: str) -> None:
    """What users' own end-to-end tests have: discovery, keys, rotation, withdrawal."""
    clock = testing.FixedClock(1_800_000_000)
    with testing.FakeIssuer.serve(clock=clock, seed=1, name="corp") as corp:
        policy = {
            "version": 1,
            "danger": {"http_loopback_issuers": True},
            "issuers": {"corp": {"issuer": corp.issuer, "discovery": discovery}},
            "gates": {
                "tools": {"profile": "access_token", "audience": AUDIENCE, "issuers": ["corp"]}
            },
        }
        fetched = Verifier.from_policy(policy, clock=clock, allow_danger=True)
        fetched.wait_ready("60s")
        old = corp.token(aud=AUDIENCE)
        assert fetched.verify(old).issuer == corp.issuer
        first = corp.kid
        corp.rotate()
        new = corp.token(aud=AUDIENCE)
        verdict = fetched.judge(new)
        assert verdict.code == "keys_refreshing", "it has fetched before there was this key"
        assert verdict.error is not None and verdict.error.headers["Retry-After"] == "30"
        # No fetch begins within the cooldown, so nobody waits for one.
        assert asyncio.run(fetched.judge_async(new, wait="20s")).code == "keys_refreshing"
        clock.advance("31s")
        assert asyncio.run(fetched.verify_async(new, wait="60s")).subject == "u1"
        corp.withdraw(first)
        assert fetched.judge(old).ok, "not yet known"
        corp.rotate()
        clock.advance("90s")
        newer = corp.token(aud=AUDIENCE)
        assert asyncio.run(fetched.verify_async(newer, wait="60s")).subject == "u1"
        assert fetched.judge(old).code == "key_not_found"
        fetched.close()


def test_the_short_form_fetches_from_a_served_issuer() -> None:
    with testing.FakeIssuer.serve() as corp:
        options = {"issuer": corp.issuer, "audience": AUDIENCE}
        with pytest.raises(PolicyError, match="https"):
            Verifier(**options)
        with pytest.raises(PolicyError, match="danger"):
            Verifier(**options, danger={"http_loopback_issuers": True})
        with Verifier(
            **options, danger={"http_loopback_issuers": True}, allow_danger=True
        ) as fetched:
            fetched.wait_ready("60s")
            assert fetched.verify(corp.token(aud=AUDIENCE)).subject == "u1"


def test_a_served_issuer_may_have_another_name() -> None:
    with (
        testing.FakeIssuer.serve("https://login.example.com") as corp,
        Verifier(
            issuer=corp.issuer,
            jwks_uri=corp.jwks_uri,
            audience=AUDIENCE,
            danger={"http_loopback_issuers": True},
            allow_danger=True,
        ) as fetched,
    ):
        fetched.wait_ready("60s")
        assert fetched.verify(corp.token(aud=AUDIENCE)).issuer == "https://login.example.com"
