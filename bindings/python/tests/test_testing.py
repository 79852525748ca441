"""The tools for users' own tests: the same keys for a seed, tokens as told."""

from __future__ import annotations

import inspect
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealgate import Gate, Policy, UsageError, testing

from conftest import AUDIENCE, ISSUER, document


def test_seeds_give_the_same_keys() -> None:
    one, same = (testing.FakeIssuer(ISSUER, seed=1) for _ in range(2))
    other = testing.FakeIssuer(ISSUER, seed=2)
    assert one.jwks() == same.jwks() != other.jwks()
    assert one.rotate() == same.rotate() and one.jwks() == same.jwks()
    assert testing.FakeAgent("a").jkt == testing.FakeAgent("a").jkt != testing.FakeAgent("b").jkt


@pytest.mark.parametrize(
    "alg", ["RS256", "PS384", "ES256", "ES384", "ES512", "Ed25519", "ML-DSA-44"]
)
def test_every_algorithm(alg: str, clock: testing.FixedClock) -> None:
    policy = document()
    policy["issuers"]["corp"]["algorithms"] = [alg]
    corp = testing.FakeIssuer(ISSUER, clock=clock, alg=alg)
    verifier = testing.open(policy, issuers={"corp": corp}, clock=clock)
    assert verifier.verify(corp.token(aud=AUDIENCE, scope="mcp:use")).header["alg"] == alg


def test_a_policy_file_as_it_is(tmp_path: Path, clock: testing.FixedClock) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        f"""
        version = 1
        [issuers.corp]
        issuer    = "{ISSUER}"
        discovery = "oauth"
        [issuers.corp.refresh]
        ahead = "5m"
        [gates.tools]
        profile = "access_token"
        audience = "{AUDIENCE}"
        issuers = ["corp"]
        """
    )
    corp = testing.FakeIssuer(ISSUER, clock=clock)
    verifier = testing.open(file, issuers={"corp": corp}, clock=clock)
    assert verifier.verify(corp.token(aud=AUDIENCE)).subject == "u1"
    assert (
        testing.open(str(file), issuers={}, clock=clock).judge(corp.token(aud=AUDIENCE)).code
        == "keys_unavailable"
    )


def test_a_reload_reads_no_source_of_keys_either(
    tmp_path: Path, clock: testing.FixedClock, corp: testing.FakeIssuer
) -> None:
    policy = document()
    policy["issuers"]["corp"] = {"issuer": ISSUER, "discovery": "oauth"}
    file = tmp_path / "policy.json"
    verifier = testing.open(policy, issuers={"corp": corp}, clock=clock)
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use")
    for number, form in enumerate([dict, Policy, lambda _: file, lambda _: str(file)]):
        policy["gates"]["tools"]["required_scopes"] = ["mcp:use", f"scope-{number}"]
        file.write_text(json.dumps(policy))
        verifier.reload(form(policy))
        written = verifier.policy.to_dict()
        assert written["issuers"]["corp"].get("jwks_push") and "discovery" not in str(written)
        assert verifier.judge(jwt).code == "insufficient_scope", "its keys stay"
    verifier.reload(verifier.policy)


def test_what_was_not_given_reads_well() -> None:
    for taker in (testing.FakeIssuer.token, testing.FakeIssuer, testing.FakeAgent):
        shown = str(inspect.signature(taker))
        assert "= ..." in shown and " object at 0x" not in shown


def test_fakes_must_fit_the_policy(clock: testing.FixedClock, corp: testing.FakeIssuer) -> None:
    with pytest.raises(UsageError, match="no issuer crop"):
        testing.open(document(), issuers={"crop": corp}, clock=clock)
    with pytest.raises(
        UsageError, match=r"says that silent is https://silent\.example, not https://login"
    ):
        testing.open(document(), issuers={"silent": corp}, clock=clock)
    with pytest.raises(UsageError, match="no key"):
        corp.withdraw("none")


def test_tokens_as_told(tools: Gate, corp: testing.FakeIssuer, clock: testing.FixedClock) -> None:
    agent = testing.FakeAgent("spiffe://example.com/agents/7", iss="https://agents.example")
    bound = corp.token(aud=AUDIENCE, scope="mcp:use", bind_to=agent)
    assert tools.judge(bound).code == "pop_required"
    short = corp.token(aud=[AUDIENCE, "x"], scope="mcp:use", lifetime=timedelta(seconds=1))
    assert tools.verify(short).audience == (AUDIENCE, "x")
    clock.advance("31s")
    assert tools.judge(short).code == "expired"
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", act=[agent, "b", {"iss": "i", "sub": "c"}])
    assert [(a.iss, a.sub) for a in tools.verify(jwt).chain] == [
        ("https://agents.example", agent.sub),
        (ISSUER, "b"),
        ("i", "c"),
    ]
    assert tools.judge(corp.token(aud=AUDIENCE, claims={"exp": None})).code == "missing_claim"


# The same file is read by the tests of the core and of Node.
FAKES = json.loads((Path(__file__).parents[3] / "tests/vectors/fakes.json").read_text())


@pytest.mark.parametrize("told", FAKES["issuers"], ids=lambda told: told["alg"])
def test_fakes_are_those_of_every_language(told: dict[str, Any]) -> None:
    clock = testing.FixedClock(FAKES["now"])
    corp = testing.FakeIssuer(
        told["issuer"], clock=clock, seed=told["seed"], alg=told["alg"], name=told["name"]
    )
    jwt = corp.token(**FAKES["token"], claims=FAKES["claims"])
    assert jwt.rpartition(".")[0] == told["input"]
    assert told["signature"] in (None, jwt.rpartition(".")[2])
    assert corp.rotate() == told["kid"]
    assert corp.jwks() == told["jwks"]


def test_agents_are_those_of_every_language() -> None:
    for told in FAKES["agents"]:
        assert testing.FakeAgent(told["sub"], seed=told["seed"]).jkt == told["jkt"]
