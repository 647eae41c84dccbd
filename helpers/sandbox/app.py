"""The HTTP shape of the service: routes, api-versions, status codes, headers, error bodies.

An ordinary ASGI application that needs no socket, thread or certificate. Routes are matched on the path as it came over the
wire, because an identity may be sent raw or percent-encoded and is signed as sent.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import json
import logging
import random
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers.sandbox import auth, chat, entra, openapi
from helpers.sandbox.control import NANOSECONDS, Fault
from helpers.sandbox.directory import (
    BASIC_SCOPES,
    JOIN_SCOPES,
    Caller,
    Directory,
    Identity,
    IssuedToken,
)
from helpers.sandbox.errors import Refusal, StorageError, invalid
from helpers.sandbox.requestlog import RequestLog, masked
from helpers.sandbox.store import Resource
from helpers.sandbox.tokens import SigningKey

MAXIMUM_BODY_BYTES = 64 * 1024
BODY_TIMEOUT_SECONDS = 10.0
SIGNATURES_AT_ONCE = 16

OLD_PREVIEW = "2020-07-20-preview2"
FIRST_TEAMS_PREVIEW = "2021-03-31-preview1"
LIFETIMES_SINCE = "2022-10-01"
JOIN_SCOPES_SINCE = "2023-10-01"
TEAMS_CHECKS_SINCE = "2022-06-01"
CUSTOM_ID_PREVIEW = "2025-03-02-preview"

IDENTITY_VERSIONS = (
    "2021-02-22-preview1",
    "2021-03-07",
    "2021-03-31-preview1",
    "2021-10-31-preview",
    "2021-11-01",
    "2022-06-01",
    "2022-10-01",
    "2023-10-01",
    "2025-03-02-preview",
    "2025-06-30",
)
TEAMS_VERSIONS = (
    "2021-03-31-preview1",
    "2021-10-31-preview",
    "2022-06-01",
    "2022-10-01",
    "2023-10-01",
    "2025-03-02-preview",
    "2025-06-30",
)

# What the live service listed in `api-supported-versions`, whatever version was asked for: on identities in April 2025, on
# the exchange in October 2023 (the later preview is added here). It served versions that it did not list; so does this.
LISTED_FOR_IDENTITIES = (
    "2020-07-20-preview2, 2021-03-07, 2021-10-31-preview, 2021-11-01, 2022-06-01, 2022-10-01, "
    "2023-10-01, 2025-03-02-preview"
)
LISTED_FOR_ISSUING = LISTED_FOR_IDENTITIES + ", 2025-03-31-preview"
LISTED_FOR_TEAMS = "2021-10-31-preview, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview"

STATUSES: Mapping[str, int] = {
    "ValidationError": 400,
    "ApiVersionUnspecified": 400,
    "AmbiguousApiVersion": 400,
    "UnsupportedApiVersion": 400,
    "Denied": 401,
    "IdentityNotOwned": 401,
    "InvalidAccessToken": 401,
    "IdentityNotFound": 404,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "RequestBodyTooLarge": 413,
    "UnsupportedMediaType": 415,
    "MisdirectedRequest": 421,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}
FAULTS: Mapping[int, tuple[str, str]] = {
    429: ("TooManyRequests", "Too many requests."),
    500: ("InternalServerError", "Internal server error."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
}


class Disconnected(Exception):
    """The client went away, was too slow, or its connection is broken on purpose."""


@dataclass
class Answer:
    """What goes back, before it becomes bytes."""

    status: int
    body: Mapping[str, object] | None = None
    listed_versions: str | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def error_code(self) -> str | None:
        """The error's code, for the log."""
        if self.status < 400 or self.body is None:
            return None
        error = self.body.get("error")
        return str(error["code"]) if isinstance(error, dict) else None


def refused(refusal: Refusal, listed_versions: str | None = None) -> Answer:
    """Return the answer to a refused request."""
    error: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    if refusal.target is not None:
        error["target"] = refusal.target
    if refusal.code == "UnsupportedApiVersion":
        # The versioning library of the service's platform adds this member.
        error["innerError"] = None
    return Answer(
        STATUSES[refusal.code],
        {"error": error},
        None if refusal.before_action else listed_versions,
    )


@dataclass(frozen=True)
class Call:
    """An authenticated request for one operation."""

    caller: Caller
    api_version: str
    raw_id: str
    request: auth.Request

    def since(self, api_version: str) -> bool:
        """Say whether the version asked for is this one or a later one; they begin with their dates."""
        return self.api_version >= api_version

    @property
    def scopes(self) -> Collection[str]:
        """The scopes that this version knows."""
        if self.api_version == OLD_PREVIEW:
            return BASIC_SCOPES | {"pstn"}
        return BASIC_SCOPES | JOIN_SCOPES if self.since(JOIN_SCOPES_SINCE) else BASIC_SCOPES


@dataclass(frozen=True)
class Operation:
    """One row of the service's table of operations. In `path`, None stands for the identity."""

    name: str
    method: str
    path: tuple[str | None, ...]
    versions: Sequence[str]
    listed_versions: str
    run: Callable[[IdentityService, Call], tuple[int, Mapping[str, object] | None]]


class Signer:
    """Signs many tokens at once in other threads, and a single one at once: a thread costs as much as half a signature."""

    def __init__(self, key: SigningKey, executor: Executor | None) -> None:
        self._key = key
        self._executor = executor
        self._waiting: list[tuple[str, asyncio.Future[str]]] = []

    async def sign(self, unsigned: str, *, alone: bool) -> str:
        """Return the signed token. `alone`: nobody else waits for an answer."""
        if self._executor is None or alone:
            return self._key.sign(unsigned)
        loop = asyncio.get_running_loop()
        signed: asyncio.Future[str] = loop.create_future()
        self._waiting.append((unsigned, signed))
        if len(self._waiting) == 1:
            # After everything else that the event loop found ready, which may want signatures too.
            loop.call_soon(self._hand_over, loop)
        return await signed

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting, []
        if len(batch) == 1:
            self._deliver(batch, [self._key.sign(batch[0][0])])
            return
        assert self._executor is not None
        # In small portions, so that the first are on their way while the last are signed.
        for start in range(0, len(batch), SIGNATURES_AT_ONCE):
            portion = batch[start : start + SIGNATURES_AT_ONCE]
            self._executor.submit(self._sign_all, loop, portion)

    def _sign_all(
        self, loop: asyncio.AbstractEventLoop, batch: list[tuple[str, asyncio.Future[str]]]
    ) -> None:
        tokens = [self._key.sign(unsigned) for unsigned, _ in batch]
        # A server that was stopped meanwhile waits for nothing.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._deliver, batch, tokens)

    def _deliver(self, batch: list[tuple[str, asyncio.Future[str]]], tokens: list[str]) -> None:
        for (_, signed), token in zip(batch, tokens, strict=True):
            if not signed.done():
                signed.set_result(token)


class IdentityService:
    """The identity service as an ASGI application."""

    def __init__(
        self,
        directory: Directory,
        *,
        executor: Executor | None = None,
    ) -> None:
        self.directory = directory
        self._signer = Signer(directory.signing_key, executor)
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = _request(scope)
        self._at_work += 1
        try:
            answer = await self._answer(request, scope, receive)
        except Disconnected:
            await _drop(scope, receive)
            return
        finally:
            self._at_work -= 1
        # For the log, which is written where every request passes.
        scope["sandbox.error_code"] = answer.error_code
        await _send(answer, request, send, started)

    async def _answer(self, request: auth.Request, scope: Scope, receive: Receive) -> Answer:
        control = self.directory.control
        operation: Operation | None = None
        api_version = ""
        try:
            if control.latency:
                await asyncio.sleep(control.latency)
            request.body = await _body(scope, receive)
            resources = _meant_resources(request.header(b"host"), self.directory)
            caller = auth.authenticate(request, resources, self.directory.entra)
            fault = control.faults.take()
            if fault is not None and fault.drop == "before":
                raise Disconnected
            if fault is not None and fault.status is not None:
                return _failed(fault)
            operation, raw_id = _route(request)
            api_version = _api_version(request, operation)
            call = Call(caller, api_version, raw_id, request)
            status, body = operation.run(self, call)
            answer = Answer(status, await self._signed(body), operation.listed_versions)
            if fault is not None and fault.drop == "after":
                raise Disconnected
            return answer
        except Refusal as refusal:
            if refusal.code == "InvalidAccessToken" and api_version == FIRST_TEAMS_PREVIEW:
                # The earliest preview of the exchange answered with an empty body (recorded live).
                return Answer(401)
            if isinstance(refusal, _WrongMethod):
                return Answer(405, headers=[(b"Allow", ", ".join(refusal.allowed).encode("ascii"))])
            if refusal.code == "NotFound":
                return Answer(404)
            return refused(refusal, operation.listed_versions if operation else None)
        except StorageError as error:
            return refused(Refusal("ServiceUnavailable", str(error), before_action=True))
        except Disconnected:
            raise
        except Exception:
            logging.getLogger("helpers.sandbox").exception("The sandbox failed to answer")
            return refused(Refusal("InternalServerError", FAULTS[500][1], before_action=True))

    def _count(self, call: Call, operation: str) -> None:
        """Count a request towards the rate limit, which refuses it beyond."""
        if not self.directory.control.rate_limits.admits(call.caller.resource.id, operation):
            raise Refusal(*FAULTS[429], before_action=True)

    async def _signed(self, body: Mapping[str, object] | None) -> Mapping[str, object] | None:
        """Put signed tokens in the place of issued ones."""
        if body is None:
            return None
        result: dict[str, object] = {}
        for name, value in body.items():
            if isinstance(value, IssuedToken):
                token = await self._signer.sign(value.unsigned, alone=self._at_work == 1)
                access_token = {"token": token, "expiresOn": expires_on(value.expires_at)}
                if name:
                    result[name] = access_token
                else:
                    result.update(access_token)
            else:
                result[name] = value
        return result

    # Operations: each returns a status and a body; a token under the empty name is spread into the body itself.

    def create_identity(self, call: Call) -> tuple[int, Mapping[str, object] | None]:
        """POST /identities."""
        if call.api_version == OLD_PREVIEW:
            self._count(call, "create_identity")
            identity, _ = self.directory.create_identity(call.caller)
            return 200, {"id": identity.raw_id}
        fields = {"createTokenWithScopes": _strings}
        if call.since(LIFETIMES_SINCE):
            fields["expiresInMinutes"] = _int32
        if call.api_version == CUSTOM_ID_PREVIEW:
            fields["customId"] = _string
        model = _model(call.request, fields)
        scopes = model.get("createTokenWithScopes")
        self._count(call, "create_identity_and_token" if scopes else "create_identity")
        if scopes is None and "createTokenWithScopes" in model and call.since(LIFETIMES_SINCE):
            raise invalid("CreateTokenWithScopes value is missing.", "CreateTokenWithScopes")
        identity, issued = self.directory.create_identity(
            call.caller,
            scopes=scopes,
            lifetime_minutes=model.get("expiresInMinutes"),
            custom_id=model.get("customId"),
            known_scopes=call.scopes,
        )
        body: dict[str, object] = {"identity": _identity(identity, call)}
        if issued is not None:
            body["accessToken"] = issued
        return 201, body

    def get_identity(self, call: Call) -> tuple[int, Mapping[str, object] | None]:
        """GET /identities/{id}."""
        return 200, _identity(self.directory.get_identity(call.caller, call.raw_id), call)

    def delete_identity(self, call: Call) -> tuple[int, Mapping[str, object] | None]:
        """DELETE /identities/{id}."""
        self._count(call, "delete_identity")
        self.directory.delete_identity(call.caller, call.raw_id)
        return 204, None

    def issue_token(self, call: Call) -> tuple[int, Mapping[str, object] | None]:
        """POST /identities/{id}/:issueAccessToken, and /token in 2020."""
        self._count(call, "issue_token")
        fields = {"scopes": _strings}
        if call.since(LIFETIMES_SINCE):
            fields["expiresInMinutes"] = _int32
        model = _model(call.request, fields)
        if model.get("scopes") is None:
            raise invalid("Scopes: The Scopes field is required.", "Scopes", before_action=True)
        issued = self.directory.issue_token(
            call.caller,
            call.raw_id,
            scopes=model["scopes"],
            lifetime_minutes=model.get("expiresInMinutes"),
            known_scopes=call.scopes,
        )
        if call.api_version == OLD_PREVIEW:
            return 200, {"id": call.raw_id, "": issued}
        return 200, {"": issued}

    def revoke_tokens(self, call: Call) -> tuple[int, Mapping[str, object] | None]:
        """POST /identities/{id}/:revokeAccessTokens."""
        self._count(call, "revoke_tokens")
        self.directory.revoke_tokens(call.caller, call.raw_id)
        return 204, None

    def update_identity(self, call: Call) -> tuple[int, Mapping[str, object] | None]:
        """PATCH /identities/{id}, which in 2020 revoked the tokens issued before a moment."""
        self._count(call, "revoke_tokens")
        model = _model(call.request, {"tokensValidFrom": _string})
        issued_before = None
        if model.get("tokensValidFrom") is not None:
            issued_before = _moment(model["tokensValidFrom"])
        self.directory.revoke_tokens(call.caller, call.raw_id, issued_before=issued_before)
        return 204, None

    def exchange_teams_user_token(self, call: Call) -> tuple[int, Mapping[str, object] | None]:
        """POST /teamsUser/:exchangeAccessToken."""
        self._count(call, "exchange_teams_user_token")
        model = _model(call.request, {"token": _string, "appId": _string, "userId": _string})
        issued = self.directory.exchange_teams_user_token(
            call.caller,
            token=model.get("token"),
            app_id=model.get("appId"),
            user_id=model.get("userId"),
            token_only=not call.since(TEAMS_CHECKS_SINCE),
        )
        return 200, {"": issued}


OPERATIONS = (
    Operation(
        "create_identity",
        "POST",
        ("identities",),
        (OLD_PREVIEW, *IDENTITY_VERSIONS),
        LISTED_FOR_IDENTITIES,
        IdentityService.create_identity,
    ),
    Operation(
        "get_identity",
        "GET",
        ("identities", None),
        (CUSTOM_ID_PREVIEW,),
        LISTED_FOR_IDENTITIES,
        IdentityService.get_identity,
    ),
    Operation(
        "delete_identity",
        "DELETE",
        ("identities", None),
        (OLD_PREVIEW, *IDENTITY_VERSIONS),
        LISTED_FOR_IDENTITIES,
        IdentityService.delete_identity,
    ),
    Operation(
        "update_identity",
        "PATCH",
        ("identities", None),
        (OLD_PREVIEW,),
        LISTED_FOR_IDENTITIES,
        IdentityService.update_identity,
    ),
    Operation(
        "issue_token",
        "POST",
        ("identities", None, ":issueAccessToken"),
        IDENTITY_VERSIONS,
        LISTED_FOR_ISSUING,
        IdentityService.issue_token,
    ),
    Operation(
        "issue_token_2020",
        "POST",
        ("identities", None, "token"),
        (OLD_PREVIEW,),
        LISTED_FOR_IDENTITIES,
        IdentityService.issue_token,
    ),
    Operation(
        "revoke_tokens",
        "POST",
        ("identities", None, ":revokeAccessTokens"),
        IDENTITY_VERSIONS,
        LISTED_FOR_IDENTITIES,
        IdentityService.revoke_tokens,
    ),
    Operation(
        "exchange_teams_user_token",
        "POST",
        ("teamsUser", ":exchangeAccessToken"),
        TEAMS_VERSIONS,
        LISTED_FOR_TEAMS,
        IdentityService.exchange_teams_user_token,
    ),
)


# From the wire to a call


def _request(scope: Scope) -> auth.Request:
    """Return the request that the gate has read."""
    request: auth.Request = scope["sandbox.request"]
    return request


def _read_head(scope: Scope) -> auth.Request:
    target = scope.get("raw_path") or scope["path"].encode("utf-8")
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    return auth.Request(scope["method"], target.decode("latin-1"), scope["headers"])


async def _body(scope: Scope, receive: Receive) -> bytes:
    """Read the body, within bounds of size and time."""
    # Where there is a socket, the server hands over the means to break its connection.
    abort = scope.get("state", {}).get("abort_connection")
    deadline = asyncio.get_running_loop().call_later(BODY_TIMEOUT_SECONDS, abort) if abort else None
    try:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part: bytes = message.get("body", b"")
            body += part
            if len(body) > MAXIMUM_BODY_BYTES:
                raise Refusal(
                    "RequestBodyTooLarge",
                    f"A request's body may be {MAXIMUM_BODY_BYTES} bytes long.",
                    before_action=True,
                )
            if not message.get("more_body"):
                return body
    finally:
        if deadline is not None:
            deadline.cancel()


class _WrongMethod(Refusal):
    """The address exists, but not for this method."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__("MethodNotAllowed", "Another method is needed here.", before_action=True)
        self.allowed = allowed


_BY_PATH: dict[tuple[str | None, ...], dict[str, Operation]] = {}
for _operation in OPERATIONS:
    _BY_PATH.setdefault(_operation.path, {})[_operation.method] = _operation


def _route(request: auth.Request) -> tuple[Operation, str]:
    path = request.target.partition("?")[0]
    segments = [unquote(segment) for segment in path.split("/")]
    if segments[-1] == "":
        segments.pop()
    key: tuple[str | None, ...] = tuple(segments[1:])
    raw_id = ""
    if key[:1] == ("identities",) and len(key) > 1:
        raw_id = segments[2]
        key = (key[0], None, *key[2:])
    on_path = _BY_PATH.get(key)
    if on_path is None or not path.startswith("/"):
        raise Refusal("NotFound", "There is nothing at this address.", before_action=True)
    operation = on_path.get(request.method)
    if operation is None:
        raise _WrongMethod(list(on_path))
    return operation, raw_id


@lru_cache(maxsize=64)
def _named_versions(query: str) -> frozenset[str]:
    named = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    return frozenset(value for name, value in named if name == "api-version")


def _api_version(request: auth.Request, operation: Operation) -> str:
    path, _, query = request.target.partition("?")
    versions = _named_versions(query)
    if not versions - {""}:
        raise Refusal("ApiVersionUnspecified", "An API version is required, but was not specified.")
    if len(versions) > 1:
        raise Refusal(
            "AmbiguousApiVersion",
            "The request names several API versions; it must name one.",
        )
    (version,) = versions
    if version not in operation.versions:
        host = request.header(b"host")
        uri = masked(f"https://{host}{path}")
        raise Refusal(
            "UnsupportedApiVersion",
            f"The HTTP resource that matches the request URI '{uri}' does not support the API "
            f"version '{masked(version[:40])}'.",
        )
    return version


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(_string(item) for item in value)


def _string(value: object) -> bool:
    # A lone surrogate is JSON, but no text that could be stored or sent.
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _int32(value: object) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _model(request: auth.Request, fields: Mapping[str, Callable[[object], bool]]) -> dict[str, Any]:
    """Read the members of a JSON object that an operation knows; others are ignored, null is allowed."""
    if not request.body:
        return {}
    media_type = (request.header(b"content-type") or "application/json").partition(";")[0]
    media_type = media_type.strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Refusal(
            "UnsupportedMediaType", "The body must be application/json.", before_action=True
        )
    try:
        model = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise invalid("The body is not valid JSON.", before_action=True) from error
    if not isinstance(model, dict):
        raise invalid("The body must be a JSON object.", before_action=True)
    for name, fits in fields.items():
        if model.get(name) is not None and not fits(model[name]):
            title = name[0].upper() + name[1:]
            raise invalid(
                f"{title}: The {title} field has a wrong type.", title, before_action=True
            )
    return {name: model[name] for name in fields if name in model}


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def _moment(text: str) -> int:
    """Read a date and time (RFC 3339, UTC unless told) as nanoseconds since 1970."""
    match = _DATE_TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError("not a date and time")
        zone = "+00:00" if match[3] in (None, "Z") else match[3]
        seconds = int(datetime.fromisoformat(match[1] + zone).timestamp())
    except (ValueError, OverflowError) as error:
        raise invalid(
            "TokensValidFrom: The TokensValidFrom field has a wrong type.",
            "TokensValidFrom",
            before_action=True,
        ) from error
    fraction = int((match[2] or ".")[1:].ljust(9, "0"))
    return max(0, min(seconds, 9_000_000_000)) * NANOSECONDS + fraction


def _identity(identity: Identity, call: Call) -> dict[str, object]:
    shown: dict[str, object] = {}
    if call.api_version == CUSTOM_ID_PREVIEW:
        if identity.custom_id is not None:
            shown["customId"] = identity.custom_id
        if identity.last_token_issued_at is not None:
            moment = datetime.fromtimestamp(identity.last_token_issued_at, timezone.utc)
            shown["lastTokenIssuedAt"] = moment.isoformat()
    shown["id"] = identity.raw_id
    return shown


def expires_on(nanoseconds: int) -> str:
    """Write a moment as the service does: seven digits of a second at most, trailing zeros dropped, `+00:00`."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    moment = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{rest // 100:07d}".rstrip("0")
    return f"{moment}.{fraction}+00:00" if fraction else f"{moment}+00:00"


# From an answer to the wire


def _failed(fault: Fault) -> Answer:
    assert fault.status is not None
    answer = refused(Refusal(*FAULTS[fault.status], before_action=True))
    if fault.retry_after is not None:
        answer.headers.append((b"Retry-After", str(fault.retry_after).encode("ascii")))
    return answer


# Of what tells one answer from another; nothing secret.
_references = random.Random()


@lru_cache(maxsize=2)
def _second(now: int) -> tuple[bytes, bytes]:
    """Return the date of an answer and the beginning of its reference, which are the same for a whole second."""
    reference = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime(now))
    return formatdate(now, usegmt=True).encode("ascii"), reference.encode("ascii")


async def _send(answer: Answer, request: auth.Request, send: Send, started: float) -> None:
    date, reference = _second(int(time.time()))
    headers = [
        (b"Date", date),
        (b"Connection", b"close" if answer.status == 413 else b"keep-alive"),
        (b"MS-CV", base64.b64encode(_references.randbytes(16)).rstrip(b"=") + b".0"),
        (b"Request-Context", b"appId="),
        (b"Strict-Transport-Security", b"max-age=31536000;includeSubDomains"),
        (b"X-Cache", b"CONFIG_NOCACHE"),
        (b"x-azure-ref", reference + _references.randbytes(16).hex().encode("ascii")),
        (b"X-Processing-Time", b"%dms" % ((time.perf_counter() - started) * 1000)),
        *answer.headers,
    ]
    if answer.listed_versions is not None:
        headers.append((b"api-supported-versions", answer.listed_versions.encode("ascii")))
    client_request_id = request.header(b"x-ms-client-request-id")
    if client_request_id is not None:
        headers.append((b"x-ms-client-request-id", client_request_id.encode("latin-1")))
    body = b""
    if answer.body is not None:
        body = json.dumps(answer.body, separators=(",", ":")).encode("ascii")
        if answer.status < 400:
            headers.append((b"Content-Type", b"application/json; charset=utf-8"))
            headers.append((b"Content-Length", str(len(body)).encode("ascii")))
            if request.method == "GET":
                headers.append((b"Accept-Ranges", b"bytes"))
        else:
            # Without a length the server sends it in chunks, as the service does.
            headers.append((b"Content-Type", b"application/json"))
    elif answer.status != 204:
        headers.append((b"Content-Length", b"0"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drop(scope: Scope, receive: Receive) -> None:
    abort = scope.get("state", {}).get("abort_connection")
    if abort is None:
        raise ConnectionAbortedError("The sandbox dropped the connection.")
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass


# The doors around the service


def _host_name(host: str | None) -> str:
    if host is None:
        return ""
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0].lower()


def _meant_resources(host: str | None, directory: Directory) -> list[Resource]:
    """Return the resources that a host may mean: NAME.localhost the one of that name, any other host every one."""
    resources = directory.store.resources()
    name, _, domain = _host_name(host).rpartition(".")
    if domain == "localhost" and name:
        return [resource for resource in resources if resource.name == name]
    return resources


class Gate:
    """Where every request passes: it must name this machine as its host, and leaves a line in the log.

    A web page whose host name suddenly points to 127.0.0.1 (DNS rebinding) still sends that name as `Host`.
    """

    def __init__(
        self,
        service: ASGIApp,
        others: Router,
        *,
        served_hosts: Collection[str],
        log: RequestLog | None,
    ) -> None:
        self._service = service
        self._others = others
        self._other_paths = {route.path for route in others.routes if isinstance(route, Route)}
        self._log = log
        self._served_hosts = {host.lower() for host in served_hosts}
        self._any_address = bool(self._served_hosts & {"0.0.0.0", "::"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = scope["sandbox.request"] = _read_head(scope)
        status: int | None = None

        async def noting_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            if self._serves(_host_name(request.header(b"host"))):
                other = scope["path"] in self._other_paths
                await (self._others if other else self._service)(scope, receive, noting_send)
            else:
                refusal = Refusal(
                    "MisdirectedRequest",
                    "The sandbox answers to this machine's own names only, such as localhost.",
                    before_action=True,
                )
                await _send(refused(refusal), request, noting_send, started)
        finally:
            if self._log is not None:
                self._log.write(
                    method=request.method,
                    target=request.target,
                    status=status,
                    seconds=time.perf_counter() - started,
                    code=scope.get("sandbox.error_code"),
                    client_request_id=request.header(b"x-ms-client-request-id"),
                )

    def _serves(self, name: str) -> bool:
        if name in self._served_hosts or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self._any_address


def create_app(
    directory: Directory,
    *,
    identity_header: str,
    served_hosts: Collection[str] = (),
    log: RequestLog | None = None,
    executor: Executor | None = None,
) -> ASGIApp:
    """Return the sandbox as an ASGI application.

    `identity_header` is the secret of the managed-identity endpoint. `served_hosts` are names that it answers to besides
    those of the loopback. Tokens are signed in `executor`, or at once where there are no threads.
    """

    async def managed_identity(request: StarletteRequest) -> JSONResponse:
        given = request.headers.get("x-identity-header", "")
        if not secrets.compare_digest(given.encode("latin-1"), identity_header.encode("ascii")):
            return _managed_identity_error(401, "X-IDENTITY-HEADER is missing or wrong.")
        if request.query_params.get("api-version") != entra.MANAGED_IDENTITY_API_VERSION:
            return _managed_identity_error(
                400, f"api-version must be {entra.MANAGED_IDENTITY_API_VERSION}."
            )
        resource = request.query_params.get("resource", "")
        if not resource or not resource.isascii() or len(resource) > 200:
            return _managed_identity_error(400, "resource is missing or is no address.")
        token, expires = directory.entra.managed_identity_token(resource)
        return JSONResponse(
            {
                "access_token": token,
                "expires_on": str(expires),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    async def description(request: StarletteRequest) -> JSONResponse:
        return JSONResponse(openapi.description())

    async def key_set(request: StarletteRequest) -> JSONResponse:
        return JSONResponse({"keys": [directory.signing_key.json_web_key()]})

    others = Router(
        [
            Route("/openapi.json", description, methods=["GET"]),
            Route("/.well-known/jwks.json", key_set, methods=["GET"]),
            Route("/msi/token", managed_identity, methods=["GET"]),
            Route("/chat/threads", ChatThreads(directory)),
        ]
    )
    return Gate(
        IdentityService(directory, executor=executor), others, served_hosts=served_hosts, log=log
    )


def _managed_identity_error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"statusCode": status, "message": message}, status)


class ChatThreads:
    """GET /chat/threads: an empty list, for a token that works and carries a chat scope; else an empty 401."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = _request(scope)
        try:
            chat.list_threads(self._directory, auth.bearer_token(request))
            answer = Answer(200, {"value": []})
        except Refusal:
            answer = Answer(401)
        except StorageError as error:
            answer = refused(Refusal("ServiceUnavailable", str(error), before_action=True))
        if answer.status == 200 and request.method != "GET":
            answer = Answer(405)
        await _send(answer, request, send, started)
