"""An HTTP request as `verify_request` takes it, from what each kind of server calls its parts.

Scheme and host are never read: `public_url` alone decides them. Headers stay pairs in the order in
which they came, since a mapping has lost the second `Authorization` before anyone could refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_from_bytes

# What may stand in a path and a query as it is (RFC 3986 §3.3); `%` since what a server leaves
# encoded must not be encoded twice.
_PATH = "/:@!$&'()*+,;=-._~"
_ENCODED = _PATH + "%"


class NoRequest(Exception):
    """The caller's value is no request; the text says what is."""


class Parts(NamedTuple):
    """Method, path and query as sent, and header fields in order, repeats kept."""

    method: str
    uri: str | bytes
    headers: Iterable[tuple[str | bytes, str | bytes]]


class SingleValued:
    """Headers of a server that has already refused repeated ones."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._headers.items())

    def __repr__(self) -> str:
        return f"<single_valued {len(self._headers)} headers>"


def single_valued(headers: Mapping[str, str]) -> SingleValued:
    """A plain mapping of headers, for `verify_request(headers=…)`.

    A mapping cannot show that a header came twice, which a proof and an `Authorization` must not.
    Use this only where the server before you refuses such requests.
    """
    return SingleValued(headers)


def parts(request: Any) -> Parts:
    """The parts of an ASGI scope, a WSGI environ, or an object that has one as `scope` or
    `environ`, as the requests of Starlette, FastAPI, Django, Flask and Werkzeug do."""
    found = request
    for name in ("scope", "environ"):
        if isinstance(found, Mapping):
            break
        found = getattr(request, name, None)
    if isinstance(found, Mapping):
        try:
            if found.get("type") in ("http", "websocket"):
                return _asgi(found)
            if "wsgi.version" in found:
                return _wsgi(found)
        except KeyError as missing:
            raise NoRequest(f"request has no {missing}, which every server gives") from None
    raise NoRequest(
        "request must be an ASGI scope, a WSGI environ, or an object with one as scope or environ, "
        f"not {type(request).__name__}; or give method, uri and headers"
    )


def pairs(headers: Any) -> Iterable[tuple[str | bytes, str | bytes]]:
    """Headers as the caller of `verify_request(headers=…)` gives them."""
    if isinstance(headers, Mapping):
        raise NoRequest(
            "headers must be pairs, since a mapping cannot show that a header came twice; where "
            "your server refuses such requests, wrap it in single_valued()"
        )
    if isinstance(headers, (str, bytes)) or not isinstance(headers, Iterable):
        raise NoRequest(f"headers must be pairs, not {type(headers).__name__}")
    return headers


def _asgi(scope: Mapping[str, Any]) -> Parts:
    raw_path = scope.get("raw_path")
    # Optional in ASGI; without it the path has been decoded, and is encoded anew.
    path = raw_path if raw_path is not None else quote(scope["path"], safe=_PATH).encode()
    query = scope.get("query_string") or b""
    # A WebSocket is opened by a GET (RFC 6455 §4.1), and its scope does not repeat it.
    method = scope.get("method") or "GET"
    return Parts(method, path + b"?" + query if query else path, scope["headers"])


def _wsgi(environ: Mapping[str, Any]) -> Parts:
    # As sent, where the server tells it: gunicorn and Werkzeug, uWSGI and mod_wsgi.
    uri = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not uri:
        path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
        query = environ.get("QUERY_STRING", "")
        uri = quote_from_bytes(path, safe=_PATH)
        uri = f"{uri}?{quote(query, safe=_ENCODED + '?', encoding='latin-1')}" if query else uri
    # PEP 3333 has one value a header: a server joins repeats with a comma, which the checks of the
    # two headers that matter refuse.
    headers = [
        (name[5:].replace("_", "-"), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    return Parts(environ["REQUEST_METHOD"], uri, headers)
