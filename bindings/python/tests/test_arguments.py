"""Wrong arguments are a `UsageError`, which is a `TypeError`, and name what is wrong."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import sealgate
from sealgate import Gate, PolicyError, UsageError, Verifier, testing, verify_jws

from conftest import AUDIENCE, ISSUER, NOW

SCHEMA = Path(__file__).parents[2] / "cli" / "policy.schema.json"
CALLS = ("verify", "judge", "verify_async", "judge_async", "explain", "verify_batch")
WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda call: call(), "must be"),
    (lambda call: call("x.y.z", "x.y.z"), "more arguments"),
    (lambda call: call("x.y.z", scopes=["a"]), "no argument scopes"),
]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", range(len(WRONG)))
def test_calls(tools: Gate, name: str, wrong: int) -> None:
    call, text = WRONG[wrong]
    # To tell more than that an argument is missing would make the two quickest calls slower.
    plain = name in ("verify", "judge") and wrong > 0
    for owner in (tools, tools.verifier):
        with pytest.raises(TypeError, match=None if plain else text) as caught:
            call(getattr(owner, name))
        assert isinstance(caught.value, UsageError) != plain


@pytest.mark.parametrize("name", CALLS)
def test_signatures_are_the_documented_ones(tools: Gate, name: str) -> None:
    for owner in (Gate, Verifier):
        parameters = inspect.signature(getattr(owner, name)).parameters
        assert not {"extra", "unknown"} & set(parameters)
        assert parameters["tokens" if name == "verify_batch" else "token"].default is inspect._empty


def test_a_call_that_another_library_would_take(tools: Gate, jwt: str) -> None:
    assert tools.verify(token=jwt).subject == "u1"
    assert tools.judge(token=jwt, required_scopes=("mcp:use",)).ok


GIVEN: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_push": "process"}


def refused(**options: Any) -> list[tuple[str, str]]:
    with pytest.raises(PolicyError) as caught:
        Verifier(**options)
    return [(problem.path, problem.text) for problem in caught.value.problems]


def test_options_are_the_policys_members() -> None:
    """What is missing or misspelt is said as it is of a document, with what to write instead."""
    assert refused(**GIVEN | {"issuer": None})[0][1].startswith("no issuer")
    assert refused(**GIVEN | {"audience": None})[0][1].startswith("no audience")
    assert refused(**GIVEN, audiance=AUDIENCE) == [
        ("audiance", 'unknown member. Did you mean "audience"?')
    ]
    with pytest.raises(UsageError, match="more arguments"):
        Verifier(ISSUER, AUDIENCE)
    assert Verifier(**GIVEN, discovery=None).gates == ["default"]


def members() -> set[str]:
    """The members of a document of one issuer and one gate, by the published schema."""
    schema = json.loads(SCHEMA.read_text())["properties"]
    tables = [named(schema, "issuers"), named(schema, "gates")]
    # There is one issuer and one gate, and what they name by a table of its own is not there.
    tops = set(schema) - {"$schema", "version", "issuers", "gates", "tables"}
    return tops.union(*tables) - {"issuers"}


def named(schema: dict[str, Any], table: str) -> set[str]:
    rows: dict[str, Any] = schema[table]
    inner = rows.get("additionalProperties") or next(iter(rows["patternProperties"].values()))
    return set(inner["properties"])


def test_the_signature_has_every_member_that_there_is() -> None:
    names = set(inspect.signature(Verifier).parameters) - {"allow_danger", "clock"}
    assert names == members()
    for name in names - set(GIVEN):
        Verifier(**GIVEN, **{name: None})


def test_short_form_and_document_say_the_same() -> None:
    clock = testing.FixedClock(NOW)
    short = Verifier(
        **GIVEN,
        clock=clock,
        max_lifetime=timedelta(minutes=10),
        claim_names={"scope": "scp"},
        act_iss="require",
        max_age="5m",
        acr_values=("mfa",),
        cache={"tokens": 10},
        limits={"max_json_depth": 8},
        mtls={},
        annotations={"owner": "us"},
    )
    whole = {
        "version": 1,
        "issuers": {
            "default": {
                "issuer": ISSUER,
                "jwks_push": "process",
                "max_lifetime": "600s",
                "claim_names": {"scope": "scp"},
                "act_iss": "require",
            }
        },
        "gates": {
            "default": {
                "profile": "access_token",
                "issuers": ["default"],
                "audience": AUDIENCE,
                "max_age": "5m",
                "acr_values": ["mfa"],
            }
        },
        "cache": {"tokens": 10},
        "limits": {"max_json_depth": 8},
        "mtls": {},
        "annotations": {"owner": "us"},
    }
    assert short.policy.effective() == sealgate.Policy(whole).effective()


def test_texts_say_what_to_do(tools: Gate, jwt: str) -> None:
    fields = [("Authorization", f"Bearer {jwt}")]
    request: dict[str, Any] = {"method": "POST", "uri": "/mcp", "headers": fields}
    wrong: list[tuple[Callable[[], object], str]] = [
        (lambda: tools.verify(jwt, required_scopes=["a b"]), "one string each"),
        (lambda: tools.verify(jwt, required_scopes="a"), "iterable of str, not str"),
        (lambda: tools.verify(jwt, acr_values="mfa"), "acr_values must be a list"),
        (lambda: tools.verify(jwt, acr_values=[5]), "each of acr_values must be str"),
        (lambda: tools.judge(jwt, nonce=5), "nonce must be str, not int"),
        (lambda: tools.explain(jwt, code=b"c"), "code must be str, not bytes"),
        (lambda: tools.judge_request(**request, client_id=[]), "client_id must be str"),
        (lambda: tools.verify_chain(jwt, [], access_token=5), "access_token must be str"),
        (lambda: tools.verify_async(jwt, nonce=5), "nonce must be str, not int"),
        (lambda: tools.verify(jwt, presenter=("i", "s")), "mapping of iss and sub, not tuple"),
        (lambda: tools.verify(jwt, presenter={"iss": "i"}), "presenter must be a mapping of iss"),
        (lambda: tools.verify(jwt, presenter={"iss": "i", "sun": "s"}), 'no member "sun"'),
        (lambda: tools.verify_async(jwt, operation={"tool": "x"}), "no argument operation"),
        (lambda: tools.verify_batch([jwt], nonce="n"), "no argument nonce"),
        (lambda: tools.verify(jwt).has_scope(), "names no scope"),
        (lambda: tools.verify_request(**request, operation={}), "leave it out"),
        (lambda: tools.verify_request(**request, operation={"tool": 5}), "operation: tool must"),
        (lambda: tools.verify_request(**request, operation={"tol": "x"}), 'no member "tol"'),
        (
            lambda: tools.verify_request(**request, operation={"tool": "x", "arguments": 5}),
            "operation: arguments must be a mapping, not int",
        ),
        (lambda: tools.verify_request(**request, approved={"issuer": "i"}), "approved must be"),
        (
            lambda: tools.verify_request(**request, approved={"issuer": "i", "intent": 5}),
            "approved must be",
        ),
        (
            lambda: tools.verify_request(**request, approved={"issuer": "i", "authority_set": {}}),
            "approved must be",
        ),
        (lambda: tools.verify_request(**request, content={"proof": jwt}), "token and proof"),
        (
            lambda: tools.verify_request(**request, content={"token": jwt, "proof": 5}),
            "content: proof must be str",
        ),
        (lambda: tools.verify_request(**request, client_certificate="PEM"), "DER, not str"),
        (lambda: tools.verify_request(**request, client_certificate=b"rubbish"), "must be DER"),
        (lambda: tools.verify_request(**request, client_certificate=b""), "must be DER"),
        (lambda: tools.verify_request({"type": "http"}), "no 'path'"),
        (lambda: tools.verify_request({"wsgi.version": (1, 0)}), "no 'REQUEST_METHOD'"),
        (lambda: tools.verify_chain(jwt), "context must be"),
        (lambda: tools.verify_chain(jwt, [{"kind": "x", "token": jwt}]), "there are: access_token"),
        (lambda: tools.verify_chain(jwt, [{"kind": "txn_token", "token": jwt}]), "gates.tools.con"),
        (lambda: tools.check_outbound(jwt, {}, target=AUDIENCE), "VerifiedToken, not str"),
        (lambda: tools.check_outbound(tools.verify(jwt), {}, target=""), "outbound must have kind"),
        (lambda: tools.check_outbound(tools.verify(jwt), 5, target=""), "outbound must be a map"),
    ]
    for call, text in wrong:
        with pytest.raises(UsageError) as caught:
            call()
        assert text in str(caught.value), str(caught.value)


def test_a_wrong_call_is_wrong_whatever_the_tokens(tools: Gate) -> None:
    key = testing.FakeIssuer("https://jws.example", seed=1)
    with pytest.raises(UsageError, match="there is no default"):
        verify_jws(key.sign(b"x"), key.jwks(), algorithms=[])
    for tokens in ([], ["bad"]):
        with pytest.raises(UsageError, match="one string each"):
            tools.verify_batch(tokens, required_scopes=["a b"])


def test_what_require_takes(tools: Gate, jwt: str) -> None:
    token = tools.verify(jwt)
    with pytest.raises(UsageError, match="there is no argument approved"):
        token.require(approved={"issuer": "x", "intent": {}})
    with pytest.raises(UsageError, match="more arguments"):
        token.require(["mcp:use"])
