"""Many tokens at once: input order, one snapshot, nothing that changes underneath."""

from __future__ import annotations

import pytest

from sealgate import Gate, SignatureError, UsageError, Verdict, testing

from conftest import AUDIENCE


@pytest.fixture
def tokens(corp: testing.FakeIssuer, jwt: str) -> list[str]:
    forged = jwt[:-8] + "AAAAAAAA"
    silent = corp.token(aud=AUDIENCE, claims={"iss": "https://silent.example"})
    return [jwt, forged, "x", jwt, silent]


CODES = ["accepted", "bad_signature", "malformed_token", "accepted", "keys_unavailable"]


def test_verdicts_in_input_order(tools: Gate, tokens: list[str]) -> None:
    batch = tools.verify_batch(tokens)
    assert [verdict.code for verdict in batch] == CODES
    assert len(batch) == 5 and batch[-1].code == CODES[-1] and batch[1].code == CODES[1]
    assert (batch.accepted, batch.refused, batch.undecided) == (2, 2, 1)
    assert next(iter(batch.counts)) == "accepted" and sum(batch.counts.values()) == 5
    assert [index for index, _ in batch.tokens()] == [0, 3]
    assert [(index, error.code) for index, error in batch.errors()] == [
        (index, code) for index, code in enumerate(CODES) if code != "accepted"
    ]
    assert isinstance(batch[1].error, SignatureError)
    assert all(isinstance(verdict, Verdict) for verdict in batch)
    assert repr(batch) == "<Batch accepted=2 refused=2 undecided=1>"
    for index in (5, -6):
        with pytest.raises(IndexError):
            batch[index]


def test_forms_of_a_batch(tools: Gate, tokens: list[str]) -> None:
    lines = "\n".join(tokens)
    forms: list[object] = [
        tokens,
        tuple(tokens),
        (token.encode() for token in tokens),
        [bytearray(token, "ascii") for token in tokens],
        lines,
        lines.encode(),
        (lines + "\n").encode(),
        lines.replace("\n", "\r\n").encode(),
        memoryview(lines.encode()),
    ]
    for form in forms:
        batch = tools.verify_batch(form)
        assert [verdict.code for verdict in batch] == CODES
    assert len(tools.verify_batch([])) == len(tools.verify_batch(b"")) == 0
    assert [verdict.code for verdict in tools.verify_batch(b"\n")] == ["malformed_token"]
    assert len(tools.verify_batch("a\n\nb")) == 3


def test_wrong_arguments(tools: Gate, jwt: str) -> None:
    with pytest.raises(UsageError, match=r"tokens\[1\] must be str"):
        tools.verify_batch([jwt, None])
    with pytest.raises(UsageError, match="an iterable"):
        tools.verify_batch(5)
    with pytest.raises(ZeroDivisionError):
        tools.verify_batch(1 // 0 for _ in range(1))


def test_a_batch_may_need_more(tools: Gate, jwt: str) -> None:
    (verdict,) = tools.verify_batch([jwt], required_scopes=["admin"])
    assert verdict.code == "insufficient_scope"
    assert 'scope="mcp:use admin"' in (verdict.error.www_authenticate or "")


def test_a_buffer_that_changes_later_changes_no_verdict(tools: Gate, jwt: str) -> None:
    buffer = bytearray(jwt, "ascii")
    batch, verdict = tools.verify_batch([buffer]), tools.judge(buffer)
    buffer[:] = b"\0" * len(buffer)
    assert batch[0].ok and verdict.ok
    assert batch[0].unwrap().subject == "u1"
    assert not tools.judge(buffer)


def test_a_batch_tells_what_it_was_judged_under(
    tools: Gate, corp: testing.FakeIssuer, jwt: str
) -> None:
    before = tools.verify_batch([jwt, "x"])
    corp.rotate()
    after = tools.verify_batch([])
    assert before.snapshot.policy == after.snapshot.policy == tools.verifier.policy.digest
    assert before.snapshot.keys == {"corp": 1, "silent": 0}
    assert after.snapshot.keys == {"corp": 2, "silent": 0}
    assert before[0].unwrap().snapshot.keys == 1
