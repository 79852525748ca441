"""PyJWT's `PyJWK` and `PyJWKSet`, and a key in whatever form as members of a JWK."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .. import SealgateError, UsageError
from .._native import Key
from ._pyjwt_base import canonical, errors


class PyJWK:
    """One JSON Web Key, bound to one algorithm."""

    def __init__(self, jwk_data: Mapping[str, Any], algorithm: str | None = None) -> None:
        self._jwk_data = dict(jwk_data)
        if not self._jwk_data.get("kty"):
            raise errors.InvalidKeyError("kty is not found")
        algorithm = algorithm or self._jwk_data.get("alg")
        if not algorithm:
            key = _loaded(self._jwk_data, None)
            algorithm = key.alg or {"RSA": "RS256", "oct": "HS256"}.get(key.kty, "")
            algorithm = "EdDSA" if algorithm == "Ed25519" else algorithm
        self.algorithm_name = algorithm
        self.key = _loaded(self._jwk_data | {"alg": canonical(algorithm)}, None)

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
            raise errors.PyJWKSetError("Invalid JWK Set value")
        self.keys: list[PyJWK] = []
        for key in keys:
            try:
                self.keys.append(PyJWK(key))
            except errors.PyJWTError:
                continue  # a key one cannot use fails no other
        if not self.keys:
            raise errors.PyJWKSetError("The JWK Set did not contain any usable keys")

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


def members_of(key: Any, alg: str) -> dict[str, Any]:
    """The key as members of a JWK, for this algorithm."""
    if isinstance(key, Key):  # `PyJWK.key`
        if key.alg != canonical(alg):
            raise errors.InvalidAlgorithmError("Token algorithm does not match the key's algorithm")
        return _read(key)
    if isinstance(key, PyJWK):
        return key._jwk_data | {"alg": canonical(alg)}
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
            raise errors.InvalidKeyError("an asymmetric key or a JWK is not a shared secret")
        if not key:
            raise errors.InvalidKeyError("HMAC key must not be empty.")
        secret = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
        members: dict[str, Any] = {"kty": "oct", "k": secret, "alg": alg}
        return _read(_loaded(members, None))
    try:
        return _read(Key.load(key, "pem", canonical(alg)))
    except SealgateError as error:
        raise errors.InvalidKeyError(str(error)) from None


def _read(key: Key) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(key.to_json())
    return members


def _loaded(members: Mapping[str, Any], alg: str | None) -> Key:
    try:
        return Key.load(members, "jwk", alg)
    except UsageError as error:
        raise errors.PyJWKError(str(error)) from None
    except SealgateError as error:
        raise errors.InvalidKeyError(str(error)) from None
