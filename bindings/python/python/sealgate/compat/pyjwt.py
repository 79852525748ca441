"""PyJWT's calls over the sealgate engine: `import sealgate.compat.pyjwt as jwt`.

`decode`, `decode_complete`, `get_unverified_header`, `PyJWK`, `PyJWKSet` and PyJWT's exceptions. It
is a bridge: it takes a key with every call, so there is no cache, no rotation and no policy behind
it. A `sealgate.Verifier` has them.

It is stricter than PyJWT, and nowhere laxer:

| what | PyJWT | here |
|---|---|---|
| `options={"verify_signature": False}` | claims of anybody | `NotImplementedError` |
| a JSON member twice, at any depth | the last one counts | `DecodeError` |
| `exp`, `nbf`, `iat` as a string or a boolean | read as a number | refused |
| padding `=` in a segment | accepted | `DecodeError` |
| a shared secret shorter than its hash | a warning | `InvalidKeyError` |
| an RSA key below 2048 bits | a warning | `InvalidKeyError` |
| a private key, where a public one belongs | `AttributeError` | `InvalidKeyError` |
| `crit: ["b64"]`, a detached payload | supported | refused |
| more than 64 KiB, JSON nested deeper than 64 | accepted | `DecodeError` |
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .. import SealgateError, SignatureError, UsageError, inspect, verify_jws
from .._native import Key

if TYPE_CHECKING:
    from . import _pyjwt_errors as _errors
else:
    try:
        from jwt import exceptions as _errors  # so that `except jwt.…` goes on working
    except ImportError:
        from . import _pyjwt_errors as _errors

DecodeError = _errors.DecodeError
ExpiredSignatureError = _errors.ExpiredSignatureError
ImmatureSignatureError = _errors.ImmatureSignatureError
InvalidAlgorithmError = _errors.InvalidAlgorithmError
InvalidAudienceError = _errors.InvalidAudienceError
InvalidIssuedAtError = _errors.InvalidIssuedAtError
InvalidIssuerError = _errors.InvalidIssuerError
InvalidJTIError = _errors.InvalidJTIError
InvalidKeyError = _errors.InvalidKeyError
InvalidSignatureError = _errors.InvalidSignatureError
InvalidSubjectError = _errors.InvalidSubjectError
InvalidTokenError = _errors.InvalidTokenError
MissingRequiredClaimError = _errors.MissingRequiredClaimError
PyJWKError = _errors.PyJWKError
PyJWKSetError = _errors.PyJWKSetError
PyJWTError = _errors.PyJWTError

__all__ = [
    "DecodeError",
    "ExpiredSignatureError",
    "ImmatureSignatureError",
    "InvalidAlgorithmError",
    "InvalidAudienceError",
    "InvalidIssuedAtError",
    "InvalidIssuerError",
    "InvalidJTIError",
    "InvalidKeyError",
    "InvalidSignatureError",
    "InvalidSubjectError",
    "InvalidTokenError",
    "MissingRequiredClaimError",
    "PyJWK",
    "PyJWKError",
    "PyJWKSet",
    "PyJWKSetError",
    "PyJWTError",
    "decode",
    "decode_complete",
    "get_unverified_header",
]

_CHECKS = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
_OPTIONS = {
    "verify_signature",
    "require",
    "strict_aud",
    "enforce_minimum_key_length",
    *(f"verify_{name}" for name in _CHECKS),
}


class PyJWK:
    """One JSON Web Key, bound to one algorithm."""

    def __init__(self, jwk_data: Mapping[str, Any], algorithm: str | None = None) -> None:
        self._jwk_data = dict(jwk_data)
        if not self._jwk_data.get("kty"):
            raise InvalidKeyError("kty is not found")
        algorithm = algorithm or self._jwk_data.get("alg")
        if not algorithm:
            key = _loaded(self._jwk_data, None)
            algorithm = key.alg or {"RSA": "RS256", "oct": "HS256"}.get(key.kty, "")
            algorithm = "EdDSA" if algorithm == "Ed25519" else algorithm
        self.algorithm_name = algorithm
        self.key = _loaded(self._jwk_data | {"alg": _canonical(algorithm)}, None)

    @staticmethod
    def from_dict(obj: Mapping[str, Any], algorithm: str | None = None) -> PyJWK:
        """The key of a mapping."""
        return PyJWK(obj, algorithm)

    @staticmethod
    def from_json(data: str | bytes, algorithm: str | None = None) -> PyJWK:
        """The key of a JSON text."""
        return PyJWK(json.loads(data), algorithm)

    @property
    def key_id(self) -> str | None:
        """`kid`."""
        return self._jwk_data.get("kid")

    @property
    def key_type(self) -> str | None:
        """`kty`."""
        return self._jwk_data.get("kty")

    @property
    def public_key_use(self) -> str | None:
        """`use`."""
        return self._jwk_data.get("use")


class PyJWKSet:
    """The usable keys of a JWK Set."""

    def __init__(self, keys: Iterable[Mapping[str, Any]]) -> None:
        if not keys or not isinstance(keys, list):
            raise PyJWKSetError("Invalid JWK Set value")
        self.keys: list[PyJWK] = []
        for key in keys:
            try:
                self.keys.append(PyJWK(key))
            except PyJWTError:
                continue  # a key one cannot use fails no other
        if not self.keys:
            raise PyJWKSetError("The JWK Set did not contain any usable keys")

    @staticmethod
    def from_dict(obj: Mapping[str, Any]) -> PyJWKSet:
        """The set of a mapping."""
        return PyJWKSet(obj.get("keys", []))

    @staticmethod
    def from_json(data: str | bytes) -> PyJWKSet:
        """The set of a JSON text."""
        return PyJWKSet.from_dict(json.loads(data))

    def __getitem__(self, kid: str) -> PyJWK:
        for key in self.keys:
            if key.key_id == kid:
                return key
        raise KeyError(f"keyset has no key for kid: {kid}")

    def __iter__(self) -> Iterator[PyJWK]:
        return iter(self.keys)


def decode(
    jwt: str | bytes,
    key: Any = "",
    algorithms: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    audience: str | Iterable[str] | None = None,
    subject: str | None = None,
    issuer: str | Container[str] | None = None,
    leeway: float | timedelta = 0,
) -> dict[str, Any]:
    """The claims of a token whose signature fits `key` and whose registered claims are valid."""
    complete = decode_complete(
        jwt,
        key,
        algorithms,
        options,
        audience=audience,
        subject=subject,
        issuer=issuer,
        leeway=leeway,
    )
    claims: dict[str, Any] = complete["payload"]
    return claims


def decode_complete(
    jwt: str | bytes,
    key: Any = "",
    algorithms: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    audience: str | Iterable[str] | None = None,
    issuer: str | Container[str] | None = None,
    subject: str | None = None,
    leeway: float | timedelta = 0,
) -> dict[str, Any]:
    """As `decode`: `{"header": …, "payload": …, "signature": …}`."""
    chosen = dict(options or {})
    if unknown := set(chosen) - _OPTIONS:
        raise TypeError(f"unknown options: {', '.join(sorted(unknown))}")
    if not chosen.get("verify_signature", True):
        raise NotImplementedError("nothing unverified is decoded here; see sealgate.inspect")
    if not algorithms and not isinstance(key, PyJWK):
        raise DecodeError('It is required that you pass in a value for the "algorithms" argument')
    header = get_unverified_header(jwt)
    alg = header.get("alg")
    if not isinstance(alg, str) or (algorithms is not None and alg not in algorithms):
        raise InvalidAlgorithmError("The specified alg value is not allowed")
    if isinstance(key, PyJWK) and alg != key.algorithm_name:
        raise InvalidAlgorithmError("Token algorithm does not match the key's algorithm")
    members = _members(key, alg)
    members.pop("kid", None)
    if "kid" in header:
        members["kid"] = header["kid"]  # the caller chose the key
    try:
        verified = verify_jws(jwt, members, algorithms=[_canonical(alg)])
    except SealgateError as error:
        raise _translated(error) from None
    claims = json.loads(verified.payload)
    _check(claims, chosen, audience, issuer, subject, leeway)
    signature = (jwt if isinstance(jwt, str) else jwt.decode()).rpartition(".")[2]
    octets = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    return {"header": header, "payload": claims, "signature": octets}


def get_unverified_header(jwt: str | bytes) -> dict[str, Any]:
    """The header of a token nobody has verified."""
    if not isinstance(jwt, (str, bytes)):
        raise DecodeError("Invalid token type. Token must be a str or bytes")
    try:
        header: dict[str, Any] = _thawed(inspect(jwt).header)
        return header
    except SealgateError as error:
        raise _translated(error) from None


def _translated(error: SealgateError) -> Exception:
    """PyJWT's exception for a refusal of the engine."""
    classes: dict[str, type[Exception]] = {
        "unsupported_crit": InvalidTokenError,
        "alg_not_allowed": InvalidAlgorithmError,
        "alg_key_mismatch": InvalidAlgorithmError,
        "bad_signature": InvalidSignatureError,
    }
    if isinstance(error, UsageError):
        return InvalidKeyError(str(error))
    fallback = InvalidKeyError if isinstance(error, SignatureError) else DecodeError
    return classes.get(error.code, fallback)(str(error))


def _canonical(alg: str) -> str:
    return "Ed25519" if alg == "EdDSA" else alg


def _members(key: Any, alg: str) -> dict[str, Any]:
    """The key as members of a JWK, for this algorithm."""
    if isinstance(key, PyJWK):
        return key._jwk_data | {"alg": _canonical(alg)}
    if hasattr(key, "public_bytes"):  # of the package `cryptography`
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if isinstance(key, str):
        key = key.encode()
    if not isinstance(key, bytes):
        raise TypeError("Expected a PyJWK, a public key, a PEM text or a secret")
    return _of_text(key, alg)


def _of_text(key: bytes, alg: str) -> dict[str, Any]:
    if alg.startswith("HS"):
        if b"-----BEGIN " in key or key.startswith((b"ssh-", b"ecdsa-", b"{")):
            raise InvalidKeyError("an asymmetric key or a JWK is not a shared secret")
        if not key:
            raise InvalidKeyError("HMAC key must not be empty.")
        secret = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
        members: dict[str, Any] = {"kty": "oct", "k": secret, "alg": alg}
        return _members_of(_loaded(members, None))
    try:
        return _members_of(Key.load(key, "pem", _canonical(alg)))
    except SealgateError as error:
        raise InvalidKeyError(str(error)) from None


def _members_of(key: Key) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(key.to_json())
    return members


def _loaded(members: Mapping[str, Any], alg: str | None) -> Key:
    try:
        return Key.load(members, "jwk", alg)
    except UsageError as error:
        raise PyJWKError(str(error)) from None
    except SealgateError as error:
        raise InvalidKeyError(str(error)) from None


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _thawed(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [_thawed(item) for item in value]
    return value


def _check(
    claims: dict[str, Any],
    options: Mapping[str, Any],
    audience: str | Iterable[str] | None,
    issuer: str | Container[str] | None,
    subject: str | None,
    leeway: float | timedelta,
) -> None:
    """The registered claims, in PyJWT's order and with its texts."""
    if isinstance(leeway, timedelta):
        leeway = leeway.total_seconds()
    if audience is not None and not isinstance(audience, (str, Iterable)):
        raise TypeError("audience must be a string, iterable or None")
    for name in options.get("require", ()):
        if claims.get(name) is None:
            raise MissingRequiredClaimError(name)
    now = time.time()
    wanted = {name: options.get(f"verify_{name}", True) for name in _CHECKS}
    if wanted["iat"] and "iat" in claims:
        iat = _date(claims["iat"])
        if iat is None:
            raise InvalidIssuedAtError("Issued At claim (iat) must be an integer.")
        if iat > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (iat)")
    if wanted["nbf"] and "nbf" in claims:
        nbf = _date(claims["nbf"])
        if nbf is None:
            raise DecodeError("Not Before claim (nbf) must be an integer.")
        if nbf > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (nbf)")
    if wanted["exp"] and "exp" in claims:
        exp = _date(claims["exp"])
        if exp is None:
            raise DecodeError("Expiration Time claim (exp) must be an integer.")
        if exp <= now - leeway:
            raise ExpiredSignatureError("Signature has expired")
    if wanted["iss"] and issuer is not None:
        _check_issuer(claims, issuer)
    if wanted["aud"]:
        _check_audience(claims.get("aud"), audience, bool(options.get("strict_aud")))
    if wanted["sub"] and "sub" in claims:
        if not isinstance(claims["sub"], str):
            raise InvalidSubjectError("Subject must be a string")
        if subject is not None and claims["sub"] != subject:
            raise InvalidSubjectError("Invalid subject")
    if wanted["jti"] and "jti" in claims and not isinstance(claims["jti"], str):
        raise InvalidJTIError("JWT ID must be a string")


def _date(value: object) -> int | None:
    """A NumericDate as PyJWT counts it: whole seconds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value)


def _check_issuer(claims: Mapping[str, Any], issuer: str | Container[str]) -> None:
    if "iss" not in claims:
        raise MissingRequiredClaimError("iss")
    iss = claims["iss"]
    if not isinstance(iss, str):
        raise InvalidIssuerError("Payload Issuer (iss) must be a string")
    accepted = iss == issuer if isinstance(issuer, str) else iss in issuer
    if not accepted:
        raise InvalidIssuerError("Invalid issuer")


def _check_audience(aud: Any, audience: str | Iterable[str] | None, strict: bool) -> None:
    if audience is None:
        if aud:
            raise InvalidAudienceError("Invalid audience")
        return
    if not aud:
        raise MissingRequiredClaimError("aud")
    if strict:
        if not isinstance(audience, str):
            raise InvalidAudienceError("Invalid audience (strict)")
        if not isinstance(aud, str):
            raise InvalidAudienceError("Invalid claim format in token (strict)")
        if audience != aud:
            raise InvalidAudienceError("Audience doesn't match (strict)")
        return
    audiences = [aud] if isinstance(aud, str) else aud
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences):
        raise InvalidAudienceError("Invalid claim format in token")
    ours = [audience] if isinstance(audience, str) else audience
    if not any(one in audiences for one in ours):
        raise InvalidAudienceError("Audience doesn't match")
