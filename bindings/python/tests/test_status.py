"""Status lists that tokens refer to, fetched from a server on this machine."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from sealgate import Gate, Policy, RevokedError, UnavailableError, Verifier, testing

from conftest import AUDIENCE
from loopback import Server
from test_async import Run, both

ISSUER = "https://login.example.com"
NOW = 1_800_000_000


class World:
    """An issuer whose list says that its first token is valid, and its second is not."""

    def __init__(self, server: Server) -> None:
        clock = testing.FixedClock(NOW)
        self.uri = server.uri
        self.corp = testing.FakeIssuer(ISSUER, clock=clock, seed=1000)
        lst = base64.urlsafe_b64encode(zlib.compress(bytes([0b10]))).decode().rstrip("=")
        claims = {"iss": ISSUER, "sub": self.uri, "iat": NOW, "exp": NOW + 600, "ttl": 300}
        claims["status_list"] = {"bits": 1, "lst": lst}
        server.answer = self.corp.sign(claims, header={"typ": "statuslist+jwt"}).encode()
        policy = {
            "version": 1,
            "danger": {"http_loopback_issuers": True},
            "revocation": {"store": "process", "status_lists": {"allow_hosts": ["localhost"]}},
            "issuers": {
                "corp": {
                    "issuer": ISSUER,
                    "jwks": self.corp.jwks(),
                    "algorithms": ["ES256"],
                    "profiles": ["access_token", "status_list_token"],
                }
            },
            "gates": {
                "tools": {"profile": "access_token", "audience": AUDIENCE, "issuers": ["corp"]}
            },
        }
        loaded = Policy.parse(json.dumps(policy), format="json", allow_danger=True)
        self.gate: Gate = Verifier.from_policy(loaded, clock=clock).gate("tools")

    def token(self, idx: int) -> str:
        status = {"status_list": {"idx": idx, "uri": self.uri}}
        return self.corp.token(aud=AUDIENCE, claims={"status": status})


@both
def test_an_awaited_call_waits_for_a_list_that_is_fetched_for_the_first_time(
    run: Run, server: Server
) -> None:
    world = World(server)

    async def work() -> None:
        token = await world.gate.verify_async(world.token(0), wait="60s")
        assert token.status_checked is True
        with pytest.raises(RevokedError):
            await world.gate.verify_async(world.token(1))

    run(work)


@both
def test_and_for_one_that_does_not_come_no_longer_than_until_that_is_known(
    run: Run, server: Server
) -> None:
    server.status = 503
    world = World(server)

    async def work() -> None:
        with pytest.raises(UnavailableError) as refused:
            await world.gate.verify_async(world.token(0), wait="60s")
        assert refused.value.code == "status_unavailable"

    run(work)
