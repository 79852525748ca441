"""PyJWT's `PyJWKClient` over the engine's own fetching."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Mapping
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

from .._native import fetch_jwks
from ._pyjwt_base import errors, get_unverified_header
from ._pyjwt_keys import PyJWK, PyJWKSet


class PyJWKClient:
    """The signing keys of a JWKS endpoint, kept for `lifespan` seconds.

    It blocks while it fetches, for ten seconds at most, whatever `timeout` is. A
    `sealgate.Verifier` never does: it fetches in the background, ahead of need.

    An unknown `kid` causes a fetch, unless one has succeeded within `cooldown_duration` seconds.
    `allow_hosts` names the host of a `uri` that is not at a public address. `cache_keys` and
    `max_cached_keys` change nothing: a key lives as long as the set it came in. `headers` and
    `ssl_context` raise `NotImplementedError`.
    """

    def __init__(
        self,
        uri: str,
        cache_keys: bool = False,
        max_cached_keys: int = 16,
        cache_jwk_set: bool = True,
        lifespan: float = 300,
        headers: Mapping[str, Any] | None = None,
        timeout: float = 30,
        ssl_context: SSLContext | None = None,
        cooldown_duration: float = 30,
        *,
        allow_hosts: Iterable[str] = (),
    ) -> None:
        scheme = urlsplit(uri).scheme.lower()
        if scheme not in ("http", "https"):
            raise errors.PyJWKClientError(f"Invalid JWKS URI scheme {scheme!r}")
        if headers or ssl_context is not None:
            raise NotImplementedError("keys are fetched without headers or TLS settings of yours")
        if not 0 <= cooldown_duration < math.inf:
            raise errors.PyJWKClientError("Cooldown duration must be finite and not below 0")
        if cache_jwk_set and not lifespan > 0:
            raise errors.PyJWKClientError("Lifespan must be greater than 0")
        self.uri = uri
        self.cooldown_duration = cooldown_duration
        self._lifespan = lifespan if cache_jwk_set else 0
        self._hosts = list(allow_hosts)
        self._lock = threading.RLock()
        # The set, and when it was fetched.
        self._kept: tuple[PyJWKSet, float] | None = None

    def get_jwk_set(self, refresh: bool = False) -> PyJWKSet:
        """The endpoint's set: the one that is kept, unless it is too old or `refresh` asks."""
        with self._lock:
            if self._kept is not None and not refresh:
                jwk_set, fetched = self._kept
                if self._lifespan and time.monotonic() <= fetched + self._lifespan:
                    return jwk_set
            # What fails leaves the set that is kept where it is.
            jwk_set = self._fetch()
            self._kept = (jwk_set, time.monotonic())
            return jwk_set

    def get_signing_keys(self, refresh: bool = False) -> list[PyJWK]:
        """The set's keys that have a `kid` and may sign."""
        keys = [
            key
            for key in self.get_jwk_set(refresh).keys
            if key.key_id and key.public_key_use in ("sig", None)
        ]
        if not keys:
            raise errors.PyJWKClientError("The JWKS endpoint did not contain any signing keys")
        return keys

    def get_signing_key(self, kid: str | None) -> PyJWK:
        """The key of this name, fetched anew if the set has none and the cooldown is over."""
        with self._lock:
            key = self.match_kid(self.get_signing_keys(), kid)
            if key is None and not self._cools():
                key = self.match_kid(self.get_signing_keys(refresh=True), kid)
            if key is None:
                raise errors.PyJWKClientError("Unable to find a signing key that matches the kid")
            return key

    def get_signing_key_from_jwt(self, token: str | bytes) -> PyJWK:
        """The key that a token's header names. Nothing of the token is verified by that."""
        return self.get_signing_key(get_unverified_header(token).get("kid"))

    @staticmethod
    def match_kid(signing_keys: list[PyJWK], kid: str | None) -> PyJWK | None:
        """The first of these keys that has this name."""
        return next((key for key in signing_keys if key.key_id == kid), None)

    def _cools(self) -> bool:
        if self._kept is None or not self._lifespan:
            return False
        return time.monotonic() - self._kept[1] < self.cooldown_duration

    def _fetch(self) -> PyJWKSet:
        try:
            text = fetch_jwks(self.uri, self._hosts)
        except ConnectionError as error:
            message = f"Fail to fetch data from the url, err: {error}"
            raise errors.PyJWKClientConnectionError(message) from None
        except ValueError as error:
            raise errors.PyJWKClientError(str(error)) from None
        return PyJWKSet.from_json(text)
