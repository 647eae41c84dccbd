"""The service as an ASGI application: who may call, what goes wrong on request, and the doors around it.

It needs no socket, thread or certificate.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime, timezone

from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from helpers.sandbox import auth, chat, entra, openapi
from helpers.sandbox.answers import FAULTS, Answer, drop_connection, failed, refused, send_answer
from helpers.sandbox.directory import Directory, IssuedToken
from helpers.sandbox.errors import Refusal, StorageError
from helpers.sandbox.operations import (
    FIRST_TEAMS_PREVIEW,
    Call,
    Operation,
    WrongMethod,
    api_version_of,
    expires_on,
    route,
)
from helpers.sandbox.requestlog import RequestLog, RequestRecord, masked
from helpers.sandbox.signer import Signer
from helpers.sandbox.store import Resource

MAXIMUM_BODY_BYTES = 64 * 1024
BODY_TIMEOUT_SECONDS = 10.0


class Disconnected(Exception):
    """The client went away, was too slow, or its connection is broken on purpose."""


class IdentityService:
    """The identity service as an ASGI application."""

    def __init__(
        self,
        directory: Directory,
        *,
        executor: Executor | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._signer = Signer(directory.signing_key, executor)
        self._sleep = sleep
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request, record = _request(scope), _record(scope)
        self._at_work += 1
        try:
            answer = await self._answer(request, record, scope, receive)
        except Disconnected:
            await drop_connection(scope, receive)
            return
        finally:
            self._at_work -= 1
        if answer.error is not None:
            record.code, record.message = str(answer.error["code"]), str(answer.error["message"])
        await send_answer(answer, request, send, started)

    async def _answer(
        self, request: auth.Request, record: RequestRecord, scope: Scope, receive: Receive
    ) -> Answer:
        control = self._directory.control
        operation: Operation | None = None
        api_version = ""
        try:
            if control.latency:
                await self._sleep(control.latency)
            request.body = await _body(scope, receive)
            resources = _meant_resources(request, self._directory)
            caller = auth.authenticate(request, resources, self._directory.entra)
            record.resource = caller.resource.name
            record.credential = "entra" if caller.access_key_id is None else "key"
            own = self._directory.control_of(caller.resource.id)
            if own is not control and own.latency:
                await self._sleep(own.latency)
            fault = own.faults.take()
            if fault is not None and fault.drop == "before":
                raise Disconnected
            if fault is not None and fault.status is not None:
                return failed(fault)
            operation, raw_id = route(request)
            record.operation, record.identity = operation.name, masked(raw_id) or None
            api_version = api_version_of(request, operation)
            call = Call(caller, api_version, raw_id, request, record)
            status, body = operation.run(self._directory, call)
            answer = Answer(status, await self._signed(body), operation.listed_versions)
            if fault is not None and fault.drop == "after":
                raise Disconnected
            return answer
        except Refusal as refusal:
            if refusal.code == "InvalidAccessToken" and api_version == FIRST_TEAMS_PREVIEW:
                # The earliest preview of the exchange answered with an empty body (recorded live).
                return Answer(401)
            if isinstance(refusal, WrongMethod):
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


def _request(scope: Scope) -> auth.Request:
    """Return the request that the gate has read."""
    request: auth.Request = scope["sandbox.request"]
    return request


def _record(scope: Scope) -> RequestRecord:
    """Return what the gate notes of the request."""
    record: RequestRecord = scope["sandbox.record"]
    return record


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


# The doors around the service


def _host_name(host: str | None) -> str:
    if host is None:
        return ""
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0].lower()


def _meant_resources(request: auth.Request, directory: Directory) -> Sequence[Resource]:
    """Return the resources that a host may mean: NAME.localhost the one of that name, any other host every one."""
    resources = directory.store.resources()
    name, _, domain = _host_name(request.header(b"host")).rpartition(".")
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
        on_request: Callable[[RequestRecord], None] | None,
    ) -> None:
        self._service = service
        self._others = others
        self._other_paths = {route.path for route in others.routes if isinstance(route, Route)}
        self._log = log
        self._on_request = on_request
        self._served_hosts = {host.lower() for host in served_hosts}
        self._any_address = bool(self._served_hosts & {"0.0.0.0", "::"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = scope["sandbox.request"] = _read_head(scope)
        client = scope.get("client")
        record = scope["sandbox.record"] = RequestRecord(
            at=datetime.now(timezone.utc),
            method=request.method,
            target=masked(request.target),
            client=client[0] if client else None,
            client_request_id=masked(request.header(b"x-ms-client-request-id") or "") or None,
        )

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
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
                await send_answer(refused(refusal), request, noting_send, started)
        finally:
            record.seconds = time.perf_counter() - started
            if self._log is not None:
                self._log.write(record)
            if self._on_request is not None:
                self._on_request(record)

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
    on_request: Callable[[RequestRecord], None] | None = None,
    executor: Executor | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> ASGIApp:
    """Return the sandbox as an ASGI application.

    `identity_header` is the secret of the managed-identity endpoint. `served_hosts` are names that it answers to besides
    those of the loopback. `on_request` is told of every request once it is answered. Tokens are signed in `executor`, or at
    once where there are no threads. `sleep` waits where latency was asked for.
    """

    async def managed_identity(request: StarletteRequest) -> JSONResponse:
        given = request.headers.get("x-identity-header", "")
        name = given.rpartition(".")[0] if given.isascii() else ""
        expected = auth.identity_header_of(name, identity_header) if name else identity_header
        if not secrets.compare_digest(given.encode("latin-1"), expected.encode("ascii")):
            return _managed_identity_error(401, "X-IDENTITY-HEADER is missing or wrong.")
        if request.query_params.get("api-version") != entra.MANAGED_IDENTITY_API_VERSION:
            return _managed_identity_error(
                400, f"api-version must be {entra.MANAGED_IDENTITY_API_VERSION}."
            )
        resource = request.query_params.get("resource", "")
        if not resource or not resource.isascii() or len(resource) > 200:
            return _managed_identity_error(400, "resource is missing or is no address.")
        token, expires = directory.entra.managed_identity_token(resource, name or None)
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
        IdentityService(directory, executor=executor, sleep=sleep),
        others,
        served_hosts=served_hosts,
        log=log,
        on_request=on_request,
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
        await send_answer(answer, request, send, started)
