"""The tools for users' own tests: the same keys for a seed, a request for every code."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sealgate import Gate, Verifier, testing

from conftest import AUDIENCE, ISSUER, document

# Codes that keys give when they are loaded, not tokens when they are judged; those of requests,
# which are more than a token; what an introspection endpoint says; and nobody's.
NOT_OF_TOKENS = {
    *("weak_key", "key_use_mismatch", "keys_refreshing", "inactive", "revoked"),
    *("usage", "internal"),
    *("no_token", "multiple_credentials", "token_in_query", "malformed_request"),
    *("replayed", "pop_mismatch", "pop_invalid", "nonce_required"),
    *("replay_unavailable", "replay_full", "actor_presenter_mismatch"),
    *("chain_link_broken", "subject_changed", "txn_mismatch", "may_act_mismatch"),
    *("attenuation_scope", "attenuation_details", "attenuation_time", "attenuation_audience"),
    *("token_passthrough", "intent_mismatch", "operation_denied"),
}


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


def test_fakes_must_fit_the_policy(clock: testing.FixedClock, corp: testing.FakeIssuer) -> None:
    with pytest.raises(ValueError, match="no issuer 'crop'"):
        testing.open(document(), issuers={"crop": corp}, clock=clock)
    with pytest.raises(ValueError, match="another issuer"):
        testing.open(document(), issuers={"silent": corp}, clock=clock)
    with pytest.raises(ValueError, match="no key"):
        corp.withdraw("none")


def test_tokens_as_told(tools: Gate, corp: testing.FakeIssuer, clock: testing.FixedClock) -> None:
    agent = testing.FakeAgent("spiffe://example.com/agents/7", iss="https://agents.example")
    bound = corp.token(aud=AUDIENCE, scope="mcp:use", bind_to=agent)
    assert tools.judge(bound).code == "pop_required"
    short = corp.token(aud=[AUDIENCE, "x"], scope="mcp:use", lifetime=timedelta(seconds=1))
    assert tools.verify(short).audience == (AUDIENCE, "x")
    clock.advance("31s")
    assert tools.judge(short).code == "expired"
    jwt = corp.token(aud=AUDIENCE, scope="mcp:use", act=[agent, "b", ("i", "c")])
    assert [(a.iss, a.sub) for a in tools.verify(jwt).chain] == [
        ("https://agents.example", agent.sub),
        (ISSUER, "b"),
        ("i", "c"),
    ]
    assert tools.judge(corp.token(aud=AUDIENCE, claims={"exp": None})).code == "missing_claim"


def test_refusals_give_their_codes(tools: Gate) -> None:
    calls = testing.refusals(tools)
    for code, call in calls:
        verdict = tools.judge(call.token)
        assert verdict.code == code == call.code
        assert verdict.error is not None and verdict.error.http_status == call.http_status
        assert call.headers == (("Authorization", f"Bearer {call.token}"),)
        assert (call.method, call.uri) == ("POST", "/")


def test_every_code_of_tokens_has_a_refusal(
    corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    policy = document(max_age="10m", acr_values=["mfa"])
    policy["issuers"]["corp"]["algorithms"] = ["ES256", "ES384"]
    policy["gates"]["plain"] = document(delegation="forbid")["gates"]["tools"]
    policy["delegation"] = {
        "agents": {
            "actor": "required",
            "require_complete": True,
            "allow": [{"actor": {"iss": ISSUER, "sub_prefix": "spiffe://example.com/agents/"}}],
        }
    }
    policy["gates"]["agents"] = document(delegation="agents")["gates"]["tools"]
    verifier = testing.open(policy, issuers={"corp": corp}, clock=clock)
    seen = {code for name in verifier.gates for code, _ in testing.refusals(verifier.gate(name))}
    assert {code for code, *_ in testing.codes()} - seen == NOT_OF_TOKENS


@pytest.mark.parametrize(
    ("kind", "issuer", "alg"),
    [
        ("id_token", ISSUER, "ES256"),
        ("logout_token", ISSUER, "ES256"),
        ("client_assertion", "client-1", "ES256"),
        ("jwt_bearer_grant", ISSUER, "ES256"),
        ("jwt_svid", "spiffe://td.example", "ES256"),
        ("jwt_custom", ISSUER, "HS256"),
        ("access_token_untyped", ISSUER, "RS256"),
    ],
)
def test_refusals_know_every_kind(
    kind: str, issuer: str, alg: str, clock: testing.FixedClock
) -> None:
    policy = document()
    policy["issuers"] = {"i": {"issuer": issuer, "algorithms": [alg], "profiles": [kind]}}
    policy["issuers"]["i"]["discovery"] = "oidc"
    gate = {"profile": kind.removesuffix("_untyped"), "audience": AUDIENCE, "issuers": ["i"]}
    policy["gates"] = {"g": gate}
    fake = testing.FakeIssuer(issuer, clock=clock, alg=alg)
    verifier = testing.open(policy, issuers={"i": fake}, clock=clock)
    codes = {code for code, _ in testing.refusals(verifier.gate("g"))}
    # These come after the signature: the token they are made from is good but for them.
    assert {"bad_signature", "expired", "aud_mismatch", "missing_claim"} <= codes


def test_refusals_need_a_fake(corp: testing.FakeIssuer, verifier: Verifier) -> None:
    plain = Verifier.from_policy(verifier.policy)
    with pytest.raises(ValueError, match=r"testing\.open"):
        testing.refusals(plain.gate("tools"))
    with pytest.raises(ValueError, match="has a fake"):
        testing.refusals(testing.open(document(), issuers={}).gate("tools"))
