"""What PyJWT's calls share: its exceptions, the translation into them, the header of a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import SealgateError, SignatureError, UsageError, inspect

if TYPE_CHECKING:
    from . import _pyjwt_errors as errors
else:
    try:
        from jwt import exceptions as errors  # so that `except jwt.…` goes on working
    except ImportError:
        from . import _pyjwt_errors as errors

__all__ = ["canonical", "errors", "get_unverified_header", "translated"]


def get_unverified_header(jwt: str | bytes) -> dict[str, Any]:
    """The header of a token nobody has verified."""
    if not isinstance(jwt, (str, bytes)):
        raise errors.DecodeError("Invalid token type. Token must be a str or bytes")
    try:
        header: dict[str, Any] = _thawed(inspect(jwt).header)
        return header
    except SealgateError as error:
        raise translated(error) from None


def translated(error: SealgateError) -> Exception:
    """PyJWT's exception for a refusal of the engine."""
    classes: dict[str, type[Exception]] = {
        "unsupported_crit": errors.InvalidTokenError,
        "alg_not_allowed": errors.InvalidAlgorithmError,
        "alg_key_mismatch": errors.InvalidAlgorithmError,
        "bad_signature": errors.InvalidSignatureError,
    }
    if isinstance(error, UsageError):
        return errors.InvalidKeyError(str(error))
    fallback = errors.InvalidKeyError if isinstance(error, SignatureError) else errors.DecodeError
    return classes.get(error.code, fallback)(str(error))


def canonical(alg: str) -> str:
    return "Ed25519" if alg == "EdDSA" else alg


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _thawed(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [_thawed(item) for item in value]
    return value
