"""A request for every code a gate can give.

Each is tried at the gate itself and kept only if it gives its code there: what a gate cannot give,
because its policy never asks, has no request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .._native import Gate
from ._fakes import FakeIssuer, base64url, opened


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a gate refuses with `code`, and the status that answers it."""

    code: str
    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    token: str
    http_status: int


def refusals(gate: Gate) -> list[tuple[str, Call]]:
    """Every code this gate can give, each with a request that gives it now.

    The gate is of a verifier made by `open`, and one of its issuers has a fake.
    """
    forge = _Forge(gate)
    calls: dict[str, Call] = {}
    for token in forge.tokens():
        verdict = gate.judge(token)
        if verdict.error is None or verdict.code in calls:
            continue
        headers = (("Authorization", f"Bearer {token}"),)
        status = verdict.error.http_status
        calls[verdict.code] = Call(verdict.code, "POST", forge.uri, headers, token, status)
    return list(calls.items())


_FOREIGN = "https://nobody.invalid"
# One hundred links: more than any policy allows.
_LINKS = 100


class _Forge:
    """Makes the good token of a gate, and what is wrong with tokens."""

    def __init__(self, gate: Gate) -> None:
        fakes = opened.get(gate.verifier)
        if fakes is None:
            raise ValueError("refusals() is for the gates of sealgate.testing.open()")
        policy = gate.verifier.policy.effective()
        self.gate = gate.name
        self.rules: Mapping[str, Any] = policy["gates"][gate.name]
        names = [name for name in self.rules["issuers"] if name in fakes]
        if not names:
            raise ValueError(f"no issuer of {gate!r} has a fake")
        self.name = names[0]
        self.issuer: FakeIssuer = fakes[self.name]
        self.issuers: Mapping[str, Any] = policy["issuers"]
        self.others = [name for name in self.rules["issuers"] if name not in fakes]
        self.profile = self._row()
        audience = self.rules["audience"]
        self.audience = audience if isinstance(audience, str) else audience[0]
        self.table: Mapping[str, Any] = policy.get("delegation", {}).get(
            self.rules["delegation"], {}
        )
        self.uri = urlsplit(self.rules.get("public_url") or "").path or "/"

    def _row(self) -> str:
        kind: str = self.rules["profile"]
        if kind == "access_token" and kind not in self.issuers[self.name]["profiles"]:
            return "access_token_untyped"
        return kind

    def header(self) -> dict[str, Any]:
        names = {
            "access_token": "at+jwt",
            "logout_token": "logout+jwt",
            "client_assertion": "client-authentication+jwt",
        }
        typ = self.rules.get("typ") or names.get(self.profile, "JWT")
        return {"alg": self.issuer.key.alg, "typ": typ, "kid": self.issuer.kid}

    def claims(self) -> dict[str, Any]:
        """The claims of a token that this gate accepts."""
        now = self.issuer.now()
        names = self.issuers[self.name].get("claim_names", {})
        claims: dict[str, Any] = {
            "iss": self.issuer.issuer,
            "sub": "u1",
            names.get("aud", "aud"): self.audience,
            "iat": now,
            "exp": now + 60,
            "jti": "j1",
        }
        if self.profile.startswith("access_token"):
            claims.setdefault(names.get("client_id", "client_id"), "client-1")
        if self.profile == "client_assertion":
            claims["sub"] = self.issuer.issuer
        if self.profile == "jwt_svid":
            claims["sub"] = f"{self.issuer.issuer}/agent"
        if self.profile == "logout_token":
            event = "http://schemas.openid.net/event/backchannel-logout"
            claims |= {"sid": "s1", "events": {event: {}}}
        if self.rules["required_scopes"]:
            claims[names.get("scope", "scope")] = " ".join(self.rules["required_scopes"])
        if self.rules["acr_values"]:
            claims["acr"] = self.rules["acr_values"][0]
        if self.table.get("actor") == "required":
            claims["act"] = self._actor()
        for name in self.rules.get("required_claims", ()):
            claims.setdefault(name, "x")
        return claims

    def _actor(self) -> dict[str, Any]:
        """An agent that the gate's delegation table lets act, if any rule is for this gate."""
        for rule in self.table.get("allow", ()):
            if self.gate in rule.get("gates", [self.gate]):
                pattern = rule["actor"]
                names = pattern.get("sub", pattern.get("sub_prefix", "") + "agent-1")
                sub = names if isinstance(names, str) else names[0]
                return {"iss": pattern.get("iss", self.issuer.issuer), "sub": sub}
        return {"iss": self.issuer.issuer, "sub": "agent-1"}

    def tokens(self) -> Iterator[str]:
        """Tokens that are wrong in one way each."""
        yield from self._shapes()
        yield from self._headers()
        yield from self._keys()
        yield from self._claims()
        yield from self._chains()

    def _sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        return self.issuer.sign(claims, self.header() if header is None else header)

    def _shapes(self) -> Iterator[str]:
        good = self._sign(self.claims())
        header, claims, signature = good.split(".")
        yield good + "."
        yield "a" * (64 * 1024 + 1)
        yield json.dumps({"payload": claims, "protected": header, "signature": signature})
        encrypted = base64url(b'{"alg":"RSA-OAEP","enc":"A256GCM"}')
        yield f"{encrypted}.AA.AA.AA.AA"
        text = json.dumps(self.claims())
        twice = text[:-1] + ', "sub": "u2"}'
        yield self.issuer.sign(twice.encode(), self.header())
        deep = text[:-1] + ', "x": ' + "[" * 300 + "]" * 300 + "}"
        yield self.issuer.sign(deep.encode(), self.header())

    def _headers(self) -> Iterator[str]:
        claims, header = self.claims(), self.header()
        yield self._sign(claims, header | {"crit": ["exp"], "exp": 1})
        yield self._sign(claims, header | {"typ": "dpop+jwt"})
        yield self._sign(claims, header | {"alg": "none"})

    def _keys(self) -> Iterator[str]:
        claims, header = self.claims(), self.header()
        yield self._sign(claims, header | {"kid": "withdrawn"})
        for alg in self.issuers[self.name]["algorithms"]:
            yield self._sign(claims, header | {"alg": alg})
        good = self._sign(claims)
        body, _, _ = good.rpartition(".")
        other, _, signature = self._sign(claims | {"jti": "j2"}).rpartition(".")
        yield f"{body}.{signature}" if body != other else f"{other}.AAAA"
        for name in self.others:
            issuer = self.issuers[name]["issuer"]
            yield self._sign(claims | {"iss": issuer if isinstance(issuer, str) else issuer[0]})

    def _claims(self) -> Iterator[str]:
        claims = self.claims()
        now = self.issuer.now()
        changes: list[Callable[[dict[str, Any]], Any]] = [
            lambda c: c.pop("exp"),
            lambda c: c.update(exp=str(c["exp"])),
            lambda c: c.update(nonce="n", act={"sub": "a"}, token_introspection={}),
            lambda c: c.update(events={}),
            lambda c: c.update(nonce="n", scope="s", client_id="c"),
            lambda c: c.update(txn="t", req_wl="w"),
            lambda c: c.update(iss=_FOREIGN, sub="spiffe://nobody.invalid/agent"),
            lambda c: c.update(aud="https://elsewhere.invalid", client_id="elsewhere"),
            lambda c: c.update(iat=now - 4000, exp=now - 3600),
            lambda c: c.update(nbf=now + 3600),
            lambda c: c.update(iat=now + 3600, exp=now + 3660),
            lambda c: c.update(iat=max(now - 10**6, 1)),
            lambda c: c.update(exp=now + 10**9),
            lambda c: c.update(cnf={"jkt": "0" * 43}),
            lambda c: c.update(status={"status_list": {"idx": 0, "uri": "https://s.invalid/1"}}),
            lambda c: [c.pop(name, None) for name in ("scope", "scp")],
            lambda c: c.update(scope=""),
            lambda c: c.pop("acr", None),
        ]
        for change in changes:
            changed = dict(claims)
            change(changed)
            yield self._sign(changed)

    def _chains(self) -> Iterator[str]:
        claims = self.claims()
        yield self._sign({name: value for name, value in claims.items() if name != "act"})
        yield self._sign(claims | {"act": self._actor(), "chain_complete": False})
        link = {"iss": self.issuer.issuer, "sub": "agent-1"}
        yield self._sign(claims | {"act": link})
        yield self._sign(claims | {"act": None})
        yield self._sign(claims | {"act": {"iss": self.issuer.issuer}})
        yield self._sign(claims | {"act": link | {"act": link}})
        chain: dict[str, Any] = {}
        for number in range(_LINKS):
            inner = {"act": chain} if chain else {}
            chain = {"iss": self.issuer.issuer, "sub": f"agent-{number}"} | inner
        # Deep enough for the limit on links, and no deeper than the one on JSON.
        for depth in (40, _LINKS):
            trimmed = chain
            for _ in range(_LINKS - depth):
                trimmed = trimmed["act"]
            yield self._sign(claims | {"act": trimmed})
