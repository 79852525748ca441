"""Issuers and agents whose keys are ours, and verifiers that trust them."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Mapping
from datetime import timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .._errors import UsageError
from .._native import (
    FixedClock,
    Gate,
    Policy,
    RawAgent,
    RawIssuer,
    SigningKey,
    Verdict,
    Verifier,
    inspect,
    policy_for_tests,
)

if TYPE_CHECKING:
    from ._serve import ServedIssuer


# An argument that was not given: the core says what there is then. Signatures show it as `...`.
_DEFAULT: Any = type("Default", (), {"__repr__": lambda _: "..."})()


class FakeAgent:
    """An agent that acts for others: pass it as an actor to `FakeIssuer.token`.

    `iss` is the agent's own issuer; None takes that of the issuer of the token. Its key is the one
    that `sub` and `seed` stand for, in every run and every language. Default: seed 0, `ES256`.
    """

    def __init__(
        self,
        sub: str,
        *,
        iss: str | None = None,
        clock: FixedClock | None = None,
        seed: int = _DEFAULT,
        alg: str = _DEFAULT,
    ) -> None:
        self.sub = sub
        self.iss = iss
        self.clock = clock
        self._fake = RawAgent(sub, **_given(clock=clock, seed=seed, alg=alg))

    @property
    def key(self) -> SigningKey:
        """Its key."""
        return self._fake.key

    @property
    def jkt(self) -> str:
        """The thumbprint of its key (RFC 7638), as in `cnf.jkt`."""
        return self._fake.jkt

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
        told = {"method": method, "url": url, "token": token, "nonce": nonce}
        if self.clock is not None:  # which may have been set since
            claims = {"iat": self.clock.now()} | dict(claims or {})
        return self._fake.prove(_json(told | _changes(claims, header)))

    def headers(
        self, gate: Gate, method: str, uri: str, token: str, *, nonce: str | None = None
    ) -> list[tuple[str, str]]:
        """What the agent sends with a request to a gate: the token, and a new proof where the token
        is bound to a key."""
        if "jkt" not in inspect(token).claims.get("cnf", {}):
            return [("Authorization", f"Bearer {token}")]
        rules = gate.verifier.policy.to_dict()["gates"][gate.name]
        public = urlsplit(rules.get("public_url", ""))
        url = f"{public.scheme}://{public.netloc}{uri}"
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
    """An issuer whose keys are yours: the same ones for the same `seed`, in every run and every
    language, save RSA's, which are made anew each time.

    `name` is what its keys' `kid`s and its tokens' `jti`s begin with. Default: seed 0, `ES256`,
    `key`.
    """

    def __init__(
        self,
        issuer: str,
        *,
        clock: FixedClock | None = None,
        seed: int = _DEFAULT,
        alg: str = _DEFAULT,
        name: str = _DEFAULT,
    ) -> None:
        self.issuer = issuer
        self.clock = clock
        self._fake = RawIssuer(issuer, **_given(clock=clock, seed=seed, alg=alg, name=name))
        self._verifiers: weakref.WeakKeyDictionary[Verifier, str] = weakref.WeakKeyDictionary()

    @staticmethod
    def serve(
        issuer: str | None = None,
        *,
        clock: FixedClock | None = None,
        seed: int = _DEFAULT,
        alg: str = _DEFAULT,
        name: str = _DEFAULT,
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
    def alg(self) -> str:
        """The algorithm it signs with."""
        return self._fake.alg

    @property
    def kid(self) -> str:
        """The `kid` of the key it signs with now."""
        return self._fake.kid

    @property
    def key(self) -> SigningKey:
        """The key it signs with now."""
        return self._fake.key

    def jwks(self) -> dict[str, Any]:
        """Its JWK Set: the public halves of its keys; of a shared secret, the secret."""
        keys: dict[str, Any] = json.loads(self._fake.jwks())
        return keys

    def rotate(self, *, keep: int = _DEFAULT) -> str:
        """Makes a new key and signs with it from now on; keeps `keep` of the ones before in the
        set, one by default. Verifiers of `open` know at once. Returns the new `kid`."""
        kid = self._fake.rotate(**_given(keep=keep))
        self._publish()
        return kid

    def withdraw(self, kid: str) -> None:
        """Takes a key out of the set. Verifiers of `open` refuse its tokens at once; and an empty
        set, so the last key stays theirs."""
        if not self._fake.withdraw(kid):
            raise ValueError(f"{self!r} has no key {kid!r}")
        self._publish()

    def token(
        self,
        *,
        sub: str | None = _DEFAULT,
        aud: str | Iterable[str] | None = None,
        scope: str | None = None,
        client_id: str | None = None,
        act: Iterable[FakeAgent | str | tuple[str, str]] = (),
        bind_to: FakeAgent | None = None,
        lifetime: str | timedelta = _DEFAULT,
        typ: str | None = _DEFAULT,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A token of this issuer, issued now: an access token (RFC 9068) for `u1` and five minutes,
        unless told otherwise.

        `act` is the chain, outermost actor first. `client_id` is the outermost actor, or else the
        subject, unless it is given. `claims` and `header` add members and replace them; `None`
        there leaves one out. A whole number that takes more than 64 bits is signed as the nearest
        `float`; `sign` keeps it.
        """
        told: dict[str, Any] = _given(sub=sub, typ=typ)
        told |= {
            "aud": [aud] if isinstance(aud, str) else list(aud or ()),
            "scope": scope,
            "client_id": client_id,
            "act": [_link(actor) for actor in act],
            "jkt": bind_to.jkt if bind_to else None,
        }
        told |= _changes(claims, header)
        return self._fake.token(_json(told), **_given(lifetime=lifetime))

    def sign(
        self, claims: Mapping[str, Any] | bytes, header: Mapping[str, Any] | bytes | None = None
    ) -> str:
        """A compact JWS over these claims, or these very bytes, under this header: that of an
        access token, unless it is given."""
        if header is None:
            header = {"alg": self.alg, "typ": "at+jwt", "kid": self.kid}
        return self._fake.sign(_octets(claims), _octets(header))

    def __repr__(self) -> str:
        return f"FakeIssuer({self.issuer!r})"

    def now(self) -> int:
        """Its time, in whole seconds since 1970."""
        return self._fake.now()

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


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not _DEFAULT}


def _changes(
    claims: Mapping[str, Any] | None, header: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    return {"claims": dict(claims or {}), "header": dict(header or {})}


def _json(value: object) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"what a fake is told must be JSON: {error}") from None


def _link(actor: FakeAgent | str | tuple[str, str]) -> dict[str, Any]:
    if isinstance(actor, FakeAgent):
        return {"iss": actor.iss, "sub": actor.sub}
    if isinstance(actor, str):
        return {"sub": actor}
    return {"iss": actor[0], "sub": actor[1]}


def _octets(value: Mapping[str, Any] | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    return json.dumps(value, separators=(",", ":")).encode()
