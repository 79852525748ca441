"""PyJWT's tree of exceptions, for where PyJWT is not installed."""

from __future__ import annotations


class PyJWTError(Exception):
    """Base of all."""


class InvalidTokenError(PyJWTError):
    """The token is refused."""


class DecodeError(InvalidTokenError):
    """The token cannot be read."""


class InvalidSignatureError(DecodeError):
    """The signature does not fit the key."""


class ExpiredSignatureError(InvalidTokenError):
    """The token has expired."""


class InvalidAudienceError(InvalidTokenError):
    """The token is for another audience."""


class InvalidIssuerError(InvalidTokenError):
    """The token is of another issuer."""


class InvalidIssuedAtError(InvalidTokenError):
    """`iat` is no date."""


class ImmatureSignatureError(InvalidTokenError):
    """The token is not valid yet."""


class InvalidSubjectError(InvalidTokenError):
    """The token is about another subject."""


class InvalidJTIError(InvalidTokenError):
    """`jti` is no string."""


class InvalidAlgorithmError(InvalidTokenError):
    """The algorithm is not allowed."""


class MissingRequiredClaimError(InvalidTokenError):
    """A required claim is missing."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class InvalidKeyError(PyJWTError):
    """The key cannot be used."""


class PyJWKError(PyJWTError):
    """The JWK cannot be used."""


class PyJWKSetError(PyJWTError):
    """The JWK Set cannot be used."""


class PyJWKClientError(PyJWTError):
    """The client has no such key, or the endpoint no JWK Set."""


class PyJWKClientConnectionError(PyJWKClientError):
    """The endpoint cannot be reached."""
