"""Issuers and agents whose keys are ours, and verifiers that trust them."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import time
import weakref
from collections.abc import Iterable, Mapping
from datetime import timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any

from .._native import (
    FixedClock,
    Gate,
    Policy,
    SigningKey,
    Verdict,
    Verifier,
    inspect,
    policy_for_tests,
)

if TYPE_CHECKING:
    from ._serve import ServedIssuer


class FakeAgent:
    """An agent that acts for others: pass it as an actor to `FakeIssuer.token`.

    `iss` is the agent's own issuer; None takes that of the issuer of the token.
    """

    def __init__(
        self,
        sub: str,
        *,
        iss: str | None = None,
        clock: FixedClock | None = None,
        seed: int = 0,
        alg: str = "ES256",
    ) -> None:
        self.sub = sub
        self.iss = iss
        self.clock = clock
        self.key = SigningKey.make(alg, "agent", _seed(sub, seed, 0))
        self._ids = itertools.count(1)

    @property
    def jkt(self) -> str:
        """The thumbprint of its key (RFC 7638), as in `cnf.jkt`."""
        return self.key.thumbprint

    def proof(
        self,
        method: str,
        url: str,
        token: str | None = None,
        *,
        nonce: str | None = None,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A new DPoP proof (RFC 9449) for a request to this URL, made now; with the hash of the
        access token that goes with it.

        `claims` and `header` add members and replace them; `None` there leaves one out.
        """
        members: dict[str, Any] = {
            "jti": f"{self.jkt}-{next(self._ids)}",
            "htm": method,
            "htu": url.partition("?")[0],
            "iat": _now(self.clock),
            "nonce": nonce,
        }
        if token is not None:
            members["ath"] = base64url(hashlib.sha256(token.encode()).digest())
        jwk = json.loads(self.key.public_json())
        del jwk["kid"]
        head = {"typ": "dpop+jwt", "alg": self.key.alg, "jwk": jwk}
        return _signed(self.key, _merged(members, claims), _merged(head, header))

    def headers(
        self, gate: Gate, method: str, uri: str, token: str, *, nonce: str | None = None
    ) -> list[tuple[str, str]]:
        """What the agent sends with a request to a gate: the token, and a new proof where the token
        is bound to a key."""
        if "jkt" not in inspect(token).claims.get("cnf", {}):
            return [("Authorization", f"Bearer {token}")]
        rules = gate.verifier.policy.to_dict()["gates"][gate.name]
        url = rules.get("public_url", "").removesuffix("/") + uri
        proof = self.proof(method, url, token, nonce=nonce)
        return [("Authorization", f"DPoP {token}"), ("DPoP", proof)]

    def call(
        self,
        gate: Gate,
        method: str,
        uri: str,
        token: str,
        *,
        nonce: str | None = None,
        required_scopes: Iterable[str] = (),
    ) -> Verdict:
        """The gate's verdict on a request of the agent's, with a new proof each time."""
        headers = self.headers(gate, method, uri, token, nonce=nonce)
        return gate.judge_request(
            method=method, uri=uri, headers=headers, required_scopes=required_scopes
        )

    def __repr__(self) -> str:
        return f"FakeAgent({self.sub!r})"


class FakeIssuer:
    """An issuer whose keys are yours: the same ones for the same `seed`, save RSA's, which are
    made anew each time.

    `name` is what its keys' `kid`s begin with.
    """

    def __init__(
        self,
        issuer: str,
        *,
        clock: FixedClock | None = None,
        seed: int = 0,
        alg: str = "ES256",
        name: str = "key",
    ) -> None:
        self.issuer = issuer
        self.clock = clock
        self.alg = alg
        self._name = name
        self._seed = seed
        self._made = 0
        self._ids = itertools.count(1)
        self._keys: list[SigningKey] = []
        self._verifiers: weakref.WeakKeyDictionary[Verifier, str] = weakref.WeakKeyDictionary()
        self.rotate(keep=0)

    @staticmethod
    def serve(
        issuer: str | None = None,
        *,
        clock: FixedClock | None = None,
        seed: int = 0,
        alg: str = "ES256",
        name: str = "key",
    ) -> ServedIssuer:
        """A fake issuer whose metadata and keys are served on this machine: a context manager.

        Its `issuer` is the URL it is served at, for `discovery`; or the one that is given, whose
        keys are then at `jwks_uri`. A verifier fetches from it only where it may:

            with testing.FakeIssuer.serve() as corp:
                verifier = Verifier(
                    issuer=corp.issuer,
                    audience="https://api.example.com/mcp",
                    danger={"http_loopback_issuers": True},
                    allow_danger=True,
                )
                verifier.wait_ready()
        """
        from ._serve import ServedIssuer

        return ServedIssuer(issuer, clock=clock, seed=seed, alg=alg, name=name)

    @property
    def kid(self) -> str:
        """The `kid` of the key it signs with now."""
        return self._signer.kid or ""

    @property
    def key(self) -> SigningKey:
        """The key it signs with now."""
        return self._signer

    def jwks(self) -> dict[str, Any]:
        """Its JWK Set: the public halves of its keys; of a shared secret, the secret."""
        return {"keys": [json.loads(key.public_json()) for key in self._keys]}

    def rotate(self, *, keep: int = 1) -> str:
        """Makes a new key and signs with it from now on; keeps `keep` of the ones before in the
        set. Verifiers of `open` know at once. Returns the new `kid`."""
        self._made += 1
        kid = f"{self._name}-{self._made}"
        self._signer = SigningKey.make(self.alg, kid, _seed(self.issuer, self._seed, self._made))
        self._keys = [*(self._keys[-keep:] if keep else []), self._signer]
        self._publish()
        return kid

    def withdraw(self, kid: str) -> None:
        """Takes a key out of the set. Verifiers of `open` refuse its tokens at once; and an empty
        set, so the last key stays theirs."""
        if kid not in [key.kid for key in self._keys]:
            raise ValueError(f"{self!r} has no key {kid!r}")
        self._keys = [key for key in self._keys if key.kid != kid]
        self._publish()

    def token(
        self,
        *,
        sub: str | None = "u1",
        aud: str | Iterable[str] | None = None,
        scope: str | None = None,
        client_id: str | None = None,
        act: Iterable[FakeAgent | str | tuple[str, str]] = (),
        bind_to: FakeAgent | None = None,
        lifetime: str | timedelta = "5m",
        typ: str | None = "at+jwt",
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A token of this issuer, issued now: an access token (RFC 9068) unless told otherwise.

        `act` is the chain, outermost actor first. `claims` and `header` add members and replace
        them; `None` there leaves one out.
        """
        now = self.now()
        actors = list(act)
        subject = client_id or (_link(self.issuer, actors[0])["sub"] if actors else sub)
        members: dict[str, Any] = {
            "iss": self.issuer,
            "sub": sub,
            "aud": aud if aud is None or isinstance(aud, str) else list(aud),
            "client_id": subject,
            "iat": now,
            "exp": now + _seconds(lifetime),
            "jti": f"{self._name}-{next(self._ids)}",
            "scope": scope,
            "act": _chain(self.issuer, actors),
            "cnf": {"jkt": bind_to.jkt} if bind_to else None,
        }
        head = {"alg": self._signer.alg, "typ": typ, "kid": self.kid}
        return self.sign(_merged(members, claims), _merged(head, header))

    def sign(
        self, claims: Mapping[str, Any] | bytes, header: Mapping[str, Any] | bytes | None = None
    ) -> str:
        """A compact JWS over these claims, or these very bytes, under this header."""
        if header is None:
            header = {"alg": self._signer.alg, "typ": "at+jwt", "kid": self.kid}
        return _signed(self._signer, claims, header)

    def __repr__(self) -> str:
        return f"FakeIssuer({self.issuer!r})"

    def now(self) -> int:
        """Its time, in whole seconds since 1970."""
        return _now(self.clock)

    def _attach(self, verifier: Verifier, name: str) -> None:
        self._verifiers[verifier] = name
        verifier.keys.publish(name, self.jwks())

    def _publish(self) -> None:
        for verifier, name in self._verifiers.items():
            verifier.keys.publish(name, self.jwks())


def open(
    source: str | PathLike[str] | Mapping[str, Any] | Policy,
    *,
    issuers: Mapping[str, FakeIssuer],
    clock: FixedClock | None = None,
    allow_danger: bool = False,
) -> Verifier:
    """A verifier for your real policy with the keys of fake issuers, by their names in it.

    No key source the policy names is read. An issuer without a fake has no keys: its tokens are
    `keys_unavailable`.
    """
    document = source.to_dict() if isinstance(source, Policy) else source
    rules = policy_for_tests(document, push_all_keys=True, allow_danger=allow_danger)
    verifier = Verifier.from_policy(rules, clock=clock)
    for name, fake in issuers.items():
        written = rules.to_dict()["issuers"].get(name)
        if written is None:
            raise ValueError(f"the policy has no issuer {name!r}")
        if fake.issuer not in ([i] if isinstance(i := written["issuer"], str) else i):
            raise ValueError(f"issuers.{name} is another issuer than {fake!r}")
        fake._attach(verifier, name)
    opened[verifier] = dict(issuers)
    return verifier


def policy(
    source: str | PathLike[str] | Mapping[str, Any], *, allow_danger: bool = False
) -> Policy:
    """A policy that may hold keys whose private half is published, and secrets inline."""
    return policy_for_tests(source, allow_test_keys=True, allow_danger=allow_danger)


# The fakes of each verifier that `open` made.
opened: weakref.WeakKeyDictionary[Verifier, Mapping[str, FakeIssuer]] = weakref.WeakKeyDictionary()


def _seed(name: str, seed: int, number: int) -> bytes:
    return hashlib.sha256(f"{name}\n{seed}\n{number}".encode()).digest()


def _seconds(lifetime: str | timedelta) -> int:
    clock = FixedClock(0)
    clock.advance(lifetime)
    return clock.now()


def _link(iss: str, actor: FakeAgent | str | tuple[str, str]) -> dict[str, Any]:
    if isinstance(actor, FakeAgent):
        return {"iss": actor.iss or iss, "sub": actor.sub}
    if isinstance(actor, str):
        return {"iss": iss, "sub": actor}
    return {"iss": actor[0], "sub": actor[1]}


def _chain(iss: str, actors: list[FakeAgent | str | tuple[str, str]]) -> dict[str, Any] | None:
    chain: dict[str, Any] | None = None
    for actor in reversed(actors):
        chain = _link(iss, actor) | ({"act": chain} if chain else {})
    return chain


def _signed(
    key: SigningKey, claims: Mapping[str, Any] | bytes, header: Mapping[str, Any] | bytes
) -> str:
    signing_input = f"{_segment(header)}.{_segment(claims)}"
    return f"{signing_input}.{base64url(key.sign(signing_input.encode()))}"


def _now(clock: FixedClock | None) -> int:
    return clock.now() if clock is not None else int(time.time())


def _merged(members: dict[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
    members = members | dict(changes or {})
    return {name: value for name, value in members.items() if value is not None}


def _segment(value: Mapping[str, Any] | bytes) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64url(text)


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
