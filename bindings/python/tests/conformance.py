"""The conformance protocol over sealgate's Python face: one JSON request a line, one answer a line.

A request that cannot be understood is answered with `"code": "harness"`; an op whose capability has
not landed with `"code": "unsupported_op"`. Byte strings are base64url without padding, times are
seconds since the epoch.
"""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sealgate
from sealgate import Handle, SealgateError, VerifiedToken, Verifier, testing
from sealgate._native import Gate, Key, parse_jwks, policy_for_tests, read_status
from sealgate.testing import FixedClock

Answer = dict[str, Any]


class Misunderstood(Exception):
    """The request makes no sense."""


class UnsupportedOp(Exception):
    """The op is not there yet."""


@dataclass
class Session:
    verifier: Verifier
    clock: FixedClock


class Harness:
    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.ops: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "verify": self.verify,
            "verify_request": self.verify_request,
            "check_outbound": self.check_outbound,
            "verify_batch": self.verify_batch,
            "verify_jws": self.verify_jws,
            "verify_raw": self.verify_raw,
            "load_key": self.load_key,
            "load_jwks": self.load_jwks,
            "load_policy": self.load_policy,
            "open": self.open,
            "publish_keys": self.publish_keys,
            "revoke": self.revoke,
            "event": self.event,
            "deliver": self.deliver,
            "status_list": self.status_list,
            "close": self.close,
        }

    def answer_line(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
        except ValueError as error:
            return {"id": None, "ok": False, "code": "harness", "detail": f"not JSON: {error}"}
        identity = request.get("id") if isinstance(request, dict) else None
        return {"id": identity} | self.answer(request)

    def answer(self, request: Any) -> Answer:
        try:
            if not isinstance(request, dict) or not isinstance(request.get("op"), str):
                raise Misunderstood("no op")
            op = self.ops.get(request["op"])
            if op is None:
                raise UnsupportedOp
            return {"ok": True} | op(request)
        except Misunderstood as error:
            return {"ok": False, "code": "harness", "detail": str(error)}
        except UnsupportedOp:
            return {"ok": False, "code": "unsupported_op"}
        except SealgateError as error:
            return refuse(error)
        except Exception as error:  # a fault is a finding, and must not take the others with it
            return {"ok": False, "code": "harness", "detail": f"sealgate failed: {error!r}"}

    def verify(self, request: dict[str, Any]) -> Answer:
        scopes = required_scopes(request)
        gate = self.gate(request)
        jwt, context = text(request, "token"), request.get("context")
        if context is None:
            return facts(gate.verify(jwt, required_scopes=scopes, **known(request)))
        token = gate.verify_chain(
            jwt,
            context,
            required_scopes=scopes,
            operation=request.get("operation"),
            approved=request.get("approved"),
            **known(request),
        )
        return facts(token) | {"lineage": token.lineage}

    def verify_request(self, request: dict[str, Any]) -> Answer:
        scopes = required_scopes(request)
        method, uri = text(request, "method"), text(request, "uri")
        headers = fields(request)
        certificate = None if request.get("certificate") is None else octets(request, "certificate")
        token = self.gate(request).verify_request(
            method=method,
            uri=uri,
            headers=headers,
            client_certificate=certificate,
            context=request.get("context") or (),
            content=request.get("content"),
            operation=request.get("operation"),
            approved=request.get("approved"),
            required_scopes=scopes,
            **known(request),
        )
        return facts(token) | {
            "lineage": token.lineage,
            "sender_constrained": token.sender_constrained,
        }

    def check_outbound(self, request: dict[str, Any]) -> Answer:
        gate = self.gate(request)
        inbound = gate.verify(text(request, "token"))
        gate.check_outbound(inbound, request.get("outbound"), target=text(request, "target"))
        return {}

    def verify_batch(self, request: dict[str, Any]) -> Answer:
        scopes = required_scopes(request)
        tokens = texts(request, "tokens")
        batch = self.gate(request).verify_batch(tokens, required_scopes=scopes)
        verdicts = [
            {"ok": True} | facts(verdict.unwrap()) if verdict else refuse(verdict.error)
            for verdict in batch
        ]
        return {"verdicts": verdicts}

    def verify_jws(self, request: dict[str, Any]) -> Answer:
        token = text(request, "token")
        jwks, jwk = request.get("jwks"), request.get("jwk")
        if isinstance(jwks, dict) and jwk is None:
            keys = jwks
        elif jwks is None and isinstance(jwk, dict):
            keys = named(jwk, token)
        else:
            raise Misunderstood("needs jwks or jwk")
        load = (lambda: parse_jwks(keys)) if jwks else (lambda: Key.load(keys, "jwk"))
        load()  # a key that cannot be read is its own error, as in the core
        algorithms = [algorithm(name) for name in texts(request, "algorithms")]
        jws = sealgate.verify_jws(token, keys, algorithms=algorithms)
        return {"payload": b64u(jws.payload), "header": thawed(jws.header)}

    def verify_raw(self, request: dict[str, Any]) -> Answer:
        alg = algorithm(text(request, "alg"))
        key = Key.load(request.get("jwk") or {}, "jwk")
        key.verify(octets(request, "input"), octets(request, "signature"), alg)
        return {}

    def load_key(self, request: dict[str, Any]) -> Answer:
        data = octets(request, "data")
        form = text(request, "format")
        if form not in ("jwk", "pem", "der", "x509"):
            raise Misunderstood(f"no format {form!r}")
        alg = optional_text(request, "alg")
        key = Key.load(data, form, algorithm(alg) if alg is not None else None)
        return {"kty": key.kty, "alg": key.alg, "thumbprint": key.thumbprint}

    def load_jwks(self, request: dict[str, Any]) -> Answer:
        keys, others = parse_jwks(octets(request, "text"))
        skipped = [{"index": index, "reason": reason} for index, reason in others]
        return {"keys": len(keys), "skipped": skipped}

    def load_policy(self, request: dict[str, Any]) -> Answer:
        form = text(request, "format")
        if form not in ("json", "toml"):
            raise Misunderstood(f"no format {form!r}")
        document = octets(request, "text")
        Verifier.from_policy(policy_for_tests(document, format=form, allow_test_keys=True))
        return {}

    def open(self, request: dict[str, Any]) -> Answer:
        session = opened(request)
        self.sessions[text(request, "session")] = session
        return {}

    def publish_keys(self, request: dict[str, Any]) -> Answer:
        session = self.session(text(request, "session"))
        parse_jwks(request.get("jwks") or {})  # as in verify_jws
        receipt = session.verifier.keys.publish(text(request, "issuer"), request["jwks"])
        return {"generation": receipt.generation}

    def revoke(self, request: dict[str, Any]) -> Answer:
        session = self.session(text(request, "session"))
        if request.get("now") is not None:
            session.clock.set(now(request))
        named = dict(request.get("handle") or {})
        make = getattr(Handle, named.pop("kind", ""), None)
        if make is None:
            raise Misunderstood("no such kind of handles")
        cutoff, expires = request.get("cutoff"), request.get("expires")
        receipt = session.verifier.revocations.revoke(make(**named), cutoff=cutoff, expires=expires)
        return {"epoch": receipt.epoch}

    def event(self, request: dict[str, Any]) -> Answer:
        session = self.session(text(request, "session"))
        session.clock.set(now(request))
        gates = session.verifier.policy.to_dict()["gates"]
        telling = [name for name in gates if gates[name]["profile"] in ("logout_token", "set")]
        gate = request.get("gate") or (telling[0] if len(telling) == 1 else None)
        if gate is None:
            raise Misunderstood("which gate?")
        token = session.verifier.gate(gate).verify(text(request, "set"))
        applied = session.verifier.revocations.apply(token)
        return {"entries": applied.entries, "duplicate": applied.duplicate}

    def deliver(self, request: dict[str, Any]) -> Answer:
        session = self.session(text(request, "session"))
        session.clock.set(now(request))
        receiver = session.verifier.receiver(
            text(request, "gate"), expecting_state=optional_text(request, "expecting_state")
        )
        headers = {"Content-Type": "application/secevent+jwt"}
        delivery = receiver.push(text(request, "set").encode(), headers)
        told = json.loads(delivery.body) if delivery.body else {}
        return {
            "status": delivery.status,
            "err": told.get("err"),
            "entries": delivery.entries,
            "duplicate": delivery.duplicate,
        }

    def status_list(self, request: dict[str, Any]) -> Answer:
        listed = request.get("list")
        if listed is None:
            listed = self.gate(request).verify(text(request, "token")).claims["status_list"]
        bits, index = listed.get("bits"), request.get("index")
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 2**64:
            index = 2**64 - 1  # of no list
        return {"status": read_status(bits if isinstance(bits, int) else 0, listed["lst"], index)}

    def close(self, request: dict[str, Any]) -> Answer:
        name = text(request, "session")
        self.session(name).verifier.close()
        del self.sessions[name]
        return {}

    def session(self, name: str) -> Session:
        if name not in self.sessions:
            raise Misunderstood(f"no session {json.dumps(name)}")
        return self.sessions[name]

    def gate(self, request: dict[str, Any]) -> Gate | Verifier:
        name = optional_text(request, "session")
        if name is None:
            session = opened(request)
            if request.get("closed"):
                session.verifier.close()
        else:
            session = self.session(name)
            session.clock.set(now(request))
        gate = optional_text(request, "gate")
        return session.verifier if gate is None else session.verifier.gate(gate)


def opened(request: dict[str, Any]) -> Session:
    document = request.get("policy")
    if not isinstance(document, dict):
        raise Misunderstood("policy is not an object")
    clock = FixedClock(now(request))
    policy = testing.policy(document)
    return Session(Verifier.from_policy(policy, clock=clock), clock)


def facts(token: VerifiedToken) -> Answer:
    """What a caller learns of an accepted token."""
    chain = [{"iss": actor.iss, "sub": actor.sub} for actor in token.chain]
    return {
        "payload": b64u(token.payload),
        "subject": token.subject,
        "issuer": token.issuer,
        "actor": chain[0] if chain else None,
        "chain": chain,
        "profile": token.profile,
    }


def refuse(error: SealgateError | None) -> Answer:
    assert error is not None
    return {"ok": False, "code": error.code, "blame": error.blame}


def named(jwk: dict[str, Any], token: str) -> dict[str, Any]:
    """The one key a request is about: without a `kid` it goes by whatever name the token uses."""
    try:
        kid = json.loads(unb64u(token.partition(".")[0])).get("kid")
    except (ValueError, AttributeError):
        kid = None
    return jwk | {"kid": kid} if isinstance(kid, str) and "kid" not in jwk else jwk


def algorithm(name: str) -> str:
    """Other people's vectors still write `EdDSA` (RFC 9864)."""
    return "Ed25519" if name == "EdDSA" else name


def thawed(value: Any) -> Any:
    if hasattr(value, "items"):
        return {name: thawed(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [thawed(item) for item in value]
    return value


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(data: str) -> bytes:
    if "=" in data or len(data) % 4 == 1:
        raise ValueError("not base64url without padding")
    decoded = base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True)
    if b64u(decoded) != data:
        raise ValueError("not canonical")
    return decoded


def text(request: dict[str, Any], name: str) -> str:
    value = optional_text(request, name)
    if value is None:
        raise Misunderstood(f"no {name}")
    return value


def optional_text(request: dict[str, Any], name: str) -> str | None:
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise Misunderstood(f"{name} is not a string")
    return value


def texts(request: dict[str, Any], name: str) -> list[str]:
    value = request.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Misunderstood(f"{name} is not an array of strings")
    return value


def fields(request: dict[str, Any]) -> list[tuple[str, str]]:
    value = request.get("headers")
    pairs = value if isinstance(value, list) else [None]
    for pair in pairs:
        if not (
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(t, str) for t in pair)
        ):
            raise Misunderstood("headers is not an array of [name, value]")
    return [(name, value) for name, value in pairs]


def octets(request: dict[str, Any], name: str) -> bytes:
    try:
        return unb64u(text(request, name))
    except (ValueError, binascii.Error):
        raise Misunderstood(f"{name} is not base64url") from None


def now(request: dict[str, Any]) -> int:
    value = request.get("now")
    if not isinstance(value, int) or isinstance(value, bool):
        raise Misunderstood("now is not a whole number of seconds")
    return value


def known(request: dict[str, Any]) -> dict[str, Any]:
    """What the caller knows that the token must be of."""
    names = ("acr_values", "presenter", "nonce", "client_id", "access_token", "code")
    return {name: request[name] for name in names if request.get(name) is not None}


def required_scopes(request: dict[str, Any]) -> list[str]:
    return [] if request.get("required_scopes") is None else texts(request, "required_scopes")


def main() -> None:
    harness = Harness()
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        answer = harness.answer_line(line)
        sys.stdout.write(json.dumps(answer, separators=(",", ":"), sort_keys=True) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
