"""A client for tests: signs requests and hands them to the application, without the SDK and without a socket."""

from __future__ import annotations

import json
import weakref
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from typing import Any

from starlette.types import ASGIApp, Message

from helpers.sandbox.app import create_app
from helpers.sandbox.auth import content_hash, signature, string_to_sign
from helpers.sandbox.control import Control
from helpers.sandbox.directory import Directory
from helpers.sandbox.entra import COMMUNICATION_AUDIENCE
from helpers.sandbox.store import Store
from helpers.sandbox.tokens import SigningKey

VERSION = "2023-10-01"
IDENTITY_HEADER = "the secret of the managed identity"


@dataclass(frozen=True)
class Reply:
    """An answer as it would go over the wire."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> tuple[int, str, str, str | None]:
        """Status, code, message and target: what the service's callers see of a refusal."""
        error = self.json["error"]
        return self.status, error["code"], error["message"], error.get("target")


class ConnectionDropped(Exception):
    """The application broke the connection instead of answering."""


def finish(work: Coroutine[Any, Any, None] | Awaitable[None]) -> None:
    """Run to the end what never waits: the application needs no event loop where there are no sockets."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration:
        return
    raise AssertionError("the application waited for something")


def ask(
    app: ASGIApp,
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    body: bytes = b"",
    parts: list[bytes] | None = None,
) -> Reply:
    """Send one request to an ASGI application."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers],
    }
    waiting = list(parts if parts is not None else [body])
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        finish(app(scope, receive, send))  # type: ignore[arg-type]
    except ConnectionAbortedError as error:
        raise ConnectionDropped from error
    names = [name.decode("latin-1") for name, _ in sent[0]["headers"]]
    assert len(names) == len({name.lower() for name in names}), "a header came twice"
    return Reply(
        sent[0]["status"],
        {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in sent[0]["headers"]
        },
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def signed_headers(
    method: str,
    target: str,
    body: bytes,
    key: str,
    *,
    host: str = "localhost",
    date: str | None = None,
    date_header: str = "x-ms-date",
) -> list[tuple[str, str]]:
    """Return the headers that an SDK client adds: `Date` up to 1.0.1, `x-ms-date` since."""
    date = date or formatdate(usegmt=True)
    body_hash = content_hash(body)
    signed = signature(key, string_to_sign(method, target, date, host, body_hash))
    return [
        ("Host", host),
        (date_header, date),
        ("x-ms-content-sha256", body_hash),
        (
            "Authorization",
            f"HMAC-SHA256 SignedHeaders={date_header.lower()};host;x-ms-content-sha256"
            f"&Signature={signed}",
        ),
    ]


@cache
def _signing_key() -> bytes:
    return SigningKey.generate().to_pem()


class Service:
    """An application with an empty memory, and the means to ask it."""

    def __init__(self, store: Store | None = None) -> None:
        self.control = Control()
        store = store or Store(None)
        # One signing key for all tests: making one takes a tenth of a second.
        store.setting("signing_key", _signing_key)
        self.directory = Directory(store, self.control)
        weakref.finalize(self, store.close)
        self.app = create_app(self.directory, identity_header=IDENTITY_HEADER)

    @property
    def key(self) -> str:
        return self.directory.resource().primary_key

    def call(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        version: str | None = VERSION,
        key: str | None = None,
        entra: bool = False,
        host: str = "localhost",
        headers: list[tuple[str, str]] | None = None,
        content_type: str | None = "application/json",
    ) -> Reply:
        """Send a request with proof of who calls. `body` is bytes as they are, or becomes JSON."""
        if version is not None:
            target += f"?api-version={version}"
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode("utf-8")
        if entra:
            token, _ = self.directory.entra.managed_identity_token(COMMUNICATION_AUDIENCE)
            proof = [("Host", host), ("Authorization", f"Bearer {token}")]
        else:
            proof = signed_headers(method, target, content, key or self.key, host=host)
        if content and content_type is not None:
            proof.append(("Content-Type", content_type))
        return ask(self.app, method, target, [*proof, *(headers or [])], content)

    def create(self, body: object = None, **options: Any) -> Reply:
        return self.call("POST", "/identities", body, **options)

    def new_identity(self, **options: Any) -> str:
        reply = self.create(**options)
        assert reply.status == 201, reply.content
        raw_id: str = reply.json["identity"]["id"]
        return raw_id

    def issue(self, raw_id: str, body: object, **options: Any) -> Reply:
        return self.call("POST", f"/identities/{raw_id}/:issueAccessToken", body, **options)

    def token(self, raw_id: str, *scopes: str, **options: Any) -> str:
        reply = self.issue(raw_id, {"scopes": list(scopes or ("chat",))}, **options)
        assert reply.status == 200, reply.content
        token: str = reply.json["token"]
        return token

    def revoke(self, raw_id: str, **options: Any) -> Reply:
        return self.call("POST", f"/identities/{raw_id}/:revokeAccessTokens", **options)

    def delete(self, raw_id: str, **options: Any) -> Reply:
        return self.call("DELETE", f"/identities/{raw_id}", **options)

    def exchange(self, body: object, **options: Any) -> Reply:
        return self.call("POST", "/teamsUser/:exchangeAccessToken", body, **options)

    def threads(self, token: str) -> Reply:
        headers = [("Host", "localhost"), ("Authorization", f"Bearer {token}")]
        return ask(self.app, "GET", "/chat/threads?api-version=2024-03-07", headers)

    def works(self, token: str) -> bool:
        """Say whether a service that consumes tokens accepts this one."""
        reply = self.threads(token)
        assert reply.status in (200, 401)
        return reply.status == 200
