"""What type checkers must see: nothing here is `Any`, and `into` says what `claims` is."""

# pyright: strict

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from typing_extensions import assert_type

from sealgate import (
    Actor,
    Batch,
    Gate,
    Policy,
    SealgateError,
    Snapshot,
    StoreState,
    TokenError,
    UnavailableError,
    Verdict,
    VerifiedToken,
    Verifier,
    testing,
)


@dataclass
class Claims:
    tenant: str


def results(gate: Gate, jwt: str) -> None:
    token = gate.verify(jwt, required_scopes=["a"])
    assert_type(token, VerifiedToken[Mapping[str, Any]])
    assert_type(token.actor, Actor | None)
    assert_type(token.chain, tuple[Actor, ...])
    assert_type(token.scopes, tuple[str, ...])
    assert_type(token.snapshot, Snapshot)
    assert_type(token.require(required_scopes=("b",)), VerifiedToken[Mapping[str, Any]])
    presenter = {"iss": "https://login.example.com", "sub": "agent-a"}
    gate.verify(jwt, nonce="n", client_id="c", access_token=jwt, code="c", acr_values=["mfa"])
    typed = gate.verify(jwt, into=Claims, presenter=presenter)
    assert_type(typed, VerifiedToken[Claims])
    assert_type(typed.claims.tenant, str)


def chains(gate: Gate, jwt: str, parent: bytes) -> None:
    context = [{"kind": "access_token", "token": parent}]
    token = gate.verify_chain(jwt, context, operation={"tool": "pay", "arguments": {"n": 1}})
    assert_type(token, VerifiedToken[Mapping[str, Any]])
    assert_type(gate.verify_chain(jwt, context, into=Claims).claims.tenant, str)
    assert_type(gate.verifier.check_outbound(token, context[0], target="api"), None)
    for dimension in token.unproven:
        assert_type(dimension, Literal["subject", "scope", "time", "audience", "details"])


def verdicts(verifier: Verifier, jwt: bytes) -> None:
    verdict = verifier.judge(jwt, into=Claims)
    assert_type(verdict, Verdict[Claims])
    assert_type(verdict.unwrap().claims, Claims)
    assert_type(verdict.error, SealgateError | None)
    batch = verifier.verify_batch([jwt, "x"])
    assert_type(batch, Batch)
    for index, error in batch.errors():
        assert_type(index, int)
        assert_type(error.headers, dict[str, str])
    for _, token in batch.tokens():
        assert_type(token.payload, bytes)


def errors(gate: Gate) -> int:
    try:
        gate.verify("x")
    except TokenError as error:
        return error.http_status
    except UnavailableError as error:
        return error.retry_after or 0
    return 200


async def shared(verifier: Verifier) -> None:
    revocations = verifier.revocations
    assert_type(revocations.flush("1s"), bool)
    assert_type(await revocations.flush_async(timedelta(seconds=1)), bool)
    assert_type(revocations.store(), StoreState | None)


def fakes(policy: Policy) -> None:
    clock = testing.FixedClock(0)
    issuer = testing.FakeIssuer("https://i.example", clock=clock)
    gate = testing.open(policy, issuers={"i": issuer}, clock=clock).gate("g")
    for code, call in testing.refusals(gate):
        assert_type(code, str)
        assert_type(call.headers, list[tuple[str, str]])
        assert_type(call().http_status, int)
