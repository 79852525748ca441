"""PyJWT's calls over the sealgate engine: `import sealgate.compat.pyjwt as jwt`.

`decode`, `decode_complete`, `get_unverified_header`, `PyJWK`, `PyJWKSet`, `PyJWKClient` and PyJWT's
exceptions. It is a bridge: it takes a key with every call, so there is no cache, no rotation and no
policy behind it. A `sealgate.Verifier` has them. Nor does it look at more than PyJWT does: a token
of another kind (`typ`), one that is bound to a key (`cnf`), and one that an agent presents (`act`)
pass.

It is stricter than PyJWT, and laxer only in the last row:

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
| a string of more than 2 KiB, an array of more than 1,024 | accepted | `DecodeError` |
| `NaN`, `Infinity`, `1e400`, a lone surrogate, a byte order mark | accepted | `DecodeError` |
| a payload that is no JSON object | told after the signature | `DecodeError` before it |
| a `typ` or `kid` that is no string, a secret in `jwk`, `zip` | mostly ignored | `DecodeError` |
| `verify=`, any other keyword, an unknown option | a warning or nothing | `TypeError` |
| `audience` and what follows it without its name | accepted | `TypeError` |
| `PyJWK.key` of an RSA key, with another algorithm | accepted | `InvalidAlgorithmError` |
| `PyJWKClient` at plain http, save of this machine | fetches | `PyJWKClientError` |
| … at an inner address, save of this machine | fetches | `PyJWKClientError`, or `allow_hosts` |
| … and a set larger than 1 MiB, or a member twice | accepted | `PyJWKClientError` |
| … and an answer without `keys` | `PyJWKSetError` | `PyJWKClientError` |
| … and an answer that is no JSON | `ValueError` | `PyJWKClientError` |
| … with `cache_keys` | keeps a withdrawn key | drops it with its set |
| … with `headers` or `ssl_context` | uses them | `NotImplementedError` |
| … and a redirect | `PyJWKClientConnectionError` | followed within the origin |
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from .. import SealgateError, verify_jws
from ._pyjwt_base import canonical, get_unverified_header, translated
from ._pyjwt_base import errors as _errors
from ._pyjwt_client import PyJWKClient
from ._pyjwt_keys import PyJWK, PyJWKSet, members_of

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
PyJWKClientConnectionError = _errors.PyJWKClientConnectionError
PyJWKClientError = _errors.PyJWKClientError
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
    "PyJWKClient",
    "PyJWKClientConnectionError",
    "PyJWKClientError",
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
    members = members_of(key, alg)
    members.pop("kid", None)
    if "kid" in header:
        members["kid"] = header["kid"]  # the caller chose the key
    try:
        verified = verify_jws(jwt, members, algorithms=[canonical(alg)])
    except SealgateError as error:
        raise translated(error) from None
    claims = json.loads(verified.payload)
    _check(claims, chosen, audience, issuer, subject, leeway)
    signature = (jwt if isinstance(jwt, str) else jwt.decode()).rpartition(".")[2]
    octets = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    return {"header": header, "payload": claims, "signature": octets}


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
    try:
        accepted = iss == issuer if isinstance(issuer, str) else iss in issuer
    except TypeError:
        raise InvalidIssuerError("Issuer param must be str or Container[str]") from None
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
