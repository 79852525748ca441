"""One vocabulary: every code has a class, a doc line and a vector; an outage is never a refusal."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import sealgate
from sealgate import (
    AudienceError,
    Gate,
    InternalError,
    KeysUnavailableError,
    PolicyError,
    SealgateError,
    TokenError,
    UnavailableError,
    UsageError,
    testing,
)
from sealgate._errors import CLASSES
from sealgate._native import codes

from conftest import AUDIENCE

VECTORS = Path(__file__).parents[3] / "tests" / "vectors"
# What no token and no request provokes: our mistake, a memory of proofs that is full or away, a
# shared store without news, and what a status list says that somebody must serve.
WITHOUT_VECTOR = {
    "internal",
    "replay_full",
    "replay_unavailable",
    "revocation_stale",
    "revocation_unavailable",
    "status_stale",
    "suspended",
}


def test_every_code_has_a_class_of_its_blame() -> None:
    assert set(CLASSES) == {code for code, *_ in codes()}
    parents = {
        "rejected": TokenError,
        "unavailable": UnavailableError,
        "misuse": UsageError,
        "internal": InternalError,
    }
    for code, blame, _, _ in codes():
        assert issubclass(CLASSES[code], parents[blame]), code


def test_every_code_has_a_vector() -> None:
    seen = set()
    for file in sorted(VECTORS.rglob("*.jsonl")):
        for line in file.read_text().splitlines():
            expected = json.loads(line)["expect"]
            seen.add(expected.get("code"))
            seen |= {verdict.get("code") for verdict in expected.get("verdicts", ())}
    assert {code for code, *_ in codes()} - seen == WITHOUT_VECTOR


def test_every_class_and_code_is_documented() -> None:
    for code, _, _, reason in codes():
        assert reason, code
        assert CLASSES[code].__doc__, code


def test_no_outage_is_a_refusal() -> None:
    assert not issubclass(UnavailableError, TokenError)
    assert not issubclass(TokenError, UnavailableError)
    assert not issubclass(UsageError, TokenError)


def test_what_an_error_shows(tools: Gate, corp: testing.FakeIssuer) -> None:
    with pytest.raises(AudienceError) as caught:
        tools.verify(corp.token(aud="https://elsewhere.example", scope="mcp:use"))
    error = caught.value
    assert (error.code, error.blame, error.group) == ("aud_mismatch", "rejected", "validity")
    assert error.reason == "the token is for another audience"
    assert error.claim == "aud" and error.expected == (AUDIENCE,)
    assert error.gate == "tools" and error.issuer_name == "corp"
    assert error.hint is not None and AUDIENCE in error.hint
    assert error.doc.endswith("enum.Code.html#variant.AudMismatch")
    assert error.http_status == 401 and error.oauth_error == "invalid_token"
    assert error.headers["Cache-Control"] == "no-store"
    assert error.www_authenticate == (
        'Bearer error="invalid_token", '
        'error_description="the token is for another audience", '
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/mcp"'
    )
    assert json.loads(error.body)["error_description"] == error.reason
    assert error.retry_after is None
    assert str(error) == (
        f"aud_mismatch: the token is for another audience (aud); expected {AUDIENCE}"
    )
    assert repr(error) == f"AudienceError({str(error)!r})"


def test_missing_keys_are_an_outage(tools: Gate, corp: testing.FakeIssuer) -> None:
    jwt = corp.token(aud=AUDIENCE, claims={"iss": "https://silent.example"})
    with pytest.raises(KeysUnavailableError) as caught:
        tools.verify(jwt)
    error = caught.value
    assert (error.http_status, error.retry_after, error.www_authenticate) == (503, 5, None)
    assert error.issuer_name == "silent" and not error.body and error.oauth_error is None
    assert str(error) == "keys_unavailable: the issuer has no usable keys (silent)"


def test_errors_travel_to_other_processes(tools: Gate, corp: testing.FakeIssuer) -> None:
    error = tools.judge(corp.token(aud="https://elsewhere.example")).error
    assert error is not None
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error) and copy.headers == error.headers
    assert (str(copy), copy.expected, copy.hint) == (str(error), error.expected, error.hint)
    with pytest.raises(PolicyError) as caught:
        sealgate.Policy.parse("version = 2")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value) and copy.problems == caught.value.problems


def test_errors_travel_with_what_was_added_to_them(tools: Gate) -> None:
    for call in (lambda: tools.verify("x"), lambda: sealgate.Policy.parse("version = 2")):
        with pytest.raises(SealgateError) as caught:
            call()
        error: Any = caught.value
        error.request_id = 7
        if hasattr(error, "add_note"):  # from 3.11
            error.add_note("of job 7")
        for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(copied) is type(error) and vars(copied).keys() == vars(error).keys()
            assert copied.request_id == 7 and str(copied) == str(error)


CLASSES_OF_ONE_CODE = {
    "ExpiredTokenError": "expired",
    "AudienceError": "aud_mismatch",
    "IssuerError": "iss_untrusted",
    "ReplayError": "replayed",
    "StepUpError": "insufficient_user_authentication",
    "UsageError": "usage",
    "InternalError": "internal",
    "PolicyError": "policy_invalid",
}


def test_errors_that_a_program_makes_itself() -> None:
    """As a stand-in for a gate in somebody's tests does."""
    for cls in {SealgateError, TokenError, UnavailableError, PolicyError, *CLASSES.values()}:
        for made in (cls("mocked"), pickle.loads(pickle.dumps(cls("mocked")))):
            assert type(made) is cls and "mocked" in str(made)
            assert made.code == CLASSES_OF_ONE_CODE.get(cls.__name__, made.code)
            assert made.code == "policy_invalid" or issubclass(CLASSES[made.code], cls)
            assert made.http_status in (400, 401, 403, 500, 503) and made.headers is not None
            assert made.reason and made.doc and made.gate is None and made.expected == ()
        assert str(cls()) == f"{cls().code}: {cls().reason}"
    assert sealgate.ExpiredTokenError("x").http_status == 401
    assert UnavailableError("x").retry_after == 5
    for code, cls in CLASSES.items():
        assert cls(code=code).code == code
    with pytest.raises(ValueError, match="no code is 'late'"):
        sealgate.ExpiredTokenError(code="late")


def test_classes_of_a_programs_own() -> None:
    class Late(sealgate.ExpiredTokenError):
        def __init__(self, seconds: int) -> None:
            super().__init__(f"{seconds} s")
            self.seconds = seconds

    assert Late(5).code == "expired" and "5 s" in str(Late(5)) and Late(5).seconds == 5


def test_a_panic_is_an_exception_like_any_other() -> None:
    """In a build of its own, which `SEALGATE_PANICS` names: the one that is released cannot."""
    assert not hasattr(sealgate._native, "_provoke_panic")
    folder = os.environ.get("SEALGATE_PANICS")
    if folder is None:
        pytest.skip("SEALGATE_PANICS names no folder with a build that can panic")
    program = """
        import sealgate
        try:
            sealgate._native._provoke_panic()
        except sealgate.InternalError as error:
            assert (error.http_status, error.body) == (500, ""), error
            print(error.code)
        """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    paths = os.environ | {"PYTHONPATH": folder}
    done = subprocess.run(command, env=paths, capture_output=True, text=True, timeout=120)
    assert done.stdout == "internal\n", done.stderr
    assert "provoked" in done.stderr


def test_the_tree() -> None:
    """Names and parents are API: this is the table of the documentation."""
    tree = {
        "TokenError": "SealgateError",
        "CredentialError": "TokenError",
        "MalformedTokenError": "TokenError",
        "SignatureError": "TokenError",
        "TokenKindError": "TokenError",
        "ValidityError": "TokenError",
        "ExpiredTokenError": "ValidityError",
        "AudienceError": "ValidityError",
        "IssuerError": "ValidityError",
        "ReplayError": "ValidityError",
        "PossessionError": "TokenError",
        "DelegationError": "TokenError",
        "ActorError": "DelegationError",
        "RevokedError": "TokenError",
        "AuthorityError": "TokenError",
        "StepUpError": "AuthorityError",
        "UnavailableError": "SealgateError",
        "KeysUnavailableError": "UnavailableError",
        "RevocationUnavailableError": "UnavailableError",
        "IntrospectionUnavailableError": "UnavailableError",
        "ReplayUnavailableError": "UnavailableError",
        "PolicyError": "SealgateError",
        "UsageError": "SealgateError",
        "InternalError": "SealgateError",
    }
    errors = {
        name: value
        for name, value in vars(sealgate).items()
        if isinstance(value, type) and issubclass(value, SealgateError)
    }
    assert {name: cls.__bases__[0].__name__ for name, cls in errors.items()} == tree | {
        "SealgateError": "Exception"
    }
    assert issubclass(PolicyError, ValueError) and issubclass(UsageError, TypeError)


def test_all_scopes_are_needed_and_one_acr_would_do(verifier: sealgate.Verifier, jwt: str) -> None:
    scopes = verifier.judge(jwt, required_scopes=["zz", "yy"]).error
    assert str(scopes).endswith("; expected mcp:use and zz and yy")
    acr = verifier.judge(jwt, acr_values=["gold", "silver"]).error
    assert str(acr).endswith("; expected gold or silver")
    assert str(pickle.loads(pickle.dumps(acr))) == str(acr)


def test_a_reason_says_what_is_malformed(verifier: sealgate.Verifier) -> None:
    for token, reason in [
        ("x", "this is not a compact JWT"),
        ("W10.e30.AA", "the token's header is not well-formed JSON"),
        (
            "eyJraWQiOjd9.e30.AA",
            "a member of the token has a form that its definition does not allow",
        ),
    ]:
        error = verifier.judge(token).error
        assert error and (error.code, error.reason) == ("malformed_token", reason)
        assert reason in str(error)
