"""Keys that are published, rotated and withdrawn while tokens are judged."""

from __future__ import annotations

import json
import threading

import pytest

from sealgate import Gate, KeysUnavailableError, UsageError, Verifier, testing

from conftest import AUDIENCE


def test_publishing(verifier: Verifier, corp: testing.FakeIssuer) -> None:
    receipt = verifier.keys.publish("silent", corp.jwks())
    assert (receipt.generation, receipt.changed, receipt.reach) == (1, True, "process")
    again = verifier.keys.publish("silent", json.dumps(corp.jwks()))
    assert (again.generation, again.changed) == (1, False)
    state = verifier.keys.state("silent")
    assert state.source == "push" and state.generation == 1
    (key,) = state.keys
    assert (key.kid, key.alg, key.kty) == (corp.kid, "ES256", "EC")
    assert key.thumbprint == corp.key.thumbprint


def test_published_keys_are_waited_for(verifier: Verifier, corp: testing.FakeIssuer) -> None:
    with pytest.raises(KeysUnavailableError) as caught:
        verifier.wait_ready("20ms")
    assert caught.value.issuer_name == "silent" and caught.value.retry_after == 5
    assert caught.value.hint == "silent has no usable keys: none were published"
    timer = threading.Timer(0, verifier.keys.publish, ("silent", corp.jwks()))
    timer.start()
    verifier.wait_ready("60s")
    timer.join()


def test_keys_that_cannot_be_used_are_told(verifier: Verifier, corp: testing.FakeIssuer) -> None:
    other = {"kty": "unknown"}
    receipt = verifier.keys.publish("silent", {"keys": [other, *corp.jwks()["keys"]]})
    assert [key.index for key in receipt.skipped] == [0] and receipt.skipped[0].reason
    for wrong in ({"keys": [other]}, {"keys": []}, {"keys": 5}, {}, "no JSON", b"\xff"):
        with pytest.raises(UsageError):
            verifier.keys.publish("silent", wrong)
    assert verifier.keys.state("silent").generation == receipt.generation


def test_issuers_that_take_no_keys(verifier: Verifier, corp: testing.FakeIssuer) -> None:
    with pytest.raises(UsageError, match="no issuer of this name"):
        verifier.keys.publish("nobody", corp.jwks())
    with pytest.raises(UsageError, match="no issuer of this name"):
        verifier.keys.state("nobody")
    with pytest.raises(UsageError, match="issuer_name must be str"):
        verifier.keys.publish(5, corp.jwks())
    with pytest.raises(UsageError, match="issuer_name must be str"):
        verifier.keys.state(b"corp")
    fixed = verifier.policy.to_dict()
    fixed["issuers"]["corp"] = fixed["issuers"]["corp"] | {"jwks": corp.jwks()}
    del fixed["issuers"]["corp"]["jwks_push"]
    with pytest.raises(UsageError, match="the policy fixes this issuer's keys"):
        Verifier.from_policy(fixed).keys.publish("corp", corp.jwks())


def test_an_audit_record_holds_no_token(tools: Gate, jwt: str) -> None:
    record = tools.verify(jwt).audit_record()
    assert (record["v"], record["decision"], record["gate"]) == (1, "accepted", "tools")
    assert record["issuer_name"] == "corp" and not {"sub", "sub_ref"} & record.keys()
    assert not any(part in json.dumps(record) for part in jwt.split("."))


def test_rotation(tools: Gate, corp: testing.FakeIssuer, jwt: str) -> None:
    assert tools.judge(jwt).ok
    first = corp.kid
    corp.rotate()
    assert tools.judge(jwt).ok, "the key before is still in the set"
    assert tools.judge(corp.token(aud=AUDIENCE, scope="mcp:use")).ok
    corp.withdraw(first)
    assert tools.judge(jwt).code == "key_not_found", "cached or not"
