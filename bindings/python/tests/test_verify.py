"""What a verified token shows, and how one asks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

import sealgate
from sealgate import (
    AuthorityError,
    ExpiredTokenError,
    Gate,
    MalformedTokenError,
    SignatureError,
    UsageError,
    Verifier,
    testing,
)

from conftest import AUDIENCE, ISSUER, NOW, document


def test_views(tools: Gate, corp: testing.FakeIssuer, verifier: Verifier) -> None:
    agent = testing.FakeAgent("spiffe://example.com/agents/research/7")
    jwt = corp.token(
        sub="u1",
        aud=AUDIENCE,
        scope="mcp:use files.write",
        act=[agent, {"iss": "https://idp.partner.example/", "sub": "planner"}],
        claims={
            "nbf": NOW - 5.5,
            "authorization_details": [{"type": "files", "actions": ["read"]}],
            "deep": {"list": [1, {"x": 2}], "big": 2**70},
        },
    )
    token = tools.verify(jwt)
    assert (token.issuer, token.issuer_name, token.subject) == (ISSUER, "corp", "u1")
    assert (token.client_id, token.jwt_id) == (agent.sub, "corp-1")
    assert token.audience == (AUDIENCE,)
    assert (token.issued_at, token.not_before, token.expires_at) == (NOW, NOW - 6, NOW + 300)
    assert token.scopes == ("mcp:use", "files.write")
    assert token.has_scope("files.read", "files.write") and not token.has_scope("admin")
    assert token.authorization_details == ({"type": "files", "actions": ("read",)},)
    assert token.actor is not None
    assert token.actor is token.chain[0]
    assert [(actor.iss, actor.sub) for actor in token.chain] == [
        (ISSUER, agent.sub),
        ("https://idp.partner.example/", "planner"),
    ]
    assert token.delegated and token.lineage == "asserted"
    assert token.sender_constrained is None and token.subject_kind is None
    assert (token.profile, token.gate) == ("access_token", "tools")
    assert token.header == {"alg": "ES256", "typ": "at+jwt", "kid": "corp-1"}
    assert token.claims["deep"] == {"list": (1, {"x": 2}), "big": 2**70}
    assert json.loads(token.payload)["iss"] == token.issuer
    assert token.snapshot == sealgate.Snapshot(policy=verifier.policy.digest, keys=1)
    assert token.to_dict()["claims"]["deep"]["list"] == [1, {"x": 2}]
    told = token.to_dict()["actor"]
    assert (told["iss"], told["sub"], told["iss_inferred"]) == (ISSUER, agent.sub, False)


def test_views_are_kept_and_cannot_be_changed(tools: Gate, jwt: str) -> None:
    token = tools.verify(jwt)
    for name in ("claims", "header", "chain", "audience", "scopes"):
        assert getattr(token, name) is getattr(token, name)
        with pytest.raises(AttributeError):
            setattr(token, name, None)
    assert isinstance(token.claims, Mapping)
    with pytest.raises(TypeError):
        token.claims["sub"] = "x"
    with pytest.raises(AttributeError):
        token.anything = 1


def test_actors_are_who_they_say(tools: Gate, corp: testing.FakeIssuer) -> None:
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", act=["a"])
    one, other = tools.verify(jwt).actor, tools.verify(jwt).actor
    assert one == other and one is not other and hash(one) == hash(other)
    assert one != ("iss", "sub") and one is not None
    assert repr(one) == f"Actor(iss={ISSUER!r}, sub='a')"
    assert not one.iss_inferred and one.sub_profile is None
    assert one.claims == {"iss": ISSUER, "sub": "a"}


@pytest.mark.parametrize("form", [str, str.encode, lambda t: memoryview(t.encode()), bytearray])
def test_forms_of_a_token(tools: Gate, jwt: str, form: type) -> None:
    token = form(jwt, "ascii") if form is bytearray else form(jwt)
    assert tools.verify(token).subject == "u1"
    assert tools.judge(token).ok


@pytest.mark.parametrize("token", [None, 1, ["x"], object()])
def test_what_is_no_token_is_the_callers_mistake(tools: Gate, token: object) -> None:
    for call in (tools.verify, tools.judge, tools.explain, sealgate.inspect):
        with pytest.raises(UsageError, match="must be str, bytes or memoryview") as caught:
            call(token)
        assert isinstance(caught.value, TypeError)
        assert caught.value.http_status == 500


def test_a_view_that_was_released(tools: Gate, jwt: str) -> None:
    view = memoryview(jwt.encode())
    view.release()
    with pytest.raises(UsageError, match="released"):
        tools.judge(view)


@pytest.mark.parametrize("token", ["", b"", "é.é.é", "\ud800.a.b", b"\xff" * 10**7, "a.b.c"])
def test_rubbish_is_refused(tools: Gate, token: str | bytes) -> None:
    verdict = tools.judge(token)
    assert not verdict and verdict.code in ("malformed_token", "oversized")
    with pytest.raises(MalformedTokenError):
        tools.verify(token)


def test_wide_letters_do_not_fold_into_a_valid_token(tools: Gate, jwt: str) -> None:
    wide = "".join(chr(ord(letter) + 0x100) for letter in jwt)
    assert tools.judge(wide).code == "malformed_token"


def test_a_verdict_is_a_value(tools: Gate, jwt: str) -> None:
    good, bad = tools.judge(jwt), tools.judge(jwt[:-8] + "AAAAAAAA")
    assert good and good.ok and good.code == "accepted" and good.error is None
    assert good.unwrap() is good.token
    assert not bad and bad.code == "bad_signature" and bad.token is None
    assert isinstance(bad.error, SignatureError) and bad.error is bad.error
    with pytest.raises(SignatureError) as caught:
        bad.unwrap()
    assert caught.value is bad.error


def test_a_call_may_need_more_than_its_gate(tools: Gate, jwt: str) -> None:
    assert tools.verify(jwt, required_scopes=["files.read"])
    with pytest.raises(AuthorityError) as caught:
        tools.verify(jwt, required_scopes=("admin",))
    assert caught.value.http_status == 403
    assert 'scope="mcp:use admin"' in (caught.value.www_authenticate or "")
    with pytest.raises(UsageError, match="not str"):
        tools.verify(jwt, required_scopes="admin")
    with pytest.raises(UsageError, match="each of required_scopes"):
        tools.verify(jwt, required_scopes=[1])


def test_require_asks_again(tools: Gate, jwt: str, clock: testing.FixedClock) -> None:
    token = tools.verify(jwt)
    assert token.require(required_scopes=["files.read"]) is token
    with pytest.raises(AuthorityError):
        token.require(required_scopes=["admin"])
    clock.advance("330s")
    with pytest.raises(ExpiredTokenError):
        token.require()


def test_the_cache_dies_with_time(tools: Gate, jwt: str, clock: testing.FixedClock) -> None:
    assert tools.judge(jwt).ok
    clock.advance("329s")
    assert tools.judge(jwt).ok
    clock.advance("1s")
    assert tools.judge(jwt).code == "expired"


def test_one_gate_needs_no_name(corp: testing.FakeIssuer, clock: testing.FixedClock) -> None:
    two = document()
    two["gates"]["more"] = two["gates"]["tools"] | {"required_scopes": []}
    verifier = testing.open(two, issuers={"corp": corp}, clock=clock)
    jwt = corp.token(aud=AUDIENCE)
    with pytest.raises(UsageError, match="tools, more"):
        verifier.verify(jwt)
    assert verifier.gates == ["tools", "more"]
    with pytest.raises(UsageError, match="there are: tools, more"):
        verifier.gate("tols")
    assert verifier.gate("more").verify(jwt)


def test_explain_shows_every_rule(tools: Gate, corp: testing.FakeIssuer, jwt: str) -> None:
    trail = tools.explain(corp.token(aud=AUDIENCE + "/", scope="mcp:use"))
    assert not trail.verdict and trail.verdict.code == "aud_mismatch"
    outcomes = {step.stage: step.outcome for step in trail.steps}
    assert outcomes["signature"] == "passed"
    assert outcomes["audience"] == "refused"
    assert outcomes["policy"] == "not_reached"
    text = " ".join(str(trail).split())
    assert f'"{AUDIENCE}/"' in text and trail.hint is not None and trail.hint in text
    assert (trail.ok, trail.code, trail.expected) == (False, "aud_mismatch", (AUDIENCE,))
    assert max(map(len, str(trail).splitlines()[1:])) <= 80
    assert repr(trail) == "<Trail aud_mismatch>"
    accepted = tools.explain(jwt)
    assert accepted.verdict.ok and str(accepted).startswith("accepted") and accepted.hint is None


def test_numbers_are_whole_as_far_as_they_are_read(tools: Gate, corp: testing.FakeIssuer) -> None:
    """Python would not read an integer of 5,000 digits; the core refuses it first."""
    for digits, code in ((308, "accepted"), (5000, "malformed_token")):
        claims = json.dumps(
            tools.verify(corp.token(aud=AUDIENCE, scope="mcp:use")).to_dict()["claims"]
        )
        jwt = corp.sign(f'{claims[:-1]}, "n": {"9" * digits}}}'.encode())
        verdict = tools.judge(jwt)
        assert verdict.code == code
        if verdict.token:
            assert verdict.token.claims["n"] == int("9" * digits)


def test_inspect_and_verify_jws(corp: testing.FakeIssuer, jwt: str) -> None:
    seen = sealgate.inspect(jwt)
    assert seen.claims["sub"] == "u1" and seen.header["alg"] == "ES256"
    assert repr(seen) == "<Unverified>"
    jws = corp.sign(b"not claims")
    verified = sealgate.verify_jws(jws, corp.jwks(), algorithms=["ES256"])
    assert verified.payload == b"not claims" and verified.header["kid"] == corp.kid
    assert sealgate.verify_jws(jws, corp.jwks()["keys"][0], algorithms=["ES256"]).payload
    with pytest.raises(SignatureError) as caught:
        sealgate.verify_jws(jws, corp.jwks(), algorithms=["ES384"])
    assert (caught.value.code, caught.value.http_status) == ("alg_not_allowed", 401)
    with pytest.raises(UsageError, match="is no algorithm"):
        sealgate.verify_jws(jws, corp.jwks(), algorithms=["ESP256"])
    with pytest.raises(UsageError, match="keys:"):
        sealgate.verify_jws(jws, {"kty": "EC"}, algorithms=["ES256"])


def test_resource_metadata(tools: Gate) -> None:
    metadata = tools.resource_metadata()
    assert metadata is not None and metadata["resource"] == AUDIENCE


def test_a_missing_scope_is_told_with_all_that_are_needed(
    tools: Gate, corp: testing.FakeIssuer
) -> None:
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use")
    with pytest.raises(AuthorityError) as refused:
        tools.verify(jwt, required_scopes=["files.read"])
    error = refused.value
    assert list(error.expected) == ["mcp:use", "files.read"]
    assert 'scope="mcp:use files.read"' in error.www_authenticate
    assert "mcp:use files.read" in error.hint
    with pytest.raises(AuthorityError) as refused:
        tools.verify(jwt).require(required_scopes=["files.read"])
    assert list(refused.value.expected) == ["mcp:use", "files.read"]


def test_everything_as_a_dict(verifier: Verifier, corp: testing.FakeIssuer) -> None:
    big = 12345678901234567890123
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", act=["agent-7", "agent-8"], claims={"big": big})
    token = verifier.verify(jwt)
    told = token.to_dict()
    names = {name for name in dir(token) if not name.startswith("_")}
    calls = {"has_scope", "require", "audit_record", "to_dict", "payload"}
    assert set(told) == names - calls
    assert told["claims"]["big"] == big
    assert told["actor"] == told["chain"][0] and told["chain"][1]["sub"] == "agent-8"
    members = {name for name in dir(token.chain[0]) if not name.startswith("_")}
    assert set(told["actor"]) == members
    for name in set(told) - {"actor", "chain", "snapshot", "revocation", "claims", "header"}:
        value = getattr(token, name)
        assert told[name] == (list(value) if isinstance(value, tuple) else value), name
    assert told["header"] == dict(token.header)
    assert told["snapshot"]["policy"] == token.snapshot.policy
    assert json.loads(json.dumps(told)) == told
