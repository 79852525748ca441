"""Claims as the application's own types: checked, not cast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import pydantic
import pytest

from sealgate import Gate, TokenKindError, UsageError, testing

from conftest import AUDIENCE


@dataclass
class Part:
    name: str
    size: int = 0


@dataclass
class Claims:
    sub: str
    tenant: str
    parts: list[Part] = field(default_factory=list)
    level: int | None = None
    color: Literal["red", "blue"] | None = None
    names: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    numbers: Sequence[float] = ()


class Struct(msgspec.Struct):
    sub: str
    tenant: str
    parts: list[Any] = []


class Model(pydantic.BaseModel):
    sub: str
    tenant: str
    parts: list[Any] = []


def token(corp: testing.FakeIssuer, **claims: Any) -> str:
    return corp.token(aud=AUDIENCE, scope="mcp:use", claims={"tenant": "t1"} | claims)


@pytest.mark.parametrize("model", [Claims, Struct, Model])
def test_a_fit(tools: Gate, corp: testing.FakeIssuer, model: type[Claims]) -> None:
    verified = tools.verify(token(corp), into=model)
    assert isinstance(verified.claims, model)
    assert (verified.claims.tenant, verified.claims.sub) == ("t1", "u1")
    assert verified.subject == "u1" and verified.scopes == ("mcp:use",)
    assert tools.judge(token(corp), into=model).unwrap().claims.tenant == "t1"


@pytest.mark.parametrize("model", [Claims, Struct, Model])
@pytest.mark.parametrize("tenant", [5, None, ["t1"]])
def test_a_misfit_is_the_tokens(
    tools: Gate, corp: testing.FakeIssuer, model: type, tenant: object
) -> None:
    jwt = token(corp, tenant=tenant)
    with pytest.raises(TokenKindError) as caught:
        tools.verify(jwt, into=model)
    assert (caught.value.code, caught.value.claim) == ("claim_type", "tenant")
    assert caught.value.http_status == 401
    verdict = tools.judge(jwt, into=model)
    assert not verdict and verdict.error is not None and verdict.error.claim == "tenant"
    assert tools.judge(jwt).ok


@pytest.mark.parametrize("model", [Claims, Struct, Model])
def test_the_signature_comes_first(tools: Gate, corp: testing.FakeIssuer, model: type) -> None:
    jwt = token(corp, tenant=5)[:-8] + "AAAAAAAA"
    assert tools.judge(jwt, into=model).code == "bad_signature"


def test_what_a_dataclass_holds(tools: Gate, corp: testing.FakeIssuer) -> None:
    jwt = token(
        corp,
        parts=[{"name": "a"}, {"name": "b", "size": 2, "more": 1}],
        level=3,
        color="blue",
        names=["x", "y"],
        extra={"z": [1]},
        numbers=[1, 2.5],
    )
    claims = tools.verify(jwt, into=Claims).claims
    assert claims.parts == [Part("a"), Part("b", 2)]
    assert (claims.level, claims.color, claims.names) == (3, "blue", ("x", "y"))
    assert claims.extra == {"z": [1]} and claims.numbers == [1, 2.5]


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("parts", [{"name": 1}]),
        ("parts", [{}]),
        ("parts", {"name": "a"}),
        ("level", True),
        ("level", 1.0),
        ("color", "green"),
        ("names", ["x", 1]),
        ("extra", []),
        ("numbers", [True]),
    ],
)
def test_what_a_dataclass_refuses(
    tools: Gate, corp: testing.FakeIssuer, claim: str, value: object
) -> None:
    error = tools.judge(token(corp, **{claim: value}), into=Claims).error
    assert error is not None and (error.code, error.claim) == ("claim_type", claim)


def test_types_that_cannot_be_checked(tools: Gate, corp: testing.FakeIssuer) -> None:
    @dataclass
    class Odd:
        sub: set[str]

    @dataclass
    class Local:
        sub: Odd  # a name that no module has

    for model in (dict, str, None.__class__, Odd, Local, "Claims"):
        for jwt in (token(corp), "bad"):
            with pytest.raises(UsageError, match="into"):
                tools.verify(jwt, into=model)
            with pytest.raises(UsageError, match="into"):
                tools.judge(jwt, into=model)
            with pytest.raises(UsageError, match="into"):
                tools.verify_chain(jwt, [], into=model)
        with pytest.raises(UsageError, match="into"):
            tools.judge_request(method="GET", uri="/", headers=[], into=model)


@dataclass
class Particular:
    sub: str

    def __post_init__(self) -> None:
        if self.sub != "u1":
            raise ValueError(f"{self.sub} is not for us")


class ParticularStruct(msgspec.Struct):
    sub: str

    def __post_init__(self) -> None:
        if self.sub != "u1":
            raise ValueError(f"{self.sub} is not for us")


class ParticularModel(pydantic.BaseModel):
    sub: str

    @pydantic.field_validator("sub")
    @classmethod
    def check(cls, value: str) -> str:
        if value != "u1":
            raise ValueError(f"{value} is not for us")
        return value


@pytest.mark.parametrize("model", [Particular, ParticularStruct, ParticularModel])
def test_what_a_model_has_against_the_values_is_a_misfit(
    tools: Gate, corp: testing.FakeIssuer, model: type
) -> None:
    assert tools.judge(token(corp), into=model).ok
    jwt = corp.token(sub="person-4711", aud=AUDIENCE, scope="mcp:use")
    error = tools.judge(jwt, into=model).error
    assert error is not None and error.code == "claim_type"
    assert error.__cause__ is None and error.__context__ is None and "4711" not in str(error)


def test_a_models_own_fault_is_its_own(tools: Gate, corp: testing.FakeIssuer) -> None:
    @dataclass
    class Broken:
        sub: str

        def __post_init__(self) -> None:
            raise ZeroDivisionError

    for call in (tools.verify, tools.judge):
        with pytest.raises(ZeroDivisionError):
            call(token(corp), into=Broken)
