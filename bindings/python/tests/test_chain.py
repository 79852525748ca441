"""Tokens together with those they come from, and tokens that go on."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

import sealgate
from sealgate import Gate, Verifier, testing

from conftest import AUDIENCE, ISSUER, document

TARGET = "https://next.example"


@pytest.fixture
def tools(corp: testing.FakeIssuer, clock: testing.FixedClock) -> Gate:
    gate = {"delegation": "agents", "context": {"access_token": "allowed"}}
    table = {"allow": [{"actor": {"iss": ISSUER}}]}
    policy = document(**gate) | {"delegation": {"agents": table}}
    return testing.open(policy, issuers={"corp": corp}, clock=clock).gate("tools")


def chained(
    corp: testing.FakeIssuer, *, scope: str = "mcp:use", inner: str = "agent-a"
) -> tuple[str, dict[str, str]]:
    """A token that an agent has exchanged another's for, and that other one."""
    parent = corp.token(aud="agent-b", scope="mcp:use files.read", act=[inner])
    token = corp.token(aud=AUDIENCE, scope=scope, act=["agent-b", "agent-a"])
    return token, {"kind": "access_token", "token": parent}


def test_a_chain(tools: Gate, corp: testing.FakeIssuer) -> None:
    jwt, parent = chained(corp)
    assert tools.verify(jwt).lineage == "asserted"
    for owner in (tools, tools.verifier):
        token = owner.verify_chain(jwt, [parent])
        assert token.lineage == "issuer_attested" and token.unproven == ()
        assert [actor.sub for actor in token.chain] == ["agent-b", "agent-a"]
        assert (token.to_dict()["lineage"], token.to_dict()["unproven"]) == (token.lineage, [])
    as_bytes = {"kind": "access_token", "token": parent["token"].encode()}
    assert tools.verify_chain(token=jwt.encode(), context=iter([as_bytes])).delegated
    assert tools.verify_chain(jwt, ()).lineage == "asserted"


def test_what_a_chain_must_be(tools: Gate, corp: testing.FakeIssuer) -> None:
    def refused(jwt: str, context: list[Any], **needs: Any) -> str:
        with pytest.raises(sealgate.TokenError) as caught:
            tools.verify_chain(jwt, context, **needs)
        return caught.value.code

    jwt, parent = chained(corp)
    wider, its_parent = chained(corp, scope="mcp:use files.write")
    assert refused(wider, [its_parent]) == "attenuation_scope"
    other, another = chained(corp, inner="agent-c")
    assert refused(other, [another]) == "chain_link_broken"
    assert refused(jwt, [parent] * 9) == "oversized"
    assert refused(jwt, [parent | {"token": "x"}]) == "malformed_token"
    assert refused(jwt, [parent | {"token": "é" * 10**6}]) == "oversized"
    assert refused(jwt, [parent], required_scopes=["admin"]) == "insufficient_scope"
    assert refused(jwt, [parent], operation={"scope": "admin"}) == "insufficient_scope"
    for entry, text in [
        ({"token": jwt}, "each of context must have kind and token, and no more"),
        (jwt, "each of context must be a mapping of kind and token, not str"),
    ]:
        with pytest.raises(sealgate.UsageError, match=text):
            tools.verify_chain(jwt, [cast("Any", entry)])


def test_claims_of_a_chain_as_a_type(tools: Gate, corp: testing.FakeIssuer) -> None:
    import dataclasses

    model = dataclasses.make_dataclass("Claims", [("sub", str)])
    jwt, parent = chained(corp)
    assert tools.verify_chain(jwt, [parent], into=model).claims == model("u1")


def test_what_goes_on(tools: Gate, corp: testing.FakeIssuer) -> None:
    came = corp.token(aud=AUDIENCE, scope="mcp:use files.read", act=["agent-a"])
    inbound = tools.verify(came)

    def checked(aud: str, scope: str, *act: str) -> str | None:
        jwt = corp.token(aud=aud, scope=scope, act=act)
        return code_of(tools, inbound, jwt)

    # The audience of this server is the name under which it exchanges.
    assert checked(TARGET, "files.read", AUDIENCE, "agent-a") is None
    assert checked("https://other.example", "mcp:use", AUDIENCE, "agent-a") == (
        "attenuation_audience"
    )
    assert checked(TARGET, "admin", AUDIENCE, "agent-a") == "attenuation_scope"
    assert checked(TARGET, "mcp:use", AUDIENCE, "agent-b") == "chain_link_broken"
    assert code_of(tools, inbound, came) == "token_passthrough"
    with pytest.raises(sealgate.AuthorityError) as caught:
        tools.check_outbound(inbound, {"kind": "access_token", "token": came}, target=TARGET)
    assert caught.value.http_status == 403 and caught.value.gate == "tools"
    with pytest.raises(sealgate.UsageError, match=r"gates\.tools\.context"):
        tools.check_outbound(inbound, {"kind": "txn_token", "token": "x.y.z"}, target=TARGET)


def code_of(door: Gate | Verifier, inbound: sealgate.VerifiedToken, jwt: str) -> str | None:
    try:
        door.check_outbound(inbound, {"kind": "access_token", "token": jwt}, target=TARGET)
    except sealgate.TokenError as error:
        return error.code
    return None


def test_a_chain_is_explained_and_traced(tools: Gate, corp: testing.FakeIssuer) -> None:
    jwt, parent = chained(corp)
    wider, its_parent = chained(corp, scope="mcp:use files.write")
    for owner in (tools, tools.verifier):
        trail = owner.explain(jwt, context=[parent])
        assert trail.ok and trail.verdict.token is not None
        assert trail.verdict.token.lineage == "issuer_attested"
        refused = owner.explain(wider, context=[its_parent])
        assert (refused.code, owner.explain(wider).code) == ("attenuation_scope", "accepted")
        lacking = owner.explain(jwt, required_scopes=["write"], operation={"tool": "x"})
        assert (lacking.code, "write" in str(lacking)) == ("insufficient_scope", True)
        traced = owner.trace(jwt, context=[parent])
        assert (traced["verdict"], traced["gate"], traced["actors"]) == ("accepted", "tools", 2)
        assert (traced["lineage"], traced["unproven"]) == ("issuer_attested", [])
        traced = owner.trace(wider, context=[its_parent])
        assert (traced["verdict"], traced["code"]) == ("refused", "attenuation_scope")
        assert [s["stage"] for s in traced["stages"] if s["outcome"] == "refused"] == ["links"]
        assert owner.trace(jwt, required_scopes=["write"])["code"] == "insufficient_scope"


def test_a_trace_has_no_claim_values_and_is_the_verdict(
    tools: Gate, corp: testing.FakeIssuer
) -> None:
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", sub="u1@example.com")
    traced = tools.trace(
        method="GET", uri="/mcp", headers=[("Authorization", f"Bearer {jwt}"), ("Accept", "x")]
    )
    assert traced["verdict"] == "accepted" and "u1@" not in json.dumps(traced)
    stages = [stage["stage"] for stage in traced["stages"]]
    assert (stages[0], stages[-1]) == ("request", "replay")
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/mcp",
        "headers": [(b"authorization", b"Bearer x")],
    }
    assert tools.trace(scope)["code"] == "malformed_token"
    assert tools.trace(b"x")["stages"][0] == {
        "stage": "size",
        "rules": "JWS-01",
        "outcome": "passed",
    }


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "give request, or method, uri and headers"),
        ({"method": "GET", "uri": "/"}, "give request, or method, uri and headers"),
        ({"into": int}, "there is no argument into"),
        ({"required_scopes": ["a b"]}, "A scope is neither empty"),
    ],
)
def test_what_trace_takes(tools: Gate, arguments: dict[str, Any], text: str) -> None:
    if "required_scopes" in arguments:
        arguments |= {"method": "GET", "uri": "/", "headers": []}
    with pytest.raises(sealgate.UsageError, match=text):
        tools.trace(**arguments)
    with pytest.raises(sealgate.UsageError, match="a token comes without method"):
        tools.trace("x", method="GET")
