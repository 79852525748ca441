"""Policies and verifiers: where they come from, what is wrong with them, how they are swapped."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import sealgate
from sealgate import Policy, PolicyError, UsageError, Verifier, testing

from conftest import AUDIENCE, ISSUER, document

TOML = f"""
version = 1
[issuers.corp]
issuer     = "{ISSUER}"
algorithms = ["ES256"]
jwks_push  = "process"
[gates.tools]
profile  = "access_token"
audience = "{AUDIENCE}"
issuers  = ["corp"]
"""


def test_a_string_is_a_path(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(TOML)
    policy = Policy.load(file)
    assert Policy.load(str(file)).digest == policy.digest == Policy.parse(TOML).digest
    assert Verifier.from_policy(str(file)).gates == ["tools"]
    assert Verifier.from_policy(file).policy.digest == policy.digest
    assert Verifier.from_policy(policy).gates == ["tools"]
    with pytest.raises(PolicyError, match=r"must end in \.toml or \.json"):
        Verifier.from_policy(TOML)
    with pytest.raises(PolicyError) as caught:
        Policy.load(tmp_path / "none.toml")
    assert caught.value.document is not None and caught.value.document.endswith("none.toml")


def test_twins_are_equal() -> None:
    policy = Policy.parse(TOML)
    again = Policy.parse(json.dumps(policy.to_dict()), format="json")
    assert again.digest == policy.digest == Policy(policy.to_dict()).digest
    frozen = MappingProxyType(policy.to_dict())
    assert Policy(frozen).digest == policy.digest
    assert policy.effective()["gates"]["tools"]["delegation"] == "forbid"
    assert repr(policy) == f"<Policy {policy.digest}>"
    (warning,) = policy.warnings
    assert (warning.path, warning.line) == ("issuers.corp.jwks_push", 6)


def test_all_problems_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.parse(TOML.replace("audience", "audiance") + "leeway = 30\n")
    error = caught.value
    assert isinstance(error, ValueError)
    paths = [problem.path for problem in error.problems]
    assert paths == ["gates.tools.audiance", "gates.tools.leeway"]
    _, line, column, text = error.problems[0]
    assert (line, column) == (9, 1) and 'Did you mean "audience"?' in text
    assert error.code == "policy_invalid" and error.http_status == 500 and error.body == ""
    assert 'Did you mean "audience"?' in str(error)


@pytest.mark.parametrize(
    "value",
    [{1, 2}, object(), float("nan"), timedelta(microseconds=5), b"x"],
    ids=lambda value: type(value).__name__,
)
def test_values_that_have_no_place(value: object) -> None:
    with pytest.raises(UsageError):
        Policy({"version": 1, "annotations": {"x": value}})


def test_documents_that_never_end() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    with pytest.raises(UsageError):
        Policy(loop)
    with pytest.raises(UsageError, match="a mapping"):
        Policy(TOML)
    for form in ("yaml", 5):
        with pytest.raises(UsageError, match="format must be"):
            Policy.parse(TOML, form)
    with pytest.raises(UsageError, match="name must be str"):
        Verifier.from_policy(Policy.parse(TOML)).gate(None)
    with pytest.raises(UsageError, match="a path, a mapping or a Policy"):
        Verifier.from_policy(5)


def test_durations_may_be_timedelta() -> None:
    policy = Policy(Policy.parse(TOML).to_dict() | {"leeway": timedelta(seconds=5)})
    assert policy.to_dict()["leeway"] == "5s"
    assert Policy(policy.to_dict() | {"leeway": timedelta(milliseconds=1500)})
    with pytest.raises(PolicyError, match="no unit"):
        Policy(policy.to_dict() | {"leeway": "5"})


def test_danger_needs_a_word_from_the_program() -> None:
    dangerous = Policy.parse(TOML).to_dict() | {"danger": {"http_loopback_issuers": True}}
    with pytest.raises(PolicyError, match="less safety"):
        Policy(dangerous)
    assert Policy(dangerous, allow_danger=True)
    permitted = Verifier.from_policy(dangerous, allow_danger=True)
    dangerous["gates"]["more"] = dangerous["gates"]["tools"]
    permitted.reload(dangerous)
    assert permitted.gates == ["tools", "more"]
    loaded = Verifier.from_policy(Policy(dangerous, allow_danger=True))
    loaded.reload(dangerous)
    strict = Verifier.from_policy(Policy.parse(TOML))
    with pytest.raises(PolicyError, match="less safety"):
        strict.reload(dangerous)
    strict.reload(Policy(dangerous, allow_danger=True))
    with pytest.raises(PolicyError, match="less safety"):
        strict.reload(dangerous)


def test_the_short_form(corp: testing.FakeIssuer, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(corp.jwks()))
    for keys in ({"jwks": corp.jwks()}, {"jwks_file": file}, {"jwks_file": str(file)}):
        verifier = Verifier(issuer=ISSUER, audience=AUDIENCE, algorithms=("ES256",), **keys)
        assert verifier.gates == ["default"]
        assert verifier.judge("x").code == "malformed_token"
    with pytest.raises(PolicyError) as caught:
        Verifier(issuer=ISSUER, audience="*", jwks=corp.jwks(), leeway=timedelta(hours=1))
    paths = {problem.path for problem in caught.value.problems}
    assert {"audience", "leeway"} <= paths
    with pytest.raises(PolicyError, match=r"revocation\.store"):
        Verifier(issuer=ISSUER, audience=AUDIENCE, revocation={"store": 5})


def test_a_reload_is_whole_or_not_at_all(
    corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    verifier = testing.open(document(), issuers={"corp": corp}, clock=clock)
    tools, jwt = verifier.gate("tools"), corp.token(aud=AUDIENCE, scope="mcp:use")
    assert tools.judge(jwt).ok and verifier.judge(jwt).ok
    before = verifier.policy
    with pytest.raises(PolicyError):
        verifier.reload({"version": 1})
    assert verifier.policy.digest == before.digest
    other = before.to_dict()
    other["gates"]["tools"]["audience"] = "https://elsewhere.example"
    other["gates"]["more"] = other["gates"]["tools"] | {"audience": AUDIENCE}
    verifier.reload(other)
    assert tools.judge(jwt).code == "aud_mismatch"
    assert verifier.gate("more").judge(jwt).ok
    with pytest.raises(UsageError):
        verifier.judge(jwt)
    verifier.reload(before)
    assert tools.judge(jwt).ok and verifier.judge(jwt).ok
    gone = before.to_dict()
    gone["gates"] = {"others": gone["gates"]["tools"]}
    verifier.reload(gone)
    assert tools.judge(jwt).code == "usage" and tools.name == ""


def test_a_verifier_is_a_context_manager_and_counts(
    corp: testing.FakeIssuer, clock: testing.FixedClock
) -> None:
    with testing.open(document(), issuers={"corp": corp}, clock=clock) as verifier:
        jwt = corp.token(aud=AUDIENCE, scope="mcp:use")
        for _ in range(3):
            assert verifier.judge(jwt).ok
        stats = verifier.stats()
    assert stats["cache"]["hits"] == 2 and stats["cache"]["entries"] == 1
    assert stats["issuers"]["corp"]["keys"] == 1
    assert stats["policy"] == verifier.policy.digest
    names = {"cache", "introspection", "issuers", "policy", "proofs", "revocations", "status"}
    assert set(stats) == names
    assert stats["introspection"] == {}
    assert stats["status"] == {"lists": 0, "missing": 0, "stale": 0, "bytes": 0}
    assert stats["proofs"] is None
    policy = document() | {"dpop": {}, "replay": {"store": "process"}}
    with testing.open(policy, issuers={"corp": corp}, clock=clock) as verifier:
        proofs = verifier.stats()["proofs"]
    own = {"store": "process", "reach": "process", "entries": 0, "capacity": 4 * 1024 * 1024}
    assert proofs == own


def test_the_clock_is_one_of_ours() -> None:
    with pytest.raises(UsageError, match="FixedClock"):
        Verifier.from_policy(Policy.parse(TOML), clock=lambda: 5)
    clock = testing.FixedClock(5)
    clock.advance(timedelta(seconds=-2))
    assert clock.now() == 3 and repr(clock) == "FixedClock(3)"
    for wrong in ("5", 5, "1h30m"):
        with pytest.raises(UsageError):
            clock.advance(wrong)


def test_the_kinds_of_the_types_are_those_the_loader_knows() -> None:
    members = document()
    members["issuers"]["corp"]["profiles"] = ["-"]
    members["gates"]["tools"]["profile"] = "-"
    with pytest.raises(PolicyError) as caught:
        Policy(members)
    texts = {problem.path: problem.text for problem in caught.value.problems}
    named = {path: re.findall(r'"(\w+)"', text) for path, text in texts.items()}
    stub = (Path(sealgate.__file__).parent / "_native.pyi").read_text()
    alias = re.search(r"^_Kind: TypeAlias = Literal\[(.*?)\]", stub, re.MULTILINE | re.DOTALL)
    assert alias is not None
    kinds = re.findall(r'"(\w+)"', alias[1])
    assert named["gates.tools.profile"] == kinds
    assert set(named["issuers.corp.profiles[0]"]) == {*kinds, "access_token_untyped"}
