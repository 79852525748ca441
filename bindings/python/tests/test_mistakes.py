"""What fakes make of what they are told, wrong and right, as in every language."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sealgate import Policy, PolicyError, UsageError, Verifier, testing

from conftest import AUDIENCE, ISSUER, document

# The same file is read by the tests of the core and of Node.
FAKES = json.loads((Path(__file__).parents[3] / "tests/vectors/fakes.json").read_text())


def calls() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Each call, and arguments that it cannot do without."""
    corp, agent, clock = (
        testing.FakeIssuer(ISSUER),
        testing.FakeAgent("agent"),
        testing.FixedClock(0),
    )
    gate = testing.open(document(), issuers={"corp": corp}).gate("tools")
    request = {"method": "GET", "uri": "/", "token": "x"}
    return {
        "FakeIssuer": (testing.FakeIssuer, {"issuer": ISSUER}),
        "FakeAgent": (testing.FakeAgent, {"sub": "agent"}),
        "FakeIssuer.rotate": (corp.rotate, {}),
        "FakeIssuer.withdraw": (corp.withdraw, {}),
        "FakeIssuer.token": (corp.token, {}),
        "FakeIssuer.sign": (corp.sign, {"payload": {}}),
        "FakeAgent.proof": (agent.proof, {"method": "GET", "url": "https://a.example"}),
        "FakeAgent.headers": (agent.headers, {"gate": gate, **request}),
        "FakeAgent.call": (agent.call, {"gate": gate, **request}),
        "open": (lambda **given: testing.open(document(), **{"issuers": {}, **given}), {}),
        "refusals": (testing.refusals, {"gate": gate}),
        "unreachable": (testing.unreachable, {}),
        "FixedClock": (testing.FixedClock, {}),
        "FixedClock.set": (clock.set, {}),
    }


def told(mistake: dict[str, Any]) -> str:
    return f"{mistake['call']}-{mistake['name']}-{json.dumps(mistake['value'])}"


@pytest.mark.parametrize("mistake", FAKES["mistakes"], ids=told)
def test_mistakes_are_said_as_in_every_language(mistake: dict[str, Any]) -> None:
    call, given = calls()[mistake["call"]]
    with pytest.raises(UsageError) as caught:
        call(**{**given, mistake["name"]: mistake["value"]})
    assert caught.value.args == (mistake["text"],)
    assert mistake["text"] in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"claims": {"x": {1, 2}}},
        {"claims": {"x": float("nan")}},
        {"header": {"x": b"bytes"}},
        {"claims": {"x": "\ud800"}},
    ],
)
def test_what_json_cannot_say(given: dict[str, Any]) -> None:
    (name,) = given
    with pytest.raises(UsageError, match=f"token: {name} must be an object of what JSON can say"):
        testing.FakeIssuer(ISSUER).token(**given)


def test_arguments_of_no_call() -> None:
    corp = testing.FakeIssuer(ISSUER)
    for call in (corp.token, corp.rotate, testing.FakeIssuer, testing.FakeAgent("a").proof):
        with pytest.raises(TypeError, match="subject"):
            call(subject="u1")  # type: ignore[operator]
    with pytest.raises(UsageError, match="at least 0s"):
        corp.token(lifetime=timedelta(seconds=-1))


@pytest.mark.parametrize("told", FAKES["told"])
def test_tokens_say_what_they_are_told(told: dict[str, Any]) -> None:
    corp = testing.FakeIssuer(ISSUER, clock=testing.FixedClock(FAKES["now"]))
    jwt = corp.token(**told["token"], claims=json.loads(told["claims"]))
    assert decoded(jwt) == [told["header"], told["payload"]]


def test_what_is_signed_is_what_is_given() -> None:
    corp = testing.FakeIssuer(ISSUER, name="corp")
    header = '{"alg":"ES256","kid":"corp-1","typ":"at+jwt"}'
    big = '{"n":123456789012345678901234567890}'
    for payload in ({"n": 123456789012345678901234567890}, big, big.encode()):
        assert decoded(corp.sign(payload)) == [header, big]
    changed = corp.sign("x", {"kid": None, "typ": "JWT", "b": 2**70})
    assert decoded(changed)[0] == f'{{"alg":"ES256","b":{2**70},"typ":"JWT"}}'
    assert decoded(corp.sign("x", b'{"alg" : "none"}'))[0] == '{"alg" : "none"}'


def test_a_policy_refuses_the_keys_of_a_fake() -> None:
    def written(seed: int) -> dict[str, Any]:
        policy = document()
        issuer = {"issuer": ISSUER, "algorithms": ["ES256"]}
        policy["issuers"]["corp"] = issuer | {"jwks": testing.FakeIssuer(ISSUER, seed=seed).jwks()}
        return policy

    for seed in (0, 63):
        with pytest.raises(PolicyError, match="everyone has this private key"):
            Policy(written(seed))
        jwt = testing.FakeIssuer(ISSUER, seed=seed).token(aud=AUDIENCE, scope="mcp:use")
        verifier = Verifier.from_policy(testing.policy(written(seed)))
        assert verifier.verify(jwt).subject_kind is None
    assert Policy(written(64))


def decoded(jwt: str) -> list[str]:
    parts = jwt.split(".")[:2]
    return [base64.urlsafe_b64decode(part + "==").decode() for part in parts]
