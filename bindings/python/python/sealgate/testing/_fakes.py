"""Issuers and agents whose keys are ours, and verifiers that trust them."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable, Mapping
from datetime import timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any

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
    policy_for_tests,
)
from ._arguments import DEFAULT, check, members, need, to_json, wrong

if TYPE_CHECKING:
    from ._serve import ServedIssuer


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
        seed: int = DEFAULT,
        alg: str = DEFAULT,
    ) -> None:
        need("FakeAgent", "text", sub=sub)
        check("FakeAgent", "text", iss=iss)
        told = check("FakeAgent", "clock", clock=clock) | check("FakeAgent", "count", seed=seed)
        told |= check("FakeAgent", "key_pair", alg=alg)
        self._sub, self._iss, self._clock = sub, iss, clock
        self._fake = RawAgent(sub, **told)

    @property
    def sub(self) -> str:
        """What tokens call it."""
        return self._sub

    @property
    def iss(self) -> str | None:
        """Its own issuer, where it is not that of the token."""
        return self._iss

    @property
    def clock(self) -> FixedClock | None:
        """What its proofs are dated by; without one, those for a gate go by the gate's clock."""
        return self._clock

    @property
    def key(self) -> SigningKey:
        """Its key."""
        return self._fake.key

    @property
    def jkt(self) -> str:
        """The thumbprint of its key (RFC 7638), as in `cnf.jkt`."""
        return self._fake.jkt

    @property
    def certificate(self) -> bytes:
        """What stands for its client certificate, in DER: the engine compares its hash, and no TLS
        server would take it."""
        return self._fake.certificate

    def proof(
        self,
        method: str,
        url: str,
        token: str | None = None,
        *,
        nonce: str | None = None,
        issued_at: int | None = None,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A new DPoP proof (RFC 9449) for a request to this URL, made now unless `issued_at` says
        when; with the hash of the access token that goes with it.

        `claims` and `header` add members and replace them; `None` there leaves one out.
        """
        call = "FakeAgent.proof"
        need(call, "text", method=method, url=url)
        told = {"method": method, "url": url} | check(call, "text", token=token, nonce=nonce)
        told |= check(call, "seconds", issued_at=issued_at)
        told |= members(call, claims=claims, header=header)
        return self._fake.prove(to_json(call, "claims", told))

    def headers(
        self, gate: Gate, method: str, uri: str, token: str, *, nonce: str | None = None
    ) -> list[tuple[str, str]]:
        """What the agent sends with a request to a gate: the token; and where it is bound
        to a key, be it another's, a new proof of its own.

        `uri` is a path at the gate's `public_url`, or a whole URL.
        """
        return self._headers("FakeAgent.headers", gate, method, uri, token, nonce)

    def _headers(
        self, call: str, gate: Gate, method: str, uri: str, token: str, nonce: str | None
    ) -> list[tuple[str, str]]:
        if not isinstance(gate, Gate):
            raise wrong(call, "gate", "gate", gate)
        need(call, "text", method=method, uri=uri, token=token)
        check(call, "text", nonce=nonce)
        return self._fake.headers(gate, method, uri, token, nonce)

    def call(
        self,
        gate: Gate,
        method: str,
        uri: str,
        token: str,
        *,
        nonce: str | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[Mapping[str, Any]] = (),
        operation: Mapping[str, Any] | None = None,
        approved: Mapping[str, Any] | None = None,
        required_scopes: Iterable[str] = (),
    ) -> Verdict:
        """The gate's verdict on a request of the agent's, with a new proof each time."""
        headers = self._headers("FakeAgent.call", gate, method, uri, token, nonce)
        return gate.judge_request(
            method=method,
            uri=uri,
            headers=headers,
            client_certificate=client_certificate,
            context=context,
            operation=operation,
            approved=approved,
            required_scopes=required_scopes,
        )

    def __repr__(self) -> str:
        return f"FakeAgent({self.sub!r})"


class FakeIssuer:
    """An issuer whose keys are yours: the same ones for the same `seed`, in every run and every
    language, save RSA's, which are made anew each time.

    `name` is what its keys' `kid`s and its tokens' `jti`s begin with. Default: seed 0, `ES256`,
    `key`.

    Anybody can make the keys of a small seed: a policy that holds those of one below 64 is refused,
    unless `open` or `policy` load it.
    """

    def __init__(
        self,
        issuer: str,
        *,
        clock: FixedClock | None = None,
        seed: int = DEFAULT,
        alg: str = DEFAULT,
        name: str = DEFAULT,
    ) -> None:
        need("FakeIssuer", "text", issuer=issuer)
        told = check("FakeIssuer", "clock", clock=clock) | check("FakeIssuer", "count", seed=seed)
        told |= check("FakeIssuer", "algorithm", alg=alg) | check("FakeIssuer", "text", name=name)
        self._clock = clock
        self._fake = RawIssuer(issuer, **told)
        self._verifiers: weakref.WeakKeyDictionary[Verifier, str] = weakref.WeakKeyDictionary()

    @property
    def issuer(self) -> str:
        """Its `iss`."""
        return self._fake.issuer

    @property
    def clock(self) -> FixedClock | None:
        """What its tokens are dated by; None: the system's."""
        return self._clock

    @staticmethod
    def serve(
        issuer: str | None = None,
        *,
        clock: FixedClock | None = None,
        seed: int = DEFAULT,
        alg: str = DEFAULT,
        name: str = DEFAULT,
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

        check("FakeIssuer.serve", "text", issuer=issuer)
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

    def rotate(self, *, keep: int = DEFAULT) -> str:
        """Makes a new key and signs with it from now on; keeps `keep` of the ones before in the
        set, one by default. Verifiers of `open` know at once. Returns the new `kid`."""
        kid = self._fake.rotate(**check("FakeIssuer.rotate", "count", keep=keep))
        self._publish()
        return kid

    def withdraw(self, kid: str) -> None:
        """Takes a key out of the set. Verifiers of `open` refuse its tokens at once; and an empty
        set, so the last key stays theirs."""
        need("FakeIssuer.withdraw", "text", kid=kid)
        if not self._fake.withdraw(kid):
            raise UsageError(f"FakeIssuer.withdraw: no key of this kid is published: {kid}")
        self._publish()

    def token(
        self,
        *,
        sub: str | None = DEFAULT,
        aud: str | Iterable[str] | None = None,
        scope: str | None = None,
        client_id: str | None = None,
        act: Iterable[FakeAgent | str | Mapping[str, str]] = (),
        bind_to: FakeAgent | bytes | None = None,
        lifetime: str | timedelta = DEFAULT,
        typ: str | None = DEFAULT,
        jti: str | None = None,
        issued_at: int | None = None,
        not_before: int | None = None,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """A token of this issuer, issued now: an access token (RFC 9068) for `u1` and five minutes,
        unless told otherwise.

        `act` is the chain, outermost actor first: agents, `sub`s of this issuer, or
        `{"iss": …, "sub": …}`. `client_id` is the outermost actor, or else `client-1`, unless it is
        given: of an agent that acts for itself it is its `sub`. `bind_to` is an agent, whose key
        the token is bound to (`cnf.jkt`), or the client certificate that it is bound to, in DER
        (`cnf.x5t#S256`). `issued_at` and `not_before` are seconds since 1970. `claims` and `header`
        add members and replace them; `None` there leaves one out.
        """
        call = "FakeIssuer.token"
        told = check(call, "text", sub=sub, scope=scope, client_id=client_id, typ=typ, jti=jti)
        told |= check(call, "seconds", issued_at=issued_at, not_before=not_before)
        told |= members(call, claims=claims, header=header)
        if aud is not None:
            audience = aud if isinstance(aud, (str, bytes, Mapping)) else _listed(aud)
            check(call, "texts", aud=audience)
            told["aud"] = [audience] if isinstance(audience, str) else audience
        told["act"] = _chain(call, act)
        if isinstance(bind_to, FakeAgent):
            told["jkt"] = bind_to.jkt
        elif isinstance(bind_to, bytes):
            told["certificate"] = list(bind_to)
        elif bind_to is not None:
            raise wrong(call, "bind_to", "holder", bind_to)
        span = check(call, "duration", lifetime=lifetime)
        try:
            return self._fake.token(to_json(call, "claims", told), **span)
        except UsageError:
            raise wrong(call, "lifetime", "duration", lifetime) from None

    def sign(
        self,
        payload: Mapping[str, Any] | str | bytes,
        header: Mapping[str, Any] | bytes | None = None,
    ) -> str:
        """A compact JWS over these claims, or this very text, under the header of an access token,
        whose members `header` adds to and replaces; `None` there leaves one out. A header in bytes
        is taken as it is.
        """
        call = "FakeIssuer.sign"
        need(call, "payload", payload=payload)
        if isinstance(payload, Mapping):
            payload = to_json(call, "payload", dict(payload))
        octets = payload.encode() if isinstance(payload, str) else payload
        if isinstance(header, bytes):
            return self._fake.sign_as(octets, header)
        changes = members(call, header=header)["header"]
        return self._fake.sign(octets, to_json(call, "header", changes))

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
    need("open", "issuers", issuers=issuers)
    check("open", "clock", clock=clock)
    for fake in issuers.values():
        if not isinstance(fake, FakeIssuer):
            raise wrong("open", "issuers", "issuers", issuers)
    document = source.to_dict() if isinstance(source, Policy) else source
    rules = policy_for_tests(document, push_all_keys=True, allow_danger=allow_danger)
    verifier = Verifier.from_policy(rules, clock=clock)
    for name, fake in issuers.items():
        written = rules.to_dict()["issuers"].get(name)
        if written is None:
            raise UsageError(f"open: the policy has no issuer {name}")
        known = [own] if isinstance(own := written["issuer"], str) else own
        if fake.issuer not in known:
            raise UsageError(
                f"open: the policy says that {name} is {' or '.join(known)}, not {fake.issuer}"
            )
        if (fake.clock is None) != (clock is None):
            raise UsageError(
                f"open: {name} and the verifier go by different clocks; give both the same one"
            )
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


def _listed(values: object) -> object:
    """The items of what can be gone through; anything else as it is."""
    try:
        return list(values)  # type: ignore[call-overload]
    except TypeError:
        return values


def _chain(call: str, act: object) -> list[dict[str, Any]]:
    actors = act if isinstance(act, (str, bytes, Mapping)) else _listed(act)
    if not isinstance(actors, list):
        raise wrong(call, "act", "actors", act)
    return [_link(call, actor) for actor in actors]


def _link(call: str, actor: object) -> dict[str, Any]:
    if isinstance(actor, FakeAgent):
        return {"iss": actor.iss, "sub": actor.sub}
    if isinstance(actor, str):
        return {"sub": actor}
    if isinstance(actor, Mapping) and "sub" in actor and actor.keys() <= {"iss", "sub"}:
        link = dict(actor)
        if isinstance(link["sub"], str) and isinstance(link.get("iss", ""), str):
            return link
    raise wrong(call, "each of act", "actors", actor)
