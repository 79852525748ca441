"""What never leaves: claim values in texts, tokens in pickles, objects without verification."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import sealgate
from sealgate import Gate, SealgateError, testing

from conftest import AUDIENCE

SECRETS = ["person-4711", "4711@example.com", "agent-of-4711"]


@pytest.fixture
def secret(corp: testing.FakeIssuer) -> str:
    return corp.token(
        sub=SECRETS[0],
        aud=AUDIENCE,
        scope="mcp:use",
        act=[SECRETS[2]],
        claims={"email": SECRETS[1]},
    )


def test_no_claim_value_in_texts(tools: Gate, corp: testing.FakeIssuer, secret: str) -> None:
    token = tools.verify(secret)
    jws = sealgate.verify_jws(secret, corp.jwks(), algorithms=["ES256"])
    texts = [repr(token), str(token), repr(tools.judge(secret)), repr(tools.verify_batch([secret]))]
    texts += [repr(tools.explain(secret)), repr(sealgate.inspect(secret)), repr(jws)]
    for text in texts:
        assert not any(value in text for value in [*SECRETS, secret]), text


def test_no_claim_value_in_errors(tools: Gate, corp: testing.FakeIssuer) -> None:
    for _, call in testing.refusals(tools):
        made = call()
        error = tools.judge_request(method=made.method, uri=made.uri, headers=made.headers).error
        assert error is not None
        shown = [str(error), repr(error), error.hint, error.body, str(error.headers)]
        shown += ["".join(traceback.format_exception(error)), str(error.__reduce__())]
        values = ["elsewhere.invalid", "stranger", "agent-1"]
        values += [piece for piece in (made.token or "").split(".") if len(piece) > 20]
        for text in shown:
            assert text is not None and not any(value in text for value in values), text


def test_nothing_is_verified_without_verifying(tools: Gate, secret: str) -> None:
    for cls in (
        sealgate.VerifiedToken,
        sealgate.Verdict,
        sealgate.Gate,
        sealgate.Batch,
        sealgate.Jws,
        sealgate.Unverified,
        sealgate.Trail,
        sealgate.Actor,
    ):
        with pytest.raises(TypeError):
            cls()
        with pytest.raises(TypeError):
            type("Fake", (cls,), {})
        with pytest.raises(TypeError):
            object.__new__(cls)


def test_nothing_becomes_verified(tools: Gate, secret: str) -> None:
    class Liar:
        __class__ = sealgate.VerifiedToken  # type: ignore[assignment]

    token, liar = tools.verify(secret), Liar()
    assert isinstance(liar, sealgate.VerifiedToken) and type(liar) is not sealgate.VerifiedToken
    outbound = {"kind": "access_token", "token": secret}
    with pytest.raises(sealgate.UsageError, match="inbound must be a VerifiedToken"):
        tools.check_outbound(liar, outbound, target="x")  # type: ignore[arg-type]
    others: list[Any] = [
        tools.judge(secret),
        tools.judge("x"),
        sealgate.inspect(secret),
        token.actor,
    ]
    for other in (type("Plain", (), {})(), type("Slotted", (), {"__slots__": ()})(), *others):
        with pytest.raises(TypeError):
            object.__setattr__(other, "__class__", sealgate.VerifiedToken)
        with pytest.raises(TypeError):
            object.__setattr__(token, "__class__", type(other))
    assert type(token) is sealgate.VerifiedToken


def test_nothing_verified_is_pickled_or_copied(tools: Gate, secret: str) -> None:
    token = tools.verify(secret)
    for value in (token, tools, tools.judge(secret), tools.verify_batch([secret]), token.actor):
        with pytest.raises(TypeError):
            pickle.dumps(value)
        with pytest.raises(TypeError):
            copy.copy(value)


def test_what_was_verified_cannot_be_changed(tools: Gate, corp: testing.FakeIssuer) -> None:
    claims = {"nested": {"list": [{"a": 1}]}}
    token = tools.verify(corp.token(aud=AUDIENCE, scope="mcp:use", act=["a"], claims=claims))
    actor = token.actor
    assert actor is not None
    nested: Any = token.claims["nested"]
    objects: list[Any] = [token.claims, nested, nested["list"][0], token.header, actor.claims]
    changes: list[Callable[[Any], object]] = [
        lambda o: o.__setitem__("sub", "x"),
        lambda o: o.__delitem__("sub"),
        lambda o: o.__ior__({"sub": "x"}),
        lambda o: o.__init__({"sub": "x"}),
        lambda o: o.update(sub="x"),
        lambda o: o.setdefault("new", "x"),
        lambda o: o.pop("sub", None),
        lambda o: o.popitem(),
        lambda o: o.clear(),
    ]
    for value in objects:
        before = dict(value)
        for change in changes:
            with pytest.raises(TypeError):
                change(value)
        with pytest.raises(AttributeError):
            value.note = "x"
        assert value == before
    with pytest.raises(AttributeError):
        token.subject = "x"  # type: ignore[misc]


def test_claims_are_what_json_and_copies_take(tools: Gate, corp: testing.FakeIssuer) -> None:
    claims = {"nested": {"list": [{"a": 1}]}}
    token = tools.verify(corp.token(aud=AUDIENCE, scope="mcp:use", claims=claims))
    assert json.loads(json.dumps(token.claims)) == json.loads(token.payload)
    assert json.loads(json.dumps(token.header))["alg"] == "ES256"
    assert isinstance(token.claims, dict) and isinstance(token.claims, Mapping)
    copies: list[Any] = [
        copy.copy(token.claims),
        copy.deepcopy(token.claims),
        pickle.loads(pickle.dumps(token.claims)),
        token.claims | {},
    ]
    for own in copies:
        assert type(own) is dict and own == token.claims
        own["sub"] = "x"
    assert token.claims["sub"] == "u1"
    deep: Any = copy.deepcopy(token.claims)
    deep["nested"]["list"][0]["a"] = 2
    assert token.claims["nested"] == {"list": ({"a": 1},)}


def test_an_unverified_token_is_no_token(tools: Gate, secret: str) -> None:
    with pytest.raises(sealgate.UsageError):
        tools.verify(sealgate.inspect(secret))


def test_errors_are_raised_from_nothing(tools: Gate) -> None:
    with pytest.raises(SealgateError) as caught:
        tools.verify("x")
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert caught.value.args == ()
