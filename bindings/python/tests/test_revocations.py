"""Revoking: at once, of what was named and of nothing else."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import pytest

from sealgate import (
    EventChange,
    Gate,
    Handle,
    RevocationCheck,
    RevokedError,
    UsageError,
    testing,
)
from sealgate._native import handle_kinds

from conftest import AUDIENCE, ISSUER, NOW, document


@pytest.fixture
def tools(corp: testing.FakeIssuer, clock: testing.FixedClock) -> Gate:
    policy = document() | {"revocation": {"store": "process"}}
    return testing.open(policy, issuers={"corp": corp}, clock=clock).gate("tools")


def test_an_agent(tools: Gate, corp: testing.FakeIssuer) -> None:
    revocations = tools.verifier.revocations
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", act=["agent-7", "agent-8"])
    other = corp.token(aud=AUDIENCE, scope="mcp:use", act=["agent-9"])
    assert tools.verify(jwt).snapshot.revocations == revocations.epoch == 0
    inner = Handle.actor(iss=ISSUER, sub="agent-8")
    receipt = revocations.revoke(inner)
    assert (receipt.epoch, receipt.reach, receipt.delivered) == (1, "process", True)
    with pytest.raises(RevokedError) as caught:
        tools.verify(jwt)
    assert (caught.value.code, caught.value.http_status) == ("revoked", 401)
    assert "agent-8" not in str(caught.value) and tools.judge(other).ok
    assert tools.verify_batch([jwt, other]).counts == {"accepted": 1, "revoked": 1}
    assert revocations.lift(inner).epoch == 2 and tools.judge(jwt).ok


def test_a_subject_until_it_signs_in_again(
    tools: Gate, corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    old = corp.token(aud=AUDIENCE, scope="mcp:use")
    tools.verifier.revocations.revoke(Handle.subject(iss=ISSUER, sub="u1"), cutoff="now")
    assert tools.judge(old).code == "revoked"
    clock.advance("1s")
    assert tools.judge(corp.token(aud=AUDIENCE, scope="mcp:use")).ok
    one = corp.token(aud=AUDIENCE, scope="mcp:use", lifetime="30m", claims={"jti": "one"})
    handle = Handle.token(iss=ISSUER, jti="one")
    tools.verifier.revocations.revoke(handle, expires=clock.now() + 60)
    clock.advance("59s")
    assert tools.judge(one).code == "revoked"
    clock.advance("2s")
    assert tools.judge(one).ok


def test_what_is_no_handle(tools: Gate) -> None:
    revocations: Any = tools.verifier.revocations
    anything: Any = Handle
    wrong: list[tuple[Any, str]] = [
        (lambda: revocations.revoke("agent-7"), "handle must be a Handle, not str"),
        (lambda: revocations.revoke(Handle.issuer(iss="corp")), "name of the policy's"),
        (lambda: revocations.revoke(Handle.issuer(iss="")), "empty"),
        (lambda: revocations.revoke(Handle.issuer(iss=ISSUER), expires=NOW - 1), "expires lies"),
        (lambda: revocations.revoke(Handle.issuer(iss=ISSUER), cutoff="then"), "cutoff must be"),
        (lambda: revocations.revoke(Handle.issuer(iss=ISSUER), cutoff=True), "cutoff must be"),
        (lambda: revocations.revoke(Handle.issuer(iss=ISSUER), expires="1h"), "expires must be"),
        (lambda: revocations.revoke(Handle.issuer(iss=ISSUER), expires=True), "whole seconds"),
        (lambda: anything.actor(iss=ISSUER, sub=7), "sub must be str, not int"),
        (anything, r"Handle\.actor"),
    ]
    for call, text in wrong:
        with pytest.raises(UsageError, match=text):
            call()
    with pytest.raises(TypeError):
        anything.actor(ISSUER, "agent-7")  # two strings that can be swapped
    assert revocations.epoch == 0


def test_who_is_asked_by_nobody(corp: testing.FakeIssuer, clock: testing.FixedClock) -> None:
    tools = testing.open(document(), issuers={"corp": corp}, clock=clock).gate("tools")
    with pytest.raises(UsageError, match="store"):
        tools.verifier.revocations.revoke(Handle.subject(iss=ISSUER, sub="u1"))


def test_handles_are_values() -> None:
    one, same = (Handle.client(iss=ISSUER, client_id="c1") for _ in range(2))
    assert one == same and hash(one) == hash(same) and pickle.loads(pickle.dumps(one)) == one
    assert one != Handle.subject(iss=ISSUER, sub="c1") and one != "c1"
    assert repr(one) == f"Handle.client(iss={ISSUER!r}, client_id='c1')"
    assert repr(Handle.holder_key(jkt="x")) == "Handle.holder_key(jkt='x')"
    changeable: Any = one
    with pytest.raises(AttributeError):
        changeable._value = "c2"


def test_handles_tell_what_they_were_made_with() -> None:
    names = {name for _, *parts in handle_kinds() for name in parts if name}
    for kind, *parts in handle_kinds():
        told = {name: f"the {name}" for name in parts if name}
        handle = getattr(Handle, kind)(**told)
        assert handle.kind == kind
        assert {name: getattr(handle, name) for name in told} == told
        for other in names - told.keys():
            with pytest.raises(AttributeError, match=f"Handle.{kind} has no {other}"):
                getattr(handle, other)
    changeable: Any = Handle.issuer(iss=ISSUER)
    with pytest.raises(AttributeError):
        changeable.iss = "x"


def test_who_was_asked(
    tools: Gate, verifier: Any, corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use")
    check = tools.verify(jwt).revocation
    assert (check.checked, check.store, check.sequence) == (True, "process", 0)
    tools.verifier.revocations.revoke(Handle.session(iss=ISSUER, sid="s1"), reason="lost laptop")
    again = tools.verify(jwt)
    assert (again.revocation.sequence, again.revocation.staleness) == (1, None)
    assert again.to_dict()["revocation"] == dataclasses.asdict(again.revocation)
    stats = tools.verifier.stats()["revocations"]
    assert (stats["entries"], stats["epoch"]) == (1, 1) and stats["bytes"] > 0
    nobody = verifier.gate("tools").verify(jwt).revocation
    assert nobody == RevocationCheck(False, None, None, None)


@pytest.mark.parametrize("reason", [7, b"lost", ["lost"]])
def test_a_reason_is_a_text(tools: Gate, reason: Any) -> None:
    with pytest.raises(UsageError, match="reason must be str"):
        tools.verifier.revocations.revoke(Handle.session(iss=ISSUER, sid="s1"), reason=reason)
    assert tools.verifier.revocations.epoch == 0


def test_events_of_an_issuer(corp: testing.FakeIssuer, clock: testing.FixedClock) -> None:
    policy = document() | {"revocation": {"store": "process", "inputs": ["sessions"]}}
    policy["issuers"]["corp"]["profiles"] = ["access_token", "logout_token", "set"]
    for name, profile in (("sessions", "logout_token"), ("signals", "set")):
        policy["gates"][name] = {"profile": profile, "audience": f"{name}-1", "issuers": ["corp"]}
    verifier = testing.open(policy, issuers={"corp": corp}, clock=clock)
    tools, revocations = verifier.gate("tools"), verifier.revocations
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", claims={"sid": "s1"})

    def told(typ: str, aud: str, event: str, **more: Any) -> str:
        events = {event: {"event_timestamp": NOW - 10}}
        claims = {"iss": ISSUER, "aud": aud, "iat": NOW, "jti": "e", "events": events, **more}
        return corp.sign(claims, {"alg": corp.alg, "typ": typ, "kid": corp.kid})

    risc = "https://schemas.openid.net/secevent/risc/event-type/"
    u1 = {"format": "iss_sub", "iss": ISSUER, "sub": "u1"}
    signals = verifier.gate("signals")
    token = signals.verify(told("secevent+jwt", "signals-1", risc + "account-disabled", sub_id=u1))
    assert tools.judge(jwt).ok, "no input"
    receipt = revocations.apply(token)
    assert (receipt.epoch, receipt.reach, receipt.entries) == (1, "process", 1)
    assert not receipt.duplicate
    account = Handle.disabled(iss=ISSUER, sub="u1")
    change = EventChange("corp", account, False, None, None, "account-disabled", NOW - 10)
    assert receipt.changes == (change,) and "u1" not in repr(receipt)
    assert tools.judge(jwt).code == "revoked"
    revocations.lift(receipt.changes[0].handle)
    accepted = tools.verify(jwt)
    again = revocations.apply(token)
    assert (again.epoch, again.entries, again.duplicate) == (2, 0, True), "lifted since"
    assert again.changes == ()

    event = "http://schemas.openid.net/event/backchannel-logout"
    logout = told("logout+jwt", "sessions-1", event, sid="s1", exp=NOW + 60)
    verifier.gate("sessions").verify(logout)
    assert tools.judge(jwt).code == "revoked"

    wrong: Any = jwt
    for mistake, text in ((accepted, "tells of no event"), (wrong, "a VerifiedToken")):
        with pytest.raises(UsageError, match=text):
            revocations.apply(mistake)


def test_events_that_are_delivered(corp: testing.FakeIssuer, clock: testing.FixedClock) -> None:
    policy = document() | {"revocation": {"store": "process"}}
    policy["issuers"]["corp"]["profiles"] = ["access_token", "set"]
    policy["gates"]["signals"] = {"profile": "set", "audience": "signals-1", "issuers": ["corp"]}
    verifier = testing.open(policy, issuers={"corp": corp}, clock=clock)
    receiver = verifier.receiver("signals")
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use")

    def told(jti: str, **more: Any) -> str:
        event = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
        u1 = {"format": "iss_sub", "iss": ISSUER, "sub": "u1"}
        claims = {"iss": ISSUER, "aud": "signals-1", "iat": NOW, "jti": jti, "sub_id": u1}
        header = {"alg": corp.alg, "typ": "secevent+jwt", "kid": corp.kid}
        return corp.sign(claims | {"events": {event: {}}} | more, header)

    pairs = [(b"content-type", b"application/secevent+jwt")]
    refused = receiver.push(told("e1", aud="others").encode(), pairs)
    assert (refused.status, refused.code, refused.entries) == (400, "aud_mismatch", None)
    assert refused.changes == ()
    assert "invalid_audience" in refused.body and verifier.gate("tools").judge(jwt).ok
    twice = pairs * 2
    for headers in ({"Content-Type": "application/json"}, [], twice):
        assert receiver.push(told("e1").encode(), headers).status == 400
    taken = receiver.push(told("e1").encode(), {"Content-Type": "application/secevent+jwt"})
    assert (taken.status, taken.body, taken.entries, taken.code) == (202, "", 1, None)
    assert taken.headers == {"Cache-Control": "no-store"} and taken.duplicate is False
    account = Handle.disabled(iss=ISSUER, sub="u1")
    change = EventChange("corp", account, False, None, None, "account-disabled", NOW)
    assert taken.changes == (change,) and "u1" not in repr(taken)
    again = receiver.push(told("e1").encode(), {"Content-Type": "application/secevent+jwt"})
    assert (again.status, again.entries, again.duplicate) == (202, 0, True)
    assert verifier.gate("tools").judge(jwt).code == "revoked"

    poller = receiver.poller(max_events=2)
    assert json.loads(poller.request())["maxEvents"] == 2
    answer = {"sets": {"e1": told("e1"), "e2": told("e2"), "e3": "x"}, "moreAvailable": True}
    polled = poller.take(json.dumps(answer).encode())
    assert (polled.accepted, polled.refused, polled.more_available) == (2, 1, True)
    assert polled.duplicates == 1
    assert polled.changes == (change,) and polled.entries == 1
    request = json.loads(poller.request())
    assert request["ack"] == ["e1", "e2"] and request["setErrs"]["e3"]["err"] == "invalid_request"

    wrong: Any = "text"
    wrong_state: Any = 5
    for call, text in (
        (lambda: poller.take(b"[]"), "not a JSON object"),
        (lambda: poller.take(wrong), "must be bytes"),
        (lambda: receiver.push(wrong, []), "must be bytes"),
        (lambda: verifier.receiver("tools"), "profile access_token"),
        (lambda: verifier.receiver("signals", expecting_state=wrong_state), "must be str, not int"),
        (lambda: receiver.poller(max_events=0), "from 1"),
    ):
        with pytest.raises(UsageError, match=text):
            call()


def test_a_cutoff_is_told_in_whole_seconds(tools: Gate) -> None:
    revocations = tools.verifier.revocations
    u1 = Handle.subject(iss=ISSUER, sub="u1")
    receipts = [revocations.revoke(u1, cutoff=cutoff) for cutoff in ("now", 1_700_000_000)]
    assert [receipt.cutoff for receipt in receipts] == [NOW, 1_700_000_000]
    assert revocations.revoke(u1).cutoff is None


def test_a_key_is_named_by_its_thumbprint(tools: Gate) -> None:
    with pytest.raises(UsageError, match="43 characters"):
        tools.verifier.revocations.revoke(Handle.holder_key(jkt="short"))
