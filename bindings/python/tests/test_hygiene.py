"""What never leaves: claim values in texts, tokens in pickles, objects without verification."""

from __future__ import annotations

import copy
import pickle
import traceback

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
        error = tools.judge(call.token).error
        assert error is not None
        shown = [str(error), repr(error), error.hint, error.body, str(error.headers)]
        shown += ["".join(traceback.format_exception(error)), str(error.__reduce__())]
        values = ["nobody.invalid", "elsewhere.invalid", "agent-1"]
        values += [piece for piece in call.token.split(".") if len(piece) > 20]
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


def test_nothing_verified_is_pickled_or_copied(tools: Gate, secret: str) -> None:
    token = tools.verify(secret)
    for value in (token, tools, tools.judge(secret), tools.verify_batch([secret]), token.actor):
        with pytest.raises(TypeError):
            pickle.dumps(value)
        with pytest.raises(TypeError):
            copy.copy(value)


def test_an_unverified_token_is_no_token(tools: Gate, secret: str) -> None:
    with pytest.raises(sealgate.UsageError):
        tools.verify(sealgate.inspect(secret))


def test_errors_are_raised_from_nothing(tools: Gate) -> None:
    with pytest.raises(SealgateError) as caught:
        tools.verify("x")
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert caught.value.args == ()
