# Hand-kept; `mypy.stubtest` compares it with the built module.
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from types import GenericAlias
from typing import (
    Any,
    Generic,
    Literal,
    SupportsIndex,
    TypeAlias,
    final,
    overload,
)

from typing_extensions import TypeVar

from ._errors import SealgateError
from ._keys import Keys
from ._receiver import Receiver
from ._revocations import RevocationCheck, Revocations
from ._types import PolicyWarning, Step

__all__ = [
    "Actor",
    "Batch",
    "BatchSnapshot",
    "FixedClock",
    "Gate",
    "Inquiry",
    "Jws",
    "Key",
    "Policy",
    "RawAgent",
    "RawCall",
    "RawIssuer",
    "RawKeys",
    "RawPoller",
    "RawReceiver",
    "RawRefusal",
    "RawRevocations",
    "Refusal",
    "SigningKey",
    "Snapshot",
    "Trail",
    "Unverified",
    "Verdict",
    "VerifiedToken",
    "Verifier",
    "codes",
    "fake_arguments",
    "fetch_jwks",
    "handle_kinds",
    "inspect",
    "parse_jwks",
    "policy_for_tests",
    "read_status",
    "refusals",
    "verify_jws",
]

# What a gate takes; and what an issuer may sign and a verified token is.
_Kind: TypeAlias = Literal[
    "access_token",
    "id_token",
    "logout_token",
    "client_assertion",
    "jwt_bearer_grant",
    "jwt_svid",
    "id_jag",
    "client_attestation",
    "txn_token",
    "wit",
    "capability",
    "actor_proof",
    "intent_token",
    "set",
    "status_list_token",
    "introspection_response",
    "agent_card",
    "jwt_custom",
]
_Profile: TypeAlias = Literal[_Kind, "access_token_untyped"]

_Claims = TypeVar("_Claims", covariant=True, default=Mapping[str, Any])
_Model = TypeVar("_Model")
_Token: TypeAlias = str | bytes | bytearray | memoryview
# An ASGI scope, a WSGI environ, or an object that has one.
_Request: TypeAlias = Any
_Field: TypeAlias = tuple[str | bytes, str | bytes] | Sequence[str | bytes]
# `kind` and `token` of a token that the request's own comes from.
_Context: TypeAlias = Mapping[str, Any]
# `token` and `proof` of a capability that came in a request's content; of a grant `token` alone.
_Content: TypeAlias = Mapping[str, Any]
# `tool`, `resource`, `action` and `scope`, each a string, and the tool's `arguments`.
_Operation: TypeAlias = Mapping[str, Any]
# `issuer` and either `authority_set`, a list, or `intent`, a mapping.
_Approved: TypeAlias = Mapping[str, Any]
# The workload that calls: `iss` and `sub`.
_Presenter: TypeAlias = Mapping[str, str]
_Document: TypeAlias = Mapping[str, Any]
_Jwks: TypeAlias = Mapping[str, Any] | str | bytes
_Duration: TypeAlias = str | timedelta

@final
class Actor:
    @property
    def iss(self) -> str: ...
    @property
    def sub(self) -> str: ...
    @property
    def iss_inferred(self) -> bool: ...
    @property
    def sub_profile(self) -> str | None: ...
    @property
    def claims(self) -> Mapping[str, Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Snapshot:
    def __new__(cls, policy: str, keys: int, revocations: int | None = None) -> Snapshot: ...
    @property
    def policy(self) -> str: ...
    @property
    def keys(self) -> int: ...
    @property
    def revocations(self) -> int | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class VerifiedToken(Generic[_Claims]):
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    @property
    def issuer(self) -> str: ...
    @property
    def issuer_name(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def client_id(self) -> str | None: ...
    @property
    def jwt_id(self) -> str | None: ...
    @property
    def audience(self) -> tuple[str, ...]: ...
    @property
    def issued_at(self) -> int | None: ...
    @property
    def not_before(self) -> int | None: ...
    @property
    def expires_at(self) -> int | None: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    def has_scope(self, *names: str) -> bool: ...
    @property
    def authorization_details(self) -> tuple[Mapping[str, Any], ...]: ...
    @property
    def actor(self) -> Actor | None: ...
    @property
    def chain(self) -> tuple[Actor, ...]: ...
    @property
    def delegated(self) -> bool: ...
    @property
    def lineage(
        self,
    ) -> Literal["none", "asserted", "correlated", "issuer_attested", "cryptographic"]: ...
    @property
    def unproven(
        self,
    ) -> tuple[Literal["subject", "scope", "time", "audience", "details"], ...]: ...
    @property
    def sender_constrained(
        self,
    ) -> (
        Literal["dpop", "mtls", "wpt", "client_attestation_pop", "capability_pop", "external"]
        | None
    ): ...
    @property
    def subject_kind(self) -> Literal["client", "agent"] | None: ...
    @property
    def profile(self) -> _Profile: ...
    @property
    def gate(self) -> str: ...
    @property
    def header(self) -> Mapping[str, Any]: ...
    @property
    def claims(self) -> _Claims: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def revocation(self) -> RevocationCheck: ...
    @property
    def response_headers(self) -> dict[str, str]: ...
    @property
    def status_checked(self) -> bool | None: ...
    @property
    def verified_by(self) -> Literal["signature", "introspection"]: ...
    @property
    def introspected_at(self) -> int | None: ...
    @property
    def replay_reach(self) -> Literal["process", "host", "fleet", "external"] | None: ...
    def require(
        self, *, required_scopes: Iterable[str] = (), operation: _Operation | None = None
    ) -> VerifiedToken[_Claims]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def audit_record(self) -> dict[str, Any]: ...

@final
class Verdict(Generic[_Claims]):
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    @property
    def ok(self) -> bool: ...
    @property
    def code(self) -> str: ...
    @property
    def token(self) -> VerifiedToken[_Claims] | None: ...
    @property
    def error(self) -> SealgateError | None: ...
    def unwrap(self) -> VerifiedToken[_Claims]: ...
    def _is_pending(self) -> bool: ...
    def _may_settle(self, wait: float) -> bool: ...
    def __bool__(self) -> bool: ...

@final
class Inquiry:
    def ask(self, put: Callable[[Callable[[], None]], None], wake: Callable[[], None]) -> None: ...
    def verdict(self) -> Verdict[Any] | None: ...

@final
class BatchSnapshot:
    @property
    def policy(self) -> str: ...
    @property
    def keys(self) -> dict[str, int]: ...
    @property
    def revocations(self) -> int: ...

@final
class Batch:
    def __len__(self) -> int: ...
    def __getitem__(self, key: SupportsIndex, /) -> Verdict: ...
    def __iter__(self) -> Iterator[Verdict]: ...
    @property
    def accepted(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def undecided(self) -> int: ...
    @property
    def counts(self) -> dict[str, int]: ...
    @property
    def snapshot(self) -> BatchSnapshot: ...
    def tokens(self) -> Iterator[tuple[int, VerifiedToken]]: ...
    def errors(self) -> Iterator[tuple[int, SealgateError]]: ...

@final
class Trail:
    @property
    def steps(self) -> tuple[Step, ...]: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def ok(self) -> bool: ...
    @property
    def code(self) -> str: ...
    @property
    def expected(self) -> tuple[str, ...]: ...
    @property
    def hint(self) -> str | None: ...

class _Calls:
    """What a gate is asked, and a verifier that has only one."""

    @overload
    def verify(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
    ) -> VerifiedToken: ...
    @overload
    def verify(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
    ) -> VerifiedToken[_Model]: ...
    @overload
    def judge(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
    ) -> Verdict: ...
    @overload
    def judge(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
    ) -> Verdict[_Model]: ...
    @overload
    async def verify_async(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
        wait: _Duration = "2s",
    ) -> VerifiedToken: ...
    @overload
    async def verify_async(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
        wait: _Duration = "2s",
    ) -> VerifiedToken[_Model]: ...
    @overload
    async def judge_async(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
        wait: _Duration = "2s",
    ) -> Verdict: ...
    @overload
    async def judge_async(
        self,
        token: _Token,
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
        wait: _Duration = "2s",
    ) -> Verdict[_Model]: ...
    @overload
    def verify_request(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
    ) -> VerifiedToken: ...
    @overload
    def verify_request(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
    ) -> VerifiedToken[_Model]: ...
    @overload
    async def verify_request_async(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
        wait: _Duration = "2s",
    ) -> VerifiedToken: ...
    @overload
    async def verify_request_async(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
        wait: _Duration = "2s",
    ) -> VerifiedToken[_Model]: ...
    @overload
    def judge_request(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
    ) -> Verdict: ...
    @overload
    def judge_request(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
    ) -> Verdict[_Model]: ...
    @overload
    async def judge_request_async(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: None = None,
        wait: _Duration = "2s",
    ) -> Verdict: ...
    @overload
    async def judge_request_async(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        into: type[_Model],
        wait: _Duration = "2s",
    ) -> Verdict[_Model]: ...
    def explain_request(
        self,
        request: _Request | None = None,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
    ) -> Trail: ...
    def _begin(self, token: Any, **named: Any) -> Verdict[Any] | Inquiry: ...
    def _begin_request(self, **named: Any) -> Verdict[Any] | Inquiry: ...
    @overload
    def verify_chain(
        self,
        token: _Token,
        context: Iterable[_Context],
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        into: None = None,
    ) -> VerifiedToken: ...
    @overload
    def verify_chain(
        self,
        token: _Token,
        context: Iterable[_Context],
        *,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        into: type[_Model],
    ) -> VerifiedToken[_Model]: ...
    def check_outbound(
        self, inbound: VerifiedToken[Any], outbound: _Context, *, target: str
    ) -> None: ...
    def verify_batch(
        self, tokens: Iterable[_Token] | _Token, *, required_scopes: Iterable[str] = ()
    ) -> Batch: ...
    def explain(
        self,
        token: _Token,
        *,
        context: Iterable[_Context] = (),
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
    ) -> Trail: ...
    def trace(
        self,
        presented: _Token | _Request | None = None,
        /,
        *,
        method: str | bytes | None = None,
        uri: str | bytes | None = None,
        headers: Iterable[_Field] | None = None,
        client_certificate: bytes | None = None,
        context: Iterable[_Context] = (),
        content: _Content | None = None,
        operation: _Operation | None = None,
        approved: _Approved | None = None,
        required_scopes: Iterable[str] = (),
        acr_values: Iterable[str] = (),
        presenter: _Presenter | None = None,
        nonce: str | None = None,
        client_id: str | None = None,
        access_token: str | None = None,
        code: str | None = None,
    ) -> dict[str, Any]: ...
    def resource_metadata(self) -> Mapping[str, Any] | None: ...

@final
class Gate(_Calls):
    @property
    def name(self) -> str: ...
    @property
    def verifier(self) -> Verifier: ...

@final
class Policy:
    def __new__(cls, mapping: _Document, /, *, allow_danger: bool = False) -> Policy: ...
    @staticmethod
    def load(path: str | PathLike[str], *, allow_danger: bool = False) -> Policy: ...
    @staticmethod
    def parse(
        text: str | bytes,
        format: Literal["toml", "json"] = "toml",
        *,
        allow_danger: bool = False,
    ) -> Policy: ...
    @property
    def digest(self) -> str: ...
    @property
    def warnings(self) -> list[PolicyWarning]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def effective(self) -> dict[str, Any]: ...

@final
class Verifier(_Calls):
    def __new__(
        cls,
        *,
        issuer: str | Iterable[str],
        audience: str | Iterable[str],
        discovery: Literal["oauth", "oidc", "auto"] | None = None,
        jwks_uri: str | None = None,
        refresh: Mapping[str, Any] | None = None,
        jwks: Mapping[str, Any] | None = None,
        jwks_file: str | PathLike[str] | None = None,
        keys: Iterable[Mapping[str, Any]] | None = None,
        jwks_push: str | None = None,
        algorithms: Iterable[str] | None = None,
        profiles: Iterable[_Profile] | None = None,
        max_lifetime: _Duration | None = None,
        legacy_eddsa: bool | None = None,
        act_iss: Literal["inherit", "require"] | None = None,
        act_meaning: Literal["rfc8693", "inverted"] | None = None,
        claim_names: Mapping[str, str] | None = None,
        txn_namespace: str | None = None,
        actor_namespace: str | None = None,
        introspection: Mapping[str, Any] | None = None,
        profile: _Kind | None = None,
        public_url: str | None = None,
        required_scopes: Iterable[str] | None = None,
        scope_implies: Mapping[str, Iterable[str]] | None = None,
        sender_constrained: Literal["if_bound", "required", "external"] | None = None,
        delegation: Literal["forbid", "surface"] | None = None,
        max_age: _Duration | None = None,
        acr_values: Iterable[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        typ: str | None = None,
        required_claims: Iterable[str] | None = None,
        context: Mapping[str, str] | None = None,
        transactions: Mapping[str, Any] | None = None,
        require_intent: bool | None = None,
        intent_pointers: Mapping[str, Any] | None = None,
        dpop: Mapping[str, Any] | None = None,
        attestation: Mapping[str, Any] | None = None,
        mtls: Mapping[str, Any] | None = None,
        replay: Mapping[str, Any] | None = None,
        revocation: Mapping[str, Any] | None = None,
        stores: Mapping[str, Mapping[str, Any]] | None = None,
        audit: Mapping[str, Any] | None = None,
        leeway: _Duration | None = None,
        preset: Literal["agent_strict", "rfc"] | None = None,
        cache: Mapping[str, int] | None = None,
        limits: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        danger: Mapping[str, Any] | None = None,
        clock: FixedClock | None = None,
        allow_danger: bool = False,
    ) -> Verifier: ...
    @staticmethod
    def from_policy(
        source: str | PathLike[str] | _Document | Policy,
        *,
        clock: FixedClock | None = None,
        allow_danger: bool = False,
    ) -> Verifier: ...
    def gate(self, name: str) -> Gate: ...
    @property
    def gates(self) -> list[str]: ...
    def wait_ready(self, timeout: _Duration = "10s") -> None: ...
    async def wait_ready_async(self, timeout: _Duration = "10s") -> None: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def revocations(self) -> Revocations: ...
    def receiver(self, gate: str, *, expecting_state: str | None = None) -> Receiver: ...
    @property
    def policy(self) -> Policy: ...
    def reload(self, policy: str | PathLike[str] | _Document | Policy) -> None: ...
    def stats(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Verifier: ...
    def __exit__(self, *_exc_info: object) -> None: ...

@final
class Jws:
    @property
    def payload(self) -> bytes: ...
    @property
    def header(self) -> Mapping[str, Any]: ...

@final
class Unverified:
    @property
    def header(self) -> Mapping[str, Any]: ...
    @property
    def claims(self) -> Mapping[str, Any]: ...

def verify_jws(jws: _Token, keys: _Jwks, *, algorithms: Iterable[str]) -> Jws: ...
def inspect(token: _Token) -> Unverified: ...

# For `sealgate.testing` and `sealgate.compat`.
@final
class FixedClock:
    def __new__(cls, seconds: int) -> FixedClock: ...
    def advance(self, duration: _Duration) -> None: ...
    def set(self, seconds: int) -> None: ...
    def now(self) -> int: ...

_State: TypeAlias = tuple[
    str,
    int,
    list[tuple[str | None, str, str, str | None]],
    int | None,
    int | None,
    str | None,
]

@final
class RawKeys:
    def publish(
        self, issuer_name: str, jwks: _Jwks
    ) -> tuple[int, bool, str, list[tuple[int, str]]]: ...
    def state(self, issuer_name: str) -> _State: ...
    def refresh(self, issuer_name: str) -> _State: ...

_Changed: TypeAlias = tuple[
    str, tuple[str, str, str], bool, int | None, int | None, str | None, int
]

@final
class RawReceiver:
    def push(
        self, body: bytes, content_type: str | None
    ) -> tuple[int, list[tuple[str, str]], str, bool | None, list[_Changed] | None, str | None]: ...
    def poller(self, max_events: int) -> RawPoller: ...

@final
class RawPoller:
    def request(self) -> str: ...
    def take(self, body: bytes) -> tuple[int, int, int, int, bool, list[_Changed]]: ...

_Reach: TypeAlias = Literal["process", "host", "fleet"]

@final
class RawRevocations:
    def revoke(
        self,
        kind: str,
        scope: str,
        value: str,
        cutoff: int | Literal["now"] | None,
        expires: int | None,
        reason: str | None,
    ) -> tuple[int, _Reach, bool, int | None]: ...
    def lift(self, kind: str, scope: str, value: str) -> tuple[int, _Reach, bool, int | None]: ...
    def apply(
        self, token: VerifiedToken[Any]
    ) -> tuple[int, _Reach, bool, int | None, bool, list[_Changed]]: ...
    def flush(self, timeout: _Duration | None) -> bool: ...
    async def flush_async(self, timeout: _Duration | None) -> bool: ...
    def store(
        self,
    ) -> tuple[str, Literal["host", "fleet"], float | None, int, int, str | None] | None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...
    @property
    def epoch(self) -> int: ...

@final
class Key:
    @staticmethod
    def load(
        data: Mapping[str, Any] | str | bytes,
        format: Literal["jwk", "pem", "der", "x509"],
        alg: str | None = None,
    ) -> Key: ...
    @property
    def kid(self) -> str | None: ...
    @property
    def kty(self) -> str: ...
    @property
    def alg(self) -> str | None: ...
    @property
    def thumbprint(self) -> str: ...
    def to_json(self) -> str: ...
    def verify(self, message: bytes, signature: bytes, alg: str) -> None: ...

@final
class SigningKey:
    @staticmethod
    def make(alg: str, kid: str, seed: bytes | None = None) -> SigningKey: ...
    @property
    def alg(self) -> str: ...
    @property
    def kid(self) -> str | None: ...
    @property
    def thumbprint(self) -> str: ...
    def public_json(self) -> str: ...
    def sign(self, message: bytes) -> bytes: ...

@final
class RawIssuer:
    def __new__(
        cls,
        issuer: str,
        *,
        clock: FixedClock | None = None,
        seed: int | None = None,
        alg: str | None = None,
        name: str | None = None,
    ) -> RawIssuer: ...
    @property
    def issuer(self) -> str: ...
    @property
    def alg(self) -> str: ...
    @property
    def kid(self) -> str: ...
    @property
    def key(self) -> SigningKey: ...
    def now(self) -> int: ...
    def jwks(self) -> str: ...
    def rotate(self, keep: int | None = None) -> str: ...
    def withdraw(self, kid: str) -> bool: ...
    def token(self, told: str, lifetime: _Duration | None = None) -> str: ...
    def sign(self, payload: bytes, header: str) -> str: ...
    def sign_as(self, payload: bytes, header: bytes) -> str: ...

@final
class RawAgent:
    def __new__(
        cls,
        sub: str,
        *,
        clock: FixedClock | None = None,
        seed: int | None = None,
        alg: str | None = None,
    ) -> RawAgent: ...
    @property
    def jkt(self) -> str: ...
    @property
    def key(self) -> SigningKey: ...
    @property
    def certificate(self) -> bytes: ...
    def prove(self, told: str) -> str: ...
    def headers(
        self, gate: Gate, method: str, uri: str, token: str, nonce: str | None = None
    ) -> list[tuple[str, str]]: ...

def fake_arguments() -> tuple[dict[str, str], int]: ...

@final
class RawRefusal:
    @property
    def code(self) -> str: ...
    @property
    def http_status(self) -> int: ...
    def call(self) -> RawCall: ...

@final
class RawCall:
    @property
    def method(self) -> str: ...
    @property
    def uri(self) -> str: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def token(self) -> str | None: ...
    @property
    def proof(self) -> str | None: ...
    @property
    def tool(self) -> str | None: ...
    @property
    def context(self) -> list[tuple[str, str]]: ...
    @property
    def client_certificate(self) -> bytes | None: ...
    @property
    def http_status(self) -> int: ...
    @property
    def answer_headers(self) -> dict[str, str]: ...
    @property
    def answer_body(self) -> str: ...

def refusals(
    gate: Gate,
    issuers: list[tuple[str, RawIssuer]],
    *,
    method: str | None = None,
    uri: str | None = None,
) -> tuple[list[RawRefusal], list[tuple[str, str]]]: ...

@final
class Refusal:
    @staticmethod
    def of(code: str) -> Refusal | None: ...
    @property
    def code(self) -> str: ...
    @property
    def blame(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def hint(self) -> str | None: ...
    @property
    def doc(self) -> str: ...
    @property
    def claim(self) -> str | None: ...
    @property
    def expected(self) -> tuple[str, ...]: ...
    @property
    def expectation(self) -> str | None: ...
    @property
    def gate(self) -> str | None: ...
    @property
    def issuer_name(self) -> str | None: ...
    @property
    def http_status(self) -> int: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> str: ...

def handle_kinds() -> list[tuple[str, str | None, str | None]]: ...
def fetch_jwks(url: str, hosts: list[str]) -> bytes: ...
def read_status(bits: int, lst: str, index: int) -> int: ...
def parse_jwks(text: _Jwks) -> tuple[list[Key], list[tuple[int, str]]]: ...
def policy_for_tests(
    source: str | bytes | PathLike[str] | _Document | Policy,
    *,
    format: Literal["toml", "json"] | None = None,
    allow_test_keys: bool = False,
    push_all_keys: bool = False,
    allow_danger: bool = False,
) -> Policy: ...
def codes() -> list[tuple[str, str, str, str]]: ...
