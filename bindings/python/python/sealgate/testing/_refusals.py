"""A request for every code a gate can give, as the core makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .._native import Gate, RawRefusal
from .._native import refusals as _native_refusals
from ._arguments import check, wrong
from ._fakes import opened


@dataclass(frozen=True, slots=True)
class Request:
    """A request that a gate refuses with `code`, and how a server answers it.

    Tokens of some kinds come in no header field: then `headers` has none, and `token` is what the
    request brings in a form or in its content; `proof` and `tool` are those of a capability.
    `context` has the tokens that it comes from, for `verify_request(context=…)`.
    `client_certificate` stands for the one of the connection: the engine compares its hash, and no
    TLS server would take it.
    """

    code: str
    method: str
    uri: str
    headers: tuple[tuple[str, str], ...]
    token: str | None
    context: tuple[Mapping[str, str], ...]
    client_certificate: bytes | None
    proof: str | None
    tool: str | None
    http_status: int
    answer_headers: Mapping[str, str]
    answer_body: str


class Call:
    """Makes requests that a gate refuses with one code, each when it is asked for: tokens are
    issued and proofs made for it, so it can be used whenever and as often as one likes, in any
    order.

    `call()` makes one. Each attribute is that of a request made for it: `call.headers` has a new
    proof each time.
    """

    __slots__ = ("_refusal",)

    def __init__(self, refusal: RawRefusal) -> None:
        self._refusal = refusal

    def __call__(self) -> Request:
        made = self._refusal.call()
        return Request(
            code=self.code,
            method=made.method,
            uri=made.uri,
            headers=tuple(made.headers),
            token=made.token,
            context=tuple({"kind": kind, "token": token} for kind, token in made.context),
            client_certificate=made.client_certificate,
            proof=made.proof,
            tool=made.tool,
            http_status=made.http_status,
            answer_headers=made.answer_headers,
            answer_body=made.answer_body,
        )

    @property
    def __name__(self) -> str:
        """What pytest calls it."""
        return str(self.http_status)

    @property
    def code(self) -> str:
        """The code that it is refused with."""
        return self._refusal.code

    @property
    def http_status(self) -> int:
        """The status that answers it."""
        return self._refusal.http_status

    @property
    def method(self) -> str:
        """See `Request`."""
        return self().method

    @property
    def uri(self) -> str:
        """See `Request`: path and query."""
        return self().uri

    @property
    def headers(self) -> list[tuple[str, str]]:
        """See `Request`; as a list, which HTTP clients take."""
        return list(self().headers)

    @property
    def token(self) -> str | None:
        """See `Request`."""
        return self().token

    @property
    def context(self) -> tuple[Mapping[str, str], ...]:
        """See `Request`."""
        return self().context

    @property
    def client_certificate(self) -> bytes | None:
        """See `Request`."""
        return self().client_certificate

    @property
    def answer_headers(self) -> Mapping[str, str]:
        """See `Request`; a nonce among them is good for a minute or two."""
        return self().answer_headers

    def __repr__(self) -> str:
        return f"<Call {self.code} {self.http_status}>"


def refusals(
    gate: Gate, *, method: str | None = None, uri: str | None = None
) -> list[tuple[str, Call]]:
    """Every code this gate can give, each with what makes requests that give it: for
    `pytest.mark.parametrize("code, call", refusals(gate))`.

    The gate is of a verifier made by `open`, and one of its issuers has a fake. `method` and `uri`
    are those of a route of yours that the gate guards; default: `POST /`. Every request is judged
    by the gate before it is handed out. That of `replayed` has been accepted once: it is refused by
    whoever shares the gate's memory of used proofs, as a program does that has this verifier.

    Raises `UsageError` where no good token of the gate can be made, from which the bad ones are.
    """
    return [(found.code, Call(found)) for found in _found("refusals", gate, method, uri)[0]]


def unreachable(gate: Gate) -> dict[str, str]:
    """Every code this gate does not give, each with the reason."""
    return dict(_found("unreachable", gate, None, None)[1])


def _found(
    call: str, gate: Gate, method: str | None, uri: str | None
) -> tuple[list[RawRefusal], list[tuple[str, str]]]:
    fakes = opened.get(gate.verifier) if isinstance(gate, Gate) else None
    if fakes is None:
        raise wrong(call, "gate", "open_gate", gate)
    check(call, "text", method=method, uri=uri)
    issuers = [(name, fake._fake) for name, fake in fakes.items()]
    return _native_refusals(gate, issuers, method=method, uri=uri)
