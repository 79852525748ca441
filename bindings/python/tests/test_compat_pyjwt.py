"""`compat.pyjwt` against PyJWT: the same claims or the same exception, or a row of a table."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import random
import sys
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import jwt as theirs
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sealgate.compat import pyjwt as ours

NOW = 1_800_000_000
SECRET = "a secret of at least thirty-two octets, here"


class StandingStill(datetime):
    """PyJWT's time."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.fromtimestamp(NOW, tz)


@pytest.fixture(autouse=True)
def one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both judge by one clock, which stands still."""
    monkeypatch.setattr(theirs.api_jwt, "datetime", StandingStill)
    monkeypatch.setattr(ours, "time", SimpleNamespace(time=lambda: float(NOW)))


def pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


RSA = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, tuple[Any, Any]] = {
    "HS256": (SECRET, SECRET),
    "HS512": (SECRET * 2, (SECRET * 2).encode()),
    "RS256": (RSA, pem(RSA)),
    "PS256": (RSA, RSA.public_key()),
    **{
        alg: (key, pem(key))
        for alg, key in {
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "ES384": ec.generate_private_key(ec.SECP384R1()),
            "ES512": ec.generate_private_key(ec.SECP521R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }.items()
    },
}


def token(claims: Any, alg: str = "HS256", **header: Any) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return theirs.api_jws.encode(payload, KEYS[alg][0], alg, headers=header or None)


def outcome(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(*args, **options)
        except theirs.PyJWTError as error:
            return type(error).__name__


def both(jwt: Any, key: Any, algorithms: Any, **options: Any) -> tuple[Any, Any]:
    return (
        outcome(theirs.decode, jwt, key, algorithms, **options),
        outcome(ours.decode, jwt, key, algorithms, **options),
    )


@pytest.mark.parametrize("alg", KEYS)
def test_every_algorithm(alg: str) -> None:
    claims = {"sub": "u1", "exp": NOW + 1000, "n": [1, {"x": None}]}
    signed = token(claims, alg)
    assert both(signed, KEYS[alg][1], [alg]) == (claims, claims)
    complete = ours.decode_complete(signed, KEYS[alg][1], [alg])
    assert complete == theirs.decode_complete(signed, KEYS[alg][1], [alg])
    assert ours.get_unverified_header(signed) == theirs.get_unverified_header(signed)
    forged = token(claims | {"sub": "u2"}, alg).rpartition(".")[0] + "." + signed.rpartition(".")[2]
    assert both(forged, KEYS[alg][1], [alg]) == ("InvalidSignatureError",) * 2
    other = "ES256" if alg != "ES256" else "RS256"
    assert both(signed, KEYS[alg][1], [other]) == ("InvalidAlgorithmError",) * 2
    assert both(signed, KEYS[alg][1], None) == ("DecodeError",) * 2


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "dpop+jwt", "JWT", "own", None])
def test_no_typ_is_asked_for(typ: str | None) -> None:
    claims = {"sub": "u1", "exp": NOW + 1000, "cnf": {"jkt": "x"}, "act": {"sub": "a"}}
    assert both(token(claims, typ=typ), SECRET, ["HS256"]) == (claims, claims)


CLAIMS: list[dict[str, Any]] = [
    {},
    {"exp": NOW + 1000},
    {"exp": NOW - 1000},
    {"exp": NOW + 1000.5},
    *({"exp": NOW + seconds} for seconds in (-31, -30, -29, -1, 0, 0.5, 1)),
    *({"nbf": NOW + seconds} for seconds in (-1, 0, 0.5, 1, 29, 30, 30.5, 31)),
    *({"iat": NOW + seconds} for seconds in (-1, 0, 0.5, 1, 29, 30, 30.5, 31)),
    {"exp": 1e300, "nbf": -1e300, "iat": 10**30},
    {"exp": None},
    {"exp": {}},
    {"nbf": NOW + 1000},
    {"nbf": NOW - 1000},
    {"nbf": []},
    {"iat": NOW + 1000},
    {"iat": NOW - 1000},
    {"iat": "soon"},
    {"aud": "a"},
    {"aud": ["a", "b"]},
    {"aud": []},
    {"aud": ""},
    {"aud": ["a", 1]},
    {"aud": 5},
    {"aud": {"a": 1}},
    {"iss": "i"},
    {"iss": "other"},
    {"iss": 5},
    {"sub": "u1"},
    {"sub": 5},
    {"jti": 5},
    {"jti": "j"},
]
CALLS: list[dict[str, Any]] = [
    {},
    {"audience": "a"},
    {"audience": ["b", "c"]},
    {"audience": []},
    {"audience": "a", "options": {"strict_aud": True}},
    {"audience": ["a"], "options": {"strict_aud": True}},
    {"issuer": "i"},
    {"issuer": ["i", "j"]},
    {"issuer": {"i": 1}},
    {"issuer": 5},
    {"leeway": 30},
    {"leeway": 30.5},
    {"leeway": -10},
    {"audience": ("b", "a"), "issuer": ("j",), "subject": "", "leeway": 1},
    {"options": {"require": "exp"}},
    {"options": {"verify_exp": 0, "verify_aud": None, "strict_aud": 1}},
    {"subject": "u1"},
    {"leeway": 2000},
    {"leeway": timedelta(seconds=2000)},
    {"options": {"require": ["exp", "sub"]}},
    {"options": {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "sub", "jti")}},
    {"options": {"verify_iss": False}, "issuer": "i"},
]


@pytest.mark.parametrize("call", CALLS, ids=repr)
def test_claims_are_judged_alike(call: dict[str, Any]) -> None:
    for claims in CLAIMS:
        theirs_says, ours_says = both(token(claims), SECRET, ["HS256"], **call)
        assert ours_says == theirs_says, claims


@pytest.mark.parametrize(
    "jwt", ["", ".", "..", "a.b", "a.b.c", b"\xff.\xff.\xff", "é", 5, None, token([1]), token(b"x")]
)
def test_rubbish_is_judged_alike(jwt: Any) -> None:
    assert both(jwt, SECRET, ["HS256"]) == ("DecodeError",) * 2


@pytest.mark.parametrize(
    "key", ["", "not PEM", pem(RSA), "ssh-rsa AAAA", '{"kty":"oct"}', pem(RSA).encode()]
)
def test_wrong_keys_are_refused_alike(key: Any) -> None:
    if key == "not PEM":
        assert both(token({}, "RS256"), key, ["RS256"]) == ("InvalidKeyError",) * 2
    else:
        assert both(token({}), key, ["HS256"]) == ("InvalidKeyError",) * 2


def test_jwks() -> None:
    members = json.loads(theirs.algorithms.RSAAlgorithm.to_jwk(RSA.public_key()))
    members |= {"kid": "k1", "use": "sig"}
    signed = token({"sub": "u1"}, "RS256", kid="k1")
    for module in (theirs, ours):
        key = module.PyJWK.from_dict(members)
        assert (key.key_id, key.key_type, key.public_key_use) == ("k1", "RSA", "sig")
        assert key.algorithm_name == "RS256"
        assert module.decode(signed, key) == {"sub": "u1"}
        with pytest.raises(module.InvalidAlgorithmError):
            module.decode(token({}, "PS256"), key, ["PS256"])
        keys = module.PyJWKSet.from_json(json.dumps({"keys": [{"kty": "unknown"}, members]}))
        assert keys["k1"].key_id == "k1" and len(list(keys)) == 1
        with pytest.raises(KeyError):
            keys["k2"]
        for wrong in ({}, {"keys": []}, {"keys": [{"kty": "unknown"}]}):
            with pytest.raises(module.PyJWKSetError):
                module.PyJWKSet.from_dict(wrong)
        with pytest.raises(module.InvalidKeyError):
            module.PyJWK({"kid": "k1"})
    ed = KEYS["EdDSA"][0].public_key()
    members = json.loads(theirs.algorithms.OKPAlgorithm.to_jwk(ed))
    assert ours.PyJWK(members).algorithm_name == theirs.PyJWK(members).algorithm_name == "EdDSA"
    assert ours.decode(token({"sub": "u"}, "EdDSA"), ours.PyJWK(members)) == {"sub": "u"}


def test_except_clauses_go_on_working() -> None:
    for name in ours.__all__:
        if name.endswith("Error"):
            assert getattr(ours, name) is getattr(theirs.exceptions, name), name


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def padded() -> str:
    header, payload, _ = token({"sub": "uu"}).split(".")
    payload += "=" * (-len(payload) % 4)
    mac = hmac.new(SECRET.encode(), f"{header}.{payload}".encode(), hashlib.sha256)
    return f"{header}.{payload}.{b64u(mac.digest())}"


def weak_rsa() -> tuple[str, str]:
    key = rsa.generate_private_key(65537, 1024)
    return theirs.encode({"sub": "u"}, key, "RS256"), pem(key)


def deep() -> bytes:
    return b'{"sub":"u","x":' + b"[" * 100 + b"]" * 100 + b"}"


def with_header(members: dict[str, Any]) -> str:
    header = json.dumps({"alg": "HS256"} | members).encode()
    signed = f"{b64u(header)}.{b64u(b'{}')}"
    return f"{signed}.{b64u(hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest())}"


STRICTER: dict[str, tuple[Callable[[], tuple[Any, Any, list[str], dict[str, Any]]], str]] = {
    "unverified": (
        lambda: (token({}), SECRET, ["HS256"], {"options": {"verify_signature": False}}),
        "NotImplementedError",
    ),
    "member twice": (lambda: (token(b'{"a":1,"a":2}'), SECRET, ["HS256"], {}), "DecodeError"),
    "exp as string": (
        lambda: (token({"exp": str(NOW + 1000)}), SECRET, ["HS256"], {}),
        "DecodeError",
    ),
    "exp as boolean": (
        lambda: (token({"nbf": True}), SECRET, ["HS256"], {}),
        "DecodeError",
    ),
    "iat as string": (
        lambda: (token({"iat": str(NOW)}), SECRET, ["HS256"], {}),
        "InvalidIssuedAtError",
    ),
    "padding": (lambda: (padded(), SECRET, ["HS256"], {}), "DecodeError"),
    "short secret": (
        lambda: (theirs.encode({}, "short", "HS256"), "short", ["HS256"], {}),
        "InvalidKeyError",
    ),
    "weak RSA": (lambda: (*weak_rsa(), ["RS256"], {}), "InvalidKeyError"),
    "large": (lambda: (token({"x": ["y" * 1000] * 90}), SECRET, ["HS256"], {}), "DecodeError"),
    "deep": (lambda: (token(deep()), SECRET, ["HS256"], {}), "DecodeError"),
    **{
        name: (lambda payload=payload: (token(payload), SECRET, ["HS256"], {}), "DecodeError")
        for name, payload in {
            "a long string": {"x": "y" * 2049},
            "a long array": {"x": [1] * 1025},
            "NaN": b'{"x":NaN}',
            "infinity": b'{"x":Infinity}',
            "beyond a float": b'{"x":1e400}',
            "a lone surrogate": b'{"x":"\\ud800"}',
            "a byte order mark": b'\xef\xbb\xbf{"x":1}',
        }.items()
    },
    **{
        f"header {name}": (
            lambda header=header: (with_header(header), SECRET, ["HS256"], {}),
            "DecodeError",
        )
        for name, header in {
            "typ": {"typ": 5},
            "secret": {"jwk": {"kty": "oct", "k": "AA"}},
            "zip": {"zip": "DEF"},
        }.items()
    },
}


@pytest.mark.parametrize("name", STRICTER)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_where_we_are_stricter(name: str) -> None:
    made, expected = STRICTER[name]
    jwt, key, algorithms, options = made()
    assert isinstance(outcome(theirs.decode, jwt, key, algorithms, **options), dict)
    try:
        refused = outcome(ours.decode, jwt, key, algorithms, **options)
    except NotImplementedError as error:
        refused = type(error).__name__
    assert refused == expected


def test_a_private_key_is_no_public_one() -> None:
    key = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ours.InvalidKeyError):
        ours.decode(token({}, "RS256"), key, ["RS256"])


def test_detached_payloads_are_refused() -> None:
    signed = theirs.api_jws.encode(
        b"payload",
        SECRET,
        "HS256",
        headers={"b64": False, "crit": ["b64"]},
        is_payload_detached=True,
    )
    assert theirs.api_jws.decode(signed, SECRET, ["HS256"], detached_payload=b"payload")
    with pytest.raises(ours.InvalidTokenError):
        ours.decode(signed, SECRET, ["HS256"])


@pytest.mark.filterwarnings("ignore::jwt.warnings.RemovedInPyjwt3Warning")
@pytest.mark.filterwarnings("ignore:The `verify` argument:DeprecationWarning")
def test_what_pyjwt_ignores_is_the_callers_mistake() -> None:
    jwt = token({"sub": "u1"})
    ignored: list[dict[str, Any]] = [
        {"options": {"verify_expiry": True}},
        {"verify": False},
        {"verify_expiry": True},
    ]
    for options in ignored:
        assert theirs.decode(jwt, SECRET, ["HS256"], **options) == {"sub": "u1"}
        with pytest.raises(TypeError, match=r"verify"):
            ours.decode(jwt, SECRET, ["HS256"], **options)
    with pytest.raises(TypeError, match="positional"):
        ours.decode(jwt, SECRET, ["HS256"], None, "a")  # type: ignore[misc]


def test_a_payload_is_read_before_its_signature() -> None:
    forged = token(b"no JSON").rpartition(".")[0] + "." + token({}).rpartition(".")[2]
    assert both(forged, SECRET, ["HS256"]) == ("InvalidSignatureError", "DecodeError")
    assert issubclass(ours.InvalidSignatureError, ours.DecodeError)


def test_no_mutation_of_a_token_is_taken_that_pyjwt_refuses() -> None:
    """And what both refuse, they refuse alike, save where the payload is no JSON any more."""
    chance = random.Random(1)
    good = token({"sub": "u1"})
    for _ in range(2000):
        place, letter = chance.randrange(len(good)), chance.choice("AZ_-.=+/ \n\t\0é~")
        jwt = good[:place] + letter + good[place + chance.randrange(2) :]
        for form in (jwt, jwt.encode()):
            theirs_says, ours_says = both(form, SECRET, ["HS256"])
            if theirs_says != ours_says:
                assert theirs_says in ("InvalidSignatureError", "InvalidAlgorithmError"), form
                assert ours_says == "DecodeError", form


def test_without_pyjwt_the_names_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    for name in [name for name in sys.modules if name.startswith("sealgate.compat.")]:
        monkeypatch.delitem(sys.modules, name)
    alone = importlib.import_module("sealgate.compat.pyjwt")
    for name in alone.__all__:
        if name.endswith("Error"):
            mine, real = getattr(alone, name), getattr(theirs.exceptions, name)
            assert mine is not real
            assert mine.__bases__[0].__name__ == real.__bases__[0].__name__
