"""An error keeps what it was judged under: a reload changes nothing of what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from sealgate import Gate, SealgateError, Verifier, testing

from conftest import AUDIENCE, document

FACTS = ["code", "hint", "expected", "gate", "issuer_name", "http_status", "headers", "body"]


@dataclass
class Tenant:
    tenant: int


def errors(tools: Gate, corp: testing.FakeIssuer) -> list[SealgateError]:
    """One error of every call that gives some, none of them looked at."""
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", claims={"tenant": "t1"})
    other = corp.token(aud="other", scope="mcp:use")
    given = [
        tools.judge("no token").error,
        tools.judge(other).error,
        tools.judge(jwt, required_scopes=["write"]).error,
        tools.judge(jwt, into=Tenant).error,
        tools.judge_request(method="GET", uri="/mcp", headers=[]).error,
        tools.explain(other).verdict.error,
        tools.verify_batch([other])[0].error,
        next(tools.verify_batch([other]).errors())[1],
    ]
    for call in [
        lambda: tools.verify(other),
        lambda: tools.verify(jwt, into=Tenant),
        lambda: tools.verify_chain(other, []),
        lambda: tools.verify_request(method="GET", uri="/mcp", headers=[]),
        lambda: tools.verify(jwt).require(required_scopes=["write"]),
    ]:
        with pytest.raises(SealgateError) as caught:
            call()
        given.append(caught.value)
    assert None not in given
    return [error for error in given if error is not None]


def told(error: SealgateError) -> dict[str, Any]:
    return {name: getattr(error, name) for name in FACTS} | {"text": str(error)}


def other_policy(gate: str) -> dict[str, Any]:
    policy = document(
        public_url="https://other.example",
        required_scopes=["other"],
        audience="https://other.example/x",
    )
    policy["issuers"]["moved"] = policy["issuers"].pop("corp")
    (rules,) = policy["gates"].values()
    rules["issuers"] = ["moved"]
    return policy | {"gates": {gate: rules}}


@pytest.mark.parametrize("gate", ["tools", "another"], ids=["other rules", "no such gate"])
def test_a_reload_changes_no_error(
    gate: str, verifier: Verifier, tools: Gate, corp: testing.FakeIssuer
) -> None:
    before = [told(error) for error in errors(tools, corp)]
    late, verdict = errors(tools, corp), tools.judge("no token")
    held = tools.verify(corp.token(aud=AUDIENCE, scope="mcp:use"))
    verifier.reload(other_policy(gate))
    verifier.close()
    assert [told(error) for error in late] == before
    assert verdict.error is not None and told(verdict.error) == before[0]
    with pytest.raises(SealgateError) as caught:
        held.require(required_scopes=["write"])
    assert told(caught.value) == before[-1]
    # The same of now is another: the comparison can fail.
    now = tools.judge("no token").error
    assert now is not None and told(now) != before[0]
