"""`compat.pyjwt.PyJWKClient` against PyJWT's, at one server: the same keys or the same exception,
or a row of the table."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import jwt as theirs
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sealgate import testing
from sealgate.compat import pyjwt as ours

from loopback import Server

FAKE = testing.FakeIssuer("https://login.example.com", seed=1)
(FIRST,) = FAKE.jwks()["keys"]
RSA = json.loads(
    theirs.algorithms.RSAAlgorithm.to_jwk(
        rsa.generate_private_key(65537, 2048).public_key(), as_dict=False
    )
)


def key(kid: str | None, **members: Any) -> dict[str, Any]:
    made = {name: value for name, value in FIRST.items() if name != "kid"} | members
    return made if kid is None else made | {"kid": kid}


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, in words both libraries have; or the name of its exception."""
    try:
        given = call()
    except theirs.PyJWTError as error:
        return type(error).__name__
    keys = given if isinstance(given, list) else getattr(given, "keys", [given])
    return [(one.key_id, one.key_type, one.public_key_use, one.algorithm_name) for one in keys]


SETS: dict[str, bytes] = {
    "one key": json.dumps({"keys": [key("a")]}).encode(),
    "two keys": json.dumps({"keys": [key("a"), RSA | {"kid": "b", "alg": "RS256"}]}).encode(),
    "the same kid twice": json.dumps({"keys": [key("a"), RSA | {"kid": "a"}]}).encode(),
    "a key without a kid": json.dumps({"keys": [key(None), key("b")]}).encode(),
    "only a key without a kid": json.dumps({"keys": [key(None)]}).encode(),
    "an unknown kind beside": json.dumps({"keys": [{"kty": "new", "kid": "a"}, key("b")]}).encode(),
    "only an unknown kind": json.dumps({"keys": [{"kty": "new", "kid": "a"}]}).encode(),
    "for signatures": json.dumps({"keys": [key("a", use="sig")]}).encode(),
    "no key": b'{"keys": []}',
    "no object": b"[]",
}


@pytest.mark.parametrize("name", SETS)
def test_sets_are_read_alike(server: Server, name: str) -> None:
    server.answer = SETS[name]
    one, other = theirs.PyJWKClient(server.uri), ours.PyJWKClient(server.uri)
    token = FAKE.token(aud="a", header={"kid": "a"})
    calls: list[Callable[[Any], Any]] = [
        lambda client: client.get_jwk_set(),
        lambda client: client.get_signing_keys(),
        lambda client: client.get_signing_key("a"),
        lambda client: client.get_signing_key("missing"),
        lambda client: client.get_signing_key_from_jwt(token),
        lambda client: client.get_signing_key_from_jwt(token.encode()),
        lambda client: client.get_signing_key_from_jwt("rubbish"),
    ]
    for number, call in enumerate(calls):
        expected = outcome(lambda call=call: call(one))
        assert outcome(lambda call=call: call(other)) == expected, number


@pytest.mark.parametrize("status", [204, 301, 400, 401, 404, 429, 500, 503])
def test_failures_are_connection_errors(server: Server, status: int) -> None:
    server.answer, server.status = b"", status
    expected = "PyJWKClientConnectionError"
    if status != 204:  # PyJWT reads an empty answer as JSON: its ValueError is a row of the table
        assert outcome(theirs.PyJWKClient(server.uri).get_jwk_set) == expected
    assert outcome(ours.PyJWKClient(server.uri).get_jwk_set) == expected


def test_nobody_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{unused.getsockname()[1]}/keys"
    for module in (theirs, ours):
        client = module.PyJWKClient(uri)
        assert outcome(client.get_signing_keys) == "PyJWKClientConnectionError"


def fetches(server: Server, module: Any, work: Callable[[Any], None], **options: Any) -> int:
    server.fetches = 0
    work(module.PyJWKClient(server.uri, **options))
    return server.fetches


def unknown(client: Any) -> None:
    for _ in range(3):
        assert outcome(lambda: client.get_signing_key("new")) == "PyJWKClientError"


def known(client: Any) -> None:
    for _ in range(3):
        assert client.get_signing_key("a").key_id == "a"


def refreshed(client: Any) -> None:
    client.get_jwk_set()
    client.get_jwk_set(refresh=True)
    client.get_signing_keys(refresh=True)


@pytest.mark.parametrize("work", [unknown, known, refreshed])
@pytest.mark.parametrize(
    "options", [{}, {"cooldown_duration": 0}, {"cache_jwk_set": False}, {"lifespan": 1000}]
)
def test_as_many_fetches(
    server: Server, work: Callable[[Any], None], options: dict[str, Any]
) -> None:
    server.answer = SETS["one key"]
    assert fetches(server, ours, work, **options) == fetches(server, theirs, work, **options) > 0


def test_a_failed_fetch_keeps_the_set(server: Server) -> None:
    for module in (theirs, ours):
        server.answer, server.status = SETS["one key"], 200
        client = module.PyJWKClient(server.uri, cooldown_duration=0)
        client.get_jwk_set()
        server.status = 500
        assert outcome(lambda client=client: client.get_signing_key("new")) == (
            "PyJWKClientConnectionError"
        )
        assert client.get_signing_key("a").key_id == "a"


def test_rotation(server: Server) -> None:
    fake = testing.FakeIssuer("https://login.example.com", seed=1)
    for module in (theirs, ours):
        server.serve(fake)
        client = module.PyJWKClient(server.uri, cooldown_duration=0)
        old = fake.token(aud="a")
        signing = client.get_signing_key_from_jwt(old)
        options = {"algorithms": ["ES256"], "audience": "a"}
        assert module.decode(old, signing, **options)["sub"] == "u1"
        assert module.decode(old, signing.key, **options)["sub"] == "u1"
        fake.rotate(keep=0)
        server.serve(fake)
        new = fake.token(aud="a")
        with pytest.raises(module.InvalidSignatureError):
            module.decode(new, signing.key, **options)
        signing = client.get_signing_key_from_jwt(new)
        assert module.decode(new, signing.key, **options)["sub"] == "u1"
        assert outcome(lambda client=client, old=old: client.get_signing_key_from_jwt(old)) == (
            "PyJWKClientError"
        )


@pytest.mark.parametrize(
    "options",
    [
        {"lifespan": 0},
        {"lifespan": -1},
        {"cooldown_duration": -1},
        {"cooldown_duration": float("inf")},
        {"uri": "file:///etc/passwd"},
        {"uri": "keys.json"},
    ],
)
def test_wrong_options_are_refused_alike(options: dict[str, Any]) -> None:
    options = {"uri": "https://login.example.com/keys"} | options
    for module in (theirs, ours):
        assert outcome(lambda module=module: module.PyJWKClient(**options)) == "PyJWKClientError"
    assert theirs.PyJWKClient("https://a.example", lifespan=0, cache_jwk_set=False)
    assert ours.PyJWKClient("https://a.example", lifespan=0, cache_jwk_set=False)


# The rows of the table.


def test_an_algorithm_a_key(server: Server) -> None:
    pair = rsa.generate_private_key(65537, 2048)
    members = json.loads(theirs.algorithms.RSAAlgorithm.to_jwk(pair.public_key()))
    server.answer = json.dumps({"keys": [members | {"kid": "a"}]}).encode()
    token = theirs.encode({"sub": "u"}, pair, "PS256", headers={"kid": "a"})
    key = theirs.PyJWKClient(server.uri).get_signing_key("a").key
    assert theirs.decode(token, key, ["PS256"])
    key = ours.PyJWKClient(server.uri).get_signing_key("a").key
    with pytest.raises(ours.InvalidAlgorithmError):
        ours.decode(token, key, ["PS256"])


@pytest.mark.parametrize(
    "uri",
    ["http://keys.example/keys", "http://192.0.2.1/keys", "http://user@localhost/keys"],
)
def test_no_plain_http(uri: str) -> None:
    assert outcome(ours.PyJWKClient(uri).get_jwk_set) == "PyJWKClientError"


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[fd00::1]"])
def test_no_inner_address(host: str) -> None:
    assert outcome(ours.PyJWKClient(f"https://{host}/keys").get_jwk_set) == "PyJWKClientError"


def test_an_inner_address_that_is_named() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as probe, socket.socket() as unused:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            own: str = probe.getsockname()[0]
            unused.bind((own, 0))
        except OSError:
            pytest.skip("this machine has no address but its own")
        if not ipaddress.ip_address(own).is_private:
            pytest.skip("this machine has a public address")
        uri = f"https://{own}:{unused.getsockname()[1]}/keys"
    assert outcome(ours.PyJWKClient(uri).get_jwk_set) == "PyJWKClientError"
    named = ours.PyJWKClient(uri, allow_hosts=[own])
    assert outcome(named.get_jwk_set) == "PyJWKClientConnectionError", "it has tried"


@pytest.mark.parametrize(
    "answer",
    [
        b"no JSON",
        b"",
        b"{}",
        b'{"keys": [], "keys": []}',
        SETS["one key"] + b" " * 1024 * 1024,
    ],
    ids=["no JSON", "nothing", "no keys", "a member twice", "large"],
)
def test_answers_that_are_no_set(server: Server, answer: bytes) -> None:
    server.answer = answer
    assert outcome(ours.PyJWKClient(server.uri).get_jwk_set) == "PyJWKClientError"


def test_what_is_no_set_has_other_names_there(server: Server) -> None:
    server.answer = b"{}"
    assert outcome(theirs.PyJWKClient(server.uri).get_jwk_set) == "PyJWKSetError"
    server.answer = b"no JSON"
    with pytest.raises(ValueError, match="Expecting value"):
        theirs.PyJWKClient(server.uri).get_jwk_set()


def test_a_withdrawn_key_goes_with_its_set(server: Server) -> None:
    def after_withdrawal(module: Any) -> Any:
        server.answer = SETS["two keys"]
        client = module.PyJWKClient(server.uri, cache_keys=True)
        client.get_signing_key("b")
        server.answer = SETS["one key"]
        client.get_jwk_set(refresh=True)
        return outcome(lambda: client.get_signing_key("b"))

    assert after_withdrawal(theirs) == [("b", "RSA", None, "RS256")]
    assert after_withdrawal(ours) == "PyJWKClientError"


@pytest.mark.parametrize(
    "option", [{"headers": {"Authorization": "x"}}, {"ssl_context": ssl.create_default_context()}]
)
def test_options_it_does_not_have(option: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        ours.PyJWKClient("https://login.example.com/keys", **option)


def test_redirects_within_the_origin(server: Server) -> None:
    server.answer = SETS["one key"]
    server.moved = {"/old": server.uri, "/away": "http://127.0.0.1:1/keys"}
    old = server.uri.replace("/keys", "/old")
    assert outcome(theirs.PyJWKClient(old).get_jwk_set) == "PyJWKClientConnectionError"
    assert outcome(ours.PyJWKClient(old).get_jwk_set) == [("a", "EC", None, "ES256")]
    away = server.uri.replace("/keys", "/away")
    for module in (theirs, ours):
        assert outcome(module.PyJWKClient(away).get_jwk_set) == "PyJWKClientConnectionError"
