"""A policy as users write one, with issuers whose keys are ours and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sealgate import Gate, Verifier, testing

if TYPE_CHECKING:
    from loopback import Server

NOW = 1_800_000_000
ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com/mcp"


def document(**gate: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "issuers": {
            "corp": {"issuer": ISSUER, "jwks_file": "corp.jwks.json", "algorithms": ["ES256"]},
            "silent": {
                "issuer": "https://silent.example",
                "jwks_push": "process",
                "algorithms": ["ES256"],
            },
        },
        "gates": {
            "tools": {
                "profile": "access_token",
                "audience": AUDIENCE,
                "issuers": ["corp", "silent"],
                "public_url": "https://api.example.com",
                "required_scopes": ["mcp:use"],
                "scope_implies": {"files.write": ["files.read"]},
                "delegation": "surface",
            }
            | gate
        },
    }


@pytest.fixture
def clock() -> testing.FixedClock:
    return testing.FixedClock(NOW)


@pytest.fixture
def corp(clock: testing.FixedClock) -> testing.FakeIssuer:
    return testing.FakeIssuer(ISSUER, clock=clock, seed=1000, name="corp")


@pytest.fixture
def verifier(clock: testing.FixedClock, corp: testing.FakeIssuer) -> Verifier:
    return testing.open(document(), issuers={"corp": corp}, clock=clock)


@pytest.fixture
def tools(verifier: Verifier) -> Gate:
    return verifier.gate("tools")


@pytest.fixture
def jwt(corp: testing.FakeIssuer) -> str:
    return corp.token(aud=AUDIENCE, scope="mcp:use files.write", claims={"tenant": "t1"})


@pytest.fixture
def server() -> Iterator[Server]:
    from loopback import serving

    with serving() as served:
        yield served
