"""sealgate for Python beside its peers, side by side in one run. README.md says how to read it.

    python benches/python/bench.py [--quick] [--parallel] [ALGORITHM...]

Every contestant verifies the same tokens in rotated order, a few milliseconds at a time, many
rounds. Peers get a prepared key and check issuer and audience, as we do; those that cannot are
marked. A peer that is not installed is left out.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sealgate
from sealgate import Gate, testing

ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com/mcp"
TURNS = 64
"""Tokens that take turns, so that no branch learns one by heart."""

Verify = Callable[[str], Any]


def claims(number: int, now: int) -> bytes:
    """The claims of the Rust benches: about 450 bytes, two audiences, two agents for a person."""
    return (
        f'{{"iss":"{ISSUER}","sub":"user-{number:08}",'
        f'"aud":["{AUDIENCE}","https://api.example.com/files"],'
        f'"exp":{now + 36_000},"nbf":{now - 60},"iat":{now - 60},'
        f'"jti":"8d41c2f6-9c05-4b6a-8e17-{number:012}",'
        '"scope":"mcp:use files.read files.write","client_id":"agent-runner-eu-1",'
        '"act":{"sub":"agents/researcher-7","iss":"https://agents.example.com",'
        '"act":{"sub":"agents/planner-1","iss":"https://agents.example.com"}}}'
    ).encode()


class World:
    """The tokens of one algorithm, and who verifies them."""

    def __init__(self, alg: str) -> None:
        self.alg = alg
        self.wire = "EdDSA" if alg == "Ed25519" else alg  # the name that peers know
        self.issuer = testing.FakeIssuer(ISSUER, alg=alg, seed=7, name="k")
        self.header = {
            "alg": self.wire,
            "kid": self.issuer.kid,
            "typ": "JWT" if alg.startswith("HS") else "at+jwt",
        }
        self.tokens = self.mint(TURNS)
        self.jwk: dict[str, Any] = self.issuer.jwks()["keys"][0]

    def mint(self, count: int, first: int = 0) -> list[str]:
        now = int(time.time())
        numbers = range(first, first + count)
        return [self.issuer.sign(claims(number, now), self.header) for number in numbers]

    def gate(self, cache: int) -> Gate:
        kind = "jwt_custom" if self.alg.startswith("HS") else "access_token"
        policy = {
            "version": 1,
            "issuers": {
                "corp": {
                    "issuer": ISSUER,
                    "jwks_push": "process",
                    "algorithms": [self.alg],
                    "profiles": [kind],
                    "max_lifetime": "11h",
                }
            },
            "gates": {
                "tools": {
                    "profile": kind,
                    "audience": AUDIENCE,
                    "issuers": ["corp"],
                    "delegation": "surface",
                }
            },
            "cache": {"tokens": cache},
        }
        verifier = testing.open(policy, issuers={"corp": self.issuer})
        return verifier.gate("tools")

    def peers(self) -> dict[str, Verify]:
        found = {}
        for name, make in PEERS.items():
            try:
                verify = make(self)
                verify(self.tokens[0])
            except (ImportError, NotImplementedError):
                continue
            found[name] = verify
        return found


def like_pyjwt(module: str) -> Callable[[World], Verify]:
    """PyJWT, and its Rust-backed twins, each with the form of key that is quickest for it."""

    def make(world: World) -> Verify:
        jwt = importlib.import_module(module)
        if module == "jwt_rs":
            key = secret(world) if world.alg.startswith("HS") else pem(world)
        elif module == "oxyjwt":
            key = jwt.DecodingKey.from_jwk(world.jwk)
        else:
            key = jwt.PyJWK.from_dict(world.jwk, algorithm=world.wire)
        names = [world.wire]

        def verify(token: str) -> Any:
            return jwt.decode(token, key, algorithms=names, audience=AUDIENCE, issuer=ISSUER)

        return verify

    return make


def joserfc(world: World) -> Verify:
    from joserfc import jwt
    from joserfc.jwk import import_key

    key = import_key(world.jwk | {"alg": world.wire})
    names = [world.wire]
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}
    )

    def verify(token: str) -> Any:
        decoded = jwt.decode(token, key, algorithms=names)
        registry.validate(decoded.claims)
        return decoded.claims

    return verify


def python_jose(world: World) -> Verify:
    from jose import jwk, jwt

    if world.alg == "Ed25519":
        raise NotImplementedError
    key = jwk.construct(world.jwk, world.wire)

    def verify(token: str) -> Any:
        return jwt.decode(token, key, algorithms=world.wire, audience=AUDIENCE, issuer=ISSUER)

    return verify


def jwcrypto(world: World) -> Verify:
    from jwcrypto import jwk, jwt

    key = jwk.JWK(**world.jwk)
    names = [world.wire]
    wanted = {"iss": ISSUER, "aud": AUDIENCE, "exp": None}

    def verify(token: str) -> Any:
        checked = jwt.JWT(jwt=token, key=key, algs=names, check_claims=wanted)
        return json.loads(checked.claims)

    return verify


def authlib(world: World) -> Verify:
    from authlib.jose import JsonWebKey, JsonWebToken  # says that joserfc follows it

    key = JsonWebKey.import_key(world.jwk)
    reader = JsonWebToken([world.wire])
    wanted = {
        "iss": {"essential": True, "value": ISSUER},
        "aud": {"essential": True, "value": AUDIENCE},
    }

    def verify(token: str) -> Any:
        decoded = reader.decode(token, key, claims_options=wanted)
        decoded.validate()
        return decoded

    return verify


def secret(world: World) -> bytes:
    import base64

    return base64.urlsafe_b64decode(world.jwk["k"] + "==")


def pem(world: World) -> str:
    import jwt
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key: Any = jwt.PyJWK.from_dict(world.jwk, algorithm=world.wire).key
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


PEERS: dict[str, Callable[[World], Verify]] = {
    "PyJWT": like_pyjwt("jwt"),
    "joserfc": joserfc,
    "python-jose": python_jose,
    "jwcrypto": jwcrypto,
    "Authlib": authlib,
    "pyjwt-rs": like_pyjwt("jwt_rs"),
    "oxyjwt": like_pyjwt("oxyjwt"),
}


def side_by_side(
    contestants: dict[str, Verify], tokens: Sequence[str], rounds: int
) -> dict[str, list[float]]:
    """Nanoseconds of processor time a call of each contestant, one figure a round, in rotated
    order. Other processes of a busy machine take wall time, not this."""
    repeats = {}
    for name, verify in contestants.items():
        began = time.process_time_ns()
        for token in tokens:
            verify(token)
        each = (time.process_time_ns() - began) / len(tokens)
        repeats[name] = max(1, int(4_000_000 / each / len(tokens)))
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    gc.disable()
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            verify, loops = contestants[name], range(repeats[name])
            began = time.process_time_ns()
            for _ in loops:
                for token in tokens:
                    verify(token)
            spent = time.process_time_ns() - began
            figures[name].append(spent / len(tokens) / repeats[name])
        gc.collect()
    gc.enable()
    return figures


def nothing(token: str) -> None:
    """What the loop itself costs."""


def single(alg: str, rounds: int) -> None:
    """One call at a time: cold, with claims touched, cached, and the peers."""
    world = World(alg)
    cold, cached = world.gate(0), world.gate(1000)
    for token in world.tokens:
        assert cold.verify(token).claims["sub"] and cached.verify(token)
    contestants: dict[str, Verify] = {
        "(loop)": nothing,
        "sealgate": cold.verify,
        "sealgate, claims read": lambda token: cold.verify(token).claims["sub"],
        "sealgate, cached": cached.verify,
    } | world.peers()
    figures = side_by_side(contestants, world.tokens, rounds)
    loop = statistics.median(figures.pop("(loop)"))
    ours = [figure - loop for figure in figures["sealgate, claims read"]]
    print(f"\n{alg}: {len(world.tokens[0])} characters, {rounds} rounds")
    print(f"  {'':<24}{'median µs':>11}{'quickest':>11}{'/ sealgate, claims read':>26}")
    for name, figure in figures.items():
        net = [one - loop for one in figure]
        ratio = statistics.median(one / own for one, own in zip(net, ours, strict=True))
        median, quickest = statistics.median(net) / 1000, min(net) / 1000
        print(f"  {name:<24}{median:>11.3f}{quickest:>11.3f}{ratio:>26.2f}")
    share(world, cold, rounds)


def share(world: World, cold: Gate, rounds: int) -> None:
    """What Python adds to the core: single calls against one batch of the same tokens on one
    thread, which is the core alone."""
    distinct = world.mint(4 * TURNS, TURNS)
    singles, batches = [], []
    for _ in range(rounds):
        began = time.process_time_ns()
        for token in distinct:
            cold.verify(token)
        singles.append((time.process_time_ns() - began) / len(distinct))
        began = time.process_time_ns()
        cold.verify_batch(distinct)
        batches.append((time.process_time_ns() - began) / len(distinct))
    added = statistics.median(a - b for a, b in zip(singles, batches, strict=True)) / 1000
    print(f"  a single call costs {added:+.2f} µs over its share of a batch on one thread")


def parallel(alg: str, rounds: int) -> None:
    """Two threads against one, and a batch on all cores against one thread of calls."""
    world = World(alg)
    gate = world.gate(0)
    tokens = world.mint(2000)
    halves = [tokens[::2], tokens[1::2]]
    block = bytes(64 * 1024)
    verifiers: dict[str, Verify] = {
        # Hashing lets go of the interpreter too: what this machine has to give at this moment.
        "(SHA-256)": lambda token: hashlib.sha256(block).digest(),
        "sealgate": gate.verify,
    }
    if "PyJWT" in (peers := world.peers()):
        verifiers["PyJWT"] = peers["PyJWT"]

    def run(verify: Verify, part: Sequence[str]) -> None:
        for token in part:
            verify(token)

    with ThreadPoolExecutor(2) as pool:
        for name, verify in verifiers.items():
            gains = []
            for _ in range(rounds):
                began = time.perf_counter_ns()
                run(verify, tokens)
                alone = time.perf_counter_ns() - began
                began = time.perf_counter_ns()
                list(pool.map(run, [verify] * 2, halves))
                gains.append(alone / (time.perf_counter_ns() - began))
            median, best = statistics.median(gains), max(gains)
            print(
                f"  {alg:<8}{name:<12}two threads do {median:.2f} times as much (best {best:.2f})"
            )
    gains = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        run(gate.verify, tokens)
        alone = time.perf_counter_ns() - began
        began = time.perf_counter_ns()
        gate.verify_batch(tokens)
        gains.append(alone / (time.perf_counter_ns() - began))
    median, best = statistics.median(gains), max(gains)
    print(f"  {alg:<8}{'sealgate':<12}a batch does {median:.2f} times as much (best {best:.2f})")


def main() -> None:
    warnings.filterwarnings("ignore", "EdDSA is deprecated")  # joserfc; peers know no other name
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds: see that it runs")
    parser.add_argument("--parallel", action="store_true", help="only what two cores gain")
    parser.add_argument("algorithms", nargs="*", default=["HS256", "RS256", "ES256", "Ed25519"])
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else 31
    if arguments.parallel:
        for alg in ("RS256", "ES256"):
            parallel(alg, 3 if arguments.quick else 15)
        return
    # Batches of the comparison with the core run on one thread; the pool is made by the first.
    os.environ.setdefault(ONE_THREAD, "1")
    version, where = sys.version.split()[0], Path(sealgate.__file__).parent
    print(f"Python {version}, {os.cpu_count()} cores, sealgate at {where}")
    for alg in arguments.algorithms:
        single(alg, rounds)
    print("\nOn two cores")
    environment = {name: value for name, value in os.environ.items() if name != ONE_THREAD}
    again = [sys.executable, __file__, "--parallel", *(["--quick"] if arguments.quick else [])]
    sys.stdout.flush()
    subprocess.run(again, env=environment, check=True)


ONE_THREAD = "RAYON_NUM_THREADS"

if __name__ == "__main__":
    main()
